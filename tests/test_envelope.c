/* SPDX-License-Identifier: Apache-2.0 */
/* simplugin/envelope.h: what the writer writes, what the readers refuse. */
#include <math.h>

#include "host.h"
#include "simplugin.h"
#include "simplugin/envelope.h"
#include "unit.h"

/* Compares what was written since the last call with bytes given as a string literal. */
#define WROTE(writer, literal) wrote((writer), (literal), sizeof(literal) - 1)

static int wrote(simplugin_writer *writer, const char *bytes, size_t size)
{
    int same = !writer->failed && writer->size == size &&
               (size == 0 || memcmp(writer->data, bytes, size) == 0);

    simplugin_writer_reset(writer);
    return same;
}

static void integers(void)
{
    simplugin_writer w;

    simplugin_writer_init(&w);
    simplugin_write_uint(&w, 0);
    CU_ASSERT(WROTE(&w, "\x00"));
    simplugin_write_uint(&w, 127);
    CU_ASSERT(WROTE(&w, "\x7f"));
    simplugin_write_uint(&w, 128);
    CU_ASSERT(WROTE(&w, "\xcc\x80"));
    simplugin_write_uint(&w, 255);
    CU_ASSERT(WROTE(&w, "\xcc\xff"));
    simplugin_write_uint(&w, 256);
    CU_ASSERT(WROTE(&w, "\xcd\x01\x00"));
    simplugin_write_uint(&w, 65535);
    CU_ASSERT(WROTE(&w, "\xcd\xff\xff"));
    simplugin_write_uint(&w, 65536);
    CU_ASSERT(WROTE(&w, "\xce\x00\x01\x00\x00"));
    simplugin_write_uint(&w, UINT32_MAX);
    CU_ASSERT(WROTE(&w, "\xce\xff\xff\xff\xff"));
    simplugin_write_uint(&w, UINT64_C(1) << 32);
    CU_ASSERT(WROTE(&w, "\xcf\x00\x00\x00\x01\x00\x00\x00\x00"));
    simplugin_write_uint(&w, UINT64_MAX);
    CU_ASSERT(WROTE(&w, "\xcf\xff\xff\xff\xff\xff\xff\xff\xff"));
    simplugin_write_int(&w, 5);
    CU_ASSERT(WROTE(&w, "\x05"));
    simplugin_write_int(&w, -1);
    CU_ASSERT(WROTE(&w, "\xff"));
    simplugin_write_int(&w, -32);
    CU_ASSERT(WROTE(&w, "\xe0"));
    simplugin_write_int(&w, -33);
    CU_ASSERT(WROTE(&w, "\xd0\xdf"));
    simplugin_write_int(&w, -128);
    CU_ASSERT(WROTE(&w, "\xd0\x80"));
    simplugin_write_int(&w, -129);
    CU_ASSERT(WROTE(&w, "\xd1\xff\x7f"));
    simplugin_write_int(&w, INT16_MIN);
    CU_ASSERT(WROTE(&w, "\xd1\x80\x00"));
    simplugin_write_int(&w, INT16_MIN - 1);
    CU_ASSERT(WROTE(&w, "\xd2\xff\xff\x7f\xff"));
    simplugin_write_int(&w, INT32_MIN);
    CU_ASSERT(WROTE(&w, "\xd2\x80\x00\x00\x00"));
    simplugin_write_int(&w, (int64_t)INT32_MIN - 1);
    CU_ASSERT(WROTE(&w, "\xd3\xff\xff\xff\xff\x7f\xff\xff\xff"));
    simplugin_write_int(&w, INT64_MIN);
    CU_ASSERT(WROTE(&w, "\xd3\x80\x00\x00\x00\x00\x00\x00\x00"));
    simplugin_writer_clear(&w);
}

static void scalars(void)
{
    simplugin_writer w;

    simplugin_writer_init(&w);
    simplugin_write_nil(&w);
    simplugin_write_bool(&w, 0);
    simplugin_write_bool(&w, 7);
    CU_ASSERT(WROTE(&w, "\xc0\xc2\xc3"));
    simplugin_write_double(&w, 1.0);
    CU_ASSERT(WROTE(&w, "\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00"));
    simplugin_write_double(&w, -0.0);
    CU_ASSERT(WROTE(&w, "\xcb\x80\x00\x00\x00\x00\x00\x00\x00"));
    simplugin_write_string(&w, "ab");
    simplugin_write_string(&w, "");
    simplugin_write_string(&w, NULL);
    CU_ASSERT(WROTE(&w, "\xa2" "ab" "\xa0" "\xc0"));
    simplugin_write_text(&w, "a\0b", 3);
    CU_ASSERT(WROTE(&w, "\xa3" "a\0b"));
    simplugin_write_bytes(&w, "\xff\x00", 2);
    CU_ASSERT(WROTE(&w, "\xc4\x02\xff\x00"));
    simplugin_write_raw(&w, "\x93", 1);
    simplugin_write_raw(&w, NULL, 0);
    CU_ASSERT(WROTE(&w, "\x93"));
    simplugin_writer_clear(&w);
    CU_ASSERT_PTR_NULL(w.data);
    CU_ASSERT_EQUAL(w.capacity, 0);
}

