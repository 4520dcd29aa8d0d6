/* SPDX-License-Identifier: Apache-2.0 */
/* Its entry fails, and says why. */
#include "mock.h"

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    static const char message[] = "the licence ran out";
    static const char words[] = "E42 no licence";

    (void)backend;
    host->error_set(error, SIMPLUGIN_PERMISSION_DENIED, message, sizeof message - 1);
    host->error_set_backend(error, 42, words, sizeof words - 1);
    host->error_add_detail(error, "licence", 7, "old", 3);
    return SIMPLUGIN_PERMISSION_DENIED;
}
