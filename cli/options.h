/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands and options as data. Parsing, --help, shell completion and the man page all
 * come from the same two tables in commands.c, so none of them can be out of date.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What an option takes. */
#define CLI_FLAG 0      /* nothing */
#define CLI_TEXT 1      /* a text; the last one counts */
#define CLI_LIST 2      /* a text, any number of times */
#define CLI_NUMBER 3    /* a whole number from 0 */
#define CLI_REAL 4      /* a finite number */
#define CLI_CHOICE 5    /* one of choices */
#define CLI_FILE 6      /* a path */
#define CLI_FILES 7     /* a path, any number of times */
#define CLI_DIRECTORY 8 /* a path of a directory */
#define CLI_DIRECTORIES 9

typedef struct cli_option {
    const char *name; /* without the dashes */
    char letter;      /* 0: has none */
    int kind;
    const char *value;   /* how help calls the value: "FILE"; NULL for a flag */
    const char *choices; /* CLI_CHOICE: separated by blanks */
    const char *help;    /* one sentence, without a full stop */
} cli_option;

typedef struct cli cli;

typedef struct cli_command {
    const char *group;      /* "index" of "index add"; NULL: a command of its own */
    const char *name;
    const char *arguments;  /* as usage shows them: "KEY [ID...]" */
    size_t min_arguments;
    size_t max_arguments;   /* SIZE_MAX: any number */
    const char *choices;    /* of the first argument, separated by blanks; NULL: free */
    const char *summary;    /* one line */
    const char *details;    /* paragraphs parted by an empty line; or NULL */
    const uint8_t *options; /* indexes into the table of options, ended by CLI_END */
    int32_t (*run)(cli *program);
} cli_command;

#define CLI_END 255

/* Everything there is; the two tables in commands.c, and their like in tests. */
typedef struct cli_table {
    const char *program;
    const char *version;
    const char *summary;
    const cli_option *options;
    size_t option_count;
    const cli_command *commands;
    size_t command_count;
    const uint8_t *common; /* options that every command takes, ended by CLI_END */
} cli_table;

typedef struct cli_value {
    uint8_t is_set;
    const char *text; /* CLI_TEXT, CLI_CHOICE, paths: into argv */
    const char **list;
    size_t count;
    uint64_t number;
    double real;
} cli_value;

/* A command line, taken apart. */
typedef struct cli_parsed {
    const cli_command *command; /* NULL: none was given */
    cli_value *values;          /* one for each option of the table */
    size_t value_count;
    const char **arguments;
    size_t argument_count;
    int wants_help;    /* --help: of the command, or of the group, or of all */
    int wants_version;
    const char *group; /* the group whose help is asked for; NULL: not one */
    char problem[512]; /* why it could not be parsed: one line */
} cli_parsed;

/* 0, or -1 with a problem. Texts point into argv. Cleared in any case by cli_parsed_clear. */
int cli_parse(const cli_table *table, int argc, char **argv, cli_parsed *parsed);
void cli_parsed_clear(cli_parsed *parsed);

/* What --help prints for what was parsed. */
void cli_help(const cli_table *table, const cli_parsed *parsed, FILE *out);
/* "usage: ..." of a command in one line. */
void cli_usage(const cli_table *table, const cli_command *command, FILE *out);

/* A script for "bash", "zsh" or "fish"; -1 for another shell. */
int cli_completion(const cli_table *table, const char *shell, FILE *out);
/* The man page in roff; extra, sections of roff, is put before its end. */
void cli_man(const cli_table *table, const char *extra, FILE *out);

/* Copies the next of the blank-separated words to word; 0 after the last. */
int cli_next_word(const char **words, char *word, size_t capacity);

#endif
