/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times the qdrant backend through the public interface; bench/qdrant.py calls it with the
 * server in the environment (FIFTYONE_BRAIN_SIMILARITY_QDRANT_URL) and prints the ratios.
 * Each mode prints lines of "name number".
 *
 *   qdrant upsert ROWS.f32 COUNT DIMENSION COLLECTION   adds the rows
 *   qdrant search QUERIES.f32 COUNT DIMENSION COLLECTION  one at a time, then from 8 threads
 *   qdrant floor QUERIES.f32 COUNT DIMENSION COLLECTION   the same requests, encoded before, over
 *                                                         a bare connection of libcurl's
 *   qdrant view QUERIES.f32 COUNT DIMENSION COLLECTION IDS.txt OUT.txt  in a view of these ids
 *   qdrant copy ROWS.f32 COUNT DIMENSION COLLECTION     adds the rows to a local index, and times a
 *                                                       copy of that to the collection
 */
#include "config.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"

/* ---- the floor -------------------------------------------------------------------------------- */

typedef struct text {
    char *data;
    size_t size;
} text;

static text request_encode(const float *query, uint64_t dimension)
{
    size_t room = dimension * 16 + 64;
    text request = {malloc(room), 0};

    if (!request.data)
        bench_fail("floor", NULL);
    request.size = (size_t)snprintf(request.data, room, "{\"query\":[");
    for (uint64_t i = 0; i < dimension; i++)
        request.size += (size_t)snprintf(request.data + request.size, room - request.size, "%s%.9g",
                                         i ? "," : "", (double)query[i]);
    request.size += (size_t)snprintf(request.data + request.size, room - request.size,
                                     "],\"limit\":%d}", K);
    return request;
}

static size_t body_drop(char *data, size_t size, size_t count, void *context)
{
    (void)data;
    (void)context;
    return size * count;
}

static void replay(CURL *easy, const text *request)
{
    long status = 0;

    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->data);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->size);
    if (curl_easy_perform(easy) || curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status) ||
        status != 200)
        bench_fail("floor: the call", NULL);
}

static void floor_run(const char *path, uint64_t count, uint64_t dimension, const char *collection)
{
    float *queries = bench_read(path, count * dimension);
    const char *server = getenv("FIFTYONE_BRAIN_SIMILARITY_QDRANT_URL");
    text *requests = calloc(count, sizeof *requests);
    struct curl_slist *headers = NULL;
    double times[SINGLE_RUNS], busy;
    char url[512];
    CURL *easy;

    curl_global_init(CURL_GLOBAL_DEFAULT);
    easy = curl_easy_init();
    headers = curl_slist_append(headers, "content-type: application/json");
    if (!server || !requests || !easy || !headers)
        bench_fail("FIFTYONE_BRAIN_SIMILARITY_QDRANT_URL", NULL);
    snprintf(url, sizeof url, "%s/collections/%s/points/query", server, collection);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_drop);
    for (uint64_t i = 0; i < count; i++)
        requests[i] = request_encode(queries + i * dimension, dimension);
    for (uint64_t i = 0; i < 20; i++)
        replay(easy, &requests[i % count]);
    busy = bench_cpu();
    for (uint64_t i = 0; i < SINGLE_RUNS; i++) {
        double start = bench_now();

        replay(easy, &requests[i % count]);
        times[i] = bench_now() - start;
    }
    printf("cpu %.9f\n", (bench_cpu() - busy) / SINGLE_RUNS);
    printf("p50 %.9f\n", bench_median(times, SINGLE_RUNS));
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
    for (uint64_t i = 0; i < count; i++)
        free(requests[i].data);
    free(requests);
    free(queries);
}

/* ---- copies ------------------------------------------------------------------------------------ */

static void copy(const char *path, uint64_t count, uint64_t dimension, const char *collection)
{
    float *rows = bench_read(path, count * dimension);
    simplugin_index_spec target = {.size = sizeof target, .backend = "qdrant",
                                   .collection = collection};
    simplugin_copy_spec spec = {.size = sizeof spec, .target = &target,
                                .verify = SIMPLUGIN_VERIFY_NONE};
    simplugin_error *error = NULL;
    const char **texts;
    int64_t *offsets;
    char *ids = bench_ids(count, &offsets, &texts);
    double start, busy;

    bench_backend = "sklearn";
    spec.source = bench_index(collection, dimension);
    if (simplugin_index_add(spec.source, texts, rows, count, dimension, &bench_patient, &error))
        bench_fail("index.add", error);
    start = bench_now();
    busy = bench_cpu();
    if (simplugin_copy(&spec, NULL, NULL, &bench_patient, &error))
        bench_fail("copy", error);
    printf("wall %.6f\ncpu %.6f\n", bench_now() - start, bench_cpu() - busy);
    if (simplugin_index_cleanup(spec.source, &bench_patient, &error))
        bench_fail("index.cleanup", error);
    simplugin_close(spec.source, NULL);
    free(ids);
    free(offsets);
    free(texts);
    free(rows);
}

int main(int argc, char **argv)
{
    uint64_t count, dimension;

    bench_backend = "qdrant";
    if (argc < 6)
        bench_fail("arguments", NULL);
    count = strtoull(argv[3], NULL, 10);
    dimension = strtoull(argv[4], NULL, 10);
    if (strcmp(argv[1], "upsert") == 0)
        bench_upsert(argv[2], count, dimension, argv[5]);
    else if (strcmp(argv[1], "search") == 0)
        bench_search(argv[2], count, dimension, argv[5]);
    else if (strcmp(argv[1], "floor") == 0)
        floor_run(argv[2], count, dimension, argv[5]);
    else if (strcmp(argv[1], "copy") == 0)
        copy(argv[2], count, dimension, argv[5]);
    else if (strcmp(argv[1], "view") == 0 && argc > 7)
        bench_view(argv[2], count, dimension, argv[5], argv[6], argv[7]);
    else
        bench_fail(argv[1], NULL);
    return 0;
}
