/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lookup.h"

#include <string.h>

#include "ask.h"
#include "idmap.h"
#include "ids.h"
#include "instance.h"

#define KEYS_PER_REQUEST 8192
#define REPLY_BYTES (UINT64_C(16) << 20) /* of one, about */
#define NUMBER_BYTES 12                  /* of a vector's, in JSON */
#define POINT_BYTES UINT64_C(128)
#define FIELDS_BYTES UINT64_C(512)
#define ROWS_PER_CHECK 4096

typedef struct finder {
    qdrant_call *call;
    qdrant_lookup *lookup;
    const char *path;
    sp_column keys;   /* the server's ids; empty: no point can have that id */
    sp_idmap map;     /* every key once */
    uint64_t *same;   /* for each id, the first place its key stands at */
    uint64_t next;    /* the id that the next request begins with */
    uint64_t limit;   /* of ids in one request */
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

static uint64_t keys_per_request(const finder *f)
{
    uint64_t bytes = POINT_BYTES + (f->lookup->names ? FIELDS_BYTES : UINT64_C(0)) +
                     (f->lookup->vectors ? f->call->schema->dimension * NUMBER_BYTES : 0);
    uint64_t half = (uint64_t)f->call->instance->settings.max_receive_bytes / 2;
    uint64_t rows = (half < REPLY_BYTES ? half : REPLY_BYTES) / bytes;

    return rows < 1 ? 1 : rows > KEYS_PER_REQUEST ? KEYS_PER_REQUEST : rows;
}

/* How many ids the next request names; none: all are asked for. */
static uint64_t ids_put(finder *f, sp_buffer *out)
{
    uint64_t count = 0;

    for (; f->next < f->keys.count && count < f->limit; f->next++) {
        sp_text key = sp_column_text(&f->keys, f->next);
        qdrant_key one = {.size = (uint8_t)key.size, .is_number = key.size < QDRANT_KEY_MAX};

        if (!key.size || f->same[f->next] != f->next)
            continue;
        memcpy(one.text, key.data, key.size);
        if (count++)
            sp_buffer_append(out, ",", 1);
        qdrant_key_put(out, &one);
    }
    return count;
}

/* Sends the next request, if there is one left to send. */
static int32_t request_start(finder *f, qdrant_flight *flight, int *started)
{
    static const plug_names none = {0};
    qdrant_lookup *lookup = f->lookup;
    qdrant_page *page = &lookup->pages[lookup->page_count];
    sp_buffer body;
    int32_t code;

    *started = 0;
    sp_buffer_init(&body);
    sp_buffer_append_text(&body, "{\"ids\":[");
    if (!ids_put(f, &body)) {
        sp_buffer_clear(&body);
        return SIMPLUGIN_OK;
    }
    sp_buffer_append_text(&body, "],");
    qdrant_payload_put(f->call, &body, lookup->names ? lookup->names : &none, lookup->vectors);
    sp_buffer_printf(&body, ",\"with_vector\":%s}", lookup->vectors ? "true" : "false");
    lookup->page_count++;
    code = qdrant_prepare(f->call, "POST", f->path, &body, 1, &page->http);
    page->http.context = page;
    if (!code)
        code = qdrant_flight_start(flight, &page->http);
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
    return code;
}

static int32_t requests_run(finder *f)
{
    qdrant_call *call = f->call;
    int64_t limit = call->instance->settings.batches_in_flight, in_flight = 0;
    qdrant_flight flight;
    int32_t code = qdrant_flight_init(&flight, &call->instance->link, &call->base);

    while (!code) {
        qdrant_http *http;
        int started = 1;

        while (!code && started && in_flight < limit) {
            code = request_start(f, &flight, &started);
            in_flight += started;
        }
        if (code || !in_flight)
            break;
        code = qdrant_flight_next(&flight, &http);
        in_flight--;
        if (!code && http->status.code)
            code = qdrant_http_fail(&call->instance->link, &call->base, http);
        if (!code)
            code = page_take(f, http->context);
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
    f.limit = keys_per_request(&f);
    f.path = qdrant_read_path(call, "/points", NULL);
    f.found = plug_scratch(&call->base, ids->count + 1, sizeof *f.found);
    lookup->pages = plug_scratch(&call->base, ids->count / f.limit + 2, sizeof *lookup->pages);
    if (!f.path || !f.found || !lookup->pages)
        return plug_no_memory(&call->base);
    if (ids->count)
        code = requests_run(&f);
    return code ? code : rows_collect(&f);
}

void qdrant_lookup_clear(qdrant_lookup *lookup)
{
    for (uint64_t i = 0; i < lookup->page_count; i++)
        qdrant_page_clear(&lookup->pages[i]);
    lookup->page_count = 0;
}
