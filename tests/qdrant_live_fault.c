/* SPDX-License-Identifier: Apache-2.0 */
/* What goes wrong on demand: needs the control port of tests/servers/qdrant.py. */
#include "config.h"

#include "qdrant_live.h"

#include <pthread.h>

#define OK_BODY "{\\\"result\\\": true, \\\"status\\\": \\\"ok\\\", \\\"time\\\": 0.0}"
#define HIT(score) \
    "{\\\"result\\\": {\\\"points\\\": [{\\\"id\\\": \\\"507f1f77-bcf8-6cd7-9943-901100000000\\\", " \
    "\\\"version\\\": 1, \\\"score\\\": " score "}]}, \\\"status\\\": \\\"ok\\\", \\\"time\\\": 0.0}"

/* An index of three points, with nothing going wrong and nothing asked. */
static live_made small(const char *parameters)
{
    live_made made =
        live_create("'dimension': 2, 'metric': 'euclidean', 'parameters': {%s}", parameters);

    ASK(made.index, "index.add", "{'ids': ['a', 'b', 'c'], 'vectors': [[1, 0], [2, 0], [3, 0]]}");
    ASK(made.index, "index.search", "{'vectors': [[0, 0]], 'k': 1}");
    fault_end();
    return made;
}

static void small_drop(live_made *made)
{
    fault_end();
    CU_ASSERT_EQUAL(live_size(made->index), 3);
    live_drop(made);
    fault_end();
}

static int32_t search(const live_made *made)
{
    return ask(made->index, "index.search", "{'vectors': [[0, 0]], 'k': 1}");
}

static int32_t add(const live_made *made)
{
    return ask(made->index, "index.add", "{'ids': ['a'], 'vectors': [[1, 0]]}");
}

/* ---- what the server says ------------------------------------------------------------------------ */

static void words_passed_on(void)
{
    static const struct {
        int status;
        int32_t code;
    } answers[] = {
        {400, SIMPLUGIN_INVALID_ARGUMENT}, {401, SIMPLUGIN_UNAUTHENTICATED},
        {403, SIMPLUGIN_PERMISSION_DENIED}, {404, SIMPLUGIN_NOT_FOUND},
        {409, SIMPLUGIN_ALREADY_EXISTS},   {422, SIMPLUGIN_INVALID_ARGUMENT},
        {500, SIMPLUGIN_INTERNAL},
    };
    live_made made = small("");

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        fault("{'path': '.*/points/query', 'action': {'status': %d, 'body': {'status': {'error': "
              "'the moon is in the wrong phase'}, 'time': 0.0}}}",
              answers[i].status);
        FAILS(answers[i].code, "the moon is in the wrong phase", search(&made));
        CU_ASSERT_EQUAL(asked("POST", "/points/query"), 1);
        CU_ASSERT_EQUAL(simplugin_error_retryable(rig_error), 0);
        fault_end();
        MUST(search(&made) == SIMPLUGIN_OK);
        fault_end();
    }
    small_drop(&made);
}

static void too_large_halved(void)
{
    live_made made = live_create("'dimension': 32, 'metric': 'cosine'");
    float *rows = live_normal(51, 3000, 32);
    uint64_t *hits;

    fault_end();
    fault("{'method': 'PUT', 'path': '.*/points', 'times': 3, 'action': {'status': 413, 'body_raw': "
          "'Payload Too Large'}}");
    MUST(live_add(made.index, rows, 0, 3000, 32) == SIMPLUGIN_OK);
    /* the whole, both halves, and their halves */
    CU_ASSERT(asked("PUT", "/points") >= 3 + 4);
    CU_ASSERT_EQUAL(live_size(made.index), 3000);
    MUST(live_search(made.index, rows, 3000, 32, 1, NULL, 0) == SIMPLUGIN_OK);
    for (uint64_t q = 0; q < 3000; q += 7) {
        CU_ASSERT_EQUAL(live_hits(q, &hits), 1);
        CU_ASSERT_EQUAL(hits[0], q);
        free(hits);
    }
    fault_end();
    /* what is never small enough is said */
    fault("{'method': 'PUT', 'path': '.*/points', 'times': null, 'action': {'status': 413, 'body_raw': "
          "'Payload Too Large'}}");
    FAILS(SIMPLUGIN_RESOURCE_EXHAUSTED, "Payload Too Large",
          live_add(made.index, rows, 3000, 100, 32));
    fault_end();
    CU_ASSERT_EQUAL(live_size(made.index), 3000);
    free(rows);
    live_drop(&made);
    fault_end();
}

