/* SPDX-License-Identifier: Apache-2.0 */
/* The words of the filter language, for the one that reads them and the one that prints. */
#ifndef SP_FILTER_WORDS_H
#define SP_FILTER_WORDS_H

#include "column.h"

typedef enum sp_filter_word {
    SP_WORD_NONE, /* not a word of the language: a field's name */
    SP_WORD_AND,
    SP_WORD_OR,
    SP_WORD_NOT,
    SP_WORD_IN,
    SP_WORD_LIKE,
    SP_WORD_EXISTS,
    SP_WORD_TRUE,
    SP_WORD_FALSE,
    SP_WORD_NULL,
    SP_WORD_CONTAINS,
    SP_WORD_CONTAINS_ANY,
    SP_WORD_CONTAINS_ALL
} sp_filter_word;

static inline int sp_filter_name_start(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static inline int sp_filter_name_byte(uint8_t c)
{
    return sp_filter_name_start(c) || (c >= '0' && c <= '9');
}

/* In any case of letters. */
sp_filter_word sp_filter_word_of(sp_text name);
/* Bytes of the plain name (letters, digits, _ and dots between them) that text begins with. */
size_t sp_filter_name_size(const char *text, size_t size);
/* Whether a field's name can stand without backquotes. */
int sp_filter_name_is_plain(sp_text name);

#endif
