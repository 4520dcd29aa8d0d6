/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin as the core sees it, as far as it needs no collections: open, health, native.request. */
#include "config.h"

#include "instance.h"
#include "qdrant_fake.h"
#include "qdrant_link_rig.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ROOT "{\"title\":\"qdrant - vector search engine\",\"version\":\"%s\",\"commit\":\"x\"}"

static char version[64] = "1.12.4";
static const char *root_format = ROOT;

/* What a server answers, but for paths below /echo, which give back what they were sent. */
static int qdrant(fake *f, const fake_request *request)
{
    char text[4096], key[64] = "";

    (void)f;
    if (fake_is(request, "GET /")) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(text, sizeof text, root_format, version);
#pragma GCC diagnostic pop
        return fake_answer(request->peer, 200, "", text);
    }
    fake_header(request->head, "api-key", key, sizeof key);
    if (strcmp(key, "right") != 0)
        return fake_answer(request->peer, 401, "", "Must provide an API key");
    if (fake_is(request, "GET /metrics"))
        return fake_answer(request->peer, 200, "", "# TYPE app_info gauge\n");
    if (fake_is(request, "GET /list"))
        return fake_answer(request->peer, 200, "", "[1,2]");
    if (fake_is(request, "GET /broken"))
        return fake_answer(request->peer, 200, "", "{\"result\":[1,}");
    if (fake_is(request, "GET /nan"))
        return fake_answer(request->peer, 200, "", "{\"result\":NaN}");
    if (fake_is(request, "GET /deep")) {
        memset(text, '[', 40);
        memset(text + 40, ']', 40);
        text[80] = 0;
        return fake_answer(request->peer, 200, "", text);
    }
    if (fake_is(request, "GET /none"))
        return fake_answer(request->peer, 404, "",
                           "{\"status\":{\"error\":\"Not found: Collection `x` doesn't exist!\"}}");
    if (strstr(request->head, "/echo")) {
        snprintf(text, sizeof text, "{\"result\":{\"line\":\"%.*s\",\"body\":%s}}",
                 (int)strcspn(request->head, "\r"), request->head,
                 request->body_size ? request->body : "null");
        return fake_answer(request->peer, 200, "", text);
    }
    return fake_ok(request->peer);
}

typedef struct opened {
    link_rig rig;
    simplugin_instance *instance;
    fake f;
} opened;

static void opened_init(opened *o, const char *key)
{
    char words[256];

    fake_init(&o->f, qdrant);
    rig_prepare(&o->rig);
    snprintf(words, sizeof words, "url=127.0.0.1:%d api_key=%s retry_ms=#0", o->f.port, key);
    rig_words(&o->rig, words);
    o->rig.info.method = "open";
    o->rig.info.method_size = 4;
    CU_ASSERT_EQUAL_FATAL(qdrant_instance_open(&o->rig.info, &o->rig.request, &o->instance,
                                               &o->rig.error),
                          SIMPLUGIN_OK);
}

static void opened_clear(opened *o)
{
    qdrant_instance_close(o->instance);
    rig_reset(&o->rig);
    simplugin_writer_clear(&o->rig.body);
    fake_clear(&o->f);
}

/* Calls the method with the words as its body. */
static int32_t call(opened *o, const char *method, const char *words)
{
    rig_reset(&o->rig);
    if (words)
        rig_words(&o->rig, words);
    o->rig.info.method = method;
    o->rig.info.method_size = strlen(method);
    o->rig.reply.size = sizeof o->rig.reply;
    return qdrant_instance_call(o->instance, &o->rig.info, &o->rig.request, &o->rig.reply,
                                &o->rig.error);
}

/* The text at a path of keys "result.line" of the reply. */
static const char *reply_text(opened *o, const char *path, char *text, size_t size)
{
    simplugin_value value = simplugin_body_value(o->rig.reply.body, o->rig.reply.body_size);

    CU_ASSERT_PTR_NULL(simplugin_check_reply(&o->rig.reply));
    while (*path) {
        char key[32];
        size_t length = strcspn(path, ".");
        simplugin_value map = value;

        snprintf(key, sizeof key, "%.*s", (int)length, path);
        if (!simplugin_find(&map, key, &value))
            return NULL;
        path += length + (path[length] == '.');
    }
    if (value.type == SIMPLUGIN_TEXT)
        snprintf(text, size, "%.*s", (int)value.size, value.data);
    else if (value.type == SIMPLUGIN_DOUBLE)
        snprintf(text, size, "%g", value.as.d);
    else
        snprintf(text, size, "%lld", (long long)value.as.i);
    return text;
}

