/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rig.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "guard.h"

/* What a call may take that is not about time. */
#define SECONDS 30
#define VECTOR_BYTES_OF_ID 64

int64_t conf_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t conf_in(double seconds) { return conf_clock() + (int64_t)(seconds * 1e9); }

/* ---- the plugin --------------------------------------------------------------------------- */

int conf_rig_entry(conf_rig *rig, conf_run *run)
{
    void *handle, *symbol;

    memset(rig, 0, sizeof *rig);
    rig->run = run;
    rig->target = conf_run_target(run);
    rig->host = &conf_host;
    rig->made = json_array();
    rig->served = json_object();
    if (rig->target->entry) {
        rig->entry = rig->target->entry;
        return 1;
    }
    handle = dlopen(rig->target->file, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        conf_fail(run, "the plugin cannot be loaded: %s", dlerror());
        return 0;
    }
    symbol = dlsym(handle, "simplugin_backend_entry");
    if (!symbol)
        conf_fail(run, "the plugin does not export simplugin_backend_entry (plugin.h, at its end)");
    else
        memcpy(&rig->entry, &symbol, sizeof symbol);
    return symbol != NULL;
}

int conf_rig_usable(conf_rig *rig)
{
    const simplugin_backend *t = rig->table;

    if (t && t->size >= sizeof *t && t->describe && t->open && t->call && t->close)
        return 1;
    conf_skip(rig->run, "the plugin's table cannot be used: see abi/table");
    return 0;
}

int conf_rig_load(conf_rig *rig, conf_run *run)
{
    simplugin_error *error = NULL;
    int32_t code;

    if (!conf_rig_entry(rig, run))
        return 0;
    code = rig->entry(rig->host, &rig->table, &error);
    if (code)
        conf_fail(run, "the entry answers %s (%s) to a host of ABI versions %u.%u to %u.%u",
                  simplugin_code_name(code), conf_error_text(error), rig->host->abi_min >> 16,
                  rig->host->abi_min & 0xffff, rig->host->abi_max >> 16,
                  rig->host->abi_max & 0xffff);
    conf_error_free(&error);
    if (code)
        return 0;
    if (!conf_rig_usable(rig))
        return 0;
    rig->describe =
        rig->target->describe ? json_incref(rig->target->describe) : conf_rig_describe(rig);
    return rig->describe != NULL;
}

int conf_rig_open(conf_rig *rig, conf_run *run)
{
    return conf_rig_load(rig, run) && (rig->instance = conf_instance(rig)) != NULL;
}

void conf_rig_close(conf_rig *rig)
{
    size_t i;
    json_t *name;

    rig->inputs = 0;
    json_array_foreach(rig->made, i, name) {
        conf_answer answer;

        /* told of no more: what the check asked last is what counts */
        rig->quiet = 1;
        if (!rig->instance)
            break;
        conf_call(rig, "collection.drop", json_pack("{s:O}", "collection", name), &answer);
        conf_answer_clear(&answer);
    }
    if (rig->instance)
        rig->table->close(rig->instance);
    rig->instance = NULL;
    json_decref(rig->made);
    json_decref(rig->served);
    json_decref(rig->describe);
    rig->made = rig->served = rig->describe = NULL;
}

json_t *conf_rig_describe(conf_rig *rig)
{
    simplugin_reply reply = conf_reply_new();
    simplugin_error *error = NULL;
    contract_why why = {{0}};
    json_t *said = NULL;
    int32_t code;

    conf_asks(rig->run, "describe", NULL);
    code = rig->table->describe(&reply, &error);
    if (!code)
        said = reply_decode(&reply, &why);
    if (code)
        conf_fail(rig->run, "describe answers %s (%s): it connects nowhere, and always works",
                  simplugin_code_name(code), conf_error_text(error));
    else if (!said || why.text[0])
        conf_fail(rig->run, "describe: %s", why.text);
    conf_reply_clear(&reply);
    conf_error_free(&error);
    return said;
}

