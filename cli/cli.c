/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "exit.h"

/* ---- the command line ---- */

int cli_has(const cli *program, int option)
{
    return program->parsed.values[option].is_set;
}

const char *cli_text(const cli *program, int option)
{
    return program->parsed.values[option].text;
}

int cli_is_json(const cli *program)
{
    return cli_has(program, OPT_JSON);
}

const char *cli_take_argument(cli *program)
{
    if (program->next_argument == program->parsed.argument_count)
        return NULL;
    return program->parsed.arguments[program->next_argument++];
}

int32_t cli_end_arguments(cli *program)
{
    const char *left = cli_take_argument(program);

    if (left)
        return cli_fail_usage(program, "\"%s\" is one argument too many", left);
    return SIMPLUGIN_OK;
}

/* ---- failing ---- */

/* Where no error of the library's is at hand, message alone says it. */
static void tell(cli *program, int32_t code, const char *message, const simplugin_error *error)
{
    int status = code == CLI_USAGE ? CLI_EXIT_USAGE : cli_exit_status(code);
    const char *name = code == CLI_USAGE ? "USAGE" : simplugin_code_name(code);
    uint64_t details = simplugin_error_detail_count(error);

    if (program->has_failed)
        return;
    program->has_failed = 1;
    cli_progress_clear(&program->progress);
    fflush(program->out);
    if (!program->parsed.values || !cli_is_json(program)) {
        fputs("simplugin: ", stderr);
        cli_print_text(stderr, message, strlen(message));
        if (code != CLI_USAGE)
            fprintf(stderr, " (%s)", name);
        fputc('\n', stderr);
        return;
    }
    fprintf(stderr, "{\"error\": {\"code\": \"%s\", \"status\": %d, \"message\": ", name, status);
    cli_json_text(stderr, message, strlen(message));
    fprintf(stderr, ", \"retryable\": %s", simplugin_error_retryable(error) ? "true" : "false");
    if (error) {
        fputs(", \"domain\": ", stderr);
        cli_json_text(stderr, simplugin_error_domain(error), strlen(simplugin_error_domain(error)));
    }
    fputs(", \"details\": {", stderr);
    for (uint64_t i = 0; i < details; i++) {
        const char *key = simplugin_error_detail_key(error, i);
        const char *value = simplugin_error_detail_value(error, i);

        if (i)
            fputs(", ", stderr);
        cli_json_text(stderr, key, strlen(key));
        fputs(": ", stderr);
        cli_json_text(stderr, value, strlen(value));
    }
    fputs("}}}\n", stderr);
}

