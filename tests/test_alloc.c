/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocation number N fails, for every N until there are no more. The functions below take
 * the place of the C library's in the whole process, so that those of jansson, SQLite, LMDB,
 * OpenBLAS and the dynamic linker are counted as well.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <jansson.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "library_rig.h"
#include "simplugin.h"
#include "simplugin/envelope.h"

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *memory);

static atomic_int armed;      /* whether allocations are counted */
static atomic_long countdown; /* the one that brings it to 0 fails */
static atomic_int failed;     /* whether one did */
static atomic_long live;      /* allocations that were not freed */

static int fails_now(void)
{
    if (!atomic_load(&armed) || atomic_fetch_sub(&countdown, 1) != 1)
        return 0;
    atomic_store(&failed, 1);
    errno = ENOMEM;
    return 1;
}

static void *counted(void *memory)
{
    if (memory)
        atomic_fetch_add(&live, 1);
    return memory;
}

SIMPLUGIN_EXPORT void *malloc(size_t size)
{
    return fails_now() ? NULL : counted(__libc_malloc(size));
}

SIMPLUGIN_EXPORT void *calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : counted(__libc_calloc(count, size));
}

SIMPLUGIN_EXPORT void *realloc(void *memory, size_t size)
{
    void *moved;

    if (fails_now())
        return NULL;
    moved = __libc_realloc(memory, size);
    if (!memory)
        counted(moved);
    else if (!size && !moved)
        atomic_fetch_sub(&live, 1);
    return moved;
}

SIMPLUGIN_EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
    return fails_now() ? NULL : counted(__libc_memalign(alignment, size));
}

SIMPLUGIN_EXPORT void *memalign(size_t alignment, size_t size);
SIMPLUGIN_EXPORT void *memalign(size_t alignment, size_t size)
{
    return aligned_alloc(alignment, size);
}

SIMPLUGIN_EXPORT int posix_memalign(void **memory, size_t alignment, size_t size)
{
    *memory = aligned_alloc(alignment, size);
    return *memory ? 0 : ENOMEM;
}

SIMPLUGIN_EXPORT void free(void *memory)
{
    if (memory)
        atomic_fetch_sub(&live, 1);
    __libc_free(memory);
}

static void disarm(void)
{
    atomic_store(&armed, 0);
}

/* ---- calls ---------------------------------------------------------------------------- */

/* What the scenario has made so far, and what became of it. */
typedef struct world {
    uint64_t session;
    uint64_t index;
    uint64_t view;
    uint64_t scan;
    uint64_t connection;
    int32_t code;         /* the first failure */
    const char *method;   /* where */
    char message[256];
    int wrong;            /* a call succeeded with a result that is not right */
    int elsewhere;        /* the calls that follow are another scenario's to fail */
} world;

static void json_write(simplugin_writer *w, const json_t *json)
{
    const char *key;
    size_t i;
    json_t *item;

    switch (json_typeof(json)) {
    case JSON_OBJECT:
        simplugin_write_map(w, json_object_size(json));
        json_object_foreach((json_t *)json, key, item) {
            simplugin_write_string(w, key);
            json_write(w, item);
        }
        break;
    case JSON_ARRAY:
        simplugin_write_array(w, json_array_size(json));
        json_array_foreach(json, i, item)
            json_write(w, item);
        break;
    case JSON_STRING: simplugin_write_string(w, json_string_value(json)); break;
    case JSON_INTEGER: simplugin_write_int(w, json_integer_value(json)); break;
    case JSON_REAL: simplugin_write_double(w, json_real_value(json)); break;
    case JSON_NULL: simplugin_write_nil(w); break;
    default: simplugin_write_bool(w, json_is_true(json)); break;
    }
}

static void note(world *m, const char *method, int32_t code, simplugin_error **error)
{
    disarm();
    /* an error exactly when there is a code, and of that code */
    if ((code != SIMPLUGIN_OK) != (*error != NULL) || simplugin_error_code(*error) != code)
        m->wrong = 1;
    if (code) {
        m->code = code;
        m->method = method;
        snprintf(m->message, sizeof m->message, "%s", simplugin_error_message(*error, NULL));
    }
    simplugin_error_free(error);
}

/* Counts from here to the next note, but for what another scenario has counted. */
static void arm(const world *m)
{
    atomic_store(&armed, !m->elsewhere);
}

/*
 * Calls a method with the request given as JSON (takes it) and stores the int under key
 * where there is one to store. Only the call itself is counted. Does nothing after a
 * failure.
 */
