/* SPDX-License-Identifier: Apache-2.0 */
/* The names of metrics: ours, and the others that scikit-learn has for some of them. */
#ifndef FLAT_METRIC_H
#define FLAT_METRIC_H

#include <stddef.h>

/* The names, the default first. */
extern const char *const flat_metric_names[];
extern const size_t flat_metric_count;

/* Another name, and ours for it. */
typedef struct flat_metric_alias {
    const char *alias;
    const char *name;
} flat_metric_alias;
extern const flat_metric_alias flat_metric_aliases[];
extern const size_t flat_metric_alias_count;

/* Our name for it, from ours or an alias; NULL if there is none. */
const char *flat_metric_normalise(const char *name, size_t size);

#endif
