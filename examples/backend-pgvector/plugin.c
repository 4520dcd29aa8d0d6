/* SPDX-License-Identifier: Apache-2.0 */
/* The one symbol of the plugin, and the table it answers with. */
#include <stdio.h>

#include "instance.h"

static const simplugin_backend table = {
    .size = sizeof table,
    .abi = SIMPLUGIN_ABI_1_0, /* the oldest that has all it uses */
    .threads = SIMPLUGIN_THREADS_CONCURRENT,
    .describe = pgv_describe,
    .open = pgv_open,
    .call = pgv_serve,
    .close = pgv_close,
};

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    char message[160];

    if (table.abi < host->abi_min || table.abi > host->abi_max) {
        snprintf(message, sizeof message, "pgvector speaks ABI %u.%u only, the host %u.%u to %u.%u",
                 table.abi >> 16, table.abi & 0xffff, host->abi_min >> 16, host->abi_min & 0xffff,
                 host->abi_max >> 16, host->abi_max & 0xffff);
        return host->error_set(error, SIMPLUGIN_INCOMPATIBLE, message, strlen(message));
    }
    pgv_host = host;
    *backend = &table;
    return SIMPLUGIN_OK;
}
