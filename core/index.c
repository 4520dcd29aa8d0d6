/* SPDX-License-Identifier: Apache-2.0 */
/* Making and opening indexes, and what is recorded of them. */
#include "index.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "distance.h"
#include "endpoint.h"
#include "index_settings.h"
#include "log.h"
#include "suggest.h"

#define DIMENSION_MAX (INT64_C(1) << 24)
#define DROP_MS 5000

int32_t sp_request_finish(sp_request *request, const simplugin_writer *writer,
                          simplugin_error **error)
{
    return simplugin_writer_reply(writer, &sp_host, request->reply) ? sp_error_no_memory(error)
                                                                   : SIMPLUGIN_OK;
}

void sp_index_write_collection(const sp_index *index, simplugin_writer *writer)
{
    simplugin_write_string(writer, "collection");
    simplugin_write_string(writer, index->collection);
}

static void index_destroy(sp_object *object)
{
    sp_index *index = (sp_index *)object;

    if (index->connection)
        sp_session_unshare(index->session, index->connection);
    sp_object_release(sp_session_object(index->session));
    sp_arena_free(&index->texts);
    json_decref(index->create_parameters);
    json_decref(index->public_parameters);
    json_decref(index->fields);
    sp_queue_clear(&index->making);
    free(index);
}

static sp_index *index_new(sp_session *session, uint64_t parent)
{
    sp_index *index = calloc(1, sizeof *index);

    if (!index || !sp_queue_init(&index->making)) {
        free(index);
        return NULL;
    }
    sp_object_init(&index->object, SP_INDEX, parent, index_destroy);
    index->session = session;
    sp_object_hold(sp_session_object(session));
    return index;
}

/* A copy that lives as long as the index; of NULL, NULL. 0 when memory is short. */
static int text_keep(sp_index *index, const char **to, const char *from)
{
    *to = from ? sp_arena_text(&index->texts, from, strlen(from)) : NULL;
    return *to || !from;
}

/* The arena is one thread's: that which makes the index, or has its turn in making. */
static int collection_set(sp_index *index, const char *name, uint64_t size)
{
    const char *copy = sp_arena_text(&index->texts, name, size);

    if (copy)
        index->collection = copy;
    return copy != NULL;
}

static int metric_set(sp_index *index, const char *name, uint64_t size)
{
    const char *copy = sp_arena_text(&index->texts, name, size);

    if (!copy)
        return 0;
    index->metric_id = sp_metric_named(copy);
    index->metric = copy;
    return 1;
}

static sp_runs_wait wait_of(const sp_context *context)
{
    sp_runs_wait wait = {context->deadline, context->cancel, sp_cancelled};

    return wait;
}

static sp_text text_of(const char *string)
{
    sp_text text = {string, strlen(string)};

    return text;
}

/* ---- the collection ------------------------------------------------------------------- */

int32_t sp_index_exists(sp_index *index, const sp_context *context, int *exists,
                        simplugin_error **error)
{
    simplugin_reply reply = SP_REPLY_INIT;
    simplugin_writer writer;
    simplugin_value map;
    int32_t code;

    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 1);
    sp_index_write_collection(index, &writer);
    code = sp_connection_send(index->connection, context, "collection.exists", &writer, &reply,
                              error);
    map = simplugin_body_value(reply.body, reply.body_size);
    if (!code && simplugin_find_bool(&map, "exists", exists) != 1)
        code = sp_error_set(error, SIMPLUGIN_PROTOCOL, index->backend,
                            "%s: collection.exists: no \"exists\" in the answer", index->backend);
    simplugin_reply_clear(&reply);
    simplugin_writer_clear(&writer);
    return code;
}

