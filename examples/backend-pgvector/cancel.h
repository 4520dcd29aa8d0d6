/* SPDX-License-Identifier: Apache-2.0 */
/* Telling a server that a statement is not wanted any more. */
#ifndef PGV_CANCEL_H
#define PGV_CANCEL_H

#include <libpq-fe.h>

/* Asks for it and returns at once; whether the server hears it no call waits for. */
void pgv_cancel(PGconn *pg);

/*
 * Gives what has been asked for a second to arrive: a program that ends right after its call would
 * take it along, and leave the server waiting for a lock for nobody.
 */
void pgv_cancel_settle(void);

#endif
