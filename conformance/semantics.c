/* SPDX-License-Identifier: Apache-2.0 */
/* Random walks, and what is hard about ids and sizes: the backend answers as sklearn_flat does. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agree.h"
#include "dice.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define DIMENSION 12
#define STEPS 60
#define LARGE 1500

/* ---- ids ------------------------------------------------------------------------------------- */

/* What is easily taken for another, or for something else than text. */
static const char *const hard_ids[] = {
    "a", "A", "a ", " a", "ab", "0", "00", "-1", "1.5", "1e3", "true", "null", "NaN", "it's", "say \"so\"",
    "back\\slash", "per%cent", "under_score", "star*", "semi;colon", "slash/es", "../up", "a\tb", "a\nb", "a\x01" "b",
    "\x7f", "$and", "{\"id\": 1}", "[1]", "<b>&amp;</b>", "0123456789abcdef01234567",
    "507f1f77-bcf8-6cd7-9943-901100000000", "507f1f77bcf86cd799439011", "507F1F77BCF86CD799439011",
    "\xc3\xa9", "e\xcc\x81", "\xc3\x9f", "\xe2\x84\xab", "\xc3\x85", "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
    "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", "\xf0\x9f\x90\x9d", "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb",
    "\xe2\x80\x8b", "\xef\xbb\xbf" "bom", "\xef\xbf\xbf", "\xf4\x8f\xbf\xbf",
};

/* 255 bytes: the most that an id may have; of characters of one to four bytes, differing in the last. */
static json_t *long_id(size_t which)
{
    static const char *const characters[] = {"x", "\xc3\xa9", "\xe6\x97\xa5", "\xf0\x9f\x90\x9d"};
    const char *one = characters[which / 2 % 4];
    char id[256] = "";
    size_t size = 0;

    while (size + strlen(one) <= 254) {
        memcpy(id + size, one, strlen(one));
        size += strlen(one);
    }
    while (size < 255)
        id[size++] = which % 2 ? 'y' : 'z';
    return json_stringn(id, size);
}

/* The hard ones first, then any number of plain ones. */
static json_t *id_number(size_t i)
{
    if (i < COUNT(hard_ids))
        return json_string(hard_ids[i]);
    if (i < COUNT(hard_ids) + 8)
        return long_id(i - COUNT(hard_ids));
    return json_sprintf("point-%zu", i);
}

static json_t *ids_from(size_t first, size_t count)
{
    json_t *ids = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(ids, id_number(first + i));
    return ids;
}

/* count different ones of the first `of` */
static json_t *ids_chosen(dice *d, size_t count, size_t of)
{
    json_t *ids = json_array();
    unsigned char *taken = calloc(of + 1, 1);

    if (!taken)
        abort();
    while (json_array_size(ids) < count && json_array_size(ids) < of) {
        size_t i = dice_below(d, of);
        if (!taken[i])
            json_array_append_new(ids, id_number(i));
        taken[i] = 1;
    }
    free(taken);
    return ids;
}

/* ---- points ---------------------------------------------------------------------------------- */

static json_t *vector_random(dice *d)
{
    json_t *vector = json_array();

    for (int i = 0; i < DIMENSION; i++)
        json_array_append_new(vector, json_real(dice_number(d)));
    return vector;
}

static json_t *vectors_random(dice *d, size_t count)
{
    json_t *vectors = json_array();

    for (size_t i = 0; i < count; i++)
        /* some are the same as one before: ties */
        if (i && dice_below(d, 16) == 0)
            json_array_append(vectors, json_array_get(vectors, dice_below(d, i)));
        else
            json_array_append_new(vectors, vector_random(d));
    return vectors;
}

static int stores(const char *type)
{
    return core_both_store(&conf_the_world, type);
}

/*
 * Columns of fields that both store, some values missing, and at times a whole field: a point that is
 * replaced loses what it is not given again.
 */
