/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cli/input.h"
#include "unit.h"

static char path[4096];
static char *directory;
static cli_input *input;
static cli_block block;

static void write_file(const char *name, const void *data, size_t size)
{
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    file = fopen(path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(data, 1, size, file), size);
    fclose(file);
}

static int32_t open_input(const char *format, uint64_t batch)
{
    cli_input_close(input);
    return cli_input_open(path, format, batch, -1, &input);
}

static int says(const char *part)
{
    int is_said = strstr(cli_input_problem(input), part) != NULL;

    if (!is_said)
        fprintf(stderr, "\n\"%s\" instead of \"%s\"\n", cli_input_problem(input), part);
    return is_said;
}

/* Opens and reads to the end; the first code that is not OK. */
static int32_t read_through(const char *format, uint64_t *rows)
{
    int32_t code = open_input(format, 0);

    *rows = 0;
    while (code == SIMPLUGIN_OK) {
        code = cli_input_next(input, &block);
        if (code != SIMPLUGIN_OK || block.rows == 0)
            break;
        *rows += block.rows;
    }
    return code;
}

/* A .npy file of a version with a header, padded by as many blanks, and data behind it. */
static void write_npy(int version, const char *header, size_t padding, const void *data,
                      size_t size)
{
    uint8_t bytes[4096] = "\x93NUMPY";
    size_t length = strlen(header) + padding + 1, at = version == 1 ? 10 : 12;

    bytes[6] = (uint8_t)version;
    bytes[8] = (uint8_t)length;
    bytes[9] = (uint8_t)(length >> 8);
    memcpy(bytes + at, header, strlen(header));
    memset(bytes + at + strlen(header), ' ', padding);
    bytes[at + length - 1] = '\n';
    memcpy(bytes + at + length, data, size);
    write_file("a.npy", bytes, at + length + size);
}

static float element(uint64_t row, uint64_t col)
{
    float value;

    memcpy(&value,
           (const uint8_t *)block.vectors.data + row * simplugin_tensor_stride(&block.vectors) +
               col * 4,
           4);
    return value;
}

static const float numbers[] = {1, 2, 3, 4, 5, 6};
#define HEADER(descr, order, shape) "{'descr': '" descr "', 'fortran_order': " order ", 'shape': " shape ", }"

