/* SPDX-License-Identifier: Apache-2.0 */
/* Protocol Buffers by hand: what is written protobuf-c reads, what is read is checked. */
#include "config.h"

#include "milvus_rig.h"
#include "pb.h"
#include "plugins/milvus/milvus.pb-c.h"

/* ---- varints ------------------------------------------------------------------------------- */

static const struct {
    uint64_t value;
    size_t size;
} varints[] = {
    {0, 1},
    {1, 1},
    {(UINT64_C(1) << 7) - 1, 1},
    {UINT64_C(1) << 7, 2},
    {(UINT64_C(1) << 14) - 1, 2},
    {UINT64_C(1) << 14, 3},
    {(UINT64_C(1) << 21) - 1, 3},
    {UINT64_C(1) << 21, 4},
    {(UINT64_C(1) << 28) - 1, 4},
    {UINT64_C(1) << 28, 5},
    {UINT32_MAX, 5},
    {(UINT64_C(1) << 35) - 1, 5},
    {UINT64_C(1) << 35, 6},
    {(UINT64_C(1) << 42) - 1, 6},
    {UINT64_C(1) << 42, 7},
    {(UINT64_C(1) << 49) - 1, 7},
    {UINT64_C(1) << 49, 8},
    {(UINT64_C(1) << 56) - 1, 8},
    {UINT64_C(1) << 56, 9},
    {INT64_MAX, 9},
    {UINT64_C(1) << 63, 10},
    {UINT64_MAX, 10},
};

#define VARINTS (sizeof varints / sizeof varints[0])

static void varint_sizes(void)
{
    for (size_t i = 0; i < VARINTS; i++) {
        sp_buffer out;
        uint8_t plain[16];

        sp_buffer_init(&out);
        pb_varint(&out, varints[i].value);
        CU_ASSERT_EQUAL(out.size, varints[i].size);
        CU_ASSERT_EQUAL(pb_varint_size(varints[i].value), varints[i].size);
        CU_ASSERT_EQUAL((size_t)(pb_put_varint(plain, varints[i].value) - plain), out.size);
        CU_ASSERT_EQUAL(memcmp(plain, out.data, out.size), 0);
        sp_buffer_clear(&out);
    }
}

static void varint_reading(void)
{
    for (size_t i = 0; i < VARINTS; i++)
        for (size_t cut = 0; cut <= varints[i].size; cut++) {
            uint8_t plain[16], *exact;
            pb_reader reader;
            uint64_t value = 0;

            pb_put_varint(plain, varints[i].value);
            exact = rig_exact(plain, cut);
            reader = pb_reader_of(exact, cut);
            CU_ASSERT_EQUAL(pb_next_varint(&reader, &value), cut == varints[i].size);
            CU_ASSERT_EQUAL(reader.failed, cut != varints[i].size);
            if (cut == varints[i].size) {
                CU_ASSERT_EQUAL(value, varints[i].value);
                CU_ASSERT_PTR_EQUAL(reader.at, reader.end);
            }
            free(exact);
        }
}

/* protobuf-c packs the same bytes. */
static void varint_fields(void)
{
    for (size_t i = 0; i < VARINTS; i++) {
        Milvus__FlushStateRequest request = MILVUS__FLUSH_STATE_REQUEST__INIT;
        uint8_t theirs[64];
        size_t size;
        sp_buffer out;

        request.flush_ts = varints[i].value;
        request.db_name = (char *)(uintptr_t)"default";
        size = milvus__flush_state_request__pack(&request, theirs);
        sp_buffer_init(&out);
        pb_uint(&out, 2, varints[i].value);
        pb_text(&out, 3, "default");
        pb_text(&out, 4, "");
        pb_text(&out, 4, NULL);
        CU_ASSERT_EQUAL(out.size, size);
        CU_ASSERT_TRUE(out.size == size && memcmp(out.data, theirs, size) == 0);
        sp_buffer_clear(&out);
    }
}

/* ---- writing ------------------------------------------------------------------------------- */

