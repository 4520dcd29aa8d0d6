/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times the milvus backend through the public interface; bench/milvus.py calls it with the
 * server in the environment (FIFTYONE_BRAIN_SIMILARITY_MILVUS_URI) and prints the ratios.
 * Each mode prints lines of "name number".
 *
 *   milvus upsert ROWS.f32 COUNT DIMENSION COLLECTION   adds the rows; the index is made first
 *   milvus insert ROWS.f32 COUNT DIMENSION COLLECTION   the same by native.insert
 *   milvus search QUERIES.f32 COUNT DIMENSION COLLECTION  one at a time, then from 8 threads
 *   milvus floor QUERIES.f32 COUNT DIMENSION COLLECTION   the same requests, encoded before, over
 *                                                         a bare connection
 *   milvus view QUERIES.f32 COUNT DIMENSION COLLECTION IDS.txt OUT.txt  in a view of these ids
 *
 * MILVUS_BENCH_PARAMETERS: more parameters for index.create, a JSON object.
 */
#include "config.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "plugins/milvus/pb.h"
#include "simplugin.h"
#include "simplugin/envelope.h"

#define K 10
#define THREADS 8
#define SINGLE_RUNS 300
#define THREAD_RUNS 60

static const simplugin_options patient = {.size = sizeof patient,
                                          .timeout_ms = SIMPLUGIN_TIMEOUT_NONE};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double cpu(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec * 1e-6 +
           (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec * 1e-6;
}

static void fail(const char *what, simplugin_error *error)
{
    fprintf(stderr, "milvus: %s: %s\n", what,
            error ? simplugin_error_message(error, NULL) : "failed");
    exit(1);
}

static float *file_read(const char *path, uint64_t floats)
{
    float *data = malloc(floats * sizeof *data);
    FILE *file = fopen(path, "rb");

    if (!data || !file || fread(data, sizeof *data, floats, file) != floats)
        fail(path, NULL);
    fclose(file);
    return data;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double median(double *times, size_t count)
{
    qsort(times, count, sizeof *times, compare);
    return times[count / 2];
}

/* ---- indexes ------------------------------------------------------------------------------ */

static uint64_t index_make(const char *collection, uint64_t dimension)
{
    simplugin_index_spec spec = {.size = sizeof spec, .backend = "milvus", .metric = "cosine",
                                 .collection = collection, .dimension = dimension,
                                 .parameters = getenv("MILVUS_BENCH_PARAMETERS")};
    simplugin_error *error = NULL;
    uint64_t index = 0;

    if (simplugin_index_create(&spec, &index, &patient, &error))
        fail("index.create", error);
    return index;
}

/* "r" and a number of 8 digits, as a text column. */
static char *ids_make(uint64_t count, int64_t **offsets, const char ***texts)
{
    char *values = malloc(count * 10);

    *offsets = malloc((count + 1) * sizeof **offsets);
    *texts = malloc(count * sizeof **texts);
    if (!values || !*offsets || !*texts)
        fail("ids", NULL);
    for (uint64_t i = 0; i <= count; i++)
        (*offsets)[i] = (int64_t)(i * 9);
    for (uint64_t i = 0; i < count; i++) {
        char *id = values + i * 10;

        snprintf(id, 10, "r%08u", (unsigned)i);
        (*texts)[i] = id;
    }
    return values;
}

static void upsert(const char *path, uint64_t count, uint64_t dimension, const char *collection)
{
    float *rows = file_read(path, count * dimension);
    uint64_t index = index_make(collection, dimension);
    const char **texts;
    int64_t *offsets;
    char *values = ids_make(count, &offsets, &texts);
    simplugin_error *error = NULL;
    double start, busy;

    start = now();
    busy = cpu();
    if (simplugin_index_add(index, texts, rows, count, dimension, &patient, &error))
        fail("index.add", error);
    printf("wall %.6f\ncpu %.6f\n", now() - start, cpu() - busy);
    simplugin_close(index, NULL);
    free(values);
    free(offsets);
    free(texts);
    free(rows);
}

static void insert(const char *path, uint64_t count, uint64_t dimension, const char *collection)
{
    float *rows = file_read(path, count * dimension);
    uint64_t index = index_make(collection, dimension);
    simplugin_reply reply = {.size = sizeof reply};
    const char **texts;
    int64_t *offsets;
    char *spaced = ids_make(count, &offsets, &texts);
    char *values = malloc(count * 9);
    simplugin_column ids = {.type = SIMPLUGIN_COLUMN_TEXT, .count = count, .offsets = offsets};
    simplugin_tensor tensor = simplugin_tensor_of(SIMPLUGIN_FLOAT32, rows, count, dimension);
    simplugin_request request;
    simplugin_error *error = NULL;
    simplugin_writer writer;
    double start, busy;

    for (uint64_t i = 0; values && i < count; i++)
        memcpy(values + i * 9, spaced + i * 10, 9);
    ids.values = values;
    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 2);
    simplugin_write_string(&writer, "method");
    simplugin_write_string(&writer, "native.insert");
    simplugin_write_string(&writer, "body");
    simplugin_write_map(&writer, 3);
    simplugin_write_string(&writer, "collection");
    simplugin_write_string(&writer, collection);
    simplugin_write_string(&writer, "ids");
    simplugin_write_column(&writer, &ids);
    simplugin_write_string(&writer, "vectors");
    simplugin_write_tensor(&writer, &tensor);
    request = simplugin_writer_request(&writer);
    start = now();
    busy = cpu();
    if (simplugin_call(index, "backend.call", 12, &request, &patient, &reply, &error))
        fail("native.insert", error);
    printf("wall %.6f\ncpu %.6f\n", now() - start, cpu() - busy);
    simplugin_reply_clear(&reply);
    simplugin_writer_clear(&writer);
    simplugin_close(index, NULL);
    free(spaced);
    free(values);
    free(offsets);
    free(texts);
    free(rows);
}

/* ---- searches --------------------------------------------------------------------------------- */

typedef struct searcher {
    pthread_t thread;
    uint64_t index, dimension, count, first;
    const float *queries;
} searcher;

static void search_one(uint64_t index, const float *query, uint64_t dimension)
{
    simplugin_hits hits = {.size = sizeof hits};
    simplugin_error *error = NULL;

    if (simplugin_index_search(index, query, 1, dimension, K, &patient, &hits, &error) ||
        hits.hit_count != K)
        fail("index.search", error);
    simplugin_hits_clear(&hits);
}

static void *searcher_run(void *argument)
{
    const searcher *s = argument;

    for (int i = 0; i < THREAD_RUNS; i++)
        search_one(s->index, s->queries + (s->first + (uint64_t)i) % s->count * s->dimension,
                   s->dimension);
    return NULL;
}

static uint64_t index_open(const char *collection)
{
    return index_make(collection, 0);
}

static void search(const char *path, uint64_t count, uint64_t dimension, const char *collection)
{
    float *queries = file_read(path, count * dimension);
    uint64_t index = index_open(collection);
    double times[SINGLE_RUNS], start, busy;
    searcher searchers[THREADS];

    for (uint64_t i = 0; i < 20; i++)
        search_one(index, queries + i % count * dimension, dimension);
    busy = cpu();
    for (uint64_t i = 0; i < SINGLE_RUNS; i++) {
        start = now();
        search_one(index, queries + i % count * dimension, dimension);
        times[i] = now() - start;
    }
    printf("cpu %.9f\n", (cpu() - busy) / SINGLE_RUNS);
    printf("p50 %.9f\n", median(times, SINGLE_RUNS));
    start = now();
    for (uint64_t i = 0; i < THREADS; i++) {
        searchers[i] = (searcher){.index = index, .dimension = dimension, .count = count,
                                  .first = i * 37, .queries = queries};
        pthread_create(&searchers[i].thread, NULL, searcher_run, &searchers[i]);
    }
    for (uint64_t i = 0; i < THREADS; i++)
        pthread_join(searchers[i].thread, NULL);
    printf("rate %.6f\n", THREADS * THREAD_RUNS / (now() - start));
    simplugin_close(index, NULL);
    free(queries);
}

/* ---- views --------------------------------------------------------------------------------- */

static void view(const char *path, uint64_t count, uint64_t dimension, const char *collection,
                 const char *ids_path, const char *out_path)
{
    float *queries = file_read(path, count * dimension);
    uint64_t index = index_open(collection), id_count = 0;
    FILE *in = fopen(ids_path, "r"), *out = fopen(out_path, "w");
    simplugin_reply reply = {.size = sizeof reply};
    double *times = malloc(count * sizeof *times), start;
    simplugin_error *error = NULL;
    simplugin_request request;
    simplugin_writer writer;
    simplugin_value map;
    int64_t handle = 0;
    uint64_t begin;
    char line[300];

    if (!in || !out || !times)
        fail(ids_path, NULL);
    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 1);
    simplugin_write_string(&writer, "ids");
    begin = simplugin_write_array_begin(&writer);
    for (; fgets(line, sizeof line, in); id_count++)
        simplugin_write_text(&writer, line, strcspn(line, "\n"));
    simplugin_write_end(&writer, begin, id_count);
    request = simplugin_writer_request(&writer);
    start = now();
    if (simplugin_call(index, "view.create", 11, &request, &patient, &reply, &error))
        fail("view.create", error);
    printf("create %.6f\n", now() - start);
    map = simplugin_body_value(reply.body, reply.body_size);
    simplugin_find_int(&map, "view", &handle);
    simplugin_reply_clear(&reply);
    for (uint64_t i = 0; i < count; i++) {
        simplugin_tensor tensor =
            simplugin_tensor_of(SIMPLUGIN_FLOAT32, queries + i * dimension, 1, dimension);
        simplugin_column ids;
        simplugin_value value;

        simplugin_writer_reset(&writer);
        simplugin_write_map(&writer, 3);
        simplugin_write_string(&writer, "vectors");
        simplugin_write_tensor(&writer, &tensor);
        simplugin_write_string(&writer, "k");
        simplugin_write_uint(&writer, K);
        simplugin_write_string(&writer, "view");
        simplugin_write_int(&writer, handle);
        request = simplugin_writer_request(&writer);
        start = now();
        if (simplugin_call(index, "index.search", 12, &request, &patient, &reply, &error))
            fail("index.search", error);
        times[i] = now() - start;
        map = simplugin_body_value(reply.body, reply.body_size);
        if (simplugin_find(&map, "ids", &value) &&
            !simplugin_column_read(&value, reply.tensors, reply.tensor_count, &ids))
            for (uint64_t j = 0; j < ids.count; j++) {
                uint64_t size;
                const char *id = simplugin_column_text(&ids, j, &size);

                fprintf(out, "%.*s ", (int)size, id);
            }
        fputs("\n", out);
        simplugin_reply_clear(&reply);
    }
    printf("p50 %.9f\n", median(times, count));
    fclose(in);
    fclose(out);
    simplugin_writer_clear(&writer);
    simplugin_close(index, NULL);
    free(times);
    free(queries);
}

