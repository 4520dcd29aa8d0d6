/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "metric.h"

#include <string.h>

const char *const flat_metric_names[] = {
    "cosine",      "dotproduct",  "euclidean", "manhattan",  "chebyshev",
    "sqeuclidean", "correlation", "canberra",  "braycurtis",
};
const size_t flat_metric_count = sizeof flat_metric_names / sizeof flat_metric_names[0];

const flat_metric_alias flat_metric_aliases[] = {
    {"l1", "manhattan"},        {"cityblock", "manhattan"}, {"l2", "euclidean"},
    {"minkowski", "euclidean"}, {"p", "euclidean"},         {"infinity", "chebyshev"},
};
const size_t flat_metric_alias_count = sizeof flat_metric_aliases / sizeof flat_metric_aliases[0];

static int is(const char *text, const char *name, size_t size)
{
    return strlen(text) == size && memcmp(text, name, size) == 0;
}

const char *flat_metric_normalise(const char *name, size_t size)
{
    for (size_t i = 0; i < flat_metric_count; i++)
        if (is(flat_metric_names[i], name, size))
            return flat_metric_names[i];
    for (size_t i = 0; i < flat_metric_alias_count; i++)
        if (is(flat_metric_aliases[i].alias, name, size))
            return flat_metric_aliases[i].name;
    return NULL;
}
