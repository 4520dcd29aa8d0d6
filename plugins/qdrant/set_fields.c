/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The method points.set_fields: for each point one operation that sets what has a value and
 * one that takes away what has none, many of them in a request.
 */
#include "config.h"

#include <string.h>

#include "ask.h"
#include "condition.h"
#include "idmap.h"
#include "ids.h"
#include "instance.h"
#include "json_write.h"
#include "lookup.h"
#include "rows.h"

#define BATCH_ROWS 4096

typedef struct setting {
    qdrant_call *call;
    const sp_column *ids;
    const plug_columns *fields;
    const char **members; /* of payloads, one for each field */
    int has_lists; /* so that it is to be noted which of them are empty */
} setting;

/* ---- empty lists --------------------------------------------------------------------------- */

static int is_given(const setting *s, sp_text name)
{
    for (uint64_t i = 0; i < s->fields->count; i++)
        if (plug_text_is(name, s->fields->names[i]))
            return 1;
    return 0;
}

/* Empty lists that the point had, but for those in fields that are given. */
static void old_empty_put(const setting *s, sp_buffer *out, int *is_first, sp_text payload)
{
    sp_arena **arena = &s->call->base.scratch;
    plug_json json;
    sp_text key, name;

    plug_json_init(&json, payload.data, payload.size);
    plug_json_object_begin(&json);
    while (plug_json_next_key(&json, arena, &key)) {
        if (!plug_text_is(key, QDRANT_EMPTY) || plug_json_peek(&json) != PLUG_JSON_ARRAY) {
            plug_json_skip(&json);
            continue;
        }
        plug_json_array_begin(&json);
        while (plug_json_next_item(&json)) {
            if (!plug_json_read_text(&json, arena, &name) || is_given(s, name))
                continue;
            plug_json_comma(out, is_first);
            plug_json_text(out, name.data, name.size);
        }
    }
    out->failed |= json.no_memory;
}

/* Which of the point's lists are empty from now on. */
static void empty_put(const setting *s, sp_buffer *out, int *is_first, sp_text payload, uint64_t row)
{
    int is_first_name = 1;

    plug_json_key(out, is_first, QDRANT_EMPTY);
    sp_buffer_append(out, "[", 1);
    if (payload.size > 2)
        old_empty_put(s, out, &is_first_name, payload);
    for (uint64_t i = 0; i < s->fields->count; i++)
        if (qdrant_cell_is_empty(&s->fields->columns[i], row)) {
            plug_json_comma(out, &is_first_name);
            plug_json_string(out, s->fields->names[i]);
        }
    sp_buffer_append(out, "]", 1);
}

/* ---- operations ------------------------------------------------------------------------------ */

static void points_put(sp_buffer *out, const qdrant_key *key)
{
    sp_buffer_append_text(out, ",\"points\":[");
    qdrant_key_put(out, key);
    sp_buffer_append_text(out, "]}}");
}

static void row_put(const setting *s, sp_buffer *out, int *is_first, uint64_t row, sp_text payload)
{
    int is_first_cell = 1, is_first_name = 1;
    qdrant_key key;

    qdrant_key_of(s->call->schema->is_mapped, sp_column_text(s->ids, row), &key);
    plug_json_comma(out, is_first);
    sp_buffer_append_text(out, "{\"set_payload\":{\"payload\":{");
    qdrant_cells_put(out, &is_first_cell, s->fields, s->members, row);
    if (s->has_lists)
        empty_put(s, out, &is_first_cell, payload, row);
    sp_buffer_append(out, "}", 1);
    points_put(out, &key);
    for (uint64_t i = 0; i < s->fields->count; i++) {
        sp_text name = {s->fields->names[i], strlen(s->fields->names[i])};

        if (sp_column_is_valid(&s->fields->columns[i], row))
            continue;
        if (is_first_name)
            sp_buffer_append_text(out, ",{\"delete_payload\":{\"keys\":[");
        plug_json_comma(out, &is_first_name);
        qdrant_path_put(out, name, "");
    }
    if (!is_first_name) {
        sp_buffer_append(out, "]", 1);
        points_put(out, &key);
    }
}

