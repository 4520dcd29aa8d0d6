/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <math.h>

#include "cli/number.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "unit.h"

static char *text;
static size_t size;
static FILE *out;

static void begin(void)
{
    free(text);
    text = NULL;
    out = open_memstream(&text, &size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
}

static int is_printed(const char *expected)
{
    int is_equal;

    fclose(out);
    is_equal = strcmp(text, expected) == 0;
    if (!is_equal)
        fprintf(stderr, "\n%s\ninstead of\n%s\n", text, expected);
    return is_equal;
}

static void test_text(void)
{
    static const char hostile[] = "a\"\\\n\x1b[2J\x7f\xc2\x9b" "\xe2\x80\xae\xc3\xa9\xff\xe2\x80";

    begin();
    cli_json_text(out, hostile, sizeof(hostile) - 1);
    CU_ASSERT(is_printed("\"a\\\"\\\\\\n\\u001b[2J\\u007f\\u009b\\u202e\xc3\xa9\\ufffd\\ufffd\\ufffd\""));
    begin();
    cli_print_text(out, hostile, sizeof(hostile) - 1);
    CU_ASSERT(is_printed("a\"\\\\x0a\\x1b[2J\\x7f\\u009b\\u202e\xc3\xa9\\xff\\xe2\\x80"));
    begin();
    cli_json_text(out, "a\0b", 3);
    CU_ASSERT(is_printed("\"a\\u0000b\""));
}

static void test_numbers(void)
{
    begin();
    cli_json_float(out, 0.1f);
    fputc(' ', out);
    cli_json_float(out, 1);
    fputc(' ', out);
    cli_json_float(out, 16777217.0f);
    fputc(' ', out);
    cli_json_float(out, NAN);
    fputc(' ', out);
    cli_json_double(out, 0.1);
    fputc(' ', out);
    cli_json_double(out, 1.0 / 3);
    fputc(' ', out);
    cli_json_double(out, -INFINITY);
    CU_ASSERT(is_printed("0.1 1.0 16777216.0 null 0.1 0.3333333333333333 null"));
    for (uint32_t i = 0; i < 2000; i++) { /* what is printed reads back as the same */
        uint32_t bits = i * 2147483u;
        float value;

        memcpy(&value, &bits, 4);
        if (!isfinite(value))
            continue;
        begin();
        cli_json_float(out, value);
        fclose(out);
        CU_ASSERT_EQUAL(strtof(text, NULL), value);
    }
}

/* Both ways agree with the C library, for all sizes of numbers. */
static void test_number_text(void)
{
    static const char *const wrong[] = {"", "-", "+1", "01", "-01", ".5", "1.", "1e", "1e+", "x",
                                        "nan", "1e999", "--1"};
    static const char *const good[] = {"0", "-0", "0.5", "1e5", "1E-5", "123456789012345678901234",
                                       "0.000000000000000000000000000000012345", "1e22", "1e23",
                                       "9007199254740993", "2.2250738585072011e-308", "1.5e+3"};
    uint64_t state = 88172645463325252u;
    char line[CLI_NUMBER_SIZE];
    double value;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        CU_ASSERT_PTR_NULL(cli_number_read(wrong[i], wrong[i] + strlen(wrong[i]), &value));
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        const char *end = good[i] + strlen(good[i]);

        CU_ASSERT_PTR_EQUAL(cli_number_read(good[i], end, &value), end);
        CU_ASSERT_EQUAL(value, strtod(good[i], NULL));
    }
    for (int i = 0; i < 300000; i++) {
        uint32_t bits;
        float number, shortest;

        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bits = (uint32_t)(state >> 16);
        if (i % 2) /* near 1, where most vectors live */
            bits = (bits & 0x87ffffffu) | 0x38000000u;
        memcpy(&number, &bits, 4);
        if (!isfinite(number))
            continue;
        size_t length = cli_number_print(number, line);

        if (strlen(line) != length || strtof(line, NULL) != number)
            CU_FAIL("a number does not read back");
        if (cli_number_read(line, line + length, &value) != line + length ||
            value != strtod(line, NULL))
            CU_FAIL("a number is read otherwise than by the C library");
        for (int digits = 6; digits <= 9; digits++) {
            char text_of[40];

            snprintf(text_of, sizeof(text_of), "%.*g", digits, (double)number);
            shortest = strtof(text_of, NULL);
            if (shortest == number) {
                /* not a digit more than needed, but for the margin and the ".0" */
                if (length > strlen(text_of) + 7 && fabsf(number) >= 1e-4f)
                    CU_FAIL("a number is too long");
                break;
            }
        }
    }
}

