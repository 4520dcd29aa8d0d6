/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "ids.h"
#include "instance.h"

#define ROWS_PER_CHECK 1024

typedef struct reading {
    qdrant_call *call;
    const qdrant_schema *schema;
    qdrant_page *page;
    plug_json json;
    int32_t code;
} reading;

/* Room for one more point, zeroed; NULL with the code set. */
static qdrant_point *point_new(reading *r)
{
    qdrant_page *page = r->page;

    if (page->count == page->capacity) {
        uint64_t capacity = page->capacity ? page->capacity * 2 : 64;
        qdrant_point *more = realloc(page->points, (size_t)capacity * sizeof *more);

        if (!more) {
            r->code = plug_no_memory(&r->call->base);
            return NULL;
        }
        page->points = more;
        if (page->vectors) {
            float *vectors = realloc(page->vectors, (size_t)(capacity * r->schema->dimension) *
                                                        sizeof *vectors);

            if (!vectors) {
                r->code = plug_no_memory(&r->call->base);
                return NULL;
            }
            page->vectors = vectors;
        }
        page->capacity = capacity;
    }
    if (page->count % ROWS_PER_CHECK == 0 && (r->code = plug_check(&r->call->base)) != 0)
        return NULL;
    memset(&page->points[page->count], 0, sizeof *page->points);
    return &page->points[page->count++];
}

/* ---- parts of a point -------------------------------------------------------------------- */

/* A key as it is shown, without quotes. */
static void key_read(reading *r, sp_text *key, int *is_number)
{
    *is_number = plug_json_peek(&r->json) == PLUG_JSON_NUMBER;
    if (*is_number)
        plug_json_read_raw(&r->json, key);
    else
        plug_json_read_text(&r->json, &r->page->memory, key);
}

static void floats_read(reading *r, qdrant_point *point)
{
    qdrant_page *page = r->page;
    uint64_t dimension = r->schema->dimension;

    if (!page->vectors) {
        page->vectors = malloc((size_t)(page->capacity * dimension) * sizeof *page->vectors);
        if (!page->vectors) {
            r->code = plug_no_memory(&r->call->base);
            return;
        }
    }
    point->has_vector = plug_json_read_floats(
        &r->json, page->vectors + (uint64_t)(point - page->points) * dimension, dimension);
}

/* One array, or an object with an array under the vector's name. */
static void vector_read(reading *r, qdrant_point *point)
{
    sp_text name;

    switch (plug_json_peek(&r->json)) {
    case PLUG_JSON_ARRAY:
        floats_read(r, point);
        return;
    case PLUG_JSON_OBJECT:
        plug_json_object_begin(&r->json);
        while (!r->code && plug_json_next_key(&r->json, &r->page->memory, &name)) {
            if (plug_text_is(name, r->schema->vector) &&
                plug_json_peek(&r->json) == PLUG_JSON_ARRAY)
                floats_read(r, point);
            else
                plug_json_skip(&r->json);
        }
        return;
    default:
        plug_json_skip(&r->json);
    }
}

static void score_read(reading *r, qdrant_point *point)
{
    double score = 0;

    plug_json_read_double(&r->json, &score);
    point->score = (float)score;
}

/* What the payload says of the point itself. */
static void hidden_read(reading *r, sp_text payload, sp_text *original, double *norm)
{
    plug_json json;
    sp_text key;

    plug_json_init(&json, payload.data, payload.size);
    plug_json_object_begin(&json);
    while (plug_json_next_key(&json, &r->page->memory, &key)) {
        plug_json_kind kind = plug_json_peek(&json);

        if (plug_text_is(key, QDRANT_ID) && kind == PLUG_JSON_TEXT)
            plug_json_read_text(&json, &r->page->memory, original);
        else if (plug_text_is(key, QDRANT_NORM) && kind == PLUG_JSON_NUMBER)
            plug_json_read_double(&json, norm);
        else
            plug_json_skip(&json);
    }
    if (json.no_memory)
        r->code = plug_no_memory(&r->call->base);
}