/* What stands in the configuration under the parameter's name or one of its other names. */
static json_t *configured(const conf_rig *rig, const json_t *parameter)
{
    const json_t *aliases = json_object_get(parameter, "aliases");
    json_t *value = json_object_get(rig->target->parameters,
                                    json_string_value(json_object_get(parameter, "name")));
    size_t i;
    json_t *alias;

    json_array_foreach(aliases, i, alias)
        if (!value)
            value = json_object_get(rig->target->parameters, json_string_value(alias));
    return value;
}

json_t *conf_rig_parameters(const conf_rig *rig, int connection)
{
    json_t *found = json_object(), *parameter;
    size_t i;

    json_array_foreach(json_object_get(rig->describe, "parameters"), i, parameter) {
        const char *name = json_string_value(json_object_get(parameter, "name"));
        json_t *value = configured(rig, parameter);

        if (!name || json_is_true(json_object_get(parameter, "connection")) != connection)
            continue;
        /* like the core, which knows where data belongs; these two are arguments of their own */
        if (!value && !strcmp(name, "data_dir"))
            json_object_set_new(found, name, json_string(conf_run_directory(rig->run)));
        else if (value && strcmp(name, "metric") && strcmp(name, "collection_name"))
            json_object_set(found, name, value);
    }
    return found;
}

json_t *conf_rig_declared(const conf_rig *rig, const json_t *object)
{
    json_t *found = json_object(), *parameter;
    size_t i;

    json_array_foreach(json_object_get(rig->describe, "parameters"), i, parameter) {
        const char *name = json_string_value(json_object_get(parameter, "name"));
        json_t *value = name ? json_object_get(object, name) : NULL;

        if (value && !json_is_null(value) &&
            !json_is_true(json_object_get(parameter, "connection")))
            json_object_set(found, name, value);
    }
    return found;
}

int conf_lists(const conf_rig *rig, const char *key, const char *word)
{
    size_t i;
    json_t *one;

    json_array_foreach(json_object_get(rig->describe, key), i, one)
        if (json_is_string(one) && !strcmp(json_string_value(one), word))
            return 1;
    return 0;
}

int conf_says(const conf_rig *rig, const char *key)
{
    return json_is_true(json_object_get(rig->describe, key));
}

const char *conf_says_text(const conf_rig *rig, const char *key)
{
    const char *text = json_string_value(json_object_get(rig->describe, key));

    return text ? text : "";
}

int64_t conf_says_int(const conf_rig *rig, const char *key, int64_t otherwise)
{
    const json_t *value = json_object_get(rig->describe, key);

    return json_is_integer(value) && json_integer_value(value) > 0 ? json_integer_value(value)
                                                                   : otherwise;
}

/* ---- calls -------------------------------------------------------------------------------- */

static simplugin_call_info info_of(const char *method, int64_t deadline, uint64_t token)
{
    simplugin_call_info info;

    memset(&info, 0, sizeof info);
    info.size = sizeof info;
    info.method = method;
    info.method_size = strlen(method);
    info.deadline = deadline;
    info.cancel = token;
    return info;
}

static int encode(conf_rig *rig, contract_body *encoded, const json_t *body)
{
    contract_why why = {{0}};

    if (body_encode(encoded, body, 1, &why))
        return 1;
    conf_fail(rig->run, "this program made a request that it cannot encode: %s", why.text);
    return 0;
}

/* Puts request and method into memory that tells of misuse. */
static void inputs_guard(const conf_rig *rig, simplugin_call_info *info, simplugin_request *request,
                         conf_guarded *guarded)
{
    char what[80];

    snprintf(what, sizeof what, "info->method of a call of %s", info->method);
    conf_guarded_init(guarded, request, rig->inputs, info->method);
    info->method = conf_guard_new(info->method, (size_t)info->method_size, rig->inputs, what);
    *request = guarded->request;
}

static void inputs_bury(const simplugin_call_info *info, conf_guarded *guarded)
{
    conf_guarded_clear(guarded);
    conf_guard_bury(info->method);
}

