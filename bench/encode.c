/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times writing and reading rows of float32 as JSON; bench/encode.py calls it and prints the
 * ratios. Prints "name seconds", the CPU time of the best of some runs.
 *
 *   encode write ROWS.f32 COUNT DIMENSION OUT.json
 *   encode read ROWS.json COUNT DIMENSION OUT.f32
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "json_read.h"
#include "json_write.h"

#define RUNS 10

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void fail(const char *what)
{
    fprintf(stderr, "json: %s\n", what);
    exit(1);
}

static void *file_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    sp_buffer data;

    sp_buffer_init(&data);
    if (!file)
        fail(path);
    for (;;) {
        uint8_t part[65536];
        size_t got = fread(part, 1, sizeof part, file);

        if (!got)
            break;
        sp_buffer_append(&data, part, got);
    }
    fclose(file);
    *size = data.size;
    return sp_buffer_steal(&data, NULL);
}

static void file_write(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");

    if (!file || fwrite(data, 1, size, file) != size || fclose(file))
        fail(path);
}

/* From nothing to the whole text, as Python's library returns it. */
static void rows_write(const float *rows, uint64_t count, uint64_t dimension, sp_buffer *out)
{
    int is_first = 1;

    sp_buffer_init(out);
    sp_buffer_append(out, "[", 1);
    for (uint64_t i = 0; i < count; i++) {
        plug_json_comma(out, &is_first);
        plug_json_floats(out, rows + i * dimension, dimension);
    }
    sp_buffer_append(out, "]", 1);
}

static void rows_read(const char *data, size_t size, uint64_t count, uint64_t dimension,
                      float *rows)
{
    uint64_t row = 0;
    plug_json json;

    plug_json_init(&json, data, size);
    plug_json_array_begin(&json);
    while (plug_json_next_item(&json)) {
        if (row == count)
            fail("too many rows");
        plug_json_read_floats(&json, rows + row++ * dimension, dimension);
    }
    if (!plug_json_end(&json))
        fail(json.problem);
}

int main(int argc, char **argv)
{
    uint64_t count, dimension;
    double best = 1e9;
    sp_buffer out;
    size_t size;
    void *data;

    if (argc != 6)
        fail("wrong arguments");
    data = file_read(argv[2], &size);
    count = strtoull(argv[3], NULL, 10);
    dimension = strtoull(argv[4], NULL, 10);
    if (!data)
        fail("no memory");
    for (int run = 0; run < RUNS; run++) {
        double start = now(), took;

        if (strcmp(argv[1], "write") == 0) {
            rows_write(data, count, dimension, &out);
        } else {
            sp_buffer_init(&out);
            if (sp_buffer_extend(&out, (size_t)(count * dimension * sizeof(float))))
                rows_read(data, size, count, dimension, (float *)(void *)out.data);
        }
        took = now() - start;
        best = took < best ? took : best;
        if (out.failed)
            fail("no memory");
        if (run == RUNS - 1)
            file_write(argv[5], out.data, out.size);
        sp_buffer_clear(&out);
    }
    printf("%s %.9f\n", argv[1], best);
    free(data);
    return 0;
}
