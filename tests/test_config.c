/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <locale.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_resolve.h"
#include "simplugin.h"
#include "unit.h"

/* ---- a configuration in a directory of its own ---------------------------------------- */

typedef struct place {
    char *dir;
    char path[512]; /* of the configuration file */
    json_t *environment;
    json_t *plugin_path;
    sp_config *config;
    simplugin_error *error;
    int warnings;
    char warning[512];
} place;

static void count_warning(void *context, const char *message)
{
    place *at = context;

    at->warnings++;
    snprintf(at->warning, sizeof at->warning, "%s", message);
}

static int is_backend(void *context, const char *name)
{
    (void)context;
    return strcmp(name, "qdrant_cloud") == 0;
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        abort();
}

/* environment: JSON; file: the configuration file's text, or NULL for none. */
static void open_place(place *at, const char *environment, const char *file)
{
    sp_config_options options = {.warn = count_warning, .is_backend = is_backend, .context = at};

    memset(at, 0, sizeof *at);
    at->dir = unit_temp_dir();
    snprintf(at->path, sizeof at->path, "%s/brain.json", at->dir);
    if (file)
        write_text(at->path, file);
    at->environment = json_loads(environment, 0, NULL);
    if (!at->environment)
        abort();
    json_object_set_new(at->environment, "HOME", json_string(at->dir));
    if (!json_object_get(at->environment, "FIFTYONE_BRAIN_CONFIG_PATH"))
        json_object_set_new(at->environment, "FIFTYONE_BRAIN_CONFIG_PATH", json_string(at->path));
    options.environment = at->environment;
    CU_ASSERT_EQUAL_FATAL(sp_config_new(&options, &at->config, &at->error), SIMPLUGIN_OK);
}

static void close_place(place *at)
{
    sp_config_free(at->config);
    simplugin_error_free(&at->error);
    json_decref(at->environment);
    unlink(at->path);
    rmdir(at->dir);
    free(at->dir);
}

static const char *const MILVUS =
    "[{\"name\": \"uri\", \"type\": \"text\", \"default\": \"http://localhost:19530\"},"
    " {\"name\": \"user\", \"type\": \"text\"},"
    " {\"name\": \"password\", \"type\": \"text\", \"secret\": true},"
    " {\"name\": \"collection_name\", \"type\": \"text\", \"default\": null,"
    "  \"aliases\": [\"index_name\", \"collection\"]},"
    " {\"name\": \"metric\", \"type\": \"text\", \"default\": \"dotproduct\"},"
    " {\"name\": \"consistency_level\", \"type\": \"text\", \"default\": \"Session\"}]";

static const char *const QDRANT =
    "[{\"name\": \"url\", \"type\": \"text\"}, {\"name\": \"api_key\", \"type\": \"text\"},"
    " {\"name\": \"metric\", \"type\": \"text\"}, {\"name\": \"replication_factor\", \"type\": \"int\"},"
    " {\"name\": \"shard_number\", \"type\": \"int\"},"
    " {\"name\": \"write_consistency_factor\", \"type\": \"int\"},"
    " {\"name\": \"timeout\", \"type\": \"float\"}, {\"name\": \"on_disk\", \"type\": \"bool\"},"
    " {\"name\": \"hnsw_config\", \"type\": \"map\"}, {\"name\": \"optimizers_config\", \"type\": \"map\"},"
    " {\"name\": \"wal_config\", \"type\": \"map\"}, {\"name\": \"hosts\", \"type\": \"list\"},"
    " {\"name\": \"extra\", \"type\": \"any\"}]";

/* Resolves; the values as sorted compact JSON, to be freed, NULL on an error. */
static char *resolve(place *at, const char *backend, const char *declared, const char *arguments,
                     int32_t expected)
{
    sp_parameters parameters = {.owner = NULL};
    json_t *json = declared ? json_loads(declared, 0, NULL) : NULL;
    json_t *given = arguments ? json_loads(arguments, JSON_ALLOW_NUL, NULL) : NULL;
    json_t *values = NULL;
    char *text = NULL;
    int32_t code;

    simplugin_error_free(&at->error);
    CU_ASSERT_FATAL(!declared || json);
    CU_ASSERT_FATAL(!arguments || given);
    code = json ? sp_parameters_init(&parameters, backend, json, &at->error) : SIMPLUGIN_OK;
    if (code == SIMPLUGIN_OK)
        code = sp_config_resolve(at->config, backend, json ? &parameters : NULL, given, &values,
                                 NULL, &at->error);
    CU_ASSERT_EQUAL(code, expected);
    if (code != expected)
        printf("\n    %s: %s\n", sp_code_name(code), simplugin_error_message(at->error, NULL));
    if (code == SIMPLUGIN_OK)
        text = json_dumps(values, JSON_COMPACT | JSON_SORT_KEYS);
    else
        CU_ASSERT_PTR_NULL(values);
    json_decref(values);
    json_decref(given);
    json_decref(json);
    sp_parameters_clear(&parameters);
    return text;
}

static void check_values(place *at, const char *backend, const char *declared,
                         const char *arguments, const char *expected)
{
    char *text = resolve(at, backend, declared, arguments, SIMPLUGIN_OK);

    CU_ASSERT_PTR_NOT_NULL(text);
    if (text) {
        CU_ASSERT_STRING_EQUAL(text, expected);
        if (strcmp(text, expected) != 0)
            printf("\n    is  %s\n    not %s\n", text, expected);
    }
    free(text);
}

/* Whether the message has all of the texts, up to NULL. */
static void check_message(place *at, ...)
{
    const char *message = simplugin_error_message(at->error, NULL);
    const char *part;
    va_list parts;

    va_start(parts, at);
    while ((part = va_arg(parts, const char *))) {
        CU_ASSERT_PTR_NOT_NULL(strstr(message, part));
        if (!strstr(message, part))
            printf("\n    '%s' is not in: %s\n", part, message);
    }
    va_end(parts);
    CU_ASSERT_PTR_NULL(strchr(message, '\n'));
}

static const char *detail(place *at, const char *key)
{
    for (uint64_t i = 0; i < simplugin_error_detail_count(at->error); i++)
        if (strcmp(simplugin_error_detail_key(at->error, i), key) == 0)
            return simplugin_error_detail_value(at->error, i);
    return "";
}

static void check_default(place *at, int32_t expected, const char *name, const char *source)
{
    char *found = NULL;
    json_t *provenance = NULL;

    simplugin_error_free(&at->error);
    CU_ASSERT_EQUAL(sp_config_default_backend(at->config, &found, &provenance, &at->error),
                    expected);
    if (expected == SIMPLUGIN_OK) {
        CU_ASSERT_STRING_EQUAL(found, name);
        CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(provenance, "source")), source);
    } else {
        CU_ASSERT_PTR_NULL(found);
        CU_ASSERT_PTR_NULL(provenance);
    }
    free(found);
    json_decref(provenance);
}

/* ---- which backend -------------------------------------------------------------------- */

static void test_default_is_sklearn(void)
{
    place at;

    open_place(&at, "{}", NULL);
    check_default(&at, SIMPLUGIN_OK, "sklearn", "default");
    close_place(&at);
}

static void test_default_from_file_and_environment(void)
{
    place at;

    open_place(&at, "{}", "{\"default_similarity_backend\": \"milvus\"}");
    check_default(&at, SIMPLUGIN_OK, "milvus", "file");
    close_place(&at);
    open_place(&at, "{\"FIFTYONE_BRAIN_DEFAULT_SIMILARITY_BACKEND\": \"qdrant\"}",
               "{\"default_similarity_backend\": \"milvus\"}");
    check_default(&at, SIMPLUGIN_OK, "qdrant", "environment");
    close_place(&at);
    /* An empty variable is none, for FiftyOne too. */
    open_place(&at, "{\"FIFTYONE_BRAIN_DEFAULT_SIMILARITY_BACKEND\": \"\"}",
               "{\"default_similarity_backend\": \"qdrant\"}");
    check_default(&at, SIMPLUGIN_OK, "qdrant", "file");
    close_place(&at);
}

