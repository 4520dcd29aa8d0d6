/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "tour.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* Of the first so many types that the backend stores; the name of each is by its place. */
static json_t *declared_of(const conf_rig *rig, size_t most)
{
    json_t *declared = json_object(), *type;
    char name[40];
    size_t i;

    json_array_foreach(json_object_get(rig->describe, "field_types"), i, type) {
        snprintf(name, sizeof name, "field_%zu", i);
        if (i < most)
            json_object_set(declared, name, type);
    }
    return declared;
}

/* A filter that the backend evaluates, on one of these fields; NULL: it knows none of ours. */
static json_t *filter_of(const conf_rig *rig)
{
    json_t *type;
    char name[40];
    size_t i;

    json_array_foreach(json_object_get(rig->describe, "field_types"), i, type) {
        snprintf(name, sizeof name, "field_%zu", i);
        if (conf_lists(rig, "filters", "==") && !strcmp(json_string_value(type), "int64"))
            return json_pack("[ssi]", "==", name, 1);
        if (conf_lists(rig, "filters", "exists"))
            return json_pack("[ss]", "exists", name);
    }
    return NULL;
}

int conf_tour_begin(conf_tour *tour, conf_rig *rig)
{
    memset(tour, 0, sizeof *tour);
    tour->rig = rig;
    tour->name = conf_create(rig, NULL, CONF_TOUR_DIMENSION, declared_of(rig, SIZE_MAX));
    tour->filter = filter_of(rig);
    return tour->name != NULL;
}

void conf_tour_end(conf_tour *tour)
{
    free(tour->name);
    free(tour->second);
    free(tour->cursor);
    free(tour->backup);
    json_decref(tour->filter);
    json_decref(tour->index);
    memset(tour, 0, sizeof *tour);
}

/* ---- the steps ------------------------------------------------------------------------------- */

typedef enum step {
    HEALTH,
    LIST,
    EXISTS,
    DESCRIBE,
    UPSERT,
    UPSERT_ROWS,
    GET,
    COUNT,
    COUNT_FILTERED,
    SCAN,
    SCAN_ON,
    SCAN_FILTERED,
    SEARCH,
    SEARCH_FILTERED,
    SET_FIELDS,
    RADIUS,
    NEIGHBORS,
    VIEW,
    VIEW_COUNT,
    VIEW_SEARCH,
    VIEW_DROP,
    FLUSH,
    RELEASE,
    LOAD,
    COMPACT,
    CHECK,
    BACKUP,
    INDEX_DESCRIBE,
    INDEX_DROP,
    INDEX_CREATE,
    PARTITION_CREATE,
    PARTITION_LIST,
    PARTITION_DROP,
    CREATE,
    DROP,
    DELETE,
    UPSERT_AGAIN,
    STEPS
} step;

const size_t conf_tour_steps = STEPS;

static const struct {
    const char *method;
    const char *undone_by; /* is asked only where this is served too, as nothing stays undone */
} steps[STEPS] = {
    [HEALTH] = {"health", NULL},
    [LIST] = {"collection.list", NULL},
    [EXISTS] = {"collection.exists", NULL},
    [DESCRIBE] = {"collection.describe", NULL},
    [UPSERT] = {"points.upsert", NULL},
    [UPSERT_ROWS] = {"points.upsert", NULL},
    [GET] = {"points.get", NULL},
    [COUNT] = {"points.count", NULL},
    [COUNT_FILTERED] = {"points.count", NULL},
    [SCAN] = {"points.scan", NULL},
    [SCAN_ON] = {"points.scan", NULL},
    [SCAN_FILTERED] = {"points.scan", NULL},
    [SEARCH] = {"search", NULL},
    [SEARCH_FILTERED] = {"search", NULL},
    [SET_FIELDS] = {"points.set_fields", NULL},
    [RADIUS] = {"search.radius", NULL},
    [NEIGHBORS] = {"search.neighbors", NULL},
    [VIEW] = {"view.create", "view.drop"},
    [VIEW_COUNT] = {"points.count", NULL},
    [VIEW_SEARCH] = {"search", NULL},
    [VIEW_DROP] = {"view.drop", NULL},
    [FLUSH] = {"collection.flush", NULL},
    [RELEASE] = {"collection.release", "collection.load"},
    [LOAD] = {"collection.load", NULL},
    [COMPACT] = {"collection.compact", NULL},
    [CHECK] = {"collection.check", NULL},
    [BACKUP] = {"collection.backup", NULL},
    [INDEX_DESCRIBE] = {"index.describe", NULL},
    [INDEX_DROP] = {"index.drop", "index.create"},
    [INDEX_CREATE] = {"index.create", NULL},
    [PARTITION_CREATE] = {"partition.create", "partition.drop"},
    [PARTITION_LIST] = {"partition.list", NULL},
    [PARTITION_DROP] = {"partition.drop", NULL},
    [CREATE] = {"collection.create", NULL},
    [DROP] = {"collection.drop", NULL},
    [DELETE] = {"points.delete", NULL},
    [UPSERT_AGAIN] = {"points.upsert", NULL},
};

