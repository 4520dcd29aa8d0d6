/* SPDX-License-Identifier: Apache-2.0 */
/* Filters as SQL, each node exactly as docs/filters.md says. */
#ifndef PGV_FILTER_H
#define PGV_FILTER_H

#include "collection.h"

/* Appends a condition on p for the tree: true or null or false, of which WHERE takes true. */
int32_t pgv_filter(pgv_call *call, const pgv_collection *collection, const simplugin_value *tree,
                   pgv_sql *sql);
/* Appends " WHERE ..." or " AND ..." for the keys filter and view of the request, if there are any.
 */
int32_t pgv_where(pgv_call *call, const pgv_collection *collection, int is_first, pgv_sql *sql);

#endif