static void test_bad_default_is_an_error(void)
{
    place at;

    open_place(&at, "{\"FIFTYONE_BRAIN_DEFAULT_SIMILARITY_BACKEND\": \"../evil\"}", NULL);
    check_default(&at, SIMPLUGIN_BACKEND_NAME, NULL, NULL);
    check_message(&at, "FIFTYONE_BRAIN_DEFAULT_SIMILARITY_BACKEND", "'../evil'", NULL);
    close_place(&at);
    open_place(&at,
               "{\"FIFTYONE_BRAIN_DEFAULT_SIMILARITY_BACKEND\": \"milvsu\","
               " \"FIFTYONE_BRAIN_SIMILARITY_BACKENDS\": \"milvus,qdrant\"}",
               NULL);
    check_default(&at, SIMPLUGIN_BACKEND_UNKNOWN, NULL, NULL);
    check_message(&at, "'milvsu'", "milvus, qdrant", "did you mean 'milvus'?", NULL);
    CU_ASSERT_STRING_EQUAL(detail(&at, "nearest"), "milvus");
    close_place(&at);
    open_place(&at, "{}", "{\n \"default_similarity_backend\": 5}");
    check_default(&at, SIMPLUGIN_CONFIG, NULL, NULL);
    check_message(&at, "brain.json:2:32", "default_similarity_backend must be text", NULL);
    close_place(&at);
}

