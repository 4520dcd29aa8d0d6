/* SPDX-License-Identifier: Apache-2.0 */
/* Files that nobody but root and this user can have put there or can change. */
#ifndef SP_LOADER_FILE_H
#define SP_LOADER_FILE_H

#include <jansson.h>
#include <sys/stat.h>

#include "error.h"

#define SP_LOADER_DOMAIN "loader"
#define SP_LOADER_PREFIX "simplugin_"
#define SP_LOADER_SUFFIX ".so"

/*
 * Follows an absolute path from / to a regular file, links included, and looks at
 * everything on the way: each directory and the file must belong to root or this user and
 * be writable by nobody else; a directory with the sticky bit may be, as what is in it
 * can only be replaced by its owner. What passes can be opened by its path later: nobody
 * else can change what that leads to in between.
 *
 * *real is the path without links, to be freed. PLUGIN_UNSAFE naming what is unsafe and
 * how to mend it; PLUGIN_UNLOADABLE if there is no such file or it is no file;
 * PLUGIN_PATH; OUT_OF_MEMORY.
 */
int32_t sp_loader_check_file(const char *path, char **real, struct stat *status,
                             simplugin_error **error);

/* Whether what owner has may run in a process of user. */
int sp_loader_is_trusted(uid_t owner, uid_t user);

/*
 * The first of the directories that has the plugin: "directory/simplugin_<name>.so" in
 * *path, to be freed, and the directory's origin, borrowed from dirs. *path stays NULL if
 * none has. PLUGIN_PATH if a directory is not absolute, OUT_OF_MEMORY.
 */
int32_t sp_loader_search(const json_t *dirs, const char *name, char **path, const char **origin,
                         simplugin_error **error);

/* The path of the plugin in a directory, to be freed; NULL if memory runs out. */
char *sp_loader_path(const char *directory, const char *name);

#endif