/* Each form of a length, at its borders, read back. */
static void lengths(void)
{
    static const uint64_t sizes[] = {0, 1, 15, 16, 31, 32, 255, 256, 65535, 65536, 70000};
    char *text = malloc(70000);
    simplugin_writer w;

    if (!text)
        abort();
    memset(text, 'x', 70000);
    simplugin_writer_init(&w);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const uint8_t *at;
        simplugin_value value;

        simplugin_writer_reset(&w);
        simplugin_write_text(&w, text, sizes[i]);
        simplugin_write_bytes(&w, text, sizes[i]);
        simplugin_write_array(&w, sizes[i]);
        for (uint64_t k = 0; k < sizes[i]; k++)
            simplugin_write_uint(&w, k & 1);
        simplugin_write_map(&w, sizes[i]);
        for (uint64_t k = 0; k < sizes[i] * 2; k++)
            simplugin_write_nil(&w);
        CU_ASSERT_FALSE(w.failed);

        at = w.data;
        CU_ASSERT(simplugin_read(&at, w.data + w.size, &value));
        CU_ASSERT_EQUAL(value.type, SIMPLUGIN_TEXT);
        CU_ASSERT_EQUAL(value.size, sizes[i]);
        CU_ASSERT(value.size == 0 || memcmp(value.data, text, value.size) == 0);
        CU_ASSERT(simplugin_read(&at, w.data + w.size, &value));
        CU_ASSERT_EQUAL(value.type, SIMPLUGIN_BYTES);
        CU_ASSERT_EQUAL(value.size, sizes[i]);
        {
            const uint8_t *skip = at;

            CU_ASSERT(simplugin_read(&at, w.data + w.size, &value));
            CU_ASSERT_EQUAL(value.type, SIMPLUGIN_ARRAY);
            CU_ASSERT_EQUAL(value.size, sizes[i]);
            CU_ASSERT(simplugin_skip(&skip, w.data + w.size));
            at += sizes[i];
            CU_ASSERT_PTR_EQUAL(skip, at);
            CU_ASSERT(simplugin_read(&at, w.data + w.size, &value));
            CU_ASSERT_EQUAL(value.type, SIMPLUGIN_MAP);
            CU_ASSERT_EQUAL(value.size, sizes[i]);
            CU_ASSERT(simplugin_skip(&skip, w.data + w.size));
            CU_ASSERT_PTR_EQUAL(skip, w.data + w.size);
        }
    }
    simplugin_writer_clear(&w);
    free(text);
}

static void begin_and_end(void)
{
    simplugin_writer w;
    simplugin_value map, value;
    simplugin_iter iter;
    uint64_t outer, inner;

    simplugin_writer_init(&w);
    outer = simplugin_write_map_begin(&w);
    simplugin_write_string(&w, "list");
    inner = simplugin_write_array_begin(&w);
    for (int i = 0; i < 300; i++)
        simplugin_write_int(&w, -i);
    simplugin_write_end(&w, inner, 300);
    simplugin_write_string(&w, "empty");
    simplugin_write_end(&w, simplugin_write_map_begin(&w), 0);
    simplugin_write_end(&w, outer, 2);
    CU_ASSERT_PTR_NULL(simplugin_check_body(w.data, w.size, NULL, 0));
    map = simplugin_body_value(w.data, w.size);
    CU_ASSERT_EQUAL(map.size, 2);
    CU_ASSERT(simplugin_find(&map, "empty", &value));
    CU_ASSERT_EQUAL(value.type, SIMPLUGIN_MAP);
    CU_ASSERT_EQUAL(value.size, 0);
    CU_ASSERT(simplugin_find(&map, "list", &value));
    iter = simplugin_iterate(&value);
    for (int i = 0; i < 300; i++) {
        CU_ASSERT(simplugin_next(&iter, &value));
        CU_ASSERT_EQUAL(value.as.i, -i);
    }
    CU_ASSERT_FALSE(simplugin_next(&iter, &value));
    CU_ASSERT_EQUAL(value.type, 0);
    simplugin_writer_clear(&w);
}

