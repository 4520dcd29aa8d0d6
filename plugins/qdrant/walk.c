/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "walk.h"

#include "ask.h"
#include "condition.h"
#include "instance.h"
#include "json_write.h"

#define BYTES_DEFAULT (INT64_C(8) << 20)
#define BYTES_MAX (INT64_C(64) << 20)
#define ROWS_MAX 65536
#define ROWS_PER_WALK 16384
/* What a point is taken for beside its vector: in memory of ours. */
#define ROW_BYTES 64
#define FIELDS_BYTES 448
/* Of a point without vector and fields in a reply, at most; and how much larger replies are than
   what becomes of them. */
#define JSON_BYTES 256
#define JSON_PART 4

/* How many bytes a reply may have, or a part of them. */
static int64_t receivable(const qdrant_call *call, int64_t part, int64_t most)
{
    int64_t bytes = call->instance->settings.max_receive_bytes / part;

    return bytes < most ? bytes : most;
}

int32_t qdrant_walk_page(qdrant_call *call, const qdrant_walking *walking, qdrant_page *page)
{
    static const plug_names none = {0};
    sp_buffer body;
    int32_t code;

    sp_buffer_init(&body);
    sp_buffer_append(&body, "{", 1);
    qdrant_filter_put(call, &body, walking->condition, NULL);
    if (walking->from.size) {
        sp_buffer_append_text(&body, "\"offset\":");
        sp_buffer_append(&body, walking->from.data, walking->from.size);
        sp_buffer_append(&body, ",", 1);
    }
    qdrant_payload_put(call, &body, walking->names ? walking->names : &none, walking->vectors);
    sp_buffer_printf(&body, ",\"with_vector\":%s,\"limit\":", walking->vectors ? "true" : "false");
    plug_json_uint64(&body, walking->limit);
    sp_buffer_append(&body, "}", 1);
    code = qdrant_send(call, "POST", qdrant_read_path(call, "/points/scroll", NULL), &body, 1,
                       &page->http);
    return code ? code : qdrant_page_read(call, QDRANT_SHAPE_SCROLL, 0, page);
}

int32_t qdrant_walk(qdrant_call *call, const char *condition,
                    int32_t (*each)(void *context, const qdrant_page *page), void *context)
{
    qdrant_walking walking = {.condition = condition,
                              .limit = (uint64_t)receivable(call, JSON_BYTES, ROWS_PER_WALK)};
    int32_t code = SIMPLUGIN_OK;
    int more = 1;

    while (!code && more) {
        qdrant_page page = {0};

        code = qdrant_walk_page(call, &walking, &page);
        if (!code)
            code = each(context, &page);
        more = page.has_next;
        if (!code && more) {
            walking.from.size = page.next.size;
            walking.from.data = sp_arena_text(&call->base.scratch, page.next.data, page.next.size);
            if (!walking.from.data)
                code = plug_no_memory(&call->base);
        }
        qdrant_page_clear(&page);
    }
    return code;
}

int32_t qdrant_count(qdrant_call *call, const char *condition, qdrant_id_set *ids, uint64_t *count)
{
    qdrant_http http;
    sp_buffer body;
    plug_json json;
    int found = 0;
    sp_text name;
    int32_t code;

    *count = 0;
    sp_buffer_init(&body);
    sp_buffer_append(&body, "{", 1);
    qdrant_filter_put(call, &body, condition, ids);
    sp_buffer_append_text(&body, "\"exact\":true}");
    code = qdrant_send(call, "POST", qdrant_read_path(call, "/points/count", NULL), &body, 1, &http);
    if (!code) {
        plug_json_init(&json, http.reply ? http.reply : "", http.reply_size);
        plug_json_object_begin(&json);
        while (plug_json_next_key(&json, &call->base.scratch, &name)) {
            if (!plug_text_is(name, "result")) {
                plug_json_skip(&json);
                continue;
            }
            plug_json_object_begin(&json);
            while (plug_json_next_key(&json, &call->base.scratch, &name)) {
                if (plug_text_is(name, "count"))
                    found = plug_json_read_uint64(&json, count);
                else
                    plug_json_skip(&json);
            }
        }
        if (!plug_json_end(&json) || !found)
            code = qdrant_reply_fail(call, &json);
    }
    qdrant_http_clear(&http);
    return code;
}

