/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "filter_words.h"

#include <string.h>

/* Not strncasecmp, which asks the locale what a letter is. */
static int equals_ignoring_case(sp_text name, const char *word)
{
    if (name.size != strlen(word))
        return 0;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];

        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (c != word[i])
            return 0;
    }
    return 1;
}

sp_filter_word sp_filter_word_of(sp_text name)
{
    static const struct {
        const char *text;
        sp_filter_word word;
    } words[] = {
        {"and", SP_WORD_AND},
        {"or", SP_WORD_OR},
        {"not", SP_WORD_NOT},
        {"in", SP_WORD_IN},
        {"like", SP_WORD_LIKE},
        {"exists", SP_WORD_EXISTS},
        {"true", SP_WORD_TRUE},
        {"false", SP_WORD_FALSE},
        {"null", SP_WORD_NULL},
        {"array_contains", SP_WORD_CONTAINS},
        {"array_contains_any", SP_WORD_CONTAINS_ANY},
        {"array_contains_all", SP_WORD_CONTAINS_ALL},
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (equals_ignoring_case(name, words[i].text))
            return words[i].word;
    return SP_WORD_NONE;
}

size_t sp_filter_name_size(const char *text, size_t size)
{
    size_t i = 0;

    if (!size || !sp_filter_name_start((uint8_t)text[0]))
        return 0;
    while (i < size) {
        if (sp_filter_name_byte((uint8_t)text[i]))
            i++;
        else if (text[i] == '.' && i + 1 < size && sp_filter_name_byte((uint8_t)text[i + 1]))
            i++;
        else
            break;
    }
    return i;
}

int sp_filter_name_is_plain(sp_text name)
{
    return sp_filter_name_size(name.data, name.size) == name.size && name.size &&
           sp_filter_word_of(name) == SP_WORD_NONE;
}
