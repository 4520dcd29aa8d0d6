/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates, names in them, keys: what is wrong is said, and never a secret with it. */
#include "config.h"

#include "qdrant_live.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

/* An index on the server of the session is made, filled, searched and dropped. */
static void whole_round(void)
{
    live_made made = live_create("'dimension': 2, 'metric': 'cosine'");

    ASK(made.index, "index.add", "{'ids': ['a', 'b'], 'vectors': [[1, 0], [0, 1]]}");
    ASK(made.index, "index.search", "{'vectors': [[1, 0]]}");
    REPLY("ids", "['a','b']");
    ASK(made.index, "index.get", "{}");
    REPLY("ids", "['a','b']");
    live_drop(&made);
}

typedef struct caller {
    uint64_t connection;
    int32_t code;
} caller;

static void *call_often(void *context)
{
    caller *c = context;

    for (int i = 0; i < 20 && !c->code; i++)
        c->code = ask(c->connection, "health", "{}");
    json_decref(rig_reply);
    rig_reply = NULL;
    simplugin_error_free(&rig_error);
    return NULL;
}

static void many_threads(void)
{
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    caller callers[THREADS];
    uint64_t connection = live_connection();

    for (int i = 0; i < THREADS; i++) {
        callers[i] = (caller){connection, 0};
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, call_often, &callers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        CU_ASSERT_EQUAL(callers[i].code, SIMPLUGIN_OK);
    }
    CU_ASSERT_EQUAL(simplugin_close(connection, NULL), SIMPLUGIN_OK);
}

/* A child that ends the session's TLS would end the parent's. */
static void forks(void)
{
    uint64_t connection = live_connection();
    int status = -1;

    ASK(connection, "health", "{}");
    for (int i = 0; i < 3; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            alarm(20);
            status = ask(connection, "health", "{}");
            if (!status)
                status = simplugin_close(connection, NULL);
            _exit(status);
        }
        CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
        CU_ASSERT_EQUAL(status, 0);
        ASK(connection, "health", "{}");
    }
    CU_ASSERT_EQUAL(simplugin_close(connection, NULL), SIMPLUGIN_OK);
}

/* ---- TLS ------------------------------------------------------------------------------------------- */

static void authority(void)
{
    MUST(live_bare_health("'url': '%s', 'tls_ca': '%s'", server.url, server.ca) == SIMPLUGIN_OK);
    MUST(live_bare_health("'host': '127.0.0.1', 'port': '%d', 'https': true, 'tls_ca': '%s'",
                          server.port, server.ca) == SIMPLUGIN_OK);
    FAILS(SIMPLUGIN_UNAVAILABLE, "tls_ca", live_bare_health("'url': '%s'", server.url));
    CU_ASSERT_EQUAL(simplugin_error_retryable(rig_error), 0);
    FAILS(SIMPLUGIN_UNAVAILABLE, "tls_ca",
          live_bare_health("'url': '%s', 'tls_ca': '%s'", server.url, server.other_ca));
    CU_ASSERT_EQUAL(simplugin_error_retryable(rig_error), 0);
    MUST(live_bare_health("'url': '%s', 'tls_verify': false", server.url) == SIMPLUGIN_OK);
}

static void server_names(void)
{
    /* this machine by another name, of which its certificate says nothing */
    FAILS(SIMPLUGIN_UNAVAILABLE, "tls_server_name",
          live_bare_health("'url': 'https://other.localhost:%d', 'tls_ca': '%s'", server.port, server.ca));
    MUST(!live_bare_health("'url': 'https://other.localhost:%d', 'tls_ca': '%s', 'tls_server_name': '%s'",
                      server.port, server.ca, server.server_name));
    FAILS(SIMPLUGIN_UNAVAILABLE, "tls_server_name",
          live_bare_health("'url': '%s', 'tls_ca': '%s', 'tls_server_name': 'other.test'", server.url,
                      server.ca));
    MUST(!live_bare_health("'url': 'https://other.localhost:%d', 'tls_verify': false", server.port));
}

