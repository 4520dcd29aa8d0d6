/* SPDX-License-Identifier: Apache-2.0 */
#include "copy_place.h"

#include <string.h>

#include "connection.h"

static const json_t *id_of(const sp_copy_place *place)
{
    const json_t *id = json_object_get(json_object_get(place->facts, "attributes"), "id");

    return json_is_null(id) ? NULL : id;
}

static const char *name_of(const sp_copy_place *place)
{
    const char *name = json_string_value(json_object_get(place->facts, "collection"));

    return name ? name : place->index->collection;
}

/* A backend that is configured under two names is still the same. */
static int same_backend(const sp_copy_place *a, const sp_copy_place *b)
{
    const json_t *of_a = sp_connection_describe(a->index->connection)->json;
    const json_t *of_b = sp_connection_describe(b->index->connection)->json;
    const char *name_a = json_string_value(json_object_get(of_a, "name"));
    const char *name_b = json_string_value(json_object_get(of_b, "name"));

    return strcmp(name_a ? name_a : a->index->backend, name_b ? name_b : b->index->backend) == 0;
}

/* What two names of one collection agree on, however busy it is: its count may change. */
static int look_alike(const json_t *a, const json_t *b)
{
    static const char *const keys[] = {"dimension", "metric"};

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const json_t *of_a = json_object_get(a, keys[i]), *of_b = json_object_get(b, keys[i]);

        if (of_a && of_b && !json_equal(of_a, of_b))
            return 0;
    }
    return 1;
}

/* Whether a collection of the backend may have several names. */
static int has_aliases(const sp_copy_place *place)
{
    const json_t *describe = sp_connection_describe(place->index->connection)->json;
    const char *name;
    size_t i;
    json_t *item;

    json_array_foreach(json_object_get(describe, "methods"), i, item) {
        name = json_string_value(item);
        if (name && strstr(name, "alias"))
            return 1;
    }
    return 0;
}

int sp_copy_places_compare(const sp_copy_place *a, const sp_copy_place *b)
{
    const json_t *id_a = id_of(a), *id_b = id_of(b);
    int one_place = strcmp(a->index->endpoint, b->index->endpoint) == 0;
    int one_name = strcmp(name_of(a), name_of(b)) == 0;

    if (!same_backend(a, b))
        return SP_PLACE_OTHER;
    if (one_place && (one_name || (id_a && id_b && json_equal(id_a, id_b))))
        return SP_PLACE_SAME;
    if (!a->facts || !b->facts)
        return SP_PLACE_OTHER; /* one of the two is not there */
    if (id_a && id_b)
        return json_equal(id_a, id_b) && look_alike(a->facts, b->facts) ? SP_PLACE_UNKNOWN
                                                                        : SP_PLACE_OTHER;
    /* one of two names may be an alias, and two addresses may lead to one server */
    return (one_name || has_aliases(a)) && look_alike(a->facts, b->facts) ? SP_PLACE_UNKNOWN
                                                                          : SP_PLACE_OTHER;
}

int sp_copy_place_is_alias(const sp_copy_place *place)
{
    const char *id = json_string_value(id_of(place));

    return has_aliases(place) && id && strcmp(id, place->index->collection) != 0;
}
