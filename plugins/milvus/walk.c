/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "walk.h"

#include "expr.h"
#include "lookup.h"

#define BYTES_DEFAULT (INT64_C(8) << 20)
#define BYTES_MAX (INT64_C(256) << 20)
/* What a row costs beside what it holds. */
#define ROW_BYTES 64
/* A first page with fields, before it is known how much they hold. */
#define ROWS_AT_FIRST 256
/* A cursor is what a row holds by the page before, in digits, a colon and the key: it is text
   where the key is, and has bytes where that has none. */
#define CURSOR_DIGITS 10
#define KEY_BYTES_MAX 65535

int32_t milvus_walk_expr(milvus_call *call, const char *filter, sp_text after, const char **expr)
{
    sp_buffer out;
    const char *behind = "";
    int32_t code = SIMPLUGIN_OK;

    sp_buffer_init(&out);
    if (after.data) {
        sp_buffer_printf(&out, "%s > ", call->schema->key->name);
        milvus_expr_key(call, &out, after);
        if (!out.failed)
            behind = sp_arena_text(&call->base.scratch, (const char *)out.data, out.size);
        if (out.failed || !behind)
            code = plug_no_memory(&call->base);
    }
    sp_buffer_clear(&out);
    return code ? code : milvus_expr_and(call, filter, behind, expr);
}

int32_t milvus_walk(milvus_call *call, const char *filter,
                    int32_t (*each)(void *context, const milvus_page *page), void *context)
{
    milvus_query query = {.limit = MILVUS_LIMIT_MAX, .level = -1};
    sp_text after = {NULL, 0};
    int more = 1;
    int32_t code = SIMPLUGIN_OK;

    while (!code && more) {
        milvus_page page = {0};
        milvus_rpc rpc;

        milvus_rpc_init(&rpc, "Query");
        code = milvus_walk_expr(call, filter, after, &query.expr);
        if (!code)
            code = milvus_query_fit(call, &query, &rpc, &page);
        if (!code && page.count && !page.ids)
            code = plug_fail(&call->base, SIMPLUGIN_PROTOCOL, "the server sent rows without keys");
        if (!code)
            code = each(context, &page);
        more = page.count && page.count >= query.limit;
        if (!code && more) {
            after.size = page.ids[page.count - 1].size;
            after.data = sp_arena_text(&call->base.scratch, page.ids[page.count - 1].data,
                                       after.size);
            if (!after.data)
                code = plug_no_memory(&call->base);
        }
        milvus_page_clear(&page);
        milvus_rpc_clear(&rpc);
    }
    return code;
}

/* ---- points.scan ------------------------------------------------------------------------ */

typedef struct scanning {
    int64_t max_bytes, max_rows;
    int vectors;
    plug_names names;
    sp_text after;      /* the key behind which the page begins; data NULL: none */
    uint64_t row_bytes; /* what a row holds, by the page before; 0: there is none */
} scanning;

static uint64_t rows_per_page(const milvus_call *call, const scanning *scan)
{
    int fields = scan->names.all || scan->names.count;
    uint64_t bytes =
        ROW_BYTES + (scan->vectors ? call->schema->vector->dimension * sizeof(float) : 0);
    uint64_t rows;

    if (scan->row_bytes > bytes)
        bytes = scan->row_bytes;
    rows = (uint64_t)scan->max_bytes / bytes;
    if (fields && !scan->row_bytes && rows > ROWS_AT_FIRST)
        rows = ROWS_AT_FIRST;
    if (scan->max_rows && rows > (uint64_t)scan->max_rows)
        rows = (uint64_t)scan->max_rows;
    if (rows > MILVUS_LIMIT_MAX)
        rows = MILVUS_LIMIT_MAX;
    return rows ? rows : 1;
}

static int32_t cursor_read(milvus_call *call, scanning *scan)
{
    simplugin_value value;
    uint64_t at = 0;

    if (!simplugin_find(&call->base.body, "cursor", &value))
        return SIMPLUGIN_OK;
    /* as text it comes through JSON */
    if ((value.type != SIMPLUGIN_BYTES && value.type != SIMPLUGIN_TEXT) ||
        value.size > CURSOR_DIGITS + 1 + KEY_BYTES_MAX)
        value.size = 0;
    for (; at < value.size && at < CURSOR_DIGITS && value.data[at] >= '0' && value.data[at] <= '9';
         at++)
        scan->row_bytes = scan->row_bytes * 10 + (uint64_t)(value.data[at] - '0');
    if (at && at < value.size && value.data[at] == ':') {
        scan->after.data = (const char *)value.data + at + 1;
        scan->after.size = (size_t)(value.size - at - 1);
    }
    if (!scan->after.data || !milvus_key_fits(call->schema, scan->after) ||
        !simplugin_utf8_check((const uint8_t *)scan->after.data, scan->after.size))
        return plug_fail_argument(&call->base, "cursor",
                                  "cursor is what the reply before returned");
    return SIMPLUGIN_OK;
}

