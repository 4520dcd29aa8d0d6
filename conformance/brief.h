/* SPDX-License-Identifier: Apache-2.0 */
/* Requests cut to what a person reads. */
#ifndef CONFORMANCE_BRIEF_H
#define CONFORMANCE_BRIEF_H

#include <jansson.h>

/* A copy in which long arrays and texts end with how much more there was. The caller's. */
json_t *brief_json(const json_t *value);

#endif
