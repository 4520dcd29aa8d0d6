/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lookup.h"

#include <stdlib.h>

#include "expr.h"
#include "idmap.h"
#include "instance.h"
#include "load.h"
#include "numbers.h"
#include "upsert.h"

/* Of one request: Milvus parses long lists slowly. */
#define KEYS_PER_QUERY UINT64_C(8192)
/* Of the first ones with fields, before it is known how much these hold. */
#define KEYS_AT_FIRST UINT64_C(256)
#define REPLY_BYTES (UINT64_C(16) << 20) /* of one, about */
#define EXPR_BYTES (512 << 10)
#define ROWS_PER_CHECK 4096
#define NOT_FOUND UINT64_MAX

/* Places among the ids. */
typedef struct span {
    struct span *next;
    uint64_t begin, end;
} span;

struct milvus_lookup_part {
    milvus_lookup_part *next;
    span ids;
    uint64_t keys; /* that it names */
    milvus_page page;
    milvus_rpc rpc;
};

typedef struct finder {
    milvus_call *call;
    const sp_column *ids;
    milvus_lookup *lookup;
    milvus_freshness fresh;
    sp_idmap map;        /* every id once */
    uint64_t *same;      /* for each id, the first place it stands at */
    uint64_t next;       /* the id that no request has named yet */
    span *again;         /* what requests named whose replies were too large */
    uint64_t limit;      /* of keys in one request, */
    uint64_t ceiling;    /* and of that: more were too many once */
    milvus_row *found;   /* for each id; page NULL: not there */
} finder;

/* How many rows of that size one query may bring, so that its reply stays of moderate size. */
static void limit_set(finder *f, uint64_t row_bytes)
{
    uint64_t rows = REPLY_BYTES / (row_bytes ? row_bytes : 1);

    f->limit = rows < 1 ? 1 : rows > f->ceiling ? f->ceiling : rows;
}

static void limit_begin(finder *f)
{
    f->ceiling = KEYS_PER_QUERY;
    limit_set(f, f->lookup->vectors ? f->call->schema->vector->dimension * sizeof(float) + 64 : 64);
    if (f->lookup->fields && f->limit > KEYS_AT_FIRST)
        f->limit = KEYS_AT_FIRST;
}

/* Those places are to be named once more. */
static int32_t span_again(finder *f, uint64_t begin, uint64_t end)
{
    span *rest;

    if (begin >= end)
        return SIMPLUGIN_OK;
    rest = plug_scratch(&f->call->base, 1, sizeof *rest);
    if (!rest)
        return plug_no_memory(&f->call->base);
    *rest = (span){f->again, begin, end};
    f->again = rest;
    return SIMPLUGIN_OK;
}

/* The expression that names ids of the part's places, as many as one request may; its places
   are then those. NULL with *code OK: none of them can be there. */
static const char *expr_next(finder *f, milvus_lookup_part *part, int32_t *code)
{
    const milvus_schema *schema = f->call->schema;
    uint64_t at = part->ids.begin;
    const char *expr = NULL;
    sp_buffer out;

    sp_buffer_init(&out);
    sp_buffer_printf(&out, "%s in [", schema->key->name);
    for (; at < part->ids.end && part->keys < f->limit && out.size < EXPR_BYTES; at++) {
        sp_text id = sp_column_text(f->ids, at);

        if (f->same[at] != at || !milvus_key_fits(schema, id))
            continue;
        if (part->keys++)
            sp_buffer_append(&out, ",", 1);
        milvus_expr_key(f->call, &out, id);
    }
    part->ids.end = at;
    sp_buffer_append(&out, "]", 1);
    if (part->keys && !out.failed)
        expr = sp_arena_text(&f->call->base.scratch, (const char *)out.data, out.size);
    if (part->keys && !expr)
        *code = plug_no_memory(&f->call->base);
    sp_buffer_clear(&out);
    if (expr && f->lookup->filter && *f->lookup->filter)
        *code = milvus_expr_and(f->call, expr, f->lookup->filter, &expr);
    return *code ? NULL : expr;
}

