/* SPDX-License-Identifier: Apache-2.0 */
/* What tells one place where collections are kept from another. */
#ifndef SP_ENDPOINT_H
#define SP_ENDPOINT_H

#include "session.h"

/*
 * The backend by its own name and those of its connection's parameters that say where it is
 * and as whom - texts that are no secrets, without passwords in URLs, files and directories
 * by their real paths - as JSON that is the same whenever they are. malloc'd; NULL: no memory.
 */
char *sp_endpoint_text(const sp_resolved *resolved);

#endif
