/* SPDX-License-Identifier: Apache-2.0 */
/* What is written is what is read: at once, by everybody, however much it is. */
#include "config.h"

#include "milvus_live.h"

#include <math.h>
#include <pthread.h>
#include <unistd.h>

/* ---- consistency ------------------------------------------------------------------------------- */

static void reads_its_writes(void)
{
    live_made made = live_create("'dimension': 4, 'metric': 'euclidean', 'parameters': "
                                 "{'index_type': 'FLAT'}");

    if (!server.is_lite) {
        MUST(live_do(&made, "collection.describe") == SIMPLUGIN_OK);
        CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(
                                   json_object_get(rig_reply, "attributes"), "consistency_level")),
                               "Session");
    }
    for (int i = 0; i < 20; i++) {
        ASK(made.index, "index.add",
            "{'ids': ['a%d', 'b'], 'vectors': [[%d, 0, 0, 0], [0, %d, 0, 0]], 'fields': {'n': [%d, %d]}}",
            i, i + 1, i + 1, i, i);
        switch (i % 4) { /* each as the first to read */
        case 0: CU_ASSERT_EQUAL(live_size(made.index), i + 2); break;
        case 1:
            ASK(made.index, "index.get", "{'ids': ['a%d'], 'fields': ['n']}", i);
            REPLY("missing", "[]");
            break;
        case 2:
            ASK(made.index, "index.search", "{'vectors': [[0, %d, 0, 0]], 'k': 1, 'fields': ['n']}",
                i + 1);
            REPLY("ids", "['b']");
            REPLY("distances", "[0.0]");
            break;
        default: ASK(made.index, "index.size", "{'filter': 'n == %d'}", i); REPLY("size", "2");
        }
    }
    /* exact, right after deletions */
    for (int i = 0; i < 10; i++) {
        ASK(made.index, "index.remove", "{'ids': ['a%d', 'nobody']}", i);
        REPLY("removed", "1");
        CU_ASSERT_EQUAL(live_size(made.index), 20 - i);
    }
    ASK(made.index, "index.remove", "{'filter': 'n >= 19'}");
    CU_ASSERT_EQUAL(live_size(made.index), 9);
    ASK(made.index, "index.remove", "{'all': true}");
    CU_ASSERT_EQUAL(live_size(made.index), 0);
    live_drop(&made);
}

