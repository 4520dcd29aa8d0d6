/* SPDX-License-Identifier: Apache-2.0 */
/* search.radius and search.neighbors, measured against all distances. */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"
#include "optional.h"
#include "stock.h"

#define QUERIES 4

static int is_late(size_t row) { return row >= 9; }

static int is_even(size_t row) { return row % 2 == 0; }

static int compare(const void *left, const void *right)
{
    const double *a = left, *b = right;

    return *a < *b ? -1 : *a > *b;
}

/*
 * A radius that holds about a third of all pairs, in the widest gap near there: no point is so
 * close to it that rounding decides. NAN where the metric is not known.
 */
static double radius_between(const conf_truth *truth, const json_t *queries)
{
    size_t count = json_array_size(queries) * json_array_size(truth->ids), used = 0, q, i;
    double *all = calloc(count + 1, sizeof *all), best = 0, radius = NAN;
    json_t *query, *vector;

    if (!all)
        abort();
    json_array_foreach(queries, q, query)
        json_array_foreach((json_t *)(uintptr_t)truth->vectors, i, vector)
            all[used++] = conf_distance(truth->metric, query, vector);
    qsort(all, count, sizeof *all, compare);
    for (i = count / 4; i + 1 < count / 2; i++)
        if (all[i + 1] - all[i] > best) {
            best = all[i + 1] - all[i];
            radius = (all[i] + all[i + 1]) / 2;
        }
    free(all);
    return radius;
}

static size_t count_within(const conf_truth *truth, const json_t *query, double radius)
{
    size_t count = 0, i;
    json_t *vector;

    json_array_foreach((json_t *)(uintptr_t)truth->vectors, i, vector)
        count += conf_distance(truth->metric, query, vector) <= radius;
    return count;
}

/* As many hits as expected, fewer where the backend is approximate; and the nearest of the part. */
static void within_check(conf_stock *stock, const json_t *reply, size_t query, const json_t *vector,
                         const conf_truth *part, size_t expected, const char *what,
                         conf_found *found)
{
    int exact = conf_says(&stock->rig, "exact");
    size_t begin, end;

    if (!conf_hits_range(&stock->rig, reply, query, &begin, &end))
        return;
    if (end - begin > expected || (exact && end - begin < expected))
        conf_fail(stock->rig.run, "%s: query %zu has %zu hits; %zu were expected", what, query,
                  end - begin, expected);
    conf_hits_check(&stock->rig, reply, query, vector, part, expected, 0, found);
}

/* ---- search.radius --------------------------------------------------------------------------- */

typedef struct radius_case {
    const char *what;
    const conf_truth *part; /* what the request leaves to be found */
    double radius;
    size_t limit; /* 0: none */
    const char *key;
    json_t *value; /* of that key, taken; NULL: none */
    unsigned int wants;
} radius_case;

static void radius_check(conf_stock *stock, const json_t *queries, const radius_case *one)
{
    json_t *body = conf_stock_body(stock), *query;
    conf_found found = {0, 0};
    conf_answer answer;
    size_t i;

    json_object_set_new(body, "vectors", json_deep_copy(queries));
    json_object_set_new(body, "radius", json_real(one->radius));
    if (one->limit)
        json_object_set_new(body, "limit", json_integer((json_int_t)one->limit));
    if (one->value)
        json_object_set_new(body, one->key, one->value);
    if (one->wants & CONF_WANTS_VECTORS)
        json_object_set_new(body, "with_vectors", json_true());
    if (one->wants & CONF_WANTS_FIELDS)
        json_object_set_new(body, "fields", json_true());
    if (conf_stock_ask(stock, "search.radius", body, QUERIES, one->wants, &answer)) {
        json_array_foreach((json_t *)(uintptr_t)queries, i, query) {
            size_t within = count_within(one->part, query, one->radius);

            within_check(stock, answer.body, i, query, one->part,
                         one->limit && one->limit < within ? one->limit : within, one->what,
                         &found);
        }
        conf_found_check(&stock->rig, &found);
    }
    conf_answer_clear(&answer);
}

/* A view of these ids; 0 after failing. */
static int64_t view_of(conf_stock *stock, const conf_truth *part)
{
    json_t *body = conf_stock_body(stock);
    conf_answer answer;
    int64_t view = 0;

    json_object_set(body, "ids", (json_t *)(uintptr_t)part->ids);
    if (conf_ok(&stock->rig, "view.create", body, &answer))
        view = json_integer_value(json_object_get(answer.body, "view"));
    conf_answer_clear(&answer);
    return view;
}

