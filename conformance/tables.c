/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "tables.h"

/* In the order in which they run. Without describe go those that find out why there is none. */
static const struct {
    const conf_check *checks;
    int needs_describe;
} tables[] = {
    {conf_abi, 0},
    {conf_describe, 0},
    {conf_methods, 0},
    {conf_optional, 0},
    {conf_points, 0},
    {conf_semantics, 1},
    {conf_filters, 1},
    {conf_memory, 0},
    {conf_time, 0},
    {conf_threads, 0},
    {conf_malformed, 0},
    {conf_cycles, 0},
    {conf_fork, 0},
};

void conf_tables_add(conf_plan *plan)
{
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        for (const conf_check *check = tables[i].checks; check && check->name; check++)
            conf_plan_add(plan, check, tables[i].needs_describe);
}
