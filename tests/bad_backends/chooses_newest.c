/* SPDX-License-Identifier: Apache-2.0 */
/* fails: abi/newer-host */
/* Takes the newest version that the host offers, which it does not know. */
#include "bad.h"

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.abi = host->abi_max;
    return code;
}