static void plain_against_tls(void)
{
    int32_t code = live_bare_health("'url': 'http://127.0.0.1:%d'", server.port);

    /* some servers close, others answer with an alert or with HTTP */
    CU_ASSERT(code == SIMPLUGIN_UNAVAILABLE || code == SIMPLUGIN_PROTOCOL);
    CU_ASSERT(live_says("want TLS (an https:// url)"));
}

static void wrong_files(void)
{
    FAILS(SIMPLUGIN_NOT_FOUND, "/no/such.pem",
          live_bare_health("'url': '%s', 'tls_ca': '/no/such.pem'", server.url));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "no PEM file",
          live_bare_health("'url': '%s', 'tls_ca': '/etc/passwd'", server.url));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "absolute",
          live_bare_health("'url': '%s', 'tls_ca': 'ca.pem'", server.url));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "https://",
          live_bare_health("'url': 'http://127.0.0.1:%d', 'tls_ca': '%s'", server.port, server.ca));
}

static void client_certificates(void)
{
    MUST(live_bare_health("'url': '%s', 'tls_ca': '%s', 'tls_cert': '%s', 'tls_key': '%s'",
                          server.url, server.ca, server.cert, server.key) == SIMPLUGIN_OK);
    MUST(live_bare_health("'url': '%s', 'tls_verify': false, 'tls_cert': '%s', 'tls_key': '%s'",
                          server.url, server.cert, server.key) == SIMPLUGIN_OK);
    FAILS(SIMPLUGIN_UNAVAILABLE, "tls_cert",
          live_bare_health("'url': '%s', 'tls_ca': '%s'", server.url, server.ca));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "tls_key",
          live_bare_health("'url': '%s', 'tls_ca': '%s', 'tls_cert': '%s'", server.url, server.ca,
                           server.cert));
    /* a certificate is no key */
    FAILS(SIMPLUGIN_CONFIG, "a certificate and its key",
          live_bare_health("'url': '%s', 'tls_ca': '%s', 'tls_cert': '%s', 'tls_key': '%s'",
                           server.url, server.ca, server.cert, server.cert));
}

static void expired(void)
{
    FAILS(SIMPLUGIN_UNAVAILABLE, "expired",
          live_bare_health("'url': '%s', 'tls_ca': '%s'", server.url, server.ca));
    CU_ASSERT_EQUAL(simplugin_error_retryable(rig_error), 0);
    MUST(live_bare_health("'url': '%s', 'tls_verify': false", server.url) == SIMPLUGIN_OK);
}

/* ---- HTTP/2 ------------------------------------------------------------------------------------------ */

/* Of the requests that a server had: the versions of HTTP, and from how many ports. */
static void versions_seen(size_t *requests, size_t *second, size_t *connections)
{
    json_t *log = asked_log(), *one;
    json_t *ports = json_object();
    char port[32];
    size_t i;

    *requests = json_array_size(log);
    *second = 0;
    json_array_foreach(log, i, one) {
        *second += strcmp(json_string_value(json_object_get(one, "http")), "2") == 0;
        snprintf(port, sizeof port, "%d",
                 (int)json_integer_value(json_object_get(one, "client")));
        json_object_set_new(ports, port, json_true());
    }
    *connections = json_object_size(ports);
    json_decref(ports);
    json_decref(log);
}

