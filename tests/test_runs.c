/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "identifier.h"
#include "runs.h"
#include "simplugin.h"
#include "unit.h"

/* ---- allocation number N fails ---- */

static long fail_at; /* 0: never; counts down */
static long armed;   /* what fail_at becomes once the test has made what it needs itself */
static int failed;

static int is_failing(void)
{
    if (fail_at == 0 || --fail_at != 0)
        return 0;
    failed = 1;
    return 1;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);

void *__wrap_malloc(size_t size)
{
    return is_failing() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return is_failing() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return is_failing() ? NULL : __real_realloc(memory, size);
}

char *__wrap_strdup(const char *text)
{
    return is_failing() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t size)
{
    return is_failing() ? NULL : __real_strndup(text, size);
}

static sqlite3_mem_methods sqlite_memory;

static void *sqlite_malloc(int size)
{
    return is_failing() ? NULL : sqlite_memory.xMalloc(size);
}

static void *sqlite_realloc(void *memory, int size)
{
    return is_failing() ? NULL : sqlite_memory.xRealloc(memory, size);
}

/* ---- helpers ---- */

static char *dir;
static sp_runs *runs;
static simplugin_error *error;

static sp_text text(const char *value)
{
    sp_text result = {value, strlen(value)};

    return result;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void begin(void)
{
    dir = unit_temp_dir();
    CU_ASSERT_EQUAL_FATAL(sp_runs_open(dir, &runs, &error), SIMPLUGIN_OK);
}

static void end(void)
{
    simplugin_error_free(&error);
    sp_runs_close(runs);
    runs = NULL;
    nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(dir);
    dir = NULL;
}

static int says(const char *part)
{
    const char *message = simplugin_error_message(error, NULL);
    int found = strstr(message, part) != NULL && !strchr(message, '\n');

    if (!found)
        fprintf(stderr, "\nno \"%s\" in: %s\n", part, message);
    return found;
}

static json_t *similarity(const char *extra)
{
    json_t *config = json_pack("{s:s, s:s, s:s, s:i, s:b, s:{s:i}}", "type", "similarity", "backend",
                               "sklearn", "metric", "cosine", "dimension", 64, "supports_prompts",
                               0, "parameters", "nlist", 16);
    json_t *more = extra ? json_loads(extra, 0, NULL) : NULL;

    if (more)
        json_object_update(config, more);
    json_decref(more);
    return config;
}

static int32_t put(const char *dataset, const char *key, const char *extra, int mode)
{
    json_t *config = similarity(extra);
    int32_t code;

    fail_at = armed;
    code = sp_runs_put(runs, text(dataset), text(key), config, NULL, 0, mode, NULL, &error);
    fail_at = 0;
    json_decref(config);
    return code;
}

/* The codes that matter are compared by name, so that a failure says more than a number. */
static void check_code(int32_t code, int32_t expected, int line)
{
    if (code != expected)
        fprintf(stderr, "\nline %d: %s instead of %s: %s\n", line, simplugin_code_name(code),
                simplugin_code_name(expected), simplugin_error_message(error, NULL));
    CU_ASSERT_EQUAL(code, expected);
}

#define CHECK(call, expected) check_code(call, expected, __LINE__)

static json_t *get(const char *dataset, const char *key)
{
    json_t *record = NULL;

    CHECK(sp_runs_get(runs, text(dataset), text(key), NULL, &record, &error), SIMPLUGIN_OK);
    return record;
}

/* The keys of sp_runs_list joined by blanks, malloc'd. */
static char *list(const char *dataset, const char *filters)
{
    sp_text name = text(dataset ? dataset : "");
    json_t *where = filters ? json_loads(filters, JSON_DECODE_ANY, NULL) : NULL, *records = NULL;
    char *joined = calloc(1, 65536);

    CHECK(sp_runs_list(runs, dataset ? &name : NULL, where, NULL, &records, &error), SIMPLUGIN_OK);
    for (size_t i = 0; joined && i < json_array_size(records); i++) {
        if (i)
            strcat(joined, " ");
        strcat(joined,
               json_string_value(json_object_get(json_array_get(records, i), "brain_key")));
    }
    json_decref(where);
    json_decref(records);
    return joined;
}

static void check_list(const char *dataset, const char *filters, const char *expected, int line)
{
    char *joined = list(dataset, filters);

    if (!joined || strcmp(joined, expected) != 0)
        fprintf(stderr, "\nline %d: the list is \"%s\", not \"%s\"\n", line, joined, expected);
    CU_ASSERT_STRING_EQUAL(joined, expected);
    free(joined);
}

#define CHECK_LIST(dataset, filters, expected) check_list(dataset, filters, expected, __LINE__)

/* Runs sql on the file behind our back. */
static void tamper(const char *sql)
{
    sqlite3 *sqlite = NULL;
    char path[4096];

    snprintf(path, sizeof(path), "%s/runs.sqlite", dir);
    CU_ASSERT_EQUAL(sqlite3_open(path, &sqlite), SQLITE_OK);
    CU_ASSERT_EQUAL(sqlite3_exec(sqlite, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(sqlite);
}

static int64_t now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Waits for a child; 1 if it exited with 0. */
static int is_fine(pid_t child)
{
    int status = 0;

    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- records ---- */

static void test_put_and_get(void)
{
    json_t *record, *config;
    struct stat status;
    char path[4096];
    const char *created;

    begin();
    CHECK(put("quickstart", "milvus_index", NULL, SP_RUNS_CREATE), SIMPLUGIN_OK);
    record = get("quickstart", "milvus_index");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(record, "dataset")), "quickstart");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(record, "brain_key")), "milvus_index");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(record, "version")), PACKAGE_VERSION);
    created = json_string_value(json_object_get(record, "created"));
    CU_ASSERT_EQUAL_FATAL(strlen(created), 24);
    CU_ASSERT_EQUAL(created[10], 'T');
    CU_ASSERT_EQUAL(created[23], 'Z');
    CU_ASSERT_STRING_EQUAL(created, json_string_value(json_object_get(record, "updated")));
    config = similarity(NULL);
    CU_ASSERT(json_equal(config, json_object_get(record, "config")));
    json_decref(config);
    json_decref(record);

    /* the caller's handle keeps nothing open: only the file is left */
    snprintf(path, sizeof(path), "%s/runs.sqlite", dir);
    CU_ASSERT_EQUAL(stat(path, &status), 0);
    CU_ASSERT_EQUAL(status.st_mode & 0777, 0600);
    snprintf(path, sizeof(path), "%s/runs.sqlite-wal", dir);
    CU_ASSERT_NOT_EQUAL(stat(path, &status), 0);
    end();
}

