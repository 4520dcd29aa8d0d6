/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "fate.h"

#include <stdlib.h>
#include <string.h>


#define DETAIL_BYTES 8192

void milvus_stretch_add(sp_buffer *stretches, uint64_t first, uint64_t count, int is_written)
{
    milvus_stretch stretch = {first, count, is_written};

    sp_buffer_append(stretches, &stretch, sizeof stretch);
}

int milvus_fate_is_open(const milvus_status *status)
{
    switch (status->code) {
    case SIMPLUGIN_INVALID_ARGUMENT:
    case SIMPLUGIN_DIMENSION_MISMATCH:
    case SIMPLUGIN_NOT_FOUND:
    case SIMPLUGIN_ALREADY_EXISTS:
    case SIMPLUGIN_UNAUTHENTICATED:
    case SIMPLUGIN_PERMISSION_DENIED:
    case SIMPLUGIN_UNIMPLEMENTED:
    case SIMPLUGIN_CONFIG: return 0;
    case SIMPLUGIN_RESOURCE_EXHAUSTED:
        /* limits of rates and quotas are looked at before anything is done */
        return !status->arrived && status->too_large != MILVUS_REQUEST_TOO_LARGE;
    case SIMPLUGIN_UNAVAILABLE: return !strstr(status->reason, "failed to connect");
    default: return 1;
    }
}

static int by_first(const void *a, const void *b)
{
    const milvus_stretch *one = a, *other = b;

    return (one->first > other->first) - (one->first < other->first);
}

static void detail_add(plug_call *call, const char *key, const sp_buffer *text)
{
    if (!text->failed && text->size)
        plug_host->error_add_detail(call->error, key, strlen(key), (const char *)text->data,
                                    text->size);
}

/* Whether there is room for one more; puts a comma before it, or the dots behind the last. */
static int is_open(sp_buffer *text, int *is_full)
{
    if (*is_full)
        return 0;
    *is_full = text->size > DETAIL_BYTES;
    if (*is_full)
        sp_buffer_append_text(text, ",...");
    else if (text->size)
        sp_buffer_append_text(text, ",");
    return !*is_full;
}

static void ranges_tell(plug_call *call, const char *key, const milvus_stretch *list, size_t count,
                        int is_written)
{
    sp_buffer text;
    int is_full = 0;

    sp_buffer_init(&text);
    for (size_t i = 0; i < count;) {
        uint64_t first = list[i].first, end = first;

        if (list[i].is_written != is_written) {
            i++;
            continue;
        }
        /* those that follow each other are one */
        while (i < count && list[i].is_written == is_written && list[i].first == end)
            end += list[i++].count;
        if (is_open(&text, &is_full))
            sp_buffer_printf(&text, "%llu-%llu", (unsigned long long)first,
                             (unsigned long long)end - 1);
    }
    detail_add(call, key, &text);
    sp_buffer_clear(&text);
}

static void keys_tell(plug_call *call, const milvus_stretch *list, size_t count,
                      const sp_text *keys)
{
    sp_buffer text;
    int is_full = 0;

    sp_buffer_init(&text);
    for (size_t i = 0; i < count && !is_full; i++)
        for (uint64_t row = list[i].first; row < list[i].first + list[i].count; row++)
            if (list[i].is_written && keys[row].size && is_open(&text, &is_full))
                sp_buffer_append(&text, keys[row].data, keys[row].size);
    detail_add(call, "keys", &text);
    sp_buffer_clear(&text);
}

void milvus_fate_tell(plug_call *call, sp_buffer *stretches, const sp_text *keys)
{
    milvus_stretch *list = (milvus_stretch *)(void *)stretches->data;
    size_t count = stretches->size / sizeof *list;
    sp_buffer number;
    uint64_t written = 0;

    if (stretches->failed)
        return;
    if (count)
        qsort(list, count, sizeof *list, by_first);
    for (size_t i = 0; i < count; i++)
        written += list[i].is_written ? list[i].count : 0;
    sp_buffer_init(&number);
    sp_buffer_printf(&number, "%llu", (unsigned long long)written);
    detail_add(call, "written", &number);
    sp_buffer_clear(&number);
    ranges_tell(call, "written_rows", list, count, 1);
    ranges_tell(call, "unknown_rows", list, count, 0);
    if (keys)
        keys_tell(call, list, count, keys);
}
