/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: a code, one line of text, and what a program may want to act on. */
#ifndef SP_ERROR_H
#define SP_ERROR_H

#include <stdarg.h>
#include <stddef.h>

#include "simplugin/plugin.h"

/*
 * Fills *error (any of these accept error == NULL) and returns code. The message may be
 * cut when memory is short; the code never is. An earlier error is replaced.
 */
int32_t sp_error_set(simplugin_error **error, int32_t code, const char *domain, const char *format,
                     ...) __attribute__((format(printf, 4, 5)));
int32_t sp_error_set_v(simplugin_error **error, int32_t code, const char *domain,
                       const char *format, va_list args);
/* OUT_OF_MEMORY with a static text; allocates nothing. */
int32_t sp_error_no_memory(simplugin_error **error);
/* errno of a failed system call on path, as IO, NO_SPACE, READ_ONLY, PERMISSION_DENIED, ... */
int32_t sp_error_set_errno(simplugin_error **error, int errnum, const char *domain,
                           const char *action, const char *path);
void sp_error_add_detail(simplugin_error **error, const char *key, const char *value);
/* Puts "prefix: " before the message, keeping everything else. */
void sp_error_prefix(simplugin_error **error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void sp_error_set_domain(simplugin_error **error, const char *domain);

/* The name of a code as documented ("NOT_FOUND"), "UNKNOWN" for others; static. */
const char *sp_code_name(int32_t code);

#endif
