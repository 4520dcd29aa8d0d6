/* SPDX-License-Identifier: Apache-2.0 */
/* From a checked file to its entry, and from the entry to a checked table. */
#ifndef SP_LOADER_OPEN_H
#define SP_LOADER_OPEN_H

#include <sys/stat.h>

#include "error.h"

/*
 * Opens the file, which sp_loader_check_file has passed with that status, for good, and
 * finds its entry. PLUGIN_UNLOADABLE, PLUGIN_NO_ENTRY, PLUGIN_FOREIGN_ENTRY.
 */
int32_t sp_loader_open(const char *name, const char *file, const struct stat *status,
                       const simplugin_host *host, simplugin_backend_entry_fn *entry,
                       simplugin_error **error);

/*
 * Calls the entry and copies what it answers to *table. file is NULL for one linked in.
 * *entered becomes 1 when it is called. INCOMPATIBLE, PLUGIN_BAD_TABLE, PLUGIN_ENTRY_FAILED.
 */
int32_t sp_loader_enter(const char *name, const char *file, simplugin_backend_entry_fn entry,
                        const simplugin_host *host, simplugin_backend *table, int *entered,
                        simplugin_error **error);

/*
 * Copies what both sides know of the answer into table, which is table_size bytes and
 * begins as simplugin_backend does, and zeroes the rest. who is what messages call it.
 */
int32_t sp_loader_take_table(const char *who, const simplugin_backend *answer,
                             const simplugin_host *host, void *table, size_t table_size,
                             simplugin_error **error);

#endif