static void second_version(void)
{
    live_made made = live_create("'dimension': 64, 'metric': 'cosine', 'parameters': "
                                 "{'batch_bytes': 65536}");
    float *rows = live_normal(61, 2000, 64);
    size_t requests, second, connections;
    uint64_t *hits;

    fault_end();
    MUST(live_add(made.index, rows, 0, 2000, 64) == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(live_size(made.index), 2000);
    MUST(live_search(made.index, rows, 50, 64, 1, NULL, 0) == SIMPLUGIN_OK);
    for (uint64_t q = 0; q < 50; q++) {
        CU_ASSERT_EQUAL(live_hits(q, &hits), 1);
        CU_ASSERT_EQUAL(hits[0], q);
        free(hits);
    }
    versions_seen(&requests, &second, &connections);
    CU_ASSERT(requests >= 10);
    CU_ASSERT_EQUAL(second, requests);
    /* requests in flight share one */
    CU_ASSERT_EQUAL(connections, 1);
    free(rows);
    live_drop(&made);
    fault_end();
}

/* The same faults as on connections of the first version. */
static void second_version_faults(void)
{
    live_made made = live_create("'dimension': 2, 'metric': 'euclidean'");
    int64_t begin;

    ASK(made.index, "index.add", "{'ids': ['a'], 'vectors': [[3, 4]]}");
    ASK(made.index, "index.search", "{'vectors': [[0, 0]]}");
    fault_end();
    fault("{'path': '.*/points/query', 'times': 2, 'action': {'close': true}}");
    ASK(made.index, "index.search", "{'vectors': [[0, 0]]}");
    REPLY("distances", "[5.0]");
    CU_ASSERT_EQUAL(asked("POST", "/points/query"), 3);
    fault_end();
    fault("{'path': '.*/points/query', 'action': {'delay_ms': 3000}}");
    rig_options.timeout_ms = 400;
    begin = live_now();
    CU_ASSERT_EQUAL(ask(made.index, "index.search", "{'vectors': [[0, 0]]}"),
                    SIMPLUGIN_DEADLINE_EXCEEDED);
    CU_ASSERT(live_now() - begin < 400 + GRACE);
    rig_options.timeout_ms = 0;
    fault_end();
    ASK(made.index, "index.search", "{'vectors': [[0, 0]]}");
    live_drop(&made);
    fault_end();
}

/* ---- keys --------------------------------------------------------------------------------------------- */

static const char secret[] = "sesame-street-1";

static void right_key(void)
{
    MUST(live_bare_health("'url': '%s', 'api_key': '%s'", server.url, server.api_key) ==
         SIMPLUGIN_OK);
    MUST(live_bare_health("'url': '%s', 'api_key': '%s'", server.url, server.read_only_api_key) ==
         SIMPLUGIN_OK);
}

static void wrong_key(void)
{
    FAILS(SIMPLUGIN_UNAUTHENTICATED, "check api_key",
          live_bare_health("'url': '%s', 'api_key': '%s'", server.url, secret));
    CU_ASSERT(!live_says(secret));
    CU_ASSERT_EQUAL(simplugin_error_retryable(rig_error), 0);
    FAILS(SIMPLUGIN_UNAUTHENTICATED, "give an api_key", live_bare_health("'url': '%s'", server.url));
    FAILS(SIMPLUGIN_UNAUTHENTICATED, "api_key",
          ask(bare, "index.create",
              "{'backend': 'qdrant', 'collection_name': 'none', 'dimension': 2, 'parameters': "
              "{'url': '%s', 'api_key': '%s'}}",
              server.url, secret));
    CU_ASSERT(!live_says(secret));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "a line's end",
          live_bare_health("'url': '%s', 'api_key': '%s\\n'", server.url, secret));
    CU_ASSERT(!live_says(secret));
}

static void read_only_key(void)
{
    live_made made = live_create("'dimension': 2, 'metric': 'euclidean'");
    uint64_t index;

    ASK(made.index, "index.add", "{'ids': ['a'], 'vectors': [[3, 4]]}");
    ASK(bare, "index.open",
        "{'backend': 'qdrant', 'collection_name': '%s', 'parameters': {'url': '%s', 'api_key': "
        "'%s'}}",
        made.name, server.url, server.read_only_api_key);
    index = (uint64_t)reply_int("index");
    CU_ASSERT_EQUAL(live_size(index), 1);
    ASK(index, "index.search", "{'vectors': [[0, 0]]}");
    REPLY("distances", "[5.0]");
    FAILS(SIMPLUGIN_PERMISSION_DENIED, "api_key does not allow this",
          ask(index, "index.add", "{'ids': ['b'], 'vectors': [[1, 1]]}"));
    CU_ASSERT_EQUAL(simplugin_error_retryable(rig_error), 0);
    CU_ASSERT(!live_says(server.read_only_api_key));
    FAILS(SIMPLUGIN_PERMISSION_DENIED, "Forbidden", ask(index, "index.remove", "{'ids': ['a']}"));
    FAILS(SIMPLUGIN_PERMISSION_DENIED, "Forbidden",
          ask(index, "index.set_fields", "{'ids': ['a'], 'fields': {'page': [1]}}"));
    FAILS(SIMPLUGIN_PERMISSION_DENIED, "Forbidden", ask(index, "index.cleanup", "{}"));
    CU_ASSERT_EQUAL(live_size(made.index), 1);
    CU_ASSERT_EQUAL(simplugin_close(index, NULL), SIMPLUGIN_OK);
    live_drop(&made);
}