static json_t *fields_random(dice *d, size_t count)
{
    static const char *const words[] = {"red", "green", "", "\xc3\xa9", "red "};
    json_t *fields = json_object(), *texts = json_array(), *numbers = json_array();

    for (size_t i = 0; i < count; i++) {
        json_array_append_new(texts, dice_below(d, 4) ? json_string(words[dice_below(d, COUNT(words))])
                                                      : json_null());
        json_array_append_new(numbers, dice_below(d, 4) ? json_integer((json_int_t)dice_below(d, 9))
                                                        : json_null());
    }
    if (stores("text") && dice_below(d, 3))
        json_object_set_new(fields, "color", json_pack("{s:{s:s, s:O}}", "$column", "type", "text",
                                                       "values", texts));
    if (stores("int64") && dice_below(d, 3))
        json_object_set_new(fields, "page", json_pack("{s:{s:s, s:O}}", "$column", "type", "int64",
                                                      "values", numbers));
    json_decref(texts);
    json_decref(numbers);
    return fields;
}

/* The body of an add of these ids (taken). */
static json_t *add_body(dice *d, json_t *ids)
{
    size_t count = json_array_size(ids);
    json_t *fields = fields_random(d, count), *body;

    body = json_pack("{s:o, s:o}", "ids", ids, "vectors", vectors_random(d, count));
    if (count && json_object_size(fields))
        json_object_set(body, "fields", fields);
    json_decref(fields);
    return body;
}

static json_t *create_body(const char *metric)
{
    json_t *body = json_pack("{s:i, s:s}", "dimension", DIMENSION, "metric", metric);
    json_t *fields = json_object();

    if (stores("text"))
        json_object_set_new(fields, "color", json_string("text"));
    if (stores("int64"))
        json_object_set_new(fields, "page", json_string("int64"));
    if (json_object_size(fields))
        json_object_set(body, "fields", fields);
    json_decref(fields);
    return body;
}

/* The first of ours that it offers. */
static const char *some_metric(const conf_target *target)
{
    static const char *const metrics[] = {"euclidean", "cosine", "dotproduct"};

    for (size_t i = 0; i < COUNT(metrics); i++)
        if (core_lists(target->describe, "metrics", metrics[i]))
            return metrics[i];
    return NULL;
}

/* ---- the walk -------------------------------------------------------------------------------- */

typedef struct walk {
    agreement a;
    dice d;
    size_t ids;      /* of which the walk chooses */
    int had_large;
} walk;

static void flag_maybe(walk *w, json_t *body, const char *key, int value)
{
    if (dice_below(&w->d, 4) == 0)
        json_object_set_new(body, key, json_boolean(value));
}

static void step_add(walk *w)
{
    static const size_t sizes[] = {0, 1, 1, 2, 7, 31, 64};
    size_t size = sizes[dice_below(&w->d, COUNT(sizes))];
    json_t *body;

    if (!w->had_large && dice_below(&w->d, 4) == 0) {
        w->had_large = 1;
        body = add_body(&w->d, ids_from(1000, LARGE));
    } else {
        body = add_body(&w->d, ids_chosen(&w->d, size, w->ids));
    }
    flag_maybe(w, body, "overwrite", 0);
    agreement_write(&w->a, "index.add", body);
    json_decref(body);
}

/* A second row of one id: which of them counts. */
static void step_add_twice(walk *w)
{
    json_t *ids = ids_chosen(&w->d, 5, w->ids), *body;

    json_array_append(ids, json_array_get(ids, 1));
    json_array_append(ids, json_array_get(ids, 3));
    body = add_body(&w->d, ids);
    json_object_set_new(body, "duplicates", json_string(dice_below(&w->d, 2) ? "first" : "last"));
    agreement_write(&w->a, "index.add", body);
    json_decref(body);
}

