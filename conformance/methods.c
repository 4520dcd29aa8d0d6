/* SPDX-License-Identifier: Apache-2.0 */
/* Which methods there are, what they answer, and how they refuse. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "describe_truth.h"
#include "expect.h"
#include "shape.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A rig with one collection of dimension 4 and a few points in it; NULL after failing. */
static char *begin(conf_rig *rig, conf_run *run, size_t points)
{
    char *name = conf_rig_open(rig, run) ? conf_create(rig, NULL, 4, NULL) : NULL;

    if (name && points)
        conf_upsert(rig, name, conf_ids("p", 0, points), conf_vectors(1, points, 4), NULL);
    return name;
}

static void end(conf_rig *rig, char *name)
{
    free(name);
    conf_rig_close(rig);
}

/* A valid request of each required method that takes a collection. The caller's. */
static json_t *valid_body(const char *method, const char *name)
{
    json_t *body = json_pack("{s:s}", "collection", name);

    if (!strcmp(method, "points.upsert") || !strcmp(method, "points.get") ||
        !strcmp(method, "points.delete"))
        json_object_set_new(body, "ids", conf_ids("p", 0, 2));
    if (!strcmp(method, "points.upsert"))
        json_object_set_new(body, "vectors", conf_vectors(2, 2, 4));
    if (!strcmp(method, "search")) {
        json_object_set_new(body, "vectors", conf_vectors(2, 2, 4));
        json_object_set_new(body, "k", json_integer(1));
    }
    return body;
}

/* ---- what they answer ---------------------------------------------------------------------- */

static void reply_check(conf_rig *rig, const char *method, json_t *body, unsigned int wants)
{
    conf_sizes sizes = {2, 4, wants};
    conf_answer answer;

    if (conf_ok(rig, method, body, &answer))
        conf_shape_check(rig, method, &sizes, &answer);
    conf_answer_clear(&answer);
}

static void replies(conf_run *run)
{
    static const char *const plain[] = {"collection.exists", "collection.describe", "points.count"};
    conf_rig rig;
    char *name = begin(&rig, run, 3), *other = NULL;
    json_t *body;

    if (!name)
        goto out;
    reply_check(&rig, "health", NULL, 0);
    reply_check(&rig, "collection.list", NULL, 0);
    for (size_t i = 0; i < COUNT(plain); i++)
        reply_check(&rig, plain[i], json_pack("{s:s}", "collection", name), 0);
    reply_check(&rig, "points.upsert", valid_body("points.upsert", name), 0);
    reply_check(&rig, "points.get", valid_body("points.get", name), CONF_WANTS_VECTORS);
    body = valid_body("points.get", name);
    json_object_set_new(body, "vectors", json_false());
    json_object_set_new(body, "fields", json_true());
    reply_check(&rig, "points.get", body, CONF_WANTS_FIELDS);
    reply_check(&rig, "points.scan",
                json_pack("{s:s, s:b, s:b}", "collection", name, "vectors", 1, "fields", 1),
                CONF_WANTS_VECTORS | CONF_WANTS_FIELDS);
    reply_check(&rig, "search", valid_body("search", name), 0);
    body = valid_body("search", name);
    json_object_set_new(body, "with_vectors", json_true());
    json_object_set_new(body, "fields", json_array());
    reply_check(&rig, "search", body, CONF_WANTS_VECTORS);
    reply_check(&rig, "points.delete", valid_body("points.delete", name), 0);
    other = conf_create(&rig, NULL, 4, NULL);
    if (other)
        reply_check(&rig, "collection.drop", json_pack("{s:s}", "collection", other), 0);
out:
    free(other);
    end(&rig, name);
}

/* ---- which there are ------------------------------------------------------------------------ */

static int is_unknown(int32_t code)
{
    return code == SIMPLUGIN_UNKNOWN_METHOD || code == SIMPLUGIN_UNIMPLEMENTED;
}

static void declared(conf_run *run)
{
    conf_rig rig;
    char *name = begin(&rig, run, 0);
    json_t *method;
    size_t i;

    if (name)
        json_array_foreach(json_object_get(rig.describe, "methods"), i, method) {
            conf_answer answer;

            /* nothing but a collection that is not there: whatever comes, it is served */
            conf_call(&rig, json_string_value(method),
                      json_pack("{s:s}", "collection", "conformance_none"), &answer);
            if (is_unknown(answer.code))
                conf_fail(run, "%s is among the \"methods\" of describe and answers %s",
                          json_string_value(method), conf_answer_text(&answer));
            conf_answer_clear(&answer);
        }
    end(&rig, name);
}