/* The part that the next request is for; *expr NULL: there is none left. */
static int32_t part_next(finder *f, milvus_lookup_part **made, const char **expr)
{
    milvus_lookup_part *part = calloc(1, sizeof *part);
    int32_t code = SIMPLUGIN_OK;

    *made = part;
    *expr = NULL;
    if (!part)
        return plug_no_memory(&f->call->base);
    milvus_rpc_init(&part->rpc, "Query");
    part->rpc.context = part;
    part->next = f->lookup->parts;
    f->lookup->parts = part;
    while (!code && !*expr && (f->again || f->next < f->ids->count)) {
        span all = f->again ? *f->again : (span){NULL, f->next, f->ids->count};
        int is_again = f->again != NULL;

        part->ids = all;
        part->keys = 0;
        if (is_again)
            f->again = all.next;
        *expr = expr_next(f, part, &code);
        if (!is_again)
            f->next = part->ids.end;
        else if (!code)
            code = span_again(f, part->ids.end, all.end);
    }
    return code;
}

/* Sends the next request, if there is one left to send. */
static int32_t query_start(finder *f, milvus_flight *flight, int *started)
{
    milvus_query query = {.vectors = f->lookup->vectors, .fields = f->lookup->fields};
    milvus_lookup_part *part;
    int32_t code;

    *started = 0;
    if (!f->again && f->next >= f->ids->count)
        return SIMPLUGIN_OK;
    code = part_next(f, &part, &query.expr);
    if (code || !query.expr)
        return code;
    code = milvus_query_encode(f->call, &query, &f->fresh, &part->rpc);
    if (!code)
        code = milvus_flight_start(flight, &part->rpc);
    *started = !code;
    return code;
}

static int32_t page_take(finder *f, milvus_lookup_part *part)
{
    const milvus_rpc *rpc = &part->rpc;
    milvus_page *page = &part->page;
    int32_t code = milvus_page_read(f->call, rpc->reply, rpc->reply_size, QUERY_REPLY_FIELDS, page);

    if (!code && page->count && !page->ids)
        code = plug_fail(&f->call->base, SIMPLUGIN_PROTOCOL, "the server sent rows without keys");
    if (!code && page->count && f->lookup->vectors && !page->vectors)
        code = plug_fail(&f->call->base, SIMPLUGIN_PROTOCOL, "the server sent rows without vectors");
    for (uint64_t i = 0; !code && i < page->count; i++) {
        uint64_t at = sp_idmap_find(&f->map, page->ids[i]);

        if (at == SP_IDMAP_NONE)
            continue;
        f->found[at].page = page;
        f->found[at].row = i;
    }
    if (!code && page->count && f->lookup->fields)
        limit_set(f, rpc->reply_size / page->count);
    return code;
}

/* Its reply would be too large: fewer keys in each request from now on. */
static int32_t part_again(finder *f, milvus_lookup_part *part)
{
    if (part->keys / 2 < f->ceiling)
        f->ceiling = part->keys / 2;
    if (f->limit > f->ceiling)
        f->limit = f->ceiling;
    milvus_rpc_clear(&part->rpc);
    return span_again(f, part->ids.begin, part->ids.end);
}

static int32_t requests_run(finder *f)
{
    milvus_call *call = f->call;
    int64_t limit = call->instance->settings.batches_in_flight, in_flight = 0;
    int loaded = 0;
    milvus_flight flight;
    int32_t code = milvus_flight_init(&flight, &call->instance->link, &call->base);

    while (!code) {
        milvus_lookup_part *part;
        milvus_rpc *rpc;
        int started = 1;

        while (!code && started && in_flight < limit) {
            code = query_start(f, &flight, &started);
            in_flight += started;
        }
        if (code || !in_flight)
            break;
        code = milvus_flight_next(&flight, &rpc);
        if (code)
            break;
        in_flight--;
        part = rpc->context;
        if (milvus_is_not_loaded(&rpc->status) && loaded++ < limit) {
            code = milvus_load(call, NULL, 0, 0);
            if (!code)
                code = milvus_flight_start(&flight, rpc);
            in_flight += !code;
        } else if (part->keys > 1 && milvus_is_reply_too_large(&rpc->status)) {
            code = part_again(f, part);
        } else if (rpc->status.code) {
            code = milvus_status_fail(&call->base, rpc->method,
                                      call->instance->settings.address.target, &rpc->status);
        } else {
            code = page_take(f, part);
        }
    }
    milvus_flight_clear(&flight);
    if (!code)
        milvus_read_done(call, &f->fresh);
    return code;
}

