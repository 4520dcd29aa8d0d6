/* SPDX-License-Identifier: Apache-2.0 */
/* Whether something that is done again and again leaves memory or descriptors behind. */
#ifndef CONFORMANCE_FLAT_H
#define CONFORMANCE_FLAT_H

#include "rig.h"

/*
 * Does it so many times, or as often as goes within the seconds, and fails the check where memory
 * has grown in each part of that. what: "a call that fails".
 */
void conf_flat_memory(conf_rig *rig, size_t times, double seconds, const char *what,
                      int (*once)(conf_rig *rig, void *context), void *context);
/* How many descriptors are open. */
size_t conf_descriptors(void);

#endif
