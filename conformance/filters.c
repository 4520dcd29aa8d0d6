/* SPDX-License-Identifier: Apache-2.0 */
/* Random filters accept the same points on the backend as on sklearn_flat. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter_trees.h"
#include "pair.h"

#define POINTS 80
#define DEPTH 4
/* how many simpler filters are tried to find the one that is shown */
#define SIMPLER_TRIES 300

typedef struct subject {
    size_t trees;      /* how many; 0: one of each kind of condition */
    int declared;      /* the fields are named to index.create */
    uint64_t what;     /* sets the dice apart */
} subject;

/* What both answered about one filter. */
typedef struct verdict {
    int differs;
    size_t found, there; /* by searches that need not be exact: of how many */
    char reason[1024];
} verdict;

/* ---- the points ------------------------------------------------------------------------------ */

/* The names of the fields that both store. */
static json_t *fields_used(void)
{
    json_t *used = json_array();

    for (const filter_field *field = filter_fields; field->name; field++)
        if (core_both_store(&conf_the_world, field->type))
            json_array_append_new(used, json_string(field->name));
    return used;
}

static int is_used(const json_t *used, const char *name)
{
    json_t *one;
    size_t i;

    json_array_foreach(used, i, one)
        if (!strcmp(json_string_value(one), name))
            return 1;
    return 0;
}

static json_t *create_body(const json_t *used, const json_t *describe, int declared)
{
    /* whichever both offer: distances do not matter here */
    static const char *const metrics[] = {"euclidean", "cosine", "dotproduct"};
    json_t *body = json_pack("{s:i}", "dimension", 2), *fields = json_object();

    for (const filter_field *field = filter_fields; field->name; field++)
        if (is_used(used, field->name))
            json_object_set_new(fields, field->name, json_string(field->type));
    for (size_t i = 0; i < 3 && !json_object_get(body, "metric"); i++)
        if (core_lists(describe, "metrics", metrics[i]))
            json_object_set_new(body, "metric", json_string(metrics[i]));
    if (declared)
        json_object_set(body, "fields", fields);
    json_decref(fields);
    return body;
}

static json_t *points_body(dice *d, const json_t *used, int nonfinite)
{
    json_t *ids = json_array(), *vectors = json_array(), *fields = json_object();

    for (int i = 0; i < POINTS; i++) {
        json_array_append_new(ids, json_sprintf("p%02d", i));
        json_array_append_new(vectors, json_pack("[f, f]", 1 + i % 9 * 0.125, 1 + i / 9 * 0.125));
    }
    for (const filter_field *field = filter_fields; field->name; field++)
        if (is_used(used, field->name))
            json_object_set_new(fields, field->name, filter_column(d, field, POINTS, nonfinite));
    return json_pack("{s:o, s:o, s:o}", "ids", ids, "vectors", vectors, "fields", fields);
}

/* ---- one filter ------------------------------------------------------------------------------ */

static json_t *id_set(const json_t *reply)
{
    json_t *set = json_object(), *id;
    size_t i;

    json_array_foreach(json_object_get(reply, "ids"), i, id)
        json_object_set_new(set, json_string_value(id), json_true());
    return set;
}

/* The first key that a has and b has not; NULL: none. */
static const char *only_in(const json_t *a, const json_t *b)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)a, key, value)
        if (!json_object_get(b, key))
            return key;
    return NULL;
}

static void differ(verdict *v, const char *how, const char *what)
{
    if (!v->differs)
        snprintf(v->reason, sizeof v->reason, how, what);
    v->differs = 1;
}

/* Whether both succeeded. The filters are right: where both refuse one, that is told too. */
static int both(pair *p, const char *method, const json_t *body, verdict *v)
{
    char text[700];

    core_call(p->flat, method, body, 0, &p->truth);
    core_call(p->index, method, body, 0, &p->answer);
    if (p->answer.code == SIMPLUGIN_OK && p->truth.code == SIMPLUGIN_OK)
        return 1;
    snprintf(text, sizeof text, "%s, on flat %s: %.500s", simplugin_code_name(p->answer.code),
             simplugin_code_name(p->truth.code), p->answer.code ? p->answer.message : p->truth.message);
    differ(v, "the call answers %s", text);
    return 0;
}

static void search_compare(pair *p, const json_t *search, verdict *v)
{
    json_t *accepted, *expected;
    const char *id;

    if (!both(p, "index.search", search, v))
        return;
    accepted = id_set(p->answer.reply);
    expected = id_set(p->truth.reply);
    if ((id = only_in(accepted, expected)))
        differ(v, "a search finds \"%s\", which the filter does not accept", id);
    if (!p->target->approximate && (id = only_in(expected, accepted)))
        differ(v, "a search does not find \"%s\", which the filter accepts", id);
    v->found = json_object_size(accepted);
    v->there = json_object_size(expected);
    json_decref(accepted);
    json_decref(expected);
}

