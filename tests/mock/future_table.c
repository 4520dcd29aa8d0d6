/* SPDX-License-Identifier: Apache-2.0 */
/* Built for a later version: its table has more functions than this one knows of. */
#include "mock.h"

static const struct {
    simplugin_backend known;
    int32_t (*appended)(void);
    uint64_t more[8];
} table = {
    .known =
        {
            .size = sizeof table,
            .abi = SIMPLUGIN_ABI_1_0,
            .threads = SIMPLUGIN_THREADS_CONCURRENT,
            .describe = mock_describe,
            .open = mock_open,
            .call = mock_call,
            .close = mock_close,
        },
    .more = {1, 2, 3, 4, 5, 6, 7, 8},
};

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    (void)host;
    (void)error;
    *backend = &table.known;
    return SIMPLUGIN_OK;
}
