/* SPDX-License-Identifier: Apache-2.0 */
/* Does not ask what it was offered and chooses a version that was not. */
#include "mock.h"

static const simplugin_backend table = {
    .size = sizeof(simplugin_backend),
    .abi = UINT32_C(0x00090003),
    .threads = SIMPLUGIN_THREADS_SERIAL,
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
