/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "hits.h"

#include "metric.h"
#include "numbers.h"
#include "pb.h"

typedef struct raw_hits {
    const uint8_t *scores;
    size_t score_count;
    sp_text *ids;
    uint64_t id_count;
    const uint8_t *topks;
    size_t topks_size;
} raw_hits;

static int32_t damaged(milvus_call *call)
{
    return plug_fail(&call->base, SIMPLUGIN_PROTOCOL, "the server's hits cannot be read");
}

void milvus_hits_clear(milvus_hits *hits)
{
    milvus_page_clear(&hits->page);
    sp_arena_free(&hits->memory);
    memset(hits, 0, sizeof *hits);
}

static int32_t data_read(milvus_call *call, const pb_field *data, milvus_hits *hits, raw_hits *raw)
{
    pb_reader reader = pb_reader_of(data->data, data->size);
    pb_field field;
    int32_t code = SIMPLUGIN_OK;

    while (!code && pb_next(&reader, &field)) {
        if (field.wire != PB_BYTES)
            continue;
        if (field.number == HITS_SCORES) {
            if (field.size % sizeof(float))
                return damaged(call);
            raw->scores = field.data;
            raw->score_count = field.size / sizeof(float);
        } else if (field.number == HITS_TOPKS) {
            raw->topks = field.data;
            raw->topks_size = field.size;
        } else if (field.number == HITS_IDS) {
            code = milvus_ids_read(call, field.data, field.size, &hits->memory, &raw->ids,
                                   &raw->id_count);
        }
    }
    if (!code && reader.failed)
        code = damaged(call);
    if (code)
        return code;
    /* should there be results twice, the last ones count */
    milvus_page_clear(&hits->page);
    return milvus_page_read(call, data->data, data->size, HITS_FIELDS, &hits->page);
}

/* One list a query, as long as topks says. */
static int32_t lists_fill(milvus_call *call, milvus_hits *hits, const raw_hits *raw)
{
    plug_hit *all = sp_arena_array(&hits->memory, raw->id_count + 1, sizeof *all);
    pb_reader topks = pb_reader_of(raw->topks, raw->topks_size);
    uint64_t at = 0;

    if (!all)
        return plug_no_memory(&call->base);
    for (uint64_t i = 0; i < raw->id_count; i++) {
        all[i].id = raw->ids[i];
        memcpy(&all[i].score, raw->scores + i * sizeof(float), sizeof(float));
        milvus_metric_convert(call->schema->metric, &all[i].score, &all[i].distance);
        all[i].page = hits->page.count ? &hits->page : NULL;
        all[i].row = i;
    }
    for (uint64_t q = 0; q < hits->query_count && topks.at < topks.end; q++) {
        uint64_t count;

        if (!pb_next_varint(&topks, &count) || count > raw->id_count - at)
            return damaged(call);
        hits->lists[q].hits = all + at;
        hits->lists[q].count = hits->lists[q].sent = count;
        at += count;
    }
    return at == raw->id_count ? SIMPLUGIN_OK : damaged(call);
}

int32_t milvus_hits_read(milvus_call *call, const uint8_t *data, size_t size, uint64_t queries,
                         milvus_hits *hits)
{
    pb_reader reader = pb_reader_of(data, size);
    raw_hits raw = {0};
    pb_field field;
    int32_t code = SIMPLUGIN_OK;

    memset(hits, 0, sizeof *hits);
    hits->query_count = queries;
    hits->lists = sp_arena_array(&hits->memory, queries + 1, sizeof *hits->lists);
    if (!hits->lists)
        return plug_no_memory(&call->base);
    while (!code && pb_next(&reader, &field))
        if (field.number == SEARCH_REPLY_RESULTS && field.wire == PB_BYTES)
            code = data_read(call, &field, hits, &raw);
    if (!code && (reader.failed || raw.score_count != raw.id_count ||
                  (hits->page.count && hits->page.count != raw.id_count)))
        code = damaged(call);
    return code ? code : lists_fill(call, hits, &raw);
}
