/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simplugin.h - vector-similarity search with the backend chosen at run time.
 *
 * The whole of a first program (compile with `pkg-config --cflags --libs simplugin`):
 *
 *     #include <simplugin.h>
 *     #include <stdio.h>
 *     int main(void) {
 *         const char *ids[] = {"apple", "pear", "plum"};
 *         float rows[3][2] = {{1, 0}, {0.9f, 0.1f}, {0, 1}};
 *         uint64_t index = 0;
 *         simplugin_hits hits = {.size = sizeof hits};
 *         if (simplugin_index_create(NULL, &index, NULL, NULL) == SIMPLUGIN_OK &&
 *             simplugin_index_add(index, ids, rows[0], 3, 2, NULL, NULL) == SIMPLUGIN_OK &&
 *             simplugin_index_search(index, rows[1], 1, 2, 2, NULL, &hits, NULL) == SIMPLUGIN_OK)
 *             printf("%s %s\n", hits.ids[0], hits.ids[1]);
 *         simplugin_hits_clear(&hits);
 *         return simplugin_close(index, NULL); }
 *
 * Objects, each named by a handle: a 64-bit number that is never used again
 *   session      configuration, data directory and plugin path; 0 is the default session,
 *                which follows the environment and the brain configuration file
 *   connection   one backend, opened with resolved parameters
 *   index        one collection of a backend under a metric, with the semantics of
 *                FiftyOne's similarity indexes; possibly recorded as a brain run
 *   view         a set of ids that restricts searches of one index
 *   scan         an iteration over an index
 *   copy         the points of an index on their way into another
 *   cancel       a token that ends calls
 * and, in the caller's memory
 *   simplugin_request, simplugin_reply   body and tensors of a call (simplugin/plugin.h)
 *   simplugin_error                      what went wrong; freed by simplugin_error_free
 *
 * One function, simplugin_call, serves every method of docs/protocol.md. Bindings need no
 * other. The typed functions below it are for C programs and do the same for the common
 * operations.
 *
 * Errors
 *   Every function returns SIMPLUGIN_OK (0) or a code from simplugin/plugin.h. Where a
 *   function takes `simplugin_error **error`, that may be NULL; else *error must be NULL
 *   or an error to be replaced, and is set exactly when the code is not 0. There is no
 *   last-error state.
 *
 * Ownership
 *   Arguments are borrowed until the function returns and never kept.
 *   Replies and hits belong to the caller until simplugin_reply_clear or _hits_clear.
 *   Errors belong to the caller until simplugin_error_free.
 *
 * Threads
 *   Every function may be called from any thread at any time, also on the same handle;
 *   closing a handle lets the calls in it end first. Callbacks run on the calling thread
 *   (progress) or on any thread (log).
 *
 * Processes
 *   After fork, handles of connections, indexes, views and scans opened before answer with
 *   FORKED in the child or reopen what they need, as each backend documents; never a hang.
 *
 * Versions
 *   This header's ABI follows the rules of simplugin/plugin.h: structs begin with their
 *   size and only grow at the end. Set .size, zero the rest. A struct of a newer header than
 *   the library in use is taken if what the library does not know of it is 0; a field set
 *   there, and one named reserved that is not 0, is refused (INVALID_ARGUMENT; MALFORMED for
 *   the reserved fields of requests and tensors).
 *
 * Since 1.0: everything here.
 */
#ifndef SIMPLUGIN_H
#define SIMPLUGIN_H

#include "simplugin/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SIMPLUGIN_VERSION "1.0.0"

/* The version of the library in use, zero-terminated, static. */
SIMPLUGIN_EXPORT const char *simplugin_version(void);

/* ---- the generic call ---------------------------------------------------------------- */

typedef void (*simplugin_progress_fn)(void *context, uint64_t done, uint64_t total);

#define SIMPLUGIN_TIMEOUT_DEFAULT INT64_C(0) /* 60,000 ms; the backend's parameter "timeout_ms" */
#define SIMPLUGIN_TIMEOUT_NONE INT64_C(-1)

/* How to make a call. NULL stands for all defaults. */
typedef struct simplugin_options {
    uint64_t size;                  /* sizeof(simplugin_options) */
    int64_t timeout_ms;             /* milliseconds from now, or one of the two above */
    uint64_t cancel;                /* from simplugin_cancel_new; 0: none */
    const char *trace_id;           /* passed on to logs and servers; not terminated; or NULL */
    uint64_t trace_id_size;
    simplugin_progress_fn progress; /* called on the calling thread during long calls; or NULL */
    void *progress_context;
    uint64_t reserved[4];           /* 0 */
} simplugin_options;

