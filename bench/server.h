/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the programs that time backends on servers share: the same work through the public
 * interface, on whatever backend bench_backend names, with the server in the environment. Each
 * prints lines of "name number". BENCH_PARAMETERS: more parameters for index.create, JSON.
 */
#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

#include <stddef.h>

#include "simplugin.h"

#define K 10
#define THREADS 8
#define SINGLE_RUNS 300
#define THREAD_RUNS 60

extern const char *bench_backend;
extern const simplugin_options bench_patient;

double bench_now(void); /* seconds */
double bench_cpu(void); /* of this process, seconds */
void bench_fail(const char *what, simplugin_error *error) __attribute__((noreturn));
float *bench_read(const char *path, uint64_t floats);
double bench_median(double *times, size_t count);
/* Makes the collection, or connects to it where dimension is 0. */
uint64_t bench_index(const char *collection, uint64_t dimension);
/* "r" and a number of 8 digits; *texts point into the result. */
char *bench_ids(uint64_t count, int64_t **offsets, const char ***texts);

void bench_upsert(const char *path, uint64_t count, uint64_t dimension, const char *collection);
/* One at a time, then from THREADS threads. */
void bench_search(const char *path, uint64_t count, uint64_t dimension, const char *collection);
/* In a view of the ids in a file. */
void bench_view(const char *path, uint64_t count, uint64_t dimension, const char *collection,
                const char *ids_path, const char *out_path);

#endif