static int serves(const conf_tour *tour, const char *method)
{
    return conf_serves(tour->rig, method);
}

/* Whether it can be asked: the backend serves it, and has answered what it is about. */
static int is_possible(const conf_tour *tour, step at)
{
    if (at >= SET_FIELDS && at <= PARTITION_DROP && at != VIEW_COUNT && at != VIEW_SEARCH &&
        !serves(tour, steps[at].method))
        return 0;
    if (steps[at].undone_by && !serves(tour, steps[at].undone_by))
        return 0;
    switch (at) {
    case COUNT_FILTERED:
    case SCAN_FILTERED:
    case SEARCH_FILTERED: return tour->filter != NULL;
    case SCAN_ON: return tour->cursor != NULL;
    case VIEW_COUNT:
    case VIEW_SEARCH:
    case VIEW_DROP: return tour->view != 0;
    case PARTITION_DROP: return tour->partitions != 0;
    case DROP: return tour->second != NULL;
    case RELEASE:
    case LOAD:
    case INDEX_DROP:
    case INDEX_CREATE: return !tour->is_brief;
    default: return 1;
    }
}

/* ---- requests -------------------------------------------------------------------------------- */

static json_t *ids(size_t count) { return conf_ids("tour", 0, count); }

static json_t *vectors(size_t count) { return conf_vectors(31, count, CONF_TOUR_DIMENSION); }

static void search_fill(const conf_tour *tour, json_t *body)
{
    json_object_set_new(body, "vectors", vectors(3));
    json_object_set_new(body, "k", json_integer(conf_k(tour->rig, 3)));
    json_object_set_new(body, "with_vectors", json_true());
    json_object_set_new(body, "fields", json_true());
}

/* Another path each time. */
static void backup_fill(conf_tour *tour, json_t *body)
{
    char name[40];

    snprintf(name, sizeof name, "tour_%u", tour->backups++);
    free(tour->backup);
    tour->backup = conf_path(tour->rig, name);
    json_object_set_new(body, "path", json_string(tour->backup));
}

/* Another name each time; it is dropped at the end, should the tour not come to that. */
static void create_fill(conf_tour *tour, json_t *body)
{
    json_t *parameters = conf_rig_parameters(tour->rig, 0);
    char *name = conf_name_new(tour->rig);

    json_array_append_new(tour->rig->made, json_string(name));
    json_object_set_new(body, "collection", json_string(name));
    json_object_set_new(body, "dimension", json_integer(CONF_TOUR_DIMENSION));
    json_object_set(body, "metric",
                    json_array_get(json_object_get(tour->rig->describe, "metrics"), 0));
    /* servers take a while for each */
    json_object_set_new(body, "fields", declared_of(tour->rig, 1));
    if (json_object_size(parameters))
        json_object_set(body, "parameters", parameters);
    json_decref(parameters);
    free(name);
}

static void partition_fill(const conf_tour *tour, json_t *body)
{
    json_object_set_new(body, "partition", json_sprintf("conformance_%u", tour->partitions));
}

static void points_fill(const conf_tour *tour, json_t *body, step at)
{
    switch (at) {
    case UPSERT:
    case UPSERT_AGAIN:
        json_object_set_new(body, "ids", ids(POINTS));
        json_object_set_new(body, "vectors", vectors(POINTS));
        json_object_set_new(body, "fields", fields_of(tour->rig));
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
    case SET_FIELDS:
        json_object_set_new(body, "ids", ids(POINTS));
        json_object_set_new(body, "fields", fields_of(tour->rig));
        break;
    case VIEW: json_object_set_new(body, "ids", ids(4)); break;
    case DELETE: json_object_set_new(body, "ids", ids(2)); break;
    default: break;
    }
}