/*
 * Calls a method of docs/protocol.md on a handle (0: the default session).
 * method: UTF-8, method_size bytes. request: NULL stands for an empty body. reply: .size
 * set, the rest zero or cleared; on success filled, to be cleared by the caller; on
 * failure cleared; NULL drops it.
 * UNKNOWN_METHOD (with the nearest name), STALE_HANDLE, MALFORMED for a bad envelope,
 * INVALID_ARGUMENT with the detail "argument", DEADLINE_EXCEEDED, CANCELLED, and what the
 * method's section lists.
 */
SIMPLUGIN_EXPORT int32_t simplugin_call(uint64_t target, const char *method, uint64_t method_size,
                                        const simplugin_request *request,
                                        const simplugin_options *options, simplugin_reply *reply,
                                        simplugin_error **error);

/* Frees what a reply holds and zeroes it, all but .size. NULL and cleared ones are harmless. */
SIMPLUGIN_EXPORT void simplugin_reply_clear(simplugin_reply *reply);

/*
 * Closes any handle but 0; calls that are in it end first, views and scans of an index, and
 * everything of a session, close with it. STALE_HANDLE if it is not open (any more).
 */
SIMPLUGIN_EXPORT int32_t simplugin_close(uint64_t handle, simplugin_error **error);

/* ---- cancelling ----------------------------------------------------------------------- */

/* A token for any number of calls. OUT_OF_MEMORY. Ended by simplugin_cancel_free. */
SIMPLUGIN_EXPORT int32_t simplugin_cancel_new(uint64_t *cancel, simplugin_error **error);
/*
 * Ends all calls that carry the token, and every later one, with CANCELLED. From any
 * thread, also again; takes locks, so not from a signal handler. STALE_HANDLE.
 */
SIMPLUGIN_EXPORT int32_t simplugin_cancel_fire(uint64_t cancel);
/* Frees the token; calls that still carry it can no longer be cancelled. STALE_HANDLE. */
SIMPLUGIN_EXPORT int32_t simplugin_cancel_free(uint64_t cancel);

/* ---- errors --------------------------------------------------------------------------- */

/* The functions below accept NULL and answer 0 or "". Text lives as long as the error. */
SIMPLUGIN_EXPORT int32_t simplugin_error_code(const simplugin_error *error);
/* One line, zero-terminated; secrets are masked. *size, if not NULL, is its length in bytes. */
SIMPLUGIN_EXPORT const char *simplugin_error_message(const simplugin_error *error, uint64_t *size);
/* Where it comes from: "config", "loader", "index", "runs", "sklearn_flat", ... */
SIMPLUGIN_EXPORT const char *simplugin_error_domain(const simplugin_error *error);
/* The server's own code and words, 0 and "" if there were none. */
SIMPLUGIN_EXPORT int64_t simplugin_error_backend_code(const simplugin_error *error);
SIMPLUGIN_EXPORT const char *simplugin_error_backend_message(const simplugin_error *error,
                                                             uint64_t *size);
/* 1 if the same call may succeed later. */
SIMPLUGIN_EXPORT int32_t simplugin_error_retryable(const simplugin_error *error);
/* Pairs such as "argument" = "k" or "id" = "4711"; zero-terminated, "" past the last. */
SIMPLUGIN_EXPORT uint64_t simplugin_error_detail_count(const simplugin_error *error);
SIMPLUGIN_EXPORT const char *simplugin_error_detail_key(const simplugin_error *error, uint64_t i);
SIMPLUGIN_EXPORT const char *simplugin_error_detail_value(const simplugin_error *error,
                                                          uint64_t i);
/* Frees *error and sets it to NULL. NULL is harmless. */
SIMPLUGIN_EXPORT void simplugin_error_free(simplugin_error **error);
/* "NOT_FOUND" for SIMPLUGIN_NOT_FOUND, "UNKNOWN" for no code of ours; static. */
SIMPLUGIN_EXPORT const char *simplugin_code_name(int32_t code);

/* ---- process-wide ----------------------------------------------------------------------- */

typedef void (*simplugin_log_fn)(void *context, int32_t level, const char *message,
                                 uint64_t message_size);
/*
 * Sends messages up to level (SIMPLUGIN_LOG_...) to fn, on whatever thread they arise; what
 * is secret of open connections, and passwords in URLs, are masked in them as in errors.
 * fn must not call back into the library. NULL restores the default: warnings and
 * errors to stderr, or what SIMPLUGIN_LOG (error, warning, info, debug, off) says.
 */
SIMPLUGIN_EXPORT void simplugin_log_set(simplugin_log_fn fn, void *context, int32_t level);

