/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <stdlib.h>

#include "ask.h"
#include "base64.h"
#include "instance.h"
#include "name.h"
#include "native.h"
#include "partitions.h"

/* A text that must be there, and not be empty. */
static int32_t text_need(milvus_call *call, const char *key, const char **text)
{
    int32_t code = plug_arg_string(&call->base, key, text);

    if (!code && (!*text || !**text))
        code = plug_fail_argument(&call->base, key, "%s is a text, and needed", key);
    return code;
}

static int32_t done(milvus_call *call, int32_t code)
{
    simplugin_write_map(&call->base.out, 0);
    return code;
}

/* Writes the names of a reply under the key. */
static int32_t names_ask(milvus_call *call, const char *method, const ProtobufCMessage *message,
                         const char *key)
{
    Milvus__NamesReply *reply;
    void *answer = NULL;
    int32_t code = milvus_ask(call, method, message, &milvus__names_reply__descriptor, &answer);

    if (code)
        return code;
    reply = answer;
    simplugin_write_map(&call->base.out, 1);
    plug_write_texts(&call->base.out, key, (const char *const *)reply->names, reply->n_names);
    milvus_reply_free(answer);
    return code;
}

/* ---- loading and compacting ---------------------------------------------------------------- */

int32_t milvus_native_load_state(milvus_call *call)
{
    static const char *const states[] = {"absent", "released", "loading", "loaded"};
    Milvus__LoadingRequest request = MILVUS__LOADING_REQUEST__INIT;
    milvus_partitions partitions;
    void *answer = NULL;
    int64_t state = 0, progress = 0;
    int32_t code = milvus_partitions_read(&call->base, &call->base.body, &partitions);

    if (code)
        return code;
    request.db_name = call->instance->settings.db_name;
    request.collection_name = milvus_text(call->collection);
    request.partition_names = (char **)(uintptr_t)partitions.names;
    request.n_partition_names = (size_t)partitions.count;
    /* a state and a progress are numbers in the same place */
    code = milvus_ask(call, "GetLoadState", &request.base, &milvus__loading_reply__descriptor,
                      &answer);
    if (!code)
        state = ((Milvus__LoadingReply *)answer)->progress;
    milvus_reply_free(answer);
    answer = NULL;
    if (!code && state >= 2)
        code = milvus_ask(call, "GetLoadingProgress", &request.base,
                          &milvus__loading_reply__descriptor, &answer);
    if (!code && answer)
        progress = ((Milvus__LoadingReply *)answer)->progress;
    milvus_reply_free(answer);
    simplugin_write_map(&call->base.out, 2);
    simplugin_write_string(&call->base.out, "state");
    simplugin_write_string(&call->base.out, state >= 0 && state < 4 ? states[state] : NULL);
    simplugin_write_string(&call->base.out, "progress");
    simplugin_write_int(&call->base.out, progress);
    return code;
}

int32_t milvus_native_compact_start(milvus_call *call)
{
    Milvus__CompactionRequest request = MILVUS__COMPACTION_REQUEST__INIT;
    void *answer = NULL;
    int32_t code;

    request.collection_id = call->schema->collection_id;
    request.collection_name = milvus_text(call->collection);
    request.db_name = call->instance->settings.db_name;
    code = milvus_ask(call, "ManualCompaction", &request.base,
                      &milvus__compaction_reply__descriptor, &answer);
    if (!code) {
        simplugin_write_map(&call->base.out, 1);
        simplugin_write_string(&call->base.out, "compaction");
        simplugin_write_int(&call->base.out, ((Milvus__CompactionReply *)answer)->compaction_id);
    }
    milvus_reply_free(answer);
    return code;
}

int32_t milvus_native_compact_state(milvus_call *call)
{
    static const char *const states[] = {"unknown", "executing", "completed"};
    Milvus__CompactionStateRequest request = MILVUS__COMPACTION_STATE_REQUEST__INIT;
    Milvus__CompactionStateReply *reply;
    simplugin_writer *out = &call->base.out;
    void *answer = NULL;
    int32_t code =
        plug_arg_int(&call->base, "compaction", INT64_MIN, INT64_MAX, &request.compaction_id);

    if (!code)
        code = milvus_ask(call, "GetCompactionState", &request.base,
                          &milvus__compaction_state_reply__descriptor, &answer);
    if (code)
        return code;
    reply = answer;
    simplugin_write_map(out, 4);
    simplugin_write_string(out, "state");
    simplugin_write_string(out, states[reply->state >= 0 && reply->state < 3 ? reply->state : 0]);
    simplugin_write_string(out, "executing");
    simplugin_write_int(out, reply->executing);
    simplugin_write_string(out, "completed");
    simplugin_write_int(out, reply->completed);
    simplugin_write_string(out, "failed");
    simplugin_write_int(out, reply->failed + reply->timed_out);
    milvus_reply_free(answer);
    return code;
}