/* Sends the operations of these rows; *too_large: none was done, and fewer are to be sent. */
static int32_t operations_send(qdrant_call *call, sp_buffer *body, int *too_large)
{
    qdrant_http http;
    int32_t code;

    sp_buffer_append_text(body, "]}");
    code = qdrant_prepare(call, "POST", qdrant_write_path(call, "/points/batch"), body, 1, &http);
    if (!code)
        code = qdrant_try(&call->instance->link, &call->base, &http);
    *too_large = !code && http.status.too_large;
    if (!code && http.status.code && !*too_large)
        code = qdrant_http_fail(&call->instance->link, &call->base, &http);
    qdrant_written(call);
    qdrant_http_clear(&http);
    return code;
}

static int32_t too_large_fail(const setting *s, uint64_t row)
{
    sp_text id = sp_column_text(s->ids, row);

    return plug_fail(&s->call->base, SIMPLUGIN_RESOURCE_EXHAUSTED,
                     "the fields of \"%.*s\" alone are more than the server takes in a request",
                     (int)id.size, id.data);
}

static int32_t rows_set(const setting *s, const qdrant_lookup *lookup)
{
    uint64_t max_bytes = (uint64_t)s->call->instance->settings.batch_bytes;
    uint64_t max_rows = BATCH_ROWS, next = 0;
    int32_t code = SIMPLUGIN_OK;

    while (!code && next < lookup->count) {
        uint64_t count = 0;
        int is_first = 1, too_large;
        sp_buffer body;

        sp_buffer_init(&body);
        sp_buffer_append_text(&body, "{\"operations\":[");
        for (; next + count < lookup->count && count < max_rows && body.size < max_bytes; count++) {
            const qdrant_row *row = &lookup->rows[next + count];

            row_put(s, &body, &is_first, (uint64_t)lookup->positions[next + count],
                    row->page->points[row->row].payload);
        }
        code = operations_send(s->call, &body, &too_large);
        sp_buffer_clear(&body);
        if (!code && too_large && count == 1)
            code = too_large_fail(s, (uint64_t)lookup->positions[next]);
        if (too_large)
            max_rows = count / 2;
        else
            next += count;
    }
    return code;
}

/* ---- the call --------------------------------------------------------------------------------- */

int32_t qdrant_serve_points_set_fields(qdrant_call *call)
{
    static const char *empty_name[] = {QDRANT_EMPTY};
    static const plug_names empty = {.count = 1, .names = empty_name};
    static const plug_names none = {0};
    plug_matrix vectors = {0};
    plug_columns fields;
    sp_column ids;
    qdrant_rows rows = {.ids = &ids, .vectors = &vectors, .fields = &fields};
    setting s = {.call = call, .ids = &ids, .fields = &fields};
    plug_known_of known = qdrant_known(call);
    qdrant_lookup lookup = {.names = &none};
    int present;
    int32_t code = plug_arg_ids(&call->base, &ids, &present);

    if (!code && !present)
        code = plug_fail_argument(&call->base, "ids", "ids are needed");
    if (!code)
        code = plug_arg_columns(&call->base, ids.count, &fields);
    if (!code && !fields.count)
        code = plug_fail_argument(&call->base, "fields", "fields are needed");
    if (code)
        return code;
    rows.count = ids.count;
    for (uint64_t i = 0; i < fields.count; i++)
        s.has_lists |= (fields.columns[i].type & SP_LIST) != 0;
    if (s.has_lists)
        lookup.names = &empty;
    code = qdrant_rows_check(call, &rows);
    if (!code)
        code = qdrant_members_make(call, &fields, &s.members);
    if (!code)
        code = qdrant_lookup_run(call, &ids, &lookup);
    if (!code)
        code = rows_set(&s, &lookup);
    if (!code) {
        plug_known_add(&known, &fields, NULL, ids.count);
        simplugin_write_map(&call->base.out, 2);
        simplugin_write_string(&call->base.out, "updated");
        simplugin_write_uint(&call->base.out, lookup.count);
        plug_write_array(&call->base, "positions", SIMPLUGIN_INT64, lookup.positions, lookup.count);
    }
    qdrant_lookup_clear(&lookup);
    return code;
}