static void test_directory(void)
{
    sp_runs *deep = NULL;
    struct stat status;
    json_t *names = NULL, *config = similarity(NULL);
    char path[4096];

    begin();
    CHECK(sp_runs_open("relative", &deep, &error), SIMPLUGIN_INVALID_ARGUMENT);
    snprintf(path, sizeof(path), "%s/a/b%%20#?", dir);
    CHECK(sp_runs_open(path, &deep, &error), SIMPLUGIN_OK);
    /* reading makes nothing */
    CHECK(sp_runs_datasets(deep, NULL, &names, &error), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(json_array_size(names), 0);
    json_decref(names);
    CU_ASSERT_NOT_EQUAL(stat(path, &status), 0);
    CHECK(sp_runs_put(deep, text("d"), text("k"), config, NULL, 0, 0, NULL, &error), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(stat(path, &status), 0);
    CU_ASSERT_EQUAL(status.st_mode & 0777, 0700);
    sp_runs_close(deep);
    json_decref(config);
    end();
}

static void test_modes(void)
{
    json_t *first, *second;

    begin();
    CHECK(put("d", "k", NULL, SP_RUNS_UPDATE), SIMPLUGIN_NOT_FOUND);
    CHECK(put("d", "k", NULL, SP_RUNS_CREATE), SIMPLUGIN_OK);
    CHECK(put("d", "k", "{\"metric\": \"euclidean\"}", SP_RUNS_CREATE), SIMPLUGIN_ALREADY_EXISTS);
    CU_ASSERT(says("\"k\""));
    CU_ASSERT(says("\"d\""));
    tamper("UPDATE runs SET created = '2001-02-03T04:05:06.789Z'");
    CHECK(put("d", "k", "{\"metric\": \"euclidean\"}", SP_RUNS_UPDATE), SIMPLUGIN_OK);
    first = get("d", "k");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(first, "created")),
                           "2001-02-03T04:05:06.789Z");
    CU_ASSERT_STRING_NOT_EQUAL(json_string_value(json_object_get(first, "updated")),
                               "2001-02-03T04:05:06.789Z");
    CHECK(put("d", "k", NULL, SP_RUNS_REPLACE), SIMPLUGIN_OK);
    second = get("d", "k");
    CU_ASSERT_STRING_NOT_EQUAL(json_string_value(json_object_get(second, "created")),
                               "2001-02-03T04:05:06.789Z");
    CU_ASSERT_STRING_EQUAL(
        json_string_value(json_object_get(json_object_get(second, "config"), "metric")), "cosine");
    /* as FiftyOne: never a run of another type in its place */
    CHECK(put("d", "k", "{\"type\": \"visualization\"}", SP_RUNS_REPLACE), SIMPLUGIN_ALREADY_EXISTS);
    CU_ASSERT(says("another type"));
    json_decref(first);
    json_decref(second);
    end();
}

static void test_not_found(void)
{
    json_t *record = NULL;

    begin();
    CHECK(sp_runs_get(runs, text("photos"), text("index"), NULL, &record, &error),
          SIMPLUGIN_NOT_FOUND);
    CU_ASSERT(says("datasets with runs: none"));
    CU_ASSERT_PTR_NULL(record);
    put("photos", "milvus_index", NULL, SP_RUNS_CREATE);
    put("photos", "qdrant_index", NULL, SP_RUNS_CREATE);
    CHECK(sp_runs_get(runs, text("photos"), text("milvus_indx"), NULL, &record, &error),
          SIMPLUGIN_NOT_FOUND);
    CU_ASSERT(says("\"milvus_indx\""));
    CU_ASSERT(says("did you mean \"milvus_index\"?"));
    CU_ASSERT(says("its runs: milvus_index, qdrant_index"));
    CHECK(sp_runs_get(runs, text("photo"), text("milvus_index"), NULL, &record, &error),
          SIMPLUGIN_NOT_FOUND);
    CU_ASSERT(says("did you mean \"photos\"?"));
    CHECK(sp_runs_delete(runs, text("photos"), text("nothing_like_it"), NULL, &error),
          SIMPLUGIN_NOT_FOUND);
    CU_ASSERT_PTR_NULL(strstr(simplugin_error_message(error, NULL), "did you mean"));
    end();
}

