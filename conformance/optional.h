/* SPDX-License-Identifier: Apache-2.0 */
/* The optional methods, where describe lists them; optional.c has the table. */
#ifndef CONFORMANCE_OPTIONAL_H
#define CONFORMANCE_OPTIONAL_H

#include "check.h"

/* optional_points.c */
void conf_optional_set_fields(conf_run *run);
void conf_optional_views(conf_run *run);
void conf_optional_view_numbers(conf_run *run);

/* optional_search.c */
void conf_optional_radius(conf_run *run);
void conf_optional_neighbors(conf_run *run);

/* optional_upkeep.c */
void conf_optional_flush(conf_run *run);
void conf_optional_load(conf_run *run);
void conf_optional_compact(conf_run *run);
void conf_optional_check(conf_run *run);
void conf_optional_backup(conf_run *run);
void conf_optional_index(conf_run *run);
void conf_optional_partitions(conf_run *run);

#endif
