/* SPDX-License-Identifier: Apache-2.0 */
/* fails: abi/exports */
/* A helper of its own that was left visible. */
#include "bad.h"

SIMPLUGIN_EXPORT int bad_helper(int number);

int bad_helper(int number) { return number + 1; }

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    return bad_begin(host, backend, error);
}