void conf_optional_radius(conf_run *run)
{
    conf_truth late = {NULL, NULL, NULL}, even = {NULL, NULL, NULL};
    json_t *queries = conf_vectors(45, QUERIES, CONF_STOCK_DIMENSION);
    conf_stock stock;
    double radius, nothing;
    int64_t view;

    if (!conf_stock_begin(&stock, run, "search.radius", NULL))
        goto out;
    radius = radius_between(&stock.truth, queries);
    if (isnan(radius)) {
        conf_skip(run, "its first metric, %s, is none that this program knows", stock.truth.metric);
        goto out;
    }
    nothing = strcmp(stock.truth.metric, "dotproduct") ? 0 : -1e4;
    late = conf_stock_part(&stock, is_late);
    even = conf_stock_part(&stock, is_even);
    radius_check(&stock, queries,
                 &(radius_case){"search.radius", &stock.truth, radius, 0, NULL, NULL,
                                CONF_WANTS_VECTORS | CONF_WANTS_FIELDS});
    radius_check(&stock, queries,
                 &(radius_case){"search.radius with limit 2", &stock.truth, radius, 2, NULL, NULL,
                                0});
    radius_check(&stock, queries,
                 &(radius_case){"search.radius of a radius in which there is nothing",
                                &stock.truth, nothing, 0, NULL, NULL, 0});
    if (stock.has_numbers && conf_lists(&stock.rig, "filters", ">="))
        radius_check(&stock, queries,
                     &(radius_case){"search.radius with the filter number >= 9", &late, radius, 0,
                                    "filter", json_pack("[ssi]", ">=", "number", 9), 0});
    if (conf_serves(&stock.rig, "view.create") && !conf_failed(run) &&
        (view = view_of(&stock, &even)) != 0)
        radius_check(&stock, queries,
                     &(radius_case){"search.radius in a view of every second point", &even, radius,
                                    0, "view", json_integer(view), 0});
out:
    conf_stock_part_clear(&late);
    conf_stock_part_clear(&even);
    json_decref(queries);
    conf_stock_end(&stock);
}

/* ---- search.neighbors ------------------------------------------------------------------------ */

/* The part without one of its points; to be cleared. */
static conf_truth without(const conf_truth *part, size_t row)
{
    conf_truth others = {part->metric, json_copy((json_t *)(uintptr_t)part->ids),
                         json_copy((json_t *)(uintptr_t)part->vectors)};

    json_array_remove((json_t *)(uintptr_t)others.ids, row);
    json_array_remove((json_t *)(uintptr_t)others.vectors, row);
    return others;
}

static size_t row_of(const conf_truth *part, const json_t *id)
{
    size_t row = 0;

    while (row < json_array_size(part->ids) && !json_equal(json_array_get(part->ids, row), id))
        row++;
    return row;
}

/* What the reply says of all points; with k 0 within the radius. */
static void lists_check(conf_stock *stock, const json_t *reply, const conf_truth *part, size_t k,
                        double radius, const char *what)
{
    size_t count = json_array_size(part->ids), i;
    const json_t *ids = json_object_get(reply, "ids");
    /* as a search would have answered, for all points at once */
    json_t *hits = json_pack("{s:O, s:O, s:O}", "offsets", json_object_get(reply, "offsets"), "ids",
                             json_object_get(reply, "neighbors"), "distances",
                             json_object_get(reply, "distances")),
           *seen = json_object(), *id;
    conf_found found = {0, 0};

    json_array_foreach((json_t *)(uintptr_t)ids, i, id) {
        size_t row = row_of(part, id), expected;
        conf_truth others;
        const json_t *vector;

        if (row == count || json_object_get(seen, json_string_value(id))) {
            conf_fail(stock->rig.run, "%s: among \"ids\" is \"%s\", %s", what,
                      json_string_value(id),
                      row == count ? "which is none of the points" : "a second time");
            break;
        }
        json_object_set_new(seen, json_string_value(id), json_true());
        others = without(part, row);
        vector = json_array_get(part->vectors, row);
        expected = k ? k : count_within(&others, vector, radius);
        expected = expected < count - 1 ? expected : count - 1;
        within_check(stock, hits, i, vector, &others, expected, what, &found);
        conf_stock_part_clear(&others);
    }
    if (json_array_size(ids) != count)
        conf_fail(stock->rig.run, "%s tells of %zu points, not of all %zu", what,
                  json_array_size(ids), count);
    conf_found_check(&stock->rig, &found);
    json_decref(hits);
    json_decref(seen);
}

static void neighbors_check(conf_stock *stock, const conf_truth *part, int64_t view, size_t k,
                            double radius, const char *what)
{
    json_t *body = conf_stock_body(stock);
    conf_answer answer;

    json_object_set_new(body, k ? "k" : "radius",
                        k ? json_integer((json_int_t)k) : json_real(radius));
    if (view)
        json_object_set_new(body, "view", json_integer(view));
    if (conf_stock_ask(stock, "search.neighbors", body, json_array_size(part->ids), 0, &answer))
        lists_check(stock, answer.body, part, k, radius, what);
    conf_answer_clear(&answer);
}

void conf_optional_neighbors(conf_run *run)
{
    conf_truth even = {NULL, NULL, NULL};
    conf_stock stock;
    json_t *body;
    double radius;
    int64_t view;

    if (!conf_stock_begin(&stock, run, "search.neighbors", NULL))
        goto out;
    radius = radius_between(&stock.truth, stock.vectors);
    if (isnan(radius)) {
        conf_skip(run, "its first metric, %s, is none that this program knows", stock.truth.metric);
        goto out;
    }
    even = conf_stock_part(&stock, is_even);
    neighbors_check(&stock, &stock.truth, 0, (size_t)conf_k(&stock.rig, 3), 0,
                    "search.neighbors with k");
    neighbors_check(&stock, &stock.truth, 0, 0, radius, "search.neighbors with radius");
    if (conf_serves(&stock.rig, "view.create") && !conf_failed(run) &&
        (view = view_of(&stock, &even)) != 0)
        neighbors_check(&stock, &even, view, (size_t)conf_k(&stock.rig, 3), 0,
                        "search.neighbors in a view");
    body = conf_stock_body(&stock);
    json_object_set_new(body, "k", json_integer(2));
    json_object_set_new(body, "radius", json_real(radius));
    conf_refused(&stock.rig, "search.neighbors", body, "radius", "is given beside k");
out:
    conf_stock_part_clear(&even);
    conf_stock_end(&stock);
}
