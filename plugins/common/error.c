/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "plug.h"

/* Longer messages are cut: a message is one line. */
#define MESSAGE_SIZE 1024

static int32_t set(simplugin_error **error, int32_t code, const char *format, va_list args)
{
    char message[MESSAGE_SIZE];
    int size = 0;

    if (!error)
        return code;
    size = vsnprintf(message, sizeof(message), format, args);
    if (size < 0)
        size = 0;
    if ((size_t)size >= sizeof(message))
        size = (int)sizeof(message) - 1;
    return plug_host->error_set(error, code, message, (uint64_t)size);
}

int32_t plug_error(simplugin_error **error, int32_t code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    set(error, code, format, args);
    va_end(args);
    return code;
}

int32_t plug_error_argument(simplugin_error **error, const char *argument, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    set(error, SIMPLUGIN_INVALID_ARGUMENT, format, args);
    va_end(args);
    if (error)
        plug_host->error_add_detail(error, "argument", 8, argument, strlen(argument));
    return SIMPLUGIN_INVALID_ARGUMENT;
}

int32_t plug_error_no_memory(simplugin_error **error)
{
    return plug_error(error, SIMPLUGIN_OUT_OF_MEMORY, "out of memory");
}

static int32_t code_of(int errnum)
{
    switch (errnum) {
    case ENOMEM:
        return SIMPLUGIN_OUT_OF_MEMORY;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return SIMPLUGIN_NO_SPACE;
    case EROFS:
        return SIMPLUGIN_READ_ONLY;
    case EACCES:
    case EPERM:
        return SIMPLUGIN_PERMISSION_DENIED;
    case ENOENT:
        return SIMPLUGIN_NOT_FOUND;
    case EMFILE:
    case ENFILE:
    case ENOLCK:
        return SIMPLUGIN_RESOURCE_EXHAUSTED;
    default:
        return SIMPLUGIN_IO;
    }
}

int32_t plug_error_errno(simplugin_error **error, int errnum, const char *action, const char *path)
{
    char text[128];

    return plug_error(error, code_of(errnum), "cannot %s %s: %s", action, path,
                      strerror_r(errnum, text, sizeof(text)));
}
