/* SPDX-License-Identifier: Apache-2.0 */
/* What is written, read and deleted. points_search.c: what is found. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "points_search.h"
#include "rig.h"

/* A rig with an empty collection of that dimension; NULL after failing. */
static char *begin(conf_rig *rig, conf_run *run, int64_t dimension, json_t *fields)
{
    if (conf_rig_open(rig, run))
        return conf_create(rig, NULL, dimension, fields);
    json_decref(fields);
    return NULL;
}

static void end(conf_rig *rig, char *name)
{
    free(name);
    conf_rig_close(rig);
}

/* What points.get says of these ids (taken); NULL after failing. The caller's. */
static json_t *get(conf_rig *rig, const char *name, json_t *ids)
{
    conf_answer answer;
    json_t *body = NULL;

    if (conf_ok(rig, "points.get",
                json_pack("{s:s, s:o, s:b, s:b}", "collection", name, "ids", ids, "fields", 1,
                          "vectors", 1),
                &answer))
        body = json_incref(answer.body);
    conf_answer_clear(&answer);
    return body;
}

/*
 * Whether two vectors are the same but for what storing may do to them: turned the same way. How
 * well lengths are kept is describe/vectors.
 */
static int is_like(const json_t *a, const json_t *b)
{
    double dot = 0, a2 = 0, b2 = 0;
    size_t i;
    json_t *one;

    if (json_array_size(a) != json_array_size(b))
        return 0;
    json_array_foreach(a, i, one) {
        double x = json_number_value(one), y = json_number_value(json_array_get(b, i));

        dot += x * y;
        a2 += x * x;
        b2 += y * y;
    }
    return dot > 0 && dot * dot > 0.9999 * a2 * b2;
}

/* Fails where the points of these ids (taken) do not have these vectors (taken), in this order. */
static void vectors_check(conf_rig *rig, const char *name, json_t *ids, json_t *vectors,
                          const char *after)
{
    json_t *back = get(rig, name, json_incref(ids)), *id;
    const json_t *positions = json_object_get(back, "positions");
    size_t i;

    json_array_foreach(ids, i, id) {
        size_t row = 0, rows = json_array_size(positions);

        while (row < rows && json_integer_value(json_array_get(positions, row)) != (json_int_t)i)
            row++;
        if (back && row == rows)
            conf_fail(rig->run, "%s: the point \"%.60s\", number %zu of %zu, is not there", after,
                      json_string_value(id), i, json_array_size(ids));
        else if (back && !is_like(json_array_get(vectors, i),
                                  json_array_get(json_object_get(back, "vectors"), row)))
            conf_fail(rig->run, "%s: the point \"%.60s\" has another vector than it was given",
                      after, json_string_value(id));
    }
    json_decref(back);
    json_decref(ids);
    json_decref(vectors);
}

/* ---- writing -------------------------------------------------------------------------------- */

static void rows_selected(conf_run *run)
{
    conf_rig rig;
    char *name = begin(&rig, run, 4, NULL);
    json_t *vectors = conf_vectors(1, 5, 4);
    conf_answer answer;

    if (name && conf_ok(&rig, "points.upsert",
                        json_pack("{s:s, s:o, s:O, s:{s:{s:s, s:[iii]}}}", "collection", name,
                                  "ids", conf_ids("r", 0, 5), "vectors", vectors, "rows", "$tensor",
                                  "dtype", "int64", "data", 4, 0, 2),
                        &answer)) {
        if (conf_count(&rig, name) != 3)
            conf_fail(run, "points.upsert with rows [4, 0, 2] of five did not write three points: "
                           "take only these rows (docs/protocol.md, points.upsert)");
        conf_answer_clear(&answer);
        vectors_check(&rig, name, json_pack("[sss]", "r000", "r002", "r004"),
                      json_pack("[OOO]", json_array_get(vectors, 0), json_array_get(vectors, 2),
                                json_array_get(vectors, 4)),
                      "points.upsert with rows");
    }
    json_decref(vectors);
    end(&rig, name);
}

/* Rows of vectors that are farther apart than they are long, as programs' matrices may be. */
static void row_strides(conf_run *run)
{
    conf_rig rig;
    char *name = begin(&rig, run, 4, NULL);
    json_t *vectors = conf_vectors(2, 5, 4);

    if (name && conf_do(&rig, "points.upsert",
                        json_pack("{s:s, s:o, s:{s:{s:s, s:O, s:i}}}", "collection", name, "ids",
                                  conf_ids("s", 0, 5), "vectors", "$tensor", "dtype", "float32",
                                  "data", vectors, "row_stride", 28)))
        vectors_check(&rig, name, conf_ids("s", 0, 5), json_incref(vectors),
                      "points.upsert of vectors whose row_stride, 28, is larger than a row, 16");
    json_decref(vectors);
    end(&rig, name);
}

