/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions, connections and the call itself: errors, handles, time, threads and forks. */
#include "config.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "index_rig.h"

/* ---- errors ----------------------------------------------------------------------------- */

static void error_set_exactly(void)
{
    simplugin_error *error = NULL;
    uint64_t cancel = 0;

    rig_start();
    CU_ASSERT_EQUAL(ask(rig_session, "index.creat", "{}"), SIMPLUGIN_UNKNOWN_METHOD);
    CU_ASSERT_PTR_NOT_NULL(rig_error);
    ASK(rig_session, "backends.list", "{}");
    CU_ASSERT_PTR_NULL(rig_error);
    CU_ASSERT_EQUAL(simplugin_close(12345, &error), SIMPLUGIN_STALE_HANDLE);
    CU_ASSERT_PTR_NOT_NULL(error);
    CU_ASSERT_EQUAL(simplugin_cancel_new(&cancel, &error), SIMPLUGIN_OK);
    CU_ASSERT_PTR_NULL(error);
    CU_ASSERT_EQUAL(simplugin_cancel_free(cancel), SIMPLUGIN_OK);
    ASK(rig_session, "connection.open", "{'backend': 'rig'}");
    CU_ASSERT_EQUAL(simplugin_close(12345, &error), SIMPLUGIN_STALE_HANDLE);
    CU_ASSERT_EQUAL(simplugin_close((uint64_t)reply_int("connection"), &error), SIMPLUGIN_OK);
    CU_ASSERT_PTR_NULL(error);
    rig_stop();
}

static int talks(const rig_call *call, int32_t *code)
{
    if (!rig_is(call, "health"))
        return 0;
    rig_host->error_set(call->error, SIMPLUGIN_INTERNAL, "never mind", 10);
    *code = SIMPLUGIN_OK;
    return 1;
}

static int says_nothing(const rig_call *call, int32_t *code)
{
    *code = SIMPLUGIN_BUSY;
    return rig_is(call, "health");
}

static void backends_without_words(void)
{
    uint64_t connection;

    rig_start();
    ASK(rig_session, "connection.open", "{'backend': 'rig'}");
    connection = (uint64_t)reply_int("connection");
    rig_before = talks;
    ASK(connection, "health", "{}");
    CU_ASSERT_PTR_NULL(rig_error);
    rig_before = says_nothing;
    CU_ASSERT_EQUAL(ask(connection, "health", "{}"), SIMPLUGIN_BUSY);
    CU_ASSERT_EQUAL(simplugin_error_code(rig_error), SIMPLUGIN_BUSY);
    CU_ASSERT_STRING_EQUAL(simplugin_error_domain(rig_error), "rig");
    /* and again: the first answer is not taken for the second's */
    CU_ASSERT_EQUAL(ask(rig_session, "index.open", "{'brain_key': 'none'}"), SIMPLUGIN_NOT_FOUND);
    CU_ASSERT_EQUAL(ask(connection, "health", "{}"), SIMPLUGIN_BUSY);
    CU_ASSERT(strstr(simplugin_error_message(rig_error, NULL), "health") != NULL);
    rig_stop();
}

static int32_t open_badly(simplugin_instance **instance, simplugin_error **error)
{
    (void)error;
    *instance = (simplugin_instance *)(void *)&rig_opened;
    return SIMPLUGIN_UNAUTHENTICATED;
}

static void failed_open(void)
{
    rig_start();
    rig_open = open_badly;
    CU_ASSERT_EQUAL(ask(rig_session, "connection.open", "{'backend': 'rig'}"),
                    SIMPLUGIN_UNAUTHENTICATED);
    CU_ASSERT_EQUAL(simplugin_error_code(rig_error), SIMPLUGIN_UNAUTHENTICATED);
    CU_ASSERT_EQUAL(rig_opened, 1);
    CU_ASSERT_EQUAL(rig_closed, 0);
    rig_stop();
}

