/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocation number N fails, for every N until nothing does: then each function of the
 * configuration and of the loader's listing answers OUT_OF_MEMORY or, where it can do
 * without, succeeds, and never crashes or leaks. Linked with --wrap for the allocators.
 */
#include "config.h"

#include <unistd.h>

#include "config_resolve.h"
#include "loader.h"
#include "simplugin.h"
#include "unit.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);

static long left = -1; /* allocations until one fails; below 0: none does */

static int fails(void)
{
    if (left < 0)
        return 0;
    if (left == 0)
        return 1;
    left--;
    return 0;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t size)
{
    return fails() ? NULL : __real_strndup(text, size);
}

static char file[512];
static json_t *environment;
static json_t *arguments;
static json_t *declared;
static json_t *dirs;

typedef int32_t (*action)(simplugin_error **error);

/* Until N allocations are enough; how many those are. */
static long exhaust(action run)
{
    int32_t code = SIMPLUGIN_OUT_OF_MEMORY;
    long n = 0;

    for (; n < 100000; n++) {
        simplugin_error *error = NULL;
        long unused;

        left = n;
        code = run(&error);
        unused = left;
        left = -1;
        simplugin_error_free(&error);
        if (code == SIMPLUGIN_OK && unused > 0)
            break;
        /* What cannot tell the lack of memory from malformed text says both. */
        if (code != SIMPLUGIN_OK && code != SIMPLUGIN_OUT_OF_MEMORY && code != SIMPLUGIN_CONFIG)
            break;
    }
    CU_ASSERT_EQUAL(code, SIMPLUGIN_OK);
    return n;
}

static int32_t make(sp_config **config, simplugin_error **error)
{
    sp_config_options options = {.environment = environment, .config_path = file};

    return sp_config_new(&options, config, error);
}

static int32_t run_resolve(simplugin_error **error)
{
    sp_parameters parameters = {.owner = NULL};
    sp_config *config = NULL;
    json_t *values = NULL;
    json_t *provenance = NULL;
    int32_t code = make(&config, error);

    if (code == SIMPLUGIN_OK)
        code = sp_parameters_init(&parameters, "milvus", declared, error);
    if (code == SIMPLUGIN_OK)
        code = sp_config_resolve(config, "milvus", &parameters, arguments, &values, &provenance,
                                 error);
    if (code == SIMPLUGIN_OK) {
        json_t *masked = sp_config_masked(values, &parameters);
        json_t *secrets = sp_config_secrets(values, &parameters);

        if (!masked || !secrets)
            code = SIMPLUGIN_OUT_OF_MEMORY;
        else
            CU_ASSERT_EQUAL(json_object_size(masked), json_object_size(values));
        json_decref(masked);
        json_decref(secrets);
    }
    if (code == SIMPLUGIN_OK) {
        CU_ASSERT_EQUAL(json_object_size(values), 5);
        CU_ASSERT_EQUAL(json_array_size(provenance), 5);
    }
    json_decref(values);
    json_decref(provenance);
    sp_parameters_clear(&parameters);
    sp_config_free(config);
    return code;
}

static int32_t run_undeclared(simplugin_error **error)
{
    sp_config *config = NULL;
    json_t *values = NULL;
    int32_t code = make(&config, error);

    if (code == SIMPLUGIN_OK)
        code = sp_config_resolve(config, "qdrant", NULL, arguments, &values, NULL, error);
    json_decref(values);
    sp_config_free(config);
    return code;
}

static int32_t run_default(simplugin_error **error)
{
    sp_config *config = NULL;
    json_t *provenance = NULL;
    json_t *names = NULL;
    char *name = NULL;
    char *path = NULL;
    int only;
    int32_t code = make(&config, error);

    if (code == SIMPLUGIN_OK)
        code = sp_config_default_backend(config, &name, &provenance, error);
    if (code == SIMPLUGIN_OK)
        code = sp_config_backends(config, &names, &only, error);
    if (code == SIMPLUGIN_OK)
        code = sp_config_data_dir(config, &path, error);
    json_decref(names);
    json_decref(provenance);
    free(name);
    free(path);
    sp_config_free(config);
    return code;
}

static int32_t run_dirs(simplugin_error **error)
{
    sp_config *config = NULL;
    json_t *found = NULL;
    int32_t code = make(&config, error);

    if (code == SIMPLUGIN_OK)
        code = sp_config_plugin_dirs(config, &found, error);
    json_decref(found);
    sp_config_free(config);
    return code;
}