/* Searches of several queries, and fields of several points, go in smaller parts as well. */
static void too_large_elsewhere(void)
{
    live_made made = small("");

    fault("{'method': 'POST', 'path': '.*/points/query/batch', 'times': 2, 'action': {'status': 413, "
          "'body_raw': 'Payload Too Large'}}");
    ASK(made.index, "index.search", "{'vectors': [[1, 0], [3, 0], [2, 0], [1, 0], [3, 0]], 'k': 1}");
    REPLY("ids", "['a','c','b','a','c']");
    /* five, two of them, and from there on in parts that are taken */
    CU_ASSERT_EQUAL(asked("POST", "/points/query/batch") + asked("POST", "/points/query"), 5);
    fault_end();
    fault("{'method': 'POST', 'path': '.*/points/batch', 'times': 1, 'action': {'status': 413, "
          "'body_raw': 'Payload Too Large'}}");
    ASK(made.index, "index.set_fields", "{'ids': ['a', 'b', 'c'], 'fields': {'page': [1, 2, 3]}}");
    REPLY("updated", "3");
    fault_end();
    ASK(made.index, "index.get", "{'ids': ['a', 'b', 'c'], 'vectors': false, 'fields': ['page']}");
    REPLY("fields", "{'page':[1,2,3]}");
    fault("{'method': 'POST', 'path': '.*/points/batch', 'times': null, 'action': {'status': 413, "
          "'body_raw': 'Payload Too Large'}}");
    FAILS(SIMPLUGIN_RESOURCE_EXHAUSTED, "\"a\" alone",
          ask(made.index, "index.set_fields", "{'ids': ['a', 'b'], 'fields': {'page': [4, 5]}}"));
    small_drop(&made);
}

/* ---- later --------------------------------------------------------------------------------------- */

static void retry_after(void)
{
    live_made made = small("");
    int64_t begin = live_now();

    fault("{'path': '.*/points/query', 'action': {'status': 429, 'headers': {'retry-after': '1'}, "
          "'body': {'status': {'error': 'Rate limiting exceeded'}, 'time': 0.0}}}");
    MUST(search(&made) == SIMPLUGIN_OK);
    CU_ASSERT(live_now() - begin >= 950);
    CU_ASSERT(live_now() - begin < 2000);
    CU_ASSERT_EQUAL(asked("POST", "/points/query"), 2);
    fault_end();
    /* who has no second to wait does not */
    begin = live_now();
    fault("{'path': '.*/points/query', 'action': {'status': 429, 'headers': {'retry-after': '30'}, "
          "'body': {'status': {'error': 'Rate limiting exceeded'}, 'time': 0.0}}}");
    rig_options.timeout_ms = 2000;
    FAILS(SIMPLUGIN_RESOURCE_EXHAUSTED, "Rate limiting exceeded", search(&made));
    rig_options.timeout_ms = 0;
    CU_ASSERT_EQUAL(simplugin_error_retryable(rig_error), 1);
    CU_ASSERT(live_now() - begin < 2000);
    CU_ASSERT_EQUAL(asked("POST", "/points/query"), 1);
    small_drop(&made);
}

