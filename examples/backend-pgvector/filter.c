/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQL has three truth values where filters have two. A positive leaf may be null where it should
 * be false: and, or and WHERE make no difference between them. A negated leaf is (...) IS NOT TRUE,
 * which is never null; groups are never negated.
 */
#include "filter.h"

#include "filter_value.h"
#include "instance.h"

/* What the core sends is 24 levels deep at most. */
#define DEPTH_MAX 32

typedef struct translation {
    pgv_call *call;
    const pgv_collection *collection;
    pgv_sql *sql;
} translation;

static int32_t malformed(const translation *to)
{
    return pgv_fail_argument(to->call, "filter", "filter: not a tree as docs/filters.md has it");
}

static void column(const translation *to, const pgv_field *field)
{
    pgv_words(to->sql, "p.");
    pgv_name(to->sql, field->column);
}

static void bind(const translation *to, const pgv_term *term, uint32_t type)
{
    if (type == SIMPLUGIN_COLUMN_TEXT)
        pgv_bind_text(to->sql, term->text, term->size);
    else if (type == SIMPLUGIN_COLUMN_INT64)
        pgv_bind_int64(to->sql, term->integer);
    else if (type == SIMPLUGIN_COLUMN_FLOAT64)
        pgv_bind_double(to->sql, term->number);
    else
        pgv_bind_bool(to->sql, term->integer != 0);
}

/* ---- leaves --------------------------------------------------------------------------------- */

static void compare(const translation *to, const pgv_field *field, pgv_compare how,
                    const simplugin_value *value)
{
    static const char *const signs[] = {" = ", " < ", " <= ", " > ", " >= "};
    pgv_term term = pgv_term_of(how, value, field->type);
    /* PostgreSQL has NaN equal to itself and above everything; here it is neither */
    int nan_matters = field->type == SIMPLUGIN_COLUMN_FLOAT64 &&
                      (term.compare == PGV_GT || term.compare == PGV_GE);

    if (term.compare == PGV_NEVER || term.compare == PGV_ALWAYS) {
        if (term.compare == PGV_NEVER) {
            pgv_words(to->sql, "FALSE");
            return;
        }
        column(to, field);
        pgv_words(to->sql, " IS NOT NULL");
        return;
    }
    if (nan_matters) {
        pgv_words(to->sql, "(");
        column(to, field);
        pgv_words(to->sql, " <> 'NaN' AND ");
    }
    column(to, field);
    pgv_words(to->sql, signs[term.compare]);
    bind(to, &term, field->type);
    if (nan_matters)
        pgv_words(to->sql, ")");
}

/* The values of a list that a column of the type can hold, as an array; *left_out: others. */
static int32_t list_bind(const translation *to, const simplugin_value *list, uint32_t type,
                         uint64_t *left_out)
{
    static const uint32_t arrays[] = {0, PGV_TEXTS, PGV_INT8S, PGV_FLOAT8S, PGV_BOOLS};
    simplugin_iter iter = simplugin_iterate(list);
    simplugin_value value;
    pgv_buffer values = {0}, array = {0};
    uint64_t count = 0;
    int32_t code = SIMPLUGIN_OK;

    *left_out = 0;
    while (simplugin_next(&iter, &value)) {
        pgv_term term = pgv_term_of(PGV_EQ, &value, type);

        if (term.compare == PGV_NEVER) {
            ++*left_out;
            continue;
        }
        count++;
        pgv_append_int32(&values, type == SIMPLUGIN_COLUMN_TEXT   ? (int64_t)term.size
                                  : type == SIMPLUGIN_COLUMN_BOOL ? 1
                                                                  : 8);
        if (type == SIMPLUGIN_COLUMN_TEXT)
            pgv_append(&values, term.text, (size_t)term.size);
        else if (type == SIMPLUGIN_COLUMN_INT64)
            pgv_append_int64(&values, term.integer);
        else if (type == SIMPLUGIN_COLUMN_FLOAT64)
            pgv_append_double(&values, term.number);
        else
            pgv_append(&values, term.integer ? "\1" : "\0", 1);
    }
    pgv_encode_array_head(&array, pgv_type_item(type), count);
    pgv_append(&array, values.data, values.size);
    if (values.failed || array.failed)
        code = pgv_no_memory(to->call);
    else
        pgv_bind_raw(to->sql, arrays[type], array.data, array.size);
    pgv_buffer_clear(&values);
    pgv_buffer_clear(&array);
    return code;
}

