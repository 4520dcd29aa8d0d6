/* SPDX-License-Identifier: Apache-2.0 */
#include "staging.h"

#include <stdio.h>

/* Bytes that are put together before they are sent. */
#define CHUNK (256 << 10)

/*
 * The table lasts as long as the session, and is made anew when it has to look different: a
 * program that adds batch after batch of the same fields makes it once.
 */
static int32_t table_make(pgv_call *call, const pgv_collection *collection,
                          const pgv_staged *staged)
{
    pgv_connection *connection = call->connection;
    pgv_sql sql = {0};
    char *shape;
    char number[32];
    int32_t code;

    pgv_words(&sql,
              "CREATE TEMPORARY TABLE simplugin_rows (n bigint, id text COLLATE \"C\" PRIMARY KEY");
    if (staged->vectors && collection->vector_type) {
        pgv_words(&sql, ", v ");
        pgv_name(&sql, connection->vector_schema);
        pgv_words(&sql, ".vector");
    } else if (staged->vectors) {
        pgv_words(&sql, ", v real[]");
    }
    for (uint64_t i = 0; i < staged->column_count; i++) {
        snprintf(number, sizeof number, ", f%llu ", (unsigned long long)i);
        pgv_words(&sql, number);
        pgv_words(&sql, pgv_type_sql(staged->columns[i].values.type));
    }
    pgv_words(&sql, ") ON COMMIT DELETE ROWS");
    shape = sql.words.failed ? NULL : pgv_take_text(call, sql.words.data, sql.words.size);
    if (!shape) {
        pgv_sql_clear(&sql);
        return pgv_no_memory(call);
    }
    if (connection->staged && strcmp(connection->staged, shape) == 0) {
        pgv_sql_clear(&sql);
        return SIMPLUGIN_OK;
    }
    free(connection->staged);
    connection->staged = NULL;
    code = pgv_command(call, "DROP TABLE IF EXISTS " PGV_STAGED);
    if (code) {
        pgv_sql_clear(&sql);
        return code;
    }
    code = pgv_run(call, &sql, NULL);
    if (!code)
        connection->staged = strdup(shape);
    return code;
}

/* Room for a length, which patch fills in with what came behind it. */
static size_t length_begin(pgv_buffer *out)
{
    pgv_append_int32(out, 0);
    return out->size;
}

static void length_end(pgv_buffer *out, size_t begin)
{
    pgv_buffer length = {0};

    pgv_append_int32(&length, (int64_t)(out->size - begin));
    if (!out->failed && !length.failed)
        memcpy(out->data + begin - length.size, length.data, length.size);
    else
        out->failed = 1;
    pgv_buffer_clear(&length);
}

static void row_append(pgv_buffer *out, const pgv_collection *collection, const pgv_staged *staged,
                       uint64_t row)
{
    uint64_t size;
    const char *id = simplugin_column_text(staged->ids, row, &size);
    size_t begin;

    pgv_append_int16(out, (int32_t)(2 + (staged->vectors != NULL) + (int32_t)staged->column_count));
    pgv_append_int32(out, 8);
    pgv_append_int64(out, (int64_t)row);
    pgv_append_int32(out, (int64_t)size);
    pgv_append(out, id, (size_t)size);
    if (staged->vectors) {
        begin = length_begin(out);
        pgv_encode_vector(out, staged->vectors->data + row * staged->vectors->stride,
                          collection->dimension, collection->vector_type);
        length_end(out, begin);
    }
    for (uint64_t i = 0; i < staged->column_count; i++) {
        const simplugin_column *values = &staged->columns[i].values;

        if (!simplugin_column_is_valid(values, row)) {
            pgv_append_int32(out, -1);
            continue;
        }
        begin = length_begin(out);
        pgv_encode_value(out, values, row);
        length_end(out, begin);
    }
}

static int32_t rows_send(pgv_call *call, const pgv_collection *collection, const pgv_staged *staged)
{
    static const char head[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0"; /* and no flags, no extension */
    pgv_buffer out = {0};
    int32_t code = SIMPLUGIN_OK;

    pgv_append(&out, head, sizeof head);
    for (uint64_t i = 0; !code && i < staged->rows->count; i++) {
        row_append(&out, collection, staged, pgv_selected(staged->rows, i));
        if (out.size >= CHUNK || out.failed)
            code = pgv_copy_put(call, &out);
    }
    pgv_append_int16(&out, -1);
    if (!code)
        code = pgv_copy_put(call, &out);
    pgv_buffer_clear(&out);
    return code;
}

int32_t pgv_stage(pgv_call *call, const pgv_collection *collection, const pgv_staged *staged)
{
    int32_t code = table_make(call, collection, staged);

    if (!code)
        code = pgv_copy_begin(call, "COPY " PGV_STAGED " FROM STDIN (FORMAT binary)");
    if (!code)
        code = rows_send(call, collection, staged);
    if (!code)
        code = pgv_copy_end(call);
    /* the only thing in it that can be there already is an id */
    return code == SIMPLUGIN_ALREADY_EXISTS
               ? pgv_fail_argument(call, "ids", "ids: one of them comes twice")
               : code;
}
