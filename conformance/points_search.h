/* SPDX-License-Identifier: Apache-2.0 */
/* Searches of small collections; points.c has the table. */
#ifndef CONFORMANCE_POINTS_SEARCH_H
#define CONFORMANCE_POINTS_SEARCH_H

#include "check.h"

void conf_points_search(conf_run *run);
void conf_points_k(conf_run *run);
void conf_points_queries(conf_run *run);
void conf_points_zero(conf_run *run);
void conf_points_ties(conf_run *run);
void conf_points_with(conf_run *run);

#endif
