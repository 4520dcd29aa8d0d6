/* SPDX-License-Identifier: Apache-2.0 */
/* What is read is all there is, whatever the rows hold and however little an index looks at. */
#include "config.h"

#include "milvus_live.h"

#include <math.h>

/* ---- rows ----------------------------------------------------------------------------------- */

/* Adds points with a number n, their row, and a text of that many bytes (0: none). */
static int32_t numbered_add(uint64_t index, const float *rows, uint64_t first, uint64_t count,
                            uint64_t dimension, size_t text_bytes)
{
    simplugin_tensor tensor = simplugin_tensor_of(SIMPLUGIN_FLOAT32, rows, count, dimension);
    char *text = malloc(text_bytes + 1);
    simplugin_writer writer;
    int32_t code;

    if (!text)
        abort();
    memset(text, 'x', text_bytes);
    text[text_bytes] = 0;
    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 3);
    simplugin_write_string(&writer, "ids");
    simplugin_write_array(&writer, count);
    for (uint64_t i = 0; i < count; i++) {
        char id[16];

        live_id(id, first + i);
        simplugin_write_string(&writer, id);
    }
    simplugin_write_string(&writer, "vectors");
    simplugin_write_tensor(&writer, &tensor);
    simplugin_write_string(&writer, "fields");
    simplugin_write_map(&writer, text_bytes ? 2 : 1);
    simplugin_write_string(&writer, "n");
    simplugin_write_array(&writer, count);
    for (uint64_t i = 0; i < count; i++)
        simplugin_write_uint(&writer, first + i);
    if (text_bytes) {
        simplugin_write_string(&writer, "t");
        simplugin_write_array(&writer, count);
        for (uint64_t i = 0; i < count; i++)
            simplugin_write_string(&writer, text);
    }
    code = ask_writer(index, "index.add", &writer);
    simplugin_writer_clear(&writer);
    free(text);
    return code;
}

/* ---- long texts ------------------------------------------------------------------------------- */

#define SHORT_ROWS 300
#define TEXT_BYTES 60000

/* Goes through the collection in replies of so many bytes: how many rows there were. */
static uint64_t scan_all(const live_made *made, size_t most)
{
    uint64_t scan, count = 0;
    int done = 0;

    MUST(ask(made->index, "scan.open", "{'vectors': false, 'fields': true}") == SIMPLUGIN_OK);
    scan = (uint64_t)reply_int("scan");
    while (!done) {
        simplugin_reply reply = {.size = sizeof reply};
        simplugin_value body, ids;
        simplugin_column column = {0};

        MUST(simplugin_call(scan, "scan.next", 9, NULL, &rig_options, &reply, &rig_error) ==
             SIMPLUGIN_OK);
        body = simplugin_body_value(reply.body, reply.body_size);
        CU_ASSERT_EQUAL(simplugin_find_bool(&body, "done", &done), 1);
        CU_ASSERT_FATAL(simplugin_find(&body, "ids", &ids) &&
                        !simplugin_column_read(&ids, reply.tensors, reply.tensor_count, &column));
        for (uint64_t i = 0; i < column.count; i++) {
            uint64_t size;
            char id[16] = "";

            memcpy(id, simplugin_column_text(&column, i, &size), 7);
            CU_ASSERT_EQUAL(live_row(id), count + i);
        }
        count += column.count;
        CU_ASSERT(reply.body_size <= most);
        simplugin_reply_clear(&reply);
    }
    CU_ASSERT_EQUAL(simplugin_close(scan, NULL), SIMPLUGIN_OK);
    return count;
}

