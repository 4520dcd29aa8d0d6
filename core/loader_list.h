/* SPDX-License-Identifier: Apache-2.0 */
/* What the loader's parts share about names. */
#ifndef SP_LOADER_LIST_H
#define SP_LOADER_LIST_H

#include <sys/stat.h>

#include "loader.h"

int32_t sp_loader_check_name(const char *name, simplugin_error **error);
int sp_loader_is_registered(const char *name);
/* Calls each for every registered name until it returns other than 0, and returns that. */
int32_t sp_loader_each_registered(int32_t (*each)(void *context, const char *name), void *context);
/*
 * The file of a backend, as found (*path) and without links (*real), both to be freed, and
 * the origin of its directory. The errors of sp_loader_search and sp_loader_check_file with
 * the backend's name, and BACKEND_UNKNOWN.
 */
int32_t sp_loader_locate(const json_t *dirs, const char *name, char **path, const char **origin,
                         char **real, struct stat *status, simplugin_error **error);

#endif
