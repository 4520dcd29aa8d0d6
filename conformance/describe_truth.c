/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "describe_truth.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"

/* What is tried where describe names no limit. */
#define K_LARGE 100000
#define DIMENSION_LARGE 4096
#define DIMENSION_MOST 65536

const char *const conf_optional_methods[] = {"points.set_fields",  "search.radius",
                                             "search.neighbors",   "view.create",
                                             "view.drop",          "collection.flush",
                                             "collection.load",    "collection.release",
                                             "collection.compact", "collection.check",
                                             "collection.backup",  "index.create",
                                             "index.drop",         "index.describe",
                                             "partition.create",   "partition.list",
                                             "partition.drop"};
const size_t conf_optional_method_count =
    sizeof conf_optional_methods / sizeof conf_optional_methods[0];

static json_t *search_body(const char *collection, json_t *vectors, int64_t k)
{
    return json_pack("{s:s, s:o, s:I}", "collection", collection, "vectors", vectors, "k",
                     (json_int_t)k);
}

/* ---- limits --------------------------------------------------------------------------------- */

void conf_true_max_k(conf_run *run)
{
    conf_answer answer;
    conf_rig rig;
    char *name = NULL;
    int64_t k;

    if (conf_rig_open(&rig, run) && (name = conf_create(&rig, NULL, 4, NULL)) != NULL &&
        conf_upsert(&rig, name, conf_ids("k", 0, 3), conf_vectors(1, 3, 4), NULL)) {
        k = conf_says_int(&rig, "max_k", K_LARGE);
        if (conf_call(&rig, "search", search_body(name, conf_vectors(2, 1, 4), k), &answer))
            conf_fail(run, "a search with k %lld answers %s; describe says max_k %lld",
                      (long long)k, conf_answer_text(&answer),
                      (long long)conf_says_int(&rig, "max_k", 0));
        conf_answer_clear(&answer);
    }
    free(name);
    conf_rig_close(&rig);
}

void conf_true_max_dimension(conf_run *run)
{
    conf_answer answer;
    conf_rig rig;
    char *name = NULL;
    int64_t most = 0;

    if (conf_rig_open(&rig, run)) {
        most = conf_says_int(&rig, "max_dimension", DIMENSION_LARGE);
        most = most < DIMENSION_MOST ? most : DIMENSION_MOST;
        name = conf_create(&rig, NULL, most, NULL);
    }
    if (name &&
        conf_upsert(&rig, name, conf_ids("d", 0, 1), conf_vectors(1, 1, (size_t)most), NULL) &&
        conf_ok(&rig, "search", search_body(name, conf_vectors(1, 1, (size_t)most), 1), &answer)) {
        if (json_array_size(json_object_get(answer.body, "ids")) != 1)
            conf_fail(run,
                      "the one point of a collection of dimension %lld is not found; describe "
                      "allows up to %lld",
                      (long long)most, (long long)conf_says_int(&rig, "max_dimension", 0));
        conf_answer_clear(&answer);
    }
    free(name);
    conf_rig_close(&rig);
}

/* ---- vectors -------------------------------------------------------------------------------- */

static double norm(const json_t *vector)
{
    double squares = 0;
    size_t i;
    json_t *one;

    json_array_foreach(vector, i, one)
        squares += json_number_value(one) * json_number_value(one);
    return sqrt(squares);
}

/* How far two vectors are apart, as a share of the norm; with turned, of directions. */
static double apart(const json_t *a, const json_t *b, int turned)
{
    double first = turned ? norm(a) : 1, second = turned ? norm(b) : 1, squares = 0;

    for (size_t i = 0; i < json_array_size(a); i++) {
        double by = json_number_value(json_array_get(a, i)) / first -
                    json_number_value(json_array_get(b, i)) / second;

        squares += by * by;
    }
    return sqrt(squares) / (turned ? 1 : norm(a));
}

