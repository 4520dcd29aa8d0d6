/* SPDX-License-Identifier: Apache-2.0 */
/* What a backend says of itself, read once into what the core asks of it. */
#ifndef SP_DESCRIBE_H
#define SP_DESCRIBE_H

#include <jansson.h>

#include "error.h"
#include "filter.h"

/* How vectors come back; a higher one keeps less. */
#define SP_VECTORS_EXACT 0
#define SP_VECTORS_ROUNDED 1    /* to within float32's rounding */
#define SP_VECTORS_NORMALISED 2 /* without their norms */

typedef struct sp_describe {
    json_t *json;           /* all of it, as an object */
    uint64_t max_k;         /* UINT64_MAX: no limit */
    uint64_t max_dimension; /* the same */
    uint64_t batch_bytes;   /* the same */
    int exact;
    int radius;
    int conditional_upsert; /* points.upsert takes "existing" */
    int vectors;       /* SP_VECTORS_... */
    int rounds_floats; /* float64 fields come back with another last digit */
    sp_filter_support filters;
} sp_describe;

/* Calls the backend's describe and checks the answer. PROTOCOL if it is nonsense. */
int32_t sp_describe_new(const simplugin_backend *backend, const char *name, sp_describe **describe,
                        simplugin_error **error);
void sp_describe_free(sp_describe *describe);
/* The backend's own name of a metric that it knows by others too; else the name as it is. */
const char *sp_describe_metric(const sp_describe *describe, const char *name);
/* SP_VECTORS_... by its name, -1: it is none. */
int sp_describe_vectors(const char *name);
/* Whether the list under key ("methods", "metrics", "reverse", ...) has the name. */
int sp_describe_lists(const sp_describe *describe, const char *key, const char *name);

#endif