/* ---- aliases ------------------------------------------------------------------------------- */

static int32_t alias_read(milvus_call *call, const char **alias)
{
    int32_t code = text_need(call, "alias", alias);

    return code ? code : milvus_name_check(&call->base, "alias", *alias, "an alias", alias);
}

static int32_t alias_set(milvus_call *call, const char *method)
{
    Milvus__AliasRequest request = MILVUS__ALIAS_REQUEST__INIT;
    const char *alias;
    int32_t code = alias_read(call, &alias);

    if (code)
        return code;
    request.db_name = call->instance->settings.db_name;
    request.collection_name = milvus_text(call->collection);
    request.alias = milvus_text(alias);
    code = milvus_tell(call, method, &request.base, 0);
    milvus_schema_forget(call->instance, alias);
    return done(call, code);
}

int32_t milvus_native_alias_create(milvus_call *call)
{
    return alias_set(call, "CreateAlias");
}

int32_t milvus_native_alias_alter(milvus_call *call)
{
    return alias_set(call, "AlterAlias");
}

int32_t milvus_native_alias_drop(milvus_call *call)
{
    Milvus__DropAliasRequest request = MILVUS__DROP_ALIAS_REQUEST__INIT;
    const char *alias;
    int32_t code = alias_read(call, &alias);

    if (code)
        return code;
    request.db_name = call->instance->settings.db_name;
    request.alias = milvus_text(alias);
    code = milvus_tell(call, "DropAlias", &request.base, 1);
    milvus_schema_forget(call->instance, alias);
    return done(call, code);
}

int32_t milvus_native_alias_list(milvus_call *call)
{
    Milvus__CollectionRequest request = MILVUS__COLLECTION_REQUEST__INIT;
    Milvus__AliasesReply *reply;
    void *answer = NULL;
    int32_t code;

    request.db_name = call->instance->settings.db_name;
    request.collection_name = milvus_text(call->collection);
    code = milvus_ask(call, "ListAliases", &request.base, &milvus__aliases_reply__descriptor,
                      &answer);
    if (code)
        return code;
    reply = answer;
    simplugin_write_map(&call->base.out, 1);
    plug_write_texts(&call->base.out, "aliases", (const char *const *)reply->aliases,
                     reply->n_aliases);
    milvus_reply_free(answer);
    return code;
}

/* ---- databases ------------------------------------------------------------------------------ */

static int32_t database_tell(milvus_call *call, const char *method, int idempotent)
{
    Milvus__DatabaseRequest request = MILVUS__DATABASE_REQUEST__INIT;
    const char *database;
    int32_t code = text_need(call, "database", &database);

    if (!code)
        code = milvus_name_check(&call->base, "database", database, "a database", &database);
    if (code)
        return code;
    request.db_name = milvus_text(database);
    return done(call, milvus_tell(call, method, &request.base, idempotent));
}

int32_t milvus_native_database_create(milvus_call *call)
{
    return database_tell(call, "CreateDatabase", 0);
}

int32_t milvus_native_database_drop(milvus_call *call)
{
    return database_tell(call, "DropDatabase", 1);
}

int32_t milvus_native_database_list(milvus_call *call)
{
    Milvus__DatabaseRequest request = MILVUS__DATABASE_REQUEST__INIT;

    return names_ask(call, "ListDatabases", &request.base, "databases");
}

/* ---- users -------------------------------------------------------------------------------- */

/*
 * Passwords travel as base64. What is made of them here is wiped; the request belongs to
 * the caller, and what gRPC copies to send it to gRPC.
 */
