/* SPDX-License-Identifier: Apache-2.0 */
/* Names that Milvus takes: letters, digits and underscores. */
#ifndef MILVUS_NAME_H
#define MILVUS_NAME_H

#include "call.h"

/*
 * "collection" of the request into the call: hyphens become underscores, always the same
 * way; any other character that Milvus refuses is an error naming it.
 */
int32_t milvus_name_read(milvus_call *call);
/* The same for any name under a key; what: "a collection", "an alias". */
int32_t milvus_name_check(plug_call *call, const char *key, const char *given, const char *what,
                          const char **name);

#endif
