/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_resolve.h"
#include "secrets.h"
#include "simplugin.h"

static struct {
    pthread_mutex_t mutex;
    simplugin_log_fn fn;
    void *context;
    atomic_int level; /* -1: what SIMPLUGIN_LOG says has not been read yet */
} log_state = {.mutex = PTHREAD_MUTEX_INITIALIZER, .level = -1};

static void state_lock(void) { pthread_mutex_lock(&log_state.mutex); }
static void state_unlock(void) { pthread_mutex_unlock(&log_state.mutex); }
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static void fork_prepare(void)
{
    pthread_atfork(state_lock, state_unlock, state_unlock);
}

static int level_from_environment(void)
{
    static const char *const names[] = {"off", "error", "warning", "info", "debug"};
    const char *name = secure_getenv("SIMPLUGIN_LOG");

    for (int i = 0; name && i < 5; i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    return SIMPLUGIN_LOG_WARNING;
}

int sp_log_enabled(int32_t level)
{
    int limit = atomic_load_explicit(&log_state.level, memory_order_relaxed);

    if (limit < 0) {
        limit = level_from_environment();
        atomic_store_explicit(&log_state.level, limit, memory_order_relaxed);
    }
    return level <= limit;
}

/* What of a text goes into a line, cut at a character's border. */
static size_t line_size(const char *text, size_t size)
{
    if (size < SP_LINE_MAX)
        return size;
    size = SP_LINE_MAX - 1;
    while (size && ((unsigned char)text[size] & 0xc0) == 0x80)
        size--;
    return size;
}

/* Whoever wrote the message, what is known to be secret and passwords in URLs are not in it. */
static void line_mask(char line[SP_LINE_MAX])
{
    char *masked;
    size_t size;

    sp_secrets_hide_all(line);
    masked = sp_config_mask_text(line);
    if (masked) {
        size = line_size(masked, strlen(masked));
        memcpy(line, masked, size);
        line[size] = '\0';
    } else {
        snprintf(line, SP_LINE_MAX, "a message is lost: there was no memory to mask secrets in it");
    }
    free(masked);
}

void sp_log_text(int32_t level, const char *message, size_t size)
{
    static const char *const names[] = {"", "error", "warning", "info", "debug"};
    char line[SP_LINE_MAX];
    simplugin_log_fn fn;
    void *context;
    int is_wanted;

    if (level < SIMPLUGIN_LOG_ERROR || level > SIMPLUGIN_LOG_DEBUG || !sp_log_enabled(level))
        return;
    size = line_size(message, size);
    for (size_t i = 0; i < size; i++)
        line[i] = (unsigned char)message[i] < 0x20 || message[i] == 0x7f ? ' ' : message[i];
    line[size] = '\0';
    line_mask(line);
    pthread_once(&fork_once, fork_prepare);
    state_lock();
    fn = log_state.fn;
    context = log_state.context;
    /* of the two that simplugin_log_set sets together, the level may have been the older one */
    is_wanted = sp_log_enabled(level);
    state_unlock();
    if (!is_wanted)
        return;
    if (fn)
        fn(context, level, line, strlen(line));
    else
        fprintf(stderr, "simplugin: %s: %s\n", names[level], line);
}

void sp_log(int32_t level, const char *format, ...)
{
    char line[SP_LINE_MAX];
    va_list args;
    int size;

    if (!sp_log_enabled(level))
        return;
    va_start(args, format);
    size = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (size > 0)
        sp_log_text(level, line, (size_t)size < sizeof line ? (size_t)size : sizeof line - 1);
}

void simplugin_log_set(simplugin_log_fn fn, void *context, int32_t level)
{
    pthread_once(&fork_once, fork_prepare);
    state_lock();
    log_state.fn = fn;
    log_state.context = context;
    atomic_store(&log_state.level, !fn ? level_from_environment() : level < 0 ? 0 : level);
    state_unlock();
}
