/* SPDX-License-Identifier: Apache-2.0 */
/* fails: abi/exports */
/* A helper that was left visible, with a name like one of the library's. */
#include "bad.h"

SIMPLUGIN_EXPORT int simplugin_bad_helper(int number);

int simplugin_bad_helper(int number) { return number + 1; }

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    int32_t code = bad_begin(host, backend, error);

    return code;
}
