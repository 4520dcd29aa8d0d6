/* SPDX-License-Identifier: Apache-2.0 */
#include "hits.h"

#include <stdlib.h>
#include <string.h>

#include "gather.h"

int sp_hits_init(sp_hits *hits, uint64_t query_count)
{
    memset(hits, 0, sizeof *hits);
    hits->query_count = query_count;
    hits->lists = calloc(query_count + 1, sizeof *hits->lists);
    return hits->lists != NULL;
}

void sp_hits_clear(sp_hits *hits)
{
    for (uint64_t q = 0; hits->lists && q < hits->query_count; q++)
        free(hits->lists[q].hits);
    free(hits->lists);
    sp_arena_free(&hits->arena);
    memset(hits, 0, sizeof *hits);
}

int sp_hits_add(sp_hits *hits, uint64_t query, sp_text id, double distance, double score)
{
    sp_hit_list *list = &hits->lists[query];
    char *copy;

    if (list->count == list->capacity) {
        uint64_t capacity = list->capacity ? list->capacity * 2 : 16;
        sp_hit *grown = capacity > UINT64_MAX / sizeof *grown
                            ? NULL
                            : realloc(list->hits, capacity * sizeof *grown);

        if (!grown)
            return 0;
        list->hits = grown;
        list->capacity = capacity;
    }
    copy = sp_arena_text(&hits->arena, id.data, id.size);
    if (!copy)
        return 0;
    list->hits[list->count].id.data = copy;
    list->hits[list->count].id.size = id.size;
    list->hits[list->count].distance = distance;
    list->hits[list->count++].score = score;
    return 1;
}

/* The points behind the hits, and for each hit which of them it is. */
typedef struct details {
    sp_points points;
    uint64_t *rows; /* one a hit; SP_ROW_NONE: gone meanwhile */
    sp_columns columns;
} details;

static int32_t details_get(sp_index *index, sp_request *request, const sp_column *ids,
                           const sp_hits_want *want, details *d, simplugin_error **error)
{
    sp_want ask = {.vectors = want->vectors, .fields = want->fields};
    uint64_t *first = sp_arena_array(&request->arena, ids->count + 1, sizeof *first);
    uint64_t *unique = sp_arena_array(&request->arena, ids->count + 1, sizeof *unique);
    uint64_t *row_of = sp_arena_array(&request->arena, ids->count + 1, sizeof *row_of);
    uint64_t unique_count = 0;
    sp_column asked;
    sp_idmap map;
    int32_t code;

    d->rows = sp_arena_array(&request->arena, ids->count + 1, sizeof *d->rows);
    ask.fields.names = sp_arena_array(&request->arena, want->fields.count + 1,
                                      sizeof *ask.fields.names);
    if (!first || !unique || !row_of || !d->rows || !ask.fields.names ||
        !sp_idmap_init(&map, ids, &request->arena))
        return sp_error_no_memory(error);
    for (uint64_t i = 0; i < want->fields.count; i++)
        ask.fields.names[i] = want->fields.names[i];
    if (index->patches && !ask.fields.all)
        ask.fields.names[ask.fields.count++] = SP_SAMPLE_ID;
    for (uint64_t i = 0; i < ids->count; i++) {
        uint64_t before = sp_idmap_add(&map, i);

        if (before == SP_IDMAP_NONE) {
            first[i] = unique_count;
            unique[unique_count++] = i;
        } else {
            first[i] = first[before];
        }
    }
    if (!sp_column_gather(ids, unique, unique_count, &request->arena, &asked))
        return sp_error_no_memory(error);
    code = sp_points_get(index, request->context, &asked, &ask, &d->points, error);
    if (code)
        return code;
    for (uint64_t i = 0; i < unique_count; i++)
        row_of[i] = SP_ROW_NONE;
    for (uint64_t i = 0; i < d->points.count; i++)
        row_of[d->points.positions[i]] = i;
    for (uint64_t i = 0; i < ids->count; i++)
        d->rows[i] = row_of[first[i]];
    return d->points.fields.type
               ? sp_points_columns(index, &d->points, &request->arena, &d->columns, error)
               : SIMPLUGIN_OK;
}

static int vectors_write(const sp_index *index, const details *d, uint64_t count, sp_arena **arena,
                         simplugin_writer *writer)
{
    /* the reply's own: the collection may have been made anew meanwhile */
    uint64_t cols = d->points.vectors ? d->points.vectors->cols : atomic_load(&index->dimension);
    float *data = sp_arena_array(arena, count, cols * sizeof *data);
    simplugin_tensor matrix;

    if (!data)
        return 0;
    for (uint64_t i = 0; i < count; i++)
        if (d->rows[i] != SP_ROW_NONE)
            memcpy(data + i * cols, sp_points_vector(&d->points, d->rows[i]), cols * sizeof *data);
    matrix = simplugin_tensor_of(SIMPLUGIN_FLOAT32, data, count, cols);
    simplugin_write_string(writer, "vectors");
    simplugin_write_tensor(writer, &matrix);
    return 1;
}