static void batches(conf_run *run)
{
    static const size_t sizes[] = {1, 7, 33, 128, 513};
    conf_rig rig;
    char *name = begin(&rig, run, 4, NULL);
    size_t total = 0;

    if (name)
        conf_do(&rig, "points.upsert",
                json_pack("{s:s, s:o, s:{s:{s:s, s:[], s:{s:i}}}}", "collection", name, "ids",
                          conf_column("text", json_array()), "vectors", "$tensor", "dtype",
                          "float32", "data", "claim", "cols", 4));
    for (size_t i = 0; name && !conf_failed(run) && i < sizeof sizes / sizeof sizes[0]; i++) {
        char prefix[20], after[60];
        size_t most = conf_batch_rows(&rig, 4), count = sizes[i] < most ? sizes[i] : most;

        snprintf(prefix, sizeof prefix, "b%zu_", i);
        snprintf(after, sizeof after, "points.upsert of %zu points", count);
        total += count;
        if (!conf_upsert(&rig, name, conf_ids(prefix, 0, count), conf_vectors(i, count, 4), NULL))
            break;
        vectors_check(&rig, name, conf_ids(prefix, 0, count), conf_vectors(i, count, 4), after);
        if (!conf_failed(run) && conf_count(&rig, name) != (int64_t)total)
            conf_fail(run, "%s: the collection has %lld points, not %zu", after,
                      (long long)conf_count(&rig, name), total);
    }
    end(&rig, name);
}

/* Of every sort that may be one: see docs/protocol.md, ids. */
static json_t *strange_ids(void)
{
    json_t *ids = json_pack("[sssssssss]", "a", " ", "A", "0042", "42", "a\"b\\c'd", "\xc3\xa9",
                            "e\xcc\x81", "\xf0\x9f\x98\x80/\xe2\x82\xac%_*\n\t");
    char text[256];

    memset(text, 'x', 255);
    text[255] = 0;
    json_array_append_new(ids, json_string(text));
    text[254] = 'y';
    json_array_append_new(ids, json_string(text));
    for (size_t i = 0; i < 85; i++)
        memcpy(text + 3 * i, "\xe2\x82\xac", 3);
    json_array_append_new(ids, json_string(text));
    json_array_append_new(ids, json_string("5f8f8c44b54764421b7156c1"));
    json_array_append_new(ids, json_string("00000000-0000-4000-8000-000000000001"));
    return ids;
}

static void ids(conf_run *run)
{
    conf_rig rig;
    char *name = begin(&rig, run, 4, NULL);
    json_t *all = strange_ids(), *back = NULL;
    size_t count = json_array_size(all);

    if (name && conf_upsert(&rig, name, json_incref(all), conf_vectors(3, count, 4), NULL)) {
        back = get(&rig, name, json_incref(all));
        for (size_t i = 0; back && i < count; i++)
            if (!json_equal(json_array_get(all, i),
                            json_array_get(json_object_get(back, "ids"), i)))
                conf_fail(run,
                          "the id \"%s\", %zu bytes, comes back as \"%s\": ids are 1 to 255 bytes "
                          "of UTF-8, and all of them count",
                          json_string_value(json_array_get(all, i)),
                          json_string_length(json_array_get(all, i)),
                          json_string_value(json_array_get(json_object_get(back, "ids"), i))
                              ? json_string_value(json_array_get(json_object_get(back, "ids"), i))
                              : "nothing");
        json_decref(back);
        if (!conf_failed(run) && conf_count(&rig, name) != (int64_t)count)
            conf_fail(run, "%zu points with different ids make a collection of %lld", count,
                      (long long)conf_count(&rig, name));
    }
    json_decref(all);
    end(&rig, name);
}