/*
 * Makes a backend that is linked into the program known by name ([a-z0-9_]+), ahead of
 * plugin files of that name. BACKEND_NAME, ALREADY_EXISTS.
 */
SIMPLUGIN_EXPORT int32_t simplugin_backend_register(const char *name,
                                                    simplugin_backend_entry_fn entry,
                                                    simplugin_error **error);

/* ---- typed functions ---------------------------------------------------------------------
 * For C programs. Strings are zero-terminated UTF-8. Errors are those of the methods named.
 */

/* What index to create. NULL and 0 stand for what the configuration says. */
typedef struct simplugin_index_spec {
    uint64_t size;             /* sizeof(simplugin_index_spec) */
    uint64_t session;          /* 0: the default session */
    const char *backend;       /* NULL: the configured one, sklearn by default */
    const char *dataset;       /* NULL: "default" */
    const char *brain_key;     /* NULL: no run is recorded; the index is found by its collection */
    const char *collection;    /* NULL: a new unique name */
    const char *metric;        /* NULL: the configured one, cosine by default */
    uint64_t dimension;        /* 0: that of the first vectors */
    const char *patches_field; /* NULL: an index of samples */
    const char *model;         /* NULL: none recorded */
    int32_t supports_prompts;  /* of the model: 0 or 1 */
    int32_t overwrite;         /* 1: replace a run of that brain key */
    const char *parameters;    /* more of the backend's, a JSON object; or NULL */
    uint64_t reserved[4];      /* 0 */
} simplugin_index_spec;

/* Method index.create. spec may be NULL. *index is closed by simplugin_close. */
SIMPLUGIN_EXPORT int32_t simplugin_index_create(const simplugin_index_spec *spec, uint64_t *index,
                                                const simplugin_options *options,
                                                simplugin_error **error);

/* Method index.open: the run brain_key of dataset (NULL: "default") in the default session. */
SIMPLUGIN_EXPORT int32_t simplugin_index_open(const char *dataset, const char *brain_key,
                                              uint64_t *index, const simplugin_options *options,
                                              simplugin_error **error);

/*
 * Method index.add: count ids, and count x dimension float32 row-major without gaps. Ids
 * that are there are replaced. DIMENSION_MISMATCH, INVALID_ARGUMENT (NaN, empty id, ...).
 */
SIMPLUGIN_EXPORT int32_t simplugin_index_add(uint64_t index, const char *const *ids,
                                             const float *vectors, uint64_t count,
                                             uint64_t dimension, const simplugin_options *options,
                                             simplugin_error **error);

/* Nearest points of each query: those of query i are at offsets[i] to offsets[i + 1] - 1. */
typedef struct simplugin_hits {
    uint64_t size;           /* sizeof(simplugin_hits), set by the caller */
    uint64_t query_count;
    uint64_t hit_count;      /* offsets[query_count] */
    const int64_t *offsets;  /* query_count + 1 */
    const char *const *ids;  /* hit_count, zero-terminated */
    const float *distances;  /* hit_count; smaller is nearer */
    const float *scores;     /* hit_count; the backend's own */
    void *owner;             /* the library's */
} simplugin_hits;

/* Method index.search: count x dimension float32 queries; nearest first. */
SIMPLUGIN_EXPORT int32_t simplugin_index_search(uint64_t index, const float *queries,
                                                uint64_t count, uint64_t dimension, uint64_t k,
                                                const simplugin_options *options,
                                                simplugin_hits *hits, simplugin_error **error);
/* The same for the vectors of count ids, one query each. NOT_FOUND names missing ids. */
SIMPLUGIN_EXPORT int32_t simplugin_index_search_ids(uint64_t index, const char *const *ids,
                                                    uint64_t count, uint64_t k,
                                                    const simplugin_options *options,
                                                    simplugin_hits *hits,
                                                    simplugin_error **error);
/* Frees what hits holds and zeroes it, all but .size. */
SIMPLUGIN_EXPORT void simplugin_hits_clear(simplugin_hits *hits);

/*
 * Method index.get: writes the vectors of count ids, count x dimension float32, to the
 * caller's vectors, and 1 or 0 to found[i]; rows of missing ids become zero. found may be
 * NULL: then a missing id is NOT_FOUND.
 */
SIMPLUGIN_EXPORT int32_t simplugin_index_get(uint64_t index, const char *const *ids,
                                             uint64_t count, uint64_t dimension, float *vectors,
                                             uint8_t *found, const simplugin_options *options,
                                             simplugin_error **error);

/* Method index.remove. *removed, if not NULL, is how many of the ids were there. */
SIMPLUGIN_EXPORT int32_t simplugin_index_remove(uint64_t index, const char *const *ids,
                                                uint64_t count, uint64_t *removed,
                                                const simplugin_options *options,
                                                simplugin_error **error);