static void texts_read(live_made *made, uint64_t count)
{
    char ids[65536] = "";
    size_t size = 0;

    CU_ASSERT_EQUAL(scan_all(made, 9 << 20), count);
    /* max_bytes holds, and a row comes in any case */
    MUST(live_call(made, "points.scan", "'max_bytes': 1, 'fields': true, 'vectors': false") ==
         SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(rig_reply, "ids")), 1);
    for (uint64_t i = 0; i < count; i++)
        size += (size_t)snprintf(ids + size, sizeof ids - size, "%s'p%06d'", i ? "," : "", (int)i);
    MUST(ask(made->index, "index.get", "{'ids': [%s], 'fields': ['n'], 'vectors': false}", ids) ==
         SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(rig_reply, "ids")), count);
    REPLY("missing", "[]");
    MUST(ask(made->index, "index.get", "{'fields': ['n'], 'vectors': false}") == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(rig_reply, "ids")), count);
    MUST(ask(made->index, "index.search",
             "{'vectors': [[1, 0, 0, 0], [0, 1, 0, 0]], 'k': %d, 'fields': ['n']}", (int)count) ==
         SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(rig_reply, "ids")), 2 * count);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(json_object_get(rig_reply, "fields"), "n")),
                    2 * count);
}

static void texts(const char *further, uint64_t long_rows)
{
    uint64_t count = SHORT_ROWS + long_rows, at = SHORT_ROWS;
    live_made made = live_create("'dimension': 4, 'metric': 'euclidean', "
                                 "'parameters': {'index_type': 'FLAT'%s}", further);
    float *rows = live_normal(31, count, 4);

    rig_options.timeout_ms = 120000;
    MUST(numbered_add(made.index, rows, 0, SHORT_ROWS, 4, 0) == SIMPLUGIN_OK);
    for (uint64_t part; at < count; at += part) {
        part = count - at < 100 ? count - at : 100;
        MUST(numbered_add(made.index, rows + at * 4, at, part, 4, TEXT_BYTES) == SIMPLUGIN_OK);
    }
    texts_read(&made, count);
    live_drop(&made);
    rig_options.timeout_ms = 0;
    free(rows);
}

static void long_texts(void)
{
    texts(", 'max_receive_bytes': 4194304", 200);
}

/* Milvus sends 64 MiB at most. */
static void longer_texts(void)
{
    texts("", live_many(1200, 200));
}

/* ---- short lists ------------------------------------------------------------------------------ */

#define POINTS 20000
#define WIDE 16

