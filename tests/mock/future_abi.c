/* SPDX-License-Identifier: Apache-2.0 */
/* Knows only ABI versions that are yet to come, and says so. */
#include <stdio.h>
#include <string.h>

#include "mock.h"

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    char message[128];

    (void)backend;
    snprintf(message, sizeof message, "this plugin speaks ABI 9.0 to 9.3, the host %u.%u to %u.%u",
             host->abi_min >> 16, host->abi_min & 0xffff, host->abi_max >> 16,
             host->abi_max & 0xffff);
    return host->error_set(error, SIMPLUGIN_INCOMPATIBLE, message, strlen(message));
}
