/* SPDX-License-Identifier: Apache-2.0 */
/* The types of fields that no schema names (plug_known.h), of the call's collection. */
#ifndef MILVUS_KNOWN_H
#define MILVUS_KNOWN_H

#include "fields.h"
#include "instance.h"
#include "rows.h"

/* Looks at some rows of the call's collection, once. */
int32_t milvus_known_learn(milvus_call *call);
/* Whether the fields have the types that are known; INVALID_ARGUMENT names one that has not. */
int32_t milvus_known_check(milvus_call *call, const plug_columns *fields, const int64_t *select,
                           uint64_t count);
/* They were written: their types are known from now on. */
void milvus_known_add(milvus_call *call, const plug_columns *fields, const int64_t *select,
                      uint64_t count);
/* All that are known, in memory of the call. */
int32_t milvus_known_list(milvus_call *call, plug_seen *seen);
/* The collection (NULL: every one) is gone. */
void milvus_known_forget(simplugin_instance *instance, const char *collection);

#endif
