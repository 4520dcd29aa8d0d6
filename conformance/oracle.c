/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second, slow implementation of the index: tables of points that follow what the cases
 * do, and brute force in double over them.
 *
 *   indexes   handle -> collection         (text keys: handles are 64-bit numbers)
 *   views     handle -> array of ids
 *   tables    collection -> {"metric", "points": {id: {"vector", "sample_id"}}}
 */
#include "config.h"

#include "contract.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct contract_oracle {
    json_t *indexes;
    json_t *views;
    json_t *tables;
    int approximate;
    double recall;
};

contract_oracle *oracle_new(int approximate, double recall)
{
    contract_oracle *oracle = calloc(1, sizeof *oracle);

    if (!oracle)
        abort();
    oracle->indexes = json_object();
    oracle->views = json_object();
    oracle->tables = json_object();
    oracle->approximate = approximate;
    oracle->recall = recall;
    return oracle;
}

void oracle_free(contract_oracle *oracle)
{
    if (!oracle)
        return;
    json_decref(oracle->indexes);
    json_decref(oracle->views);
    json_decref(oracle->tables);
    free(oracle);
}

static const char *handle_key(uint64_t handle, char *text, size_t size)
{
    snprintf(text, size, "%llu", (unsigned long long)handle);
    return text;
}

static json_t *table_of(const contract_oracle *oracle, uint64_t handle)
{
    char key[32];
    const json_t *name = json_object_get(oracle->indexes, handle_key(handle, key, sizeof key));

    return name ? json_object_get(oracle->tables, json_string_value(name)) : NULL;
}

/* ---- learning ------------------------------------------------------------------------------ */

static void learn_index(contract_oracle *oracle, const json_t *reply)
{
    json_t *name = json_object_get(reply, "collection_name"), *table;
    char key[32];
    uint64_t handle = (uint64_t)json_integer_value(json_object_get(reply, "index"));

    if (!name)
        return;
    json_object_set(oracle->indexes, handle_key(handle, key, sizeof key), name);
    table = json_object_get(oracle->tables, json_string_value(name));
    if (!table) {
        table = json_pack("{s:{}}", "points");
        json_object_set_new(oracle->tables, json_string_value(name), table);
    }
    json_object_set(table, "metric", json_object_get(reply, "metric"));
}

