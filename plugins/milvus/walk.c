/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "walk.h"

#include "expr.h"
#include "lookup.h"

#define BYTES_DEFAULT (INT64_C(8) << 20)
#define BYTES_MAX (INT64_C(256) << 20)
/* What a row is taken for beside its vector. */
#define ROW_BYTES 64
#define FIELDS_BYTES 448

int32_t milvus_walk_expr(milvus_call *call, const char *filter, sp_text after, const char **expr)
{
    sp_buffer out;
    const char *behind = "";
    int32_t code = SIMPLUGIN_OK;

    sp_buffer_init(&out);
    if (after.size) {
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
            code = milvus_query_run(call, &query, &rpc, &page);
        if (!code && page.count && !page.ids)
            code = plug_fail(&call->base, SIMPLUGIN_PROTOCOL, "the server sent rows without keys");
        if (!code)
            code = each(context, &page);
        more = page.count >= MILVUS_LIMIT_MAX;
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

static uint64_t rows_per_page(const milvus_call *call, int64_t max_bytes, int64_t max_rows,
                              int vectors, int fields)
{
    uint64_t bytes = (uint64_t)(ROW_BYTES + (fields ? FIELDS_BYTES : 0)) +
                     (vectors ? call->schema->vector->dimension * sizeof(float) : 0);
    uint64_t rows = (uint64_t)max_bytes / bytes;

    if (max_rows && rows > (uint64_t)max_rows)
        rows = (uint64_t)max_rows;
    if (rows > MILVUS_LIMIT_MAX)
        rows = MILVUS_LIMIT_MAX;
    return rows ? rows : 1;
}

static int32_t cursor_read(milvus_call *call, sp_text *cursor)
{
    simplugin_value value;

    cursor->data = NULL;
    cursor->size = 0;
    if (!simplugin_find(&call->base.body, "cursor", &value))
        return SIMPLUGIN_OK;
    if (value.type != SIMPLUGIN_BYTES || !value.size || value.size > 65535 ||
        !simplugin_utf8_check(value.data, value.size))
        return plug_fail_argument(&call->base, "cursor",
                                  "cursor is what the reply before returned");
    cursor->data = (const char *)value.data;
    cursor->size = (size_t)value.size;
    if (!milvus_key_fits(call->schema, *cursor))
        return plug_fail_argument(&call->base, "cursor",
                                  "cursor is what the reply before returned");
    return SIMPLUGIN_OK;
}

int32_t milvus_page_write(milvus_call *call, const milvus_page *page, int vectors,
                          const plug_names *names, int has_more)
{
    uint64_t fields = (uint64_t)(names->all || names->count);
    milvus_row *rows = plug_scratch(&call->base, page->count + 1, sizeof *rows);
    int32_t code;

    if (!rows)
        return plug_no_memory(&call->base);
    for (uint64_t i = 0; i < page->count; i++)
        rows[i] = (milvus_row){page, i};
    simplugin_write_map(&call->base.out, 1 + (uint64_t)(vectors != 0) + fields + (uint64_t)has_more);
    code = plug_write_ids(&call->base, page->ids, page->count);
    if (!code && vectors)
        code = milvus_vectors_write(call, rows, page->count);
    if (!code && fields)
        code = milvus_fields_write(call, rows, page->count, names);
    if (has_more) {
        const sp_text *last = &page->ids[page->count - 1];

        simplugin_write_string(&call->base.out, "cursor");
        simplugin_write_bytes(&call->base.out, last->data, last->size);
    }
    return code;
}

int32_t milvus_serve_points_scan(milvus_call *call)
{
    milvus_query query = {.level = -1};
    int64_t max_bytes = BYTES_DEFAULT, max_rows = 0;
    const char *filter = "";
    milvus_page page = {0};
    plug_names names;
    milvus_rpc rpc;
    sp_text cursor;
    int vectors = 1;
    int32_t code = cursor_read(call, &cursor);

    milvus_rpc_init(&rpc, "Query");
    if (!code)
        code = plug_arg_int(&call->base, "max_bytes", 1, INT64_MAX, &max_bytes);
    if (!code)
        code = plug_arg_int(&call->base, "max_rows", 1, INT64_MAX, &max_rows);
    if (!code)
        code = plug_arg_bool(&call->base, "vectors", &vectors);
    if (!code && vectors)
        code = milvus_vectors_portable(call);
    if (!code)
        code = plug_arg_names(&call->base, &names);
    if (!code)
        code = milvus_expr_filter(call, &filter);
    if (!code)
        code = milvus_walk_expr(call, filter, cursor, &query.expr);
    if (code)
        goto out;
    query.vectors = vectors;
    query.fields = names.all || names.count;
    query.limit = rows_per_page(call, max_bytes < BYTES_MAX ? max_bytes : BYTES_MAX, max_rows,
                                vectors, query.fields);
    code = milvus_query_run(call, &query, &rpc, &page);
    if (!code && page.count && !page.ids)
        code = plug_fail(&call->base, SIMPLUGIN_PROTOCOL, "the server sent rows without keys");
    if (!code)
        code = milvus_page_write(call, &page, vectors, &names, page.count >= query.limit);
out:
    milvus_page_clear(&page);
    milvus_rpc_clear(&rpc);
    return code;
}