int32_t sp_index_describe(sp_index *index, int take, const sp_context *context,
                          simplugin_error **error)
{
    simplugin_reply reply = SP_REPLY_INIT;
    simplugin_writer writer;
    simplugin_value map;
    const char *metric = NULL;
    uint64_t size = 0;
    int64_t dimension = 0;
    int has_metric, patches = 0;
    int32_t code;

    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 1);
    sp_index_write_collection(index, &writer);
    code = sp_connection_send(index->connection, context, "collection.describe", &writer, &reply,
                              error);
    map = simplugin_body_value(reply.body, reply.body_size);
    has_metric = simplugin_find_text(&map, "metric", &metric, &size);
    if (!code && (simplugin_find_int(&map, "dimension", &dimension) != 1 || dimension < 1 ||
                  has_metric < 0))
        code = sp_error_set(error, SIMPLUGIN_PROTOCOL, index->backend,
                            "%s: collection.describe: no dimension or metric in the answer",
                            index->backend);
    if (!code && !has_metric) {
        code = sp_error_set(error, SIMPLUGIN_INVALID_ARGUMENT, "core",
                            "collection \"%s\" has no metric, as its vectors have no index yet: "
                            "index.create of the backend makes one (backend.call)",
                            index->collection);
        sp_error_add_detail(error, "argument", "collection_name");
    }
    if (!code && (strlen(index->metric) != size || memcmp(index->metric, metric, size))) {
        if (!(take & SP_TAKE_METRIC)) {
            code = sp_error_set(error, SIMPLUGIN_INVALID_ARGUMENT, "core",
                                "collection \"%s\" was made meanwhile with metric %.*s, not %s: "
                                "open it again",
                                index->collection, (int)size, metric, index->metric);
            sp_error_add_detail(error, "argument", "metric");
        } else if (!metric_set(index, metric, size)) {
            code = sp_error_no_memory(error);
        }
    }
    if (!code && take & SP_TAKE_PATCHES && simplugin_find_bool(&map, "patches", &patches) == 1)
        index->patches = patches;
    if (!code)
        atomic_store(&index->dimension, (uint64_t)dimension);
    simplugin_reply_clear(&reply);
    simplugin_writer_clear(&writer);
    return code;
}

int32_t sp_index_create_collection(sp_index *index, uint64_t dimension, const sp_context *context,
                                   int *made, simplugin_error **error)
{
    simplugin_reply reply = SP_REPLY_INIT;
    json_t *fields = NULL;
    simplugin_writer writer;
    simplugin_value map;
    const char *name;
    uint64_t size;
    int32_t code;

    *made = 0;
    simplugin_writer_init(&writer);
    fields = index->fields ? json_copy(index->fields) : json_object();
    if (!fields || (index->patches &&
                    json_object_set_new(fields, SP_SAMPLE_ID, json_string("text")))) {
        code = sp_error_no_memory(error);
        goto out;
    }
    simplugin_write_map(&writer, 5);
    sp_index_write_collection(index, &writer);
    simplugin_write_string(&writer, "dimension");
    simplugin_write_uint(&writer, dimension);
    simplugin_write_string(&writer, "metric");
    simplugin_write_string(&writer, index->metric);
    simplugin_write_string(&writer, "fields");
    sp_json_write(&writer, fields);
    simplugin_write_string(&writer, "parameters");
    sp_json_write(&writer, index->create_parameters);
    code = sp_connection_send(index->connection, context, "collection.create", &writer, &reply,
                              error);
    if (code)
        goto out;
    *made = 1;
    map = simplugin_body_value(reply.body, reply.body_size);
    if (simplugin_find_text(&map, "collection", &name, &size) == 1 &&
        (size != strlen(index->collection) || memcmp(name, index->collection, (size_t)size))) {
        sp_log(SIMPLUGIN_LOG_WARNING, "%s: collection \"%s\" is called \"%.*s\" there",
               index->backend, index->collection, (int)size, name);
        if (!collection_set(index, name, size)) {
            code = sp_error_no_memory(error);
            goto out;
        }
    }
    code = sp_index_describe(index, SP_TAKE_METRIC, context, error);
out:
    json_decref(fields);
    simplugin_reply_clear(&reply);
    simplugin_writer_clear(&writer);
    return code;
}

int32_t sp_index_drop(sp_index *index, const char *metric, const sp_context *context,
                      simplugin_error **error)
{
    simplugin_reply reply = SP_REPLY_INIT;
    simplugin_writer writer;
    int32_t code;

    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 1);
    sp_index_write_collection(index, &writer);
    code = sp_connection_send(index->connection, context, "collection.drop", &writer, &reply,
                              error);
    simplugin_reply_clear(&reply);
    simplugin_writer_clear(&writer);
    if (!code)
        atomic_store(&index->dimension, 0);
    return code || metric_set(index, metric, strlen(metric)) ? code : sp_error_no_memory(error);
}

static void collection_drop(sp_index *index)
{
    /* what was made is taken back also where the call was cancelled or ran out of time */
    sp_context context = {.deadline = sp_clock_deadline(DROP_MS)};

    sp_index_drop(index, index->metric, &context, NULL);
}

int sp_index_rename(sp_index *index, const char *collection)
{
    return collection_set(index, collection, strlen(collection));
}

/* ---- the record ----------------------------------------------------------------------- */

static json_t *optional(const char *text)
{
    return text ? json_string(text) : json_null();
}

