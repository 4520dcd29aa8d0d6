/* SPDX-License-Identifier: Apache-2.0 */
/* A valid request for every method that works on a collection, one step after the other. */
#ifndef CONFORMANCE_TOUR_H
#define CONFORMANCE_TOUR_H

#include "rig.h"

#define CONF_TOUR_DIMENSION 6

extern const size_t conf_tour_steps;

/* A collection for it, with fields of all the types that the backend stores; fails the check. */
char *conf_tour_create(conf_rig *rig);
/* The request of that step; NULL where the backend does not serve the method. The caller's. */
json_t *conf_tour_body(const conf_rig *rig, const char *collection, size_t step,
                       const char **method);
/* Takes all steps, each of which has to succeed; each may look at the answer first. */
void conf_tour(conf_rig *rig, const char *collection,
               void (*look)(conf_rig *rig, const char *method, conf_answer *answer));
/* Makes a collection, takes the tour twice and drops it. */
void conf_tour_whole(conf_rig *rig,
                     void (*look)(conf_rig *rig, const char *method, conf_answer *answer));

#endif