static int flag(const json_t *body, const char *key, int otherwise)
{
    const json_t *value = json_object_get(body, key);

    return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

static void learn_add(json_t *points, const json_t *body)
{
    const char *duplicates = json_string_value(json_object_get(body, "duplicates"));
    int first_wins = duplicates && !strcmp(duplicates, "first");
    int overwrite = flag(body, "overwrite", 1);
    json_t *seen = json_object(), *id;
    size_t i;

    json_array_foreach(json_object_get(body, "ids"), i, id) {
        const char *text = json_string_value(id);
        int again = json_object_get(seen, text) != NULL;
        int there = json_object_get(points, text) != NULL && !again;
        json_t *point;

        if ((again && first_wins) || (there && !overwrite))
            continue;
        json_object_set_new(seen, text, json_true());
        point = json_object();
        json_object_set(point, "vector", json_array_get(json_object_get(body, "vectors"), i));
        if (json_object_get(body, "sample_ids"))
            json_object_set(point, "sample_id",
                            json_array_get(json_object_get(body, "sample_ids"), i));
        json_object_set_new(points, text, point);
    }
    json_decref(seen);
}

static int is_member(const json_t *array, const json_t *value)
{
    json_t *one;
    size_t i;

    json_array_foreach(array, i, one)
        if (json_equal(one, value))
            return 1;
    return 0;
}

/* The ids of the points whose sample id, or in an index of samples whose id, is among those given. */
static json_t *ids_of_samples(const json_t *points, const json_t *samples)
{
    json_t *ids = json_array(), *point;
    const char *id;

    json_object_foreach((json_t *)(uintptr_t)points, id, point) {
        json_t *sample = json_object_get(point, "sample_id");

        sample = sample ? json_incref(sample) : json_string(id);
        if (is_member(samples, sample))
            json_array_append_new(ids, json_string(id));
        json_decref(sample);
    }
    return ids;
}

/* Whom a remove or a view names: ids, samples, or, for a filter, what the step says it accepts. */
static json_t *named_ids(const json_t *points, const json_t *body, const json_t *step)
{
    if (json_object_get(body, "ids"))
        return json_incref(json_object_get(body, "ids"));
    if (json_object_get(body, "sample_ids"))
        return ids_of_samples(points, json_object_get(body, "sample_ids"));
    return json_incref(json_object_get(step, "accepts"));
}

void oracle_observe(contract_oracle *oracle, uint64_t target, const char *method,
                    const json_t *body, const json_t *reply, const json_t *step)
{
    json_t *table = table_of(oracle, target), *ids, *id;
    json_t *points = json_object_get(table, "points");
    char key[32];
    size_t i;

    if (!strcmp(method, "index.create") || !strcmp(method, "index.open") ||
        !strcmp(method, "runs.load"))
        learn_index(oracle, reply);
    if (!table)
        return;
    if (!strcmp(method, "index.add"))
        learn_add(points, body);
    if (!strcmp(method, "index.cleanup") ||
        (!strcmp(method, "index.remove") && flag(body, "all", 0)))
        json_object_clear(points);
    if (!strcmp(method, "index.remove") && (ids = named_ids(points, body, step))) {
        json_array_foreach(ids, i, id)
            json_object_del(points, json_string_value(id));
        json_decref(ids);
    }
    if (!strcmp(method, "view.create") && (ids = named_ids(points, body, step))) {
        uint64_t view = (uint64_t)json_integer_value(json_object_get(reply, "view"));
        json_object_set_new(oracle->views, handle_key(view, key, sizeof key), ids);
    }
}

/* ---- distances ------------------------------------------------------------------------------ */

typedef struct vector {
    double *at;
    size_t size;
} vector;

static vector vector_of(const json_t *numbers)
{
    vector v = {NULL, json_array_size(numbers)};

    v.at = calloc(v.size + 1, sizeof *v.at);
    if (!v.at)
        abort();
    for (size_t i = 0; i < v.size; i++) /* what the index holds is float32 */
        v.at[i] = (double)(float)number_of(json_array_get(numbers, i));
    return v;
}

static double dot(vector a, vector b)
{
    double sum = 0;

    for (size_t i = 0; i < a.size; i++)
        sum += a.at[i] * b.at[i];
    return sum;
}

static double cosine_distance(vector a, vector b)
{
    double norms = sqrt(dot(a, a)) * sqrt(dot(b, b));

    return norms > 0 ? 1 - dot(a, b) / norms : 1;
}

static double correlation_distance(vector a, vector b)
{
    vector x = {calloc(a.size + 1, sizeof(double)), a.size};
    vector y = {calloc(b.size + 1, sizeof(double)), b.size};
    double mean_a = 0, mean_b = 0, distance;

    if (!x.at || !y.at)
        abort();
    for (size_t i = 0; i < a.size; i++) {
        mean_a += a.at[i] / (double)a.size;
        mean_b += b.at[i] / (double)b.size;
    }
    for (size_t i = 0; i < a.size; i++) {
        x.at[i] = a.at[i] - mean_a;
        y.at[i] = b.at[i] - mean_b;
    }
    distance = cosine_distance(x, y);
    free(x.at);
    free(y.at);
    return distance;
}

static double distance_between(const char *metric, vector a, vector b)
{
    double squares = 0, sum = 0, largest = 0, canberra = 0, sizes = 0;

    if (!strcmp(metric, "cosine"))
        return cosine_distance(a, b);
    if (!strcmp(metric, "dotproduct"))
        return -dot(a, b);
    if (!strcmp(metric, "correlation"))
        return correlation_distance(a, b);
    for (size_t i = 0; i < a.size; i++) {
        double d = fabs(a.at[i] - b.at[i]), both = fabs(a.at[i]) + fabs(b.at[i]);
        squares += d * d;
        sum += d;
        largest = d > largest ? d : largest;
        canberra += both > 0 ? d / both : 0;
        sizes += fabs(a.at[i] + b.at[i]);
    }
    if (!strcmp(metric, "euclidean"))
        return sqrt(squares);
    if (!strcmp(metric, "sqeuclidean"))
        return squares;
    if (!strcmp(metric, "chebyshev"))
        return largest;
    if (!strcmp(metric, "canberra"))
        return canberra;
    if (!strcmp(metric, "braycurtis"))
        return sizes > 0 ? sum / sizes : 0;
    return !strcmp(metric, "manhattan") ? sum : NAN;
}

/* The scale that the tolerance of a distance is relative to. */
static double distance_scale(const char *metric, vector a, vector b)
{
    double na = sqrt(dot(a, a)), nb = sqrt(dot(b, b));

    if (!strcmp(metric, "cosine") || !strcmp(metric, "correlation"))
        return 1;
    if (!strcmp(metric, "dotproduct"))
        return na * nb;
    if (!strcmp(metric, "sqeuclidean"))
        return (na + nb) * (na + nb);
    return (na + nb) * (!strcmp(metric, "euclidean") ? 1 : sqrt((double)a.size));
}

/* ---- the true order -------------------------------------------------------------------------- */

typedef struct candidate {
    const char *id;
    double distance;
    double tolerance;
} candidate;

typedef struct ranking {
    candidate *all;
    size_t count;
    int reverse;
} ranking;

static int compare_candidates(const void *a, const void *b)
{
    const candidate *x = a, *y = b;

    return x->distance < y->distance ? -1 : x->distance > y->distance;
}

/* How several queries become one distance. */
static double aggregate(const char *how, const double *distances, size_t count)
{
    double sum = 0, least = distances[0], most = distances[0];

    for (size_t i = 0; i < count; i++) {
        sum += distances[i];
        least = distances[i] < least ? distances[i] : least;
        most = distances[i] > most ? distances[i] : most;
    }
    if (!strcmp(how, "post-min"))
        return least;
    return !strcmp(how, "post-max") ? most : sum / (double)count;
}

/* Ranks every allowed point against the queries first to first + count - 1, as one. */
static ranking rank(const char *metric, const json_t *points, const vector *queries, size_t count,
                    const char *how, const json_t *within, const json_t *except, int reverse)
{
    ranking result = {calloc(json_object_size(points) + 1, sizeof(candidate)), 0, reverse};
    double *distances = calloc(count + 1, sizeof *distances);
    const char *id;
    json_t *point, *name;

    if (!result.all || !distances)
        abort();
    json_object_foreach((json_t *)(uintptr_t)points, id, point) {
        candidate *one = &result.all[result.count];
        vector v;

        name = json_string(id);
        if ((within && !is_member(within, name)) || is_member(except, name)) {
            json_decref(name);
            continue;
        }
        json_decref(name);
        v = vector_of(json_object_get(point, "vector"));
        for (size_t i = 0; i < count; i++) {
            double tolerance = CONTRACT_TOLERANCE * distance_scale(metric, queries[i], v);
            distances[i] = distance_between(metric, queries[i], v);
            one->tolerance = tolerance > one->tolerance ? tolerance : one->tolerance;
        }
        one->tolerance += 1e-6;
        one->distance = aggregate(how, distances, count);
        one->id = id;
        result.count++;
        free(v.at);
    }
    free(distances);
    qsort(result.all, result.count, sizeof *result.all, compare_candidates);
    for (size_t i = 0; reverse && i < result.count / 2; i++) {
        candidate swap = result.all[i];
        result.all[i] = result.all[result.count - 1 - i];
        result.all[result.count - 1 - i] = swap;
    }
    return result;
}

static const candidate *find_candidate(const ranking *truth, const char *id)
{
    for (size_t i = 0; id && i < truth->count; i++)
        if (!strcmp(truth->all[i].id, id))
            return &truth->all[i];
    return NULL;
}

static double expected_score(const char *metric, double distance)
{
    if (!strcmp(metric, "cosine"))
        return 1 - distance;
    return !strcmp(metric, "dotproduct") ? -distance : distance;
}

/*
 * The hits from begin to end are right if each has its own true distance, none comes
 * twice, and the distance at each place is the true one of that place: ids that tie may
 * change places.
 */
static int list_check(const ranking *truth, const char *metric, const json_t *reply,
                      const char *ids_key, size_t begin, size_t end, const contract_oracle *oracle,
                      contract_why *why)
{
    const json_t *ids = json_object_get(reply, ids_key);
    const json_t *distances = json_object_get(reply, "distances");
    const json_t *scores = json_object_get(reply, "scores");
    size_t right = 0;

    for (size_t i = begin; i < end; i++) {
        const char *id = json_string_value(json_array_get(ids, i));
        const candidate *mine = find_candidate(truth, id), *place = &truth->all[i - begin];
        double distance = number_of(json_array_get(distances, i));

        if (!mine)
            return why_set(why, "hit %zu: \"%s\" is no candidate", i - begin, id ? id : "?");
        for (size_t j = begin; j < i; j++)
            if (json_equal(json_array_get(ids, j), json_array_get(ids, i)))
                return why_set(why, "\"%s\" comes twice", id);
        if (!(fabs(distance - mine->distance) <= mine->tolerance))
            return why_set(why, "distance of \"%s\" is %.7g, not %.7g", id, distance,
                           mine->distance);
        if (scores && fabs(number_of(json_array_get(scores, i)) -
                           expected_score(metric, mine->distance)) > mine->tolerance)
            return why_set(why, "score of \"%s\" is %.7g, its distance %.7g", id,
                           number_of(json_array_get(scores, i)), mine->distance);
        if (fabs(mine->distance - place->distance) <= 2 * mine->tolerance)
            right++;
        else if (!oracle->approximate)
            return why_set(why, "hit %zu is \"%s\" at %.7g, not \"%s\" at %.7g", i - begin, id,
                           mine->distance, place->id, place->distance);
    }
    if ((double)right < oracle->recall * (double)(end - begin))
        return why_set(why, "only %zu of %zu hits are right", right, end - begin);
    return 1;
}

/* ---- search and radius ------------------------------------------------------------------------ */

typedef struct question {
    const char *metric;
    const json_t *points;
    const json_t *within;
    const json_t *query_ids;
    vector *queries;
    size_t count;
} question;

static void question_clear(question *q)
{
    for (size_t i = 0; i < q->count; i++)
        free(q->queries[i].at);
    free(q->queries);
}

static int question_read(question *q, const contract_oracle *oracle, uint64_t target,
                         const json_t *body, const json_t *options, contract_why *why)
{
    json_t *table = table_of(oracle, target);
    const json_t *vectors = json_object_get(body, "vectors");
    const json_t *view = json_object_get(body, "view");
    char key[32];

    memset(q, 0, sizeof *q);
    if (!table)
        return why_set(why, "the oracle has not seen this index being made");
    q->points = json_object_get(table, "points");
    q->metric = json_string_value(json_object_get(table, "metric"));
    q->within = json_object_get(options, "within");
    if (view)
        q->within = json_object_get(
            oracle->views, handle_key((uint64_t)json_integer_value(view), key, sizeof key));
    if (!q->metric || (view && !q->within))
        return why_set(why, "the oracle does not know the metric or the view");
    q->query_ids = json_object_get(body, "ids");
    q->count = json_array_size(q->query_ids ? q->query_ids : vectors);
    q->queries = calloc(q->count + 1, sizeof *q->queries);
    if (!q->queries)
        abort();
    for (size_t i = 0; i < q->count; i++) {
        const char *id = json_string_value(json_array_get(q->query_ids, i));
        q->queries[i] = vector_of(
            id ? json_object_get(json_object_get(q->points, id), "vector") : json_array_get(vectors, i));
    }
    return 1;
}

static vector mean_of(const vector *queries, size_t count)
{
    vector mean = {calloc(queries[0].size + 1, sizeof(double)), queries[0].size};

    if (!mean.at)
        abort();
    for (size_t q = 0; q < count; q++)
        for (size_t i = 0; i < mean.size; i++)
            mean.at[i] += queries[q].at[i] / (double)count;
    return mean;
}

static double limit_of(const json_t *body, const char *metric)
{
    const json_t *score = json_object_get(body, "min_score");
    const json_t *distance = json_object_get(body, "max_distance");
    double limit = INFINITY, by_score;

    if (json_object_get(body, "radius"))
        distance = json_object_get(body, "radius");
    if (distance)
        limit = number_of(distance);
    if (score) {
        by_score = !strcmp(metric, "cosine")       ? 1 - number_of(score)
                   : !strcmp(metric, "dotproduct") ? -number_of(score)
                                                   : number_of(score);
        limit = by_score < limit ? by_score : limit;
    }
    return limit;
}

static json_t *except_of(const question *q, const json_t *body, size_t first, size_t count)
{
    json_t *except = json_array();

    for (size_t i = first; flag(body, "exclude_self", 0) && i < first + count; i++)
        json_array_append(except, json_array_get(q->query_ids, i));
    return except;
}

static int search_check(const contract_oracle *oracle, uint64_t target, const json_t *body,
                        const json_t *reply, const json_t *options, contract_why *why)
{
    const char *how = json_string_value(json_object_get(body, "aggregation"));
    const json_t *offsets = json_object_get(reply, "offsets");
    const json_t *k_value = json_object_get(body, json_object_get(body, "radius") ? "limit" : "k");
    size_t k = k_value ? (size_t)json_integer_value(k_value)
                       : json_object_get(body, "radius") ? SIZE_MAX : 10;
    size_t lists, first, count;
    question q;
    int ok = question_read(&q, oracle, target, body, options, why);

    lists = how && q.count ? 1 : q.count;
    if (ok && json_array_size(offsets) != lists + 1)
        ok = why_set(why, "offsets has %zu entries, not %zu", json_array_size(offsets), lists + 1);
    for (size_t i = 0; ok && i < lists; i++) {
        size_t begin = (size_t)json_integer_value(json_array_get(offsets, i));
        size_t end = (size_t)json_integer_value(json_array_get(offsets, i + 1)), inside = 0;
        double limit = limit_of(body, q.metric);
        json_t *except;
        vector mean = {NULL, 0};
        ranking truth;

        first = how ? 0 : i;
        count = how ? q.count : 1;
        except = except_of(&q, body, first, count);
        if (how && !strcmp(how, "mean")) {
            mean = mean_of(q.queries, q.count);
            truth = rank(q.metric, q.points, &mean, 1, "mean", q.within, except,
                         flag(body, "reverse", 0));
        } else {
            truth = rank(q.metric, q.points, q.queries + first, count, how ? how : "mean", q.within,
                         except, flag(body, "reverse", 0));
        }
        for (size_t c = 0; c < truth.count; c++)
            if (truth.all[c].distance <= limit)
                truth.all[inside++] = truth.all[c];
        truth.count = inside;
        if (end - begin != (inside < k ? inside : k) &&
            (!oracle->approximate || end - begin > truth.count))
            ok = why_set(why, "query %zu has %zu hits, not %zu", i, end - begin,
                         inside < k ? inside : k);
        ok = ok && list_check(&truth, q.metric, reply, "ids", begin, end, oracle, why);
        free(truth.all);
        free(mean.at);
        json_decref(except);
    }
    question_clear(&q);
    return ok;
}

/* ---- neighbors, duplicates, unique ------------------------------------------------------------- */

static int neighbors_check(const contract_oracle *oracle, uint64_t target, const json_t *body,
                           const json_t *reply, contract_why *why)
{
    question q;
    const json_t *ids = json_object_get(reply, "ids"), *offsets = json_object_get(reply, "offsets");
    size_t k = json_object_get(body, "k")
                   ? (size_t)json_integer_value(json_object_get(body, "k"))
                   : SIZE_MAX;
    double limit = limit_of(body, "euclidean");
    int ok = question_read(&q, oracle, target, body, NULL, why);
    size_t points = q.within ? 0 : json_object_size(q.points), i;
    json_t *one;

    json_array_foreach(q.within, i, one)
        points += json_object_get(q.points, json_string_value(one)) != NULL;
    if (ok && (json_array_size(ids) != points || json_array_size(offsets) != points + 1))
        ok = why_set(why, "%zu ids and %zu offsets for %zu points", json_array_size(ids),
                     json_array_size(offsets), points);
    json_array_foreach(ids, i, one) {
        size_t begin = (size_t)json_integer_value(json_array_get(offsets, i));
        size_t end = (size_t)json_integer_value(json_array_get(offsets, i + 1)), inside = 0;
        const json_t *point = json_object_get(q.points, json_string_value(one));
        json_t *except = json_pack("[O]", one);
        vector v;
        ranking truth;

        if (ok && !point)
            ok = why_set(why, "\"%s\" is not in the index", json_string_value(one));
        if (!ok) {
            json_decref(except);
            break;
        }
        v = vector_of(json_object_get(point, "vector"));
        truth = rank(q.metric, q.points, &v, 1, "mean", q.within, except, 0);
        while (inside < truth.count && truth.all[inside].distance <= limit)
            inside++;
        truth.count = inside;
        if (end - begin != (inside < k ? inside : k))
            ok = why_set(why, "\"%s\" has %zu neighbors, not %zu", json_string_value(one),
                         end - begin, inside < k ? inside : k);
        ok = ok && list_check(&truth, q.metric, reply, "neighbors", begin, end, oracle, why);
        free(truth.all);
        free(v.at);
        json_decref(except);
    }
    question_clear(&q);
    return ok;
}

static double between_ids(const question *q, const json_t *a, const json_t *b, double *tolerance)
{
    vector x = vector_of(json_object_get(json_object_get(q->points, json_string_value(a)), "vector"));
    vector y = vector_of(json_object_get(json_object_get(q->points, json_string_value(b)), "vector"));
    double distance = x.size == y.size && x.size ? distance_between(q->metric, x, y) : NAN;

    *tolerance = CONTRACT_TOLERANCE * distance_scale(q->metric, x, y) + 1e-6;
    free(x.at);
    free(y.at);
    return distance;
}

/* What must hold of any walk: the kept ones are apart, each dropped one is near a kept one. */
static int duplicates_check(const contract_oracle *oracle, uint64_t target, const json_t *body,
                            const json_t *reply, contract_why *why)
{
    const json_t *unique = json_object_get(reply, "unique_ids");
    const json_t *dropped = json_object_get(reply, "duplicate_ids");
    const json_t *neighbors = json_object_get(reply, "neighbor_ids");
    const json_t *distances = json_object_get(reply, "distances");
    const json_t *given = json_object_get(body, "threshold");
    double threshold = number_of(given ? given : json_object_get(reply, "threshold")), tolerance;
    json_int_t count = json_integer_value(json_object_get(body, "count"));
    double share = number_of(json_object_get(body, "fraction"));
    question q;
    int ok = question_read(&q, oracle, target, body, NULL, why);
    size_t points = q.within ? json_array_size(q.within) : json_object_size(q.points), i, j;

    if (ok && json_array_size(unique) + json_array_size(dropped) != points)
        ok = why_set(why, "%zu kept and %zu dropped of %zu", json_array_size(unique),
                     json_array_size(dropped), points);
    if (ok && count && (json_int_t)json_array_size(unique) != count)
        ok = why_set(why, "%zu are unique, not %lld", json_array_size(unique), (long long)count);
    if (ok && share > 0 && fabs((double)json_array_size(dropped) - share * (double)points) > 1)
        ok = why_set(why, "%zu of %zu dropped, not a share of %g", json_array_size(dropped), points,
                     share);
    for (i = 0; ok && i < json_array_size(unique); i++)
        for (j = 0; ok && j < i; j++) {
            double d = between_ids(&q, json_array_get(unique, i), json_array_get(unique, j), &tolerance);
            if (!(d > threshold - tolerance))
                ok = why_set(why, "two kept points are %.7g apart, the threshold is %.7g", d,
                             threshold);
        }
    for (i = 0; ok && neighbors && i < json_array_size(dropped); i++) {
        const json_t *neighbor = json_array_get(neighbors, i);
        double d = between_ids(&q, json_array_get(dropped, i), neighbor, &tolerance);
        if (!is_member(unique, neighbor) || !(d <= threshold + tolerance) ||
            fabs(d - number_of(json_array_get(distances, i))) > tolerance)
            ok = why_set(why, "duplicate \"%s\": neighbor \"%s\" at %.7g is not right",
                         json_string_value(json_array_get(dropped, i)), json_string_value(neighbor),
                         d);
    }
    question_clear(&q);
    return ok;
}

int oracle_check(const contract_oracle *oracle, uint64_t target, const char *method,
                 const json_t *body, const json_t *reply, const json_t *options, contract_why *why)
{
    if (!strcmp(method, "index.search") || !strcmp(method, "index.radius"))
        return search_check(oracle, target, body, reply, options, why);
    if (!strcmp(method, "index.neighbors"))
        return neighbors_check(oracle, target, body, reply, why);
    if (!strcmp(method, "index.duplicates") || !strcmp(method, "index.unique"))
        return duplicates_check(oracle, target, body, reply, why);
    if (!strcmp(method, "index.size")) {
        json_int_t size = (json_int_t)json_object_size(json_object_get(table_of(oracle, target), "points"));
        return size == json_integer_value(json_object_get(reply, "size"))
                   ? 1 : why_set(why, "the size is not %lld", (long long)size);
    }
    return why_set(why, "there is no oracle for %s", method);
}
