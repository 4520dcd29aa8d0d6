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
#define KEYS_PER_QUERY 8192
#define EXPR_BYTES (512 << 10)
#define ROWS_PER_CHECK 4096
#define NOT_FOUND UINT64_MAX

typedef struct finder {
    milvus_call *call;
    const sp_column *ids;
    milvus_lookup *lookup;
    milvus_freshness fresh;
    sp_idmap map;        /* every id once */
    uint64_t *same;      /* for each id, the first place it stands at */
    uint64_t next;       /* the id that the next request begins with */
    milvus_row *found;   /* for each id; page NULL: not there */
} finder;

/* How many rows one query may bring, so that its reply stays of moderate size. */
static uint64_t keys_per_query(const finder *f)
{
    uint64_t bytes = f->call->schema->vector->dimension * sizeof(float);
    uint64_t rows = f->lookup->vectors ? (UINT64_C(16) << 20) / (bytes + 64) : KEYS_PER_QUERY;

    if (f->lookup->fields && rows > 2048)
        rows = 2048;
    return rows < 16 ? 16 : rows > KEYS_PER_QUERY ? KEYS_PER_QUERY : rows;
}

/* The expression for the next ids; NULL with *code OK: there are none left. */
static const char *expr_next(finder *f, int32_t *code)
{
    const milvus_schema *schema = f->call->schema;
    uint64_t limit = keys_per_query(f), count = 0;
    const char *expr = NULL;
    sp_buffer out;

    sp_buffer_init(&out);
    sp_buffer_printf(&out, "%s in [", schema->key->name);
    for (; f->next < f->ids->count && count < limit && out.size < EXPR_BYTES; f->next++) {
        sp_text id = sp_column_text(f->ids, f->next);

        if (f->same[f->next] != f->next || !milvus_key_fits(schema, id))
            continue;
        if (count++)
            sp_buffer_append(&out, ",", 1);
        milvus_expr_key(f->call, &out, id);
    }
    sp_buffer_append(&out, "]", 1);
    if (count && !out.failed)
        expr = sp_arena_text(&f->call->base.scratch, (const char *)out.data, out.size);
    if (count && !expr)
        *code = plug_no_memory(&f->call->base);
    sp_buffer_clear(&out);
    if (expr && f->lookup->filter && *f->lookup->filter)
        *code = milvus_expr_and(f->call, expr, f->lookup->filter, &expr);
    return *code ? NULL : expr;
}

/* Sends the next request, if there is one left to send. */
static int32_t query_start(finder *f, milvus_flight *flight, int *started)
{
    milvus_query query = {.vectors = f->lookup->vectors, .fields = f->lookup->fields};
    milvus_lookup *lookup = f->lookup;
    milvus_rpc *rpc;
    int32_t code = SIMPLUGIN_OK;

    *started = 0;
    query.expr = expr_next(f, &code);
    if (!query.expr)
        return code;
    rpc = &lookup->rpcs[lookup->page_count++];
    milvus_rpc_init(rpc, "Query");
    rpc->context = &lookup->pages[lookup->page_count - 1];
    code = milvus_query_encode(f->call, &query, &f->fresh, rpc);
    if (!code)
        code = milvus_flight_start(flight, rpc);
    *started = !code;
    return code;
}

static int32_t page_take(finder *f, const milvus_rpc *rpc)
{
    milvus_page *page = rpc->context;
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
    return code;
}

static int32_t requests_run(finder *f)
{
    milvus_call *call = f->call;
    int64_t limit = call->instance->settings.batches_in_flight, in_flight = 0;
    int loaded = 0;
    milvus_flight flight;
    int32_t code = milvus_flight_init(&flight, &call->instance->link, &call->base);

    while (!code) {
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
        if (milvus_is_not_loaded(&rpc->status) && loaded++ < limit) {
            code = milvus_load(call, NULL, 0, 0);
            if (!code)
                code = milvus_flight_start(&flight, rpc);
            in_flight += !code;
        } else if (rpc->status.code) {
            code = milvus_status_fail(&call->base, rpc->method,
                                      call->instance->settings.address.target, &rpc->status);
        } else {
            code = page_take(f, rpc);
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
    uint64_t queries;
    int32_t code = SIMPLUGIN_OK;

    f.fresh = milvus_freshness_of(call, -1);
    f.same = plug_scratch(&call->base, ids->count + 1, sizeof *f.same);
    f.found = plug_scratch(&call->base, ids->count + 1, sizeof *f.found);
    /* one is full of keys, or of bytes: then of 256 at least, as none has more than 2000 */
    queries = ids->count / keys_per_query(&f) + ids->count / 256 + 2;
    lookup->pages = plug_scratch(&call->base, queries, sizeof *lookup->pages);
    lookup->rpcs = plug_scratch(&call->base, queries, sizeof *lookup->rpcs);
    if (!f.same || !f.found || !lookup->pages || !lookup->rpcs ||
        !sp_idmap_init(&f.map, ids, &call->base.scratch))
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
    for (uint64_t i = 0; i < lookup->page_count; i++) {
        milvus_page_clear(&lookup->pages[i]);
        milvus_rpc_clear(&lookup->rpcs[i]);
    }
    lookup->page_count = 0;
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