/* ---- the floor -------------------------------------------------------------------------------- */

static void pair_put(sp_buffer *out, const char *key, const char *value)
{
    size_t begin = pb_begin(out, 9);

    pb_text(out, 1, key);
    pb_text(out, 2, value);
    pb_end(out, begin);
}

static grpc_slice request_encode(const char *collection, const float *query, uint64_t dimension)
{
    size_t group, placeholder;
    grpc_slice slice;
    sp_buffer out;

    sp_buffer_init(&out);
    pb_text(&out, 3, collection);
    group = pb_begin(&out, 6);
    placeholder = pb_begin(&out, 1);
    pb_text(&out, 1, "$0");
    pb_uint(&out, 2, 101);
    pb_bytes(&out, 3, query, dimension * sizeof *query);
    pb_end(&out, placeholder);
    pb_end(&out, group);
    pb_uint(&out, 7, 1);
    pair_put(&out, "anns_field", "vector");
    pair_put(&out, "topk", "10");
    pair_put(&out, "metric_type", "COSINE");
    pair_put(&out, "params", "{\"ef\": 256}");
    pair_put(&out, "round_decimal", "-1");
    pb_uint(&out, 11, 1);
    pb_uint(&out, 12, 1);
    pb_uint(&out, 14, 1);
    slice = grpc_slice_from_copied_buffer((const char *)out.data, out.size);
    sp_buffer_clear(&out);
    return slice;
}