static void test_npy(void)
{
    for (int version = 1; version <= 3; version++)
        for (size_t padding = 0; padding < 9; padding++) { /* every alignment of the data */
            write_npy(version, HEADER("<f4", "False", "(3, 2)"), padding, numbers, sizeof(numbers));
            CU_ASSERT_EQUAL_FATAL(open_input(NULL, 2), SIMPLUGIN_OK);
            CU_ASSERT_EQUAL(input->total_rows, 3);
            CU_ASSERT_EQUAL_FATAL(cli_input_next(input, &block), SIMPLUGIN_OK);
            CU_ASSERT_EQUAL(block.rows, 2);
            CU_ASSERT_EQUAL(block.vectors.cols, 2);
            CU_ASSERT_PTR_NULL(simplugin_tensor_check(&block.vectors));
            CU_ASSERT_EQUAL(element(1, 1), 4);
            CU_ASSERT_EQUAL_FATAL(cli_input_next(input, &block), SIMPLUGIN_OK);
            CU_ASSERT_EQUAL(block.rows, 1);
            CU_ASSERT_EQUAL(block.first, 2);
            CU_ASSERT_EQUAL(element(0, 0), 5);
            CU_ASSERT_EQUAL_FATAL(cli_input_next(input, &block), SIMPLUGIN_OK);
            CU_ASSERT_EQUAL(block.rows, 0);
        }
    /* keys in another order, other quotes, no blanks */
    write_npy(1, "{\"shape\":(6L,),\"fortran_order\":True,\"descr\":\"<f4\"}", 1, numbers,
              sizeof(numbers));
    CU_ASSERT_EQUAL(open_input(NULL, 0), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(cli_input_next(input, &block), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(block.rows, 1); /* one dimension: one vector */
    CU_ASSERT_EQUAL(block.vectors.cols, 6);
    /* as they are, not converted */
    write_npy(1, HEADER("<f8", "False", "(1, 3)"), 0, numbers, 24);
    CU_ASSERT_EQUAL(open_input("npy", 0), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(cli_input_next(input, &block), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(block.vectors.dtype, SIMPLUGIN_FLOAT64);
    write_npy(1, HEADER("<f2", "False", "(3, 4)"), 0, numbers, 24);
    CU_ASSERT_EQUAL(open_input("npy", 0), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(cli_input_next(input, &block), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(block.vectors.dtype, SIMPLUGIN_FLOAT16);
    write_npy(1, HEADER("<f4", "False", "(0, 4)"), 0, numbers, 0);
    CU_ASSERT_EQUAL(open_input(NULL, 0), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(cli_input_next(input, &block), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(block.rows, 0);
}

static void test_bad_npy(void)
{
    static const struct {
        const char *header;
        const char *says;
    } cases[] = {
        {HEADER(">f4", "False", "(3, 2)"), "little endian"},
        {HEADER("<i8", "False", "(3, 2)"), "array of <i8"},
        {HEADER("|O", "False", "(3, 2)"), "array of |O"},
        {HEADER("<f4", "True", "(3, 2)"), "Fortran"},
        {HEADER("<f4", "False", "()"), "0 dimensions"},
        {HEADER("<f4", "False", "(1, 3, 2)"), "3 dimensions"},
        {HEADER("<f4", "False", "(3, 0)"), "no elements"},
        {HEADER("<f4", "False", "(4, 2)"), "cut off"},
        {HEADER("<f4", "False", "(2, 2)"), "more behind"},
        {HEADER("<f4", "False", "(18446744073709551615, 2)"), "not that of an array"},
        {HEADER("<f4", "False", "(4611686018427387904, 4)"), "too large"},
        {HEADER("<f4", "False", "(1, 4611686018427387904)"), "too large"},
        {HEADER("<f4", "False", "(-3, 2)"), "not that of an array"},
        {HEADER("<f4", "None", "(3, 2)"), "not that of an array"},
        {"{'descr': '<f4', 'shape': (3, 2)}", "not that of an array"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,)}", "not that of an array"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), 'x': 1}", "not that of an array"},
        {"{", "not that of an array"},
        {"", "not that of an array"},
    };
    uint64_t rows;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        write_npy(1, cases[i].header, 3, numbers, sizeof(numbers));
        CU_ASSERT_NOT_EQUAL(read_through("npy", &rows), SIMPLUGIN_OK);
        CU_ASSERT(says(cases[i].says));
        CU_ASSERT(says("a.npy: "));
    }
    write_npy(4, HEADER("<f4", "False", "(3, 2)"), 0, numbers, sizeof(numbers));
    CU_ASSERT_EQUAL(read_through(NULL, &rows), SIMPLUGIN_INVALID_ARGUMENT);
    CU_ASSERT(says("version 4"));
    write_file("a.npy", "\x93NUMPY\x01", 7);
    CU_ASSERT_EQUAL(read_through(NULL, &rows), SIMPLUGIN_INVALID_ARGUMENT);
    write_file("a.npy", "\x93NUMPY\x02\x00\xff\xff\xff\xff", 12);
    CU_ASSERT_EQUAL(read_through(NULL, &rows), SIMPLUGIN_INVALID_ARGUMENT);
    CU_ASSERT(says("too large"));
    /* every length of a good file is either whole or cut off */
    write_npy(1, HEADER("<f4", "False", "(3, 2)"), 0, numbers, sizeof(numbers));
    for (off_t size = (off_t)(11 + strlen(HEADER("<f4", "False", "(3, 2)")) + sizeof(numbers)) - 1;
         size >= 0; size--) {
        CU_ASSERT_EQUAL(truncate(path, size), 0);
        CU_ASSERT_EQUAL(read_through("npy", &rows), SIMPLUGIN_INVALID_ARGUMENT);
    }
}

static void test_fvecs(void)
{
    static const uint8_t bytes[] = {2, 0, 0, 0, 0, 0, 0x80, 0x3f, 0, 0, 0, 0x40,
                                    2, 0, 0, 0, 0, 0, 0x40, 0x40, 0, 0, 0x80, 0x40};
    uint8_t copy[sizeof(bytes)];
    uint64_t rows;

    write_file("a.fvecs", bytes, sizeof(bytes));
    CU_ASSERT_EQUAL(open_input(NULL, 0), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(input->total_rows, 2);
    CU_ASSERT_EQUAL(cli_input_next(input, &block), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(block.rows, 2);
    CU_ASSERT_EQUAL(block.vectors.row_stride, 12); /* in place */
    CU_ASSERT_PTR_NULL(simplugin_tensor_check(&block.vectors));
    CU_ASSERT_EQUAL(element(0, 1), 2);
    CU_ASSERT_EQUAL(element(1, 0), 3);
    write_file("a.fvecs", bytes, sizeof(bytes) - 1);
    CU_ASSERT_EQUAL(read_through(NULL, &rows), SIMPLUGIN_INVALID_ARGUMENT);
    CU_ASSERT(says("cut off in row 1"));
    memcpy(copy, bytes, sizeof(copy));
    copy[12] = 3;
    write_file("a.fvecs", copy, sizeof(copy));
    CU_ASSERT_EQUAL(read_through(NULL, &rows), SIMPLUGIN_INVALID_ARGUMENT);
    CU_ASSERT(says("row 1 has dimension 3"));
    copy[3] = 0xff;
    write_file("a.fvecs", copy, sizeof(copy));
    CU_ASSERT_EQUAL(read_through(NULL, &rows), SIMPLUGIN_INVALID_ARGUMENT);
    CU_ASSERT(says("not an .fvecs file"));
}

static int is_text(const simplugin_column *column, uint64_t row, const char *expected)
{
    uint64_t size;
    const char *text = simplugin_column_text(column, row, &size);

    return size == strlen(expected) && memcmp(text, expected, size) == 0;
}

static void test_jsonl(void)
{
    static const char lines[] =
        "{\"id\": \"a\", \"vector\": [1, 2.5], \"sample_id\": \"s\", \"fields\": {\"page\": 3}}\r\n"
        "\n"
        "{\"vector\": [-1e3, 0], \"id\": 7, \"sample_id\": 8}\n"
        "{\"id\": \"c\\u00e9\", \"vector\": [0, 1], \"sample_id\": \"t\", \"fields\": null}";

    write_file("a.jsonl", lines, strlen(lines));
    CU_ASSERT_EQUAL(open_input(NULL, 2), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(cli_input_next(input, &block), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL_FATAL(block.rows, 2);
    CU_ASSERT(block.has_ids && block.has_sample_ids);
    CU_ASSERT(is_text(&block.ids, 0, "a"));
    CU_ASSERT(is_text(&block.ids, 1, "7"));
    CU_ASSERT(is_text(&block.sample_ids, 1, "8"));
    CU_ASSERT_EQUAL(element(0, 1), 2.5f);
    CU_ASSERT_EQUAL(element(1, 0), -1000);
    CU_ASSERT_PTR_NOT_NULL_FATAL(block.fields);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(block.fields[0], "page")), 3);
    CU_ASSERT_PTR_NULL(block.fields[1]);
    CU_ASSERT_EQUAL(cli_input_next(input, &block), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL_FATAL(block.rows, 1);
    CU_ASSERT(is_text(&block.ids, 0, "c\xc3\xa9"));
    CU_ASSERT_PTR_NULL(block.fields);
    CU_ASSERT_EQUAL(cli_input_next(input, &block), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(block.rows, 0);
}

static void test_bad_jsonl(void)
{
    static const struct {
        const char *lines;
        const char *says;
    } cases[] = {
        {"{\"id\": \"a\", \"vector\": [1]}\n\n{oops\n", "line 3, column"},
        {"{\"id\": \"a\", \"vector\": [1], \"vector\": [2]}", "line 1, column"},
        {"[1]", "not a JSON object"},
        {"{\"id\": \"a\", \"vector\": [1], \"filds\": {}}", "\"filds\" is unknown"},
        {"{\"vector\": [1]}", "\"id\" must be"},
        {"{\"id\": 1.5, \"vector\": [1]}", "\"id\" must be"},
        {"{\"id\": \"a\"}", "\"vector\" must be"},
        {"{\"id\": \"a\", \"vector\": []}", "\"vector\" must be"},
        {"{\"id\": \"a\", \"vector\": [1, \"2\"]}", "numbers"},
        {"{\"id\": \"a\", \"vector\": [1, null]}", "numbers"},
        {"{\"id\": \"a\", \"vector\": [1e39]}", "fit float32"},
        {"{\"id\": \"a\", \"vector\": [1e999]}", "line 1, column"},
        {"{\"id\": \"a\", \"vector\": [NaN]}", "line 1, column"},
        {"{\"id\": \"a\", \"vector\": [1]}\n{\"id\": \"b\", \"vector\": [1, 2]}", "dimension 2"},
        {"{\"id\": \"a\", \"vector\": [1], \"fields\": 3}", "\"fields\" must be"},
        {"{\"id\": \"a\", \"vector\": [1], \"sample_id\": \"s\"}\n{\"id\": \"b\", \"vector\": [1]}",
         "line 2: all lines"},
        {"{\"id\": \"\xff\", \"vector\": [1]}", "line 1, column"},
    };
    uint64_t rows;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        write_file("a.jsonl", cases[i].lines, strlen(cases[i].lines));
        CU_ASSERT_NOT_EQUAL(read_through(NULL, &rows), SIMPLUGIN_OK);
        CU_ASSERT(says(cases[i].says));
    }
}

static void test_formats(void)
{
    uint64_t rows;

    write_file("vectors", " {\"id\": 1, \"vector\": [1]}", 25);
    CU_ASSERT_EQUAL(read_through(NULL, &rows), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(rows, 1);
    write_file("vectors", "PK\x03\x04", 4);
    CU_ASSERT_EQUAL(read_through(NULL, &rows), SIMPLUGIN_INVALID_ARGUMENT);
    CU_ASSERT(says("--format"));
    write_file("vectors", "", 0);
    CU_ASSERT_EQUAL(read_through(NULL, &rows), SIMPLUGIN_INVALID_ARGUMENT);
    CU_ASSERT(says("empty"));
    snprintf(path, sizeof(path), "%s/none.npy", directory);
    CU_ASSERT_EQUAL(read_through(NULL, &rows), SIMPLUGIN_NOT_FOUND);
    snprintf(path, sizeof(path), "%s", directory);
    CU_ASSERT_EQUAL(read_through(NULL, &rows), SIMPLUGIN_IO);
}

/* ---- pipes ---- */

typedef struct feed {
    int fd;
    const void *data;
    size_t size;
    size_t step;
} feed;

static void *feed_main(void *argument)
{
    const feed *what = argument;

    for (size_t at = 0; at < what->size; at += what->step) {
        size_t size = what->size - at < what->step ? what->size - at : what->step;

        if (write(what->fd, (const uint8_t *)what->data + at, size) != (ssize_t)size)
            break;
    }
    close(what->fd);
    return NULL;
}

/* Reads data through a pipe in pieces of step bytes; the number of rows. */
static uint64_t read_pipe(const char *format, const void *data, size_t size, size_t step)
{
    feed what = {-1, data, size, step};
    int fds[2], saved = dup(STDIN_FILENO);
    pthread_t thread;
    uint64_t rows = 0;

    CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
    CU_ASSERT_EQUAL(dup2(fds[0], STDIN_FILENO), STDIN_FILENO);
    close(fds[0]);
    what.fd = fds[1];
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, feed_main, &what), 0);
    strcpy(path, "-");
    CU_ASSERT_EQUAL(read_through(format, &rows), SIMPLUGIN_OK);
    pthread_join(thread, NULL);
    dup2(saved, STDIN_FILENO);
    close(saved);
    return rows;
}

static void test_pipes(void)
{
    enum { ROWS = 3000, DIMENSION = 8 };
    static uint8_t npy[128 + ROWS * DIMENSION * 4], fvecs[ROWS * (4 + DIMENSION * 4)];
    static const char header[] = HEADER("<f4", "False", "(3000, 8)");
    char *lines = calloc(1, ROWS * 64);
    size_t size = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(lines);
    memcpy(npy, "\x93NUMPY\x01\x00\x76\x00", 10);
    memset(npy + 10, ' ', 118);
    memcpy(npy + 10, header, strlen(header));
    npy[127] = '\n';
    for (size_t i = 0; i < ROWS; i++) {
        fvecs[i * (4 + DIMENSION * 4)] = DIMENSION;
        size += (size_t)sprintf(lines + size, "{\"id\": %zu, \"vector\": [1, 2, 3]}\n", i);
    }
    CU_ASSERT_EQUAL(read_pipe(NULL, npy, sizeof(npy), 7), ROWS);
    CU_ASSERT_EQUAL(read_pipe(NULL, npy, sizeof(npy), 5000), ROWS);
    CU_ASSERT_EQUAL(read_pipe("fvecs", fvecs, sizeof(fvecs), 11), ROWS);
    CU_ASSERT_EQUAL(read_pipe(NULL, lines, size, 13), ROWS);
    free(lines);
}

static void test_interrupt(void)
{
    int fds[2], saved = dup(STDIN_FILENO), wakeup = eventfd(0, 0);
    uint64_t one = 1;

    CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
    dup2(fds[0], STDIN_FILENO);
    CU_ASSERT_EQUAL(write(wakeup, &one, sizeof(one)), (ssize_t)sizeof(one));
    cli_input_close(input);
    /* nothing ever comes, and still this returns */
    CU_ASSERT_EQUAL(cli_input_open("-", "jsonl", 0, wakeup, &input), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(cli_input_next(input, &block), SIMPLUGIN_CANCELLED);
    close(fds[0]);
    close(fds[1]);
    close(wakeup);
    dup2(saved, STDIN_FILENO);
    close(saved);
}

static void test_ids(void)
{
    cli_texts texts = {0};
    simplugin_column column;
    int64_t *offsets = NULL;
    char problem[CLI_PROBLEM];

    write_file("ids", "a\nbb\r\nccc", 9);
    CU_ASSERT_EQUAL(cli_texts_read(&texts, path, -1, problem), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL_FATAL(texts.count, 3);
    CU_ASSERT_EQUAL(cli_texts_slice(&texts, 1, 2, &offsets, &column), 0);
    CU_ASSERT(is_text(&column, 0, "bb"));
    CU_ASSERT(is_text(&column, 1, "ccc"));
    CU_ASSERT_EQUAL(column.offsets[0], 0);
    free(offsets);
    cli_texts_clear(&texts);
    write_file("ids", "a\n\nb\n", 5);
    CU_ASSERT_EQUAL(cli_texts_read(&texts, path, -1, problem), SIMPLUGIN_INVALID_ARGUMENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(problem, "line 2 is empty"));
    cli_texts_clear(&texts);
}

int main(void)
{
    static const unit_case cases[] = {
        UNIT_CASE(test_npy, ".npy: versions, alignment, dtypes, blocks"),
        UNIT_CASE(test_bad_npy, ".npy: what cannot be used, and every way of being cut off"),
        UNIT_CASE(test_fvecs, ".fvecs in place, and broken ones"),
        UNIT_CASE(test_jsonl, "JSON Lines with ids, sample ids and fields"),
        UNIT_CASE(test_bad_jsonl, "JSON Lines: the line of each mistake"),
        UNIT_CASE(test_formats, "the format is seen from the content"),
        UNIT_CASE(test_pipes, "the same from pipes, in pieces of any size"),
        UNIT_CASE(test_interrupt, "waiting for input can be ended"),
        UNIT_CASE(test_ids, "ids, one on each line"),
    };
    int result;

    directory = unit_temp_dir();
    result = unit_run("cli input", cases, sizeof(cases) / sizeof(cases[0]));
    cli_input_close(input);
    for (size_t i = 0; i < 5; i++) {
        static const char *const names[] = {"a.npy", "a.fvecs", "a.jsonl", "vectors", "ids"};

        snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
        unlink(path);
    }
    rmdir(directory);
    free(directory);
    return result;
}
