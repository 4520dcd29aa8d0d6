/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates, names in them, users: what is wrong is said, and never a secret with it. */
#include "config.h"

#include "milvus_live.h"

#include <stdarg.h>

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
    code = ask(bare, "connection.open", "{'backend': 'milvus', 'parameters': {%s}}", parameters);
    if (code)
        return code;
    connection = (uint64_t)reply_int("connection");
    code = ask(connection, "health", "{}");
    CU_ASSERT(live_now() - begin < 2000);
    simplugin_close(connection, NULL);
    return code;
}

/* An index on the server of the session is made, filled, searched and dropped. */
static void whole_round(void)
{
    live_made made = live_create("'dimension': 2, 'metric': 'cosine', 'parameters': "
                                 "{'index_type': 'FLAT'}");

    ASK(made.index, "index.add", "{'ids': ['a', 'b'], 'vectors': [[1, 0], [0, 1]]}");
    ASK(made.index, "index.search", "{'vectors': [[1, 0]]}");
    REPLY("ids", "['a','b']");
    live_drop(&made);
}

/* ---- TLS ------------------------------------------------------------------------------------------- */

static void authority(void)
{
    MUST(health_with("'uri': '%s', 'tls_ca': '%s'", server.uri, server.ca) == SIMPLUGIN_OK);
    MUST(health_with("'uri': '%s', 'ca_pem_path': '%s'", server.uri, server.ca) == SIMPLUGIN_OK);
    MUST(health_with("'host': '127.0.0.1', 'port': '%d', 'secure': true, 'tls_ca': '%s'",
                     server.port, server.ca) == SIMPLUGIN_OK);
    FAILS(SIMPLUGIN_UNAVAILABLE, "tls_ca", health_with("'uri': '%s'", server.uri));
    CU_ASSERT_EQUAL(simplugin_error_retryable(rig_error), 0);
    FAILS(SIMPLUGIN_UNAVAILABLE, "tls_ca",
          health_with("'uri': '%s', 'tls_ca': '%s'", server.uri, server.other_ca));
    CU_ASSERT_EQUAL(simplugin_error_retryable(rig_error), 0);
    MUST(health_with("'uri': '%s', 'tls_verify': false", server.uri) == SIMPLUGIN_OK);
}

static void server_names(void)
{
    /* the server listens there as well, and its certificate says nothing of it */
    FAILS(SIMPLUGIN_UNAVAILABLE, "tls_server_name",
          health_with("'uri': 'https://127.0.0.2:%d', 'tls_ca': '%s'", server.port, server.ca));
    MUST(health_with("'uri': 'https://127.0.0.2:%d', 'tls_ca': '%s', 'tls_server_name': '%s'",
                     server.port, server.ca, server.server_name) == SIMPLUGIN_OK);
    MUST(health_with("'uri': 'https://127.0.0.2:%d', 'tls_ca': '%s', 'server_name': '%s'",
                     server.port, server.ca, server.server_name) == SIMPLUGIN_OK);
    FAILS(SIMPLUGIN_UNAVAILABLE, "tls_server_name",
          health_with("'uri': '%s', 'tls_ca': '%s', 'tls_server_name': 'other.test'", server.uri,
                      server.ca));
    MUST(health_with("'uri': 'https://127.0.0.2:%d', 'tls_verify': false", server.port) ==
         SIMPLUGIN_OK);
}

static void plain_against_tls(void)
{
    FAILS(SIMPLUGIN_UNAVAILABLE, "https", health_with("'uri': 'http://127.0.0.1:%d'", server.port));
}

static void wrong_files(void)
{
    FAILS(SIMPLUGIN_NOT_FOUND, "/no/such.pem",
          health_with("'uri': '%s', 'tls_ca': '/no/such.pem'", server.uri));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "no PEM file",
          health_with("'uri': '%s', 'tls_ca': '/etc/passwd'", server.uri));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "absolute",
          health_with("'uri': '%s', 'tls_ca': 'ca.pem'", server.uri));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "https://",
          health_with("'uri': 'http://127.0.0.1:%d', 'tls_ca': '%s'", server.port, server.ca));
}

