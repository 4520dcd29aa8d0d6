/* SPDX-License-Identifier: Apache-2.0 */
/* Answers with a table whose size was never set. */
#include "mock.h"

static const simplugin_backend table = {
    .abi = SIMPLUGIN_ABI_1_0,
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