static void test_list(void)
{
    begin();
    CHECK_LIST(NULL, NULL, "");
    put("quickstart", "b_patches",
        "{\"patches_field\": \"ground_truth\", \"supports_prompts\": true}", 0);
    put("quickstart", "a_index", "{\"supports_prompts\": true}", 0);
    put("quickstart", "c_plot", "{\"type\": \"visualization\"}", 0);
    put("other", "z_index", "{\"dimension\": 512.0}", 0);
    CHECK_LIST("quickstart", NULL, "a_index b_patches c_plot");
    CHECK_LIST(NULL, NULL, "z_index a_index b_patches c_plot");
    CHECK_LIST("none", NULL, "");
    CHECK_LIST("quickstart", "{\"type\": \"similarity\"}", "a_index b_patches");
    CHECK_LIST("quickstart",
               "{\"type\": \"similarity\", \"patches_field\": \"ground_truth\","
               " \"supports_prompts\": true}",
               "b_patches");
    CHECK_LIST("quickstart", "{\"patches_field\": null}", "a_index c_plot");
    CHECK_LIST(NULL, "{\"dimension\": 512}", "z_index");
    CHECK_LIST(NULL, "{\"nlist\": 16, \"parameters\": {\"nlist\": 16.0}}",
               "z_index a_index b_patches c_plot");
    CHECK_LIST(NULL, "{\"nlist\": 17}", "");
    CHECK_LIST(NULL, "{\"no_such\": true}", "");
    end();
}

static void test_datasets(void)
{
    json_t *names = NULL, *expected = json_pack("[s, s]", "a", "b");

    begin();
    put("b", "k", NULL, 0);
    put("a", "k", NULL, 0);
    put("a", "l", NULL, 0);
    CHECK(sp_runs_datasets(runs, NULL, &names, &error), SIMPLUGIN_OK);
    CU_ASSERT(json_equal(names, expected));
    json_decref(names);
    json_decref(expected);
    end();
}

static void test_rename(void)
{
    json_t *record;

    begin();
    put("d", "old", NULL, 0);
    put("d", "taken", NULL, 0);
    put("e", "fresh", NULL, 0); /* another dataset's keys are its own */
    CHECK(sp_runs_rename(runs, text("d"), text("nope"), text("fresh"), NULL, &error),
          SIMPLUGIN_NOT_FOUND);
    CHECK(sp_runs_rename(runs, text("d"), text("old"), text("taken"), NULL, &error),
          SIMPLUGIN_ALREADY_EXISTS);
    CU_ASSERT(says("\"taken\""));
    CHECK(sp_runs_rename(runs, text("d"), text("old"), text("old"), NULL, &error),
          SIMPLUGIN_ALREADY_EXISTS);
    CHECK(sp_runs_rename(runs, text("d"), text("old"), text("not valid"), NULL, &error),
          SIMPLUGIN_INVALID_ARGUMENT);
    CHECK_LIST("d", NULL, "old taken");
    CHECK(sp_runs_rename(runs, text("d"), text("old"), text("fresh"), NULL, &error), SIMPLUGIN_OK);
    CHECK_LIST("d", NULL, "fresh taken");
    record = get("d", "fresh");
    CU_ASSERT_STRING_EQUAL(
        json_string_value(json_object_get(json_object_get(record, "config"), "backend")),
        "sklearn");
    json_decref(record);
    end();
}

static void test_delete(void)
{
    begin();
    put("d", "k", NULL, 0);
    CHECK(sp_runs_delete(runs, text("d"), text("k"), NULL, &error), SIMPLUGIN_OK);
    CHECK(sp_runs_delete(runs, text("d"), text("k"), NULL, &error), SIMPLUGIN_NOT_FOUND);
    CHECK_LIST("d", NULL, "");
    end();
}

/* ---- names ---- */

static void test_identifiers(void)
{
    /* str.isidentifier() of each, as Python 3.11 has it */
    static const struct {
        const char *name;
        int is_valid;
    } cases[] = {
        {"milvus_index", 1}, {"_", 1},          {"a1", 1},           {"A", 1},
        {"\xc3\xa9t\xc3\xa9", 1},  /* été */
        {"\xe6\x95\xb0\xe6\x8d\xae", 1},        {"\xf0\x9d\x91\x8e", 1}, /* U+1D44E */
        {"a\xcc\x81", 1},    /* a combining accent continues */
        {"\xcc\x81" "a", 0}, /* and does not begin */
        {"a\xc2\xb7", 1},    {"\xc2\xb7", 0},   {"\xe2\x84\x98", 1}, /* U+2118 */
        {"a\xd9\xa3", 1},    /* an Arabic digit */
        {"\xd9\xa3", 0},     {"", 0},           {"1a", 0},           {"a-b", 0},
        {"a b", 0},          {"a.b", 0},        {"$a", 0},           {"a\n", 0},
        {"\xc2\xb2", 0},     {"a\xe2\x82\xac", 0},                   {"\xf0\x9f\x98\x80", 0},
        {"a\xff", 0},        {"\xc0\x80", 0},   {"\xed\xa0\x80", 0}, {"\xe6\x95", 0},
        {"class", 1},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CU_ASSERT_EQUAL(sp_identifier_is_valid(text(cases[i].name)), cases[i].is_valid);
    CU_ASSERT_EQUAL(sp_identifier_is_valid((sp_text){"a\0b", 3}), 0);
}

static void test_hostile_names(void)
{
    static const char *const names[] = {
        "'; DROP TABLE runs; --", "\" OR 1=1", "a%_\\b", "?1", "new\nline \x1b[31mred", "../../x",
        "\xd8\xa7\xd9\x84\xe2\x80\xae", "percent %s %n", "x",
    };
    json_t *record = NULL, *names_found = NULL;
    char longest[1026];

    begin();
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        CHECK(put(names[i], "k", NULL, 0), SIMPLUGIN_OK);
        record = get(names[i], "k");
        CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(record, "dataset")), names[i]);
        json_decref(record);
        CHECK(sp_runs_get(runs, text(names[i]), text("nope"), NULL, &record, &error),
              SIMPLUGIN_NOT_FOUND);
        CU_ASSERT(says("nope"));
        CU_ASSERT_PTR_NULL(strchr(simplugin_error_message(error, NULL), '\x1b'));
    }
    CHECK(sp_runs_datasets(runs, NULL, &names_found, &error), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(json_array_size(names_found), sizeof(names) / sizeof(names[0]));
    json_decref(names_found);

    memset(longest, 'a', sizeof(longest));
    longest[1024] = '\0';
    CHECK(put(longest, longest, NULL, 0), SIMPLUGIN_OK);
    longest[1024] = 'a';
    longest[1025] = '\0';
    CHECK(put(longest, "k", NULL, 0), SIMPLUGIN_INVALID_ARGUMENT);
    CHECK(put("d", longest, NULL, 0), SIMPLUGIN_INVALID_ARGUMENT);
    CHECK(put("", "k", NULL, 0), SIMPLUGIN_INVALID_ARGUMENT);
    CU_ASSERT(says("dataset name"));
    CHECK(put("d", "", NULL, 0), SIMPLUGIN_INVALID_ARGUMENT);
    CHECK(put("d", "no-hyphens", NULL, 0), SIMPLUGIN_INVALID_ARGUMENT);
    CU_ASSERT(says("letters, digits and underscores"));
    CHECK(put("\xff", "k", NULL, 0), SIMPLUGIN_INVALID_ARGUMENT);
    CHECK(sp_runs_get(runs, (sp_text){"a\0b", 3}, text("k"), NULL, &record, &error),
          SIMPLUGIN_INVALID_ARGUMENT);
    CU_ASSERT(says("U+0000"));
    end();
}