static void client_certificates(void)
{
    MUST(health_with("'uri': '%s', 'tls_ca': '%s', 'tls_cert': '%s', 'tls_key': '%s'", server.uri,
                     server.ca, server.cert, server.key) == SIMPLUGIN_OK);
    MUST(health_with("'uri': '%s', 'ca_pem_path': '%s', 'client_pem_path': '%s', "
                     "'client_key_path': '%s'",
                     server.uri, server.ca, server.cert, server.key) == SIMPLUGIN_OK);
    MUST(health_with("'uri': '%s', 'tls_verify': false, 'tls_cert': '%s', 'tls_key': '%s'",
                     server.uri, server.cert, server.key) == SIMPLUGIN_OK);
    FAILS(SIMPLUGIN_UNAVAILABLE, "tls_cert",
          health_with("'uri': '%s', 'tls_ca': '%s'", server.uri, server.ca));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "tls_key",
          health_with("'uri': '%s', 'tls_ca': '%s', 'tls_cert': '%s'", server.uri, server.ca,
                      server.cert));
    /* a certificate is no key */
    FAILS(SIMPLUGIN_CONFIG, "a certificate and its key",
          health_with("'uri': '%s', 'tls_ca': '%s', 'tls_cert': '%s', 'tls_key': '%s'", server.uri,
                      server.ca, server.cert, server.cert));
}

static void expired(void)
{
    FAILS(SIMPLUGIN_UNAVAILABLE, "expired",
          health_with("'uri': '%s', 'tls_ca': '%s'", server.uri, server.ca));
    CU_ASSERT_EQUAL(simplugin_error_retryable(rig_error), 0);
    MUST(health_with("'uri': '%s', 'tls_verify': false", server.uri) == SIMPLUGIN_OK);
}

/* ---- users ------------------------------------------------------------------------------------------- */

static void right_user(void)
{
    MUST(health_with("'uri': '%s', 'user': '%s', 'password': '%s'", server.uri, server.user,
                     server.password) == SIMPLUGIN_OK);
    MUST(health_with("'uri': '%s', 'token': '%s:%s'", server.uri, server.user, server.password) ==
         SIMPLUGIN_OK);
}

static void wrong_user(void)
{
    static const char secret[] = "sesame-street-1";

    FAILS(SIMPLUGIN_UNAUTHENTICATED, "check user and password",
          health_with("'uri': '%s', 'user': '%s', 'password': '%s'", server.uri, server.user,
                      secret));
    CU_ASSERT(!live_says(secret));
    CU_ASSERT_EQUAL(simplugin_error_retryable(rig_error), 0);
    FAILS(SIMPLUGIN_UNAUTHENTICATED, "check user and password",
          health_with("'uri': '%s', 'token': 'nobody:%s'", server.uri, secret));
    CU_ASSERT(!live_says(secret));
    FAILS(SIMPLUGIN_UNAUTHENTICATED, "check user and password",
          health_with("'uri': '%s'", server.uri));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "not both",
          health_with("'uri': '%s', 'user': 'a', 'token': 'b:c'", server.uri));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "no user",
          health_with("'uri': '%s', 'password': '%s'", server.uri, secret));
    CU_ASSERT(!live_says(secret));
}

static void user_in_environment(void)
{
    uint64_t opened;

    ASK(0, "session.open",
        "{'config_path': '/no/such.json', 'plugin_path': ['%s'], 'data_dir': '%s', 'environment': {"
        "'FIFTYONE_BRAIN_DEFAULT_SIMILARITY_BACKEND': 'milvus', "
        "'FIFTYONE_BRAIN_SIMILARITY_MILVUS_URI': '%s', 'FIFTYONE_BRAIN_SIMILARITY_MILVUS_USER': '%s', "
        "'FIFTYONE_BRAIN_SIMILARITY_MILVUS_PASSWORD': '%s'}}",
        live_directory(), live_directory(), server.uri, server.user, server.password);
    opened = (uint64_t)reply_int("session");
    ASK(opened, "connection.open", "{}");
    ASK((uint64_t)reply_int("connection"), "health", "{}");
    CU_ASSERT_EQUAL(simplugin_close(opened, NULL), SIMPLUGIN_OK);
}

