/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "call.h"

const simplugin_host *plug_host;

static const simplugin_backend table = {
    .size = sizeof table,
    .abi = SIMPLUGIN_ABI_VERSION,
    .threads = SIMPLUGIN_THREADS_CONCURRENT,
    .describe = flat_describe,
    .open = flat_instance_open,
    .call = flat_instance_call,
    .close = flat_instance_close,
};

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    plug_host = host;
    if (SIMPLUGIN_ABI_VERSION < host->abi_min || SIMPLUGIN_ABI_VERSION > host->abi_max)
        return plug_error(error, SIMPLUGIN_INCOMPATIBLE,
                          "sklearn_flat speaks ABI %u.%u only, the host %u.%u to %u.%u",
                          SIMPLUGIN_ABI_VERSION >> 16, SIMPLUGIN_ABI_VERSION & 0xffff,
                          host->abi_min >> 16, host->abi_min & 0xffff, host->abi_max >> 16,
                          host->abi_max & 0xffff);
    *backend = &table;
    return SIMPLUGIN_OK;
}