static void writer_limits(void)
{
    simplugin_tensor tensor = simplugin_tensor_of(SIMPLUGIN_UINT8, "x", 1, 1);
    simplugin_reply reply = SP_REPLY_INIT;
    simplugin_writer w;
    uint64_t position;
    volatile uint64_t too_many = SIMPLUGIN_MAX_BODY; /* the compiler need not know */

    simplugin_writer_init(&w);
    simplugin_write_bytes(&w, "x", too_many);
    CU_ASSERT(w.failed);
    position = w.size;
    simplugin_write_string(&w, "later writes do nothing");
    simplugin_write_tensor(&w, &tensor);
    simplugin_write_end(&w, simplugin_write_map_begin(&w), 3);
    CU_ASSERT_EQUAL(w.size, position);
    CU_ASSERT_EQUAL(w.tensor_count, 0);
    CU_ASSERT_EQUAL(simplugin_writer_reply(&w, &sp_host, &reply), SIMPLUGIN_OUT_OF_MEMORY);
    CU_ASSERT_PTR_NULL(reply.body);

    simplugin_writer_reset(&w);
    CU_ASSERT_FALSE(w.failed);
    CU_ASSERT_PTR_NULL(simplugin_writer_extend(&w, UINT64_MAX));
    CU_ASSERT(w.failed);

    simplugin_writer_reset(&w);
    simplugin_write_array(&w, SIMPLUGIN_MAX_TENSORS);
    for (int i = 0; i < SIMPLUGIN_MAX_TENSORS; i++)
        simplugin_write_tensor(&w, &tensor);
    CU_ASSERT_FALSE(w.failed);
    CU_ASSERT_EQUAL(w.tensor_count, SIMPLUGIN_MAX_TENSORS);
    simplugin_write_tensor(&w, &tensor);
    CU_ASSERT(w.failed);
    simplugin_writer_clear(&w);
}

static void *alloc_nothing(simplugin_reply *reply, uint64_t bytes)
{
    (void)reply;
    (void)bytes;
    return NULL;
}

static void requests_and_replies(void)
{
    static const float numbers[6] = {1, 2, 3, 4, 5, 6};
    simplugin_tensor tensor = simplugin_tensor_of(SIMPLUGIN_FLOAT32, numbers, 2, 3);
    simplugin_host poor = sp_host;
    simplugin_reply reply = SP_REPLY_INIT;
    simplugin_request request;
    const simplugin_tensor *found = NULL;
    simplugin_value map;
    simplugin_writer w;

    simplugin_writer_init(&w);
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "vectors");
    simplugin_write_tensor(&w, &tensor);
    request = simplugin_writer_request(&w);
    CU_ASSERT_EQUAL(request.size, sizeof request);
    CU_ASSERT_PTR_EQUAL(request.body, w.data);
    CU_ASSERT_EQUAL(request.body_size, w.size);
    CU_ASSERT_EQUAL(request.tensor_count, 1);
    CU_ASSERT_PTR_NULL(simplugin_check_request(&request));

    poor.reply_alloc = alloc_nothing;
    CU_ASSERT_EQUAL(simplugin_writer_reply(&w, &poor, &reply), SIMPLUGIN_OUT_OF_MEMORY);
    CU_ASSERT_EQUAL(simplugin_writer_reply(&w, &sp_host, &reply), SIMPLUGIN_OK);
    simplugin_writer_clear(&w);
    CU_ASSERT_PTR_NULL(simplugin_check_reply(&reply));
    map = simplugin_body_value(reply.body, reply.body_size);
    CU_ASSERT_EQUAL(simplugin_find_tensor(&map, "vectors", reply.tensors, reply.tensor_count,
                                          &found), 1);
    CU_ASSERT_PTR_EQUAL(found->data, numbers);
    CU_ASSERT_EQUAL(found->rows, 2);
    CU_ASSERT_EQUAL(found->cols, 3);
    simplugin_reply_clear(&reply);
    CU_ASSERT_PTR_NULL(reply.body);
    CU_ASSERT_EQUAL(reply.size, sizeof reply);
}

/* An empty writer makes an empty reply, which reads as an empty map. */
static void empty_bodies(void)
{
    simplugin_reply reply = SP_REPLY_INIT;
    simplugin_value map, value;
    simplugin_writer w;

    simplugin_writer_init(&w);
    CU_ASSERT_EQUAL(simplugin_writer_reply(&w, &sp_host, &reply), SIMPLUGIN_OK);
    CU_ASSERT_PTR_NULL(simplugin_check_reply(&reply));
    map = simplugin_body_value(reply.body, reply.body_size);
    CU_ASSERT_EQUAL(map.type, SIMPLUGIN_MAP);
    CU_ASSERT_FALSE(simplugin_find(&map, "any", &value));
    simplugin_reply_clear(&reply);
    map = simplugin_body_value(NULL, 0);
    CU_ASSERT_EQUAL(map.type, SIMPLUGIN_MAP);
    CU_ASSERT_EQUAL(map.size, 0);
    map = simplugin_body_value((const uint8_t *)"\x90", 1);
    CU_ASSERT_EQUAL(map.type, 0);
    map = simplugin_body_value((const uint8_t *)"\x81", 1);
    CU_ASSERT_EQUAL(map.type, 0);
}

