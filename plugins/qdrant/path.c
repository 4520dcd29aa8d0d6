/* SPDX-License-Identifier: Apache-2.0 */
/* Paths and their queries: names are percent-encoded, so that none reaches another path. */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>

#include "buffer.h"
#include "clock.h"
#include "transport.h"

static int is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '_' || c == '.' || c == '~';
}

/* "." and ".." too: they would name another path. */
static void segment_append(sp_buffer *path, const char *segment)
{
    int is_dots = strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0;

    for (; *segment; segment++)
        if (is_plain(*segment) && !is_dots)
            sp_buffer_append(path, segment, 1);
        else
            sp_buffer_printf(path, "%%%02X", (unsigned)(unsigned char)*segment);
}

/* In memory of the call; ends the buffer. */
static const char *path_take(plug_call *call, sp_buffer *path)
{
    const char *text = NULL;

    if (!path->failed)
        text = sp_arena_text(&call->scratch, (const char *)path->data, path->size);
    sp_buffer_clear(path);
    return text;
}

const char *qdrant_path(plug_call *call, const char *format, ...)
{
    sp_buffer path;
    va_list args;

    sp_buffer_init(&path);
    va_start(args, format);
    while (*format) {
        size_t size = strcspn(format, "%");

        sp_buffer_append(&path, format, size);
        format += size;
        if (*format) {
            segment_append(&path, va_arg(args, const char *));
            format += 2;
        }
    }
    va_end(args);
    return path_take(call, &path);
}

const char *qdrant_path_with(plug_call *call, const char *path, const char *key,
                             const char *value)
{
    sp_buffer text;

    if (!path || !value)
        return path;
    sp_buffer_init(&text);
    sp_buffer_append_text(&text, path);
    sp_buffer_append_text(&text, strchr(path, '?') ? "&" : "?");
    segment_append(&text, key);
    sp_buffer_append_text(&text, "=");
    segment_append(&text, value);
    return path_take(call, &text);
}

const char *qdrant_path_timed(plug_call *call, const char *path)
{
    int64_t left = call->info->deadline - sp_clock_now();
    char seconds[24];

    if (call->info->deadline == SP_NO_DEADLINE)
        return path;
    /* rounded up, so that the server does not give up before we do */
    left = left > 0 ? (left - 1) / 1000000000 + 1 : 1;
    snprintf(seconds, sizeof seconds, "%lld", (long long)(left > 31536000 ? 31536000 : left));
    return qdrant_path_with(call, path, "timeout", seconds);
}