/* Rows of very different lengths, all of them floats. */
static json_t *long_and_short(void)
{
    json_t *matrix = conf_vectors(7, 6, 8), *row, *one;
    size_t i, j;

    json_array_foreach(matrix, i, row)
        json_array_foreach(row, j, one)
            json_real_set(one, (double)(float)(json_real_value(one) * pow(30, (double)i - 2)));
    return matrix;
}

static void vectors_of(conf_rig *rig, const char *metric)
{
    char *name = conf_create(rig, metric, 8, NULL);
    json_t *given = long_and_short(), *described = NULL;
    conf_answer answer = {0};
    const char *says = conf_says_text(rig, "vectors"), *own;
    size_t count = json_array_size(given);
    double limit;

    if (!name || !conf_upsert(rig, name, conf_ids("v", 0, count), json_incref(given), NULL))
        goto out;
    /* a collection may keep more than the backend promises of all, and then says so */
    if (!conf_ok(rig, "collection.describe", json_pack("{s:s}", "collection", name), &answer))
        goto out;
    described = json_incref(answer.body);
    own = json_string_value(json_object_get(json_object_get(described, "attributes"), "vectors"));
    says = own ? own : says;
    limit = !strcmp(says, "exact") ? 0 : !strcmp(says, "rounded") ? 1e-6 : 1e-5;
    conf_answer_clear(&answer);
    if (!conf_ok(rig, "points.get",
                 json_pack("{s:s, s:o, s:b}", "collection", name, "ids", conf_ids("v", 0, count),
                           "vectors", 1),
                 &answer))
        goto out;
    for (size_t i = 0; i < count; i++) {
        const json_t *back = json_array_get(json_object_get(answer.body, "vectors"), i);
        double by = json_array_size(back) == 8
                        ? apart(json_array_get(given, i), back, !strcmp(says, "normalised"))
                        : INFINITY;

        if (!(by <= limit))
            conf_fail(rig->run,
                      "metric %s: vector %zu, of norm %.4g, comes back other than it was, by %.3g "
                      "of its norm; describe says vectors are \"%s\", which allows %g",
                      metric, i, norm(json_array_get(given, i)), by, says, limit);
    }
out:
    conf_answer_clear(&answer);
    json_decref(described);
    json_decref(given);
    free(name);
}

void conf_true_vectors(conf_run *run)
{
    conf_rig rig;
    size_t i;
    json_t *metric;

    if (conf_rig_open(&rig, run))
        json_array_foreach(json_object_get(rig.describe, "metrics"), i, metric)
            vectors_of(&rig, json_string_value(metric));
    conf_rig_close(&rig);
}

/* ---- fields --------------------------------------------------------------------------------- */

/* Three values of that type. */
static json_t *values_of(const char *type)
{
    if (!strcmp(type, "text"))
        return json_pack("[sss]", "plain", "\xc3\xbc \xe2\x82\xac \xf0\x9f\x98\x80 \"'\\", "0042");
    if (!strcmp(type, "int64"))
        return json_pack("[III]", (json_int_t)0, (json_int_t)-3, (json_int_t)9007199254740993);
    if (!strcmp(type, "float64"))
        return json_pack("[fff]", 0.5, -1.25e300, 0.1);
    if (!strcmp(type, "bool"))
        return json_pack("[bbb]", 1, 0, 1);
    if (!strcmp(type, "list<text>"))
        return json_pack("[[ss][s][sss]]", "a", "b", "\xc3\xbc", "x", "x", "y");
    if (!strcmp(type, "list<int64>"))
        return json_pack("[[II][I][III]]", (json_int_t)1, (json_int_t)2, (json_int_t)-5,
                         (json_int_t)9007199254740993, (json_int_t)0, (json_int_t)0);
    if (!strcmp(type, "list<float64>"))
        return json_pack("[[ff][f][fff]]", 0.5, 2.5, -1e-9, 1.0, 2.0, 0.1);
    return json_pack("[[bb][b][bbb]]", 1, 0, 0, 1, 1, 0);
}