static int32_t in(const translation *to, const pgv_field *field, const simplugin_value *list)
{
    uint64_t left_out;
    int32_t code;

    column(to, field);
    pgv_words(to->sql, " = ANY (");
    code = list_bind(to, list, field->type, &left_out);
    pgv_words(to->sql, ")");
    return code;
}

/* @> and && are what an index of kind GIN would answer. */
static int32_t contains(const translation *to, const pgv_field *field, const simplugin_value *list,
                        int is_all)
{
    uint64_t left_out;
    int32_t code;

    pgv_words(to->sql, "(");
    column(to, field);
    pgv_words(to->sql, is_all ? " @> " : " && ");
    code = list_bind(to, list, field->type & ~SIMPLUGIN_COLUMN_LIST, &left_out);
    /* nothing holds a value of another type */
    pgv_words(to->sql, is_all && left_out ? " AND FALSE)" : ")");
    return code;
}

/* A list of the one value that stands there. */
static int32_t contains_one(const translation *to, const pgv_field *field,
                            const simplugin_value *value, const uint8_t *begin)
{
    simplugin_value list = {.type = SIMPLUGIN_ARRAY, .size = 1, .data = begin, .end = value->end};

    return contains(to, field, &list, 1);
}

static int32_t like(const translation *to, const pgv_field *field, const simplugin_value *pattern)
{
    if (pattern->type != SIMPLUGIN_TEXT)
        return malformed(to);
    if (pattern->size && memchr(pattern->data, 0, (size_t)pattern->size)) {
        pgv_words(to->sql, "FALSE");
        return SIMPLUGIN_OK;
    }
    column(to, field);
    pgv_words(to->sql, " LIKE ");
    pgv_bind_text(to->sql, (const char *)pattern->data, pattern->size);
    return SIMPLUGIN_OK;
}

/* ---- the tree ------------------------------------------------------------------------------- */

/* A node in pieces: its word, then up to two more members. */
typedef struct filter_node {
    simplugin_value word;
    simplugin_iter members; /* behind the word */
    const pgv_field *field; /* the first member's; NULL: there is no such field */
    simplugin_value value;  /* the second */
    const uint8_t *value_begin;
} filter_node;

static int node_read(const simplugin_value *tree, filter_node *node)
{
    memset(node, 0, sizeof *node);
    node->members = simplugin_iterate(tree);
    return tree->type == SIMPLUGIN_ARRAY && simplugin_next(&node->members, &node->word) &&
           node->word.type == SIMPLUGIN_TEXT;
}

static int32_t leaf_read(const translation *to, filter_node *node)
{
    simplugin_value name;
    char *text;

    if (!simplugin_next(&node->members, &name) || name.type != SIMPLUGIN_TEXT)
        return malformed(to);
    text = pgv_take_text(to->call, name.data, name.size);
    if (!text)
        return pgv_no_memory(to->call);
    node->field = strlen(text) == name.size ? pgv_field_find(to->collection, text) : NULL;
    node->value_begin = node->members.at;
    if (!simplugin_value_is(&node->word, "exists") && !simplugin_next(&node->members, &node->value))
        return malformed(to);
    return SIMPLUGIN_OK;
}

static int is_one_of(const simplugin_value *word, const char *const *words)
{
    int i = 0;

    while (words[i] && !simplugin_value_is(word, words[i]))
        i++;
    return words[i] ? i : -1;
}

static int32_t leaf(const translation *to, filter_node *node)
{
    static const char *const compares[] = {"==", "<", "<=", ">", ">=", NULL}; /* as pgv_compare */
    static const char *const lists[] = {"array_contains", "array_contains_any",
                                        "array_contains_all", NULL};
    int is_list, which;
    int32_t code = leaf_read(to, node);

    if (code)
        return code;
    if (!node->field) {
        pgv_words(to->sql, "FALSE");
        return SIMPLUGIN_OK;
    }
    if (simplugin_value_is(&node->word, "exists")) {
        column(to, node->field);
        pgv_words(to->sql, " IS NOT NULL");
        return SIMPLUGIN_OK;
    }
    is_list = (node->field->type & SIMPLUGIN_COLUMN_LIST) != 0;
    which = is_one_of(&node->word, lists);
    if (is_list != (which >= 0)) {
        pgv_words(to->sql, "FALSE");
        return SIMPLUGIN_OK;
    }
    if (which > 0 && node->value.type != SIMPLUGIN_ARRAY)
        return malformed(to);
    if (which == 0)
        return contains_one(to, node->field, &node->value, node->value_begin);
    if (which > 0)
        return contains(to, node->field, &node->value, which == 2);
    if (simplugin_value_is(&node->word, "in"))
        return node->value.type == SIMPLUGIN_ARRAY ? in(to, node->field, &node->value)
                                                   : malformed(to);
    if (simplugin_value_is(&node->word, "like") && node->field->type == SIMPLUGIN_COLUMN_TEXT)
        return like(to, node->field, &node->value);
    which = is_one_of(&node->word, compares);
    if (which >= 0)
        compare(to, node->field, (pgv_compare)which, &node->value);
    else
        pgv_words(to->sql, "FALSE");
    return SIMPLUGIN_OK;
}

