/* SPDX-License-Identifier: Apache-2.0 */
/* Random trees, written by us and read by msgpack-c, and the other way round. */
#include <msgpack.h>

#include "simplugin/envelope.h"
#include "unit.h"

#define ROUNDS 3000

static uint64_t random_state;

/* xorshift64*: the same trees on every machine. */
static uint64_t random_next(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * UINT64_C(0x2545f4914f6cdd1d);
}

static uint64_t random_below(uint64_t limit)
{
    return random_next() % limit;
}

/* Numbers of all magnitudes, so that every form of an integer comes. */
static uint64_t random_bits(void)
{
    return random_next() >> random_below(64);
}

static uint64_t random_length(void)
{
    switch (random_below(12)) {
    case 0: return random_below(70000);
    case 1: case 2: return random_below(300);
    default: return random_below(20);
    }
}

static void fill(char *text, uint64_t size)
{
    for (uint64_t i = 0; i < size; i++)
        text[i] = (char)random_below(128);
}

/* One tree, written to both sides at once: the bytes may differ, the trees may not. */
static void write_both(simplugin_writer *w, msgpack_packer *p, int depth, char *text)
{
    uint64_t kind = random_below(depth > 0 ? 12 : 9);
    uint64_t number = random_bits();
    uint64_t size;
    double real;
    float single;

    switch (kind) {
    case 0:
        simplugin_write_nil(w);
        msgpack_pack_nil(p);
        break;
    case 1:
        simplugin_write_bool(w, (int)(number & 1));
        if (number & 1)
            msgpack_pack_true(p);
        else
            msgpack_pack_false(p);
        break;
    case 2:
        simplugin_write_uint(w, number);
        msgpack_pack_uint64(p, number);
        break;
    case 3:
        simplugin_write_int(w, -(int64_t)(number >> 1) - 1);
        msgpack_pack_int64(p, -(int64_t)(number >> 1) - 1);
        break;
    case 4:
        simplugin_write_int(w, (int64_t)(number >> 1));
        /* not the shortest form: readers take any */
        msgpack_pack_fix_int64(p, (int64_t)(number >> 1));
        break;
    case 5:
        number = random_next();
        memcpy(&real, &number, sizeof real);
        simplugin_write_double(w, real);
        msgpack_pack_double(p, real);
        break;
    case 6:
        single = (float)random_below(1000) / 8.0f;
        simplugin_write_double(w, (double)single);
        msgpack_pack_float(p, single);
        break;
    case 7:
        size = random_length();
        fill(text, size);
        simplugin_write_text(w, text, size);
        msgpack_pack_str_with_body(p, text, size);
        break;
    case 8:
        size = random_length();
        fill(text, size);
        simplugin_write_bytes(w, text, size);
        msgpack_pack_bin_with_body(p, text, size);
        break;
    case 9:
    case 10:
        size = random_below(depth == 4 ? 40 : 6);
        msgpack_pack_array(p, size);
        if (number & 1)
            simplugin_write_array(w, size);
        else
            simplugin_write_end(w, simplugin_write_array_begin(w), size);
        for (uint64_t i = 0; i < size; i++)
            write_both(w, p, depth - 1, text);
        break;
    default:
        size = random_below(depth == 4 ? 40 : 6);
        simplugin_write_map(w, size);
        msgpack_pack_map(p, size);
        for (uint64_t i = 0; i < size; i++) {
            uint64_t key = random_below(40);

            fill(text, key);
            simplugin_write_text(w, text, key);
            msgpack_pack_str_with_body(p, text, key);
            write_both(w, p, depth - 1, text);
        }
        break;
    }
}

static int equal(const simplugin_value *value, const msgpack_object *object);

static int bytes_equal(const simplugin_value *value, const char *bytes, uint64_t size)
{
    return value->size == size && (size == 0 || memcmp(value->data, bytes, size) == 0);
}

static int container_equal(const simplugin_value *value, const msgpack_object *object)
{
    simplugin_iter iter = simplugin_iterate(value);
    simplugin_value item;
    int same = 1;

    if (object->type == MSGPACK_OBJECT_ARRAY) {
        same = value->type == SIMPLUGIN_ARRAY && value->size == object->via.array.size;
        for (uint32_t i = 0; same && i < object->via.array.size; i++)
            same = simplugin_next(&iter, &item) && equal(&item, &object->via.array.ptr[i]);
    } else {
        same = value->type == SIMPLUGIN_MAP && value->size == object->via.map.size;
        for (uint32_t i = 0; same && i < object->via.map.size; i++)
            same = simplugin_next(&iter, &item) && equal(&item, &object->via.map.ptr[i].key) &&
                   simplugin_next(&iter, &item) && equal(&item, &object->via.map.ptr[i].val);
    }
    return same && !simplugin_next(&iter, &item);
}

static int equal(const simplugin_value *value, const msgpack_object *object)
{
    switch (object->type) {
    case MSGPACK_OBJECT_NIL: return value->type == SIMPLUGIN_NIL;
    case MSGPACK_OBJECT_BOOLEAN:
        return value->type == SIMPLUGIN_BOOL && value->as.i == object->via.boolean;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        if (object->via.u64 > INT64_MAX)
            return value->type == SIMPLUGIN_UINT && value->as.u == object->via.u64;
        return value->type == SIMPLUGIN_INT && value->as.i == (int64_t)object->via.u64;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        return value->type == SIMPLUGIN_INT && value->as.i == object->via.i64;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        /* bit for bit, but NaN is NaN */
        return value->type == SIMPLUGIN_DOUBLE &&
               (memcmp(&value->as.d, &object->via.f64, sizeof(double)) == 0 ||
                (isnan(value->as.d) && isnan(object->via.f64)));
    case MSGPACK_OBJECT_STR:
        return value->type == SIMPLUGIN_TEXT &&
               bytes_equal(value, object->via.str.ptr, object->via.str.size);
    case MSGPACK_OBJECT_BIN:
        return value->type == SIMPLUGIN_BYTES &&
               bytes_equal(value, object->via.bin.ptr, object->via.bin.size);
    case MSGPACK_OBJECT_EXT:
        return value->type == SIMPLUGIN_TENSOR && object->via.ext.type == SIMPLUGIN_EXT_TENSOR &&
               object->via.ext.size == 4;
    case MSGPACK_OBJECT_ARRAY:
    case MSGPACK_OBJECT_MAP: return container_equal(value, object);
    default: return 0;
    }
}

