/* SPDX-License-Identifier: Apache-2.0 */
/* The identifiers of Python, which FiftyOne demands of brain keys. */
#ifndef SP_IDENTIFIER_H
#define SP_IDENTIFIER_H

#include "column.h"

/* As Python's str.isidentifier() (Unicode 14.0, that of Python 3.11); 0 for what is no UTF-8. */
int sp_identifier_is_valid(sp_text text);

#endif