/* ---- reading -------------------------------------------------------------------------- */

static int reads(const char *bytes, size_t size, simplugin_value *value)
{
    const uint8_t *at = (const uint8_t *)bytes;
    const uint8_t *end = at + size;

    return simplugin_read(&at, end, value);
}
#define READS(literal, value) reads((literal), sizeof(literal) - 1, (value))

static void numbers_of_every_form(void)
{
    simplugin_value v;

    CU_ASSERT(READS("\xcc\x05", &v) && v.type == SIMPLUGIN_INT && v.as.i == 5);
    CU_ASSERT(READS("\xcd\x00\x05", &v) && v.type == SIMPLUGIN_INT && v.as.i == 5);
    CU_ASSERT(READS("\xce\x00\x00\x00\x05", &v) && v.type == SIMPLUGIN_INT && v.as.i == 5);
    CU_ASSERT(READS("\xcf\x7f\xff\xff\xff\xff\xff\xff\xff", &v) && v.type == SIMPLUGIN_INT &&
              v.as.i == INT64_MAX);
    CU_ASSERT(READS("\xcf\x80\x00\x00\x00\x00\x00\x00\x00", &v) && v.type == SIMPLUGIN_UINT &&
              v.as.u == UINT64_C(1) << 63);
    CU_ASSERT(READS("\xd0\xff", &v) && v.type == SIMPLUGIN_INT && v.as.i == -1);
    CU_ASSERT(READS("\xd1\xff\xff", &v) && v.type == SIMPLUGIN_INT && v.as.i == -1);
    CU_ASSERT(READS("\xd2\xff\xff\xff\xff", &v) && v.type == SIMPLUGIN_INT && v.as.i == -1);
    CU_ASSERT(READS("\xd3\x00\x00\x00\x00\x00\x00\x00\x09", &v) && v.as.i == 9);
    CU_ASSERT(READS("\xca\x3f\xc0\x00\x00", &v) && v.type == SIMPLUGIN_DOUBLE && v.as.d == 1.5);
    CU_ASSERT(READS("\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00", &v) && v.as.d == 1.5);
    CU_ASSERT(READS("\xca\x7f\xc0\x00\x00", &v) && isnan(v.as.d));
    CU_ASSERT(READS("\xca\xff\x80\x00\x00", &v) && isinf(v.as.d));
    CU_ASSERT(READS("\xc2", &v) && v.type == SIMPLUGIN_BOOL && v.as.i == 0);
    CU_ASSERT(READS("\xc3", &v) && v.type == SIMPLUGIN_BOOL && v.as.i == 1);
    CU_ASSERT(READS("\xc0", &v) && v.type == SIMPLUGIN_NIL);
}

static void extensions(void)
{
    simplugin_value v;

    CU_ASSERT(READS("\xd6\x01\x00\x00\x01\x02", &v) && v.type == SIMPLUGIN_TENSOR &&
              v.as.u == 0x102);
    CU_ASSERT(READS("\xc7\x04\x01\x00\x00\x00\x02", &v) && v.type == SIMPLUGIN_TENSOR &&
              v.as.u == 2);
    CU_ASSERT(READS("\xd6\x02\x00\x00\x00\x01", &v) && v.type == SIMPLUGIN_EXT && v.as.i == 2);
    CU_ASSERT(READS("\xd4\x01\x00", &v) && v.type == SIMPLUGIN_EXT && v.size == 1);
    CU_ASSERT(READS("\xd6\xff\x00\x00\x00\x01", &v) && v.type == SIMPLUGIN_EXT && v.as.i == -1);
    CU_ASSERT(READS("\xc8\x00\x01\x05z", &v) && v.type == SIMPLUGIN_EXT && v.size == 1);
    CU_ASSERT(READS("\xc9\x00\x00\x00\x00\x05", &v) && v.type == SIMPLUGIN_EXT && v.size == 0);
    CU_ASSERT_FALSE(READS("\xd6\x01\x00\x00\x00", &v));
    CU_ASSERT_FALSE(READS("\xd6", &v));
    CU_ASSERT_FALSE(READS("\xc7\x02\x01z", &v));
}

static void malformed_values(void)
{
    simplugin_value v;

    CU_ASSERT_FALSE(READS("", &v));
    CU_ASSERT_EQUAL(v.type, 0);
    CU_ASSERT_FALSE(READS("\xc1", &v));
    CU_ASSERT_FALSE(READS("\xa2" "a", &v));
    CU_ASSERT_FALSE(READS("\xdb\xff\xff\xff\xff" "a", &v));
    CU_ASSERT_FALSE(READS("\xc6\xff\xff\xff\xff" "a", &v));
    CU_ASSERT_FALSE(READS("\xcb\x00\x00\x00", &v));
    /* counts that the rest of the bytes cannot hold */
    CU_ASSERT_FALSE(READS("\xdd\xff\xff\xff\xff", &v));
    CU_ASSERT_FALSE(READS("\xdf\x7f\xff\xff\xff\xc0\xc0\xc0", &v));
    CU_ASSERT_FALSE(READS("\x92\xc0", &v));
    CU_ASSERT_FALSE(READS("\x81\xc0", &v));
}