/* ---- credentials ---- */

static int32_t put_config(const char *json, const char *const *secrets, size_t count)
{
    json_t *config = json_loads(json, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    int32_t code = sp_runs_put(runs, text("d"), text("k"), config, secrets, count, SP_RUNS_REPLACE,
                               NULL, &error);

    json_decref(config);
    return code;
}

static void test_secrets(void)
{
    static const char *const declared[] = {"user", "uri"};
    static const char *const refused[] = {
        "{\"password\": \"hunter2\"}",
        "{\"parameters\": {\"api_key\": \"hunter2\"}}",
        "{\"parameters\": {\"apiKey\": \"hunter2\"}}",
        "{\"a\": [{\"b\": {\"DB_PASSWORD\": \"hunter2\"}}]}",
        "{\"auth-token\": \"hunter2\"}",
        "{\"User\": \"hunter2\"}",
        "{\"uri\": \"hunter2\"}",
        "{\"address\": \"http://me:hunter2@host:19530/x\"}",
        "{\"list\": [\"http://me:hunter2@host\"]}",
        "{\"client_secret\": \"hunter2\"}",
        "{\"fields\": {\"password\": \"hunter2\"}}",
        "{\"fields\": {\"page\": \"http://me:hunter2@host\"}}",
        "{\"fields\": {\"page\": {\"token\": \"text\", \"password\": \"hunter2\"}}}",
        "{\"parameters\": {\"fields\": {\"token\": \"hunter2\"}}}",
        "{\"parameters\": {\"fields\": {\"password\": \"text\", \"token\": \"hunter2\"}}}",
    };
    static const char *const stored[] = {
        "{\"password\": null, \"user\": null}",
        "{\"max_tokens\": 5, \"partition_key\": \"a\", \"key\": 1, \"tokenizer\": \"x\"}",
        "{\"address\": \"http://host:19530/a:b@c\", \"mail\": \"me@host\"}",
        "{\"fields\": {\"token_count\": \"int64\", \"password_hash\": \"text\", \"user\": \"bool\"}}",
        "{\"fields\": {\"secret\": \"list<float64>\", \"api_key\": null}}",
        "{}",
    };

    begin();
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        CHECK(put_config(refused[i], declared, 2), SIMPLUGIN_INVALID_ARGUMENT);
        CU_ASSERT(says("run records store none"));
        CU_ASSERT_PTR_NULL(strstr(simplugin_error_message(error, NULL), "hunter2"));
    }
    CHECK_LIST(NULL, NULL, "");
    for (size_t i = 0; i < sizeof(stored) / sizeof(stored[0]); i++)
        CHECK(put_config(stored[i], declared, 2), SIMPLUGIN_OK);
    end();
}

static void test_configs(void)
{
    size_t size = (1 << 20) + 100;
    char *json = malloc(size);
    char deep[512];
    json_t *record, *value;

    begin();
    CHECK(put_config("[]", NULL, 0), SIMPLUGIN_INVALID_ARGUMENT);
    CHECK(put_config("{\"n\": \"a\\u0000b\", \"f\": 0.1, \"i\": 9007199254740993}", NULL, 0),
          SIMPLUGIN_OK);
    record = get("d", "k");
    value = json_object_get(record, "config");
    CU_ASSERT_EQUAL(json_string_length(json_object_get(value, "n")), 3);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(value, "i")), 9007199254740993);
    CU_ASSERT_EQUAL(json_real_value(json_object_get(value, "f")), 0.1);
    json_decref(record);

    CU_ASSERT_PTR_NOT_NULL_FATAL(json);
    memset(json, 'x', size);
    memcpy(json, "{\"a\": \"", 7);
    memcpy(json + size - 3, "\"}", 3);
    CHECK(put_config(json, NULL, 0), SIMPLUGIN_INVALID_ARGUMENT);
    CU_ASSERT(says("at most 1048576"));
    free(json);

    strcpy(deep, "{\"a\": ");
    for (int i = 0; i < 40; i++)
        strcat(deep, "[");
    for (int i = 0; i < 40; i++)
        strcat(deep, "]");
    strcat(deep, "}");
    CHECK(put_config(deep, NULL, 0), SIMPLUGIN_INVALID_ARGUMENT);
    CU_ASSERT(says("deeper"));
    end();
}

/* ---- waiting ---- */

