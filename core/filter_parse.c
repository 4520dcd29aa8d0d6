/* SPDX-License-Identifier: Apache-2.0 */
/* A descent through the grammar of docs/filters.md, one function a rule. */
#include "config.h"

#include "filter_lex.h"

#include <stdio.h>
#include <string.h>

typedef struct parser {
    sp_filter_build build;
    sp_lexer lexer;
    uint32_t nesting;
} parser;

static uint32_t parse_or(parser *p);

static void expected(parser *p, const char *what)
{
    char found[64];

    sp_filter_build_fail(&p->build, p->lexer.token.start, "expected %s, found %s", what,
                         sp_lexer_found(&p->lexer, found, sizeof found));
}

static int accept(parser *p, sp_token_kind kind)
{
    if (p->lexer.token.kind != kind)
        return 0;
    sp_lexer_next(&p->lexer);
    return 1;
}

static int accept_word(parser *p, sp_filter_word word)
{
    if (p->lexer.token.kind != SP_TOKEN_WORD || p->lexer.token.word != word)
        return 0;
    sp_lexer_next(&p->lexer);
    return 1;
}

static int is_word(const sp_token *token, sp_filter_word word)
{
    return token->kind == SP_TOKEN_WORD && token->word == word;
}

/* A failure unless the token is there. */
static void need(parser *p, sp_token_kind kind, const char *what)
{
    if (!accept(p, kind))
        expected(p, what);
}

/* A constant of the language. after names what came before it. */
static int parse_value(parser *p, const char *after, sp_filter_value *value, size_t *offset)
{
    const sp_token *token = &p->lexer.token;
    char found[64];

    *offset = token->start;
    if (token->kind == SP_TOKEN_TEXT || token->kind == SP_TOKEN_NUMBER) {
        *value = token->value;
    } else if (is_word(token, SP_WORD_TRUE) || is_word(token, SP_WORD_FALSE)) {
        value->type = SP_BOOL;
        value->as.boolean = token->word == SP_WORD_TRUE;
    } else if (is_word(token, SP_WORD_NULL)) {
        sp_filter_build_fail(&p->build, token->start,
                             "null is no value: ask with \"exists\" or \"not exists\"");
    } else {
        sp_filter_build_fail(&p->build, token->start, "expected a value after %s, found %s%s",
                             after, sp_lexer_found(&p->lexer, found, sizeof found),
                             token->kind == SP_TOKEN_NAME ? " (text stands in quotes)" : "");
    }
    if (p->build.code)
        return 0;
    sp_lexer_next(&p->lexer);
    return 1;
}

static void parse_list(parser *p, uint32_t leaf)
{
    sp_filter_value value;
    size_t offset;
    const char *after = "\"[\"";

    need(p, SP_TOKEN_LIST_OPEN, "\"[\" and a list of values");
    if (!accept(p, SP_TOKEN_LIST_CLOSE)) {
        do {
            if (parse_value(p, after, &value, &offset))
                sp_filter_build_value(&p->build, leaf, &value, offset);
            after = "\",\"";
        } while (!p->build.code && accept(p, SP_TOKEN_COMMA));
        need(p, SP_TOKEN_LIST_CLOSE, "\",\" or \"]\"");
    }
    sp_filter_build_leaf_done(&p->build, leaf);
}

static uint32_t make_leaf(parser *p, uint32_t kind, int negated, const sp_token *field,
                          const sp_filter_value *value, size_t value_offset, size_t offset)
{
    uint32_t leaf =
        sp_filter_build_leaf(&p->build, kind, negated, field->value.as.text, offset);

    sp_filter_build_value(&p->build, leaf, value, value_offset);
    sp_filter_build_leaf_done(&p->build, leaf);
    return leaf;
}

