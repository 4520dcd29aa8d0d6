/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "call.h"
#include "plug_instance.h"

static const simplugin_backend table = {
    .size = sizeof table,
    .abi = SIMPLUGIN_ABI_1_0,
    .threads = SIMPLUGIN_THREADS_CONCURRENT,
    .describe = milvus_describe,
    .open = milvus_instance_open,
    .call = milvus_instance_call,
    .close = milvus_instance_close,
};

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    return plug_entry("milvus", &table, host, backend, error);
}
