/* SPDX-License-Identifier: Apache-2.0 */
/* How the optional methods refuse, and the table of all checks of them. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "describe_truth.h"
#include "expect.h"
#include "optional.h"
#include "stock.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A request to which nothing but the collection may be wanting. The caller's. */
static json_t *valid_body(const conf_stock *stock, const char *method, const char *collection)
{
    json_t *body = json_pack("{s:s}", "collection", collection);
    char *path;

    if (!strcmp(method, "points.set_fields") || !strcmp(method, "view.create"))
        json_object_set_new(body, "ids", conf_ids("stock", 0, 2));
    if (!strcmp(method, "points.set_fields"))
        json_object_set_new(body, "fields", json_pack("{s:[ii]}", "number", 1, 2));
    if (!strcmp(method, "search.radius")) {
        json_object_set_new(body, "vectors", conf_vectors(2, 2, CONF_STOCK_DIMENSION));
        json_object_set_new(body, "radius", json_real(0.5));
    }
    if (!strcmp(method, "search.neighbors"))
        json_object_set_new(body, "k", json_integer(2));
    if (!strcmp(method, "view.drop"))
        json_object_set_new(body, "view", json_integer(1));
    if (!strcmp(method, "collection.backup")) {
        path = conf_path(&stock->rig, "none");
        json_object_set_new(body, "path", json_string(path));
        free(path);
    }
    if (!strcmp(method, "partition.create") || !strcmp(method, "partition.drop"))
        json_object_set_new(body, "partition", json_string("conformance"));
    return body;
}

/* A stock to be asked about; 0 after failing, or where there is nothing to ask. */
static int begin(conf_stock *stock, conf_run *run)
{
    size_t served = 0;

    if (!conf_stock_begin(stock, run, NULL, NULL))
        return 0;
    for (size_t i = 0; i < conf_optional_method_count; i++)
        served += (size_t)conf_serves(&stock->rig, conf_optional_methods[i]);
    if (!served)
        conf_skip(run, "describe lists no optional method");
    return served != 0;
}

static void not_found(conf_run *run)
{
    conf_stock stock;
    char *none;

    if (begin(&stock, run)) {
        none = conf_name_new(&stock.rig);
        for (size_t i = 0; i < conf_optional_method_count; i++) {
            const char *method = conf_optional_methods[i];

            if (conf_serves(&stock.rig, method))
                conf_expect(&stock.rig, method, valid_body(&stock, method, none),
                            SIMPLUGIN_NOT_FOUND, "for a collection that is not there");
        }
        free(none);
    }
    conf_stock_end(&stock);
}

/* Keys without which a method cannot know what it is to do. */
static const struct {
    const char *method, *key;
} needed[] = {
    {"points.set_fields", "ids"},     {"points.set_fields", "fields"},
    {"search.radius", "vectors"},     {"search.radius", "radius"},
    {"search.neighbors", "k"}, /* or radius */
    {"view.create", "ids"},           {"view.drop", "view"},
    {"collection.backup", "path"},    {"partition.create", "partition"},
    {"partition.drop", "partition"},
};

static void refused(conf_stock *stock, const char *method, const char *key)
{
    json_t *body = valid_body(stock, method, stock->name);

    json_object_del(body, key);
    conf_refused(&stock->rig, method, body, key, "is missing");
    body = valid_body(stock, method, stock->name);
    json_object_set_new(body, key,
                        json_is_number(json_object_get(body, key)) ? json_string("seven")
                                                                   : json_integer(7));
    conf_refused(&stock->rig, method, body, key, "is of another type");
}

static void arguments(conf_run *run)
{
    conf_stock stock;
    json_t *before;

    if (begin(&stock, run) && (before = conf_stock_look(&stock)) != NULL) {
        for (size_t i = 0; i < conf_optional_method_count; i++)
            if (conf_serves(&stock.rig, conf_optional_methods[i]))
                refused(&stock, conf_optional_methods[i], "collection");
        for (size_t i = 0; i < COUNT(needed); i++)
            if (conf_serves(&stock.rig, needed[i].method))
                refused(&stock, needed[i].method, needed[i].key);
        conf_stock_same(&stock, before, "after requests that were refused");
        json_decref(before);
    }
    conf_stock_end(&stock);
}

const conf_check conf_optional[] = {
    {"optional/not-found",
     "for the optional methods too a collection that is not there is NOT_FOUND", not_found, 0, 0,
     NULL},
    {"optional/arguments",
     "their requests are refused where they lack something, or have it of another type", arguments,
     0, 0, NULL},
    {"optional/set-fields", "points.set_fields sets and takes away what it says, and nothing else",
     conf_optional_set_fields, 0, 0, NULL},
    {"optional/radius", "search.radius finds all points within, nearest first, and no others",
     conf_optional_radius, 0, 0, NULL},
    {"optional/neighbors", "search.neighbors tells of every point its nearest others",
     conf_optional_neighbors, 0, 0, NULL},
    {"optional/views", "a view restricts searches and counts to the points of its ids",
     conf_optional_views, 0, 0, NULL},
    {"optional/view-numbers", "numbers of views that were dropped, or are others', are NOT_FOUND",
     conf_optional_view_numbers, 0, 0, NULL},
    {"optional/flush", "collection.flush changes nothing that can be read", conf_optional_flush, 0,
     0, NULL},
    {"optional/load", "a collection that was released and loaded is what it was",
     conf_optional_load, 0, 0, NULL},
    {"optional/compact", "collection.compact loses nothing and takes no more room",
     conf_optional_compact, 0, 0, NULL},
    {"optional/check", "collection.check says how many rows there are", conf_optional_check, 0, 0,
     NULL},
    {"optional/backup",
     "collection.backup writes what is not there yet, and to absolute paths only",
     conf_optional_backup, 0, 0, NULL},
    {"optional/index", "an index that is dropped and made again as it was described finds the same",
     conf_optional_index, 0, 0, NULL},
    {"optional/partitions", "partitions are listed while they are there", conf_optional_partitions,
     0, 0, NULL},
    {NULL, NULL, NULL, 0, 0, NULL},
};
