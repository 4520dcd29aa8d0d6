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
    ASK(index, "index.add", "{'ids': ['o','x1','x2','y1','y2'], 'vectors': "
        "[[0,0],[10,0],[9,1],[0,5],[1,4]]}");
    ASK(index, "index.unique", "{'count': 3}");
    REPLY("unique_ids", "['o','x1','y1']");
    ASK(index, "index.unique", "{'count': 4}");
    REPLY("unique_ids", "['o','x1','y1','y2']");
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

/* ---- relevance -------------------------------------------------------------------------- */

static void relevance(void)
{
    uint64_t index;

    rig_start();
    index = rig_index("cosine", "");
    ASK(index, "index.add", "{'ids': ['x','y','xy','near-x'], 'vectors': "
        "[[1,0],[0,1],[1,1],[1,0.1]]}");
    REFUSED(SIMPLUGIN_INVALID_ARGUMENT, "mmr", index, "index.search",
            "{'vectors': [[1, 0]], 'mmr': {}, 'reverse': true}");
    ASK(index, "index.search", "{'vectors': [[1, 0]], 'mmr': {'lambda': 1}, 'k': 3}");
    REPLY("ids", "['x','near-x','xy']");
    ASK(index, "index.search", "{'vectors': [[1, 0]], 'mmr': {'lambda': 0}, 'k': 2}");
    REPLY("ids", "['x','y']");
    /* relevant is what is near to both queries, not what is near to the first */
    ASK(index, "index.search", "{'vectors': [[1, 0], [0, 1]], 'aggregation': 'post-max', "
        "'mmr': {'lambda': 1}, 'k': 1}");
    REPLY("ids", "['xy']");
    ASK(index, "index.search", "{'vectors': [[1, 0], [0, 1]], 'aggregation': 'post-mean', "
        "'mmr': {'lambda': 1}, 'k': 1}");
    REPLY("ids", "['xy']");
    ASK(index, "index.search", "{'vectors': [[1, 0], [0, 1]], 'aggregation': 'post-min', "
        "'mmr': {'lambda': 1, 'fetch_k': 4}, 'k': 2}");
    REPLY("ids", "['x','y']");
    rig_stop();
}

/* ---- leaving queries out ---------------------------------------------------------------- */

static void self_left_out(void)
{
    uint64_t index;

    rig_start();
    index = line_index();
    ASK(index, "index.search", "{'ids': ['p4', 'p5', 'p4'], 'exclude_self': true, 'k': 2, "
        "'aggregation': 'mean'}");
    REPLY("ids", "['p3','p6']");
    ASK(index, "index.search", "{'ids': ['p4', 'p5'], 'exclude_self': true, 'k': 2, "
        "'aggregation': 'post-min'}");
    REPLY("ids", "['p3','p6']");
    ASK(index, "index.search", "{'ids': ['p4', 'p5'], 'exclude_self': true, 'k': 1}");
    REPLY("ids", "['p3','p4']");
    ASK(index, "index.search", "{'ids': ['p4', 'p5'], 'exclude_self': true, 'k': 1, 'reverse': true, "
        "'aggregation': 'post-max', 'max_distance': 3.5}");
    REPLY("ids", "['p2']");
    rig_stop();
}

/* ---- the end of a call ------------------------------------------------------------------ */

static const char *fire_after;

static int32_t fire(const rig_call *call, int32_t code)
{
    if (fire_after && rig_is(call, fire_after))
        simplugin_cancel_fire(rig_options.cancel);
    return code;
}

static void cancelled(void)
{
    static const struct {
        const char *after; /* the backend's part is over by then: the core has to notice */
        const char *method;
        const char *body;
    } calls[] = {
        {"points.scan", "index.search", "{'vectors': [[0]], 'aggregation': 'post-mean'}"},
        {"points.scan", "index.search", "{'vectors': [[0]], 'k': 9}"},
        {"points.scan", "index.radius", "{'vectors': [[0]], 'radius': 3}"},
        {"points.scan", "index.duplicates", "{'threshold': 1}"},
        {"points.scan", "index.duplicates", "{'fraction': 0.5}"},
        {"points.scan", "index.unique", "{'count': 5}"},
        {"points.scan", "index.neighbors", "{'radius': 3}"},
        {"points.get", "index.search", "{'vectors': [[0]], 'k': 2, 'mmr': {}}"},
    };
    uint64_t index;

    rig_start();
    index = line_index();
    rig_after = fire;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        CU_ASSERT_EQUAL(simplugin_cancel_new(&rig_options.cancel, NULL), SIMPLUGIN_OK);
        fire_after = calls[i].after;
        CU_ASSERT_EQUAL(ask(index, calls[i].method, "%s", calls[i].body), SIMPLUGIN_CANCELLED);
        CU_ASSERT_EQUAL(simplugin_cancel_free(rig_options.cancel), SIMPLUGIN_OK);
    }
    rig_stop();
}

/* ---- a collection that is made anew during a call ---------------------------------------- */

