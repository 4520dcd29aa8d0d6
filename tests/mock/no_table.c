/* SPDX-License-Identifier: Apache-2.0 */
/* Says that all is well, and answers with no table. */
#include "mock.h"

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    (void)host;
    (void)backend;
    (void)error;
    return SIMPLUGIN_OK;
}
