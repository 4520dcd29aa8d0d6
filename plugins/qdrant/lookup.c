/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lookup.h"

#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "idmap.h"
#include "ids.h"
#include "instance.h"

#define KEYS_PER_REQUEST UINT64_C(8192)
/* Of the first ones with fields, before it is known how much these hold. */
#define KEYS_AT_FIRST UINT64_C(256)
#define REPLY_BYTES (UINT64_C(16) << 20) /* of one, about */
#define NUMBER_BYTES 12                  /* of a vector's, in JSON */
#define POINT_BYTES UINT64_C(128)
#define ROWS_PER_CHECK 4096

/* Places among the ids. */
typedef struct span {
    struct span *next;
    uint64_t begin, end;
} span;

struct qdrant_lookup_part {
    qdrant_lookup_part *next;
    span ids;
    uint64_t keys; /* that it names */
    qdrant_page page;
};

typedef struct finder {
    qdrant_call *call;
    qdrant_lookup *lookup;
    const char *path;
    sp_column keys;   /* the server's ids; empty: no point can have that id */
    sp_idmap map;     /* every key once */
    uint64_t *same;   /* for each id, the first place its key stands at */
    uint64_t next;    /* the id that no request has named yet */
    span *again;      /* what requests named whose replies were too large */
    uint64_t limit;   /* of ids in one request, */
    uint64_t ceiling; /* and of that: more were too many once */
    qdrant_row *found; /* for each id; page NULL: not there */
} finder;

/* ---- keys -------------------------------------------------------------------------------- */

static int32_t keys_make(finder *f, const sp_column *ids)
{
    plug_call *call = &f->call->base;
    int64_t *offsets = plug_scratch(call, ids->count + 1, sizeof *offsets);
    char *values = plug_scratch(call, ids->count + 1, QDRANT_KEY_MAX + 1);
    int64_t size = 0;

    f->same = plug_scratch(call, ids->count + 1, sizeof *f->same);
    if (!offsets || !values || !f->same)
        return plug_no_memory(call);
    f->keys.type = SP_TEXT;
    f->keys.count = ids->count;
    f->keys.offsets = offsets;
    f->keys.values = values;
    for (uint64_t i = 0; i < ids->count; i++) {
        qdrant_key key;

        if (qdrant_key_of(f->call->schema->is_mapped, sp_column_text(ids, i), &key)) {
            memcpy(values + size, key.text, key.size);
            size += key.size;
        }
        offsets[i + 1] = size;
    }
    if (!sp_idmap_init(&f->map, &f->keys, &call->scratch))
        return plug_no_memory(call);
    for (uint64_t i = 0; i < ids->count; i++) {
        uint64_t before = sp_idmap_add(&f->map, i);
        int32_t code = i % ROWS_PER_CHECK ? SIMPLUGIN_OK : plug_check(call);

        if (code)
            return code;
        f->same[i] = before == SP_IDMAP_NONE ? i : before;
    }
    return SIMPLUGIN_OK;
}

/* ---- requests ----------------------------------------------------------------------------- */

/* As many keys as bring a reply of moderate size, if each brings so many bytes. */
static void limit_set(finder *f, uint64_t bytes)
{
    uint64_t rows = REPLY_BYTES / (bytes ? bytes : 1);

    f->limit = rows < 1 ? 1 : rows > f->ceiling ? f->ceiling : rows;
}

static int has_fields(const finder *f)
{
    return f->lookup->names && (f->lookup->names->all || f->lookup->names->count);
}

static void limit_begin(finder *f)
{
    f->ceiling = KEYS_PER_REQUEST;
    limit_set(f, POINT_BYTES +
                     (f->lookup->vectors ? f->call->schema->dimension * NUMBER_BYTES : UINT64_C(0)));
    if (has_fields(f) && f->limit > KEYS_AT_FIRST)
        f->limit = KEYS_AT_FIRST;
}

/* Those places are to be named once more. */
static int32_t span_again(finder *f, uint64_t begin, uint64_t end)
{
    span *rest;

    if (begin >= end)
        return SIMPLUGIN_OK;
    rest = plug_scratch(&f->call->base, 1, sizeof *rest);
    if (!rest)
        return plug_no_memory(&f->call->base);
    *rest = (span){f->again, begin, end};
    f->again = rest;
    return SIMPLUGIN_OK;
}

/* Names ids of the part's places, as many as one request may; its places are then those. */
static void ids_put(finder *f, qdrant_lookup_part *part, sp_buffer *out)
{
    uint64_t at = part->ids.begin;

    for (; at < part->ids.end && part->keys < f->limit; at++) {
        sp_text key = sp_column_text(&f->keys, at);
        qdrant_key one = {.size = (uint8_t)key.size, .is_number = key.size < QDRANT_KEY_MAX};

        if (!key.size || f->same[at] != at)
            continue;
        memcpy(one.text, key.data, key.size);
        if (part->keys++)
            sp_buffer_append(out, ",", 1);
        qdrant_key_put(out, &one);
    }
    part->ids.end = at;
}

