/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "index_rig.h"

const simplugin_host *rig_host;
int (*rig_before)(const rig_call *call, int32_t *code);
int32_t (*rig_after)(const rig_call *call, int32_t code);
int32_t (*rig_open)(simplugin_instance **instance, simplugin_error **error);
int rig_opened, rig_closed;
uint64_t rig_describe_count;
void (*rig_describe)(simplugin_writer *writer);
uint64_t rig_session;

static const simplugin_backend *inner;
static char *directory;

/* ---- the backend ---------------------------------------------------------------------- */

int rig_is(const rig_call *call, const char *method)
{
    return call->info->method_size == strlen(method) &&
           memcmp(call->info->method, method, strlen(method)) == 0;
}

int32_t rig_ask(const rig_call *call, const simplugin_writer *writer)
{
    simplugin_request request = simplugin_writer_request(writer);

    return inner->call(call->instance, call->info, &request, call->reply, call->error);
}

static int32_t table_call(simplugin_instance *instance, const simplugin_call_info *info,
                          const simplugin_request *request, simplugin_reply *reply,
                          simplugin_error **error)
{
    rig_call call = {instance, info, request, reply, error};
    int32_t code = SIMPLUGIN_OK;

    if (rig_before && rig_before(&call, &code))
        return code;
    code = inner->call(instance, info, request, reply, error);
    return rig_after ? rig_after(&call, code) : code;
}

static int32_t table_open(const simplugin_call_info *info, const simplugin_request *request,
                          simplugin_instance **instance, simplugin_error **error)
{
    rig_opened++;
    return rig_open ? rig_open(instance, error) : inner->open(info, request, instance, error);
}

static void table_close(simplugin_instance *instance)
{
    rig_closed++;
    inner->close(instance);
}

/* The inner map with pairs of ours behind its own: the last of two equal keys counts. */
static int32_t table_describe(simplugin_reply *reply, simplugin_error **error)
{
    simplugin_reply theirs = {.size = sizeof theirs};
    simplugin_writer writer;
    simplugin_value map;
    int32_t code = inner->describe(rig_describe ? &theirs : reply, error);

    if (code || !rig_describe)
        return code;
    map = simplugin_body_value(theirs.body, theirs.body_size);
    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, map.size + rig_describe_count);
    simplugin_write_raw(&writer, map.data, theirs.body_size - (uint64_t)(map.data - theirs.body));
    rig_describe(&writer);
    code = simplugin_writer_reply(&writer, rig_host, reply);
    simplugin_writer_clear(&writer);
    simplugin_reply_clear(&theirs);
    return code;
}

static int32_t rig_entry(const simplugin_host *host, const simplugin_backend **backend,
                         simplugin_error **error)
{
    static simplugin_backend table;
    int32_t code = simplugin_backend_entry(host, &inner, error);

    rig_host = host;
    if (code)
        return code;
    table = *inner;
    /* the backend has a lock of its own, and hooks make calls from inside calls */
    table.threads = SIMPLUGIN_THREADS_CONCURRENT;
    table.describe = table_describe;
    table.open = table_open;
    table.call = table_call;
    table.close = table_close;
    *backend = &table;
    return code;
}

/* ---- the life of a test --------------------------------------------------------------- */

void rig_start(void)
{
    static int registered;
    char path[300];
    FILE *file;

    if (!registered++ && simplugin_backend_register("rig", rig_entry, NULL))
        abort();
    directory = unit_temp_dir();
    snprintf(path, sizeof path, "%s/config.json", directory);
    file = fopen(path, "w");
    if (!file || fputs("{}", file) < 0 || fclose(file))
        abort();
    rig_opened = rig_closed = 0;
    if (ask(0, "session.open", "{'data_dir': '%s', 'config_path': '%s', 'environment': {}}",
            directory, path)) {
        fprintf(stderr, "%s\n", simplugin_error_message(rig_error, NULL));
        abort();
    }
    rig_session = (uint64_t)reply_int("session");
}

void rig_stop(void)
{
    CU_ASSERT_EQUAL(simplugin_close(rig_session, NULL), SIMPLUGIN_OK);
    rig_before = NULL;
    rig_after = NULL;
    rig_open = NULL;
    rig_describe = NULL;
    rig_describe_count = 0;
    memset(&rig_options, 0, sizeof rig_options);
    json_decref(rig_reply);
    rig_reply = NULL;
    simplugin_error_free(&rig_error);
    tree_remove(directory);
    free(directory);
    directory = NULL;
}

uint64_t rig_index(const char *metric, const char *more)
{
    if (ask(rig_session, "index.create", "{'backend': 'rig', 'metric': '%s'%s}", metric, more)) {
        fprintf(stderr, "%s\n", simplugin_error_message(rig_error, NULL));
        abort();
    }
    return (uint64_t)reply_int("index");
}
