/* SPDX-License-Identifier: Apache-2.0 */
/* Fields that are set, and views. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "expect.h"
#include "optional.h"
#include "stock.h"

/* ---- points.set_fields ----------------------------------------------------------------------- */

static void set_fields_check(conf_stock *stock, json_t *body, json_t *positions)
{
    conf_answer answer;
    json_int_t updated;

    if (conf_stock_ask(stock, "points.set_fields", body, 0, 0, &answer)) {
        updated = json_integer_value(json_object_get(answer.body, "updated"));
        if (updated != (json_int_t)json_array_size(positions))
            conf_fail(stock->rig.run,
                      "points.set_fields says that %lld points were updated; of the ids %zu are "
                      "there",
                      (long long)updated, json_array_size(positions));
        if (!json_equal(json_object_get(answer.body, "positions"), positions))
            conf_fail(stock->rig.run,
                      "points.set_fields: \"positions\" are not those of the ids that are there, "
                      "ascending (docs/protocol.md, points.set_fields)");
    }
    conf_answer_clear(&answer);
    json_decref(positions);
}

static int64_t number_of_row(const json_t *points, size_t row, const char *field)
{
    const json_t *value =
        json_array_get(json_object_get(json_object_get(points, "fields"), field), row);

    return json_is_integer(value) ? json_integer_value(value) : -1;
}

/* Numbers of points 1 and 4 are new, 2 has none, and "other" is as it was. */
static void fields_check(conf_stock *stock, const json_t *points)
{
    for (size_t row = 0; row < CONF_STOCK_POINTS; row++) {
        int64_t expected = row == 1 ? 71 : row == 2 ? -1 : row == 4 ? 74 : (int64_t)row;
        int64_t number = number_of_row(points, row, "number");
        int64_t other = number_of_row(points, row, "other");

        if (number != expected)
            conf_fail(stock->rig.run,
                      "after points.set_fields point %zu has the number %lld, not %lld (-1: none): "
                      "a value is set, a missing one takes the field away, and points that are not "
                      "named keep theirs",
                      row, (long long)number, (long long)expected);
        if (other != (row < 6 ? 100 + (int64_t)row : -1))
            conf_fail(stock->rig.run,
                      "after points.set_fields of \"number\" point %zu has another value of "
                      "\"other\": fields that are not given stay",
                      row);
    }
}

void conf_optional_set_fields(conf_run *run)
{
    json_t *before = NULL, *after = NULL, *others = json_array(), *body;
    conf_stock stock;

    if (!conf_stock_begin(&stock, run, "points.set_fields", NULL))
        goto out;
    if (!stock.has_numbers) {
        conf_skip(run, "the backend stores no int64");
        goto out;
    }
    for (int i = 0; i < 6; i++)
        json_array_append_new(others, json_integer(100 + i));
    /* a field that no point had, in the ids' own order */
    body = conf_stock_body(&stock);
    json_object_set_new(body, "ids", conf_ids("stock", 0, 6));
    json_object_set_new(body, "fields", json_pack("{s:O}", "other", others));
    set_fields_check(&stock, body, json_pack("[iiiiii]", 0, 1, 2, 3, 4, 5));
    before = conf_stock_look(&stock);
    body = conf_stock_body(&stock);
    json_object_set_new(body, "ids", json_pack("[sssss]", "stock004", "none", "stock002",
                                               "stock001", "nobody"));
    json_object_set_new(
        body, "fields",
        json_pack("{s:o}", "number", conf_column("int64", json_pack("[iinii]", 74, 8, 71, 9))));
    set_fields_check(&stock, body, json_pack("[iii]", 0, 2, 3));
    body = conf_stock_body(&stock);
    json_object_set_new(body, "ids", json_pack("[s]", "none"));
    json_object_set_new(body, "fields", json_pack("{s:[i]}", "number", 5));
    set_fields_check(&stock, body, json_array());
    after = before ? conf_stock_look(&stock) : NULL;
    if (!after)
        goto out;
    fields_check(&stock, json_object_get(after, "points"));
    if (!json_equal(json_object_get(json_object_get(before, "points"), "vectors"),
                    json_object_get(json_object_get(after, "points"), "vectors")))
        conf_fail(run, "points.set_fields changed vectors");
    if (!json_equal(json_object_get(before, "count"), json_object_get(after, "count")))
        conf_fail(run, "points.set_fields of ids that are not there made points, or lost some");
out:
    json_decref(before);
    json_decref(after);
    json_decref(others);
    conf_stock_end(&stock);
}

