/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TOLERANCE 1e-4
/* Of float32 itself, where the scale is nearly zero. */
#define LEAST 1e-6
#define RECALL 0.9

typedef struct sums {
    double dot, a2, b2, squared, manhattan, chebyshev, canberra, above, below, a, b;
    size_t count;
} sums;

static sums sums_of(const json_t *a, const json_t *b)
{
    sums s;
    size_t i;
    json_t *one;

    memset(&s, 0, sizeof s);
    s.count = json_array_size(a);
    json_array_foreach(a, i, one) {
        /* as the backend got them */
        double x = (double)(float)json_number_value(one);
        double y = (double)(float)json_number_value(json_array_get(b, i));
        double apart = fabs(x - y), size = fabs(x) + fabs(y);

        s.dot += x * y;
        s.a2 += x * x;
        s.b2 += y * y;
        s.squared += apart * apart;
        s.manhattan += apart;
        s.chebyshev = apart > s.chebyshev ? apart : s.chebyshev;
        s.canberra += size > 0 ? apart / size : 0;
        s.above += apart;
        s.below += fabs(x + y);
        s.a += x;
        s.b += y;
    }
    return s;
}

static double cosine(double dot, double a2, double b2)
{
    return a2 > 0 && b2 > 0 ? 1 - dot / sqrt(a2) / sqrt(b2) : 1;
}

double conf_distance(const char *metric, const json_t *a, const json_t *b)
{
    sums s = sums_of(a, b);
    double n = (double)s.count;

    if (!strcmp(metric, "cosine"))
        return cosine(s.dot, s.a2, s.b2);
    if (!strcmp(metric, "dotproduct"))
        return -s.dot;
    if (!strcmp(metric, "euclidean"))
        return sqrt(s.squared);
    if (!strcmp(metric, "sqeuclidean"))
        return s.squared;
    if (!strcmp(metric, "manhattan"))
        return s.manhattan;
    if (!strcmp(metric, "chebyshev"))
        return s.chebyshev;
    if (!strcmp(metric, "canberra"))
        return s.canberra;
    if (!strcmp(metric, "braycurtis"))
        return s.below > 0 ? s.above / s.below : 0;
    if (!strcmp(metric, "correlation"))
        return cosine(s.dot - s.a * s.b / n, s.a2 - s.a * s.a / n, s.b2 - s.b * s.b / n);
    return NAN;
}

double conf_tolerance(const char *metric, const json_t *a, const json_t *b)
{
    sums s = sums_of(a, b);
    double distance = conf_distance(metric, a, b), scale = fabs(distance) > 1 ? fabs(distance) : 1;

    if (!strcmp(metric, "dotproduct"))
        scale = sqrt(s.a2) * sqrt(s.b2);
    else if (!strcmp(metric, "euclidean"))
        scale = sqrt(s.a2) + sqrt(s.b2);
    return TOLERANCE * scale + LEAST;
}

/* ---- hits ----------------------------------------------------------------------------------- */

int conf_hits_range(conf_rig *rig, const json_t *reply, size_t query, size_t *begin, size_t *end)
{
    const json_t *offsets = json_object_get(reply, "offsets");
    size_t ids = json_array_size(json_object_get(reply, "ids"));
    json_int_t first = json_integer_value(json_array_get(offsets, query));
    json_int_t last = json_integer_value(json_array_get(offsets, query + 1));

    if (json_array_size(offsets) < query + 2 || first < 0 || last < first || (size_t)last > ids) {
        conf_fail(rig->run,
                  "the hits' \"offsets\" are not queries + 1 numbers that rise from 0 to the "
                  "number of ids, %zu (docs/protocol.md, Hits)",
                  ids);
        *begin = *end = 0;
        return 0;
    }
    *begin = (size_t)first;
    *end = (size_t)last;
    return 1;
}

