/* SPDX-License-Identifier: Apache-2.0 */
/* The flat backend's searches and views, against everything computed in double. */
#include "config.h"

#include "distance.h"
#include "flat_rig.h"

#define ROWS 700
#define DIMENSION 19
#define QUERIES 5

static const char *const metrics[] = {
    "cosine",      "dotproduct",  "euclidean", "manhattan",  "chebyshev",
    "sqeuclidean", "correlation", "canberra",  "braycurtis",
};

#define METRICS (sizeof metrics / sizeof metrics[0])

/* Rows p0, p1, ... of which every seventh was taken away again. */
typedef struct fixture {
    flat_rig rig;
    float rows[ROWS][DIMENSION];
    float queries[QUERIES][DIMENSION];
    int gone[ROWS];
} fixture;

static int is_page(uint64_t row)
{
    return row % 10 == 3;
}

static void fixture_open(fixture *f, const char *metric)
{
    question *ask;
    char *words;
    int64_t *pages;
    sp_column column = {.type = SP_INT64, .count = ROWS};

    rig_open(&f->rig);
    make(&f->rig, "c", DIMENSION, metric);
    fill(f->rows[0], ROWS * DIMENSION, 3);
    fill(f->queries[0], QUERIES * DIMENSION, 4);
    memset(f->rows[5], 0, sizeof f->rows[5]);
    memset(f->queries[3], 0, sizeof f->queries[3]);
    memcpy(f->queries[4], f->rows[9], sizeof f->queries[4]);
    memcpy(f->rows[11], f->rows[9], sizeof f->rows[11]);
    add(&f->rig, "c", 0, f->rows[0], ROWS, DIMENSION);
    ask = ask_new(&f->rig, "c");
    words = memory(ask, ROWS * 12, 1);
    pages = memory(ask, ROWS, 8);
    for (uint64_t i = 0; i < ROWS; i++) {
        sprintf(words + strlen(words), "%sp%d", i ? " " : "", (int)i);
        pages[i] = is_page(i);
        f->gone[i] = i % 7 == 0;
    }
    column.values = pages;
    with_ids(ask, words);
    with_fields(ask, 1);
    with_field(ask, "page", column);
    ask_expect(ask, "points.set_fields", SIMPLUGIN_OK);
    ask_free(ask);
    ask = ask_new(&f->rig, "c");
    words = memory(ask, ROWS * 12, 1);
    for (uint64_t i = 0; i < ROWS; i += 7)
        sprintf(words + strlen(words), "%sp%d", i ? " " : "", (int)i);
    with_ids(ask, words);
    ask_expect(ask, "points.delete", SIMPLUGIN_OK);
    ask_free(ask);
}

/* Checks the hits of one query: as many as there should be, in order, with true distances. */
static void hits_check(fixture *f, question *ask, const char *ids, uint64_t query,
                       const float *vector, const char *metric, uint64_t k, double limit,
                       int reverse, int (*lets)(uint64_t row), uint64_t self)
{
    const int64_t *offsets = get_int64s(ask, "offsets");
    const float *distances = get_floats(ask, "distances");
    const float *scores = get_floats(ask, "scores");
    sp_column column = get_column(ask, &ask->map, ids);
    int metric_id = sp_metric_named(metric);
    double truth[ROWS], best[ROWS];
    uint64_t count = 0, expected;
    int seen[ROWS] = {0};

    sp_distances(metric_id, vector, f->rows[0], DIMENSION, ROWS, DIMENSION, truth);
    for (uint64_t i = 0; i < ROWS; i++)
        if (!f->gone[i] && i != self && (!lets || lets(i)) &&
            (float)truth[i] <= (float)limit) {
            uint64_t at = count++;

            for (; at && (reverse ? best[at - 1] < truth[i] : best[at - 1] > truth[i]); at--)
                best[at] = best[at - 1];
            best[at] = truth[i];
        }
    expected = count < k ? count : k;
    CU_ASSERT_EQUAL((uint64_t)(offsets[query + 1] - offsets[query]), expected);
    if ((uint64_t)(offsets[query + 1] - offsets[query]) != expected)
        return;
    for (uint64_t i = 0; i < expected; i++) {
        uint64_t at = (uint64_t)offsets[query] + i;
        uint64_t row = strtoull(sp_column_text(&column, at).data + 1, NULL, 10);
        int right = row < ROWS && !f->gone[row] && row != self && !seen[row] &&
                    (!lets || lets(row)) &&
                    fabs(truth[row] - (double)distances[at]) <= 1e-5 * (1 + fabs(truth[row])) &&
                    fabs(best[i] - truth[row]) <= 1e-9 * (1 + fabs(best[i])) &&
                    fabs((double)scores[at] - sp_distance_score(metric_id, truth[row])) <=
                        1e-5 * (1 + fabs(truth[row]));

        CU_ASSERT_TRUE(right);
        if (!right) {
            printf("\n    %s: query %d, hit %d: p%d at %g (%g), not %g\n", metric, (int)query,
                   (int)i, (int)row, (double)distances[at], truth[row % ROWS], best[i]);
            return;
        }
        seen[row] = 1;
    }
}

