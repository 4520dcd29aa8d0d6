/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "runs.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "buffer.h"
#include "identifier.h"
#include "runs_db.h"
#include "runs_secrets.h"
#include "simplugin/envelope.h"

#define DOMAIN "runs"
#define MAX_NAME 1024        /* bytes of a dataset's name or a brain key */
#define MAX_CONFIG (1 << 20) /* bytes of a config as JSON */
#define MAX_SHOWN 20         /* known keys named in a message */

struct sp_runs {
    char *directory;
};

int32_t sp_runs_open(const char *directory, sp_runs **runs, simplugin_error **error)
{
    sp_runs *opened = NULL;
    int32_t code = SIMPLUGIN_OK;

    *runs = NULL;
    if (!directory || directory[0] != '/')
        return sp_error_set(error, SIMPLUGIN_INVALID_ARGUMENT, DOMAIN,
                            "the directory of the run records must be an absolute path, not \"%s\"",
                            directory ? directory : "");
    opened = calloc(1, sizeof(*opened));
    if (opened)
        opened->directory = strdup(directory);
    if (!opened || !opened->directory)
        code = sp_error_no_memory(error);
    else
        *runs = opened;
    if (code != SIMPLUGIN_OK)
        sp_runs_close(opened);
    return code;
}

void sp_runs_close(sp_runs *runs)
{
    if (!runs)
        return;
    free(runs->directory);
    free(runs);
}

/* ---- names ---- */

/* text as one line of at most some 80 bytes, in quotes; NULL without memory. */
static char *quote(sp_text text)
{
    sp_buffer buffer;

    sp_buffer_init(&buffer);
    sp_buffer_append(&buffer, "\"", 1);
    if (!simplugin_utf8_check((const uint8_t *)text.data, text.size))
        sp_buffer_append_text(&buffer, "...");
    else
        for (size_t i = 0; i < text.size; i++) {
            uint8_t c = (uint8_t)text.data[i];

            if (i >= 80 && (c & 0xc0) != 0x80) {
                sp_buffer_append_text(&buffer, "...");
                break;
            }
            if (c < 0x20 || c == 0x7f)
                sp_buffer_printf(&buffer, "\\x%02x", (unsigned int)c);
            else
                sp_buffer_append(&buffer, &c, 1);
        }
    sp_buffer_append(&buffer, "\"", 1);
    return sp_buffer_steal(&buffer, NULL);
}

static void add_detail(simplugin_error **error, const char *key, sp_text text)
{
    char *value = error ? strndup(text.data, text.size) : NULL;

    if (value)
        sp_error_add_detail(error, key, value);
    free(value);
}

static int32_t check_name(const char *argument, const char *what, sp_text name, int is_key,
                          simplugin_error **error)
{
    const char *wrong = NULL;
    char *quoted = NULL;
    int32_t code = SIMPLUGIN_OK;

    if (name.size == 0)
        wrong = "is empty";
    else if (name.size > MAX_NAME)
        wrong = "is longer than 1024 bytes";
    else if (!simplugin_utf8_check((const uint8_t *)name.data, name.size))
        wrong = "is not UTF-8";
    else if (memchr(name.data, '\0', name.size))
        wrong = "contains U+0000";
    else if (is_key && !sp_identifier_is_valid(name))
        wrong = "is not a valid identifier: use letters, digits and underscores, and begin with no "
                "digit";
    if (wrong) {
        quoted = quote(name);
        code = sp_error_set(error, SIMPLUGIN_INVALID_ARGUMENT, DOMAIN, "the %s %s %s", what,
                            quoted ? quoted : "", wrong);
        sp_error_add_detail(error, "argument", argument);
    }
    free(quoted);
    return code;
}

static int32_t check_names(sp_text dataset, sp_text key, simplugin_error **error)
{
    int32_t code = check_name("dataset", "dataset name", dataset, 0, error);

    return code == SIMPLUGIN_OK ? check_name("brain_key", "brain key", key, 1, error) : code;
}

/* ---- statements ---- */

static int bind_text(sqlite3_stmt *statement, int index, sp_text text)
{
    return sqlite3_bind_text64(statement, index, text.data, text.size, SQLITE_STATIC, SQLITE_UTF8);
}

static sp_text text_of(const char *text)
{
    sp_text result = {text, strlen(text)};

    return result;
}