static void key_in_environment(void)
{
    uint64_t opened;

    /* the documents give the url without a scheme */
    ASK(0, "session.open",
        "{'config_path': '/no/such.json', 'plugin_path': ['%s'], 'data_dir': '%s', 'environment': {"
        "'FIFTYONE_BRAIN_DEFAULT_SIMILARITY_BACKEND': 'qdrant', "
        "'FIFTYONE_BRAIN_SIMILARITY_QDRANT_URL': 'localhost:%d', "
        "'FIFTYONE_BRAIN_SIMILARITY_QDRANT_API_KEY': '%s'}}",
        live_directory(), live_directory(), server.port, server.api_key);
    opened = (uint64_t)reply_int("session");
    ASK(opened, "connection.open", "{}");
    ASK((uint64_t)reply_int("connection"), "health", "{}");
    /* a host with the call displaces the environment's url */
    ASK(opened, "connection.open", "{'parameters': {'host': '127.0.0.1', 'port': %d}}", server.port);
    ASK((uint64_t)reply_int("connection"), "health", "{}");
    CU_ASSERT_EQUAL(simplugin_close(opened, NULL), SIMPLUGIN_OK);
}

/* A key given with a call is in no record: it is to be given again. */
static void key_not_kept(void)
{
    char parameters[512];

    snprintf(parameters, sizeof parameters, "'url': '%s', 'api_key': '%s'", server.url,
             server.api_key);
    ASK(bare, "index.create",
        "{'backend': 'qdrant', 'brain_key': 'qdrant_index', 'collection_name': 'live_kept', "
        "'dimension': 2, 'parameters': {%s}}",
        parameters);
    CU_ASSERT_EQUAL(simplugin_close((uint64_t)reply_int("index"), NULL), SIMPLUGIN_OK);
    ASK(bare, "runs.info", "{'brain_key': 'qdrant_index'}");
    CU_ASSERT_PTR_NULL(strstr(reply_text("config"), server.api_key));
    FAILS(SIMPLUGIN_UNAUTHENTICATED, "api_key",
          ask(bare, "runs.load", "{'brain_key': 'qdrant_index', 'parameters': {'url': '%s'}}",
              server.url));
    ASK(bare, "runs.load", "{'brain_key': 'qdrant_index', 'parameters': {%s}}", parameters);
    ASK((uint64_t)reply_int("index"), "index.cleanup", "{}");
    ASK(bare, "runs.delete", "{'brain_key': 'qdrant_index'}");
}

/* Nothing is sent, as is shown by names that lead nowhere. */
static void insecure_key(void)
{
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "allow_insecure_api_key",
          live_bare_health("'url': 'http://nowhere.invalid:6333', 'api_key': '%s'", secret));
    CU_ASSERT(live_says("unencrypted"));
    CU_ASSERT(!live_says(secret));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "allow_insecure_api_key",
          live_bare_health("'host': 'nowhere.invalid', 'api_key': '%s'", secret));
    FAILS(SIMPLUGIN_UNAVAILABLE, "nowhere.invalid",
          live_bare_health("'url': 'http://nowhere.invalid:6333', 'api_key': '%s', "
                           "'allow_insecure_api_key': true",
                           secret));
    CU_ASSERT(!live_says(secret));
    FAILS(SIMPLUGIN_UNAVAILABLE, "nowhere.invalid",
          live_bare_health("'url': 'https://nowhere.invalid:6333', 'api_key': '%s'", secret));
    FAILS(SIMPLUGIN_UNAVAILABLE, "nowhere.invalid",
          live_bare_health("'url': 'http://nowhere.invalid:6333'"));
}

/* ---- what is told ------------------------------------------------------------------------------------- */

typedef struct told {
    pthread_mutex_t lock;
    int lines, leaks;
} told;

