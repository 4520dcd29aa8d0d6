/* SPDX-License-Identifier: Apache-2.0 */
/* What all parts of a plugin share: the host, and how errors are reported. */
#ifndef PLUG_PLUG_H
#define PLUG_PLUG_H

#include "simplugin/plugin.h"

/* Set once by the entry function, before anything else runs. */
extern const simplugin_host *plug_host;

/* Sets *error (which may be NULL) and returns code. */
int32_t plug_error(simplugin_error **error, int32_t code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with the detail "argument". */
int32_t plug_error_argument(simplugin_error **error, const char *argument, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* OUT_OF_MEMORY; allocates nothing of ours. */
int32_t plug_error_no_memory(simplugin_error **error);
/* errno of a failed system call as NO_SPACE, READ_ONLY, PERMISSION_DENIED, IO, ... */
int32_t plug_error_errno(simplugin_error **error, int errnum, const char *action,
                         const char *path);

#endif
