/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "filter_lex.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOUND_BYTES 24 /* of the source that a message quotes */

/* Where the first byte stands that is not UTF-8. */
static size_t utf8_end(const char *text, size_t size)
{
    size_t i = 0;

    while (i < size) {
        size_t bytes = 1;

        while (bytes <= 4 && bytes <= size - i &&
               !simplugin_utf8_check((const uint8_t *)text + i, bytes))
            bytes++;
        if (bytes > 4 || bytes > size - i)
            break;
        i += bytes;
    }
    return i;
}

void sp_lexer_init(sp_lexer *lexer, sp_filter_build *build, const char *source, size_t size)
{
    memset(lexer, 0, sizeof *lexer);
    lexer->build = build;
    lexer->source = source;
    if (size > SP_FILTER_MAX_SOURCE) {
        sp_filter_build_fail(build, 0, "longer than %zu bytes", SP_FILTER_MAX_SOURCE);
        return;
    }
    if (!simplugin_utf8_check((const uint8_t *)source, size)) {
        sp_filter_build_fail(build, utf8_end(source, size), "not UTF-8");
        return;
    }
    lexer->text = malloc(size + 1);
    if (!lexer->text) {
        sp_filter_build_no_memory(build);
        return;
    }
    lexer->size = size;
    sp_lexer_next(lexer);
}

void sp_lexer_clear(sp_lexer *lexer)
{
    free(lexer->text);
    lexer->text = NULL;
    if (lexer->plain)
        freelocale(lexer->plain);
    lexer->plain = (locale_t)0;
}

const char *sp_lexer_found(const sp_lexer *lexer, char *text, size_t size)
{
    size_t bytes = lexer->token.end - lexer->token.start;
    const char *more = "";

    if (lexer->token.kind == SP_TOKEN_END)
        return "the end";
    if (bytes > FOUND_BYTES) {
        bytes = FOUND_BYTES;
        while (((uint8_t)lexer->source[lexer->token.start + bytes] & 0xc0) == 0x80)
            bytes--;
        more = "...";
    }
    snprintf(text, size, "%.*s%s", (int)bytes, lexer->source + lexer->token.start, more);
    for (char *c = text; *c; c++)
        if ((uint8_t)*c < 0x20 || *c == 0x7f)
            *c = ' ';
    return text;
}

/* ---- quoted text ------------------------------------------------------------------------ */

static void put_code_point(sp_lexer *lexer, uint32_t c)
{
    char *to = lexer->text + lexer->text_used;

    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
        *to++ = (char)(0x80 | (c & 63));
    } else if (c < 0x10000) {
        *to++ = (char)(0xe0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 63));
        *to++ = (char)(0x80 | (c & 63));
    } else {
        *to++ = (char)(0xf0 | c >> 18);
        *to++ = (char)(0x80 | (c >> 12 & 63));
        *to++ = (char)(0x80 | (c >> 6 & 63));
        *to++ = (char)(0x80 | (c & 63));
    }
    lexer->text_used = (size_t)(to - lexer->text);
}

