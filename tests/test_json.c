/* SPDX-License-Identifier: Apache-2.0 */
/* MessagePack to JSON and back. */
#include <math.h>

#include "unit.h"
#include "wire.h"

static simplugin_value value_of(const simplugin_writer *w)
{
    const uint8_t *at = w->data;
    simplugin_value value;

    if (!simplugin_read(&at, w->data + w->size, &value))
        value.type = 0;
    return value;
}

static void there_and_back(void)
{
    static const char *const texts[] = {
        "{}",
        "{\"a\":1,\"b\":-2.5,\"c\":null,\"d\":true,\"e\":false,\"f\":\"text\"}",
        "{\"nested\":{\"list\":[1,[2,[3,{}]],[],\"\"],\"empty\":{}}}",
        "{\"hnsw_config\":{\"ef\":100,\"on_disk\":null},\"uri\":\"http://x:19530\"}",
        "[9223372036854775807,-9223372036854775808,0,127,128,65536,4294967296,-33,-129]",
        "[0.1,1e300,-1e-300,2.0]",
        "[\"\\u00e9\\ud83d\\ude00\",\"\\\"\\\\\\n\"]",
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        json_t *json = json_loads(texts[i], 0, NULL), *back;
        simplugin_writer w;
        simplugin_value value;

        CU_ASSERT_PTR_NOT_NULL(json);
        simplugin_writer_init(&w);
        sp_json_write(&w, json);
        CU_ASSERT_FALSE(w.failed);
        value = value_of(&w);
        CU_ASSERT(sp_json_fits(&value));
        back = sp_json_from_value(&value);
        CU_ASSERT(back && json_equal(json, back));
        json_decref(back);
        json_decref(json);
        simplugin_writer_clear(&w);
    }
}

/* 2.0 stays a real and 2 an integer: parameters have types. */
static void types_stay(void)
{
    json_t *json = json_pack("[i,f,b,s%]", 2, 2.0, 1, "a\0b", (size_t)3), *back;
    simplugin_writer w;
    simplugin_value value;

    simplugin_writer_init(&w);
    sp_json_write(&w, json);
    value = value_of(&w);
    back = sp_json_from_value(&value);
    CU_ASSERT(json_is_integer(json_array_get(back, 0)));
    CU_ASSERT(json_is_real(json_array_get(back, 1)));
    CU_ASSERT(json_is_true(json_array_get(back, 2)));
    CU_ASSERT_EQUAL(json_string_length(json_array_get(back, 3)), 3);
    json_decref(back);
    json_decref(json);
    simplugin_writer_reset(&w);
    sp_json_write(&w, NULL);
    value = value_of(&w);
    CU_ASSERT_EQUAL(value.type, SIMPLUGIN_NIL);
    simplugin_writer_clear(&w);
}

/* Each kind of value that JSON has not, alone and deep inside; and not well-formed ones. */
static void what_json_has_not(void)
{
    simplugin_tensor tensor = simplugin_tensor_of(SIMPLUGIN_UINT8, "x", 1, 1);

    for (int inside = 0; inside < 2; inside++)
        for (int kind = 0; kind < 6; kind++) {
            simplugin_writer w;
            simplugin_value value;

            simplugin_writer_init(&w);
            if (inside) {
                simplugin_write_map(&w, 1);
                simplugin_write_string(&w, "a");
                simplugin_write_array(&w, 2);
                simplugin_write_int(&w, 1);
            }
            switch (kind) {
            case 0: simplugin_write_bytes(&w, "x", 1); break;
            case 1: simplugin_write_tensor(&w, &tensor); break;
            case 2: simplugin_write_double(&w, NAN); break;
            case 3: simplugin_write_double(&w, -INFINITY); break;
            case 4: simplugin_write_uint(&w, UINT64_MAX); break;
            default: simplugin_write_raw(&w, "\xd4\x05\x00", 3); break;
            }
            value = value_of(&w);
            CU_ASSERT_NOT_EQUAL(value.type, 0);
            CU_ASSERT_PTR_NULL(sp_json_from_value(&value));
            CU_ASSERT_FALSE(sp_json_fits(&value));
            simplugin_writer_clear(&w);
        }
}

static const unit_case cases[] = {
    UNIT_CASE(there_and_back, "trees come back equal"),
    UNIT_CASE(types_stay, "integers stay integers and reals reals"),
    UNIT_CASE(what_json_has_not, "what JSON has not is refused"),
};

UNIT_MAIN("json", cases)