static void searches(void)
{
    static fixture f;

    for (size_t m = 0; m < METRICS; m++) {
        fixture_open(&f, metrics[m]);
        for (int mode = 0; mode < 12; mode++) {
            question *ask = ask_new(&f.rig, "c");
            int reverse = mode % 2, filter = mode / 2 % 2;
            uint64_t k = (const uint64_t[]){1, 10, 5000}[mode / 4];

            with_vectors(ask, f.queries[0], QUERIES, DIMENSION);
            with_int(ask, "k", (int64_t)k);
            with_bool(ask, "reverse", reverse);
            if (filter)
                with_filter(ask, "page == 1");
            if (mode % 3 == 0) {
                key(ask, "parameters");
                simplugin_write_map(&ask->writer, 1);
                simplugin_write_string(&ask->writer, "scan");
                simplugin_write_string(&ask->writer, mode % 2 ? "float32" : "auto");
            }
            ask_expect(ask, "search", SIMPLUGIN_OK);
            for (uint64_t q = 0; q < QUERIES; q++)
                hits_check(&f, ask, "ids", q, f.queries[q], metrics[m], k, INFINITY, reverse,
                           filter ? is_page : NULL, UINT64_MAX);
            ask_free(ask);
        }
        rig_close(&f.rig);
    }
}

static void radius(void)
{
    static fixture f;
    double truth[ROWS];

    for (size_t m = 0; m < METRICS; m++) {
        double limit;

        fixture_open(&f, metrics[m]);
        sp_distances(sp_metric_named(metrics[m]), f.queries[0], f.rows[0], DIMENSION, ROWS,
                     DIMENSION, truth);
        limit = truth[100];
        for (int mode = 0; mode < 4; mode++) {
            question *ask = ask_new(&f.rig, "c");

            with_vectors(ask, f.queries[0], QUERIES, DIMENSION);
            with_double(ask, mode < 2 ? "radius" : "max_distance", limit);
            if (mode % 2)
                with_int(ask, mode < 2 ? "limit" : "k", 6);
            ask_expect(ask, mode < 2 ? "search.radius" : "search", SIMPLUGIN_OK);
            for (uint64_t q = 0; q < QUERIES; q++)
                hits_check(&f, ask, "ids", q, f.queries[q], metrics[m],
                           mode % 2 ? 6 : mode == 2 ? 10 : ROWS, limit, 0, NULL, UINT64_MAX);
            ask_free(ask);
        }
        rig_close(&f.rig);
    }
}

