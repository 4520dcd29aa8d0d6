/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rows.h"

#include <math.h>
#include <string.h>

#include "idmap.h"
#include "ids.h"
#include "instance.h"
#include "json_write.h"
#include "member.h"

#define ROWS_PER_CHECK 256
#define NORM_SLACK 1e-7 /* a norm that floats cannot tell from 1 */

/* ---- checks ------------------------------------------------------------------------------ */

static int32_t names_check(qdrant_call *call, const plug_columns *fields)
{
    static const char *const reserved[] = {QDRANT_ID, QDRANT_NORM, QDRANT_EMPTY};

    for (uint64_t i = 0; i < fields->count; i++)
        for (size_t j = 0; j < sizeof reserved / sizeof reserved[0]; j++)
            if (strcmp(fields->names[i], reserved[j]) == 0)
                return plug_fail_argument(&call->base, "fields",
                                          "fields: \"%s\" is what the backend itself keeps there: "
                                          "take another name",
                                          reserved[j]);
    return SIMPLUGIN_OK;
}

/* Rows that exist, each id once: of two in one request the last would win. */
static int32_t ids_check(qdrant_call *call, const qdrant_rows *rows)
{
    sp_idmap seen;

    if (!sp_idmap_init(&seen, rows->ids, &call->base.scratch))
        return plug_no_memory(&call->base);
    for (uint64_t i = 0; i < rows->count; i++) {
        uint64_t row = rows->select ? (uint64_t)rows->select[i] : i;
        qdrant_key key;
        sp_text id;

        if (row >= rows->ids->count)
            return plug_fail_argument(&call->base, "rows", "rows: there is no row %llu",
                                      (unsigned long long)row);
        id = sp_column_text(rows->ids, row);
        if (!call->schema->is_mapped && !qdrant_key_of(0, id, &key))
            return qdrant_id_refuse(&call->base, id);
        if (sp_idmap_add(&seen, row) != SP_IDMAP_NONE)
            return plug_fail_argument(&call->base, "ids", "ids: \"%.*s\" comes twice", (int)id.size,
                                      id.data);
    }
    return SIMPLUGIN_OK;
}

int32_t qdrant_rows_check(qdrant_call *call, const qdrant_rows *rows)
{
    plug_known_of known = qdrant_known(call);
    int32_t code = names_check(call, rows->fields);

    if (!code)
        code = ids_check(call, rows);
    return code ? code : plug_known_check(&known, rows->fields, rows->select, rows->count);
}

/* ---- payloads ------------------------------------------------------------------------------ */

int qdrant_cell_is_empty(const sp_column *column, uint64_t row)
{
    return (column->type & SP_LIST) && sp_column_is_valid(column, row) &&
           column->list_offsets[row] == column->list_offsets[row + 1];
}

void qdrant_cells_put(sp_buffer *out, int *is_first, const plug_columns *fields,
                      const char *const *members, uint64_t row)
{
    for (uint64_t i = 0; i < fields->count; i++)
        if (sp_column_is_valid(&fields->columns[i], row))
            plug_json_cell(out, is_first, members[i], &fields->columns[i], row);
}

int32_t qdrant_members_make(qdrant_call *call, const plug_columns *fields, const char ***members)
{
    *members = plug_scratch(&call->base, fields->count + 1, sizeof **members);
    for (uint64_t i = 0; *members && i < fields->count; i++) {
        (*members)[i] = qdrant_member_of(fields->names[i], &call->base.scratch);
        if (!(*members)[i])
            return plug_no_memory(&call->base);
    }
    return *members ? SIMPLUGIN_OK : plug_no_memory(&call->base);
}

/* The names of the row's empty lists. */
static void empty_put(sp_buffer *out, int *is_first, const plug_columns *fields, uint64_t row)
{
    int is_first_name = 1;

    for (uint64_t i = 0; i < fields->count; i++) {
        if (!qdrant_cell_is_empty(&fields->columns[i], row))
            continue;
        if (is_first_name) {
            plug_json_key(out, is_first, QDRANT_EMPTY);
            sp_buffer_append(out, "[", 1);
        }
        plug_json_comma(out, &is_first_name);
        plug_json_string(out, fields->names[i]);
    }
    if (!is_first_name)
        sp_buffer_append(out, "]", 1);
}

