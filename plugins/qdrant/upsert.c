/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "upsert.h"

#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "condition.h"
#include "ids.h"
#include "instance.h"
#include "rows.h"

#define KEYS_PER_DELETE 16384

/* ---- batches ------------------------------------------------------------------------------ */

/* Rows that go into one request. */
typedef struct batch {
    struct batch *next;
    uint64_t first, count;
    qdrant_http http;
} batch;

typedef struct writing {
    qdrant_call *call;
    const qdrant_rows *rows;
    const char *path;
    uint64_t bytes; /* of a batch, at most: less where the server refused one */
    uint64_t next;  /* the row that the next batch begins with */
    batch *waiting; /* halves of batches that were too large */
    batch *active;
    uint64_t done;  /* rows that are written */
} writing;

static batch *batch_new(uint64_t first, uint64_t count)
{
    batch *b = calloc(1, sizeof *b);

    if (b) {
        b->first = first;
        b->count = count;
    }
    return b;
}

static void batches_free(batch *b)
{
    while (b) {
        batch *next = b->next;

        qdrant_http_clear(&b->http);
        free(b);
        b = next;
    }
}

/* The next one to send, of rows that are known or of those that fit; NULL: none is left. */
static batch *batch_next(writing *w)
{
    batch *b = w->waiting;

    if (b)
        w->waiting = b->next;
    else if (w->next < w->rows->count)
        b = batch_new(w->next, w->rows->count - w->next);
    return b;
}

/* Encodes and sends; what did not fit is left for the batches behind it. */
static int32_t batch_send(writing *w, qdrant_flight *flight, batch *b)
{
    int is_new = b->first == w->next;
    uint64_t taken = 0;
    sp_buffer body;
    int32_t code;

    b->next = w->active;
    w->active = b;
    sp_buffer_init(&body);
    code = qdrant_rows_encode(w->call, w->rows, b->first, b->count, w->bytes, &body, &taken);
    if (code) {
        sp_buffer_clear(&body);
        return code;
    }
    if (is_new) {
        w->next += taken;
    } else if (taken < b->count) {
        batch *rest = batch_new(b->first + taken, b->count - taken);

        if (!rest) {
            sp_buffer_clear(&body);
            return plug_no_memory(&w->call->base);
        }
        rest->next = w->waiting;
        w->waiting = rest;
    }
    b->count = taken;
    code = qdrant_prepare(w->call, "PUT", w->path, &body, 1, &b->http);
    b->http.context = b;
    return code ? code : qdrant_flight_start(flight, &b->http);
}

/* It goes again in halves where the server found it too large. */
static int32_t batch_halve(writing *w, const batch *b)
{
    batch *again = batch_new(b->first, b->count);

    if (!again)
        return plug_no_memory(&w->call->base);
    /* one row goes into any; a later refusal of a larger one makes them no larger */
    if (w->bytes > b->http.body_size / 2)
        w->bytes = b->http.body_size / 2;
    again->next = w->waiting;
    w->waiting = again;
    return SIMPLUGIN_OK;
}

/* A batch came back. */
static int32_t batch_end(writing *w, const batch *b)
{
    const simplugin_call_info *info = w->call->base.info;

    if (b->http.status.too_large && b->count > 1)
        return batch_halve(w, b);
    if (b->http.status.code)
        return qdrant_http_fail(&w->call->instance->link, &w->call->base, &b->http);
    w->done += b->count;
    if (info->progress)
        plug_host->progress(info->progress, w->done, w->rows->count);
    return SIMPLUGIN_OK;
}

static void batch_drop(writing *w, batch *b)
{
    batch **at = &w->active;

    while (*at != b)
        at = &(*at)->next;
    *at = b->next;
    b->next = NULL;
    batches_free(b);
}

static int32_t write_run(writing *w)
{
    qdrant_call *call = w->call;
    int64_t limit = call->instance->settings.batches_in_flight, in_flight = 0;
    qdrant_flight flight;
    int32_t code = qdrant_flight_init(&flight, &call->instance->link, &call->base);

    while (!code) {
        qdrant_http *http;
        batch *b;

        while (!code && in_flight < limit && (w->waiting || w->next < w->rows->count)) {
            b = batch_next(w);
            code = b ? batch_send(w, &flight, b) : plug_no_memory(&call->base);
            in_flight += !code;
            if (!code)
                qdrant_flight_push(&flight);
        }
        if (code || !in_flight)
            break;
        code = qdrant_flight_next(&flight, &http);
        if (code)
            break;
        in_flight--;
        b = http->context;
        code = batch_end(w, b);
        batch_drop(w, b);
    }
    qdrant_flight_clear(&flight);
    batches_free(w->active);
    batches_free(w->waiting);
    /* what did not come back may have been written all the same */
    qdrant_written(call);
    return code;
}

void qdrant_written(qdrant_call *call)
{
    atomic_fetch_add(&call->instance->writes, 1);
}

int32_t qdrant_upsert(qdrant_call *call, const qdrant_rows *rows)
{
    plug_known_of known = qdrant_known(call);
    qdrant_rows named = *rows;
    const char **members = NULL;
    writing w = {.call = call,
                 .rows = &named,
                 .path = qdrant_write_path(call, "/points"),
                 .bytes = (uint64_t)call->instance->settings.batch_bytes};
    int32_t code = qdrant_rows_check(call, rows);

    if (!code)
        code = qdrant_members_make(call, rows->fields, &members);
    named.members = members;
    if (!code)
        code = write_run(&w);
    if (!code)
        plug_known_add(&known, rows->fields, rows->select, rows->count);
    return code;
}

/* ---- deletions ------------------------------------------------------------------------------ */

static int32_t delete_send(qdrant_call *call, sp_buffer *body)
{
    qdrant_http http;
    int32_t code = qdrant_send(call, "POST", qdrant_write_path(call, "/points/delete"), body, 1,
                               &http);

    qdrant_written(call);
    qdrant_http_clear(&http);
    return code;
}

int32_t qdrant_delete_ids(qdrant_call *call, const sp_column *ids)
{
    uint64_t next = 0;
    int32_t code = SIMPLUGIN_OK;

    while (!code && next < ids->count) {
        uint64_t count = 0;
        sp_buffer body;

        sp_buffer_init(&body);
        sp_buffer_append_text(&body, "{\"points\":[");
        for (; next < ids->count && count < KEYS_PER_DELETE; next++) {
            qdrant_key key;

            if (!qdrant_key_of(call->schema->is_mapped, sp_column_text(ids, next), &key))
                continue;
            if (count++)
                sp_buffer_append(&body, ",", 1);
            qdrant_key_put(&body, &key);
        }
        sp_buffer_append_text(&body, "]}");
        if (count)
            code = delete_send(call, &body);
        sp_buffer_clear(&body);
    }
    return code;
}

int32_t qdrant_delete_matching(qdrant_call *call, const char *condition)
{
    sp_buffer body;

    sp_buffer_init(&body);
    sp_buffer_append_text(&body, "{\"filter\":{");
    if (*condition) {
        sp_buffer_append_text(&body, "\"must\":[");
        sp_buffer_append_text(&body, condition);
        sp_buffer_append(&body, "]", 1);
    }
    sp_buffer_append_text(&body, "}}");
    return delete_send(call, &body);
}
