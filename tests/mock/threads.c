/* SPDX-License-Identifier: Apache-2.0 */
/* Declares no way of being called from threads that there is. */
#include "mock.h"

static const simplugin_backend table = {
    .size = sizeof(simplugin_backend),
    .abi = SIMPLUGIN_ABI_1_0,
    .threads = 7,
    .describe = mock_describe,
    .open = mock_open,
    .call = mock_call,
    .close = mock_close,
};

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    (void)host;
    (void)error;
    *backend = &table;
    return SIMPLUGIN_OK;
}
