/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way to a Qdrant server, and all that can go wrong on it, against servers of our own:
 * connections, retries, time, forks, answers that are none.
 */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "qdrant_fake.h"
#include "qdrant_link_rig.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* How much later than it should a thing may happen; sanitizers are slow, and part asan is not alone. */
#define LATE (UNIT_IS_SANITIZED ? 1000 : 100)
#define OK_BODY "{\"result\":true,\"status\":\"ok\",\"time\":0.0}"

static int always_ok(fake *f, const fake_request *request)
{
    (void)f;
    return fake_ok(request->peer);
}

/* One request; body NULL: none. The reply stays in *http, to be cleared. */
static int32_t run(link_rig *rig, qdrant_http *http, const char *method, const char *path,
                   const char *body)
{
    qdrant_http_init(http, method, path);
    if (body)
        qdrant_http_take(http, strdup(body), strlen(body));
    return qdrant_run(&rig->link, &rig->call, http);
}

static int32_t get(link_rig *rig)
{
    qdrant_http http;
    int32_t code = run(rig, &http, "GET", "/collections", NULL);

    qdrant_http_clear(&http);
    return code;
}

static int32_t post(link_rig *rig)
{
    qdrant_http http;
    int32_t code = run(rig, &http, "POST", "/x", "{}");

    qdrant_http_clear(&http);
    return code;
}

static int32_t put(link_rig *rig)
{
    qdrant_http http;
    int32_t code = run(rig, &http, "PUT", "/x", "{}");

    qdrant_http_clear(&http);
    return code;
}

/* ---- requests ------------------------------------------------------------------------------- */

static int echo(fake *f, const fake_request *request)
{
    char answer[4096];

    (void)f;
    snprintf(answer, sizeof answer, "{\"result\":%s}", request->body_size ? request->body : "null");
    return fake_answer(request->peer, 200, "", answer);
}

static void header_is(fake *f, const char *name, const char *expected)
{
    char value[512];
    int found = fake_header(f->last, name, value, sizeof value);

    if (expected)
        rig_same(found ? value : NULL, expected, name);
    else
        rig_check(!found, "is sent", name);
}

static void one_request(void)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    char host[64];
    link_rig rig;
    qdrant_http http;
    fake f;

    fake_init(&f, echo);
    snprintf(host, sizeof host, "127.0.0.1:%d", f.port);
    rig_open(&rig, "url=http://127.0.0.1:%d/proxy/ api_key=very-secret", f.port);
    rig.info.trace_id = "trace-7";
    rig.info.trace_id_size = 7;
    MUST(run(&rig, &http, "PUT", "/collections/a%20b/points?wait=true", "{\"a\":[1,2.5]}"));
    rig_same(http.reply, "{\"result\":{\"a\":[1,2.5]}}", "the reply");
    CU_ASSERT_EQUAL(http.reply_size, strlen(http.reply));
    CU_ASSERT_EQUAL(http.status.http, 200);
    qdrant_http_clear(&http);
    CU_ASSERT(strncmp(f.last, "PUT /proxy/collections/a%20b/points?wait=true HTTP/1.1\r\n", 55) == 0);
    header_is(&f, "Host", host);
    header_is(&f, "api-key", "very-secret");
    header_is(&f, "Content-Type", "application/json");
    header_is(&f, "User-Agent", "simplugin-qdrant/1.0.0");
    header_is(&f, "x-request-id", "trace-7");
    header_is(&f, "Expect", NULL);
    rig.info.trace_id = "a\r\nb: c";
    for (size_t i = 0; i < COUNT(methods); i++) {
        char line[64];

        MUST(run(&rig, &http, methods[i], "/x", NULL));
        rig_same(http.reply, "{\"result\":null}", methods[i]);
        qdrant_http_clear(&http);
        snprintf(line, sizeof line, "%s /proxy/x HTTP/1.1\r\n", methods[i]);
        rig_check(strncmp(f.last, line, strlen(line)) == 0, f.last, methods[i]);
        header_is(&f, "x-request-id", NULL);
        header_is(&f, "Content-Length", i ? "0" : NULL);
    }
    rig_close(&rig);
    rig_open(&rig, "host=127.0.0.1 port=#%d", f.port);
    MUST(get(&rig));
    header_is(&f, "api-key", NULL);
    rig_close(&rig);
    fake_clear(&f);
}

static void large_bodies(void)
{
    size_t size = 9 << 20;
    char *body = malloc(size);
    link_rig rig;
    qdrant_http http;
    fake f;

    if (!body)
        abort();
    memset(body, ' ', size);
    memcpy(body, "{}", 2);
    fake_init(&f, always_ok);
    rig_open(&rig, "url=http://127.0.0.1:%d", f.port);
    qdrant_http_init(&http, "PUT", "/x");
    qdrant_http_take(&http, body, size);
    MUST(qdrant_run(&rig.link, &rig.call, &http));
    qdrant_http_clear(&http);
    CU_ASSERT_EQUAL(f.last_body, size);
    rig_close(&rig);
    fake_clear(&f);
}

static void paths(void)
{
    static const struct {
        const char *name, *path;
    } table[] = {
        {"digits", "/collections/digits/points"},
        {"a/b", "/collections/a%2Fb/points"},
        {"100%", "/collections/100%25/points"},
        {"a b?c#d&e", "/collections/a%20b%3Fc%23d%26e/points"},
        {"gr\xc3\xb6\xc3\x9f" "e", "/collections/gr%C3%B6%C3%9Fe/points"},
        {"..", "/collections/%2E%2E/points"},
        {".", "/collections/%2E/points"},
        {"v1.2~_-", "/collections/v1.2~_-/points"},
        {"\x01\x7f", "/collections/%01%7F/points"},
        {"", "/collections//points"},
    };
    link_rig rig;
    const char *path;

    rig_prepare(&rig);
    for (size_t i = 0; i < COUNT(table); i++)
        rig_same(qdrant_path(&rig.call, "/collections/%s/points", table[i].name), table[i].path,
                 table[i].name);
    path = qdrant_path(&rig.call, "/a/%s/%s", "b", "c d");
    rig_same(path, "/a/b/c%20d", "two segments");
    path = qdrant_path_with(&rig.call, path, "wait", "true");
    rig_same(path, "/a/b/c%20d?wait=true", "a query");
    path = qdrant_path_with(&rig.call, path, "k&", "v=");
    rig_same(path, "/a/b/c%20d?wait=true&k%26=v%3D", "a longer query");
    CU_ASSERT_PTR_EQUAL(qdrant_path_with(&rig.call, path, "ordering", NULL), path);
    CU_ASSERT_PTR_NULL(qdrant_path_with(&rig.call, NULL, "a", "b"));
    CU_ASSERT_PTR_EQUAL(qdrant_path_timed(&rig.call, path), path);
    rig_timeout(&rig, 1500);
    rig_same(qdrant_path_timed(&rig.call, "/x"), "/x?timeout=2", "seconds are rounded up");
    rig_timeout(&rig, -5);
    rig_same(qdrant_path_timed(&rig.call, "/x"), "/x?timeout=1", "what has run out");
    rig_timeout(&rig, INT64_C(1) << 42);
    rig_same(qdrant_path_timed(&rig.call, "/x"), "/x?timeout=31536000", "a year at most");
    rig_reset(&rig);
}

