/* SPDX-License-Identifier: Apache-2.0 */
/* A library that has an entry, for a plugin that has none. */
#include "mock.h"

static const simplugin_backend table = MOCK_TABLE;

SIMPLUGIN_EXPORT int mock_dependency(void);

int mock_dependency(void)
{
    return 1;
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    (void)host;
    (void)error;
    *backend = &table;
    return SIMPLUGIN_OK;
}
