/* SPDX-License-Identifier: Apache-2.0 */
/* One call of a method: what it was given, what it answers, and memory that ends with it. */
#ifndef PGV_CALL_H
#define PGV_CALL_H

#include <simplugin/envelope.h>

#include "connection.h"

#define PGV_VERSION "0.1.0"
/* What pgvector stores in one vector. */
#define PGV_DIMENSION_MAX 16000
/* What is asked to come in one points.upsert. */
#define PGV_BATCH_BYTES (16 << 20)

/* What the host offers; set by the entry. */
extern const simplugin_host *pgv_host;

typedef struct pgv_call {
    simplugin_instance *instance;
    const simplugin_call_info *info;
    const simplugin_request *request;
    simplugin_reply *reply;
    simplugin_error **error;
    simplugin_value body;
    simplugin_writer out;
    const char *collection;     /* the name, where the method is about one; in scratch */
    pgv_connection *connection; /* lent by the pool */
    struct pgv_block *scratch;
} pgv_call;

/* Each of these sets the error and returns the code. */
int32_t pgv_fail(pgv_call *call, int32_t code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int32_t pgv_fail_argument(pgv_call *call, const char *argument, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int32_t pgv_no_memory(pgv_call *call);

int64_t pgv_now(void);
/* CANCELLED or DEADLINE_EXCEEDED if the call has to end, else SIMPLUGIN_OK. */
int32_t pgv_check(pgv_call *call);

/* Zeroed memory until the call ends; NULL: none. */
void *pgv_take(pgv_call *call, uint64_t count, uint64_t size);
/* A copy with a zero at its end. */
char *pgv_take_text(pgv_call *call, const void *data, uint64_t size);
void pgv_scratch_free(pgv_call *call);

/* Memory of the reply. */
void *pgv_reply_memory(pgv_call *call, uint64_t count, uint64_t size);
/* A key and an int64 or float32 column of values in memory of the reply. */
void pgv_write_numbers(pgv_call *call, const char *key, uint32_t dtype, const void *data,
                       uint64_t count);
void pgv_write_count(pgv_call *call, const char *key, uint64_t count);

#endif
