/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "json_internal.h"

/* Whether none of eight bytes is a control character, a quote, a backslash or not ASCII. */
static inline int is_plain_eight(const char *at)
{
    const uint64_t ones = 0x0101010101010101;
    uint64_t eight;

    memcpy(&eight, at, sizeof eight);
    return !(((eight - 0x20 * ones) | ((eight ^ '"' * ones) - ones) |
              ((eight ^ '\\' * ones) - ones) | eight) &
             0x80 * ones);
}

/* Bytes of the character at `at`, which is not ASCII; 0: it is none. */
static size_t character_size(const char *at, const char *end)
{
    const unsigned char *c = (const unsigned char *)at;
    size_t left = (size_t)(end - at);
    /* which second bytes would make what has a shorter form, a surrogate or too high a number */
    unsigned char first = *c == 0xe0 ? 0xa0 : *c == 0xf0 ? 0x90 : 0x80;
    unsigned char last = *c == 0xed ? 0x9f : *c == 0xf4 ? 0x8f : 0xbf;
    size_t size = *c >= 0xf0 ? 4 : *c >= 0xe0 ? 3 : 2;

    if (*c < 0xc2 || *c > 0xf4 || left < size || c[1] < first || c[1] > last)
        return 0;
    for (size_t i = 2; i < size; i++)
        if ((c[i] & 0xc0) != 0x80)
            return 0;
    return size;
}

/* Four hexadecimal digits; -1: they are none. */
static int32_t hex_read(const char *at, const char *end)
{
    int32_t number = 0;

    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        int32_t digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;

        if (digit < 0)
            return -1;
        number = number << 4 | digit;
    }
    return number;
}

/* Bytes of the escape at `at`, and the character it stands for; 0: it is none. */
static size_t escape_read(const char *at, const char *end, int32_t *character)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    const char *letter;
    int32_t low;

    if (end - at < 2)
        return 0;
    if (at[1] != 'u') {
        letter = memchr(letters, at[1], sizeof letters - 1);
        *character = letter ? meanings[letter - letters] : 0;
        return letter ? 2 : 0;
    }
    *character = hex_read(at + 2, end);
    if (*character < 0 || (*character >= 0xdc00 && *character < 0xe000))
        return 0;
    if (*character < 0xd800 || *character >= 0xe000)
        return 6;
    /* the first half of a pair */
    if (end - at < 12 || at[6] != '\\' || at[7] != 'u')
        return 0;
    low = hex_read(at + 8, end);
    if (low < 0xdc00 || low >= 0xe000)
        return 0;
    *character = 0x10000 + ((*character - 0xd800) << 10) + (low - 0xdc00);
    return 12;
}

/* From the quote on; text: what stands between the quotes. */
static int text_scan(plug_json *json, sp_text *text, int *has_escapes)
{
    const char *at = json->at + 1, *end = json->end, *begin = at;
    const char *problem = "a text is not closed";
    int32_t ignored;
    size_t size;

    for (;;) {
        while (end - at >= 8 && is_plain_eight(at))
            at += 8;
        if (at == end)
            break;
        if (*at == '"') {
            text->data = begin;
            text->size = (size_t)(at - begin);
            json->at = at + 1;
            return 1;
        }
        if (*at == '\\') {
            *has_escapes = 1;
            size = escape_read(at, end, &ignored);
            problem = "an escape is none of JSON's, or a half of a surrogate pair alone";
        } else if ((unsigned char)*at < 0x80) {
            size = (unsigned char)*at >= ' ';
            problem = "a text holds a control character";
        } else {
            size = character_size(at, end);
            problem = "a text is not UTF-8";
        }
        if (!size)
            break;
        problem = "a text is not closed";
        at += size;
    }
    json->at = at;
    return plug_json_fail(json, problem);
}

int plug_json_skip_text(plug_json *json)
{
    sp_text text;
    int has_escapes;

    return text_scan(json, &text, &has_escapes);
}

static char *character_put(char *to, int32_t c)
{
    if (c < 0x80) {
        *to++ = (char)c;
        return to;
    }
    if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
    } else {
        if (c < 0x10000) {
            *to++ = (char)(0xe0 | c >> 12);
        } else {
            *to++ = (char)(0xf0 | c >> 18);
            *to++ = (char)(0x80 | (c >> 12 & 0x3f));
        }
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
    }
    *to++ = (char)(0x80 | (c & 0x3f));
    return to;
}

/* Never longer than with its escapes. */
static int text_decode(plug_json *json, sp_arena **arena, sp_text *text)
{
    const char *at = text->data, *end = text->data + text->size;
    char *copy = sp_arena_alloc(arena, text->size), *to = copy;
    int32_t character = 0;

    if (!copy) {
        json->no_memory = 1;
        return plug_json_fail(json, "there is no memory");
    }
    while (at < end) {
        const char *escape = memchr(at, '\\', (size_t)(end - at));
        size_t plain = (size_t)((escape ? escape : end) - at);

        memcpy(to, at, plain);
        to += plain;
        at += plain;
        if (escape) {
            at += escape_read(at, end, &character);
            to = character_put(to, character);
        }
    }
    text->data = copy;
    text->size = (size_t)(to - copy);
    return 1;
}

int plug_json_read_text(plug_json *json, sp_arena **arena, sp_text *text)
{
    int has_escapes = 0;

    text->data = "";
    text->size = 0;
    if (plug_json_peek(json) != PLUG_JSON_TEXT)
        return plug_json_fail(json, "a text was expected");
    if (!text_scan(json, text, &has_escapes))
        return 0;
    return !has_escapes || text_decode(json, arena, text);
}
