/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin whose table follows the newest version of the header that it is compiled with. */
#include "../mock/mock.h"

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    static simplugin_backend table = MOCK_TABLE;

    (void)host;
    (void)error;
    table.abi = SIMPLUGIN_ABI_VERSION;
    *backend = &table;
    return SIMPLUGIN_OK;
}