/* What may be done twice is, and nothing else. */
static void unavailable(void)
{
    live_made made = small("");
    char path[128];

    for (int status = 502; status <= 504; status++) {
        fault("{'path': '.*/points.*', 'times': 2, 'action': {'status': %d, 'body_raw': 'Oh'}}",
              status);
        MUST(status == 503 ? add(&made) == SIMPLUGIN_OK : search(&made) == SIMPLUGIN_OK);
        CU_ASSERT_EQUAL(asked(NULL, status == 503 ? "/points" : "/points/query"), 3);
        fault_end();
    }
    fault("{'method': 'PUT', 'path': '/collections/[^/]*', 'times': null, 'action': {'status': 503, "
          "'body_raw': 'Oh'}}");
    FAILS(SIMPLUGIN_UNAVAILABLE, "503",
          ask(session, "index.create", "{'collection_name': 'never_made', 'dimension': 2}"));
    CU_ASSERT_EQUAL(asked("PUT", "/never_made"), 1);
    fault_end();
    snprintf(path, sizeof path, "/collections/%s/points/query", made.name);
    fault("{'path': '.*/points/query', 'times': null, 'action': {'status': 503, 'body_raw': 'Oh'}}");
    FAILS(SIMPLUGIN_UNAVAILABLE, "503",
          live_request(made.index, "POST", path, "%s", "{'query': [1, 0]}"));
    CU_ASSERT_EQUAL(asked("POST", "/points/query"), 1);
    CU_ASSERT_EQUAL(simplugin_error_retryable(rig_error), 1);
    small_drop(&made);
}

/* What a server says went wrong inside of it does so again. */
static void internal_error(void)
{
    live_made made = small("");

    fault("{'path': '.*/points.*', 'times': null, 'action': {'status': 500, 'body': {'status': "
          "{'error': 'Service internal error: a panic'}, 'time': 0.0}}}");
    FAILS(SIMPLUGIN_INTERNAL, "Service internal error: a panic", search(&made));
    CU_ASSERT_EQUAL(asked("POST", "/points/query"), 1);
    fault_end();
    MUST(search(&made) == SIMPLUGIN_OK);
    fault("{'method': 'PUT', 'path': '.*/points', 'times': null, 'action': {'status': 500, 'body': "
          "{'status': {'error': 'Service internal error: a panic'}, 'time': 0.0}}}");
    FAILS(SIMPLUGIN_INTERNAL, "Service internal error: a panic", add(&made));
    CU_ASSERT_EQUAL(asked("PUT", "/points"), 1);
    small_drop(&made);
}

/* ---- connections that end ------------------------------------------------------------------------- */

static void cut_in_the_middle(void)
{
    live_made made = small("'retry_ms': 700");
    char path[128];
    int64_t begin;

    fault("{'path': '.*/points/query', 'times': 2, 'action': {'cut_after_bytes': 20}}");
    MUST(search(&made) == SIMPLUGIN_OK);
    REPLY("ids", "['a']");
    CU_ASSERT_EQUAL(asked("POST", "/points/query"), 3);
    fault_end();
    fault("{'path': '.*/points/query', 'times': null, 'action': {'cut_after_bytes': 20}}");
    begin = live_now();
    FAILS(SIMPLUGIN_UNAVAILABLE, "cut in the middle", search(&made));
    CU_ASSERT(live_now() - begin >= 300);
    CU_ASSERT(live_now() - begin < 1500);
    CU_ASSERT(asked("POST", "/points/query") > 2);
    fault_end();
    /* of a path that is not known, it is not known what twice would do */
    snprintf(path, sizeof path, "/collections/%s/points/query", made.name);
    fault("{'path': '.*/points/query', 'times': null, 'action': {'cut_after_bytes': 20}}");
    FAILS(SIMPLUGIN_UNAVAILABLE, "cut in the middle",
          live_request(made.index, "POST", path, "%s", "{'query': [1, 0]}"));
    CU_ASSERT_EQUAL(asked("POST", "/points/query"), 1);
    small_drop(&made);
}