static void scan_compare(pair *p, const json_t *filter, verdict *v)
{
    json_t *body = json_pack("{s:b, s:O}", "vectors", 0, "filter", filter), *points, *truth;
    const char *id;

    if (pair_scan(p, body, &points, &truth)) {
        if ((id = only_in(points, truth)))
            differ(v, "a scan has \"%s\", which the filter does not accept", id);
        if ((id = only_in(truth, points)))
            differ(v, "a scan lacks \"%s\", which the filter accepts", id);
    }
    json_decref(points);
    json_decref(truth);
    json_decref(body);
}

static verdict filter_try(pair *p, const json_t *tree, int with_scan)
{
    verdict v = {0, 0, 0, ""};
    char *text = filter_text(tree);
    json_t *filter = json_string(text);
    json_t *search = json_pack("{s:[[f, f]], s:i, s:O}", "vectors", 1.0, 1.0, "k", POINTS, "filter", filter);
    json_t *size = json_pack("{s:O}", "filter", filter);

    conf_asks(p->run, "index.search", search);
    search_compare(p, search, &v);
    if (!v.differs) {
        conf_asks(p->run, "index.size", size);
        if (both(p, "index.size", size, &v) &&
            !json_equal(json_object_get(p->answer.reply, "size"), json_object_get(p->truth.reply, "size"))) {
            char counts[100];
            snprintf(counts, sizeof counts, "%lld points, on flat %lld",
                     (long long)json_integer_value(json_object_get(p->answer.reply, "size")),
                     (long long)json_integer_value(json_object_get(p->truth.reply, "size")));
            differ(&v, "index.size counts %s", counts);
        }
    }
    if (!v.differs && with_scan)
        scan_compare(p, filter, &v);
    json_decref(search);
    json_decref(size);
    json_decref(filter);
    free(text);
    return v;
}

/* Fails the check with the simplest filter found that shows the difference. */
static void failure_show(pair *p, const json_t *tree, verdict shown)
{
    json_t *now = json_incref((json_t *)(uintptr_t)tree);
    int tries = 0, simpler = 1;
    char *text;

    while (simpler && tries < SIMPLER_TRIES) {
        json_t *candidates = filter_simpler(now), *one;
        size_t i;

        simpler = 0;
        json_array_foreach(candidates, i, one) {
            verdict v = filter_try(p, one, 1);
            if (++tries > SIMPLER_TRIES || conf_failed(p->run))
                break;
            if (v.differs) {
                json_decref(now);
                now = json_incref(one);
                shown = v;
                simpler = 1;
                break;
            }
        }
        json_decref(candidates);
    }
    /* so that the request that is told of is the one that shows it */
    filter_try(p, now, 0);
    text = filter_text(now);
    conf_fail(p->run, "filter %s: %s", text, shown.reason);
    free(text);
    json_decref(now);
}

static void trees_try(pair *p, dice *d, const json_t *used, size_t count)
{
    json_t *leaves = count ? NULL : filter_leaves(d, used), *tree;
    size_t found = 0, there = 0;

    if (leaves)
        count = json_array_size(leaves);
    for (size_t i = 0; i < count && !conf_failed(p->run); i++) {
        verdict v;
        tree = leaves ? json_incref(json_array_get(leaves, i)) : filter_tree(d, used, 1 + (unsigned int)dice_below(d, DEPTH));
        v = filter_try(p, tree, i % 5 == 0);
        if (conf_the_world.options->verbose) {
            char *text = filter_text(tree);
            printf("%zu of %d: %s\n", v.there, POINTS, text);
            free(text);
        }
        found += v.found;
        there += v.there;
        if (v.differs)
            failure_show(p, tree, v);
        json_decref(tree);
    }
    if (p->target->approximate && (double)found < p->target->recall * (double)there)
        conf_fail(p->run, "searches found %zu of %zu points that filters accept, less than %g", found,
                  there, p->target->recall);
    json_decref(leaves);
}

/* ---- the checks ------------------------------------------------------------------------------ */

static void filters_check(conf_run *run)
{
    const conf_target *target = conf_run_target(run);
    const subject *about = conf_run_subject(run);
    dice d = dice_of(target->seed, about->what);
    json_t *used = fields_used();
    json_t *create = create_body(used, target->describe, about->declared);
    json_t *points = points_body(&d, used, json_is_true(json_object_get(target->describe, "nonfinite")));
    pair p;

    if (json_array_size(used) == 0) {
        conf_skip(run, "it stores no fields");
    } else if (pair_open(&p, run, create)) {
        if (pair_ask(&p, "index.add", points))
            trees_try(&p, &d, used, about->trees);
        pair_close(&p);
    }
    json_decref(points);
    json_decref(create);
    json_decref(used);
}

static const subject leaves = {0, 1, 1};
static const subject random_trees = {200, 1, 2};
static const subject undeclared = {100, 0, 3};

const conf_check conf_filters[] = {
    {"filters/conditions", "each kind of condition on each type of field accepts the points it accepts on flat",
     filters_check, 300, 0, &leaves},
    {"filters/random", "200 random filters, four levels deep, accept the points they accept on flat",
     filters_check, 300, 0, &random_trees},
    {"filters/undeclared-fields", "100 random filters on fields that were never declared do so too",
     filters_check, 300, 0, &undeclared},
    {NULL, NULL, NULL, 0, 0, NULL},
};