static void replaced(conf_run *run)
{
    conf_rig rig;
    char *name = begin(&rig, run, 4, json_pack("{s:s, s:s}", "kept", "int64", "gone", "int64"));
    json_t *back = NULL;

    if (!name || !conf_lists(&rig, "field_types", "int64")) {
        if (name)
            conf_skip(run, "the backend stores no int64");
        goto out;
    }
    if (conf_upsert(&rig, name, conf_ids("u", 0, 2), conf_vectors(4, 2, 4),
                    json_pack("{s:[ii], s:[ii]}", "kept", 1, 2, "gone", 3, 4)) &&
        conf_upsert(&rig, name, conf_ids("u", 0, 1), conf_vectors(5, 1, 4),
                    json_pack("{s:[i]}", "kept", 9))) {
        vectors_check(&rig, name, conf_ids("u", 0, 1), conf_vectors(5, 1, 4),
                      "points.upsert of an id that was there");
        back = get(&rig, name, conf_ids("u", 0, 2));
        if (back &&
            json_integer_value(
                json_array_get(json_object_get(json_object_get(back, "fields"), "kept"), 0)) != 9)
            conf_fail(run, "points.upsert of an id that was there did not replace its field");
        if (back &&
            !json_is_null(
                json_array_get(json_object_get(json_object_get(back, "fields"), "gone"), 0)) &&
            json_object_get(json_object_get(back, "fields"), "gone"))
            conf_fail(run, "a point that was replaced still has a field that was not given again "
                           "(docs/protocol.md, index.add)");
        json_decref(back);
    }
out:
    end(&rig, name);
}

/* ---- reading -------------------------------------------------------------------------------- */

static void order(conf_run *run)
{
    conf_rig rig;
    char *name = begin(&rig, run, 4, NULL);
    json_t *asked =
        json_pack("[sssssss]", "g004", "g000", "none", "g003", "g000", "nobody", "g001");
    json_t *positions = json_pack("[iiiii]", 0, 1, 3, 4, 6), *back = NULL;
    json_t *found = json_pack("[sssss]", "g004", "g000", "g003", "g000", "g001");

    if (name && conf_upsert(&rig, name, conf_ids("g", 0, 5), conf_vectors(6, 5, 4), NULL) &&
        (back = get(&rig, name, json_incref(asked))) != NULL) {
        if (!json_equal(json_object_get(back, "positions"), positions))
            conf_fail(run, "points.get of 7 ids, of which the third and the sixth are not there "
                           "and one comes twice: \"positions\" is not [0, 1, 3, 4, 6] "
                           "(docs/protocol.md, points.get)");
        else if (!json_equal(json_object_get(back, "ids"), found))
            conf_fail(run, "points.get: the rows' ids are not those of their positions");
    }
    json_decref(back);
    json_decref(asked);
    json_decref(positions);
    json_decref(found);
    end(&rig, name);
}

static void missing_values(conf_run *run)
{
    conf_rig rig;
    char *name = NULL;
    const char *type;
    json_t *back = NULL;
    const json_t *column;

    if (!conf_rig_open(&rig, run))
        goto out;
    type = conf_lists(&rig, "field_types", "int64")  ? "int64"
           : conf_lists(&rig, "field_types", "text") ? "text"
                                                     : NULL;
    if (!type) {
        conf_skip(run, "the backend stores neither int64 nor text");
        goto out;
    }
    name = conf_create(&rig, NULL, 4, json_pack("{s:s}", "some", type));
    if (name &&
        conf_upsert(&rig, name, conf_ids("m", 0, 3), conf_vectors(7, 3, 4),
                    json_pack("{s:o}", "some",
                              conf_column(type, strcmp(type, "text")
                                                    ? json_pack("[nIn]", (json_int_t)0)
                                                    : json_pack("[nsn]", "")))) &&
        (back = get(&rig, name, conf_ids("m", 0, 3))) != NULL) {
        column = json_object_get(json_object_get(back, "fields"), "some");
        if (!json_is_null(json_array_get(column, 0)) || !json_is_null(json_array_get(column, 2)))
            conf_fail(run,
                      "a missing value of type %s comes back as one that is there: clear its bit "
                      "of \"valid\" (docs/protocol.md, column)",
                      type);
        else if (json_is_null(json_array_get(column, 1)) || !column)
            conf_fail(run, "%s of type %s comes back as missing",
                      strcmp(type, "text") ? "0" : "an empty text", type);
    }
    json_decref(back);
out:
    end(&rig, name);
}

/* ---- deleting and counting --------------------------------------------------------------------
 */

static void count_is(conf_rig *rig, const char *name, int64_t expected, const char *after)
{
    int64_t count = conf_failed(rig->run) ? expected : conf_count(rig, name);

    if (count >= 0 && count != expected)
        conf_fail(rig->run, "points.count says %lld after %s; %lld points are there",
                  (long long)count, after, (long long)expected);
}

