/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One call of the backend protocol while a plugin serves it: what came in, where the
 * answer goes, memory until it ends. A plugin's own call begins with one of these.
 */
#ifndef PLUG_CALL_H
#define PLUG_CALL_H

#include "arena.h"
#include "column.h"
#include "plug.h"

typedef struct plug_call {
    const simplugin_call_info *info;
    const simplugin_request *request;
    simplugin_value body;
    simplugin_reply *reply;
    simplugin_error **error;
    simplugin_writer out;  /* the reply's body */
    sp_arena *scratch;     /* memory until the call ends */
    sp_text name;          /* the collection's, of methods that name one */
} plug_call;

/* Sets the call's error, with the collection's name in front where there is one; returns code. */
int32_t plug_fail(plug_call *call, int32_t code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same, INVALID_ARGUMENT, with the detail "argument". */
int32_t plug_fail_argument(plug_call *call, const char *argument, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int32_t plug_no_memory(plug_call *call);
/* CANCELLED, DEADLINE_EXCEEDED or OK: between blocks of work. */
int32_t plug_check(plug_call *call);
/* The same without setting an error. */
int32_t plug_stops(const plug_call *call);
/* count x size zeroed bytes until the call ends; NULL: no memory. */
void *plug_scratch(plug_call *call, uint64_t count, uint64_t size);
/* The same in memory of the reply. */
void *plug_reply_array(plug_call *call, uint64_t count, uint64_t size);

/* A tensor of one column under key; data lasts as long as the reply. */
void plug_write_array(plug_call *call, const char *key, uint32_t dtype, const void *data,
                      uint64_t count);
/* An array of texts under key. */
void plug_write_texts(simplugin_writer *out, const char *key, const char *const *texts,
                      uint64_t count);
/* Ids under the key "ids". */
int32_t plug_write_ids(plug_call *call, const sp_text *ids, uint64_t count);

#endif
