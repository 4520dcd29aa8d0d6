/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that knows nothing of PostgreSQL: it uses whatever backend is configured. test.sh
 * runs it with this one, a step at a time, each in a process of its own.
 *
 *     test_program add          makes an index of 1,000 points, searches it, removes some
 *     test_program reopen       finds it as the step before left it
 *     test_program threads      16 threads search it
 *     test_program writers      8 threads write the same points, each in another order
 *     test_program fork         a child may not use what its parent opened
 *     test_program large        100,000 points in and out again, in little memory
 *     test_program stopped PID  calls end in time while the server is stopped
 *     test_program hammer [N]   adds 100 points at a time until it fails, or has added N
 *
 * It prints what went wrong, or nothing.
 */
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <simplugin.h>
#include <simplugin/envelope.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KEY "program"
#define POINTS 1000
#define REMOVED 10
#define DIMENSION 8
#define K 5
#define ID 32
#define LARGE 100000
#define LARGE_DIMENSION 64
/* What adding and reading those may take beside them: a batch is 16 MiB, and there twice. */
#define LARGE_MEMORY_KIB (96 << 10)
#define BATCH 100

#define ENSURE(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "line %d: not so: %s\n", __LINE__, #condition);                        \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static void ok(int line, int32_t code, simplugin_error **error)
{
    if (code == SIMPLUGIN_OK)
        return;
    fprintf(stderr, "line %d: %s: %s\n", line, simplugin_code_name(code),
            simplugin_error_message(*error, NULL));
    exit(1);
}

#define OK(call) ok(__LINE__, call, &error)

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* ---- data ----------------------------------------------------------------------------------- */

typedef struct points {
    uint64_t count;
    uint64_t dimension;
    float *vectors;
    const char **ids;
} points;

static float any(uint64_t i)
{
    uint64_t z = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (float)((z ^ (z >> 31)) >> 40) / 8388608 - 1;
}

static points points_make(uint64_t count, uint64_t dimension)
{
    points made = {.count = count, .dimension = dimension};
    char *text = calloc(count, ID);

    made.vectors = calloc(count * dimension, sizeof(float));
    made.ids = calloc(count, sizeof(char *));
    ENSURE(text && made.vectors && made.ids);
    for (uint64_t i = 0; i < count; i++) {
        snprintf(text + i * ID, ID, "point-%06llu", (unsigned long long)i);
        made.ids[i] = text + i * ID;
    }
    for (uint64_t i = 0; i < count * dimension; i++)
        made.vectors[i] = any(i);
    return made;
}

/* Euclidean. */
static double distance(const points *all, uint64_t a, const float *query)
{
    double sum = 0;

    for (uint64_t i = 0; i < all->dimension; i++) {
        double d = (double)all->vectors[a * all->dimension + i] - (double)query[i];

        sum += d * d;
    }
    return sqrt(sum);
}

/* The hits of one query are the nearest of the points from first on, in order. */
static void hits_check(const points *all, uint64_t first, const float *query,
                       const simplugin_hits *hits, uint64_t q, uint64_t k)
{
    double last = -1;
    uint64_t nearer = 0;

    ENSURE((uint64_t)(hits->offsets[q + 1] - hits->offsets[q]) == k);
    for (int64_t i = hits->offsets[q]; i < hits->offsets[q + 1]; i++) {
        uint64_t row = strtoull(hits->ids[i] + strlen("point-"), NULL, 10);
        double d = distance(all, row, query);

        ENSURE(row >= first && row < all->count);
        ENSURE(fabs(d - (double)hits->distances[i]) < 1e-4);
        ENSURE((double)hits->distances[i] >= last);
        last = (double)hits->distances[i];
    }
    for (uint64_t i = first; i < all->count; i++)
        nearer += distance(all, i, query) < last - 1e-4;
    ENSURE(nearer < k);
}

/* ---- steps ---------------------------------------------------------------------------------- */

static void search_check(uint64_t index, const points *all, uint64_t first)
{
    simplugin_hits hits = {.size = sizeof hits};
    simplugin_error *error = NULL;
    float queries[3 * DIMENSION];

    for (uint64_t i = 0; i < 3 * DIMENSION; i++)
        queries[i] = any(1000000 + i);
    OK(simplugin_index_search(index, queries, 3, DIMENSION, K, NULL, &hits, &error));
    for (uint64_t i = 0; i < 3; i++)
        hits_check(all, first, queries + i * DIMENSION, &hits, i, K);
    simplugin_hits_clear(&hits);
}