static void reading_fill(const conf_tour *tour, json_t *body, step at)
{
    switch (at) {
    case SCAN:
    case SCAN_ON:
    case SCAN_FILTERED:
        json_object_set_new(body, "max_rows", json_integer(4));
        json_object_set_new(body, "fields", json_true());
        break;
    case SEARCH:
    case SEARCH_FILTERED:
    case VIEW_SEARCH: search_fill(tour, body); break;
    case RADIUS:
        json_object_set_new(body, "vectors", vectors(2));
        json_object_set_new(body, "radius", json_real(0.5));
        break;
    case NEIGHBORS: json_object_set_new(body, "k", json_integer(2)); break;
    default: break;
    }
    if (at == COUNT_FILTERED || at == SCAN_FILTERED || at == SEARCH_FILTERED)
        json_object_set(body, "filter", tour->filter);
    if (at == VIEW_COUNT || at == VIEW_SEARCH || at == VIEW_DROP)
        json_object_set_new(body, "view", json_integer(tour->view));
    if (at == SCAN_ON)
        json_object_set_new(body, "cursor", json_pack("{s:s}", "$bytes", tour->cursor));
}

static void upkeep_fill(conf_tour *tour, json_t *body, step at)
{
    switch (at) {
    case BACKUP: backup_fill(tour, body); break;
    case INDEX_CREATE:
        /* as it was before it was dropped */
        if (serves(tour, "index.drop") && json_object_size(tour->index))
            json_object_set(body, "parameters", tour->index);
        break;
    case PARTITION_CREATE: tour->partitions++; partition_fill(tour, body); break;
    case PARTITION_DROP: partition_fill(tour, body); break;
    case CREATE: create_fill(tour, body); break;
    case DROP: json_object_set_new(body, "collection", json_string(tour->second)); break;
    default: break;
    }
}

const char *conf_tour_method(size_t at) { return steps[at].method; }

json_t *conf_tour_body(conf_tour *tour, size_t at, const char **method)
{
    json_t *body;

    *method = steps[at].method;
    if (!is_possible(tour, (step)at))
        return NULL;
    if (at == HEALTH || at == LIST)
        return json_object();
    body = json_pack("{s:s}", "collection", tour->name);
    points_fill(tour, body, (step)at);
    reading_fill(tour, body, (step)at);
    upkeep_fill(tour, body, (step)at);
    return body;
}

/* ---- answers --------------------------------------------------------------------------------- */

static void text_keep(char **at, const char *text)
{
    free(*at);
    *at = text ? strdup(text) : NULL;
}

/* The second collection by the name that it has now. */
static void created(conf_tour *tour, const char *name)
{
    const json_t *last =
        json_array_get(tour->rig->made, json_array_size(tour->rig->made) - 1);

    text_keep(&tour->second, name);
    if (name && (!last || strcmp(json_string_value(last), name)))
        json_array_append_new(tour->rig->made, json_string(name));
}

static void dropped(conf_tour *tour)
{
    json_t *made = tour->rig->made;

    for (size_t i = json_array_size(made); tour->second && i > 0; i--)
        if (!strcmp(json_string_value(json_array_get(made, i - 1)), tour->second))
            json_array_remove(made, i - 1);
    text_keep(&tour->second, NULL);
}

void conf_tour_note(conf_tour *tour, size_t at, const conf_answer *answer)
{
    if (answer->code || !answer->body)
        return;
    switch ((step)at) {
    case SCAN: text_keep(&tour->cursor, answer->cursor); break;
    case VIEW: tour->view = json_integer_value(json_object_get(answer->body, "view")); break;
    case VIEW_DROP: tour->view = 0; break;
    /* files of a backend on this machine; where there is something else it is left */
    case BACKUP: unlink(tour->backup); break;
    case INDEX_DESCRIBE:
        json_decref(tour->index);
        tour->index = conf_rig_declared(tour->rig, json_object_get(answer->body, "parameters"));
        break;
    case CREATE:
        created(tour, json_string_value(json_object_get(answer->body, "collection")));
        break;
    case DROP: dropped(tour); break;
    default: break;
    }
}

void conf_tour_take(conf_tour *tour,
                    void (*look)(conf_rig *rig, const char *method, conf_answer *answer))
{
    for (size_t at = 0; at < STEPS && !conf_failed(tour->rig->run); at++) {
        const char *method;
        json_t *body = conf_tour_body(tour, at, &method);
        conf_answer answer;

        if (!body)
            continue;
        if (conf_ok(tour->rig, method, body, &answer) && look)
            look(tour->rig, method, &answer);
        conf_tour_note(tour, at, &answer);
        conf_answer_clear(&answer);
    }
}

void conf_tour_whole(conf_rig *rig,
                     void (*look)(conf_rig *rig, const char *method, conf_answer *answer))
{
    conf_tour tour;

    if (conf_tour_begin(&tour, rig)) {
        conf_tour_take(&tour, look);
        conf_tour_take(&tour, look);
    }
    conf_tour_end(&tour);
}