/* The id, and the vector as it was added. */
static void point_finish(reading *r, qdrant_point *point)
{
    sp_text original = {"", 0};
    double norm = 1;

    if (point->payload.size > 2)
        hidden_read(r, point->payload, &original, &norm);
    point->has_original = original.size > 0;
    if (!r->code && !qdrant_id_of(r->schema->is_mapped, point->key, original, &r->page->memory,
                                  &point->id))
        r->code = plug_no_memory(&r->call->base);
    if (r->code || !point->has_vector || norm == 1 || !qdrant_is_normalised(r->schema) ||
        !isfinite(norm))
        return;
    for (uint64_t i = 0; i < r->schema->dimension; i++) {
        float *at = &r->page->vectors[(uint64_t)(point - r->page->points) * r->schema->dimension + i];

        *at = (float)(*at * norm);
    }
}

static void point_read(reading *r)
{
    qdrant_point *point = point_new(r);
    sp_text name;

    if (!point)
        return;
    plug_json_object_begin(&r->json);
    while (!r->code && plug_json_next_key(&r->json, &r->page->memory, &name)) {
        if (plug_text_is(name, "id"))
            key_read(r, &point->key, &point->is_number);
        else if (plug_text_is(name, "score"))
            score_read(r, point);
        else if (plug_text_is(name, "payload") && plug_json_peek(&r->json) == PLUG_JSON_OBJECT)
            plug_json_read_raw(&r->json, &point->payload);
        else if (plug_text_is(name, "vector"))
            vector_read(r, point);
        else
            plug_json_skip(&r->json);
    }
    if (!r->code && !r->json.problem && !point->key.size)
        plug_json_fail(&r->json, "a point without an id");
    if (!r->code && !r->json.problem)
        point_finish(r, point);
}

static void points_read(reading *r)
{
    plug_json_array_begin(&r->json);
    while (!r->code && plug_json_next_item(&r->json))
        point_read(r);
}

/* ---- replies ------------------------------------------------------------------------------ */

/* {"points": [...], "next_page_offset": ...} */
static void object_read(reading *r)
{
    sp_text name;

    plug_json_object_begin(&r->json);
    while (!r->code && plug_json_next_key(&r->json, &r->page->memory, &name)) {
        if (plug_text_is(name, "points")) {
            points_read(r);
        } else if (plug_text_is(name, "next_page_offset") &&
                   plug_json_peek(&r->json) != PLUG_JSON_NULL) {
            plug_json_read_raw(&r->json, &r->page->next);
            r->page->has_next = 1;
        } else {
            plug_json_skip(&r->json);
        }
    }
}

static void lists_read(reading *r, uint64_t count)
{
    qdrant_page *page = r->page;

    page->lists = sp_arena_array(&page->memory, count + 1, sizeof *page->lists);
    if (!page->lists) {
        r->code = plug_no_memory(&r->call->base);
        return;
    }
    plug_json_array_begin(&r->json);
    while (!r->code && plug_json_next_item(&r->json)) {
        if (plug_json_peek(&r->json) == PLUG_JSON_OBJECT)
            object_read(r);
        else
            points_read(r);
        if (page->list_count == count)
            plug_json_fail(&r->json, "more lists than queries");
        else
            page->lists[page->list_count++] = page->count;
    }
    if (!r->code && !r->json.problem && page->list_count < count)
        plug_json_fail(&r->json, "fewer lists than queries");
}

int32_t qdrant_page_read(qdrant_call *call, int shape, uint64_t lists, qdrant_page *page)
{
    reading r = {.call = call, .schema = call->schema, .page = page};
    int found = 0;
    sp_text name;

    plug_json_init(&r.json, page->http.reply ? page->http.reply : "", page->http.reply_size);
    plug_json_object_begin(&r.json);
    while (!r.code && plug_json_next_key(&r.json, &page->memory, &name)) {
        if (found || !plug_text_is(name, "result")) {
            plug_json_skip(&r.json);
            continue;
        }
        found = 1;
        if (shape == QDRANT_SHAPE_POINTS)
            points_read(&r);
        else if (shape == QDRANT_SHAPE_SCROLL)
            object_read(&r);
        else
            lists_read(&r, lists);
    }
    if (r.code)
        return r.code;
    return plug_json_end(&r.json) && found ? SIMPLUGIN_OK : qdrant_reply_fail(call, &r.json);
}

void qdrant_page_clear(qdrant_page *page)
{
    qdrant_http_clear(&page->http);
    sp_arena_free(&page->memory);
    free(page->points);
    free(page->vectors);
    page->points = NULL;
    page->vectors = NULL;
    page->count = page->capacity = page->list_count = 0;
}
