/* SPDX-License-Identifier: Apache-2.0 */
/* What a case expects of a value, and the matchers that say it less strictly. */
#include "config.h"

#include "contract.h"

#include <math.h>
#include <string.h>

double number_of(const json_t *value)
{
    return json_is_integer(value) ? (double)json_integer_value(value) : json_real_value(value);
}

static int mismatch(contract_why *why, const char *path, const json_t *expected,
                    const json_t *actual)
{
    char *want = expected ? json_dumps(expected, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    char *have = actual ? json_dumps(actual, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;

    why_set(why, "%s: expected %.300s, got %.500s", *path ? path : "reply", want ? want : "nothing",
            have ? have : "nothing");
    free(want);
    free(have);
    return 0;
}

static int contains(const json_t *array, const json_t *value)
{
    contract_why ignored = {{0}};
    json_t *one;
    size_t i;

    json_array_foreach(array, i, one) {
        ignored.text[0] = 0;
        if (value_matches(value, one, "", &ignored))
            return 1;
    }
    return 0;
}

/* Every element of each array has its own partner in the other. */
static int same_set(const json_t *expected, const json_t *actual)
{
    json_t *left = json_copy((json_t *)(uintptr_t)actual), *one;
    contract_why ignored;
    size_t i, j;
    int same = json_array_size(expected) == json_array_size(actual);

    json_array_foreach(expected, i, one) {
        for (j = 0; same && j < json_array_size(left); j++) {
            ignored.text[0] = 0;
            if (value_matches(one, json_array_get(left, j), "", &ignored))
                break;
        }
        if (!same || j == json_array_size(left)) {
            same = 0;
            break;
        }
        json_array_remove(left, j);
    }
    json_decref(left);
    return same;
}

/* 1 or 0 if expected is a matcher, -1 if it is none. */
static int matcher(const char *name, const json_t *argument, const json_t *actual)
{
    const char *text = json_string_value(actual);
    json_t *one;
    size_t i;

    if (!strcmp(name, "$absent"))
        return actual == NULL;
    if (!actual)
        return 0;
    if (!strcmp(name, "$any"))
        return 1;
    if (!strcmp(name, "$set"))
        return json_is_array(actual) && same_set(argument, actual);
    if (!strcmp(name, "$count"))
        return json_is_array(actual) &&
               (json_int_t)json_array_size(actual) == json_integer_value(argument);
    if (!strcmp(name, "$between"))
        return json_is_number(actual) && number_of(actual) >= number_of(json_array_get(argument, 0)) &&
               number_of(actual) <= number_of(json_array_get(argument, 1));
    if (!strcmp(name, "$containing"))
        return text && strstr(text, json_string_value(argument)) != NULL;
    if (!strcmp(name, "$not"))
        return !json_equal(argument, actual);
    if (strcmp(name, "$contains") && strcmp(name, "$lacks"))
        return -1;
    json_array_foreach(argument, i, one)
        if (contains(actual, one) != !strcmp(name, "$contains"))
            return 0;
    return json_is_array(actual);
}

static int objects_match(const json_t *expected, const json_t *actual, const char *path,
                         contract_why *why)
{
    const char *key;
    json_t *one;
    char below[256];

    if (!json_is_object(actual))
        return mismatch(why, path, expected, actual);
    json_object_foreach((json_t *)(uintptr_t)expected, key, one) {
        snprintf(below, sizeof below, "%s%s%s", path, *path ? "." : "", key);
        if (!value_matches(one, json_object_get(actual, key), below, why))
            return 0;
    }
    return 1;
}

int value_matches(const json_t *expected, const json_t *actual, const char *path,
                  contract_why *why)
{
    json_t *argument = NULL, *one;
    const char *name = notation(expected, &argument);
    char below[256];
    size_t i;
    int result;

    if (name) {
        result = matcher(name, argument, actual);
        if (result >= 0)
            return result ? 1 : mismatch(why, path, expected, actual);
    }
    if (json_is_null(expected) && (!actual || json_is_null(actual)))
        return 1;
    if (!actual)
        return mismatch(why, path, expected, actual);
    if (json_is_number(expected) && json_is_number(actual) &&
        (json_is_real(expected) || json_is_real(actual))) {
        double e = number_of(expected), scale = fabs(e) > 1 ? fabs(e) : 1;
        return fabs(e - number_of(actual)) <= CONTRACT_TOLERANCE * scale
                   ? 1
                   : mismatch(why, path, expected, actual);
    }
    if (json_is_object(expected) && !(name && !strcmp(name, "$float")))
        return objects_match(expected, actual, path, why);
    if (json_is_array(expected) && json_array_size(expected) == json_array_size(actual)) {
        json_array_foreach(expected, i, one) {
            snprintf(below, sizeof below, "%s[%zu]", path, i);
            if (!value_matches(one, json_array_get(actual, i), below, why))
                return 0;
        }
        return 1;
    }
    return json_equal(expected, actual) ? 1 : mismatch(why, path, expected, actual);
}

/* ---- hits ---------------------------------------------------------------------------------- */

static json_int_t offset_of(const json_t *reply, size_t i)
{
    return json_integer_value(json_array_get(json_object_get(reply, "offsets"), i));
}

int hits_match(const json_t *expected, const json_t *reply, contract_why *why)
{
    size_t queries = json_array_size(expected), q, i;
    const json_t *ids = json_object_get(reply, "ids");
    const json_t *distances = json_object_get(reply, "distances");

    if (json_array_size(json_object_get(reply, "offsets")) != queries + 1)
        return why_set(why, "hits: offsets has %zu entries for %zu queries",
                       json_array_size(json_object_get(reply, "offsets")), queries);
    for (q = 0; q < queries; q++) {
        const json_t *list = json_array_get(expected, q), *one;
        size_t begin = (size_t)offset_of(reply, q), end = (size_t)offset_of(reply, q + 1);
        json_t *tail = json_array();

        for (i = begin; i < end; i++)
            json_array_append(tail, json_array_get(ids, i));
        if (end - begin != json_array_size(list)) {
            mismatch(why, "hits", list, tail);
            json_decref(tail);
            return 0;
        }
        json_array_foreach(list, i, one) {
            const json_t *id = json_is_array(one) ? json_array_get(one, 0) : one;
            const json_t *distance = json_is_array(one) ? json_array_get(one, 1) : NULL;
            if (!json_equal(id, json_array_get(ids, begin + i)))
                mismatch(why, "hits", list, tail);
            else if (distance)
                value_matches(distance, json_array_get(distances, begin + i), "hits.distances", why);
        }
        json_decref(tail);
        if (why->text[0])
            return 0;
    }
    return 1;
}

int hits_agree(const json_t *a, const json_t *b, contract_why *why)
{
    const json_t *distances_a = json_object_get(a, "distances");
    const json_t *distances_b = json_object_get(b, "distances");
    size_t i;
    json_t *one;

    if (!json_equal(json_object_get(a, "offsets"), json_object_get(b, "offsets")))
        return mismatch(why, "offsets, compared with sklearn_flat", json_object_get(a, "offsets"),
                        json_object_get(b, "offsets"));
    json_array_foreach(distances_a, i, one)
        if (!value_matches(one, json_array_get(distances_b, i),
                           "distances, compared with sklearn_flat", why))
            return 0;
    return 1;
}
