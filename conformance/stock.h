/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small collection of which everything is known, to ask optional methods about; and a look at
 * it, so that what a method has done to it, or has not, can be told.
 */
#ifndef CONFORMANCE_STOCK_H
#define CONFORMANCE_STOCK_H

#include "measure.h"
#include "shape.h"

#define CONF_STOCK_POINTS 24
#define CONF_STOCK_DIMENSION 6

typedef struct conf_stock {
    conf_rig rig;
    char *name;
    json_t *ids, *vectors; /* "stock000" ..., and the rows of a matrix */
    int has_numbers;       /* point i has i in the int64 field "number", and none in "other" */
    conf_truth truth;      /* all of it */
} conf_stock;

/*
 * Opens the backend and makes the collection. The list of methods ends with NULL: where the backend
 * does not serve one of them the check is skipped. 0 then, and after failing; conf_stock_end in any
 * case.
 */
int conf_stock_begin(conf_stock *stock, conf_run *run, const char *method, ...)
    __attribute__((sentinel));
void conf_stock_end(conf_stock *stock);

/* {"collection": its name} and whatever else the format of json_pack says. The caller's. */
json_t *conf_stock_body(const conf_stock *stock);
/* Asks with that body (taken), and looks at the shape of the answer; 0 after failing. */
int conf_stock_ask(conf_stock *stock, const char *method, json_t *body, uint64_t queries,
                   unsigned int wants, conf_answer *answer);
/* The same with nothing of the answer kept. */
int conf_stock_do(conf_stock *stock, const char *method, json_t *body);

/* How many points there are; NULL after failing. The caller's. */
json_t *conf_stock_count(conf_stock *stock);
/* Count, points and hits of a search; NULL after failing. The caller's. */
json_t *conf_stock_look(conf_stock *stock);
/* Fails the check where another look is not as the one before (borrowed). */
void conf_stock_same(conf_stock *stock, const json_t *before, const char *after);

/* Of the stock those rows that are chosen; ids and vectors are the caller's, to be cleared. */
conf_truth conf_stock_part(const conf_stock *stock, int (*is_chosen)(size_t row));
void conf_stock_part_clear(conf_truth *part);

#endif