/* Every wrong thing a program can pass to the call itself is named. */
static void arguments_named(void)
{
    simplugin_request request = {.size = sizeof request};
    simplugin_options options = {.size = sizeof options};
    simplugin_reply reply = {.size = 8};
    simplugin_error *error = NULL;
    struct {
        int32_t code;
        const char *argument;
    } seen[8];
    size_t count = 0;

#define SEE(...)                                                                            \
    do {                                                                                    \
        seen[count].code = simplugin_call(0, __VA_ARGS__, &error);                          \
        seen[count++].argument = simplugin_error_detail_count(error)                        \
                                     ? strdup(simplugin_error_detail_value(error, 0)) : NULL; \
    } while (0)
    SEE(NULL, 0, NULL, NULL, NULL);
    SEE("backends.list", 13, NULL, NULL, &reply);
    request.reserved[1] = 1;
    SEE("backends.list", 13, &request, NULL, NULL);
    request.size = 8;
    SEE("backends.list", 13, &request, NULL, NULL);
    options.timeout_ms = -2;
    SEE("backends.list", 13, NULL, &options, NULL);
    options.timeout_ms = 0;
    options.trace_id = "\xff";
    options.trace_id_size = 1;
    SEE("backends.list", 13, NULL, &options, NULL);
    options.trace_id_size = 0;
    options.cancel = 77;
    SEE("backends.list", 13, NULL, &options, NULL);
    options.size = 0;
    SEE("backends.list", 13, NULL, &options, NULL);
#undef SEE
    for (size_t i = 0; i < count; i++) {
        static const int32_t codes[] = {SIMPLUGIN_INVALID_ARGUMENT, SIMPLUGIN_INVALID_ARGUMENT,
                                        SIMPLUGIN_MALFORMED, SIMPLUGIN_INVALID_ARGUMENT,
                                        SIMPLUGIN_INVALID_ARGUMENT, SIMPLUGIN_INVALID_ARGUMENT,
                                        SIMPLUGIN_STALE_HANDLE, SIMPLUGIN_INVALID_ARGUMENT};
        static const char *const names[] = {"method", "reply", "request", "request", "timeout_ms",
                                            "trace_id", "cancel", "options"};

        CU_ASSERT_EQUAL(seen[i].code, codes[i]);
        CU_ASSERT_STRING_EQUAL(seen[i].argument ? seen[i].argument : "", names[i]);
        free((void *)(uintptr_t)seen[i].argument);
    }
    simplugin_error_free(&error);
}

static void url_parameter(simplugin_writer *writer)
{
    simplugin_write_string(writer, "parameters");
    simplugin_write_array(writer, 2);
    for (int i = 0; i < 2; i++) {
        simplugin_write_map(writer, 3);
        simplugin_write_string(writer, "name");
        simplugin_write_string(writer, i ? "timeout_ms" : "uri");
        simplugin_write_string(writer, "type");
        simplugin_write_string(writer, i ? "int" : "text");
        simplugin_write_string(writer, "connection");
        simplugin_write_bool(writer, 1);
    }
}

static int32_t open_aloud(simplugin_instance **instance, simplugin_error **error)
{
    static const char words[] = "no route to http://root:salt-of-earth@db:1";

    *instance = NULL;
    return rig_host->error_set(error, SIMPLUGIN_UNAVAILABLE, words, sizeof words - 1);
}

static void password_in_url(void)
{
    rig_describe = url_parameter;
    rig_describe_count = 1;
    rig_start();
    rig_open = open_aloud;
    CU_ASSERT_EQUAL(ask(rig_session, "index.create", "{'backend': 'rig', 'parameters': "
                        "{'uri': 'http://root:salt-of-earth@db:1'}}"), SIMPLUGIN_UNAVAILABLE);
    CU_ASSERT_PTR_NULL(strstr(simplugin_error_message(rig_error, NULL), "salt"));
    CU_ASSERT(strstr(simplugin_error_message(rig_error, NULL), "http://root:****@db") != NULL);
    rig_stop();
}

/* ---- the log ---------------------------------------------------------------------------- */

#define SAYS "salt-of-earth is what opens db"
static char said[256];

static void keep_message(void *context, int32_t level, const char *message, uint64_t size)
{
    (void)context;
    (void)level;
    (void)size;
    snprintf(said, sizeof said, "%s", message);
}

static void *say(void *unused)
{
    rig_host->log(SIMPLUGIN_LOG_ERROR, SAYS, sizeof SAYS - 1);
    return unused;
}

static int32_t open_and_say(simplugin_instance **instance, simplugin_error **error)
{
    (void)instance;
    say(NULL);
    return rig_host->error_set(error, SIMPLUGIN_UNAVAILABLE, "no", 2);
}

/* In its open, and from a thread of its own that no call is in; for as long as it is open. */
static void secrets_in_log(void)
{
    static const char hidden[] = "**** is what opens db";
    uint64_t connection;
    pthread_t thread;

    rig_describe = url_parameter;
    rig_describe_count = 1;
    rig_start();
    simplugin_log_set(keep_message, NULL, SIMPLUGIN_LOG_ERROR);
    rig_open = open_and_say;
    CU_ASSERT_EQUAL(ask(rig_session, "connection.open",
                        "{'backend': 'rig', 'parameters': {'uri': 'http://root:salt-of-earth@db:1'}}"),
                    SIMPLUGIN_UNAVAILABLE);
    CU_ASSERT_STRING_EQUAL(said, hidden);
    rig_open = NULL;
    ASK(rig_session, "connection.open",
        "{'backend': 'rig', 'parameters': {'uri': 'http://root:salt-of-earth@db:1'}}");
    connection = (uint64_t)reply_int("connection");
    said[0] = '\0';
    if (pthread_create(&thread, NULL, say, NULL))
        abort();
    pthread_join(thread, NULL);
    CU_ASSERT_STRING_EQUAL(said, hidden);
    CU_ASSERT_EQUAL(simplugin_close(connection, NULL), SIMPLUGIN_OK);
    say(NULL);
    CU_ASSERT_STRING_EQUAL(said, SAYS);
    simplugin_log_set(NULL, NULL, 0);
    rig_stop();
}

