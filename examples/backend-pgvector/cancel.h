/* SPDX-License-Identifier: Apache-2.0 */
/* Telling a server that a statement is not wanted any more. */
#ifndef PGV_CANCEL_H
#define PGV_CANCEL_H

#include <libpq-fe.h>

/* Asks for it and returns at once; whether the server hears it nobody waits for. */
void pgv_cancel(PGconn *pg);

#endif