static uint64_t remade;
static const char *remake_before;

/* Between two requests of one call the collection gets another dimension. */
static int remake(const rig_call *call, int32_t *code)
{
    uint64_t index = remade;

    (void)code;
    if (!index || !rig_is(call, remake_before))
        return 0;
    remade = 0;
    CU_ASSERT_EQUAL(ask(index, "index.cleanup", "{}"), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(ask(index, "index.add", "{'ids': ['a', 'b'], 'vectors': [[1], [2]]}"),
                    SIMPLUGIN_OK);
    return 0;
}

static void dimension_changes(void)
{
    static const struct {
        const char *before;
        const char *method;
        const char *body;
    } calls[] = {
        {"points.get", "index.search", "{'ids': ['a', 'b'], 'k': 9}"},
        {"points.get", "index.search", "{'ids': ['a', 'b'], 'k': 2}"},
        {"search", "index.search", "{'vectors': [[1, 0, 0]], 'k': 2}"},
        {"points.scan", "index.search", "{'vectors': [[1, 0, 0]], 'k': 9}"},
        {"points.get", "index.search", "{'vectors': [[1, 0, 0]], 'k': 2, 'mmr': {}}"},
        {"points.get", "index.search", "{'vectors': [[1, 0, 0]], 'k': 2, 'filter': 'not exists x', "
                                       "'with_vectors': true}"},
        {"points.scan", "index.duplicates", "{'threshold': 1}"},
        {"points.scan", "index.neighbors", "{'k': 1}"},
        {"points.scan", "index.get", "{}"},
        {"points.get", "index.get", "{}"},
    };

    rig_start();
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        uint64_t index = rig_index("euclidean", "");
        int32_t code;

        ASK(index, "index.add", "{'ids': ['a', 'b'], 'vectors': [[1, 0, 0], [0, 1, 0]]}");
        remake_before = calls[i].before;
        remade = index;
        rig_before = remake;
        code = ask(index, calls[i].method, "%s", calls[i].body);
        /* which of these depends on the moment; what counts is that no memory is misread */
        CU_ASSERT(code == SIMPLUGIN_OK || code == SIMPLUGIN_DIMENSION_MISMATCH);
        CU_ASSERT_EQUAL(remade, 0);
        rig_before = NULL;
    }
    rig_stop();
}

/* ---- limits ------------------------------------------------------------------------------ */

static int scans;

static int32_t count_scans(const rig_call *call, int32_t code)
{
    scans += rig_is(call, "points.scan");
    return code;
}

static void duplicates_read_once(void)
{
    uint64_t index, view;

    rig_start();
    index = line_index();
    rig_after = count_scans;
    scans = 0;
    ASK(index, "index.unique", "{'count': 4}");
    REPLY("unique_ids", "['p0','p3','p6','p9']");
    CU_ASSERT_EQUAL(scans, 1);
    ASK(index, "view.create", "{'ids': ['p9', 'p8', 'p5', 'p4', 'p0']}");
    view = (uint64_t)reply_int("view");
    ASK(index, "index.duplicates", "{'threshold': 1, 'view': %llu}", (unsigned long long)view);
    REPLY("unique_ids", "['p0','p4','p8']");
    REPLY("neighbor_ids", "['p4','p8']");
    rig_stop();
}

/* The minimal backend lists points as they came; the answer is the same on all backends. */
static void duplicates_in_order(void)
{
    uint64_t index;

    rig_start();
    index = rig_index("euclidean", "");
    ASK(index, "index.add", "{'ids': ['z','m','b','a','bb'], 'vectors': [[1],[5],[1.5],[5.5],[9]]}");
    ASK(index, "index.duplicates", "{'threshold': 1}");
    REPLY("unique_ids", "['a','b','bb']");
    REPLY("duplicate_ids", "['m','z']");
    REPLY("neighbor_ids", "['a','b']");
    REPLY("distances", "[0.5,0.5]");
    rig_stop();
}

static const unit_case cases[] = {
    UNIT_CASE(huge_k, "R88 k may be as large as an int64"),
    UNIT_CASE(duplicates_identical, "R271 points that are the same: threshold 0, fractions 0 and 1"),
    UNIT_CASE(duplicates_dotproduct, "R271 duplicates by inner product, from a first point of zero"),
    UNIT_CASE(duplicates_rounding, "R271 a fraction of the points is rounded to the nearest count"),
    UNIT_CASE(duplicates_read_once, "R271 duplicates read the index or view once"),
    UNIT_CASE(duplicates_in_order, "R271 duplicates are those of the order of ids"),
    UNIT_CASE(relevance, "R272 marginal relevance, to several queries too"),
    UNIT_CASE(self_left_out, "R84 queries by id left out, with and without an aggregation"),
    UNIT_CASE(cancelled, "R274 the core's own work ends when the token fires"),
    UNIT_CASE(dimension_changes, "a collection that is made anew during a call is never misread"),
};

UNIT_MAIN("index_search", cases)
