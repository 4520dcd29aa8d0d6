/* SPDX-License-Identifier: Apache-2.0 */
/* Which checks there are. */
#ifndef CONFORMANCE_TABLES_H
#define CONFORMANCE_TABLES_H

#include "plan.h"
#include "world.h"

/* Adds the tables of checks. */
void conf_tables_add(conf_plan *plan);

/* corpus.c: reads the cases, and adds one check for each and form. 0 with one line in problem. */
int conf_corpus_load(conf_world *world, char *problem, size_t size);
void conf_corpus_add(conf_plan *plan, conf_world *world);
void conf_corpus_clear(conf_world *world);

#endif
