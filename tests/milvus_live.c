/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The milvus plugin against a real server, through the library's public functions.
 *
 *     milvus.py --server standalone --work DIR [...] -- milvus_live SUITE [--only REGEX]
 *
 * tests/servers/milvus.py starts the server and tells where it is; without one, this fails.
 */
#include "config.h"

#include "milvus_live.h"

live_server server;

static void server_read(void)
{
    server.uri = live_variable("URI");
    server.kind = live_variable("KIND");
    server.user = live_variable("USER");
    server.password = live_variable("PASSWORD");
    server.ca = live_variable("CA");
    server.other_ca = live_variable("OTHER_CA");
    server.server_name = live_variable("SERVER_NAME");
    server.cert = live_variable("CERT");
    server.key = live_variable("KEY");
    server.is_lite = server.kind && strcmp(server.kind, "lite") == 0;
    server.port = atoi(strrchr(server.uri, ':') + 1);
}

/* Whatever the server wants of its clients. */
static json_t *configure(void)
{
    server_read();
    return json_pack("{s:s, s:s*, s:s*, s:s*, s:s*, s:s*}", "uri", server.uri, "user", server.user,
                     "password", server.password, "tls_ca", server.ca, "tls_cert", server.cert,
                     "tls_key", server.key);
}

static const live_program programs[] = {
    {"server",
     {&live_input, &live_schema, &live_data, &live_reads, &live_upkeep, &live_process, &live_fault,
      &live_writes},
     {"URI", "KIND", "PID", "RESTART"}},
    {"tls-one", {&live_tls_one}, {"URI", "CA", "OTHER_CA", "SERVER_NAME"}},
    {"tls-two", {&live_tls_two}, {"URI", "CA", "CERT", "KEY"}},
    {"tls-expired", {&live_tls_expired}, {"URI", "CA"}},
    {"auth", {&live_auth}, {"URI", "USER", "PASSWORD"}},
};

int main(int argc, char **argv)
{
    const live_backend backend = {"milvus", "SIMPLUGIN_TEST_MILVUS_", configure, programs,
                                  sizeof programs / sizeof programs[0], live_roles,
                                  live_role_count};

    return live_main(&backend, argc, argv);
}
