/* SPDX-License-Identifier: Apache-2.0 */
/* How a check ended. */
#ifndef CONFORMANCE_OUTCOME_H
#define CONFORMANCE_OUTCOME_H

#include <stddef.h>

typedef enum conf_state { CONF_WAITING, CONF_PASSED, CONF_FAILED, CONF_SKIPPED } conf_state;

typedef struct conf_outcome {
    conf_state state;
    char *reason;   /* of a failure or a skip; else NULL */
    char *request;  /* the last one asked, as JSON; or NULL */
    char *output;   /* the end of what was written to stdout and stderr, printable; or NULL */
    double seconds;
} conf_outcome;

void conf_outcome_clear(conf_outcome *outcome);

#endif