typedef struct holder {
    pid_t pid;
    int release; /* closing it lets the child go */
    int polls;
} holder;

static holder held;

/* A child that holds the write lock until held.release is closed. */
static void hold(void)
{
    int ready[2], release[2];
    char byte;

    CU_ASSERT_EQUAL_FATAL(pipe(ready), 0);
    CU_ASSERT_EQUAL_FATAL(pipe(release), 0);
    held.polls = 0;
    held.pid = fork();
    if (held.pid == 0) {
        sqlite3 *sqlite = NULL;
        char path[4096];
        int is_good;

        close(release[1]);
        snprintf(path, sizeof(path), "%s/runs.sqlite", dir);
        is_good = sqlite3_open(path, &sqlite) == SQLITE_OK &&
                  sqlite3_exec(sqlite, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK &&
                  write(ready[1], "r", 1) == 1 && read(release[0], &byte, 1) == 0;
        sqlite3_close(sqlite);
        _exit(is_good ? 0 : 1);
    }
    close(ready[1]);
    close(release[0]);
    held.release = release[1];
    CU_ASSERT_EQUAL_FATAL(read(ready[0], &byte, 1), 1);
    close(ready[0]);
}

static int32_t is_third_poll(uint64_t cancel)
{
    CU_ASSERT_EQUAL(cancel, 77);
    return ++held.polls >= 3;
}

static int32_t release_at_third_poll(uint64_t cancel)
{
    (void)cancel;
    if (++held.polls == 3)
        close(held.release);
    return 0;
}

static void test_busy(void)
{
    json_t *config = similarity(NULL), *record;
    sp_runs_wait short_wait = {0, 0, NULL}, cancelled = {INT64_MAX, 77, is_third_poll};
    sp_runs_wait patient = {INT64_MAX, 0, release_at_third_poll};
    int64_t start;

    begin();
    put("d", "k", NULL, 0);
    hold();
    start = now();
    short_wait.deadline = start + 300000000;
    CHECK(sp_runs_put(runs, text("d"), text("l"), config, NULL, 0, 0, &short_wait, &error),
          SIMPLUGIN_BUSY);
    CU_ASSERT(now() - start >= 300000000);
    CU_ASSERT(says("runs.sqlite"));
    /* readers see the state before, and wait for nobody */
    record = get("d", "k");
    json_decref(record);
    CHECK(sp_runs_delete(runs, text("d"), text("k"), &cancelled, &error), SIMPLUGIN_CANCELLED);
    CU_ASSERT(held.polls >= 3);
    held.polls = 0;
    CHECK(sp_runs_put(runs, text("d"), text("l"), config, NULL, 0, 0, &patient, &error),
          SIMPLUGIN_OK);
    CU_ASSERT(is_fine(held.pid));
    CHECK_LIST("d", NULL, "k l");
    json_decref(config);
    end();
}

static int32_t is_cancelled(uint64_t cancel)
{
    return cancel == 1;
}

static void test_late(void)
{
    json_t *record = NULL;
    sp_runs_wait late = {1, 0, NULL}, cancelled = {INT64_MAX, 1, is_cancelled};

    begin();
    put("d", "k", NULL, 0);
    CHECK(sp_runs_get(runs, text("d"), text("k"), &late, &record, &error),
          SIMPLUGIN_DEADLINE_EXCEEDED);
    CHECK(sp_runs_delete(runs, text("d"), text("k"), &cancelled, &error), SIMPLUGIN_CANCELLED);
    CU_ASSERT_PTR_NULL(record);
    CHECK_LIST("d", NULL, "k");
    end();
}

/* ---- at once ---- */

#define PROCESSES 4
#define EACH 15

static int put_many(const char *prefix)
{
    simplugin_error *problem = NULL;
    int32_t code = SIMPLUGIN_OK;

    for (int i = 0; code == SIMPLUGIN_OK && i < EACH; i++) {
        json_t *config = similarity(NULL), *records = NULL;
        char key[64];

        snprintf(key, sizeof(key), "%s_%d", prefix, i);
        code = sp_runs_put(runs, text("d"), text(key), config, NULL, 0, 0, NULL, &problem);
        if (code == SIMPLUGIN_OK)
            code = sp_runs_list(runs, NULL, NULL, NULL, &records, &problem);
        json_decref(records);
        json_decref(config);
    }
    if (code != SIMPLUGIN_OK)
        fprintf(stderr, "\n%s: %s: %s\n", prefix, simplugin_code_name(code),
                simplugin_error_message(problem, NULL));
    simplugin_error_free(&problem);
    return code != SIMPLUGIN_OK;
}

static void test_processes(void)
{
    pid_t children[PROCESSES];
    json_t *records = NULL;

    /* nobody has made the file: they race for that too */
    begin();
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            char prefix[16];

            snprintf(prefix, sizeof(prefix), "p%d", i);
            _exit(put_many(prefix) ? 1 : 0);
        }
    }
    for (int i = 0; i < PROCESSES; i++)
        CU_ASSERT(is_fine(children[i]));
    CHECK(sp_runs_list(runs, NULL, NULL, NULL, &records, &error), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(json_array_size(records), PROCESSES * EACH);
    json_decref(records);
    end();
}

static void *thread_main(void *argument)
{
    return put_many(argument) ? argument : NULL;
}

static void join(pthread_t *threads, int count)
{
    void *result;

    for (int i = 0; i < count; i++) {
        CU_ASSERT_EQUAL(pthread_join(threads[i], &result), 0);
        CU_ASSERT_PTR_NULL(result);
    }
}

