/* SPDX-License-Identifier: Apache-2.0 */
/* Needs a function that is nowhere: to be noticed when it is loaded, not when it is called. */
#include "mock.h"

void mock_that_is_nowhere(void);

int32_t simplugin_backend_entry(const simplugin_host *host, const simplugin_backend **backend,
                                simplugin_error **error)
{
    (void)host;
    (void)backend;
    (void)error;
    mock_that_is_nowhere();
    return SIMPLUGIN_OK;
}
