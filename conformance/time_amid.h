/* SPDX-License-Identifier: Apache-2.0 */
/* Methods that are interrupted amid their work; time.c has the table. */
#ifndef CONFORMANCE_TIME_AMID_H
#define CONFORMANCE_TIME_AMID_H

#include "check.h"

typedef struct conf_heavy conf_heavy;

/* Of each method that can be long: how its request is made so. */
extern const conf_heavy conf_heavy_get, conf_heavy_scan, conf_heavy_count, conf_heavy_upsert,
    conf_heavy_delete, conf_heavy_set_fields, conf_heavy_radius, conf_heavy_neighbors,
    conf_heavy_view, conf_heavy_check, conf_heavy_compact, conf_heavy_backup;

/* The check, whose subject is one of them. */
void conf_time_amid(conf_run *run);

#endif
