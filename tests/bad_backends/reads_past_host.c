/* SPDX-License-Identifier: Apache-2.0 */
/* fails: abi/host-end */
/* Copies as much of the host's table as a later header has. */
#include "bad.h"

static struct {
    simplugin_host known;
    void *later[8];
} copy;

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    const void *table = host;

    memcpy(&copy, table, sizeof copy);
    return bad_begin(&copy.known, backend, error);
}