static json_t *record_new(const sp_index *index)
{
    uint64_t dimension = atomic_load(&index->dimension);

    return json_pack("{ss,ss,ss,ss,so,so,so,sb,sO,so}", "type", "similarity", "backend",
                     index->backend, "collection_name", index->collection, "metric", index->metric,
                     "dimension", dimension ? json_integer((json_int_t)dimension) : json_null(),
                     "patches_field", optional(index->patches_field), "model",
                     optional(index->model), "supports_prompts", index->supports_prompts,
                     "parameters", index->public_parameters, "fields",
                     index->fields ? json_incref(index->fields) : json_null());
}

int32_t sp_index_record_put(sp_index *index, int mode, const sp_resolved *resolved,
                            const sp_context *context, simplugin_error **error)
{
    sp_runs_wait wait = wait_of(context);
    const char **secrets = NULL;
    size_t secret_count = 0;
    sp_runs *runs = NULL;
    json_t *record;
    int32_t code;

    if (!index->brain_key)
        return SIMPLUGIN_OK;
    if (resolved && !(secrets = sp_resolved_secrets(resolved, &secret_count)))
        return sp_error_no_memory(error);
    record = record_new(index);
    code = record ? sp_session_runs(index->session, &runs, error) : sp_error_no_memory(error);
    if (!code)
        code = sp_runs_put(runs, text_of(index->dataset), text_of(index->brain_key), record,
                           secrets, secret_count, mode, &wait, error);
    json_decref(record);
    free(secrets);
    return code;
}

/* Records what is known now that the collection is there, unless the record is another's. */
static int32_t record_update(sp_index *index, const char *collection, const sp_context *context,
                             simplugin_error **error)
{
    sp_runs_wait wait = wait_of(context);
    sp_runs *runs = NULL;
    json_t *record = NULL;
    const char *recorded;
    int32_t code;

    if (!index->brain_key)
        return SIMPLUGIN_OK;
    code = sp_session_runs(index->session, &runs, error);
    if (!code)
        code = sp_runs_get(runs, text_of(index->dataset), text_of(index->brain_key), &wait, &record,
                           error);
    if (!code) {
        recorded = json_string_value(json_object_get(json_object_get(record, "config"),
                                                     "collection_name"));
        if (recorded && strcmp(recorded, collection) == 0)
            code = sp_index_record_put(index, SP_RUNS_UPDATE, NULL, context, error);
    }
    json_decref(record);
    /* an index whose record was renamed or deleted meanwhile works on */
    if (code == SIMPLUGIN_NOT_FOUND) {
        simplugin_error_free(error);
        code = SIMPLUGIN_OK;
    }
    return code;
}

int32_t sp_index_record_check_free(sp_session *session, const sp_index_settings *s,
                                   const sp_context *context, simplugin_error **error)
{
    sp_runs_wait wait = wait_of(context);
    sp_runs *runs = NULL;
    json_t *record = NULL;
    int32_t code;

    if (!s->brain_key)
        return SIMPLUGIN_OK;
    code = sp_session_runs(session, &runs, error);
    if (!code)
        code = sp_runs_get(runs, text_of(s->dataset), text_of(s->brain_key), &wait, &record, error);
    json_decref(record);
    if (code == SIMPLUGIN_NOT_FOUND) {
        simplugin_error_free(error);
        return SIMPLUGIN_OK;
    }
    if (code || s->overwrite)
        return code;
    sp_error_set(error, SIMPLUGIN_ALREADY_EXISTS, "runs",
                 "dataset \"%s\" has a run \"%s\": choose another brain_key, or give overwrite",
                 s->dataset, s->brain_key);
    sp_error_add_detail(error, "brain_key", s->brain_key);
    return SIMPLUGIN_ALREADY_EXISTS;
}

int32_t sp_index_look(sp_index *index, const sp_context *context, simplugin_error **error)
{
    int exists = 0;
    int32_t code;

    if (atomic_load(&index->dimension))
        return SIMPLUGIN_OK;
    code = sp_queue_enter(&index->making, context, "collection.exists", error);
    if (code)
        return code;
    if (!atomic_load(&index->dimension)) {
        code = sp_index_exists(index, context, &exists, error);
        if (!code && exists)
            code = sp_index_describe(index, 0, context, error);
    }
    sp_queue_leave(&index->making);
    return code;
}

int32_t sp_index_explain(sp_index *index, const sp_context *context, int32_t code,
                         simplugin_error **error)
{
    int exists = 0;

    if (code != SIMPLUGIN_NOT_FOUND || !error || !atomic_load(&index->dimension) ||
        sp_index_exists(index, context, &exists, NULL) || exists)
        return code;
    sp_error_set(error, code, index->backend,
                 "%s: collection \"%s\" was dropped after this index was opened: index.add makes it "
                 "anew",
                 index->backend, index->collection);
    sp_error_add_detail(error, "collection", index->collection);
    return code;
}