static void kinds(void)
{
    static const uint8_t bytes[] = {
        0x08, 0xac, 0x02,                                           /* 1: 300 */
        0x11, 1,    2,    3,    4,    5,    6,    7,    0x88,       /* 2: eight bytes */
        0x1a, 3,    'a',  0,    'c',                                /* 3: bytes */
        0x25, 0xff, 0xfe, 0xfd, 0xfc,                               /* 4: four bytes */
        0x2a, 0,                                                    /* 5: no bytes */
        0xf8, 0xff, 0xff, 0xff, 0x0f, 1,                            /* the largest number */
    };
    static const struct {
        uint32_t number, wire;
        uint64_t value;
    } expected[] = {
        {1, PB_VARINT, 300},
        {2, PB_FIXED64, UINT64_C(0x8807060504030201)},
        {3, PB_BYTES, 3},
        {4, PB_FIXED32, UINT64_C(0xfcfdfeff)},
        {5, PB_BYTES, 0},
        {536870911, PB_VARINT, 1},
    };
    uint8_t *exact = rig_exact(bytes, sizeof bytes);
    pb_reader reader = pb_reader_of(exact, sizeof bytes);
    pb_field field;

    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        CU_ASSERT_EQUAL_FATAL(pb_next(&reader, &field), 1);
        CU_ASSERT_EQUAL(field.number, expected[i].number);
        CU_ASSERT_EQUAL(field.wire, expected[i].wire);
        CU_ASSERT_EQUAL(field.value, expected[i].value);
        CU_ASSERT_EQUAL(field.data != NULL, field.wire == PB_BYTES);
        CU_ASSERT_EQUAL(field.size, field.wire == PB_BYTES ? expected[i].value : 0);
        if (field.size)
            CU_ASSERT_EQUAL(memcmp(field.data, "a\0c", 3), 0);
    }
    CU_ASSERT_EQUAL(pb_next(&reader, &field), 0);
    CU_ASSERT_EQUAL(reader.failed, 0);
    CU_ASSERT_EQUAL(pb_next(&reader, &field), 0);
    free(exact);
    reader = pb_reader_of(NULL, 0);
    CU_ASSERT_EQUAL(pb_next(&reader, &field), 0);
    CU_ASSERT_EQUAL(reader.failed, 0);
}

/* Messages of any length, one in the other, as protobuf-c reads them. */
static void begin_and_end(void)
{
    static const size_t sizes[] = {0, 1, 126, 127, 128, 16383, 16384, 100000};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char *text = calloc(1, sizes[i] + 1);
        Milvus__BoolReply *reply;
        size_t begin;
        sp_buffer out;

        if (!text)
            abort();
        memset(text, 'x', sizes[i]);
        sp_buffer_init(&out);
        begin = pb_begin(&out, 1);
        pb_uint(&out, 1, 65535);
        pb_bytes(&out, 2, text, sizes[i]);
        pb_uint(&out, 4, 1);
        pb_end(&out, begin);
        pb_uint(&out, 2, 1);
        CU_ASSERT_FALSE(out.failed);
        CU_ASSERT_EQUAL(pb_field_size(2, sizes[i]), 1 + pb_varint_size(sizes[i]) + sizes[i]);
        reply = milvus__bool_reply__unpack(NULL, out.size, out.data);
        CU_ASSERT_PTR_NOT_NULL_FATAL(reply);
        CU_ASSERT_EQUAL(reply->status->error_code, 65535);
        CU_ASSERT_STRING_EQUAL(reply->status->reason, text);
        CU_ASSERT_TRUE(reply->status->retriable);
        CU_ASSERT_TRUE(reply->value);
        milvus__bool_reply__free_unpacked(reply, NULL);
        sp_buffer_clear(&out);
        free(text);
    }
}

static void nested(void)
{
    size_t begins[30];
    sp_buffer out;
    pb_reader reader;
    pb_field field;
    uint64_t depth = 0;

    sp_buffer_init(&out);
    for (uint32_t i = 0; i < 30; i++)
        begins[i] = pb_begin(&out, i + 1);
    for (size_t i = 30; i-- > 0;)
        pb_end(&out, begins[i]);
    reader = pb_reader_of(out.data, out.size);
    while (pb_next(&reader, &field)) {
        CU_ASSERT_EQUAL(field.number, ++depth);
        CU_ASSERT_PTR_EQUAL(reader.at, reader.end);
        reader = pb_reader_of(field.data, field.size);
    }
    CU_ASSERT_EQUAL(depth, 30);
    CU_ASSERT_FALSE(reader.failed);
    sp_buffer_clear(&out);
}

/* A length that its room cannot hold: the buffer says that it holds so much. */
static void too_long(void)
{
    uint8_t bytes[8];
    sp_buffer out = {bytes, 5 + ((UINT64_C(1) << 35) - 1), SIZE_MAX, 0};

    pb_end(&out, 5);
    CU_ASSERT_FALSE(out.failed);
    CU_ASSERT_EQUAL(memcmp(bytes, "\xff\xff\xff\xff\x7f", 5), 0);
    out.size++;
    pb_end(&out, 5);
    CU_ASSERT_TRUE(out.failed);
}

static void failures_stick(void)
{
    sp_buffer out;
    size_t begin;

    sp_buffer_init(&out);
    out.failed = 1;
    begin = pb_begin(&out, 1);
    pb_uint(&out, 1, 7);
    pb_bytes(&out, 2, "text", 4);
    pb_text(&out, 3, "text");
    pb_end(&out, begin);
    CU_ASSERT_TRUE(out.failed);
    CU_ASSERT_EQUAL(out.size, 0);
    sp_buffer_clear(&out);
}

/* ---- what is not well-formed ------------------------------------------------------------------ */

