/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

/* A connection that several indexes use, by what it was opened with. */
typedef struct share {
    struct share *next;
    char *key;
    sp_connection *connection;
    uint64_t users;
} share;

struct sp_session {
    sp_object object;
    sp_config *config;
    /* sessions_lock guards the rest */
    sp_runs *runs;
    char *runs_dir;
    share *shares;
};

/* One lock for all sessions, held for a few lines at a time, which a fork finds free. */
static pthread_mutex_t sessions_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static void sessions_lock(void) { pthread_mutex_lock(&sessions_mutex); }
static void sessions_unlock(void) { pthread_mutex_unlock(&sessions_mutex); }
static void fork_prepare(void)
{
    pthread_atfork(sessions_lock, sessions_unlock, sessions_unlock);
}

static void session_warn(void *context, const char *message)
{
    (void)context;
    sp_log(SIMPLUGIN_LOG_WARNING, "%s", message);
}

/* Whether a variable's name may mean this backend rather than a parameter of another. */
static int session_knows(void *context, const char *name)
{
    const sp_session *s = context;
    json_t *dirs = NULL;
    int known = 0;

    if (s->config && !sp_config_plugin_dirs(s->config, &dirs, NULL))
        known = sp_loader_knows(dirs, name);
    json_decref(dirs);
    return known;
}

static void session_destroy(sp_object *object)
{
    sp_session *s = (sp_session *)object;

    sp_runs_close(s->runs);
    free(s->runs_dir);
    sp_config_free(s->config);
    free(s);
}

int32_t sp_session_new(const sp_config_options *options, sp_session **session,
                       simplugin_error **error)
{
    sp_config_options with_log = {0};
    sp_session *s = calloc(1, sizeof *s);
    int32_t code;

    *session = NULL;
    if (!s)
        return sp_error_no_memory(error);
    sp_object_init(&s->object, SP_SESSION, 0, session_destroy);
    pthread_once(&fork_once, fork_prepare);
    if (options)
        with_log = *options;
    with_log.warn = session_warn;
    with_log.is_backend = session_knows;
    with_log.context = s;
    code = sp_config_new(&with_log, &s->config, error);
    if (code)
        sp_object_release(&s->object);
    else
        *session = s;
    return code;
}

sp_object *sp_session_object(sp_session *session)
{
    return &session->object;
}

sp_config *sp_session_config(sp_session *session)
{
    return session->config;
}

int32_t sp_session_runs(sp_session *session, sp_runs **runs, simplugin_error **error)
{
    char *dir = NULL;
    int32_t code = sp_config_data_dir(session->config, &dir, error);

    if (code)
        return code;
    sessions_lock();
    /* the first directory stays for the session: closing it under other calls would not do */
    if (!session->runs) {
        code = sp_runs_open(dir, &session->runs, error);
        if (!code) {
            session->runs_dir = dir;
            dir = NULL;
        }
    } else if (strcmp(dir, session->runs_dir)) {
        code = sp_error_set(error, SIMPLUGIN_CONFIG, "config",
                            "the data directory changed from %s to %s: open a new session",
                            session->runs_dir, dir);
    }
    *runs = session->runs;
    sessions_unlock();
    free(dir);
    return code;
}

/* ---- resolving ------------------------------------------------------------------------ */

void sp_resolved_clear(sp_resolved *resolved)
{
    free(resolved->backend);
    json_decref(resolved->provenance_backend);
    sp_describe_free(resolved->describe);
    sp_parameters_clear(&resolved->parameters);
    json_decref(resolved->values);
    json_decref(resolved->provenance);
    memset(resolved, 0, sizeof *resolved);
}

int32_t sp_session_load(sp_session *session, const char *backend, const sp_context *context,
                        const sp_plugin **plugin, simplugin_error **error)
{
    json_t *dirs = NULL;
    int32_t code = sp_config_plugin_dirs(session->config, &dirs, error);

    if (!code)
        code = sp_loader_load(dirs, backend, &sp_host, context->deadline, plugin, error);
    json_decref(dirs);
    return code;
}

static int declares(const json_t *list, const char *name)
{
    size_t i;
    json_t *item;

    json_array_foreach(list, i, item) {
        const char *known = json_string_value(json_object_get(item, "name"));

        if (known && strcmp(known, name) == 0)
            return 1;
    }
    return 0;
}

/* The backend's parameters and the two that every index has. */
static json_t *declared_new(const sp_describe *describe)
{
    static const char *const names[] = {"collection_name", "metric"};
    json_t *list = json_copy(json_object_get(describe->json, "parameters"));

    for (size_t i = 0; list && i < 2; i++)
        if (!declares(list, names[i]) &&
            json_array_append_new(list, json_pack("{ss,ss,sb}", "name", names[i], "type", "text",
                                                  "connection", 0))) {
            json_decref(list);
            list = NULL;
        }
    return list;
}

/* A backend that keeps its data in files gets to know where. */
static int32_t data_dir_fill(sp_session *session, sp_resolved *r, simplugin_error **error)
{
    char *dir = NULL;
    int32_t code;

    if (!declares(r->parameters.owner, "data_dir") ||
        json_is_string(json_object_get(r->values, "data_dir")))
        return SIMPLUGIN_OK;
    code = sp_config_data_dir(session->config, &dir, error);
    if (!code && json_object_set_new(r->values, "data_dir", json_string(dir)))
        code = sp_error_no_memory(error);
    free(dir);
    return code;
}

