/* SPDX-License-Identifier: Apache-2.0 */
/* A shared object like any other, without the symbol. */
#include "mock.h"

SIMPLUGIN_EXPORT int mock_something_else(void);

int mock_something_else(void)
{
    return 1;
}
