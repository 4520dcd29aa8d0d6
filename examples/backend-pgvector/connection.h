/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One session with the server. Everything goes through libpq without blocking: each wait is a
 * poll for the socket and for the call's cancellation, no longer than the call has time. A call
 * that runs out of time, or is cancelled, tells the server so and leaves the session, which is
 * closed; the server undoes what was not committed.
 */
#ifndef PGV_CONNECTION_H
#define PGV_CONNECTION_H

#include <libpq-fe.h>

#include "settings.h"
#include "sql.h"

struct pgv_call;

typedef struct pgv_connection {
    PGconn *pg;
    int wake;            /* an eventfd that a cancellation writes to */
    uint64_t watch;      /* of the call it is lent to */
    int is_broken;       /* to be closed, not to be lent again */
    char *vector_schema; /* where the extension vector is; NULL: there is none */
    uint32_t vector_type;
    int vector_version; /* 8 for 0.8, 100 for 1.0 */
    char *staged;       /* the shape of the table of staging.c; NULL: not made yet */
} pgv_connection;

/* Connects, and looks at what there is. On failure nothing is left of it. */
int32_t pgv_connection_open(struct pgv_call *call, const pgv_settings *settings,
                            pgv_connection *connection);
void pgv_connection_close(pgv_connection *connection);
/* In a forked child: frees it without a word to the server, whose session is the parent's. */
void pgv_connection_drop(pgv_connection *connection);

/* For the time of a call. lend is 0 if the session has ended meanwhile. */
int pgv_connection_lend(pgv_connection *connection, const simplugin_call_info *info);
/* Undoes what the call has left open. */
void pgv_connection_return(pgv_connection *connection);

/* Looks again whether there is the extension vector. */
int32_t pgv_connection_look(struct pgv_call *call);

/* Runs a statement and clears it; result may be NULL. The caller frees it with PQclear. */
int32_t pgv_run(struct pgv_call *call, pgv_sql *sql, PGresult **result);
/* Commands of ours, without values, separated by semicolons. */
int32_t pgv_command(struct pgv_call *call, const char *text);

/* COPY ... FROM STDIN, its bytes (the buffer is emptied), and its end. */
int32_t pgv_copy_begin(struct pgv_call *call, const char *text);
int32_t pgv_copy_put(struct pgv_call *call, pgv_buffer *bytes);
int32_t pgv_copy_end(struct pgv_call *call);

#endif