int32_t sp_index_forget(sp_index *index, const sp_context *context, simplugin_error **error)
{
    int exists = 0;
    int32_t code = sp_queue_enter(&index->making, context, "collection.exists", error);

    if (code)
        return code;
    code = sp_index_exists(index, context, &exists, error);
    if (!code && !exists)
        atomic_store(&index->dimension, 0);
    sp_queue_leave(&index->making);
    return code;
}

static int32_t dimension_check(const sp_describe *describe, const char *backend, uint64_t dimension,
                               const char *argument, simplugin_error **error)
{
    if (dimension <= describe->max_dimension)
        return SIMPLUGIN_OK;
    sp_error_set(error, SIMPLUGIN_INVALID_ARGUMENT, "core",
                 "dimension %llu is above the %llu that %s can do", (unsigned long long)dimension,
                 (unsigned long long)describe->max_dimension, backend);
    sp_error_add_detail(error, "argument", argument);
    return SIMPLUGIN_INVALID_ARGUMENT;
}

int32_t sp_dimension_mismatch(uint64_t given, uint64_t has, simplugin_error **error)
{
    sp_error_set(error, SIMPLUGIN_DIMENSION_MISMATCH, "core",
                 "vectors have dimension %llu, the index has %llu", (unsigned long long)given,
                 (unsigned long long)has);
    sp_error_add_detail(error, "argument", "vectors");
    return SIMPLUGIN_DIMENSION_MISMATCH;
}

int32_t sp_index_make(sp_index *index, uint64_t dimension, const sp_context *context,
                      simplugin_error **error)
{
    uint64_t has;
    int32_t code = SIMPLUGIN_OK;

    if (!atomic_load(&index->dimension)) {
        code = sp_queue_enter(&index->making, context, "collection.create", error);
        if (code)
            return code;
        if (!atomic_load(&index->dimension)) {
            const char *name = index->collection;
            int made;

            code = dimension_check(sp_connection_describe(index->connection), index->backend,
                                   dimension, "vectors", error);
            if (!code)
                code = sp_index_create_collection(index, dimension, context, &made, error);
            /* somebody else was first */
            if (code == SIMPLUGIN_ALREADY_EXISTS) {
                simplugin_error_free(error);
                code = sp_index_describe(index, 0, context, error);
            }
            if (!code)
                code = record_update(index, name, context, error);
        }
        sp_queue_leave(&index->making);
    }
    has = atomic_load(&index->dimension);
    return !code && has != dimension ? sp_dimension_mismatch(dimension, has, error) : code;
}

/* ---- create and open ------------------------------------------------------------------ */

static int32_t reply_write(const sp_index *index, sp_request *request, simplugin_error **error)
{
    uint64_t dimension = atomic_load(&index->dimension);
    simplugin_writer writer;
    int32_t code;

    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 12);
    simplugin_write_string(&writer, "index");
    simplugin_write_uint(&writer, index->object.handle);
    simplugin_write_string(&writer, "backend");
    simplugin_write_string(&writer, index->backend);
    simplugin_write_string(&writer, "collection_name");
    simplugin_write_string(&writer, index->collection);
    simplugin_write_string(&writer, "dimension");
    if (dimension)
        simplugin_write_uint(&writer, dimension);
    else
        simplugin_write_nil(&writer);
    simplugin_write_string(&writer, "metric");
    simplugin_write_string(&writer, index->metric);
    simplugin_write_string(&writer, "brain_key");
    simplugin_write_string(&writer, index->brain_key);
    simplugin_write_string(&writer, "dataset");
    simplugin_write_string(&writer, index->dataset);
    simplugin_write_string(&writer, "existing");
    simplugin_write_bool(&writer, index->existing);
    simplugin_write_string(&writer, "patches_field");
    simplugin_write_string(&writer, index->patches_field);
    simplugin_write_string(&writer, "patches");
    simplugin_write_bool(&writer, index->patches);
    simplugin_write_string(&writer, "model");
    simplugin_write_string(&writer, index->model);
    simplugin_write_string(&writer, "supports_prompts");
    simplugin_write_bool(&writer, index->supports_prompts);
    code = sp_request_finish(request, &writer, error);
    simplugin_writer_clear(&writer);
    return code;
}

static const char *value_text(const json_t *values, const char *key)
{
    return json_string_value(json_object_get(values, key));
}