/* Four hex digits at the lexer's place; UINT32_MAX if they are not there. */
static uint32_t hex4(sp_lexer *lexer)
{
    uint32_t number = 0;

    if (lexer->size - lexer->at < 4)
        return UINT32_MAX;
    for (int i = 0; i < 4; i++) {
        char c = lexer->source[lexer->at + (size_t)i];

        number <<= 4;
        if (c >= '0' && c <= '9')
            number |= (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            number |= (uint32_t)(c - 'a' + 10);
        else if (c >= 'A' && c <= 'F')
            number |= (uint32_t)(c - 'A' + 10);
        else
            return UINT32_MAX;
    }
    lexer->at += 4;
    return number;
}

/* Behind "\u". Characters above U+FFFF are two escapes, as in JSON. */
static void read_unicode_escape(sp_lexer *lexer, size_t start)
{
    uint32_t c = hex4(lexer);
    uint32_t low;

    if (c == UINT32_MAX) {
        sp_filter_build_fail(lexer->build, start, "\\u needs four hex digits");
        return;
    }
    if (c >= 0xd800 && c < 0xdc00 && lexer->size - lexer->at >= 6 &&
        memcmp(lexer->source + lexer->at, "\\u", 2) == 0) {
        lexer->at += 2;
        low = hex4(lexer);
        if (low >= 0xdc00 && low < 0xe000)
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
    if (c >= 0xd800 && c < 0xe000) {
        sp_filter_build_fail(lexer->build, start, "half of a surrogate pair");
        return;
    }
    put_code_point(lexer, c);
}

/* The lexer stands behind a backslash. */
static void read_escape(sp_lexer *lexer)
{
    static const char from[] = "\\\"'`/ntrbf";
    static const char to[] = "\\\"'`/\n\t\r\b\f";
    size_t start = lexer->at - 1;
    const char *found;
    char c;

    if (lexer->at == lexer->size)
        return; /* the missing quote is the better complaint */
    c = lexer->source[lexer->at++];
    found = c ? strchr(from, c) : NULL;
    if (found) {
        put_code_point(lexer, (uint32_t)to[found - from]);
    } else if (c == '%' || c == '_') {
        /* Patterns escape these themselves; like "50\%" should not need two backslashes. */
        put_code_point(lexer, '\\');
        put_code_point(lexer, (uint32_t)c);
    } else if (c == 'u') {
        read_unicode_escape(lexer, start);
    } else {
        sp_filter_build_fail(lexer->build, start,
                             "unknown escape (a backslash itself is written \\\\)");
    }
}

/* Up to the closing quote; the opening one is at the token's start. */
static void read_quoted(sp_lexer *lexer, char quote, sp_token_kind kind)
{
    sp_token *token = &lexer->token;
    size_t begin = lexer->text_used;

    lexer->at++;
    token->kind = kind;
    while (lexer->at < lexer->size && lexer->source[lexer->at] != quote && !lexer->build->code) {
        char c = lexer->source[lexer->at++];

        if (c == '\\')
            read_escape(lexer);
        else
            lexer->text[lexer->text_used++] = c;
    }
    if (lexer->at >= lexer->size)
        sp_filter_build_fail(lexer->build, token->start, "this %s has no closing %c",
                             kind == SP_TOKEN_NAME ? "name" : "text", quote);
    lexer->at++;
    token->value.type = SP_TEXT;
    token->value.as.text.data = lexer->text + begin;
    token->value.as.text.size = lexer->text_used - begin;
}

/* ---- numbers ---------------------------------------------------------------------------- */

static size_t skip_digits(const sp_lexer *lexer, size_t at)
{
    while (at < lexer->size && lexer->source[at] >= '0' && lexer->source[at] <= '9')
        at++;
    return at;
}

static void make_int(sp_lexer *lexer, size_t from, size_t to, int is_negative)
{
    uint64_t limit = (uint64_t)INT64_MAX + (is_negative ? 1 : 0);
    uint64_t number = 0;

    for (size_t i = from; i < to; i++) {
        uint64_t digit = (uint64_t)(lexer->source[i] - '0');

        if (number > (limit - digit) / 10) {
            sp_filter_build_fail(lexer->build, lexer->token.start,
                                 "an integer outside int64 (with \".0\" it is a float)");
            return;
        }
        number = number * 10 + digit;
    }
    lexer->token.value.type = SP_INT64;
    lexer->token.value.as.int64 = is_negative ? (int64_t)(0 - number) : (int64_t)number;
}

static void make_float(sp_lexer *lexer, size_t from, size_t to)
{
    char *copy = lexer->text + lexer->text_used; /* its room is that of the source's rest */
    double number;

    if (!lexer->plain)
        lexer->plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!lexer->plain) {
        sp_filter_build_no_memory(lexer->build);
        return;
    }
    memcpy(copy, lexer->source + from, to - from);
    copy[to - from] = '\0';
    number = strtod_l(copy, NULL, lexer->plain);
    if (!isfinite(number))
        sp_filter_build_fail(lexer->build, from, "a number outside float64");
    lexer->token.value.type = SP_FLOAT64;
    lexer->token.value.as.float64 = number;
}

static void read_number(sp_lexer *lexer)
{
    const char *s = lexer->source;
    size_t start = lexer->at;
    int is_negative = s[start] == '-';
    size_t digits = start + (size_t)is_negative;
    size_t at = skip_digits(lexer, digits);
    size_t whole = at;
    int is_float = 0;
    int is_bad = at == digits;

    if (at - digits > 1 && s[digits] == '0')
        is_bad = 1;
    if (at < lexer->size && s[at] == '.') {
        is_float = 1;
        whole = at + 1;
        at = skip_digits(lexer, whole);
        is_bad |= at == whole;
    }
    if (at < lexer->size && (s[at] == 'e' || s[at] == 'E')) {
        is_float = 1;
        at++;
        if (at < lexer->size && (s[at] == '+' || s[at] == '-'))
            at++;
        whole = at;
        at = skip_digits(lexer, whole);
        is_bad |= at == whole;
    }
    if (at < lexer->size && (sp_filter_name_byte((uint8_t)s[at]) || s[at] == '.'))
        is_bad = 1;
    lexer->at = at;
    lexer->token.kind = SP_TOKEN_NUMBER;
    if (is_bad)
        sp_filter_build_fail(lexer->build, start,
                             "not a number (numbers look like 7, -7, 0.5, 1e-3)");
    else if (is_float)
        make_float(lexer, start, at);
    else
        make_int(lexer, digits, at, is_negative);
}

/* ---- everything else -------------------------------------------------------------------- */

static void read_name(sp_lexer *lexer, size_t size)
{
    sp_token *token = &lexer->token;

    token->value.type = SP_TEXT;
    token->value.as.text.data = lexer->source + lexer->at;
    token->value.as.text.size = size;
    token->word = sp_filter_word_of(token->value.as.text);
    token->kind = token->word == SP_WORD_NONE ? SP_TOKEN_NAME : SP_TOKEN_WORD;
    lexer->at += size;
}

static void read_sign(sp_lexer *lexer)
{
    static const struct {
        const char *text; /* the longer before what it begins with */
        sp_token_kind kind;
        sp_filter_word word;
        uint32_t compare;
        int negated;
    } signs[] = {
        {"==", SP_TOKEN_COMPARE, SP_WORD_NONE, SP_FILTER_EQ, 0},
        {"!=", SP_TOKEN_COMPARE, SP_WORD_NONE, SP_FILTER_EQ, 1},
        {"<=", SP_TOKEN_COMPARE, SP_WORD_NONE, SP_FILTER_LE, 0},
        {">=", SP_TOKEN_COMPARE, SP_WORD_NONE, SP_FILTER_GE, 0},
        {"<", SP_TOKEN_COMPARE, SP_WORD_NONE, SP_FILTER_LT, 0},
        {">", SP_TOKEN_COMPARE, SP_WORD_NONE, SP_FILTER_GT, 0},
        {"&&", SP_TOKEN_WORD, SP_WORD_AND, 0, 0},
        {"||", SP_TOKEN_WORD, SP_WORD_OR, 0, 0},
        {"!", SP_TOKEN_WORD, SP_WORD_NOT, 0, 0},
        {"(", SP_TOKEN_OPEN, SP_WORD_NONE, 0, 0},
        {")", SP_TOKEN_CLOSE, SP_WORD_NONE, 0, 0},
        {"[", SP_TOKEN_LIST_OPEN, SP_WORD_NONE, 0, 0},
        {"]", SP_TOKEN_LIST_CLOSE, SP_WORD_NONE, 0, 0},
        {",", SP_TOKEN_COMMA, SP_WORD_NONE, 0, 0},
    };
    static const char *const wrong[][2] = {
        {"<>", "\"!=\""}, {"=", "\"==\""}, {"&", "\"and\""}, {"|", "\"or\""}};
    const char *at = lexer->source + lexer->at;
    size_t left = lexer->size - lexer->at;

    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        size_t size = strlen(signs[i].text);

        if (left < size || memcmp(at, signs[i].text, size) != 0)
            continue;
        if (left > size && at[0] == '<' && at[1] == '>')
            break;
        lexer->token.kind = signs[i].kind;
        lexer->token.word = signs[i].word;
        lexer->token.compare = signs[i].compare;
        lexer->token.negated = signs[i].negated;
        lexer->at += size;
        return;
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (left >= strlen(wrong[i][0]) && memcmp(at, wrong[i][0], strlen(wrong[i][0])) == 0)
            sp_filter_build_fail(lexer->build, lexer->at, "unknown \"%s\", use %s", wrong[i][0],
                                 wrong[i][1]);
    if ((uint8_t)at[0] >= 0x80)
        sp_filter_build_fail(lexer->build, lexer->at,
                             "names beyond a-z, A-Z, 0-9 and _ stand in backquotes: `...`");
    else if ((uint8_t)at[0] < 0x20 || at[0] == 0x7f)
        sp_filter_build_fail(lexer->build, lexer->at, "unexpected character U+%04X",
                             (unsigned)(uint8_t)at[0]);
    else
        sp_filter_build_fail(lexer->build, lexer->at, "unexpected character %c", at[0]);
}

void sp_lexer_next(sp_lexer *lexer)
{
    const char *s = lexer->source;
    size_t name;
    char c;

    memset(&lexer->token, 0, sizeof lexer->token);
    while (lexer->at < lexer->size && s[lexer->at] && strchr(" \t\r\n", s[lexer->at]))
        lexer->at++;
    lexer->token.start = lexer->at;
    lexer->token.end = lexer->at;
    if (lexer->at >= lexer->size || lexer->build->code)
        return;
    c = s[lexer->at];
    name = sp_filter_name_size(s + lexer->at, lexer->size - lexer->at);
    if (name)
        read_name(lexer, name);
    else if (c == '"' || c == '\'')
        read_quoted(lexer, c, SP_TOKEN_TEXT);
    else if (c == '`')
        read_quoted(lexer, c, SP_TOKEN_NAME);
    else if ((c >= '0' && c <= '9') || c == '-')
        read_number(lexer);
    else
        read_sign(lexer);
    lexer->token.end = lexer->at;
    if (lexer->build->code) {
        lexer->token.kind = SP_TOKEN_END;
        lexer->token.end = lexer->token.start;
        lexer->at = lexer->size;
    }
}
