/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "run.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "brief.h"

void conf_run_say(const conf_run *run, char kind, const char *text, size_t size)
{
    char record[CONF_RECORD_MAX];

    if (size > sizeof record - 1)
        size = sizeof record - 1;
    record[0] = kind;
    if (size)
        memcpy(record + 1, text, size);
    /* a parent that is gone hears nothing, and this process ends with it */
    (void)!send(run->socket, record, size + 1, MSG_NOSIGNAL);
}

const conf_target *conf_run_target(const conf_run *run)
{
    return run->target;
}

const void *conf_run_subject(const conf_run *run)
{
    return run->check->subject;
}

const char *conf_run_directory(const conf_run *run)
{
    return run->directory;
}

/* Whether it was the first of its kind. */
static int flag_raise(conf_run *run, int *flag)
{
    int first;

    pthread_mutex_lock(&run->lock);
    first = !*flag;
    *flag = 1;
    pthread_mutex_unlock(&run->lock);
    return first;
}

void conf_fail(conf_run *run, const char *format, ...)
{
    char reason[4096];
    va_list args;

    if (!flag_raise(run, &run->failed))
        return;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    conf_run_say(run, CONF_SAYS_FAIL, reason, strlen(reason));
}

void conf_skip(conf_run *run, const char *format, ...)
{
    char reason[1024];
    va_list args;

    if (!flag_raise(run, &run->skipped))
        return;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    conf_run_say(run, CONF_SAYS_SKIP, reason, strlen(reason));
}

int conf_failed(const conf_run *run)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&run->lock;
    int failed;

    pthread_mutex_lock(lock);
    failed = run->failed;
    pthread_mutex_unlock(lock);
    return failed;
}

void conf_asks(conf_run *run, const char *method, const json_t *body)
{
    json_t *request, *shown;
    char *text;

    /* what was asked when it failed stays */
    if (conf_failed(run))
        return;
    shown = body ? brief_json(body) : json_object();
    request = json_pack("{s:s, s:o}", "method", method, "body", shown);
    text = request ? json_dumps(request, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    if (text && strlen(text) < CONF_RECORD_MAX) {
        conf_run_say(run, CONF_SAYS_ASKS, text, strlen(text));
    } else {
        json_decref(request);
        free(text);
        request = json_pack("{s:s, s:s}", "method", method, "body", "too large to be shown");
        text = json_dumps(request, JSON_COMPACT);
        if (text)
            conf_run_say(run, CONF_SAYS_ASKS, text, strlen(text));
    }
    json_decref(request);
    free(text);
}

void conf_run_check(conf_run *run)
{
    run->check->run(run);
    conf_run_say(run, CONF_SAYS_END, "", 0);
}
