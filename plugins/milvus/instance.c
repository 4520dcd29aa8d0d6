/* SPDX-License-Identifier: Apache-2.0 */
/* Instances: opened, called and closed by the host. */
#include "config.h"

#include "instance.h"

#include <stdio.h>
#include <stdlib.h>

#include "ask.h"
#include "channel.h"
#include "consistency.h"
#include "describe.h"
#include "known.h"
#include "name.h"
#include "native.h"
#include "view.h"

#define VERSION_MIN_MAJOR 2
#define VERSION_MIN_MINOR 3
#define VERSION_BYTES 64

/* ---- opening and closing ---------------------------------------------------------------- */

static void instance_free(simplugin_instance *instance)
{
    if (!instance)
        return;
    milvus_link_clear(&instance->link);
    milvus_settings_clear(&instance->settings);
    free(instance);
}

int32_t milvus_instance_open(const simplugin_call_info *info, const simplugin_request *request,
                             simplugin_instance **instance, simplugin_error **error)
{
    plug_call call = {.info = info, .request = request, .error = error};
    simplugin_instance *made = calloc(1, sizeof *made);
    const char *known;
    int32_t code = SIMPLUGIN_OK;

    *instance = NULL;
    call.body = simplugin_body_value(request->body, request->body_size);
    known = milvus_connection_keys(&call);
    if (!made || !known)
        code = plug_no_memory(&call);
    if (!code)
        code = plug_args_check(&call, known);
    if (!code)
        code = milvus_settings_read(&made->settings, &call);
    if (!code && plug_instance_init(&made->base))
        code = plug_no_memory(&call);
    if (!code) {
        milvus_link_init(&made->link, &made->settings);
        *instance = made;
        made = NULL;
    }
    if (made)
        milvus_settings_clear(&made->settings);
    free(made);
    sp_arena_free(&call.scratch);
    return code;
}

void milvus_instance_close(simplugin_instance *instance)
{
    if (!instance)
        return;
    plug_views_forget(&instance->base, &instance->views, NULL);
    milvus_known_forget(instance, NULL);
    plug_instance_clear(&instance->base);
    milvus_written_free(instance);
    while (instance->schemas) {
        milvus_schema *next = instance->schemas->next;

        milvus_schema_release(instance->schemas);
        instance->schemas = next;
    }
    instance_free(instance);
}

/* ---- the server's version --------------------------------------------------------------- */

/* "v2.3.5", "2.4.0-rc.1": the first two numbers. What cannot be read is let pass. */
static int version_is_old(const char *version)
{
    int major = 0, minor = 0;

    while (*version && (*version < '0' || *version > '9'))
        version++;
    if (sscanf(version, "%d.%d", &major, &minor) != 2)
        return 0;
    return major < VERSION_MIN_MAJOR || (major == VERSION_MIN_MAJOR && minor < VERSION_MIN_MINOR);
}

/* Asks the server, and writes what it says to version. */
static int32_t version_ask(milvus_call *call, char *version, size_t size)
{
    simplugin_instance *instance = call->instance;
    Milvus__DatabaseRequest request = MILVUS__DATABASE_REQUEST__INIT;
    const Milvus__VersionReply *reply;
    void *message = NULL;
    int32_t code = milvus_ask(call, "GetVersion", &request.base,
                              &milvus__version_reply__descriptor, &message);

    if (code)
        return code;
    reply = message;
    snprintf(version, size, "%s", reply->version);
    if (version_is_old(reply->version)) {
        code = plug_fail(&call->base, SIMPLUGIN_VERSION_TOO_OLD,
                         "the server at %s is Milvus %.40s: version 2.3.0 or later is needed",
                         instance->settings.address.target, reply->version);
    } else {
        atomic_store(&instance->is_lite, strstr(reply->version, "milvus_lite") != NULL);
        atomic_store(&instance->is_checked, 1);
    }
    milvus_reply_free(message);
    return code;
}

int32_t milvus_version_check(milvus_call *call)
{
    char version[VERSION_BYTES];

    return atomic_load(&call->instance->is_checked)
               ? SIMPLUGIN_OK
               : version_ask(call, version, sizeof version);
}

/* Asked anew each time: that is the point of it. */
int32_t milvus_serve_health(milvus_call *call)
{
    char version[VERSION_BYTES] = "";
    int32_t code = version_ask(call, version, sizeof version);

    simplugin_write_map(&call->base.out, 1);
    simplugin_write_string(&call->base.out, "version");
    simplugin_write_string(&call->base.out, version);
    return code;
}

/* ---- methods ------------------------------------------------------------------------------ */

#define NO_NAME 0   /* names no collection */
#define NAME_ONLY 1 /* names one, which need not be there */
#define OPENED 2    /* works on one */

typedef struct milvus_method {
    const char *name; /* first */
    const char *keys; /* as docs/protocol.md lists them */
    int kind;
    int32_t (*serve)(milvus_call *call);
} milvus_method;

