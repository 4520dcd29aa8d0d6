/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ctrl-C ends the main thread's call. Python's own handler only notes that SIGINT came, and
 * raises KeyboardInterrupt when the interpreter goes on, which would be when the call is done.
 * So while the main thread is in one, a handler of ours stands in front of Python's: it calls
 * that, and wakes a thread that fires the call's token, which a handler must not do itself.
 */
#include "native.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

static struct {
    pthread_mutex_t mutex;
    sem_t wake;
    int is_watching;          /* the thread runs */
    py_interruptible *inner;  /* calls of the main thread, the innermost first */
    uint64_t lent;            /* the token of calls that have none; 0: none yet, or fired */
    struct sigaction python;  /* SIGINT's, as Python installed it */
    struct sigaction before;  /* what ours stands in front of */
    _Atomic(uint64_t) number; /* of the outermost call; 0: there is none */
    _Atomic(uint64_t) signalled; /* the number there was when SIGINT came */
    uint64_t last_number;
} state = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void state_lock(void) { pthread_mutex_lock(&state.mutex); }
static void state_unlock(void) { pthread_mutex_unlock(&state.mutex); }

static void on_sigint(int number)
{
    uint64_t call = atomic_load(&state.number);
    int saved = errno;

    state.python.sa_handler(number);
    if (call) {
        atomic_store(&state.signalled, call);
        sem_post(&state.wake);
    }
    errno = saved;
}

/* A call that began after the signal is not the one that was meant. */
static void *watch(void *unused)
{
    (void)unused;
    for (;;) {
        uint64_t signalled;

        while (sem_wait(&state.wake) != 0)
            ;
        state_lock();
        signalled = atomic_exchange(&state.signalled, 0);
        if (signalled && signalled == atomic_load(&state.number))
            for (py_interruptible *call = state.inner; call; call = call->outer) {
                call->interrupted = 1;
                simplugin_cancel_fire(call->cancel);
                if (call->cancel == state.lent)
                    state.lent = 0; /* it goes with the call */
            }
        state_unlock();
    }
    return NULL;
}

/* Neither the thread nor the calls of other threads are there any more. */
static void fork_child(void)
{
    state.is_watching = 0;
    state.inner = NULL;
    atomic_store(&state.number, 0);
    atomic_store(&state.signalled, 0);
    state_unlock();
}

static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static void fork_prepare(void)
{
    pthread_atfork(state_lock, state_unlock, fork_child);
}

static int watch_start_locked(void)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    pthread_t thread;

    if (sem_init(&state.wake, 0, 0) != 0 || pthread_attr_init(&attributes) != 0)
        return 0;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    /* signals are for the program's own threads */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    state.is_watching = pthread_create(&thread, &attributes, watch, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return state.is_watching;
}

static int is_function(const struct sigaction *action)
{
    return !(action->sa_flags & SA_SIGINFO) && action->sa_handler != SIG_DFL &&
           action->sa_handler != SIG_IGN;
}

void py_interrupt_learn(void)
{
    struct sigaction now;

    if (sigaction(SIGINT, NULL, &now) == 0 && is_function(&now) && now.sa_handler != on_sigint) {
        state_lock();
        state.python = now;
        state_unlock();
    }
}

/* Puts our handler before Python's; 0 where something else is installed. */
static int handler_install(void)
{
    struct sigaction ours;

    if (!state.python.sa_handler)
        py_interrupt_learn();
    if (!state.python.sa_handler)
        return 0;
    ours = state.python;
    ours.sa_handler = on_sigint;
    if (sigaction(SIGINT, &ours, &state.before) != 0)
        return 0;
    /* it is still ours in a child that another thread forked during a call */
    if (is_function(&state.before) && state.before.sa_handler == on_sigint)
        state.before = state.python;
    if (is_function(&state.before) && state.before.sa_handler == state.python.sa_handler)
        return 1;
    sigaction(SIGINT, &state.before, NULL);
    return 0;
}

/* Unless a callback of the call has installed another meanwhile. */
static void handler_restore(void)
{
    struct sigaction now;

    if (sigaction(SIGINT, &state.before, &now) == 0 && now.sa_handler != on_sigint)
        sigaction(SIGINT, &now, NULL);
}

/* A fired token that was lent is freed with the last call that has it. */
static void call_leave(py_interruptible *call)
{
    int is_shared = 0;

    state_lock();
    state.inner = call->outer;
    if (!state.inner)
        atomic_store(&state.number, 0);
    for (const py_interruptible *other = state.inner; other; other = other->outer)
        is_shared |= other->cancel == call->cancel;
    if (call->is_lent && call->cancel != state.lent && !is_shared)
        simplugin_cancel_free(call->cancel);
    state_unlock();
}

int32_t py_interrupt_begin(py_interruptible *call, uint64_t *cancel, simplugin_error **error)
{
    int32_t code = SIMPLUGIN_OK;
    int is_outermost;

    pthread_once(&fork_once, fork_prepare);
    *call = (py_interruptible){.cancel = *cancel, .is_lent = !*cancel};
    state_lock();
    is_outermost = !state.inner;
    if (!state.is_watching && !watch_start_locked())
        code = SIMPLUGIN_RESOURCE_EXHAUSTED;
    if (code == SIMPLUGIN_OK && call->is_lent && !state.lent)
        code = simplugin_cancel_new(&state.lent, error);
    if (code == SIMPLUGIN_OK) {
        if (call->is_lent)
            call->cancel = state.lent;
        call->outer = state.inner;
        state.inner = call;
        if (is_outermost)
            atomic_store(&state.number, ++state.last_number);
    }
    state_unlock();
    if (code != SIMPLUGIN_OK)
        return code;
    call->is_on = !is_outermost || handler_install();
    if (call->is_on)
        *cancel = call->cancel;
    else
        call_leave(call);
    return SIMPLUGIN_OK;
}

int py_interrupt_end(py_interruptible *call)
{
    if (!call->is_on)
        return 0;
    if (!call->outer)
        handler_restore();
    call_leave(call);
    return call->interrupted;
}
