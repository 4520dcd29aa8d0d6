/* SPDX-License-Identifier: Apache-2.0 */
/* The filter language's tokens. Failures stick in the build that the lexer was given. */
#ifndef SP_FILTER_LEX_H
#define SP_FILTER_LEX_H

#include <locale.h>

#include "filter_build.h"
#include "filter_words.h"

typedef enum sp_token_kind {
    SP_TOKEN_END, /* of the text; also after a failure */
    SP_TOKEN_WORD, /* .word, also for && || ! */
    SP_TOKEN_NAME, /* .value.as.text, unquoted */
    SP_TOKEN_TEXT, /* .value, unescaped */
    SP_TOKEN_NUMBER, /* .value */
    SP_TOKEN_COMPARE, /* .compare, .negated */
    SP_TOKEN_OPEN,
    SP_TOKEN_CLOSE,
    SP_TOKEN_LIST_OPEN,
    SP_TOKEN_LIST_CLOSE,
    SP_TOKEN_COMMA
} sp_token_kind;

typedef struct sp_token {
    sp_token_kind kind;
    sp_filter_word word;
    uint32_t compare; /* SP_FILTER_EQ, LT, LE, GT, GE */
    int negated;      /* != */
    sp_filter_value value;
    size_t start;     /* in the source */
    size_t end;
} sp_token;

typedef struct sp_lexer {
    sp_filter_build *build;
    const char *source;
    size_t size;
    size_t at;        /* behind the current token */
    sp_token token;   /* the current one */
    char *text;       /* what quoted texts become; never longer than the source */
    size_t text_used;
    locale_t plain;   /* the C locale, made for the first float */
} sp_lexer;

/* Reads the first token. clear in any case. */
void sp_lexer_init(sp_lexer *lexer, sp_filter_build *build, const char *source, size_t size);
/* Texts of tokens live until then. */
void sp_lexer_clear(sp_lexer *lexer);
void sp_lexer_next(sp_lexer *lexer);
/* What stands at the current token, for "..., found %s": cut short, never NULL. */
const char *sp_lexer_found(const sp_lexer *lexer, char *text, size_t size);

#endif
