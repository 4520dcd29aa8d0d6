/* SPDX-License-Identifier: Apache-2.0 */
/* The command line. */
#ifndef CONFORMANCE_OPTIONS_H
#define CONFORMANCE_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#define CONF_FORM_PLAIN 1u
#define CONF_FORM_COLUMNS 2u

typedef struct conf_options {
    const char *program;     /* as one calls it again */
    const char *plugin;      /* as it was given */
    const char *config;      /* a file; or NULL */
    const char *corpus;      /* a directory; NULL: the installed one */
    const char *junit;       /* a file to be written; or NULL */
    const char *replies;     /* the same */
    const char *const *only; /* texts, only_count */
    size_t only_count;
    const char *const *except;
    size_t except_count;
    uint64_t seed;
    size_t part, parts;      /* every parts-th from the part-th (from 0) on */
    unsigned int jobs;
    unsigned int seconds;    /* of every check; 0: its own */
    unsigned int forms;      /* CONF_FORM_... */
    int json, list, verbose;
    int wants_help, wants_version;
} conf_options;

/* 1; 0 with one line in problem, which says what is wrong. Arguments are kept. */
int conf_options_read(conf_options *options, int argc, char **argv, char *problem, size_t size);
void conf_options_clear(conf_options *options);
extern const char conf_usage[];

#endif
