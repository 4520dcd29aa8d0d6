/* SPDX-License-Identifier: Apache-2.0 */
/* The whole program. A build with backends linked in calls it with a table of them. */
#ifndef CONFORMANCE_PROGRAM_H
#define CONFORMANCE_PROGRAM_H

#include "world.h"

/* statics: ended by one without a name; or NULL. The exit status. */
int conf_program(int argc, char **argv, const conf_static *statics);

#endif
