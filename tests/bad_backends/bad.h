/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every deliberately wrong backend begins with: a good one, whose functions it puts its own
 * before. Each has one defect, and names in its first comment the check of simplugin-conformance
 * that has to find it, the only one that may; or several, where none of them can be without.
 *
 * The good one is tests/mock/minimal.c, which has the required methods and no more. With
 *     #define BAD_BASE flat_entry
 * before this header it is the flat backend, under another name (on_flat.c): with optional methods,
 * and with filters, so that semantics and filters are asked of it too. They take their time: a
 * defect that minimal can have is put on minimal.
 */
#ifndef BAD_BACKENDS_BAD_H
#define BAD_BACKENDS_BAD_H

#include "simplugin/envelope.h"

#ifndef BAD_BASE
#define BAD_BASE minimal_entry
#endif

/* The good one's entry. */
int32_t BAD_BASE(const simplugin_host *host, const simplugin_backend **backend,
                 simplugin_error **error);

static const simplugin_host *bad_host;
static const simplugin_backend *good; /* as it is */
static simplugin_backend bad;         /* a copy, to be changed after bad_begin */

static inline int32_t bad_begin(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = BAD_BASE(host, &good, error);

    bad_host = host;
    if (code)
        return code;
    memcpy(&bad, good, sizeof bad);
    *backend = &bad;
    return SIMPLUGIN_OK;
}

/* Whether the call is of that method. */
static inline int bad_is(const simplugin_call_info *info, const char *method)
{
    return info->method_size == strlen(method) && memcmp(info->method, method, strlen(method)) == 0;
}

static inline int32_t bad_fail(simplugin_error **error, int32_t code, const char *message)
{
    return bad_host->error_set(error, code, message, strlen(message));
}

/* ---- bodies: everything but one key, and then that key with another value, or without it ---- */

/* value: one encoded value; NULL: the key goes. */
static inline void bad_body(simplugin_writer *out, const uint8_t *body, uint64_t size,
                            const char *key, const simplugin_writer *value)
{
    simplugin_value map = simplugin_body_value(body, size), name;
    simplugin_iter iter = simplugin_iterate(&map);
    uint64_t begin, count = 0;

    simplugin_writer_init(out);
    begin = simplugin_write_map_begin(out);
    for (;;) {
        const uint8_t *at, *end;

        if (!simplugin_next(&iter, &name))
            break;
        at = end = iter.at;
        if (!simplugin_skip(&end, iter.end))
            break;
        if (!simplugin_value_is(&name, key)) {
            simplugin_write_text(out, (const char *)name.data, name.size);
            simplugin_write_raw(out, at, (uint64_t)(end - at));
            count++;
        }
        iter.at = end;
        iter.left--;
    }
    if (value) {
        simplugin_write_string(out, key);
        simplugin_write_raw(out, value->data, value->size);
        count++;
    }
    simplugin_write_end(out, begin, count);
}

/* Puts such a body into a reply, with its tensors as they are. */
static inline void bad_reply(simplugin_reply *reply, const char *key, const simplugin_writer *value)
{
    simplugin_writer out;
    uint8_t *memory;

    bad_body(&out, reply->body, reply->body_size, key, value);
    memory = bad_host->reply_alloc(reply, out.size);
    if (memory) {
        memcpy(memory, out.data, (size_t)out.size);
        reply->body = memory;
        reply->body_size = out.size;
    }
    simplugin_writer_clear(&out);
}

/* The good backend's call with such a body. */
static inline int32_t bad_ask(simplugin_instance *instance, const simplugin_call_info *info,
                              const simplugin_request *request, simplugin_reply *reply,
                              simplugin_error **error, const char *key,
                              const simplugin_writer *value)
{
    simplugin_request other = *request;
    simplugin_writer out;
    int32_t code;

    bad_body(&out, request->body, request->body_size, key, value);
    other.body = out.data;
    other.body_size = out.size;
    code = good->call(instance, info, &other, reply, error);
    simplugin_writer_clear(&out);
    return code;
}

