/* SPDX-License-Identifier: Apache-2.0 */
/* Never comes back from its entry. */
#include <unistd.h>

#include "mock.h"

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    (void)host;
    (void)backend;
    (void)error;
    for (;;)
        pause();
}