static int32_t run_unknown(simplugin_error **error)
{
    json_t *found = NULL;
    int32_t code = sp_loader_find(dirs, "nonesuch", &found, error);

    return code == SIMPLUGIN_BACKEND_UNKNOWN ? SIMPLUGIN_OK : code;
}

static int32_t run_list(simplugin_error **error)
{
    json_t *list = NULL;
    int32_t code = sp_loader_list(dirs, &list, error);

    json_decref(list);
    return code;
}

static int32_t run_mask(simplugin_error **error)
{
    char *text = sp_config_mask_text("https://user:password@host/?token=abc and more, and more");
    int32_t code = text ? SIMPLUGIN_OK : sp_error_no_memory(error);

    free(text);
    return code;
}

static void test_resolve(void)
{
    CU_ASSERT(exhaust(run_resolve) > 50);
    CU_ASSERT(exhaust(run_undeclared) > 20);
}

static void test_default(void)
{
    CU_ASSERT(exhaust(run_default) > 10);
}

static void test_paths(void)
{
    CU_ASSERT(exhaust(run_dirs) > 10);
}

static void test_loader(void)
{
    CU_ASSERT(exhaust(run_unknown) > 3);
    CU_ASSERT(exhaust(run_list) > 3);
}

static void test_mask(void)
{
    CU_ASSERT(exhaust(run_mask) > 0);
}

static const unit_case cases[] = {
    UNIT_CASE(test_resolve, "resolving parameters"),
    UNIT_CASE(test_default, "the default backend, and the data directory"),
    UNIT_CASE(test_paths, "the plugin directories"),
    UNIT_CASE(test_loader, "listing plugins, and naming those there are"),
    UNIT_CASE(test_mask, "masking"),
};

int main(void)
{
    char *dir = unit_temp_dir();
    FILE *out;
    char plugin[600];
    int failed;

    json_set_alloc_funcs(__wrap_malloc, free);
    snprintf(file, sizeof file, "%s/brain.json", dir);
    snprintf(plugin, sizeof plugin, "%s/simplugin_some.so", dir);
    out = fopen(file, "w");
    if (!out || fputs("{\"similarity_backends\": {\"milvus\": {\"uri\": \"http://a:b@c\", \"n\": 1, \"port\": 5},"
                      " \"qdrant\": {\"a\": [1, 2.5]}}, \"default_similarity_backend\": \"qdrant\","
                      " \"plugin_path\": [\"/a\"]}",
                      out) < 0 ||
        fclose(out) != 0)
        abort();
    out = fopen(plugin, "w");
    if (!out || fclose(out) != 0)
        abort();
    environment = json_loads("{\"FIFTYONE_BRAIN_SIMILARITY_MILVUS_INDEX_NAME\": \"0042\","
                             " \"FIFTYONE_BRAIN_SIMILARITY_MILVUS_HOSTS\": \"a,1,2.5\","
                             " \"FIFTYONE_BRAIN_SIMILARITY_QDRANT_X\": \"1.5\","
                             " \"FIFTYONE_BRAIN_SIMILARITY_BACKENDS\": \"*,mine\","
                             " \"SIMPLUGIN_PATH\": \"/b:/c\", \"HOME\": \"/h\"}",
                             0, NULL);
    arguments = json_loads("{\"password\": \"p\"}", 0, NULL);
    declared = json_loads("[{\"name\": \"uri\", \"type\": \"text\"}, {\"name\": \"n\", \"type\": \"float\"},"
                          " {\"name\": \"port\", \"type\": \"int\", \"excludes\": [\"password\"]},"
                          " {\"name\": \"password\", \"type\": \"text\", \"secret\": true},"
                          " {\"name\": \"collection_name\", \"type\": \"text\", \"aliases\":"
                          " [\"index_name\"]}, {\"name\": \"hosts\", \"type\": \"list\"}]",
                          0, NULL);
    dirs = json_pack("[{s:s, s:s}]", "path", dir, "origin", "environment");
    if (!environment || !declared || !arguments || !dirs)
        abort();
    failed = unit_run("config memory", cases, sizeof cases / sizeof cases[0]);
    json_decref(environment);
    json_decref(arguments);
    json_decref(declared);
    json_decref(dirs);
    unlink(file);
    unlink(plugin);
    rmdir(dir);
    free(dir);
    return failed;
}
