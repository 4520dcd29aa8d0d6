/* SPDX-License-Identifier: Apache-2.0 */
/* The plugins that came with the library's own file, wherever that was moved to. */
#include "config.h"

#include "buffer.h"
#include "config_internal.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int is_directory(const char *path, struct stat *status)
{
    return stat(path, status) == 0 && S_ISDIR(status->st_mode);
}

int32_t sp_config_beside_library(const char *built_for, char **path, simplugin_error **error)
{
    struct stat here, there;
    sp_buffer buffer;
    Dl_info info;
    char *file;

    *path = NULL;
    /* by the address of a function of its own, which no program can take the place of */
    if (!dladdr((const void *)(uintptr_t)&is_directory, &info) || !info.dli_fname ||
        info.dli_fname[0] != '/')
        return SIMPLUGIN_OK;
    file = realpath(info.dli_fname, NULL);
    if (!file)
        return SIMPLUGIN_OK;
    sp_buffer_init(&buffer);
    sp_buffer_append(&buffer, file, (size_t)(strrchr(file, '/') + 1 - file));
    sp_buffer_append_text(&buffer, "simplugin");
    free(file);
    *path = sp_buffer_steal(&buffer, NULL);
    if (!*path)
        return sp_error_no_memory(error);
    if (!is_directory(*path, &here) ||
        (is_directory(built_for, &there) && here.st_dev == there.st_dev &&
         here.st_ino == there.st_ino)) {
        free(*path);
        *path = NULL;
    }
    return SIMPLUGIN_OK;
}
