/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads JSON in the order it stands in, strictly (RFC 8259: UTF-8, no NaN, nothing behind
 * the end) and within bounds: at most PLUG_JSON_DEPTH deep, nothing copied. What goes
 * wrong sticks, every later read does nothing, loops end: read at will, and look once.
 *
 *     plug_json_init(&json, data, size);
 *     plug_json_object_begin(&json);
 *     while (plug_json_next_key(&json, &scratch, &key)) {
 *         if (!plug_text_is(key, "result")) {
 *             plug_json_skip(&json);
 *             continue;
 *         }
 *         plug_json_array_begin(&json);
 *         while (plug_json_next_item(&json))
 *             plug_json_read_floats(&json, row, dimension);
 *     }
 *     if (!plug_json_end(&json))
 *         ... json.no_memory, or json.problem at the byte json.offset
 *
 * After a key, and where next_item was 1, exactly one value is read, opened or skipped.
 * Functions that return int: 1, or 0 at the end or where anything went wrong.
 */
#ifndef PLUG_JSON_READ_H
#define PLUG_JSON_READ_H

#include <string.h>

#include "arena.h"
#include "buffer.h"
#include "column.h"

#define PLUG_JSON_DEPTH 64

typedef enum plug_json_kind {
    PLUG_JSON_NOTHING, /* the end, something wrong, or a byte that no value begins with */
    PLUG_JSON_NULL,
    PLUG_JSON_BOOL,
    PLUG_JSON_NUMBER,
    PLUG_JSON_TEXT,
    PLUG_JSON_ARRAY,
    PLUG_JSON_OBJECT
} plug_json_kind;

typedef struct plug_json {
    const char *begin, *at, *end;
    const char *problem; /* what is wrong, in words; NULL: nothing */
    size_t offset;       /* of the problem */
    int no_memory;       /* the problem is that there was no memory */
    uint32_t depth;      /* open objects and arrays, one bit each below */
    uint64_t objects;    /* it is an object */
    uint64_t begun;      /* it has had a part */
} plug_json;

typedef enum plug_json_number_kind {
    PLUG_JSON_INT64,  /* an integer that int64 holds */
    PLUG_JSON_UINT64, /* one above those */
    PLUG_JSON_DOUBLE  /* with a fraction or exponent, or an integer beyond both */
} plug_json_number_kind;

typedef struct plug_json_number {
    plug_json_number_kind kind;
    union {
        int64_t i;
        uint64_t u;
        double d;
    } as;
} plug_json_number;

/* data must outlive the reader, and every text that it gave. */
void plug_json_init(plug_json *json, const void *data, size_t size);
/* Whether all was read, without a problem, and nothing but white space is left. */
int plug_json_end(plug_json *json);
/* A problem of the caller's own, at the end of what was read last; returns 0. */
int plug_json_fail(plug_json *json, const char *problem);

/* What the next value is, by its first byte; reads nothing. */
plug_json_kind plug_json_peek(plug_json *json);
/* Reads the value, checking all of it. */
int plug_json_skip(plug_json *json);
/* The same, and where it stands: JSON that can be read again. */
int plug_json_read_raw(plug_json *json, sp_text *raw);

int plug_json_object_begin(plug_json *json);
/* The next key; 0: the object has ended. */
int plug_json_next_key(plug_json *json, sp_arena **arena, sp_text *key);
int plug_json_array_begin(plug_json *json);
/* Whether there is another item to be read; 0: the array has ended. */
int plug_json_next_item(plug_json *json);

/* Where it has no escapes, as it stands in the data; decoded into the arena where it has. */
int plug_json_read_text(plug_json *json, sp_arena **arena, sp_text *text);
int plug_json_read_bool(plug_json *json, int *value);
int plug_json_read_null(plug_json *json);
int plug_json_read_number(plug_json *json, plug_json_number *number);
/* Integers written as such, and in range. */
int plug_json_read_int64(plug_json *json, int64_t *value);
int plug_json_read_uint64(plug_json *json, uint64_t *value);
/* Any number: the nearest double, and nothing too large for one. */
int plug_json_read_double(plug_json *json, double *value);

/* An array of exactly count numbers, each the nearest float32. */
int plug_json_read_floats(plug_json *json, float *numbers, uint64_t count);
/* An array of at most limit numbers, float32, appended to a buffer that holds nothing else. */
int plug_json_append_floats(plug_json *json, sp_buffer *numbers, uint64_t limit, uint64_t *count);

static inline int plug_text_is(sp_text text, const char *name)
{
    return text.size == strlen(name) && memcmp(text.data, name, text.size) == 0;
}

#endif
