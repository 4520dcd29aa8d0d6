/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "call.h"
#include "plug_instance.h"

static const simplugin_backend table = {
    .size = sizeof table,
    .abi = SIMPLUGIN_ABI_1_0,
    .threads = SIMPLUGIN_THREADS_CONCURRENT,
    .describe = qdrant_describe,
    .open = qdrant_instance_open,
    .call = qdrant_instance_call,
    .close = qdrant_instance_close,
};

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    return plug_entry("qdrant", &table, host, backend, error);
}