int32_t conf_instance_open(conf_rig *rig, int64_t deadline, uint64_t token,
                           simplugin_instance **instance, simplugin_error **error)
{
    simplugin_call_info info = info_of("open", deadline, token);
    json_t *parameters = conf_rig_parameters(rig, 1);
    contract_body encoded;
    conf_guarded guarded;
    simplugin_request request;
    int32_t code = SIMPLUGIN_INTERNAL;

    *instance = NULL;
    if (!rig->quiet)
        conf_asks(rig->run, "open", parameters);
    if (encode(rig, &encoded, parameters)) {
        request = simplugin_writer_request(&encoded.writer);
        if (rig->inputs)
            inputs_guard(rig, &info, &request, &guarded);
        code = rig->table->open(&info, &request, instance, error);
        if (rig->inputs)
            inputs_bury(&info, &guarded);
    }
    body_clear(&encoded);
    json_decref(parameters);
    return code;
}

simplugin_instance *conf_instance(conf_rig *rig)
{
    simplugin_instance *instance = NULL;
    simplugin_error *error = NULL;
    int32_t code = conf_instance_open(rig, conf_in(SECONDS), 0, &instance, &error);

    if (code)
        conf_fail(rig->run, "open answers %s (%s)", simplugin_code_name(code),
                  conf_error_text(error));
    else if (!instance)
        conf_fail(rig->run, "open answers OK and sets no instance (plugin.h, open)");
    conf_error_free(&error);
    return instance;
}

/* The scan's cursor as digits: bytes have no place in JSON. */
static char *cursor_take(const simplugin_reply *reply)
{
    simplugin_value body = simplugin_body_value(reply->body, reply->body_size), cursor;
    char *digits;

    if (!simplugin_find(&body, "cursor", &cursor) || cursor.type != SIMPLUGIN_BYTES)
        return NULL;
    digits = calloc((size_t)cursor.size * 2 + 1, 1);
    for (uint64_t i = 0; digits && i < cursor.size; i++)
        snprintf(digits + 2 * i, 3, "%02x", cursor.data[i]);
    return digits;
}

static void decode(conf_rig *rig, const char *method, conf_answer *answer)
{
    contract_why why = {{0}};

    answer->body = reply_decode(&answer->reply, &why);
    if (answer->body && !why.text[0])
        answer->cursor = cursor_take(&answer->reply);
    else
        conf_fail(rig->run, "%s: %s (docs/protocol.md, The envelope)", method, why.text);
}

int32_t conf_send(conf_rig *rig, simplugin_instance *instance, const char *method, json_t *body,
                  int64_t deadline, uint64_t token, conf_answer *answer)
{
    simplugin_call_info info = info_of(method, deadline, token);
    simplugin_request request;
    contract_body encoded;
    conf_guarded guarded;
    int64_t began;

    memset(answer, 0, sizeof *answer);
    answer->code = SIMPLUGIN_INTERNAL;
    answer->reply = conf_reply_new();
    if (!rig->quiet)
        conf_asks(rig->run, method, body);
    if (!encode(rig, &encoded, body)) {
        if (rig->begins)
            sem_post(rig->begins);
        goto out;
    }
    request = simplugin_writer_request(&encoded.writer);
    if (rig->inputs)
        inputs_guard(rig, &info, &request, &guarded);
    /* making a large request takes a while */
    began = conf_clock();
    if (rig->timeout > 0)
        info.deadline = conf_in(rig->timeout);
    if (rig->begins)
        sem_post(rig->begins);
    answer->code = rig->table->call(instance, &info, &request, &answer->reply, &answer->error);
    answer->seconds = (double)(conf_clock() - began) / 1e9;
    if (rig->inputs)
        inputs_bury(&info, &guarded);
    if (!answer->code && !rig->raw)
        decode(rig, method, answer);
out:
    body_clear(&encoded);
    json_decref(body);
    return answer->code;
}

int32_t conf_call(conf_rig *rig, const char *method, json_t *body, conf_answer *answer)
{
    return conf_send(rig, rig->instance, method, body, conf_in(SECONDS), 0, answer);
}

int conf_ok(conf_rig *rig, const char *method, json_t *body, conf_answer *answer)
{
    if (conf_call(rig, method, body, answer))
        conf_fail(rig->run, "%s answers %s where nothing is wrong", method,
                  conf_answer_text(answer));
    return !answer->code && answer->body;
}

