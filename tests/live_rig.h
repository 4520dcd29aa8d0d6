/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of a plugin against a real server share: the program that runs them, the
 * server's process, sessions whose configuration names the server, calls, and points.
 */
#ifndef SP_TESTS_LIVE_RIG_H
#define SP_TESTS_LIVE_RIG_H

#include <stdatomic.h>
#include <sys/types.h>

#include "ask.h"
#include "unit.h"

/* ---- the program ------------------------------------------------------------------------ */

#define LIVE_SUITES_MAX 12
#define LIVE_NEEDED_MAX 8

typedef struct live_suite {
    const char *name;
    const unit_case *cases;
    size_t count;
    /* variables without which its cases are left out, and that is said; NULL at the end */
    const char *needed[LIVE_NEEDED_MAX];
} live_suite;

#define LIVE_SUITE(variable, title, ...)                                        \
    static const unit_case variable##_cases[] = {__VA_ARGS__};                  \
    const live_suite variable = {title, variable##_cases,                       \
                                 sizeof variable##_cases / sizeof variable##_cases[0], {NULL}}

/* What is run together, and the variables it cannot do without. */
typedef struct live_program {
    const char *name;
    const live_suite *suites[LIVE_SUITES_MAX];
    const char *needed[LIVE_NEEDED_MAX];
} live_program;

typedef struct live_backend {
    const char *name;     /* "milvus": also that of its tests, milvus_live and milvus.py */
    const char *prefix;   /* of the variables: "SIMPLUGIN_TEST_MILVUS_" */
    json_t *(*configure)(void); /* what the configuration file says of it: an object */
    const live_program *programs;
    size_t program_count;
    const unit_case *roles; /* of the program as its own child, by their names */
    size_t role_count;
} live_backend;

/*
 *     PROGRAM SUITE [--only REGEX]
 *     PROGRAM --child ROLE
 *
 * The value for main.
 */
int live_main(const live_backend *backend, int argc, char **argv);

/* ---- the server ------------------------------------------------------------------------- */

/* A variable without its prefix; NULL: it is not set, or empty. */
const char *live_variable(const char *name);

/* One whose configuration makes the backend the default one, and names the server. */
extern uint64_t session;
/* One whose configuration says nothing. */
extern uint64_t bare;

/* Opens the sessions; 0 with a message. */
int live_init(const live_backend *backend);
void live_end(void);
/* Where the plugins are, and room for data. */
const char *live_directory(void);

/* These need _PID and _RESTART. */
void live_kill(void);
/* Waits until the server is there again. */
void live_restart(void);
/* SIGSTOP and SIGCONT. Milvus forgives eight seconds. */
void live_stop(void);
void live_continue(void);

/* ---- children --------------------------------------------------------------------------- */

#define LIVE_PATIENCE 20 /* seconds after which a child has hung */

/* Runs this program in that role; its status, and how long after its last word it ended. */
int live_child_run(const char *role, int64_t *elapsed);
/* What a child says: now. */
void live_child_says(void);
/* How a child ended: its status, or -1 with the signal shown. */
int live_child_wait(pid_t pid);
/* Makes a call in a forked child: its code. */
int live_forked_call(uint64_t target, const char *method);

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

#endif
