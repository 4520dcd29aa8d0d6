/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of the qdrant plugin against a server that tests/servers/qdrant.py started, or
 * a real one: the server, and a session whose configuration names it.
 */
#ifndef SP_TESTS_QDRANT_LIVE_H
#define SP_TESTS_QDRANT_LIVE_H

#include <sys/types.h>

#include "ask.h"
#include "unit.h"

typedef struct live_server {
    const char *url, *restart, *faults;
    const char *api_key, *read_only_api_key;              /* where there are some */
    const char *ca, *other_ca, *server_name, *cert, *key; /* with TLS */
    int port;
    int pid; /* 0: not known */
} live_server;

extern live_server server;
/* One whose configuration makes qdrant the default backend, and names the server. */
extern uint64_t session;
/* One whose configuration says nothing. */
extern uint64_t bare;

/* Reads the environment and opens the sessions; 0 with a message where a variable is missing. */
int live_init(const char *const *needed);
void live_end(void);
/* Where the plugins are, and room for data. */
const char *live_directory(void);

int64_t live_now(void); /* milliseconds */
/* Whether the last error's message holds a text. */
int live_says(const char *text);

/* What must be so; else the last error is shown. */
#define MUST(condition)                                                         \
    do {                                                                        \
        int must = (condition) != 0;                                            \
                                                                                \
        if (!must)                                                              \
            printf("\n    %s\n    ", simplugin_error_message(rig_error, NULL)); \
        CU_ASSERT_FATAL(must);                                                  \
    } while (0)
/* The code that a call fails with, and words of its message. */
#define FAILS(code, words, call)                                                \
    do {                                                                        \
        int32_t failed = call;                                                  \
                                                                                \
        if (failed != (code) || !live_says(words))                              \
            printf("\n    %s: %s\n    ", simplugin_code_name(failed),           \
                   simplugin_error_message(rig_error, NULL));                   \
        CU_ASSERT_EQUAL(failed, code);                                          \
        CU_ASSERT(live_says(words));                                            \
    } while (0)

typedef struct live_suite {
    const char *name;
    const unit_case *cases;
    size_t count;
} live_suite;

extern const live_suite live_tls_one, live_tls_two, live_tls_expired, live_keys;

#endif
