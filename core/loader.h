/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loader: from a backend's name to its table of functions.
 *
 * A plugin is the file simplugin_<name>.so in one of the directories that
 * sp_config_plugin_dirs gives, or an entry that the program has linked in and registered.
 * Only the plugin that is asked for is loaded, once in the life of the process, whatever
 * number of names and threads ask for it, and never unloaded. No lock is held while its
 * code runs.
 *
 * dirs is always an array of {"path", "origin"}, searched in order.
 */
#ifndef SP_LOADER_H
#define SP_LOADER_H

#include <jansson.h>

#include "error.h"

/* A loaded backend. Lives as long as the process. */
typedef struct sp_plugin {
    simplugin_backend backend; /* our copy; zero where the plugin's table ends earlier */
    char *name;                /* by which it was first asked for */
    char *file;                /* without links; NULL: linked into the program */
} sp_plugin;

/*
 * Loads the backend, or waits until another thread has, until deadline (CLOCK_MONOTONIC
 * nanoseconds, INT64_MAX: none). host lives as long as the process.
 * BACKEND_NAME; BACKEND_UNKNOWN with the known ones and the nearest; PLUGIN_PATH;
 * PLUGIN_UNSAFE; PLUGIN_UNLOADABLE; PLUGIN_NO_ENTRY; PLUGIN_FOREIGN_ENTRY; INCOMPATIBLE;
 * PLUGIN_BAD_TABLE; PLUGIN_ENTRY_FAILED; DEADLINE_EXCEEDED; BUSY when a plugin asks for itself
 * from its own entry; FORKED when the process was forked during a load; OUT_OF_MEMORY.
 * The details "backend" and "file" say which. What the entry has answered with is final.
 */
int32_t sp_loader_load(const json_t *dirs, const char *name, const simplugin_host *host,
                       int64_t deadline, const sp_plugin **plugin, simplugin_error **error);

/* Makes an entry known by name ahead of files. BACKEND_NAME, ALREADY_EXISTS, OUT_OF_MEMORY. */
int32_t sp_loader_register(const char *name, simplugin_backend_entry_fn entry,
                           simplugin_error **error);

/*
 * What sp_loader_load would load: {"name", "file" (as found; null if static), "origin":
 * "static" or the directory's}. Checks the file, loads nothing. The same errors.
 */
int32_t sp_loader_find(const json_t *dirs, const char *name, json_t **found,
                       simplugin_error **error);

/*
 * All names there are, sorted, as an array of the same objects; the first directory that
 * has a name counts. Directories that cannot be read are passed over. OUT_OF_MEMORY.
 */
int32_t sp_loader_list(const json_t *dirs, json_t **list, simplugin_error **error);

/* Whether there is a backend of that name, loadable or not. */
int sp_loader_knows(const json_t *dirs, const char *name);

#endif
