/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "points_search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"

#define DIMENSION 7

/* A collection with points in it, and what is known of it. */
typedef struct world {
    conf_rig rig;
    char *name;
    json_t *ids, *vectors;
    conf_truth truth;
} world;

static const char *first_metric(const conf_rig *rig)
{
    return json_string_value(json_array_get(json_object_get(rig->describe, "metrics"), 0));
}

/* ids and vectors are taken; 0 after failing. */
static int world_fill(world *w, const char *metric, json_t *ids, json_t *vectors, json_t *declared,
                      json_t *fields)
{
    w->ids = ids;
    w->vectors = vectors;
    w->truth.metric = metric ? metric : first_metric(&w->rig);
    w->truth.ids = ids;
    w->truth.vectors = vectors;
    w->name = conf_create(&w->rig, w->truth.metric,
                          (int64_t)json_array_size(json_array_get(vectors, 0)), declared);
    if (w->name)
        return conf_upsert(&w->rig, w->name, json_incref(ids), json_incref(vectors), fields);
    json_decref(fields);
    return 0;
}

static void world_empty(world *w)
{
    free(w->name);
    json_decref(w->ids);
    json_decref(w->vectors);
    w->name = NULL;
    w->ids = w->vectors = NULL;
}

static json_t *search_body(const world *w, json_t *queries, int64_t k)
{
    return json_pack("{s:s, s:o, s:I}", "collection", w->name, "vectors", queries, "k",
                     (json_int_t)k);
}

static void search_one(world *w, const json_t *query, int64_t k, conf_found *found)
{
    conf_answer answer;

    if (conf_ok(&w->rig, "search", search_body(w, json_pack("[O]", query), k), &answer))
        conf_hits_check(&w->rig, answer.body, 0, query, &w->truth, (size_t)k, 0, found);
    conf_answer_clear(&answer);
}

void conf_points_search(conf_run *run)
{
    json_t *queries = conf_vectors(12, 4, DIMENSION), *metric, *query;
    conf_found found = {0, 0};
    world w = {.name = NULL};
    size_t i, j;

    if (conf_rig_open(&w.rig, run))
        json_array_foreach(json_object_get(w.rig.describe, "metrics"), i, metric) {
            const char *text = json_string_value(metric);

            if (!isnan(
                    conf_distance(text, json_array_get(queries, 0), json_array_get(queries, 1))) &&
                world_fill(&w, text, conf_ids("p", 0, 30), conf_vectors(11, 30, DIMENSION), NULL,
                           NULL))
                json_array_foreach(queries, j, query)
                    search_one(&w, query, conf_k(&w.rig, 1 + 3 * (int64_t)j), &found);
            world_empty(&w);
        }
    if (w.rig.instance)
        conf_found_check(&w.rig, &found);
    json_decref(queries);
    conf_rig_close(&w.rig);
}

/* How many hits come; whether they are right is said elsewhere. */
void conf_points_k(conf_run *run)
{
    static const int64_t asked[] = {1, 3, 6, 11};
    world w = {.name = NULL};

    if (!conf_rig_open(&w.rig, run) ||
        !world_fill(&w, NULL, conf_ids("k", 0, 6), conf_vectors(13, 6, DIMENSION), NULL, NULL))
        goto out;
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        int64_t k = conf_k(&w.rig, asked[i]);
        size_t begin, end, expected = k < 6 ? (size_t)k : 6;
        conf_answer answer;

        if (conf_ok(&w.rig, "search", search_body(&w, conf_vectors(14, 1, DIMENSION), k),
                    &answer) &&
            conf_hits_range(&w.rig, answer.body, 0, &begin, &end) && end - begin != expected)
            conf_fail(run,
                      "a search with k %lld among 6 points has %zu hits, not %zu: fewer than k "
                      "come only when there are no more (docs/protocol.md, search)",
                      (long long)k, end - begin, expected);
        conf_answer_clear(&answer);
    }
out:
    world_empty(&w);
    conf_rig_close(&w.rig);
}

void conf_points_queries(conf_run *run)
{
    json_t *queries = conf_vectors(16, 5, DIMENSION), *query;
    conf_found found = {0, 0};
    conf_answer answer = {0};
    world w = {.name = NULL};
    size_t i, k;

    if (!conf_rig_open(&w.rig, run) ||
        !world_fill(&w, NULL, conf_ids("q", 0, 20), conf_vectors(15, 20, DIMENSION), NULL, NULL) ||
        isnan(
            conf_distance(w.truth.metric, json_array_get(queries, 0), json_array_get(queries, 1))))
        goto out;
    k = (size_t)conf_k(&w.rig, 3);
    if (conf_ok(&w.rig, "search", search_body(&w, json_incref(queries), (int64_t)k), &answer)) {
        if (json_array_size(json_object_get(answer.body, "offsets")) != 6)
            conf_fail(run, "a search with 5 queries answers %zu offsets, not 6",
                      json_array_size(json_object_get(answer.body, "offsets")));
        json_array_foreach(queries, i, query)
            conf_hits_check(&w.rig, answer.body, i, query, &w.truth, k, 0, &found);
        conf_found_check(&w.rig, &found);
    }
out:
    conf_answer_clear(&answer);
    world_empty(&w);
    json_decref(queries);
    conf_rig_close(&w.rig);
}

static json_t *with_zero(json_t *vectors, size_t row)
{
    json_t *zero = json_array();

    for (size_t i = 0; i < json_array_size(json_array_get(vectors, 0)); i++)
        json_array_append_new(zero, json_real(0));
    json_array_set_new(vectors, row, zero);
    return vectors;
}

