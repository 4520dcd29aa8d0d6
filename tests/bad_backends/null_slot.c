/* SPDX-License-Identifier: Apache-2.0 */
/* fails: abi/table */
/* A table without close. */
#include "bad.h"

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    bad.close = NULL;
    return code;
}
