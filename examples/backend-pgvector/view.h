/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of ids that searches are restricted to, kept by the instance as they go to the server. */
#ifndef PGV_VIEW_H
#define PGV_VIEW_H

#include <pthread.h>

#include "sql.h"

struct pgv_call;

typedef struct pgv_view {
    struct pgv_view *next;
    int64_t number;
    char *collection;
    pgv_buffer ids; /* a text[] */
} pgv_view;

typedef struct pgv_views {
    pthread_mutex_t lock;
    pgv_view *first;
    int64_t last_number;
} pgv_views;

/* 0: no memory. */
int pgv_views_init(pgv_views *views);
void pgv_views_clear(pgv_views *views);
/* Those of a collection that is gone. */
void pgv_views_forget(pgv_views *views, const char *collection);
/* Binds the ids of a view of the call's collection; NOT_FOUND if there is no such. */
int32_t pgv_view_bind(struct pgv_call *call, int64_t number, pgv_sql *sql);

#endif