/* ---- time ------------------------------------------------------------------------------- */

static int64_t allowed_ms;

static int32_t look_at_deadline(const rig_call *call, int32_t code)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    allowed_ms = (call->info->deadline - ((int64_t)now.tv_sec * 1000000000 + now.tv_nsec)) / 1000000;
    return code;
}

static void configured_timeout(void)
{
    uint64_t index, scan;

    rig_describe = url_parameter;
    rig_describe_count = 1;
    rig_start();
    rig_after = look_at_deadline;
    index = rig_index("cosine", ", 'parameters': {'timeout_ms': 5000}, 'dimension': 2");
    ASK(index, "health", "{}");
    CU_ASSERT(allowed_ms > 1000 && allowed_ms <= 5000);
    ASK(index, "scan.open", "{}");
    scan = (uint64_t)reply_int("scan");
    ASK(scan, "scan.next", "{}");
    CU_ASSERT(allowed_ms > 1000 && allowed_ms <= 5000);
    rig_options.timeout_ms = 20000;
    ASK(index, "health", "{}");
    CU_ASSERT(allowed_ms > 15000 && allowed_ms <= 20000);
    rig_options.timeout_ms = 0;
    index = rig_index("cosine", ", 'dimension': 2");
    ASK(index, "health", "{}");
    CU_ASSERT(allowed_ms > 50000 && allowed_ms <= 60000);
    rig_stop();
}

/* ---- handles ---------------------------------------------------------------------------- */

static uint64_t closing;

/* The parent goes while its child is being made. */
static int close_meanwhile(const rig_call *call, int32_t *code)
{
    (void)code;
    if (closing && (rig_is(call, "collection.exists") || rig_is(call, "points.get"))) {
        CU_ASSERT_EQUAL(simplugin_close(closing, NULL), SIMPLUGIN_OK);
        closing = 0;
    }
    return 0;
}

static void parent_closed(void)
{
    uint64_t session, index;

    rig_start();
    ASK(rig_session, "session.open", "{'environment': {}, 'data_dir': '/nonexistent'}");
    session = (uint64_t)reply_int("session");
    rig_before = close_meanwhile;
    closing = session;
    CU_ASSERT_EQUAL(ask(session, "index.create", "{'backend': 'rig', 'collection_name': 'orphan', "
                        "'dimension': 1}"), SIMPLUGIN_STALE_HANDLE);
    CU_ASSERT_EQUAL(rig_opened, rig_closed);
    index = rig_index("cosine", ", 'collection_name': 'orphan'");
    REPLY("existing", "false");
    ASK(index, "index.add", "{'ids': ['a'], 'vectors': [[1, 0]]}");
    closing = index;
    CU_ASSERT_EQUAL(ask(index, "view.create", "{'ids': ['a']}"), SIMPLUGIN_STALE_HANDLE);
    CU_ASSERT_EQUAL(rig_opened, rig_closed);
    ASK(rig_session, "session.open", "{'environment': {}, 'data_dir': '/nonexistent'}");
    session = (uint64_t)reply_int("session");
    ASK(session, "session.close", "{}");
    CU_ASSERT_EQUAL(ask(session, "session.close", "{}"), SIMPLUGIN_STALE_HANDLE);
    REFUSED(SIMPLUGIN_INVALID_ARGUMENT, "target", 0, "session.close", "{}");
    rig_stop();
}

/* ---- threads and forks ------------------------------------------------------------------ */

static atomic_int stop;

static void *make_and_drop(void *context)
{
    uint64_t index = *(const uint64_t *)context;

    for (int i = 0; i < 100; i++) {
        ask(index, "index.add", "{'ids': ['a', 'b'], 'vectors': %s}",
            i % 2 ? "[[1, 0], [0, 1]]" : "[[1, 0, 0], [0, 1, 0]]");
        ask(index, "index.cleanup", "{}");
    }
    atomic_store(&stop, 1);
    json_decref(rig_reply);
    rig_reply = NULL;
    simplugin_error_free(&rig_error);
    return NULL;
}