static void hit_columns(void)
{
    static fixture f;
    question *ask;
    const float *vectors;
    simplugin_value fields;
    sp_column ids, page;

    fixture_open(&f, "cosine");
    ask = ask_new(&f.rig, "c");
    with_vectors(ask, f.queries[0], QUERIES, DIMENSION);
    with_names(ask, "fields", "page");
    with_bool(ask, "with_vectors", 1);
    with_int(ask, "k", 20);
    ask_expect(ask, "search", SIMPLUGIN_OK);
    ids = get_column(ask, &ask->map, "ids");
    simplugin_find(&ask->map, "fields", &fields);
    page = get_column(ask, &fields, "page");
    vectors = get_floats(ask, "vectors");
    CU_ASSERT_EQUAL(ids.count, QUERIES * 20);
    CU_ASSERT_EQUAL(page.count, ids.count);
    for (uint64_t i = 0; i < ids.count && i < page.count; i++) {
        uint64_t row = strtoull(sp_column_text(&ids, i).data + 1, NULL, 10);

        CU_ASSERT_EQUAL(memcmp(vectors + i * DIMENSION, f.rows[row], sizeof f.rows[row]), 0);
        CU_ASSERT_EQUAL(((const int64_t *)page.values)[i], is_page(row));
    }
    ask_free(ask);
    rig_close(&f.rig);
}

