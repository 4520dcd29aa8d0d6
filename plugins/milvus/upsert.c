/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "upsert.h"

#include <stdio.h>
#include <stdlib.h>

#include "consistency.h"
#include "expr.h"
#include "fate.h"
#include "instance.h"
#include "known.h"
#include "load.h"
#include "partitions.h"
#include "numbers.h"
#include "pb.h"
#include "query.h"

#define KEYS_PER_DELETE 8192
#define EXPR_BYTES (512 << 10)

/* ---- batches ------------------------------------------------------------------------------ */

/* Rows that go into one request. */
typedef struct batch {
    struct batch *next;
    uint64_t first, count;
    milvus_rpc rpc;
} batch;

typedef struct writing {
    milvus_call *call;
    const milvus_rows *rows;
    const char *method;
    int idempotent;
    uint64_t bytes;    /* of a batch, at most: less where the server refused one */
    uint64_t next;     /* the row that the next batch begins with */
    batch *halves;     /* of batches that were too large */
    uint64_t done;     /* rows that are written */
    sp_buffer stretches; /* of milvus_stretch: what became of which */
    uint64_t timestamp;
    /* keys that the server made, by batches; NULL: not wanted */
    sp_arena *memory;
    sp_text *keys;
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

static void batch_free(batch *b)
{
    milvus_rpc_clear(&b->rpc);
    free(b);
}

/* The next one to send; NULL with *code OK: all are sent. */
static batch *batch_next(writing *w, int32_t *code)
{
    batch *b = w->halves;

    if (b) {
        w->halves = b->next;
    } else if (w->next < w->rows->count) {
        uint64_t count = milvus_rows_fit(w->call, w->rows, w->next, w->bytes);

        b = batch_new(w->next, count);
        w->next += count;
        if (!b)
            *code = plug_no_memory(&w->call->base);
    }
    return b;
}

static int32_t batch_send(writing *w, milvus_flight *flight, batch *b)
{
    int32_t code;

    milvus_rpc_init(&b->rpc, w->method);
    b->rpc.context = b;
    b->rpc.idempotent = w->idempotent;
    code = milvus_rows_encode(w->call, w->rows, b->first, b->count, &b->rpc);
    return code ? code : milvus_flight_start(flight, &b->rpc);
}

/* Two of half the size come in the place of one that the server found too large. */
static int32_t batch_halve(writing *w, batch *b)
{
    batch *first = batch_new(b->first, b->count / 2);
    batch *second = batch_new(b->first + b->count / 2, b->count - b->count / 2);

    w->bytes = w->bytes / 2 > 1024 ? w->bytes / 2 : 1024;
    if (!first || !second) {
        free(first);
        free(second);
        return plug_no_memory(&w->call->base);
    }
    first->next = second;
    second->next = w->halves;
    w->halves = first;
    return SIMPLUGIN_OK;
}

static int32_t answer_take(writing *w, const batch *b)
{
    pb_reader reader = pb_reader_of(b->rpc.reply, b->rpc.reply_size);
    pb_field field;
    int32_t code = SIMPLUGIN_OK;

    while (!code && pb_next(&reader, &field)) {
        if (field.number == MUTATION_TIMESTAMP && field.wire == PB_VARINT &&
            field.value > w->timestamp) {
            w->timestamp = field.value;
        } else if (field.number == MUTATION_IDS && field.wire == PB_BYTES && w->keys) {
            sp_text *ids = NULL;
            uint64_t count = 0;

            code = milvus_ids_read(w->call, field.data, field.size, &w->memory, &ids, &count);
            for (uint64_t i = 0; !code && i < count && i < b->count; i++) {
                w->keys[b->first + i].data =
                    sp_arena_text(&w->call->base.scratch, ids[i].data, ids[i].size);
                w->keys[b->first + i].size = ids[i].size;
                if (!w->keys[b->first + i].data)
                    code = plug_no_memory(&w->call->base);
            }
        }
    }
    w->done += b->count;
    milvus_stretch_add(&w->stretches, b->first, b->count, 1);
    return code;
}

/*
 * Whether the rows are to be sent again in smaller requests. A request that the server did
 * not read left nothing behind; a reply that was not read comes after the writing, and a
 * server that gives up in the midst of it may have written some.
 */
static int is_to_be_halved(const writing *w, const batch *b)
{
    const milvus_status *status = &b->rpc.status;

    if (status->code != SIMPLUGIN_RESOURCE_EXHAUSTED || b->count < 2)
        return 0;
    if (status->too_large)
        return status->too_large == MILVUS_REQUEST_TOO_LARGE;
    return w->idempotent && (strstr(status->reason, "larger than max") ||
                             strstr(status->reason, "too large"));
}

/* Says which rows it was about, by the first one's number in the request. */
static int32_t batch_fail(writing *w, const batch *b)
{
    plug_call *call = &w->call->base;
    const milvus_status *status = &b->rpc.status;
    const char *target = w->call->instance->settings.address.target;
    uint64_t first = w->rows->select ? (uint64_t)w->rows->select[b->first] : b->first;
    char method[96];

    if (milvus_fate_is_open(status))
        milvus_stretch_add(&w->stretches, b->first, b->count, 0);
    snprintf(method, sizeof method, "%s of %llu rows from row %llu on", w->method,
             (unsigned long long)b->count, (unsigned long long)first);
    if (status->too_large != MILVUS_REPLY_TOO_LARGE)
        return milvus_status_fail(call, method, target, status);
    plug_fail(call, status->code,
              "%s at %s: the rows were written, but the reply could not be read: %s; raise "
              "max_receive_bytes, and %s",
              method, target, status->reason,
              w->idempotent ? "write the rows again" : "do not insert these rows again");
    plug_host->error_set_backend(call->error, status->server_code, status->reason,
                                 strlen(status->reason));
    plug_host->error_set_retryable(call->error, 0);
    return status->code;
}

/* A batch came back. */
static int32_t batch_end(writing *w, batch *b)
{
    const simplugin_call_info *info = w->call->base.info;

    if (is_to_be_halved(w, b))
        return batch_halve(w, b);
    if (b->rpc.status.code)
        return batch_fail(w, b);
    if (info->progress)
        plug_host->progress(info->progress, w->done + b->count, w->rows->count);
    return answer_take(w, b);
}

static int32_t write_run(writing *w)
{
    milvus_call *call = w->call;
    int64_t limit = call->instance->settings.batches_in_flight, in_flight = 0;
    milvus_flight flight;
    int32_t code = milvus_flight_init(&flight, &call->instance->link, &call->base);
    batch *all = NULL;

    w->bytes = (uint64_t)call->instance->settings.batch_bytes;
    sp_buffer_init(&w->stretches);
    while (!code) {
        milvus_rpc *rpc;
        batch *b;

        while (!code && in_flight < limit && (b = batch_next(w, &code)) != NULL) {
            b->next = all;
            all = b;
            code = batch_send(w, &flight, b);
            in_flight += !code;
        }
        if (code || !in_flight)
            break;
        code = milvus_flight_next(&flight, &rpc);
        if (code)
            break;
        in_flight--;
        b = rpc->context;
        for (batch **at = &all; *at; at = &(*at)->next)
            if (*at == b) {
                *at = b->next;
                break;
            }
        code = batch_end(w, b);
        batch_free(b);
    }
    milvus_flight_clear(&flight);
    while (all) {
        batch *next = all->next;

        /* one that was not even sent has no attempts */
        if (all->rpc.attempts)
            milvus_stretch_add(&w->stretches, all->first, all->count, 0);
        batch_free(all);
        all = next;
    }
    while (w->halves) {
        batch *next = w->halves->next;

        free(w->halves);
        w->halves = next;
    }
    if (code) {
        milvus_fate_tell(&call->base, &w->stretches, call->schema->auto_id ? w->keys : NULL);
        /* the same insertion once more would write some rows twice */
        if (!w->idempotent && w->stretches.size)
            plug_host->error_set_retryable(call->base.error, 0);
    }
    sp_buffer_clear(&w->stretches);
    /* what did not come back may have been written all the same */
    milvus_written_at(call, code ? 0 : w->timestamp);
    return code;
}

static int32_t rows_prepare(milvus_call *call, const milvus_rows *rows)
{
    int32_t code = milvus_rows_check(call, rows);

    if (!code && (call->schema->vector->type == MILVUS_BINARY_VECTOR) != (rows->bits != NULL))
        code = plug_fail(&call->base, SIMPLUGIN_UNIMPLEMENTED,
                         "its vectors are of type %s: native.insert writes those",
                         milvus_type_name(call->schema->vector->type));
    return code ? code : milvus_known_check(call, rows->fields, rows->select, rows->count);
}

int32_t milvus_upsert(milvus_call *call, const milvus_rows *rows)
{
    /* Milvus Lite merges what is upserted into what is there, and replaces on insertion */
    writing w = {.call = call,
                 .rows = rows,
                 .method = call->instance->is_lite ? "Insert" : "Upsert",
                 .idempotent = 1};
    int32_t code = rows_prepare(call, rows);

    if (!code && call->schema->auto_id)
        code = plug_fail(&call->base, SIMPLUGIN_UNIMPLEMENTED,
                         "Milvus makes the keys of this collection: add rows with native.insert");
    if (!code)
        code = write_run(&w);
    if (!code)
        milvus_known_add(call, rows->fields, rows->select, rows->count);
    return code;
}

int32_t milvus_insert(milvus_call *call, const milvus_rows *rows)
{
    writing w = {.call = call, .rows = rows, .method = "Insert"};
    int32_t code = rows_prepare(call, rows);

    w.keys = plug_scratch(&call->base, rows->count + 1, sizeof *w.keys);
    if (!code && !w.keys)
        code = plug_no_memory(&call->base);
    if (!code)
        code = write_run(&w);
    sp_arena_free(&w.memory);
    if (code)
        return code;
    milvus_known_add(call, rows->fields, rows->select, rows->count);
    simplugin_write_map(&call->base.out, 2);
    simplugin_write_string(&call->base.out, "inserted");
    simplugin_write_uint(&call->base.out, rows->count);
    return plug_write_ids(&call->base, w.keys, rows->count);
}

/* ---- deletions ------------------------------------------------------------------------------ */

static int32_t delete_send(milvus_call *call, const char *expr, size_t size,
                           const char *partition)
{
    sp_buffer out;
    milvus_rpc rpc;
    int32_t code;

    sp_buffer_init(&out);
    pb_text(&out, DELETE_DB, call->instance->settings.db_name);
    pb_text(&out, DELETE_COLLECTION, call->collection);
    pb_text(&out, DELETE_PARTITION, partition);
    pb_bytes(&out, DELETE_EXPR, expr, size);
    if (out.failed) {
        sp_buffer_clear(&out);
        return plug_no_memory(&call->base);
    }
    milvus_rpc_init(&rpc, "Delete");
    milvus_rpc_take(&rpc, out.data, out.size);
    code = milvus_read_run(call, &rpc);
    milvus_written_at(call, 0);
    milvus_rpc_clear(&rpc);
    return code;
}

/* As many of the keys as go into one request, from *next on. */
static int32_t keys_delete(milvus_call *call, const sp_column *ids, uint64_t *next)
{
    const milvus_schema *schema = call->schema;
    uint64_t count = 0;
    sp_buffer expr;
    int32_t code = SIMPLUGIN_OK;

    sp_buffer_init(&expr);
    sp_buffer_printf(&expr, "%s in [", schema->key->name);
    for (; *next < ids->count && count < KEYS_PER_DELETE && expr.size < EXPR_BYTES; ++*next) {
        sp_text id = sp_column_text(ids, *next);

        if (!milvus_key_fits(schema, id))
            continue;
        if (count++)
            sp_buffer_append(&expr, ",", 1);
        milvus_expr_key(call, &expr, id);
    }
    sp_buffer_append(&expr, "]", 1);
    if (expr.failed)
        code = plug_no_memory(&call->base);
    else if (count)
        code = delete_send(call, (const char *)expr.data, expr.size, NULL);
    sp_buffer_clear(&expr);
    return code;
}

int32_t milvus_delete_ids(milvus_call *call, const sp_column *ids)
{
    uint64_t next = 0;
    int32_t code = SIMPLUGIN_OK;

    while (!code && next < ids->count)
        code = keys_delete(call, ids, &next);
    return code;
}

int32_t milvus_delete_matching(milvus_call *call, const char *expr, const char *partition)
{
    sp_buffer all;
    int32_t code;

    if (*expr)
        return delete_send(call, expr, strlen(expr), partition);
    /* Milvus takes no empty expression, so one that is always true */
    sp_buffer_init(&all);
    if (call->schema->key->type == MILVUS_INT64)
        sp_buffer_printf(&all, "%s <= 9223372036854775807", call->schema->key->name);
    else
        sp_buffer_printf(&all, "%s >= \"\"", call->schema->key->name);
    code = all.failed ? plug_no_memory(&call->base)
                      : delete_send(call, (const char *)all.data, all.size, partition);
    sp_buffer_clear(&all);
    return code;
}

int32_t milvus_partition_read(plug_call *call, const simplugin_value *map, const char **partition)
{
    const char *text;
    uint64_t size;
    int found = simplugin_find_text(map, "partition", &text, &size);

    *partition = NULL;
    if (!found)
        return SIMPLUGIN_OK;
    if (found < 0)
        return plug_fail_argument(call, "partition", "partition is a text");
    *partition = sp_arena_text(&call->scratch, text, size);
    return *partition ? milvus_partition_check(call, *partition) : plug_no_memory(call);
}
