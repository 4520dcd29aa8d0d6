/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "milvus_live.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <time.h>
#include <unistd.h>

#include "contract/contract.h"
#include "tree.h"

#define PREFIX "SIMPLUGIN_TEST_MILVUS_"
#define BODY_MAX 65536

live_server server;
uint64_t session, bare;
static char *directory;

/* ---- the server -------------------------------------------------------------------------- */

static const char *variable(const char *name)
{
    char full[64];
    const char *value;

    snprintf(full, sizeof full, PREFIX "%s", name);
    value = getenv(full);
    return value && *value ? value : NULL;
}

static int environment_read(const char *const *needed)
{
    int ok = 1;

    for (; *needed; needed++)
        if (!variable(*needed)) {
            fprintf(stderr,
                    "milvus_live: " PREFIX "%s is not set: run this by tests/servers/milvus.py, "
                    "which starts a server and says where it is\n",
                    *needed);
            ok = 0;
        }
    server.uri = variable("URI");
    server.kind = variable("KIND");
    server.restart = variable("RESTART");
    server.user = variable("USER");
    server.password = variable("PASSWORD");
    server.ca = variable("CA");
    server.other_ca = variable("OTHER_CA");
    server.server_name = variable("SERVER_NAME");
    server.cert = variable("CERT");
    server.key = variable("KEY");
    server.is_lite = server.kind && strcmp(server.kind, "lite") == 0;
    server.pid = variable("PID") ? atoi(variable("PID")) : 0;
    server.port = ok ? atoi(strrchr(server.uri, ':') + 1) : 0;
    return ok;
}

static void plugin_link(const char *name, const char *target)
{
    char link[4096];

    snprintf(link, sizeof link, "%s/simplugin_%s.so", directory, name);
    if (symlink(target, link))
        abort();
}

/* The brain configuration file, with whatever the server wants of its clients. */
static void configuration_write(const char *path)
{
    json_t *milvus = json_pack("{s:s}", "uri", server.uri);
    json_t *whole = json_pack("{s:s, s:{s:O}}", "default_similarity_backend", "milvus",
                              "similarity_backends", "milvus", milvus);
    const char *const optional[][2] = {
        {"user", server.user}, {"password", server.password}, {"tls_ca", server.ca},
        {"tls_cert", server.cert}, {"tls_key", server.key}};

    for (size_t i = 0; i < sizeof optional / sizeof optional[0]; i++)
        if (optional[i][1])
            json_object_set_new(milvus, optional[i][0], json_string(optional[i][1]));
    if (!whole || json_dump_file(whole, path, JSON_COMPACT))
        abort();
    json_decref(whole);
    json_decref(milvus);
}

/* A session with that configuration file; 0 with a message. */
static uint64_t session_open(const char *path)
{
    if (!ask(0, "session.open",
             "{'config_path': '%s', 'plugin_path': ['%s'], 'data_dir': '%s', 'environment': {}}",
             path, directory, directory))
        return (uint64_t)reply_int("session");
    fprintf(stderr, "milvus_live: %s\n", simplugin_error_message(rig_error, NULL));
    return 0;
}

int live_init(const char *const *needed)
{
    char path[4096];

    if (!environment_read(needed))
        return 0;
    directory = unit_temp_dir();
    plugin_link("milvus", TEST_TOP_BUILDDIR "/.libs/simplugin_milvus.so");
    plugin_link("sklearn", TEST_TOP_BUILDDIR "/.libs/simplugin_sklearn_flat.so");
    snprintf(path, sizeof path, "%s/brain_config.json", directory);
    configuration_write(path);
    session = session_open(path);
    snprintf(path, sizeof path, "%s/none.json", directory);
    bare = session_open(path);
    return session && bare;
}

void live_end(void)
{
    simplugin_close(session, NULL);
    simplugin_close(bare, NULL);
    json_decref(rig_reply);
    rig_reply = NULL;
    simplugin_error_free(&rig_error);
    tree_remove(directory);
    free(directory);
}

const char *live_directory(void)
{
    return directory;
}

void live_kill(void)
{
    CU_ASSERT_EQUAL_FATAL(kill(server.pid, SIGKILL), 0);
}