/* The example of the documents: 200, minus 10, plus 20. */
static void removes_and_adds(void)
{
    live_made made = live_create("'dimension': 512, 'metric': 'cosine'");
    float *rows = live_normal(11, 220, 512);

    MUST(live_add(made.index, rows, 0, 200, 512) == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(live_size(made.index), 200);
    MUST(live_remove(made.index, 0, 10, 1) == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(live_size(made.index), 190);
    MUST(live_add(made.index, rows + 200 * 512, 200, 20, 512) == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(live_size(made.index), 210);
    free(rows);
    live_drop(&made);
}

static void all_levels(void)
{
    static const char *const levels[] = {"Strong", "Session", "Bounded", "Eventually"};

    for (size_t i = 0; i < 4; i++) {
        live_made made = live_create("'dimension': 2, 'parameters': {'index_type': 'FLAT', "
                                     "'consistency_level': '%s'}", levels[i]);
        int64_t end = live_now() + 15000;

        if (!server.is_lite) { /* which is always strong, and says so */
            MUST(live_do(&made, "collection.describe") == SIMPLUGIN_OK);
            CU_ASSERT_STRING_EQUAL(
                json_string_value(json_object_get(json_object_get(rig_reply, "attributes"),
                                                  "consistency_level")),
                levels[i]);
        }
        ASK(made.index, "index.add", "{'ids': ['a', 'b'], 'vectors': [[1, 0], [0, 1]]}");
        while (live_size(made.index) != 2 && i > 1 && live_now() < end)
            live_sleep(50);
        CU_ASSERT_EQUAL(live_size(made.index), 2);
        /* and any of them for one search */
        for (size_t j = 0; j < 4; j++) {
            ASK(made.index, "index.search",
                "{'vectors': [[1, 0]], 'k': 1, 'parameters': {'consistency_level': '%s'}}",
                levels[j]);
            REPLY("ids", "['a']");
        }
        FAILS(SIMPLUGIN_INVALID_ARGUMENT, "Strong, Session, Bounded or Eventually",
              ask(made.index, "index.search",
                  "{'vectors': [[1, 0]], 'parameters': {'consistency_level': 'Weak'}}"));
        live_drop(&made);
    }
}

/* ---- threads -------------------------------------------------------------------------------------- */

#define THREADS 8
#define ROUNDS 6
#define PER_ROUND 100
#define DIMENSION 16

typedef struct worker {
    pthread_t thread;
    uint64_t index, number;
    int failures;
} worker;

static void *worker_run(void *context)
{
    worker *w = context;
    uint64_t first = w->number * ROUNDS * PER_ROUND;
    float *rows = live_normal(100 + w->number, ROUNDS * PER_ROUND, DIMENSION);

    for (uint64_t round = 0; round < ROUNDS; round++) {
        const float *part = rows + round * PER_ROUND * DIMENSION;
        uint64_t *hits;

        w->failures +=
            live_add(w->index, part, first + round * PER_ROUND, PER_ROUND, DIMENSION) != 0;
        w->failures += live_search(w->index, part, 5, DIMENSION, 3, NULL, 0) != 0;
        for (uint64_t q = 0; rig_reply && q < 5; q++) {
            w->failures += live_hits(q, &hits) != 3 || hits[0] != first + round * PER_ROUND + q;
            free(hits);
        }
    }
    free(rows);
    json_decref(rig_reply);
    simplugin_error_free(&rig_error);
    return NULL;
}

static void threads_together(void)
{
    live_made made = live_create("'dimension': %d, 'metric': 'euclidean', 'parameters': "
                                 "{'index_type': 'FLAT'}", DIMENSION);
    worker workers[THREADS] = {{0}};

    for (uint64_t i = 0; i < THREADS; i++) {
        workers[i].index = made.index;
        workers[i].number = i;
        if (pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]))
            abort();
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        CU_ASSERT_EQUAL(workers[i].failures, 0);
    }
    CU_ASSERT_EQUAL(live_size(made.index), THREADS * ROUNDS * PER_ROUND);
    live_drop(&made);
}

/* ---- many points ------------------------------------------------------------------------------------- */

#define MANY_MAX 40000
#define WIDE 128

/* Shared by the cases below, and made by the first of them. */
static live_made many;
static float *many_rows;
static uint64_t many_count;

static void many_make(void)
{
    if (many.index)
        return;
    many_count = live_many(MANY_MAX, 17000);
    many_rows = live_normal(12, many_count, WIDE);
    many = live_create("'dimension': %d, 'metric': 'euclidean', 'parameters': "
                       "{'index_type': 'FLAT', 'batch_bytes': 1048576}", WIDE);
    rig_options.timeout_ms = 120000;
    for (uint64_t first = 0; first < many_count; first += 10000) {
        uint64_t count = many_count - first < 10000 ? many_count - first : 10000;

        MUST(live_add(many.index, many_rows + first * WIDE, first, count, WIDE) == SIMPLUGIN_OK);
    }
    CU_ASSERT_EQUAL(live_size(many.index), (int64_t)many_count);
}

static void many_added(void)
{
    many_make();
    /* again: nothing is doubled */
    MUST(live_add(many.index, many_rows + 5000 * WIDE, 5000, 10000, WIDE) == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(live_size(many.index), (int64_t)many_count);
}

static double distance(const float *a, const float *b)
{
    double sum = 0;

    for (int i = 0; i < WIDE; i++)
        sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    return sqrt(sum);
}

typedef struct near_row {
    double distance;
    uint64_t row;
} near_row;

static int near_compare(const void *a, const void *b)
{
    double x = ((const near_row *)a)->distance, y = ((const near_row *)b)->distance;

    return (x > y) - (x < y);
}

/* The rows, nearest to the query first. The caller frees them. */
static near_row *nearest(const float *query, const uint64_t *rows, uint64_t count)
{
    near_row *all = malloc((size_t)count * sizeof *all);

    if (!all)
        abort();
    for (uint64_t i = 0; i < count; i++) {
        all[i].row = rows ? rows[i] : i;
        all[i].distance = distance(query, many_rows + all[i].row * WIDE);
    }
    qsort(all, (size_t)count, sizeof *all, near_compare);
    return all;
}

/* Whether the last search's list q holds the k nearest; those at the same distance may swap. */
static int is_exact(uint64_t q, const float *query, const near_row *truth, uint64_t k)
{
    uint64_t *hits;
    uint64_t count = live_hits(q, &hits);
    int ok = count == k;

    for (uint64_t i = 0; ok && i < k; i++)
        ok = hits[i] < many_count &&
             fabs(distance(query, many_rows + hits[i] * WIDE) - truth[i].distance) < 1e-4;
    free(hits);
    return ok;
}

static void large_k(void)
{
    static const uint64_t ks[] = {16384, 16385, 30000};
    float *query = live_normal(13, 1, WIDE);
    near_row *truth;

    many_make();
    truth = nearest(query, NULL, many_count);
    for (size_t i = 0; i < 3; i++) {
        MUST(live_search(many.index, query, 1, WIDE, ks[i], NULL, 0) == SIMPLUGIN_OK);
        CU_ASSERT(is_exact(0, query, truth, ks[i] < many_count ? ks[i] : many_count));
    }
    free(truth);
    free(query);
}

/* ---- iteration ------------------------------------------------------------------------------------------ */

/* The kilobytes that a line of /proc/self/status tells. */
static long memory_of(const char *name)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long size = 0;

    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0)
            size = strtol(line + strlen(name), NULL, 10);
    if (file)
        fclose(file);
    return size;
}

