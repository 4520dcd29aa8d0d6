/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "walk.h"

#include <string.h>

#include "ask.h"
#include "condition.h"
#include "ids.h"
#include "instance.h"
#include "json_write.h"

#define BYTES_DEFAULT (INT64_C(8) << 20)
#define BYTES_MAX (INT64_C(64) << 20)
#define ROWS_MAX 65536
#define ROWS_PER_WALK 16384
/* What a point costs beside what it holds. */
#define ROW_BYTES 64
/* A first page with fields, before it is known how much they hold. */
#define ROWS_AT_FIRST 256
/* A cursor is what a point holds by the page before, in digits, a colon and the server's key. */
#define CURSOR_DIGITS 10
#define CURSOR_KEY_MAX 64

static int32_t page_try(qdrant_call *call, const qdrant_walking *walking, qdrant_http *http)
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
    code = qdrant_prepare(call, "POST", qdrant_read_path(call, "/points/scroll", NULL), &body, 1,
                          http);
    return code ? code : qdrant_try(&call->instance->link, &call->base, http);
}

int32_t qdrant_walk_page(qdrant_call *call, qdrant_walking *walking, qdrant_page *page)
{
    int32_t code = page_try(call, walking, &page->http);

    while (!code && page->http.status.reply_too_large && walking->limit > 1) {
        walking->limit /= 2;
        qdrant_http_clear(&page->http);
        code = page_try(call, walking, &page->http);
    }
    if (!code && page->http.status.code)
        code = qdrant_http_fail(&call->instance->link, &call->base, &page->http);
    return code ? code : qdrant_page_read(call, QDRANT_SHAPE_SCROLL, 0, page);
}

int32_t qdrant_walk(qdrant_call *call, const char *condition,
                    int32_t (*each)(void *context, const qdrant_page *page), void *context)
{
    qdrant_walking walking = {.condition = condition, .limit = ROWS_PER_WALK};
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

typedef struct scanning {
    int64_t max_bytes, max_rows;
    plug_names names;
    uint64_t row_bytes; /* what a point holds, by the page before; 0: there is none */
    qdrant_walking walking;
} scanning;

static uint64_t rows_per_page(const qdrant_call *call, const scanning *scan)
{
    int fields = scan->names.all || scan->names.count;
    uint64_t bytes = ROW_BYTES + (scan->walking.vectors ? call->schema->dimension * sizeof(float) : 0);
    uint64_t rows;

    if (scan->row_bytes > bytes)
        bytes = scan->row_bytes;
    rows = (uint64_t)scan->max_bytes / bytes;
    if (fields && !scan->row_bytes && rows > ROWS_AT_FIRST)
        rows = ROWS_AT_FIRST;
    if (scan->max_rows && rows > (uint64_t)scan->max_rows)
        rows = (uint64_t)scan->max_rows;
    if (rows > ROWS_MAX)
        rows = ROWS_MAX;
    return rows ? rows : 1;
}

/* What a reply had as its cursor: a key in JSON, and nothing else may get into a request. */
static int32_t cursor_read(qdrant_call *call, scanning *scan)
{
    sp_text *key = &scan->walking.from;
    simplugin_value value;
    plug_json json;
    uint64_t at = 0;
    int is_key;

    if (!simplugin_find(&call->base.body, "cursor", &value))
        return SIMPLUGIN_OK;
    /* as text it comes through JSON */
    if ((value.type != SIMPLUGIN_BYTES && value.type != SIMPLUGIN_TEXT) ||
        value.size > CURSOR_DIGITS + 1 + CURSOR_KEY_MAX)
        value.size = 0;
    for (; at < value.size && at < CURSOR_DIGITS && value.data[at] >= '0' && value.data[at] <= '9';
         at++)
        scan->row_bytes = scan->row_bytes * 10 + (uint64_t)(value.data[at] - '0');
    if (!at || at >= value.size || value.data[at] != ':')
        return plug_fail_argument(&call->base, "cursor",
                                  "cursor is what the reply before returned");
    key->data = (const char *)value.data + at + 1;
    key->size = (size_t)(value.size - at - 1);
    plug_json_init(&json, key->data, key->size);
    is_key = plug_json_peek(&json) == PLUG_JSON_TEXT || plug_json_peek(&json) == PLUG_JSON_NUMBER;
    if (!plug_json_skip(&json) || !plug_json_end(&json) || !is_key)
        return plug_fail_argument(&call->base, "cursor",
                                  "cursor is what the reply before returned");
    return SIMPLUGIN_OK;
}

static int32_t cursor_write(qdrant_call *call, sp_text key, uint64_t row_bytes)
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

static int32_t page_write(qdrant_call *call, const qdrant_page *page, int vectors,
                          const plug_names *names, uint64_t row_bytes)
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
    if (!code && page->has_next)
        code = cursor_write(call, page->next, row_bytes);
    return code;
}