void live_restart(void)
{
    FILE *output = popen(server.restart, "r");
    int pid = 0;

    if (output && fscanf(output, "%d", &pid) == 1)
        server.pid = pid;
    if (!output || pclose(output) || !pid) {
        fprintf(stderr, "milvus_live: the server could not be started again\n");
        abort();
    }
}

void live_stop(void)
{
    CU_ASSERT_EQUAL_FATAL(kill(server.pid, SIGSTOP), 0);
}

void live_continue(void)
{
    CU_ASSERT_EQUAL_FATAL(kill(server.pid, SIGCONT), 0);
}

/* ---- calls --------------------------------------------------------------------------------- */

live_made live_create(const char *format, ...)
{
    static atomic_int number;
    char pairs[4096];
    live_made made;
    va_list list;

    va_start(list, format);
    vsnprintf(pairs, sizeof pairs, format, list);
    va_end(list);
    snprintf(made.name, sizeof made.name, "live_%d_%d", (int)getpid(), number++);
    ASK(session, "index.create", "{'collection_name': '%s', %s}", made.name, pairs);
    made.index = (uint64_t)reply_int("index");
    return made;
}

void live_drop(live_made *made)
{
    ASK(made->index, "index.cleanup", "{}");
    CU_ASSERT_EQUAL(simplugin_close(made->index, NULL), SIMPLUGIN_OK);
    made->index = 0;
}

uint64_t live_connect(const char *format, ...)
{
    char pairs[4096];
    va_list list;

    va_start(list, format);
    vsnprintf(pairs, sizeof pairs, format, list);
    va_end(list);
    ASK(session, "connection.open", "{'parameters': {%s}}", pairs);
    return (uint64_t)reply_int("connection");
}

uint64_t live_connection(void)
{
    return live_connect("%s", "");
}

int32_t live_call(const live_made *made, const char *method, const char *format, ...)
{
    char pairs[4096];
    va_list list;

    va_start(list, format);
    vsnprintf(pairs, sizeof pairs, format, list);
    va_end(list);
    return ask(made->index, "backend.call", "{'method': '%s', 'body': {'collection': '%s'%s%s}}",
               method, made->name, *pairs ? ", " : "", pairs);
}

int32_t live_do(const live_made *made, const char *method)
{
    return live_call(made, method, "%s", "");
}

int64_t live_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void live_sleep(int64_t milliseconds)
{
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};

    nanosleep(&time, NULL);
}

int live_says(const char *text)
{
    return strstr(simplugin_error_message(rig_error, NULL), text) != NULL;
}

/* ---- points -------------------------------------------------------------------------------- */

float *live_normal(uint64_t seed, uint64_t count, uint64_t dimension)
{
    uint64_t size = count * dimension;
    float *rows = malloc((size_t)(size + 1) * sizeof *rows);

    if (!rows)
        abort();
    for (uint64_t i = 0; i < size; i += 2) {
        double radius = sqrt(-2 * log(1 - (contract_random(seed, i) + 1) / 2 * (1 - 1e-9)));
        double angle = 3.14159265358979 * contract_random(seed, i + 1);

        rows[i] = (float)(radius * cos(angle));
        rows[i + 1] = (float)(radius * sin(angle));
    }
    return rows;
}

void live_id(char id[16], uint64_t row)
{
    snprintf(id, 16, "p%06llu", (unsigned long long)row);
}

uint64_t live_row(const char *id)
{
    return id && *id == 'p' ? strtoull(id + 1, NULL, 10) : UINT64_MAX;
}

/* A column of ids; rows NULL: from first on. Its memory is to be freed. */
static simplugin_column ids_column(const uint64_t *rows, uint64_t first, uint64_t count)
{
    int64_t *offsets = malloc((size_t)(count + 1) * sizeof *offsets);
    char *values = malloc((size_t)(count + 1) * 16);
    simplugin_column column = {.type = SIMPLUGIN_COLUMN_TEXT, .count = count, .offsets = offsets,
                               .values = values};

    if (!offsets || !values)
        abort();
    offsets[0] = 0;
    for (uint64_t i = 0; i < count; i++) {
        char id[16];

        live_id(id, rows ? rows[i] : first + i);
        memcpy(values + offsets[i], id, strlen(id));
        offsets[i + 1] = offsets[i] + (int64_t)strlen(id);
    }
    return column;
}

