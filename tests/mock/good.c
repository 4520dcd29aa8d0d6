/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing wrong with it. Counts how often its entry is called. */
#include "mock.h"

static const simplugin_backend table = MOCK_TABLE;
static int calls;

SIMPLUGIN_EXPORT int mock_entry_calls(void);

int mock_entry_calls(void)
{
    return __atomic_load_n(&calls, __ATOMIC_SEQ_CST);
}

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    (void)host;
    (void)error;
    __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
    *backend = &table;
    return SIMPLUGIN_OK;
}
