/* SPDX-License-Identifier: Apache-2.0 */
/* fails: abi/future-host */
/* Looks only at the end of the host's range. */
#include "bad.h"

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    static simplugin_host changed;

    if (host->abi_min > SIMPLUGIN_ABI_VERSION) {
        changed = *host;
        changed.abi_min = changed.abi_max = SIMPLUGIN_ABI_VERSION;
        host = &changed;
    }
    return bad_begin(host, backend, error);
}
