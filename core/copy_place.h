/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the source and the target of a copy may be one collection: what is known of that. */
#ifndef SP_COPY_PLACE_H
#define SP_COPY_PLACE_H

#include "index.h"

#define SP_PLACE_OTHER 0   /* they are two */
#define SP_PLACE_UNKNOWN 1 /* they may be one, by another name or another address */
#define SP_PLACE_SAME 2

/* One side: its index, and what collection.describe says of it (NULL: it has none yet). */
typedef struct sp_copy_place {
    const sp_index *index;
    const json_t *facts;
} sp_copy_place;

int sp_copy_places_compare(const sp_copy_place *a, const sp_copy_place *b);
/* Whether the index was opened by a name that stands for its collection: an alias. */
int sp_copy_place_is_alias(const sp_copy_place *place);

#endif