static void test_backends_left_out(void)
{
    place at;
    json_t *names = NULL;
    int only = 0;

    open_place(&at, "{\"FIFTYONE_BRAIN_SIMILARITY_BACKENDS\": \"milvus,sklearn,milvus\"}", NULL);
    CU_ASSERT_EQUAL(sp_config_check_backend(at.config, "milvus", &at.error), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(sp_config_check_backend(at.config, "sklearn_flat", &at.error), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(sp_config_check_backend(at.config, "qdrant", &at.error),
                    SIMPLUGIN_BACKEND_UNKNOWN);
    CU_ASSERT_EQUAL(sp_config_check_backend(at.config, "a/b", &at.error), SIMPLUGIN_BACKEND_NAME);
    free(resolve(&at, "qdrant", NULL, NULL, SIMPLUGIN_BACKEND_UNKNOWN));
    CU_ASSERT_EQUAL(sp_config_backends(at.config, &names, &only, &at.error), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(json_array_size(names), 2);
    CU_ASSERT_EQUAL(only, 1);
    json_decref(names);
    close_place(&at);

    open_place(&at, "{\"FIFTYONE_BRAIN_SIMILARITY_BACKENDS\": \"*,mine\"}", NULL);
    CU_ASSERT_EQUAL(sp_config_check_backend(at.config, "qdrant", &at.error), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(sp_config_backends(at.config, &names, &only, &at.error), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(json_array_size(names), 1);
    CU_ASSERT_EQUAL(only, 0);
    json_decref(names);
    close_place(&at);
}

static void test_backend_names(void)
{
    char name[67];

    CU_ASSERT_TRUE(sp_config_is_backend_name("sklearn_flat"));
    CU_ASSERT_TRUE(sp_config_is_backend_name("b2"));
    CU_ASSERT_FALSE(sp_config_is_backend_name(""));
    CU_ASSERT_FALSE(sp_config_is_backend_name("Milvus"));
    CU_ASSERT_FALSE(sp_config_is_backend_name("a-b"));
    CU_ASSERT_FALSE(sp_config_is_backend_name("a.so"));
    CU_ASSERT_FALSE(sp_config_is_backend_name("../a"));
    CU_ASSERT_FALSE(sp_config_is_backend_name("a\n"));
    memset(name, 'a', 66);
    name[64] = '\0';
    CU_ASSERT_TRUE(sp_config_is_backend_name(name));
    name[64] = 'a';
    name[65] = '\0';
    CU_ASSERT_FALSE(sp_config_is_backend_name(name));
}

/* ---- precedence and provenance -------------------------------------------------------- */

static void test_precedence(void)
{
    place at;

    open_place(&at,
               "{\"FIFTYONE_BRAIN_SIMILARITY_MILVUS_URI\": \"http://env:1\","
               " \"FIFTYONE_BRAIN_SIMILARITY_MILVUS_USER\": \"env\"}",
               "{\"similarity_backends\": {\"milvus\": {\"uri\": \"http://file:1\","
               " \"user\": \"file\", \"metric\": \"euclidean\"}}}");
    check_values(&at, "milvus", MILVUS, "{\"uri\": \"http://call:1\"}",
                 "{\"collection_name\":null,\"consistency_level\":\"Session\","
                 "\"metric\":\"euclidean\",\"uri\":\"http://call:1\",\"user\":\"env\"}");
    check_values(&at, "milvus", MILVUS, NULL,
                 "{\"collection_name\":null,\"consistency_level\":\"Session\","
                 "\"metric\":\"euclidean\",\"uri\":\"http://env:1\",\"user\":\"env\"}");
    close_place(&at);
}

/* Variables are read in lower case, as FiftyOne reads them; a parameter may have capitals. */
static void test_variables_of_names_with_capitals(void)
{
    static const char declared[] =
        "[{\"name\": \"M\", \"type\": \"int\"},"
        " {\"name\": \"efConstruction\", \"type\": \"int\", \"aliases\": [\"efC\"]}]";
    place at;

    open_place(&at,
               "{\"FIFTYONE_BRAIN_SIMILARITY_MILVUS_M\": \"8\","
               " \"FIFTYONE_BRAIN_SIMILARITY_MILVUS_EFCONSTRUCTION\": \"77\"}",
               NULL);
    check_values(&at, "milvus", declared, NULL, "{\"M\":8,\"efConstruction\":77}");
    check_values(&at, "milvus", declared, "{\"M\": 16}", "{\"M\":16,\"efConstruction\":77}");
    CU_ASSERT_PTR_NULL(resolve(&at, "milvus", declared, "{\"m\": 16}", SIMPLUGIN_UNKNOWN_PARAMETER));
    close_place(&at);
    open_place(&at, "{\"FIFTYONE_BRAIN_SIMILARITY_MILVUS_EFC\": \"5\"}", NULL);
    check_values(&at, "milvus", declared, NULL, "{\"efConstruction\":5}");
    close_place(&at);
    open_place(&at, "{\"FIFTYONE_BRAIN_SIMILARITY_MILVUS_M\": \"x\"}", NULL);
    CU_ASSERT_PTR_NULL(resolve(&at, "milvus", declared, NULL, SIMPLUGIN_CONFIG));
    check_message(&at, "FIFTYONE_BRAIN_SIMILARITY_MILVUS_M", "int", NULL);
    close_place(&at);
    open_place(&at, "{\"FIFTYONE_BRAIN_SIMILARITY_MILVUS_MM\": \"1\"}", NULL);
    CU_ASSERT_PTR_NULL(resolve(&at, "milvus", declared, NULL, SIMPLUGIN_UNKNOWN_PARAMETER));
    check_message(&at, "FIFTYONE_BRAIN_SIMILARITY_MILVUS_MM", "'mm'", NULL);
    close_place(&at);
}

static void test_credentials_of_each_kind(void)
{
    place at;

    open_place(&at,
               "{\"FIFTYONE_BRAIN_SIMILARITY_MILVUS_USER\": \"u\","
               " \"FIFTYONE_BRAIN_SIMILARITY_MILVUS_PASSWORD\": \"0042\","
               " \"FIFTYONE_BRAIN_SIMILARITY_MILVUS_URI\": \"http://h:1\","
               " \"FIFTYONE_BRAIN_SIMILARITY_QDRANT_URL\": \"localhost:6333\","
               " \"FIFTYONE_BRAIN_SIMILARITY_QDRANT_API_KEY\": \"1e5\"}",
               NULL);
    check_values(&at, "milvus", MILVUS, NULL,
                 "{\"collection_name\":null,\"consistency_level\":\"Session\","
                 "\"metric\":\"dotproduct\",\"password\":\"0042\",\"uri\":\"http://h:1\","
                 "\"user\":\"u\"}");
    check_values(&at, "qdrant", QDRANT, NULL,
                 "{\"api_key\":\"1e5\",\"url\":\"localhost:6333\"}");
    close_place(&at);
    open_place(&at, "{}",
               "{\"similarity_backends\": {\"milvus\": {\"user\": \"u\", \"password\": \"p\","
               " \"uri\": \"x\"}, \"qdrant\": {\"url\": \"http://localhost:6333\","
               " \"api_key\": \"k\"}}}");
    check_values(&at, "qdrant", QDRANT, NULL,
                 "{\"api_key\":\"k\",\"url\":\"http://localhost:6333\"}");
    check_values(&at, "qdrant", QDRANT, "{\"url\": \"a\", \"api_key\": \"b\"}",
                 "{\"api_key\":\"b\",\"url\":\"a\"}");
    close_place(&at);
}

static void test_full_examples(void)
{
    place at;

    open_place(&at, "{}",
               "{\"similarity_backends\": {\n"
               " \"milvus\": {\"uri\": \"XXXX\", \"user\": \"XXXX\", \"password\": \"XXXX\",\n"
               "  \"collection_name\": null, \"metric\": \"dotproduct\",\n"
               "  \"consistency_level\": \"Strong\"},\n"
               " \"qdrant\": {\"metric\": \"cosine\", \"replication_factor\": null,\n"
               "  \"shard_number\": null, \"write_consistency_factor\": null,\n"
               "  \"hnsw_config\": {\"m\": 16, \"ef_construct\": 100, \"on_disk\": null},\n"
               "  \"optimizers_config\": {\"deleted_threshold\": 0.2},\n"
               "  \"wal_config\": {\"wal_capacity_mb\": 32}}}}");
    check_values(&at, "milvus", MILVUS, NULL,
                 "{\"collection_name\":null,\"consistency_level\":\"Strong\","
                 "\"metric\":\"dotproduct\",\"password\":\"XXXX\",\"uri\":\"XXXX\","
                 "\"user\":\"XXXX\"}");
    check_values(&at, "qdrant", QDRANT, NULL,
                 "{\"hnsw_config\":{\"ef_construct\":100,\"m\":16,\"on_disk\":null},"
                 "\"metric\":\"cosine\",\"optimizers_config\":{\"deleted_threshold\":"
                 "0.20000000000000001},\"replication_factor\":null,\"shard_number\":null,"
                 "\"wal_config\":{\"wal_capacity_mb\":32},\"write_consistency_factor\":null}");
    close_place(&at);
}

static void test_every_type_from_every_source(void)
{
    static const char *const expected =
        "{\"extra\":[1,\"a\",null],\"hnsw_config\":{\"m\":16},\"hosts\":[\"a\",\"b\"],"
        "\"metric\":\"cosine\",\"on_disk\":true,\"shard_number\":2,\"timeout\":1.5}";
    static const char *const same =
        "{\"extra\": [1, \"a\", null], \"hnsw_config\": {\"m\": 16}, \"hosts\": [\"a\", \"b\"],"
        " \"metric\": \"cosine\", \"on_disk\": true, \"shard_number\": 2, \"timeout\": 1.5}";
    char file[512];
    place at;

    open_place(&at, "{}", NULL);
    check_values(&at, "qdrant", QDRANT, same, expected);
    close_place(&at);
    snprintf(file, sizeof file, "{\"similarity_backends\": {\"qdrant\": %s}}", same);
    open_place(&at, "{}", file);
    check_values(&at, "qdrant", QDRANT, NULL, expected);
    close_place(&at);
    open_place(&at,
               "{\"FIFTYONE_BRAIN_SIMILARITY_QDRANT_EXTRA\": \"1,a,None\","
               " \"FIFTYONE_BRAIN_SIMILARITY_QDRANT_HNSW_CONFIG\": \" {\\\"m\\\": 16}\","
               " \"FIFTYONE_BRAIN_SIMILARITY_QDRANT_HOSTS\": \"a,b\","
               " \"FIFTYONE_BRAIN_SIMILARITY_QDRANT_METRIC\": \"cosine\","
               " \"FIFTYONE_BRAIN_SIMILARITY_QDRANT_ON_DISK\": \"True\","
               " \"FIFTYONE_BRAIN_SIMILARITY_QDRANT_SHARD_NUMBER\": \" 2\","
               " \"FIFTYONE_BRAIN_SIMILARITY_QDRANT_TIMEOUT\": \"1.5\"}",
               NULL);
    check_values(&at, "qdrant", QDRANT, NULL, expected);
    close_place(&at);
}

static void test_conversions(void)
{
    place at;

    /* 1 is a true bool and an int a float; a list may be JSON; nothing is null. */
    open_place(&at,
               "{\"FIFTYONE_BRAIN_SIMILARITY_QDRANT_ON_DISK\": \"0\","
               " \"FIFTYONE_BRAIN_SIMILARITY_QDRANT_TIMEOUT\": \"3\","
               " \"FIFTYONE_BRAIN_SIMILARITY_QDRANT_HOSTS\": \"[\\\"a\\\"]\","
               " \"FIFTYONE_BRAIN_SIMILARITY_QDRANT_API_KEY\": \"\","
               " \"FIFTYONE_BRAIN_SIMILARITY_QDRANT_URL\": \"None\","
               " \"FIFTYONE_BRAIN_SIMILARITY_QDRANT_SHARD_NUMBER\": \"None\"}",
               NULL);
    check_values(&at, "qdrant", QDRANT, NULL,
                 "{\"api_key\":null,\"hosts\":[\"a\"],\"on_disk\":false,\"shard_number\":null,"
                 "\"timeout\":3.0,\"url\":\"None\"}");
    close_place(&at);
}

static void test_null_stands_for_the_default(void)
{
    place at;

    open_place(&at, "{\"FIFTYONE_BRAIN_SIMILARITY_MILVUS_METRIC\": \"\"}",
               "{\"similarity_backends\": {\"milvus\": {\"metric\": \"euclidean\","
               " \"consistency_level\": null, \"user\": null}}}");
    check_values(&at, "milvus", MILVUS, "{\"uri\": null}",
                 "{\"collection_name\":null,\"consistency_level\":\"Session\","
                 "\"metric\":\"dotproduct\",\"uri\":\"http://localhost:19530\",\"user\":null}");
    close_place(&at);
}

static void check_origin(const json_t *provenance, const char *name, const char *source,
                         const char *where, int secret)
{
    for (size_t i = 0; i < json_array_size(provenance); i++) {
        const json_t *entry = json_array_get(provenance, i);

        if (strcmp(json_string_value(json_object_get(entry, "name")), name) != 0)
            continue;
        CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(entry, "source")), source);
        CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(entry, "where")), where);
        CU_ASSERT_EQUAL(json_is_true(json_object_get(entry, "secret")), secret);
        return;
    }
    CU_FAIL("no such entry");
}

/* A host given more closely than a uri is where the server is, and the other way round. */
static void test_exclusion(void)
{
    static const char declared[] =
        "[{\"name\": \"uri\", \"type\": \"text\", \"aliases\": [\"address\"],"
        "  \"excludes\": [\"host\", \"port\"]},"
        " {\"name\": \"host\", \"type\": \"text\", \"default\": \"here\"},"
        " {\"name\": \"port\", \"type\": \"any\"}, {\"name\": \"user\", \"type\": \"text\"}]";
    json_t *values, *provenance;
    json_t *parsed = json_loads(declared, 0, NULL);
    sp_parameters parameters;
    place at;

    open_place(&at,
               "{\"FIFTYONE_BRAIN_SIMILARITY_MILVUS_URI\": \"http://env:1\","
               " \"FIFTYONE_BRAIN_SIMILARITY_MILVUS_USER\": \"env\"}",
               "{\"similarity_backends\": {\"milvus\": {\"host\": \"file\", \"port\": 2}}}");
    check_values(&at, "milvus", declared, NULL,
                 "{\"host\":\"here\",\"uri\":\"http://env:1\",\"user\":\"env\"}");
    check_values(&at, "milvus", declared, "{\"host\": \"call\"}",
                 "{\"host\":\"call\",\"user\":\"env\"}");
    /* the file's were displaced already by what is displaced now */
    check_values(&at, "milvus", declared, "{\"port\": 7}",
                 "{\"host\":\"here\",\"port\":7,\"user\":\"env\"}");
    check_values(&at, "milvus", declared, "{\"address\": \"call\"}",
                 "{\"host\":\"here\",\"uri\":\"call\",\"user\":\"env\"}");
    /* null says nothing */
    check_values(&at, "milvus", declared, "{\"host\": null}",
                 "{\"host\":\"here\",\"uri\":\"http://env:1\",\"user\":\"env\"}");
    /* both at once are for the backend to refuse */
    check_values(&at, "milvus", declared, "{\"host\": \"a\", \"uri\": \"b\"}",
                 "{\"host\":\"a\",\"uri\":\"b\",\"user\":\"env\"}");
    free(resolve(&at, "milvus", declared, "{\"host\": 7}", SIMPLUGIN_INVALID_ARGUMENT));
    check_message(&at, "'host'", NULL);
    CU_ASSERT_EQUAL_FATAL(sp_parameters_init(&parameters, "milvus", parsed, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL_FATAL(sp_config_resolve(at.config, "milvus", &parameters, NULL, &values,
                                            &provenance, NULL),
                          SIMPLUGIN_OK);
    check_origin(provenance, "host", "default", "", 0);
    json_decref(values);
    json_decref(provenance);
    sp_parameters_clear(&parameters);
    json_decref(parsed);
    close_place(&at);
}

static void test_provenance(void)
{
    sp_parameters parameters = {.owner = NULL};
    json_t *declared = json_loads(MILVUS, 0, NULL);
    json_t *arguments = json_loads("{\"user\": \"u\"}", 0, NULL);
    json_t *values = NULL;
    json_t *provenance = NULL;
    char where[600];
    place at;

    open_place(&at, "{\"FIFTYONE_BRAIN_SIMILARITY_MILVUS_PASSWORD\": \"p\"}",
               "{\n  \"similarity_backends\": {\n    \"qdrant\": {\"uri\": 1},\n"
               "    \"milvus\": {\"a\\\"b\\u00fc\": {\"uri\": [1, {\"x\": \"}\"}]}, \"\\u00fc\": 1,\n"
               "      \"uri\": \"first\", \"\\u0075ri\" :\t\"last\", \"metric\": null\n    }}}");
    CU_ASSERT_EQUAL_FATAL(sp_parameters_init(&parameters, "milvus", declared, NULL), SIMPLUGIN_OK);
    /* Undeclared names in the file are an error, so take them out of the way as FiftyOne's. */
    CU_ASSERT_EQUAL(sp_config_resolve(at.config, "milvus", &parameters, arguments, &values,
                                      &provenance, &at.error),
                    SIMPLUGIN_UNKNOWN_PARAMETER);
    write_text(at.path,
               "{\n  \"similarity_backends\": {\n    \"qdrant\": {\"uri\": 1},\n"
               "    \"x\": {\"a\\\"b\": {\"uri\": [1, {\"x\": \"}\"}]}},\n"
               "    \"milvus\": {\"config_cls\": \"\xc3\xbc\", \"uri\": \"first\",\n"
               "      \"\\u0075ri\" :\t\"last\", \"metric\": null\n    }}}");
    simplugin_error_free(&at.error);
    CU_ASSERT_EQUAL(sp_config_resolve(at.config, "milvus", &parameters, arguments, &values,
                                      &provenance, &at.error),
                    SIMPLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(values, "uri")), "last");
    CU_ASSERT_EQUAL(json_array_size(provenance), json_object_size(values));
    check_origin(provenance, "user", "argument", "user", 0);
    check_origin(provenance, "password", "environment",
                 "FIFTYONE_BRAIN_SIMILARITY_MILVUS_PASSWORD", 1);
    snprintf(where, sizeof where, "%s:6:20", at.path);
    check_origin(provenance, "uri", "file", where, 0);
    snprintf(where, sizeof where, "null in %s:6:38", at.path);
    check_origin(provenance, "metric", "default", where, 0);
    check_origin(provenance, "consistency_level", "default", "", 0);
    json_decref(values);
    json_decref(provenance);
    json_decref(arguments);
    json_decref(declared);
    sp_parameters_clear(&parameters);
    close_place(&at);
}

static void test_read_anew_each_time(void)
{
    place at;

    open_place(&at, "{}", NULL);
    check_values(&at, "qdrant", QDRANT, NULL, "{}");
    write_text(at.path, "{\"similarity_backends\": {\"qdrant\": {\"url\": \"a\"}}}");
    check_values(&at, "qdrant", QDRANT, NULL, "{\"url\":\"a\"}");
    write_text(at.path, "{\"similarity_backends\": {\"qdrant\": {\"url\": \"b\"}}}");
    check_values(&at, "qdrant", QDRANT, NULL, "{\"url\":\"b\"}");
    close_place(&at);
}

static void test_process_environment(void)
{
    sp_config *config = NULL;
    json_t *values = NULL;

    setenv("FIFTYONE_BRAIN_CONFIG_PATH", "/nonexistent/brain.json", 1);
    CU_ASSERT_EQUAL_FATAL(sp_config_new(NULL, &config, NULL), SIMPLUGIN_OK);
    setenv("FIFTYONE_BRAIN_SIMILARITY_QDRANT_URL", "http://a", 1);
    CU_ASSERT_EQUAL(sp_config_resolve(config, "qdrant", NULL, NULL, &values, NULL, NULL),
                    SIMPLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(values, "url")), "http://a");
    json_decref(values);
    /* Changed after the configuration was made, and seen. */
    setenv("FIFTYONE_BRAIN_SIMILARITY_QDRANT_URL", "http://b", 1);
    CU_ASSERT_EQUAL(sp_config_resolve(config, "qdrant", NULL, NULL, &values, NULL, NULL),
                    SIMPLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(values, "url")), "http://b");
    json_decref(values);
    unsetenv("FIFTYONE_BRAIN_SIMILARITY_QDRANT_URL");
    sp_config_free(config);
}

