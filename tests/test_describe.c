/* SPDX-License-Identifier: Apache-2.0 */
/* What backends say of themselves, sensible or not. */
#include "describe.h"
#include "host.h"
#include "simplugin.h"
#include "unit.h"
#include "wire.h"

static const char *answer; /* JSON */
static int32_t answer_code;
static enum { NORMAL, NO_BODY, NOT_MSGPACK, WITH_BYTES } form;

static int32_t describe(simplugin_reply *reply, simplugin_error **error)
{
    static const uint8_t nonsense[] = {0x90};
    simplugin_writer w;
    json_t *json;

    if (answer_code)
        return sp_host.error_set(error, answer_code, "sorry", 5);
    if (form == NO_BODY)
        return SIMPLUGIN_OK;
    if (form == NOT_MSGPACK) {
        reply->body = nonsense;
        reply->body_size = sizeof nonsense;
        return SIMPLUGIN_OK;
    }
    simplugin_writer_init(&w);
    if (form == WITH_BYTES) {
        simplugin_write_map(&w, 1);
        simplugin_write_string(&w, "name");
        simplugin_write_bytes(&w, "x", 1);
    } else {
        json = json_loads(answer, 0, NULL);
        if (!json)
            abort();
        sp_json_write(&w, json);
        json_decref(json);
    }
    if (simplugin_writer_reply(&w, &sp_host, reply))
        abort();
    simplugin_writer_clear(&w);
    return SIMPLUGIN_OK;
}

static const simplugin_backend backend = {.size = sizeof backend, .describe = describe};

#define WHOLE                                                                                \
    "{\"name\":\"x\",\"version\":\"1\",\"metrics\":[\"cosine\",\"euclidean\"],"                \
    "\"metric_aliases\":{\"l2\":\"euclidean\",\"cosine\":\"euclidean\"},"                       \
    "\"methods\":[\"search.radius\",\"native.x\"],\"filters\":[],\"parameters\":[],"           \
    "\"max_k\":100,\"max_dimension\":2048,\"batch_bytes\":1000,\"exact\":true,"                \
    "\"radius\":true,\"vectors\":\"normalised\",\"reverse\":[\"cosine\"]}"

static void whole(void)
{
    simplugin_error *error = NULL;
    sp_describe *d = NULL;

    answer = WHOLE;
    CU_ASSERT_EQUAL(sp_describe_new(&backend, "x", &d, &error), SIMPLUGIN_OK);
    if (!d)
        return;
    CU_ASSERT_EQUAL(d->max_k, 100);
    CU_ASSERT_EQUAL(d->max_dimension, 2048);
    CU_ASSERT_EQUAL(d->batch_bytes, 1000);
    CU_ASSERT(d->exact && d->radius && d->vectors == SP_VECTORS_NORMALISED && !d->conditional_upsert);
    CU_ASSERT(sp_describe_lists(d, "methods", "native.x"));
    CU_ASSERT_FALSE(sp_describe_lists(d, "methods", "native.xy"));
    CU_ASSERT_FALSE(sp_describe_lists(d, "methods", "native"));
    CU_ASSERT(sp_describe_lists(d, "reverse", "cosine"));
    CU_ASSERT_FALSE(sp_describe_lists(d, "absent", "cosine"));
    CU_ASSERT_FALSE(sp_describe_lists(d, "name", "x"));
    CU_ASSERT_STRING_EQUAL(sp_describe_metric(d, "l2"), "euclidean");
    CU_ASSERT_STRING_EQUAL(sp_describe_metric(d, "cosine"), "cosine");
    CU_ASSERT_STRING_EQUAL(sp_describe_metric(d, "l3"), "l3");
    sp_describe_free(d);
    sp_describe_free(NULL);
}

static void least(void)
{
    sp_describe *d = NULL;

    answer = "{\"metrics\":[\"cosine\"],\"methods\":[],\"filters\":[],\"parameters\":[],\"max_k\":0}";
    CU_ASSERT_EQUAL(sp_describe_new(&backend, "x", &d, NULL), SIMPLUGIN_OK);
    if (!d)
        return;
    CU_ASSERT_STRING_EQUAL(sp_describe_metric(d, "l2"), "l2");
    CU_ASSERT_EQUAL(d->max_k, UINT64_MAX);
    CU_ASSERT_EQUAL(d->max_dimension, UINT64_MAX);
    CU_ASSERT_EQUAL(d->batch_bytes, UINT64_MAX);
    CU_ASSERT(!d->exact && !d->radius && d->vectors == SP_VECTORS_EXACT);
    sp_describe_free(d);
}