/* ---- connections ------------------------------------------------------------------------------ */

static void connections_stay(void)
{
    link_rig rig;
    fake f;

    fake_init(&f, always_ok);
    rig_open(&rig, "url=http://127.0.0.1:%d", f.port);
    for (int i = 0; i < 50; i++)
        MUST(i % 2 ? get(&rig) : put(&rig));
    CU_ASSERT_EQUAL(f.connections, 1);
    CU_ASSERT_EQUAL(f.requests, 50);
    rig_close(&rig);
    /* and end with the link */
    for (int64_t end = rig_now() + 2000; fake_peers(&f) && rig_now() < end;)
        rig_sleep(1);
    CU_ASSERT_EQUAL(fake_peers(&f), 0);
    fake_clear(&f);
}

typedef struct caller {
    link_rig *rig;
    int times;
    int32_t code;
} caller;

/* A call of its own over the same link, times over. */
static void *call_often(void *context)
{
    caller *c = context;
    link_rig own;

    rig_prepare(&own);
    for (int i = 0; i < c->times && !c->code; i++) {
        qdrant_http http;

        qdrant_http_init(&http, "GET", "/");
        c->code = qdrant_run(&c->rig->link, &own.call, &http);
        qdrant_http_clear(&http);
        rig_reset(&own);
    }
    return NULL;
}

static int ok_after_all(fake *f, const fake_request *request)
{
    /* until as many are there as the test wants at once */
    for (int64_t end = rig_now() + 5000; (int)f->connections < f->value && rig_now() < end;)
        rig_sleep(1);
    return fake_ok(request->peer);
}