static const milvus_method methods[] = {
    {"health", "", NO_NAME, milvus_serve_health},
    {"search", "collection vectors k filter view reverse max_distance fields with_vectors parameters",
     OPENED, milvus_serve_search},
    {"points.get", "collection ids vectors fields", OPENED, milvus_serve_points_get},
    {"points.upsert", "collection ids vectors fields rows parameters", OPENED,
     milvus_serve_points_upsert},
    {"points.set_fields", "collection ids fields", OPENED, milvus_serve_points_set_fields},
    {"points.delete", "collection ids filter all", OPENED, milvus_serve_points_delete},
    {"points.count", "collection filter view", OPENED, milvus_serve_points_count},
    {"points.scan", "collection cursor max_bytes max_rows vectors fields filter", OPENED,
     milvus_serve_points_scan},
    {"view.create", "collection ids", OPENED, milvus_serve_view_create},
    {"view.drop", "collection view", NAME_ONLY, milvus_serve_view_drop},
    {"collection.list", "", NO_NAME, milvus_serve_collection_list},
    {"collection.exists", "collection", NAME_ONLY, milvus_serve_collection_exists},
    {"collection.create", "collection dimension metric fields parameters", NAME_ONLY,
     milvus_serve_collection_create},
    {"collection.describe", "collection", OPENED, milvus_serve_collection_describe},
    {"collection.drop", "collection", NAME_ONLY, milvus_serve_collection_drop},
    {"collection.flush", "collection", OPENED, milvus_serve_collection_flush},
    {"collection.load", "collection partitions", OPENED, milvus_serve_collection_load},
    {"collection.release", "collection partitions", OPENED, milvus_serve_collection_release},
    {"collection.compact", "collection", OPENED, milvus_serve_collection_compact},
    {"index.create", "collection parameters", OPENED, milvus_serve_index_create},
    {"index.drop", "collection", OPENED, milvus_serve_index_drop},
    {"index.describe", "collection", OPENED, milvus_serve_index_describe},
    {"partition.create", "collection partition", OPENED, milvus_serve_partition_create},
    {"partition.list", "collection", OPENED, milvus_serve_partition_list},
    {"partition.drop", "collection partition", OPENED, milvus_serve_partition_drop},
    {"native.collection.create", "collection fields dynamic description consistency_level shards",
     NAME_ONLY, milvus_native_collection_create},
    {"native.insert", "collection vectors ids fields partition", OPENED, milvus_native_insert},
    {"native.query", "collection expr fields vectors limit partitions consistency_level", OPENED,
     milvus_native_query},
    {"native.search",
     "collection vectors k expr fields with_vectors partitions params consistency_level", OPENED,
     milvus_native_search},
    {"native.delete", "collection expr partition", OPENED, milvus_native_delete},
    {"native.load.state", "collection partitions", NAME_ONLY, milvus_native_load_state},
    {"native.compact.start", "collection", OPENED, milvus_native_compact_start},
    {"native.compact.state", "compaction", NO_NAME, milvus_native_compact_state},
    {"native.alias.create", "collection alias", NAME_ONLY, milvus_native_alias_create},
    {"native.alias.alter", "collection alias", NAME_ONLY, milvus_native_alias_alter},
    {"native.alias.drop", "alias", NO_NAME, milvus_native_alias_drop},
    {"native.alias.list", "collection", NAME_ONLY, milvus_native_alias_list},
    {"native.database.create", "database", NO_NAME, milvus_native_database_create},
    {"native.database.drop", "database", NO_NAME, milvus_native_database_drop},
    {"native.database.list", "", NO_NAME, milvus_native_database_list},
    {"native.user.create", "user password", NO_NAME, milvus_native_user_create},
    {"native.user.update", "user old_password password", NO_NAME, milvus_native_user_update},
    {"native.user.drop", "user", NO_NAME, milvus_native_user_drop},
    {"native.user.list", "", NO_NAME, milvus_native_user_list},
    {"native.role.create", "role", NO_NAME, milvus_native_role_create},
    {"native.role.drop", "role", NO_NAME, milvus_native_role_drop},
    {"native.role.assign", "role user", NO_NAME, milvus_native_role_assign},
    {"native.role.withdraw", "role user", NO_NAME, milvus_native_role_withdraw},
    {"native.role.grant", "role object name privilege", NO_NAME, milvus_native_role_grant},
    {"native.role.revoke", "role object name privilege", NO_NAME, milvus_native_role_revoke},
};

#define METHODS (sizeof methods / sizeof methods[0])

/* What the table has beyond the required methods, for describe. */
void milvus_methods_write(simplugin_writer *out)
{
    plug_methods_write(out, methods, METHODS, sizeof methods[0]);
}

static int32_t serve(milvus_call *call, const milvus_method *method)
{
    int32_t code = plug_args_check(&call->base, method->keys);

    if (!code && method->kind != NO_NAME)
        code = milvus_name_read(call);
    if (!code)
        code = plug_check(&call->base);
    if (!code && method->serve != milvus_serve_health)
        code = milvus_version_check(call);
    if (!code && method->kind == OPENED)
        code = milvus_schema_acquire(call);
    if (!code)
        code = method->serve(call);
    /* it may have been made anew by somebody else: the next call asks again */
    if (code && call->schema)
        milvus_schema_forget(call->instance, call->collection);
    milvus_schema_release(call->schema);
    return code;
}

int32_t milvus_instance_call(simplugin_instance *instance, const simplugin_call_info *info,
                             const simplugin_request *request, simplugin_reply *reply,
                             simplugin_error **error)
{
    milvus_call call = {
        .base = {.info = info, .request = request, .reply = reply, .error = error},
        .instance = instance,
    };
    int64_t found;
    int32_t code;

    milvus_channel_call_begin();
    simplugin_writer_init(&call.base.out);
    call.base.body = simplugin_body_value(request->body, request->body_size);
    found = plug_method_find(&call.base, methods, METHODS, sizeof methods[0]);
    code = found < 0 ? SIMPLUGIN_UNKNOWN_METHOD : serve(&call, &methods[found]);
    if (!code && simplugin_writer_reply(&call.base.out, plug_host, reply))
        code = plug_no_memory(&call.base);
    simplugin_writer_clear(&call.base.out);
    sp_arena_free(&call.base.scratch);
    milvus_channel_call_end();
    return code;
}
