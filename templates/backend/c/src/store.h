/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store: collections of points, in memory, as long as the process lives. Every instance of
 * the process sees the same ones, as all connections to a server do.
 *
 * This is what your database takes the place of. What the other files ask of it is what they
 * will ask of that: find a collection, add it, remove it; put, find, take out and list points.
 * With a server there is no lock here; it has its own.
 */
#ifndef STORE_H
#define STORE_H

#include <sys/types.h>

#include "simplugin/envelope.h"

/* One value of a field; of a list all its items. */
struct value {
    uint64_t items; /* 1, unless the field's type is a list */
    uint64_t bytes;
    uint8_t *data;
    int64_t ends[]; /* text: where in data each item ends */
};

struct point {
    uint64_t number; /* in the order of coming; stays when the point is replaced */
    uint64_t id_size;
    char *id;
    struct value **values;  /* by the number of the field; NULL: there is none */
    uint64_t value_count;
    int is_out;      /* taken out, and not yet gone */
    float vector[];
};

struct field {
    char *name; /* not zero-terminated */
    uint64_t size;
    uint32_t type; /* SIMPLUGIN_COLUMN_TEXT ... */
};

struct collection {
    char *name; /* zero-terminated */
    uint64_t dimension;
    int32_t metric;
    struct field *fields;
    uint64_t field_count;
    struct point **points; /* by number, ascending */
    uint64_t point_count;
    uint64_t point_capacity;
    void *by_id; /* the same as a tree of tsearch */
    uint64_t next_number;
};

/* ---- the lock, and the collections under it ---- */

/* Before the first lock. 0: no memory. */
int store_prepare(void);
/* Waits for 10 ms at most, so that who waits can look at its time and ask again. */
int store_try_lock(int is_writer);
void store_unlock(void);

uint64_t store_count(void);
const struct collection *store_at(uint64_t i);
/* NULL: there is none. */
struct collection *store_find(const char *name, uint64_t size);
/* 0: no memory, and the collection is still the caller's. */
int store_add(struct collection *collection);
/* Ends it as well. */
void store_remove(struct collection *collection);

/* ---- a collection ---- */

#define NO_FIELD UINT64_MAX

/* NULL: no memory. */
struct collection *collection_new(const char *name, uint64_t size, uint64_t dimension,
                                  int32_t metric);
void collection_free(struct collection *collection);
/* A field's number; NO_FIELD: there is none of that name. */
uint64_t collection_find_field(const struct collection *collection, const char *name,
                               uint64_t size);
/* The same, and makes it if need be; NO_FIELD: no memory. */
uint64_t collection_field(struct collection *collection, const char *name, uint64_t size,
                          uint32_t type);

/* ---- points ---- */

/* NULL: no memory. */
struct point *point_new(const char *id, uint64_t size, const float *vector, uint64_t dimension);
void point_free(struct point *point);
/* Sets a field from a row of a column. 0: no memory. */
int point_set(struct point *point, uint64_t field, const simplugin_column *column, uint64_t row);
/* NULL: it has none. */
const struct value *point_value(const struct point *point, uint64_t field);
/* Bytes of one item, 0 for text. */
uint64_t item_size(uint32_t type);

/* Room for so many more points. 0: no memory. */
int collection_reserve(struct collection *collection, uint64_t count);
/* Takes the point, in the place of one of the same id. 0: no memory, it is still the caller's. */
int collection_put(struct collection *collection, struct point *point, int *is_new);
struct point *collection_find(const struct collection *collection, const char *id,
                                    uint64_t size);
/* Takes a point out, if it is there; collection_close_gaps ends what was taken out. */
void collection_take_out(struct collection *collection, const char *id, uint64_t size);
void collection_close_gaps(struct collection *collection);
void collection_empty(struct collection *collection);
/* Where the first point is whose number is not below this one. */
uint64_t collection_position(const struct collection *collection, uint64_t number);
/* How many of these points fit into a reply: one at least, unless there is none. */
uint64_t points_fit(const struct point *const *points, uint64_t count, uint64_t dimension,
                    uint64_t max_points, uint64_t max_bytes);

#endif
