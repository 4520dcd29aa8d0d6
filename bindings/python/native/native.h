/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the Python code calls: one function for a whole call of the library, so that the
 * interpreter's lock is given up and taken back once; what ends such a call on Ctrl-C; and
 * the library's messages. Nothing here touches a Python object. cdef.h says the same to cffi.
 */
#ifndef PY_NATIVE_H
#define PY_NATIVE_H

#include <simplugin.h>

/* ---- call.c ---- */

/* What a call answered: a reply or an error. Zeroed by its owner, and used again and again. */
typedef struct py_answer {
    const char *body;
    uint64_t body_size;
    const simplugin_tensor *tensors;
    simplugin_error *error;
    simplugin_reply reply; /* whose memory body and tensors are in */
} py_answer;

/* What few calls have. */
typedef struct py_extra {
    uint64_t cancel;
    void *listener; /* for py_progress; NULL: nobody listens */
    const char *trace_id;
    uint64_t trace_id_size;
} py_extra;

/* py_call's result is a code of the library's, and these. */
#define PY_CODE INT32_C(0xffff)
#define PY_MESSAGES INT32_C(0x10000)    /* messages wait for py_log_take */
#define PY_INTERRUPTED INT32_C(0x20000) /* Ctrl-C ended it, or came too late to */
#define PY_TENSORS INT32_C(0x40000)     /* the reply has some */

/* extra: may be NULL. interruptible: 1 on the main thread under Python's own SIGINT handler. */
int32_t py_call(py_answer *answer, uint64_t target, const char *method, uint64_t method_size,
                const void *body, uint64_t body_size, const void *tensors, uint64_t tensor_count,
                int64_t timeout_ms, const py_extra *extra, int32_t interruptible);
/* The same of a call with an empty body and all defaults: each argument costs Python time. */
int32_t py_call_plain(py_answer *answer, uint64_t target, const char *method, uint64_t method_size,
                      int32_t interruptible);
/* Frees what the answer holds and zeroes it; not the answer itself. */
void py_answer_clear(py_answer *answer);
/* simplugin_close, whatever it answers. */
void py_close(const uint64_t *handle);
/* simplugin_cancel_free, whatever it answers. */
void py_cancel_free(const uint64_t *cancel);

/* Python's, made by cffi. */
void py_progress(void *listener, uint64_t done, uint64_t total);

/* ---- interrupt.c ---- */

/* A call of the main thread that Ctrl-C shall end; on its stack. */
typedef struct py_interruptible {
    struct py_interruptible *outer;
    uint64_t cancel;
    int is_lent; /* the token is not the call's own */
    int is_on;   /* SIGINT is Python's */
    int interrupted;
} py_interruptible;

/* Takes the C function that SIGINT calls now as Python's own. */
void py_interrupt_learn(void);
/*
 * *cancel is the call's token; if it is 0, one is lent to it. Where something else than Python gets
 * SIGINT, nothing is done. RESOURCE_EXHAUSTED: there is no token or thread, and nothing to end.
 */
int32_t py_interrupt_begin(py_interruptible *call, uint64_t *cancel, simplugin_error **error);
/* 1 if SIGINT came since. */
int py_interrupt_end(py_interruptible *call);

/* ---- log.c ---- */

typedef struct py_message {
    struct py_message *next;
    int32_t level;
    uint64_t size;
    char text[];
} py_message;

/* Keeps messages up to level for py_log_take, instead of the library's default. */
void py_log_on(int32_t level);
/* The library's default again. Messages that wait can still be taken. */
void py_log_off(void);
/* 1 when there are messages, 0 after py_log_off. */
int32_t py_log_wait(void);
/* The oldest, to be freed with py_log_free; NULL if there is none. */
py_message *py_log_take(void);
void py_log_free(py_message *message);
/* Whether messages that arise on this thread are dropped: those of a hook's own calls. */
int32_t *py_log_muted(void);
/* 1 if there are any. Cheap. */
int py_log_any(void);

#endif
