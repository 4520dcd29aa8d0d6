/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of the library written as JSON, and what came back. */
#ifndef SP_TESTS_ASK_H
#define SP_TESTS_ASK_H

#include <jansson.h>

#include "simplugin.h"
#include "simplugin/envelope.h"

/*
 * Calls a method; format is JSON with ' for ". Returns the code; what came back is in
 * rig_reply (columns as arrays) or rig_error until the next call of this thread's.
 */
int32_t ask(uint64_t target, const char *method, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with a body that JSON cannot hold. */
int32_t ask_writer(uint64_t target, const char *method, const simplugin_writer *writer);
extern _Thread_local json_t *rig_reply;
extern _Thread_local simplugin_error *rig_error;
extern _Thread_local simplugin_options rig_options;

/* Of the last reply: a number, and a value as compact JSON ("?" if there is none). */
int64_t reply_int(const char *key);
const char *reply_text(const char *key);
/* Of the last error: the value of a detail, "" if there is none. */
const char *error_detail(const char *key);

/* A call that must succeed; one that must fail, with a code and the argument it names. */
#define ASK(...)                                                        \
    do {                                                                \
        int32_t asked = ask(__VA_ARGS__);                               \
                                                                        \
        if (asked)                                                      \
            printf("\n    %s\n    ", simplugin_error_message(rig_error, NULL)); \
        CU_ASSERT_EQUAL_FATAL(asked, SIMPLUGIN_OK);                     \
    } while (0)
#define REFUSED(code, argument, ...)                                \
    do {                                                            \
        CU_ASSERT_EQUAL(ask(__VA_ARGS__), code);                    \
        CU_ASSERT_STRING_EQUAL(error_detail("argument"), argument); \
    } while (0)
/* What the last reply has under a key, with ' for ". */
#define REPLY(key, text) CU_ASSERT_STRING_EQUAL(reply_text(key), text)

#endif
