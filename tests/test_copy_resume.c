/* SPDX-License-Identifier: Apache-2.0 */
/* Copies that end halfway: by a failure, a deadline, a cancel token, SIGKILL; and two at once. */
#include "config.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "copy_rig.h"

/* A few pages. */
#define ROWS 300
#define PAGES ", 'batch_bytes': 5000"

static uint64_t written; /* rows that reached the target, */
static uint64_t largest; /* and the most that one request brought */

static int is_upsert(const rig_call *call)
{
    return rig_is(call, "points.upsert");
}

static uint64_t rows_of(const rig_call *call)
{
    simplugin_value body = simplugin_body_value(call->request->body, call->request->body_size);
    const simplugin_tensor *rows = NULL;

    if (simplugin_find_tensor(&body, "rows", call->request->tensors, call->request->tensor_count,
                              &rows) == 1)
        return rows->rows;
    simplugin_find_tensor(&body, "vectors", call->request->tensors, call->request->tensor_count,
                          &rows);
    return rows ? rows->rows : 0;
}

static int32_t count_written(const rig_call *call, int32_t code)
{
    if (is_upsert(call) && !code)
        written += rows_of(call);
    if (is_upsert(call) && rows_of(call) > largest)
        largest = rows_of(call);
    return code;
}

static uint64_t source_new(void)
{
    uint64_t source = index_new("disk", "points", "");

    rows_add(source, 0, ROWS);
    written = largest = 0;
    return source;
}

static const char *const target = "'backend': 'rig', 'brain_key': 'to'";

