/* SPDX-License-Identifier: Apache-2.0 */
/* What the core makes up for in searches: exact passes, duplicates, neighbors, relevance. */
#include "config.h"

#include "index_rig.h"

/* Ten points on a line, p0 at 0 to p9 at 9, with their number as a field. */
static uint64_t line_index(void)
{
    uint64_t index = rig_index("euclidean", "");

    ASK(index, "index.add", "{'ids': ['p0','p1','p2','p3','p4','p5','p6','p7','p8','p9'], "
        "'vectors': [[0],[1],[2],[3],[4],[5],[6],[7],[8],[9]], "
        "'fields': {'n': [0,1,2,3,4,5,6,7,8,9]}}");
    return index;
}

/* ---- k --------------------------------------------------------------------------------- */

/* A backend without a limit: the minimal one is asked for seven hits, and has no more points. */
static int any_k(const rig_call *call, int32_t *code)
{
    simplugin_value map = simplugin_body_value(call->request->body, call->request->body_size);
    simplugin_iter iter = simplugin_iterate(&map);
    simplugin_value key, value;
    simplugin_writer writer;
    int64_t k = 0;

    if (!rig_is(call, "search"))
        return 0;
    if (simplugin_find_int(&map, "k", &k) != 1) {
        *code = rig_host->error_set(call->error, SIMPLUGIN_INVALID_ARGUMENT, "k is no int64", 13);
        return 1;
    }
    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, map.size);
    while (simplugin_next(&iter, &key)) {
        const uint8_t *from = iter.at;

        simplugin_next(&iter, &value);
        simplugin_write_text(&writer, (const char *)key.data, key.size);
        if (simplugin_value_is(&key, "k"))
            simplugin_write_int(&writer, k < 7 ? k : 7);
        else
            simplugin_write_raw(&writer, from, (uint64_t)(iter.at - from));
    }
    /* tensors stay where they are */
    for (uint64_t i = 0; i < call->request->tensor_count; i++) {
        uint64_t size = writer.size;

        simplugin_write_tensor(&writer, &call->request->tensors[i]);
        writer.size = size;
    }
    *code = rig_ask(call, &writer);
    simplugin_writer_clear(&writer);
    return 1;
}

static void no_limit(simplugin_writer *writer)
{
    simplugin_write_string(writer, "max_k");
    simplugin_write_nil(writer);
}

static void huge_k(void)
{
    uint64_t index;

    rig_start();
    index = line_index();
    ASK(index, "index.search", "{'vectors': [[0]], 'k': 9223372036854775807}");
    REPLY("offsets", "[0,10]");
    ASK(index, "index.search", "{'ids': ['p3'], 'k': 9223372036854775807, 'exclude_self': true}");
    REPLY("offsets", "[0,9]");
    ASK(index, "index.search", "{'ids': ['p3'], 'k': 9223372036854775807, 'filter': 'n > 7'}");
    REPLY("ids", "['p8','p9']");
    ASK(index, "index.neighbors", "{'k': 9223372036854775807}");
    CU_ASSERT_EQUAL(json_array_size(json_object_get(rig_reply, "neighbors")), 90);
    rig_stop();

    rig_describe = no_limit;
    rig_describe_count = 1;
    rig_start();
    rig_before = any_k;
    index = rig_index("euclidean", "");
    ASK(index, "index.add", "{'ids': ['a','b','c'], 'vectors': [[0],[1],[2]], 'fields': {'n': [1,2,3]}}");
    ASK(index, "index.search", "{'vectors': [[0]], 'k': 9223372036854775807}");
    REPLY("ids", "['a','b','c']");
    ASK(index, "index.search", "{'ids': ['b'], 'k': 9223372036854775807, 'exclude_self': true}");
    REPLY("offsets", "[0,2]");
    ASK(index, "index.search", "{'vectors': [[0]], 'k': 2305843009213693952, 'filter': 'n > 1'}");
    REPLY("ids", "['b','c']");
    rig_stop();
}

