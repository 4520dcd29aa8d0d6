/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "contract.h"

/* of vectors that come back "rounded", relative to their norm, and of floats in such fields */
#define ROUNDING 1e-6
#define FLOAT_ROUNDING 1e-15

int agreement_open(agreement *a, conf_run *run, const json_t *create)
{
    memset(a, 0, sizeof *a);
    a->metric = json_string_value(json_object_get(create, "metric"));
    return pair_open(&a->p, run, create);
}

void agreement_close(agreement *a)
{
    const conf_target *target = a->p.target;

    if (target->approximate && (double)a->found < target->recall * (double)a->there)
        conf_fail(a->p.run, "%zu of %zu hits were right, less than %g", a->found, a->there,
                  target->recall);
    json_decref(a->points);
    a->points = NULL;
    pair_close(&a->p);
}

const json_t *agreement_points(agreement *a)
{
    json_t *body = json_pack("{s:b, s:b}", "vectors", 1, "fields", 1), *points = NULL;

    if (!a->points) {
        a->points = json_object();
        if (pair_scan_one(&a->p, a->p.flat, "flat", body, &points)) {
            json_decref(a->points);
            a->points = points;
        } else {
            json_decref(points);
        }
    }
    json_decref(body);
    return a->points;
}

/* ---- values ---------------------------------------------------------------------------------- */

static double norm_of(const json_t *vector)
{
    double sum = 0;
    json_t *one;
    size_t i;

    json_array_foreach(vector, i, one)
        sum += number_of(one) * number_of(one);
    return sqrt(sum);
}

/* As describe says that vectors come back; the metric may be one that keeps directions only. */
static int vectors_agree(const agreement *a, const json_t *x, const json_t *y)
{
    const char *kept = json_string_value(json_object_get(a->p.target->describe, "vectors"));
    double nx = norm_of(x), ny = norm_of(y), scale = 1, most;

    if (json_array_size(x) != json_array_size(y))
        return 0;
    if (!kept || !strcmp(kept, "exact"))
        most = 0;
    else
        most = ROUNDING;
    if (kept && !strcmp(kept, "normalised") && nx > 0 && ny > 0)
        scale = ny / nx;
    for (size_t i = 0; i < json_array_size(x); i++) {
        double one = number_of(json_array_get(x, i)) * scale,
               other = number_of(json_array_get(y, i));
        if (!(fabs(one - other) <= most * (ny > 0 ? ny : 1)))
            return 0;
    }
    return 1;
}

static int values_agree(const agreement *a, const json_t *x, const json_t *y)
{
    int rounds = json_is_true(json_object_get(a->p.target->describe, "rounds_floats"));

    if (rounds && json_is_real(x) && json_is_real(y))
        return fabs(number_of(x) - number_of(y)) <= FLOAT_ROUNDING * fabs(number_of(y));
    return json_equal(x, y) || (json_is_null(x) && !y) || (json_is_null(y) && !x);
}