/* Method index.size: the exact number of points. */
SIMPLUGIN_EXPORT int32_t simplugin_index_size(uint64_t index, uint64_t *size,
                                              const simplugin_options *options,
                                              simplugin_error **error);

/* Method index.cleanup: drops the collection. A run's record stays until simplugin_run_delete. */
SIMPLUGIN_EXPORT int32_t simplugin_index_cleanup(uint64_t index, const simplugin_options *options,
                                                 simplugin_error **error);

/* What is read again from both sides of a copy. */
#define SIMPLUGIN_VERIFY_SAMPLE INT32_C(0)
#define SIMPLUGIN_VERIFY_NONE INT32_C(1)
#define SIMPLUGIN_VERIFY_ALL INT32_C(2)

#define SIMPLUGIN_COPY_COPYING INT32_C(1)
#define SIMPLUGIN_COPY_VERIFYING INT32_C(2)
#define SIMPLUGIN_COPY_DONE INT32_C(3)

/* How far a copy is. */
typedef struct simplugin_copy_state {
    uint64_t size;            /* sizeof(simplugin_copy_state) */
    int32_t phase;            /* SIMPLUGIN_COPY_... */
    int32_t reserved0;        /* 0 */
    uint64_t copied;          /* points, and of how many */
    uint64_t total;
    uint64_t resumed;         /* of these, those that an earlier copy had written */
    uint64_t bytes;           /* of all that were copied */
    uint64_t rows_per_second; /* 0: not known yet */
    int64_t left_ms;          /* of the phase; -1: not known yet */
    uint64_t verified;        /* points compared */
    uint64_t differences;     /* points that are not the same, or on one side only */
    uint64_t reserved[4];     /* 0 */
} simplugin_copy_state;

/* Called after each step; returns 0 to go on, else a copy that is not done ends with CANCELLED. */
typedef int32_t (*simplugin_copy_fn)(void *context, const simplugin_copy_state *state);

/* What to copy where. */
typedef struct simplugin_copy_spec {
    uint64_t size;                      /* sizeof(simplugin_copy_spec) */
    uint64_t source;                    /* an index */
    const simplugin_index_spec *target; /* dimension 0; NULL and 0 stand for what the source has */
    int32_t verify;                     /* SIMPLUGIN_VERIFY_... */
    int32_t merge;                      /* 1: into a collection that is there */
    int32_t restart;                    /* 1: not where an earlier copy stopped */
    int32_t reserved0;                  /* 0 */
    uint64_t sample_size;               /* points that are compared of a sample; 0: 1000 */
    uint64_t batch_bytes;               /* read at a time; 0: 32 MiB */
    simplugin_copy_fn each;             /* on the calling thread; or NULL */
    void *context;
    uint64_t reserved[4];               /* 0 */
} simplugin_copy_spec;

/*
 * Methods copy.open and copy.next until it is done: every point of an index, with ids,
 * fields and sample ids, into a collection of any backend. options' timeout is that of each
 * step, of about a second, and its progress is not called. *index, unless index is NULL, is
 * the target's, closed by simplugin_close; 0 on failure. state, with .size set, is what each
 * was told last; or NULL.
 * After CANCELLED, DEADLINE_EXCEEDED, any failure of a backend and the end of the process the
 * same call goes on where it stopped. ALREADY_EXISTS for a collection or run that is there and
 * that this copy did not begin, unless target's overwrite or merge is 1; INVALID_ARGUMENT for
 * what cannot be kept at all, with the detail "argument"; BUSY while another copies into the
 * same target; CORRUPT if points are not the same, with the first of them as details "id".
 */
SIMPLUGIN_EXPORT int32_t simplugin_copy(const simplugin_copy_spec *spec, uint64_t *index,
                                        simplugin_copy_state *state,
                                        const simplugin_options *options, simplugin_error **error);

/*
 * Methods runs.list, runs.rename and runs.delete (the record only) in the default session.
 * each is called with every brain key until it returns non-zero.
 */
SIMPLUGIN_EXPORT int32_t simplugin_run_list(const char *dataset,
                                            int32_t (*each)(void *context, const char *brain_key),
                                            void *context, simplugin_error **error);
SIMPLUGIN_EXPORT int32_t simplugin_run_rename(const char *dataset, const char *brain_key,
                                              const char *new_brain_key, simplugin_error **error);
SIMPLUGIN_EXPORT int32_t simplugin_run_delete(const char *dataset, const char *brain_key,
                                              simplugin_error **error);

#ifdef __cplusplus
}
#endif
#endif