static void test_sklearn_is_the_flat_plugin(void)
{
    static const char *const declared =
        "[{\"name\": \"metric\", \"type\": \"text\"}, {\"name\": \"a\", \"type\": \"any\"},"
        " {\"name\": \"b\", \"type\": \"any\"}]";
    place at;

    open_place(&at,
               "{\"FIFTYONE_BRAIN_SIMILARITY_SKLEARN_METRIC\": \"cosine\","
               " \"FIFTYONE_BRAIN_SIMILARITY_SKLEARN_FLAT_A\": \"1\"}",
               "{\"similarity_backends\": {\"sklearn\": {\"b\": 1}, \"sklearn_flat\": {\"b\": 2}}}");
    check_values(&at, "sklearn", declared, NULL, "{\"a\":1,\"b\":1,\"metric\":\"cosine\"}");
    check_values(&at, "sklearn_flat", declared, NULL, "{\"a\":1,\"b\":2,\"metric\":\"cosine\"}");
    close_place(&at);
}

static void test_variable_of_another_backend(void)
{
    place at;

    /* qdrant has no parameter cloud_url, and need not: there are other backends. */
    open_place(&at,
               "{\"FIFTYONE_BRAIN_SIMILARITY_QDRANT_CLOUD_URL\": \"x\","
               " \"FIFTYONE_BRAIN_SIMILARITY_QDRANT_LITE_URL\": \"x\","
               " \"FIFTYONE_BRAIN_SIMILARITY_QDRANT_B_URL\": \"x\","
               " \"FIFTYONE_BRAIN_SIMILARITY_BACKENDS\": \"*,qdrant_b\"}",
               "{\"similarity_backends\": {\"qdrant_lite\": {}}}");
    check_values(&at, "qdrant", QDRANT, NULL, "{}");
    json_object_set_new(at.environment, "FIFTYONE_BRAIN_SIMILARITY_QDRANT_OTHER_URL",
                        json_string("x"));
    close_place(&at);
    open_place(&at, "{\"FIFTYONE_BRAIN_SIMILARITY_QDRANT_OTHER_URL\": \"x\"}", NULL);
    free(resolve(&at, "qdrant", QDRANT, NULL, SIMPLUGIN_UNKNOWN_PARAMETER));
    check_message(&at, "FIFTYONE_BRAIN_SIMILARITY_QDRANT_OTHER_URL", "'other_url'", NULL);
    close_place(&at);
}