/* "quickstart_img_sim_9f2c41d07ab3": readable, legal nearly everywhere, and unique. */
static char *name_generate(const sp_index_settings *s)
{
    const char *parts[2] = {s->dataset, s->brain_key ? s->brain_key : "index"};
    uint8_t random[6];
    sp_buffer buffer;

    sp_buffer_init(&buffer);
    for (int i = 0; i < 2; i++) {
        for (const char *p = parts[i]; *p && buffer.size < 100; p++) {
            int plain = (*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') ||
                        (*p >= 'A' && *p <= 'Z') || *p == '_';

            sp_buffer_append(&buffer, plain ? p : "_", 1);
        }
        sp_buffer_append_text(&buffer, "_");
    }
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
        sp_buffer_clear(&buffer);
        return NULL;
    }
    for (size_t i = 0; i < sizeof random; i++)
        sp_buffer_printf(&buffer, "%02x", random[i]);
    return sp_buffer_steal(&buffer, NULL);
}

static int32_t metric_check(const sp_describe *describe, const char *backend, const char *metric,
                            simplugin_error **error)
{
    json_t *list = json_object_get(describe->json, "metrics");
    const char *known[64];
    const char *near;
    sp_buffer buffer;
    size_t count = 0, i;
    json_t *item;
    char *text;

    json_array_foreach(list, i, item)
        if (json_is_string(item) && count < 64)
            known[count++] = json_string_value(item);
    for (i = 0; i < count; i++)
        if (strcmp(known[i], metric) == 0)
            return SIMPLUGIN_OK;
    near = sp_suggest_nearest(metric, known, count);
    sp_buffer_init(&buffer);
    sp_suggest_append_list(&buffer, known, count);
    text = sp_buffer_steal(&buffer, NULL);
    sp_error_set(error, SIMPLUGIN_INVALID_ARGUMENT, "core",
                 "metric \"%s\" is none of %s's%s%s%s; known: %s", metric, backend,
                 near ? ": did you mean \"" : "", near ? near : "", near ? "\"?" : "",
                 text ? text : "?");
    free(text);
    sp_error_add_detail(error, "argument", "metric");
    return SIMPLUGIN_INVALID_ARGUMENT;
}

/* Looks the collection up; makes it where the dimension is known already. */
static int32_t collection_settle(sp_index *index, const sp_index_settings *s, int must_exist,
                                 const sp_context *context, int *made, simplugin_error **error)
{
    int exists = 0;
    int32_t code = sp_index_exists(index, context, &exists, error);

    *made = 0;
    if (code)
        return code;
    if (!exists && must_exist)
        return sp_error_set(error, SIMPLUGIN_NOT_FOUND, index->backend,
                            "%s has no collection \"%s\"%s", index->backend, index->collection,
                            index->brain_key ? ": it was dropped after the run was recorded; create "
                                               "the index again with overwrite, or delete the run"
                                             : "");
    if (!exists && !s->dimension)
        return SIMPLUGIN_OK;
    if (!exists) {
        code = sp_index_create_collection(index, (uint64_t)s->dimension, context, made, error);
        if (code != SIMPLUGIN_ALREADY_EXISTS)
            return code;
        /* somebody else was first */
        simplugin_error_free(error);
    }
    index->existing = 1;
    code = sp_index_describe(index, SP_TAKE_METRIC | (s->by_name ? SP_TAKE_PATCHES : 0), context,
                               error);
    if (!code && s->dimension && (uint64_t)s->dimension != atomic_load(&index->dimension)) {
        code = sp_error_set(error, SIMPLUGIN_DIMENSION_MISMATCH, "core",
                            "collection \"%s\" has dimension %llu, not %lld", index->collection,
                            (unsigned long long)atomic_load(&index->dimension),
                            (long long)s->dimension);
        sp_error_add_detail(error, "argument", "dimension");
    }
    if (!code && s->metric && strcmp(s->metric, index->metric)) {
        code = sp_error_set(error, SIMPLUGIN_INVALID_ARGUMENT, "core",
                            "collection \"%s\" has metric %s, not %s", index->collection,
                            index->metric, s->metric);
        sp_error_add_detail(error, "argument", "metric");
    }
    return code;
}

static json_t *without_secrets(json_t *parameters, const sp_parameters *declared)
{
    json_t *rest = json_copy(parameters);

    for (size_t i = 0; rest && i < declared->count; i++)
        if (declared->items[i].secret)
            json_object_del(rest, declared->items[i].name);
    return rest;
}