static int32_t cursor_write(milvus_call *call, sp_text key, uint64_t row_bytes)
{
    sp_buffer cursor;
    int32_t code;

    sp_buffer_init(&cursor);
    sp_buffer_printf(&cursor, "%llu:", (unsigned long long)row_bytes);
    sp_buffer_append(&cursor, key.data, key.size);
    simplugin_write_string(&call->base.out, "cursor");
    simplugin_write_bytes(&call->base.out, cursor.data, cursor.size);
    code = cursor.failed ? plug_no_memory(&call->base) : SIMPLUGIN_OK;
    sp_buffer_clear(&cursor);
    return code;
}

int32_t milvus_page_write(milvus_call *call, const milvus_page *page, int vectors,
                          const plug_names *names, uint64_t row_bytes)
{
    uint64_t fields = (uint64_t)(names->all || names->count);
    milvus_row *rows = plug_scratch(&call->base, page->count + 1, sizeof *rows);
    int32_t code;

    if (!rows)
        return plug_no_memory(&call->base);
    for (uint64_t i = 0; i < page->count; i++)
        rows[i] = (milvus_row){page, i};
    simplugin_write_map(&call->base.out,
                        1 + (uint64_t)(vectors != 0) + fields + (uint64_t)(row_bytes != 0));
    code = plug_write_ids(&call->base, page->ids, page->count);
    if (!code && vectors)
        code = milvus_vectors_write(call, rows, page->count);
    if (!code && fields)
        code = milvus_fields_write(call, rows, page->count, names);
    if (!code && row_bytes)
        code = cursor_write(call, page->ids[page->count - 1], row_bytes);
    return code;
}

/* Leaves as many rows as fit, but one at least; returns what one of all that came holds. */
static uint64_t page_cut(milvus_page *page, const scanning *scan)
{
    uint64_t bytes = 0, count = 0, average;

    for (uint64_t i = 0; i < page->count; i++) {
        bytes += ROW_BYTES + milvus_page_row_bytes(page, i);
        count += !i || bytes <= (uint64_t)scan->max_bytes;
    }
    average = page->count ? bytes / page->count : ROW_BYTES;
    page->count = count;
    return average > UINT32_MAX ? UINT32_MAX : average;
}

static int32_t scanning_read(milvus_call *call, scanning *scan)
{
    int32_t code = cursor_read(call, scan);

    if (!code)
        code = plug_arg_int(&call->base, "max_bytes", 1, INT64_MAX, &scan->max_bytes);
    if (!code)
        code = plug_arg_int(&call->base, "max_rows", 1, INT64_MAX, &scan->max_rows);
    if (!code)
        code = plug_arg_bool(&call->base, "vectors", &scan->vectors);
    if (!code)
        code = plug_arg_names(&call->base, &scan->names);
    if (scan->max_bytes > BYTES_MAX)
        scan->max_bytes = BYTES_MAX;
    return code;
}

int32_t milvus_serve_points_scan(milvus_call *call)
{
    scanning scan = {.max_bytes = BYTES_DEFAULT, .vectors = 1};
    milvus_query query = {.level = -1};
    const char *filter = "";
    milvus_page page = {0};
    milvus_rpc rpc;
    int32_t code = scanning_read(call, &scan);

    milvus_rpc_init(&rpc, "Query");
    if (!code)
        code = scan.vectors ? milvus_vectors_portable(call) : SIMPLUGIN_OK;
    if (!code)
        code = milvus_expr_filter(call, &filter);
    if (!code)
        code = milvus_walk_expr(call, filter, scan.after, &query.expr);
    if (code)
        goto out;
    query.vectors = scan.vectors;
    query.fields = scan.names.all || scan.names.count;
    query.limit = rows_per_page(call, &scan);
    code = milvus_query_fit(call, &query, &rpc, &page);
    if (!code && page.count && !page.ids)
        code = plug_fail(&call->base, SIMPLUGIN_PROTOCOL, "the server sent rows without keys");
    if (!code) {
        uint64_t came = page.count, row_bytes = page_cut(&page, &scan);

        code = milvus_page_write(call, &page, scan.vectors, &scan.names,
                                 came && (came >= query.limit || page.count < came) ? row_bytes : 0);
    }
out:
    milvus_page_clear(&page);
    milvus_rpc_clear(&rpc);
    return code;
}