static int peak_forget(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");
    int ok = file && fputs("5", file) >= 0;

    return (file ? fclose(file) : 1) == 0 && ok;
}

/* One page of a scan: its rows, each seen for the first time and as it was added. */
static uint64_t page_check(const simplugin_reply *reply, uint8_t *seen, int *done)
{
    simplugin_value body = simplugin_body_value(reply->body, reply->body_size), ids;
    const simplugin_tensor *vectors = NULL;
    simplugin_column column = {0};

    CU_ASSERT_EQUAL(simplugin_find_bool(&body, "done", done), 1);
    CU_ASSERT_FATAL(simplugin_find(&body, "ids", &ids) &&
                    !simplugin_column_read(&ids, reply->tensors, reply->tensor_count, &column));
    CU_ASSERT_EQUAL_FATAL(simplugin_find_tensor(&body, "vectors", reply->tensors,
                                                reply->tensor_count, &vectors), 1);
    CU_ASSERT_EQUAL_FATAL(vectors->rows, column.count);
    for (uint64_t i = 0; i < column.count; i++) {
        uint64_t size, row;
        char id[16] = "";

        memcpy(id, simplugin_column_text(&column, i, &size), 7);
        row = live_row(id);
        CU_ASSERT_FATAL(row < many_count && !seen[row]);
        seen[row] = 1;
        CU_ASSERT_FATAL(memcmp((const uint8_t *)vectors->data + i * simplugin_tensor_stride(vectors),
                               many_rows + row * WIDE, WIDE * sizeof(float)) == 0);
    }
    return column.count;
}

static void iteration(void)
{
    static uint8_t seen[MANY_MAX];
    simplugin_reply reply = {.size = sizeof reply};
    uint64_t scan, count = 0, pages = 0;
    long before;
    int done = 0;

    many_make();
    ASK(many.index, "scan.open", "{'max_rows': 2000}");
    scan = (uint64_t)reply_int("scan");
    CU_ASSERT(peak_forget());
    before = memory_of("VmRSS:");
    while (!done) {
        MUST(simplugin_call(scan, "scan.next", 9, NULL, &rig_options, &reply, &rig_error) ==
             SIMPLUGIN_OK);
        count += page_check(&reply, seen, &done);
        pages++;
        simplugin_reply_clear(&reply);
    }
    CU_ASSERT_EQUAL(count, many_count);
    CU_ASSERT(pages >= many_count / 2000);
    /* a page is 1 MB, all of them are 20 */
    CU_ASSERT(memory_of("VmHWM:") - before < 8 * 1024);
    CU_ASSERT_EQUAL(simplugin_close(scan, NULL), SIMPLUGIN_OK);
}

static void read_whole(void)
{
    many_make();
    ASK(many.index, "index.get", "{'vectors': false}");
    CU_ASSERT_EQUAL(json_array_size(json_object_get(rig_reply, "ids")), many_count);
}

