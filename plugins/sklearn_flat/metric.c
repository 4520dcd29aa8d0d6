/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "metric.h"

#include <string.h>

const char *const flat_metric_names[] = {
    "cosine",      "dotproduct",  "euclidean", "manhattan",  "chebyshev",
    "sqeuclidean", "correlation", "canberra",  "braycurtis",
};
const size_t flat_metric_count = sizeof flat_metric_names / sizeof flat_metric_names[0];

static const struct {
    const char *alias;
    const char *name;
} aliases[] = {
    {"l1", "manhattan"},        {"cityblock", "manhattan"}, {"l2", "euclidean"},
    {"minkowski", "euclidean"}, {"p", "euclidean"},         {"infinity", "chebyshev"},
};

static int is(const char *text, const char *name, size_t size)
{
    return strlen(text) == size && memcmp(text, name, size) == 0;
}

const char *flat_metric_normalise(const char *name, size_t size)
{
    for (size_t i = 0; i < flat_metric_count; i++)
        if (is(flat_metric_names[i], name, size))
            return flat_metric_names[i];
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++)
        if (is(aliases[i].alias, name, size))
            return aliases[i].name;
    return NULL;
}