/* Done, and the answer lost: what is written again is not doubled. */
static void answer_lost(void)
{
    live_made made = small("");

    fault("{'method': 'PUT', 'path': '.*/points', 'times': 2, 'action': {'apply_then_close': true}}");
    ASK(made.index, "index.add", "{'ids': ['c', 'd'], 'vectors': [[3, 0], [4, 0]]}");
    CU_ASSERT_EQUAL(asked("PUT", "/points"), 3);
    CU_ASSERT_EQUAL(live_size(made.index), 4);
    fault_end();
    fault("{'method': 'POST', 'path': '.*/points/delete', 'action': {'apply_then_close': true}}");
    ASK(made.index, "index.remove", "{'ids': ['d']}");
    REPLY("removed", "1");
    CU_ASSERT_EQUAL(asked("POST", "/points/delete"), 2);
    small_drop(&made);
}

static void closed_at_once(void)
{
    live_made made = small("'retry_ms': 500");

    fault("{'path': '.*/points.*', 'times': 3, 'action': {'close': true}}");
    MUST(search(&made) == SIMPLUGIN_OK);
    fault_end();
    fault("{'path': '.*/points.*', 'times': null, 'action': {'close': true}}");
    FAILS(SIMPLUGIN_UNAVAILABLE, "closed the connection", search(&made));
    CU_ASSERT_EQUAL(simplugin_error_retryable(rig_error), 1);
    small_drop(&made);
}

/* ---- answers that are none ------------------------------------------------------------------------- */

static void malformed(void)
{
    static const char *const bodies[] = {
        "{\\\"result\\\": {\\\"points\\\": [", "{\\\"result\\\": 7", "{]", "{\\\"result\\\": null}", "{}",
        OK_BODY, HIT("NaN"), HIT("nan"), HIT("Infinity"), HIT("-Infinity"), HIT("1e999"),
        HIT("\\\"1\\\""), HIT("null"), HIT("01"), HIT("+1"), HIT("0x1"), HIT("1.") , HIT("1") "x",
        "{\\\"result\\\": {\\\"points\\\": [{\\\"score\\\": 1}]}}",
        "{\\\"result\\\": {\\\"points\\\": [7]}}", "[]", "7", "\\\"ok\\\"", "", "<html>", "\\u0000",
    };
    live_made made = small("'retry_ms': 0");

    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        int32_t code;

        fault("{'path': '.*/points/query', 'times': null, 'action': {'body_raw': '%s'}}", bodies[i]);
        code = search(&made);
        if (code != SIMPLUGIN_PROTOCOL)
            printf("\n    %s: %s\n    ", bodies[i], simplugin_code_name(code));
        CU_ASSERT_EQUAL(code, SIMPLUGIN_PROTOCOL);
        CU_ASSERT(code != SIMPLUGIN_PROTOCOL || !simplugin_error_retryable(rig_error));
        fault_end();
    }
    /* one that is well comes through */
    fault("{'path': '.*/points/query', 'action': {'body_raw': '%s'}}", HIT("1.5"));
    MUST(search(&made) == SIMPLUGIN_OK);
    REPLY("ids", "['507f1f77bcf86cd799439011']");
    REPLY("distances", "[1.5]");
    small_drop(&made);
}

/* Other replies are read by other readers. */
static void malformed_others(void)
{
    static const struct {
        const char *path, *body, *method, *request;
    } others[] = {
        {".*/points/count", "{\\\"result\\\": {\\\"count\\\": NaN}}", "index.size", "{}"},
        {".*/points/count", "{\\\"result\\\": {\\\"count\\\": 1.5}}", "index.size", "{}"},
        {".*/points/count", "{\\\"result\\\": {}}", "index.size", "{}"},
        {".*/points/scroll", "{\\\"result\\\": {\\\"points\\\": 1}}", "index.get", "{}"},
        {".*/points", "{\\\"result\\\": [{\\\"id\\\": 7, \\\"vector\\\": [1, NaN]}]}", "index.get",
         "{'ids': ['a']}"},
        {".*/points", "{\\\"result\\\": [{\\\"id\\\": 7, \\\"vector\\\": [1, 2, 3]}]}", "index.get",
         "{'ids': ['a']}"},
        {"/collections", "{\\\"result\\\": NaN}", "backend.call", "{'method': 'collection.list'}"},
        {"/collections/[^/]*", "{\\\"result\\\": {\\\"status\\\": NaN}}", "backend.call",
         "{'method': 'native.request', 'body': {'path': '/collections/x'}}"},
    };
    live_made made = small("'retry_ms': 0");

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        int32_t code;

        fault("{'path': '%s', 'times': null, 'action': {'body_raw': '%s'}}", others[i].path,
              others[i].body);
        code = ask(made.index, others[i].method, "%s", others[i].request);
        if (code != SIMPLUGIN_PROTOCOL)
            printf("\n    %s %s: %s\n    ", others[i].path, others[i].body, simplugin_code_name(code));
        CU_ASSERT_EQUAL(code, SIMPLUGIN_PROTOCOL);
        fault_end();
    }
    small_drop(&made);
}