static void secret_free(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

/* A text in memory of the call, which is given back without being wiped. */
static void text_wipe(const char *text)
{
    if (text)
        explicit_bzero((char *)(uintptr_t)text, strlen(text));
}

int32_t milvus_native_user_create(milvus_call *call)
{
    Milvus__CredentialRequest request = MILVUS__CREDENTIAL_REQUEST__INIT;
    const char *user, *password;
    char *secret;
    int32_t code = text_need(call, "user", &user);

    if (!code)
        code = text_need(call, "password", &password);
    if (code)
        return code;
    secret = milvus_base64(password);
    text_wipe(password);
    request.username = milvus_text(user);
    request.password = secret;
    code = secret ? milvus_tell_secret(call, "CreateCredential", &request.base)
                  : plug_no_memory(&call->base);
    secret_free(secret);
    return done(call, code);
}

int32_t milvus_native_user_update(milvus_call *call)
{
    Milvus__UpdateCredentialRequest request = MILVUS__UPDATE_CREDENTIAL_REQUEST__INIT;
    const char *user, *old_password = NULL, *password = NULL;
    char *old_secret = NULL, *secret = NULL;
    int32_t code = text_need(call, "user", &user);

    if (!code)
        code = text_need(call, "old_password", &old_password);
    if (!code)
        code = text_need(call, "password", &password);
    if (!code) {
        old_secret = milvus_base64(old_password);
        secret = milvus_base64(password);
    }
    text_wipe(old_password);
    text_wipe(password);
    if (code)
        return code;
    request.username = milvus_text(user);
    request.old_password = old_secret;
    request.new_password = secret;
    code = old_secret && secret ? milvus_tell_secret(call, "UpdateCredential", &request.base)
                                : plug_no_memory(&call->base);
    secret_free(old_secret);
    secret_free(secret);
    return done(call, code);
}

int32_t milvus_native_user_drop(milvus_call *call)
{
    Milvus__UserRequest request = MILVUS__USER_REQUEST__INIT;
    const char *user;
    int32_t code = text_need(call, "user", &user);

    if (code)
        return code;
    request.username = milvus_text(user);
    return done(call, milvus_tell(call, "DeleteCredential", &request.base, 1));
}

int32_t milvus_native_user_list(milvus_call *call)
{
    Milvus__DatabaseRequest request = MILVUS__DATABASE_REQUEST__INIT;

    return names_ask(call, "ListCredUsers", &request.base, "users");
}

/* ---- roles -------------------------------------------------------------------------------- */

int32_t milvus_native_role_create(milvus_call *call)
{
    Milvus__CreateRoleRequest request = MILVUS__CREATE_ROLE_REQUEST__INIT;
    Milvus__Named named = MILVUS__NAMED__INIT;
    const char *role;
    int32_t code = text_need(call, "role", &role);

    if (code)
        return code;
    named.name = milvus_text(role);
    request.entity = &named;
    return done(call, milvus_tell(call, "CreateRole", &request.base, 0));
}

int32_t milvus_native_role_drop(milvus_call *call)
{
    Milvus__DropRoleRequest request = MILVUS__DROP_ROLE_REQUEST__INIT;
    const char *role;
    int32_t code = text_need(call, "role", &role);

    if (code)
        return code;
    request.role_name = milvus_text(role);
    return done(call, milvus_tell(call, "DropRole", &request.base, 0));
}

static int32_t user_role(milvus_call *call, int32_t type)
{
    Milvus__UserRoleRequest request = MILVUS__USER_ROLE_REQUEST__INIT;
    const char *role, *user;
    int32_t code = text_need(call, "role", &role);

    if (!code)
        code = text_need(call, "user", &user);
    if (code)
        return code;
    request.role_name = milvus_text(role);
    request.username = milvus_text(user);
    request.type = type;
    return done(call, milvus_tell(call, "OperateUserRole", &request.base, 1));
}

int32_t milvus_native_role_assign(milvus_call *call)
{
    return user_role(call, 0);
}

int32_t milvus_native_role_withdraw(milvus_call *call)
{
    return user_role(call, 1);
}

/* object: "Collection" with the name of one, or "Global" with "*". */
static int32_t role_privilege(milvus_call *call, int32_t type)
{
    Milvus__PrivilegeRequest request = MILVUS__PRIVILEGE_REQUEST__INIT;
    Milvus__Grant grant = MILVUS__GRANT__INIT;
    Milvus__Grantor grantor = MILVUS__GRANTOR__INIT;
    Milvus__Named role = MILVUS__NAMED__INIT, object = MILVUS__NAMED__INIT,
                  privilege = MILVUS__NAMED__INIT;
    const char *role_name, *object_type, *name, *privilege_name;
    int32_t code = text_need(call, "role", &role_name);

    if (!code)
        code = text_need(call, "object", &object_type);
    if (!code)
        code = text_need(call, "name", &name);
    if (!code)
        code = text_need(call, "privilege", &privilege_name);
    if (code)
        return code;
    role.name = milvus_text(role_name);
    object.name = milvus_text(object_type);
    privilege.name = milvus_text(privilege_name);
    grantor.privilege = &privilege;
    grant.role = &role;
    grant.object = &object;
    grant.object_name = milvus_text(name);
    grant.grantor = &grantor;
    grant.db_name = call->instance->settings.db_name;
    request.entity = &grant;
    request.type = type;
    return done(call, milvus_tell(call, "OperatePrivilege", &request.base, 1));
}

int32_t milvus_native_role_grant(milvus_call *call)
{
    return role_privilege(call, 0);
}

int32_t milvus_native_role_revoke(milvus_call *call)
{
    return role_privilege(call, 1);
}