static void indexed_wait(const live_made *made)
{
    int64_t end = live_now() + 90000, rows = 0;

    MUST(live_do(made, "collection.flush") == SIMPLUGIN_OK);
    while (rows < POINTS && live_now() < end) {
        MUST(live_do(made, "index.describe") == SIMPLUGIN_OK);
        rows = json_integer_value(json_object_get(json_object_get(rig_reply, "parameters"),
                                                  "indexed_rows"));
        live_sleep(200);
    }
    CU_ASSERT(rows >= POINTS);
    /* what a server has in memory may still be without it */
    MUST(live_do(made, "collection.release") == SIMPLUGIN_OK);
    MUST(live_do(made, "collection.load") == SIMPLUGIN_OK);
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

/* That the hits are the k nearest to 0 of the rows that are multiples of step below end. */
static void hits_check(const float *rows, uint64_t end, uint64_t step, uint64_t k)
{
    near_row *all = calloc(end, sizeof *all);
    uint64_t *hits, count = 0, found = live_hits(0, &hits);

    if (!all)
        abort();
    for (uint64_t row = 0; row < end; row += step) {
        double sum = 0;

        for (uint64_t i = 0; i < WIDE; i++)
            sum += (double)rows[row * WIDE + i] * rows[row * WIDE + i];
        all[count++] = (near_row){sum, row};
    }
    qsort(all, count, sizeof *all, near_compare);
    k = k < count ? k : count;
    CU_ASSERT_EQUAL(found, k);
    for (uint64_t i = 0; i < found && i < k; i++)
        CU_ASSERT_EQUAL(hits[i], all[i].row);
    free(hits);
    free(all);
}

static const char query[] = "[[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]]";

static void view_searched(const live_made *made)
{
    uint64_t rows[1000], view, *hits;

    for (uint64_t i = 0; i < 1000; i++)
        rows[i] = i * 20;
    view = live_view(made->index, rows, 1000);
    for (int i = 0; i < 2; i++) {
        MUST(ask(made->index, "index.search",
                 "{'vectors': %s, 'k': 10, 'view': %lld, 'parameters': {'nprobe': 1}, 'fields': [%s]}",
                 query, (long long)view, i ? "'n'" : "") == SIMPLUGIN_OK);
        CU_ASSERT_EQUAL(live_hits(0, &hits), 10);
        for (uint64_t j = 0; j < 10; j++)
            CU_ASSERT_EQUAL(hits[j] % 20, 0);
        free(hits);
    }
    MUST(ask(made->index, "index.search", "{'vectors': %s, 'k': 2000, 'view': %lld, 'fields': ['n']}",
             query, (long long)view) == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(live_hits(0, &hits), 1000);
    free(hits);
    CU_ASSERT_EQUAL(simplugin_close(view, NULL), SIMPLUGIN_OK);
}

static void short_lists(const char *parameters)
{
    live_made made = live_create("'dimension': %d, 'metric': 'euclidean', 'parameters': {%s}", WIDE,
                                 parameters);
    float *rows = live_normal(32, POINTS, WIDE);
    uint64_t *hits;

    rig_options.timeout_ms = 120000;
    for (uint64_t i = 0; i < POINTS; i += 5000)
        MUST(numbered_add(made.index, rows + i * WIDE, i, 5000, WIDE, 0) == SIMPLUGIN_OK);
    indexed_wait(&made);
    /* 100 of 20,000, few of which lie where the index looks */
    MUST(ask(made.index, "index.search", "{'vectors': %s, 'k': 10, 'filter': 'n < 100', "
             "'fields': ['n'], 'parameters': {'nprobe': 1, 'ef': 1}}", query) == SIMPLUGIN_OK);
    hits_check(rows, 100, 1, 10);
    MUST(ask(made.index, "index.search", "{'vectors': %s, 'k': 300, 'filter': 'n < 100'}", query) ==
         SIMPLUGIN_OK);
    hits_check(rows, 100, 1, 300);
    MUST(ask(made.index, "index.search", "{'vectors': %s, 'k': 10, 'filter': 'n < 0'}", query) ==
         SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(live_hits(0, &hits), 0);
    free(hits);
    MUST(ask(made.index, "index.search", "{'vectors': %s, 'k': 5000}", query) == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(live_hits(0, &hits), 5000);
    free(hits);
    view_searched(&made);
    rig_options.timeout_ms = 0;
    live_drop(&made);
    free(rows);
}

static void short_ivf(void)
{
    short_lists("'index_type': 'IVF_FLAT', 'nlist': 1024");
}

static void short_hnsw(void)
{
    short_lists("'index_type': 'HNSW', 'M': 4, 'efConstruction': 8");
}

static void short_auto(void)
{
    short_lists("'index_type': 'AUTOINDEX'");
}

/* ---- keys --------------------------------------------------------------------------------------- */

/* Ids that stand in a view twice are hits once. */
static void doubled_view(void)
{
    live_made made = live_create("'dimension': 2, 'metric': 'euclidean', 'parameters': "
                                 "{'index_type': 'FLAT'}");

    ASK(made.index, "index.add", "{'ids': ['a', 'b', 'c'], 'vectors': [[1, 0], [2, 0], [3, 0]]}");
    ASK(made.index, "view.create", "{'ids': ['b', 'b', 'a', 'b', 'a']}");
    ASK(made.index, "index.search",
        "{'vectors': [[0, 0]], 'k': 5, 'view': %lld, 'parameters': {'consistency_level': 'Strong'}}",
        (long long)reply_int("view"));
    REPLY("ids", "['a','b']");
    live_drop(&made);
}

static const unit_case cases[] = {
    UNIT_CASE(long_texts, "R264 rows of any size are read, whatever a reply may hold"),
    UNIT_CASE(longer_texts, "R264 more text than the server sends at once"),
    UNIT_CASE(short_ivf, "R203 R269 R270 IVF_FLAT finds k, with a filter, in a view, without"),
    UNIT_CASE(short_hnsw, "R203 R269 R270 HNSW finds k, with a filter, in a view, without"),
    UNIT_CASE(short_auto, "R203 R269 R270 AUTOINDEX finds k, with a filter, in a view, without"),
    UNIT_CASE(doubled_view, "R90 an id that stands in a view twice is one hit"),
};

const live_suite live_reads = {"reads", cases, sizeof cases / sizeof cases[0], {NULL}};
