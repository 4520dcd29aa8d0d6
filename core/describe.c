/* SPDX-License-Identifier: Apache-2.0 */
#include "describe.h"

#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "log.h"
#include "simplugin.h"
#include "wire.h"

static uint64_t limit_read(const json_t *json, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(json, key));

    return value > 0 ? (uint64_t)value : UINT64_MAX;
}

static int list_has(const json_t *list, const char *name)
{
    size_t i;
    json_t *item;

    json_array_foreach(list, i, item)
        if (json_is_string(item) && strcmp(json_string_value(item), name) == 0)
            return 1;
    return 0;
}

static int32_t filters_read(sp_describe *d, const char *name, simplugin_error **error)
{
    const json_t *list = json_object_get(d->json, "filters");
    size_t i;
    json_t *item;

    json_array_foreach(list, i, item) {
        const char *node = json_string_value(item);

        if (!node)
            return sp_error_set(error, SIMPLUGIN_PROTOCOL, name,
                                "describe: filters holds something that is no text");
        /* one that a later version added is never asked for */
        if (!sp_filter_support_add(&d->filters, node, strlen(node)))
            sp_log(SIMPLUGIN_LOG_INFO, "backend '%s': describe: \"%.64s\" is no filter node", name,
                   node);
    }
    return SIMPLUGIN_OK;
}

/* Names of metrics, and other names for them: each is one of those. */
static int32_t metrics_check(const sp_describe *d, const char *name, simplugin_error **error)
{
    const json_t *list = json_object_get(d->json, "metrics");
    json_t *aliases = json_object_get(d->json, "metric_aliases");
    const char *alias;
    size_t i;
    json_t *item;

    if (!json_array_size(list))
        return sp_error_set(error, SIMPLUGIN_PROTOCOL, name, "describe: metrics is empty");
    json_array_foreach(list, i, item)
        if (!json_is_string(item))
            return sp_error_set(error, SIMPLUGIN_PROTOCOL, name,
                                "describe: metrics holds something that is no text");
    if (aliases && !json_is_null(aliases) && !json_is_object(aliases))
        return sp_error_set(error, SIMPLUGIN_PROTOCOL, name, "describe: metric_aliases is no map");
    json_object_foreach(aliases, alias, item)
        if (!json_is_string(item) || !list_has(list, json_string_value(item)))
            return sp_error_set(error, SIMPLUGIN_PROTOCOL, name,
                                "describe: metric_aliases: \"%s\" stands for no metric of metrics",
                                alias);
    return SIMPLUGIN_OK;
}

int sp_describe_vectors(const char *name)
{
    static const char *const names[] = {"exact", "rounded", "normalised"};

    for (int i = 0; i < 3; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

static int32_t vectors_read(sp_describe *d, const char *name, simplugin_error **error)
{
    const char *said = json_string_value(json_object_get(d->json, "vectors"));

    d->vectors = said ? sp_describe_vectors(said) : SP_VECTORS_EXACT;
    return d->vectors >= 0 ? SIMPLUGIN_OK
                           : sp_error_set(error, SIMPLUGIN_PROTOCOL, name,
                                          "describe: vectors \"%.64s\" is none of exact, rounded, "
                                          "normalised",
                                          said);
}

int32_t sp_describe_new(const simplugin_backend *backend, const char *name, sp_describe **describe,
                        simplugin_error **error)
{
    static const char *const lists[] = {"metrics", "methods", "filters", "parameters"};
    simplugin_reply reply = SP_REPLY_INIT;
    sp_describe *d = NULL;
    const char *wrong;
    simplugin_value map;
    int32_t code = backend->describe(&reply, error);

    if (code && error && simplugin_error_code(*error) != code)
        sp_error_set(error, code, name, "describe: failed with %s", sp_code_name(code));
    if (code)
        goto out;
    wrong = simplugin_check_reply(&reply);
    if (wrong) {
        code = sp_error_set(error, SIMPLUGIN_PROTOCOL, name, "describe: %s", wrong);
        goto out;
    }
    d = calloc(1, sizeof *d);
    map = simplugin_body_value(reply.body, reply.body_size);
    if (!d || !(d->json = sp_json_from_value(&map))) {
        code = d && !sp_json_fits(&map)
                   ? sp_error_set(error, SIMPLUGIN_PROTOCOL, name,
                                  "describe: holds something that is no text, number, bool, "
                                  "list or map")
                   : sp_error_no_memory(error);
        goto out;
    }
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        if (!json_is_array(json_object_get(d->json, lists[i]))) {
            code = sp_error_set(error, SIMPLUGIN_PROTOCOL, name, "describe: %s is no array",
                                lists[i]);
            goto out;
        }
    code = metrics_check(d, name, error);
    if (code)
        goto out;
    d->max_k = limit_read(d->json, "max_k");
    d->max_dimension = limit_read(d->json, "max_dimension");
    d->batch_bytes = limit_read(d->json, "batch_bytes");
    d->exact = json_is_true(json_object_get(d->json, "exact"));
    d->radius = json_is_true(json_object_get(d->json, "radius"));
    d->conditional_upsert = json_is_true(json_object_get(d->json, "conditional_upsert"));
    d->rounds_floats = json_is_true(json_object_get(d->json, "rounds_floats"));
    code = vectors_read(d, name, error);
    if (code)
        goto out;
    code = filters_read(d, name, error);
out:
    if (code) {
        sp_describe_free(d);
        d = NULL;
    }
    *describe = d;
    simplugin_reply_clear(&reply);
    return code;
}

void sp_describe_free(sp_describe *describe)
{
    if (!describe)
        return;
    json_decref(describe->json);
    free(describe);
}

const char *sp_describe_metric(const sp_describe *describe, const char *name)
{
    const char *metric = json_string_value(
        json_object_get(json_object_get(describe->json, "metric_aliases"), name));

    return metric && !sp_describe_lists(describe, "metrics", name) ? metric : name;
}

int sp_describe_lists(const sp_describe *describe, const char *key, const char *name)
{
    return list_has(json_object_get(describe->json, key), name);
}