/* ---- duplicates ------------------------------------------------------------------------ */

static void duplicates_identical(void)
{
    static const char *const metrics[] = {"cosine", "euclidean", "dotproduct"};

    rig_start();
    for (int i = 0; i < 3; i++) {
        uint64_t index = rig_index(metrics[i], "");

        ASK(index, "index.add", "{'ids': ['a','b','c','d'], 'vectors': "
            "[[0.1,0.7,0.3],[0.1,0.7,0.3],[0.9,-0.2,0.4],[0.1,0.7,0.3]]}");
        if (i < 2) {
            ASK(index, "index.duplicates", "{'threshold': 0}");
            REPLY("duplicate_ids", "['b','d']");
            REPLY("neighbor_ids", "['a','a']");
            REPLY("unique_ids", "['a','c']");
        }
        ASK(index, "index.duplicates", "{'fraction': 0}");
        REPLY("duplicate_ids", "[]");
        REPLY("unique_ids", "['a','b','c','d']");
        ASK(index, "index.duplicates", "{'fraction': 1}");
        REPLY("unique_ids", "['a']");
        ASK(index, "index.duplicates", "{'fraction': 0.5}");
        REPLY("unique_ids", "['a','c']");
        ASK(index, "index.unique", "{'count': 2}");
        REPLY("unique_ids", "['a','c']");
        ASK(index, "index.unique", "{'count': 3}");
        REPLY("unique_ids", "['a','c']");
        ASK(index, "index.unique", "{'count': 4}");
        REPLY("unique_ids", "['a','b','c','d']");
    }
    rig_stop();
}

static void duplicates_dotproduct(void)
{
    uint64_t index;

    rig_start();
    index = rig_index("dotproduct", "");
    /* the first point says nothing about how far apart the others are */
    ASK(index, "index.add", "{'ids': ['zero','x1','x2','y1','y2'], 'vectors': "
        "[[0,0],[10,0],[9,1],[0,5],[1,4]]}");
    ASK(index, "index.unique", "{'count': 3}");
    REPLY("unique_ids", "['zero','x1','y1']");
    ASK(index, "index.unique", "{'count': 4}");
    REPLY("unique_ids", "['zero','x1','y1','y2']");
    ASK(index, "index.duplicates", "{'fraction': 0.2}");
    REPLY("duplicate_ids", "['x2']");
    ASK(index, "index.duplicates", "{'threshold': -15}");
    REPLY("duplicate_ids", "['x2','y2']");
    REPLY("distances", "[-90.0,-20.0]");
    rig_stop();
}

static void duplicates_rounding(void)
{
    uint64_t index;

    rig_start();
    index = rig_index("euclidean", "");
    /* each number of points is reached by some threshold */
    ASK(index, "index.add", "{'ids': ['a','b','c','d','e','f','g','h','i','j'], "
        "'vectors': [[0],[1],[3],[7],[15],[31],[63],[127],[255],[511]]}");
    ASK(index, "index.duplicates", "{'fraction': 0.29}");
    REPLY("duplicate_ids", "['b','c','d']");
    ASK(index, "index.duplicates", "{'fraction': 0.7}");
    CU_ASSERT_EQUAL(json_array_size(json_object_get(rig_reply, "duplicate_ids")), 7);
    rig_stop();
}

static const unit_case cases[] = {
    UNIT_CASE(huge_k, "R88 k may be as large as an int64"),
    UNIT_CASE(duplicates_identical, "R271 points that are the same: threshold 0, fractions 0 and 1"),
    UNIT_CASE(duplicates_dotproduct, "R271 duplicates by inner product, from a first point of zero"),
    UNIT_CASE(duplicates_rounding, "R271 a fraction of the points is rounded to the nearest count"),
};

UNIT_MAIN("index_search", cases)
