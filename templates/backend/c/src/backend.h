/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backend @NAME@: what its files share.
 *
 *   plugin.c       the entry, the table of four functions, and which method is served where
 *   describe.c     what the backend says of itself, and its parameters
 *   request.c      reading requests, failing, and when to stop
 *   reply.c        writing points into replies
 *   collections.c  health and collection.*
 *   points.c       points.*
 *   search.c       search
 *   store.[ch], collection.c
 *                  the points themselves, in memory: your database takes the place of these
 *
 * Nothing the host passes in is kept beyond a call, and all that goes out is in memory of the
 * reply (host->reply_alloc).
 */
#ifndef BACKEND_H
#define BACKEND_H

#include "store.h"

/* What the host offers; set once, by the entry. */
extern const simplugin_host *host;

/* One open connection. Here nothing but what was said when it was opened. */
struct simplugin_instance {
    pid_t owner;        /* the process that opened it */
    uint64_t max_points;
};

/* One call: what came in, and where the answer goes. */
struct call {
    const simplugin_instance *instance;
    const simplugin_call_info *info;
    const simplugin_request *request;
    simplugin_value body;
    struct collection *collection; /* of the methods that name one */
    simplugin_reply *reply;
    simplugin_writer out;   /* the body of the reply: a map of so many keys */
    uint64_t keys;
    simplugin_error **error;
};

/* ---- request.c ---- */

/* Each sets the error and returns its code. */
int32_t fail(struct call *call, int32_t code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int32_t fail_argument(struct call *call, const char *argument, const char *wrong);
int32_t fail_no_memory(struct call *call);
/* SIMPLUGIN_OK, CANCELLED or DEADLINE_EXCEEDED; to be asked between blocks of work. */
int32_t check_time(struct call *call);
/* Refuses any key that is not among the blank-separated known ones. */
int32_t check_keys(struct call *call, const char *known);
int32_t read_collection_name(struct call *call, const char **name, uint64_t *size);
int32_t read_ids(struct call *call, simplugin_column *ids);
/* Float32, and of the collection's dimension. */
int32_t read_vectors(struct call *call, const simplugin_tensor **vectors);
const float *vector_at(const simplugin_tensor *vectors, uint64_t row);
/* A number of at least 1, and a bool; *value keeps what it has where the key is absent. */
int32_t read_count(struct call *call, const char *key, uint64_t *value);
int32_t read_flag(struct call *call, const char *key, int *value);

/* ---- reply.c ---- */

/* The next key of the reply; its value is written to call->out then. */
simplugin_writer *reply_key(struct call *call, const char *key);
/* A column of numbers that are in memory of the reply. */
void reply_numbers(struct call *call, const char *key, uint32_t dtype, const void *data,
                   uint64_t count);
/* Ids, and the vectors and fields that the request asks for, of points. */
int32_t reply_points(struct call *call, const struct point *const *points, uint64_t count,
                     int with_vectors);

/* ---- what is served ---- */

int32_t describe(simplugin_reply *reply, simplugin_error **error);
/* The metric's number, -1 if it is none of ours; and its name. */
int32_t metric_number(const simplugin_value *name);
const char *metric_name(int32_t metric);
#define METRIC_COSINE 0
#define METRIC_DOTPRODUCT 1
#define METRIC_EUCLIDEAN 2

int32_t health(struct call *call);
int32_t collection_list(struct call *call);
int32_t collection_exists(struct call *call);
int32_t collection_create(struct call *call);
int32_t collection_describe(struct call *call);
int32_t collection_drop(struct call *call);
int32_t points_upsert(struct call *call);
int32_t points_delete(struct call *call);
int32_t points_get(struct call *call);
int32_t points_count(struct call *call);
int32_t points_scan(struct call *call);
int32_t search(struct call *call);

#endif