/* The row of an id, SIZE_MAX if there is none. */
static size_t row_of(const conf_truth *truth, const json_t *id)
{
    size_t i;
    json_t *one;

    json_array_foreach(truth->ids, i, one)
        if (json_equal(one, id))
            return i;
    return SIZE_MAX;
}

static int compare(const void *left, const void *right)
{
    const double *a = left, *b = right;

    return *a < *b ? -1 : *a > *b;
}

/* All distances to the query, in the order in which they are to be found. */
static double *ranked(const conf_truth *truth, const json_t *vector, int reverse)
{
    size_t count = json_array_size(truth->ids);
    double *all = calloc(count + 1, sizeof *all);

    if (!all)
        abort();
    for (size_t i = 0; i < count; i++)
        all[i] = conf_distance(truth->metric, vector, json_array_get(truth->vectors, i));
    qsort(all, count, sizeof *all, compare);
    for (size_t i = 0; reverse && i < count / 2; i++) {
        double one = all[i];

        all[i] = all[count - 1 - i];
        all[count - 1 - i] = one;
    }
    return all;
}

static int is_exact(const conf_rig *rig) { return conf_says(rig, "exact"); }

void conf_hits_check(conf_rig *rig, const json_t *reply, size_t query, const json_t *vector,
                     const conf_truth *truth, size_t k, int reverse, conf_found *found)
{
    const json_t *ids = json_object_get(reply, "ids");
    const json_t *distances = json_object_get(reply, "distances");
    size_t begin, end, count = json_array_size(truth->ids), seen = 0;
    double *all = ranked(truth, vector, reverse), before = 0;
    char *met = calloc(count + 1, 1);

    if (!met)
        abort();
    conf_hits_range(rig, reply, query, &begin, &end);
    k = k < count ? k : count;
    for (size_t i = begin; i < end && !conf_failed(rig->run); i++) {
        const json_t *id = json_array_get(ids, i);
        const char *text = json_string_value(id) ? json_string_value(id) : "?";
        double said = json_number_value(json_array_get(distances, i)), right, within;
        size_t row = row_of(truth, id), place = i - begin;

        if (row == SIZE_MAX || met[row]) {
            conf_fail(rig->run, "hit %zu is \"%s\", %s", place, text,
                      row == SIZE_MAX ? "which is not in the collection" : "which came before");
            break;
        }
        met[row] = 1;
        right = conf_distance(truth->metric, vector, json_array_get(truth->vectors, row));
        within = conf_tolerance(truth->metric, vector, json_array_get(truth->vectors, row));
        if (!(fabs(said - right) <= within))
            conf_fail(rig->run,
                      "hit %zu, \"%s\", is said to have the %s distance %.7g; it is %.7g "
                      "(docs/protocol.md, Distance; within 1e-4 of the scale)",
                      place, text, truth->metric, said, right);
        if (place && (reverse ? said > before + within : said < before - within))
            conf_fail(rig->run, "hit %zu, \"%s\" at %.7g, comes behind one at %.7g: %s first",
                      place, text, said, before,
                      reverse ? "with reverse the farthest" : "the nearest");
        if (place < k && fabs(right - all[place]) <= 2 * within)
            seen++;
        else if (place < k && is_exact(rig))
            conf_fail(rig->run,
                      "hit %zu is \"%s\" at %.7g, but there is a point at %.7g, which belongs "
                      "there: \"exact\" is true in describe",
                      place, text, said, all[place]);
        before = said;
    }
    found->wanted += k;
    found->found += seen;
    free(met);
    free(all);
}

void conf_found_check(conf_rig *rig, const conf_found *found)
{
    double least = is_exact(rig) ? 0 : rig->target->approximate ? rig->target->recall : RECALL;
    double share = found->wanted ? (double)found->found / (double)found->wanted : 1;

    if (share < least)
        conf_fail(rig->run,
                  "the searches found %zu of %zu nearest points, a share of %.3f; at least %.3f "
                  "was expected (recall in --config)",
                  found->found, found->wanted, share, least);
}