static void test_threads_and_forks(void)
{
    static char names[][4] = {"t0", "t1", "t2", "t3"};
    pthread_t threads[4];
    char done[3];
    int fds[2], count = 0;
    json_t *records = NULL;

    begin();
    CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, thread_main, names[i]), 0);
    if (UNIT_IS_SANITIZED)
        join(threads, 4);
    /* while they are at it: a child inherits no lock that nobody will release */
    for (int i = 0; i < 3; i++) {
        pid_t child = fork();

        if (child == 0) {
            char prefix[16];

            snprintf(prefix, sizeof(prefix), "c%d", i);
            if (put_many(prefix) == 0 && write(fds[1], "x", 1) == 1)
                raise(SIGKILL); /* what the threads had in hand is no leak of the child's */
            _exit(1);
        }
        CU_ASSERT(child > 0);
    }
    close(fds[1]);
    if (!UNIT_IS_SANITIZED)
        join(threads, 4);
    while (count < 3 && read(fds[0], done, 1) == 1)
        count++;
    CU_ASSERT_EQUAL(count, 3);
    close(fds[0]);
    while (waitpid(-1, NULL, 0) > 0) {
    }
    CHECK(sp_runs_list(runs, NULL, NULL, NULL, &records, &error), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(json_array_size(records), 7 * EACH);
    json_decref(records);
    end();
}

/* ---- crashes ---- */

static int crash_at; /* the file operation before which this process is killed; 0: none */
static int fail_with; /* or fails with this errno, as every later one */

static int crash(void)
{
    if (crash_at == 0)
        return 0;
    if (--crash_at > 0)
        return 0;
    if (!fail_with)
        raise(SIGKILL);
    crash_at = 1;
    errno = fail_with;
    return 1;
}

static ssize_t crash_write(int fd, const void *data, size_t size)
{
    return crash() ? -1 : write(fd, data, size);
}

static ssize_t crash_pwrite(int fd, const void *data, size_t size, off_t offset)
{
    return crash() ? -1 : pwrite(fd, data, size, offset);
}

static int crash_ftruncate(int fd, off_t size)
{
    return crash() ? -1 : ftruncate(fd, size);
}

static int crash_unlink(const char *path)
{
    if (!fail_with)
        crash();
    return unlink(path);
}

static void set_system_calls(int is_crashing)
{
    static const struct {
        const char *name;
        sqlite3_syscall_ptr call;
    } calls[] = {
        {"write", (sqlite3_syscall_ptr)(void (*)(void))crash_write},
        {"pwrite", (sqlite3_syscall_ptr)(void (*)(void))crash_pwrite},
        {"pwrite64", (sqlite3_syscall_ptr)(void (*)(void))crash_pwrite},
        {"ftruncate", (sqlite3_syscall_ptr)(void (*)(void))crash_ftruncate},
        {"unlink", (sqlite3_syscall_ptr)(void (*)(void))crash_unlink},
    };
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        vfs->xSetSystemCall(vfs, calls[i].name, is_crashing ? calls[i].call : NULL);
}

/* What the crash tests do: the first put makes the file. */
static int32_t work(int step)
{
    if (step > 2)
        fail_at = armed;
    switch (step) {
    case 0: return put("d", "a", NULL, SP_RUNS_CREATE);
    case 1: return put("d", "b", NULL, SP_RUNS_CREATE);
    case 2: return put("d", "a", "{\"dimension\": 128}", SP_RUNS_UPDATE);
    case 3: return sp_runs_rename(runs, text("d"), text("a"), text("c"), NULL, &error);
    default: return sp_runs_delete(runs, text("d"), text("b"), NULL, &error);
    }
}

static void test_kill_at_every_operation(void)
{
    static const char *const after[] = {"", "a", "a b", "a b", "b c", "c"};
    int done = 0, points = 0;

    for (int n = 1; !done; n++) {
        int acknowledged = 0, status = 0, fds[2];
        char byte, *keys;
        pid_t child;

        begin();
        CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
        child = fork();
        if (child == 0) {
            set_system_calls(1);
            crash_at = n;
            for (int i = 0; i < 5; i++)
                if (work(i) != SIMPLUGIN_OK || write(fds[1], "x", 1) != 1)
                    _exit(1);
            _exit(0);
        }
        close(fds[1]);
        while (read(fds[0], &byte, 1) == 1)
            acknowledged++;
        close(fds[0]);
        CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
        done = WIFEXITED(status);
        CU_ASSERT(!done || WEXITSTATUS(status) == 0);
        points += !done;

        /* either what was acknowledged, or that and the step in hand */
        keys = list("d", NULL);
        CU_ASSERT(strcmp(keys, after[acknowledged]) == 0 ||
                  (acknowledged < 5 && strcmp(keys, after[acknowledged + 1]) == 0));
        free(keys);
        /* and it can be written again */
        CHECK(put("d", "z", NULL, SP_RUNS_REPLACE), SIMPLUGIN_OK);
        end();
        CU_ASSERT_FATAL(n < 1000);
    }
    CU_ASSERT(points >= 20);
}

static void test_kill_at_random(void)
{
    unsigned int seed = 20240501;

    for (int round = 0; round < 20; round++) {
        int acknowledged = -1, stop_after = rand_r(&seed) % 12, fds[2], number;
        struct timespec pause = {0, rand_r(&seed) % 2000000};
        json_t *records = NULL;
        pid_t child;

        begin();
        CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
        child = fork();
        if (child == 0) {
            char key[32];

            for (int i = 0;; i++) {
                snprintf(key, sizeof(key), "k%d", i);
                if (put("d", key, NULL, 0) != 0 || write(fds[1], &i, sizeof(i)) != sizeof(i))
                    _exit(1);
            }
        }
        close(fds[1]);
        while (acknowledged < stop_after && read(fds[0], &number, sizeof(number)) == sizeof(number))
            acknowledged = number;
        nanosleep(&pause, NULL); /* somewhere in the next one */
        kill(child, SIGKILL);
        while (read(fds[0], &number, sizeof(number)) == sizeof(number))
            acknowledged = number;
        close(fds[0]);
        waitpid(child, NULL, 0);
        CHECK(sp_runs_list(runs, NULL, NULL, NULL, &records, &error), SIMPLUGIN_OK);
        CU_ASSERT(json_array_size(records) >= (size_t)acknowledged + 1);
        CU_ASSERT(json_array_size(records) <= (size_t)acknowledged + 2);
        json_decref(records);
        end();
    }
}

