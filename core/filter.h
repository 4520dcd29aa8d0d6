/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The portable filter language: text to tree, tree to text and to MessagePack, what a
 * backend can take of it, and its evaluation over columns. docs/filters.md is the
 * reference for all of it.
 *
 * A tree is canonical as soon as it exists, wherever it came from: negation sits on the
 * leaves (the language is two-valued, so that De Morgan's rules hold), an "and" never
 * stands directly in an "and", nor an "or" in an "or", a group has two members at least,
 * and a constant can only be the whole tree. Trees and bound filters are immutable: any
 * number of threads may use one.
 */
#ifndef SP_FILTER_H
#define SP_FILTER_H

#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "column.h"

#define SP_FILTER_MAX_SOURCE ((size_t)16 << 20) /* bytes of text */
#define SP_FILTER_MAX_NESTING 64                /* parentheses and nots around a condition */
#define SP_FILTER_MAX_DEPTH 24 /* levels of a tree: with its request inside SIMPLUGIN_MAX_DEPTH */
#define SP_FILTER_MAX_NODES 65536
#define SP_FILTER_MAX_VALUES 1000000
#define SP_FILTER_MAX_FIELDS 256
#define SP_FILTER_MAX_NAME 255     /* bytes of a field's name */
#define SP_FILTER_MAX_PATTERN 4096 /* bytes of a pattern */

typedef struct sp_filter_error {
    char message[256]; /* one line, with the position where there is one */
    size_t offset;     /* bytes before the place */
    uint32_t line;     /* from 1; 0: the filter was not text */
    uint32_t column;   /* from 1, in characters */
} sp_filter_error;

/* ---- the tree ----------------------------------------------------------------------- */

#define SP_FILTER_CONST 0 /* .truth; only ever the whole tree */
#define SP_FILTER_AND 1
#define SP_FILTER_OR 2
#define SP_FILTER_EQ 3 /* the leaves, from here on: .field, .values, .negated */
#define SP_FILTER_LT 4
#define SP_FILTER_LE 5
#define SP_FILTER_GT 6
#define SP_FILTER_GE 7
#define SP_FILTER_IN 8
#define SP_FILTER_LIKE 9
#define SP_FILTER_EXISTS 10
#define SP_FILTER_CONTAINS 11     /* a list field holds the value */
#define SP_FILTER_CONTAINS_ANY 12 /* ... one of the values */
#define SP_FILTER_CONTAINS_ALL 13 /* ... all of the values, which may be none */
#define SP_FILTER_KINDS 14

typedef struct sp_filter_value {
    uint32_t type; /* SP_TEXT, SP_INT64, SP_FLOAT64 (finite) or SP_BOOL */
    union {
        sp_text text; /* UTF-8, may hold U+0000 */
        int64_t int64;
        double float64;
        int boolean;
    } as;
} sp_filter_value;

typedef struct sp_filter_node {
    uint8_t kind;
    uint8_t negated; /* leaves: EQ is then "!=", IN is "not in" */
    uint8_t truth;
    uint32_t field;  /* leaves: an index into fields */
    uint32_t end;    /* the node behind this one and all that is below it */
    uint32_t value_count; /* EXISTS 0; IN and CONTAINS_*: any number, of one sort; else 1 */
    const sp_filter_value *values;
    size_t offset;   /* where the condition begins in the text it came from, else 0 */
} sp_filter_node;

/*
 * The nodes stand in the order of the text, a group before its members. The members of
 * node g are g + 1, nodes[g + 1].end and so on, below nodes[g].end; node 0 is the root.
 */
typedef struct sp_filter {
    const sp_filter_node *nodes;
    const sp_text *fields; /* each name once, in the order of first use */
    uint32_t node_count;
    uint32_t field_count;
} sp_filter;

/*
 * All functions that make a filter write it to *filter, the caller's until
 * sp_filter_free, and return OK, OUT_OF_MEMORY, or what is named with them. error may be
 * NULL.
 */

/* INVALID_ARGUMENT, with a position in *error, for text that is not in the language. */
int32_t sp_filter_parse(const char *text, size_t size, sp_filter **filter, sp_filter_error *error);
void sp_filter_free(sp_filter *filter);

/* Whether both are the same tree; offsets do not count. */
int sp_filter_equal(const sp_filter *a, const sp_filter *b);

/* The canonical text; parsing it gives an equal tree. Failure sticks in the buffer. */
void sp_filter_print(const sp_filter *filter, sp_buffer *buffer);

/* The tree as one MessagePack value. Failure sticks in the writer. */
void sp_filter_encode(const sp_filter *filter, simplugin_writer *writer);
/* The other way round, from bytes of any origin. INVALID_ARGUMENT if it is no filter. */
int32_t sp_filter_decode(const simplugin_value *value, sp_filter **filter, sp_filter_error *error);

/* "==", "not in", "array_contains", ...: as in text and tree; static. */
const char *sp_filter_kind_name(uint32_t kind, int negated);

/* ---- patterns of like --------------------------------------------------------------- */

#define SP_PATTERN_END (-1)
#define SP_PATTERN_ONE 256  /* _ : exactly one character */
#define SP_PATTERN_MANY 257 /* % : any characters, or none */
#define SP_PATTERN_BAD 258  /* a backslash before something else; not in a parsed filter */

/* Takes one item off the front of a pattern: a byte of plain text (0-255) or one of these. */
int sp_pattern_next(sp_text *pattern);
/* Whether the pattern is plain text with one % at its end. */
int sp_pattern_is_prefix(sp_text pattern);

/* ---- what a backend can take -------------------------------------------------------- */

/* A set of leaves by kind, negation and type of value, and whether groups can be taken. */
typedef struct sp_filter_support {
    uint64_t positive;
    uint64_t negative;
    uint8_t groups[3]; /* by SP_FILTER_AND and SP_FILTER_OR */
} sp_filter_support;

/*
 * Adds what a name of docs/filters.md, "What a backend can take", stands for, such as
 * "and", "==", "in:text", "like:prefix", "not". 0 if the name is unknown.
 */
int sp_filter_support_add(sp_filter_support *support, const char *name, size_t size);
void sp_filter_support_all(sp_filter_support *support);
/* What a backend must support to take this filter whole. */
void sp_filter_support_used(const sp_filter *filter, sp_filter_support *used);
int sp_filter_support_covers(const sp_filter_support *have, const sp_filter_support *used);

/* Further conditions on a leaf; not 0 if the backend can take it. */
typedef int (*sp_filter_leaf_test)(void *context, const sp_filter *filter,
                                   const sp_filter_node *leaf);

/*
 * A filter of supported nodes only that accepts at least the rows that this one does: the
 * constant true if need be. *exact says whether it accepts no others. accept may be NULL.
 */
int32_t sp_filter_relax(const sp_filter *filter, const sp_filter_support *support,
                        sp_filter_leaf_test accept, void *context, sp_filter **relaxed,
                        int *exact);

/* The type of a field's column (SP_TEXT, ... | SP_LIST), 0: no row has the field. */
#define SP_FILTER_UNKNOWN_TYPE UINT32_MAX
typedef uint32_t (*sp_filter_type_of)(void *context, sp_text field);

/*
 * The same filter where the types of fields are known: comparisons that are false for
 * their type alone, or because the field is missing, are gone. For backends whose servers
 * refuse what is not in the schema.
 */
int32_t sp_filter_simplify(const sp_filter *filter, sp_filter_type_of type_of, void *context,
                           sp_filter **simplified);

/* ---- evaluation --------------------------------------------------------------------- */

/* A filter made ready for evaluation; borrows the filter. */
typedef struct sp_filter_bound sp_filter_bound;

int32_t sp_filter_bind(const sp_filter *filter, sp_filter_bound **bound);
void sp_filter_bound_free(sp_filter_bound *bound);

/* The column of fields[index], called name; NULL: no row has this field. */
typedef const sp_column *(*sp_filter_lookup)(void *context, uint32_t index, sp_text name);

/*
 * Sets bit i of bitmap (least significant first, (count + 7) / 8 bytes, all written) to
 * whether row first + i is accepted. lookup is called once a field and call. Columns must
 * have passed simplugin_column_read or be as sane; rows behind their end count as null.
 */
void sp_filter_eval_columns(const sp_filter_bound *bound, sp_filter_lookup lookup, void *context,
                            uint64_t first, uint64_t count, uint8_t *bitmap);
int sp_filter_eval_row(const sp_filter_bound *bound, sp_filter_lookup lookup, void *context,
                       uint64_t row);

#endif
