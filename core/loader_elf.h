/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SP_LOADER_ELF_H
#define SP_LOADER_ELF_H

#include <sys/stat.h>

#include "error.h"

/*
 * Whether the file, of which status was taken, is a whole shared object for this machine,
 * so that the dynamic linker can be let at it. PLUGIN_UNLOADABLE.
 */
int32_t sp_loader_check_elf(const char *name, const char *file, const struct stat *status,
                            simplugin_error **error);

#endif
