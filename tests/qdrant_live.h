/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The qdrant plugin against a server: the one that tests/servers/qdrant.py starts, or any
 * other that SIMPLUGIN_TEST_QDRANT_URL names.
 */
#ifndef SP_TESTS_QDRANT_LIVE_H
#define SP_TESTS_QDRANT_LIVE_H

#include "live_rig.h"

/* ---- the server -------------------------------------------------------------------------- */

typedef struct live_server {
    const char *url;
    int port;
    const char *api_key, *read_only_api_key;              /* where it asks for one */
    const char *ca, *other_ca, *server_name, *cert, *key; /* with TLS */
} live_server;

extern live_server server;

#define GRACE 100 /* milliseconds past a deadline */

/*
 * A request of any kind, past all that the plugin knows of collections: the path is of the
 * server's API, the body JSON with ' for " ("": none). What came back is in rig_reply.
 */
int32_t live_request(uint64_t target, const char *method, const char *path, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Under "result" of what live_request got: the value at a path such as "config.params". */
json_t *live_result(const char *path);

/* What health says through a connection of the session's with these parameters. */
int32_t live_health(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same, of a connection that nothing else is known of. */
int32_t live_bare_health(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The ids that a filter accepts, in order, as one text: "a b c". The caller frees it. */
char *live_matching(uint64_t index, const char *filter);

/* An index of the sklearn backend, with further pairs: what is right is what it says. */
uint64_t live_flat(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Waits until as many vectors have an index and nothing is being built; 0: in vain. */
int live_indexed(const live_made *made, uint64_t count);

/* How many of the k hits of each query the flat index agrees with, of count * k. */
uint64_t live_agreement(const live_made *made, uint64_t view, uint64_t flat, uint64_t flat_view,
                        const float *queries, uint64_t count, uint64_t dimension, uint64_t k,
                        const char *parameters);

/* ---- the control port ---------------------------------------------------------------------- */

/* What is to go wrong, as rules of tests/servers/qdrant_server/faults.py with ' for ". */
void fault(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Nothing any more; and what was asked before is forgotten. */
void fault_end(void);
/* How many requests of that method (NULL: any) had a path that ends so. */
uint64_t asked(const char *method, const char *end);
/* Waits until there were so many; 0: in vain. */
int asked_wait(const char *method, const char *end, uint64_t count);
/* What was asked, in order: {"method", "path", "query", "headers", ...}. To be released. */
json_t *asked_log(void);

/* ---- the cases ------------------------------------------------------------------------------ */

extern const live_suite live_input, live_fields, live_ids, live_schema, live_data, live_large;
extern const live_suite live_process, live_away, live_killed;
extern const live_suite live_fault, live_connections; /* these need _FAULTS */
extern const live_suite live_tls_one, live_tls_two, live_tls_expired, live_http2, live_auth;
extern const live_suite live_old, live_too_old;

/* What the program does as its own child, see qdrant_live_process.c. */
extern const unit_case live_roles[];
extern const size_t live_role_count;

#endif
