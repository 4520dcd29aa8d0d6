/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates, names in them, keys: what is wrong is said, and never a secret with it. */
#include "config.h"

#include "qdrant_live.h"

#include <pthread.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

static int32_t health_with(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What health says through a connection with these parameters and nothing else. */
static int32_t health_with(const char *format, ...)
{
    char parameters[4096];
    int64_t begin = live_now();
    uint64_t connection;
    va_list list;
    int32_t code;

    va_start(list, format);
    vsnprintf(parameters, sizeof parameters, format, list);
    va_end(list);
    code = ask(bare, "connection.open", "{'backend': 'qdrant', 'parameters': {%s}}", parameters);
    if (code)
        return code;
    connection = (uint64_t)reply_int("connection");
    code = ask(connection, "health", "{}");
    CU_ASSERT(live_now() - begin < 2000);
    simplugin_close(connection, NULL);
    return code;
}

static int32_t request(uint64_t connection, const char *words)
{
    return ask(connection, "backend.call", "{'method': 'native.request', 'body': {%s}}", words);
}

/* A session's connection, for a whole round of it. */
static uint64_t connected(void)
{
    ASK(session, "connection.open", "{}");
    return (uint64_t)reply_int("connection");
}

/* A collection is made, filled, asked and dropped, by requests large and small. */
static void whole_round(void)
{
    uint64_t connection = connected();
    char points[8192] = "";

    ASK(connection, "health", "{}");
    MUST(!request(connection, "'method': 'PUT', 'path': '/collections/secure', 'body': "
                              "{'vectors': {'size': 2, 'distance': 'Cosine'}}"));
    for (int i = 0; i < 100; i++)
        snprintf(points + strlen(points), sizeof points - strlen(points),
                 "%s{'id': %d, 'vector': [1, %d]}", i ? ", " : "", i + 1, i);
    MUST(!ask(connection, "backend.call",
              "{'method': 'native.request', 'body': {'method': 'PUT', 'path': "
              "'/collections/secure/points?wait=true', 'body': {'points': [%s]}}}",
              points));
    MUST(!request(connection, "'method': 'POST', 'path': '/collections/secure/points/count', "
                              "'body': {'exact': true}"));
    REPLY("result", "{'count':100}");
    MUST(!request(connection, "'method': 'DELETE', 'path': '/collections/secure'"));
    CU_ASSERT_EQUAL(simplugin_close(connection, NULL), SIMPLUGIN_OK);
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
    uint64_t connection = connected();

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
    uint64_t connection = connected();
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
    MUST(!health_with("'url': '%s', 'tls_ca': '%s'", server.url, server.ca));
    MUST(!health_with("'host': '127.0.0.1', 'port': '%d', 'https': true, 'tls_ca': '%s'", server.port,
                      server.ca));
    FAILS(SIMPLUGIN_UNAVAILABLE, "tls_ca", health_with("'url': '%s'", server.url));
    CU_ASSERT_EQUAL(simplugin_error_retryable(rig_error), 0);
    FAILS(SIMPLUGIN_UNAVAILABLE, "tls_ca",
          health_with("'url': '%s', 'tls_ca': '%s'", server.url, server.other_ca));
    CU_ASSERT_EQUAL(simplugin_error_retryable(rig_error), 0);
    MUST(!health_with("'url': '%s', 'tls_verify': false", server.url));
}

static void server_names(void)
{
    /* this machine by another name, of which its certificate says nothing */
    FAILS(SIMPLUGIN_UNAVAILABLE, "tls_server_name",
          health_with("'url': 'https://other.localhost:%d', 'tls_ca': '%s'", server.port, server.ca));
    MUST(!health_with("'url': 'https://other.localhost:%d', 'tls_ca': '%s', 'tls_server_name': '%s'",
                      server.port, server.ca, server.server_name));
    FAILS(SIMPLUGIN_UNAVAILABLE, "tls_server_name",
          health_with("'url': '%s', 'tls_ca': '%s', 'tls_server_name': 'other.test'", server.url,
                      server.ca));
    MUST(!health_with("'url': 'https://other.localhost:%d', 'tls_verify': false", server.port));
}

static void plain_against_tls(void)
{
    int32_t code = health_with("'url': 'http://127.0.0.1:%d'", server.port);

    /* some servers close, others answer with an alert or with HTTP */
    CU_ASSERT(code == SIMPLUGIN_UNAVAILABLE || code == SIMPLUGIN_PROTOCOL);
    CU_ASSERT(live_says("want TLS (an https:// url)"));
}

static void wrong_files(void)
{
    FAILS(SIMPLUGIN_NOT_FOUND, "/no/such.pem",
          health_with("'url': '%s', 'tls_ca': '/no/such.pem'", server.url));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "no PEM file",
          health_with("'url': '%s', 'tls_ca': '/etc/passwd'", server.url));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "absolute",
          health_with("'url': '%s', 'tls_ca': 'ca.pem'", server.url));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "https://",
          health_with("'url': 'http://127.0.0.1:%d', 'tls_ca': '%s'", server.port, server.ca));
}