static void call(world *m, uint64_t target, const char *method, json_t *json, const char *key,
                 int64_t *number)
{
    simplugin_reply reply = {.size = sizeof reply};
    simplugin_error *error = NULL;
    simplugin_writer w;
    simplugin_request request;
    simplugin_value map;
    int32_t code;

    simplugin_writer_init(&w);
    if (!m->code) {
        json_write(&w, json);
        request = simplugin_writer_request(&w);
        if (w.failed)
            abort();
        arm(m);
        code = simplugin_call(target, method, strlen(method), &request, NULL, &reply, &error);
        note(m, method, code, &error);
        map = simplugin_body_value(reply.body, reply.body_size);
        if (!code && key && simplugin_find_int(&map, key, number) != 1)
            m->wrong = 1;
        if (code && reply.body)
            m->wrong = 1;
        simplugin_reply_clear(&reply);
    }
    simplugin_writer_clear(&w);
    json_decref(json);
}

static uint64_t open_handle(world *m, uint64_t target, const char *method, json_t *json,
                            const char *key)
{
    int64_t number = 0;

    call(m, target, method, json, key, &number);
    return (uint64_t)number;
}

static void expect(world *m, int64_t number, int64_t expected)
{
    if (!m->code && number != expected)
        m->wrong = 1;
}

/* ---- the scenario --------------------------------------------------------------------- */

static const char *const ids[] = {"a", "b", "c"};
static const float vectors[3][2] = {{1, 0}, {0.8f, 0.6f}, {0, 1}};

static void typed_calls(world *m)
{
    simplugin_hits hits = {.size = sizeof hits};
    simplugin_error *error = NULL;
    uint8_t found[3] = {0};
    float got[3][2];
    uint64_t removed = 0;
    int32_t code;

    if (!m->code) {
        arm(m);
        code = simplugin_index_add(m->index, ids, vectors[0], 3, 2, NULL, &error);
        note(m, "add", code, &error);
    }
    if (!m->code) {
        arm(m);
        code = simplugin_index_search(m->index, vectors[0], 2, 2, 2, NULL, &hits, &error);
        note(m, "search", code, &error);
        if (!code && (hits.hit_count != 4 || strcmp(hits.ids[2], "b")))
            m->wrong = 1;
        simplugin_hits_clear(&hits);
    }
    if (!m->code) {
        arm(m);
        code = simplugin_index_search_ids(m->index, ids, 1, 3, NULL, &hits, &error);
        note(m, "search_ids", code, &error);
        if (!code && (hits.hit_count != 3 || strcmp(hits.ids[0], "a")))
            m->wrong = 1;
        simplugin_hits_clear(&hits);
    }
    if (!m->code) {
        arm(m);
        code = simplugin_index_get(m->index, ids, 3, 2, got[0], found, NULL, &error);
        note(m, "get", code, &error);
        if (!code && (memcmp(got, vectors, sizeof got) || !found[0] || !found[1] || !found[2]))
            m->wrong = 1;
    }
    if (!m->code) {
        arm(m);
        code = simplugin_index_remove(m->index, &ids[2], 1, &removed, NULL, &error);
        note(m, "remove", code, &error);
        if (!code && removed != 1)
            m->wrong = 1;
    }
}

/* Closes what is there; closing needs no memory, so it may not fail. */
static void close_handle(world *m, uint64_t *handle)
{
    if (*handle && simplugin_close(*handle, NULL))
        m->wrong = 1;
    *handle = 0;
}

