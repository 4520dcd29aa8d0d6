/* SPDX-License-Identifier: Apache-2.0 */
/* Names of collections, as Qdrant takes them. */
#ifndef QDRANT_NAME_H
#define QDRANT_NAME_H

#include "call.h"

/* "collection" of the request, into call->collection. INVALID_ARGUMENT. */
int32_t qdrant_name_read(qdrant_call *call);

#endif
