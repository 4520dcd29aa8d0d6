/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "live_rig.h"

#include <signal.h>
#include <stdarg.h>
#include <time.h>
#include <unistd.h>

#include "conformance/tree.h"

uint64_t session, bare;
static const live_backend *backend;
static char *directory;
static atomic_int server_pid;

/* ---- the server -------------------------------------------------------------------------- */

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
    json_t *whole = json_pack("{s:s, s:{s:o}}", "default_similarity_backend", backend->name,
                              "similarity_backends", backend->name, backend->configure());

    if (!whole || json_dump_file(whole, path, JSON_COMPACT))
        abort();
    json_decref(whole);
}

/* A session with that configuration file; 0 with a message. */
static uint64_t session_open(const char *path)
{
    if (!ask(0, "session.open",
             "{'config_path': '%s', 'plugin_path': ['%s'], 'data_dir': '%s', 'environment': {}}",
             path, directory, directory))
        return (uint64_t)reply_int("session");
    fprintf(stderr, "%s_live: %s\n", backend->name, simplugin_error_message(rig_error, NULL));
    return 0;
}

int live_init(const live_backend *tested)
{
    char path[4096], plugin[4096];

    backend = tested;
    directory = unit_temp_dir();
    server_pid = live_variable("PID") ? atoi(live_variable("PID")) : 0;
    snprintf(plugin, sizeof plugin, TEST_TOP_BUILDDIR "/.libs/simplugin_%s.so", backend->name);
    plugin_link(backend->name, plugin);
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

void live_kill(void)
{
    CU_ASSERT_EQUAL_FATAL(kill(server_pid, SIGKILL), 0);
}

void live_restart(void)
{
    FILE *output = popen(live_variable("RESTART"), "r");
    int pid = 0;

    if (output && fscanf(output, "%d", &pid) == 1)
        server_pid = pid;
    if (!output || pclose(output) || !pid) {
        fprintf(stderr, "%s_live: the server could not be started again\n", backend->name);
        abort();
    }
}

void live_stop(void)
{
    CU_ASSERT_EQUAL_FATAL(kill(server_pid, SIGSTOP), 0);
}

void live_continue(void)
{
    CU_ASSERT_EQUAL_FATAL(kill(server_pid, SIGCONT), 0);
}

/* ---- calls --------------------------------------------------------------------------------- */

live_made live_create(const char *format, ...)
{
    static atomic_int number;
    char pairs[4096];
    live_made made;
    va_list list;

    va_start(list, format);
    vsnprintf(pairs, sizeof pairs, format, list);
    va_end(list);
    snprintf(made.name, sizeof made.name, "live_%d_%d", (int)getpid(), number++);
    ASK(session, "index.create", "{'collection_name': '%s', %s}", made.name, pairs);
    made.index = (uint64_t)reply_int("index");
    return made;
}

void live_drop(live_made *made)
{
    ASK(made->index, "index.cleanup", "{}");
    CU_ASSERT_EQUAL(simplugin_close(made->index, NULL), SIMPLUGIN_OK);
    made->index = 0;
}

uint64_t live_connect(const char *format, ...)
{
    char pairs[4096];
    va_list list;

    va_start(list, format);
    vsnprintf(pairs, sizeof pairs, format, list);
    va_end(list);
    ASK(session, "connection.open", "{'parameters': {%s}}", pairs);
    return (uint64_t)reply_int("connection");
}

uint64_t live_connection(void)
{
    return live_connect("%s", "");
}

int32_t live_call(const live_made *made, const char *method, const char *format, ...)
{
    char pairs[4096];
    va_list list;

    va_start(list, format);
    vsnprintf(pairs, sizeof pairs, format, list);
    va_end(list);
    return ask(made->index, "backend.call", "{'method': '%s', 'body': {'collection': '%s'%s%s}}",
               method, made->name, *pairs ? ", " : "", pairs);
}

int32_t live_do(const live_made *made, const char *method)
{
    return live_call(made, method, "%s", "");
}

int64_t live_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void live_sleep(int64_t milliseconds)
{
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};

    nanosleep(&time, NULL);
}

int live_says(const char *text)
{
    return strstr(simplugin_error_message(rig_error, NULL), text) != NULL;
}