/* Leaves as many points as fit, but one at least, and the next page begins with the first that
   does not; *row_bytes: what one of all that came holds. */
static int32_t page_cut(qdrant_call *call, const scanning *scan, qdrant_page *page,
                        uint64_t *row_bytes)
{
    uint64_t bytes = 0, count = 0, fixed = ROW_BYTES;

    if (page->vectors)
        fixed += call->schema->dimension * sizeof(float);
    for (uint64_t i = 0; i < page->count; i++) {
        bytes += fixed + page->points[i].id.size + page->points[i].payload.size;
        count += !i || bytes <= (uint64_t)scan->max_bytes;
    }
    *row_bytes = page->count ? bytes / page->count : ROW_BYTES;
    if (*row_bytes > UINT32_MAX)
        *row_bytes = UINT32_MAX;
    if (count < page->count) {
        const qdrant_point *first = &page->points[count];
        qdrant_key key = {.size = (uint8_t)first->key.size, .is_number = first->is_number != 0};
        sp_buffer text;

        if (first->key.size > QDRANT_KEY_MAX)
            return plug_fail(&call->base, SIMPLUGIN_PROTOCOL, "the server sent an id that is none");
        sp_buffer_init(&text);
        memcpy(key.text, first->key.data, key.size);
        qdrant_key_put(&text, &key);
        page->next.size = text.size;
        page->next.data = text.failed ? NULL
                                      : sp_arena_text(&call->base.scratch, (const char *)text.data,
                                                      text.size);
        sp_buffer_clear(&text);
        if (!page->next.data)
            return plug_no_memory(&call->base);
        page->has_next = 1;
        page->count = count;
    }
    return SIMPLUGIN_OK;
}

int32_t qdrant_serve_points_scan(qdrant_call *call)
{
    scanning scan = {.max_bytes = BYTES_DEFAULT, .walking = {.condition = "", .vectors = 1}};
    qdrant_walking *walking = &scan.walking;
    qdrant_page page = {0};
    uint64_t row_bytes;
    int32_t code = cursor_read(call, &scan);

    if (!code)
        code = plug_arg_int(&call->base, "max_bytes", 1, INT64_MAX, &scan.max_bytes);
    if (!code)
        code = plug_arg_int(&call->base, "max_rows", 1, INT64_MAX, &scan.max_rows);
    if (!code)
        code = plug_arg_bool(&call->base, "vectors", &walking->vectors);
    if (!code)
        code = plug_arg_names(&call->base, &scan.names);
    if (!code)
        code = qdrant_condition_read(call, &walking->condition);
    if (code)
        return code;
    if (scan.max_bytes > BYTES_MAX)
        scan.max_bytes = BYTES_MAX;
    walking->names = &scan.names;
    walking->limit = rows_per_page(call, &scan);
    code = qdrant_walk_page(call, walking, &page);
    if (!code)
        code = page_cut(call, &scan, &page, &row_bytes);
    if (!code)
        code = page_write(call, &page, walking->vectors, &scan.names, row_bytes);
    qdrant_page_clear(&page);
    return code;
}