static void undeclared(conf_run *run)
{
    static const char *const invented[] = {"conformance.invented", "native.conformance_invented",
                                           "searc", "search2", ""};
    conf_rig rig;
    char *name = begin(&rig, run, 2);
    conf_answer answer;

    for (size_t i = 0; name && i < conf_optional_method_count + COUNT(invented); i++) {
        int is_invented = i >= conf_optional_method_count;
        const char *method =
            is_invented ? invented[i - conf_optional_method_count] : conf_optional_methods[i];

        if (conf_lists(&rig, "methods", method))
            continue;
        conf_call(&rig, method, json_pack("{s:s}", "collection", name), &answer);
        if (!is_unknown(answer.code))
            conf_fail(run, "\"%s\", %s, answers %s; UNKNOWN_METHOD was expected (plugin.h, call)",
                      method,
                      is_invented ? "which is no method"
                                  : "which describe does not list in \"methods\"",
                      conf_answer_text(&answer));
        conf_answer_clear(&answer);
    }
    end(&rig, name);
}

/* ---- how they refuse ------------------------------------------------------------------------- */

/* Keys without which a method cannot know what it is to do, and something that is no such value. */
static const struct {
    const char *method, *key;
    int missing; /* also to be refused where it is absent */
} needed[] = {
    {"collection.exists", "collection", 1},
    {"collection.describe", "collection", 1},
    {"collection.drop", "collection", 1},
    {"points.upsert", "collection", 1},
    {"points.upsert", "ids", 1},
    {"points.upsert", "vectors", 1},
    {"points.delete", "collection", 1},
    {"points.delete", "ids", 1},
    {"points.get", "collection", 1},
    {"points.get", "ids", 1},
    {"points.count", "collection", 1},
    {"points.scan", "collection", 1},
    {"search", "collection", 1},
    {"search", "vectors", 1},
    {"search", "k", 0},
};

static void arguments(conf_run *run)
{
    conf_rig rig;
    char *name = begin(&rig, run, 3), *other = NULL;
    json_t *body;

    for (size_t i = 0; name && i < COUNT(needed); i++) {
        if (needed[i].missing) {
            body = valid_body(needed[i].method, name);
            json_object_del(body, needed[i].key);
            conf_refused(&rig, needed[i].method, body, needed[i].key, "is missing");
        }
        body = valid_body(needed[i].method, name);
        json_object_set_new(body, needed[i].key,
                            strcmp(needed[i].key, "k") ? json_integer(7) : json_string("seven"));
        conf_refused(&rig, needed[i].method, body, needed[i].key, "is of another type");
    }
    if (name) {
        other = conf_name_new(&rig);
        conf_refused(&rig, "collection.create", json_pack("{s:s}", "collection", other), "dimension",
                "is missing");
        conf_refused(&rig, "collection.create", json_pack("{s:i, s:i}", "collection", 7, "dimension", 4),
                "collection", "is a number");
        conf_refused(&rig, "collection.create",
                json_pack("{s:s, s:s}", "collection", other, "dimension", "four"), "dimension",
                "is a text");
        conf_refused(&rig, "collection.create",
                json_pack("{s:s, s:i, s:s}", "collection", other, "dimension", 4, "metric",
                          "conformance-nonsense"),
                "metric", "is none that describe lists");
        if (conf_count(&rig, name) != 3)
            conf_fail(run, "a request that was refused changed the collection");
    }
    free(other);
    end(&rig, name);
}

static void not_found(conf_run *run)
{
    static const char *const methods[] = {"collection.describe", "collection.drop", "points.upsert",
                                          "points.delete",       "points.get",      "points.count",
                                          "points.scan",         "search"};
    conf_rig rig;
    char *name = begin(&rig, run, 0), *none = name ? conf_name_new(&rig) : NULL;

    for (size_t i = 0; none && i < COUNT(methods); i++)
        conf_expect(&rig, methods[i], valid_body(methods[i], none), SIMPLUGIN_NOT_FOUND,
               "for a collection that is not there");
    free(none);
    end(&rig, name);
}