static void test_reply(void)
{
    static const float vectors[] = {1, 2, 3, 4};
    static const float distances[] = {0.5f, 0.25f};
    static const int64_t offsets[] = {0, 2};
    static const int64_t id_offsets[] = {0, 1, 3}, lists[] = {0, 2, 2};
    static const uint16_t halves[] = {0x3c00, 0xc000, 0x0001, 0x7c00};
    static const uint8_t flags[] = {1, 0}, valid[] = {1};
    simplugin_column ids = {SIMPLUGIN_COLUMN_TEXT, 2, NULL, NULL, id_offsets, "abb"};
    simplugin_column tags = {SIMPLUGIN_COLUMN_TEXT | SIMPLUGIN_COLUMN_LIST, 2, NULL, lists,
                             id_offsets, "abb"};
    simplugin_column even = {SIMPLUGIN_COLUMN_BOOL, 2, valid, NULL, NULL, flags};
    simplugin_tensor tensor;
    simplugin_writer writer;
    simplugin_reply reply = {.size = sizeof(reply)};

    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 8);
    simplugin_write_string(&writer, "ids");
    simplugin_write_column(&writer, &ids);
    simplugin_write_string(&writer, "vectors");
    tensor = simplugin_tensor_of(SIMPLUGIN_FLOAT32, vectors, 2, 2);
    simplugin_write_tensor(&writer, &tensor);
    simplugin_write_string(&writer, "distances");
    tensor = simplugin_tensor_of(SIMPLUGIN_FLOAT32, distances, 2, 1);
    simplugin_write_tensor(&writer, &tensor);
    simplugin_write_string(&writer, "offsets");
    tensor = simplugin_tensor_of(SIMPLUGIN_INT64, offsets, 2, 1);
    simplugin_write_tensor(&writer, &tensor);
    simplugin_write_string(&writer, "halves");
    tensor = simplugin_tensor_of(SIMPLUGIN_FLOAT16, halves, 1, 4);
    simplugin_write_tensor(&writer, &tensor);
    simplugin_write_string(&writer, "fields");
    simplugin_write_map(&writer, 2);
    simplugin_write_string(&writer, "tags");
    simplugin_write_column(&writer, &tags);
    simplugin_write_string(&writer, "even");
    simplugin_write_column(&writer, &even);
    simplugin_write_string(&writer, "nothing");
    simplugin_write_nil(&writer);
    simplugin_write_string(&writer, "hidden");
    simplugin_write_int(&writer, -5);
    CU_ASSERT_FALSE(writer.failed);
    reply.body = writer.data;
    reply.body_size = writer.size;
    reply.tensors = writer.tensors;
    reply.tensor_count = writer.tensor_count;
    begin();
    cli_json_reply(out, &reply, "hidden");
    CU_ASSERT(is_printed(
        "{\"ids\": [\"a\", \"bb\"], \"vectors\": [[1.0, 2.0], [3.0, 4.0]], "
        "\"distances\": [0.5, 0.25], \"offsets\": [0, 2], "
        "\"halves\": [[1.0, -2.0, 5.9604645e-08, null]], "
        "\"fields\": {\"tags\": [[\"a\", \"bb\"], []], \"even\": [true, null]}, "
        "\"nothing\": null}\n"));
    memset(&reply, 0, sizeof(reply));
    begin();
    cli_json_reply(out, &reply, NULL);
    CU_ASSERT(is_printed("{}\n"));
    simplugin_writer_clear(&writer);
}