/* ---- disks and files ---- */

static void test_full_disk(void)
{
    begin();
    set_system_calls(1);
    fail_with = ENOSPC;
    for (int n = 1; n < 200; n++) {
        int32_t code;

        crash_at = n;
        code = work(0);
        crash_at = 0;
        if (code == SIMPLUGIN_OK && n > 10)
            break;
        if (code == SIMPLUGIN_OK) {
            CHECK_LIST("d", NULL, "a"); /* only tidying up afterwards had failed */
            CHECK(sp_runs_delete(runs, text("d"), text("a"), NULL, &error), SIMPLUGIN_OK);
            continue;
        }
        CHECK(code, SIMPLUGIN_NO_SPACE);
        CHECK_LIST("d", NULL, "");
    }
    crash_at = 0;
    fail_with = 0;
    set_system_calls(0);
    CHECK(put("d", "z", NULL, SP_RUNS_REPLACE), SIMPLUGIN_OK);
    end();
}

/* In a child without privileges, since root may write anything. */
static void test_read_only(void)
{
    pid_t child;

    begin();
    put("d", "k", NULL, 0);
    if (getuid() == 0) {
        char path[4096];

        snprintf(path, sizeof(path), "%s/runs.sqlite", dir);
        CU_ASSERT_EQUAL(chown(path, 65534, 65534), 0);
        CU_ASSERT_EQUAL(chown(dir, 65534, 65534), 0);
    }
    CU_ASSERT_EQUAL(chmod(dir, 0500), 0);
    child = fork();
    if (child == 0) {
        json_t *record = NULL;
        int32_t code;

        if (getuid() == 0 && setuid(65534) != 0)
            _exit(2);
        if (sp_runs_get(runs, text("d"), text("k"), NULL, &record, &error) != SIMPLUGIN_OK ||
            !record)
            _exit(3);
        if (put("d", "l", NULL, 0) != SIMPLUGIN_READ_ONLY || !says("cannot be written"))
            _exit(4);
        code = sp_runs_delete(runs, text("d"), text("k"), NULL, &error);
        _exit(code == SIMPLUGIN_READ_ONLY ? 0 : 5);
    }
    CU_ASSERT(is_fine(child));
    CU_ASSERT_EQUAL(chmod(dir, 0700), 0);
    CHECK_LIST("d", NULL, "k");
    end();
}

static void write_file(const char *content, size_t size)
{
    char path[4096];
    FILE *file;

    snprintf(path, sizeof(path), "%s/runs.sqlite", dir);
    file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(content, 1, size, file), size);
    fclose(file);
}

static void test_corrupt(void)
{
    json_t *records = NULL;
    char junk[8192], path[4096];

    memset(junk, 'j', sizeof(junk));
    begin();
    write_file(junk, sizeof(junk));
    CHECK(put("d", "k", NULL, 0), SIMPLUGIN_CORRUPT);
    CU_ASSERT(says("runs.sqlite"));
    CHECK(sp_runs_list(runs, NULL, NULL, NULL, &records, &error), SIMPLUGIN_CORRUPT);
    CU_ASSERT_PTR_NULL(records);

    write_file("", 0); /* left by a crash between making the file and filling it */
    CHECK_LIST(NULL, NULL, "");
    CHECK(put("d", "k", NULL, 0), SIMPLUGIN_OK);
    CHECK(put("d", "l", NULL, 0), SIMPLUGIN_OK);

    tamper("UPDATE runs SET config = '{oops' WHERE key = 'k'");
    CHECK(sp_runs_list(runs, NULL, NULL, NULL, &records, &error), SIMPLUGIN_CORRUPT);
    CU_ASSERT(says("\"k\""));
    CHECK(put("d", "k", NULL, SP_RUNS_CREATE), SIMPLUGIN_ALREADY_EXISTS);
    CHECK(put("d", "k", NULL, SP_RUNS_REPLACE), SIMPLUGIN_OK);
    CHECK_LIST(NULL, NULL, "k l");
    tamper("UPDATE runs SET version = CAST(x'ff' AS TEXT) WHERE key = 'k'");
    CHECK(sp_runs_list(runs, NULL, NULL, NULL, &records, &error), SIMPLUGIN_CORRUPT);
    CHECK(sp_runs_delete(runs, text("d"), text("k"), NULL, &error), SIMPLUGIN_OK);
    CHECK_LIST(NULL, NULL, "l");

    tamper("ALTER TABLE runs RENAME TO walks");
    CHECK(put("d", "k", NULL, 0), SIMPLUGIN_CORRUPT);

    snprintf(path, sizeof(path), "%s/runs.sqlite", dir);
    CU_ASSERT_EQUAL(truncate(path, 5000), 0);
    CHECK(sp_runs_list(runs, NULL, NULL, NULL, &records, &error), SIMPLUGIN_CORRUPT);
    end();
}