static void threads_share_nothing(void)
{
    enum { THREADS = 24 };
    pthread_t threads[THREADS];
    caller callers[THREADS];
    link_rig rig;
    fake f;

    fake_init(&f, ok_after_all);
    f.value = THREADS;
    rig_open(&rig, "url=http://127.0.0.1:%d", f.port);
    for (int i = 0; i < THREADS; i++) {
        callers[i] = (caller){&rig, 1, 0};
        if (pthread_create(&threads[i], NULL, call_often, &callers[i]))
            abort();
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        CU_ASSERT_EQUAL(callers[i].code, SIMPLUGIN_OK);
    }
    CU_ASSERT_EQUAL(f.connections, THREADS);
    /* no more are kept than that */
    CU_ASSERT_EQUAL(rig.link.idle_count, 16);
    for (int64_t end = rig_now() + 2000; fake_peers(&f) > 16 && rig_now() < end;)
        rig_sleep(1);
    CU_ASSERT_EQUAL(fake_peers(&f), 16);
    f.value = 0;
    for (int i = 0; i < 4; i++) {
        callers[i] = (caller){&rig, 50, 0};
        if (pthread_create(&threads[i], NULL, call_often, &callers[i]))
            abort();
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    CU_ASSERT_EQUAL(f.connections, THREADS);
    rig_close(&rig);
    fake_clear(&f);
}

enum { ANYONE = -1 };

/* Answers the request whose number, in its path, is f->value; all of them at ANYONE. */
static int in_turn(fake *f, const fake_request *request)
{
    int own = (int)strtol(strstr(request->head, "/n/") + 3, NULL, 10);

    for (int64_t end = rig_now() + 20000; rig_now() < end; rig_sleep(1))
        if (f->value == own || f->value == ANYONE)
            break;
    return fake_ok(request->peer);
}

static void requests_in_flight(void)
{
    enum { REQUESTS = 8 };
    qdrant_http https[REQUESTS], *ended;
    qdrant_flight flight;
    char path[REQUESTS][16];
    int order[REQUESTS], count = 0;
    int64_t begin;
    link_rig rig;
    fake f;

    fake_init(&f, in_turn);
    f.value = REQUESTS - 1;
    rig_open(&rig, "url=http://127.0.0.1:%d", f.port);
    CU_ASSERT_EQUAL_FATAL(qdrant_flight_init(&flight, &rig.link, &rig.call), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(qdrant_flight_next(&flight, &ended), SIMPLUGIN_OK);
    CU_ASSERT_PTR_NULL(ended);
    for (int i = 0; i < REQUESTS; i++) {
        snprintf(path[i], sizeof path[i], "/n/%d", i);
        qdrant_http_init(&https[i], "PUT", path[i]);
        qdrant_http_take(&https[i], strdup("{}"), 2);
        https[i].context = &order[i];
        CU_ASSERT_EQUAL(qdrant_flight_start(&flight, &https[i]), SIMPLUGIN_OK);
    }
    while (!qdrant_flight_next(&flight, &ended) && ended && count < REQUESTS) {
        CU_ASSERT_EQUAL(ended->status.code, SIMPLUGIN_OK);
        order[count++] = (int)(ended - https);
        qdrant_http_clear(ended);
        f.value = REQUESTS - 1 - count;
    }
    CU_ASSERT_EQUAL(count, REQUESTS);
    for (int i = 0; i < count; i++)
        CU_ASSERT_EQUAL(order[i], REQUESTS - 1 - i);
    CU_ASSERT_EQUAL(f.connections, REQUESTS);
    qdrant_flight_clear(&flight);
    /* some of them are left behind */
    f.value = REQUESTS;
    CU_ASSERT_EQUAL_FATAL(qdrant_flight_init(&flight, &rig.link, &rig.call), SIMPLUGIN_OK);
    for (int i = 0; i < 3; i++) {
        qdrant_http_init(&https[i], "GET", path[i]);
        CU_ASSERT_EQUAL(qdrant_flight_start(&flight, &https[i]), SIMPLUGIN_OK);
    }
    begin = rig_now();
    qdrant_flight_clear(&flight);
    CU_ASSERT(rig_now() - begin < LATE);
    f.value = ANYONE;
    for (int i = 0; i < 3; i++)
        qdrant_http_clear(&https[i]);
    rig_close(&rig);
    fake_clear(&f);
}

/* ---- what servers say ----------------------------------------------------------------------------- */

static const struct {
    int status;
    const char *body;
    int32_t code;
    int retryable;
    const char *says;
} statuses[] = {
    {400, "{\"status\":{\"error\":\"Wrong input: Limit cannot be 0\"},\"time\":0.1}",
     SIMPLUGIN_INVALID_ARGUMENT, 0, "Wrong input: Limit cannot be 0"},
    {400, "{\"status\":{\"error\":\"Wrong input: Vector dimension error: expected dim: 4, got 3\"}}",
     SIMPLUGIN_DIMENSION_MISMATCH, 0, "got 3"},
    {400, "{\"status\":{\"error\":\"Wrong input: Collection `a` already exists!\"}}",
     SIMPLUGIN_ALREADY_EXISTS, 0, "already exists"},
    {401, "Must provide an API key", SIMPLUGIN_UNAUTHENTICATED, 0, "give an api_key"},
    {403, "Invalid api-key", SIMPLUGIN_UNAUTHENTICATED, 0, "Invalid api-key"},
    {403, "{\"status\":{\"error\":\"Forbidden: Write access is required\"}}",
     SIMPLUGIN_PERMISSION_DENIED, 0, "Write access is required"},
    {404, "{\"status\":{\"error\":\"Not found: Collection `a` doesn't exist!\"}}",
     SIMPLUGIN_NOT_FOUND, 0, "doesn't exist"},
    {404, "", SIMPLUGIN_UNIMPLEMENTED, 0, "no such path"},
    {404, "<html><body>nginx</body></html>", SIMPLUGIN_UNIMPLEMENTED, 0, "path of the url"},
    {405, "", SIMPLUGIN_UNIMPLEMENTED, 0, "no such path"},
    {409, "{\"status\":{\"error\":\"Wrong input: Collection `a` already exists!\"}}",
     SIMPLUGIN_ALREADY_EXISTS, 0, "already exists"},
    {400,
     "{\"status\":{\"error\":\"Payload error: JSON payload (40000000 bytes) is larger than allowed "
     "(limit: 33554432 bytes).\"}}",
     SIMPLUGIN_RESOURCE_EXHAUSTED, 0, "lower batch_bytes"},
    {413, "Request Entity Too Large", SIMPLUGIN_RESOURCE_EXHAUSTED, 0, "lower batch_bytes"},
    {422, "{\"status\":{\"error\":\"Validation error in JSON body: [vector: empty]\"}}",
     SIMPLUGIN_INVALID_ARGUMENT, 0, "[vector: empty]"},
    {429, "{\"status\":{\"error\":\"Rate limiting exceeded\"}}", SIMPLUGIN_RESOURCE_EXHAUSTED, 1,
     "Rate limiting"},
    {500, "{\"status\":{\"error\":\"Service internal error: task panicked\"}}", SIMPLUGIN_INTERNAL, 0,
     "task panicked"},
    {500, "{\"status\":{\"error\":\"Service internal error: No space left on device\"}}",
     SIMPLUGIN_NO_SPACE, 0, "No space left"},
    {502, "<html>Bad Gateway</html>", SIMPLUGIN_UNAVAILABLE, 1, "502: <html>Bad Gateway"},
    {503, "", SIMPLUGIN_UNAVAILABLE, 1, "HTTP status 503"},
    {504, "line\r\nline\x01\xff", SIMPLUGIN_UNAVAILABLE, 1, "line  line"},
    {507, "", SIMPLUGIN_NO_SPACE, 0, "507"},
    {418, "{\"status\":{\"error\":7}}", SIMPLUGIN_INVALID_ARGUMENT, 0, "418"},
    {300, "", SIMPLUGIN_PROTOCOL, 0, "redirects (HTTP status 300) to nowhere"},
    {200, "<html>hello</html>", SIMPLUGIN_PROTOCOL, 0, "but not with HTTP/JSON"},
    {200, "", SIMPLUGIN_PROTOCOL, 0, "REST port (6333"},
    {200, "[1]", SIMPLUGIN_PROTOCOL, 0, "but not with HTTP/JSON"},
};

static int status_answer(fake *f, const fake_request *request)
{
    int which = atomic_load(&f->value);

    return fake_answer(request->peer, statuses[which].status, "", statuses[which].body);
}

static void what_servers_say(void)
{
    link_rig rig;
    fake f;

    fake_init(&f, status_answer);
    rig_open(&rig, "url=http://127.0.0.1:%d retry_ms=#0", f.port);
    for (size_t i = 0; i < COUNT(statuses); i++) {
        qdrant_http http;
        int32_t code;

        f.value = (int)i;
        code = run(&rig, &http, "POST", "/collections/a/points", "{}");
        rig_check(rig.error && simplugin_error_retryable(rig.error) == statuses[i].retryable,
                  "retryable", statuses[i].says);
        rig_check(http.status.too_large == (strcmp(statuses[i].says, "lower batch_bytes") == 0), "too large",
                  statuses[i].says);
        rig_check(strstr(rig_message(&rig), "POST /collections/a/points at 127.0.0.1:") != NULL,
                  "no place", rig_message(&rig));
        rig_refused(&rig, code, statuses[i].code, statuses[i].says, statuses[i].body);
        rig_check(http.reply && strcmp(http.reply, statuses[i].body) == 0 ? 1 : !*statuses[i].body,
                  "the reply is kept", statuses[i].body);
        qdrant_http_clear(&http);
        /* what one only tries is no error yet, unless it is no server of ours */
        qdrant_http_init(&http, "POST", "/collections/a/points");
        code = qdrant_try(&rig.link, &rig.call, &http);
        CU_ASSERT_EQUAL(code, statuses[i].status == 200 ? statuses[i].code : SIMPLUGIN_OK);
        CU_ASSERT_EQUAL(http.status.code, statuses[i].code);
        CU_ASSERT_EQUAL(rig.error == NULL, statuses[i].status != 200);
        qdrant_http_clear(&http);
        rig_reset(&rig);
    }
    rig_close(&rig);
    fake_clear(&f);
}

static int tell_the_key(fake *f, const fake_request *request)
{
    char key[100], body[512];

    (void)f;
    fake_header(request->head, "api-key", key, sizeof key);
    snprintf(body, sizeof body, "{\"status\":{\"error\":\"the key %s is wrong, %s!\"}}", key, key);
    return fake_answer(request->peer, 401, "", body);
}

static void secrets_stay_secret(void)
{
    link_rig rig;
    qdrant_http http;
    fake f;

    fake_init(&f, tell_the_key);
    rig_open(&rig, "url=http://127.0.0.1:%d api_key=abcdefgh", f.port);
    CU_ASSERT_EQUAL(run(&rig, &http, "GET", "/", NULL), SIMPLUGIN_UNAUTHENTICATED);
    CU_ASSERT(strstr(rig_message(&rig), "the key **** is wrong, ****!; check api_key") != NULL);
    CU_ASSERT_PTR_NULL(strstr(rig_message(&rig), "abcdefgh"));
    CU_ASSERT_PTR_NULL(strstr(http.status.reason, "abcdefgh"));
    qdrant_http_clear(&http);
    rig_close(&rig);
    fake_clear(&f);
}

static int tell_the_key_at_length(fake *f, const fake_request *request)
{
    char key[100], body[1024];

    fake_header(request->head, "api-key", key, sizeof key);
    snprintf(body, sizeof body, "%*s%s", atomic_load(&f->value), "x", key);
    return fake_answer(request->peer, 401, "", body);
}

/* Wherever the server's words are cut. */
static void secrets_are_cut(void)
{
    link_rig rig;
    fake f;

    fake_init(&f, tell_the_key_at_length);
    rig_open(&rig, "url=http://127.0.0.1:%d api_key=abcdefgh", f.port);
    for (f.value = QDRANT_REASON_MAX - 12; f.value < QDRANT_REASON_MAX; f.value++) {
        CU_ASSERT_EQUAL(get(&rig), SIMPLUGIN_UNAUTHENTICATED);
        CU_ASSERT_PTR_NULL(strstr(rig_message(&rig), "abcd"));
        rig_reset(&rig);
    }
    rig_close(&rig);
    fake_clear(&f);
}

static int tell_the_proxy(fake *f, const fake_request *request)
{
    (void)f;
    return fake_answer(request->peer, 401, "", "geheimes is no password of hans");
}

static void passwords_of_proxies(void)
{
    link_rig rig;
    fake f;

    fake_init(&f, tell_the_proxy);
    rig_open(&rig, "url=http://127.0.0.1:9 proxy=http://hans:geheimes@127.0.0.1:%d", f.port);
    CU_ASSERT_EQUAL(get(&rig), SIMPLUGIN_UNAUTHENTICATED);
    CU_ASSERT(strstr(rig_message(&rig), "**** is no password of hans") != NULL);
    rig_close(&rig);
    fake_clear(&f);
}

/* ---- answers that are none -------------------------------------------------------------------------- */

static const struct {
    const char *what;
    const char *bytes;
    size_t size;
    int32_t code;
    const char *says;
} garbage[] = {
#define BYTES(text) text, sizeof(text) - 1
    {"SSH", BYTES("SSH-2.0-OpenSSH_9.2\r\n"), SIMPLUGIN_PROTOCOL, "not with HTTP/JSON"},
    {"a TLS alert", BYTES("\x15\x03\x01\x00\x02\x02\x46"), SIMPLUGIN_PROTOCOL, "want TLS"},
    {"gRPC", BYTES("\x00\x00\x00\x04\x00\x00\x00\x00\x00"), SIMPLUGIN_PROTOCOL,
     "REST port (6333 by default)"},
    {"nothing", BYTES(""), SIMPLUGIN_UNAVAILABLE, "closed the connection without an answer"},
    {"a header that never ends", BYTES("HTTP/1.1 200 OK\r\nContent-Le"), SIMPLUGIN_UNAVAILABLE,
     "cut in the middle"},
    {"a body cut in the middle", BYTES("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"resu"),
     SIMPLUGIN_UNAVAILABLE, "cut in the middle"},
    {"chunks cut in the middle",
     BYTES("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{\"result\r\n"),
     SIMPLUGIN_UNAVAILABLE, ""},
    {"chunks of no size", BYTES("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"),
     SIMPLUGIN_UNAVAILABLE, "connection was lost"},
    {"an error cut in the middle",
     BYTES("HTTP/1.1 500 Oh\r\nContent-Length: 100\r\n\r\nbroken pi"), SIMPLUGIN_INTERNAL,
     "HTTP status 500: broken pi"},
    {"lengths that differ", BYTES("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}"), -1, ""},
#undef BYTES
};

static int garbage_answer(fake *f, const fake_request *request)
{
    int which = atomic_load(&f->value);

    fake_send(request->peer, garbage[which].bytes, garbage[which].size);
    return 0;
}

static void answers_that_are_none(void)
{
    link_rig rig;
    fake f;

    fake_init(&f, garbage_answer);
    rig_open(&rig, "url=http://127.0.0.1:%d", f.port);
    for (size_t i = 0; i < COUNT(garbage); i++) {
        qdrant_http http;
        int32_t code;

        f.value = (int)i;
        code = run(&rig, &http, "GET", "/", NULL);
        if (garbage[i].code >= 0)
            rig_refused(&rig, code, garbage[i].code, garbage[i].says, garbage[i].what);
        else
            rig_check(code != SIMPLUGIN_OK, "is taken", garbage[i].what);
        rig_reset(&rig);
        qdrant_http_clear(&http);
    }
    CU_ASSERT_EQUAL(f.requests, COUNT(garbage));
    rig_close(&rig);
    fake_clear(&f);
}

/* Of the first answer only a part comes; the value says how many are cut. */
static int cut_first(fake *f, const fake_request *request)
{
    static const char half[] = "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n{\"result\"";

    if (atomic_fetch_sub(&f->value, 1) <= 0)
        return fake_ok(request->peer);
    fake_send(request->peer, half, sizeof half - 1);
    return 0;
}

static void cut_replies_are_asked_for_again(void)
{
    link_rig rig;
    qdrant_http http;
    fake f;

    fake_init(&f, cut_first);
    rig_open(&rig, "url=http://127.0.0.1:%d retry_ms=#5000", f.port);
    MUST(get(&rig));
    f.value = 3;
    MUST(run(&rig, &http, "PUT", "/x", "{}"));
    rig_same(http.reply, OK_BODY, "the last reply");
    CU_ASSERT_EQUAL(http.attempts, 4);
    qdrant_http_clear(&http);
    /* it may have been heard */
    f.value = 1;
    rig_refused(&rig, post(&rig), SIMPLUGIN_UNAVAILABLE, "cut in the middle", "a POST");
    f.value = 1;
    qdrant_http_init(&http, "POST", "/x");
    http.idempotent = 1;
    MUST(qdrant_run(&rig.link, &rig.call, &http));
    qdrant_http_clear(&http);
    rig_close(&rig);
    fake_clear(&f);
}

static int much(fake *f, const fake_request *request)
{
    static const char chunked[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    char text[4096];

    if (f->value == 0) { /* a length, and nothing of it */
        static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n";

        fake_send(request->peer, head, sizeof head - 1);
        return 1;
    }
    memset(text, ' ', sizeof text);
    text[0] = '{';
    if (f->value == 1) { /* it just fits */
        text[2046] = '}';
        text[2047] = 0;
        text[2048] = 0;
        memmove(text + 1, text, 2048);
        return fake_answer(request->peer, 200, "", text + 1);
    }
    fake_send(request->peer, chunked, sizeof chunked - 1);
    for (int i = 0; i < 100; i++) {
        fake_send(request->peer, "100\r\n", 5);
        fake_send(request->peer, text, 256);
        fake_send(request->peer, "\r\n", 2);
    }
    fake_send(request->peer, "0\r\n\r\n", 5);
    return 0;
}

static void replies_have_a_limit(void)
{
    link_rig rig;
    qdrant_http http;
    fake f;

    fake_init(&f, much);
    rig_open(&rig, "url=http://127.0.0.1:%d max_receive_bytes=#2047", f.port);
    for (f.value = 0; f.value < 3; f.value += 2) {
        int64_t begin = rig_now();
        int32_t code = run(&rig, &http, "GET", "/", NULL);

        CU_ASSERT(http.status.reply_too_large);
        CU_ASSERT(!http.status.too_large);
        rig_refused(&rig, code, SIMPLUGIN_RESOURCE_EXHAUSTED, "max_receive_bytes", "much");
        CU_ASSERT(http.reply_capacity <= 8192);
        CU_ASSERT(rig_now() - begin < LATE);
        qdrant_http_clear(&http);
    }
    f.value = 1;
    MUST(run(&rig, &http, "GET", "/", NULL));
    CU_ASSERT_EQUAL(http.reply_size, 2047);
    qdrant_http_clear(&http);
    rig_close(&rig);
    fake_clear(&f);
}

/* ---- redirections -------------------------------------------------------------------------------------- */

static int elsewhere(fake *f, const fake_request *request)
{
    char headers[256];

    snprintf(headers, sizeof headers, "Location: http://user:password@localhost:%d/x?key=y\r\n",
             f->value);
    return fake_answer(request->peer, 307, headers, "");
}

static void redirections(void)
{
    char where[64];
    link_rig rig;
    fake f, other;

    fake_init(&f, elsewhere);
    fake_init(&other, always_ok);
    f.value = other.port;
    rig_open(&rig, "url=http://127.0.0.1:%d api_key=very-secret", f.port);
    snprintf(where, sizeof where, "(HTTP status 307) to localhost:%d;", other.port);
    rig_refused(&rig, get(&rig), SIMPLUGIN_PROTOCOL, where, "a redirection");
    get(&rig);
    CU_ASSERT_PTR_NULL(strstr(rig_message(&rig), "password"));
    CU_ASSERT_PTR_NULL(strstr(rig_message(&rig), "very-secret"));
    CU_ASSERT(strstr(rig_message(&rig), "give the server's own url") != NULL);
    CU_ASSERT_EQUAL(other.connections, 0);
    rig_close(&rig);
    fake_clear(&f);
    fake_clear(&other);
}

/* ---- time ------------------------------------------------------------------------------------------------ */

static int never(fake *f, const fake_request *request)
{
    char byte;

    (void)f;
    /* until the peer goes away */
    return recv(request->peer, &byte, 1, 0) > 0;
}

static int drops(fake *f, const fake_request *request)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";

    (void)f;
    fake_send(request->peer, head, sizeof head - 1);
    for (int i = 0; i < 1000; i++) {
        struct pollfd gone = {.fd = request->peer, .events = POLLIN};

        fake_send(request->peer, "{", 1);
        if (poll(&gone, 1, 5))
            break;
    }
    return 0;
}

static void deadlines(void)
{
    static const fake_handler handlers[] = {never, drops};
    link_rig rig;
    fake f;

    for (size_t i = 0; i < COUNT(handlers); i++) {
        fake_init(&f, handlers[i]);
        rig_open(&rig, "url=http://127.0.0.1:%d", f.port);
        for (int64_t timeout = 50; timeout <= 200; timeout += 150) {
            int64_t begin = rig_now(), took;

            rig_timeout(&rig, timeout);
            rig_refused(&rig, get(&rig), SIMPLUGIN_DEADLINE_EXCEEDED, "timeout ran out", "a slow server");
            took = rig_now() - begin;
            CU_ASSERT(took >= timeout - 1 && took < timeout + LATE);
        }
        rig_timeout(&rig, -1);
        rig_refused(&rig, get(&rig), SIMPLUGIN_DEADLINE_EXCEEDED, "timeout ran out", "no time at all");
        rig_close(&rig);
        fake_clear(&f);
    }
}

/* Nobody takes what is waiting to be accepted, and no more is let wait. */
static void connecting_takes_forever(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int port = 0, listener = fake_listener(&port, 0), waiting[8];
    int64_t begin;
    link_rig rig;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)port);
    for (size_t i = 0; i < COUNT(waiting); i++) {
        waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (waiting[i] < 0 || (connect(waiting[i], (struct sockaddr *)&address, sizeof address) == 0 &&
                               i == COUNT(waiting)))
            abort();
    }
    rig_sleep(20);
    rig_open(&rig, "url=http://127.0.0.1:%d", port);
    begin = rig_now();
    rig_timeout(&rig, 200);
    rig_refused(&rig, get(&rig), SIMPLUGIN_DEADLINE_EXCEEDED, "timeout ran out", "connecting");
    CU_ASSERT(rig_now() - begin < 200 + LATE);
    rig_close(&rig);
    for (size_t i = 0; i < COUNT(waiting); i++)
        close(waiting[i]);
    close(listener);
}

typedef struct firing {
    uint64_t token;
    int64_t after, at;
} firing;

static void *fire(void *context)
{
    firing *f = context;

    rig_sleep(f->after);
    f->at = rig_now();
    if (simplugin_cancel_fire(f->token))
        abort();
    return NULL;
}

/* A request that is cancelled after a while: it ends at once. */
static void cancelled_soon(link_rig *rig, int64_t after)
{
    firing f = {0, after, 0};
    pthread_t thread;

    if (simplugin_cancel_new(&f.token, NULL) || pthread_create(&thread, NULL, fire, &f))
        abort();
    rig->info.cancel = f.token;
    rig_refused(rig, get(rig), SIMPLUGIN_CANCELLED, "cancelled", "a call");
    pthread_join(thread, NULL);
    CU_ASSERT(rig_now() - f.at < LATE);
    /* and none with that token begins any more */
    rig_refused(rig, get(rig), SIMPLUGIN_CANCELLED, "cancelled", "a call after that");
    rig->info.cancel = 0;
    simplugin_cancel_free(f.token);
}

static void cancelling(void)
{
    static const fake_handler handlers[] = {never, drops};
    link_rig rig;
    fake f;

    for (size_t i = 0; i < COUNT(handlers); i++) {
        fake_init(&f, handlers[i]);
        rig_open(&rig, "url=http://127.0.0.1:%d", f.port);
        for (int64_t after = 0; after <= 100; after += 50)
            cancelled_soon(&rig, after);
        rig_close(&rig);
        fake_clear(&f);
    }
    /* while it waits for a server that went away */
    fake_init(&f, always_ok);
    rig_open(&rig, "url=http://127.0.0.1:%d", f.port);
    MUST(get(&rig));
    fake_end(&f);
    cancelled_soon(&rig, 300);
    fake_begin(&f);
    rig_close(&rig);
    fake_clear(&f);
}

/* ---- again ------------------------------------------------------------------------------------------------ */

static void nobody_there(void)
{
    int64_t begin = rig_now();
    link_rig rig;

    rig_open(&rig, "url=http://127.0.0.1:%d", fake_free_port());
    rig_refused(&rig, get(&rig), SIMPLUGIN_UNAVAILABLE, "Connection refused; is the server running",
                "no server");
    CU_ASSERT(rig_now() - begin < LATE);
    rig_close(&rig);
    rig_open(&rig, "url=http://no-such-host.invalid");
    rig_timeout(&rig, 5000);
    begin = rig_now();
    get(&rig);
    if (simplugin_error_code(rig.error) != SIMPLUGIN_DEADLINE_EXCEEDED)
        CU_ASSERT(strstr(rig_message(&rig), "is the host's name right?") != NULL);
    CU_ASSERT(rig_now() - begin < 5000 + LATE);
    rig_close(&rig);
}

/* The first answers are bad, as many as the value says. */
static int bad_first(fake *f, const fake_request *request)
{
    int left = atomic_fetch_sub(&f->value, 1);

    return left <= 0 ? fake_ok(request->peer)
                     : fake_answer(request->peer, left % 2 ? 503 : 429, "", "{}");
}

static void bad_answers_are_got_over(void)
{
    link_rig rig;
    qdrant_http http;
    int64_t begin;
    fake f;

    fake_init(&f, bad_first);
    rig_open(&rig, "url=http://127.0.0.1:%d retry_ms=#1000", f.port);
    /* one that has never been there is not waited for */
    f.value = 1;
    rig_refused(&rig, get(&rig), SIMPLUGIN_UNAVAILABLE, "503", "the first answer of all");
    MUST(get(&rig));
    f.value = 3;
    MUST(run(&rig, &http, "PUT", "/x", "{}"));
    CU_ASSERT_EQUAL(http.attempts, 4);
    qdrant_http_clear(&http);
    f.value = 1;
    rig_refused(&rig, post(&rig), SIMPLUGIN_UNAVAILABLE, "503", "a POST");
    CU_ASSERT_EQUAL(f.value, 0);
    /* not for longer than retry_ms */
    f.value = 1000;
    begin = rig_now();
    CU_ASSERT_NOT_EQUAL(get(&rig), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(simplugin_error_retryable(rig.error), 1);
    CU_ASSERT(rig_now() - begin < 1000 + LATE);
    CU_ASSERT(rig_now() - begin > 300);
    rig_reset(&rig);
    /* and not past the deadline */
    f.value = 1000;
    rig_timeout(&rig, 300);
    begin = rig_now();
    CU_ASSERT_NOT_EQUAL(get(&rig), SIMPLUGIN_OK);
    CU_ASSERT(rig_now() - begin < 300 + LATE);
    rig_close(&rig);
    fake_clear(&f);
}

/* Is done, and then the connection ends without a word. */
static int silent(fake *f, const fake_request *request)
{
    return atomic_load(&f->value) ? 0 : fake_ok(request->peer);
}

/* libcurl would send once more by itself what a connection that was kept did not answer. */
static void sent_once(void)
{
    link_rig rig;
    fake f;

    fake_init(&f, silent);
    rig_open(&rig, "url=http://127.0.0.1:%d retry_ms=#0", f.port);
    for (int i = 0; i < 3; i++) {
        f.value = 0;
        MUST(get(&rig));
        MUST(get(&rig));
        f.value = 1;
        f.requests = 0;
        CU_ASSERT_EQUAL(post(&rig), SIMPLUGIN_UNAVAILABLE);
        CU_ASSERT_EQUAL(f.requests, 1);
        rig_reset(&rig);
    }
    rig_close(&rig);
    fake_clear(&f);
}

static int busy_first(fake *f, const fake_request *request)
{
    return atomic_fetch_sub(&f->value, 1) <= 0
               ? fake_ok(request->peer)
               : fake_answer(request->peer, 503, "Retry-After: 1\r\n", "{}");
}

/* One that is starting, or being replaced, says when it is there. */
static void busy_at_first(void)
{
    link_rig rig;
    fake f;

    fake_init(&f, busy_first);
    f.value = 1;
    rig_open(&rig, "url=http://127.0.0.1:%d retry_ms=#5000", f.port);
    MUST(get(&rig));
    CU_ASSERT_EQUAL(f.requests, 2);
    rig_close(&rig);
    fake_clear(&f);
}

static int later(fake *f, const fake_request *request)
{
    static const char *const when[] = {"", "Retry-After: 1\r\n", "Retry-After: 3600\r\n",
                                       "Retry-After: Fri, 31 Dec 2100 23:59:59 GMT\r\n",
                                       "Retry-After: soon\r\n"};
    int which = atomic_exchange(&f->value, 0);

    return which ? fake_answer(request->peer, 429, when[which], "{}") : fake_ok(request->peer);
}

static void retry_after(void)
{
    link_rig rig;
    qdrant_http http;
    int64_t begin;
    fake f;

    fake_init(&f, later);
    rig_open(&rig, "url=http://127.0.0.1:%d retry_ms=#5000", f.port);
    MUST(get(&rig));
    f.value = 1;
    begin = rig_now();
    MUST(get(&rig));
    CU_ASSERT(rig_now() - begin >= 1000);
    CU_ASSERT(rig_now() - begin < 1000 + 2 * LATE);
    /* longer than anybody waits: at once */
    for (int which = 2; which < 4; which++) {
        f.value = which;
        begin = rig_now();
        CU_ASSERT_EQUAL(run(&rig, &http, "GET", "/", NULL), SIMPLUGIN_RESOURCE_EXHAUSTED);
        CU_ASSERT(http.status.retry_after_ms >= 3600000);
        CU_ASSERT(rig_now() - begin < LATE);
        CU_ASSERT_EQUAL(simplugin_error_retryable(rig.error), 1);
        qdrant_http_clear(&http);
        rig_reset(&rig);
    }
    /* what is no time is no wish */
    f.value = 4;
    MUST(get(&rig));
    rig_close(&rig);
    fake_clear(&f);
}

static void *restart(void *context)
{
    rig_sleep(400);
    fake_begin(context);
    return NULL;
}

static void a_server_comes_back(void)
{
    pthread_t thread;
    int64_t begin;
    link_rig rig;
    fake f;

    fake_init(&f, always_ok);
    rig_open(&rig, "url=http://127.0.0.1:%d retry_ms=#20000", f.port);
    MUST(get(&rig));
    fake_end(&f);
    if (pthread_create(&thread, NULL, restart, &f))
        abort();
    MUST(get(&rig));
    pthread_join(thread, NULL);
    CU_ASSERT_EQUAL(f.connections, 2);
    /* a connection that the server ended meanwhile is no failure, whatever is sent */
    fake_end(&f);
    fake_begin(&f);
    MUST(post(&rig));
    /* and one that stays away is: at once where nothing is sent a second time */
    fake_end(&f);
    begin = rig_now();
    rig_refused(&rig, post(&rig), SIMPLUGIN_UNAVAILABLE, "Connection refused", "a POST");
    CU_ASSERT(rig_now() - begin < LATE);
    rig_close(&rig);
    fake_begin(&f);
    rig_open(&rig, "url=http://127.0.0.1:%d retry_ms=#600", f.port);
    MUST(get(&rig));
    fake_end(&f);
    begin = rig_now();
    rig_refused(&rig, get(&rig), SIMPLUGIN_UNAVAILABLE, "Connection refused", "it stays away");
    CU_ASSERT(rig_now() - begin < 600 + LATE);
    fake_begin(&f);
    rig_close(&rig);
    fake_clear(&f);
}

/* ---- forks -------------------------------------------------------------------------------------------------- */

static int fds_count(void)
{
    int count = 0;

    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* What a child does with what its parent opened; 0: all is well. */
static int child(link_rig *rig, int deeper)
{
    pid_t pid;
    int status = 0, before = fds_count();

    rig_timeout(rig, 5000);
    for (int i = 0; i < 3; i++)
        if (get(rig))
            return 10 + i;
    if (rig->link.idle_count != 1)
        return 20;
    /* the parent's socket is gone, ours and what libcurl wakes itself by are there */
    if (fds_count() > before + 3)
        return 21;
    if (deeper) {
        pid = fork();
        if (pid == 0)
            _exit(child(rig, 0));
        if (waitpid(pid, &status, 0) != pid || status)
            return 30;
    }
    if (get(rig))
        return 31;
    qdrant_link_clear(&rig->link);
    return 0;
}

static void forks(void)
{
    unsigned long long connections;
    int status = -1;
    link_rig rig;
    pid_t pid;
    fake f;

    fake_init(&f, always_ok);
    rig_open(&rig, "url=http://127.0.0.1:%d", f.port);
    MUST(get(&rig));
    CU_ASSERT_EQUAL(f.connections, 1);
    for (int i = 0; i < 3; i++) {
        connections = f.connections;
        pid = fork();
        if (pid == 0)
            _exit(child(&rig, 1));
        CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
        CU_ASSERT_EQUAL(status, 0);
        if (status)
            printf("\n    the child ended with %d", WEXITSTATUS(status));
        /* the child and its child each made one of their own, and the parent's goes on */
        CU_ASSERT_EQUAL(f.connections, connections + 2);
        MUST(get(&rig));
        CU_ASSERT_EQUAL(f.connections, connections + 2);
    }
    rig_close(&rig);
    fake_clear(&f);
}

/* A child that only closes: the parent's connection is none of its business. */
static void forks_that_close(void)
{
    int status = -1;
    link_rig rig;
    pid_t pid;
    fake f;

    fake_init(&f, always_ok);
    rig_open(&rig, "url=http://127.0.0.1:%d", f.port);
    MUST(get(&rig));
    pid = fork();
    if (pid == 0) {
        qdrant_link_clear(&rig.link);
        _exit(0);
    }
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    CU_ASSERT_EQUAL(status, 0);
    MUST(get(&rig));
    CU_ASSERT_EQUAL(f.connections, 1);
    rig_close(&rig);
    fake_clear(&f);
}

static int slowly(fake *f, const fake_request *request)
{
    (void)f;
    rig_sleep(2);
    return fake_ok(request->peer);
}

static void join(const pthread_t *threads, const caller *callers, int count)
{
    for (int i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        CU_ASSERT_EQUAL(callers[i].code, SIMPLUGIN_OK);
    }
}

/* Forks while other threads are in the middle of it. */
static void forks_in_the_middle(void)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    caller callers[THREADS];
    link_rig rig;
    fake f;

    fake_init(&f, slowly);
    rig_open(&rig, "url=http://127.0.0.1:%d", f.port);
    MUST(get(&rig));
    for (int i = 0; i < THREADS; i++) {
        callers[i] = (caller){&rig, 150, 0};
        if (pthread_create(&threads[i], NULL, call_often, &callers[i]))
            abort();
    }
    if (UNIT_IS_SANITIZED)
        join(threads, callers, THREADS);
    for (int i = 0; i < 20; i++) {
        int status = -1;
        pid_t pid = fork();

        if (pid == 0) {
            alarm(20);
            _exit(child(&rig, 0));
        }
        CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
        CU_ASSERT_EQUAL(status, 0);
        if (status)
            printf("\n    the child ended with %d by signal %d", WEXITSTATUS(status), WTERMSIG(status));
    }
    if (!UNIT_IS_SANITIZED)
        join(threads, callers, THREADS);
    rig_close(&rig);
    fake_clear(&f);
}

/* ---- SIGPIPE --------------------------------------------------------------------------------------------------- */

static int hang_up(int peer)
{
    struct linger at_once = {1, 0};
    char some[1000];

    if (recv(peer, some, sizeof some, 0) < 0)
        return 0;
    setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    return 0;
}

static void no_sigpipe(void)
{
    size_t size = 4 << 20;
    sigset_t pending, mask;
    link_rig rig;
    fake f;

    fake_init(&f, always_ok);
    f.greet = hang_up;
    rig_open(&rig, "url=http://127.0.0.1:%d", f.port);
    /* it would end this process */
    signal(SIGPIPE, SIG_DFL);
    for (int i = 0; i < 10; i++) {
        qdrant_http http;

        qdrant_http_init(&http, "PUT", "/x");
        qdrant_http_take(&http, calloc(size, 1), size);
        CU_ASSERT_EQUAL(qdrant_run(&rig.link, &rig.call, &http), SIMPLUGIN_UNAVAILABLE);
        qdrant_http_clear(&http);
        rig_reset(&rig);
    }
    sigpending(&pending);
    CU_ASSERT_EQUAL(sigismember(&pending, SIGPIPE), 0);
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    CU_ASSERT_EQUAL(sigismember(&mask, SIGPIPE), 0);
    rig_close(&rig);
    fake_clear(&f);
}

/* ---- proxies ----------------------------------------------------------------------------------------------------- */

static void proxies(void)
{
    char proxy[64];
    link_rig rig;
    fake f, through;

    fake_init(&f, always_ok);
    fake_init(&through, always_ok);
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", through.port);
    setenv("http_proxy", proxy, 1);
    /* never to this machine */
    rig_open(&rig, "url=http://127.0.0.1:%d", f.port);
    MUST(get(&rig));
    CU_ASSERT_EQUAL(through.connections, 0);
    rig_close(&rig);
    /* the environment's */
    rig_open(&rig, "url=http://qdrant.invalid:7");
    MUST(get(&rig));
    CU_ASSERT_EQUAL(through.connections, 1);
    CU_ASSERT(strncmp(through.last, "GET http://qdrant.invalid:7/collections HTTP/1.1\r\n", 49) == 0);
    rig_close(&rig);
    setenv("no_proxy", "qdrant.invalid", 1);
    rig_open(&rig, "url=http://qdrant.invalid:7");
    rig_timeout(&rig, 2000);
    CU_ASSERT_NOT_EQUAL(get(&rig), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(through.connections, 1);
    rig_close(&rig);
    /* one that is asked for */
    rig_open(&rig, "url=http://qdrant.invalid:7 proxy=%s", proxy);
    MUST(get(&rig));
    CU_ASSERT_EQUAL(through.connections, 2);
    rig_close(&rig);
    unsetenv("no_proxy");
    unsetenv("http_proxy");
    rig_open(&rig, "url=http://127.0.0.1:%d proxy=%s", f.port, proxy);
    MUST(get(&rig));
    CU_ASSERT_EQUAL(through.connections, 3);
    CU_ASSERT_EQUAL(f.connections, 1);
    rig_close(&rig);
    fake_clear(&f);
    fake_clear(&through);
}

static const unit_case cases[] = {
    UNIT_CASE(one_request, "method, path, headers and body of one request"),
    UNIT_CASE(large_bodies, "a body of 9 MiB"),
    UNIT_CASE(paths, "names in paths are percent-encoded, time is told in whole seconds"),
    UNIT_CASE(connections_stay, "a connection is kept and used again"),
    UNIT_CASE(threads_share_nothing, "threads have connections of their own, some of which are kept"),
    UNIT_CASE(requests_in_flight, "several requests in flight, ended in any order, or left"),
    UNIT_CASE(what_servers_say, "R277 every HTTP status as a code, with the server's words"),
    UNIT_CASE(secrets_stay_secret, "R278 a key that the server repeats is masked"),
    UNIT_CASE(secrets_are_cut, "R278 and so is the beginning of one, where its words are cut"),
    UNIT_CASE(passwords_of_proxies, "R278 a proxy's password that is repeated is masked"),
    UNIT_CASE(answers_that_are_none, "R277 SSH, TLS, gRPC, nothing, halves"),
    UNIT_CASE(cut_replies_are_asked_for_again, "R274 a reply cut in the middle is asked for again"),
    UNIT_CASE(replies_have_a_limit, "replies above max_receive_bytes are not taken"),
    UNIT_CASE(redirections, "R278 a redirection is not followed, and the key not sent there"),
    UNIT_CASE(deadlines, "R274 a deadline holds, with a server that says nothing or little"),
    UNIT_CASE(connecting_takes_forever, "R274 a deadline holds while connecting"),
    UNIT_CASE(cancelling, "R274 a call is cancelled from another thread"),
    UNIT_CASE(nobody_there, "R277 no server, no such host"),
    UNIT_CASE(bad_answers_are_got_over, "R274 429 and 503 are got over, where that is harmless"),
    UNIT_CASE(sent_once, "R274 what may not be sent twice is not, whatever becomes of the connection"),
    UNIT_CASE(busy_at_first, "R274 a first answer that says when to come again"),
    UNIT_CASE(retry_after, "R274 Retry-After is kept, or given up at once"),
    UNIT_CASE(a_server_comes_back, "R274 a server that comes back is found again"),
    UNIT_CASE(forks, "R275 a child makes connections of its own, the parent's go on"),
    UNIT_CASE(forks_that_close, "R275 a child that closes leaves the parent's connection alone"),
    UNIT_CASE(forks_in_the_middle, "R275 forks while other threads' calls are in flight"),
    UNIT_CASE(no_sigpipe, "connections that go away raise no SIGPIPE"),
    UNIT_CASE(proxies, "proxies of the environment, and never to this machine"),
};

UNIT_MAIN("qdrant transport", cases)