static void health(void)
{
    char text[256];
    opened o;

    opened_init(&o, "right");
    CU_ASSERT_EQUAL(call(&o, "health", ""), SIMPLUGIN_OK);
    rig_same(reply_text(&o, "version", text, sizeof text), "1.12.4", "the version");
    CU_ASSERT_EQUAL(atomic_load(&o.instance->version), QDRANT_VERSION_OF(1, 12));
    CU_ASSERT_EQUAL(o.f.connections, 1);
    rig_refused(&o.rig, call(&o, "health", "verbose=?1"), SIMPLUGIN_INVALID_ARGUMENT, "unknown key",
                "a key");
    rig_refused(&o.rig, call(&o, "healthy", ""), SIMPLUGIN_UNKNOWN_METHOD, "did you mean \"health\"?",
                "a method");
    opened_clear(&o);
    opened_init(&o, "wrong");
    rig_refused(&o.rig, call(&o, "health", ""), SIMPLUGIN_UNAUTHENTICATED, "check api_key", "a key");
    opened_clear(&o);
}

static void versions(void)
{
    static const struct {
        const char *version, *format;
        int32_t code;
        int number;
        const char *says;
    } table[] = {
        {"1.7.0", ROOT, SIMPLUGIN_OK, QDRANT_VERSION_MIN, NULL},
        {"v1.10.0-dev", ROOT, SIMPLUGIN_OK, QDRANT_VERSION_QUERY, NULL},
        {"2.0.1", ROOT, SIMPLUGIN_OK, QDRANT_VERSION_OF(2, 0), NULL},
        {"dev", ROOT, SIMPLUGIN_OK, QDRANT_VERSION_OF(999, 0), NULL},
        {"1.9", "{\"version\":\"%s\"}", SIMPLUGIN_OK, QDRANT_VERSION_OF(1, 9), NULL},
        {"1.6.9", ROOT, SIMPLUGIN_VERSION_TOO_OLD, 0, "is Qdrant 1.6.9: version 1.7.0 or later"},
        {"0.11.0", ROOT, SIMPLUGIN_VERSION_TOO_OLD, 0, "0.11.0"},
        {"8.0", "{\"name\":\"es\",\"version\":{\"number\":\"%s\"}}", SIMPLUGIN_PROTOCOL, 0,
         "is no Qdrant"},
        {"1.30", "{\"title\":\"Weaviate\",\"version\":\"%s\"}", SIMPLUGIN_PROTOCOL, 0, "is no Qdrant"},
        {"1.9", "{\"version\":\"%s\"", SIMPLUGIN_PROTOCOL, 0, "no JSON"},
        {"1.9", "<html>%s</html>", SIMPLUGIN_PROTOCOL, 0, "HTTP/JSON"},
    };

    for (size_t i = 0; i < COUNT(table); i++) {
        opened o;

        opened_init(&o, "right");
        snprintf(version, sizeof version, "%s", table[i].version);
        root_format = table[i].format;
        rig_refused(&o.rig, call(&o, "health", ""), table[i].code, table[i].says, table[i].version);
        rig_refused(&o.rig, call(&o, "native.request", "path=/list"), table[i].code, table[i].says,
                    table[i].version);
        CU_ASSERT_EQUAL(atomic_load(&o.instance->version), table[i].number);
        opened_clear(&o);
    }
    snprintf(version, sizeof version, "1.12.4");
    root_format = ROOT;
}

static void requests(void)
{
    static const struct {
        const char *words, *path, *expected;
    } table[] = {
        {"path=/echo", "result.line", "GET /echo HTTP/1.1"},
        {"method=DELETE path=/echo/a%20b?wait=true", "result.line",
         "DELETE /echo/a%20b?wait=true HTTP/1.1"},
        {"path=/echo/gr\xc3\xb6\xc3\x9f", "result.line", "GET /echo/gr%C3%B6%C3%9F HTTP/1.1"},
        {"method=PUT path=/echo body=text", "result.body", "text"},
        {"method=POST path=/echo body=#-7", "result.body", "-7"},
        {"path=/metrics", "text", "# TYPE app_info gauge\n"},
        {"path=/x", "status", "ok"},
    };
    char text[256];
    opened o;

    opened_init(&o, "right");
    for (size_t i = 0; i < COUNT(table); i++) {
        rig_refused(&o.rig, call(&o, "native.request", table[i].words), SIMPLUGIN_OK, NULL,
                    table[i].words);
        rig_same(reply_text(&o, table[i].path, text, sizeof text), table[i].expected, table[i].words);
    }
    CU_ASSERT_EQUAL(call(&o, "native.request", "path=/list"), SIMPLUGIN_OK);
    CU_ASSERT_PTR_NOT_NULL(reply_text(&o, "result", text, sizeof text));
    /* a body with everything in it that JSON has */
    simplugin_writer_reset(&o.rig.body);
    simplugin_write_map(&o.rig.body, 3);
    simplugin_write_string(&o.rig.body, "method");
    simplugin_write_string(&o.rig.body, "POST");
    simplugin_write_string(&o.rig.body, "path");
    simplugin_write_string(&o.rig.body, "/echo");
    simplugin_write_string(&o.rig.body, "body");
    simplugin_write_map(&o.rig.body, 4);
    simplugin_write_string(&o.rig.body, "f");
    simplugin_write_double(&o.rig.body, 2.5);
    simplugin_write_string(&o.rig.body, "n");
    simplugin_write_nil(&o.rig.body);
    simplugin_write_string(&o.rig.body, "b");
    simplugin_write_bool(&o.rig.body, 1);
    simplugin_write_string(&o.rig.body, "l");
    simplugin_write_array(&o.rig.body, 1);
    simplugin_write_string(&o.rig.body, "\"\\\n");
    rig_ask(&o.rig);
    CU_ASSERT_EQUAL(call(&o, "native.request", NULL), SIMPLUGIN_OK);
    rig_same(reply_text(&o, "result.body.f", text, sizeof text), "2.5", "a number");
    rig_same(reply_text(&o, "result.body.b", text, sizeof text), "1", "a bool");
    opened_clear(&o);
}