static void *look_and_search(void *context)
{
    uint64_t index = *(const uint64_t *)context;

    while (!atomic_load(&stop)) {
        ask(index, "index.info", "{}");
        ask(index, "index.search", "{'ids': ['a'], 'k': 9, 'reverse': true, 'with_vectors': true}");
        ask(index, "index.search", "{'vectors': [[1, 0]], 'mmr': {}, 'k': 2}");
        ask(index, "index.neighbors", "{'k': 1}");
        ask(index, "index.duplicates", "{'fraction': 0.5}");
        ask(index, "index.get", "{}");
    }
    json_decref(rig_reply);
    rig_reply = NULL;
    simplugin_error_free(&rig_error);
    return NULL;
}

/* The collection comes and goes, in two dimensions. */
static void index_under_threads(void)
{
    pthread_t threads[4];
    uint64_t index;

    rig_start();
    index = rig_index("cosine", "");
    atomic_store(&stop, 0);
    for (int i = 0; i < 4; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL,
                                             i ? look_and_search : make_and_drop, &index), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    ASK(index, "index.size", "{}");
    REPLY("size", "0");
    rig_stop();
}

static void *keep_busy(void *context)
{
    uint64_t session = *(const uint64_t *)context;

    while (!atomic_load(&stop)) {
        ask(session, "index.create", "{'backend': 'rig', 'collection_name': 'busy'}");
        simplugin_close((uint64_t)reply_int("index"), NULL);
        ask(session, "runs.list", "{}");
    }
    json_decref(rig_reply);
    rig_reply = NULL;
    simplugin_error_free(&rig_error);
    return NULL;
}

/* What a child must be able to do, whatever its parent's threads were at; 0 if it could. */
static int in_child(void)
{
    pid_t child = fork();
    int status = 1;

    if (!child) {
        alarm(20);
        _exit(ask(rig_session, "runs.list", "{}") || ask(0, "backends.list", "{}") ||
              ask(rig_session, "index.create", "{'backend': 'rig', 'collection_name': 'child'}"));
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        return 1;
    return status;
}

static void forked_busy(void)
{
    pthread_t threads[2];
    int failed = 0;

    rig_start();
    atomic_store(&stop, 0);
    for (int i = 0; i < 2; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, keep_busy, &rig_session), 0);
    /* a sanitizer's allocator has locks of its own, which a child may find taken */
    for (int i = 0; i < 50 && !UNIT_IS_SANITIZED; i++)
        failed += in_child() != 0;
    atomic_store(&stop, 1);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    CU_ASSERT_EQUAL(failed, 0);
    rig_stop();
}

static pthread_barrier_t inside, leave;
static pid_t parent;

static int wait_inside(const rig_call *call, int32_t *code)
{
    (void)code;
    if (rig_is(call, "collection.exists") && getpid() == parent) {
        pthread_barrier_wait(&inside);
        pthread_barrier_wait(&leave);
    }
    return 0;
}

static void *create_slowly(void *context)
{
    (void)context;
    CU_ASSERT_EQUAL(ask(rig_session, "index.create", "{'backend': 'rig', 'collection_name': 'slow'}"),
                    SIMPLUGIN_OK);
    json_decref(rig_reply);
    rig_reply = NULL;
    return NULL;
}

static void forked_inside(void)
{
    pthread_t thread;

    rig_start();
    parent = getpid();
    rig_before = wait_inside;
    pthread_barrier_init(&inside, NULL, 2);
    pthread_barrier_init(&leave, NULL, 2);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, create_slowly, NULL), 0);
    pthread_barrier_wait(&inside);
    CU_ASSERT_EQUAL(in_child(), 0);
    pthread_barrier_wait(&leave);
    pthread_join(thread, NULL);
    pthread_barrier_destroy(&inside);
    pthread_barrier_destroy(&leave);
    rig_stop();
}

static const unit_case cases[] = {
    UNIT_CASE(error_set_exactly, "R277 an error is set exactly when a call failed"),
    UNIT_CASE(backends_without_words, "R277 a backend that sets no error, or one beside its success"),
    UNIT_CASE(failed_open, "what a failing open leaves behind is not closed"),
    UNIT_CASE(arguments_named, "R277 whatever is wrong with a call is named"),
    UNIT_CASE(password_in_url, "R278 the password of a URL never reaches an error"),
    UNIT_CASE(secrets_in_log, "R278 what is secret of an open connection never reaches the log"),
    UNIT_CASE(configured_timeout, "R269 the parameter timeout_ms is the timeout of calls that give none"),
    UNIT_CASE(parent_closed, "what is made for a parent that closes meanwhile closes too"),
    UNIT_CASE(index_under_threads, "an index is used while its collection is made and dropped"),
    UNIT_CASE(forked_busy, "R275 children of a process with busy threads never hang"),
    UNIT_CASE(forked_inside, "R275 a child works while a thread of its parent is in a backend"),
};

UNIT_MAIN("session", cases)