int conf_do(conf_rig *rig, const char *method, json_t *body)
{
    conf_answer answer;
    int ok = conf_ok(rig, method, body, &answer);

    conf_answer_clear(&answer);
    return ok;
}

int conf_serves(conf_rig *rig, const char *method)
{
    const json_t *known = json_object_get(rig->served, method);
    unsigned int quiet = rig->quiet;
    conf_answer answer;
    int is_served;

    if (known || !conf_lists(rig, "methods", method))
        return json_is_true(known);
    rig->quiet = 1;
    conf_call(rig, method, json_pack("{s:s}", "collection", "conformance_none"), &answer);
    rig->quiet = quiet;
    is_served = answer.code != SIMPLUGIN_UNKNOWN_METHOD && answer.code != SIMPLUGIN_UNIMPLEMENTED;
    json_object_set_new(rig->served, method, json_boolean(is_served));
    conf_answer_clear(&answer);
    return is_served;
}

void conf_answer_clear(conf_answer *answer)
{
    conf_reply_clear(&answer->reply);
    conf_error_free(&answer->error);
    json_decref(answer->body);
    free(answer->cursor);
    memset(answer, 0, sizeof *answer);
}

const char *conf_answer_text(const conf_answer *answer)
{
    static _Thread_local char text[600];

    if (!answer->code)
        return "OK";
    snprintf(text, sizeof text, "%s (%s)", simplugin_code_name(answer->code),
             answer->error ? conf_error_text(answer->error) : "no error set");
    return text;
}

/* ---- collections and points ---------------------------------------------------------------- */

char *conf_name_new(const conf_rig *rig)
{
    static unsigned int count;
    char name[80];

    snprintf(name, sizeof name, "conformance_%lld_%d_%u", (long long)(rig->target->seed % 1000000),
             (int)getpid(), __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED));
    return strdup(name);
}

char *conf_path(const conf_rig *rig, const char *name)
{
    const char *directory = conf_run_directory(rig->run);
    size_t size = strlen(directory) + strlen(name) + 2;
    char *path = malloc(size);

    if (!path)
        abort();
    snprintf(path, size, "%s/%s", directory, name);
    return path;
}

char *conf_create_on(conf_rig *rig, simplugin_instance *instance, const char *metric,
                     int64_t dimension, json_t *fields)
{
    char *name = conf_name_new(rig), *used = NULL;
    json_t *parameters = conf_rig_parameters(rig, 0);
    json_t *body =
        json_pack("{s:s, s:I, s:s}", "collection", name, "dimension", (json_int_t)dimension,
                  "metric",
                  metric ? metric
                         : json_string_value(
                               json_array_get(json_object_get(rig->describe, "metrics"), 0)));
    conf_answer answer;
    const char *said;

    if (fields)
        json_object_set_new(body, "fields", fields);
    if (json_object_size(parameters))
        json_object_set(body, "parameters", parameters);
    json_decref(parameters);
    if (conf_send(rig, instance, "collection.create", body, conf_in(SECONDS), 0, &answer)) {
        conf_fail(rig->run, "collection.create answers %s where nothing is wrong",
                  conf_answer_text(&answer));
    } else if (answer.body) {
        said = json_string_value(json_object_get(answer.body, "collection"));
        if (said && *said)
            used = strdup(said);
        else
            conf_fail(rig->run, "collection.create answers without \"collection\", the name that "
                                "the collection has now (docs/protocol.md, Requests and replies)");
    }
    if (used && instance == rig->instance)
        json_array_append_new(rig->made, json_string(used));
    conf_answer_clear(&answer);
    free(name);
    return used;
}

char *conf_create(conf_rig *rig, const char *metric, int64_t dimension, json_t *fields)
{
    return conf_create_on(rig, rig->instance, metric, dimension, fields);
}

json_t *conf_ids(const char *prefix, size_t first, size_t count)
{
    json_t *ids = json_array();

    for (size_t i = first; i < first + count; i++)
        json_array_append_new(ids, json_sprintf("%s%03zu", prefix, i));
    return ids;
}

