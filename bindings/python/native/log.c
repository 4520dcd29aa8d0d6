/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The library's messages on their way to Python. They arise on any thread, also on some that
 * Python does not know, under locks of the library's, and while the interpreter ends. So the
 * hook only keeps them here, and Python takes them: after a call, and on a thread of its own.
 */
#include "native.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGES_MAX 10000 /* that wait; more are counted only */

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    py_message *first, **end;
    int is_on;
    uint64_t lost;
    atomic_uint count;
} state = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER,
           .end = &state.first};

static _Thread_local int32_t muted;

static void state_lock(void) { pthread_mutex_lock(&state.mutex); }
static void state_unlock(void) { pthread_mutex_unlock(&state.mutex); }

/* What the parent logged is told by the parent. */
static void fork_child(void)
{
    const pthread_cond_t fresh = PTHREAD_COND_INITIALIZER; /* nobody waits here */

    while (state.first) {
        py_message *next = state.first->next;

        free(state.first);
        state.first = next;
    }
    state.end = &state.first;
    state.lost = 0;
    atomic_store(&state.count, 0);
    state.changed = fresh;
    state_unlock();
}

static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static void fork_prepare(void)
{
    pthread_atfork(state_lock, state_unlock, fork_child);
}

static py_message *message_new(int32_t level, const char *text, uint64_t size)
{
    py_message *message = malloc(sizeof *message + (size_t)size + 1);

    if (message) {
        *message = (py_message){.level = level, .size = size};
        memcpy(message->text, text, (size_t)size);
        message->text[size] = '\0';
    }
    return message;
}

static void message_append_locked(py_message *message)
{
    *state.end = message;
    state.end = &message->next;
    atomic_fetch_add(&state.count, 1);
}

static void keep(void *context, int32_t level, const char *text, uint64_t size)
{
    py_message *message;

    (void)context;
    if (muted)
        return;
    state_lock();
    message = state.is_on && atomic_load(&state.count) < MESSAGES_MAX
                  ? message_new(level, text, size)
                  : NULL;
    if (message)
        message_append_locked(message);
    else
        state.lost += state.is_on ? 1 : 0;
    pthread_cond_signal(&state.changed);
    state_unlock();
}

static void lost_tell_locked(void)
{
    char text[80];
    int size;
    py_message *message;

    if (!state.lost)
        return;
    size = snprintf(text, sizeof text, "%llu messages are lost: they came too fast",
                    (unsigned long long)state.lost);
    message = message_new(SIMPLUGIN_LOG_WARNING, text, (uint64_t)size);
    if (!message)
        return;
    message_append_locked(message);
    state.lost = 0;
}

void py_log_on(int32_t level)
{
    pthread_once(&fork_once, fork_prepare);
    state_lock();
    state.is_on = 1;
    state_unlock();
    simplugin_log_set(keep, NULL, level);
}

void py_log_off(void)
{
    simplugin_log_set(NULL, NULL, 0);
    state_lock();
    state.is_on = 0;
    pthread_cond_broadcast(&state.changed);
    state_unlock();
}

int32_t py_log_wait(void)
{
    int32_t any;

    state_lock();
    while (state.is_on && !state.first)
        pthread_cond_wait(&state.changed, &state.mutex);
    any = state.first != NULL;
    state_unlock();
    return any;
}

py_message *py_log_take(void)
{
    py_message *message;

    state_lock();
    if (!state.first)
        lost_tell_locked();
    message = state.first;
    if (message) {
        state.first = message->next;
        if (!state.first)
            state.end = &state.first;
        atomic_fetch_sub(&state.count, 1);
    }
    state_unlock();
    return message;
}

void py_log_free(py_message *message)
{
    free(message);
}

int32_t *py_log_muted(void)
{
    return &muted;
}

int py_log_any(void)
{
    return atomic_load_explicit(&state.count, memory_order_relaxed) != 0;
}
