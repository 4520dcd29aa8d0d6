/* SPDX-License-Identifier: Apache-2.0 */
/* Asking a backend for points, and what it answers, decoded. */
#ifndef SP_POINTS_H
#define SP_POINTS_H

#include "filter.h"
#include "idmap.h"
#include "index.h"

/* What to ask for. */
typedef struct sp_want {
    int vectors;
    sp_names fields;
} sp_want;

/* Rows of points, as views of a reply. */
typedef struct sp_points {
    simplugin_reply reply; /* owns it all */
    uint64_t count;
    sp_column ids;
    const int64_t *positions;       /* of points.get: where each row was asked for */
    const simplugin_tensor *vectors; /* NULL if not asked for */
    simplugin_value fields;         /* a map, type 0 if there is none */
    simplugin_value cursor;         /* of points.scan: bytes; type 0: this was the last */
} sp_points;

void sp_points_clear(sp_points *points);

/* points.get; the rows come in the order of ids. Ids that are not there have no row. */
int32_t sp_points_get(sp_index *index, const sp_context *context, const sp_column *ids,
                      const sp_want *want, sp_points *points, simplugin_error **error);

/* The column called name among the fields: 1, 0 if there is none, -1 with an error set. */
int sp_points_column(sp_index *index, const sp_points *points, const char *name,
                     sp_column *column, simplugin_error **error);
/* The sample ids of patches: 1, 0 if there are none that are text, -1 with an error set. */
int sp_points_samples(sp_index *index, const sp_points *points, sp_column *column,
                      simplugin_error **error);
/* All columns, decoded, in memory of the arena. */
int32_t sp_points_columns(sp_index *index, const sp_points *points, sp_arena **arena,
                          sp_columns *columns, simplugin_error **error);
const float *sp_points_vector(const sp_points *points, uint64_t row);

/* PROTOCOL, naming backend and method. */
int32_t sp_reply_error(sp_index *index, const char *method, const char *what,
                       simplugin_error **error);
/* A tensor of the dtype with count rows of one col; NULL if it is not that. */
const simplugin_tensor *sp_reply_array(const simplugin_value *map, const simplugin_reply *reply,
                                       const char *key, uint32_t dtype);

/* ---- walking over an index ------------------------------------------------------------ */

typedef struct sp_view sp_view;

/* Which points, and what of them. filter and view may be NULL; both are borrowed. */
typedef struct sp_walk_spec {
    sp_want want;
    const sp_filter *filter;
    const sp_view *view;
    uint64_t max_rows;  /* of a page; 0: as the backend likes */
    uint64_t max_bytes; /* the same; 0: 8 MiB */
} sp_walk_spec;

/* A walk over all points that pass, page by page: points.scan with what it lacks. */
typedef struct sp_walk {
    sp_index *index;
    sp_walk_spec spec;
    sp_filter *pushed;       /* what the backend evaluates; NULL: nothing */
    sp_filter_bound *rest;   /* what is evaluated here; NULL: nothing */
    sp_want want;            /* what is asked of the backend */
    uint64_t dimension;      /* of all pages; 0: there is no collection yet */
    const char **names;
    uint8_t *cursor;
    uint64_t cursor_size;
    int done;
    sp_points page;
    uint64_t *rows; /* the rows of the page that pass */
    uint64_t row_count;
    uint64_t row_capacity;
} sp_walk;

int32_t sp_walk_init(sp_walk *walk, sp_index *index, const sp_walk_spec *spec,
                     simplugin_error **error);
void sp_walk_clear(sp_walk *walk);
/* Goes on where another walk of the same collection was: behind its page of that cursor. */
int32_t sp_walk_resume(sp_walk *walk, const uint8_t *cursor, uint64_t size,
                       simplugin_error **error);
/* The next page, which may have no rows that pass; *more is 0 when there is none. */
int32_t sp_walk_next(sp_walk *walk, const sp_context *context, int *more,
                     simplugin_error **error);

/* ---- views and filters ----------------------------------------------------------------- */

/* A set of ids that restricts what is found. */
struct sp_view {
    sp_object object;
    sp_index *index; /* held */
    sp_arena *arena;
    sp_column ids;
    sp_idmap map;
    uint64_t known;
    int remote;           /* the backend keeps the ids too, */
    uint64_t remote_view; /* under this number */
};

/* Has the backend keep a set of ids, each once, under a number; known: how many of them it has. */
int32_t sp_view_keep(sp_index *index, const sp_context *context, const sp_column *ids,
                     uint64_t *remote_view, uint64_t *known, simplugin_error **error);
void sp_view_forget(sp_index *index, uint64_t remote_view);

int32_t sp_view_create(sp_index *index, sp_request *request, simplugin_error **error);
int32_t sp_scan_open(sp_index *index, sp_request *request, simplugin_error **error);
sp_index *sp_scan_index(sp_object *scan);
int32_t sp_scan_next(sp_object *scan, sp_request *request, simplugin_error **error);

/* The filter under "filter", parsed; absent: NULL. To be freed by sp_filter_free. */
int32_t sp_arg_filter(const sp_args *args, sp_filter **filter, simplugin_error **error);
/* The view under "view", held, of this index; absent: NULL. */
int32_t sp_arg_view(const sp_args *args, sp_index *index, sp_view **view,
                    simplugin_error **error);
/* SP_SAMPLE_ID in (ids), as a filter. */
int32_t sp_filter_of_samples(const sp_column *sample_ids, sp_filter **filter,
                             simplugin_error **error);
/* What of a filter the index's backend can take, and what is left: rest is NULL if nothing
   is. pushed is NULL if it can take nothing. */
int32_t sp_filter_split(sp_index *index, const sp_filter *filter, sp_filter **pushed,
                        sp_filter_bound **rest, simplugin_error **error);
/* Whether a filter is the constant false: then there is nothing to ask. */
static inline int sp_filter_is_false(const sp_filter *filter)
{
    return filter && filter->nodes[0].kind == SP_FILTER_CONST && !filter->nodes[0].truth;
}
/* bitmap: which of the rows pass. */
int32_t sp_filter_rows(sp_index *index, const sp_filter_bound *bound, const sp_points *points,
                       uint8_t *bitmap, simplugin_error **error);

#endif