static void already_exists(conf_run *run)
{
    conf_rig rig;
    char *name = begin(&rig, run, 3);

    if (name) {
        json_t *parameters = conf_rig_parameters(&rig, 0);
        json_t *body = json_pack("{s:s, s:i, s:O}", "collection", name, "dimension", 4, "metric",
                                 json_array_get(json_object_get(rig.describe, "metrics"), 0));

        if (json_object_size(parameters))
            json_object_set(body, "parameters", parameters);
        json_decref(parameters);
        conf_expect(&rig, "collection.create", body, SIMPLUGIN_ALREADY_EXISTS,
               "for the name of a collection that is there");
        if (conf_count(&rig, name) != 3)
            conf_fail(run,
                      "collection.create with the name of a collection that is there emptied it");
    }
    end(&rig, name);
}

static void dimension_mismatch(conf_run *run)
{
    conf_rig rig;
    char *name = begin(&rig, run, 3);
    json_t *body;

    if (name) {
        body = valid_body("points.upsert", name);
        json_object_set_new(body, "vectors", conf_vectors(1, 2, 5));
        conf_expect(&rig, "points.upsert", body, SIMPLUGIN_DIMENSION_MISMATCH,
               "for vectors of another dimension");
        body = valid_body("search", name);
        json_object_set_new(body, "vectors", conf_vectors(1, 2, 3));
        conf_expect(&rig, "search", body, SIMPLUGIN_DIMENSION_MISMATCH,
               "for queries of another dimension");
    }
    end(&rig, name);
}

/* ---- collections ----------------------------------------------------------------------------- */

static void empty_collection(conf_run *run)
{
    conf_rig rig;
    char *name = begin(&rig, run, 0);
    conf_answer answer;

    if (!name)
        goto out;
    if (conf_count(&rig, name) > 0)
        conf_fail(run, "a new collection has points");
    if (conf_ok(&rig, "points.get", valid_body("points.get", name), &answer) &&
        json_array_size(json_object_get(answer.body, "ids")))
        conf_fail(run, "points.get finds points in an empty collection");
    conf_answer_clear(&answer);
    if (conf_ok(&rig, "points.scan", valid_body("points.scan", name), &answer) &&
        (json_array_size(json_object_get(answer.body, "ids")) || answer.cursor))
        conf_fail(run, "points.scan of an empty collection has points, or a cursor: a reply "
                       "without cursor is the last");
    conf_answer_clear(&answer);
    if (conf_ok(&rig, "search", valid_body("search", name), &answer) &&
        (json_array_size(json_object_get(answer.body, "ids")) ||
         json_array_size(json_object_get(answer.body, "offsets")) != 3))
        conf_fail(run, "search in an empty collection does not answer two empty lists: offsets [0, "
                       "0, 0] and no ids");
    conf_answer_clear(&answer);
    conf_do(&rig, "points.delete", valid_body("points.delete", name));
    conf_do(&rig, "points.delete", json_pack("{s:s, s:b}", "collection", name, "all", 1));
out:
    end(&rig, name);
}

/* Whether collection.list has the name; -1 after failing. */
static int is_listed(conf_rig *rig, const char *name)
{
    conf_answer answer;
    json_t *one;
    size_t i;
    int found = -1;

    if (conf_ok(rig, "collection.list", NULL, &answer)) {
        found = 0;
        json_array_foreach(json_object_get(answer.body, "collections"), i, one)
            found |= json_is_string(one) && !strcmp(json_string_value(one), name);
    }
    conf_answer_clear(&answer);
    return found;
}

static int says_exists(conf_rig *rig, const char *name)
{
    conf_answer answer;
    int exists = -1;

    if (conf_ok(rig, "collection.exists", json_pack("{s:s}", "collection", name), &answer))
        exists = json_is_true(json_object_get(answer.body, "exists"));
    conf_answer_clear(&answer);
    return exists;
}