static void test_undeclared(void)
{
    place at;

    open_place(&at, "{\"FIFTYONE_BRAIN_SIMILARITY_MINE_N\": \"0042\"}",
               "{\"similarity_backends\": {\"mine\": {\"config_cls\": \"a.b\", \"x\": [1]}}}");
    check_values(&at, "mine", NULL, "{\"y\": {\"z\": 1}}", "{\"n\":42,\"x\":[1],\"y\":{\"z\":1}}");
    close_place(&at);
}

static void test_other_locale(void)
{
    place at;

    /* A program may have a decimal comma; the configuration has none. Without such a locale
       on the machine this is still the plain case. */
    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8"))
        setlocale(LC_NUMERIC, "fr_FR.UTF-8");
    open_place(&at, "{\"FIFTYONE_BRAIN_SIMILARITY_QDRANT_TIMEOUT\": \"1.5\"}", NULL);
    check_values(&at, "qdrant", QDRANT, NULL, "{\"timeout\":1.5}");
    close_place(&at);
    setlocale(LC_NUMERIC, "C");
}

/* ---- errors --------------------------------------------------------------------------- */

static void test_unknown_parameter(void)
{
    place at;

    open_place(&at, "{}", "{\"similarity_backends\": {\n\"milvus\": {\"nprobe\": 1}}}");
    free(resolve(&at, "milvus", MILVUS, "{\"metrik\": \"cosine\"}", SIMPLUGIN_UNKNOWN_PARAMETER));
    check_message(&at, "'milvus'", "'metrik'", "did you mean 'metric'",
                  "uri, user, password, collection_name, metric, consistency_level", NULL);
    CU_ASSERT_STRING_EQUAL(detail(&at, "argument"), "metrik");
    CU_ASSERT_STRING_EQUAL(detail(&at, "nearest"), "metric");
    free(resolve(&at, "milvus", MILVUS, NULL, SIMPLUGIN_UNKNOWN_PARAMETER));
    check_message(&at, "brain.json:2:22", "'nprobe'", NULL);
    close_place(&at);
}

static void test_alias(void)
{
    place at;

    open_place(&at, "{\"FIFTYONE_BRAIN_SIMILARITY_MILVUS_INDEX_NAME\": \"env\"}",
               "{\"similarity_backends\": {\"milvus\": {\"collection_name\": \"file\"}}}");
    for (int i = 0; i < 3; i++)
        check_values(&at, "milvus", MILVUS, NULL,
                     "{\"collection_name\":\"env\",\"consistency_level\":\"Session\","
                     "\"metric\":\"dotproduct\",\"uri\":\"http://localhost:19530\"}");
    CU_ASSERT_EQUAL(at.warnings, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(at.warning, "'index_name' is deprecated, use 'collection_name'"));
    free(resolve(&at, "milvus", MILVUS, "{\"index_name\": \"a\", \"collection_name\": \"b\"}",
                 SIMPLUGIN_INVALID_ARGUMENT));
    check_message(&at, "'collection_name' and 'index_name' are one parameter", NULL);
    close_place(&at);
}

static void test_wrong_types(void)
{
    static const struct {
        const char *name;
        const char *variable;
        const char *argument;
        const char *expected;
    } wrong[] = {
        {"shard_number", "two", "\"2\"", "int"},   {"shard_number", "2.0", "2.0", "int"},
        {"timeout", "soon", "\"1.5\"", "float"},   {"on_disk", "yes", "1", "bool"},
        {"on_disk", "2", "null_", "bool"},         {"hnsw_config", "16", "[1]", "map"},
        {"hnsw_config", "{m: 16}", "\"{}\"", "map"}, {"hosts", "a", "{}", "list"},
        {"hosts", "[a", "\"a,b\"", "list"},
    };
    char text[256];
    char upper[64];

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        place at;

        snprintf(upper, sizeof upper, "%s", wrong[i].name);
        for (char *c = upper; *c; c++)
            if (*c >= 'a' && *c <= 'z')
                *c = (char)(*c - 'a' + 'A');
        snprintf(text, sizeof text, "{\"FIFTYONE_BRAIN_SIMILARITY_QDRANT_%s\": \"%s\"}", upper,
                 wrong[i].variable);
        open_place(&at, text, NULL);
        free(resolve(&at, "qdrant", QDRANT, NULL, SIMPLUGIN_CONFIG));
        check_message(&at, "FIFTYONE_BRAIN_SIMILARITY_QDRANT_", upper, wrong[i].name, NULL);
        CU_ASSERT_PTR_NULL(strstr(simplugin_error_message(at.error, NULL), "two"));
        if (strcmp(wrong[i].argument, "null_") != 0) {
            snprintf(text, sizeof text, "{\"%s\": %s}", wrong[i].name, wrong[i].argument);
            free(resolve(&at, "qdrant", QDRANT, text, SIMPLUGIN_INVALID_ARGUMENT));
            check_message(&at, wrong[i].name, "must be of type", wrong[i].expected, NULL);
            CU_ASSERT_STRING_EQUAL(detail(&at, "argument"), wrong[i].name);
            CU_ASSERT_STRING_EQUAL(detail(&at, "expected"), wrong[i].expected);
        }
        close_place(&at);
    }
}

static void test_wrong_type_in_file(void)
{
    place at;

    open_place(&at, "{}", "{\"similarity_backends\": {\"milvus\":\n   {\"password\": 42}}}");
    free(resolve(&at, "milvus", MILVUS, NULL, SIMPLUGIN_CONFIG));
    check_message(&at, "brain.json:2:17", "'password'", "type text", "is an int",
                  "write it in quotes", NULL);
    CU_ASSERT_PTR_NULL(strstr(simplugin_error_message(at.error, NULL), "42"));
    free(resolve(&at, "milvus", MILVUS, "{\"uri\": \"a\\u0000b\"}", SIMPLUGIN_INVALID_ARGUMENT));
    check_message(&at, "'uri'", "U+0000", NULL);
    free(resolve(&at, "milvus", MILVUS, "[]", SIMPLUGIN_INVALID_ARGUMENT));
    close_place(&at);
}

static void test_values_that_json_cannot_hold(void)
{
    static const char *const values[] = {"9223372036854775808", "1e400", "nan", "-inf",
                                         "a,1e999"};

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char text[256];
        place at;

        snprintf(text, sizeof text, "{\"FIFTYONE_BRAIN_SIMILARITY_QDRANT_EXTRA\": \"%s\"}",
                 values[i]);
        open_place(&at, text, NULL);
        free(resolve(&at, "qdrant", QDRANT, NULL, SIMPLUGIN_CONFIG));
        check_message(&at, "FIFTYONE_BRAIN_SIMILARITY_QDRANT_EXTRA", "'extra'", NULL);
        CU_ASSERT_PTR_NULL(strstr(simplugin_error_message(at.error, NULL), values[i]));
        close_place(&at);
    }
}

static void test_value_that_is_not_utf8(void)
{
    sp_config *config = NULL;
    simplugin_error *error = NULL;
    json_t *values = NULL;

    CU_ASSERT_EQUAL_FATAL(sp_config_new(NULL, &config, NULL), SIMPLUGIN_OK);
    setenv("FIFTYONE_BRAIN_CONFIG_PATH", "", 1);
    setenv("FIFTYONE_BRAIN_SIMILARITY_QDRANT_URL", "caf\xe9", 1);
    CU_ASSERT_EQUAL(sp_config_resolve(config, "qdrant", NULL, NULL, &values, NULL, &error),
                    SIMPLUGIN_CONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(simplugin_error_message(error, NULL), "is not UTF-8"));
    simplugin_error_free(&error);
    unsetenv("FIFTYONE_BRAIN_SIMILARITY_QDRANT_URL");
    setenv("FIFTYONE_BRAIN_SIMILARITY_BACKENDS", "caf\xe9", 1);
    CU_ASSERT_EQUAL(sp_config_resolve(config, "qdrant", NULL, NULL, &values, NULL, &error),
                    SIMPLUGIN_CONFIG);
    simplugin_error_free(&error);
    unsetenv("FIFTYONE_BRAIN_SIMILARITY_BACKENDS");
    sp_config_free(config);
}

