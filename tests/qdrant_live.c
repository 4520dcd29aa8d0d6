/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The qdrant plugin against a server, through the library's public functions.
 *
 *     qdrant.py --work DIR [...] -- qdrant_live SUITE [--only REGEX]
 *
 * tests/servers/qdrant.py starts a stand-in and tells where it is. SIMPLUGIN_TEST_QDRANT_URL may
 * name a real server instead (with _API_KEY, _CA and so on where it wants them): cases that need
 * what only the stand-in has are then left out, and named.
 */
#include "config.h"

#include "qdrant_live.h"

#include <stdarg.h>

live_server server;

static void server_read(void)
{
    const char *port;

    server.url = live_variable("URL");
    server.api_key = live_variable("API_KEY");
    server.read_only_api_key = live_variable("READ_ONLY_API_KEY");
    server.ca = live_variable("CA");
    server.other_ca = live_variable("OTHER_CA");
    server.server_name = live_variable("SERVER_NAME");
    server.cert = live_variable("CERT");
    server.key = live_variable("KEY");
    port = server.url ? strrchr(server.url, ':') : NULL;
    server.port = port ? atoi(port + 1) : 0;
}

/* Whatever the server wants of its clients. */
static json_t *configure(void)
{
    server_read();
    return json_pack("{s:s, s:s*, s:s*, s:s*, s:s*}", "url", server.url, "api_key", server.api_key,
                     "tls_ca", server.ca, "tls_cert", server.cert, "tls_key", server.key);
}

/* ---- requests ------------------------------------------------------------------------------ */

int32_t live_request(uint64_t target, const char *method, const char *path, const char *format, ...)
{
    char body[8192];
    va_list list;

    va_start(list, format);
    vsnprintf(body, sizeof body, format, list);
    va_end(list);
    return ask(target, "backend.call",
               "{'method': 'native.request', 'body': {'method': '%s', 'path': '%s'%s%s}}", method,
               path, *body ? ", 'body': " : "", body);
}

json_t *live_result(const char *path)
{
    json_t *at = json_object_get(rig_reply, "result");
    char name[64];

    while (*path) {
        size_t size = strcspn(path, ".");

        snprintf(name, sizeof name, "%.*s", (int)size, path);
        at = json_object_get(at, name);
        path += size + (path[size] != 0);
    }
    return at;
}

/* Of a connection that is open, and closed then. */
static int32_t health_of_opened(void)
{
    uint64_t connection = (uint64_t)reply_int("connection");
    int32_t code = ask(connection, "health", "{}");

    CU_ASSERT_EQUAL(simplugin_close(connection, NULL), SIMPLUGIN_OK);
    return code;
}

int32_t live_health(const char *format, ...)
{
    char parameters[4096];
    va_list list;
    int32_t code;

    va_start(list, format);
    vsnprintf(parameters, sizeof parameters, format, list);
    va_end(list);
    code = ask(session, "connection.open", "{'parameters': {%s}}", parameters);
    return code ? code : health_of_opened();
}

int32_t live_bare_health(const char *format, ...)
{
    char parameters[4096];
    va_list list;
    int32_t code;

    va_start(list, format);
    vsnprintf(parameters, sizeof parameters, format, list);
    va_end(list);
    code = ask(bare, "connection.open", "{'backend': 'qdrant', 'parameters': {%s}}", parameters);
    return code ? code : health_of_opened();
}

/* ---- what is right --------------------------------------------------------------------------- */