static void bad_searches(void)
{
    static fixture f;
    static const float bad[DIMENSION] = {NAN};
    question *ask;

    fixture_open(&f, "cosine");
    for (int64_t k = -1; k < 1; k++) {
        ask = ask_new(&f.rig, "c");
        with_vectors(ask, f.queries[0], 1, DIMENSION);
        with_int(ask, "k", k);
        ask_refused(ask, "search", SIMPLUGIN_INVALID_ARGUMENT, "k is an int, 1 at least");
        ask_free(ask);
    }
    ask = ask_new(&f.rig, "c");
    with_vectors(ask, f.queries[0], 1, DIMENSION - 1);
    ask_refused(ask, "search", SIMPLUGIN_DIMENSION_MISMATCH,
                "vectors have 18 dimensions, the collection has 19");
    ask_free(ask);
    ask = ask_new(&f.rig, "c");
    with_vectors(ask, bad, 1, DIMENSION);
    ask_refused(ask, "search", SIMPLUGIN_INVALID_ARGUMENT, "NaN");
    ask_free(ask);
    ask = ask_new(&f.rig, "c");
    with_vectors(ask, f.queries[0], 1, DIMENSION);
    with_double(ask, "max_distance", NAN);
    ask_refused(ask, "search", SIMPLUGIN_INVALID_ARGUMENT, "max_distance is a finite number");
    ask_free(ask);
    ask = ask_new(&f.rig, "c");
    with_vectors(ask, f.queries[0], 1, DIMENSION);
    ask_refused(ask, "search.radius", SIMPLUGIN_INVALID_ARGUMENT, "radius is needed");
    ask_free(ask);
    ask = ask_new(&f.rig, "c");
    with_vectors(ask, f.queries[0], 1, DIMENSION);
    with_int(ask, "view", 77);
    ask_refused(ask, "search", SIMPLUGIN_NOT_FOUND, "no view 77");
    ask_free(ask);
    ask = ask_new(&f.rig, "c");
    ask_refused(ask, "search.neighbors", SIMPLUGIN_INVALID_ARGUMENT, "exactly one of k and radius");
    ask_free(ask);
    /* no query, no hits */
    ask = ask_new(&f.rig, "c");
    with_vectors(ask, f.queries[0], 0, DIMENSION);
    ask_expect(ask, "search", SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(get_tensor(ask, "offsets")->rows, 1);
    ask_free(ask);
    rig_close(&f.rig);
}

static void empty(void)
{
    static const float query[3] = {1, 2, 3};
    flat_rig rig;
    question *ask;

    rig_open(&rig);
    make(&rig, "c", 3, "cosine");
    ask = ask_new(&rig, "c");
    with_vectors(ask, query, 1, 3);
    with_bool(ask, "fields", 1);
    ask_expect(ask, "search", SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(get_int64s(ask, "offsets")[1], 0);
    ask_free(ask);
    ask = ask_new(&rig, "c");
    with_int(ask, "k", 3);
    ask_expect(ask, "search.neighbors", SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(get_tensor(ask, "offsets")->rows, 1);
    ask_free(ask);
    ask = ask_new(&rig, "c");
    ask_expect(ask, "points.scan", SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(get_column(ask, &ask->map, "ids").count, 0);
    ask_free(ask);
    rig_close(&rig);
}

static void neighbors(void)
{
    static fixture f;

    for (int mode = 0; mode < 2; mode++) {
        question *ask;
        sp_column ids;

        fixture_open(&f, "euclidean");
        ask = ask_new(&f.rig, "c");
        if (mode)
            with_double(ask, "radius", 1.9);
        else
            with_int(ask, "k", 4);
        ask_expect(ask, "search.neighbors", SIMPLUGIN_OK);
        ids = get_column(ask, &ask->map, "ids");
        CU_ASSERT_EQUAL(ids.count, ROWS - ROWS / 7);
        for (uint64_t i = 0; i < ids.count; i++) {
            uint64_t row = strtoull(sp_column_text(&ids, i).data + 1, NULL, 10);

            hits_check(&f, ask, "neighbors", i, f.rows[row], "euclidean", mode ? ROWS : 4,
                       mode ? 1.9 : INFINITY, 0, NULL, row);
        }
        ask_free(ask);
        rig_close(&f.rig);
    }
}

/* ---- views --------------------------------------------------------------------------------- */

static int64_t view_make(const flat_rig *rig, const char *ids, int64_t known)
{
    question *ask = ask_new(rig, "c");
    int64_t view;

    with_ids(ask, ids);
    ask_expect(ask, "view.create", SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(get_int(ask, "known"), known);
    view = get_int(ask, "view");
    ask_free(ask);
    return view;
}

static int64_t view_count(const flat_rig *rig, int64_t view, const char *filter)
{
    question *ask = ask_new(rig, "c");
    int64_t count;

    with_int(ask, "view", view);
    if (filter)
        with_filter(ask, filter);
    ask_expect(ask, "points.count", SIMPLUGIN_OK);
    count = get_int(ask, "count");
    ask_free(ask);
    return count;
}

static int is_even(uint64_t row)
{
    return row % 2 == 0;
}

static int is_small(uint64_t row)
{
    return row < 20;
}

static int is_even_page(uint64_t row)
{
    return is_even(row) && is_page(row);
}

static void views(void)
{
    static fixture f;
    static const struct {
        uint64_t step, end;
        int (*lets)(uint64_t row);
    } kinds[] = {{1, 20, is_small}, {2, ROWS + 50, is_even}};
    char *words = calloc(1, ROWS * 16);
    question *ask;
    sp_column ids;

    fixture_open(&f, "cosine");
    /* a few ids are looked up, many are walked along with the collection's */
    for (int kind = 0; kind < 2; kind++) {
        int64_t known = 0, view;

        words[0] = '\0';
        /* backwards, and each twice for a while */
        for (uint64_t i = kinds[kind].end; i-- > 0;) {
            if (i % kinds[kind].step)
                continue;
            sprintf(words + strlen(words), "%sp%d", words[0] ? " " : "", (int)i);
            if (i < 10)
                sprintf(words + strlen(words), " p%d", (int)i);
            known += i < ROWS && !f.gone[i];
        }
        view = view_make(&f.rig, words, known);
        CU_ASSERT_EQUAL(view_count(&f.rig, view, NULL), known);
        for (int filter = 0; filter < 2; filter++) {
            ask = ask_new(&f.rig, "c");
            with_vectors(ask, f.queries[0], QUERIES, DIMENSION);
            with_int(ask, "view", view);
            if (filter)
                with_filter(ask, "page == 1");
            ask_expect(ask, "search", SIMPLUGIN_OK);
            for (uint64_t q = 0; q < QUERIES; q++) {
                int (*lets)(uint64_t row) = kinds[kind].lets;

                if (filter && lets == is_small)
                    continue;
                hits_check(&f, ask, "ids", q, f.queries[q], "cosine", 10, INFINITY, 0,
                           filter ? is_even_page : lets, UINT64_MAX);
            }
            ask_free(ask);
        }
        ask = ask_new(&f.rig, "c");
        with_int(ask, "view", view);
        with_int(ask, "k", 2);
        ask_expect(ask, "search.neighbors", SIMPLUGIN_OK);
        ids = get_column(ask, &ask->map, "ids");
        CU_ASSERT_EQUAL((int64_t)ids.count, known);
        for (uint64_t i = 0; i < ids.count; i++) {
            uint64_t row = strtoull(sp_column_text(&ids, i).data + 1, NULL, 10);

            hits_check(&f, ask, "neighbors", i, f.rows[row], "cosine", 2, INFINITY, 0,
                       kinds[kind].lets, row);
        }
        ask_free(ask);
        /* points that come and go do so in the view as well */
        add(&f.rig, "c", 14, f.rows[14], 1, DIMENSION);
        CU_ASSERT_EQUAL(view_count(&f.rig, view, NULL), known + 1);
        ask = ask_new(&f.rig, "c");
        with_ids(ask, "p14 p2 p3");
        ask_expect(ask, "points.delete", SIMPLUGIN_OK);
        ask_free(ask);
        CU_ASSERT_EQUAL(view_count(&f.rig, view, NULL), known - (kind ? 1 : 2));
        add(&f.rig, "c", 2, f.rows[2], 2, DIMENSION);
        CU_ASSERT_EQUAL(view_count(&f.rig, view, NULL), known);
        ask = ask_new(&f.rig, "c");
        with_int(ask, "view", view);
        ask_expect(ask, "view.drop", SIMPLUGIN_OK);
        ask_free(ask);
        ask = ask_new(&f.rig, "c");
        with_int(ask, "view", view);
        ask_refused(ask, "view.drop", SIMPLUGIN_NOT_FOUND, "no view");
        ask_free(ask);
    }
    free(words);
    rig_close(&f.rig);
}

static void views_and_collections(void)
{
    static const float row[2] = {1, 2};
    flat_rig rig;
    question *ask;
    int64_t view, none;

    rig_open(&rig);
    make(&rig, "c", 2, "cosine");
    make(&rig, "d", 2, "cosine");
    add(&rig, "c", 0, row, 1, 2);
    view = view_make(&rig, "p0 p1", 1);
    none = view_make(&rig, "", 0);
    CU_ASSERT_EQUAL(view_count(&rig, none, NULL), 0);
    ask = ask_new(&rig, "d");
    with_int(ask, "view", view);
    ask_refused(ask, "points.count", SIMPLUGIN_NOT_FOUND, "no view");
    ask_free(ask);
    ask = ask_new(&rig, "c");
    ask_expect(ask, "collection.compact", SIMPLUGIN_OK);
    ask_free(ask);
    CU_ASSERT_EQUAL(view_count(&rig, view, NULL), 1);
    ask = ask_new(&rig, "c");
    ask_expect(ask, "collection.drop", SIMPLUGIN_OK);
    ask_free(ask);
    make(&rig, "c", 2, "cosine");
    ask = ask_new(&rig, "c");
    with_int(ask, "view", view);
    ask_refused(ask, "points.count", SIMPLUGIN_NOT_FOUND, "no view");
    ask_free(ask);
    rig_close(&rig);
}

static const unit_case cases[] = {
    UNIT_CASE(searches, "R83 R88 search is exact for every metric, filter and direction"),
    UNIT_CASE(radius, "radius and max_distance are exact for every metric"),
    UNIT_CASE(hit_columns, "hits come with their vectors and fields"),
    UNIT_CASE(bad_searches, "R87 bad searches are refused by name"),
    UNIT_CASE(empty, "an empty collection answers with nothing"),
    UNIT_CASE(neighbors, "the neighbors of every point, itself left out"),
    UNIT_CASE(views, "R90 R91 views restrict searches, and follow their points"),
    UNIT_CASE(views_and_collections, "views belong to one collection"),
};

UNIT_MAIN("flat plugin searches", cases)