/* ---- the file ------------------------------------------------------------------------- */

static void test_no_file_is_no_error(void)
{
    static const char *const paths[] = {"", "/nonexistent/dir/brain.json", "/dev/null", "/",
                                        "/dev/null/x"};

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        char text[256];
        char *path = NULL;
        int exists = 1;
        place at;

        snprintf(text, sizeof text, "{\"FIFTYONE_BRAIN_CONFIG_PATH\": \"%s\"}", paths[i]);
        open_place(&at, text, NULL);
        check_default(&at, SIMPLUGIN_OK, "sklearn", "default");
        CU_ASSERT_EQUAL(sp_config_file_path(at.config, &path, &exists, NULL), SIMPLUGIN_OK);
        CU_ASSERT_STRING_EQUAL(path, paths[i]);
        CU_ASSERT_EQUAL(exists, 0);
        free(path);
        close_place(&at);
    }
}

static void test_file_at_home(void)
{
    sp_config_options options = {.environment = NULL};
    sp_config *config = NULL;
    json_t *environment = json_object();
    char *home = unit_temp_dir();
    char *path = NULL;
    char folder[512];
    char file[600];
    char *name = NULL;
    int exists = 0;

    snprintf(folder, sizeof folder, "%s/.fiftyone", home);
    snprintf(file, sizeof file, "%s/brain_config.json", folder);
    mkdir(folder, 0700);
    write_text(file, "{\"default_similarity_backend\": \"qdrant\"}");
    json_object_set_new(environment, "HOME", json_sprintf("%s//", home));
    options.environment = environment;
    CU_ASSERT_EQUAL_FATAL(sp_config_new(&options, &config, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(sp_config_default_backend(config, &name, NULL, NULL), SIMPLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(name, "qdrant");
    CU_ASSERT_EQUAL(sp_config_file_path(config, &path, &exists, NULL), SIMPLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(path, file);
    CU_ASSERT_EQUAL(exists, 1);
    free(path);
    free(name);
    sp_config_free(config);
    /* Without HOME it is what the system says of the user. */
    json_object_del(environment, "HOME");
    CU_ASSERT_EQUAL_FATAL(sp_config_new(&options, &config, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(sp_config_file_path(config, &path, &exists, NULL), SIMPLUGIN_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(path, "/.fiftyone/brain_config.json"));
    free(path);
    sp_config_free(config);
    json_decref(environment);
    unlink(file);
    rmdir(folder);
    rmdir(home);
    free(home);
}

static void test_malformed_files(void)
{
    static const struct {
        const char *text;
        const char *at;
        const char *what;
    } files[] = {
        {"{\n  \"similarity_backends\": {\n    \"milvus\": {\"uri\": \"x\",}\n}}", ":3:26: ",
         "trailing comma"},
        {"{\"\xc3\xbc\xc3\xbc\": [1, 2 ,\n\n ]}", ":1:14: ", "trailing comma"},
        {"{\"a\": 1,\n", ":2:", "not JSON"},
        {"{,}", ":1:2: ", "not JSON"},
        {"[,]", ":1:2: ", "not JSON"},
        {"", ":1:", "end of file"},
        {"{\"a\" 1}", ":1:", "not JSON"},
        {"{\"a\": NaN}", ":1:", "not JSON"},
        {"{\"a\": 99999999999999999999}", ":1:", "too big integer"},
        {"{\"a\": 1e999}", ":1:", "real number overflow"},
        {"{\"a\": \"\xff\"}", ":1:", "not UTF-8"},
        {"\xef\xbb\xbf{}", ":1:", "not JSON"},
        {"[]", ":1:1: ", "must be an object"},
        {"{\"similarity_backends\": []}", ":1:25: ", "similarity_backends must be an object"},
        {"{\"similarity_backends\":\n{\"milvus\": 5}}", ":2:12: ", "backend milvus must be an object"},
    };

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        place at;

        open_place(&at, "{}", files[i].text);
        check_default(&at, SIMPLUGIN_CONFIG, NULL, NULL);
        check_message(&at, at.path, files[i].at, files[i].what, NULL);
        free(resolve(&at, "milvus", MILVUS, NULL, SIMPLUGIN_CONFIG));
        close_place(&at);
    }
}

static void test_errors_hide_what_stands_in_the_file(void)
{
    static const char *const files[] = {
        "{\"similarity_backends\": {\"milvus\": {\"password\": \"hunter2\" \"x\"}}}",
        "{\"similarity_backends\": {\"milvus\": {\"password\": hunter2}}}",
        "{\"similarity_backends\": {\"milvus\": {\"password\": \"hunter2\\x\"}}}",
        "{\"similarity_backends\": {\"milvus\": {\"password\": \"hunter2}}}",
    };

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        place at;

        open_place(&at, "{}", files[i]);
        check_default(&at, SIMPLUGIN_CONFIG, NULL, NULL);
        CU_ASSERT_PTR_NULL(strstr(simplugin_error_message(at.error, NULL), "hunter"));
        CU_ASSERT_STRING_EQUAL(detail(&at, "file"), at.path);
        CU_ASSERT_STRING_EQUAL(detail(&at, "line"), "1");
        close_place(&at);
    }
}

static void test_limits(void)
{
    size_t size = ((size_t)1 << 20) + 2;
    char *text = malloc(size + 1);
    place at;

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    memset(text, ' ', size);
    text[size] = '\0';
    text[0] = '{';
    text[size - 1] = '}';
    open_place(&at, "{}", text);
    check_default(&at, SIMPLUGIN_CONFIG, NULL, NULL);
    check_message(&at, "1 MiB", NULL);
    close_place(&at);
    for (int depth = 64; depth <= 65; depth++) {
        size_t length = 0;

        length += (size_t)sprintf(text, "{\"a\": ");
        for (int i = 1; i < depth; i++)
            text[length++] = '[';
        for (int i = 1; i < depth; i++)
            text[length++] = ']';
        text[length++] = '}';
        text[length] = '\0';
        open_place(&at, "{}", text);
        check_default(&at, depth == 64 ? SIMPLUGIN_OK : SIMPLUGIN_CONFIG, "sklearn", "default");
        if (depth == 65)
            check_message(&at, ":1:70: ", "deeper than 64", NULL);
        close_place(&at);
    }
    free(text);
}

static void test_unreadable_file(void)
{
    place at;

    open_place(&at, "{}", "{}");
    CU_ASSERT_EQUAL(chmod(at.path, 0), 0);
    /* Root reads everything: then the file is as good as any. */
    check_default(&at, access(at.path, R_OK) == 0 ? SIMPLUGIN_OK : SIMPLUGIN_CONFIG, "sklearn",
                  "default");
    if (at.error)
        check_message(&at, at.path, "cannot be read", NULL);
    close_place(&at);
}

/* ---- declarations --------------------------------------------------------------------- */

static void test_bad_declarations(void)
{
    static const char *const wrong[] = {
        "{}", "5", "[5]", "[{}]", "[{\"name\": \"\"}]", "[{\"name\": \"a\"}]",
        "[{\"name\": \"a\", \"type\": \"number\"}]",
        "[{\"name\": \"a\", \"type\": \"int\", \"secret\": 1}]",
        "[{\"name\": \"a\", \"type\": \"int\", \"connection\": \"x\"}]",
        "[{\"name\": \"a\", \"type\": \"int\", \"aliases\": \"b\"}]",
        "[{\"name\": \"a\", \"type\": \"int\", \"aliases\": [1]}]",
        "[{\"name\": \"a\", \"type\": \"int\", \"excludes\": \"b\"}]",
        "[{\"name\": \"a\", \"type\": \"int\", \"excludes\": [\"b\", null]}]",
        "[{\"name\": \"a\", \"type\": \"int\"}, {\"name\": \"a\", \"type\": \"int\"}]",
        "[{\"name\":\"a\",\"type\":\"int\",\"aliases\":[\"b\"]},{\"name\":\"b\",\"type\":\"int\"}]",
    };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        sp_parameters parameters;
        simplugin_error *error = NULL;
        json_t *declared = json_loads(wrong[i], JSON_DECODE_ANY, NULL);

        CU_ASSERT_EQUAL(sp_parameters_init(&parameters, "mine", declared, &error),
                        SIMPLUGIN_PROTOCOL);
        CU_ASSERT_PTR_NOT_NULL(strstr(simplugin_error_message(error, NULL), "'mine'"));
        simplugin_error_free(&error);
        json_decref(declared);
    }
}

static void test_bad_default_value(void)
{
    place at;

    open_place(&at, "{}", NULL);
    free(resolve(&at, "mine", "[{\"name\": \"a\", \"type\": \"int\", \"default\": \"x\"}]", NULL,
                 SIMPLUGIN_PROTOCOL));
    check_message(&at, "'mine'", "'a'", "int", NULL);
    /* Nobody needs the default here. */
    check_values(&at, "mine", "[{\"name\": \"a\", \"type\": \"int\", \"default\": \"x\"}]",
                 "{\"a\": 1}", "{\"a\":1}");
    close_place(&at);
}

static void test_bad_options(void)
{
    json_t *environment = json_loads("{\"A\": 5}", 0, NULL);
    json_t *plugins = json_loads("[\"relative\"]", 0, NULL);
    sp_config_options options = {.environment = environment};
    sp_config *config = NULL;

    CU_ASSERT_EQUAL(sp_config_new(&options, &config, NULL), SIMPLUGIN_CONFIG);
    options = (sp_config_options){.plugin_path = plugins};
    CU_ASSERT_EQUAL(sp_config_new(&options, &config, NULL), SIMPLUGIN_PLUGIN_PATH);
    options = (sp_config_options){.data_dir = "relative"};
    CU_ASSERT_EQUAL(sp_config_new(&options, &config, NULL), SIMPLUGIN_CONFIG);
    CU_ASSERT_PTR_NULL(config);
    sp_config_free(NULL);
    json_decref(environment);
    json_decref(plugins);
}

/* ---- paths ---------------------------------------------------------------------------- */

static void test_plugin_directories(void)
{
    json_t *plugins = json_loads("[\"/opt/a\"]", 0, NULL);
    sp_config_options options = {.plugin_path = plugins};
    json_t *dirs = NULL;
    char *text;
    place at;

    open_place(&at, "{\"SIMPLUGIN_PATH\": \"/env/a::/env/b:\"}",
               "{\"plugin_path\": [\"/file/a\", \"/file/b\"]}");
    sp_config_free(at.config);
    options.environment = at.environment;
    CU_ASSERT_EQUAL_FATAL(sp_config_new(&options, &at.config, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(sp_config_plugin_dirs(at.config, &dirs, &at.error), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(json_array_size(dirs), 6);
    json_array_remove(dirs, 5); /* the installed one: wherever that is */
    text = json_dumps(dirs, JSON_COMPACT);
    CU_ASSERT_STRING_EQUAL(text, "[{\"path\":\"/opt/a\",\"origin\":\"plugin_path\"},"
                                 "{\"path\":\"/env/a\",\"origin\":\"environment\"},"
                                 "{\"path\":\"/env/b\",\"origin\":\"environment\"},"
                                 "{\"path\":\"/file/a\",\"origin\":\"plugin_path\"},"
                                 "{\"path\":\"/file/b\",\"origin\":\"plugin_path\"}]");
    free(text);
    json_decref(dirs);
    json_decref(plugins);
    close_place(&at);
}

static void test_bad_plugin_directories(void)
{
    json_t *dirs = NULL;
    place at;

    open_place(&at, "{\"SIMPLUGIN_PATH\": \"/a:b/c\"}", NULL);
    CU_ASSERT_EQUAL(sp_config_plugin_dirs(at.config, &dirs, &at.error), SIMPLUGIN_PLUGIN_PATH);
    check_message(&at, "SIMPLUGIN_PATH", "'b/c'", "not absolute", NULL);
    close_place(&at);
    open_place(&at, "{}", "{\n\"plugin_path\": [\".\"]}");
    CU_ASSERT_EQUAL(sp_config_plugin_dirs(at.config, &dirs, &at.error), SIMPLUGIN_PLUGIN_PATH);
    check_message(&at, "brain.json:2:16", "'.'", NULL);
    close_place(&at);
    open_place(&at, "{}", "{\"plugin_path\": \"/a\"}");
    CU_ASSERT_EQUAL(sp_config_plugin_dirs(at.config, &dirs, &at.error), SIMPLUGIN_CONFIG);
    check_message(&at, "brain.json:1:17", "plugin_path must be an array", NULL);
    close_place(&at);
    open_place(&at, "{}", "{\"plugin_path\": [\"/a\", 5]}");
    CU_ASSERT_EQUAL(sp_config_plugin_dirs(at.config, &dirs, &at.error), SIMPLUGIN_CONFIG);
    check_message(&at, "entry 2", NULL);
    CU_ASSERT_PTR_NULL(dirs);
    close_place(&at);
}

static void check_data_dir(const char *environment, int32_t expected, const char *path)
{
    json_t *variables = json_loads(environment, 0, NULL);
    sp_config_options options = {.environment = variables};
    sp_config *config = NULL;
    char *found = NULL;

    CU_ASSERT_EQUAL_FATAL(sp_config_new(&options, &config, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(sp_config_data_dir(config, &found, NULL), expected);
    if (expected == SIMPLUGIN_OK)
        CU_ASSERT_STRING_EQUAL(found, path);
    free(found);
    sp_config_free(config);
    json_decref(variables);
}

static void test_data_directory(void)
{
    check_data_dir("{\"HOME\": \"/h\", \"XDG_DATA_HOME\": \"/x\", \"SIMPLUGIN_DATA\": \"/d\"}",
                   SIMPLUGIN_OK, "/d");
    check_data_dir("{\"HOME\": \"/h\", \"XDG_DATA_HOME\": \"/x\", \"SIMPLUGIN_DATA\": \"\"}",
                   SIMPLUGIN_OK, "/x/simplugin");
    check_data_dir("{\"HOME\": \"/h\", \"XDG_DATA_HOME\": \"x\"}", SIMPLUGIN_OK,
                   "/h/.local/share/simplugin");
    check_data_dir("{\"HOME\": \"/h\", \"SIMPLUGIN_DATA\": \"d\"}", SIMPLUGIN_CONFIG, NULL);
    check_data_dir("{\"HOME\": \"h\"}", SIMPLUGIN_CONFIG, NULL);
}

/* ---- secrets -------------------------------------------------------------------------- */

static void test_secret_names(void)
{
    static const char *const secret[] = {"password", "PASSWORD", "api_key", "apiKey", "token",
                                         "accessToken", "client-secret", "tls_key_file",
                                         "keys", "db.passwd", "my_passphrase", "apitokens"};
    static const char *const open[] = {"user", "uri", "metric", "collection_name", "timeout",
                                       "skeleton", "", "_", "on_disk"};

    for (size_t i = 0; i < sizeof secret / sizeof secret[0]; i++)
        CU_ASSERT_TRUE(sp_config_is_secret_name(secret[i]));
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++)
        CU_ASSERT_FALSE(sp_config_is_secret_name(open[i]));
}

static void check_masked(const char *values, const char *expected)
{
    sp_parameters parameters = {.owner = NULL};
    json_t *declared = json_loads(
        "[{\"name\": \"pin\", \"type\": \"any\", \"secret\": true}]", 0, NULL);
    json_t *json = json_loads(values, 0, NULL);
    json_t *masked;
    char *text;

    CU_ASSERT_EQUAL_FATAL(sp_parameters_init(&parameters, "x", declared, NULL), SIMPLUGIN_OK);
    masked = sp_config_masked(json, &parameters);
    text = json_dumps(masked, JSON_COMPACT);
    CU_ASSERT_STRING_EQUAL(text, expected);
    if (strcmp(text, expected) != 0)
        printf("\n    is  %s\n    not %s\n", text, expected);
    free(text);
    json_decref(masked);
    json_decref(json);
    json_decref(declared);
    sp_parameters_clear(&parameters);
}

static void test_masking(void)
{
    check_masked("{\"pin\": 4711, \"user\": \"u\", \"api_key\": \"k\", \"token\": null}",
                 "{\"pin\":\"****\",\"user\":\"u\",\"api_key\":\"****\",\"token\":null}");
    check_masked("{\"tls\": {\"key\": [1, 2], \"ca\": \"/x\", \"more\": [{\"secret\": true}]}}",
                 "{\"tls\":{\"key\":\"****\",\"ca\":\"/x\",\"more\":[{\"secret\":\"****\"}]}}");
    check_masked("{\"uri\": \"https://u:p@h:1/x\", \"l\": [\"tcp://a:b c@d\", 1, 2.5, true]}",
                 "{\"uri\":\"https://u:****@h:1/x\",\"l\":[\"tcp://a:****@d\",1,2.5,true]}");
    check_masked("{\"a\": \"u:p/w@x@h:1\", \"b\": \"h:6333\", \"c\": \"x@y\", \"d\": \"\"}",
                 "{\"a\":\"u:****@h:1\",\"b\":\"h:6333\",\"c\":\"x@y\",\"d\":\"\"}");
    check_masked("{\"a\": \"http://h/?x=1&api_key=abc&token=&y=2#z\"}",
                 "{\"a\":\"http://h/?x=1&api_key=****&token=&y=2#z\"}");
    check_masked("{}", "{}");
}

static void test_masking_text(void)
{
    char *text = sp_config_mask_text("cannot reach https://u:p@h:1, as a:b@c said: no  way\n");

    CU_ASSERT_STRING_EQUAL(text, "cannot reach https://u:****@h:1, as a:****@c said: no  way\n");
    free(text);
    text = sp_config_mask_text("");
    CU_ASSERT_STRING_EQUAL(text, "");
    free(text);
}

static void test_secrets_to_remove(void)
{
    json_t *values = json_loads("{\"api_key\": \"k1\", \"tls\": {\"secret\": [\"k2\", \"\"]},"
                                " \"uri\": \"http://u:k3@h\", \"user\": \"u\", \"token\": null}",
                                0, NULL);
    json_t *secrets = sp_config_secrets(values, NULL);
    char *text = json_dumps(secrets, JSON_COMPACT);

    CU_ASSERT_STRING_EQUAL(text, "[\"k1\",\"k2\",\"k3\"]");
    free(text);
    json_decref(secrets);
    json_decref(values);
}

/* ---- threads -------------------------------------------------------------------------- */

static void *resolve_often(void *context)
{
    place *at = context;
    sp_parameters parameters = {.owner = NULL};
    json_t *declared = json_loads(MILVUS, 0, NULL);
    intptr_t wrong = sp_parameters_init(&parameters, "milvus", declared, NULL);

    for (int i = 0; i < 50 && !wrong; i++) {
        json_t *values = NULL;
        json_t *provenance = NULL;

        wrong = sp_config_resolve(at->config, "milvus", &parameters, NULL, &values, &provenance,
                                  NULL);
        json_decref(values);
        json_decref(provenance);
    }
    sp_parameters_clear(&parameters);
    json_decref(declared);
    return (void *)wrong;
}

static void test_threads(void)
{
    pthread_t threads[4];
    place at;

    open_place(&at, "{\"FIFTYONE_BRAIN_SIMILARITY_MILVUS_INDEX_NAME\": \"x\"}",
               "{\"similarity_backends\": {\"milvus\": {\"uri\": \"y\"}}}");
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, resolve_often, &at), 0);
    for (size_t i = 0; i < 4; i++) {
        void *wrong = &at;

        pthread_join(threads[i], &wrong);
        CU_ASSERT_PTR_NULL(wrong);
    }
    CU_ASSERT_EQUAL(at.warnings, 1);
    close_place(&at);
}

static const unit_case cases[] = {
    UNIT_CASE(test_default_is_sklearn, "R1 sklearn is the default backend"),
    UNIT_CASE(test_default_from_file_and_environment,
              "R4 R5 R6 R7 the default backend from environment and file"),
    UNIT_CASE(test_bad_default_is_an_error, "an unusable default is an error, never another"),
    UNIT_CASE(test_backends_left_out, "FIFTYONE_BRAIN_SIMILARITY_BACKENDS and its *"),
    UNIT_CASE(test_backend_names, "names of backends are never paths"),
    UNIT_CASE(test_precedence, "R18 R22 R23 arguments over environment over file over defaults"),
    UNIT_CASE(test_exclusion, "R23 R39 a host given with the call takes the place of the file's uri"),
    UNIT_CASE(test_variables_of_names_with_capitals, "R22 variables for names with capitals"),
    UNIT_CASE(test_credentials_of_each_kind,
              "R10-R14 R16 R17 R19 credentials by all three ways; 0042 is a password"),
    UNIT_CASE(test_full_examples, "R9 R24 R25 the documented file examples, nulls included"),
    UNIT_CASE(test_every_type_from_every_source, "R22 R26 every type from every source"),
    UNIT_CASE(test_conversions, "what a declaration adds to FiftyOne's reading of variables"),
    UNIT_CASE(test_null_stands_for_the_default, "R25 null stands for the backend's default"),
    UNIT_CASE(test_provenance, "where each value came from: variable, path:line:column"),
    UNIT_CASE(test_read_anew_each_time, "R15 the file is read at each use"),
    UNIT_CASE(test_process_environment, "R15 the environment is read at each use"),
    UNIT_CASE(test_sklearn_is_the_flat_plugin, "sklearn and sklearn_flat are one backend"),
    UNIT_CASE(test_variable_of_another_backend, "a variable of a backend with a longer name"),
    UNIT_CASE(test_undeclared, "without a declaration values are what FiftyOne reads"),
    UNIT_CASE(test_other_locale, "numbers under another locale"),
    UNIT_CASE(test_unknown_parameter, "R240 an unknown parameter names the known ones"),
    UNIT_CASE(test_alias, "R240 R116 an alias, with one warning"),
    UNIT_CASE(test_wrong_types, "values of the wrong type"),
    UNIT_CASE(test_wrong_type_in_file, "values of the wrong type in the file"),
    UNIT_CASE(test_values_that_json_cannot_hold, "numbers that JSON cannot hold are refused"),
    UNIT_CASE(test_value_that_is_not_utf8, "variables that are not UTF-8"),
    UNIT_CASE(test_no_file_is_no_error, "R8 no file is no error"),
    UNIT_CASE(test_file_at_home, "R6 R7 ~/.fiftyone/brain_config.json"),
    UNIT_CASE(test_malformed_files, "R244 malformed files: file, line, column, trailing comma"),
    UNIT_CASE(test_errors_hide_what_stands_in_the_file, "R278 syntax errors quote nothing"),
    UNIT_CASE(test_limits, "limits of size and depth"),
    UNIT_CASE(test_unreadable_file, "an unreadable file is an error"),
    UNIT_CASE(test_bad_declarations, "declarations that break the protocol"),
    UNIT_CASE(test_bad_default_value, "a declared default of another type"),
    UNIT_CASE(test_bad_options, "options of the wrong form"),
    UNIT_CASE(test_plugin_directories, "where plugins are searched, in order"),
    UNIT_CASE(test_bad_plugin_directories, "plugin directories must be absolute"),
    UNIT_CASE(test_data_directory, "where local stores live"),
    UNIT_CASE(test_secret_names, "R278 names that say secret"),
    UNIT_CASE(test_masking, "R278 masked values"),
    UNIT_CASE(test_masking_text, "R278 masked messages"),
    UNIT_CASE(test_secrets_to_remove, "R278 texts to be removed from messages of backends"),
    UNIT_CASE(test_threads, "one configuration in four threads"),
};

UNIT_MAIN("config", cases)