/* Prepares sql with count texts for ?1, ?2, ...; the caller finalizes *statement. */
static int32_t prepare(sp_runs_db *db, const char *sql, const sp_text *texts, int count,
                       sqlite3_stmt **statement, simplugin_error **error)
{
    int result = sqlite3_prepare_v2(db->sqlite, sql, -1, statement, NULL);

    for (int i = 0; result == SQLITE_OK && i < count; i++)
        result = bind_text(*statement, i + 1, texts[i]);
    return result == SQLITE_OK ? SIMPLUGIN_OK : sp_runs_db_fail(db, result, "use", error);
}

/* One step: *row says whether there is a row. */
static int32_t next(sp_runs_db *db, sqlite3_stmt *statement, int *row, simplugin_error **error)
{
    int result = sqlite3_step(statement);

    *row = result == SQLITE_ROW;
    if (result == SQLITE_ROW || result == SQLITE_DONE)
        return SIMPLUGIN_OK;
    return sp_runs_db_fail(db, result, "use", error);
}

/* Runs sql; *changes is how many rows it changed. */
static int32_t change(sp_runs_db *db, const char *sql, const sp_text *texts, int count,
                      int *changes, simplugin_error **error)
{
    sqlite3_stmt *statement = NULL;
    int row = 0;
    int32_t code = prepare(db, sql, texts, count, &statement, error);

    if (code == SIMPLUGIN_OK)
        code = next(db, statement, &row, error);
    if (code == SIMPLUGIN_OK)
        *changes = sqlite3_changes(db->sqlite);
    sqlite3_finalize(statement);
    return code;
}

/* ---- records ---- */

static int32_t column_text(sqlite3_stmt *statement, int column, sp_text *text,
                           simplugin_error **error)
{
    text->data = (const char *)sqlite3_column_text(statement, column);
    text->size = (size_t)sqlite3_column_bytes(statement, column);
    /* every column is NOT NULL */
    return text->data ? SIMPLUGIN_OK : sp_error_no_memory(error);
}

/* The record of a row of "dataset, key, created, updated, version, config". */
static int32_t read_record(sp_runs_db *db, sqlite3_stmt *statement, json_t **record,
                           simplugin_error **error)
{
    static const char *const names[] = {"dataset", "brain_key", "created", "updated", "version"};
    json_t *result = NULL, *config = NULL;
    char *quoted = NULL;
    json_error_t problem;
    sp_text text;
    int32_t code = SIMPLUGIN_OK;

    result = json_object();
    if (!result)
        code = sp_error_no_memory(error);
    for (int i = 0; code == SIMPLUGIN_OK && i < 5; i++) {
        code = column_text(statement, i, &text, error);
        if (code == SIMPLUGIN_OK && !simplugin_utf8_check((const uint8_t *)text.data, text.size))
            code = sp_error_set(error, SIMPLUGIN_CORRUPT, DOMAIN,
                                "%s is damaged: a record's %s is not UTF-8", db->path, names[i]);
        if (code == SIMPLUGIN_OK &&
            json_object_set_new(result, names[i], json_stringn(text.data, text.size)) != 0)
            code = sp_error_no_memory(error);
    }
    if (code == SIMPLUGIN_OK)
        code = column_text(statement, 5, &text, error);
    if (code == SIMPLUGIN_OK) {
        config = json_loadb(text.data, text.size, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES,
                            &problem);
        if (!config && json_error_code(&problem) == json_error_out_of_memory)
            code = sp_error_no_memory(error);
        else if (!json_is_object(config)) {
            quoted = quote(text_of(json_string_value(json_object_get(result, "brain_key"))));
            code = sp_error_set(error, SIMPLUGIN_CORRUPT, DOMAIN,
                                "%s is damaged: the config of the run %s is not a JSON object; "
                                "delete the run, or restore the file from a backup",
                                db->path, quoted ? quoted : "");
        } else if (json_object_set(result, "config", config) != 0) {
            code = sp_error_no_memory(error);
        }
    }
    if (code == SIMPLUGIN_OK) {
        *record = result;
        result = NULL;
    }
    free(quoted);
    json_decref(config);
    json_decref(result);
    return code;
}

/* ---- what is not there, or there already ---- */

typedef struct closeness {
    sp_text key;
    size_t distance; /* edits */
} closeness;

