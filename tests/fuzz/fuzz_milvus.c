/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a Milvus server may send, as any bytes: the first chooses the schema and as what
 * they are read. Whatever the decoders let through is then read to the end and written
 * as a reply, which must be one.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "hits.h"
#include "host.h"
#include "instance.h"
#include "lookup.h"
#include "page.h"
#include "simplugin.h"
#include "status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define QUERIES 3
#define ROWS_MAX 64

static volatile uint64_t seen;

static void require(int holds)
{
    if (!holds)
        abort();
}

static void look(const void *data, size_t size)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < size; i++)
        seen += bytes[i];
}

/* ---- a call without a server -------------------------------------------------------------- */

static const milvus_field text_fields[] = {
    {"pk", MILVUS_VARCHAR, 0, 0, 0, 0},         {"vector", MILVUS_FLOAT_VECTOR, 0, 0, 2, 0},
    {"n", MILVUS_INT64, 0, 1, 0, 0},            {"b", MILVUS_BOOL, 0, 0, 0, 0},
    {"d", MILVUS_DOUBLE, 0, 0, 0, 0},           {"l", MILVUS_ARRAY, MILVUS_VARCHAR, 0, 0, 0},
    {"sample_id", MILVUS_VARCHAR, 0, 0, 0, 0},  {"j", MILVUS_JSON, 0, 0, 0, 0},
};

static const milvus_field int_fields[] = {
    {"pk", MILVUS_INT64, 0, 0, 0, 0},
    {"vector", MILVUS_FLOAT_VECTOR, 0, 0, 3, 0},
    {"l", MILVUS_ARRAY, MILVUS_DOUBLE, 0, 0, 0},
};

static const milvus_field declared[] = {
    {"x", SP_INT64, 0, 0, 0, 0},
    {"y", SP_TEXT | SP_LIST, 0, 0, 0, 0},
    {"z", SP_FLOAT64 | SP_LIST, 0, 0, 0, 0},
};

static void schema_init(milvus_schema *schema, uint8_t choice)
{
    static const char *const metrics[] = {"euclidean", "cosine", "dotproduct", "hamming"};

    memset(schema, 0, sizeof *schema);
    schema->fields = choice & 1 ? int_fields : text_fields;
    schema->field_count = choice & 1 ? sizeof int_fields / sizeof int_fields[0]
                                     : sizeof text_fields / sizeof text_fields[0];
    schema->key = &schema->fields[0];
    schema->vector = &schema->fields[1];
    schema->has_dynamic = 1;
    schema->has_sample_id = !(choice & 1);
    schema->declared = declared;
    schema->declared_count = choice & 2 ? sizeof declared / sizeof declared[0] : 0;
    schema->metric = metrics[choice >> 2 & 3];
}

/* ---- what came out ------------------------------------------------------------------------ */

/* The rows as the fields and vectors of a reply, which may lack vectors. */
static void rows_write(milvus_call *call, const milvus_row *rows, uint64_t count)
{
    static const plug_names all = {.all = 1};
    simplugin_writer *out = &call->base.out;
    uint64_t begin = simplugin_write_map_begin(out);
    int32_t code;

    require(milvus_fields_write(call, rows, count, &all) == SIMPLUGIN_OK);
    code = milvus_vectors_write(call, rows, count);
    require(code == SIMPLUGIN_OK || code == SIMPLUGIN_PROTOCOL);
    simplugin_error_free(call->base.error);
    simplugin_write_end(out, begin, code ? 1 : 2);
    require(simplugin_writer_reply(out, plug_host, call->base.reply) == SIMPLUGIN_OK);
    require(!simplugin_check_reply(call->base.reply));
    for (uint64_t i = 0; i < call->base.reply->tensor_count; i++) {
        const simplugin_tensor *tensor = &call->base.reply->tensors[i];

        look(tensor->data, (size_t)(tensor->rows * simplugin_tensor_row_bytes(tensor)));
    }
}

static void columns_check(milvus_call *call)
{
    const simplugin_reply *reply = call->base.reply;
    simplugin_value body = simplugin_body_value(reply->body, reply->body_size);
    simplugin_value fields, name, value;
    simplugin_iter iter;
    sp_column column;

    require(simplugin_find(&body, "fields", &fields));
    iter = simplugin_iterate(&fields);
    while (simplugin_next(&iter, &name) && simplugin_next(&iter, &value))
        require(!simplugin_column_read(&value, reply->tensors, reply->tensor_count, &column));
}

static void page_look(milvus_call *call, const milvus_page *page)
{
    milvus_row rows[ROWS_MAX];
    uint64_t count = page->count < ROWS_MAX ? page->count : ROWS_MAX;
    plug_seen types;

    require(!page->ids || page->id_count == page->count);
    for (uint64_t i = 0; page->ids && i < page->count; i++)
        look(page->ids[i].data, page->ids[i].size);
    if (page->vectors)
        look(page->vectors, (size_t)(page->vector_rows * page->vector_bytes));
    require(milvus_fields_see(call, page, &types) == SIMPLUGIN_OK);
    /* the last rows, the last first */
    for (uint64_t i = 0; i < count; i++) {
        rows[i].page = page;
        rows[i].row = page->count - 1 - i;
    }
    rows_write(call, rows, count);
    columns_check(call);
}

static void hits_look(milvus_call *call, const milvus_hits *hits)
{
    milvus_row rows[ROWS_MAX];
    uint64_t count = 0;

    require(hits->query_count == QUERIES);
    for (uint64_t q = 0; q < hits->query_count; q++)
        for (uint64_t i = 0; i < hits->lists[q].count; i++) {
            const plug_hit *hit = &hits->lists[q].hits[i];
            const milvus_page *page = hit->page;

            look(hit->id.data, hit->id.size);
            look(&hit->distance, sizeof hit->distance);
            require(!page || hit->row < page->count);
            if (count < ROWS_MAX) {
                rows[count].page = page;
                rows[count++].row = hit->row;
            }
        }
    rows_write(call, rows, count);
    columns_check(call);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    simplugin_call_info info = {.size = sizeof info, .deadline = INT64_MAX};
    simplugin_reply reply = {.size = sizeof reply};
    simplugin_error *error = NULL;
    struct simplugin_instance instance = {.is_lite = 0};
    milvus_schema schema;
    milvus_call call = {.base = {.info = &info, .reply = &reply, .error = &error},
                        .instance = &instance,
                        .collection = "books",
                        .schema = &schema};
    milvus_status status;
    milvus_page page;
    milvus_hits hits;
    int32_t code;

    if (!size)
        return 0;
    plug_host = &sp_host;
    schema_init(&schema, *data);
    milvus_status_read(&status, data + 1, size - 1, *data >> 4 & 1);
    require(simplugin_utf8_check((const uint8_t *)status.reason, strlen(status.reason)));
    if (*data >> 5 & 1) {
        code = milvus_hits_read(&call, data + 1, size - 1, QUERIES, &hits);
        if (!code)
            hits_look(&call, &hits);
        milvus_hits_clear(&hits);
    } else {
        code = milvus_page_read(&call, data + 1, size - 1, 2, &page);
        if (!code)
            page_look(&call, &page);
        milvus_page_clear(&page);
    }
    require(code == SIMPLUGIN_OK || code == SIMPLUGIN_PROTOCOL);
    require(!code == !error);
    simplugin_error_free(&error);
    simplugin_writer_clear(&call.base.out);
    simplugin_reply_clear(&reply);
    sp_arena_free(&call.base.scratch);
    return 0;
}
