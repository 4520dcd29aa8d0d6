/* SPDX-License-Identifier: Apache-2.0 */
/* Ctrl-C: the first one ends the work in hand through a cancel token, the second the process. */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

#include <stdint.h>

/* Catches SIGINT and SIGTERM and makes the token; once per process. */
int32_t cli_interrupt_start(uint64_t *cancel);
/* The signal that came, 0 if none has. */
int cli_interrupt_signal(void);
/* Becomes and stays readable when a signal came: for poll; -1 before the start. */
int cli_interrupt_fd(void);
/* In a child: signals end it as if it were any program. */
void cli_interrupt_forget(void);

#endif