static void step_remove(walk *w)
{
    json_t *body = json_object();

    if (dice_below(&w->d, 5) == 0 && stores("int64"))
        json_object_set_new(body, "filter", json_sprintf("page == %zu", dice_below(&w->d, 9)));
    else
        json_object_set_new(body, "ids", ids_chosen(&w->d, dice_below(&w->d, 12), w->ids));
    agreement_write(&w->a, "index.remove", body);
    json_decref(body);
}

static void step_get(walk *w)
{
    json_t *body = json_pack("{s:o, s:b, s:b}", "ids", ids_chosen(&w->d, 1 + dice_below(&w->d, 20), w->ids),
                             "vectors", 1, "fields", 1);

    agreement_get(&w->a, body);
    json_decref(body);
}

static void step_set_fields(walk *w)
{
    json_t *ids, *fields, *body;

    if (!core_lists(w->a.p.target->describe, "methods", "points.set_fields"))
        return;
    ids = ids_chosen(&w->d, 1 + dice_below(&w->d, 9), w->ids);
    fields = fields_random(&w->d, json_array_size(ids));
    body = json_pack("{s:O, s:O}", "ids", ids, "fields", fields);
    if (json_object_size(fields))
        agreement_write(&w->a, "index.set_fields", body);
    json_decref(ids);
    json_decref(fields);
    json_decref(body);
}

/* Some of those that are there; an empty array if there are none. */
static json_t *ids_there(walk *w, size_t count)
{
    const json_t *points = agreement_points(&w->a);
    size_t size = json_object_size(points);
    json_t *ids = json_array();

    for (size_t i = 0; size && i < count; i++) {
        size_t skip = dice_below(&w->d, size);
        void *at = json_object_iter((json_t *)(uintptr_t)points);

        while (skip--)
            at = json_object_iter_next((json_t *)(uintptr_t)points, at);
        json_array_append_new(ids, json_string(json_object_iter_key(at)));
    }
    return ids;
}

static json_t *query_body(walk *w)
{
    json_t *body = json_object(), *ids = ids_there(w, 1 + dice_below(&w->d, 3));

    if (json_array_size(ids) && dice_below(&w->d, 3) == 0) {
        json_object_set(body, "ids", ids);
        flag_maybe(w, body, "exclude_self", 1);
    } else {
        json_object_set_new(body, "vectors", vectors_random(&w->d, 1 + dice_below(&w->d, 4)));
    }
    if (dice_below(&w->d, 4) == 0 && stores("int64"))
        json_object_set_new(body, "filter", json_sprintf("page >= %zu", dice_below(&w->d, 9)));
    json_decref(ids);
    return body;
}

static double some_distance(walk *w)
{
    double number = dice_number(&w->d);

    return !strcmp(w->a.metric, "cosine") ? 1 + number / 2
           : !strcmp(w->a.metric, "euclidean") ? 2.5 + number
                                               : number;
}

static void step_search(walk *w)
{
    static const int ks[] = {1, 2, 10, 50, 200, 2000};
    json_t *body = query_body(w);

    json_object_set_new(body, "k", json_integer(ks[dice_below(&w->d, COUNT(ks))]));
    if (dice_below(&w->d, 5) == 0)
        json_object_set_new(body, "reverse", json_true());
    else if (dice_below(&w->d, 4) == 0)
        json_object_set_new(body, "max_distance", json_real(some_distance(w)));
    agreement_search(&w->a, "index.search", body);
    json_decref(body);
}

static void step_radius(walk *w)
{
    json_t *body = query_body(w);

    json_object_set_new(body, "radius", json_real(some_distance(w)));
    if (dice_below(&w->d, 2))
        json_object_set_new(body, "limit", json_integer(1 + (json_int_t)dice_below(&w->d, 40)));
    agreement_search(&w->a, "index.radius", body);
    json_decref(body);
}