static void line_take(void *context, int32_t level, const char *message, uint64_t size)
{
    told *t = context;

    (void)level;
    pthread_mutex_lock(&t->lock);
    t->lines++;
    t->leaks += memmem(message, (size_t)size, secret, sizeof secret - 1) != NULL ||
                memmem(message, (size_t)size, server.api_key, strlen(server.api_key)) != NULL;
    pthread_mutex_unlock(&t->lock);
}

/* Everything is logged, and nothing of it holds a key; explain shows that there is one. */
static void keys_not_told(void)
{
    told t = {.lock = PTHREAD_MUTEX_INITIALIZER};
    json_t *text;
    char *dump;

    simplugin_log_set(line_take, &t, SIMPLUGIN_LOG_DEBUG);
    whole_round();
    CU_ASSERT_EQUAL(live_bare_health("'url': '%s', 'api_key': '%s'", server.url, secret),
                    SIMPLUGIN_UNAUTHENTICATED);
    CU_ASSERT_EQUAL(live_bare_health("'url': '%s', 'api_keys': '%s'", server.url, secret),
                    SIMPLUGIN_UNKNOWN_PARAMETER);
    CU_ASSERT_EQUAL(live_bare_health("'url': 'http://user:%s@127.0.0.1:%d'", secret, server.port),
                    SIMPLUGIN_INVALID_ARGUMENT);
    CU_ASSERT(!live_says(secret));
    simplugin_log_set(NULL, NULL, SIMPLUGIN_LOG_WARNING);
    CU_ASSERT(t.lines > 0);
    CU_ASSERT_EQUAL(t.leaks, 0);
    ASK(session, "config.explain", "{'parameters': {'proxy': 'http://user:%s@proxy.test'}}", secret);
    dump = json_dumps(rig_reply, JSON_COMPACT);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dump);
    CU_ASSERT_PTR_NULL(strstr(dump, secret));
    CU_ASSERT_PTR_NULL(strstr(dump, server.api_key));
    CU_ASSERT_PTR_NOT_NULL(strstr(dump, "api_key"));
    free(dump);
    ASK(session, "metrics.render", "{}");
    text = json_object_get(rig_reply, "text");
    CU_ASSERT_PTR_NULL(strstr(json_string_value(text), server.api_key));
}

LIVE_SUITE(live_tls_one, "TLS",
           UNIT_CASE(whole_round, "R17 an index over TLS, from the configuration"),
           UNIT_CASE(many_threads, "R267 threads, each with a connection of its own"),
           UNIT_CASE(forks, "R275 a child and its parent, each with a connection of its own"),
           UNIT_CASE(authority, "R277 the authority: right, missing, another, not asked for"),
           UNIT_CASE(server_names, "R277 the name in the certificate, and another one"),
           UNIT_CASE(plain_against_tls, "R277 a connection without TLS to a port with it"),
           UNIT_CASE(wrong_files, "R277 files that are none"));

LIVE_SUITE(live_tls_two, "TLS, both ways",
           UNIT_CASE(whole_round, "R17 an index over TLS, with a certificate of ours"),
           UNIT_CASE(client_certificates, "R277 the client's certificate: there, missing, without its key"));

LIVE_SUITE(live_tls_expired, "TLS, expired",
           UNIT_CASE(expired, "R277 a certificate that has expired"));

LIVE_SUITE(live_http2, "HTTP/2",
           UNIT_CASE(second_version, "R267 R273 where TLS offers it, over one connection"),
           UNIT_CASE(second_version_faults, "R274 connections that end, and time"));

LIVE_SUITE(live_auth, "keys",
           UNIT_CASE(whole_round, "R17 R123 an index, with the key from the configuration"),
           UNIT_CASE(right_key, "R19 R122 R123 keys given with the call"),
           UNIT_CASE(wrong_key, "R277 R278 a wrong key is refused, and not repeated"),
           UNIT_CASE(read_only_key, "R277 R278 a key that may only read"),
           UNIT_CASE(key_in_environment, "R13-R15 R23 url and key from the environment"),
           UNIT_CASE(key_not_kept, "R21 R278 a key given with a call is kept nowhere"),
           UNIT_CASE(insecure_key, "R277 a key goes to another machine over TLS, or if that is allowed"),
           UNIT_CASE(keys_not_told, "R278 keys are in no error, log, explanation or metric"));