/* The number "deleted" is right, where it is told. */
static void delete (conf_rig *rig, json_t *body, int64_t expected)
{
    conf_answer answer;
    const json_t *said;

    if (conf_ok(rig, "points.delete", body, &answer)) {
        said = json_object_get(answer.body, "deleted");
        if (said && json_integer_value(said) != expected)
            conf_fail(rig->run,
                      "points.delete says that %lld points were deleted; %lld were (the key may be "
                      "absent)",
                      (long long)json_integer_value(said), (long long)expected);
    }
    conf_answer_clear(&answer);
}

static void deleted(conf_run *run)
{
    conf_rig rig;
    char *name = begin(&rig, run, 4, json_pack("{s:s}", "page", "int64"));
    json_t *pages = json_array(), *back = NULL;

    for (int i = 0; i < 12; i++)
        json_array_append_new(pages, json_integer(i % 3));
    if (!name ||
        !conf_upsert(&rig, name, conf_ids("d", 0, 12), conf_vectors(8, 12, 4),
                     conf_lists(&rig, "field_types", "int64") ? json_pack("{s:O}", "page", pages)
                                                              : NULL))
        goto out;
    count_is(&rig, name, 12, "12 points were written");
    delete (&rig, json_pack("{s:s, s:[sss]}", "collection", name, "ids", "d000", "none", "d011"),
            2);
    count_is(&rig, name, 10, "2 of them were deleted by their ids");
    back = get(&rig, name, json_pack("[sss]", "d000", "d001", "d011"));
    if (back && json_array_size(json_object_get(back, "ids")) != 1)
        conf_fail(run, "points.get still finds points that were deleted");
    if (conf_upsert(&rig, name, conf_ids("d", 0, 1), conf_vectors(8, 1, 4), NULL))
        count_is(&rig, name, 11, "one of those was written again");
    if (conf_lists(&rig, "filters", "==") && conf_lists(&rig, "field_types", "int64")) {
        /* pages 1: numbers 1, 4, 7 and 10 */
        delete (&rig, json_pack("{s:s, s:[s,s,i]}", "collection", name, "filter", "==", "page", 1),
                4);
        count_is(&rig, name, 7, "4 were deleted by a filter");
    }
    conf_do(&rig, "points.delete", json_pack("{s:s, s:b}", "collection", name, "all", 1));
    count_is(&rig, name, 0, "all were deleted");
out:
    json_decref(back);
    json_decref(pages);
    end(&rig, name);
}

/* ---- scanning ---------------------------------------------------------------------------------
 */

#define SCANNED 40

static json_t *scan_body(const char *name, int64_t max_rows, int64_t max_bytes, const char *cursor)
{
    json_t *body = json_pack("{s:s}", "collection", name);

    if (max_rows)
        json_object_set_new(body, "max_rows", json_integer(max_rows));
    if (max_bytes)
        json_object_set_new(body, "max_bytes", json_integer(max_bytes));
    if (cursor)
        json_object_set_new(body, "cursor", json_pack("{s:s}", "$bytes", cursor));
    return body;
}

/* Follows the cursors to the end; every point has to come once, no reply to be too long. */
static void scan_all(conf_rig *rig, const char *name, int64_t max_rows, int64_t max_bytes)
{
    json_t *seen = json_object(), *id;
    char *cursor = NULL;
    size_t replies = 0, i;
    int more = 1;

    while (more && !conf_failed(rig->run) && replies++ < 10 * SCANNED) {
        conf_answer answer;
        const json_t *found;

        more = 0;
        if (conf_ok(rig, "points.scan", scan_body(name, max_rows, max_bytes, cursor), &answer)) {
            found = json_object_get(answer.body, "ids");
            if (max_rows && json_array_size(found) > (size_t)max_rows)
                conf_fail(rig->run, "points.scan with max_rows %lld answers %zu rows",
                          (long long)max_rows, json_array_size(found));
            if (answer.cursor && !json_array_size(found))
                conf_fail(rig->run,
                          "points.scan answers no row and a cursor: at least one row comes");
            json_array_foreach(found, i, id) {
                if (json_object_get(seen, json_string_value(id)))
                    conf_fail(rig->run,
                              "points.scan (max_rows %lld, max_bytes %lld): \"%s\" comes twice",
                              (long long)max_rows, (long long)max_bytes, json_string_value(id));
                json_object_set_new(seen, json_string_value(id), json_true());
            }
            free(cursor);
            cursor = answer.cursor ? strdup(answer.cursor) : NULL;
            more = cursor != NULL;
        }
        conf_answer_clear(&answer);
    }
    if (!conf_failed(rig->run) && json_object_size(seen) != SCANNED)
        conf_fail(rig->run,
                  "points.scan (max_rows %lld, max_bytes %lld; 0: not given) came to %zu of %d "
                  "points before a reply without cursor",
                  (long long)max_rows, (long long)max_bytes, json_object_size(seen), SCANNED);
    free(cursor);
    json_decref(seen);
}