/* Credentials given with a call are in no record: they are to be given again. */
static void user_not_kept(void)
{
    char parameters[512];

    snprintf(parameters, sizeof parameters, "'uri': '%s', 'user': '%s', 'password': '%s'",
             server.uri, server.user, server.password);
    ASK(bare, "index.create",
        "{'backend': 'milvus', 'brain_key': 'milvus_index', 'collection_name': 'kept', "
        "'dimension': 2, 'parameters': {%s}}",
        parameters);
    CU_ASSERT_EQUAL(simplugin_close((uint64_t)reply_int("index"), NULL), SIMPLUGIN_OK);
    ASK(bare, "runs.info", "{'brain_key': 'milvus_index'}");
    CU_ASSERT_PTR_NULL(strstr(reply_text("config"), server.password));
    FAILS(SIMPLUGIN_UNAUTHENTICATED, "check user and password",
          ask(bare, "runs.load", "{'brain_key': 'milvus_index', 'parameters': {'uri': '%s'}}",
              server.uri));
    ASK(bare, "runs.load", "{'brain_key': 'milvus_index', 'parameters': {%s}}", parameters);
    ASK((uint64_t)reply_int("index"), "index.cleanup", "{}");
    ASK(bare, "runs.delete", "{'brain_key': 'milvus_index'}");
}

static int32_t admin(uint64_t connection, const char *method, const char *body)
{
    return ask(connection, "backend.call", "{'method': '%s', 'body': {%s}}", method, body);
}

static int32_t privilege(uint64_t connection, const char *method, const char *collection,
                         const char *name)
{
    char body[256];

    snprintf(body, sizeof body,
             "'role': 'readers', 'object': 'Collection', 'name': '%s', 'privilege': '%s'",
             collection, name);
    return admin(connection, method, body);
}