static void step_all(walk *w)
{
    static const int rows[] = {1, 7, 100, 5000};
    size_t size = json_object_size(agreement_points(&w->a));

    /* not a thousand replies */
    agreement_all(&w->a, rows[size > 200 ? 2 + dice_below(&w->d, 2) : dice_below(&w->d, COUNT(rows))]);
}

static void walk_check(conf_run *run)
{
    static void (*const steps[])(walk *) = {step_add, step_add, step_add, step_add_twice, step_remove,
                                            step_get, step_get, step_set_fields, step_search, step_search,
                                            step_search, step_radius, step_all};
    const conf_target *target = conf_run_target(run);
    const char *metric = conf_run_subject(run);
    json_t *create = create_body(metric);
    walk w = {.d = dice_of(target->seed, (uint64_t)(unsigned char)metric[0]), .ids = 120};

    if (!core_lists(target->describe, "metrics", metric)) {
        conf_skip(run, "it has no metric %s", metric);
    } else if (agreement_open(&w.a, run, create)) {
        for (int i = 0; i < STEPS && !conf_failed(run); i++) {
            w.a.p.as_columns = dice_below(&w.d, 2) != 0;
            steps[dice_below(&w.d, COUNT(steps))](&w);
        }
        if (!conf_failed(run))
            agreement_all(&w.a, 500);
        agreement_close(&w.a);
    }
    json_decref(create);
}

/* ---- by themselves --------------------------------------------------------------------------- */

/* What an index answers to every question. */
static void ask_everything(agreement *a, dice *d, const json_t *ids)
{
    json_t *vectors = vectors_random(d, 2);
    json_t *search = json_pack("{s:O, s:i}", "vectors", vectors, "k", 5);
    json_t *radius = json_pack("{s:O, s:f}", "vectors", vectors, "radius", 1.0);
    json_t *get = json_pack("{s:O, s:b, s:b}", "ids", ids, "vectors", 1, "fields", 1);

    if (agreement_search(a, "index.search", search) && agreement_search(a, "index.radius", radius) &&
        agreement_get(a, get))
        agreement_all(a, 3);
    json_decref(vectors);
    json_decref(search);
    json_decref(radius);
    json_decref(get);
}

static int index_open(agreement *a, conf_run *run)
{
    const char *metric = some_metric(conf_run_target(run));
    json_t *create = metric ? create_body(metric) : NULL;
    int opened = create && agreement_open(a, run, create);

    if (!metric)
        conf_skip(run, "it has none of the metrics cosine, dotproduct and euclidean");
    /* the metric is static, so that it outlives the body */
    a->metric = metric;
    json_decref(create);
    return opened;
}

static void empty_check(conf_run *run)
{
    agreement a;
    dice d = dice_of(conf_run_target(run)->seed, 10);
    json_t *ids = ids_from(0, 3), *by_ids = json_pack("{s:O}", "ids", ids), *add, *all;

    if (index_open(&a, run)) {
        add = add_body(&d, ids_from(0, 3));
        all = json_pack("{s:b}", "all", 1);
        ask_everything(&a, &d, ids);
        if (!conf_failed(run))
            agreement_write(&a, "index.remove", by_ids);
        /* and one that has become empty */
        if (!conf_failed(run) && agreement_write(&a, "index.add", add) &&
            agreement_write(&a, "index.remove", by_ids))
            ask_everything(&a, &d, ids);
        if (!conf_failed(run) && agreement_write(&a, "index.add", add) &&
            agreement_write(&a, "index.remove", all))
            ask_everything(&a, &d, ids);
        json_decref(add);
        json_decref(all);
        agreement_close(&a);
    }
    json_decref(by_ids);
    json_decref(ids);
}