static int same_value(const json_t *a, const json_t *b, int rounds)
{
    size_t i;
    json_t *one;

    if (json_is_array(a) && json_array_size(a) == json_array_size(b)) {
        json_array_foreach(a, i, one)
            if (!same_value(one, json_array_get(b, i), rounds))
                return 0;
        return 1;
    }
    if (rounds && json_is_real(a) && json_is_real(b))
        return fabs(json_real_value(a) - json_real_value(b)) <= 1e-15 * fabs(json_real_value(a));
    return json_equal(a, b);
}

static void fields_compare(conf_rig *rig, const json_t *given, const json_t *back)
{
    int rounds = conf_says(rig, "rounds_floats");
    const char *name;
    json_t *column;

    json_object_foreach((json_t *)(uintptr_t)given, name, column) {
        const json_t *column_given = json_object_get(column, "$column");
        const char *type = json_string_value(json_object_get(column_given, "type"));
        const json_t *values = json_object_get(column_given, "values");
        const json_t *others = json_object_get(back, name);

        for (size_t i = 0; i < json_array_size(values); i++) {
            char *wanted, *got;

            if (same_value(json_array_get(values, i), json_array_get(others, i), rounds))
                continue;
            wanted = json_dumps(json_array_get(values, i), JSON_ENCODE_ANY);
            got = others ? json_dumps(json_array_get(others, i), JSON_ENCODE_ANY) : NULL;
            conf_fail(rig->run,
                      "a field of type %s was given %s and comes back as %s; describe lists the "
                      "type in field_types",
                      type, wanted ? wanted : "?",
                      got      ? got
                      : others ? "nothing"
                               : "nothing: there is no such column");
            free(wanted);
            free(got);
        }
    }
}

/* Stores three points with these columns and reads them again. Both are taken. */
static void fields_go_round(conf_rig *rig, json_t *declared, json_t *columns)
{
    char *name = conf_create(rig, NULL, 4, declared);
    conf_answer answer;

    if (name &&
        conf_upsert(rig, name, conf_ids("f", 0, 3), conf_vectors(3, 3, 4), json_incref(columns)) &&
        conf_ok(rig, "points.get",
                json_pack("{s:s, s:o, s:b, s:b}", "collection", name, "ids", conf_ids("f", 0, 3),
                          "fields", 1, "vectors", 0),
                &answer)) {
        fields_compare(rig, columns, json_object_get(answer.body, "fields"));
        conf_answer_clear(&answer);
    }
    json_decref(columns);
    free(name);
}

void conf_true_field_types(conf_run *run)
{
    json_t *declared = json_object(), *columns = json_object(), *type;
    conf_rig rig;
    char name[40];
    size_t i;

    if (!conf_rig_open(&rig, run)) {
        json_decref(declared);
        json_decref(columns);
    } else {
        json_array_foreach(json_object_get(rig.describe, "field_types"), i, type) {
            snprintf(name, sizeof name, "field_%zu", i);
            json_object_set(declared, name, type);
            json_object_set_new(columns, name,
                                conf_column(json_string_value(type),
                                            values_of(json_string_value(type))));
        }
        fields_go_round(&rig, declared, columns);
    }
    conf_rig_close(&rig);
}

void conf_true_nonfinite(conf_run *run)
{
    conf_rig rig;

    if (conf_rig_open(&rig, run)) {
        if (conf_says(&rig, "nonfinite") && conf_lists(&rig, "field_types", "float64"))
            fields_go_round(&rig, json_pack("{s:s}", "number", "float64"),
                            json_pack("{s:o}", "number",
                                      conf_column("float64",
                                                  json_pack("[{s:s}{s:s}{s:s}]", "$float", "nan",
                                                            "$float", "inf", "$float", "-inf"))));
        else
            conf_skip(run, "describe does not say nonfinite, or has no float64");
    }
    conf_rig_close(&rig);
}

