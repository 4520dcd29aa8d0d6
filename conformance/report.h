/* SPDX-License-Identifier: Apache-2.0 */
/* What the checks have shown, in three forms that hold the same facts. */
#ifndef CONFORMANCE_REPORT_H
#define CONFORMANCE_REPORT_H

#include <stdio.h>

#include "plan.h"

/* TAP, as it goes: the plan, a check that has ended, what it was in all. */
void conf_tap_begin(FILE *out, const conf_plan *plan);
void conf_tap_check(FILE *out, const conf_plan *plan, size_t i);
void conf_tap_end(FILE *out, const conf_plan *plan);

/* Documents, at the end. */
void conf_junit_write(FILE *out, const conf_plan *plan);
void conf_json_write(FILE *out, const conf_plan *plan);

#endif
