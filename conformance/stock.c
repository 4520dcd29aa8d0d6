/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "stock.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define QUERIES 3
#define K 5

static int fill(conf_stock *stock)
{
    json_t *numbers = json_array();
    int ok;

    for (int i = 0; i < CONF_STOCK_POINTS; i++)
        json_array_append_new(numbers, json_integer(i));
    stock->name =
        conf_create(&stock->rig, stock->truth.metric, CONF_STOCK_DIMENSION,
                    stock->has_numbers
                        ? json_pack("{s:s, s:s}", "number", "int64", "other", "int64")
                        : NULL);
    ok = stock->name &&
         conf_upsert(&stock->rig, stock->name, json_incref(stock->ids), json_incref(stock->vectors),
                     stock->has_numbers ? json_pack("{s:O}", "number", numbers) : NULL);
    json_decref(numbers);
    return ok;
}

int conf_stock_begin(conf_stock *stock, conf_run *run, const char *method, ...)
{
    const char *lacks = NULL;
    va_list methods;

    memset(stock, 0, sizeof *stock);
    if (!conf_rig_open(&stock->rig, run))
        return 0;
    va_start(methods, method);
    for (const char *at = method; at; at = va_arg(methods, const char *))
        if (!lacks && !conf_serves(&stock->rig, at))
            lacks = at;
    va_end(methods);
    if (lacks) {
        conf_skip(run, "the backend does not serve %s", lacks);
        return 0;
    }
    stock->has_numbers = conf_lists(&stock->rig, "field_types", "int64");
    stock->ids = conf_ids("stock", 0, CONF_STOCK_POINTS);
    stock->vectors = conf_vectors(41, CONF_STOCK_POINTS, CONF_STOCK_DIMENSION);
    stock->truth.metric =
        json_string_value(json_array_get(json_object_get(stock->rig.describe, "metrics"), 0));
    stock->truth.ids = stock->ids;
    stock->truth.vectors = stock->vectors;
    return fill(stock);
}

void conf_stock_end(conf_stock *stock)
{
    free(stock->name);
    json_decref(stock->ids);
    json_decref(stock->vectors);
    conf_rig_close(&stock->rig);
}

json_t *conf_stock_body(const conf_stock *stock)
{
    return json_pack("{s:s}", "collection", stock->name);
}

int conf_stock_ask(conf_stock *stock, const char *method, json_t *body, uint64_t queries,
                   unsigned int wants, conf_answer *answer)
{
    conf_sizes sizes = {queries, CONF_STOCK_DIMENSION, wants};
    int ok = conf_ok(&stock->rig, method, body, answer);

    if (ok)
        conf_shape_check(&stock->rig, method, &sizes, answer);
    return ok && !conf_failed(stock->rig.run);
}

int conf_stock_do(conf_stock *stock, const char *method, json_t *body)
{
    conf_answer answer;
    int ok = conf_stock_ask(stock, method, body, 0, 0, &answer);

    conf_answer_clear(&answer);
    return ok;
}

/* ---- looking --------------------------------------------------------------------------------- */

/* What the method answers under the key; NULL after failing. The caller's. */
static json_t *answer_of(conf_stock *stock, const char *method, json_t *body, const char *key)
{
    conf_answer answer;
    json_t *said = NULL;

    if (conf_ok(&stock->rig, method, body, &answer))
        said = json_incref(key ? json_object_get(answer.body, key) : answer.body);
    conf_answer_clear(&answer);
    return said;
}

json_t *conf_stock_count(conf_stock *stock)
{
    return answer_of(stock, "points.count", conf_stock_body(stock), "count");
}

json_t *conf_stock_look(conf_stock *stock)
{
    json_t *body = conf_stock_body(stock), *look, *count = conf_stock_count(stock), *points, *hits;

    json_object_set(body, "ids", stock->ids);
    json_object_set_new(body, "fields", json_true());
    points = answer_of(stock, "points.get", body, NULL);
    body = conf_stock_body(stock);
    json_object_set_new(body, "vectors", conf_vectors(42, QUERIES, CONF_STOCK_DIMENSION));
    json_object_set_new(body, "k", json_integer(conf_k(&stock->rig, K)));
    hits = answer_of(stock, "search", body, "ids");
    /* NULL where one of them is */
    look = json_pack("{s:o, s:o, s:o}", "count", count, "points", points, "hits", hits);
    return look;
}

void conf_stock_same(conf_stock *stock, const json_t *before, const char *after)
{
    json_t *now = conf_failed(stock->rig.run) ? NULL : conf_stock_look(stock);
    const json_t *old = json_object_get(before, "points"), *points = json_object_get(now, "points");
    const json_t *hits = json_object_get(now, "hits");
    int exact = conf_says(&stock->rig, "exact");

    if (!before || !now)
        goto out;
    if (!json_equal(json_object_get(before, "count"), json_object_get(now, "count")))
        conf_fail(stock->rig.run, "there are %lld points %s, and were %lld before",
                  (long long)json_integer_value(json_object_get(now, "count")), after,
                  (long long)json_integer_value(json_object_get(before, "count")));
    if (!json_equal(json_object_get(old, "positions"), json_object_get(points, "positions")))
        conf_fail(stock->rig.run, "points.get finds other points %s", after);
    if (!json_equal(json_object_get(old, "vectors"), json_object_get(points, "vectors")))
        conf_fail(stock->rig.run, "the points have other vectors %s", after);
    if (!json_equal(json_object_get(old, "fields"), json_object_get(points, "fields")))
        conf_fail(stock->rig.run, "the points have other fields %s", after);
    if (exact ? !json_equal(json_object_get(before, "hits"), hits)
              : json_array_size(json_object_get(before, "hits")) != json_array_size(hits))
        conf_fail(stock->rig.run, "a search finds %s points %s", exact ? "other" : "fewer or more",
                  after);
out:
    json_decref(now);
}

/* ---- parts ----------------------------------------------------------------------------------- */

conf_truth conf_stock_part(const conf_stock *stock, int (*is_chosen)(size_t row))
{
    json_t *ids = json_array(), *vectors = json_array();
    conf_truth part = {stock->truth.metric, ids, vectors};

    for (size_t i = 0; i < json_array_size(stock->ids); i++)
        if (is_chosen(i)) {
            json_array_append(ids, json_array_get(stock->ids, i));
            json_array_append(vectors, json_array_get(stock->vectors, i));
        }
    return part;
}

void conf_stock_part_clear(conf_truth *part)
{
    json_decref((json_t *)(uintptr_t)part->ids);
    json_decref((json_t *)(uintptr_t)part->vectors);
    part->ids = part->vectors = NULL;
}