/* "!=" and "not in" are what they negate. */
static int32_t negated_leaf(const translation *to, filter_node *node)
{
    int32_t code;

    pgv_words(to->sql, "(");
    code = leaf(to, node);
    pgv_words(to->sql, ") IS NOT TRUE");
    return code;
}

static int32_t tree(const translation *to, const simplugin_value *value, int depth);

static int32_t group(const translation *to, filter_node *node, int is_and, int depth)
{
    simplugin_value member;
    uint64_t count = 0;
    int32_t code = SIMPLUGIN_OK;

    pgv_words(to->sql, "(");
    while (!code && simplugin_next(&node->members, &member)) {
        pgv_words(to->sql, !count++ ? "" : is_and ? " AND " : " OR ");
        code = tree(to, &member, depth + 1);
    }
    pgv_words(to->sql, ")");
    return code || count ? code : malformed(to);
}

static int32_t negation(const translation *to, filter_node *outer)
{
    simplugin_value inner;
    filter_node node;

    if (!simplugin_next(&outer->members, &inner) || !node_read(&inner, &node))
        return malformed(to);
    return negated_leaf(to, &node);
}

static int32_t tree(const translation *to, const simplugin_value *value, int depth)
{
    static const char *const leaves[] = {"==",
                                         "<",
                                         "<=",
                                         ">",
                                         ">=",
                                         "in",
                                         "like",
                                         "exists",
                                         "array_contains",
                                         "array_contains_any",
                                         "array_contains_all",
                                         NULL};
    static const simplugin_value equal = {
        .type = SIMPLUGIN_TEXT, .data = (const uint8_t *)"==", .size = 2};
    static const simplugin_value within = {
        .type = SIMPLUGIN_TEXT, .data = (const uint8_t *)"in", .size = 2};
    filter_node node;

    if (value->type == SIMPLUGIN_BOOL) {
        pgv_words(to->sql, value->as.i ? "TRUE" : "FALSE");
        return SIMPLUGIN_OK;
    }
    if (depth > DEPTH_MAX || !node_read(value, &node))
        return malformed(to);
    if (simplugin_value_is(&node.word, "and") || simplugin_value_is(&node.word, "or"))
        return group(to, &node, simplugin_value_is(&node.word, "and"), depth);
    if (simplugin_value_is(&node.word, "not"))
        return negation(to, &node);
    if (simplugin_value_is(&node.word, "!=") || simplugin_value_is(&node.word, "not in")) {
        node.word = simplugin_value_is(&node.word, "!=") ? equal : within;
        return negated_leaf(to, &node);
    }
    return is_one_of(&node.word, leaves) >= 0 ? leaf(to, &node) : malformed(to);
}

int32_t pgv_filter(pgv_call *call, const pgv_collection *collection, const simplugin_value *value,
                   pgv_sql *sql)
{
    translation to = {.call = call, .collection = collection, .sql = sql};

    return tree(&to, value, 0);
}

int32_t pgv_where(pgv_call *call, const pgv_collection *collection, int is_first, pgv_sql *sql)
{
    simplugin_value filter;
    int64_t view = 0;
    int32_t code = pgv_arg_int(call, "view", 1, INT64_MAX, &view);

    if (!code && simplugin_find(&call->body, "filter", &filter)) {
        pgv_words(sql, is_first ? " WHERE " : " AND ");
        is_first = 0;
        code = pgv_filter(call, collection, &filter, sql);
    }
    if (!code && view) {
        pgv_words(sql, is_first ? " WHERE p.id = ANY (" : " AND p.id = ANY (");
        code = pgv_view_bind(call, view, sql);
        pgv_words(sql, ")");
    }
    return code;
}
