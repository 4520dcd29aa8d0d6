/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of the library written as JSON, for checks that go through the core. */
#ifndef CONFORMANCE_CORE_H
#define CONFORMANCE_CORE_H

#include <jansson.h>

#include "simplugin.h"
#include "world.h"

/* What a call answered. */
typedef struct core_answer {
    int32_t code;
    json_t *reply;      /* columns as arrays; NULL where it failed */
    char message[512];  /* of the failure */
} core_answer;

/*
 * Makes a registered target known, and opens a session in which the backend is the default one, with
 * these parameters; its data are in directory. 0: failed, and answer says why.
 */
uint64_t core_session(const conf_world *world, const char *backend, const json_t *parameters,
                      const char *directory, core_answer *answer);
/* body (borrowed): in the notations of tests/corpus/README.md. as_columns: see body_encode. */
void core_call(uint64_t target, const char *method, const json_t *body, int as_columns,
               core_answer *answer);
void core_answer_clear(core_answer *answer);
/* Whether the array under key in a describe has the word. */
int core_lists(const json_t *describe, const char *key, const char *word);
/* Whether the target and flat both store fields of that type. */
int core_both_store(const conf_world *world, const char *type);

#endif