static void column_free(simplugin_column *column)
{
    free((void *)(uintptr_t)column->offsets);
    free((void *)(uintptr_t)column->values);
}

int32_t live_add(uint64_t index, const float *rows, uint64_t first, uint64_t count,
                 uint64_t dimension)
{
    simplugin_column ids = ids_column(NULL, first, count);
    simplugin_tensor tensor = simplugin_tensor_of(SIMPLUGIN_FLOAT32, rows, count, dimension);
    simplugin_writer writer;
    int32_t code;

    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 2);
    simplugin_write_string(&writer, "ids");
    simplugin_write_column(&writer, &ids);
    simplugin_write_string(&writer, "vectors");
    simplugin_write_tensor(&writer, &tensor);
    code = ask_writer(index, "index.add", &writer);
    simplugin_writer_clear(&writer);
    column_free(&ids);
    return code;
}

int32_t live_remove(uint64_t index, uint64_t first, uint64_t count, uint64_t step)
{
    simplugin_writer writer;
    int32_t code;

    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 1);
    simplugin_write_string(&writer, "ids");
    simplugin_write_array(&writer, count);
    for (uint64_t i = 0; i < count; i++) {
        char id[16];

        live_id(id, first + i * step);
        simplugin_write_string(&writer, id);
    }
    code = ask_writer(index, "index.remove", &writer);
    simplugin_writer_clear(&writer);
    return code;
}

/* JSON with ' for ", as one value. */
static void json_write(simplugin_writer *writer, const char *text)
{
    contract_body body = {0};
    contract_why why = {""};
    char *copy = strdup(text);
    json_t *json;

    for (char *at = copy; at && *at; at++)
        *at = *at == '\'' ? '"' : *at;
    json = copy ? json_loads(copy, 0, NULL) : NULL;
    if (!json || !body_encode(&body, json, 0, &why))
        abort();
    simplugin_write_raw(writer, body.writer.data, body.writer.size);
    body_clear(&body);
    json_decref(json);
    free(copy);
}

int32_t live_search(uint64_t index, const float *queries, uint64_t count, uint64_t dimension,
                    uint64_t k, const char *parameters, uint64_t view)
{
    simplugin_tensor tensor = simplugin_tensor_of(SIMPLUGIN_FLOAT32, queries, count, dimension);
    simplugin_writer writer;
    int32_t code;

    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 4);
    simplugin_write_string(&writer, "vectors");
    simplugin_write_tensor(&writer, &tensor);
    simplugin_write_string(&writer, "k");
    simplugin_write_uint(&writer, k);
    simplugin_write_string(&writer, "view");
    if (view)
        simplugin_write_uint(&writer, view);
    else
        simplugin_write_nil(&writer);
    simplugin_write_string(&writer, "parameters");
    json_write(&writer, parameters ? parameters : "{}");
    code = ask_writer(index, "index.search", &writer);
    simplugin_writer_clear(&writer);
    return code;
}

uint64_t live_view(uint64_t index, const uint64_t *rows, uint64_t count)
{
    simplugin_column ids = ids_column(rows, 0, count);
    simplugin_writer writer;

    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 1);
    simplugin_write_string(&writer, "ids");
    simplugin_write_column(&writer, &ids);
    MUST(ask_writer(index, "view.create", &writer) == SIMPLUGIN_OK);
    simplugin_writer_clear(&writer);
    column_free(&ids);
    return (uint64_t)reply_int("view");
}

uint64_t live_hits(uint64_t q, uint64_t **rows)
{
    const json_t *offsets = json_object_get(rig_reply, "offsets");
    const json_t *ids = json_object_get(rig_reply, "ids");
    json_int_t begin = json_integer_value(json_array_get(offsets, (size_t)q));
    json_int_t end = json_integer_value(json_array_get(offsets, (size_t)q + 1));
    uint64_t count = end > begin ? (uint64_t)(end - begin) : 0;

    *rows = malloc((size_t)(count + 1) * sizeof **rows);
    if (!*rows)
        abort();
    for (uint64_t i = 0; i < count; i++)
        (*rows)[i] = live_row(json_string_value(json_array_get(ids, (size_t)begin + (size_t)i)));
    return count;
}

int64_t live_size(uint64_t index)
{
    MUST(ask(index, "index.size", "{}") == SIMPLUGIN_OK);
    return reply_int("size");
}
