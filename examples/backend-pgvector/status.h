/* SPDX-License-Identifier: Apache-2.0 */
/* PostgreSQL's five-character conditions, and what simplugin calls them. */
#ifndef PGV_STATUS_H
#define PGV_STATUS_H

#include <libpq-fe.h>

#include "call.h"

int32_t pgv_status_code(const char *state);
/* Sets the error that a result holds, with the server's own words; returns its code. */
int32_t pgv_fail_result(pgv_call *call, const PGresult *result);
/* The same where there is no result: no connection could be made, or it broke. */
int32_t pgv_fail_connection(pgv_call *call, PGconn *pg, const char *what);

#endif