/* One call, and its answer thrown away. */
static void replay(grpc_channel *channel, grpc_completion_queue *queue, grpc_slice request)
{
    grpc_call *call = grpc_channel_create_call(
        channel, NULL, GRPC_PROPAGATE_DEFAULTS, queue,
        grpc_slice_from_static_string("/milvus.proto.milvus.MilvusService/Search"), NULL,
        gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&request, 1), *received = NULL;
    grpc_metadata_array initial, trailing;
    grpc_slice details = grpc_empty_slice();
    grpc_status_code code;
    grpc_op ops[6] = {0};

    grpc_metadata_array_init(&initial);
    grpc_metadata_array_init(&trailing);
    ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
    ops[1].op = GRPC_OP_SEND_MESSAGE;
    ops[1].data.send_message.send_message = message;
    ops[2].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
    ops[3].op = GRPC_OP_RECV_INITIAL_METADATA;
    ops[3].data.recv_initial_metadata.recv_initial_metadata = &initial;
    ops[4].op = GRPC_OP_RECV_MESSAGE;
    ops[4].data.recv_message.recv_message = &received;
    ops[5].op = GRPC_OP_RECV_STATUS_ON_CLIENT;
    ops[5].data.recv_status_on_client.trailing_metadata = &trailing;
    ops[5].data.recv_status_on_client.status = &code;
    ops[5].data.recv_status_on_client.status_details = &details;
    if (grpc_call_start_batch(call, ops, 6, call, NULL) != GRPC_CALL_OK)
        fail("floor", NULL);
    grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    if (code != GRPC_STATUS_OK)
        fail("floor: the call", NULL);
    grpc_byte_buffer_destroy(message);
    grpc_byte_buffer_destroy(received);
    grpc_slice_unref(details);
    grpc_metadata_array_destroy(&initial);
    grpc_metadata_array_destroy(&trailing);
    grpc_call_unref(call);
}