/* Whether bytes read by us and bytes read by msgpack-c are the same tree, to the last byte. */
static int same_tree(const uint8_t *ours, uint64_t ours_size, const void *theirs,
                     size_t theirs_size)
{
    msgpack_unpacked unpacked;
    const uint8_t *at = ours, *skip = ours;
    simplugin_value value;
    size_t offset = 0;
    int same;

    msgpack_unpacked_init(&unpacked);
    same = msgpack_unpack_next(&unpacked, theirs, theirs_size, &offset) ==
               MSGPACK_UNPACK_SUCCESS &&
           offset == theirs_size && simplugin_read(&at, ours + ours_size, &value) &&
           equal(&value, &unpacked.data) && simplugin_skip(&skip, ours + ours_size) &&
           skip == ours + ours_size;
    msgpack_unpacked_destroy(&unpacked);
    return same;
}

static void trees(void)
{
    char *text = malloc(70000);
    simplugin_writer w;
    msgpack_sbuffer buffer;
    msgpack_packer packer;
    int wrong = 0;

    if (!text)
        abort();
    random_state = UINT64_C(0x9e3779b97f4a7c15);
    simplugin_writer_init(&w);
    msgpack_sbuffer_init(&buffer);
    msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
    for (int round = 0; round < ROUNDS; round++) {
        simplugin_writer_reset(&w);
        msgpack_sbuffer_clear(&buffer);
        write_both(&w, &packer, 4, text);
        wrong += w.failed;
        /* ours read by both, theirs read by both */
        wrong += !same_tree(w.data, w.size, w.data, w.size);
        wrong += !same_tree(w.data, w.size, buffer.data, buffer.size);
        wrong += !same_tree((const uint8_t *)buffer.data, buffer.size, w.data, w.size);
        wrong += !same_tree((const uint8_t *)buffer.data, buffer.size, buffer.data, buffer.size);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    msgpack_sbuffer_destroy(&buffer);
    simplugin_writer_clear(&w);
    free(text);
}

static void tensors(void)
{
    simplugin_tensor tensor = simplugin_tensor_of(SIMPLUGIN_UINT8, "x", 1, 1);
    simplugin_writer w;
    msgpack_sbuffer buffer;
    msgpack_packer packer;

    simplugin_writer_init(&w);
    msgpack_sbuffer_init(&buffer);
    msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
    simplugin_write_array(&w, 300);
    msgpack_pack_array(&packer, 300);
    for (uint32_t i = 0; i < 300; i++) {
        uint8_t index[4] = {0, 0, (uint8_t)(i >> 8), (uint8_t)i};

        simplugin_write_tensor(&w, &tensor);
        msgpack_pack_ext_with_body(&packer, index, sizeof index, SIMPLUGIN_EXT_TENSOR);
    }
    CU_ASSERT_EQUAL(w.size, buffer.size);
    CU_ASSERT_EQUAL(memcmp(w.data, buffer.data, buffer.size), 0);
    CU_ASSERT(same_tree(w.data, w.size, buffer.data, buffer.size));
    msgpack_sbuffer_destroy(&buffer);
    simplugin_writer_clear(&w);
}

/*
 * A byte changed at random: whatever we accept, msgpack-c accepts as well. (We refuse
 * more: our depth is bounded.)
 */
static void damaged_trees(void)
{
    char *text = malloc(70000);
    simplugin_writer w;
    int wrong = 0, accepted = 0;

    if (!text)
        abort();
    random_state = UINT64_C(0x2545f4914f6cdd1d);
    simplugin_writer_init(&w);
    for (int round = 0; round < ROUNDS; round++) {
        msgpack_sbuffer unused;
        msgpack_packer packer;
        msgpack_unpacked unpacked;
        const uint8_t *at;
        size_t offset = 0;

        msgpack_sbuffer_init(&unused);
        msgpack_packer_init(&packer, &unused, msgpack_sbuffer_write);
        simplugin_writer_reset(&w);
        write_both(&w, &packer, 3, text);
        msgpack_sbuffer_destroy(&unused);
        w.data[random_below(w.size < 64 ? w.size : 64)] = (uint8_t)random_next();
        at = w.data;
        if (!simplugin_skip(&at, w.data + w.size))
            continue;
        accepted++;
        msgpack_unpacked_init(&unpacked);
        wrong += msgpack_unpack_next(&unpacked, (const char *)w.data, w.size, &offset) <= 0 ||
                 offset != (size_t)(at - w.data);
        msgpack_unpacked_destroy(&unpacked);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(accepted > 100);
    simplugin_writer_clear(&w);
    free(text);
}

static const unit_case cases[] = {
    UNIT_CASE(trees, "random trees are the same to msgpack-c, in both directions"),
    UNIT_CASE(tensors, "tensor references are msgpack-c's extension type 1"),
    UNIT_CASE(damaged_trees, "what we accept of a damaged tree, msgpack-c reads the same"),
};

UNIT_MAIN("envelope and msgpack-c", cases)