json_t *conf_vectors(uint64_t seed, size_t count, size_t dimension)
{
    json_t *matrix = json_array();

    for (size_t r = 0; r < count; r++) {
        json_t *row = json_array();

        for (size_t c = 0; c < dimension; c++)
            json_array_append_new(row, json_real(contract_random(seed, r * dimension + c)));
        json_array_append_new(matrix, row);
    }
    return matrix;
}

json_t *conf_column(const char *type, json_t *values)
{
    return json_pack("{s:{s:s, s:o}}", "$column", "type", type, "values", values);
}

size_t conf_batch_rows(const conf_rig *rig, size_t dimension)
{
    int64_t bytes = conf_says_int(rig, "batch_bytes", INT64_C(8) << 20);
    int64_t rows = bytes / (int64_t)(dimension * sizeof(float) + VECTOR_BYTES_OF_ID);

    return rows > 0 ? (size_t)rows : 1;
}

int64_t conf_k(const conf_rig *rig, int64_t k)
{
    int64_t most = conf_says_int(rig, "max_k", INT64_MAX);

    return k < most ? k : most;
}

static json_t *slice(const json_t *array, size_t first, size_t count)
{
    json_t *part = json_array();

    for (size_t i = first; i < first + count; i++)
        json_array_append(part, json_array_get(array, i));
    return part;
}

/* Rows first to first + count of all columns; those given as {"$column": ...} too. */
static json_t *fields_slice(json_t *fields, size_t first, size_t count)
{
    json_t *part = json_object(), *column;
    const char *name;

    json_object_foreach(fields, name, column) {
        json_t *given = json_object_get(column, "$column");

        json_object_set_new(part, name,
                            given
                                ? conf_column(json_string_value(json_object_get(given, "type")),
                                              slice(json_object_get(given, "values"), first, count))
                                : slice(column, first, count));
    }
    return part;
}

int conf_upsert(conf_rig *rig, const char *collection, json_t *ids, json_t *vectors, json_t *fields)
{
    size_t count = json_array_size(ids);
    size_t dimension = json_array_size(json_array_get(vectors, 0));
    size_t most = conf_batch_rows(rig, dimension);
    int ok = 1;

    for (size_t first = 0; ok && first < count; first += most) {
        size_t rows = count - first < most ? count - first : most;
        json_t *body = json_pack("{s:s, s:o, s:o}", "collection", collection, "ids",
                                 slice(ids, first, rows), "vectors", slice(vectors, first, rows));

        if (fields)
            json_object_set_new(body, "fields", fields_slice(fields, first, rows));
        ok = conf_do(rig, "points.upsert", body);
    }
    json_decref(ids);
    json_decref(vectors);
    json_decref(fields);
    return ok;
}

int64_t conf_count(conf_rig *rig, const char *collection)
{
    conf_answer answer;
    int64_t count = -1;

    if (conf_ok(rig, "points.count", json_pack("{s:s}", "collection", collection), &answer)) {
        const json_t *said = json_object_get(answer.body, "count");

        if (json_is_integer(said))
            count = json_integer_value(said);
        else
            conf_fail(rig->run, "points.count answers without the int \"count\"");
    }
    conf_answer_clear(&answer);
    return count;
}

int conf_use(conf_rig *rig)
{
    char *name = conf_create(rig, NULL, 4, NULL);
    int ok = name && conf_upsert(rig, name, conf_ids("use", 0, 3), conf_vectors(1, 3, 4), NULL);

    ok = ok && conf_do(rig, "points.get",
                       json_pack("{s:s, s:o}", "collection", name, "ids", conf_ids("use", 0, 2)));
    ok = ok && conf_do(rig, "search",
                       json_pack("{s:s, s:o, s:i}", "collection", name, "vectors",
                                 conf_vectors(2, 1, 4), "k", 1));
    ok = ok && conf_do(rig, "points.scan", json_pack("{s:s}", "collection", name));
    ok = ok && conf_do(rig, "points.delete",
                       json_pack("{s:s, s:o}", "collection", name, "ids", conf_ids("use", 0, 1)));
    ok = ok && conf_count(rig, name) >= 0;
    free(name);
    return ok;
}
