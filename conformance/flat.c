/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "flat.h"

#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#include "sanitized.h"

#define ROUNDS 4
/* Fewer bytes each time are no leak that this can tell from what a library keeps ready. */
#define BYTES_EACH 16
#define BYTES_LEAST 8192
#define RESIDENT_EACH 128
#define RESIDENT_LEAST (1 << 19)

/* Sanitizers keep what was freed. */
#define COUNTS_RESIDENT (!CONF_IS_SANITIZED)

typedef struct used {
    int64_t heap, resident;
} used;

static used used_now(void)
{
    struct mallinfo2 heap = mallinfo2();
    used now = {(int64_t)(heap.uordblks + heap.hblkhd), 0};
    FILE *file = fopen("/proc/self/statm", "r");
    long long size, resident;

    if (file && fscanf(file, "%lld %lld", &size, &resident) == 2)
        now.resident = (int64_t)resident * sysconf(_SC_PAGESIZE);
    if (file)
        fclose(file);
    return now;
}

/*
 * How much it grew in all, if it grew evenly; else 0. What is left behind each time is as much in
 * each part; what a library keeps ready, or frees when it likes, is not.
 */
static int64_t growth(const int64_t *after)
{
    int64_t least = INT64_MAX, most = 0;

    for (int i = 0; i < ROUNDS; i++) {
        int64_t part = after[i + 1] - after[i];

        least = part < least ? part : least;
        most = part > most ? part : most;
    }
    return least > 0 && least >= most / 2 ? after[ROUNDS] - after[0] : 0;
}

static int repeat(conf_rig *rig, size_t times, int (*once)(conf_rig *rig, void *context),
                  void *context)
{
    for (size_t i = 0; i < times; i++)
        if (!once(rig, context))
            return 0;
    return 1;
}

/* What it has left behind, by the heap and by the process, after each part of a series. */
typedef struct series {
    int64_t heap[ROUNDS + 1], resident[ROUNDS + 1];
} series;

static int series_run(conf_rig *rig, series *s, size_t each,
                      int (*once)(conf_rig *rig, void *context), void *context)
{
    for (int i = 0; i <= ROUNDS; i++) {
        used now;

        if (!repeat(rig, each, once, context))
            return 0;
        now = used_now();
        s->heap[i] = now.heap;
        s->resident[i] = now.resident;
    }
    return 1;
}

/* Bytes that were left behind each time; 0 where that is not sure. */
static int64_t leak_of(const int64_t *after, size_t times, int64_t each, int64_t least)
{
    int64_t grown = growth(after);

    return grown > least && grown >= (int64_t)times * each ? grown / (int64_t)times : 0;
}

void conf_flat_memory(conf_rig *rig, size_t times, double seconds, const char *what,
                      int (*once)(conf_rig *rig, void *context), void *context)
{
    int64_t began = conf_clock(), heap = 0, resident = 0;
    size_t each = times / (ROUNDS + 1), could;
    double took;
    series s;

    /* the first ones make what is then kept, and show how long one takes */
    if (!repeat(rig, 4, once, context))
        return;
    took = (double)(conf_clock() - began) / 1e9 / 4;
    could = took > 0 ? (size_t)(seconds / took / (ROUNDS + 1)) : each;
    each = each < could ? each : could ? could : 1;
    rig->quiet = 1;
    /* threads of the backend's allocate when they like: what is a leak shows three times over */
    for (int i = 0; i < 3; i++) {
        if (!series_run(rig, &s, each, once, context))
            return;
        heap = leak_of(s.heap, each * ROUNDS, BYTES_EACH, BYTES_LEAST);
        resident =
            COUNTS_RESIDENT ? leak_of(s.resident, each * ROUNDS, RESIDENT_EACH, RESIDENT_LEAST) : 0;
        if (!heap && !resident)
            return;
    }
    conf_fail(rig->run, "%s leaves memory behind, some %lld bytes each time (%zu times in a row)",
              what, (long long)(heap ? heap : resident), each * ROUNDS);
}

size_t conf_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    const struct dirent *entry;
    size_t count = 0;

    while (directory && (entry = readdir(directory)) != NULL)
        count += entry->d_name[0] != '.';
    if (directory)
        closedir(directory);
    return count;
}