/* ---- points.scan ------------------------------------------------------------------------ */

static uint64_t rows_per_page(const qdrant_call *call, int64_t max_bytes, int64_t max_rows,
                              int vectors, int fields)
{
    uint64_t bytes = (uint64_t)(ROW_BYTES + (fields ? FIELDS_BYTES : 0)) +
                     (vectors ? call->schema->dimension * sizeof(float) : 0);
    uint64_t rows = (uint64_t)max_bytes / bytes;

    if (max_rows && rows > (uint64_t)max_rows)
        rows = (uint64_t)max_rows;
    if (rows > ROWS_MAX)
        rows = ROWS_MAX;
    return rows ? rows : 1;
}

/* What a reply had as its cursor: a key in JSON, and nothing else may get into a request. */
static int32_t cursor_read(qdrant_call *call, sp_text *cursor)
{
    simplugin_value value;
    plug_json json;
    int is_key;

    cursor->data = NULL;
    cursor->size = 0;
    if (!simplugin_find(&call->base.body, "cursor", &value))
        return SIMPLUGIN_OK;
    if (value.type != SIMPLUGIN_BYTES || !value.size || value.size > 64)
        return plug_fail_argument(&call->base, "cursor",
                                  "cursor is what the reply before returned");
    cursor->data = (const char *)value.data;
    cursor->size = (size_t)value.size;
    plug_json_init(&json, cursor->data, cursor->size);
    is_key = plug_json_peek(&json) == PLUG_JSON_TEXT || plug_json_peek(&json) == PLUG_JSON_NUMBER;
    if (!plug_json_skip(&json) || !plug_json_end(&json) || !is_key)
        return plug_fail_argument(&call->base, "cursor",
                                  "cursor is what the reply before returned");
    return SIMPLUGIN_OK;
}

static int32_t page_write(qdrant_call *call, const qdrant_page *page, int vectors,
                          const plug_names *names)
{
    uint64_t fields = (uint64_t)(names->all || names->count);
    qdrant_row *rows = plug_scratch(&call->base, page->count + 1, sizeof *rows);
    sp_text *ids = plug_scratch(&call->base, page->count + 1, sizeof *ids);
    int32_t code;

    if (!rows || !ids)
        return plug_no_memory(&call->base);
    for (uint64_t i = 0; i < page->count; i++) {
        rows[i] = (qdrant_row){page, i};
        ids[i] = page->points[i].id;
    }
    simplugin_write_map(&call->base.out, 1 + (uint64_t)(vectors != 0) + fields +
                                             (uint64_t)(page->has_next != 0));
    code = plug_write_ids(&call->base, ids, page->count);
    if (!code && vectors)
        code = qdrant_vectors_write(call, rows, page->count);
    if (!code && fields)
        code = qdrant_fields_write(call, rows, page->count, names);
    if (page->has_next) {
        simplugin_write_string(&call->base.out, "cursor");
        simplugin_write_bytes(&call->base.out, page->next.data, page->next.size);
    }
    return code;
}

int32_t qdrant_serve_points_scan(qdrant_call *call)
{
    int64_t max_bytes = BYTES_DEFAULT, max_rows = 0, most;
    qdrant_walking walking = {.condition = "", .vectors = 1};
    qdrant_page page = {0};
    plug_names names;
    int32_t code = cursor_read(call, &walking.from);

    if (!code)
        code = plug_arg_int(&call->base, "max_bytes", 1, INT64_MAX, &max_bytes);
    if (!code)
        code = plug_arg_int(&call->base, "max_rows", 1, INT64_MAX, &max_rows);
    if (!code)
        code = plug_arg_bool(&call->base, "vectors", &walking.vectors);
    if (!code)
        code = plug_arg_names(&call->base, &names);
    if (!code)
        code = qdrant_condition_read(call, &walking.condition);
    if (code)
        return code;
    walking.names = &names;
    most = receivable(call, JSON_PART, BYTES_MAX);
    walking.limit = rows_per_page(call, max_bytes < most ? max_bytes : most, max_rows,
                                  walking.vectors, names.all || names.count);
    code = qdrant_walk_page(call, &walking, &page);
    if (!code)
        code = page_write(call, &page, walking.vectors, &names);
    qdrant_page_clear(&page);
    return code;
}