static void ids_check(conf_run *run)
{
    const size_t count = COUNT(hard_ids) + 8;
    agreement a;
    dice d = dice_of(conf_run_target(run)->seed, 11);
    json_t *ids = ids_from(0, count), *body, *some;

    if (index_open(&a, run)) {
        body = add_body(&d, json_incref(ids));
        a.p.as_columns = 1;
        if (agreement_write(&a, "index.add", body))
            ask_everything(&a, &d, ids);
        json_decref(body);
        /* each is its own point, found by its name alone */
        for (size_t i = 0; i < count && !conf_failed(run); i++) {
            body = json_pack("{s:[O], s:i}", "ids", json_array_get(ids, i), "k", 3);
            agreement_search(&a, "index.search", body);
            json_decref(body);
        }
        some = ids_chosen(&d, count / 2, count);
        body = json_pack("{s:O}", "ids", some);
        if (!conf_failed(run) && agreement_write(&a, "index.remove", body))
            ask_everything(&a, &d, ids);
        json_decref(body);
        json_decref(some);
        agreement_close(&a);
    }
    json_decref(ids);
}

static void batches_check(conf_run *run)
{
    static const size_t sizes[] = {0, 1, 2, 3, 31, 33, 127, 129, 1000, 2049};
    agreement a;
    dice d = dice_of(conf_run_target(run)->seed, 12);
    size_t first = 1000;

    if (!index_open(&a, run))
        return;
    for (size_t i = 0; i < COUNT(sizes) && !conf_failed(run); i++) {
        json_t *ids = ids_from(first, sizes[i]), *add = add_body(&d, json_incref(ids)), *last;

        a.p.as_columns = i % 2 != 0;
        agreement_write(&a, "index.add", add);
        first += sizes[i];
        last = json_pack("{s:[o], s:i}", "ids", id_number(first - 1), "k", 4);
        if (sizes[i] && !conf_failed(run))
            agreement_search(&a, "index.search", last);
        json_decref(last);
        /* and all of it once more, over itself */
        if (!conf_failed(run))
            agreement_write(&a, "index.add", add);
        json_decref(add);
        json_decref(ids);
    }
    if (!conf_failed(run))
        agreement_all(&a, 1000);
    agreement_close(&a);
}

static void duplicates_check(conf_run *run)
{
    static const char *const rules[] = {"fail", "first", "last"};
    agreement a;
    dice d = dice_of(conf_run_target(run)->seed, 13);

    if (!index_open(&a, run))
        return;
    for (size_t i = 0; i < COUNT(rules) && !conf_failed(run); i++) {
        json_t *ids = ids_from(0, 4), *body;

        json_array_append_new(ids, id_number(1));
        json_array_append_new(ids, id_number(3));
        json_array_append_new(ids, id_number(1));
        body = add_body(&d, ids);
        json_object_set_new(body, "duplicates", json_string(rules[i]));
        a.p.may_fail = i == 0;
        agreement_write(&a, "index.add", body);
        if (!conf_failed(run))
            agreement_all(&a, 2);
        json_decref(body);
    }
    agreement_close(&a);
}

const conf_check conf_semantics[] = {
    {"semantics/empty", "an index without points, from the beginning or again, answers as flat's does",
     empty_check, 120, 0, NULL},
    {"semantics/ids", "ids of any characters and up to 255 bytes come back as they were, each for itself",
     ids_check, 300, 0, NULL},
    {"semantics/batch-sizes", "batches of 0 to 2049 points are written, and written again, as on flat",
     batches_check, 300, 0, NULL},
    {"semantics/duplicate-ids", "of rows with one id in a call that one counts which the call says",
     duplicates_check, 120, 0, NULL},
    {"semantics/walk-cosine", "60 random writes and reads agree with flat's, under cosine",
     walk_check, 600, 0, "cosine"},
    {"semantics/walk-dotproduct", "60 random writes and reads agree with flat's, under dotproduct",
     walk_check, 600, 0, "dotproduct"},
    {"semantics/walk-euclidean", "60 random writes and reads agree with flat's, under euclidean",
     walk_check, 600, 0, "euclidean"},
    {NULL, NULL, NULL, 0, 0, NULL},
};
