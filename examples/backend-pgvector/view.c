/* SPDX-License-Identifier: Apache-2.0 */
#include "collection.h"
#include "instance.h"

int pgv_views_init(pgv_views *views) { return pthread_mutex_init(&views->lock, NULL) == 0; }

static void view_free(pgv_view *view)
{
    if (!view)
        return;
    free(view->collection);
    pgv_buffer_clear(&view->ids);
    free(view);
}

void pgv_views_clear(pgv_views *views)
{
    while (views->first) {
        pgv_view *view = views->first;

        views->first = view->next;
        view_free(view);
    }
}

/* Those of a collection; number 0: all of them. How many there were. */
static int views_drop(pgv_views *views, const char *collection, int64_t number)
{
    pgv_view **at = &views->first;
    int count = 0;

    pthread_mutex_lock(&views->lock);
    while (*at) {
        pgv_view *view = *at;

        if (strcmp(view->collection, collection) != 0 || (number && view->number != number)) {
            at = &view->next;
            continue;
        }
        *at = view->next;
        view_free(view);
        count++;
    }
    pthread_mutex_unlock(&views->lock);
    return count;
}

void pgv_views_forget(pgv_views *views, const char *collection)
{
    views_drop(views, collection, 0);
}

static int32_t unknown(pgv_call *call, int64_t number)
{
    return pgv_fail(call, SIMPLUGIN_NOT_FOUND, "there is no view %lld of it", (long long)number);
}

int32_t pgv_view_bind(pgv_call *call, int64_t number, pgv_sql *sql)
{
    pgv_views *views = &call->instance->views;
    const pgv_view *view;

    pthread_mutex_lock(&views->lock);
    view = views->first;
    while (view && (view->number != number || strcmp(view->collection, call->collection) != 0))
        view = view->next;
    if (view)
        pgv_bind_raw(sql, PGV_TEXTS, view->ids.data, view->ids.size);
    pthread_mutex_unlock(&views->lock);
    return view ? SIMPLUGIN_OK : unknown(call, number);
}

/* ---- methods -------------------------------------------------------------------------------- */

static int32_t known_count(pgv_call *call, const pgv_view *view, int64_t *known)
{
    pgv_collection collection;
    pgv_sql sql = {0};
    PGresult *result;
    int32_t code = pgv_collection_find(call, &collection);

    if (code)
        return code;
    pgv_words(&sql, "SELECT count(*) FROM ");
    pgv_points_table(call, &sql, &collection);
    pgv_words(&sql, " WHERE p.id = ANY (");
    pgv_bind_raw(&sql, PGV_TEXTS, view->ids.data, view->ids.size);
    pgv_words(&sql, ")");
    code = pgv_run(call, &sql, &result);
    if (!code) {
        *known = pgv_read_int64(PQgetvalue(result, 0, 0));
        PQclear(result);
    }
    return code;
}

int32_t pgv_view_create(pgv_call *call)
{
    pgv_views *views = &call->instance->views;
    pgv_view *view = calloc(1, sizeof *view);
    simplugin_column ids;
    int64_t known = 0;
    int32_t code = pgv_arg_ids(call, &ids, NULL);

    if (!code && view) {
        view->collection = strdup(call->collection);
        pgv_encode_ids(&view->ids, &ids);
    }
    if (!code && (!view || !view->collection || view->ids.failed))
        code = pgv_no_memory(call);
    if (!code)
        code = known_count(call, view, &known);
    if (code) {
        view_free(view);
        return code;
    }
    pthread_mutex_lock(&views->lock);
    view->number = ++views->last_number;
    view->next = views->first;
    views->first = view;
    simplugin_write_map(&call->out, 2);
    pgv_write_count(call, "view", (uint64_t)view->number);
    pgv_write_count(call, "known", (uint64_t)known);
    pthread_mutex_unlock(&views->lock);
    return SIMPLUGIN_OK;
}

int32_t pgv_view_drop(pgv_call *call)
{
    int64_t number = 0;
    int32_t code = pgv_arg_int(call, "view", 1, INT64_MAX, &number);

    if (!code && !number)
        code = pgv_fail_argument(call, "view", "view is a number, and needed");
    if (!code && !views_drop(&call->instance->views, call->collection, number))
        code = unknown(call, number);
    simplugin_write_map(&call->out, 0);
    return code;
}
