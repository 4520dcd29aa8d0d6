/* SPDX-License-Identifier: Apache-2.0 */
/* Servers that are away, or something else: a clear error, at once. */
#include "config.h"

#include "qdrant_live.h"

#include "qdrant_fake.h"

/* What health says of a url on loopback, in less than a second. */
static int32_t health_at(const char *scheme, int port)
{
    int64_t begin = live_now();
    int32_t code = live_bare_health("'url': '%s127.0.0.1:%d'", scheme, port);

    CU_ASSERT(live_now() - begin < 1000);
    return code;
}

static void no_server(void)
{
    int port = fake_free_port();

    FAILS(SIMPLUGIN_UNAVAILABLE, "is the server running there", health_at("http://", port));
    CU_ASSERT(live_says("6333"));
    CU_ASSERT_EQUAL(simplugin_error_retryable(rig_error), 1);
    FAILS(SIMPLUGIN_UNAVAILABLE, "is the server running there", health_at("", port));
    FAILS(SIMPLUGIN_UNAVAILABLE, "6333",
          ask(bare, "index.create",
              "{'backend': 'qdrant', 'collection_name': 'none', 'dimension': 4, 'parameters': "
              "{'host': '127.0.0.1', 'port': %d}}",
              port));
}

static void no_such_host(void)
{
    FAILS(SIMPLUGIN_UNAVAILABLE, "nowhere.invalid",
          live_bare_health("'url': 'http://nowhere.invalid:6333'"));
    CU_ASSERT(live_says("host's name"));
}

/* ---- other ports --------------------------------------------------------------------------------- */

/* A server of HTTP/2 begins with its settings, whatever it is asked. */
static int as_grpc(fake *f, const fake_request *request)
{
    static const char settings[] = "\0\0\6\4\0\0\0\0\0\0\3\0\0\0\144\0\0\10\7\0\0\0\0\0\0\0\0\0\0\0\1";

    (void)f;
    fake_send(request->peer, settings, sizeof settings - 1);
    return 0;
}

/* One of TLS answers what is no handshake by an alert. */
static int as_tls(int peer)
{
    static const char alert[] = "\x15\x03\x01\x00\x02\x02\x46";
    char first[16];

    if (recv(peer, first, sizeof first, 0) > 0)
        fake_send(peer, alert, sizeof alert - 1);
    return 0;
}

static int as_web(fake *f, const fake_request *request)
{
    static const char page[] = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 15\r\n\r\n"
                               "<html>hi</html>";

    (void)f;
    fake_send(request->peer, page, sizeof page - 1);
    return 1;
}

static int as_another(fake *f, const fake_request *request)
{
    (void)f;
    return fake_answer(request->peer, 200, "", "{\"title\":\"another database\",\"version\":\"9.0\"}");
}

static int never(fake *f, const fake_request *request)
{
    (void)f;
    (void)request;
    return 0;
}

static void other_ports(void)
{
    static const struct {
        fake_handler handler;
        int (*greet)(int peer);
        int32_t code;
        const char *says;
    } ports[] = {
        {as_grpc, NULL, SIMPLUGIN_PROTOCOL, "is this Qdrant's REST port (6333 by default)"},
        {never, as_tls, SIMPLUGIN_PROTOCOL, "does it want TLS (an https:// url)"},
        {as_web, NULL, SIMPLUGIN_PROTOCOL, "is this Qdrant's REST port (6333 by default)"},
        {as_another, NULL, SIMPLUGIN_PROTOCOL, "is no Qdrant"},
        {never, NULL, SIMPLUGIN_UNAVAILABLE, "closed the connection without an answer"},
    };

    for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
        fake f;

        fake_init(&f, ports[i].handler);
        f.greet = ports[i].greet;
        FAILS(ports[i].code, ports[i].says, health_at("http://", f.port));
        CU_ASSERT_EQUAL(f.connections, 1); /* it is not asked again and again */
        fake_clear(&f);
    }
}

static void tls_against_plain(void)
{
    fake f;

    fake_init(&f, as_another);
    FAILS(SIMPLUGIN_UNAVAILABLE, "is it an http:// url",
          health_at("https://", server.ca ? f.port : server.port));
    CU_ASSERT_EQUAL(simplugin_error_retryable(rig_error), 0);
    fake_clear(&f);
}

/* Connections to a listener that accepts nothing are made all the same. */
static void silent_server(void)
{
    int port = 0, listener = fake_listener(&port, 16);
    uint64_t connection = live_connect("'url': 'http://127.0.0.1:%d'", port);
    int64_t begin = live_now();

    rig_options.timeout_ms = 500;
    CU_ASSERT_EQUAL(ask(connection, "health", "{}"), SIMPLUGIN_DEADLINE_EXCEEDED);
    CU_ASSERT(live_now() - begin >= 450);
    CU_ASSERT(live_now() - begin < 500 + GRACE);
    rig_options.timeout_ms = 0;
    CU_ASSERT_EQUAL(simplugin_close(connection, NULL), SIMPLUGIN_OK);
    close(listener);
}

