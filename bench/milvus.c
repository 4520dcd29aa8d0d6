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
 */
#include "config.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/milvus/pb.h"
#include "server.h"
#include "simplugin/envelope.h"

static void insert(const char *path, uint64_t count, uint64_t dimension, const char *collection)
{
    float *rows = bench_read(path, count * dimension);
    uint64_t index = bench_index(collection, dimension);
    simplugin_reply reply = {.size = sizeof reply};
    const char **texts;
    int64_t *offsets;
    char *spaced = bench_ids(count, &offsets, &texts);
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
    start = bench_now();
    busy = bench_cpu();
    if (simplugin_call(index, "backend.call", 12, &request, &bench_patient, &reply, &error))
        bench_fail("native.insert", error);
    printf("wall %.6f\ncpu %.6f\n", bench_now() - start, bench_cpu() - busy);
    simplugin_reply_clear(&reply);
    simplugin_writer_clear(&writer);
    simplugin_close(index, NULL);
    free(spaced);
    free(values);
    free(offsets);
    free(texts);
    free(rows);
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
        bench_fail("floor", NULL);
    grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    if (code != GRPC_STATUS_OK)
        bench_fail("floor: the call", NULL);
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
    float *queries = bench_read(path, count * dimension);
    const char *uri = getenv("FIFTYONE_BRAIN_SIMILARITY_MILVUS_URI");
    grpc_slice *requests = calloc(count, sizeof *requests);
    double times[SINGLE_RUNS], start, busy;
    replayer replayers[THREADS];
    grpc_completion_queue *queue;
    grpc_channel *channel;

    if (!uri || !requests)
        bench_fail("FIFTYONE_BRAIN_SIMILARITY_MILVUS_URI", NULL);
    grpc_init();
    channel = grpc_channel_create(strstr(uri, "://") ? strstr(uri, "://") + 3 : uri,
                                  grpc_insecure_credentials_create(), NULL);
    queue = grpc_completion_queue_create_for_next(NULL);
    for (uint64_t i = 0; i < count; i++)
        requests[i] = request_encode(collection, queries + i * dimension, dimension);
    for (uint64_t i = 0; i < 20; i++)
        replay(channel, queue, requests[i % count]);
    busy = bench_cpu();
    for (uint64_t i = 0; i < SINGLE_RUNS; i++) {
        start = bench_now();
        replay(channel, queue, requests[i % count]);
        times[i] = bench_now() - start;
    }
    printf("cpu %.9f\n", (bench_cpu() - busy) / SINGLE_RUNS);
    printf("p50 %.9f\n", bench_median(times, SINGLE_RUNS));
    start = bench_now();
    for (uint64_t i = 0; i < THREADS; i++) {
        replayers[i] = (replayer){.channel = channel, .requests = requests, .count = count,
                                  .first = i * 37};
        pthread_create(&replayers[i].thread, NULL, replayer_run, &replayers[i]);
    }
    for (uint64_t i = 0; i < THREADS; i++)
        pthread_join(replayers[i].thread, NULL);
    printf("rate %.6f\n", THREADS * THREAD_RUNS / (bench_now() - start));
    free(queries);
}

int main(int argc, char **argv)
{
    uint64_t count, dimension;

    bench_backend = "milvus";
    if (argc < 6)
        bench_fail("arguments", NULL);
    count = strtoull(argv[3], NULL, 10);
    dimension = strtoull(argv[4], NULL, 10);
    if (strcmp(argv[1], "upsert") == 0)
        bench_upsert(argv[2], count, dimension, argv[5]);
    else if (strcmp(argv[1], "insert") == 0)
        insert(argv[2], count, dimension, argv[5]);
    else if (strcmp(argv[1], "search") == 0)
        bench_search(argv[2], count, dimension, argv[5]);
    else if (strcmp(argv[1], "floor") == 0)
        floor_run(argv[2], count, dimension, argv[5]);
    else if (strcmp(argv[1], "view") == 0 && argc > 7)
        bench_view(argv[2], count, dimension, argv[5], argv[6], argv[7]);
    else
        bench_fail(argv[1], NULL);
    return 0;
}