/* What the good backend says of itself, with one key changed. */
static inline int32_t bad_describe(simplugin_reply *reply, simplugin_error **error, const char *key,
                                   const simplugin_writer *value)
{
    int32_t code = good->describe(reply, error);

    if (!code)
        bad_reply(reply, key, value);
    return code;
}

/* An encoded text, number or bool, or an array of one text. */
static inline simplugin_writer bad_text(const char *text)
{
    simplugin_writer value;

    simplugin_writer_init(&value);
    simplugin_write_string(&value, text);
    return value;
}

static inline simplugin_writer bad_number(int64_t number)
{
    simplugin_writer value;

    simplugin_writer_init(&value);
    simplugin_write_int(&value, number);
    return value;
}

static inline simplugin_writer bad_true(void)
{
    simplugin_writer value;

    simplugin_writer_init(&value);
    simplugin_write_bool(&value, 1);
    return value;
}

static inline simplugin_writer bad_texts(const char *one)
{
    simplugin_writer value;

    simplugin_writer_init(&value);
    simplugin_write_array(&value, 1);
    simplugin_write_string(&value, one);
    return value;
}

/* ---- tensors of requests and replies --------------------------------------------------------- */

/* A reply's tensor, or with column != NULL that part of a column; NULL: none. To be changed. */
static inline simplugin_tensor *bad_tensor(const simplugin_reply *reply, const char *key,
                                           const char *column)
{
    simplugin_value map = simplugin_body_value(reply->body, reply->body_size), part;
    const simplugin_tensor *tensor = NULL;

    if (column && simplugin_find(&map, key, &part)) {
        map = part;
        key = column;
    }
    if (simplugin_find_tensor(&map, key, reply->tensors, reply->tensor_count, &tensor) != 1)
        return NULL;
    return (simplugin_tensor *)(uintptr_t)tensor;
}

/* Its numbers, in memory of the reply and so writable. */
static inline float *bad_floats(const simplugin_tensor *tensor)
{
    return (float *)(uintptr_t)tensor->data;
}

static inline int64_t *bad_ints(const simplugin_tensor *tensor)
{
    return (int64_t *)(uintptr_t)tensor->data;
}

static inline const simplugin_tensor *bad_input(const simplugin_request *request, const char *key)
{
    simplugin_value map = simplugin_body_value(request->body, request->body_size);
    const simplugin_tensor *tensor = NULL;

    simplugin_find_tensor(&map, key, request->tensors, request->tensor_count, &tensor);
    return tensor;
}

/* The ids of a request; 0 if there are none. */
static inline int bad_ids(const simplugin_request *request, simplugin_column *ids)
{
    simplugin_value map = simplugin_body_value(request->body, request->body_size), value;

    return simplugin_find(&map, "ids", &value) &&
           !simplugin_column_read(&value, request->tensors, request->tensor_count, ids);
}

/* How many points the request's collection has; memory for that is the reply's. */
static inline int64_t bad_count(simplugin_instance *instance, const simplugin_call_info *info,
                                const simplugin_request *request, const simplugin_reply *reply)
{
    simplugin_value map = simplugin_body_value(request->body, request->body_size);
    simplugin_call_info count = *info;
    simplugin_reply other = *reply;
    simplugin_request ask;
    simplugin_writer body;
    const char *name = "";
    uint64_t size = 0;
    int64_t number = 0;

    simplugin_find_text(&map, "collection", &name, &size);
    simplugin_writer_init(&body);
    simplugin_write_map(&body, 1);
    simplugin_write_string(&body, "collection");
    simplugin_write_text(&body, name, size);
    ask = simplugin_writer_request(&body);
    count.method = "points.count";
    count.method_size = strlen(count.method);
    if (good->call(instance, &count, &ask, &other, NULL) == SIMPLUGIN_OK) {
        map = simplugin_body_value(other.body, other.body_size);
        simplugin_find_int(&map, "count", &number);
    }
    simplugin_writer_clear(&body);
    return number;
}

#endif