static void scan(conf_run *run)
{
    conf_rig rig;
    char *name = begin(&rig, run, 4, NULL);

    if (name &&
        conf_upsert(&rig, name, conf_ids("s", 0, SCANNED), conf_vectors(9, SCANNED, 4), NULL)) {
        scan_all(&rig, name, 0, 0);
        scan_all(&rig, name, 1, 0);
        scan_all(&rig, name, 7, 0);
        scan_all(&rig, name, SCANNED, 0);
        scan_all(&rig, name, 0, 1);
        scan_all(&rig, name, 0, 200);
        scan_all(&rig, name, 1000, 1 << 20);
    }
    end(&rig, name);
}

/* Ids and cursor of the page behind the cursor, as one value; NULL after failing. */
static json_t *page(conf_rig *rig, const char *name, const char *cursor, char **next)
{
    conf_answer answer;
    json_t *ids = NULL;

    if (conf_ok(rig, "points.scan", scan_body(name, 5, 0, cursor), &answer)) {
        ids = json_incref(json_object_get(answer.body, "ids"));
        if (next) {
            free(*next);
            *next = answer.cursor ? strdup(answer.cursor) : NULL;
        }
    }
    conf_answer_clear(&answer);
    return ids;
}

/* Two walks that take turns, and one step that is made twice. */
static void scan_stateless(conf_run *run)
{
    conf_rig rig;
    char *name = begin(&rig, run, 4, NULL), *first = NULL, *second = NULL;
    json_t *a = NULL, *b = NULL, *c = NULL, *d = NULL;

    if (name &&
        conf_upsert(&rig, name, conf_ids("s", 0, SCANNED), conf_vectors(9, SCANNED, 4), NULL) &&
        (a = page(&rig, name, NULL, &first)) != NULL && first) {
        b = page(&rig, name, first, &second);
        c = page(&rig, name, NULL, NULL);
        d = page(&rig, name, first, NULL);
        if (!conf_failed(run) && (!json_equal(a, c) || !json_equal(b, d)))
            conf_fail(run, "points.scan answers other rows when it is asked again with the same "
                           "cursor: it is stateless (docs/protocol.md, points.scan)");
    }
    json_decref(a);
    json_decref(b);
    json_decref(c);
    json_decref(d);
    free(first);
    free(second);
    end(&rig, name);
}

const conf_check conf_points[] = {
    {"points/rows-selected", "upsert takes the rows that rows names", rows_selected, 0, 0, NULL},
    {"points/row-strides", "rows of a matrix may lie apart", row_strides, 0, 0, NULL},
    {"points/batches", "upserts of none, one, some and many points are whole", batches, 0, 0, NULL},
    {"points/ids", "ids of any characters and of 255 bytes are kept", ids, 0, 0, NULL},
    {"points/replaced", "a point that is replaced is the new one, and nothing of the old", replaced,
     0, 0, NULL},
    {"points/order", "points.get answers in the order of the ids, repeated ones too", order, 0, 0,
     NULL},
    {"points/missing-values", "missing values are missing, and no others", missing_values, 0, 0,
     NULL},
    {"points/deleted", "points are deleted by ids, by a filter and all, and counts are exact",
     deleted, 0, 0, NULL},
    {"points/scan", "a scan comes to every point once, in replies as small as asked", scan, 0, 0,
     NULL},
    {"points/scan-stateless", "a cursor leads to the same rows each time", scan_stateless, 0, 0,
     NULL},
    {"points/search", "the nearest come first, with their distances, by each metric",
     conf_points_search, 0, 0, NULL},
    {"points/search-k", "as many hits come as k says, or as there are points", conf_points_k, 0, 0,
     NULL},
    {"points/search-queries", "each query of a search has its own hits", conf_points_queries, 0, 0,
     NULL},
    {"points/search-zero", "a zero vector has the cosine distance 1 to all", conf_points_zero, 0, 0,
     NULL},
    {"points/search-ties", "points at the same distance are all found", conf_points_ties, 0, 0,
     NULL},
    {"points/search-with", "hits come with their own vectors and fields", conf_points_with, 0, 0,
     NULL},
    {NULL, NULL, NULL, 0, 0, NULL},
};
