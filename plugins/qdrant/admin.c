/* SPDX-License-Identifier: Apache-2.0 */
/* Native methods on aliases, snapshots and the cluster: the server's answers as they are. */
#include "config.h"

#include "ask.h"
#include "instance.h"
#include "json_map.h"
#include "upsert.h"

/* {key: result} as the reply. */
static int32_t answer(qdrant_call *call, const char *method, const char *path, json_t *body,
                      int idempotent, const char *key)
{
    const char *wrong;
    json_t *result;
    int32_t code = qdrant_ask(call, method, path, body, idempotent, &result);

    if (code)
        return code;
    simplugin_write_map(&call->base.out, 1);
    simplugin_write_string(&call->base.out, key);
    wrong = qdrant_json_write(&call->base.out, result);
    json_decref(result);
    return wrong ? plug_fail(&call->base, SIMPLUGIN_PROTOCOL,
                             "the server's answer cannot be passed on: %s", wrong)
                 : SIMPLUGIN_OK;
}

static int32_t text_need(qdrant_call *call, const char *key, const char **text)
{
    int32_t code = plug_arg_string(&call->base, key, text);

    if (!code && (!*text || !**text))
        code = plug_fail_argument(&call->base, key, "%s is a text, and needed", key);
    return code;
}

/* ---- aliases ------------------------------------------------------------------------------ */

/* From now on the alias stands for another collection, or for none. */
static int32_t alias_change(qdrant_call *call, const char *alias, json_t *action)
{
    int32_t code = action ? qdrant_ask(call, "POST", "/collections/aliases",
                                       json_pack("{s:[o]}", "actions", action), 1, NULL)
                          : plug_no_memory(&call->base);

    qdrant_written(call);
    qdrant_schema_forget(call->instance, alias);
    plug_known_forget(&call->instance->base, &call->instance->known, alias);
    return code;
}

int32_t qdrant_native_alias_create(qdrant_call *call)
{
    const char *alias;
    int32_t code = text_need(call, "alias", &alias);

    return code ? code
                : alias_change(call, alias,
                               json_pack("{s:{s:s,s:s}}", "create_alias", "collection_name",
                                         call->collection, "alias_name", alias));
}

int32_t qdrant_native_alias_drop(qdrant_call *call)
{
    const char *alias;
    int32_t code = text_need(call, "alias", &alias);

    return code ? code
                : alias_change(call, alias,
                               json_pack("{s:{s:s}}", "delete_alias", "alias_name", alias));
}

/* Of one collection, or of all. */
int32_t qdrant_native_alias_list(qdrant_call *call)
{
    const char *path = "/aliases";
    const char *collection;
    json_t *result = NULL, *item;
    uint64_t begin, count = 0;
    size_t i;
    int32_t code = plug_arg_string(&call->base, "collection", &collection);

    if (!code && collection)
        path = qdrant_path(&call->base, "/collections/%s/aliases", collection);
    if (!code)
        code = qdrant_ask(call, "GET", path, NULL, 1, &result);
    if (code)
        return code;
    simplugin_write_map(&call->base.out, 1);
    simplugin_write_string(&call->base.out, "aliases");
    begin = simplugin_write_map_begin(&call->base.out);
    json_array_foreach(json_object_get(result, "aliases"), i, item) {
        const char *alias = json_string_value(json_object_get(item, "alias_name"));

        if (!alias)
            continue;
        simplugin_write_string(&call->base.out, alias);
        simplugin_write_string(&call->base.out,
                               json_string_value(json_object_get(item, "collection_name")));
        count++;
    }
    simplugin_write_end(&call->base.out, begin, count);
    json_decref(result);
    return SIMPLUGIN_OK;
}

/* ---- snapshots ----------------------------------------------------------------------------- */

int32_t qdrant_native_snapshot_create(qdrant_call *call)
{
    return answer(call, "POST", qdrant_own_path(call, "/snapshots?wait=true"), NULL, 0, "snapshot");
}

int32_t qdrant_native_snapshot_list(qdrant_call *call)
{
    return answer(call, "GET", qdrant_own_path(call, "/snapshots"), NULL, 1, "snapshots");
}

int32_t qdrant_native_snapshot_drop(qdrant_call *call)
{
    const char *snapshot, *path;
    int32_t code = text_need(call, "snapshot", &snapshot);

    if (code)
        return code;
    path = qdrant_path(&call->base, "/collections/%s/snapshots/%s", call->collection, snapshot);
    return qdrant_ask(call, "DELETE", path, NULL, 1, NULL);
}

/* ---- the cluster ----------------------------------------------------------------------------- */

int32_t qdrant_native_cluster(qdrant_call *call)
{
    return answer(call, "GET", "/cluster", NULL, 1, "cluster");
}