/* ---- redirections ----------------------------------------------------------------------------------- */

static void redirected(void)
{
    static const char secret[] = "sesame-street-1";
    live_made made = small("");
    uint64_t index;
    json_t *log, *one;
    size_t i, with_key = 0;

    ASK(session, "index.open",
        "{'backend': 'qdrant', 'collection_name': '%s', 'parameters': {'api_key': '%s'}}", made.name,
        secret);
    index = (uint64_t)reply_int("index");
    fault_end();
    for (int status = 301; status <= 308; status++) {
        if (status >= 304 && status <= 306)
            continue;
        fault("{'path': '.*/points/query', 'action': {'status': %d, 'headers': {'location': "
              "'%s/elsewhere?api_key=%s'}, 'body_raw': ''}}",
              status, live_variable("FAULTS"), secret);
        FAILS(SIMPLUGIN_PROTOCOL, "redirects",
              ask(index, "index.search", "{'vectors': [[0, 0]], 'k': 1}"));
        CU_ASSERT(live_says("127.0.0.1"));
        CU_ASSERT(!live_says(secret));
        CU_ASSERT_EQUAL(simplugin_error_retryable(rig_error), 0);
    }
    log = asked_log();
    json_array_foreach(log, i, one) {
        const char *key =
            json_string_value(json_object_get(json_object_get(one, "headers"), "api-key"));

        CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(one, "port")), "server");
        with_key += key && strcmp(key, secret) == 0;
    }
    CU_ASSERT(with_key >= 5); /* the server itself did get it */
    json_decref(log);
    CU_ASSERT_EQUAL(asked(NULL, "/elsewhere"), 0);
    CU_ASSERT_EQUAL(simplugin_close(index, NULL), SIMPLUGIN_OK);
    small_drop(&made);
}

/* ---- time -------------------------------------------------------------------------------------------- */

/* The seconds that a query string tells; -1: none. */
static int timeout_of(const char *query)
{
    const char *at = query ? strstr(query, "timeout=") : NULL;

    return at ? atoi(at + 8) : -1;
}

static void slow_server(void)
{
    live_made made = small("");
    json_t *log, *one;
    int64_t begin;
    size_t i, told = 0;

    fault("{'path': '.*/points.*', 'times': null, 'action': {'delay_ms': 3000}}");
    for (int which = 0; which < 4; which++) {
        int32_t code;

        begin = live_now();
        rig_options.timeout_ms = 400;
        code = which == 0   ? search(&made)
               : which == 1 ? add(&made)
               : which == 2 ? ask(made.index, "index.size", "{}")
                            : ask(made.index, "index.get", "{'ids': ['a']}");
        CU_ASSERT_EQUAL(code, SIMPLUGIN_DEADLINE_EXCEEDED);
        CU_ASSERT(live_now() - begin >= 350);
        CU_ASSERT(live_now() - begin < 400 + GRACE);
    }
    rig_options.timeout_ms = 0;
    fault_end();
    /* the server is told, in whole seconds, what is left */
    rig_options.timeout_ms = 7400;
    MUST(search(&made) == SIMPLUGIN_OK);
    MUST(ask(made.index, "index.size", "{}") == SIMPLUGIN_OK);
    MUST(ask(made.index, "index.get", "{'ids': ['a']}") == SIMPLUGIN_OK);
    rig_options.timeout_ms = 0;
    log = asked_log();
    json_array_foreach(log, i, one)
        if (strstr(json_string_value(json_object_get(one, "path")), "/points")) {
            int seconds = timeout_of(json_string_value(json_object_get(one, "query")));

            CU_ASSERT(seconds == 7 || seconds == 8);
            told++;
        }
    CU_ASSERT(told >= 3); /* and what it asks to know the collection again */
    json_decref(log);
    small_drop(&made);
}

