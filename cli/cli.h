/* SPDX-License-Identifier: Apache-2.0 */
/* What every command of the program uses. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <jansson.h>

#include "commands.h"
#include "input.h"
#include "interrupt.h"
#include "output.h"
#include "progress.h"

struct cli {
    const cli_table *table;
    cli_parsed parsed;
    FILE *out;
    uint64_t session;        /* 0: the default one, or not opened yet */
    int is_session_open;
    uint64_t cancel;
    int64_t default_timeout; /* milliseconds, of calls without --timeout */
    size_t next_argument;    /* the first that nobody has taken */
    int has_failed;          /* the error was told */
    cli_progress progress;
};

/* ---- the command line ---- */

int cli_has(const cli *program, int option);
/* NULL if it was not given. */
const char *cli_text(const cli *program, int option);
/* The next argument, or NULL. */
const char *cli_take_argument(cli *program);
/* Fails if one is left. */
int32_t cli_end_arguments(cli *program);

/* ---- failing ---- */

/* Tells why, once, on stderr; returns code. */
int32_t cli_fail(cli *program, int32_t code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Tells of an error of the library's, frees it, and returns code. */
int32_t cli_fail_error(cli *program, int32_t code, simplugin_error **error);
int32_t cli_no_memory(cli *program);
/* Tells of a mistake in the command line: status 2. */
int32_t cli_fail_usage(cli *program, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Not a code of the library's: cli_fail_usage returns it. */
#define CLI_USAGE INT32_C(-2)

/* ---- requests ---- */

/* A request in the making: a map whose keys are counted. */
typedef struct cli_body {
    simplugin_writer writer;
    uint64_t position;
    uint64_t count;
} cli_body;

void cli_body_init(cli_body *body);
void cli_body_clear(cli_body *body);
/* The next key; its value is to be written to body->writer. */
simplugin_writer *cli_body_key(cli_body *body, const char *key);
/* Nothing is written for NULL. */
void cli_body_text(cli_body *body, const char *key, const char *text);
void cli_body_bool(cli_body *body, const char *key, int value);
void cli_body_int(cli_body *body, const char *key, uint64_t value);
void cli_body_real(cli_body *body, const char *key, double value);
/* The same, of an option, if it was given. */
void cli_body_text_option(cli *program, cli_body *body, const char *key, int option);
void cli_body_flag_option(cli *program, cli_body *body, const char *key, int option);
void cli_body_int_option(cli *program, cli_body *body, const char *key, int option);
void cli_body_real_option(cli *program, cli_body *body, const char *key, int option);
/*
 * A map of the NAME=VALUE of an option, if it was given; values as JSON or text. declared:
 * what a backend declares as parameters, of which those of text are text always; or NULL.
 */
int32_t cli_body_pairs_option(cli *program, cli_body *body, const char *key, int option,
                              const simplugin_value *declared);
/*
 * "parameters", from an option like --param, for the backend of a run in --dataset, or of that
 * name (NULL: the default one). The session is open.
 */
int32_t cli_body_parameters(cli *program, cli_body *body, int option, const char *backend,
                            const char *brain_key);
/* A map in the map: what is written until its end goes into it. */
typedef struct cli_body_outer {
    uint64_t position;
    uint64_t count;
} cli_body_outer;

cli_body_outer cli_body_begin(cli_body *body, const char *key);
void cli_body_end(cli_body *body, cli_body_outer outer);
/* Whether the parameter of that name, or that alias, takes text. declared may be of type 0. */
int cli_is_text_parameter(const simplugin_value *declared, const char *name, uint64_t size);
/* true for "*", else the array of names between commas. */
void cli_body_names_option(cli *program, cli_body *body, const char *key, int option);
void cli_write_json(simplugin_writer *writer, const json_t *json);

/* ---- calls ---- */

typedef struct cli_reply {
    simplugin_reply raw;
    simplugin_value body;
} cli_reply;

void cli_reply_clear(cli_reply *reply);
/* Calls a method; body may be NULL and is cleared in any case. Tells what goes wrong. */
int32_t cli_call(cli *program, uint64_t target, const char *method, cli_body *body,
                 cli_reply *reply);
/* The session that the options ask for. */
int32_t cli_open_session(cli *program);
/* The index of the next argument, or of --collection. */
int32_t cli_open_index(cli *program, uint64_t *index);
/* A connection to --backend, without an index. */
int32_t cli_open_connection(cli *program, uint64_t *connection);
/* An integer of a reply; 0 if it is absent. */
uint64_t cli_reply_int(const cli_reply *reply, const char *key);
/* A column of a reply; 0 if it is absent or none. */
int cli_reply_column(const cli_reply *reply, const char *key, simplugin_column *column);
const simplugin_tensor *cli_reply_tensor(const cli_reply *reply, const char *key);
/* Whether the program is to print JSON. */
int cli_is_json(const cli *program);
/* Prints the reply as JSON, or its keys and values for people; skip, a key, is left out. */
void cli_print_reply(cli *program, const cli_reply *reply, const char *skip);

/* Ids from arguments and an option's FILE; fails without any if is_needed. */
int32_t cli_read_ids(cli *program, int option, int takes_arguments, cli_texts *ids);

#endif