/* ---- searches ------------------------------------------------------------------------------- */

void conf_true_reverse(conf_run *run)
{
    json_t *ids = conf_ids("r", 0, 6), *vectors = conf_vectors(4, 6, 4),
           *query = conf_vectors(5, 1, 4);
    conf_rig rig;
    size_t i, asked = 0;
    json_t *metric;

    if (conf_rig_open(&rig, run))
        json_array_foreach(json_object_get(rig.describe, "reverse"), i, metric) {
            const char *text = json_string_value(metric);
            char *name = conf_create(&rig, text, 4, NULL);
            conf_truth truth = {text, ids, vectors};
            conf_found found = {0, 0};
            conf_answer answer = {0};
            json_t *body = name ? search_body(name, json_incref(query), conf_k(&rig, 4)) : NULL;

            json_object_set_new(body, "reverse", json_true());
            if (name && conf_upsert(&rig, name, json_incref(ids), json_incref(vectors), NULL) &&
                conf_ok(&rig, "search", json_incref(body), &answer))
                conf_hits_check(&rig, answer.body, 0, json_array_get(query, 0), &truth,
                                (size_t)conf_k(&rig, 4), 1, &found);
            json_decref(body);
            conf_answer_clear(&answer);
            free(name);
            asked++;
        }
    if (rig.instance && !asked)
        conf_skip(run, "describe lists no metric in reverse");
    json_decref(ids);
    json_decref(vectors);
    json_decref(query);
    conf_rig_close(&rig);
}

/* Ids of all hits of a reply, and their number, are those expected to be within the distance. */
static void within_check(conf_rig *rig, const json_t *reply, const conf_truth *truth,
                         const json_t *query, double limit)
{
    size_t begin, end, inside = 0;

    for (size_t i = 0; i < json_array_size(truth->ids); i++)
        inside += conf_distance(truth->metric, query, json_array_get(truth->vectors, i)) <= limit;
    if (!conf_hits_range(rig, reply, 0, &begin, &end))
        return;
    for (size_t i = begin; i < end; i++) {
        double distance = json_number_value(json_array_get(json_object_get(reply, "distances"), i));

        if (distance > limit + 1e-3)
            conf_fail(rig->run,
                      "a search with max_distance %.6g has a hit at %.6g; describe says radius",
                      limit, distance);
    }
    if (conf_says(rig, "exact") ? end - begin != inside : end - begin > inside)
        conf_fail(rig->run,
                  "a search with max_distance %.6g has %zu hits, not the %zu within it; describe "
                  "says radius",
                  limit, end - begin, inside);
}

static int ascending(const void *left, const void *right)
{
    const double *a = left, *b = right;

    return *a < *b ? -1 : *a > *b;
}

void conf_true_radius(conf_run *run)
{
    json_t *ids = conf_ids("r", 0, 6), *vectors = conf_vectors(6, 6, 4),
           *query = conf_vectors(7, 1, 4);
    conf_rig rig;
    size_t i;
    json_t *metric;

    if (conf_rig_open(&rig, run) && !conf_says(&rig, "radius"))
        conf_skip(run, "describe does not say radius");
    else if (rig.instance)
        json_array_foreach(json_object_get(rig.describe, "metrics"), i, metric) {
            const char *text = json_string_value(metric);
            conf_truth truth = {text, ids, vectors};
            double distances[6];
            conf_answer answer = {0};
            json_t *body;
            char *name;

            for (size_t j = 0; j < 6; j++)
                distances[j] =
                    conf_distance(text, json_array_get(query, 0), json_array_get(vectors, j));
            qsort(distances, 6, sizeof distances[0], ascending);
            if (isnan(distances[0]) || (name = conf_create(&rig, text, 4, NULL)) == NULL)
                continue;
            body = search_body(name, json_incref(query), conf_k(&rig, 6));
            /* halfway between two of them, so that no rounding counts */
            json_object_set_new(body, "max_distance", json_real((distances[2] + distances[3]) / 2));
            if (conf_upsert(&rig, name, json_incref(ids), json_incref(vectors), NULL) &&
                conf_ok(&rig, "search", json_incref(body), &answer))
                within_check(&rig, answer.body, &truth, json_array_get(query, 0),
                             (distances[2] + distances[3]) / 2);
            json_decref(body);
            conf_answer_clear(&answer);
            free(name);
        }
    json_decref(ids);
    json_decref(vectors);
    json_decref(query);
    conf_rig_close(&rig);
}