/* A text with U+0000 is refused as a whole, not cut. */
static void zero_check(uint64_t index)
{
    simplugin_writer body = {0};
    simplugin_request request;

    simplugin_write_map(&body, 3);
    simplugin_write_string(&body, "ids");
    simplugin_write_array(&body, 1);
    simplugin_write_string(&body, "zero");
    simplugin_write_string(&body, "vectors");
    simplugin_write_array(&body, 1);
    simplugin_write_array(&body, DIMENSION);
    for (int i = 0; i < DIMENSION; i++)
        simplugin_write_int(&body, i);
    simplugin_write_string(&body, "fields");
    simplugin_write_map(&body, 1);
    simplugin_write_string(&body, "title");
    simplugin_write_array(&body, 1);
    simplugin_write_text(&body, "a\0b", 3);
    request = simplugin_writer_request(&body);
    ENSURE(simplugin_call(index, "index.add", 9, &request, NULL, NULL, NULL) ==
           SIMPLUGIN_INVALID_ARGUMENT);
    simplugin_writer_clear(&body);
}

static void step_add(void)
{
    points all = points_make(POINTS, DIMENSION);
    simplugin_index_spec spec = {
        .size = sizeof spec, .brain_key = KEY, .metric = "euclidean", .dimension = DIMENSION};
    simplugin_error *error = NULL;
    uint64_t index, removed;

    OK(simplugin_index_create(&spec, &index, NULL, &error));
    OK(simplugin_index_add(index, all.ids, all.vectors, POINTS, DIMENSION, NULL, &error));
    search_check(index, &all, 0);
    zero_check(index);
    OK(simplugin_index_remove(index, all.ids, REMOVED, &removed, NULL, &error));
    ENSURE(removed == REMOVED);
    search_check(index, &all, REMOVED);
    OK(simplugin_close(index, &error));
}

static uint64_t reopen(void)
{
    simplugin_error *error = NULL;
    uint64_t index, size;

    OK(simplugin_index_open(NULL, KEY, &index, NULL, &error));
    OK(simplugin_index_size(index, &size, NULL, &error));
    ENSURE(size == POINTS - REMOVED);
    return index;
}

static void step_reopen(void)
{
    points all = points_make(POINTS, DIMENSION);
    float *read = calloc(POINTS * DIMENSION, sizeof(float));
    uint8_t found[POINTS];
    simplugin_error *error = NULL;
    uint64_t index = reopen();

    ENSURE(read);
    search_check(index, &all, REMOVED);
    OK(simplugin_index_get(index, all.ids, POINTS, DIMENSION, read, found, NULL, &error));
    for (uint64_t i = 0; i < POINTS; i++) {
        ENSURE(found[i] == (i >= REMOVED));
        ENSURE(!found[i] || memcmp(read + i * DIMENSION, all.vectors + i * DIMENSION,
                                   DIMENSION * sizeof(float)) == 0);
    }
    free(read);
}

static void *searcher(void *context)
{
    points all = points_make(POINTS, DIMENSION);

    for (int i = 0; i < 20; i++)
        search_check(*(uint64_t *)context, &all, REMOVED);
    return NULL;
}

static void step_threads(void)
{
    pthread_t threads[16];
    uint64_t index = reopen();

    for (int i = 0; i < 16; i++)
        ENSURE(!pthread_create(&threads[i], NULL, searcher, &index));
    for (int i = 0; i < 16; i++)
        ENSURE(!pthread_join(threads[i], NULL));
}

#define WRITERS 8
#define WRITTEN 300

typedef struct writer {
    uint64_t index;
    uint64_t first;
} writer;

static void *write_some(void *context)
{
    const writer *self = context;
    points all = points_make(WRITTEN, DIMENSION);
    const char *ids[WRITTEN];
    simplugin_error *error = NULL;

    for (uint64_t i = 0; i < WRITTEN; i++)
        ids[i] = all.ids[(self->first + (self->first % 2 ? i : WRITTEN - i)) % WRITTEN];
    for (int i = 0; i < 10; i++)
        OK(simplugin_index_add(self->index, ids, all.vectors, WRITTEN, DIMENSION, NULL, &error));
    return NULL;
}

static void step_writers(void)
{
    simplugin_index_spec spec = {
        .size = sizeof spec, .collection = "writers", .dimension = DIMENSION};
    simplugin_error *error = NULL;
    pthread_t threads[WRITERS];
    writer writers[WRITERS];
    uint64_t index, size;

    OK(simplugin_index_create(&spec, &index, NULL, &error));
    for (uint64_t i = 0; i < WRITERS; i++) {
        writers[i] = (writer){.index = index, .first = i * 31};
        ENSURE(!pthread_create(&threads[i], NULL, write_some, &writers[i]));
    }
    for (int i = 0; i < WRITERS; i++)
        ENSURE(!pthread_join(threads[i], NULL));
    OK(simplugin_index_size(index, &size, NULL, &error));
    ENSURE(size == WRITTEN);
    OK(simplugin_index_cleanup(index, NULL, &error));
}

