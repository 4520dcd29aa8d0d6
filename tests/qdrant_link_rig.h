/* SPDX-License-Identifier: Apache-2.0 */
/* A call of the qdrant backend over a link, put together by hand. */
#ifndef SP_TESTS_QDRANT_LINK_RIG_H
#define SP_TESTS_QDRANT_LINK_RIG_H

#include <stdarg.h>

#include "clock.h"
#include "host.h"
#include "settings.h"
#include "simplugin.h"
#include "transport.h"
#include "unit.h"

typedef struct link_rig {
    simplugin_writer body; /* of the request: a map */
    simplugin_request request;
    simplugin_reply reply;
    simplugin_call_info info;
    simplugin_error *error;
    plug_call call;
    qdrant_settings settings;
    qdrant_link link;
} link_rig;

/* Ends what came of one question. */
static inline void rig_reset(link_rig *rig)
{
    simplugin_error_free(&rig->error);
    sp_arena_free(&rig->call.scratch);
    simplugin_reply_clear(&rig->reply);
    simplugin_writer_clear(&rig->call.out);
    memset(&rig->call.name, 0, sizeof rig->call.name);
}

static inline void rig_prepare(link_rig *rig)
{
    /* once: threads have rigs too */
    if (!plug_host)
        plug_host = &sp_host;
    memset(rig, 0, sizeof *rig);
    rig->info.size = sizeof rig->info;
    rig->info.deadline = INT64_MAX;
    rig->reply.size = sizeof rig->reply;
    rig->call.info = &rig->info;
    rig->call.request = &rig->request;
    rig->call.reply = &rig->reply;
    rig->call.error = &rig->error;
}

/* The request ends: the call can read it. */
static inline void rig_ask(link_rig *rig)
{
    const char *wrong;

    rig->request = simplugin_writer_request(&rig->body);
    wrong = simplugin_check_request(&rig->request);
    if (wrong) {
        printf("the test's request: %s\n", wrong);
        abort();
    }
    rig->call.body = simplugin_body_value(rig->request.body, rig->request.body_size);
}

/* A map of "url=localhost", "port=#7" an int, "https=?1" a bool; words between blanks. */
static inline void rig_words(link_rig *rig, const char *words)
{
    uint64_t begin, count = 0;

    simplugin_writer_reset(&rig->body);
    begin = simplugin_write_map_begin(&rig->body);
    for (; *words; count++) {
        size_t size = strcspn(words, " ");
        const char *value = memchr(words, '=', size);

        simplugin_write_text(&rig->body, words, (uint64_t)(value - words));
        value++;
        if (*value == '#')
            simplugin_write_int(&rig->body, strtoll(value + 1, NULL, 10));
        else if (*value == '?')
            simplugin_write_bool(&rig->body, value[1] == '1');
        else
            simplugin_write_text(&rig->body, value, (uint64_t)(words + size - value));
        words += size + (words[size] != 0);
    }
    simplugin_write_end(&rig->body, begin, count);
    rig_ask(rig);
}

static inline const char *rig_message(const link_rig *rig)
{
    return rig->error ? simplugin_error_message(rig->error, NULL) : "";
}

/* CUnit keeps a copy of the text. */
static inline void rig_check(int ok, const char *what, const char *of)
{
    char text[600];

    snprintf(text, sizeof text, "%.280s: %.280s", of, what);
    CU_assertImplementation(ok ? CU_TRUE : CU_FALSE, __LINE__, text, __FILE__, "", CU_FALSE);
}

static inline void rig_same(const char *got, const char *expected, const char *of)
{
    int same = got && strcmp(got, expected) == 0;

    rig_check(same, "is not as expected", of);
    if (!same)
        printf("\n    %s:\n    %s\n    is not\n    %s\n", of, got ? got : "NULL", expected);
}

/* A code, and an error that says so with these words in it; the error is cleared. */
static inline void rig_refused(link_rig *rig, int32_t got, int32_t code, const char *says,
                               const char *of)
{
    int is_code = got == code && (code ? rig->error && simplugin_error_code(rig->error) == code
                                       : !rig->error);

    rig_check(is_code, "another code", of);
    rig_check(!is_code || !says || strstr(rig_message(rig), says), "other words", of);
    if (!is_code || (says && !strstr(rig_message(rig), says)))
        printf("\n    %s: %s: %s\n", of, simplugin_code_name(got), rig_message(rig));
    simplugin_error_free(&rig->error);
}

/* What must be so; else the last error is shown. */
#define MUST(call)                                                   \
    do {                                                             \
        int32_t must = call;                                         \
                                                                     \
        if (must)                                                    \
            printf("\n    %s: %s\n    ", simplugin_code_name(must),  \
                   rig_message(&rig));                               \
        CU_ASSERT_EQUAL_FATAL(must, SIMPLUGIN_OK);                   \
    } while (0)

/* A link with these settings. */
static inline void rig_open(link_rig *rig, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static inline void rig_open(link_rig *rig, const char *format, ...)
{
    char words[2048];
    va_list args;

    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    rig_prepare(rig);
    rig_words(rig, words);
    if (qdrant_settings_read(&rig->settings, &rig->call)) {
        printf("the test's settings: %s\n", rig_message(rig));
        abort();
    }
    qdrant_link_init(&rig->link, &rig->settings);
    rig_reset(rig);
}

static inline void rig_close(link_rig *rig)
{
    rig_reset(rig);
    qdrant_link_clear(&rig->link);
    qdrant_settings_clear(&rig->settings);
    simplugin_writer_clear(&rig->body);
}

static inline void rig_timeout(link_rig *rig, int64_t milliseconds)
{
    rig->info.deadline = sp_clock_deadline(milliseconds);
}

static inline int64_t rig_now(void)
{
    return sp_clock_now() / 1000000;
}

static inline void rig_sleep(int64_t milliseconds)
{
    struct timespec time = {(time_t)(milliseconds / 1000), (long)(milliseconds % 1000) * 1000000};

    nanosleep(&time, NULL);
}

#endif