int32_t sp_index_connect(sp_session *session, sp_request *request, sp_index_settings *s,
                         sp_resolved *resolved, sp_index **out, simplugin_error **error)
{
    const sp_context *context = request->context;
    sp_index *index = NULL;
    const char *metric, *name;
    char *generated = NULL, *endpoint = NULL;
    int32_t code = sp_session_resolve(session, s->backend, s->parameters, context, resolved, error);

    *out = NULL;
    if (code)
        return code;
    index = index_new(session, request->target);
    if (!index)
        return sp_error_no_memory(error);
    metric = value_text(resolved->values, "metric");
    if (!metric)
        metric = json_string_value(json_array_get(json_object_get(resolved->describe->json,
                                                                  "metrics"), 0));
    metric = sp_describe_metric(resolved->describe, metric);
    name = s->collection ? s->collection : value_text(resolved->values, "collection_name");
    if (!name)
        name = generated = name_generate(s);
    endpoint = sp_endpoint_text(resolved);
    index->create_parameters = sp_resolved_part(resolved, 0);
    index->public_parameters = without_secrets(index->create_parameters, &resolved->parameters);
    index->fields = json_incref(s->fields);
    index->supports_prompts = s->supports_prompts;
    index->patches = s->patches_field || s->patches;
    if (!name || !collection_set(index, name, strlen(name)) ||
        !metric_set(index, metric, strlen(metric)) || !index->create_parameters ||
        !index->public_parameters || !endpoint || !text_keep(index, &index->endpoint, endpoint) ||
        !text_keep(index, &index->backend, resolved->backend) ||
        !text_keep(index, &index->dataset, s->dataset) ||
        !text_keep(index, &index->brain_key, s->brain_key) ||
        !text_keep(index, &index->patches_field, s->patches_field) ||
        !text_keep(index, &index->model, s->model)) {
        code = sp_error_no_memory(error);
        goto out;
    }
    /* by the backend's own name for it, as collections have it */
    if (s->metric)
        s->metric = index->metric;
    if (!*index->collection)
        code = sp_arg_error(&request->args, error, "collection_name", "is empty");
    if (!code)
        code = metric_check(resolved->describe, index->backend, index->metric, error);
    if (!code)
        code = dimension_check(resolved->describe, index->backend, (uint64_t)s->dimension,
                               "dimension", error);
    if (!code)
        code = sp_session_share(session, resolved, context, &index->connection, error);
    if (!code)
        sp_context_timeout(request->context, sp_connection_timeout(index->connection));
out:
    free(generated);
    free(endpoint);
    if (code)
        sp_object_release(&index->object);
    else
        *out = index;
    return code;
}

static int32_t fields_check(const sp_args *args, const json_t *fields, simplugin_error **error)
{
    const char *name;
    json_t *type;

    json_object_foreach((json_t *)fields, name, type) {
        if (strcmp(name, SP_SAMPLE_ID) == 0)
            return sp_arg_error(args, error, "fields",
                                "\"" SP_SAMPLE_ID "\" is taken: give patches_field for an index "
                                "whose points have sample ids");
        if (!json_is_string(type) ||
            !sp_column_type(json_string_value(type), json_string_length(type)))
            return sp_arg_error(args, error, "fields",
                                "\"%s\" has no type of a field: text, int64, float64, bool or a "
                                "list<> of one",
                                name);
    }
    return SIMPLUGIN_OK;
}

void sp_index_settings_clear(sp_index_settings *s)
{
    json_decref(s->parameters);
    json_decref(s->fields);
    s->parameters = s->fields = NULL;
}

int32_t sp_index_settings_merge(sp_index_settings *s, simplugin_error **error)
{
    if (!s->parameters)
        s->parameters = json_object();
    if (!s->parameters ||
        (s->collection &&
         json_object_set_new(s->parameters, "collection_name", json_string(s->collection))) ||
        (s->metric && json_object_set_new(s->parameters, "metric", json_string(s->metric))))
        return sp_error_no_memory(error);
    return SIMPLUGIN_OK;
}

int32_t sp_index_settings_read(const sp_args *args, sp_index_settings *s, simplugin_error **error)
{
    int32_t code;

    memset(s, 0, sizeof *s);
    s->dataset = SP_DATASET_DEFAULT;
    code = sp_arg_string(args, "dataset", &s->dataset, error);
    if (!s->dataset)
        s->dataset = SP_DATASET_DEFAULT;
    if (!code)
        code = sp_arg_string(args, "brain_key", &s->brain_key, error);
    if (!code)
        code = sp_arg_string(args, "backend", &s->backend, error);
    if (!code)
        code = sp_arg_string(args, "collection_name", &s->collection, error);
    if (!code)
        code = sp_arg_string(args, "metric", &s->metric, error);
    if (!code)
        code = sp_arg_string(args, "patches_field", &s->patches_field, error);
    if (!code)
        code = sp_arg_string(args, "model", &s->model, error);
    if (!code)
        code = sp_arg_bool(args, "supports_prompts", &s->supports_prompts, error);
    if (!code)
        code = sp_arg_bool(args, "overwrite", &s->overwrite, error);
    if (!code)
        code = sp_arg_int(args, "dimension", 1, DIMENSION_MAX, &s->dimension, error);
    if (!code)
        code = sp_arg_json(args, "parameters", &s->parameters, error);
    if (!code)
        code = sp_arg_json(args, "fields", &s->fields, error);
    if (!code)
        code = fields_check(args, s->fields, error);
    return code ? code : sp_index_settings_merge(s, error);
}