/* What programs do with an index. What was open when a call failed is still in m. */
static void index_life(world *m)
{
    int64_t number = 0;

    m->index = open_handle(m, m->session, "index.create",
                           json_pack("{ss ss ss}", "dataset", "d", "brain_key", "k", "model", "clip"),
                           "index");
    typed_calls(m);
    call(m, m->index, "index.add",
         json_pack("{s[ss] s[[fi][if]] s{s[sn] s[if] s[[s][]]}}", "ids", "d", "e", "vectors", 0.5,
                   1, 1, 0.25, "fields", "name", "x", "number", 1, 0.5, "list", "l"),
         "added", &number);
    expect(m, number, 2);
    call(m, m->index, "index.search",
         json_pack("{s[[ii]] si ss sb sb}", "vectors", 1, 1, "k", 3, "filter", "number >= 1",
                   "fields", 1, "with_vectors", 1), NULL, NULL);
    call(m, m->index, "index.set_fields",
         json_pack("{s[s] s{s[s]}}", "ids", "a", "fields", "name", "y"), "updated", &number);
    expect(m, number, 1);
    m->view = open_handle(m, m->index, "view.create", json_pack("{s[sss]}", "ids", "a", "d", "zz"),
                          "view");
    call(m, m->index, "index.search",
         json_pack("{s[s] si sI sb}", "ids", "b", "k", 3, "view", (json_int_t)m->view,
                   "exclude_self", 1), NULL, NULL);
    call(m, m->index, "index.get", json_pack("{s[ss] sb}", "ids", "d", "zz", "fields", 1), NULL,
         NULL);
    m->scan = open_handle(m, m->index, "scan.open", json_pack("{sb}", "fields", 1), "scan");
    call(m, m->scan, "scan.next", json_object(), NULL, NULL);
    call(m, m->index, "index.neighbors", json_pack("{si}", "k", 2), NULL, NULL);
    call(m, m->index, "index.duplicates", json_pack("{sf}", "threshold", 0.01), NULL, NULL);
    call(m, m->index, "index.size", json_object(), "size", &number);
    expect(m, number, 4);
    call(m, m->index, "index.info", json_object(), "size", &number);
    expect(m, number, 4);
    if (m->code)
        return;
    close_handle(m, &m->index); /* and with it the view and the scan */
    m->view = m->scan = 0;
    m->index = open_handle(m, m->session, "index.open",
                           json_pack("{ss ss}", "dataset", "d", "brain_key", "k"), "index");
    call(m, m->index, "index.size", json_object(), "size", &number);
    expect(m, number, 4);
    call(m, m->index, "index.check", json_object(), NULL, NULL);
    call(m, m->index, "index.cleanup", json_object(), NULL, NULL);
}

/* An index copied into another one, a point or two at a time, and compared. */
static void copying(world *m)
{
    int64_t number = 0;
    uint64_t target;

    m->elsewhere = 1;
    m->index = open_handle(m, m->session, "index.create",
                           json_pack("{ss ss ss}", "dataset", "d", "brain_key", "k", "model", "clip"),
                           "index");
    call(m, m->index, "index.add",
         json_pack("{s[ss] s[[ii][if]] s{s[sn] s[if]}}", "ids", "a", "b", "vectors", 1, 0, 1, 0.25,
                   "fields", "name", "x", "number", 1, 0.5),
         "added", &number);
    expect(m, number, 2);
    m->elsewhere = 0;
    m->scan = open_handle(m, m->session, "copy.open",
                          json_pack("{sI s{ss} si ss}", "source", (json_int_t)m->index, "target",
                                    "brain_key", "l", "batch_bytes", 16, "verify", "all"), "copy");
    call(m, m->scan, "copy.next", json_object(), "copied", &number);
    expect(m, number, 2);
    if (m->code)
        return;
    close_handle(m, &m->scan);
    close_handle(m, &m->index);
    m->elsewhere = 1;
    target = m->index = open_handle(m, m->session, "index.open",
                                    json_pack("{ss ss}", "dataset", "d", "brain_key", "l"), "index");
    call(m, target, "index.size", json_object(), "size", &number);
    expect(m, number, 2);
}

/* What is around indexes: configuration, connections, records. */
static void administration(world *m)
{
    call(m, m->session, "config.resolve", json_object(), NULL, NULL);
    call(m, m->session, "config.explain", json_object(), NULL, NULL);
    call(m, m->session, "backends.list", json_object(), NULL, NULL);
    call(m, m->session, "backends.describe", json_pack("{ss}", "backend", "sklearn_flat"), NULL,
         NULL);
    m->connection = open_handle(m, m->session, "connection.open",
                                json_pack("{ss}", "backend", "sklearn_flat"), "connection");
    call(m, m->connection, "health", json_object(), NULL, NULL);
    call(m, m->connection, "backend.call",
         json_pack("{ss s{ss si ss}}", "method", "collection.create", "body", "collection", "c",
                   "dimension", 2, "metric", "cosine"), NULL, NULL);
    call(m, m->connection, "backend.call", json_pack("{ss}", "method", "collection.list"), NULL,
         NULL);
    m->index = open_handle(m, m->session, "index.open",
                           json_pack("{ss ss}", "backend", "sklearn_flat", "collection_name", "c"),
                           "index");
    if (!m->code)
        close_handle(m, &m->index);
    m->index = open_handle(m, m->session, "index.create",
                           json_pack("{ss ss}", "collection_name", "c", "brain_key", "k"), "index");
    call(m, m->session, "runs.list", json_pack("{s{ss}}", "where", "metric", "cosine"), NULL, NULL);
    call(m, m->session, "runs.info", json_pack("{ss}", "brain_key", "k"), NULL, NULL);
    call(m, m->session, "runs.rename", json_pack("{ss ss}", "brain_key", "k", "new_brain_key", "l"),
         NULL, NULL);
    call(m, m->session, "runs.delete", json_pack("{ss}", "brain_key", "l"), NULL, NULL);
    call(m, m->session, "metrics.render", json_object(), NULL, NULL);
}

