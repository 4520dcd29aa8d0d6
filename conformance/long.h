/* SPDX-License-Identifier: Apache-2.0 */
/* A search that takes its time, to be ended before it is done. */
#ifndef CONFORMANCE_LONG_H
#define CONFORMANCE_LONG_H

#include "rig.h"

typedef struct conf_long {
    char *name;
    size_t points, queries;
    double seconds; /* what it would take, as far as that can be told */
} conf_long;

/* Fills a collection and finds out how many queries take that long; fails the check. */
int conf_long_init(conf_long *work, conf_rig *rig, double seconds);
void conf_long_clear(conf_long *work);
/* The request. The caller's. */
json_t *conf_long_body(const conf_long *work);

#endif
