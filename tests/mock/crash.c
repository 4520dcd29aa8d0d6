/* SPDX-License-Identifier: Apache-2.0 */
/* Ends the process from its entry. */
#include "mock.h"

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    (void)host;
    (void)backend;
    (void)error;
    __builtin_trap();
}