static void test_cells(void)
{
    cli_cells cells;

    cli_cells_init(&cells, "NAME COUNT", 2);
    cli_cells_title(&cells, "LAST", 4);
    cli_cells_add(&cells, "\xc3\xa9t\xc3\xa9", 5);
    cli_cells_addf(&cells, "%d", 7);
    cli_cells_add(&cells, "x\ty", 3);
    cli_cells_add(&cells, "longer", 6);
    cli_cells_addf(&cells, "%d", 123456);
    cli_cells_add(&cells, "", 0);
    begin();
    CU_ASSERT_EQUAL(cli_cells_print(&cells, out), SIMPLUGIN_OK);
    CU_ASSERT(is_printed("NAME     COUNT  LAST\n"
                         "\xc3\xa9t\xc3\xa9          7  x\\x09y\n"
                         "longer  123456  \n"));
}

static int64_t fake_time;

static int64_t fake_now(void)
{
    return fake_time;
}

static void test_progress(void)
{
    cli_progress progress;
    char line[240];

    cli_progress_start(&progress, "adding", "rows", 0);
    CU_ASSERT_PTR_NULL(progress.out); /* nothing is shown where it is not wanted */
    cli_progress_show(&progress, 1, 2);
    cli_progress_text(&progress, 45000, 100000, 3000000000, line, sizeof(line));
    CU_ASSERT_STRING_EQUAL(line, "adding  45% [#########...........] 45,000/100,000 rows  "
                                 "15,000 rows/s  0:03 left");
    cli_progress_text(&progress, 0, 100000, 0, line, sizeof(line));
    CU_ASSERT_STRING_EQUAL(line, "adding   0% [....................] 0/100,000 rows  0 rows/s  "
                                 "-:-- left");
    cli_progress_text(&progress, 200, 100, 1000000000, line, sizeof(line));
    CU_ASSERT_PTR_NOT_NULL(strstr(line, "100% [####################] 100/100 rows"));
    cli_progress_text(&progress, 1234567, 0, 3661000000000, line, sizeof(line));
    CU_ASSERT_STRING_EQUAL(line, "adding  1,234,567 rows  337 rows/s  1:01:01");
    progress.unit = "bytes";
    cli_progress_text(&progress, 1500000, 3000000, 1000000000, line, sizeof(line));
    CU_ASSERT_STRING_EQUAL(line, "adding  50% [##########..........] 1.5 MB/3.0 MB  1.5 MB/s  "
                                 "0:01 left");

    begin();
    progress.unit = "rows";
    progress.out = out;
    progress.now = fake_now;
    progress.start = progress.shown = fake_time = 0;
    cli_progress_show(&progress, 1, 10); /* too soon */
    fake_time = 100000000;
    cli_progress_show(&progress, 2, 10);
    fake_time = 150000000;
    cli_progress_show(&progress, 3, 10); /* too soon again */
    cli_progress_clear(&progress);
    cli_progress_clear(&progress); /* erased once */
    CU_ASSERT(is_printed("\r\033[Kadding  20% [####................] 2/10 rows  20 rows/s  "
                         "0:00 left\r\033[K"));
}

int main(void)
{
    static const unit_case cases[] = {
        UNIT_CASE(test_text, "text never reaches a terminal with its controls"),
        UNIT_CASE(test_numbers, "numbers are short and exact"),
        UNIT_CASE(test_number_text, "numbers are printed and read as by the C library"),
        UNIT_CASE(test_reply, "a reply as JSON: columns, matrices, nulls"),
        UNIT_CASE(test_cells, "tables are aligned by characters"),
        UNIT_CASE(test_progress, "progress: rate, time left, at most ten a second"),
    };
    int result = unit_run("cli output", cases, sizeof(cases) / sizeof(cases[0]));

    free(text);
    return result;
}