/* Edits between two keys of at most 64 bytes; SIZE_MAX for longer ones. */
static size_t edit_distance(sp_text a, sp_text b)
{
    size_t row[65];

    if (a.size > 64 || b.size > 64)
        return SIZE_MAX;
    for (size_t j = 0; j <= b.size; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.size; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b.size; j++) {
            size_t best = diagonal + (a.data[i - 1] != b.data[j - 1]);

            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[b.size];
}

/* NOT_FOUND with the dataset's keys, or with the datasets if this one has none. */
static int32_t not_found(sp_runs_db *db, sp_text dataset, sp_text key, simplugin_error **error)
{
    const char *sql = "SELECT key FROM runs WHERE dataset = ?1 ORDER BY key";
    sqlite3_stmt *statement = NULL;
    char *dataset_name = quote(dataset), *key_name = quote(key);
    char *known_names = NULL, *nearest_name = NULL;
    size_t nearest = SIZE_MAX;
    sp_buffer known;
    int count = 0, row = 0, is_of_dataset = 1;
    int32_t code = SIMPLUGIN_OK;

    sp_buffer_init(&known);
    for (;;) {
        code = prepare(db, sql, &dataset, is_of_dataset, &statement, error);
        if (code == SIMPLUGIN_OK)
            code = next(db, statement, &row, error);
        if (code != SIMPLUGIN_OK || row || !is_of_dataset)
            break;
        sqlite3_finalize(statement);
        statement = NULL;
        sql = "SELECT DISTINCT dataset FROM runs ORDER BY dataset";
        is_of_dataset = 0;
    }
    while (code == SIMPLUGIN_OK && row) {
        sp_text found = {NULL, 0};
        char *name = NULL;
        size_t distance;

        code = column_text(statement, 0, &found, error);
        name = code == SIMPLUGIN_OK ? quote(found) : NULL;
        if (name && count < MAX_SHOWN)
            sp_buffer_printf(&known, "%s%s", count ? ", " : "", name);
        distance = name ? edit_distance(found, is_of_dataset ? key : dataset) : SIZE_MAX;
        if (distance < nearest && distance <= found.size / 3 + 1) {
            nearest = distance;
            free(nearest_name);
            nearest_name = name;
            name = NULL;
        }
        free(name);
        count++;
        if (code == SIMPLUGIN_OK)
            code = next(db, statement, &row, error);
    }
    if (count > MAX_SHOWN)
        sp_buffer_printf(&known, " and %d more", count - MAX_SHOWN);
    known_names = sp_buffer_steal(&known, NULL);
    if (code == SIMPLUGIN_OK && (!dataset_name || !key_name || !known_names))
        code = sp_error_no_memory(error);
    if (code == SIMPLUGIN_OK) {
        code = sp_error_set(error, SIMPLUGIN_NOT_FOUND, DOMAIN,
                            "there is no run %s on the dataset %s%s%s%s; %s%s", key_name,
                            dataset_name, nearest_name ? ", did you mean " : "",
                            nearest_name ? nearest_name : "", nearest_name ? "?" : "",
                            count == 0       ? "nothing is recorded in "
                            : is_of_dataset ? "its runs are "
                                            : "there are runs on ",
                            count == 0 ? db->path : known_names);
        add_detail(error, "dataset", dataset);
        add_detail(error, "brain_key", key);
    }
    sqlite3_finalize(statement);
    free(dataset_name);
    free(key_name);
    free(known_names);
    free(nearest_name);
    return code;
}

static int32_t already_exists(sp_text dataset, sp_text key, const char *what,
                              simplugin_error **error)
{
    char *dataset_name = quote(dataset), *key_name = quote(key);
    int32_t code = sp_error_set(error, SIMPLUGIN_ALREADY_EXISTS, DOMAIN,
                                "there is a run %s on the dataset %s already%s",
                                key_name ? key_name : "", dataset_name ? dataset_name : "", what);

    add_detail(error, "dataset", dataset);
    add_detail(error, "brain_key", key);
    free(dataset_name);
    free(key_name);
    return code;
}

static int32_t find(sp_runs_db *db, sp_text dataset, sp_text key, json_t **record,
                    simplugin_error **error)
{
    sp_text texts[] = {dataset, key};
    sqlite3_stmt *statement = NULL;
    int row = 0;
    int32_t code;

    *record = NULL;
    code = prepare(db,
                   "SELECT dataset, key, created, updated, version, config FROM runs"
                   " WHERE dataset = ?1 AND key = ?2",
                   texts, 2, &statement, error);
    if (code == SIMPLUGIN_OK)
        code = next(db, statement, &row, error);
    if (code == SIMPLUGIN_OK && row)
        code = read_record(db, statement, record, error);
    sqlite3_finalize(statement);
    return code;
}

/* ---- put ---- */

typedef struct put_args {
    sp_text dataset;
    sp_text key;
    sp_text config;
    const char *type; /* NULL: it has none */
    int mode;
} put_args;

/* Now, as "2024-05-06T07:08:09.123Z". */
static void write_time(char text[32])
{
    struct timespec ts;
    struct tm tm;
    size_t size;

    clock_gettime(CLOCK_REALTIME, &ts);
    gmtime_r(&ts.tv_sec, &tm);
    size = strftime(text, 32, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + size, 32 - size, ".%03dZ", (int)(ts.tv_nsec / 1000000));
}

/*
 * Whether the key is taken, and may be. A run is only replaced by one of its type, as in
 * FiftyOne; one whose config cannot be read, by any.
 */
static int32_t check_replaced(sp_runs_db *db, const put_args *put, int *exists, simplugin_error **error)
{
    sp_text texts[] = {put->dataset, put->key}, config = {NULL, 0};
    sqlite3_stmt *statement = NULL;
    json_t *old = NULL;
    const char *type = NULL;
    int32_t code = prepare(db, "SELECT config FROM runs WHERE dataset = ?1 AND key = ?2", texts, 2,
                           &statement, error);

    if (code == SIMPLUGIN_OK)
        code = next(db, statement, exists, error);
    if (code == SIMPLUGIN_OK && *exists)
        code = column_text(statement, 0, &config, error);
    if (code == SIMPLUGIN_OK && *exists) {
        json_error_t problem;

        old = json_loadb(config.data, config.size, JSON_ALLOW_NUL, &problem);
        type = json_string_value(json_object_get(old, "type"));
        if (!old && json_error_code(&problem) == json_error_out_of_memory)
            code = sp_error_no_memory(error);
        else if (put->mode == SP_RUNS_CREATE)
            code = already_exists(put->dataset, put->key,
                                  "; ask to overwrite it, or choose another key", error);
        else if (type && put->type && strcmp(type, put->type) != 0)
            code = already_exists(put->dataset, put->key,
                                  ", of another type; delete it first, or choose another key",
                                  error);
    }
    sqlite3_finalize(statement);
    json_decref(old);
    return code;
}

static int32_t put_step(sp_runs_db *db, void *context, simplugin_error **error)
{
    const put_args *put = context;
    char time[32];
    int exists = 0, changes;
    int32_t code = check_replaced(db, put, &exists, error);

    if (code == SIMPLUGIN_OK && !exists && put->mode == SP_RUNS_UPDATE)
        code = not_found(db, put->dataset, put->key, error);
    if (code == SIMPLUGIN_OK) {
        write_time(time);
        sp_text texts[] = {put->dataset, put->key, put->config, text_of(time),
                           text_of(PACKAGE_VERSION)};

        code = change(db,
                      put->mode == SP_RUNS_UPDATE
                          ? "UPDATE runs SET config = ?3, updated = ?4, version = ?5"
                            " WHERE dataset = ?1 AND key = ?2"
                          : "INSERT OR REPLACE INTO runs"
                            " (dataset, key, config, created, updated, version)"
                            " VALUES (?1, ?2, ?3, ?4, ?4, ?5)",
                      texts, 5, &changes, error);
    }
    return code;
}

int32_t sp_runs_put(sp_runs *runs, sp_text dataset, sp_text key, const json_t *config,
                    const char *const *secrets, size_t secret_count, int mode,
                    const sp_runs_wait *wait, simplugin_error **error)
{
    put_args put = {dataset, key, {NULL, 0}, NULL, mode};
    char *text = NULL;
    int32_t code = check_names(dataset, key, error);

    if (code == SIMPLUGIN_OK && !json_is_object(config))
        code = sp_error_set(error, SIMPLUGIN_INVALID_ARGUMENT, DOMAIN,
                            "the config of a run must be an object");
    if (code == SIMPLUGIN_OK)
        code = sp_runs_check_secrets(config, secrets, secret_count, error);
    if (code == SIMPLUGIN_OK) {
        text = json_dumps(config, JSON_COMPACT);
        if (!text)
            code = sp_error_no_memory(error);
    }
    if (code == SIMPLUGIN_OK) {
        put.config = text_of(text);
        put.type = json_string_value(json_object_get(config, "type"));
        if (put.config.size > MAX_CONFIG)
            code = sp_error_set(error, SIMPLUGIN_INVALID_ARGUMENT, DOMAIN,
                                "the config of a run is %zu bytes as JSON; at most %d are stored",
                                put.config.size, MAX_CONFIG);
    }
    if (code == SIMPLUGIN_OK)
        code = sp_runs_db_write(runs->directory, wait, put_step, &put, error);
    free(text);
    return code;
}

/* ---- get, list ---- */

typedef struct query_args {
    const sp_text *dataset;
    sp_text key;
    const json_t *filters;
    json_t *found;
} query_args;

static int32_t get_step(sp_runs_db *db, void *context, simplugin_error **error)
{
    query_args *query = context;
    int32_t code;

    json_decref(query->found);
    code = find(db, *query->dataset, query->key, &query->found, error);
    if (code == SIMPLUGIN_OK && !query->found)
        code = not_found(db, *query->dataset, query->key, error);
    return code;
}

/* Hands what a step found over to the caller, or drops it. */
static int32_t take_found(int32_t code, query_args *query, json_t **result)
{
    if (code == SIMPLUGIN_OK)
        *result = query->found;
    else
        json_decref(query->found);
    return code;
}

int32_t sp_runs_get(sp_runs *runs, sp_text dataset, sp_text key, const sp_runs_wait *wait,
                    json_t **record, simplugin_error **error)
{
    query_args query = {&dataset, key, NULL, NULL};
    int32_t code = check_names(dataset, key, error);

    *record = NULL;
    if (code == SIMPLUGIN_OK)
        code = sp_runs_db_read(runs->directory, wait, get_step, &query, error);
    return take_found(code, &query, record);
}

/* As Python's ==, so that 1 and 1.0 are the same. */
static int is_same(const json_t *a, const json_t *b)
{
    const char *name;
    json_t *value;

    if (json_is_number(a) && json_is_number(b) && json_typeof(a) != json_typeof(b))
        return json_number_value(a) == json_number_value(b);
    if (json_is_array(a) && json_is_array(b) && json_array_size(a) == json_array_size(b)) {
        for (size_t i = 0; i < json_array_size(a); i++)
            if (!is_same(json_array_get(a, i), json_array_get(b, i)))
                return 0;
        return 1;
    }
    if (json_is_object(a) && json_is_object(b) && json_object_size(a) == json_object_size(b)) {
        json_object_foreach((json_t *)a, name, value)
            if (!is_same(value, json_object_get(b, name)))
                return 0;
        return 1;
    }
    return json_equal(a, b);
}

static int is_match(const json_t *config, const json_t *filters)
{
    const json_t *parameters = json_object_get(config, "parameters");
    const char *name;
    json_t *wanted;

    json_object_foreach((json_t *)filters, name, wanted) {
        const json_t *value = json_object_get(config, name);

        if (!value)
            value = json_object_get(parameters, name);
        if (value ? !is_same(value, wanted) : !json_is_null(wanted))
            return 0;
    }
    return 1;
}

static int32_t list_step(sp_runs_db *db, void *context, simplugin_error **error)
{
    query_args *query = context;
    sqlite3_stmt *statement = NULL;
    int row = 0;
    int32_t code;

    json_decref(query->found);
    query->found = json_array();
    if (!query->found)
        return sp_error_no_memory(error);
    code = prepare(db,
                   query->dataset
                       ? "SELECT dataset, key, created, updated, version, config FROM runs"
                         " WHERE dataset = ?1 ORDER BY key"
                       : "SELECT dataset, key, created, updated, version, config FROM runs"
                         " ORDER BY dataset, key",
                   query->dataset, query->dataset != NULL, &statement, error);
    if (code == SIMPLUGIN_OK)
        code = next(db, statement, &row, error);
    while (code == SIMPLUGIN_OK && row) {
        json_t *record = NULL;

        code = read_record(db, statement, &record, error);
        if (code == SIMPLUGIN_OK &&
            (!query->filters || is_match(json_object_get(record, "config"), query->filters)) &&
            json_array_append(query->found, record) != 0)
            code = sp_error_no_memory(error);
        json_decref(record);
        if (code == SIMPLUGIN_OK)
            code = next(db, statement, &row, error);
    }
    sqlite3_finalize(statement);
    return code;
}

int32_t sp_runs_list(sp_runs *runs, const sp_text *dataset, const json_t *filters,
                     const sp_runs_wait *wait, json_t **records, simplugin_error **error)
{
    query_args query = {dataset, {NULL, 0}, filters, NULL};
    int32_t code = SIMPLUGIN_OK;

    *records = NULL;
    if (dataset)
        code = check_name("dataset", "dataset name", *dataset, 0, error);
    if (code == SIMPLUGIN_OK && filters && !json_is_object(filters))
        code = sp_error_set(error, SIMPLUGIN_INVALID_ARGUMENT, DOMAIN,
                            "the filters of a list of runs must be an object");
    if (code == SIMPLUGIN_OK)
        code = sp_runs_db_read(runs->directory, wait, list_step, &query, error);
    return take_found(code, &query, records);
}

static int32_t datasets_step(sp_runs_db *db, void *context, simplugin_error **error)
{
    query_args *query = context;
    sqlite3_stmt *statement = NULL;
    int row = 0;
    int32_t code;

    json_decref(query->found);
    query->found = json_array();
    if (!query->found)
        return sp_error_no_memory(error);
    code = prepare(db, "SELECT DISTINCT dataset FROM runs ORDER BY dataset", NULL, 0, &statement,
                   error);
    if (code == SIMPLUGIN_OK)
        code = next(db, statement, &row, error);
    while (code == SIMPLUGIN_OK && row) {
        sp_text name;

        code = column_text(statement, 0, &name, error);
        if (code == SIMPLUGIN_OK &&
            json_array_append_new(query->found, json_stringn(name.data, name.size)) != 0)
            code = sp_error_no_memory(error);
        if (code == SIMPLUGIN_OK)
            code = next(db, statement, &row, error);
    }
    sqlite3_finalize(statement);
    return code;
}

int32_t sp_runs_datasets(sp_runs *runs, const sp_runs_wait *wait, json_t **names,
                         simplugin_error **error)
{
    query_args query = {NULL, {NULL, 0}, NULL, NULL};

    *names = NULL;
    return take_found(sp_runs_db_read(runs->directory, wait, datasets_step, &query, error), &query,
                      names);
}

/* ---- rename, delete ---- */

static int32_t rename_step(sp_runs_db *db, void *context, simplugin_error **error)
{
    const sp_text *texts = context; /* dataset, key, new key */
    sqlite3_stmt *statement = NULL;
    int row = 0, changes = 0;
    int32_t code = prepare(db, "SELECT 1 FROM runs WHERE dataset = ?1 AND key = ?2", texts, 2,
                           &statement, error);

    if (code == SIMPLUGIN_OK)
        code = next(db, statement, &row, error);
    if (code == SIMPLUGIN_OK && !row)
        code = not_found(db, texts[0], texts[1], error);
    if (code == SIMPLUGIN_OK) {
        int result = sqlite3_reset(statement);

        if (result == SQLITE_OK)
            result = bind_text(statement, 2, texts[2]);
        code = result == SQLITE_OK ? next(db, statement, &row, error)
                                   : sp_runs_db_fail(db, result, "use", error);
    }
    if (code == SIMPLUGIN_OK && row)
        code = already_exists(texts[0], texts[2], "; delete it first, or choose another key", error);
    sqlite3_finalize(statement);
    if (code == SIMPLUGIN_OK)
        code = change(db, "UPDATE runs SET key = ?3 WHERE dataset = ?1 AND key = ?2", texts, 3,
                      &changes, error);
    return code;
}

int32_t sp_runs_rename(sp_runs *runs, sp_text dataset, sp_text key, sp_text new_key,
                       const sp_runs_wait *wait, simplugin_error **error)
{
    sp_text texts[] = {dataset, key, new_key};
    int32_t code = check_names(dataset, key, error);

    if (code == SIMPLUGIN_OK)
        code = check_name("new_brain_key", "new brain key", new_key, 1, error);
    if (code == SIMPLUGIN_OK)
        code = sp_runs_db_write(runs->directory, wait, rename_step, texts, error);
    return code;
}

static int32_t delete_step(sp_runs_db *db, void *context, simplugin_error **error)
{
    const sp_text *texts = context; /* dataset, key */
    int changes = 0;
    int32_t code = change(db, "DELETE FROM runs WHERE dataset = ?1 AND key = ?2", texts, 2,
                          &changes, error);

    if (code == SIMPLUGIN_OK && changes == 0)
        code = not_found(db, texts[0], texts[1], error);
    return code;
}

int32_t sp_runs_delete(sp_runs *runs, sp_text dataset, sp_text key, const sp_runs_wait *wait,
                       simplugin_error **error)
{
    sp_text texts[] = {dataset, key};
    int32_t code = check_names(dataset, key, error);

    if (code == SIMPLUGIN_OK)
        code = sp_runs_db_write(runs->directory, wait, delete_step, texts, error);
    return code;
}
