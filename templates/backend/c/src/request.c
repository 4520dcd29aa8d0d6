/* SPDX-License-Identifier: Apache-2.0 */
/* Reading requests, failing, and when to stop. */
#include "backend.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

int32_t fail(struct call *call, int32_t code, const char *format, ...)
{
    char message[1024];
    va_list arguments;
    int size;

    va_start(arguments, format);
    size = vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (size < 0)
        size = 0;
    if ((size_t)size >= sizeof message)
        size = sizeof message - 1;
    return host->error_set(call->error, code, message, (uint64_t)size);
}

int32_t fail_argument(struct call *call, const char *argument, const char *wrong)
{
    fail(call, SIMPLUGIN_INVALID_ARGUMENT, "%s: %s", argument, wrong);
    host->error_add_detail(call->error, "argument", 8, argument, strlen(argument));
    return SIMPLUGIN_INVALID_ARGUMENT;
}

int32_t fail_no_memory(struct call *call)
{
    return fail(call, SIMPLUGIN_OUT_OF_MEMORY, "there is not enough memory");
}

int32_t check_time(struct call *call)
{
    struct timespec now;

    if (call->info->cancel && host->cancelled(call->info->cancel))
        return fail(call, SIMPLUGIN_CANCELLED, "the call was cancelled");
    if (call->info->deadline == INT64_MAX)
        return SIMPLUGIN_OK;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if ((int64_t)now.tv_sec * 1000000000 + now.tv_nsec >= call->info->deadline)
        return fail(call, SIMPLUGIN_DEADLINE_EXCEEDED, "the call ran out of time");
    return SIMPLUGIN_OK;
}

static int is_among(const char *words, const simplugin_value *key)
{
    while (*words) {
        size_t size = strcspn(words, " ");

        if (size == key->size && memcmp(words, key->data, size) == 0)
            return 1;
        words += size + (words[size] == ' ');
    }
    return 0;
}

int32_t check_keys(struct call *call, const char *known)
{
    simplugin_iter iter = simplugin_iterate(&call->body);
    simplugin_value key, value;

    while (simplugin_next(&iter, &key) && simplugin_next(&iter, &value)) {
        if (value.type == SIMPLUGIN_NIL || is_among(known, &key))
            continue;
        fail(call, SIMPLUGIN_INVALID_ARGUMENT, "\"%.*s\" is not taken here; known: %s",
             (int)(key.size < 64 ? key.size : 64), (const char *)key.data,
             *known ? known : "none");
        host->error_add_detail(call->error, "argument", 8, (const char *)key.data, key.size);
        return SIMPLUGIN_INVALID_ARGUMENT;
    }
    return SIMPLUGIN_OK;
}

int32_t read_collection_name(struct call *call, const char **name, uint64_t *size)
{
    if (simplugin_find_text(&call->body, "collection", name, size) != 1 || *size < 1 ||
        *size > 255 || memchr(*name, 0, (size_t)*size))
        return fail_argument(call, "collection", "a text of 1 to 255 bytes is needed");
    return SIMPLUGIN_OK;
}

int32_t read_ids(struct call *call, simplugin_column *ids)
{
    simplugin_value value;
    const char *wrong = "a column of text is needed";

    if (simplugin_find(&call->body, "ids", &value)) {
        wrong = simplugin_column_read(&value, call->request->tensors, call->request->tensor_count,
                                      ids);
        if (!wrong && (ids->type != SIMPLUGIN_COLUMN_TEXT || ids->valid))
            wrong = "ids are text, and none is missing";
    }
    return wrong ? fail_argument(call, "ids", wrong) : SIMPLUGIN_OK;
}

int32_t read_vectors(struct call *call, const simplugin_tensor **vectors)
{
    if (simplugin_find_tensor(&call->body, "vectors", call->request->tensors,
                              call->request->tensor_count, vectors) != 1 ||
        (*vectors)->dtype != SIMPLUGIN_FLOAT32)
        return fail_argument(call, "vectors", "a tensor of float32 is needed");
    if ((*vectors)->cols != call->collection->dimension)
        return fail(call, SIMPLUGIN_DIMENSION_MISMATCH,
                    "the vectors have %llu numbers, those of the collection %llu",
                    (unsigned long long)(*vectors)->cols,
                    (unsigned long long)call->collection->dimension);
    return SIMPLUGIN_OK;
}

const float *vector_at(const simplugin_tensor *vectors, uint64_t row)
{
    const uint8_t *data = vectors->data;

    return (const float *)(const void *)(data + row * simplugin_tensor_stride(vectors));
}

int32_t read_count(struct call *call, const char *key, uint64_t *value)
{
    int64_t number;
    int found = simplugin_find_int(&call->body, key, &number);

    if (found < 0 || (found && number < 1))
        return fail_argument(call, key, "a whole number of at least 1 is needed");
    if (found)
        *value = (uint64_t)number;
    return SIMPLUGIN_OK;
}

int32_t read_flag(struct call *call, const char *key, int *value)
{
    return simplugin_find_bool(&call->body, key, value) < 0
               ? fail_argument(call, key, "true or false is needed")
               : SIMPLUGIN_OK;
}