static void finish(uint64_t source)
{
    CU_ASSERT_EQUAL_FATAL(copy_open(source, target, PAGES ", 'verify': 'all'"), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(copy_run(), SIMPLUGIN_OK);
    REPLY("copied", "300");
    REPLY("differences", "0");
    copy_close();
    CU_ASSERT(indexes_same(source, copy_index));
    ASK(copy_index, "index.cleanup", "{}");
    ASK(rig_session, "runs.delete", "{'brain_key': 'to'}");
}

/* ---- failures ----------------------------------------------------------------------------- */

static long calls_left; /* the call that brings it to 0 fails */
static const char *failed_method;

/* Before the backend did anything, and after it did all: nobody can tell the two apart. */
static int fail_before(const rig_call *call, int32_t *code)
{
    (void)call;
    if (--calls_left)
        return 0;
    failed_method = "?";
    *code = SIMPLUGIN_UNAVAILABLE;
    return 1;
}

static int32_t fail_after(const rig_call *call, int32_t code)
{
    code = count_written(call, code);
    if (calls_left-- != 1)
        return code;
    failed_method = "?";
    simplugin_reply_clear(call->reply);
    return SIMPLUGIN_UNAVAILABLE;
}

/* Each call of the target fails once; the same handle goes on. */
static void failing(int after, int on_the_same_handle)
{
    long number = 1;
    int more = 1;

    for (; more; number++) {
        uint64_t source;
        int32_t code;

        copy_start();
        source = source_new();
        calls_left = number;
        failed_method = NULL;
        rig_before = after ? NULL : fail_before;
        rig_after = after ? fail_after : count_written;
        code = copy_open(source, target, PAGES);
        if (!code)
            code = copy_run();
        more = failed_method != NULL;
        CU_ASSERT(code == SIMPLUGIN_OK || (more && code == SIMPLUGIN_UNAVAILABLE));
        rig_before = NULL;
        rig_after = count_written;
        if (code && copy_handle && on_the_same_handle) {
            CU_ASSERT_EQUAL(copy_run(), SIMPLUGIN_OK);
            code = SIMPLUGIN_OK;
        }
        if (copy_handle)
            copy_close();
        if (code) {
            finish(source);
        } else {
            REPLY("differences", "0");
            CU_ASSERT(indexes_same(source, copy_index));
            ASK(copy_index, "index.cleanup", "{}");
        }
        /* at most one page is written again */
        CU_ASSERT(written >= ROWS && written <= ROWS + largest && largest < ROWS / 3);
        copy_stop();
    }
    CU_ASSERT(number > 12);
}

static void fail_then_next(void)
{
    failing(0, 1);
    failing(1, 1);
}

static void fail_then_open(void)
{
    failing(0, 0);
    failing(1, 0);
}

/* So many rows are written before the target's server is gone. */
static int gone_after(const rig_call *call, int32_t *code)
{
    if (!is_upsert(call) || written < 100)
        return 0;
    *code = SIMPLUGIN_UNAVAILABLE;
    return 1;
}

static uint64_t half_copied(uint64_t source)
{
    rig_before = gone_after;
    rig_after = count_written;
    CU_ASSERT_EQUAL(copy_open(source, target, PAGES), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(copy_run(), SIMPLUGIN_UNAVAILABLE);
    copy_close();
    rig_before = NULL;
    return written;
}

static void told_where(void)
{
    uint64_t source, before;

    copy_start();
    source = source_new();
    before = half_copied(source);
    CU_ASSERT(before >= 100 && before < 200);
    CU_ASSERT_EQUAL(copy_open(source, target, ", 'dry_run': true"), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(reply_int("resumed"), (int64_t)before);
    CU_ASSERT_EQUAL(copy_open(source, target, PAGES), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(reply_int("resumed"), (int64_t)before);
    CU_ASSERT_EQUAL(copy_run(), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(written, ROWS);
    copy_close();
    ASK(copy_index, "index.cleanup", "{}");
    copy_stop();
}

/* From the beginning: what was written is dropped. */
static void begun_anew(void)
{
    uint64_t source;

    copy_start();
    source = source_new();
    half_copied(source);
    ASK(source, "index.remove", "{'ids': ['p00001']}");
    CU_ASSERT_EQUAL(copy_open(source, target, PAGES ", 'resume': false, 'verify': 'all'"),
                    SIMPLUGIN_OK);
    REPLY("resumed", "0");
    CU_ASSERT_EQUAL(copy_run(), SIMPLUGIN_OK);
    REPLY("differences", "0");
    CU_ASSERT(indexes_same(source, copy_index));
    copy_close();
    ASK(copy_index, "index.cleanup", "{}");
    copy_stop();
}

static void dropped_meanwhile(void)
{
    uint64_t source;

    copy_start();
    source = source_new();
    half_copied(source);
    ASK(copy_index, "index.cleanup", "{}");
    written = 0;
    finish(source);
    CU_ASSERT_EQUAL(written, ROWS);
    /* the one that is being written */
    CU_ASSERT_EQUAL(copy_open(source, target, PAGES), SIMPLUGIN_OK);
    ASK(copy_index, "index.cleanup", "{}");
    CU_ASSERT_EQUAL(copy_run(), SIMPLUGIN_NOT_FOUND);
    copy_close();
    finish(source);
    copy_stop();
}

/* What was written is not there any more, but something of that name is: somebody else's, maybe. */
static void replaced_meanwhile(void)
{
    uint64_t source;

    copy_start();
    source = source_new();
    half_copied(source);
    ASK(copy_index, "index.remove", "{'all': true}");
    CU_ASSERT_EQUAL(copy_open(source, target, PAGES), SIMPLUGIN_ALREADY_EXISTS);
    CU_ASSERT(strstr(simplugin_error_message(rig_error, NULL), "this copy wrote") != NULL);
    CU_ASSERT_EQUAL(copy_open(source, target, PAGES ", 'resume': false, 'verify': 'all'"),
                    SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(copy_run(), SIMPLUGIN_OK);
    REPLY("differences", "0");
    CU_ASSERT(indexes_same(source, copy_index));
    copy_close();
    ASK(copy_index, "index.cleanup", "{}");
    copy_stop();
}

static void other_source(void)
{
    uint64_t source, other;
    const char *there = "'backend': 'rig', 'collection_name': 'half'";

    copy_start();
    source = source_new();
    other = index_new("disk", "others", "");
    rows_add(other, 0, 10);
    index_new("rig", "half", "");
    rig_before = gone_after;
    rig_after = count_written;
    CU_ASSERT_EQUAL(copy_open(source, there, PAGES), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(copy_run(), SIMPLUGIN_UNAVAILABLE);
    copy_close();
    rig_before = NULL;
    CU_ASSERT_EQUAL(copy_open(other, there, ""), SIMPLUGIN_ALREADY_EXISTS);
    CU_ASSERT_EQUAL(copy_open(other, "'backend': 'rig', 'collection_name': 'half', 'merge': true", ""),
                    SIMPLUGIN_ALREADY_EXISTS);
    copy_all(other, "'backend': 'rig', 'collection_name': 'half', 'overwrite': true", "");
    CU_ASSERT(indexes_same(other, copy_index));
    /* what was begun before is forgotten */
    CU_ASSERT_EQUAL(copy_open(source, there, ""), SIMPLUGIN_ALREADY_EXISTS);
    copy_stop();
}

static void parameters(simplugin_writer *writer)
{
    static const char *const names[] = {"uri", "timeout_ms", "password"};

    simplugin_write_string(writer, "parameters");
    simplugin_write_array(writer, 3);
    for (int i = 0; i < 3; i++) {
        simplugin_write_map(writer, 4);
        simplugin_write_string(writer, "name");
        simplugin_write_string(writer, names[i]);
        simplugin_write_string(writer, "type");
        simplugin_write_string(writer, i == 1 ? "int" : "text");
        simplugin_write_string(writer, "connection");
        simplugin_write_bool(writer, 1);
        simplugin_write_string(writer, "secret");
        simplugin_write_bool(writer, i == 2);
    }
}

/* A copy is the same wherever it goes to the same place; no secret of it is kept. */
static void same_place(void)
{
    const char *to = "'backend': 'rig', 'collection_name': 'placed', 'parameters': {'uri': "
                     "'http://me:opensesame@%s', 'timeout_ms': %d, 'password': '%s'}";
    char place[300], path[400], line[4096];
    uint64_t source;
    FILE *file;

    rig_describe = parameters;
    rig_describe_count = 1;
    copy_start();
    source = source_new();
    index_new("rig", "placed", "");
    rig_before = gone_after;
    rig_after = count_written;
    snprintf(place, sizeof place, to, "here", 5000, "opensesame");
    CU_ASSERT_EQUAL(copy_open(source, place, PAGES), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(copy_run(), SIMPLUGIN_UNAVAILABLE);
    copy_close();
    rig_before = NULL;
    /* the backend that is asked is the same, but nobody can know */
    snprintf(place, sizeof place, to, "there", 5000, "opensesame");
    CU_ASSERT_EQUAL(copy_open(source, place, PAGES), SIMPLUGIN_ALREADY_EXISTS);
    ASK(rig_session, "config.explain", "{'load': false}");
    snprintf(path, sizeof path, "%s/runs.sqlite",
             json_string_value(json_object_get(rig_reply, "data_dir")));
    file = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    for (size_t size; (size = fread(line, 1, sizeof line, file));)
        CU_ASSERT_PTR_NULL(memmem(line, size, "opensesame", 10));
    fclose(file);
    snprintf(place, sizeof place, to, "here", 7000, "changed");
    CU_ASSERT_EQUAL(copy_open(source, place, PAGES), SIMPLUGIN_OK);
    CU_ASSERT(reply_int("resumed") >= 100);
    CU_ASSERT_EQUAL(copy_run(), SIMPLUGIN_OK);
    copy_close();
    ASK(copy_index, "index.cleanup", "{}");
    copy_stop();
}

/* ---- time --------------------------------------------------------------------------------- */

static uint64_t token;

static int cancel_in_upsert(const rig_call *call, int32_t *code)
{
    if (!is_upsert(call) || written < 100 || !token)
        return 0;
    simplugin_cancel_fire(token);
    *code = SIMPLUGIN_CANCELLED;
    return 1;
}

static void cancelled(void)
{
    uint64_t source;

    copy_start();
    source = source_new();
    CU_ASSERT_EQUAL(simplugin_cancel_new(&token, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(copy_open(source, target, PAGES), SIMPLUGIN_OK);
    rig_before = cancel_in_upsert;
    rig_after = count_written;
    rig_options.cancel = token;
    CU_ASSERT_EQUAL(copy_run(), SIMPLUGIN_CANCELLED);
    CU_ASSERT_EQUAL(copy_run(), SIMPLUGIN_CANCELLED);
    rig_options.cancel = 0;
    rig_before = NULL;
    simplugin_cancel_free(token);
    token = 0;
    CU_ASSERT_EQUAL(copy_run(), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(written, ROWS);
    REPLY("differences", "0");
    copy_close();
    CU_ASSERT(indexes_same(source, copy_index));
    ASK(copy_index, "index.cleanup", "{}");
    copy_stop();
}

static int until_deadline(const rig_call *call, int32_t *code)
{
    struct timespec at = {(time_t)(call->info->deadline / 1000000000),
                          (long)(call->info->deadline % 1000000000)};

    if (!is_upsert(call) || written < 100)
        return 0;
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
    *code = SIMPLUGIN_DEADLINE_EXCEEDED;
    return 1;
}

static void out_of_time(void)
{
    uint64_t source;

    copy_start();
    source = source_new();
    CU_ASSERT_EQUAL(copy_open(source, target, PAGES), SIMPLUGIN_OK);
    rig_before = until_deadline;
    rig_after = count_written;
    rig_options.timeout_ms = 1000;
    /* something was done in it, */
    CU_ASSERT_EQUAL(ask(copy_handle, "copy.next", "{}"), SIMPLUGIN_OK);
    REPLY("phase", "'copying'");
    CU_ASSERT(reply_int("copied") >= 100);
    /* and nothing */
    rig_options.timeout_ms = 20;
    CU_ASSERT_EQUAL(ask(copy_handle, "copy.next", "{}"), SIMPLUGIN_DEADLINE_EXCEEDED);
    rig_options.timeout_ms = 0;
    rig_before = NULL;
    CU_ASSERT_EQUAL(copy_run(), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(written, ROWS);
    copy_close();
    ASK(copy_index, "index.cleanup", "{}");
    copy_stop();
}

/* A call lasts about a second, however much there is to do. */
static int slow(const rig_call *call, int32_t *code)
{
    struct timespec span = {0, 400000000};

    (void)code;
    if (is_upsert(call))
        nanosleep(&span, NULL);
    return 0;
}

static void a_second(void)
{
    uint64_t source;
    int calls = 0;

    copy_start();
    source = source_new();
    CU_ASSERT_EQUAL(copy_open(source, target, PAGES), SIMPLUGIN_OK);
    rig_before = slow;
    do {
        ASK(copy_handle, "copy.next", "{}");
        calls++;
        if (!strcmp(reply_text("phase"), "'copying'")) {
            CU_ASSERT(json_real_value(json_object_get(rig_reply, "rows_per_second")) > 10);
            CU_ASSERT(json_real_value(json_object_get(rig_reply, "seconds_left")) > 0.1);
        }
    } while (strcmp(reply_text("phase"), "'done'"));
    CU_ASSERT(calls >= 2);
    copy_close();
    ASK(copy_index, "index.cleanup", "{}");
    copy_stop();
}

/* ---- two at once -------------------------------------------------------------------------- */

static void one_at_a_time(void)
{
    uint64_t source, first;
    pid_t child;
    int status = 0;

    copy_start();
    source = source_new();
    CU_ASSERT_EQUAL(copy_open(source, target, PAGES), SIMPLUGIN_OK);
    first = copy_handle;
    CU_ASSERT_EQUAL(copy_open(source, target, PAGES), SIMPLUGIN_BUSY);
    CU_ASSERT_EQUAL(copy_open(source, target, PAGES ", 'resume': false"), SIMPLUGIN_BUSY);
    CU_ASSERT_EQUAL(copy_open(source, "'backend': 'rig', 'brain_key': 'to', 'overwrite': true", ""),
                    SIMPLUGIN_BUSY);
    /* a look is free */
    CU_ASSERT_EQUAL(copy_open(source, target, ", 'dry_run': true"), SIMPLUGIN_OK);
    /* a child has no part in it, and its end does not end it */
    child = fork();
    if (!child) {
        copy_handle = first;
        _exit(copy_run() == SIMPLUGIN_FORKED ? 77 : 1);
    }
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 77);
    CU_ASSERT_EQUAL(copy_open(source, target, PAGES), SIMPLUGIN_BUSY);
    copy_handle = first;
    copy_close();
    finish(source);
    copy_stop();
}

/* A child that lives on holds nothing of its parent's. */
static void child_lives_on(void)
{
    uint64_t source;
    int ends[2];
    char byte;
    pid_t child;

    copy_start();
    source = source_new();
    CU_ASSERT_EQUAL(copy_open(source, target, PAGES), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    child = fork();
    if (!child) {
        close(ends[1]);
        _exit(read(ends[0], &byte, 1) != 0);
    }
    close(ends[0]);
    copy_close();
    finish(source);
    close(ends[1]);
    CU_ASSERT_EQUAL(waitpid(child, NULL, 0), child);
    copy_stop();
}

static uint64_t shared;
static atomic_int in_upsert, may_go;

static int wait_in_upsert(const rig_call *call, int32_t *code)
{
    (void)code;
    if (!is_upsert(call))
        return 0;
    atomic_store(&in_upsert, 1);
    while (!atomic_load(&may_go))
        usleep(1000);
    return 0;
}

static void *next_in_thread(void *context)
{
    (void)context;
    return (void *)(intptr_t)simplugin_call(shared, "copy.next", 9, NULL, NULL, NULL, NULL);
}

static void one_thread_in_it(void)
{
    uint64_t source;
    pthread_t thread;
    void *code = NULL;

    copy_start();
    source = source_new();
    CU_ASSERT_EQUAL(copy_open(source, target, PAGES), SIMPLUGIN_OK);
    shared = copy_handle;
    rig_before = wait_in_upsert;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, next_in_thread, NULL), 0);
    while (!atomic_load(&in_upsert))
        usleep(1000);
    CU_ASSERT_EQUAL(ask(copy_handle, "copy.next", "{}"), SIMPLUGIN_BUSY);
    /* closed under it: the call ends first */
    copy_close();
    atomic_store(&may_go, 1);
    pthread_join(thread, &code);
    CU_ASSERT_EQUAL((int32_t)(intptr_t)code, SIMPLUGIN_OK);
    rig_before = NULL;
    CU_ASSERT_EQUAL(ask(shared, "copy.next", "{}"), SIMPLUGIN_STALE_HANDLE);
    ASK(copy_index, "index.cleanup", "{}");
    copy_stop();
}

/* ---- SIGKILL ------------------------------------------------------------------------------ */

static long kill_in;
static int kill_after;

static void maybe_kill(int after)
{
    if (after == kill_after && kill_in && !--kill_in)
        raise(SIGKILL);
}

static void before_disk(const char *method)
{
    (void)method;
    maybe_kill(0);
}

static void after_disk(const char *method)
{
    (void)method;
    maybe_kill(1);
}

/* Copies on disk in a process of its own, which is killed at its Nth call; 1 if it was. */
static int killed_at(long number, int after, int *status)
{
    pid_t child = fork();

    if (!child) {
        int32_t code = ask(rig_session, "index.open", "{'backend': 'disk', "
                                                      "'collection_name': 'points'}");
        uint64_t source = (uint64_t)reply_int("index");

        kill_in = number;
        kill_after = after;
        disk_before = before_disk;
        disk_after = after_disk;
        if (!code)
            code = copy_open(source, "'backend': 'disk', 'brain_key': 'to'", PAGES);
        if (!code)
            code = copy_run();
        _exit(code ? 1 : 0);
    }
    CU_ASSERT_EQUAL_FATAL(waitpid(child, status, 0), child);
    return WIFSIGNALED(*status) && WTERMSIG(*status) == SIGKILL;
}

static void killed(int after)
{
    long number = 1;
    int status = 0;

    for (;; number++) {
        uint64_t source;
        int was;

        copy_start();
        source = index_new("disk", "points", "");
        rows_add(source, 0, ROWS);
        CU_ASSERT_EQUAL(simplugin_close(source, NULL), SIMPLUGIN_OK);
        was = killed_at(number, after, &status);
        CU_ASSERT(was || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
        ASK(rig_session, "index.open", "{'backend': 'disk', 'collection_name': 'points'}");
        source = (uint64_t)reply_int("index");
        if (was) {
            /* another one that is killed as well, now and then */
            if (number % 3 == 0)
                killed_at(number / 2 + 1, after, &status);
            if (ask(rig_session, "runs.info", "{'brain_key': 'to'}"))
                copy_all(source, "'backend': 'disk', 'brain_key': 'to'", PAGES ", 'verify': 'all'");
        }
        ASK(rig_session, "index.open", "{'brain_key': 'to'}");
        CU_ASSERT(indexes_same(source, (uint64_t)reply_int("index")));
        /* one collection, and nothing half done beside it */
        ASK(source, "backend.call", "{'method': 'collection.list'}");
        CU_ASSERT_EQUAL(json_array_size(json_object_get(rig_reply, "collections")), 2);
        copy_stop();
        if (!was)
            break;
    }
    CU_ASSERT(number > 15);
}

static void killed_before(void) { killed(0); }
static void killed_behind(void) { killed(1); }

static const unit_case cases[] = {
    UNIT_CASE(fail_then_next, "R276 whichever call fails, the next one goes on"),
    UNIT_CASE(fail_then_open, "R276 whichever call fails, a new copy goes on"),
    UNIT_CASE(told_where, "R276 a copy that goes on says how much is there, and writes no more"),
    UNIT_CASE(begun_anew, "R276 a copy that is begun anew drops what it had written"),
    UNIT_CASE(dropped_meanwhile, "R276 a target that somebody dropped is made again"),
    UNIT_CASE(replaced_meanwhile, "R276 nor does one go on where less is there than it wrote"),
    UNIT_CASE(other_source, "R276 two sources are not mixed up in one target"),
    UNIT_CASE(same_place, "R276 R278 a copy goes by places, and keeps no secrets"),
    UNIT_CASE(cancelled, "R276 R274 a copy that is cancelled goes on"),
    UNIT_CASE(out_of_time, "R276 R274 a call takes no longer than its timeout"),
    UNIT_CASE(a_second, "R276 a call takes about a second, and says how long it will take"),
    UNIT_CASE(one_at_a_time, "R276 R275 one copy into a target at a time, also after fork"),
    UNIT_CASE(child_lives_on, "R276 R275 after fork a child holds no lock"),
    UNIT_CASE(one_thread_in_it, "R276 one thread in a copy at a time; closing waits for it"),
    UNIT_CASE(killed_before, "R276 SIGKILL before each call of a backend, after fork"),
    UNIT_CASE(killed_behind, "R276 SIGKILL after each call of a backend, after fork"),
};

UNIT_MAIN("copies that end halfway", cases)