/* Every prefix of a good body is refused, and nothing is read behind its end. */
static void every_prefix_is_refused(void)
{
    simplugin_tensor tensor = simplugin_tensor_of(SIMPLUGIN_UINT8, "x", 1, 1);
    simplugin_writer w;

    simplugin_writer_init(&w);
    simplugin_write_map(&w, 4);
    simplugin_write_string(&w, "numbers");
    simplugin_write_array(&w, 4);
    simplugin_write_int(&w, INT64_MIN);
    simplugin_write_uint(&w, UINT64_MAX);
    simplugin_write_double(&w, 0.1);
    simplugin_write_bool(&w, 1);
    simplugin_write_string(&w, "text");
    simplugin_write_string(&w, "a text of more than thirty-one bytes, so with a length of its own");
    simplugin_write_string(&w, "tensor");
    simplugin_write_tensor(&w, &tensor);
    simplugin_write_string(&w, "bytes");
    simplugin_write_bytes(&w, "\0\1\2", 3);
    CU_ASSERT_PTR_NULL(simplugin_check_body(w.data, w.size, w.tensors, w.tensor_count));
    for (uint64_t size = 1; size < w.size; size++) {
        /* an allocation of its own, so that sanitizers see a byte too many */
        uint8_t *cut = malloc(size);
        const uint8_t *at = cut;
        simplugin_value map, value;

        if (!cut)
            abort();
        memcpy(cut, w.data, size);
        CU_ASSERT_PTR_NOT_NULL(simplugin_check_body(cut, size, w.tensors, w.tensor_count));
        CU_ASSERT_FALSE(simplugin_skip(&at, cut + size));
        map = simplugin_body_value(cut, size);
        if (map.type)
            CU_ASSERT_FALSE(simplugin_find(&map, "bytes", &value));
        free(cut);
    }
    simplugin_writer_clear(&w);
}

/* Depth d: a map in which arrays nest, d containers in all. */
static void write_nested(simplugin_writer *w, int depth, int innermost_is_empty)
{
    simplugin_write_map(w, 1);
    simplugin_write_string(w, "a");
    for (int i = 1; i < depth; i++)
        simplugin_write_array(w, 1);
    if (innermost_is_empty)
        simplugin_write_array(w, 0);
    else
        simplugin_write_nil(w);
}

static void depth(void)
{
    simplugin_writer w;
    const uint8_t *at;

    simplugin_writer_init(&w);
    write_nested(&w, SIMPLUGIN_MAX_DEPTH, 0);
    CU_ASSERT_PTR_NULL(simplugin_check_body(w.data, w.size, NULL, 0));
    at = w.data;
    CU_ASSERT(simplugin_skip(&at, w.data + w.size));
    simplugin_writer_reset(&w);
    write_nested(&w, SIMPLUGIN_MAX_DEPTH + 1, 0);
    CU_ASSERT_STRING_EQUAL(simplugin_check_body(w.data, w.size, NULL, 0), "nested deeper than 32");
    at = w.data;
    CU_ASSERT_FALSE(simplugin_skip(&at, w.data + w.size));
    simplugin_writer_reset(&w);
    /* a long chain of heads costs no stack */
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "a");
    for (int i = 0; i < 1000000; i++)
        simplugin_write_array(&w, 1);
    simplugin_write_nil(&w);
    CU_ASSERT_STRING_EQUAL(simplugin_check_body(w.data, w.size, NULL, 0), "nested deeper than 32");
    simplugin_writer_clear(&w);
}

static const char *check(const char *body, size_t size)
{
    return simplugin_check_body((const uint8_t *)body, size, NULL, 0);
}
#define CHECK(literal) check((literal), sizeof(literal) - 1)