/* field == value, field in [...], field like "..." */
static uint32_t parse_field_first(parser *p)
{
    sp_token field = p->lexer.token;
    sp_token op;
    sp_filter_value value;
    size_t offset;
    uint32_t leaf = 0;
    int negated;
    char after[8];

    sp_lexer_next(&p->lexer);
    op = p->lexer.token;
    if (accept(p, SP_TOKEN_COMPARE)) {
        snprintf(after, sizeof after, "\"%.2s\"", sp_filter_kind_name(op.compare, op.negated));
        if (parse_value(p, after, &value, &offset))
            leaf = make_leaf(p, op.compare, op.negated, &field, &value, offset, field.start);
        return leaf;
    }
    negated = accept_word(p, SP_WORD_NOT);
    if (accept_word(p, SP_WORD_IN)) {
        leaf = sp_filter_build_leaf(&p->build, SP_FILTER_IN, negated, field.value.as.text,
                                    field.start);
        parse_list(p, leaf);
    } else if (accept_word(p, SP_WORD_LIKE)) {
        if (p->lexer.token.kind != SP_TOKEN_TEXT)
            expected(p, "a pattern in quotes after \"like\"");
        else if (parse_value(p, "\"like\"", &value, &offset))
            leaf = make_leaf(p, SP_FILTER_LIKE, negated, &field, &value, offset, field.start);
    } else if (negated) {
        expected(p, "\"in\" or \"like\" after \"not\"");
    } else {
        expected(p, "a comparison such as \"==\", \"<\", \"in\" or \"like\" after the field");
    }
    return leaf;
}

static uint32_t mirrored(uint32_t compare)
{
    switch (compare) {
    case SP_FILTER_LT: return SP_FILTER_GT;
    case SP_FILTER_LE: return SP_FILTER_GE;
    case SP_FILTER_GT: return SP_FILTER_LT;
    case SP_FILTER_GE: return SP_FILTER_LE;
    default: return compare;
    }
}

static int goes_up(uint32_t compare)
{
    return compare == SP_FILTER_LT || compare == SP_FILTER_LE;
}

/* 10 <= page, or 10 <= page < 50; the value is read already. */
static uint32_t parse_value_first(parser *p, const sp_filter_value *low, size_t start)
{
    sp_token op = p->lexer.token;
    sp_token second;
    sp_token field;
    sp_filter_value high;
    size_t offset;
    uint32_t range;
    uint32_t leaf;

    if (!accept(p, SP_TOKEN_COMPARE)) {
        expected(p, "a comparison such as \"==\" or \"<\" after the value");
        return 0;
    }
    field = p->lexer.token;
    need(p, SP_TOKEN_NAME, "the name of a field");
    if (p->build.code)
        return 0;
    leaf = make_leaf(p, mirrored(op.compare), op.negated, &field, low, start, start);
    second = p->lexer.token;
    if (!accept(p, SP_TOKEN_COMPARE))
        return leaf;
    if (op.compare == SP_FILTER_EQ || second.compare == SP_FILTER_EQ ||
        goes_up(op.compare) != goes_up(second.compare)) {
        sp_filter_build_fail(&p->build, second.start,
                             "a range goes one way: 10 <= page < 50, or 50 > page >= 10");
        return 0;
    }
    if (!parse_value(p, "the comparison", &high, &offset))
        return 0;
    range = sp_filter_build_node(&p->build, SP_FILTER_AND, start);
    sp_filter_build_child(&p->build, range, leaf);
    leaf = make_leaf(p, second.compare, 0, &field, &high, offset, field.start);
    sp_filter_build_child(&p->build, range, leaf);
    return range;
}

static uint32_t parse_exists(parser *p, size_t start)
{
    int is_wrapped = accept(p, SP_TOKEN_OPEN);
    sp_token field = p->lexer.token;

    need(p, SP_TOKEN_NAME, "the name of a field after \"exists\"");
    if (is_wrapped)
        need(p, SP_TOKEN_CLOSE, "\")\"");
    if (p->build.code)
        return 0;
    return sp_filter_build_leaf(&p->build, SP_FILTER_EXISTS, 0, field.value.as.text, start);
}

/* array_contains(field, value); the word is read already. */
static uint32_t parse_contains(parser *p, uint32_t kind, size_t start)
{
    sp_token field;
    sp_filter_value value;
    size_t offset;
    uint32_t leaf = 0;

    need(p, SP_TOKEN_OPEN, "\"(\" after the function's name");
    field = p->lexer.token;
    need(p, SP_TOKEN_NAME, "the name of a field");
    need(p, SP_TOKEN_COMMA, "\",\" after the field");
    if (p->build.code)
        return 0;
    if (kind != SP_FILTER_CONTAINS) {
        leaf = sp_filter_build_leaf(&p->build, kind, 0, field.value.as.text, start);
        parse_list(p, leaf);
    } else if (parse_value(p, "\",\"", &value, &offset)) {
        leaf = make_leaf(p, kind, 0, &field, &value, offset, start);
    }
    need(p, SP_TOKEN_CLOSE, "\")\"");
    return leaf;
}