/* The columns but for sample ids, which have a key of their own. */
static int columns_write(const details *d, uint64_t count, int patches, sp_arena **arena,
                         simplugin_writer *writer)
{
    uint64_t position, written = 0;
    sp_column column;

    simplugin_write_string(writer, "fields");
    position = simplugin_write_map_begin(writer);
    for (uint64_t i = 0; i < d->columns.count; i++) {
        if (patches && strcmp(d->columns.names[i], SP_SAMPLE_ID) == 0)
            continue;
        if (!sp_column_gather(&d->columns.columns[i], d->rows, count, arena, &column))
            return 0;
        simplugin_write_string(writer, d->columns.names[i]);
        simplugin_write_column(writer, &column);
        written++;
    }
    simplugin_write_end(writer, position, written);
    return 1;
}

/* The sample id of each hit; missing ones where a point has none. */
static int32_t samples_write(sp_index *index, const details *d, uint64_t count, sp_arena **arena,
                             simplugin_writer *writer, simplugin_error **error)
{
    sp_column column, samples;
    int found = sp_points_samples(index, &d->points, &column, error);

    if (found < 0)
        return SIMPLUGIN_PROTOCOL;
    if (found ? !sp_column_gather(&column, d->rows, count, arena, &samples)
              : !sp_column_missing(count, arena, &samples))
        return SIMPLUGIN_OUT_OF_MEMORY;
    simplugin_write_string(writer, "sample_ids");
    simplugin_write_column(writer, &samples);
    return SIMPLUGIN_OK;
}

int32_t sp_hits_reply(sp_index *index, sp_request *request, const sp_hits *hits,
                      const sp_hits_want *want, simplugin_error **error)
{
    sp_arena **arena = sp_reply_arena(request->reply);
    int fields = want->fields.all || want->fields.count;
    int patches = index->patches;
    details d = {.points = {.reply = SP_REPLY_INIT}};
    simplugin_writer writer;
    sp_column ids;
    int64_t *offsets = sp_arena_array(arena, hits->query_count + 1, sizeof *offsets);
    uint64_t count = 0, at = 0;
    float *distances, *scores;
    sp_text *texts;
    int32_t code = SIMPLUGIN_OUT_OF_MEMORY;

    simplugin_writer_init(&writer);
    if (!offsets)
        goto out;
    for (uint64_t q = 0; q < hits->query_count; q++) {
        count += hits->lists[q].count;
        offsets[q + 1] = (int64_t)count;
    }
    distances = sp_arena_array(arena, count, sizeof *distances);
    scores = sp_arena_array(arena, count, sizeof *scores);
    texts = sp_arena_array(&request->arena, count, sizeof *texts);
    if (!distances || !scores || !texts)
        goto out;
    for (uint64_t q = 0; q < hits->query_count; q++)
        for (uint64_t i = 0; i < hits->lists[q].count; i++, at++) {
            texts[at] = hits->lists[q].hits[i].id;
            distances[at] = (float)hits->lists[q].hits[i].distance;
            scores[at] = (float)hits->lists[q].hits[i].score;
        }
    if (!sp_column_of_texts(texts, count, arena, &ids))
        goto out;
    if (count && (fields || patches || want->vectors)) {
        code = details_get(index, request, &ids, want, &d, error);
        if (code)
            goto out;
        code = SIMPLUGIN_OUT_OF_MEMORY;
    }
    simplugin_write_map(&writer, 4 + (uint64_t)fields + (uint64_t)patches +
                                     (uint64_t)(want->vectors != 0));
    simplugin_write_string(&writer, "offsets");
    sp_write_array(&writer, SIMPLUGIN_INT64, offsets, hits->query_count + 1);
    simplugin_write_string(&writer, "ids");
    simplugin_write_column(&writer, &ids);
    simplugin_write_string(&writer, "distances");
    sp_write_array(&writer, SIMPLUGIN_FLOAT32, distances, count);
    simplugin_write_string(&writer, "scores");
    sp_write_array(&writer, SIMPLUGIN_FLOAT32, scores, count);
    if ((fields && !columns_write(&d, count, patches, arena, &writer)) ||
        (want->vectors && !vectors_write(index, &d, count, arena, &writer)))
        goto out;
    if (patches && (code = samples_write(index, &d, count, arena, &writer, error)))
        goto out;
    code = sp_request_finish(request, &writer, error);
out:
    sp_points_clear(&d.points);
    simplugin_writer_clear(&writer);
    return code == SIMPLUGIN_OUT_OF_MEMORY ? sp_error_no_memory(error) : code;
}