/* The part that the next request is for, with its ids; no keys: there is none left. */
static int32_t part_next(finder *f, qdrant_lookup_part *part, sp_buffer *out)
{
    int32_t code = SIMPLUGIN_OK;

    while (!code && !part->keys && (f->again || f->next < f->keys.count)) {
        span all = f->again ? *f->again : (span){NULL, f->next, f->keys.count};
        int is_again = f->again != NULL;

        part->ids = all;
        if (is_again)
            f->again = all.next;
        ids_put(f, part, out);
        if (is_again)
            code = span_again(f, part->ids.end, all.end);
        else
            f->next = part->ids.end;
    }
    return code;
}

/* Sends the next request, if there is one left to send. */
static int32_t request_start(finder *f, qdrant_flight *flight, int *started)
{
    static const plug_names none = {0};
    qdrant_lookup *lookup = f->lookup;
    qdrant_lookup_part *part;
    sp_buffer body;
    int32_t code;

    *started = 0;
    if (!f->again && f->next >= f->keys.count)
        return SIMPLUGIN_OK;
    part = calloc(1, sizeof *part);
    if (!part)
        return plug_no_memory(&f->call->base);
    part->next = lookup->parts;
    lookup->parts = part;
    sp_buffer_init(&body);
    sp_buffer_append_text(&body, "{\"ids\":[");
    code = part_next(f, part, &body);
    if (code || !part->keys) {
        sp_buffer_clear(&body);
        return code;
    }
    sp_buffer_append_text(&body, "],");
    qdrant_payload_put(f->call, &body, lookup->names ? lookup->names : &none, lookup->vectors);
    sp_buffer_printf(&body, ",\"with_vector\":%s}", lookup->vectors ? "true" : "false");
    code = qdrant_prepare(f->call, "POST", f->path, &body, 1, &part->page.http);
    part->page.http.context = part;
    if (!code)
        code = qdrant_flight_start(flight, &part->page.http);
    *started = !code;
    return code;
}

static int32_t page_take(finder *f, qdrant_page *page)
{
    int32_t code = qdrant_page_read(f->call, QDRANT_SHAPE_POINTS, 0, page);

    for (uint64_t i = 0; !code && i < page->count; i++) {
        uint64_t at = sp_idmap_find(&f->map, page->points[i].key);

        if (at == SP_IDMAP_NONE)
            continue;
        f->found[at].page = page;
        f->found[at].row = i;
    }
    if (!code && page->count && has_fields(f))
        limit_set(f, page->http.reply_size / page->count);
    return code;
}

/* Its reply would be too large: fewer keys in each request from now on. */
static int32_t part_again(finder *f, qdrant_lookup_part *part)
{
    if (part->keys / 2 < f->ceiling)
        f->ceiling = part->keys / 2;
    if (f->limit > f->ceiling)
        f->limit = f->ceiling;
    qdrant_page_clear(&part->page);
    return span_again(f, part->ids.begin, part->ids.end);
}

static int32_t requests_run(finder *f)
{
    qdrant_call *call = f->call;
    int64_t limit = call->instance->settings.batches_in_flight, in_flight = 0;
    qdrant_flight flight;
    int32_t code = qdrant_flight_init(&flight, &call->instance->link, &call->base);

    while (!code) {
        qdrant_lookup_part *part;
        qdrant_http *http;
        int started = 1;

        while (!code && started && in_flight < limit) {
            code = request_start(f, &flight, &started);
            in_flight += started;
        }
        if (code || !in_flight)
            break;
        code = qdrant_flight_next(&flight, &http);
        if (code)
            break;
        in_flight--;
        part = http->context;
        if (part->keys > 1 && http->status.reply_too_large)
            code = part_again(f, part);
        else if (http->status.code)
            code = qdrant_http_fail(&call->instance->link, &call->base, http);
        else
            code = page_take(f, &part->page);
    }
    qdrant_flight_clear(&flight);
    return code;
}

static int32_t rows_collect(finder *f)
{
    qdrant_lookup *lookup = f->lookup;
    uint64_t count = f->keys.count;

    lookup->positions = plug_reply_array(&f->call->base, count + 1, sizeof *lookup->positions);
    lookup->rows = plug_scratch(&f->call->base, count + 1, sizeof *lookup->rows);
    if (!lookup->positions || !lookup->rows)
        return plug_no_memory(&f->call->base);
    for (uint64_t i = 0; i < count; i++) {
        const qdrant_row *row = &f->found[f->same[i]];

        if (!row->page)
            continue;
        lookup->rows[lookup->count] = *row;
        lookup->positions[lookup->count++] = (int64_t)i;
    }
    return SIMPLUGIN_OK;
}

int32_t qdrant_lookup_run(qdrant_call *call, const sp_column *ids, qdrant_lookup *lookup)
{
    finder f = {.call = call, .lookup = lookup};
    int32_t code = keys_make(&f, ids);

    if (code)
        return code;
    limit_begin(&f);
    f.path = qdrant_read_path(call, "/points", NULL);
    f.found = plug_scratch(&call->base, ids->count + 1, sizeof *f.found);
    if (!f.path || !f.found)
        return plug_no_memory(&call->base);
    if (ids->count)
        code = requests_run(&f);
    return code ? code : rows_collect(&f);
}

void qdrant_lookup_clear(qdrant_lookup *lookup)
{
    while (lookup->parts) {
        qdrant_lookup_part *next = lookup->parts->next;

        qdrant_page_clear(&lookup->parts->page);
        free(lookup->parts);
        lookup->parts = next;
    }
}
