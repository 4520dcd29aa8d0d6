/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of the milvus plugin against a server that tests/servers/milvus.py started:
 * the server, a session whose configuration names it, and points to put into it.
 */
#ifndef SP_TESTS_MILVUS_LIVE_H
#define SP_TESTS_MILVUS_LIVE_H

#include <stdatomic.h>
#include <sys/types.h>

#include "ask.h"
#include "unit.h"

/* ---- the server ------------------------------------------------------------------------ */

typedef struct live_server {
    const char *uri, *kind, *restart;
    const char *user, *password;                              /* with authorization */
    const char *ca, *other_ca, *server_name, *cert, *key;     /* with TLS */
    int port;
    int is_lite;
    atomic_int pid;
} live_server;

extern live_server server;
/* One whose configuration makes milvus the default backend, and names the server. */
extern uint64_t session;
/* One whose configuration says nothing. */
extern uint64_t bare;

/* Reads the environment and opens the session; 0 with a message where a variable is missing. */
int live_init(const char *const *needed);
void live_end(void);
/* Where the plugins are, and room for data. */
const char *live_directory(void);

/* How much of something is used: Milvus Lite is slow. */
static inline uint64_t live_many(uint64_t standalone, uint64_t lite)
{
    return server.is_lite ? lite : standalone;
}

void live_kill(void);
/* Waits until the server is there again. */
void live_restart(void);
/* SIGSTOP and SIGCONT. Standalone forgives eight seconds. */
void live_stop(void);
void live_continue(void);

/* ---- calls ------------------------------------------------------------------------------- */

/* A collection and the index on it. */
typedef struct live_made {
    uint64_t index;
    char name[80];
} live_made;

/* What index.create makes of further pairs, in the session, under a name of its own. */
live_made live_create(const char *format, ...) __attribute__((format(printf, 1, 2)));
void live_drop(live_made *made);
/* A connection, with further parameters or without; to be closed. */
uint64_t live_connection(void);
uint64_t live_connect(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A method of the plugin's on the collection, with further pairs or without. */
int32_t live_do(const live_made *made, const char *method);
int32_t live_call(const live_made *made, const char *method, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

int64_t live_now(void); /* milliseconds */
void live_sleep(int64_t milliseconds);
/* Whether the last error's message holds a text. */
int live_says(const char *text);

/* What must be so; else the last error is shown. */
#define MUST(condition)                                                              \
    do {                                                                             \
        int must = (condition) != 0;                                                 \
                                                                                     \
        if (!must)                                                                   \
            printf("\n    %s\n    ", simplugin_error_message(rig_error, NULL));      \
        CU_ASSERT_FATAL(must);                                                       \
    } while (0)
/* The code that a call fails with, and words of its message. */
#define FAILS(code, words, call)                                                     \
    do {                                                                             \
        int32_t failed = call;                                                       \
                                                                                     \
        if (failed != (code) || !live_says(words))                                   \
            printf("\n    %s: %s\n    ", simplugin_code_name(failed),                \
                   simplugin_error_message(rig_error, NULL));                        \
        CU_ASSERT_EQUAL(failed, code);                                               \
        CU_ASSERT(live_says(words));                                                 \
    } while (0)

/* ---- points ------------------------------------------------------------------------------ */

/* Rows of independent normal numbers. The caller frees them. */
float *live_normal(uint64_t seed, uint64_t count, uint64_t dimension);
/* The id of a row: "p000017". The number behind one. */
void live_id(char id[16], uint64_t row);
uint64_t live_row(const char *id);
/* Adds rows first to first + count - 1, which lie at `rows`. */
int32_t live_add(uint64_t index, const float *rows, uint64_t first, uint64_t count,
                 uint64_t dimension);
/* Removes count rows, from first on, every one or every second one and so on. */
int32_t live_remove(uint64_t index, uint64_t first, uint64_t count, uint64_t step);
/*
 * Searches, with parameters (JSON with ' for "; NULL: none), in a view (0: the whole index).
 * The hits are in rig_reply.
 */
int32_t live_search(uint64_t index, const float *queries, uint64_t count, uint64_t dimension,
                    uint64_t k, const char *parameters, uint64_t view);
/* A view of these rows: the handle. */
uint64_t live_view(uint64_t index, const uint64_t *rows, uint64_t count);
/* The rows of the last search's query q, nearest first; returns how many. The caller frees them. */
uint64_t live_hits(uint64_t q, uint64_t **rows);
int64_t live_size(uint64_t index);

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

typedef struct live_suite {
    const char *name;
    const unit_case *cases;
    size_t count;
} live_suite;

extern const live_suite live_input, live_schema, live_data, live_upkeep, live_process, live_fault,
    live_writes;
extern const live_suite live_tls_one, live_tls_two, live_tls_expired, live_auth;

/* What the program does as its own child, see milvus_live_process.c. */
int live_child(const char *role);

#endif
