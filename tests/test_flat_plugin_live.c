/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flat backend while things happen: other threads and processes write, calls are
 * cancelled and run out of time, memory ends, collections go away.
 */
#include "config.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "flat_rig.h"
#include "store_internal.h"

#define DIMENSION 8
#define BLOCK_ROWS 64 /* small, so that folding and merging happen all the time */

/* ThreadSanitizer gives up in a child that starts threads, unless it is told not to. */
const char *__tsan_default_options(void);
__attribute__((visibility("default"))) const char *__tsan_default_options(void)
{
    return "die_after_fork=0";
}

/* ---- allocations that fail ----------------------------------------------------------------- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

/* The allocations until one fails, of this thread alone; 0: none does. */
static _Thread_local uint64_t allocations_left;
static _Thread_local int allocation_failed;

static int fails(void)
{
    if (!allocations_left || --allocations_left)
        return 0;
    allocation_failed = 1;
    return 1;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

/* ---- a host that can be told to cancel and to run out of memory ------------------------------ */

static simplugin_host host;
static atomic_llong cancels_left; /* questions until the answer is yes; 0: it never is */

static int32_t cancelled(uint64_t cancel)
{
    if (!cancel)
        return 0;
    if (atomic_load(&cancels_left) > 1)
        return atomic_fetch_sub(&cancels_left, 1) <= 1;
    return atomic_load(&cancels_left) == 1;
}

static void live_open(flat_rig *rig)
{
    simplugin_error *error = NULL;

    flat_block_rows_forced = BLOCK_ROWS;
    host = sp_host;
    host.cancelled = cancelled;
    rig_open(rig);
    CU_ASSERT_EQUAL(simplugin_backend_entry(&host, &rig->backend, &error), SIMPLUGIN_OK);
}

static void live_close(flat_rig *rig)
{
    rig_close(rig);
    flat_block_rows_forced = 0;
}

/* One point; page INT64_MIN: without that field. */
static int32_t add_one(const flat_rig *rig, const char *id, const float *row, int64_t page)
{
    question *ask = ask_new(rig, "c");
    sp_column column = {.type = SP_INT64, .count = 1};
    int32_t code;

    with_ids(ask, id);
    with_vectors(ask, row, 1, DIMENSION);
    column.values = &page;
    if (page != INT64_MIN) {
        with_fields(ask, 1);
        with_field(ask, "page", column);
    }
    code = ask_send(ask, "points.upsert");
    ask_free(ask);
    return code;
}

/* ---- scans beside writers -------------------------------------------------------------------- */

#define STABLE 600

typedef struct churner {
    const flat_rig *rig;
    atomic_int stop;
    atomic_int failed;
    atomic_ullong rounds;
} churner;

/* Replaces points that stay, adds others and takes them away again. */
static void *churn_run(void *context)
{
    churner *churn = context;
    float row[DIMENSION];
    char id[40];

    for (uint64_t round = 0; !atomic_load(&churn->stop); round++) {
        fill(row, DIMENSION, round);
        sprintf(id, "p%d", (int)(round * 7919 % STABLE));
        if (add_one(churn->rig, id, row, (int64_t)round))
            atomic_store(&churn->failed, 1);
        sprintf(id, "q%d", (int)(round % 200));
        if (round / 200 % 2 == 0) {
            if (add_one(churn->rig, id, row, INT64_MIN))
                atomic_store(&churn->failed, 1);
        } else {
            question *ask = ask_new(churn->rig, "c");

            with_ids(ask, id);
            if (ask_send(ask, "points.delete"))
                atomic_store(&churn->failed, 1);
            ask_free(ask);
        }
        atomic_fetch_add(&churn->rounds, 1);
    }
    return NULL;
}

/* One whole scan; how many stable points did not come exactly once. */
static int scan_faults(const flat_rig *rig, int64_t max_rows, const char *filter)
{
    int seen[STABLE] = {0}, faults = 0;
    uint8_t cursor[256];
    uint64_t size = 0;
    simplugin_value value;

    do {
        question *ask = ask_new(rig, "c");
        sp_column ids;

        if (size) {
            key(ask, "cursor");
            simplugin_write_bytes(&ask->writer, cursor, size);
        }
        with_int(ask, "max_rows", max_rows);
        if (filter)
            with_filter(ask, filter);
        if (!ask_expect(ask, "points.scan", SIMPLUGIN_OK)) {
            ask_free(ask);
            return -1;
        }
        ids = get_column(ask, &ask->map, "ids");
        for (uint64_t i = 0; i < ids.count; i++) {
            sp_text id = sp_column_text(&ids, i);

            if (id.data[0] == 'p')
                seen[strtoul(id.data + 1, NULL, 10) % STABLE]++;
        }
        size = 0;
        if (simplugin_find(&ask->map, "cursor", &value)) {
            size = value.size;
            memcpy(cursor, value.data, size);
        }
        ask_free(ask);
    } while (size);
    for (int i = 0; i < STABLE; i++)
        faults += seen[i] != 1;
    return faults;
}

static void scan_beside_writers(void)
{
    static float rows[STABLE][DIMENSION];
    flat_rig rig;
    churner churn = {.rig = &rig};
    pthread_t thread;

    live_open(&rig);
    make(&rig, "c", DIMENSION, "euclidean");
    fill(rows[0], STABLE * DIMENSION, 1);
    add(&rig, "c", 0, rows[0], STABLE, DIMENSION);
    CU_ASSERT_EQUAL(pthread_create(&thread, NULL, churn_run, &churn), 0);
    for (int i = 0; i < 12 || atomic_load(&churn.rounds) < 700; i++) {
        /* the third kind of page is always there, whatever page says at the moment */
        CU_ASSERT_EQUAL(scan_faults(&rig, i % 3 ? 37 : 5, i % 2 ? "page >= 0 or not exists(page)"
                                                                 : NULL), 0);
        if (i % 5 == 4) {
            question *ask = ask_new(&rig, "c");

            ask_expect(ask, "collection.compact", SIMPLUGIN_OK);
            ask_free(ask);
        }
    }
    atomic_store(&churn.stop, 1);
    pthread_join(thread, NULL);
    CU_ASSERT_FALSE(atomic_load(&churn.failed));
    CU_ASSERT_EQUAL(scan_faults(&rig, 1000, NULL), 0);
    live_close(&rig);
}

/* ---- searches beside writers ------------------------------------------------------------------- */

typedef struct searcher {
    const flat_rig *rig;
    const float *rows;
    uint64_t number;
    int64_t view;
    int faults;
} searcher;

/* A point that is there, and is not replaced, is its own nearest. */
static void *searcher_run(void *context)
{
    searcher *s = context;

    for (uint64_t i = 0; i < 60; i++) {
        uint64_t row = (i * 31 + s->number * 17) % STABLE;
        question *ask = ask_new(s->rig, "c");
        char id[20];

        sprintf(id, "s%d", (int)row);
        with_vectors(ask, s->rows + row * DIMENSION, 1, DIMENSION);
        with_int(ask, "k", 1);
        if (i % 3 == 1)
            with_filter(ask, "page == 1");
        if (i % 3 == 2)
            with_int(ask, "view", s->view);
        if (ask_send(ask, "search") || strcmp(get_ids(ask, "ids"), id) != 0)
            s->faults++;
        ask_free(ask);
    }
    return NULL;
}

static void search_beside_writers(void)
{
    static float rows[STABLE][DIMENSION];
    char *words = calloc(1, STABLE * 8);
    int64_t pages[STABLE];
    sp_column column = {.type = SP_INT64, .count = STABLE};
    flat_rig rig;
    churner churn = {.rig = &rig};
    searcher searchers[8];
    pthread_t threads[8], writer;
    question *ask;
    int64_t view;

    live_open(&rig);
    make(&rig, "c", DIMENSION, "euclidean");
    fill(rows[0], STABLE * DIMENSION, 1);
    for (int i = 0; i < STABLE; i++) {
        sprintf(words + strlen(words), "%ss%d", i ? " " : "", i);
        pages[i] = 1;
    }
    column.values = pages;
    ask = ask_new(&rig, "c");
    with_ids(ask, words);
    with_vectors(ask, rows[0], STABLE, DIMENSION);
    with_fields(ask, 1);
    with_field(ask, "page", column);
    ask_expect(ask, "points.upsert", SIMPLUGIN_OK);
    ask_free(ask);
    ask = ask_new(&rig, "c");
    with_ids(ask, words);
    ask_expect(ask, "view.create", SIMPLUGIN_OK);
    view = get_int(ask, "view");
    ask_free(ask);
    CU_ASSERT_EQUAL(pthread_create(&writer, NULL, churn_run, &churn), 0);
    for (uint64_t i = 0; i < 8; i++) {
        searchers[i] = (searcher){&rig, rows[0], i, view, 0};
        CU_ASSERT_EQUAL(pthread_create(&threads[i], NULL, searcher_run, &searchers[i]), 0);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        CU_ASSERT_EQUAL(searchers[i].faults, 0);
    }
    atomic_store(&churn.stop, 1);
    pthread_join(writer, NULL);
    CU_ASSERT_FALSE(atomic_load(&churn.failed));
    free(words);
    live_close(&rig);
}

/* ---- views beside writers ---------------------------------------------------------------------- */

typedef struct counter {
    const flat_rig *rig;
    int64_t view;
    int faults;
} counter;

/* The view's points are replaced all the time, but always there. */
static void *counter_run(void *context)
{
    counter *c = context;

    for (int i = 0; i < 200; i++) {
        question *ask = ask_new(c->rig, "c");

        with_int(ask, "view", c->view);
        if (ask_send(ask, "points.count") || get_int(ask, "count") != STABLE)
            c->faults++;
        ask_free(ask);
    }
    return NULL;
}

static void views_beside_writers(void)
{
    static float rows[STABLE][DIMENSION];
    char *words = calloc(1, STABLE * 8 + 200 * 8);
    flat_rig rig;
    churner churn = {.rig = &rig};
    counter counters[4];
    pthread_t threads[4], writer;
    int64_t views[2], known[2];
    question *ask;

    live_open(&rig);
    make(&rig, "c", DIMENSION, "euclidean");
    fill(rows[0], STABLE * DIMENSION, 1);
    add(&rig, "c", 0, rows[0], STABLE, DIMENSION);
    for (int i = 0; i < STABLE; i++)
        sprintf(words + strlen(words), "%sp%d", i ? " " : "", i);
    for (int again = 0; again < 2; again++) {
        ask = ask_new(&rig, "c");
        with_ids(ask, words);
        ask_expect(ask, "view.create", SIMPLUGIN_OK);
        views[again] = get_int(ask, "view");
        ask_free(ask);
        for (int i = 0; !again && i < 150; i++)
            sprintf(words + strlen(words), " q%d", i);
    }
    CU_ASSERT_EQUAL(pthread_create(&writer, NULL, churn_run, &churn), 0);
    for (int i = 0; i < 4; i++) {
        counters[i] = (counter){&rig, views[0], 0};
        CU_ASSERT_EQUAL(pthread_create(&threads[i], NULL, counter_run, &counters[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        CU_ASSERT_EQUAL(counters[i].faults, 0);
    }
    while (atomic_load(&churn.rounds) < 500) {
        ask = ask_new(&rig, "c");
        with_int(ask, "view", views[1]);
        ask_expect(ask, "points.count", SIMPLUGIN_OK);
        CU_ASSERT_TRUE(get_int(ask, "count") >= STABLE);
        ask_free(ask);
    }
    atomic_store(&churn.stop, 1);
    pthread_join(writer, NULL);
    CU_ASSERT_FALSE(atomic_load(&churn.failed));
    /* the view that went along has what is there */
    for (int again = 0; again < 2; again++) {
        ask = ask_new(&rig, "c");
        if (again)
            with_ids(ask, words);
        else
            with_int(ask, "view", views[1]);
        ask_expect(ask, again ? "points.get" : "points.count", SIMPLUGIN_OK);
        known[again] = again ? (int64_t)get_tensor(ask, "positions")->rows : get_int(ask, "count");
        ask_free(ask);
    }
    CU_ASSERT_EQUAL(known[0], known[1]);
    free(words);
    live_close(&rig);
}

/* ---- deleting by filter beside a writer ---------------------------------------------------------- */

#define ADDED 300

typedef struct page_adder {
    const flat_rig *rig;
    atomic_int done;
    int faults;
} page_adder;

static void *adder_run(void *context)
{
    page_adder *adder = context;
    float row[DIMENSION] = {1};

    for (int i = 0; i < ADDED; i++) {
        char id[20];

        sprintf(id, "a%d", i);
        adder->faults += add_one(adder->rig, id, row, i % 2) != SIMPLUGIN_OK;
    }
    atomic_store(&adder->done, 1);
    return NULL;
}

static int64_t delete_page(const flat_rig *rig, const char *filter)
{
    question *ask = ask_new(rig, "c");
    int64_t deleted;

    with_filter(ask, filter);
    ask_expect(ask, "points.delete", SIMPLUGIN_OK);
    deleted = get_int(ask, "deleted");
    ask_free(ask);
    return deleted;
}

static void delete_beside_writers(void)
{
    flat_rig rig;
    page_adder adder = {.rig = &rig};
    pthread_t thread;
    int64_t deleted = 0;

    live_open(&rig);
    make(&rig, "c", DIMENSION, "euclidean");
    CU_ASSERT_EQUAL(pthread_create(&thread, NULL, adder_run, &adder), 0);
    while (!atomic_load(&adder.done))
        deleted += delete_page(&rig, "page == 1");
    pthread_join(thread, NULL);
    deleted += delete_page(&rig, "page == 1");
    CU_ASSERT_EQUAL(adder.faults, 0);
    CU_ASSERT_EQUAL(deleted, ADDED / 2);
    CU_ASSERT_EQUAL(count_of(&rig, "c"), ADDED / 2);
    live_close(&rig);
}

/* ---- every method, in a collection of some size ---------------------------------------------------- */

typedef struct step {
    const char *method;
    void (*fill)(question *ask);
    int writes;
} step;

static float sample[300][DIMENSION];

static void fill_vectors(question *ask)
{
    with_vectors(ask, sample[0], 3, DIMENSION);
    with_int(ask, "k", 5);
    with_bool(ask, "fields", 1);
    with_bool(ask, "with_vectors", 1);
    with_filter(ask, "page in [1, 3] or exists(word)");
    with_int(ask, "view", 1);
}

static void fill_radius(question *ask)
{
    with_vectors(ask, sample[0], 3, DIMENSION);
    with_double(ask, "radius", 1.5);
    with_names(ask, "fields", "page tags");
}

static void fill_k(question *ask)
{
    with_int(ask, "k", 3);
}

static void fill_ids(question *ask)
{
    with_ids(ask, "p3 p9 nobody p77");
}

static void fill_get(question *ask)
{
    fill_ids(ask);
    with_bool(ask, "fields", 1);
}

static void fill_count(question *ask)
{
    with_filter(ask, "word == 'w' and page != 4");
}

static void fill_scan(question *ask)
{
    with_filter(ask, "page >= 1");
    with_bool(ask, "fields", 1);
    with_int(ask, "max_rows", 100);
}

static void fill_upsert(question *ask)
{
    with_ids(ask, "p3 new p9");
    with_vectors(ask, sample[20], 3, DIMENSION);
    with_fields(ask, 2);
    with_field(ask, "word", column_of(ask, SP_TEXT, "w - v"));
    with_field(ask, "tags", column_of_lists(ask, SP_TEXT, "x,y - ."));
}

static void fill_set(question *ask)
{
    with_ids(ask, "p4 p5 nobody");
    with_fields(ask, 2);
    with_field(ask, "word", column_of(ask, SP_TEXT, "w - v"));
    with_field(ask, "page", column_of(ask, SP_TEXT, "- - -"));
}

static void fill_delete(question *ask)
{
    with_filter(ask, "word == 'w' or page >= 0");
}

static void fill_nothing(question *ask)
{
    (void)ask;
}

static const step steps[] = {
    {"points.upsert", fill_upsert, 1},
    {"points.set_fields", fill_set, 1},
    {"view.create", fill_ids, 0},
    {"search", fill_vectors, 0},
    {"search.radius", fill_radius, 0},
    {"search.neighbors", fill_k, 0},
    {"points.get", fill_get, 0},
    {"points.count", fill_count, 0},
    {"points.scan", fill_scan, 0},
    {"collection.describe", fill_nothing, 0},
    {"points.delete", fill_delete, 1},
    {"points.delete", fill_ids, 1},
    {"collection.check", fill_nothing, 0},
    {"collection.compact", fill_nothing, 1},
};

#define STEPS (sizeof steps / sizeof steps[0])

static void sample_open(flat_rig *rig)
{
    question *ask;

    live_open(rig);
    make(rig, "c", DIMENSION, "cosine");
    fill(sample[0], 300 * DIMENSION, 8);
    add(rig, "c", 0, sample[0], 300, DIMENSION);
    for (int i = 0; i < 5; i++) {
        char id[20];

        sprintf(id, "p%d", i * 50);
        CU_ASSERT_EQUAL(add_one(rig, id, sample[i], i), SIMPLUGIN_OK);
    }
    ask = ask_new(rig, "c");
    with_ids(ask, "p0 p1 p2 p150 nobody");
    ask_expect(ask, "view.create", SIMPLUGIN_OK);
    ask_free(ask);
}

static void cancelling(void)
{
    flat_rig rig;

    sample_open(&rig);
    for (size_t i = 0; i < STEPS; i++) {
        int32_t code = SIMPLUGIN_CANCELLED;
        int asked = 0;

        /* at the first question, at the second, ... until the method ends before it is asked */
        while (code == SIMPLUGIN_CANCELLED && asked < 10000) {
            question *ask = ask_new(&rig, "c");

            atomic_store(&cancels_left, ++asked);
            ask->cancel = 1;
            steps[i].fill(ask);
            code = ask_send(ask, steps[i].method);
            atomic_store(&cancels_left, 0);
            ask_free(ask);
        }
        CU_ASSERT_EQUAL(code, SIMPLUGIN_OK);
        CU_ASSERT_TRUE(asked > 1);
    }
    live_close(&rig);
}

static void deadlines(void)
{
    flat_rig rig;

    sample_open(&rig);
    for (size_t i = 0; i < STEPS; i++) {
        question *ask = ask_new(&rig, "c");

        ask->deadline = sp_clock_now() - 1;
        steps[i].fill(ask);
        ask_refused(ask, steps[i].method, SIMPLUGIN_DEADLINE_EXCEEDED, "timeout");
        ask_free(ask);
    }
    CU_ASSERT_EQUAL(count_of(&rig, "c"), 300);
    live_close(&rig);
}

static void *cancel_soon(void *context)
{
    (void)context;
    atomic_store(&cancels_left, 1);
    return NULL;
}

/* Somebody else has the turn to write. */
static void waiting(void)
{
    static const sp_text name = {"c", 1};
    flat_rig rig;
    flat_store *store = NULL;
    flat_writer writer;
    char root[4096], pid[32];
    question *ask;
    pthread_t thread;

    sample_open(&rig);
    snprintf(root, sizeof root, "%s/sklearn_flat", rig.dir);
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    CU_ASSERT_EQUAL_FATAL(flat_store_open(root, name, &store, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL_FATAL(flat_writer_begin(store, &flat_wait_forever, &writer, NULL),
                          SIMPLUGIN_OK);
    for (size_t i = 0; i < STEPS; i++) {
        if (!steps[i].writes)
            continue;
        ask = ask_new(&rig, "c");
        steps[i].fill(ask);
        ask->deadline = sp_clock_now() + 200000000;
        ask_refused(ask, steps[i].method, SIMPLUGIN_BUSY, pid);
        ask_free(ask);
    }
    /* who only reads does not wait */
    CU_ASSERT_EQUAL(count_of(&rig, "c"), 300);
    ask = ask_new(&rig, "c");
    ask->cancel = 1;
    fill_upsert(ask);
    CU_ASSERT_EQUAL(pthread_create(&thread, NULL, cancel_soon, NULL), 0);
    ask_expect(ask, "points.upsert", SIMPLUGIN_CANCELLED);
    pthread_join(thread, NULL);
    atomic_store(&cancels_left, 0);
    ask_free(ask);
    flat_writer_end(&writer);
    flat_store_close(store);
    CU_ASSERT_EQUAL(add_one(&rig, "after", sample[0], 1), SIMPLUGIN_OK);
    live_close(&rig);
}

/* ---- memory ----------------------------------------------------------------------------------------- */

static void memory_ends(void)
{
    flat_rig rig;

    sample_open(&rig);
    for (size_t i = 0; i < STEPS; i++) {
        uint64_t n = 0;
        int32_t code;
        int failed;

        do {
            question *ask = ask_new(&rig, "c");

            steps[i].fill(ask);
            allocation_failed = 0;
            allocations_left = ++n;
            code = ask_send(ask, steps[i].method);
            failed = allocation_failed;
            allocations_left = 0;
            CU_ASSERT_TRUE(code == SIMPLUGIN_OK || code == SIMPLUGIN_OUT_OF_MEMORY);
            if (code != SIMPLUGIN_OK && code != SIMPLUGIN_OUT_OF_MEMORY)
                printf("\n    %s, allocation %d: %s\n", steps[i].method, (int)n,
                       simplugin_error_message(ask->error, NULL));
            ask_free(ask);
        } while (failed && n < 5000);
        CU_ASSERT_EQUAL(code, SIMPLUGIN_OK);
        CU_ASSERT_FALSE(failed);
    }
    live_close(&rig);
}

static void memory_ends_early(void)
{
    simplugin_call_info info = {.size = sizeof info, .method = "open", .method_size = 4,
                                .deadline = INT64_MAX};
    flat_rig rig, again;
    simplugin_request request;
    simplugin_writer writer;
    int failed = 1;

    sample_open(&rig);
    again = rig;
    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 1);
    simplugin_write_string(&writer, "data_dir");
    simplugin_write_string(&writer, rig.dir);
    request = simplugin_writer_request(&writer);
    for (uint64_t n = 1; failed && n < 5000; n++) {
        question *ask = ask_new(&again, "c");
        int32_t code;

        allocation_failed = 0;
        allocations_left = n;
        again.instance = NULL;
        code = rig.backend->open(&info, &request, &again.instance, NULL);
        if (!code)
            code = ask_send(ask, "points.count");
        failed = allocation_failed;
        allocations_left = 0;
        CU_ASSERT_TRUE(code == SIMPLUGIN_OK || code == SIMPLUGIN_OUT_OF_MEMORY);
        ask_free(ask);
        rig.backend->close(again.instance);
    }
    CU_ASSERT_FALSE(failed);
    simplugin_writer_clear(&writer);
    live_close(&rig);
}

/* ---- other processes ---------------------------------------------------------------------------------- */

/* Runs fn in a child, which has a minute; its answer, or -1 if it died. */
static int in_child(int (*fn)(flat_rig *rig), flat_rig *rig)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        alarm(60);
        _exit(fn(rig));
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return -1;
    if (WIFSIGNALED(status))
        printf("\n    the child died of signal %d\n", WTERMSIG(status));
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int child_drops(flat_rig *rig)
{
    question *ask = ask_new(rig, "c");

    rig->instance = rig_instance(rig);
    return ask_send(ask, "collection.drop");
}

static int child_drops_and_makes(flat_rig *rig)
{
    int code = child_drops(rig);
    question *ask = ask_new(rig, "c");

    with_int(ask, "dimension", 3);
    return code ? code : ask_send(ask, "collection.create");
}

static void dropped_elsewhere(void)
{
    static const float row[3] = {1, 2, 3};
    flat_rig rig;
    question *ask;

    for (int again = 0; again < 2; again++) {
        sample_open(&rig);
        CU_ASSERT_EQUAL(count_of(&rig, "c"), 300);
        CU_ASSERT_EQUAL(in_child(again ? child_drops_and_makes : child_drops, &rig),
                        SIMPLUGIN_OK);
        if (again) {
            CU_ASSERT_EQUAL(count_of(&rig, "c"), 0);
        } else {
            for (size_t i = 0; i < STEPS; i++) {
                ask = ask_new(&rig, "c");
                steps[i].fill(ask);
                ask_refused(ask, steps[i].method, SIMPLUGIN_NOT_FOUND, "\"c\"");
                ask_free(ask);
            }
            make(&rig, "c", 3, "cosine");
        }
        add(&rig, "c", 0, row, 1, 3);
        CU_ASSERT_EQUAL(count_of(&rig, "c"), 1);
        live_close(&rig);
    }
}

static int child_goes_on(flat_rig *rig)
{
    question *ask;

    for (size_t i = 0; i < STEPS; i++) {
        ask = ask_new(rig, "c");
        steps[i].fill(ask);
        ask_send(ask, steps[i].method);
        if (ask->code != SIMPLUGIN_OK && ask->code != SIMPLUGIN_FORKED) {
            printf("\n    %s: %s\n", steps[i].method, simplugin_error_message(ask->error, NULL));
            fflush(stdout);
            return ask->code;
        }
        ask_free(ask);
    }
    rig->backend->close(rig->instance);
    return 0;
}

/* The collection is in use, by a thread that writes as well, at the moment of the fork. */
static void forking(void)
{
    flat_rig rig;
    churner churn = {.rig = &rig};
    pthread_t thread;

    sample_open(&rig);
    CU_ASSERT_EQUAL(pthread_create(&thread, NULL, churn_run, &churn), 0);
    for (int i = 0; i < 10; i++)
        CU_ASSERT_EQUAL(in_child(child_goes_on, &rig), 0);
    atomic_store(&churn.stop, 1);
    pthread_join(thread, NULL);
    CU_ASSERT_FALSE(atomic_load(&churn.failed));
    CU_ASSERT_TRUE(count_of(&rig, "c") > 0);
    live_close(&rig);
}

/* ---- what is held ------------------------------------------------------------------------------------- */

static int entries(const char *path)
{
    DIR *dir = opendir(path);
    int count = 0;

    while (dir && readdir(dir))
        count++;
    if (dir)
        closedir(dir);
    return count;
}

static void bounded(void)
{
    static const float row[DIMENSION] = {1};
    int files, threads;
    flat_rig rig;

    live_open(&rig);
    files = entries("/proc/self/fd");
    threads = entries("/proc/self/task");
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 100; i++) {
            char name[20];

            sprintf(name, "c%d", i);
            if (!round)
                make(&rig, name, DIMENSION, "cosine");
            add(&rig, name, (uint64_t)round, row, 1, DIMENSION);
            CU_ASSERT_EQUAL(count_of(&rig, name), round + 1);
            CU_ASSERT_TRUE(entries("/proc/self/fd") <= files + 100);
            CU_ASSERT_TRUE(entries("/proc/self/task") <= threads + 40);
        }
    rig.backend->close(rig.instance);
    CU_ASSERT_EQUAL(entries("/proc/self/fd"), files);
    CU_ASSERT_EQUAL(entries("/proc/self/task"), threads);
    rig.instance = NULL;
    live_close(&rig);
}

static const unit_case cases[] = {
    UNIT_CASE(scan_beside_writers, "a scan gives each point once while rows move"),
    UNIT_CASE(search_beside_writers, "R274 searches beside writers find what is there"),
    UNIT_CASE(views_beside_writers, "R92 a view follows its points beside writers"),
    UNIT_CASE(delete_beside_writers, "deleting by filter beside a writer misses nothing"),
    UNIT_CASE(cancelling, "R274 every method ends wherever it is cancelled"),
    UNIT_CASE(deadlines, "R274 every method knows its deadline"),
    UNIT_CASE(waiting, "a writer that waits names who is in the way, and can be cancelled"),
    UNIT_CASE(memory_ends, "every allocation of every method may fail"),
    UNIT_CASE(memory_ends_early, "every allocation of opening may fail"),
    UNIT_CASE(dropped_elsewhere, "a collection that another process dropped is gone, and comes back new"),
    UNIT_CASE(forking, "after fork a call works or says FORKED"),
    UNIT_CASE(bounded, "files and threads are bounded, and given back"),
};

UNIT_MAIN("flat plugin live", cases)