/* ---- cancelling --------------------------------------------------------------------------------------- */

typedef struct canceller {
    pthread_t thread;
    uint64_t token;
    int64_t fired;
    const char *method, *end; /* of the request that is waited for */
} canceller;

/* Fires once the request has reached the server. */
static void *cancel_when_asked(void *context)
{
    canceller *c = context;

    if (asked_wait(c->method, c->end, 1))
        c->fired = live_now();
    simplugin_cancel_fire(c->token);
    return NULL;
}

static void cancelled_call(void)
{
    static const struct {
        const char *method, *end;
    } waits[] = {{"POST", "/points/query"}, {"PUT", "/points"}, {"POST", "/points/scroll"}};
    live_made made = small("");

    for (int i = 0; i < 3; i++) {
        canceller c = {.method = waits[i].method, .end = waits[i].end};
        int32_t code;
        int64_t ended;

        fault_end();
        fault("{'path': '.*/points.*', 'times': null, 'action': {'delay_ms': 4000}}");
        CU_ASSERT_EQUAL(simplugin_cancel_new(&c.token, NULL), SIMPLUGIN_OK);
        rig_options.cancel = c.token;
        if (pthread_create(&c.thread, NULL, cancel_when_asked, &c))
            abort();
        code = i == 0 ? search(&made) : i == 1 ? add(&made) : ask(made.index, "index.get", "{}");
        ended = live_now();
        pthread_join(c.thread, NULL);
        rig_options.cancel = 0;
        CU_ASSERT_EQUAL(simplugin_cancel_free(c.token), SIMPLUGIN_OK);
        CU_ASSERT_EQUAL(code, SIMPLUGIN_CANCELLED);
        CU_ASSERT(c.fired && ended - c.fired < GRACE);
    }
    small_drop(&made);
}

static const unit_case live_fault_cases[] = {
    UNIT_CASE(words_passed_on, "R277 every status is a code, with the server's own words"),
    UNIT_CASE(too_large_halved, "R273 413: the batch is halved, and all points arrive"),
    UNIT_CASE(too_large_elsewhere, "R273 413: so are searches of several queries, and fields that are set"),
    UNIT_CASE(retry_after, "R274 429: waited as Retry-After says, or given up at once"),
    UNIT_CASE(unavailable, "R274 502, 503, 504: sent again where that is harmless, and only there"),
    UNIT_CASE(internal_error, "R274 R277 500: passed on, not repeated"),
    UNIT_CASE(cut_in_the_middle, "R274 R277 a reply that is cut in the middle"),
    UNIT_CASE(answer_lost, "R262 R274 what was done and not answered is done again, harmlessly"),
    UNIT_CASE(closed_at_once, "R274 R277 connections that are closed instead of an answer"),
    UNIT_CASE(malformed, "R277 malformed JSON, NaN, and JSON that is no answer"),
    UNIT_CASE(malformed_others, "R277 the same of counts, pages, points and lists"),
    UNIT_CASE(redirected, "R277 R278 a redirection is not followed, and the key goes nowhere"),
    UNIT_CASE(slow_server, "R274 a slow server: the deadline holds, and the server is told"),
    UNIT_CASE(cancelled_call, "R274 a token fired by another thread ends a call at once"),
};
const live_suite live_fault = {"faults", live_fault_cases,
                               sizeof live_fault_cases / sizeof live_fault_cases[0], {"FAULTS"}};