typedef void (*scenario)(world *m);

/* A scenario in a session of its own with an empty data directory, all closed at the end. */
static void session_run(scenario run, world *m)
{
    char data[4096];

    memset(m, 0, sizeof *m);
    snprintf(data, sizeof data, "%s/own", rig_directory);
    m->session = open_handle(m, 0, "session.open",
                             json_pack("{ss s[s] s{ss}}", "data_dir", data, "plugin_path",
                                       rig_directory, "environment", "HOME", rig_directory),
                             "session");
    run(m);
    disarm();
    close_handle(m, &m->scan);
    close_handle(m, &m->view);
    close_handle(m, &m->index);
    close_handle(m, &m->connection);
    close_handle(m, &m->session);
    tree_remove(data);
}

/* ---- what must not leak --------------------------------------------------------------- */

static int open_files(void)
{
    DIR *directory = opendir("/proc/self/fd");
    int count = 0;

    if (!directory)
        abort();
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

/* How many slots for handles there ever were: it rises if they are not given back. */
static uint64_t slots_used(void)
{
    world m[16];
    uint64_t most = 0;

    for (size_t i = 0; i < 16; i++) {
        memset(&m[i], 0, sizeof m[i]);
        m[i].session = open_handle(&m[i], 0, "session.open", json_object(), "session");
        if ((m[i].session & UINT32_MAX) > most)
            most = m[i].session & UINT32_MAX;
    }
    for (size_t i = 0; i < 16; i++)
        close_handle(&m[i], &m[i].session);
    return most;
}

static void report(const world *m, long number, const char *what)
{
    fprintf(stderr, "allocation %ld: %s: %s, %s: %s\n", number, what, m->method ? m->method : "-",
            simplugin_code_name(m->code), m->message);
}

/* Each allocation of a scenario fails once. */
static void every_failure(scenario run)
{
    world m;
    long number = 1, leaked, tolerated = 0;
    uint64_t slots;
    int files, more = 1;

    /* what is made once for the process is made by now */
    for (int i = 0; i < 3; i++) {
        atomic_store(&countdown, -1);
        session_run(run, &m);
        CU_ASSERT_EQUAL(m.code, SIMPLUGIN_OK);
        CU_ASSERT_FALSE(m.wrong);
        if (m.code)
            report(&m, 0, "nothing failed");
    }
    slots = slots_used();
    files = open_files();
    for (; more; number++) {
        leaked = -atomic_load(&live);
        atomic_store(&failed, 0);
        atomic_store(&countdown, number);
        session_run(run, &m);
        leaked += atomic_load(&live);
        more = atomic_load(&failed);
        if (m.wrong || (m.code && m.code != SIMPLUGIN_OUT_OF_MEMORY) || (m.code && !more))
            report(&m, number, "not as it should be");
        CU_ASSERT_FALSE(m.wrong);
        CU_ASSERT(m.code == SIMPLUGIN_OK || (more && m.code == SIMPLUGIN_OUT_OF_MEMORY));
        tolerated += more && !m.code;
        if (leaked) {
            report(&m, number, "leak");
            fprintf(stderr, "  %ld allocations more\n", leaked);
        }
        CU_ASSERT_EQUAL(leaked, 0);
        CU_ASSERT_EQUAL(open_files(), files);
    }
    atomic_store(&countdown, -1);
    CU_ASSERT_EQUAL(slots_used(), slots);
    fprintf(stderr, "%ld allocations, %ld of them not needed\n", number - 2, tolerated);
    CU_ASSERT(number > 100);
}

static void index_calls(void)
{
    every_failure(index_life);
}

static void copy_calls(void)
{
    every_failure(copying);
}

static void administration_calls(void)
{
    every_failure(administration);
}

/* ---- the first calls of a process ----------------------------------------------------- */

/* As a program begins: the default session, the plugin is loaded, an index made and left. */
static void first_calls(world *m)
{
    int64_t number = 0;

    memset(m, 0, sizeof *m);
    m->index = open_handle(m, 0, "index.create",
                           json_pack("{ss ss si}", "dataset", "d", "brain_key", "k", "dimension", 2),
                           "index");
    call(m, m->index, "index.add",
         json_pack("{s[s] s[[ii]]}", "ids", "a", "vectors", 1, 0), "added", &number);
    expect(m, number, 1);
    call(m, m->index, "index.cleanup", json_object(), NULL, NULL);
    call(m, 0, "runs.delete", json_pack("{ss ss}", "dataset", "d", "brain_key", "k"), NULL, NULL);
    disarm();
    close_handle(m, &m->index);
}

/* What the failure of first_calls may have left: an index that was made, and its run. */
static void first_calls_undo(void)
{
    world m = {0};

    m.index = open_handle(&m, 0, "index.open",
                          json_pack("{ss ss}", "dataset", "d", "brain_key", "k"), "index");
    call(&m, m.index, "index.cleanup", json_object(), NULL, NULL);
    m.code = SIMPLUGIN_OK;
    call(&m, 0, "runs.delete", json_pack("{ss ss}", "dataset", "d", "brain_key", "k"), NULL, NULL);
    disarm();
    close_handle(&m, &m.index);
}

/* What a child found, as its exit status; others, such as 1, mean that something called exit. */
enum { NOT_REACHED = 100, TOLERATED, AS_IT_SHOULD_BE, BAD_CODE, NO_RECOVERY, LEAK };

/* In a process of its own, whose allocation of that number fails. */
static int first_calls_failing(long number)
{
    world m, again;
    int result = NOT_REACHED;

    atomic_store(&countdown, number);
    first_calls(&m);
    if (atomic_load(&failed))
        result = m.code ? AS_IT_SHOULD_BE : TOLERATED;
    /* what dlopen lacked is told in words only */
    if (m.wrong ||
        (m.code && (result == NOT_REACHED || (m.code != SIMPLUGIN_OUT_OF_MEMORY &&
                                              m.code != SIMPLUGIN_PLUGIN_UNLOADABLE)))) {
        report(&m, number, "not as it should be");
        result = BAD_CODE;
    }
    /* of an index.create that failed nothing is left; the same calls succeed now */
    atomic_store(&countdown, -1);
    if (m.code && strcmp(m.method, "index.create"))
        first_calls_undo();
    first_calls(&again);
    if (again.code || again.wrong) {
        report(&m, number, "first");
        report(&again, number, "but then");
        result = NO_RECOVERY;
    }
    if (slots_used() != 16) {
        report(&m, number, "a handle stays open");
        result = LEAK;
    }
    return result;
}

static void cold(void)
{
    char data[4096];
    long number = 1, tolerated = 0, right = 0;
    int result = TOLERATED;

    snprintf(data, sizeof data, "%s/data", rig_directory);
    for (; result != NOT_REACHED && number < 100000; number++) {
        pid_t child = fork();
        int status = -1;

        if (child == 0)
            _exit(first_calls_failing(number));
        CU_ASSERT_FATAL(child > 0 && waitpid(child, &status, 0) == child);
        if (!WIFEXITED(status))
            fprintf(stderr, "allocation %ld: signal %d\n", number, WTERMSIG(status));
        CU_ASSERT(WIFEXITED(status));
        result = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
        CU_ASSERT(result >= NOT_REACHED && result <= AS_IT_SHOULD_BE);
        tolerated += result == TOLERATED;
        right += result == AS_IT_SHOULD_BE;
        tree_remove(data);
    }
    fprintf(stderr, "%ld allocations, %ld of them not needed\n", number - 2, tolerated);
    CU_ASSERT(right > 100);
}

static const unit_case cases[] = {
    UNIT_CASE(cold, "whichever allocation of a process's first calls fails, later calls succeed"),
    UNIT_CASE(index_calls, "whichever allocation fails: OUT_OF_MEMORY, nothing leaks"),
    UNIT_CASE(copy_calls, "R276 the same for copies"),
    UNIT_CASE(administration_calls, "the same for configuration, connections and records"),
};

int main(void)
{
    rig_init();
    /*
     * libgfortran and OpenBLAS end the process, or crash, when they have no memory to begin
     * with: they begin here. The plugin itself is entered by the library, later.
     */
    if (!dlopen(TEST_TOP_BUILDDIR "/.libs/simplugin_sklearn_flat.so", RTLD_NOW | RTLD_LOCAL))
        return 2;
    return unit_run("allocation failures", cases, sizeof cases / sizeof cases[0]);
}
