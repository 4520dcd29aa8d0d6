/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of exit statuses: each code of the library has a status of its own. */
#ifndef CLI_EXIT_H
#define CLI_EXIT_H

#include <stdint.h>
#include <stdio.h>

#define CLI_EXIT_OK 0
#define CLI_EXIT_FAILURE 1       /* a code that this program does not know */
#define CLI_EXIT_USAGE 2         /* the command line makes no sense */
#define CLI_EXIT_INTERRUPTED 130 /* Ctrl-C, as shells count it: 128 + SIGINT */
#define CLI_EXIT_TERMINATED 143  /* SIGTERM */

int cli_exit_status(int32_t code);
/* The table as a section of the man page. */
void cli_exit_man(FILE *out);

#endif
