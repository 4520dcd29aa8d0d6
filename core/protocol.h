/* SPDX-License-Identifier: Apache-2.0 */
/* The methods of the application protocol: one table, which docs/protocol.md mirrors. */
#ifndef SP_PROTOCOL_H
#define SP_PROTOCOL_H

#include "index.h"

typedef struct sp_method {
    const char *name;
    uint32_t targets; /* SP_SESSION, ... ored */
    const char *keys; /* of the request, between spaces */
    int32_t (*serve)(sp_object *target, sp_request *request, simplugin_error **error);
} sp_method;

/* All methods, sorted by name. */
const sp_method *sp_methods(size_t *count);
/* UNKNOWN_METHOD with the nearest name. */
int32_t sp_method_find(const char *name, uint64_t size, const sp_method **method,
                       simplugin_error **error);

/* Required methods of the backend protocol, NULL-terminated. */
extern const char *const sp_backend_required[];
/* The optional ones that it names. */
extern const char *const sp_backend_optional[];

/* serve_session.c, serve_backend.c, serve_runs.c: methods on sessions and connections */
#define SP_SERVE(name) \
    int32_t sp_serve_##name(sp_object *target, sp_request *request, simplugin_error **error)
SP_SERVE(session_open);
SP_SERVE(session_close);
SP_SERVE(config_resolve);
SP_SERVE(config_explain);
SP_SERVE(backends_list);
SP_SERVE(backends_describe);
SP_SERVE(connection_open);
SP_SERVE(health);
SP_SERVE(backend_call);
SP_SERVE(runs_list);
SP_SERVE(runs_info);
SP_SERVE(runs_load);
SP_SERVE(runs_rename);
SP_SERVE(runs_delete);
SP_SERVE(metrics_render);
#undef SP_SERVE

/* The connection behind a target; NULL for sessions and views. */
sp_connection *sp_target_connection(sp_object *target);

/* A reply of one JSON object. */
int32_t sp_request_finish_json(sp_request *request, const json_t *json, simplugin_error **error);

#endif