static int texts_disagree(agreement *a, const char *what, const json_t *x, const json_t *y)
{
    char *one = x ? json_dumps(x, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    char *other = y ? json_dumps(y, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;

    conf_fail(a->p.run, "%s: %.700s, on flat %.700s", what, one ? one : "nothing",
              other ? other : "nothing");
    free(one);
    free(other);
    return 0;
}

static int key_agrees(agreement *a, const char *method, const char *key)
{
    const json_t *x = json_object_get(a->p.answer.reply, key);
    const json_t *y = json_object_get(a->p.truth.reply, key);
    char what[100];

    if (json_equal(x, y) || (!x && !y))
        return 1;
    snprintf(what, sizeof what, "%s: %s", method, key);
    return texts_disagree(a, what, x, y);
}

static int compare_texts(const void *x, const void *y)
{
    const json_t *const *one = x, *const *other = y;

    return strcmp(json_string_value(*one), json_string_value(*other));
}

/* The same ids in some order. */
static int set_agrees(agreement *a, const char *method, const char *key)
{
    json_t *lists[2] = {json_object_get(a->p.answer.reply, key),
                        json_object_get(a->p.truth.reply, key)};
    size_t size = json_array_size(lists[0]);
    const json_t **sorted[2] = {NULL, NULL};
    char what[100];
    int same = size == json_array_size(lists[1]);

    for (int side = 0; same && side < 2; side++) {
        sorted[side] = calloc(size + 1, sizeof *sorted[side]);
        if (!sorted[side])
            abort();
        for (size_t i = 0; i < size; i++)
            sorted[side][i] = json_array_get(lists[side], i);
        qsort((void *)sorted[side], size, sizeof *sorted[side], compare_texts);
    }
    for (size_t i = 0; same && i < size; i++)
        same = json_equal(sorted[0][i], sorted[1][i]);
    free((void *)sorted[0]);
    free((void *)sorted[1]);
    snprintf(what, sizeof what, "%s: %s", method, key);
    return same ? 1 : texts_disagree(a, what, lists[0], lists[1]);
}

/* ---- writes ---------------------------------------------------------------------------------- */

/* A backend that cannot know how many points it replaced counts all of them as added. */
static int added_agrees(agreement *a)
{
    const json_t *updated = json_object_get(a->p.answer.reply, "updated");
    json_int_t there;

    if (json_is_integer(updated) ||
        json_is_true(json_object_get(a->p.target->describe, "counts_replaced")))
        return key_agrees(a, "index.add", "added") && key_agrees(a, "index.add", "updated");
    there = json_integer_value(json_object_get(a->p.truth.reply, "added")) +
            json_integer_value(json_object_get(a->p.truth.reply, "updated"));
    if (json_integer_value(json_object_get(a->p.answer.reply, "added")) == there)
        return 1;
    return texts_disagree(a, "index.add: added, without updated ones",
                          json_object_get(a->p.answer.reply, "added"), a->p.truth.reply);
}

int agreement_write(agreement *a, const char *method, const json_t *body)
{
    json_decref(a->points);
    a->points = NULL;
    if (!pair_ask(&a->p, method, body))
        return 0;
    if (!strcmp(method, "index.add"))
        return added_agrees(a) && key_agrees(a, method, "skipped") &&
               set_agrees(a, method, "existing");
    if (!strcmp(method, "index.remove"))
        return key_agrees(a, method, "removed") && set_agrees(a, method, "missing");
    return key_agrees(a, method, "updated") && set_agrees(a, method, "missing");
}

/* ---- reads ----------------------------------------------------------------------------------- */

/* The column's value at i, NULL where there is no such column. */
static const json_t *field_at(const json_t *reply, const char *name, size_t i)
{
    return json_array_get(json_object_get(json_object_get(reply, "fields"), name), i);
}

static int row_agrees(agreement *a, size_t i)
{
    const json_t *answer = a->p.answer.reply, *truth = a->p.truth.reply;
    const char *id = json_string_value(json_array_get(json_object_get(truth, "ids"), i)), *name;
    json_t *column;
    char what[400];

    if (!vectors_agree(a, json_array_get(json_object_get(answer, "vectors"), i),
                       json_array_get(json_object_get(truth, "vectors"), i))) {
        snprintf(what, sizeof what, "the vector of \"%s\"", id);
        return texts_disagree(a, what, json_array_get(json_object_get(answer, "vectors"), i),
                              json_array_get(json_object_get(truth, "vectors"), i));
    }
    for (int side = 0; side < 2; side++)
        json_object_foreach(json_object_get(side ? answer : truth, "fields"), name, column)
            if (!values_agree(a, field_at(answer, name, i), field_at(truth, name, i))) {
                snprintf(what, sizeof what, "the field %.60s of \"%s\"", name, id);
                return texts_disagree(a, what, field_at(answer, name, i), field_at(truth, name, i));
            }
    return 1;
}

int agreement_get(agreement *a, const json_t *body)
{
    size_t rows;

    if (!pair_ask(&a->p, "index.get", body))
        return 0;
    if (!key_agrees(a, "index.get", "ids") || !key_agrees(a, "index.get", "missing"))
        return 0;
    rows = json_array_size(json_object_get(a->p.truth.reply, "ids"));
    for (size_t i = 0; i < rows; i++)
        if (!row_agrees(a, i))
            return 0;
    return 1;
}

static int points_agree(agreement *a, const json_t *points, const json_t *truth)
{
    const char *id, *name;
    json_t *point, *value;
    char what[400];

    json_object_foreach((json_t *)(uintptr_t)points, id, point)
        if (!json_object_get(truth, id)) {
            conf_fail(a->p.run, "a scan has \"%s\", which is not there", id);
            return 0;
        }
    json_object_foreach((json_t *)(uintptr_t)truth, id, point) {
        const json_t *mine = json_object_get(points, id);
        const json_t *fields = json_object_get(mine, "fields");
        if (!mine) {
            conf_fail(a->p.run, "a scan lacks \"%s\"", id);
            return 0;
        }
        snprintf(what, sizeof what, "in a scan, the vector of \"%s\"", id);
        if (!vectors_agree(a, json_object_get(mine, "vector"), json_object_get(point, "vector")))
            return texts_disagree(a, what, json_object_get(mine, "vector"),
                                  json_object_get(point, "vector"));
        snprintf(what, sizeof what, "in a scan, the fields of \"%s\"", id);
        json_object_foreach(json_object_get(point, "fields"), name, value)
            if (!values_agree(a, json_object_get(fields, name), value))
                return texts_disagree(a, what, fields, json_object_get(point, "fields"));
        if (json_object_size(fields) != json_object_size(json_object_get(point, "fields")))
            return texts_disagree(a, what, fields, json_object_get(point, "fields"));
    }
    return 1;
}

int agreement_all(agreement *a, int max_rows)
{
    json_t *body = json_pack("{s:b, s:b, s:i}", "vectors", 1, "fields", 1, "max_rows", max_rows);
    json_t *points = NULL, *nothing = json_object();
    int ok = pair_ask(&a->p, "index.size", nothing) && key_agrees(a, "index.size", "size") &&
             pair_scan_one(&a->p, a->p.index, a->p.target->name, body, &points) &&
             points_agree(a, points, agreement_points(a));

    json_decref(points);
    json_decref(nothing);
    json_decref(body);
    return ok;
}

/* ---- hits ------------------------------------------------------------------------------------ */

/* One query's list of a reply. */
typedef struct hit_list {
    const json_t *ids, *distances;
    size_t begin, end;
} hit_list;

static hit_list list_of(const json_t *reply, size_t query)
{
    const json_t *offsets = json_object_get(reply, "offsets");

    return (hit_list){json_object_get(reply, "ids"), json_object_get(reply, "distances"),
                      (size_t)json_integer_value(json_array_get(offsets, query)),
                      (size_t)json_integer_value(json_array_get(offsets, query + 1))};
}

static const char *id_at(const hit_list *list, size_t i)
{
    const char *id = json_string_value(json_array_get(list->ids, list->begin + i));

    return id ? id : "?";
}

static double distance_at(const hit_list *list, size_t i)
{
    return number_of(json_array_get(list->distances, list->begin + i));
}

/* How far a distance may be off: docs/protocol.md */
static double tolerance_of(agreement *a, double query_norm, const char *id)
{
    double norm = norm_of(json_object_get(json_object_get(agreement_points(a), id), "vector"));
    double scale = !strcmp(a->metric, "cosine")       ? 1
                   : !strcmp(a->metric, "dotproduct") ? norm * query_norm
                                                      : norm + query_norm;

    return CONTRACT_TOLERANCE * scale + 1e-6;
}

/*
 * mine against truth, which has every point in order. limit: a greatest distance; most: of hits.
 * Points that tie, or are as near to the limit as the tolerance, may be on either side.
 */
static int list_agrees(agreement *a, const hit_list *mine, const hit_list *truth, double query_norm,
                       double limit, size_t most)
{
    size_t size = mine->end - mine->begin, all = truth->end - truth->begin, must = 0, may = 0;
    json_t *places = json_object(), *place;
    int ok = 1;

    for (size_t i = 0; i < all; i++) {
        double tolerance = tolerance_of(a, query_norm, id_at(truth, i));
        must += distance_at(truth, i) <= limit - tolerance;
        may += distance_at(truth, i) <= limit + tolerance;
        json_object_set_new(places, id_at(truth, i), json_integer((json_int_t)i));
    }
    must = must < most ? must : most;
    may = may < most ? may : most;
    if (size > may || (size < must && !a->p.target->approximate)) {
        conf_fail(a->p.run, "there are %zu hits, not %zu", size, must);
        ok = 0;
    }
    a->there += must;
    for (size_t i = 0; ok && i < size; i++) {
        double tolerance = tolerance_of(a, query_norm, id_at(mine, i)), distance, there;
        place = json_object_get(places, id_at(mine, i));
        if (!place) {
            conf_fail(a->p.run, "hit %zu, \"%s\", is no point of the index, or comes twice", i,
                      id_at(mine, i));
            ok = 0;
            break;
        }
        distance = distance_at(truth, (size_t)json_integer_value(place));
        there = distance_at(truth, i);
        if (!(fabs(distance_at(mine, i) - distance) <= tolerance)) {
            conf_fail(a->p.run, "the distance of \"%s\" is %.9g, on flat %.9g", id_at(mine, i),
                      distance_at(mine, i), distance);
            ok = 0;
        } else if (fabs(distance - there) <= 2 * tolerance) {
            a->found++;
        } else if (!a->p.target->approximate) {
            conf_fail(a->p.run, "hit %zu is \"%s\" at %.9g, on flat \"%s\" at %.9g", i,
                      id_at(mine, i), distance, id_at(truth, i), there);
            ok = 0;
        }
        json_object_del(places, id_at(mine, i));
    }
    json_decref(places);
    return ok;
}

static double query_norm_of(agreement *a, const json_t *body, size_t query)
{
    const json_t *ids = json_object_get(body, "ids");
    const char *id = json_string_value(json_array_get(ids, query));
    const json_t *vectors = json_object_get(body, "vectors");

    if (ids)
        return norm_of(json_object_get(json_object_get(agreement_points(a), id), "vector"));
    return norm_of(json_array_get(vectors, query));
}

/* The same question to flat, for all there is. */
static json_t *question_of_all(const json_t *body)
{
    json_t *all = json_copy((json_t *)(uintptr_t)body);

    json_object_del(all, "max_distance");
    json_object_del(all, "radius");
    json_object_del(all, "limit");
    json_object_set_new(all, "k", json_integer(1000000));
    return all;
}

int agreement_search(agreement *a, const char *method, const json_t *body)
{
    const json_t *limit = json_object_get(body, "radius"), *most = json_object_get(body, "k");
    json_t *all = question_of_all(body);
    const json_t *offsets;
    size_t queries;
    int ok = 1;

    if (!limit)
        limit = json_object_get(body, "max_distance");
    if (!strcmp(method, "index.radius"))
        most = json_object_get(body, "limit");
    conf_asks(a->p.run, method, body);
    core_call(a->p.flat, "index.search", all, 0, &a->p.truth);
    core_call(a->p.index, method, body, a->p.as_columns, &a->p.answer);
    json_decref(all);
    if (!pair_codes_agree(&a->p, method))
        return 0;
    offsets = json_object_get(a->p.truth.reply, "offsets");
    queries = json_array_size(offsets) - 1;
    if (json_array_size(json_object_get(a->p.answer.reply, "offsets")) != json_array_size(offsets))
        return texts_disagree(a, "offsets", json_object_get(a->p.answer.reply, "offsets"), offsets);
    for (size_t q = 0; ok && q < queries; q++) {
        hit_list mine = list_of(a->p.answer.reply, q), truth = list_of(a->p.truth.reply, q);
        ok = list_agrees(a, &mine, &truth, query_norm_of(a, body, q),
                         limit ? number_of(limit) : INFINITY,
                         most ? (size_t)json_integer_value(most) : SIZE_MAX);
    }
    return ok;
}
