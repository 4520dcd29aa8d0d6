/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection: an instance of a backend, with the rules of calling it - one call at a
 * time where it asks for that, replies checked, errors named and masked, calls counted.
 */
#ifndef SP_CONNECTION_H
#define SP_CONNECTION_H

#include "context.h"
#include "describe.h"
#include "handle.h"

typedef struct sp_connection sp_connection;

/*
 * Opens an instance of backend with the parameters (those that describe calls
 * connection's). secrets are texts to be masked in whatever it says; name is what errors
 * and metrics call it. describe is taken, also on failure. The caller's to
 * sp_object_release.
 */
int32_t sp_connection_new(const char *name, const simplugin_backend *backend,
                          sp_describe *describe, const json_t *parameters, json_t *secrets,
                          uint64_t parent, const sp_context *context, sp_connection **connection,
                          simplugin_error **error);
sp_object *sp_connection_object(sp_connection *connection);
const char *sp_connection_name(const sp_connection *connection);
const sp_describe *sp_connection_describe(const sp_connection *connection);
/* The parameter "timeout_ms", 0 if there is none. */
int64_t sp_connection_timeout(const sp_connection *connection);
/* Whether it serves an optional method. */
int sp_connection_serves(const sp_connection *connection, const char *method);

/*
 * Calls a method. reply is empty before; on success it holds a checked envelope, the
 * caller's to clear; on failure it is empty.
 */
int32_t sp_connection_call(sp_connection *connection, const sp_context *context,
                           const char *method, const simplugin_request *request,
                           simplugin_reply *reply, simplugin_error **error);
/* The same with what a writer holds; the writer's failure is OUT_OF_MEMORY. */
int32_t sp_connection_send(sp_connection *connection, const sp_context *context,
                           const char *method, const simplugin_writer *writer,
                           simplugin_reply *reply, simplugin_error **error);

#endif
