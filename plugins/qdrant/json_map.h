/* SPDX-License-Identifier: Apache-2.0 */
/* Values of a body as JSON and back, where speed does not matter. */
#ifndef QDRANT_JSON_MAP_H
#define QDRANT_JSON_MAP_H

#include <jansson.h>

#include "plug_call.h"

/*
 * A new reference; NULL, with *wrong a static text, or NULL for lack of memory: bytes,
 * tensors, NaN and the like have no form in JSON.
 */
json_t *qdrant_json_of(const simplugin_value *value, const char **wrong);
/* NULL, or what is wrong with the JSON: it is deeper than a reply may be. */
const char *qdrant_json_write(simplugin_writer *out, const json_t *json);

#endif
