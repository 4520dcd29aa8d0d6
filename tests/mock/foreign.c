/* SPDX-License-Identifier: Apache-2.0 */
/* Has no entry, but is linked with a library that has one, which dlsym finds. */
#include "mock.h"

SIMPLUGIN_EXPORT int mock_foreign(void);
int mock_dependency(void);

int mock_foreign(void)
{
    return mock_dependency();
}
