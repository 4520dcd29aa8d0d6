/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The addon: simplugin_call on threads of its own, for lib/call.js.
 *
 * Every environment - the main thread, each worker - has one `home`: its calls in flight,
 * what they answered, and the one thread-safe function that tells its loop to fetch that.
 * JavaScript knows a call by a slot, and keeps what the call reads until it has ended; where it
 * could take that away before, the call has a share (pin.h) or a copy.
 * When an environment ends its calls are cancelled and awaited before its heap goes away.
 */
#ifndef ADDON_H
#define ADDON_H

#define NAPI_VERSION 8
#include <node_api.h>
#include <pthread.h>
#include <simplugin.h>

#include "pin.h"
#include "pool.h"

typedef struct home home;

typedef struct call {
    pool_task task; /* first */
    home *home;
    struct call *next;     /* in home->calls; behind its end in home->ended */
    struct call *previous;
    uint32_t slot;
    int is_close;          /* simplugin_close(target) */
    uint64_t target;
    uint64_t cancel;       /* its own token, or 0: that of its home */
    int64_t timeout_ms;
    const char *method;
    uint64_t method_size;
    const char *trace_id;
    uint64_t trace_id_size;
    simplugin_request request;
    void *copies;          /* of tensors that are small, or whose values others must not change */
    void **pins;           /* of the other tensors, as many as there are tensors; NULL: none */
    int32_t code;
    simplugin_reply reply;
    simplugin_error *error;
    int has_progress;
    int has_news;          /* done and total are news */
    uint64_t done;
    uint64_t total;
} call;

typedef struct log_line {
    struct log_line *next;
    int32_t level;
    size_t size;
    char text[];
} log_line;

struct home {
    napi_env env;
    napi_ref deliver;               /* lib/call.js: deliver(results, progress, lines) */
    napi_ref failed;                /* the same: failed(code, name, message), an error */
    napi_threadsafe_function wake;
    int has_pins;                   /* memory is shared with calls, not copied for them */
    uint64_t cancel;                /* of the calls without a token of their own */
    int is_over;                    /* nothing starts any more; of the loop's thread */
    uint32_t in_flight;             /* the loop stays alive for them; of the loop's thread */
    uint64_t *owned;                /* handles to close when a worker ends; of its thread */
    uint32_t owned_count;
    uint32_t owned_free;            /* first of a list through the free ones, from 1 */
    pthread_mutex_t lock;           /* of all below */
    pthread_cond_t quiet;           /* calls has become empty, or telling 0 */
    call *calls;
    call *ended_first;
    call *ended_last;
    log_line *lines_first;
    log_line *lines_last;
    uint32_t line_count;
    uint32_t lines_lost;
    int has_progress;
    int is_told;                    /* the loop knows that it shall come, and has not yet */
    int telling;                    /* threads in home_tell */
};

/* Whether the caller is the one to tell the loop, without the lock, that there is something. */
int home_tell_locked(home *home);
void home_tell(home *home);

/* call.c: what JavaScript starts and cancels */
napi_value call_start(napi_env env, napi_callback_info info);
napi_value call_cancel(napi_env env, napi_callback_info info);
void call_free(call *one);

/* result.c: what it gets back */
void results_deliver(napi_env env, napi_value unused, void *context, void *data);

/* log.c */
napi_value log_set(napi_env env, napi_callback_info info);
void log_leave(home *home);

/* Throws the error of that code, as if the library had answered with it, and returns NULL. */
napi_value throw_error(napi_env env, const home *home, int32_t code, const char *message);

#endif
