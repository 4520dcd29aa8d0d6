/* SPDX-License-Identifier: Apache-2.0 */
/* A line on stderr that tells how far long work is, where stderr is a terminal. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdint.h>
#include <stdio.h>

typedef struct cli_progress {
    FILE *out;          /* NULL: nothing is shown */
    const char *action; /* "adding" */
    const char *unit;   /* "rows"; "bytes" are shown as MB */
    int64_t (*now)(void); /* nanoseconds */
    int64_t start;
    int64_t shown;      /* when the line was last written */
    int is_shown;       /* a line is there, to be erased */
    uint64_t base;      /* what was done before the start, and says nothing of the rate */
} cli_progress;

/* is_wanted: 0 shows nothing; a terminal on stderr is asked for besides. */
void cli_progress_start(cli_progress *progress, const char *action, const char *unit,
                        int is_wanted);
/* At most ten times a second it is shown; total 0: unknown. */
void cli_progress_show(cli_progress *progress, uint64_t done, uint64_t total);
/* Erases the line, before anything else is written and at the end. */
void cli_progress_clear(cli_progress *progress);

/* What is shown, without the beginning of the line: at most capacity - 1 bytes. */
void cli_progress_text(const cli_progress *progress, uint64_t done, uint64_t total,
                       int64_t elapsed, char *text, size_t capacity);

#endif
