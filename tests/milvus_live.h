/* SPDX-License-Identifier: Apache-2.0 */
/* The milvus plugin against a server that tests/servers/milvus.py started. */
#ifndef SP_TESTS_MILVUS_LIVE_H
#define SP_TESTS_MILVUS_LIVE_H

#include "live_rig.h"

/* ---- the server ------------------------------------------------------------------------ */

typedef struct live_server {
    const char *uri, *kind;
    const char *user, *password;                              /* with authorization */
    const char *ca, *other_ca, *server_name, *cert, *key;     /* with TLS */
    int port;
    int is_lite;
} live_server;

extern live_server server;
/* How much of something is used: Milvus Lite is slow. */
static inline uint64_t live_many(uint64_t standalone, uint64_t lite)
{
    return server.is_lite ? lite : standalone;
}

/* ---- servers of our own ------------------------------------------------------------------- */

typedef enum fake_kind {
    FAKE_HTTP,   /* an HTTP/1.1 server */
    FAKE_SILENT, /* accepts and says nothing */
    FAKE_OLD,    /* Milvus 2.2.16, as far as its version */
    FAKE_MUTE,   /* speaks HTTP/2, and answers no call */
} fake_kind;

/* Starts one on loopback; its port. It lives as long as the process. */
int fake_start(fake_kind kind);
/* How often one was asked whether it is still there. */
int fake_pings(void);
/* A port on which nobody listens. */
int fake_port(void);

/* ---- the cases ----------------------------------------------------------------------------- */

extern const live_suite live_input, live_schema, live_data, live_reads, live_upkeep, live_process;
extern const live_suite live_fault, live_writes;
extern const live_suite live_tls_one, live_tls_two, live_tls_expired, live_auth;

/* What the program does as its own child, see milvus_live_process.c. */
extern const unit_case live_roles[];
extern const size_t live_role_count;

#endif
