/* SPDX-License-Identifier: Apache-2.0 */
/* simplugin call, metrics and completion. */
#include "config.h"

#include <string.h>

#include "cli.h"
#include "exit.h"

#define MAX_TENSORS 64

int32_t cli_open_connection(cli *program, uint64_t *connection)
{
    cli_reply reply;
    cli_body body;
    int32_t code = cli_open_session(program);

    if (code != SIMPLUGIN_OK)
        return code;
    cli_body_init(&body);
    cli_body_text_option(program, &body, "backend", OPT_BACKEND);
    code = cli_body_parameters(program, &body, OPT_PARAM, cli_text(program, OPT_BACKEND), NULL);
    if (code != SIMPLUGIN_OK) {
        cli_body_clear(&body);
        return code;
    }
    code = cli_call(program, program->session, "connection.open", &body, &reply);
    *connection = cli_reply_int(&reply, "connection");
    cli_reply_clear(&reply);
    return code;
}

/* The index of --key, which cli_open_index takes for an argument. */
static int32_t open_target(cli *program, uint64_t *target)
{
    const char *key = cli_text(program, OPT_KEY);
    const char **arguments = program->parsed.arguments;
    size_t count = program->parsed.argument_count, next = program->next_argument;
    int32_t code = cli_open_session(program);

    *target = program->session;
    if (code != SIMPLUGIN_OK)
        return code;
    if (cli_has(program, OPT_KEY) + cli_has(program, OPT_COLLECTION) +
            cli_has(program, OPT_CONNECTION) >
        1)
        return cli_fail_usage(program, "give --key, --collection or --connection, and only one");
    if (cli_has(program, OPT_CONNECTION))
        return cli_open_connection(program, target);
    if (!key && !cli_has(program, OPT_COLLECTION))
        return SIMPLUGIN_OK;
    program->parsed.arguments = &key;
    program->parsed.argument_count = key != NULL;
    program->next_argument = 0;
    code = cli_open_index(program, target);
    program->parsed.arguments = arguments;
    program->parsed.argument_count = count;
    program->next_argument = next;
    return code;
}

/* All of standard input, which Ctrl-C ends; the source's until it is closed. */
static int32_t read_all(cli_source *source, const char **text, size_t *size)
{
    size_t want = 65536, got = 0;
    const uint8_t *data = NULL;
    int32_t code = cli_source_open(source, "-", cli_interrupt_fd());

    while (code == SIMPLUGIN_OK) {
        code = cli_source_peek(source, want, &data, &got);
        if (code != SIMPLUGIN_OK || got < want)
            break;
        if (want > SIMPLUGIN_MAX_BODY)
            code = cli_source_fail(source, SIMPLUGIN_RESOURCE_EXHAUSTED, "more than 1 GiB");
        want *= 2;
    }
    *text = (const char *)data;
    *size = got;
    return code;
}

static int32_t write_body(cli *program, const char *text, cli_body *body)
{
    cli_source source = {.fd = -1};
    json_error_t problem;
    json_t *json = NULL;
    const char *key;
    size_t size = text ? strlen(text) : 0;
    json_t *value;
    int32_t code = SIMPLUGIN_OK;

    if (!text)
        return code;
    if (strcmp(text, "-") == 0) {
        code = read_all(&source, &text, &size);
        if (code != SIMPLUGIN_OK)
            cli_fail(program, code, "%s", source.problem);
    }
    if (code == SIMPLUGIN_OK) {
        json = json_loadb(text ? text : "", size, JSON_REJECT_DUPLICATES, &problem);
        if (!json)
            code = cli_fail_usage(program, "the request is not JSON: line %d, column %d: %s",
                                  problem.line, problem.column, problem.text);
        else if (!json_is_object(json))
            code = cli_fail_usage(program, "the request must be a JSON object");
    }
    if (code == SIMPLUGIN_OK) {
        json_object_keylen_foreach(json, key, size, value) {
            simplugin_write_text(&body->writer, key, size);
            body->count++;
            cli_write_json(&body->writer, value);
        }
    }
    json_decref(json);
    cli_source_close(&source);
    return code;
}