/* How many fields are read before the reader stops; -1 - that many if it fails. */
static int fields_of(const void *bytes, size_t size)
{
    uint8_t *exact = rig_exact(bytes, size);
    pb_reader reader = pb_reader_of(exact, size);
    pb_field field;
    int count = 0;

    while (pb_next(&reader, &field)) {
        volatile uint8_t seen = 0;

        for (size_t i = 0; i < field.size; i++)
            seen = (uint8_t)(seen + field.data[i]);
        count++;
    }
    CU_ASSERT_EQUAL(pb_next(&reader, &field), 0);
    CU_ASSERT_TRUE(reader.at <= reader.end);
    CU_ASSERT_TRUE(reader.failed || reader.at == reader.end);
    free(exact);
    return reader.failed ? -1 - count : count;
}

#define MALFORMED(bytes, count) {bytes, sizeof bytes - 1, count}

static void malformed(void)
{
    static const struct {
        const char *bytes;
        size_t size;
        int count;
    } table[] = {
        MALFORMED("", 0),
        MALFORMED("\x08", -1),                             /* no number behind the head */
        MALFORMED("\x08\x80", -1),                         /* a number that goes on */
        MALFORMED("\x08\x01\x10", -2),
        MALFORMED("\x88", -1),                             /* a head that goes on */
        MALFORMED("\x00\x01", -1),                         /* field 0 */
        MALFORMED("\x02\x00", -1),
        MALFORMED("\x0b", -1),                             /* groups */
        MALFORMED("\x0c", -1),
        MALFORMED("\x08\x01\x0b\x0c", -2),
        MALFORMED("\x0e\x01", -1),                         /* wire types that there are not */
        MALFORMED("\x0f\x01", -1),
        MALFORMED("\x0a\x01", -1),                         /* lengths past the end */
        MALFORMED("\x0a\x05" "abcd", -1),
        MALFORMED("\x0a\xff\xff\xff\xff\x0f", -1),
        MALFORMED("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" "a", -1), /* 2^64 - 1 bytes */
        MALFORMED("\x0a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01" "a", -1), /* 2^63 */
        MALFORMED("\x0a", -1),
        MALFORMED("\x09\x01\x02\x03\x04\x05\x06\x07", -1), /* seven bytes of eight */
        MALFORMED("\x0d\x01\x02\x03", -1),                 /* three of four */
        MALFORMED("\x09", -1),
        MALFORMED("\x0d", -1),
        MALFORMED("\x80\x80\x80\x80\x80\x01\x01", -1),     /* a field number of more than 29 bits */
        MALFORMED("\x88\x80\x80\x80\x10\x01", -1),         /* 2^29 */
        MALFORMED("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 1),
        MALFORMED("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", -1), /* more than 64 bits */
        MALFORMED("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00", -1),
        MALFORMED("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 1), /* bytes that add nothing */
        MALFORMED("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", -1), /* too many of them */
        MALFORMED("\x88\x00\x01", 1),
        MALFORMED("\x0a\x84\x80\x00" "abcd", 1),
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        int count = fields_of(table[i].bytes, table[i].size);

        CU_ASSERT_EQUAL(count, table[i].count);
        if (count != table[i].count)
            printf("\n    number %zu: %d fields, not %d", i, count, table[i].count);
    }
}

/* Every beginning of a message, and every change of one of its bytes. */
static void damaged(void)
{
    Milvus__Pair pair = MILVUS__PAIR__INIT, *pairs[] = {&pair, &pair};
    Milvus__FieldSchema schema = MILVUS__FIELD_SCHEMA__INIT;
    uint8_t bytes[128];
    size_t size;

    pair.key = (char *)(uintptr_t)"dim";
    pair.value = (char *)(uintptr_t)"512";
    schema.field_id = -1;
    schema.name = (char *)(uintptr_t)"vector";
    schema.description = (char *)(uintptr_t)"";
    schema.data_type = MILVUS_FLOAT_VECTOR;
    schema.type_params = pairs;
    schema.n_type_params = 2;
    size = milvus__field_schema__pack(&schema, bytes);
    CU_ASSERT_EQUAL(fields_of(bytes, size), 5);
    for (size_t cut = 0; cut < size; cut++)
        CU_ASSERT_TRUE(fields_of(bytes, cut) < 5);
    for (size_t i = 0; i < size; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes[i] ^= (uint8_t)(1 << bit);
            fields_of(bytes, size);
            bytes[i] ^= (uint8_t)(1 << bit);
        }
}

static const unit_case cases[] = {
    UNIT_CASE(varint_sizes, "varints take as many bytes as they need"),
    UNIT_CASE(varint_reading, "varints read back, and cut ones are refused"),
    UNIT_CASE(varint_fields, "numbers and texts are the bytes that protobuf-c packs"),
    UNIT_CASE(kinds, "fields of every kind are read"),
    UNIT_CASE(begin_and_end, "messages whose lengths come at the end are read by protobuf-c"),
    UNIT_CASE(nested, "messages stand in messages"),
    UNIT_CASE(too_long, "a message that is too long for its length fails"),
    UNIT_CASE(failures_stick, "failures stick"),
    UNIT_CASE(malformed, "what is not well-formed is refused"),
    UNIT_CASE(damaged, "nothing is read behind the end of damaged messages"),
};

UNIT_MAIN("milvus wire format", cases)