int32_t cli_fail(cli *program, int32_t code, const char *format, ...)
{
    char message[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    tell(program, code, message, NULL);
    return code;
}

int32_t cli_fail_usage(cli *program, const char *format, ...)
{
    char message[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    tell(program, CLI_USAGE, message, NULL);
    return CLI_USAGE;
}

int32_t cli_fail_error(cli *program, int32_t code, simplugin_error **error)
{
    const char *message = simplugin_error_message(*error, NULL);

    tell(program, code, message[0] ? message : simplugin_code_name(code), *error);
    simplugin_error_free(error);
    return code;
}

int32_t cli_no_memory(cli *program)
{
    return cli_fail(program, SIMPLUGIN_OUT_OF_MEMORY, "out of memory");
}

/* ---- calls ---- */

void cli_reply_clear(cli_reply *reply)
{
    simplugin_reply_clear(&reply->raw);
    memset(&reply->body, 0, sizeof(reply->body));
}

static void on_progress(void *context, uint64_t done, uint64_t total)
{
    cli_progress_show(context, done, total);
}

int32_t cli_call(cli *program, uint64_t target, const char *method, cli_body *body,
                 cli_reply *reply)
{
    simplugin_options options = {.size = sizeof(options)};
    simplugin_error *error = NULL;
    simplugin_request request;
    const uint8_t *at;
    int32_t code = SIMPLUGIN_OK;

    memset(reply, 0, sizeof(*reply));
    reply->raw.size = sizeof(reply->raw);
    options.cancel = program->cancel;
    options.timeout_ms = program->default_timeout;
    if (cli_has(program, OPT_TIMEOUT)) {
        double seconds = program->parsed.values[OPT_TIMEOUT].real;

        /* less than a millisecond is still no timeout of 0 */
        options.timeout_ms = seconds <= 0      ? SIMPLUGIN_TIMEOUT_NONE
                             : seconds < 0.001 ? 1
                             : seconds < 1e12  ? (int64_t)(seconds * 1000)
                                               : SIMPLUGIN_TIMEOUT_NONE;
    }
    if (program->progress.out && program->progress.unit[0] == '\0') {
        options.progress = on_progress;
        options.progress_context = &program->progress;
    }
    if (body) {
        simplugin_write_end(&body->writer, body->position, body->count);
        if (body->writer.failed)
            code = cli_no_memory(program);
        request = simplugin_writer_request(&body->writer);
    }
    if (code == SIMPLUGIN_OK) {
        code = simplugin_call(target, method, strlen(method), body ? &request : NULL, &options,
                              &reply->raw, &error);
        if (code != SIMPLUGIN_OK)
            cli_fail_error(program, code, &error);
    }
    if (body)
        cli_body_clear(body);
    at = reply->raw.body;
    if (code == SIMPLUGIN_OK && reply->raw.body_size)
        simplugin_read(&at, at + reply->raw.body_size, &reply->body);
    return code;
}

static char *absolute(const char *path)
{
    char *directory, *result = NULL;

    if (path[0] == '/')
        return strdup(path);
    directory = realpath(".", NULL);
    if (directory && asprintf(&result, "%s/%s", directory, path) < 0)
        result = NULL;
    free(directory);
    return result;
}

static void body_path(cli_body *body, const char *key, const char *path)
{
    char *full = path ? absolute(path) : NULL;

    if (path && !full)
        body->writer.failed = 1;
    cli_body_text(body, key, full);
    free(full);
}

int32_t cli_open_session(cli *program)
{
    const cli_value *plugins = &program->parsed.values[OPT_PLUGIN_PATH];
    cli_reply reply;
    cli_body body;
    int32_t code;

    if (program->is_session_open)
        return SIMPLUGIN_OK;
    program->is_session_open = 1;
    if (!cli_has(program, OPT_CONFIG) && !cli_has(program, OPT_DATA_DIR) && plugins->count == 0)
        return SIMPLUGIN_OK;
    cli_body_init(&body);
    body_path(&body, "config_path", cli_text(program, OPT_CONFIG));
    body_path(&body, "data_dir", cli_text(program, OPT_DATA_DIR));
    if (plugins->count) {
        simplugin_write_array(cli_body_key(&body, "plugin_path"), plugins->count);
        for (size_t i = 0; i < plugins->count; i++) {
            char *full = absolute(plugins->list[i]);

            body.writer.failed |= !full;
            simplugin_write_string(&body.writer, full);
            free(full);
        }
    }
    code = cli_call(program, 0, "session.open", &body, &reply);
    if (code == SIMPLUGIN_OK)
        program->session = cli_reply_int(&reply, "session");
    cli_reply_clear(&reply);
    return code;
}

int32_t cli_open_index(cli *program, uint64_t *index)
{
    const char *key = NULL;
    cli_reply reply;
    cli_body body;
    int32_t code = cli_open_session(program);

    if (code != SIMPLUGIN_OK)
        return code;
    if (!cli_has(program, OPT_COLLECTION)) {
        key = cli_take_argument(program);
        if (!key)
            return cli_fail_usage(program, "which index? give its brain KEY, or --collection");
        if (cli_has(program, OPT_BACKEND))
            return cli_fail_usage(program,
                                  "the run's record says which backend; --backend goes with "
                                  "--collection");
    }
    cli_body_init(&body);
    cli_body_text(&body, "brain_key", key);
    if (key)
        cli_body_text_option(program, &body, "dataset", OPT_DATASET);
    cli_body_text_option(program, &body, "backend", OPT_BACKEND);
    cli_body_text_option(program, &body, "collection_name", OPT_COLLECTION);
    code = cli_body_parameters(program, &body, OPT_PARAM, cli_text(program, OPT_BACKEND), key);
    if (code != SIMPLUGIN_OK) {
        cli_body_clear(&body);
        return code;
    }
    code = cli_call(program, program->session, "index.open", &body, &reply);
    if (code == SIMPLUGIN_OK)
        *index = cli_reply_int(&reply, "index");
    cli_reply_clear(&reply);
    return code;
}

/* ---- replies ---- */

uint64_t cli_reply_int(const cli_reply *reply, const char *key)
{
    int64_t number = 0;

    return simplugin_find_int(&reply->body, key, &number) == 1 && number > 0 ? (uint64_t)number
                                                                             : 0;
}

int cli_reply_column(const cli_reply *reply, const char *key, simplugin_column *column)
{
    simplugin_value value;

    return simplugin_find(&reply->body, key, &value) &&
           !simplugin_column_read(&value, reply->raw.tensors, reply->raw.tensor_count, column);
}

const simplugin_tensor *cli_reply_tensor(const cli_reply *reply, const char *key)
{
    const simplugin_tensor *tensor = NULL;

    return simplugin_find_tensor(&reply->body, key, reply->raw.tensors, reply->raw.tensor_count,
                                 &tensor) == 1
               ? tensor
               : NULL;
}

/* "parameters.nlist: 16"; texts without quotes. */
static void print_pairs(FILE *out, const simplugin_value *map, const simplugin_reply *raw,
                        const char *prefix, const char *skip)
{
    simplugin_iter iter = simplugin_iterate(map);
    simplugin_value key, value;
    char name[256];

    while (simplugin_next(&iter, &key) && simplugin_next(&iter, &value)) {
        if (skip && simplugin_value_is(&key, skip))
            continue;
        snprintf(name, sizeof(name), "%s%.*s", prefix, (int)(key.size < 200 ? key.size : 200),
                 (const char *)key.data);
        if (value.type == SIMPLUGIN_MAP && value.size && strlen(name) + 1 < sizeof(name)) {
            strcat(name, ".");
            print_pairs(out, &value, raw, name, NULL);
            continue;
        }
        cli_print_text(out, name, strlen(name));
        fputs(": ", out);
        if (value.type == SIMPLUGIN_TEXT)
            cli_print_text(out, (const char *)value.data, value.size);
        else
            cli_json_value(out, &value, raw->tensors, raw->tensor_count, "");
        fputc('\n', out);
    }
}

void cli_print_reply(cli *program, const cli_reply *reply, const char *skip)
{
    if (cli_is_json(program))
        cli_json_reply(program->out, &reply->raw, skip);
    else if (reply->body.type == SIMPLUGIN_MAP)
        print_pairs(program->out, &reply->body, &reply->raw, "", skip);
}

int32_t cli_read_ids(cli *program, int option, int takes_arguments, cli_texts *ids)
{
    char problem[CLI_PROBLEM];
    const char *id;
    int32_t code = SIMPLUGIN_OK;

    while (takes_arguments && code == SIMPLUGIN_OK && (id = cli_take_argument(program)))
        if (cli_texts_add(ids, id, strlen(id)) != 0)
            code = cli_no_memory(program);
    if (code == SIMPLUGIN_OK && cli_has(program, option)) {
        code = cli_texts_read(ids, cli_text(program, option), cli_interrupt_fd(), problem);
        if (code != SIMPLUGIN_OK)
            cli_fail(program, code, "%s", problem);
    }
    return code;
}