static uint32_t parse_group(parser *p)
{
    uint32_t node = parse_or(p);

    need(p, SP_TOKEN_CLOSE, "\"and\", \"or\" or \")\"");
    return node;
}

/* A word where a condition begins; it is read already. */
static uint32_t parse_word(parser *p, const sp_token *word)
{
    sp_filter_value value;

    switch (word->word) {
    case SP_WORD_EXISTS: return parse_exists(p, word->start);
    case SP_WORD_CONTAINS: return parse_contains(p, SP_FILTER_CONTAINS, word->start);
    case SP_WORD_CONTAINS_ANY: return parse_contains(p, SP_FILTER_CONTAINS_ANY, word->start);
    case SP_WORD_CONTAINS_ALL: return parse_contains(p, SP_FILTER_CONTAINS_ALL, word->start);
    default: break;
    }
    if (p->lexer.token.kind == SP_TOKEN_COMPARE) {
        value.type = SP_BOOL;
        value.as.boolean = word->word == SP_WORD_TRUE;
        return parse_value_first(p, &value, word->start);
    }
    return sp_filter_build_const(&p->build, word->word == SP_WORD_TRUE, word->start);
}

static int begins_condition(sp_filter_word word)
{
    return word == SP_WORD_EXISTS || word == SP_WORD_TRUE || word == SP_WORD_FALSE ||
           word == SP_WORD_CONTAINS || word == SP_WORD_CONTAINS_ANY ||
           word == SP_WORD_CONTAINS_ALL;
}

static uint32_t parse_condition(parser *p)
{
    sp_token token = p->lexer.token;

    if (token.kind == SP_TOKEN_NAME)
        return parse_field_first(p);
    if (token.kind == SP_TOKEN_TEXT || token.kind == SP_TOKEN_NUMBER) {
        sp_lexer_next(&p->lexer);
        return parse_value_first(p, &token.value, token.start);
    }
    if (accept(p, SP_TOKEN_OPEN))
        return parse_group(p);
    if (token.kind == SP_TOKEN_WORD && begins_condition(token.word)) {
        sp_lexer_next(&p->lexer);
        return parse_word(p, &token);
    }
    expected(p, "a condition");
    return 0;
}

static uint32_t parse_not(parser *p)
{
    size_t start = p->lexer.token.start;
    uint32_t node;

    if (p->nesting > SP_FILTER_MAX_NESTING) {
        sp_filter_build_fail(&p->build, start, "nested more than %d deep", SP_FILTER_MAX_NESTING);
        return 0;
    }
    p->nesting++;
    if (accept_word(p, SP_WORD_NOT)) {
        uint32_t child = parse_not(p);

        node = child ? sp_filter_build_node(&p->build, SP_RAW_NOT, start) : 0;
        sp_filter_build_child(&p->build, node, child);
    } else {
        node = parse_condition(p);
    }
    p->nesting--;
    return node;
}

/* What one rule of and, or has in common with the other: members between words. */
static uint32_t parse_members(parser *p, uint32_t kind, sp_filter_word word,
                              uint32_t (*parse_member)(parser *))
{
    size_t start = p->lexer.token.start;
    uint32_t node = parse_member(p);
    uint32_t group = 0;

    while (!p->build.code && accept_word(p, word)) {
        if (!group) {
            group = sp_filter_build_node(&p->build, kind, start);
            sp_filter_build_child(&p->build, group, node);
            node = group;
        }
        sp_filter_build_child(&p->build, group, parse_member(p));
    }
    return node;
}

static uint32_t parse_and(parser *p)
{
    return parse_members(p, SP_FILTER_AND, SP_WORD_AND, parse_not);
}

static uint32_t parse_or(parser *p)
{
    return parse_members(p, SP_FILTER_OR, SP_WORD_OR, parse_and);
}

int32_t sp_filter_parse(const char *text, size_t size, sp_filter **filter, sp_filter_error *error)
{
    parser p;
    uint32_t root;
    int32_t code;

    if (!size)
        text = ""; /* may be NULL */
    p.nesting = 0;
    sp_filter_build_init(&p.build, text, size);
    sp_lexer_init(&p.lexer, &p.build, text, size);
    root = parse_or(&p);
    if (p.lexer.token.kind != SP_TOKEN_END)
        expected(&p, "\"and\", \"or\" or the end");
    code = sp_filter_build_finish(&p.build, root, filter, error);
    sp_lexer_clear(&p.lexer);
    sp_filter_build_clear(&p.build);
    return code;
}
