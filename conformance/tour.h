/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A valid request for every method that the backend serves, one step after the other. What is
 * asked later is about what was answered before - a cursor, a view, a second collection - so a
 * tour is told of the answers.
 */
#ifndef CONFORMANCE_TOUR_H
#define CONFORMANCE_TOUR_H

#include "rig.h"

#define CONF_TOUR_DIMENSION 6

extern const size_t conf_tour_steps;

typedef struct conf_tour {
    conf_rig *rig;
    char *name;         /* the collection, with fields of all the types that the backend stores */
    json_t *filter;     /* NULL: the backend evaluates none of ours */
    char *second;       /* a collection that was made on the way; NULL: there is none */
    char *cursor;       /* of the last scan; NULL: none */
    int64_t view;       /* one that is there; 0: none */
    json_t *index;      /* parameters of the index, as far as they are known */
    char *backup;       /* path of the last */
    unsigned int backups, partitions; /* how many there were */
    int is_brief;       /* nothing is loaded or indexed anew, which servers take seconds for */
} conf_tour;

/* Makes the collection; 0 after failing. conf_tour_end in any case; the rig drops what was made. */
int conf_tour_begin(conf_tour *tour, conf_rig *rig);
void conf_tour_end(conf_tour *tour);

/*
 * The request of that step; NULL where the backend does not serve the method, or what it is about
 * is not there. The caller's.
 */
json_t *conf_tour_body(conf_tour *tour, size_t step, const char **method);
const char *conf_tour_method(size_t step);
/* What that step was answered with. */
void conf_tour_note(conf_tour *tour, size_t step, const conf_answer *answer);

/* Takes all steps, each of which has to succeed; each may look at the answer first. */
void conf_tour_take(conf_tour *tour,
                    void (*look)(conf_rig *rig, const char *method, conf_answer *answer));
/* Makes a collection and takes the tour twice. */
void conf_tour_whole(conf_rig *rig,
                     void (*look)(conf_rig *rig, const char *method, conf_answer *answer));

#endif