static int text_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char *live_matching(uint64_t index, const char *filter)
{
    simplugin_writer writer;
    const char **ids;
    size_t count, size = 1;
    char *text;

    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 3);
    simplugin_write_string(&writer, "filter");
    simplugin_write_string(&writer, filter);
    simplugin_write_string(&writer, "vectors");
    simplugin_write_bool(&writer, 0);
    simplugin_write_string(&writer, "max_rows");
    simplugin_write_uint(&writer, 100000);
    MUST(ask_writer(index, "scan.open", &writer) == SIMPLUGIN_OK);
    simplugin_writer_clear(&writer);
    MUST(ask((uint64_t)reply_int("scan"), "scan.next", "{}") == SIMPLUGIN_OK);
    count = json_array_size(json_object_get(rig_reply, "ids"));
    ids = calloc(count + 1, sizeof *ids);
    CU_ASSERT_PTR_NOT_NULL_FATAL(ids);
    for (size_t i = 0; i < count; i++) {
        ids[i] = json_string_value(json_array_get(json_object_get(rig_reply, "ids"), i));
        size += strlen(ids[i]) + 1;
    }
    qsort(ids, count, sizeof *ids, text_compare);
    text = calloc(size, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    for (size_t i = 0; i < count; i++)
        sprintf(text + strlen(text), "%s%s", i ? " " : "", ids[i]);
    free(ids);
    return text;
}

uint64_t live_flat(const char *format, ...)
{
    char pairs[1024];
    va_list list;

    va_start(list, format);
    vsnprintf(pairs, sizeof pairs, format, list);
    va_end(list);
    ASK(session, "index.create", "{'backend': 'sklearn', %s}", pairs);
    return (uint64_t)reply_int("index");
}

int live_indexed(const live_made *made, uint64_t count)
{
    int64_t end = live_now() + 120000;
    char path[128];

    snprintf(path, sizeof path, "/collections/%s", made->name);
    for (;;) {
        const char *status;

        MUST(live_request(made->index, "GET", path, "%s", "") == SIMPLUGIN_OK);
        status = json_string_value(live_result("status"));
        if (status && strcmp(status, "green") == 0 &&
            json_integer_value(live_result("indexed_vectors_count")) >= (json_int_t)count)
            return 1;
        if (live_now() > end)
            return 0;
        live_sleep(100);
    }
}

uint64_t live_agreement(const live_made *made, uint64_t view, uint64_t flat, uint64_t flat_view,
                        const float *queries, uint64_t count, uint64_t dimension, uint64_t k,
                        const char *parameters)
{
    uint64_t right = 0;

    for (uint64_t q = 0; q < count; q++) {
        uint64_t *ours, *theirs, found;

        MUST(live_search(flat, queries + q * dimension, 1, dimension, k, NULL, flat_view) ==
             SIMPLUGIN_OK);
        CU_ASSERT_EQUAL_FATAL(live_hits(0, &theirs), k);
        MUST(live_search(made->index, queries + q * dimension, 1, dimension, k, parameters, view) ==
             SIMPLUGIN_OK);
        found = live_hits(0, &ours);
        CU_ASSERT_EQUAL(found, k);
        for (uint64_t i = 0; i < found; i++)
            for (uint64_t j = 0; j < k; j++)
                right += ours[i] == theirs[j];
        free(ours);
        free(theirs);
    }
    return right;
}

/* ---- the program ----------------------------------------------------------------------------- */

static const live_program programs[] = {
    {"server",
     {&live_large, &live_input, &live_fields, &live_ids, &live_schema, &live_data, &live_process,
      &live_away, &live_fault, &live_connections, &live_killed},
     {"URL"}},
    {"auth", {&live_auth}, {"URL", "API_KEY", "READ_ONLY_API_KEY"}},
    {"tls-one", {&live_tls_one}, {"URL", "CA", "OTHER_CA", "SERVER_NAME"}},
    {"tls-two", {&live_tls_two}, {"URL", "CA", "CERT", "KEY"}},
    {"tls-expired", {&live_tls_expired}, {"URL", "CA"}},
    {"http2", {&live_http2}, {"URL", "CA", "FAULTS"}},
    {"old", {&live_old}, {"URL", "FAULTS"}},
    {"too-old", {&live_too_old}, {"URL"}},
};

int main(int argc, char **argv)
{
    const live_backend backend = {"qdrant", "SIMPLUGIN_TEST_QDRANT_", configure, programs,
                                  sizeof programs / sizeof programs[0], live_roles,
                                  live_role_count};

    return live_main(&backend, argc, argv);
}