static void client_certificates(void)
{
    MUST(!health_with("'url': '%s', 'tls_ca': '%s', 'tls_cert': '%s', 'tls_key': '%s'", server.url,
                      server.ca, server.cert, server.key));
    MUST(!health_with("'url': '%s', 'tls_verify': false, 'tls_cert': '%s', 'tls_key': '%s'",
                      server.url, server.cert, server.key));
    FAILS(SIMPLUGIN_UNAVAILABLE, "tls_cert",
          health_with("'url': '%s', 'tls_ca': '%s'", server.url, server.ca));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "tls_key",
          health_with("'url': '%s', 'tls_ca': '%s', 'tls_cert': '%s'", server.url, server.ca,
                      server.cert));
    /* a certificate is no key */
    FAILS(SIMPLUGIN_CONFIG, "a certificate and its key",
          health_with("'url': '%s', 'tls_ca': '%s', 'tls_cert': '%s', 'tls_key': '%s'", server.url,
                      server.ca, server.cert, server.cert));
}

static void expired(void)
{
    FAILS(SIMPLUGIN_UNAVAILABLE, "expired",
          health_with("'url': '%s', 'tls_ca': '%s'", server.url, server.ca));
    CU_ASSERT_EQUAL(simplugin_error_retryable(rig_error), 0);
    MUST(!health_with("'url': '%s', 'tls_verify': false", server.url));
}

/* ---- keys -------------------------------------------------------------------------------------------- */

static void wrong_keys(void)
{
    static const char wrong[] = "geheim-geheim";

    MUST(!health_with("'url': '%s', 'api_key': '%s'", server.url, server.api_key));
    FAILS(SIMPLUGIN_UNAUTHENTICATED, "check api_key",
          health_with("'url': '%s', 'api_key': '%s'", server.url, wrong));
    CU_ASSERT(!live_says(wrong));
    CU_ASSERT_EQUAL(simplugin_error_retryable(rig_error), 0);
    FAILS(SIMPLUGIN_UNAUTHENTICATED, "give an api_key", health_with("'url': '%s'", server.url));
    /* by the address alone: nothing is sent there */
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "unencrypted",
          health_with("'url': 'http://192.0.2.1:6333', 'api_key': '%s'", server.api_key));
    CU_ASSERT(!live_says(server.api_key));
}

static void read_only_keys(void)
{
    uint64_t connection;

    ASK(bare, "connection.open", "{'backend': 'qdrant', 'parameters': {'url': '%s', 'api_key': '%s'}}",
        server.url, server.read_only_api_key);
    connection = (uint64_t)reply_int("connection");
    ASK(connection, "health", "{}");
    FAILS(SIMPLUGIN_PERMISSION_DENIED, "api_key does not allow this",
          request(connection, "'method': 'PUT', 'path': '/collections/forbidden', 'body': "
                              "{'vectors': {'size': 2, 'distance': 'Cosine'}}"));
    CU_ASSERT(!live_says(server.read_only_api_key));
    CU_ASSERT_EQUAL(simplugin_close(connection, NULL), SIMPLUGIN_OK);
}

static void key_in_environment(void)
{
    uint64_t opened;

    ASK(0, "session.open",
        "{'config_path': '/no/such.json', 'plugin_path': ['%s'], 'data_dir': '%s', 'environment': {"
        "'FIFTYONE_BRAIN_DEFAULT_SIMILARITY_BACKEND': 'qdrant', "
        "'FIFTYONE_BRAIN_SIMILARITY_QDRANT_URL': '%s', "
        "'FIFTYONE_BRAIN_SIMILARITY_QDRANT_API_KEY': '%s'}}",
        live_directory(), live_directory(), server.url, server.api_key);
    opened = (uint64_t)reply_int("session");
    ASK(opened, "connection.open", "{}");
    ASK((uint64_t)reply_int("connection"), "health", "{}");
    /* a host with the call displaces the environment's url */
    ASK(opened, "connection.open", "{'parameters': {'host': '127.0.0.1', 'port': %d}}", server.port);
    ASK((uint64_t)reply_int("connection"), "health", "{}");
    ASK(opened, "config.explain", "{'backend': 'qdrant'}");
    CU_ASSERT_PTR_NULL(strstr(reply_text("values"), server.api_key));
    CU_ASSERT_EQUAL(simplugin_close(opened, NULL), SIMPLUGIN_OK);
}

#define SUITE(variable, title, ...)                                       \
    static const unit_case variable##_cases[] = {__VA_ARGS__};            \
    const live_suite variable = {title, variable##_cases,                 \
                                 sizeof variable##_cases / sizeof variable##_cases[0]}

SUITE(live_tls_one, "TLS",
      UNIT_CASE(whole_round, "R38 a collection over TLS, from the configuration"),
      UNIT_CASE(many_threads, "threads, each with a connection of its own"),
      UNIT_CASE(forks, "R275 a child and its parent, each with a connection of its own"),
      UNIT_CASE(authority, "R277 the authority: right, missing, another, not asked for"),
      UNIT_CASE(server_names, "R277 the name in the certificate, and another one instead of it"),
      UNIT_CASE(plain_against_tls, "R277 a connection without TLS to a port with it"),
      UNIT_CASE(wrong_files, "R277 files that are none"));

SUITE(live_tls_two, "TLS, both ways",
      UNIT_CASE(whole_round, "R38 a collection over TLS, with a certificate of ours"),
      UNIT_CASE(client_certificates, "R277 the client's certificate: there, missing, without its key"));

SUITE(live_tls_expired, "TLS, expired",
      UNIT_CASE(expired, "R277 a certificate that has expired"));

SUITE(live_keys, "keys",
      UNIT_CASE(whole_round, "R17 a collection, with the key from the configuration"),
      UNIT_CASE(wrong_keys, "R19 R277 R278 a wrong key is refused, and not repeated"),
      UNIT_CASE(read_only_keys, "R277 a key that may not write"),
      UNIT_CASE(key_in_environment, "R13-R15 R23 R278 url and key from the environment"));