/* As a point, and as the query. */
void conf_points_zero(conf_run *run)
{
    world w = {.name = NULL};
    json_t *queries = with_zero(conf_vectors(18, 2, DIMENSION), 1);
    size_t begin, end;

    if (!conf_rig_open(&w.rig, run))
        goto out;
    if (!conf_lists(&w.rig, "metrics", "cosine")) {
        conf_skip(run, "the backend has no metric cosine");
        goto out;
    }
    if (!world_fill(&w, "cosine", conf_ids("z", 0, 4), with_zero(conf_vectors(17, 4, DIMENSION), 2),
                    NULL, NULL))
        goto out;
    for (size_t q = 0; q < 2; q++) {
        conf_answer answer;
        const json_t *ids, *distances;

        if (conf_ok(&w.rig, "search",
                    search_body(&w, json_pack("[O]", json_array_get(queries, q)),
                                conf_k(&w.rig, 4)),
                    &answer) &&
            conf_hits_range(&w.rig, answer.body, 0, &begin, &end)) {
            ids = json_object_get(answer.body, "ids");
            distances = json_object_get(answer.body, "distances");
            for (size_t i = begin; i < end; i++)
                if ((q || !strcmp(json_string_value(json_array_get(ids, i)), "z002")) &&
                    fabs(json_number_value(json_array_get(distances, i)) - 1) > 1e-4)
                    conf_fail(run,
                              "%s has the cosine distance %.6g; it is 1 (docs/protocol.md, "
                              "Distance)",
                              q ? "a point from a query that is a zero vector" : "a zero vector",
                              json_number_value(json_array_get(distances, i)));
        }
        conf_answer_clear(&answer);
    }
out:
    world_empty(&w);
    json_decref(queries);
    conf_rig_close(&w.rig);
}

void conf_points_ties(conf_run *run)
{
    json_t *vectors = conf_vectors(19, 1, DIMENSION), *met = json_object();
    world w = {.name = NULL};
    conf_answer answer = {0};
    size_t begin, end, i, expected;

    for (i = 0; i < 5; i++)
        json_array_append(vectors, json_array_get(vectors, 0));
    if (!conf_rig_open(&w.rig, run) ||
        !world_fill(&w, NULL, conf_ids("t", 0, 6), json_incref(vectors), NULL, NULL))
        goto out;
    expected = (size_t)conf_k(&w.rig, 6);
    if (conf_ok(&w.rig, "search",
                search_body(&w, conf_vectors(20, 1, DIMENSION), (int64_t)expected), &answer) &&
        conf_hits_range(&w.rig, answer.body, 0, &begin, &end)) {
        for (i = begin; i < end; i++)
            json_object_set_new(met,
                                json_string_value(
                                    json_array_get(json_object_get(answer.body, "ids"), i)),
                                json_true());
        if (end - begin < expected || json_object_size(met) < expected)
            conf_fail(run,
                      "of 6 points with the same vector a search for %zu finds %zu hits, %zu "
                      "different: points that tie are points all the same",
                      expected, end - begin, json_object_size(met));
    }
out:
    conf_answer_clear(&answer);
    world_empty(&w);
    json_decref(vectors);
    json_decref(met);
    conf_rig_close(&w.rig);
}

/* Hit i has the vector and the number of its own id. */
static void with_check(world *w, const json_t *reply)
{
    const json_t *ids = json_object_get(reply, "ids");
    const json_t *numbers = json_object_get(json_object_get(reply, "fields"), "number");
    const json_t *vectors = json_object_get(reply, "vectors");
    size_t i;
    json_t *id;

    json_array_foreach(ids, i, id) {
        long row = strtol(json_string_value(id) + 1, NULL, 10);
        const json_t *own = json_array_get(w->vectors, (size_t)row);

        if (json_array_size(json_array_get(vectors, i)) != DIMENSION ||
            conf_distance("cosine", own, json_array_get(vectors, i)) > 1e-3)
            conf_fail(w->rig.run,
                      "search with with_vectors: hit %zu, \"%s\", comes with another vector than "
                      "its own",
                      i, json_string_value(id));
        if (numbers && json_integer_value(json_array_get(numbers, i)) != 100 + row)
            conf_fail(w->rig.run,
                      "search with fields: hit %zu, \"%s\", comes with another field than its own",
                      i, json_string_value(id));
    }
    if (json_object_get(reply, "fields") && conf_lists(&w->rig, "field_types", "int64") && !numbers)
        conf_fail(w->rig.run, "search with fields [\"number\"] comes without that column");
}

void conf_points_with(conf_run *run)
{
    json_t *numbers = json_array(), *body;
    world w = {.name = NULL};
    conf_answer answer = {0};
    int has_fields = 0;

    for (int i = 0; i < 12; i++)
        json_array_append_new(numbers, json_integer(100 + i));
    if (conf_rig_open(&w.rig, run)) {
        has_fields = conf_lists(&w.rig, "field_types", "int64");
        if (!world_fill(&w, NULL, conf_ids("w", 0, 12), conf_vectors(21, 12, DIMENSION),
                        has_fields ? json_pack("{s:s}", "number", "int64") : NULL,
                        has_fields ? json_pack("{s:O}", "number", numbers) : NULL))
            goto out;
        body = search_body(&w, conf_vectors(22, 2, DIMENSION), conf_k(&w.rig, 5));
        json_object_set_new(body, "with_vectors", json_true());
        if (has_fields)
            json_object_set_new(body, "fields", json_pack("[s]", "number"));
        if (conf_ok(&w.rig, "search", body, &answer))
            with_check(&w, answer.body);
    }
out:
    conf_answer_clear(&answer);
    world_empty(&w);
    json_decref(numbers);
    conf_rig_close(&w.rig);
}