static void bodies_refused(void)
{
    simplugin_tensor tensor = simplugin_tensor_of(SIMPLUGIN_UINT8, "x", 1, 1);
    simplugin_tensor bad = simplugin_tensor_of(99, "x", 1, 1);

    CU_ASSERT_PTR_NULL(CHECK(""));
    CU_ASSERT_PTR_NULL(CHECK("\x80"));
    CU_ASSERT_PTR_NULL(CHECK("\x81\xa1" "a" "\x80"));
    CU_ASSERT_PTR_NULL(CHECK("\x82\xa1" "a" "\x90\xa0\x81\xa1" "b" "\x01"));
    CU_ASSERT_STRING_EQUAL(CHECK("\x90"), "the body is not a map");
    CU_ASSERT_STRING_EQUAL(CHECK("\x01"), "the body is not a map");
    CU_ASSERT_STRING_EQUAL(CHECK("\x80\x80"), "bytes behind the map");
    CU_ASSERT_STRING_EQUAL(CHECK("\x81\xa1" "a" "\x01\x00"), "bytes behind the map");
    CU_ASSERT_STRING_EQUAL(CHECK("\x81\x01\x01"), "a map key is not text");
    CU_ASSERT_STRING_EQUAL(CHECK("\x81\xa1" "a" "\x81\xc0\x01"), "a map key is not text");
    CU_ASSERT_STRING_EQUAL(CHECK("\x81\x90\x01"), "a map key is not text");
    CU_ASSERT_STRING_EQUAL(CHECK("\x82\xa1" "a" "\x80\x80\x01"), "a map key is not text");
    CU_ASSERT_STRING_EQUAL(CHECK("\x81\xa1\xff\x01"), "text is not UTF-8");
    CU_ASSERT_STRING_EQUAL(CHECK("\x81\xa1" "a" "\xa2\xed\xa0"), "text is not UTF-8");
    CU_ASSERT_STRING_EQUAL(CHECK("\x81\xa1" "a" "\xd6\x01\x00\x00\x00\x00"),
                           "a tensor index is out of range");
    CU_ASSERT_STRING_EQUAL(CHECK("\x81\xa1" "a" "\xd4\x07\x00"), "an unknown extension type");
    CU_ASSERT_STRING_EQUAL(CHECK("\x81\xa1" "a" "\xc1"), "not well-formed MessagePack");
    CU_ASSERT_STRING_EQUAL(CHECK("\x81\xa1" "a"), "not well-formed MessagePack");
    /* bytes need not be text */
    CU_ASSERT_PTR_NULL(CHECK("\x81\xa1" "a" "\xc4\x01\xff"));

    CU_ASSERT_STRING_EQUAL(simplugin_check_body((const uint8_t *)"", SIMPLUGIN_MAX_BODY + 1, NULL, 0),
                           "the body is larger than 1 GiB");
    CU_ASSERT_STRING_EQUAL(simplugin_check_body(NULL, 1, NULL, 0),
                           "a pointer is NULL where its count is not 0");
    CU_ASSERT_STRING_EQUAL(simplugin_check_body(NULL, 0, NULL, 1),
                           "a pointer is NULL where its count is not 0");
    CU_ASSERT_STRING_EQUAL(simplugin_check_body(NULL, 0, &tensor, SIMPLUGIN_MAX_TENSORS + 1),
                           "more than 1024 tensors");
    CU_ASSERT_STRING_EQUAL(simplugin_check_body(NULL, 0, &bad, 1), "unknown dtype");
    CU_ASSERT_PTR_NULL(simplugin_check_body(NULL, 0, &tensor, 1));
}

