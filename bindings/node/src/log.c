/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of the process, given to the one environment that asked last. The library may call
 * line() on any thread, also a moment after it was told to call it no more; so what it looks
 * at lives as long as the process.
 */
#include "addon.h"

#include <stdlib.h>
#include <string.h>

#define LINES_MAX 10000 /* that wait for a loop which does not come */

static struct {
    pthread_mutex_t lock;
    home *reader;
} log_to = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void line_append_locked(home *home, int32_t level, const char *message, uint64_t size)
{
    log_line *line = home->line_count < LINES_MAX ? malloc(sizeof *line + (size_t)size) : NULL;

    if (line) {
        line->next = NULL;
        line->level = level;
        line->size = (size_t)size;
        memcpy(line->text, message, (size_t)size);
        if (home->lines_last)
            home->lines_last->next = line;
        else
            home->lines_first = line;
        home->lines_last = line;
        home->line_count++;
    } else {
        home->lines_lost++;
    }
}

static void line(void *context, int32_t level, const char *message, uint64_t size)
{
    home *home;
    int tells = 0;

    (void)context;
    pthread_mutex_lock(&log_to.lock);
    home = log_to.reader;
    if (home) {
        pthread_mutex_lock(&home->lock);
        line_append_locked(home, level, message, size);
        tells = home_tell_locked(home);
        pthread_mutex_unlock(&home->lock);
    }
    pthread_mutex_unlock(&log_to.lock);
    if (tells)
        home_tell(home);
}

/* logSet(level): lines up to it come to deliver; undefined: the library's default again. */
napi_value log_set(napi_env env, napi_callback_info info)
{
    napi_valuetype type = napi_undefined;
    napi_value argument;
    size_t count = 1;
    int32_t level = 0;
    home *home = NULL;

    if (napi_get_cb_info(env, info, &count, &argument, NULL, (void **)&home) != napi_ok)
        return throw_error(env, home, SIMPLUGIN_INVALID_ARGUMENT, "logSet: no arguments");
    napi_typeof(env, argument, &type);
    if (type == napi_undefined) {
        log_leave(home);
        return NULL;
    }
    if (home->is_over)
        return throw_error(env, home, SIMPLUGIN_CANCELLED,
                           "the process or worker is ending: it gets no log");
    napi_get_value_int32(env, argument, &level);
    pthread_mutex_lock(&log_to.lock);
    log_to.reader = home;
    simplugin_log_set(line, NULL, level);
    pthread_mutex_unlock(&log_to.lock);
    return NULL;
}

/* Whoever reads the log meanwhile keeps it. */
void log_leave(home *home)
{
    pthread_mutex_lock(&log_to.lock);
    if (log_to.reader == home) {
        log_to.reader = NULL;
        simplugin_log_set(NULL, NULL, 0);
    }
    pthread_mutex_unlock(&log_to.lock);
}