static void step_fork(void)
{
    points all = points_make(POINTS, DIMENSION);
    uint64_t index = reopen(), size;
    int status = -1;
    pid_t child = fork();

    ENSURE(child >= 0);
    if (child == 0) {
        int32_t code = simplugin_index_size(index, &size, NULL, NULL);

        simplugin_close(index, NULL);
        exit(code == SIMPLUGIN_FORKED ? 0 : 1); /* whatever libpq does at the end as well */
    }
    ENSURE(waitpid(child, &status, 0) == child && status == 0);
    search_check(index, &all, REMOVED);
}

/* ---- memory --------------------------------------------------------------------------------- */

static long memory_kib(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

static void reply_of(uint64_t target, const char *method, simplugin_writer *body,
                     simplugin_reply *reply)
{
    simplugin_request request = simplugin_writer_request(body);
    simplugin_error *error = NULL;

    OK(simplugin_call(target, method, strlen(method), &request, NULL, reply, &error));
    simplugin_writer_clear(body);
}

static uint64_t scan_open(uint64_t index)
{
    simplugin_reply reply = {.size = sizeof reply};
    simplugin_writer body = {0};
    simplugin_value map;
    int64_t scan = 0;

    simplugin_write_map(&body, 0);
    reply_of(index, "scan.open", &body, &reply);
    map = simplugin_body_value(reply.body, reply.body_size);
    ENSURE(simplugin_find_int(&map, "scan", &scan) == 1);
    simplugin_reply_clear(&reply);
    return (uint64_t)scan;
}

/* Every point comes once, with its vector. */
static void scan_check(uint64_t index, const points *all)
{
    uint8_t *seen = calloc(all->count, 1);
    uint64_t scan = scan_open(index), count = 0;
    int done = 0;

    ENSURE(seen);
    while (!done) {
        const simplugin_tensor *vectors = NULL;
        simplugin_reply reply = {.size = sizeof reply};
        simplugin_writer body = {0};
        simplugin_value map, value;
        simplugin_column ids;

        simplugin_write_map(&body, 0);
        reply_of(scan, "scan.next", &body, &reply);
        map = simplugin_body_value(reply.body, reply.body_size);
        ENSURE(simplugin_find_bool(&map, "done", &done) == 1 &&
               simplugin_find(&map, "ids", &value));
        ENSURE(!simplugin_column_read(&value, reply.tensors, reply.tensor_count, &ids));
        ENSURE(simplugin_find_tensor(&map, "vectors", reply.tensors, reply.tensor_count,
                                     &vectors) == 1);
        for (uint64_t i = 0; i < ids.count; i++, count++) {
            uint64_t size, row;
            const char *id = simplugin_column_text(&ids, i, &size);

            ENSURE(size == 12);
            row = strtoull(id + strlen("point-"), NULL, 10);
            ENSURE(row < all->count && !seen[row]++);
            ENSURE(memcmp((const float *)vectors->data + i * all->dimension,
                          all->vectors + row * all->dimension,
                          all->dimension * sizeof(float)) == 0);
        }
        simplugin_reply_clear(&reply);
    }
    ENSURE(count == all->count);
    free(seen);
}

static void step_large(void)
{
    points all = points_make(LARGE, LARGE_DIMENSION);
    simplugin_index_spec spec = {.size = sizeof spec,
                                 .collection = "large",
                                 .metric = "euclidean",
                                 .dimension = LARGE_DIMENSION};
    simplugin_options patient = {.size = sizeof patient, .timeout_ms = 300000};
    simplugin_hits hits = {.size = sizeof hits};
    simplugin_error *error = NULL;
    long before;
    double start, added, read;
    uint64_t index;

    OK(simplugin_index_create(&spec, &index, &patient, &error));
    before = memory_kib();
    start = seconds();
    OK(simplugin_index_add(index, all.ids, all.vectors, LARGE, LARGE_DIMENSION, &patient, &error));
    added = seconds();
    scan_check(index, &all);
    read = seconds();
    ENSURE(memory_kib() - before < LARGE_MEMORY_KIB);
    printf("# 100,000 x 64: added in %.1f s, read in %.1f s, in %ld MiB of memory, ", added - start,
           read - added, (memory_kib() - before) >> 10);
    start = seconds();
    OK(simplugin_index_search(index, all.vectors, 1, LARGE_DIMENSION, 10, &patient, &hits, &error));
    printf("searched in %.2f s\n", seconds() - start);
    hits_check(&all, 0, all.vectors, &hits, 0, 10);
    simplugin_hits_clear(&hits);
    OK(simplugin_index_cleanup(index, &patient, &error));
}

/* ---- a server that does not answer ---------------------------------------------------------- */

static void *cancel_later(void *context)
{
    const struct timespec pause = {.tv_nsec = 300000000};

    nanosleep(&pause, NULL);
    simplugin_cancel_fire(*(uint64_t *)context);
    return NULL;
}

/* To the server, and to the processes of its sessions. */
static void signal_all(pid_t server, int number)
{
    char path[64];
    long child;
    FILE *children;

    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)server, (int)server);
    children = fopen(path, "r");
    ENSURE(children && !kill(server, number));
    while (fscanf(children, "%ld", &child) == 1)
        kill((pid_t)child, number);
    fclose(children);
}