int32_t sp_index_create(sp_session *session, sp_request *request, simplugin_error **error)
{
    const sp_context *context = request->context;
    sp_resolved resolved = {0};
    sp_index *index = NULL;
    sp_index_settings s;
    int made = 0;
    int32_t code = sp_index_settings_read(&request->args, &s, error);

    if (!code)
        code = sp_index_record_check_free(session, &s, context, error);
    if (!code)
        code = sp_index_connect(session, request, &s, &resolved, &index, error);
    if (!code)
        code = collection_settle(index, &s, 0, context, &made, error);
    if (!code)
        code = sp_handle_open(&index->object, error);
    if (!code)
        code = reply_write(index, request, error);
    /* last: a record that is there is one whose index was handed out */
    if (!code)
        code = sp_index_record_put(index, s.overwrite ? SP_RUNS_REPLACE : SP_RUNS_CREATE, &resolved,
                          context, error);
    if (code && index) {
        /* nothing stays behind of an index that nobody got */
        if (made)
            collection_drop(index);
        if (index->object.handle)
            sp_handle_close(index->object.handle, SP_INDEX, NULL);
    }
    if (index)
        sp_object_release(&index->object);
    sp_resolved_clear(&resolved);
    sp_index_settings_clear(&s);
    return code;
}

/* The settings as a run recorded them; what the call gives wins. */
static int32_t record_read(const json_t *record, sp_index_settings *s, simplugin_error **error)
{
    const json_t *config = json_object_get(record, "config");
    json_t *parameters = json_object_get(config, "parameters");
    json_t *fields = json_object_get(config, "fields");

    s->backend = value_text(config, "backend");
    s->collection = value_text(config, "collection_name");
    s->metric = value_text(config, "metric");
    s->patches_field = value_text(config, "patches_field");
    s->model = value_text(config, "model");
    s->supports_prompts = json_is_true(json_object_get(config, "supports_prompts"));
    s->dimension = json_integer_value(json_object_get(config, "dimension"));
    if (!s->backend || !s->collection)
        return sp_error_set(error, SIMPLUGIN_CORRUPT, "runs",
                            "run \"%s\" of dataset \"%s\" names no backend or collection",
                            s->brain_key, s->dataset);
    if (json_is_object(fields))
        s->fields = json_incref(fields);
    if (!s->parameters)
        s->parameters = json_object();
    if (!s->parameters ||
        (json_is_object(parameters) && json_object_update_missing(s->parameters, parameters)))
        return sp_error_no_memory(error);
    return SIMPLUGIN_OK;
}

int32_t sp_index_open(sp_session *session, sp_request *request, simplugin_error **error)
{
    const sp_args *args = &request->args;
    sp_runs_wait wait = wait_of(request->context);
    sp_resolved resolved = {0};
    sp_index *index = NULL;
    json_t *record = NULL;
    sp_runs *runs = NULL;
    sp_index_settings s = {.dataset = NULL};
    int made = 0;
    int32_t code = sp_arg_string(args, "dataset", &s.dataset, error);

    if (!s.dataset)
        s.dataset = SP_DATASET_DEFAULT;
    if (!code)
        code = sp_arg_string(args, "brain_key", &s.brain_key, error);
    if (!code)
        code = sp_arg_string(args, "backend", &s.backend, error);
    if (!code)
        code = sp_arg_string(args, "collection_name", &s.collection, error);
    if (!code)
        code = sp_arg_json(args, "parameters", &s.parameters, error);
    if (!code && (s.brain_key != NULL) == (s.collection != NULL))
        code = sp_arg_error(args, error, "brain_key",
                            "give the brain_key of a run, or a collection_name");
    if (!code && s.brain_key && s.backend)
        code = sp_arg_error(args, error, "backend", "a run has its own backend");
    if (!code && s.brain_key) {
        code = sp_session_runs(session, &runs, error);
        if (!code)
            code = sp_runs_get(runs, text_of(s.dataset), text_of(s.brain_key), &wait, &record,
                               error);
        if (!code)
            code = record_read(record, &s, error);
    }
    s.by_name = s.collection && !s.brain_key;
    if (!code)
        code = sp_index_settings_merge(&s, error);
    if (!code)
        code = sp_index_connect(session, request, &s, &resolved, &index, error);
    /* a run whose collection was never made has no dimension yet */
    if (!code)
        code = collection_settle(index, &s, !s.brain_key || s.dimension, request->context, &made,
                                 error);
    if (!code)
        code = sp_handle_open(&index->object, error);
    if (!code)
        code = reply_write(index, request, error);
    if (index) {
        if (code && index->object.handle)
            sp_handle_close(index->object.handle, SP_INDEX, NULL);
        sp_object_release(&index->object);
    }
    sp_resolved_clear(&resolved);
    json_decref(record);
    sp_index_settings_clear(&s);
    return code;
}

