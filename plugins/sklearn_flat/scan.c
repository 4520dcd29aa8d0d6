/* SPDX-License-Identifier: Apache-2.0 */
/*
 * points.scan: a walk in the order of ids, whose cursor is the last id that was given out.
 * Rows move while a scan goes on - small adds are folded into blocks, half-empty blocks
 * are merged, a point that is replaced gets a new place - but an id stays what it is: a
 * point that is there all the time comes exactly once, with what it holds at that moment.
 */
#include "config.h"

#include "gather.h"
#include "instance.h"
#include "mask.h"

/* Ids that are asked from the store at a time. */
#define BATCH 1024
/* What a reply holds at most where the request does not say. */
#define DEFAULT_BYTES (INT64_C(8) << 20)

typedef struct scan_state {
    flat_call *call;
    flat_snapshot *snapshot;
    flat_gather gather;
    const flat_mask_ref *mask;
    int with_vectors;
    uint64_t max_rows;
    uint64_t max_bytes;
    sp_text last;     /* the id of the row that was looked at last; data NULL: none yet */
    uint64_t *rows;   /* of the reply, malloc'd */
    uint64_t count;
    uint64_t capacity;
    uint64_t bytes;
    int done;         /* there is no id behind last */
} scan_state;

/* Takes the row into the reply; *full: there is no room for it. */
static int32_t row_take(scan_state *scan, uint64_t row, sp_text id, int *full)
{
    uint64_t fields, bytes = id.size + sizeof(int64_t), capacity;
    uint64_t *grown;
    int32_t code = flat_gather_field_bytes(&scan->gather, row, &fields);

    if (code)
        return code;
    bytes += fields;
    if (scan->with_vectors)
        bytes += flat_store_schema(scan->call->store)->dimension * sizeof(float);
    *full = scan->count == scan->max_rows ||
            (scan->count && scan->bytes + bytes > scan->max_bytes);
    if (*full)
        return SIMPLUGIN_OK;
    if (scan->count == scan->capacity) {
        capacity = scan->capacity ? scan->capacity * 2 : BATCH;
        grown = realloc(scan->rows, (size_t)capacity * sizeof *grown);
        if (!grown)
            return plug_no_memory(&scan->call->base);
        scan->rows = grown;
        scan->capacity = capacity;
    }
    scan->rows[scan->count++] = row;
    scan->bytes += bytes;
    return SIMPLUGIN_OK;
}

static int32_t rows_collect(scan_state *scan)
{
    uint64_t batch[BATCH];
    int full = 0;
    int32_t code = SIMPLUGIN_OK;

    while (!code && !full && !scan->done) {
        int64_t found = flat_snapshot_rows_by_id(scan->snapshot, scan->last, batch, BATCH);

        if (found < 0)
            return plug_fail(&scan->call->base, (int32_t)-found, "walking through the ids failed");
        for (int64_t i = 0; !code && !full && i < found; i++) {
            sp_text id = flat_snapshot_id(scan->snapshot, batch[i]);

            if (!scan->mask || flat_mask_has(scan->mask, &scan->gather, batch[i]))
                code = row_take(scan, batch[i], id, &full);
            if (!full)
                scan->last = id;
        }
        scan->done = !full && found < BATCH;
        if (!code)
            code = plug_check(&scan->call->base);
    }
    return code;
}

static int32_t scan_write(scan_state *scan)
{
    flat_call *call = scan->call;
    int32_t code;

    simplugin_write_map(&call->base.out,
                        2 + (uint64_t)(scan->with_vectors != 0) + (uint64_t)!scan->done);
    code = flat_gather_ids(&scan->gather, "ids", scan->rows, scan->count);
    if (!code && scan->with_vectors)
        code = flat_gather_vectors(&scan->gather, scan->rows, scan->count);
    if (!code)
        code = flat_gather_fields(&scan->gather, scan->rows, scan->count);
    if (!scan->done) {
        simplugin_write_string(&call->base.out, "cursor");
        simplugin_write_bytes(&call->base.out, scan->last.data, scan->last.size);
    }
    return code;
}

int32_t flat_serve_points_scan(flat_call *call)
{
    int64_t max_rows = INT64_MAX, max_bytes = DEFAULT_BYTES;
    flat_mask_ref *mask = NULL;
    scan_state scan = {.call = call, .with_vectors = 1};
    simplugin_value cursor;
    plug_names fields;
    int32_t code = plug_arg_int(&call->base, "max_rows", 1, INT64_MAX, &max_rows);

    if (!code)
        code = plug_arg_int(&call->base, "max_bytes", 1, INT64_MAX, &max_bytes);
    if (!code)
        code = plug_arg_bool(&call->base, "vectors", &scan.with_vectors);
    if (!code)
        code = plug_arg_names(&call->base, &fields);
    if (!code && simplugin_find(&call->base.body, "cursor", &cursor)) {
        if (cursor.type != SIMPLUGIN_BYTES || !cursor.size || cursor.size > 255)
            code = plug_fail_argument(&call->base, "cursor", "the cursor is not one of points.scan's");
        scan.last.data = (const char *)cursor.data;
        scan.last.size = (size_t)cursor.size;
    }
    if (code)
        return code;
    scan.max_rows = (uint64_t)max_rows;
    scan.max_bytes = (uint64_t)max_bytes;
    code = flat_snapshot_new(call->store, &scan.snapshot, call->base.error);
    if (!code)
        code = flat_mask_for(call, scan.snapshot, &mask);
    scan.mask = mask;
    if (!code)
        code = flat_gather_init(&scan.gather, call, scan.snapshot, &fields);
    if (!code)
        code = rows_collect(&scan);
    if (!code)
        code = scan_write(&scan);
    free(scan.rows);
    flat_mask_release(mask);
    flat_snapshot_free(scan.snapshot);
    return code;
}
