/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of copies: beside the minimal backend of index_rig.h the flat one, as "disk",
 * with a look at each of its calls; rows of every type; and what an index holds as JSON.
 */
#ifndef SP_TESTS_COPY_RIG_H
#define SP_TESTS_COPY_RIG_H

#include "index_rig.h"

/* Called before and after each call of the backend "disk", unless NULL. */
extern void (*disk_before)(const char *method);
extern void (*disk_after)(const char *method);
/* rig_start, and the backend "disk" in the same session. */
void copy_start(void);
void copy_stop(void);

/* A new index of that backend, in a collection of that name, with more pairs of index.create. */
uint64_t index_new(const char *backend, const char *collection, const char *more);
/* Rows first to first + count - 1 of dimension 3, with fields of every type, some missing. */
void rows_add(uint64_t index, int first, int count);
/* All that is in it: {id: {"vector", "sample_id", fields that are not missing}}. */
json_t *index_dump(uint64_t index);
/* Whether two indexes hold the same. */
int indexes_same(uint64_t a, uint64_t b);

/* copy.open; target and more are pairs in braces' stead: "'a': 1, 'b': 2". The code. */
int32_t copy_open(uint64_t source, const char *target, const char *more);
extern uint64_t copy_handle, copy_index;
/* copy.next until it is done or fails: the code. */
int32_t copy_run(void);
void copy_close(void);
/* All three, which succeed. */
void copy_all(uint64_t source, const char *target, const char *more);

#endif
