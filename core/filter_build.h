/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building a filter: whoever makes one (the parser, the decoder, relax, simplify) adds
 * raw nodes in any shape, and finish turns them into the canonical tree. Failures stick.
 */
#ifndef SP_FILTER_BUILD_H
#define SP_FILTER_BUILD_H

#include "filter.h"

#define SP_RAW_NOT SP_FILTER_KINDS /* a kind that only raw nodes have: one child */

typedef struct sp_filter_raw {
    uint8_t kind;
    uint8_t negated;
    uint8_t truth;
    uint32_t field;
    uint32_t first_value;
    uint32_t value_count;
    uint32_t child; /* the first; 0: none, for node 0 is never used */
    uint32_t last;
    uint32_t next;
    size_t offset;
} sp_filter_raw;

typedef struct sp_filter_build {
    sp_filter_raw *nodes;
    uint32_t node_count;
    uint32_t node_capacity;
    sp_filter_value *values;
    uint32_t value_count;
    uint32_t value_capacity;
    uint32_t field_count;
    sp_text fields[SP_FILTER_MAX_FIELDS];
    const char *source; /* the text that is parsed, for positions; else NULL */
    size_t source_size;
    int32_t code;       /* of the first failure, or OK */
    sp_filter_error error;
} sp_filter_build;

/* source may be NULL. Names and texts that are added are borrowed until finish. */
void sp_filter_build_init(sp_filter_build *build, const char *source, size_t source_size);
void sp_filter_build_clear(sp_filter_build *build);

/* Keeps the first failure; says "filter: column 7: ..." where there is a source. */
void sp_filter_build_fail(sp_filter_build *build, size_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void sp_filter_build_no_memory(sp_filter_build *build);

/* A node without children and values; its index, or 0 after a failure. */
uint32_t sp_filter_build_node(sp_filter_build *build, uint32_t kind, size_t offset);
uint32_t sp_filter_build_leaf(sp_filter_build *build, uint32_t kind, int negated, sp_text field,
                              size_t offset);
uint32_t sp_filter_build_const(sp_filter_build *build, int truth, size_t offset);
/* Index 0 on either side is ignored. */
void sp_filter_build_child(sp_filter_build *build, uint32_t parent, uint32_t child);
/* To the leaf made last. offset is the value's, for errors. */
void sp_filter_build_value(sp_filter_build *build, uint32_t leaf, const sp_filter_value *value,
                           size_t offset);
/* After the last value: a test against an empty list becomes a constant. */
void sp_filter_build_leaf_done(sp_filter_build *build, uint32_t leaf);
/* A leaf as it stands in another filter. */
uint32_t sp_filter_build_copy(sp_filter_build *build, const sp_filter *filter,
                              const sp_filter_node *leaf);

/* The code of the first failure, or OK and *filter. error may be NULL. */
int32_t sp_filter_build_finish(sp_filter_build *build, uint32_t root, sp_filter **filter,
                               sp_filter_error *error);

#endif