static void step_stopped(pid_t server)
{
    simplugin_options hasty = {.size = sizeof hasty, .timeout_ms = 500};
    simplugin_options patient = {.size = sizeof patient, .timeout_ms = 60000};
    /* its session is not there yet */
    simplugin_index_spec other = {
        .size = sizeof other, .dimension = 1, .parameters = "{\"schema\": \"elsewhere\"}"};
    simplugin_error *error = NULL;
    uint64_t index = reopen(), made, size;
    pthread_t thread;
    double start = seconds();

    signal_all(server, SIGSTOP);
    ENSURE(simplugin_index_size(index, &size, &hasty, NULL) == SIMPLUGIN_DEADLINE_EXCEEDED);
    ENSURE(simplugin_index_create(&other, &made, &hasty, NULL) == SIMPLUGIN_DEADLINE_EXCEEDED);
    OK(simplugin_cancel_new(&patient.cancel, &error));
    ENSURE(!pthread_create(&thread, NULL, cancel_later, &patient.cancel));
    ENSURE(simplugin_index_size(index, &size, &patient, NULL) == SIMPLUGIN_CANCELLED);
    ENSURE(seconds() - start < 5);
    pthread_join(thread, NULL);
    simplugin_cancel_free(patient.cancel);

    signal_all(server, SIGCONT);
    OK(simplugin_index_size(index, &size, NULL, &error));
    ENSURE(size == POINTS - REMOVED);
}

/* ---- a server that goes away ---------------------------------------------------------------- */

/* Adds points until a call fails, or as many; 0: without end. */
static void step_hammer(uint64_t most)
{
    points all = points_make(LARGE, DIMENSION);
    simplugin_index_spec spec = {
        .size = sizeof spec, .collection = "hammer", .metric = "euclidean", .dimension = DIMENSION};
    simplugin_error *error = NULL;
    uint64_t index, size, done = 0;
    int32_t code;

    OK(simplugin_index_create(&spec, &index, NULL, &error));
    OK(simplugin_index_size(index, &size, NULL, &error));
    ENSURE(size % BATCH == 0); /* each call was all or nothing */
    do {
        uint64_t first = (size + done) % LARGE;

        code = simplugin_index_add(index, all.ids + first, all.vectors + first * DIMENSION, BATCH,
                                   DIMENSION, NULL, &error);
        done += code ? 0 : BATCH;
        printf("%llu\n", (unsigned long long)(size + done));
        fflush(stdout);
    } while (!code && (!most || done < most));
    if (code)
        fprintf(stderr, "%s: %s\n", simplugin_code_name(code),
                simplugin_error_message(error, NULL));
    exit(code == SIMPLUGIN_UNAVAILABLE ? 3 : code ? 1 : 0);
}

int main(int argc, char **argv)
{
    const char *step = argc > 1 ? argv[1] : "";

    if (strcmp(step, "add") == 0)
        step_add();
    else if (strcmp(step, "reopen") == 0)
        step_reopen();
    else if (strcmp(step, "threads") == 0)
        step_threads();
    else if (strcmp(step, "writers") == 0)
        step_writers();
    else if (strcmp(step, "fork") == 0)
        step_fork();
    else if (strcmp(step, "large") == 0)
        step_large();
    else if (strcmp(step, "stopped") == 0 && argc > 2)
        step_stopped((pid_t)strtol(argv[2], NULL, 10));
    else if (strcmp(step, "hammer") == 0)
        step_hammer(argc > 2 ? strtoull(argv[2], NULL, 10) : 0);
    else
        return 2;
    return 0;
}
