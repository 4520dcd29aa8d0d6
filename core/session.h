/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session: where configuration is read, plugins are searched and runs are kept, and the
 * connections that its indexes share.
 */
#ifndef SP_SESSION_H
#define SP_SESSION_H

#include "config_resolve.h"
#include "connection.h"
#include "loader.h"
#include "runs.h"

typedef struct sp_session sp_session;

/* options may be NULL. The caller's to sp_object_release. */
int32_t sp_session_new(const sp_config_options *options, sp_session **session,
                       simplugin_error **error);
sp_object *sp_session_object(sp_session *session);
sp_config *sp_session_config(sp_session *session);
/* The store of runs in the session's data directory, opened on first use; the session's. */
int32_t sp_session_runs(sp_session *session, sp_runs **runs, simplugin_error **error);

/* A backend found and asked what it is, with its parameters as they would be used. */
typedef struct sp_resolved {
    char *backend;
    json_t *provenance_backend; /* where the choice of backend came from; NULL: an argument */
    const sp_plugin *plugin;    /* the loader's, for the process */
    sp_describe *describe;
    sp_parameters parameters; /* what the backend declares, and what every index takes */
    json_t *values;           /* object: every effective value */
    json_t *provenance;       /* array */
} sp_resolved;

/*
 * Loads the named backend (NULL: the configured one) and resolves its parameters.
 * Connects nowhere. Cleared by sp_resolved_clear in any case.
 */
int32_t sp_session_resolve(sp_session *session, const char *backend, const json_t *arguments,
                           const sp_context *context, sp_resolved *resolved,
                           simplugin_error **error);
void sp_resolved_clear(sp_resolved *resolved);
/* Finds and loads a plugin, as sp_session_resolve does. */
int32_t sp_session_load(sp_session *session, const char *backend, const sp_context *context,
                        const sp_plugin **plugin, simplugin_error **error);
/* The values that belong to open (connection 1) or collection.create (0), a new object. */
json_t *sp_resolved_part(const sp_resolved *resolved, int connection);
/* The names of all parameters that are secret. The array is the caller's to free. */
const char **sp_resolved_secrets(const sp_resolved *resolved, size_t *count);

/* A connection of its own. The caller's to release. */
int32_t sp_session_connect(sp_session *session, sp_resolved *resolved, uint64_t parent,
                           const sp_context *context, sp_connection **connection,
                           simplugin_error **error);
/* One that is shared by all indexes with the same parameters, given back by unshare. */
int32_t sp_session_share(sp_session *session, sp_resolved *resolved, const sp_context *context,
                         sp_connection **connection, simplugin_error **error);
void sp_session_unshare(sp_session *session, sp_connection *connection);

#endif
