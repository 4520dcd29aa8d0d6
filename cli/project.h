/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory made out of templates: all of it is there in the end, or nothing.
 *
 * Files are written into a directory beside the one that is to be made, which takes its name
 * when everything is in it. In a template @WORD@ stands for a value, if there is one of that
 * word; its line with the licence of the template itself is left out.
 */
#ifndef CLI_PROJECT_H
#define CLI_PROJECT_H

#include "cli.h"

typedef struct cli_word {
    const char *word; /* without the signs around it; NULL: the end of the words */
    const char *value;
} cli_word;

typedef struct cli_project {
    const char *target;
    const cli_word *words;
    char *directory; /* where the files are until the end */
    json_t *files;   /* their paths below the target */
} cli_project;

/* target, which must not exist, and words live longer than the project. */
int32_t cli_project_begin(cli *program, cli_project *project, const char *target,
                          const cli_word *words);
/* Adds what is below a directory of templates. */
int32_t cli_project_add(cli *program, cli_project *project, const char *templates);
int32_t cli_project_finish(cli *program, cli_project *project);
/* Removes what is not finished. */
void cli_project_clear(cli_project *project);

#endif
