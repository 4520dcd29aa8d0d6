/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that have to be answered with an error. */
#ifndef CONFORMANCE_EXPECT_H
#define CONFORMANCE_EXPECT_H

#include "rig.h"

/* That very code. body is taken; when: "for a collection that is not there". */
void conf_expect(conf_rig *rig, const char *method, json_t *body, int32_t code, const char *when);
/* Any code that tells of a wrong request. body is taken; how: "is missing", said of the key. */
void conf_refused(conf_rig *rig, const char *method, json_t *body, const char *key,
                  const char *how);

#endif