/* ---- views ------------------------------------------------------------------------------------------------ */

#define QUERIES 4

static void view_check(const uint64_t *rows, uint64_t count, const float *queries)
{
    uint64_t view = live_view(many.index, rows, count);
    static const uint64_t ks[] = {10, 200};

    CU_ASSERT_EQUAL(reply_int("known"), (int64_t)count);
    for (size_t i = 0; i < 2; i++) {
        uint64_t k = ks[i] < count ? ks[i] : count;

        MUST(live_search(many.index, queries, QUERIES, WIDE, ks[i], NULL, view) == SIMPLUGIN_OK);
        for (uint64_t q = 0; q < QUERIES; q++) {
            near_row *truth = nearest(queries + q * WIDE, rows, count);

            CU_ASSERT(is_exact(q, queries + q * WIDE, truth, k));
            free(truth);
        }
    }
    CU_ASSERT_EQUAL(simplugin_close(view, NULL), SIMPLUGIN_OK);
}

static void views_made(void)
{
    const uint64_t sizes[] = {100, many_count / 8, many_count / 2};
    float *queries = live_normal(14, QUERIES, WIDE);
    uint64_t *rows = malloc(MANY_MAX * sizeof *rows);

    CU_ASSERT_PTR_NOT_NULL_FATAL(rows);
    for (size_t i = 0; i < 3; i++) {
        /* spread over the whole: 7919 has no divisor in common with it */
        for (uint64_t j = 0; j < sizes[i]; j++)
            rows[j] = j * 7919 % many_count;
        view_check(rows, sizes[i], queries);
    }
    free(rows);
    free(queries);
}

static void views(void)
{
    many_make();
    views_made();
}

/* The worst that can be: the points farthest from the queries. */
static void views_far_away(void)
{
    float *queries = live_normal(15, QUERIES, WIDE);
    uint64_t *rows = malloc(MANY_MAX * sizeof *rows), count;
    near_row *all;

    many_make();
    CU_ASSERT_PTR_NOT_NULL_FATAL(rows);
    for (int q = 1; q < QUERIES; q++)
        memcpy(queries + q * WIDE, queries, WIDE * sizeof *queries);
    count = many_count / 8;
    all = nearest(queries, NULL, many_count);
    for (uint64_t i = 0; i < count; i++)
        rows[i] = all[many_count - 1 - i].row;
    view_check(rows, count, queries);
    free(all);
    free(rows);
    free(queries);
}

/* ---- deletions ---------------------------------------------------------------------------------------------- */