int32_t sp_index_count(sp_index *index, const sp_context *context, uint64_t *count,
                       simplugin_error **error)
{
    simplugin_reply reply = SP_REPLY_INIT;
    simplugin_writer writer;
    simplugin_value map;
    int64_t number = 0;
    int32_t code;

    *count = 0;
    if (!atomic_load(&index->dimension))
        return SIMPLUGIN_OK;
    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 1);
    sp_index_write_collection(index, &writer);
    code = sp_connection_send(index->connection, context, "points.count", &writer, &reply, error);
    map = simplugin_body_value(reply.body, reply.body_size);
    if (!code && (simplugin_find_int(&map, "count", &number) != 1 || number < 0))
        code = sp_error_set(error, SIMPLUGIN_PROTOCOL, index->backend,
                            "%s: points.count: no \"count\" in the answer", index->backend);
    *count = (uint64_t)number;
    simplugin_reply_clear(&reply);
    simplugin_writer_clear(&writer);
    return code;
}

int32_t sp_index_info(sp_index *index, sp_request *request, simplugin_error **error)
{
    uint64_t dimension = atomic_load(&index->dimension);
    simplugin_reply reply = SP_REPLY_INIT;
    simplugin_value map, fields = {0};
    simplugin_writer writer;
    json_t *shown = NULL;
    uint64_t size = 0;
    int32_t code;

    simplugin_writer_init(&writer);
    code = sp_index_count(index, request->context, &size, error);
    if (!code && dimension) {
        simplugin_write_map(&writer, 1);
        sp_index_write_collection(index, &writer);
        code = sp_connection_send(index->connection, request->context, "collection.describe",
                                  &writer, &reply, error);
        map = simplugin_body_value(reply.body, reply.body_size);
        simplugin_find(&map, "fields", &fields);
    }
    if (code)
        goto out;
    shown = fields.type ? sp_json_from_value(&fields) : json_object();
    simplugin_writer_reset(&writer);
    simplugin_write_map(&writer, 13);
    simplugin_write_string(&writer, "backend");
    simplugin_write_string(&writer, index->backend);
    simplugin_write_string(&writer, "collection_name");
    simplugin_write_string(&writer, index->collection);
    simplugin_write_string(&writer, "dimension");
    if (dimension)
        simplugin_write_uint(&writer, dimension);
    else
        simplugin_write_nil(&writer);
    simplugin_write_string(&writer, "metric");
    simplugin_write_string(&writer, index->metric);
    simplugin_write_string(&writer, "brain_key");
    simplugin_write_string(&writer, index->brain_key);
    simplugin_write_string(&writer, "dataset");
    simplugin_write_string(&writer, index->dataset);
    simplugin_write_string(&writer, "patches_field");
    simplugin_write_string(&writer, index->patches_field);
    simplugin_write_string(&writer, "patches");
    simplugin_write_bool(&writer, index->patches);
    simplugin_write_string(&writer, "model");
    simplugin_write_string(&writer, index->model);
    simplugin_write_string(&writer, "supports_prompts");
    simplugin_write_bool(&writer, index->supports_prompts);
    simplugin_write_string(&writer, "size");
    simplugin_write_uint(&writer, size);
    simplugin_write_string(&writer, "fields");
    sp_json_write(&writer, shown);
    simplugin_write_string(&writer, "parameters");
    sp_json_write(&writer, index->public_parameters);
    code = shown ? sp_request_finish(request, &writer, error) : sp_error_no_memory(error);
out:
    json_decref(shown);
    simplugin_reply_clear(&reply);
    simplugin_writer_clear(&writer);
    return code;
}