static void finding(void)
{
    simplugin_tensor tensor = simplugin_tensor_of(SIMPLUGIN_UINT8, "x", 1, 1);
    const simplugin_tensor *found = NULL;
    simplugin_value map, value, array;
    const char *text = NULL;
    uint64_t size = 0;
    int64_t number = -7;
    double real = -7;
    int flag = -7;
    simplugin_writer w;

    simplugin_writer_init(&w);
    simplugin_write_map(&w, 11);
    simplugin_write_string(&w, "nested");
    simplugin_write_map(&w, 1);
    simplugin_write_string(&w, "int"); /* a key inside a value is not found outside */
    simplugin_write_int(&w, 1);
    simplugin_write_string(&w, "nil");
    simplugin_write_nil(&w);
    simplugin_write_string(&w, "text");
    simplugin_write_string(&w, "int");
    simplugin_write_string(&w, "int");
    simplugin_write_int(&w, 42);
    simplugin_write_string(&w, "real");
    simplugin_write_double(&w, 0.5);
    simplugin_write_string(&w, "nan");
    simplugin_write_double(&w, NAN);
    simplugin_write_string(&w, "flag");
    simplugin_write_bool(&w, 1);
    simplugin_write_string(&w, "tensor");
    simplugin_write_tensor(&w, &tensor);
    simplugin_write_string(&w, "huge");
    simplugin_write_uint(&w, UINT64_MAX);
    simplugin_write_string(&w, "twice");
    simplugin_write_nil(&w);
    simplugin_write_string(&w, "twice");
    simplugin_write_int(&w, 3);
    map = simplugin_body_value(w.data, w.size);

    CU_ASSERT_EQUAL(simplugin_find_int(&map, "int", &number), 1);
    CU_ASSERT_EQUAL(number, 42);
    CU_ASSERT_EQUAL(simplugin_find_int(&map, "twice", &number), 1);
    CU_ASSERT_EQUAL(number, 3);
    CU_ASSERT_EQUAL(simplugin_find_int(&map, "absent", &number), 0);
    CU_ASSERT_EQUAL(simplugin_find_int(&map, "nil", &number), 0);
    CU_ASSERT_EQUAL(simplugin_find_int(&map, "real", &number), -1);
    CU_ASSERT_EQUAL(simplugin_find_int(&map, "huge", &number), -1);
    CU_ASSERT_EQUAL(number, 3);
    CU_ASSERT_EQUAL(simplugin_find_double(&map, "real", &real), 1);
    CU_ASSERT_EQUAL(real, 0.5);
    CU_ASSERT_EQUAL(simplugin_find_double(&map, "int", &real), 1);
    CU_ASSERT_EQUAL(real, 42);
    CU_ASSERT_EQUAL(simplugin_find_double(&map, "nan", &real), -1);
    CU_ASSERT_EQUAL(simplugin_find_double(&map, "text", &real), -1);
    CU_ASSERT_EQUAL(simplugin_find_double(&map, "absent", &real), 0);
    CU_ASSERT_EQUAL(simplugin_find_bool(&map, "flag", &flag), 1);
    CU_ASSERT_EQUAL(flag, 1);
    CU_ASSERT_EQUAL(simplugin_find_bool(&map, "int", &flag), -1);
    CU_ASSERT_EQUAL(simplugin_find_bool(&map, "absent", &flag), 0);
    CU_ASSERT_EQUAL(simplugin_find_text(&map, "text", &text, &size), 1);
    CU_ASSERT(size == 3 && memcmp(text, "int", 3) == 0);
    CU_ASSERT_EQUAL(simplugin_find_text(&map, "int", &text, &size), -1);
    CU_ASSERT_EQUAL(simplugin_find_text(&map, "nil", &text, &size), 0);
    CU_ASSERT_EQUAL(simplugin_find_tensor(&map, "tensor", w.tensors, 1, &found), 1);
    CU_ASSERT_PTR_EQUAL(found, w.tensors);
    CU_ASSERT_EQUAL(simplugin_find_tensor(&map, "tensor", w.tensors, 0, &found), -1);
    CU_ASSERT_EQUAL(simplugin_find_tensor(&map, "int", w.tensors, 1, &found), -1);
    CU_ASSERT_EQUAL(simplugin_find_tensor(&map, "absent", w.tensors, 1, &found), 0);
    CU_ASSERT_FALSE(simplugin_find(&map, "in", &value));
    CU_ASSERT_FALSE(simplugin_find(&map, "intt", &value));
    CU_ASSERT_EQUAL(value.type, 0);

    /* in what is no map nothing is found */
    simplugin_writer_reset(&w);
    simplugin_write_array(&w, 2);
    simplugin_write_string(&w, "a");
    simplugin_write_int(&w, 1);
    CU_ASSERT(reads((const char *)w.data, (size_t)w.size, &array));
    CU_ASSERT_FALSE(simplugin_find(&array, "a", &value));
    value.type = SIMPLUGIN_INT;
    CU_ASSERT_EQUAL(simplugin_iterate(&value).left, 0);
    simplugin_writer_clear(&w);
}

static void tensors_checked(void)
{
    static const double data[16];
    simplugin_tensor t = simplugin_tensor_of(SIMPLUGIN_FLOAT32, data, 2, 3);

    CU_ASSERT_PTR_NULL(simplugin_tensor_check(&t));
    CU_ASSERT_EQUAL(simplugin_tensor_stride(&t), 12);
    t.row_stride = 16;
    CU_ASSERT_PTR_NULL(simplugin_tensor_check(&t));
    CU_ASSERT_EQUAL(simplugin_tensor_stride(&t), 16);
    t.row_stride = 14;
    CU_ASSERT_STRING_EQUAL(simplugin_tensor_check(&t),
                           "row_stride is not a multiple of the element size");
    t.row_stride = 8;
    CU_ASSERT_STRING_EQUAL(simplugin_tensor_check(&t), "row_stride is smaller than a row");
    t.row_stride = 0;
    t.reserved0 = 1;
    CU_ASSERT_STRING_EQUAL(simplugin_tensor_check(&t), "a reserved field is not zero");
    t.reserved0 = 0;
    t.reserved[2] = 1;
    CU_ASSERT_STRING_EQUAL(simplugin_tensor_check(&t), "a reserved field is not zero");
    t.reserved[2] = 0;
    t.cols = UINT64_MAX;
    CU_ASSERT_STRING_EQUAL(simplugin_tensor_check(&t), "cols overflow");
    t.cols = UINT64_MAX / 16;
    CU_ASSERT_STRING_EQUAL(simplugin_tensor_check(&t), "rows times row_stride overflow");
    t.cols = 3;
    t.rows = UINT64_MAX;
    CU_ASSERT_STRING_EQUAL(simplugin_tensor_check(&t), "rows times row_stride overflow");
    t.rows = 2;
    t.data = NULL;
    CU_ASSERT_STRING_EQUAL(simplugin_tensor_check(&t), "data is NULL");
    t.rows = 0;
    CU_ASSERT_PTR_NULL(simplugin_tensor_check(&t));
    t.rows = 2;
    t.cols = 0;
    CU_ASSERT_PTR_NULL(simplugin_tensor_check(&t));
    t.cols = 3;
    t.data = (const char *)data + 2;
    CU_ASSERT_STRING_EQUAL(simplugin_tensor_check(&t), "data is not aligned to its elements");
    t.data = data;
    for (uint32_t dtype = 0; dtype < 12; dtype++) {
        static const uint64_t sizes[12] = {0, 4, 8, 2, 8, 8, 4, 1, 0};

        CU_ASSERT_EQUAL(simplugin_dtype_size(dtype), sizes[dtype]);
        t.dtype = dtype;
        if (dtype >= 1 && dtype <= 8)
            CU_ASSERT_PTR_NULL(simplugin_tensor_check(&t))
        else
            CU_ASSERT_STRING_EQUAL(simplugin_tensor_check(&t), "unknown dtype");
    }
    t = simplugin_tensor_of(SIMPLUGIN_BITS, data, 2, 9);
    CU_ASSERT_PTR_NULL(simplugin_tensor_check(&t));
    CU_ASSERT_EQUAL(simplugin_tensor_row_bytes(&t), 2);
    t.cols = UINT64_MAX;
    t.rows = 3;
    CU_ASSERT_STRING_EQUAL(simplugin_tensor_check(&t), "rows times row_stride overflow");
    CU_ASSERT_EQUAL(sizeof(simplugin_tensor), 64);
}

