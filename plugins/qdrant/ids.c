/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "ids.h"

#include <string.h>
#include <uuid/uuid.h>

#include "json_write.h"

#define HEX_DIGITS 24 /* of the ids of FiftyOne's samples and labels */
#define UUID_SIZE 36
#define NUMBER_DIGITS 20

/* The namespace of UUIDs that are made here: that of the URL "urn:simplugin:ids", 66d6dfe9-b2b0-5396-845b-4b66d781f4d5. */
static const uuid_t name_space = {0x66, 0xd6, 0xdf, 0xe9, 0xb2, 0xb0, 0x53, 0x96,
                                  0x84, 0x5b, 0x4b, 0x66, 0xd7, 0x81, 0xf4, 0xd5};

static int is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static int is_hyphen(size_t at)
{
    return at == 8 || at == 13 || at == 18 || at == 23;
}

static int all_hex(sp_text id)
{
    for (size_t i = 0; i < id.size; i++)
        if (!is_hex(id.data[i]))
            return 0;
    return 1;
}

/* 32 hex digits with hyphens where they belong. */
static void hyphens_put(const char *hex, char *text)
{
    for (size_t i = 0; i < UUID_SIZE; i++)
        text[i] = is_hyphen(i) ? '-' : *hex++;
    text[UUID_SIZE] = 0;
}

/* A UUID as the server shows it. */
static int is_uuid(sp_text text)
{
    if (text.size != UUID_SIZE)
        return 0;
    for (size_t i = 0; i < UUID_SIZE; i++)
        if (is_hyphen(i) ? text.data[i] != '-' : !is_hex(text.data[i]))
            return 0;
    return 1;
}

/* An unsigned integer of 64 bits as it is printed. */
static int is_number(sp_text text)
{
    static const char max[] = "18446744073709551615";

    if (!text.size || text.size > NUMBER_DIGITS || (text.data[0] == '0' && text.size > 1))
        return 0;
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return 0;
    return text.size < NUMBER_DIGITS || memcmp(text.data, max, NUMBER_DIGITS) <= 0;
}

static void key_make(sp_text id, qdrant_key *key)
{
    uuid_t uuid;

    uuid_generate_sha1(uuid, name_space, id.data, id.size);
    uuid_unparse_lower(uuid, key->text);
    key->is_made = 1;
}

int qdrant_key_of(int is_mapped, sp_text id, qdrant_key *key)
{
    char hex[32];

    memset(key, 0, sizeof *key);
    if (!is_mapped && !is_uuid(id) && !is_number(id))
        return 0;
    if (!is_mapped) {
        memcpy(key->text, id.data, id.size);
        key->size = (uint8_t)id.size;
        key->is_number = id.size <= NUMBER_DIGITS;
        return 1;
    }
    if (id.size == HEX_DIGITS && all_hex(id)) {
        memcpy(hex, id.data, HEX_DIGITS);
        memset(hex + HEX_DIGITS, '0', sizeof hex - HEX_DIGITS);
        hyphens_put(hex, key->text);
    } else {
        key_make(id, key);
    }
    key->size = UUID_SIZE;
    return 1;
}

void qdrant_key_put(sp_buffer *out, const qdrant_key *key)
{
    char quoted[QDRANT_KEY_MAX + 2];

    quoted[0] = quoted[key->size + 1] = '"';
    memcpy(quoted + 1, key->text, key->size);
    sp_buffer_append(out, quoted + key->is_number, key->size + (key->is_number ? 0u : 2u));
}

int32_t qdrant_id_refuse(plug_call *call, sp_text id)
{
    return plug_fail_argument(call, "ids",
                              "ids: \"%.*s\" is no id of this collection, whose points have ids of "
                              "Qdrant's own: UUIDs or unsigned integers",
                              (int)(id.size < 255 ? id.size : 255), id.data);
}

/* Hex digits before the zeros of a mapped UUID. */
static int ends_in_zeros(sp_text key)
{
    return is_uuid(key) && memcmp(key.data + UUID_SIZE - 8, "00000000", 8) == 0;
}

int qdrant_key_is_mapped(sp_text key, int is_a_number, sp_text original)
{
    return !is_a_number && (original.size || ends_in_zeros(key));
}

int qdrant_id_of(int is_mapped, sp_text key, sp_text original, sp_arena **arena, sp_text *id)
{
    char hex[HEX_DIGITS + UUID_SIZE];
    size_t size = 0;

    *id = key;
    if (is_mapped && original.size) {
        *id = original;
        return 1;
    }
    if (!is_mapped || !ends_in_zeros(key))
        return 1;
    for (size_t i = 0; size < HEX_DIGITS; i++)
        if (!is_hyphen(i))
            hex[size++] = key.data[i];
    id->data = sp_arena_text(arena, hex, HEX_DIGITS);
    id->size = HEX_DIGITS;
    return id->data != NULL;
}