int32_t sp_session_resolve(sp_session *session, const char *backend, const json_t *arguments,
                           const sp_context *context, sp_resolved *resolved,
                           simplugin_error **error)
{
    json_t *declared = NULL;
    int32_t code;

    memset(resolved, 0, sizeof *resolved);
    if (backend) {
        resolved->backend = strdup(backend);
        code = resolved->backend ? sp_config_check_backend(session->config, backend, error)
                                 : sp_error_no_memory(error);
    } else {
        code = sp_config_default_backend(session->config, &resolved->backend,
                                         &resolved->provenance_backend, error);
    }
    if (!code)
        code = sp_session_load(session, resolved->backend, context, &resolved->plugin, error);
    if (!code)
        code = sp_describe_new(&resolved->plugin->backend, resolved->backend, &resolved->describe,
                               error);
    if (code)
        return code;
    declared = declared_new(resolved->describe);
    if (!declared)
        return sp_error_no_memory(error);
    code = sp_parameters_init(&resolved->parameters, resolved->backend, declared, error);
    json_decref(declared);
    if (!code)
        code = sp_config_resolve(session->config, resolved->backend, &resolved->parameters,
                                 arguments, &resolved->values, &resolved->provenance, error);
    return code ? code : data_dir_fill(session, resolved, error);
}

json_t *sp_resolved_part(const sp_resolved *resolved, int connection)
{
    json_t *part = json_object();

    for (size_t i = 0; part && i < resolved->parameters.count; i++) {
        const sp_parameter *p = &resolved->parameters.items[i];
        json_t *value = json_object_get(resolved->values, p->name);

        if (p->connection != connection || !value || json_is_null(value) ||
            strcmp(p->name, "collection_name") == 0 || strcmp(p->name, "metric") == 0)
            continue;
        if (json_object_set(part, p->name, value)) {
            json_decref(part);
            part = NULL;
        }
    }
    return part;
}

const char **sp_resolved_secrets(const sp_resolved *resolved, size_t *count)
{
    const char **names = calloc(resolved->parameters.count + 1, sizeof *names);

    *count = 0;
    for (size_t i = 0; names && i < resolved->parameters.count; i++)
        if (resolved->parameters.items[i].secret)
            names[(*count)++] = resolved->parameters.items[i].name;
    return names;
}

/* ---- connecting ----------------------------------------------------------------------- */

int32_t sp_session_connect(sp_session *session, sp_resolved *resolved, uint64_t parent,
                           const sp_context *context, sp_connection **connection,
                           simplugin_error **error)
{
    json_t *parameters = sp_resolved_part(resolved, 1);
    json_t *secrets = sp_config_secrets(resolved->values, &resolved->parameters);
    sp_describe *describe = resolved->describe;
    int32_t code;

    (void)session;
    *connection = NULL;
    if (!parameters || !secrets) {
        code = sp_error_no_memory(error);
    } else {
        resolved->describe = NULL;
        code = sp_connection_new(resolved->backend, &resolved->plugin->backend, describe,
                                 parameters, secrets, parent, context, connection, error);
    }
    json_decref(parameters);
    json_decref(secrets);
    return code;
}

/* What tells one connection from another: the plugin, the process and the parameters. */
static char *share_key(const sp_resolved *resolved)
{
    json_t *parameters = sp_resolved_part(resolved, 1);
    json_t *key = NULL;
    char *text = NULL;

    if (parameters)
        key = json_pack("[s, I, I, O]", resolved->backend, (json_int_t)getpid(),
                        (json_int_t)(uintptr_t)resolved->plugin, parameters);
    if (key)
        text = json_dumps(key, JSON_SORT_KEYS | JSON_COMPACT);
    json_decref(key);
    json_decref(parameters);
    return text;
}

static sp_connection *share_find_locked(sp_session *session, const char *key)
{
    for (share *s = session->shares; s; s = s->next)
        if (strcmp(s->key, key) == 0) {
            s->users++;
            return s->connection;
        }
    return NULL;
}

int32_t sp_session_share(sp_session *session, sp_resolved *resolved, const sp_context *context,
                         sp_connection **connection, simplugin_error **error)
{
    char *key = share_key(resolved);
    share *fresh = calloc(1, sizeof *fresh);
    sp_connection *mine = NULL;
    int32_t code = SIMPLUGIN_OK;

    *connection = NULL;
    if (!key || !fresh) {
        code = sp_error_no_memory(error);
        goto out;
    }
    sessions_lock();
    *connection = share_find_locked(session, key);
    sessions_unlock();
    if (*connection)
        goto out;
    /* opened outside the lock; when two threads do it at once, the first one's is kept */
    code = sp_session_connect(session, resolved, 0, context, &mine, error);
    if (code)
        goto out;
    sessions_lock();
    *connection = share_find_locked(session, key);
    if (!*connection) {
        fresh->key = key;
        fresh->connection = mine;
        fresh->users = 1;
        fresh->next = session->shares;
        session->shares = fresh;
        *connection = mine;
        mine = NULL;
        fresh = NULL;
        key = NULL;
    }
    sessions_unlock();
out:
    if (mine)
        sp_object_release(sp_connection_object(mine));
    free(key);
    free(fresh);
    return code;
}

void sp_session_unshare(sp_session *session, sp_connection *connection)
{
    share *gone = NULL;

    sessions_lock();
    for (share **link = &session->shares; *link && !gone; link = &(*link)->next)
        if ((*link)->connection == connection) {
            if (--(*link)->users == 0) {
                gone = *link;
                *link = gone->next;
            }
            break;
        }
    sessions_unlock();
    if (!gone)
        return;
    sp_object_release(sp_connection_object(gone->connection));
    free(gone->key);
    free(gone);
}