/* ---- views ----------------------------------------------------------------------------------- */

static int is_third(size_t row) { return row % 3 == 0; }

/* Makes a view of these ids (taken), of which so many are there; its number, -1 after failing. */
static int64_t view_new(conf_stock *stock, json_t *ids, int64_t known)
{
    json_t *body = conf_stock_body(stock);
    conf_answer answer;
    int64_t view = -1, said;

    json_object_set_new(body, "ids", json_array_size(ids) ? ids : conf_column("text", ids));
    if (conf_stock_ask(stock, "view.create", body, 0, 0, &answer)) {
        view = json_integer_value(json_object_get(answer.body, "view"));
        said = json_integer_value(json_object_get(answer.body, "known"));
        if (view < 1)
            conf_fail(stock->rig.run, "view.create answers the number %lld: views have numbers "
                                      "from 1 on, as 0 is none",
                      (long long)view);
        if (said != known)
            conf_fail(stock->rig.run,
                      "view.create: \"known\" is %lld; %lld of the ids are there, each counted "
                      "once (docs/protocol.md, view.create)",
                      (long long)said, (long long)known);
    }
    conf_answer_clear(&answer);
    return conf_failed(stock->rig.run) ? -1 : view;
}

static json_t *view_body(const conf_stock *stock, int64_t view)
{
    json_t *body = conf_stock_body(stock);

    json_object_set_new(body, "view", json_integer(view));
    return body;
}

static json_t *view_search(const conf_stock *stock, int64_t view)
{
    json_t *body = view_body(stock, view);

    json_object_set_new(body, "vectors", conf_vectors(43, 2, CONF_STOCK_DIMENSION));
    json_object_set_new(body, "k", json_integer(conf_k(&stock->rig, CONF_STOCK_POINTS)));
    return body;
}

/* What a search and a count see of the view is just that part. */
static void view_check(conf_stock *stock, int64_t view, const conf_truth *part, const char *what)
{
    size_t size = json_array_size(part->ids), begin, end;
    size_t k = (size_t)conf_k(&stock->rig, CONF_STOCK_POINTS);
    size_t expected = size < k ? size : k, i;
    conf_found found = {0, 0};
    conf_answer answer;
    json_t *queries = conf_vectors(43, 2, CONF_STOCK_DIMENSION), *query;

    if (conf_stock_ask(stock, "points.count", view_body(stock, view), 0, 0, &answer) &&
        json_integer_value(json_object_get(answer.body, "count")) != (json_int_t)size)
        conf_fail(stock->rig.run, "points.count in %s says %lld; %zu points are in it", what,
                  (long long)json_integer_value(json_object_get(answer.body, "count")), size);
    conf_answer_clear(&answer);
    if (!conf_failed(stock->rig.run) &&
        conf_stock_ask(stock, "search", view_search(stock, view), 2, 0, &answer)) {
        json_array_foreach(queries, i, query) {
            if (conf_hits_range(&stock->rig, answer.body, i, &begin, &end) &&
                end - begin != expected)
                conf_fail(stock->rig.run, "a search for %zu in %s has %zu hits, not %zu", k, what,
                          end - begin, expected);
            conf_hits_check(&stock->rig, answer.body, i, query, part, k, 0, &found);
        }
        conf_found_check(&stock->rig, &found);
        conf_answer_clear(&answer);
    }
    json_decref(queries);
}

static void view_drop(conf_stock *stock, int64_t view)
{
    if (conf_serves(&stock->rig, "view.drop"))
        conf_stock_do(stock, "view.drop", view_body(stock, view));
}