/* A user who may do nothing, then count, then search; and never write. */
static void missing_privilege(void)
{
    live_made made = live_create("'dimension': 2, 'metric': 'cosine', 'parameters': "
                                 "{'index_type': 'FLAT'}");
    uint64_t root = live_connection(), index;
    char open[512];
    int64_t end;

    ASK(made.index, "index.add", "{'ids': ['a'], 'vectors': [[1, 0]]}");
    MUST(admin(root, "native.user.create", "'user': 'reader', 'password': 'read-only'") ==
         SIMPLUGIN_OK);
    MUST(admin(root, "native.role.create", "'role': 'readers'") == SIMPLUGIN_OK);
    MUST(admin(root, "native.role.assign", "'role': 'readers', 'user': 'reader'") == SIMPLUGIN_OK);
    FAILS(SIMPLUGIN_ALREADY_EXISTS, "reader",
          admin(root, "native.user.create", "'user': 'reader', 'password': 'read-only'"));
    snprintf(open, sizeof open,
             "{'backend': 'milvus', 'collection_name': '%s', 'parameters': {'uri': '%s', 'user': "
             "'reader', 'password': 'read-only'}}",
             made.name, server.uri);
    FAILS(SIMPLUGIN_PERMISSION_DENIED, "lacks this privilege", ask(bare, "index.open", "%s", open));
    /* neither is there a count by a query, nor what is on the disk */
    CU_ASSERT(live_says("Statistics"));
    MUST(privilege(root, "native.role.grant", made.name, "Query") == SIMPLUGIN_OK);
    /* the server's parts hear of it one after the other */
    for (end = live_now() + 10000; ask(bare, "index.open", "%s", open) && live_now() < end;)
        live_sleep(50);
    ASK(bare, "index.open", "%s", open);
    index = (uint64_t)reply_int("index");
    FAILS(SIMPLUGIN_PERMISSION_DENIED, "lacks this privilege",
          ask(index, "index.search", "{'vectors': [[1, 0]]}"));
    CU_ASSERT(live_says("Search"));
    CU_ASSERT(!live_says("read-only"));
    CU_ASSERT_EQUAL(simplugin_error_retryable(rig_error), 0);
    FAILS(SIMPLUGIN_PERMISSION_DENIED, "lacks this privilege",
          ask(index, "index.add", "{'ids': ['b'], 'vectors': [[0, 1]]}"));
    MUST(privilege(root, "native.role.grant", made.name, "Search") == SIMPLUGIN_OK);
    for (end = live_now() + 10000; ask(index, "index.search", "{'vectors': [[1, 0]]}") &&
                                   live_now() < end;)
        live_sleep(50);
    ASK(index, "index.search", "{'vectors': [[1, 0]]}");
    REPLY("ids", "['a']");
    FAILS(SIMPLUGIN_PERMISSION_DENIED, "lacks this privilege",
          ask(index, "index.remove", "{'ids': ['a']}"));
    CU_ASSERT_EQUAL(live_size(made.index), 1);
    MUST(admin(root, "native.user.update",
               "'user': 'reader', 'old_password': 'read-only', 'password': 'another-one'") ==
         SIMPLUGIN_OK);
    for (end = live_now() + 10000; ask(index, "index.search", "{'vectors': [[1, 0]]}") !=
                                       SIMPLUGIN_UNAUTHENTICATED && live_now() < end;)
        live_sleep(50);
    FAILS(SIMPLUGIN_UNAUTHENTICATED, "check user and password",
          ask(index, "index.search", "{'vectors': [[1, 0]]}"));
    MUST(privilege(root, "native.role.revoke", made.name, "Query") == SIMPLUGIN_OK);
    MUST(privilege(root, "native.role.revoke", made.name, "Search") == SIMPLUGIN_OK);
    MUST(admin(root, "native.role.withdraw", "'role': 'readers', 'user': 'reader'") == SIMPLUGIN_OK);
    MUST(admin(root, "native.role.drop", "'role': 'readers'") == SIMPLUGIN_OK);
    MUST(admin(root, "native.user.drop", "'user': 'reader'") == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(simplugin_close(index, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(simplugin_close(root, NULL), SIMPLUGIN_OK);
    live_drop(&made);
}

LIVE_SUITE(live_tls_one, "TLS",
           UNIT_CASE(whole_round, "R39 an index over TLS, from the configuration"),
           UNIT_CASE(authority, "R277 the authority: right, missing, another, not asked for"),
           UNIT_CASE(server_names, "R277 the name in the certificate, and another one instead of it"),
           UNIT_CASE(plain_against_tls, "R277 a connection without TLS to a port with it"),
           UNIT_CASE(wrong_files, "R277 files that are none"));

LIVE_SUITE(live_tls_two, "TLS, both ways",
           UNIT_CASE(whole_round, "R39 an index over TLS, with a certificate of ours"),
           UNIT_CASE(client_certificates, "R277 the client's certificate: there, missing, without its key"));

LIVE_SUITE(live_tls_expired, "TLS, expired",
           UNIT_CASE(expired, "R277 a certificate that has expired"));

LIVE_SUITE(live_auth, "users",
           UNIT_CASE(whole_round, "R16 R29 an index, with user and password from the configuration"),
           UNIT_CASE(right_user, "R18 R29 R109 R110 user and password, or a token"),
           UNIT_CASE(wrong_user, "R277 R278 a wrong password is refused, and not repeated"),
           UNIT_CASE(missing_privilege, "R29 R277 users, roles and privileges: what is missing is said"),
           UNIT_CASE(user_in_environment, "R10-R12 R15 user and password from the environment"),
           UNIT_CASE(user_not_kept, "R20 R278 credentials given with a call are kept nowhere"));