/* What a later version may add is nothing that this one asks for. */
static void later(void)
{
    sp_describe *d = NULL;

    answer = "{\"metrics\":[\"cosine\"],\"methods\":[\"points.later\"],\"filters\":[\"later\",\"eq\"],"
             "\"parameters\":[],\"later\":{\"a\":[1]}}";
    CU_ASSERT_EQUAL(sp_describe_new(&backend, "x", &d, NULL), SIMPLUGIN_OK);
    CU_ASSERT_PTR_NOT_NULL(d);
    sp_describe_free(d);
}

/* Whether describe fails with the code and part in the message. */
static int fails(int32_t expected, const char *part)
{
    simplugin_error *error = NULL;
    sp_describe *d = (sp_describe *)&error;
    int32_t code = sp_describe_new(&backend, "x", &d, &error);
    int as_expected = code == expected && simplugin_error_code(error) == expected && !d &&
                      strstr(simplugin_error_message(error, NULL), part) != NULL;

    if (!as_expected)
        fprintf(stderr, "%s: %s\n", simplugin_code_name(code),
                simplugin_error_message(error, NULL));
    simplugin_error_free(&error);
    return as_expected;
}

static void nonsense(void)
{
    form = NO_BODY;
    CU_ASSERT(fails(SIMPLUGIN_PROTOCOL, "metrics is no array"));
    form = NOT_MSGPACK;
    CU_ASSERT(fails(SIMPLUGIN_PROTOCOL, "the body is not a map"));
    form = WITH_BYTES;
    CU_ASSERT(fails(SIMPLUGIN_PROTOCOL, "is no text, number"));
    form = NORMAL;
    answer = "{\"metrics\":[\"cosine\"],\"filters\":[],\"parameters\":[]}";
    CU_ASSERT(fails(SIMPLUGIN_PROTOCOL, "methods is no array"));
    answer = "{\"metrics\":[\"cosine\"],\"methods\":{},\"filters\":[],\"parameters\":[]}";
    CU_ASSERT(fails(SIMPLUGIN_PROTOCOL, "methods is no array"));
    answer = "{\"metrics\":[\"cosine\"],\"methods\":[],\"filters\":[]}";
    CU_ASSERT(fails(SIMPLUGIN_PROTOCOL, "parameters is no array"));
    answer = "{\"metrics\":[],\"methods\":[],\"filters\":[],\"parameters\":[]}";
    CU_ASSERT(fails(SIMPLUGIN_PROTOCOL, "metrics is empty"));
    answer = "{\"metrics\":[\"cosine\",1],\"methods\":[],\"filters\":[],\"parameters\":[]}";
    CU_ASSERT(fails(SIMPLUGIN_PROTOCOL, "metrics holds something that is no text"));
    answer = "{\"metrics\":[\"cosine\"],\"metric_aliases\":[\"cos\"],\"methods\":[],\"filters\":[],"
             "\"parameters\":[]}";
    CU_ASSERT(fails(SIMPLUGIN_PROTOCOL, "metric_aliases is no map"));
    answer = "{\"metrics\":[\"cosine\"],\"metric_aliases\":{\"l2\":\"euclidean\"},\"methods\":[],"
             "\"filters\":[],\"parameters\":[]}";
    CU_ASSERT(fails(SIMPLUGIN_PROTOCOL, "\"l2\" stands for no metric"));
    answer = "{\"metrics\":[\"cosine\"],\"methods\":[],\"filters\":[1],\"parameters\":[]}";
    CU_ASSERT(fails(SIMPLUGIN_PROTOCOL, "filters holds something that is no text"));
    answer = "{\"metrics\":[\"cosine\"],\"methods\":[],\"filters\":[],\"parameters\":[],"
             "\"vectors\":\"nearly\"}";
    CU_ASSERT(fails(SIMPLUGIN_PROTOCOL, "\"nearly\" is none of exact, rounded, normalised"));
    answer_code = SIMPLUGIN_UNAVAILABLE;
    CU_ASSERT(fails(SIMPLUGIN_UNAVAILABLE, "sorry"));
    answer_code = 0;
}

static const unit_case cases[] = {
    UNIT_CASE(whole, "R259 limits, lists and properties are read"),
    UNIT_CASE(least, "what is absent is no limit"),
    UNIT_CASE(later, "what a later version added is ignored"),
    UNIT_CASE(nonsense, "nonsense is PROTOCOL, an error stays what it is"),
};

UNIT_MAIN("describe", cases)
