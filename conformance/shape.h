/* SPDX-License-Identifier: Apache-2.0 */
/* What the reply of each method holds, as the tables of docs/protocol.md say. */
#ifndef CONFORMANCE_SHAPE_H
#define CONFORMANCE_SHAPE_H

#include "rig.h"

/* Of what a reply has as many as. */
typedef struct conf_sizes {
    uint64_t queries; /* of searches; of search.neighbors the points */
    uint64_t dimension;
    unsigned int wants; /* CONF_WANTS_...: what the request asked for */
} conf_sizes;

#define CONF_WANTS_VECTORS 1u
#define CONF_WANTS_FIELDS 2u

/* Fails the check where a key is missing or unknown, or of another type or shape. */
void conf_shape_check(conf_rig *rig, const char *method, const conf_sizes *sizes,
                      const conf_answer *answer);

#endif