/* ---- this one ------------------------------------------------------------------------------------- */

static void version_told(void)
{
    uint64_t connection = live_connection();
    json_t *version;

    ASK(connection, "health", "{}");
    /* as it says of itself */
    version = json_incref(json_object_get(rig_reply, "version"));
    MUST(live_request(connection, "GET", "/", "%s", "") == SIMPLUGIN_OK);
    CU_ASSERT(json_is_string(version) &&
              json_equal(version, json_object_get(rig_reply, "version")));
    json_decref(version);
    CU_ASSERT_EQUAL(simplugin_close(connection, NULL), SIMPLUGIN_OK);
}

static void server_words(void)
{
    live_made made = live_create("'dimension': 2");
    char path[128];

    snprintf(path, sizeof path, "/collections/%s", made.name);
    FAILS(SIMPLUGIN_ALREADY_EXISTS, "already exists",
          live_request(made.index, "PUT", path, "%s",
                       "{'vectors': {'size': 2, 'distance': 'Dot'}}"));
    CU_ASSERT(live_says(made.name));
    strcat(path, "/points/query");
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "Format error in JSON body",
          live_request(made.index, "POST", path, "%s", "{'query': [1, 0], 'limit': 'ten'}"));
    FAILS(SIMPLUGIN_DIMENSION_MISMATCH, "expected dim: 2, got 3",
          live_request(made.index, "POST", path, "%s", "{'query': [1, 0, 0], 'limit': 10}"));
    CU_ASSERT_EQUAL(simplugin_error_retryable(rig_error), 0);
    FAILS(SIMPLUGIN_NOT_FOUND, "no_such_collection",
          live_request(made.index, "GET", "/collections/no_such_collection", "%s", ""));
    FAILS(SIMPLUGIN_UNIMPLEMENTED, "404",
          live_request(made.index, "GET", "/no/such/route", "%s", ""));
    live_drop(&made);
}

static void reply_too_large(void)
{
    live_made made = live_create("'dimension': 4096, 'metric': 'cosine', 'parameters': "
                                 "{'max_receive_bytes': 16384}");
    float *rows = live_normal(1, 5, 4096);

    MUST(live_add(made.index, rows, 0, 5, 4096) == SIMPLUGIN_OK);
    FAILS(SIMPLUGIN_RESOURCE_EXHAUSTED, "max_receive_bytes",
          ask(made.index, "index.get", "{'ids': ['p000001']}"));
    FAILS(SIMPLUGIN_RESOURCE_EXHAUSTED, "max_receive_bytes", ask(made.index, "index.get", "{}"));
    CU_ASSERT_EQUAL(simplugin_error_retryable(rig_error), 0);
    ASK(made.index, "index.get", "{'ids': ['p000001'], 'vectors': false}");
    CU_ASSERT_EQUAL(live_size(made.index), 5);
    free(rows);
    live_drop(&made);
}

/* What is too much at once comes in parts. */
static void replies_in_parts(void)
{
    live_made made = live_create("'dimension': 64, 'metric': 'cosine', 'parameters': "
                                 "{'max_receive_bytes': 65536}");
    float *rows = live_normal(1, 500, 64);

    MUST(live_add(made.index, rows, 0, 500, 64) == SIMPLUGIN_OK);
    ASK(made.index, "index.get", "{}");
    CU_ASSERT_EQUAL(json_array_size(json_object_get(rig_reply, "ids")), 500);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(rig_reply, "vectors")), 500);
    free(rows);
    live_drop(&made);
}

LIVE_SUITE(live_away, "other servers",
           UNIT_CASE(no_server, "R277 no server: said at once, with what to do"),
           UNIT_CASE(no_such_host, "R277 a host that does not exist"),
           UNIT_CASE(other_ports, "R38 R277 a port where gRPC, TLS or something else answers"),
           UNIT_CASE(tls_against_plain, "R277 TLS against a port without it"),
           UNIT_CASE(silent_server, "R274 a server that says nothing: the deadline ends the call"),
           UNIT_CASE(version_told, "R30 R260 health tells the server's version"),
           UNIT_CASE(server_words, "R277 what the server says is wrong is passed on"),
           UNIT_CASE(reply_too_large, "R277 a reply over max_receive_bytes is refused by that name"),
           UNIT_CASE(replies_in_parts, "R277 and where it can come in parts, it does"));
