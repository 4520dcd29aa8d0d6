/* SPDX-License-Identifier: Apache-2.0 */
/* What a copy would lose, found out before a row is copied. */
#ifndef SP_COPY_PLAN_H
#define SP_COPY_PLAN_H

#include "index_settings.h"

typedef struct sp_copy_plan {
    sp_index *source;
    json_t *facts;               /* of the source's collection; NULL: it has none yet */
    const sp_describe *describe; /* of the target's backend */
    const char *backend;         /* its name */
    const sp_index_settings *settings;
    const char *metric;          /* the one that was given for the target, or NULL */
    json_t *mixed;               /* the source's fields of several types; NULL: none is known */
    json_t *losses;              /* array of {what, name, detail, fatal} */
    int failed;                  /* memory ran out */
} sp_copy_plan;

/* What collection.describe answers, as an object; NULL where there is no collection yet. */
int32_t sp_copy_facts(sp_index *index, const sp_context *context, json_t **facts,
                      simplugin_error **error);

/* How vectors of a collection come back: SP_VECTORS_... */
int sp_copy_vectors(const sp_describe *describe, const json_t *facts);
/*
 * Looks at fields of some points where the collection says that its types are those of points
 * that were seen: facts has the types that hold them all, and mixed what no type holds.
 */
int32_t sp_copy_plan_sample(sp_copy_plan *plan, const sp_context *context,
                            simplugin_error **error);
/* Whether the backend stores fields of the type, and NaN and infinities in them. */
int sp_copy_stores(const sp_describe *describe, uint32_t type);
int sp_copy_stores_nonfinite(const sp_describe *describe);
/* The source's fields that the target stores, but for the sample ids: name to type. */
json_t *sp_copy_fields(const sp_copy_plan *plan);

/* Adds to losses what the two backends and the source's collection tell. */
void sp_copy_plan_make(sp_copy_plan *plan);
/* The same of the metric, where the target's collection is to be made. */
void sp_copy_plan_metric(sp_copy_plan *plan);
/* Adds what a collection tells that is there already; is_ours: this copy began it. */
void sp_copy_plan_merge(sp_copy_plan *plan, const json_t *target, int is_ours);
/* The same of ids of the source that it cannot take. */
int32_t sp_copy_plan_ids(sp_copy_plan *plan, const json_t *target, const sp_context *context,
                         simplugin_error **error);
void sp_copy_lose(sp_copy_plan *plan, const char *what, const char *name, int fatal,
                  const char *format, ...) __attribute__((format(printf, 5, 6)));
/* INVALID_ARGUMENT with all that is fatal, ALREADY_EXISTS for a target that is there. */
int32_t sp_copy_plan_check(const sp_copy_plan *plan, simplugin_error **error);

#endif