static void payload_put(sp_buffer *out, const qdrant_rows *rows, uint64_t row,
                        const qdrant_key *key, double norm)
{
    size_t begin = out->size;
    int is_first = 1;

    sp_buffer_append_text(out, ",\"payload\":{");
    if (key->is_made) {
        sp_text id = sp_column_text(rows->ids, row);

        plug_json_key(out, &is_first, QDRANT_ID);
        plug_json_text(out, id.data, id.size);
    }
    if (norm != 1) {
        plug_json_key(out, &is_first, QDRANT_NORM);
        plug_json_double(out, norm);
    }
    qdrant_cells_put(out, &is_first, rows->fields, rows->members, row);
    empty_put(out, &is_first, rows->fields, row);
    if (is_first && !out->failed)
        out->size = begin; /* nothing to say */
    else
        sp_buffer_append(out, "}", 1);
}

/* ---- points ----------------------------------------------------------------------------------- */

/* The vector with the norm 1; returns the norm that it had. One of zeros stays. */
static double unit_make(const float *vector, uint64_t dimension, float *unit)
{
    double sum = 0, norm;

    for (uint64_t i = 0; i < dimension; i++)
        sum += (double)vector[i] * vector[i];
    norm = sqrt(sum);
    if (norm == 0 || fabs(norm - 1) < NORM_SLACK) {
        memcpy(unit, vector, (size_t)dimension * sizeof *unit);
        return 1;
    }
    for (uint64_t i = 0; i < dimension; i++)
        unit[i] = (float)(vector[i] / norm);
    return norm;
}

static void point_put(const qdrant_call *call, sp_buffer *out, const qdrant_rows *rows, uint64_t row,
                      float *unit)
{
    const qdrant_schema *schema = call->schema;
    const float *vector = rows->vectors->data + row * rows->vectors->stride;
    double norm = 1;
    qdrant_key key;

    qdrant_key_of(schema->is_mapped, sp_column_text(rows->ids, row), &key);
    sp_buffer_append_text(out, "{\"id\":");
    qdrant_key_put(out, &key);
    sp_buffer_append_text(out, ",\"vector\":");
    if (qdrant_is_normalised(schema)) {
        norm = unit_make(vector, schema->dimension, unit);
        vector = unit;
    }
    if (*schema->vector) {
        sp_buffer_append(out, "{", 1);
        plug_json_string(out, schema->vector);
        sp_buffer_append(out, ":", 1);
    }
    plug_json_floats(out, vector, schema->dimension);
    if (*schema->vector)
        sp_buffer_append(out, "}", 1);
    payload_put(out, rows, row, &key, norm);
    sp_buffer_append(out, "}", 1);
}

int32_t qdrant_rows_encode(qdrant_call *call, const qdrant_rows *rows, uint64_t first,
                           uint64_t max_rows, uint64_t max_bytes, sp_buffer *body, uint64_t *count)
{
    float *unit = plug_scratch(&call->base, call->schema->dimension, sizeof *unit);
    size_t largest = 0;

    *count = 0;
    if (!unit)
        return plug_no_memory(&call->base);
    sp_buffer_append_text(body, "{\"points\":[");
    while (*count < max_rows && first + *count < rows->count && !body->failed) {
        uint64_t at = first + *count;
        size_t begin = body->size;
        int32_t code = *count % ROWS_PER_CHECK ? SIMPLUGIN_OK : plug_check(&call->base);

        if (code)
            return code;
        /* the next one may be as large as the largest so far */
        if (*count && begin + largest > max_bytes)
            break;
        if (*count)
            sp_buffer_append(body, ",", 1);
        point_put(call, body, rows, rows->select ? (uint64_t)rows->select[at] : at, unit);
        if (body->size - begin > largest)
            largest = body->size - begin;
        ++*count;
    }
    sp_buffer_append_text(body, "]}");
    return body->failed ? plug_no_memory(&call->base) : SIMPLUGIN_OK;
}
