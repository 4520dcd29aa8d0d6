/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that are well-formed MessagePack and nothing that a method has asked for. The core
 * sends none of these; a backend that trusts them all the same crashes one day.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tour.h"

#define REQUESTS 2000
#define SECONDS 30
/* For each request, with nothing to be done in it. */
#define SECONDS_EACH 5

typedef struct fuzz {
    conf_rig *rig;
    uint64_t state;
    conf_tour tour;
} fuzz;

static uint64_t next(fuzz *f)
{
    uint64_t z = f->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static size_t below(fuzz *f, size_t count) { return count ? (size_t)(next(f) % count) : 0; }

/* ---- valid requests, with columns as the maps that they are -----------------------------------
 */

static json_t *tensor(const char *dtype, json_t *data)
{
    return json_pack("{s:{s:s, s:o}}", "$tensor", "dtype", dtype, "data", data);
}

static json_t *text_column(size_t count)
{
    json_t *bytes = json_array(), *offsets = json_pack("[i]", 0);

    for (size_t i = 0; i < count; i++) {
        json_array_append_new(bytes, json_integer('a' + (json_int_t)(i % 26)));
        json_array_append_new(bytes, json_integer('0'));
        json_array_append_new(offsets, json_integer(2 * (json_int_t)(i + 1)));
    }
    return json_pack("{s:s, s:o, s:o}", "type", "text", "values",
                     tensor("uint8", json_pack("[o]", bytes)), "offsets", tensor("int64", offsets));
}

/* A column of lists of numbers, with the bits that say which are missing. */
static json_t *list_column(size_t count)
{
    json_t *values = json_array(), *lists = json_pack("[i]", 0), *valid = json_array();

    for (size_t i = 0; i < count; i++) {
        json_array_append_new(values, json_integer((json_int_t)i));
        json_array_append_new(lists, json_integer((json_int_t)(i + 1)));
        json_array_append_new(valid, json_integer(255));
    }
    return json_pack("{s:s, s:o, s:o, s:o}", "type", "list<int64>", "values",
                     tensor("int64", values), "lists", tensor("int64", lists), "valid",
                     json_pack("{s:{s:s, s:[o], s:{s:i}}}", "$tensor", "dtype", "bits", "data",
                               valid, "claim", "cols", (int)count));
}

/* That step of the tour, with raw columns in it; NULL where it cannot be taken. */
static json_t *request_new(fuzz *f, size_t step, const char **method)
{
    json_t *body = conf_tour_body(&f->tour, step, method);
    size_t count = json_array_size(json_object_get(body, "ids"));

    if (count && below(f, 4))
        json_object_set_new(body, "ids", text_column(count));
    if (json_object_get(body, "fields") && json_is_object(json_object_get(body, "fields")) &&
        below(f, 2))
        json_object_set_new(body, "fields",
                            json_pack("{s:o, s:o}", "field_0", text_column(count), "field_5",
                                      list_column(count)));
    return body;
}

/* ---- making them wrong -------------------------------------------------------------------------
 */

static json_t *integer_of(fuzz *f)
{
    static const json_int_t all[] = {0,
                                     1,
                                     -1,
                                     2,
                                     7,
                                     255,
                                     256,
                                     65535,
                                     65536,
                                     -129,
                                     2147483647,
                                     2147483648,
                                     -2147483648LL,
                                     4294967296LL,
                                     9223372036854775807LL,
                                     -9223372036854775807LL - 1,
                                     9007199254740993LL,
                                     1000000000000LL};

    return json_integer(all[below(f, sizeof all / sizeof all[0])]);
}

/* Rows of numbers, as a tensor of any dtype with a shape that fits the memory or claims less. */
static json_t *tensor_of(fuzz *f)
{
    static const char *const dtypes[] = {"float32", "float64", "float16", "int64",
                                         "uint64",  "int32",   "uint8",   "bits"};
    const char *dtype = dtypes[below(f, 8)];
    size_t rows = below(f, 12), cols = below(f, 9);
    json_t *data = json_array();

    for (size_t r = 0; r < rows; r++) {
        json_t *row = json_array();

        for (size_t c = 0; c < cols; c++)
            json_array_append_new(row, below(f, 8) ? json_integer((json_int_t)below(f, 40) - 8)
                                                   : integer_of(f));
        json_array_append_new(data, row);
    }
    return tensor(dtype, data);
}

static json_t *text_of(fuzz *f)
{
    static const char *const all[] = {"",       "x",
                                      "text",   "list<bool>",
                                      "cosine", "..",
                                      "/",      "%s%n",
                                      "'; --",  "\xf0\x9f\x98\x80",
                                      "a\nb",   "conformance_none"};
    size_t which = below(f, sizeof all / sizeof all[0] + 1);
    char *text;
    json_t *made;

    if (which < sizeof all / sizeof all[0])
        return json_string(all[which]);
    text = malloc(5001);
    if (!text)
        abort();
    memset(text, 'z', 5000);
    text[5000] = 0;
    made = json_string(text);
    free(text);
    return made;
}

static json_t *junk(fuzz *f)
{
    switch (below(f, 12)) {
    case 0: return json_null();
    case 1: return json_boolean(below(f, 2));
    case 2:
    case 3: return integer_of(f);
    case 4: return json_pack("{s:s}", "$float", below(f, 2) ? "nan" : "-inf");
    case 5: return text_of(f);
    case 6: return json_array();
    case 7: return json_object();
    case 8: return json_pack("{s:i}", "$nest", 1 + (int)below(f, 28));
    case 9: return json_pack("{s:s}", "$bytes", "00ff7f80c1");
    case 10: return text_column(below(f, 12));
    default: return tensor_of(f);
    }
}

static int is_tensor(const json_t *value)
{
    return json_is_object(json_object_get(value, "$tensor"));
}

/* Changes numbers of a tensor, how many there are, or their type. */
static void tensor_spoil(fuzz *f, json_t *value)
{
    static const char *const dtypes[] = {"float32", "float64", "float16",
                                         "int64",   "int32",   "uint8"};
    json_t *argument = json_object_get(value, "$tensor"), *data = json_object_get(argument, "data");
    size_t size = json_array_size(data);

    switch (below(f, 5)) {
    case 0: json_object_set_new(argument, "dtype", json_string(dtypes[below(f, 6)])); break;
    case 1:
        if (size)
            json_array_remove(data, below(f, size));
        break;
    case 2:
        if (size)
            json_array_append_new(data, json_deep_copy(json_array_get(data, 0)));
        break;
    default:
        if (json_is_array(json_array_get(data, 0)))
            data = json_array_get(data, below(f, size));
        size = json_array_size(data);
        if (size)
            json_array_set_new(data, below(f, size), integer_of(f));
    }
}

static void spoil(fuzz *f, json_t *map)
{
    size_t size = json_object_size(map), which = below(f, size), i = 0;
    const char *found = NULL, *key;
    json_t *value = NULL, *one, *argument;

    json_object_foreach(map, key, one)
        if (i++ == which) {
            found = key;
            value = one;
        }
    if (!found || !below(f, 12)) {
        json_object_set_new(map, below(f, 2) ? "conformance_unknown" : "filter", junk(f));
        return;
    }
    if (is_tensor(value) && below(f, 4)) {
        tensor_spoil(f, value);
        return;
    }
    /* most of the time deeper down, where what is wrong is seen late */
    if (json_is_object(value) && !notation(value, &argument) && json_object_size(value) &&
        below(f, 5)) {
        spoil(f, value);
        return;
    }
    if (below(f, 5)) {
        json_object_set_new(map, found, junk(f));
    } else {
        char name[100];

        snprintf(name, sizeof name, "%s", found);
        json_object_del(map, name);
    }
}

/* ---- asking -------------------------------------------------------------------------------------
 */

/* What the host lets through to a backend. */
static int is_well_formed(const json_t *body)
{
    contract_body encoded;
    contract_why why = {{0}};
    simplugin_request request;
    int fine = body_encode(&encoded, body, 1, &why);

    request = simplugin_writer_request(&encoded.writer);
    fine = fine && !simplugin_check_request(&request);
    body_clear(&encoded);
    return fine;
}

static void answer_check(fuzz *f, const char *method, const conf_answer *answer)
{
    if (answer->seconds > SECONDS_EACH + 1)
        conf_fail(f->rig->run, "%s takes %.1f s for a malformed request, longer than its deadline",
                  method, answer->seconds);
    else if (answer->code < 0 || answer->code > SIMPLUGIN_PROTOCOL)
        conf_fail(f->rig->run,
                  "%s answers %d to a malformed request, which is none of the codes of plugin.h",
                  method, answer->code);
}

/* Collections that are somebody's, under a name that was made up, are not for us to drop. */
static int is_ours(const fuzz *f, const char *method, const json_t *body)
{
    const char *name = json_string_value(json_object_get(body, "collection"));

    return strcmp(method, "collection.drop") || !name || !strncmp(name, "conformance", 11) ||
           (f->tour.second && !strcmp(name, f->tour.second));
}

static void fuzz_one(fuzz *f)
{
    size_t step = below(f, conf_tour_steps);
    const char *method;
    json_t *body = request_new(f, step, &method);
    conf_answer answer;

    for (size_t j = 1 + below(f, 3); body && j > 0; j--)
        spoil(f, body);
    if (!body || !is_ours(f, method, body) || !is_well_formed(body)) {
        json_decref(body);
        return;
    }
    conf_send(f->rig, f->rig->instance, method, body, conf_in(SECONDS_EACH), 0, &answer);
    answer_check(f, method, &answer);
    conf_tour_note(&f->tour, step, &answer);
    conf_answer_clear(&answer);
}

static void fuzzed(conf_run *run)
{
    conf_rig rig;
    fuzz f = {.rig = &rig, .state = conf_run_target(run)->seed};
    int64_t until = conf_in(SECONDS);

    if (conf_rig_open(&rig, run) && conf_tour_begin(&f.tour, &rig)) {
        /* what is written to a path that leads from here stays in the check's own directory */
        if (chdir(conf_run_directory(run)))
            conf_fail(run, "the check's directory is gone");
        conf_tour_take(&f.tour, NULL);
        for (size_t i = 0; i < REQUESTS && conf_clock() < until && !conf_failed(run); i++)
            fuzz_one(&f);
        if (!conf_failed(run))
            conf_use(&rig);
        conf_tour_end(&f.tour);
    }
    conf_rig_close(&rig);
}

const conf_check conf_malformed[] = {
    {"malformed/fuzzed",
     "up to 2,000 requests that are wrong in every way are answered, and a good one after them", fuzzed,
     120, 0, NULL},
    {NULL, NULL, NULL, 0, 0, NULL},
};