static void collections(conf_run *run)
{
    conf_rig rig;
    char *name = begin(&rig, run, 0);

    if (!name)
        goto out;
    if (is_listed(&rig, name) == 0 || says_exists(&rig, name) == 0)
        conf_fail(run, "a collection that was made is not in collection.list, or collection.exists "
                       "denies it");
    if (!conf_do(&rig, "collection.drop", json_pack("{s:s}", "collection", name)))
        goto out;
    json_array_clear(rig.made);
    if (is_listed(&rig, name) == 1 || says_exists(&rig, name) == 1)
        conf_fail(run, "a collection that was dropped is in collection.list, or collection.exists "
                       "says that it is there");
out:
    end(&rig, name);
}

/*
 * Each declared field is there with its type. Some servers do not tell lists from single values
 * before there are any: then the type may be that of the items.
 */
static void fields_check(conf_rig *rig, const json_t *said, const json_t *declared)
{
    const char *name;
    json_t *type;

    json_object_foreach((json_t *)(uintptr_t)declared, name, type) {
        const char *given = json_string_value(type),
                   *told = json_string_value(json_object_get(said, name));
        char items[40];

        snprintf(items, sizeof items, "list<%s>", told ? told : "");
        if (!told || (strcmp(told, given) && strcmp(items, given)))
            conf_fail(rig->run,
                      "collection.describe: \"fields\" says %s of \"%s\", which the collection was "
                      "made with as %s",
                      told ? told : "nothing", name, given);
    }
}

static void describes(conf_run *run)
{
    json_t *fields = json_object(), *type;
    conf_rig rig;
    char *name = NULL;
    conf_answer answer = {0};
    size_t i;

    if (!conf_rig_open(&rig, run)) {
        json_decref(fields);
        goto out;
    }
    json_array_foreach(json_object_get(rig.describe, "field_types"), i, type) {
        char field[40];

        snprintf(field, sizeof field, "field_%zu", i);
        json_object_set(fields, field, type);
    }
    name = conf_create(&rig, NULL, 5, json_incref(fields));
    if (!name || !conf_upsert(&rig, name, conf_ids("p", 0, 3), conf_vectors(1, 3, 5), NULL) ||
        !conf_ok(&rig, "collection.describe", json_pack("{s:s}", "collection", name), &answer))
        goto done;
    if (strcmp(json_string_value(json_object_get(answer.body, "collection"))
                   ? json_string_value(json_object_get(answer.body, "collection"))
                   : "",
               name))
        conf_fail(run, "collection.describe: \"collection\" is not the name that was asked for");
    if (json_integer_value(json_object_get(answer.body, "dimension")) != 5)
        conf_fail(run, "collection.describe: \"dimension\" is %lld; the collection was made with 5",
                  (long long)json_integer_value(json_object_get(answer.body, "dimension")));
    if (json_integer_value(json_object_get(answer.body, "count")) != 3)
        conf_fail(run, "collection.describe: \"count\" is %lld; there are 3 points",
                  (long long)json_integer_value(json_object_get(answer.body, "count")));
    fields_check(&rig, json_object_get(answer.body, "fields"), fields);
done:
    json_decref(fields);
out:
    conf_answer_clear(&answer);
    end(&rig, name);
}

const conf_check conf_methods[] = {
    {"methods/replies",
     "each required method answers with the keys, types and shapes of the tables", replies, 0, 0,
     NULL},
    {"methods/declared", "the methods that describe names are served", declared, 0, 0, NULL},
    {"methods/undeclared", "other methods are UNKNOWN_METHOD", undeclared, 0, 0, NULL},
    {"methods/arguments", "requests that lack something, or have it of another type, are refused",
     arguments, 0, 0, NULL},
    {"methods/not-found", "a collection that is not there is NOT_FOUND", not_found, 0, 0, NULL},
    {"methods/already-exists", "a collection that is there is not made again", already_exists, 0, 0,
     NULL},
    {"methods/dimension-mismatch", "vectors of another dimension are DIMENSION_MISMATCH",
     dimension_mismatch, 0, 0, NULL},
    {"methods/empty-collection", "in an empty collection everything is empty, and nothing fails",
     empty_collection, 0, 0, NULL},
    {"methods/collections", "collections are listed while they are there", collections, 0, 0, NULL},
    {"methods/describes", "collection.describe says what the collection was made with", describes,
     0, 0, NULL},
    {NULL, NULL, NULL, 0, 0, NULL},
};