/* Ids are kept, not the points that they had: one that is written later is in, one deleted out. */
static void view_follows(conf_stock *stock, int64_t view, conf_truth *part)
{
    json_t *ids = (json_t *)(uintptr_t)part->ids, *vectors = (json_t *)(uintptr_t)part->vectors;
    json_t *late = conf_vectors(44, 1, CONF_STOCK_DIMENSION), *body = conf_stock_body(stock);

    json_object_set_new(body, "ids", json_pack("[O]", json_array_get(ids, 0)));
    json_array_remove(ids, 0);
    json_array_remove(vectors, 0);
    json_array_append_new(ids, json_string("later"));
    json_array_append(vectors, json_array_get(late, 0));
    if (conf_do(&stock->rig, "points.delete", body) &&
        conf_upsert(&stock->rig, stock->name, json_pack("[ss]", "later", "outside"),
                    json_pack("[OO]", json_array_get(late, 0), json_array_get(late, 0)), NULL))
        view_check(stock, view, part,
                   "a view, after one point of it was deleted and one of its ids written,");
    json_decref(late);
}

void conf_optional_views(conf_run *run)
{
    conf_truth part = {NULL, NULL, NULL}, none = {NULL, NULL, NULL};
    int64_t view = -1, empty = -1;
    conf_stock stock;
    json_t *ids;

    if (!conf_stock_begin(&stock, run, "view.create", NULL))
        goto out;
    part = conf_stock_part(&stock, is_third);
    none = (conf_truth){stock.truth.metric, json_array(), json_array()};
    ids = json_copy((json_t *)(uintptr_t)part.ids);
    /* not in order, one twice, and some that are not there */
    json_array_insert_new(ids, 0, json_string("later"));
    json_array_append(ids, json_array_get(part.ids, 2));
    json_array_append_new(ids, json_string("none"));
    view = view_new(&stock, ids, (int64_t)json_array_size(part.ids));
    if (view > 0)
        view_check(&stock, view, &part, "a view");
    if (view > 0 && !conf_failed(run))
        empty = view_new(&stock, json_array(), 0);
    if (empty > 0) {
        view_check(&stock, empty, &none, "a view of no ids");
        view_drop(&stock, empty);
        /* the other is still there */
        view_follows(&stock, view, &part);
        view_drop(&stock, view);
    }
out:
    conf_stock_part_clear(&part);
    conf_stock_part_clear(&none);
    conf_stock_end(&stock);
}

/* Searches and counts with a number that is none, on the rig's instance. */
static void number_refused(conf_stock *stock, int64_t view, const char *when)
{
    conf_expect(&stock->rig, "search", view_search(stock, view), SIMPLUGIN_NOT_FOUND, when);
    conf_expect(&stock->rig, "points.count", view_body(stock, view), SIMPLUGIN_NOT_FOUND, when);
    conf_expect(&stock->rig, "view.drop", view_body(stock, view), SIMPLUGIN_NOT_FOUND, when);
}

void conf_optional_view_numbers(conf_run *run)
{
    simplugin_instance *first = NULL, *second = NULL;
    conf_stock stock;
    int64_t view = -1;
    char *other = NULL, *own;

    if (!conf_stock_begin(&stock, run, "view.create", "view.drop", NULL))
        goto out;
    number_refused(&stock, INT64_C(1) << 40, "for the number of a view that never was");
    view = view_new(&stock, conf_ids("stock", 0, 3), 3);
    other = view > 0 ? conf_create(&stock.rig, NULL, CONF_STOCK_DIMENSION, NULL) : NULL;
    if (!other)
        goto out;
    own = stock.name;
    stock.name = other;
    number_refused(&stock, view, "for the number of another collection's view");
    stock.name = own;
    second = conf_instance(&stock.rig);
    if (!second)
        goto out;
    first = stock.rig.instance;
    stock.rig.instance = second;
    number_refused(&stock, view, "for the number of another instance's view");
    stock.rig.instance = first;
    if (conf_stock_do(&stock, "view.drop", view_body(&stock, view)))
        number_refused(&stock, view, "for the number of a view that was dropped");
out:
    if (second)
        stock.rig.table->close(second);
    free(other);
    conf_stock_end(&stock);
}