/* --tensor NAME=FILE */
static int32_t write_tensors(cli *program, cli_body *body, cli_input *inputs[MAX_TENSORS])
{
    const cli_value *value = &program->parsed.values[OPT_TENSOR];
    char name[128];

    if (value->count > MAX_TENSORS)
        return cli_fail_usage(program, "at most %d tensors", MAX_TENSORS);
    for (size_t i = 0; i < value->count; i++) {
        const char *equals = strchr(value->list[i], '=');
        cli_block block;
        int32_t code;

        if (!equals || equals == value->list[i] || equals - value->list[i] >= 128)
            return cli_fail_usage(program, "--tensor takes NAME=FILE");
        snprintf(name, sizeof(name), "%.*s", (int)(equals - value->list[i]), value->list[i]);
        code = cli_input_open(equals + 1, cli_text(program, OPT_FORMAT), UINT64_MAX,
                              cli_interrupt_fd(), &inputs[i]);
        if (code == SIMPLUGIN_OK)
            code = cli_input_next(inputs[i], &block);
        if (code != SIMPLUGIN_OK)
            return cli_fail(program, code, "%s", cli_input_problem(inputs[i]));
        if (inputs[i]->has_more)
            return cli_fail(program, SIMPLUGIN_INVALID_ARGUMENT,
                            "%s: more vectors than one call may carry", equals + 1);
        simplugin_write_tensor(cli_body_key(body, name), &block.vectors);
    }
    return SIMPLUGIN_OK;
}

int32_t cli_call_method(cli *program)
{
    const char *method = cli_take_argument(program), *text = cli_take_argument(program);
    cli_input *inputs[MAX_TENSORS] = {NULL};
    cli_reply reply = {0};
    uint64_t target = 0;
    cli_body body;
    int32_t code = open_target(program, &target);

    if (code != SIMPLUGIN_OK)
        return code;
    cli_body_init(&body);
    code = write_body(program, text, &body);
    if (code == SIMPLUGIN_OK)
        code = write_tensors(program, &body, inputs);
    if (code == SIMPLUGIN_OK)
        code = cli_call(program, target, method, &body, &reply);
    else
        cli_body_clear(&body);
    if (code == SIMPLUGIN_OK)
        cli_json_reply(program->out, &reply.raw, NULL);
    cli_reply_clear(&reply);
    for (size_t i = 0; i < MAX_TENSORS; i++)
        cli_input_close(inputs[i]);
    return code;
}

int32_t cli_metrics(cli *program)
{
    const char *text = "";
    uint64_t size = 0;
    cli_reply reply;
    int32_t code = cli_open_session(program);

    if (code != SIMPLUGIN_OK)
        return code;
    code = cli_call(program, program->session, "metrics.render", NULL, &reply);
    if (code == SIMPLUGIN_OK && cli_is_json(program)) {
        cli_print_reply(program, &reply, NULL);
    } else if (code == SIMPLUGIN_OK) {
        simplugin_find_text(&reply.body, "text", &text, &size);
        fwrite(text, 1, (size_t)size, program->out);
    }
    cli_reply_clear(&reply);
    return code;
}

/* What the tables do not say. */
static const char man_sections[] =
    ".SH FILES\n"
    ".TP\n~/.fiftyone/brain_config.json\nthe brain configuration, if it exists\n"
    ".TP\n$XDG_DATA_HOME/simplugin\nlocal indexes and run records (default: "
    "~/.local/share/simplugin)\n"
    ".SH ENVIRONMENT\n"
    ".TP\nSIMPLUGIN_PATH\ndirectories in which plugins are looked for, absolute, with colons "
    "between\n"
    ".TP\nSIMPLUGIN_DATA\nthe data directory\n"
    ".TP\nSIMPLUGIN_LOG\nhow much is told on stderr: error, warning, info, debug or off\n"
    ".TP\nFIFTYONE_BRAIN_CONFIG_PATH\nthe brain configuration file\n"
    ".TP\nFIFTYONE_BRAIN_DEFAULT_SIMILARITY_BACKEND\nthe backend where none is named\n"
    ".TP\nFIFTYONE_BRAIN_SIMILARITY_\\fIBACKEND\\fR_\\fIPARAMETER\\fR\na parameter of a backend\n"
    ".SH SIGNALS\n"
    "Ctrl\\-C ends the work in hand cleanly: what was acknowledged stays, and nothing else is left "
    "behind. A second one ends the program at once.\n"
    ".SH EXAMPLES\n"
    ".nf\n"
    "simplugin index create photos\n"
    "simplugin index add photos vectors.npy \\-\\-ids ids.txt\n"
    "simplugin index search photos 4711 \\-k 5\n"
    "simplugin index get photos \\-\\-lines > photos.jsonl\n"
    "simplugin index cleanup photos \\-\\-delete\\-run\n"
    ".fi\n";

int32_t cli_write_completion(cli *program)
{
    const char *shell = cli_take_argument(program);

    if (strcmp(shell, "man") != 0) {
        cli_completion(program->table, shell, program->out);
        return SIMPLUGIN_OK;
    }
    cli_man(program->table, man_sections, program->out);
    cli_exit_man(program->out);
    return SIMPLUGIN_OK;
}
