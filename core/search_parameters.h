/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of a search, against what the backend declares. */
#ifndef SP_SEARCH_PARAMETERS_H
#define SP_SEARCH_PARAMETERS_H

#include "index.h"

/*
 * The map under "parameters" as a JSON object; absent: NULL. UNKNOWN_PARAMETER with the
 * known ones and the nearest, INVALID_ARGUMENT for a value of another type.
 */
int32_t sp_arg_search_parameters(const sp_args *args, const sp_index *index, json_t **parameters,
                                 simplugin_error **error);

#endif