typedef struct replayer {
    pthread_t thread;
    grpc_channel *channel;
    grpc_slice *requests;
    uint64_t count, first;
} replayer;

static void *replayer_run(void *argument)
{
    const replayer *r = argument;
    grpc_completion_queue *queue = grpc_completion_queue_create_for_next(NULL);

    for (uint64_t i = 0; i < THREAD_RUNS; i++)
        replay(r->channel, queue, r->requests[(r->first + i) % r->count]);
    grpc_completion_queue_shutdown(queue);
    return NULL;
}

static void floor_run(const char *path, uint64_t count, uint64_t dimension, const char *collection)
{
    float *queries = file_read(path, count * dimension);
    const char *uri = getenv("FIFTYONE_BRAIN_SIMILARITY_MILVUS_URI");
    grpc_slice *requests = calloc(count, sizeof *requests);
    double times[SINGLE_RUNS], start, busy;
    replayer replayers[THREADS];
    grpc_completion_queue *queue;
    grpc_channel *channel;

    if (!uri || !requests)
        fail("FIFTYONE_BRAIN_SIMILARITY_MILVUS_URI", NULL);
    grpc_init();
    channel = grpc_channel_create(strstr(uri, "://") ? strstr(uri, "://") + 3 : uri,
                                  grpc_insecure_credentials_create(), NULL);
    queue = grpc_completion_queue_create_for_next(NULL);
    for (uint64_t i = 0; i < count; i++)
        requests[i] = request_encode(collection, queries + i * dimension, dimension);
    for (uint64_t i = 0; i < 20; i++)
        replay(channel, queue, requests[i % count]);
    busy = cpu();
    for (uint64_t i = 0; i < SINGLE_RUNS; i++) {
        start = now();
        replay(channel, queue, requests[i % count]);
        times[i] = now() - start;
    }
    printf("cpu %.9f\n", (cpu() - busy) / SINGLE_RUNS);
    printf("p50 %.9f\n", median(times, SINGLE_RUNS));
    start = now();
    for (uint64_t i = 0; i < THREADS; i++) {
        replayers[i] = (replayer){.channel = channel, .requests = requests, .count = count,
                                  .first = i * 37};
        pthread_create(&replayers[i].thread, NULL, replayer_run, &replayers[i]);
    }
    for (uint64_t i = 0; i < THREADS; i++)
        pthread_join(replayers[i].thread, NULL);
    printf("rate %.6f\n", THREADS * THREAD_RUNS / (now() - start));
    free(queries);
}

int main(int argc, char **argv)
{
    uint64_t count, dimension;

    if (argc < 6)
        fail("arguments", NULL);
    count = strtoull(argv[3], NULL, 10);
    dimension = strtoull(argv[4], NULL, 10);
    if (strcmp(argv[1], "upsert") == 0)
        upsert(argv[2], count, dimension, argv[5]);
    else if (strcmp(argv[1], "insert") == 0)
        insert(argv[2], count, dimension, argv[5]);
    else if (strcmp(argv[1], "search") == 0)
        search(argv[2], count, dimension, argv[5]);
    else if (strcmp(argv[1], "floor") == 0)
        floor_run(argv[2], count, dimension, argv[5]);
    else if (strcmp(argv[1], "view") == 0 && argc > 7)
        view(argv[2], count, dimension, argv[5], argv[6], argv[7]);
    else
        fail(argv[1], NULL);
    return 0;
}
