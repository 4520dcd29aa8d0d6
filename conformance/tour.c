/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "tour.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POINTS 9

static json_t *value_of(const char *type, size_t i)
{
    int is_list = !strncmp(type, "list<", 5);
    const char *item = is_list ? type + 5 : type;
    json_t *one = !strncmp(item, "text", 4)    ? json_sprintf("text %zu", i)
                  : !strncmp(item, "int64", 5) ? json_integer((json_int_t)i)
                  : !strncmp(item, "bool", 4)  ? json_boolean(i % 2)
                                               : json_real((double)i / 2);

    return is_list ? json_pack("[oO]", one, one) : one;
}

/* A column for each type; every third value is missing. */
static json_t *fields_of(const conf_rig *rig)
{
    json_t *fields = json_object(), *type;
    char name[40];
    size_t i;

    json_array_foreach(json_object_get(rig->describe, "field_types"), i, type) {
        json_t *values = json_array();

        snprintf(name, sizeof name, "field_%zu", i);
        for (size_t row = 0; row < POINTS; row++)
            json_array_append_new(values, row % 3 == 2 ? json_null()
                                                       : value_of(json_string_value(type), row));
        json_object_set_new(fields, name, conf_column(json_string_value(type), values));
    }
    return fields;
}

char *conf_tour_create(conf_rig *rig)
{
    json_t *declared = json_object(), *type;
    char name[40];
    size_t i;

    json_array_foreach(json_object_get(rig->describe, "field_types"), i, type) {
        snprintf(name, sizeof name, "field_%zu", i);
        json_object_set(declared, name, type);
    }
    return conf_create(rig, NULL, CONF_TOUR_DIMENSION, declared);
}

static json_t *ids(size_t count) { return conf_ids("tour", 0, count); }

static json_t *vectors(size_t count) { return conf_vectors(31, count, CONF_TOUR_DIMENSION); }

typedef enum step {
    HEALTH,
    LIST,
    EXISTS,
    DESCRIBE,
    UPSERT,
    UPSERT_ROWS,
    GET,
    COUNT,
    SCAN,
    SEARCH,
    SET_FIELDS,
    RADIUS,
    NEIGHBORS,
    VIEW,
    DELETE,
    UPSERT_AGAIN,
    STEPS
} step;

const size_t conf_tour_steps = STEPS;

static const char *const step_methods[STEPS] =
    {"health",           "collection.list", "collection.exists", "collection.describe",
     "points.upsert",    "points.upsert",   "points.get",        "points.count",
     "points.scan",      "search",          "points.set_fields", "search.radius",
     "search.neighbors", "view.create",     "points.delete",     "points.upsert"};

/* What the step has beside the name of the collection. */
static void step_fill(const conf_rig *rig, json_t *body, step at)
{
    switch (at) {
    case UPSERT:
    case UPSERT_AGAIN:
        json_object_set_new(body, "ids", ids(POINTS));
        json_object_set_new(body, "vectors", vectors(POINTS));
        json_object_set_new(body, "fields", fields_of(rig));
        break;
    case UPSERT_ROWS:
        json_object_set_new(body, "ids", ids(POINTS));
        json_object_set_new(body, "vectors", vectors(POINTS));
        json_object_set_new(body, "rows",
                            json_pack("{s:{s:s, s:[ii]}}", "$tensor", "dtype", "int64", "data", 3,
                                      1));
        break;
    case GET:
        json_object_set_new(body, "ids", ids(POINTS + 2));
        json_object_set_new(body, "fields", json_true());
        break;
    case SCAN:
        json_object_set_new(body, "max_rows", json_integer(4));
        json_object_set_new(body, "fields", json_true());
        break;
    case SEARCH:
        json_object_set_new(body, "vectors", vectors(3));
        json_object_set_new(body, "k", json_integer(conf_k(rig, 3)));
        json_object_set_new(body, "with_vectors", json_true());
        json_object_set_new(body, "fields", json_true());
        break;
    case SET_FIELDS:
        json_object_set_new(body, "ids", ids(POINTS));
        json_object_set_new(body, "fields", fields_of(rig));
        break;
    case RADIUS:
        json_object_set_new(body, "vectors", vectors(2));
        json_object_set_new(body, "radius", json_real(0.5));
        break;
    case NEIGHBORS: json_object_set_new(body, "k", json_integer(2)); break;
    case VIEW: json_object_set_new(body, "ids", ids(4)); break;
    case DELETE: json_object_set_new(body, "ids", ids(2)); break;
    default: break;
    }
}

json_t *conf_tour_body(const conf_rig *rig, const char *collection, size_t at, const char **method)
{
    json_t *body;

    *method = step_methods[at];
    if (at >= SET_FIELDS && at <= VIEW && !conf_lists(rig, "methods", *method))
        return NULL;
    if (at == HEALTH || at == LIST)
        return json_object();
    body = json_pack("{s:s}", "collection", collection);
    step_fill(rig, body, (step)at);
    return body;
}

void conf_tour(conf_rig *rig, const char *collection,
               void (*look)(conf_rig *rig, const char *method, conf_answer *answer))
{
    for (size_t at = 0; at < STEPS && !conf_failed(rig->run); at++) {
        const char *method;
        json_t *body = conf_tour_body(rig, collection, at, &method);
        conf_answer answer;

        if (!body)
            continue;
        if (conf_ok(rig, method, body, &answer) && look)
            look(rig, method, &answer);
        conf_answer_clear(&answer);
    }
}

void conf_tour_whole(conf_rig *rig,
                     void (*look)(conf_rig *rig, const char *method, conf_answer *answer))
{
    char *name = conf_tour_create(rig);

    if (name) {
        conf_tour(rig, name, look);
        conf_tour(rig, name, look);
    }
    free(name);
}