static int32_t rows_collect(finder *f)
{
    milvus_lookup *lookup = f->lookup;
    uint64_t count = f->ids->count;

    lookup->positions = plug_reply_array(&f->call->base, count + 1, sizeof *lookup->positions);
    lookup->rows = plug_scratch(&f->call->base, count + 1, sizeof *lookup->rows);
    if (!lookup->positions || !lookup->rows)
        return plug_no_memory(&f->call->base);
    for (uint64_t i = 0; i < count; i++) {
        const milvus_row *row = &f->found[f->same[i]];

        if (!row->page)
            continue;
        lookup->rows[lookup->count] = *row;
        lookup->positions[lookup->count++] = (int64_t)i;
    }
    return SIMPLUGIN_OK;
}

int32_t milvus_lookup_run(milvus_call *call, const sp_column *ids, milvus_lookup *lookup)
{
    finder f = {.call = call, .ids = ids, .lookup = lookup};
    int32_t code = SIMPLUGIN_OK;

    limit_begin(&f);
    f.fresh = milvus_freshness_of(call, -1);
    f.same = plug_scratch(&call->base, ids->count + 1, sizeof *f.same);
    f.found = plug_scratch(&call->base, ids->count + 1, sizeof *f.found);
    if (!f.same || !f.found || !sp_idmap_init(&f.map, ids, &call->base.scratch))
        return plug_no_memory(&call->base);
    for (uint64_t i = 0; i < ids->count; i++) {
        uint64_t before = sp_idmap_add(&f.map, i);

        f.same[i] = before == SP_IDMAP_NONE ? i : before;
        if (i % ROWS_PER_CHECK == 0 && (code = plug_check(&call->base)) != SIMPLUGIN_OK)
            return code;
    }
    if (ids->count)
        code = requests_run(&f);
    return code ? code : rows_collect(&f);
}

void milvus_lookup_clear(milvus_lookup *lookup)
{
    while (lookup->parts) {
        milvus_lookup_part *next = lookup->parts->next;

        milvus_page_clear(&lookup->parts->page);
        milvus_rpc_clear(&lookup->parts->rpc);
        free(lookup->parts);
        lookup->parts = next;
    }
}

int32_t milvus_vectors_portable(milvus_call *call)
{
    return call->schema->vector->type == MILVUS_FLOAT_VECTOR
               ? SIMPLUGIN_OK
               : plug_fail(&call->base, SIMPLUGIN_UNIMPLEMENTED,
                           "its vectors are of type %s: native.query reads those",
                           milvus_type_name(call->schema->vector->type));
}

int32_t milvus_vectors_write(milvus_call *call, const milvus_row *rows, uint64_t count)
{
    uint64_t dimension = call->schema->vector->dimension;
    int is_binary = call->schema->vector->type == MILVUS_BINARY_VECTOR;
    uint64_t bytes = is_binary ? dimension / 8 : dimension * sizeof(float);
    uint8_t *data = plug_reply_array(&call->base, count, bytes);
    simplugin_tensor tensor;

    if (!data)
        return plug_no_memory(&call->base);
    for (uint64_t i = 0; i < count; i++) {
        const milvus_page *page = rows[i].page;

        if (!page || !page->vectors || page->vector_bytes != bytes)
            return plug_fail(&call->base, SIMPLUGIN_PROTOCOL,
                             "the server sent rows without vectors");
        memcpy(data + i * bytes, page->vectors + rows[i].row * bytes, (size_t)bytes);
    }
    tensor = is_binary ? simplugin_tensor_of(SIMPLUGIN_UINT8, data, count, bytes)
                       : simplugin_tensor_of(SIMPLUGIN_FLOAT32, data, count, dimension);
    simplugin_write_string(&call->base.out, "vectors");
    simplugin_write_tensor(&call->base.out, &tensor);
    return SIMPLUGIN_OK;
}
