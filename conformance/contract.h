/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cases of tests/corpus on any plugin. tests/corpus/README.md describes the format; these are
 * the parts that read, send, compare and compute.
 */
#ifndef CONFORMANCE_CONTRACT_H
#define CONFORMANCE_CONTRACT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "simplugin.h"
#include "simplugin/envelope.h"

/* One line that says what went wrong, the innermost reason first to be written and kept. */
typedef struct contract_why {
    char text[1024];
} contract_why;

/* Writes the line unless one is there already; returns 0, so that checks can `return why_set()`. */
int why_set(contract_why *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- expand.c: notations that stand for plain values ------------------------------------- */

/* What the notations of a case refer to. */
typedef struct contract_scope {
    json_t *variables;          /* name -> value */
    const char *directory;      /* the case's own, absolute */
    const json_t *plugin_path;  /* array of text */
    const char *backend;        /* name of the plugin that runs */
    const char *unique;         /* what $unique appends */
} contract_scope;

/*
 * A copy of value with $var, $ids, $repeat, $join, $path, $unique, $backend and $plugin_path replaced;
 * with lists != 0 also $random and $tensor, by arrays of arrays. NULL with a reason.
 */
json_t *scope_expand(const contract_scope *scope, const json_t *value, int lists,
                     contract_why *why);
/* The only key of an object that begins with "$", and its value; NULL if value is no notation. */
const char *notation(const json_t *value, json_t **argument);
/* Element i of the $random sequence with that seed: a multiple of 2^-23 in [-1, 1). */
double contract_random(uint64_t seed, uint64_t i);

/* ---- encode.c: expanded values to a body -------------------------------------------------- */

typedef struct contract_body {
    simplugin_writer writer;
    void **owned; /* the tensors' memory */
    size_t owned_count;
} contract_body;

/* as_columns: arrays under ids, sample_ids, vectors and fields go as tensors and columns. */
int body_encode(contract_body *body, const json_t *value, int as_columns, contract_why *why);
void body_clear(contract_body *body);

/* ---- decode.c ------------------------------------------------------------------------------ */

/* A reply as plain JSON: columns and one-column tensors are arrays, matrices arrays of arrays. */
json_t *reply_decode(const simplugin_reply *reply, contract_why *why);

/* ---- match.c ------------------------------------------------------------------------------- */

#define CONTRACT_TOLERANCE 1e-4

/* 1 if actual (NULL: absent) is as expected; path is where we are, for the reason. */
int value_matches(const json_t *expected, const json_t *actual, const char *path,
                  contract_why *why);
double number_of(const json_t *value);

/* ---- oracle.c ------------------------------------------------------------------------------ */

/* What the cases have put into each index so far, and the answers that follow from it. */
typedef struct contract_oracle contract_oracle;

contract_oracle *oracle_new(int approximate, double recall);
void oracle_free(contract_oracle *oracle);
/* Learns from a call that succeeded. body is expanded with lists. */
void oracle_observe(contract_oracle *oracle, uint64_t target, const char *method,
                    const json_t *body, const json_t *reply, const json_t *step);
/* Compares a reply with what a brute force in double says. */
int oracle_check(const contract_oracle *oracle, uint64_t target, const char *method,
                 const json_t *body, const json_t *reply, const json_t *options,
                 contract_why *why);
/* Compares the hits of a reply with lists of [id, distance], or of ids, one for each query. */
int hits_match(const json_t *expected, const json_t *reply, contract_why *why);
/* Whether two replies hold the same hits, up to ties. */
int hits_agree(const json_t *a, const json_t *b, contract_why *why);

/* ---- doc_table.c --------------------------------------------------------------------------- */

/* The rows of the table of docs/protocol.md marked <!-- table: name -->, each an array of text. */
json_t *doc_table_load(const char *path, const char *name);

/* ---- filter_cases.c ----------------------------------------------------------------------- */

/* A truth table of tests/cases/filter as a corpus file with one case. The caller's. */
json_t *filter_cases_convert(const json_t *table, const char *file);

/* ---- case.c -------------------------------------------------------------------------------- */

typedef struct contract_config {
    const char *backend;        /* the plugin's name */
    json_t *plugin_path;        /* array of text */
    json_t *parameters;         /* object: the backend's configured parameters */
    int approximate;            /* its searches need not be exact */
    double recall;              /* then the least share of true neighbors */
    int flat;                   /* compare replies with those of sklearn_flat too */
    int verbose;
    int as_columns;
    FILE *replies;              /* where to write every reply as a line of JSON; or NULL */
    json_t *describe;           /* what the plugin says of itself */
    json_t *flat_describe;      /* what sklearn_flat says, with flat */
    json_t *methods;            /* the application table: method -> [request keys, reply keys] */
    /* is told of every call on the plugin itself before it is made; or NULL */
    void (*asks)(void *context, const char *method, const json_t *body);
    void *asks_context;
} contract_config;

/* NULL if the case applies to this backend, else what it lacks. */
const char *case_lacks(const contract_config *config, const json_t *one);
/* Runs one case; 1 if all steps passed. */
int case_run(const contract_config *config, const json_t *one, contract_why *why);

#endif
