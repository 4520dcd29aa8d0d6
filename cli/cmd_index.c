/* SPDX-License-Identifier: Apache-2.0 */
/* simplugin index: what acts on an index as a whole. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "cli.h"

int32_t cli_index_create(cli *program)
{
    const char *key = cli_take_argument(program);
    cli_reply reply;
    cli_body body;
    int32_t code;

    if (!key && !cli_has(program, OPT_COLLECTION))
        return cli_fail_usage(program,
                              "without a KEY the index needs --collection, or nobody finds it again");
    code = cli_open_session(program);
    if (code != SIMPLUGIN_OK)
        return code;
    cli_body_init(&body);
    cli_body_text(&body, "brain_key", key);
    cli_body_text_option(program, &body, "dataset", OPT_DATASET);
    cli_body_text_option(program, &body, "backend", OPT_BACKEND);
    cli_body_text_option(program, &body, "collection_name", OPT_COLLECTION);
    cli_body_int_option(program, &body, "dimension", OPT_DIMENSION);
    cli_body_text_option(program, &body, "metric", OPT_METRIC);
    cli_body_text_option(program, &body, "patches_field", OPT_PATCHES_FIELD);
    cli_body_text_option(program, &body, "model", OPT_MODEL);
    cli_body_flag_option(program, &body, "supports_prompts", OPT_SUPPORTS_PROMPTS);
    cli_body_flag_option(program, &body, "overwrite", OPT_OVERWRITE);
    code = cli_body_pairs_option(program, &body, "fields", OPT_FIELD, NULL);
    if (code == SIMPLUGIN_OK)
        code = cli_body_parameters(program, &body, OPT_PARAM, cli_text(program, OPT_BACKEND), NULL);
    if (code != SIMPLUGIN_OK) {
        cli_body_clear(&body);
        return code;
    }
    code = cli_call(program, program->session, "index.create", &body, &reply);
    if (code == SIMPLUGIN_OK)
        cli_print_reply(program, &reply, "index");
    cli_reply_clear(&reply);
    return code;
}

/* Opens the index, calls a method on it, and prints what it answers. */
static int32_t call_and_print(cli *program, const char *method, cli_body *body)
{
    uint64_t index = 0;
    cli_reply reply;
    int32_t code = cli_open_index(program, &index);

    if (code == SIMPLUGIN_OK)
        code = cli_end_arguments(program);
    if (code != SIMPLUGIN_OK) {
        if (body)
            cli_body_clear(body);
        return code;
    }
    code = cli_call(program, index, method, body, &reply);
    cli_progress_clear(&program->progress);
    if (code == SIMPLUGIN_OK)
        cli_print_reply(program, &reply, NULL);
    cli_reply_clear(&reply);
    return code;
}

int32_t cli_index_info(cli *program)
{
    return call_and_print(program, "index.info", NULL);
}

int32_t cli_index_size(cli *program)
{
    uint64_t index = 0;
    cli_reply reply;
    cli_body body;
    int32_t code = cli_open_index(program, &index);

    if (code == SIMPLUGIN_OK)
        code = cli_end_arguments(program);
    if (code != SIMPLUGIN_OK)
        return code;
    cli_body_init(&body);
    cli_body_text_option(program, &body, "filter", OPT_FILTER);
    code = cli_call(program, index, "index.size", &body, &reply);
    if (code == SIMPLUGIN_OK && cli_is_json(program))
        cli_print_reply(program, &reply, NULL);
    else if (code == SIMPLUGIN_OK)
        fprintf(program->out, "%llu\n", (unsigned long long)cli_reply_int(&reply, "size"));
    cli_reply_clear(&reply);
    return code;
}

int32_t cli_index_cleanup(cli *program)
{
    const char *key = program->parsed.argument_count ? program->parsed.arguments[0] : NULL;
    cli_reply reply;
    cli_body body;
    int32_t code;

    if (cli_has(program, OPT_DELETE_RUN) && cli_has(program, OPT_COLLECTION))
        return cli_fail_usage(program, "--delete-run goes with a KEY");
    code = call_and_print(program, "index.cleanup", NULL);
    if (code != SIMPLUGIN_OK || !cli_has(program, OPT_DELETE_RUN))
        return code;
    cli_body_init(&body);
    cli_body_text(&body, "brain_key", key);
    cli_body_text_option(program, &body, "dataset", OPT_DATASET);
    code = cli_call(program, program->session, "runs.delete", &body, &reply);
    cli_reply_clear(&reply);
    return code;
}

/* Work that may take as long as it takes, and says how far it is. */
static int32_t maintain(cli *program, const char *action, const char *method, cli_body *body)
{
    program->default_timeout = SIMPLUGIN_TIMEOUT_NONE;
    cli_progress_start(&program->progress, action, "", !cli_has(program, OPT_QUIET));
    return call_and_print(program, method, body);
}

int32_t cli_index_check(cli *program)
{
    return maintain(program, "checking", "index.check", NULL);
}

int32_t cli_index_compact(cli *program)
{
    return maintain(program, "compacting", "index.compact", NULL);
}

int32_t cli_index_backup(cli *program)
{
    /* the last one, so that what is left is the KEY, or nothing */
    const char *path = program->parsed.arguments[--program->parsed.argument_count];
    char *full = NULL, *directory = NULL;
    cli_body body;
    int32_t code;

    if (program->parsed.argument_count == 0 && !cli_has(program, OPT_COLLECTION))
        return cli_fail_usage(program, "where to? simplugin index backup KEY PATH");
    if (path[0] != '/') {
        directory = realpath(".", NULL);
        if (!directory || asprintf(&full, "%s/%s", directory, path) < 0) {
            free(directory);
            return cli_no_memory(program);
        }
    }
    cli_body_init(&body);
    cli_body_text(&body, "path", full ? full : path);
    code = maintain(program, "copying", "index.backup", &body);
    free(full);
    free(directory);
    return code;
}
