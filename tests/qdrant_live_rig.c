/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "qdrant_live.h"

#include <time.h>
#include <unistd.h>

#include "tree.h"

#define PREFIX "SIMPLUGIN_TEST_QDRANT_"

live_server server;
uint64_t session, bare;
static char *directory;

/* ---- the server -------------------------------------------------------------------------- */

static const char *variable(const char *name)
{
    char full[64];
    const char *value;

    snprintf(full, sizeof full, PREFIX "%s", name);
    value = getenv(full);
    return value && *value ? value : NULL;
}

static int environment_read(const char *const *needed)
{
    const char *colon;
    int ok = 1;

    for (; *needed; needed++)
        if (!variable(*needed)) {
            fprintf(stderr,
                    "qdrant_live: " PREFIX "%s is not set: run this by tests/servers/qdrant.py, "
                    "which starts a server and says where it is\n",
                    *needed);
            ok = 0;
        }
    server.url = variable("URL");
    server.restart = variable("RESTART");
    server.faults = variable("FAULTS");
    server.api_key = variable("API_KEY");
    server.read_only_api_key = variable("READ_ONLY_API_KEY");
    server.ca = variable("CA");
    server.other_ca = variable("OTHER_CA");
    server.server_name = variable("SERVER_NAME");
    server.cert = variable("CERT");
    server.key = variable("KEY");
    server.pid = variable("PID") ? atoi(variable("PID")) : 0;
    colon = server.url ? strrchr(server.url, ':') : NULL;
    server.port = colon && colon[1] != '/' ? atoi(colon + 1) : 6333;
    return ok;
}

static void plugin_link(const char *name, const char *target)
{
    char link[4096];

    snprintf(link, sizeof link, "%s/simplugin_%s.so", directory, name);
    if (symlink(target, link))
        abort();
}

/* The brain configuration file, with whatever the server wants of its clients. */
static void configuration_write(const char *path)
{
    json_t *qdrant = json_pack("{s:s}", "url", server.url);
    json_t *whole = json_pack("{s:s, s:{s:O}}", "default_similarity_backend", "qdrant",
                              "similarity_backends", "qdrant", qdrant);
    const char *const optional[][2] = {{"api_key", server.api_key}, {"tls_ca", server.ca},
                                       {"tls_cert", server.cert}, {"tls_key", server.key}};

    for (size_t i = 0; i < sizeof optional / sizeof optional[0]; i++)
        if (optional[i][1])
            json_object_set_new(qdrant, optional[i][0], json_string(optional[i][1]));
    if (!whole || json_dump_file(whole, path, JSON_COMPACT))
        abort();
    json_decref(whole);
    json_decref(qdrant);
}

/* A session with that configuration file; 0 with a message. */
static uint64_t session_open(const char *path)
{
    if (!ask(0, "session.open",
             "{'config_path': '%s', 'plugin_path': ['%s'], 'data_dir': '%s', 'environment': {}}",
             path, directory, directory))
        return (uint64_t)reply_int("session");
    fprintf(stderr, "qdrant_live: %s\n", simplugin_error_message(rig_error, NULL));
    return 0;
}

int live_init(const char *const *needed)
{
    char path[4096];

    if (!environment_read(needed))
        return 0;
    directory = unit_temp_dir();
    plugin_link("qdrant", TEST_TOP_BUILDDIR "/.libs/simplugin_qdrant.so");
    plugin_link("sklearn", TEST_TOP_BUILDDIR "/.libs/simplugin_sklearn_flat.so");
    snprintf(path, sizeof path, "%s/brain_config.json", directory);
    configuration_write(path);
    session = session_open(path);
    snprintf(path, sizeof path, "%s/none.json", directory);
    bare = session_open(path);
    return session && bare;
}

void live_end(void)
{
    simplugin_close(session, NULL);
    simplugin_close(bare, NULL);
    json_decref(rig_reply);
    rig_reply = NULL;
    simplugin_error_free(&rig_error);
    tree_remove(directory);
    free(directory);
}

const char *live_directory(void)
{
    return directory;
}

/* ---- calls --------------------------------------------------------------------------------- */

int64_t live_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int live_says(const char *text)
{
    return strstr(simplugin_error_message(rig_error, NULL), text) != NULL;
}
