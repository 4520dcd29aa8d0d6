/* SPDX-License-Identifier: Apache-2.0 */
/* That what describe says is true of what the backend does; describe.c has the table. */
#ifndef CONFORMANCE_DESCRIBE_TRUTH_H
#define CONFORMANCE_DESCRIBE_TRUTH_H

#include <stddef.h>

#include "check.h"

/* The optional methods of docs/protocol.md. */
extern const char *const conf_optional_methods[];
extern const size_t conf_optional_method_count;

void conf_true_max_k(conf_run *run);
void conf_true_max_dimension(conf_run *run);
void conf_true_vectors(conf_run *run);
void conf_true_field_types(conf_run *run);
void conf_true_nonfinite(conf_run *run);
void conf_true_reverse(conf_run *run);
void conf_true_radius(conf_run *run);
void conf_true_exact(conf_run *run);
void conf_true_counts_replaced(conf_run *run);
void conf_true_conditional_upsert(conf_run *run);
void conf_true_metrics(conf_run *run);

#endif
