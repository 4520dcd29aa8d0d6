/* SPDX-License-Identifier: Apache-2.0 */
/* fails: nothing */
/* The backend minimal as the bad ones have it, without a defect. */
#include "tests/bad_backends/bad.h"

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    return bad_begin(host, backend, error);
}