static void many_removed(void)
{
    uint64_t *hits, gone;

    many_make();
    gone = many_count * 3 / 8;
    MUST(live_remove(many.index, 0, gone, 2) == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(reply_int("removed"), (int64_t)gone);
    CU_ASSERT_EQUAL(live_size(many.index), (int64_t)(many_count - gone));
    MUST(live_search(many.index, many_rows, 1, WIDE, 1000, NULL, 0) == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(live_hits(0, &hits), 1000);
    for (int i = 0; i < 1000; i++)
        CU_ASSERT(hits[i] % 2 == 1 || hits[i] >= 2 * gone);
    free(hits);
    rig_options.timeout_ms = 0;
    live_drop(&many);
    free(many_rows);
}

/* ---- recall --------------------------------------------------------------------------------------------------- */

#define POINTS 20000
#define QUESTIONS 100
#define FEATURES 64
#define K 10

static live_made hnsw;
static float *hnsw_rows;

/* The server builds the index while other cases run. */
static void recall_prepare(void)
{
    if (hnsw.index)
        return;
    hnsw_rows = live_normal(16, POINTS, FEATURES);
    hnsw = live_create("'dimension': %d, 'metric': 'cosine'", FEATURES);
    rig_options.timeout_ms = 120000;
    MUST(live_add(hnsw.index, hnsw_rows, 0, POINTS, FEATURES) == SIMPLUGIN_OK);
    MUST(live_do(&hnsw, "collection.flush") == SIMPLUGIN_OK);
    rig_options.timeout_ms = 0;
}

/* Whether all rows are in the index, as the server tells it. */
static int is_indexed(void)
{
    json_t *parameters;

    MUST(live_do(&hnsw, "index.describe") == SIMPLUGIN_OK);
    parameters = json_object_get(rig_reply, "parameters");
    return json_integer_value(json_object_get(parameters, "indexed_rows")) >= POINTS;
}

static uint64_t agreement(uint64_t flat, const float *queries, uint64_t k, const char *parameters)
{
    uint64_t right = 0;

    for (uint64_t q = 0; q < QUESTIONS; q++) {
        uint64_t *ours, *theirs, count;

        MUST(live_search(flat, queries + q * FEATURES, 1, FEATURES, k, NULL, 0) == SIMPLUGIN_OK);
        CU_ASSERT_EQUAL(live_hits(0, &theirs), k);
        MUST(live_search(hnsw.index, queries + q * FEATURES, 1, FEATURES, k, parameters, 0) ==
             SIMPLUGIN_OK);
        count = live_hits(0, &ours);
        CU_ASSERT_EQUAL(count, k);
        for (uint64_t i = 0; i < count; i++)
            for (uint64_t j = 0; j < k; j++)
                right += ours[i] == theirs[j];
        free(ours);
        free(theirs);
    }
    return right;
}

static void recall(void)
{
    float *queries = live_normal(17, QUESTIONS, FEATURES);
    int64_t end = live_now() + 90000;
    uint64_t flat, right;

    recall_prepare();
    ASK(session, "index.create", "{'backend': 'sklearn', 'dimension': %d, 'metric': 'cosine'}",
        FEATURES);
    flat = (uint64_t)reply_int("index");
    MUST(live_add(flat, hnsw_rows, 0, POINTS, FEATURES) == SIMPLUGIN_OK);
    while (!is_indexed() && live_now() < end)
        live_sleep(200);
    CU_ASSERT(is_indexed());
    /* what a server has in memory may still be without it */
    MUST(live_do(&hnsw, "collection.release") == SIMPLUGIN_OK);
    MUST(live_do(&hnsw, "collection.load") == SIMPLUGIN_OK);
    right = agreement(flat, queries, K, NULL);
    printf("recall %.3f ", (double)right / (QUESTIONS * K));
    CU_ASSERT(right >= QUESTIONS * K * 95 / 100);
    /* ef below k is raised to it, and a larger one finds more */
    right = agreement(flat, queries, 50, "{'ef': 8}");
    CU_ASSERT(right >= QUESTIONS * 50 / 2);
    right = agreement(flat, queries, K, "{'ef': 1024}");
    CU_ASSERT(right >= QUESTIONS * K * 99 / 100);
    ASK(flat, "index.cleanup", "{}");
    live_drop(&hnsw);
    free(hnsw_rows);
    free(queries);
}

static const unit_case cases[] = {
    UNIT_CASE(recall_prepare, "R166 R203 R207 20,000 points are added to HNSW, and flushed"),
    UNIT_CASE(reads_its_writes, "R65 R111 R246 R261 a handle reads what it wrote, and counts exactly"),
    UNIT_CASE(removes_and_adds, "R64 R65 R261 200 points, 10 less, 20 more: 210"),
    UNIT_CASE(all_levels, "R112-R115 R246 R269 all four consistency levels"),
    UNIT_CASE(threads_together, "R267 eight threads add and search at once"),
    UNIT_CASE(many_added, "R228 R262 R273 40,000 points in batches; what is added again is not doubled"),
    UNIT_CASE(large_k, "R88 R271 k up to Milvus' 16,384, and above"),
    UNIT_CASE(iteration, "R264 40,000 points in constant memory, past the window of 16,384"),
    UNIT_CASE(read_whole, "R68 R264 all ids at once"),
    UNIT_CASE(views, "R90 R270 views of 100, 5,000 and 20,000 of 40,000: exact with FLAT"),
    UNIT_CASE(views_far_away, "R270 a view that lies away from the queries"),
    UNIT_CASE(many_removed, "R165 R261 R265 15,000 of 40,000 are removed, and the count is exact"),
    UNIT_CASE(recall, "R203 R230 R269 HNSW at default parameters finds 0.95 of what flat finds"),
};

const live_suite live_data = {"data", cases, sizeof cases / sizeof cases[0], {NULL}};