static void test_other_versions(void)
{
    json_t *record = NULL;

    begin();
    put("d", "k", NULL, 0);
    tamper("PRAGMA user_version = 7");
    CHECK(sp_runs_get(runs, text("d"), text("k"), NULL, &record, &error), SIMPLUGIN_VERSION_TOO_NEW);
    CU_ASSERT(says("schema 7"));
    CHECK(put("d", "l", NULL, 0), SIMPLUGIN_VERSION_TOO_NEW);
    end();

    begin();
    tamper("CREATE TABLE songs (title TEXT)");
    CHECK(put("d", "k", NULL, 0), SIMPLUGIN_CORRUPT);
    CU_ASSERT(says("another program"));
    end();
}

/* ---- memory ---- */

static int32_t read_some(int step)
{
    json_t *found = NULL;
    int32_t code = step == 0 ? sp_runs_get(runs, text("d"), text("b"), NULL, &found, &error)
                   : step == 1 ? sp_runs_list(runs, NULL, NULL, NULL, &found, &error)
                   : step == 2 ? sp_runs_datasets(runs, NULL, &found, &error)
                               : sp_runs_get(runs, text("d"), text("bb"), NULL, &found, &error);

    CU_ASSERT_EQUAL(found != NULL, code == SIMPLUGIN_OK);
    json_decref(found);
    return code;
}

/* The state before a step, after it. */
static void redo(int step)
{
    switch (step) {
    case 0: CHECK(sp_runs_delete(runs, text("d"), text("a"), NULL, &error), SIMPLUGIN_OK); break;
    case 1: CHECK(sp_runs_delete(runs, text("d"), text("b"), NULL, &error), SIMPLUGIN_OK); break;
    case 2: break;
    case 3:
        CHECK(sp_runs_rename(runs, text("d"), text("c"), text("a"), NULL, &error), SIMPLUGIN_OK);
        break;
    default: CHECK(work(1), SIMPLUGIN_OK);
    }
}

static void test_out_of_memory(void)
{
    static const char *const before[] = {"", "a", "a b", "a b", "b c"};
    static const char *const after[] = {"a", "a b", "a b", "b c", "c"};
    long points = 0;

    begin();
    for (int step = 0; step < 5; step++)
        for (long n = 1;; n++) {
            char *keys;
            int32_t code;

            simplugin_error_free(&error);
            failed = 0;
            armed = n;
            code = work(step);
            armed = fail_at = 0;
            points += failed;
            if (code != SIMPLUGIN_OK && code != SIMPLUGIN_OUT_OF_MEMORY)
                CHECK(code, SIMPLUGIN_OUT_OF_MEMORY);
            keys = list("d", NULL);
            CU_ASSERT_STRING_EQUAL(keys, code == SIMPLUGIN_OK ? after[step] : before[step]);
            free(keys);
            if (code == SIMPLUGIN_OK && !failed)
                break;
            if (code == SIMPLUGIN_OK) /* SQLite got by without; from the beginning again */
                redo(step);
        }
    CHECK(work(1), SIMPLUGIN_OK); /* b is back */
    for (int step = 0; step < 4; step++) {
        failed = 1;
        for (long n = 1; failed; n++) {
            int32_t code;

            simplugin_error_free(&error);
            failed = 0;
            fail_at = n;
            code = read_some(step);
            fail_at = 0;
            points += failed;
            /* SQLite gets by without some of it */
            if (code != (step == 3 ? SIMPLUGIN_NOT_FOUND : SIMPLUGIN_OK) || !failed)
                CHECK(code, failed      ? SIMPLUGIN_OUT_OF_MEMORY
                            : step == 3 ? SIMPLUGIN_NOT_FOUND
                                        : SIMPLUGIN_OK);
        }
    }
    CU_ASSERT(points > 200);
    end();
}

int main(void)
{
    static const unit_case cases[] = {
        UNIT_CASE(test_put_and_get, "R98 a record comes back as it was put"),
        UNIT_CASE(test_directory, "the directory is made on the first write, for its user alone"),
        UNIT_CASE(test_modes, "create, replace and update"),
        UNIT_CASE(test_not_found, "a missing run is named with the known and the nearest"),
        UNIT_CASE(test_list, "R95 R96 R97 lists by dataset, type and config values"),
        UNIT_CASE(test_datasets, "datasets with runs"),
        UNIT_CASE(test_rename, "R100 rename"),
        UNIT_CASE(test_delete, "R101 delete takes the record"),
        UNIT_CASE(test_identifiers, "R50 brain keys are the identifiers of Python"),
        UNIT_CASE(test_hostile_names, "names with SQL, controls, too long, no UTF-8"),
        UNIT_CASE(test_secrets, "R20 R21 R278 no credential is stored or repeated"),
        UNIT_CASE(test_configs, "configs: shapes, sizes, numbers, depth"),
        UNIT_CASE(test_busy, "a second writer waits: BUSY, CANCELLED, or its turn"),
        UNIT_CASE(test_late, "a deadline that has passed, a token fired before"),
        UNIT_CASE(test_processes, "several processes write at once"),
        UNIT_CASE(test_threads_and_forks, "R275 threads write while the process forks"),
        UNIT_CASE(test_kill_at_every_operation, "killed at each file operation: before or after"),
        UNIT_CASE(test_kill_at_random, "killed at random: nothing acknowledged is lost"),
        UNIT_CASE(test_full_disk, "a full disk at each write"),
        UNIT_CASE(test_read_only, "a read-only directory can be read"),
        UNIT_CASE(test_corrupt, "damaged files and records"),
        UNIT_CASE(test_other_versions, "a newer schema, another program's database"),
        UNIT_CASE(test_out_of_memory, "allocation N fails, for every N"),
    };
    sqlite3_mem_methods methods;

    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite_memory);
    methods = sqlite_memory;
    methods.xMalloc = sqlite_malloc;
    methods.xRealloc = sqlite_realloc;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
    json_set_alloc_funcs(__wrap_malloc, free);
    return unit_run("runs", cases, sizeof(cases) / sizeof(cases[0]));
}
