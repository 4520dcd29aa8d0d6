/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a Qdrant server may send, as any bytes: the first chooses the collection and as what they
 * are read. Whatever the decoder lets through is then read to the end and written as a reply,
 * which must be one.
 */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "host.h"
#include "instance.h"
#include "json_map.h"
#include "page.h"
#include "simplugin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define QUERIES 3
#define ROWS_MAX 64
#define DIMENSION 2

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

static void schema_init(qdrant_schema *schema, uint8_t choice)
{
    static qdrant_declared declared[] = {
        {"x", SP_INT64, 0}, {"y", SP_TEXT | SP_LIST, 0}, {"z", SP_FLOAT64, 1}};

    memset(schema, 0, sizeof *schema);
    schema->name = "books";
    schema->dimension = DIMENSION;
    schema->metric = choice & 1 ? "cosine" : "euclidean";
    schema->vector = choice & 2 ? "v" : "";
    schema->is_mapped = choice >> 2 & 1;
    schema->is_patches = choice >> 3 & 1;
    schema->declared = declared;
    schema->declared_count = choice & 16 ? sizeof declared / sizeof declared[0] : 0;
}

/* ---- what came out ------------------------------------------------------------------------ */

static void reply_check(qdrant_call *call)
{
    const simplugin_reply *reply = call->base.reply;

    require(simplugin_writer_reply(&call->base.out, plug_host, call->base.reply) == SIMPLUGIN_OK);
    require(!simplugin_check_reply(reply));
    for (uint64_t i = 0; i < reply->tensor_count; i++)
        look(reply->tensors[i].data,
             (size_t)(reply->tensors[i].rows * simplugin_tensor_row_bytes(&reply->tensors[i])));
}

/* The fields of a reply that was checked are columns. */
static void fields_check(const simplugin_reply *reply)
{
    simplugin_value body = simplugin_body_value(reply->body, reply->body_size), fields, name, value;
    simplugin_iter iter;
    sp_column column;

    require(simplugin_find(&body, "fields", &fields));
    iter = simplugin_iterate(&fields);
    while (simplugin_next(&iter, &name) && simplugin_next(&iter, &value))
        require(!simplugin_column_read(&value, reply->tensors, reply->tensor_count, &column));
}

/* The last rows, the last first, as the fields and vectors of a reply, which may lack vectors. */
static void page_look(qdrant_call *call, const qdrant_page *page)
{
    static const plug_names all = {.all = 1};
    uint64_t count = page->count < ROWS_MAX ? page->count : ROWS_MAX, begin;
    qdrant_row rows[ROWS_MAX];
    int32_t code;

    for (uint64_t i = 0; i < page->count; i++) {
        const qdrant_point *point = &page->points[i];

        look(point->key.data, point->key.size);
        look(point->id.data, point->id.size);
        look(point->payload.data, point->payload.size);
        require(simplugin_utf8_check((const uint8_t *)point->id.data, point->id.size));
        if (point->has_vector)
            look(page->vectors + i * DIMENSION, DIMENSION * sizeof(float));
    }
    for (uint64_t i = 0; i < page->list_count; i++)
        require(page->lists[i] <= page->count && (!i || page->lists[i - 1] <= page->lists[i]));
    if (page->has_next)
        look(page->next.data, page->next.size);
    for (uint64_t i = 0; i < count; i++)
        rows[i] = (qdrant_row){page, page->count - 1 - i};
    begin = simplugin_write_map_begin(&call->base.out);
    require(qdrant_fields_write(call, rows, count, &all) == SIMPLUGIN_OK);
    code = qdrant_vectors_write(call, rows, count);
    require(code == SIMPLUGIN_OK || code == SIMPLUGIN_PROTOCOL);
    simplugin_error_free(call->base.error);
    simplugin_write_end(&call->base.out, begin, code ? 1 : 2);
    reply_check(call);
    fields_check(call->base.reply);
}

static void page_read(qdrant_call *call, uint8_t choice, const void *data, size_t size)
{
    static const int shapes[] = {QDRANT_SHAPE_POINTS, QDRANT_SHAPE_SCROLL, QDRANT_SHAPE_LISTS};
    qdrant_page page = {0};
    int32_t code;

    page.http.reply = malloc(size + 1);
    require(page.http.reply != NULL);
    memcpy(page.http.reply, data, size);
    page.http.reply[size] = '\0';
    page.http.reply_size = size;
    code = qdrant_page_read(call, shapes[choice % 3], QUERIES, &page);
    require(code == SIMPLUGIN_OK || code == SIMPLUGIN_PROTOCOL);
    require(!code == !*call->base.error);
    if (!code)
        page_look(call, &page);
    qdrant_page_clear(&page);
}

/* What is passed on as it is, whatever its keys are. */
static void json_read(qdrant_call *call, const void *data, size_t size)
{
    json_error_t problem;
    json_t *json = json_loadb(data, size, 0, &problem);

    if (json_is_object(json) && !qdrant_json_write(&call->base.out, json))
        reply_check(call);
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    simplugin_call_info info = {.size = sizeof info, .deadline = INT64_MAX};
    simplugin_reply reply = {.size = sizeof reply};
    simplugin_error *error = NULL;
    struct simplugin_instance instance = {.version = QDRANT_VERSION_QUERY};
    qdrant_schema schema;
    qdrant_call call = {.base = {.info = &info, .reply = &reply, .error = &error},
                        .instance = &instance,
                        .collection = "books",
                        .schema = &schema};

    if (!size)
        return 0;
    plug_host = &sp_host;
    schema_init(&schema, *data & 31);
    if (*data >> 5 == 7)
        json_read(&call, data + 1, size - 1);
    else
        page_read(&call, *data >> 5, data + 1, size - 1);
    simplugin_error_free(&error);
    simplugin_writer_clear(&call.base.out);
    simplugin_reply_clear(&reply);
    sp_arena_free(&call.base.scratch);
    return 0;
}