#define MANY 400

void conf_true_exact(conf_run *run)
{
    json_t *ids = conf_ids("e", 0, MANY), *vectors = conf_vectors(8, MANY, 8),
           *queries = conf_vectors(9, 10, 8);
    conf_found found = {0, 0};
    conf_rig rig;
    char *name = NULL;
    size_t i, k;
    json_t *query;

    if (conf_rig_open(&rig, run) && (name = conf_create(&rig, NULL, 8, NULL)) != NULL &&
        conf_upsert(&rig, name, json_incref(ids), json_incref(vectors), NULL)) {
        conf_truth truth = {json_string_value(
                                json_array_get(json_object_get(rig.describe, "metrics"), 0)),
                            ids, vectors};

        k = (size_t)conf_k(&rig, 10);
        if (isnan(conf_distance(truth.metric, json_array_get(queries, 0),
                                json_array_get(queries, 1))))
            conf_skip(run, "this program cannot compute the metric %s", truth.metric);
        else
            json_array_foreach(queries, i, query) {
                conf_answer answer;

                if (conf_ok(&rig, "search", search_body(name, json_pack("[O]", query), (int64_t)k),
                            &answer))
                    conf_hits_check(&rig, answer.body, 0, query, &truth, k, 0, &found);
                conf_answer_clear(&answer);
            }
        conf_found_check(&rig, &found);
    }
    json_decref(ids);
    json_decref(vectors);
    json_decref(queries);
    free(name);
    conf_rig_close(&rig);
}

/* ---- upserts -------------------------------------------------------------------------------- */

static json_t *upsert_body(const char *collection, const char *prefix, size_t first, size_t count,
                           uint64_t seed)
{
    return json_pack("{s:s, s:o, s:o}", "collection", collection, "ids",
                     conf_ids(prefix, first, count), "vectors", conf_vectors(seed, count, 4));
}

/* Upserts points and looks at "replaced". */
static void replaced_check(conf_rig *rig, const char *name, size_t first, size_t count,
                           int64_t expected)
{
    conf_answer answer;
    const json_t *said;

    if (conf_ok(rig, "points.upsert", upsert_body(name, "c", first, count, 1), &answer)) {
        said = json_object_get(answer.body, "replaced");
        if (!said && conf_says(rig, "counts_replaced"))
            conf_fail(rig->run,
                      "points.upsert answers without \"replaced\"; describe says counts_replaced");
        else if (said && (!json_is_integer(said) || json_integer_value(said) != expected))
            conf_fail(rig->run,
                      "points.upsert says that it replaced %lld points; %lld of the %zu ids were "
                      "there before",
                      (long long)json_integer_value(said), (long long)expected, count);
    }
    conf_answer_clear(&answer);
}

void conf_true_counts_replaced(conf_run *run)
{
    conf_rig rig;
    char *name = NULL;

    if (conf_rig_open(&rig, run) && (name = conf_create(&rig, NULL, 4, NULL)) != NULL) {
        replaced_check(&rig, name, 0, 4, 0);
        replaced_check(&rig, name, 2, 4, 2);
        replaced_check(&rig, name, 0, 6, 6);
    }
    free(name);
    conf_rig_close(&rig);
}