static void bad_requests(void)
{
    static const struct {
        const char *words;
        int32_t code;
        const char *says;
    } table[] = {
        {"", SIMPLUGIN_INVALID_ARGUMENT, "path is a text"},
        {"path=collections", SIMPLUGIN_INVALID_ARGUMENT, "begins with /"},
        {"path=/a#b", SIMPLUGIN_INVALID_ARGUMENT, "%23"},
        {"path=#7", SIMPLUGIN_INVALID_ARGUMENT, "path is a text"},
        {"path=/x method=HEAD", SIMPLUGIN_INVALID_ARGUMENT, "GET, POST"},
        {"path=/x method=get", SIMPLUGIN_INVALID_ARGUMENT, "GET, POST"},
        {"path=/x idempotent=1", SIMPLUGIN_INVALID_ARGUMENT, "idempotent"},
        {"path=/x query=a", SIMPLUGIN_INVALID_ARGUMENT, "unknown key"},
        {"path=/none", SIMPLUGIN_NOT_FOUND, "doesn't exist!"},
        {"path=/broken", SIMPLUGIN_PROTOCOL, "GET /broken: the reply cannot be shown"},
        {"path=/nan", SIMPLUGIN_PROTOCOL, "GET /nan: the reply cannot be shown"},
        {"path=/deep", SIMPLUGIN_PROTOCOL, "nests deeper"},
    };
    simplugin_tensor tensor = simplugin_tensor_of(SIMPLUGIN_FLOAT32, &(float){1}, 1, 1);
    opened o;

    opened_init(&o, "right");
    for (size_t i = 0; i < COUNT(table); i++)
        rig_refused(&o.rig, call(&o, "native.request", table[i].words), table[i].code, table[i].says,
                    table[i].words);
    for (int kind = 0; kind < 4; kind++) {
        static const char *const says[] = {"a tensor", "bytes", "not finite", "63 bits"};

        simplugin_writer_reset(&o.rig.body);
        simplugin_write_map(&o.rig.body, 2);
        simplugin_write_string(&o.rig.body, "path");
        simplugin_write_string(&o.rig.body, "/echo");
        simplugin_write_string(&o.rig.body, "body");
        simplugin_write_array(&o.rig.body, 2);
        simplugin_write_int(&o.rig.body, 1);
        if (kind == 0)
            simplugin_write_tensor(&o.rig.body, &tensor);
        else if (kind == 1)
            simplugin_write_bytes(&o.rig.body, "x", 1);
        else if (kind == 2)
            simplugin_write_double(&o.rig.body, (double)NAN);
        else
            simplugin_write_uint(&o.rig.body, UINT64_MAX);
        rig_ask(&o.rig);
        rig_refused(&o.rig, call(&o, "native.request", NULL), SIMPLUGIN_INVALID_ARGUMENT, says[kind],
                    says[kind]);
    }
    opened_clear(&o);
}

static void descriptions(void)
{
    simplugin_reply reply = {.size = sizeof reply};
    simplugin_value body, list, item;
    simplugin_iter iter;
    uint64_t count = 0;

    plug_host = &sp_host;
    CU_ASSERT_EQUAL_FATAL(qdrant_describe(&reply, NULL), SIMPLUGIN_OK);
    CU_ASSERT_PTR_NULL(simplugin_check_reply(&reply));
    body = simplugin_body_value(reply.body, reply.body_size);
    CU_ASSERT_FATAL(simplugin_find(&body, "parameters", &list));
    iter = simplugin_iterate(&list);
    while (simplugin_next(&iter, &item)) {
        const char *name = "";
        uint64_t size = 0;
        int secret = -1;

        CU_ASSERT_EQUAL(simplugin_find_text(&item, "name", &name, &size), 1);
        CU_ASSERT_EQUAL(simplugin_find_bool(&item, "secret", &secret), 1);
        CU_ASSERT_EQUAL(secret, (size == 7 && !memcmp(name, "api_key", 7)) ||
                                    (size == 5 && !memcmp(name, "proxy", 5)));
        count++;
    }
    CU_ASSERT(count > 20);
    simplugin_reply_clear(&reply);
}

static const unit_case cases[] = {
    UNIT_CASE(health, "R260 health: the version, and whether the key is right"),
    UNIT_CASE(versions, "R260 servers that are too old, or no Qdrant"),
    UNIT_CASE(requests, "any path of the server's"),
    UNIT_CASE(bad_requests, "R277 requests and replies that are none"),
    UNIT_CASE(descriptions, "R278 what is secret is declared so"),
};

UNIT_MAIN("qdrant instance", cases)
