/* SPDX-License-Identifier: Apache-2.0 */
/* The value of an environment variable, by the rules of FiftyOne's _parse_env_value. */
#include "config.h"

#include "config_internal.h"

#include <string.h>

const char *sp_value_problem(int problem)
{
    switch (problem) {
    case SP_VALUE_NO_MEMORY:
        return "does not fit in memory";
    case SP_VALUE_NOT_UTF8:
        return "is not UTF-8 text";
    case SP_VALUE_TOO_LONG:
        return "is longer than 1 MiB";
    case SP_VALUE_TOO_LARGE:
        return "is an integer of more than 64 bits";
    case SP_VALUE_NOT_FINITE:
        return "is not a finite number";
    case SP_VALUE_NOT_JSON:
        return "is neither JSON nor a list between commas";
    default:
        return "cannot be used";
    }
}

int32_t sp_utf8_next(const char *text, size_t size, size_t *step)
{
    static const int32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *at = (const unsigned char *)text;
    int32_t c = at[0];
    size_t need = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 0;

    *step = 1;
    if (need <= 1)
        return need ? c : -1;
    if (need > size || c > 0xf4)
        return -1;
    c &= 0x7f >> need;
    for (size_t i = 1; i < need; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return -1;
        c = c << 6 | (at[i] & 0x3f);
    }
    if (c < least[need] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return -1;
    *step = need;
    return c;
}

static int check(const char *text)
{
    size_t size = strnlen(text, SP_CONFIG_MAX_VALUE + 1);

    if (size > SP_CONFIG_MAX_VALUE)
        return SP_VALUE_TOO_LONG;
    for (size_t i = 0, step; i < size; i += step)
        if (sp_utf8_next(text + i, size - i, &step) < 0)
            return SP_VALUE_NOT_UTF8;
    return SP_VALUE_OK;
}

static int is_word(const char *text, size_t size, const char *word)
{
    return size == strlen(word) && memcmp(text, word, size) == 0;
}

/* Of one item of a list, or of all of a value without commas. */
static json_t *parse_item(const char *text, size_t size, int *problem)
{
    json_t *value = sp_value_number(text, size, problem);

    if (value || *problem != SP_VALUE_OK)
        return value;
    if (is_word(text, size, "True") || is_word(text, size, "true"))
        return json_true();
    if (is_word(text, size, "False") || is_word(text, size, "false"))
        return json_false();
    if (size == 0 || is_word(text, size, "None"))
        return json_null();
    value = json_stringn_nocheck(text, size);
    if (!value)
        *problem = SP_VALUE_NO_MEMORY;
    return value;
}

static json_t *parse_list(const char *text, int *problem)
{
    json_t *list = json_array();

    if (!list)
        *problem = SP_VALUE_NO_MEMORY;
    while (*problem == SP_VALUE_OK) {
        size_t size = strcspn(text, ",");
        json_t *item = parse_item(text, size, problem);

        if (item && json_array_append_new(list, item) != 0)
            *problem = SP_VALUE_NO_MEMORY;
        if (!text[size])
            break;
        text += size + 1;
    }
    if (*problem != SP_VALUE_OK) {
        json_decref(list);
        list = NULL;
    }
    return list;
}

json_t *sp_value_text(const char *text, int *problem)
{
    json_t *value = NULL;

    *problem = check(text);
    if (*problem == SP_VALUE_OK && !(value = json_string_nocheck(text)))
        *problem = SP_VALUE_NO_MEMORY;
    return value;
}

json_t *sp_value_parse(const char *text, int *problem)
{
    *problem = check(text);
    if (*problem != SP_VALUE_OK)
        return NULL;
    /* No number has a comma, so that looking for one first changes nothing. */
    if (strchr(text, ','))
        return parse_list(text, problem);
    return parse_item(text, strlen(text), problem);
}