/* The first number of a point's vector, NAN if it is not there. */
static double first_number(conf_rig *rig, const char *name, const char *id)
{
    conf_answer answer;
    double number = NAN;

    if (conf_ok(rig, "points.get", json_pack("{s:s, s:[s]}", "collection", name, "ids", id),
                &answer) &&
        json_array_size(json_object_get(answer.body, "vectors")))
        number = json_number_value(
            json_array_get(json_array_get(json_object_get(answer.body, "vectors"), 0), 0));
    conf_answer_clear(&answer);
    return number;
}

static json_t *conditional_body(const char *name, size_t first, const char *existing)
{
    json_t *body = upsert_body(name, "c", first, 4, 2);

    json_object_set_new(body, "existing", json_string(existing));
    return body;
}

void conf_true_conditional_upsert(conf_run *run)
{
    conf_answer answer = {0};
    conf_rig rig;
    char *name = NULL;
    double before = 0;
    json_t *wanted = json_pack("[iii]", 0, 1, 2);

    if (!conf_rig_open(&rig, run))
        goto out;
    if (!conf_says(&rig, "conditional_upsert")) {
        conf_skip(run, "describe does not say conditional_upsert");
        goto out;
    }
    name = conf_create(&rig, NULL, 4, NULL);
    if (!name || !conf_do(&rig, "points.upsert", upsert_body(name, "c", 0, 4, 1)))
        goto out;
    before = first_number(&rig, name, "c001");
    if (!conf_ok(&rig, "points.upsert", conditional_body(name, 1, "skip"), &answer))
        goto out;
    if (!json_equal(json_object_get(answer.body, "skipped"), wanted))
        conf_fail(run, "points.upsert with existing \"skip\" of 4 ids of which the first 3 are "
                       "there: \"skipped\" is not [0, 1, 2], their positions among the ids");
    conf_answer_clear(&answer);
    if (first_number(&rig, name, "c001") != before)
        conf_fail(run, "points.upsert with existing \"skip\" changed a point that was there");
    if (isnan(first_number(&rig, name, "c004")))
        conf_fail(run, "points.upsert with existing \"skip\" did not write the point that was new");
    if (conf_call(&rig, "points.upsert", conditional_body(name, 4, "fail"), &answer) !=
        SIMPLUGIN_ALREADY_EXISTS)
        conf_fail(run,
                  "points.upsert with existing \"fail\" answers %s where a point is there already; "
                  "ALREADY_EXISTS was expected",
                  conf_answer_text(&answer));
    else if (!answer.error || !json_is_string(json_object_get(answer.error->details, "id")))
        conf_fail(run, "ALREADY_EXISTS of points.upsert has no detail \"id\" that names the point");
    if (!isnan(first_number(&rig, name, "c005")))
        conf_fail(run, "points.upsert with existing \"fail\" wrote something though it failed");
    if (conf_do(&rig, "points.upsert", conditional_body(name, 1, "overwrite")) &&
        first_number(&rig, name, "c001") == before)
        conf_fail(run, "points.upsert with existing \"overwrite\" left a point as it was");
out:
    conf_answer_clear(&answer);
    json_decref(wanted);
    free(name);
    conf_rig_close(&rig);
}

/* ---- metrics -------------------------------------------------------------------------------- */

void conf_true_metrics(conf_run *run)
{
    conf_rig rig;
    size_t i;
    json_t *metric;

    if (conf_rig_open(&rig, run))
        json_array_foreach(json_object_get(rig.describe, "metrics"), i, metric) {
            char *name = conf_create(&rig, json_string_value(metric), 4, NULL);
            conf_answer answer = {0};

            if (name &&
                conf_ok(&rig, "collection.describe", json_pack("{s:s}", "collection", name),
                        &answer) &&
                !json_equal(json_object_get(answer.body, "metric"), metric))
                conf_fail(run,
                          "a collection was made with the metric \"%s\"; collection.describe says "
                          "otherwise",
                          json_string_value(metric));
            conf_answer_clear(&answer);
            free(name);
        }
    conf_rig_close(&rig);
}
