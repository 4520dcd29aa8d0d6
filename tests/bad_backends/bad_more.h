/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The good backend with some optional methods beside, served as they should be: of it those bad
 * ones are made whose defect is in one of these. In memory there is nothing to flush, to load or to
 * index, and partitions are only names.
 */
#ifndef BAD_BACKENDS_BAD_MORE_H
#define BAD_BACKENDS_BAD_MORE_H

#include "bad.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const more_methods[] = {
    "collection.flush", "collection.load",  "collection.release", "index.create",  "index.drop",
    "index.describe",   "partition.create", "partition.list",     "partition.drop"};
#define MORE_METHODS (sizeof more_methods / sizeof more_methods[0])

static int32_t more_describe(simplugin_reply *reply, simplugin_error **error)
{
    simplugin_writer value;
    int32_t code;

    simplugin_writer_init(&value);
    simplugin_write_array(&value, MORE_METHODS);
    for (size_t i = 0; i < MORE_METHODS; i++)
        simplugin_write_string(&value, more_methods[i]);
    code = bad_describe(reply, error, "methods", &value);
    simplugin_writer_clear(&value);
    return code;
}

static int more_is(const simplugin_call_info *info)
{
    for (size_t i = 0; i < MORE_METHODS; i++)
        if (bad_is(info, more_methods[i]))
            return 1;
    return 0;
}

static int32_t more_text(const simplugin_request *request, const char *key, char *text, size_t size,
                         simplugin_error **error)
{
    simplugin_value map = simplugin_body_value(request->body, request->body_size);
    const char *found = "";
    uint64_t length = 0;

    if (simplugin_find_text(&map, key, &found, &length) != 1 || !length || length >= size)
        return bad_fail(error, SIMPLUGIN_INVALID_ARGUMENT, "a name is needed");
    memcpy(text, found, (size_t)length);
    text[length] = 0;
    return SIMPLUGIN_OK;
}

/* Another method of the good backend, on the collection of that name and with "all" where asked. */
static int32_t more_ask(simplugin_instance *instance, const simplugin_call_info *info,
                        const char *method, const char *collection, int all,
                        const simplugin_reply *reply, simplugin_error **error)
{
    simplugin_call_info other = *info;
    simplugin_reply unread = *reply;
    simplugin_request ask;
    simplugin_writer body;
    int32_t code;

    simplugin_writer_init(&body);
    simplugin_write_map(&body, all ? 2 : 1);
    simplugin_write_string(&body, "collection");
    simplugin_write_string(&body, collection);
    if (all) {
        simplugin_write_string(&body, "all");
        simplugin_write_bool(&body, 1);
    }
    ask = simplugin_writer_request(&body);
    other.method = method;
    other.method_size = strlen(method);
    code = good->call(instance, &other, &ask, &unread, error);
    simplugin_writer_clear(&body);
    return code;
}

/* ---- partitions: "collection/partition", in the order in which they were made ---------------- */

static struct {
    char names[64][600];
    size_t count;
} more_partitions;

static size_t more_partition(const char *name)
{
    size_t at = 0;

    while (at < more_partitions.count && strcmp(more_partitions.names[at], name) != 0)
        at++;
    return at;
}

static int32_t more_partition_change(const simplugin_call_info *info, const char *name,
                                     simplugin_error **error)
{
    size_t at = more_partition(name);
    int is_there = at < more_partitions.count;

    if (bad_is(info, "partition.create")) {
        if (is_there)
            return bad_fail(error, SIMPLUGIN_ALREADY_EXISTS, "there is such a partition already");
        if (at == 64)
            return bad_fail(error, SIMPLUGIN_RESOURCE_EXHAUSTED, "that are too many partitions");
        memcpy(more_partitions.names[more_partitions.count++], name, strlen(name) + 1);
        return SIMPLUGIN_OK;
    }
    if (!is_there)
        return bad_fail(error, SIMPLUGIN_NOT_FOUND, "there is no such partition");
    memmove(more_partitions.names[at], more_partitions.names[at + 1],
            (--more_partitions.count - at) * sizeof more_partitions.names[0]);
    return SIMPLUGIN_OK;
}

static void more_partitions_write(simplugin_writer *out, const char *collection)
{
    uint64_t begin, count = 0;
    size_t size = strlen(collection);

    simplugin_write_map(out, 1);
    simplugin_write_string(out, "partitions");
    begin = simplugin_write_array_begin(out);
    for (size_t i = 0; i < more_partitions.count; i++)
        if (strncmp(more_partitions.names[i], collection, size) == 0 &&
            more_partitions.names[i][size] == '/') {
            simplugin_write_string(out, more_partitions.names[i] + size + 1);
            count++;
        }
    simplugin_write_end(out, begin, count);
}

/* ---- the call -------------------------------------------------------------------------------- */

static int32_t more_call(simplugin_instance *instance, const simplugin_call_info *info,
                         const simplugin_request *request, simplugin_reply *reply,
                         simplugin_error **error)
{
    char collection[300], partition[260], name[600];
    simplugin_writer out;
    int32_t code;

    if (!more_is(info))
        return good->call(instance, info, request, reply, error);
    code = more_text(request, "collection", collection, sizeof collection, error);
    if (!code)
        code = more_ask(instance, info, "points.count", collection, 0, reply, error);
    if (!code && (bad_is(info, "partition.create") || bad_is(info, "partition.drop"))) {
        code = more_text(request, "partition", partition, sizeof partition, error);
        if (!code) {
            snprintf(name, sizeof name, "%s/%s", collection, partition);
            code = more_partition_change(info, name, error);
        }
    }
    if (code)
        return code;
    simplugin_writer_init(&out);
    if (bad_is(info, "partition.list"))
        more_partitions_write(&out, collection);
    if (bad_is(info, "index.describe")) {
        simplugin_write_map(&out, 1);
        simplugin_write_string(&out, "parameters");
        simplugin_write_map(&out, 0);
    }
    if (out.size)
        code = simplugin_writer_reply(&out, bad_host, reply);
    simplugin_writer_clear(&out);
    return code;
}

/* The same; and when it was of that method, its collection has lost its points. */
static inline int32_t more_losing(const char *method, simplugin_instance *instance,
                                  const simplugin_call_info *info, const simplugin_request *request,
                                  simplugin_reply *reply, simplugin_error **error)
{
    char collection[300];
    int32_t code = more_call(instance, info, request, reply, error);

    if (!code && bad_is(info, method) &&
        !more_text(request, "collection", collection, sizeof collection, error))
        code = more_ask(instance, info, "points.delete", collection, 1, reply, error);
    return code;
}

static int32_t more_begin(const simplugin_host *host, const simplugin_backend **backend,
                          simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.describe = more_describe;
    bad.call = more_call;
    return code;
}

#endif