static int utf8(const char *text, size_t size)
{
    return simplugin_utf8_check((const uint8_t *)text, size);
}
#define UTF8(literal) utf8((literal), sizeof(literal) - 1)

static void utf8_borders(void)
{
    CU_ASSERT(UTF8(""));
    CU_ASSERT(UTF8("plain \x7f\x00 ascii"));
    CU_ASSERT(UTF8("\xc2\x80\xdf\xbf"));
    CU_ASSERT(UTF8("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"));
    CU_ASSERT(UTF8("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"));
    CU_ASSERT_FALSE(UTF8("\x80"));
    CU_ASSERT_FALSE(UTF8("\xbf" "a"));
    CU_ASSERT_FALSE(UTF8("\xc0\x80"));
    CU_ASSERT_FALSE(UTF8("\xc1\xbf"));
    CU_ASSERT_FALSE(UTF8("\xe0\x9f\xbf"));
    CU_ASSERT_FALSE(UTF8("\xed\xa0\x80"));
    CU_ASSERT_FALSE(UTF8("\xed\xbf\xbf"));
    CU_ASSERT_FALSE(UTF8("\xf0\x8f\xbf\xbf"));
    CU_ASSERT_FALSE(UTF8("\xf4\x90\x80\x80"));
    CU_ASSERT_FALSE(UTF8("\xf5\x80\x80\x80"));
    CU_ASSERT_FALSE(UTF8("\xff"));
    CU_ASSERT_FALSE(UTF8("\xc2"));
    CU_ASSERT_FALSE(UTF8("\xe2\x82"));
    CU_ASSERT_FALSE(UTF8("\xe2\x82" "a"));
    CU_ASSERT_FALSE(UTF8("\xf0\x9f\x98"));
    CU_ASSERT_FALSE(UTF8("\xc2\xc2"));
}

static const unit_case cases[] = {
    UNIT_CASE(integers, "integers take their shortest form"),
    UNIT_CASE(scalars, "nil, booleans, doubles, text and bytes"),
    UNIT_CASE(lengths, "every form of a length is written and read at its borders"),
    UNIT_CASE(begin_and_end, "containers whose count is known at the end"),
    UNIT_CASE(writer_limits, "a writer that passed a limit stays failed until reset"),
    UNIT_CASE(requests_and_replies, "a writer's request, and a reply in the host's memory"),
    UNIT_CASE(empty_bodies, "an empty body is an empty map"),
    UNIT_CASE(numbers_of_every_form, "numbers are read from every form"),
    UNIT_CASE(extensions, "extension type 1 of four bytes is a tensor"),
    UNIT_CASE(malformed_values, "cut and impossible values are refused"),
    UNIT_CASE(every_prefix_is_refused, "every prefix of a body is refused"),
    UNIT_CASE(depth, "nesting is bounded at 32"),
    UNIT_CASE(bodies_refused, "bodies that are not what the header promises"),
    UNIT_CASE(finding, "keys are found with their type"),
    UNIT_CASE(tensors_checked, "every way in which a tensor is not sane"),
    UNIT_CASE(utf8_borders, "UTF-8 as in RFC 3629"),
};

UNIT_MAIN("envelope", cases)
