/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --param NAME=VALUE: a value that is JSON is taken as such, but for one that the backend
 * declares as text: a password of digits is a password, as it is in the environment.
 */
#include "config.h"

#include <string.h>

#include "cli.h"

/* Whether a value could be taken for something else than text: only then it matters. */
static int is_ambiguous(const char *pair)
{
    const char *equals = strchr(pair, '=');
    json_t *json = equals ? json_loads(equals + 1, JSON_DECODE_ANY, NULL) : NULL;
    int ambiguous = json && !json_is_string(json);

    json_decref(json);
    return ambiguous;
}

/* Asks without telling what goes wrong: the call that the parameters are for will. */
static int32_t ask_quietly(cli *program, const char *method, cli_body *body, cli_reply *reply)
{
    int has_failed = program->has_failed;
    int32_t code;

    program->has_failed = 1;
    code = cli_call(program, program->session, method, body, reply);
    program->has_failed = has_failed;
    return code;
}

/* What the backend of the run, or else the named or the default one, says of itself. */
static int32_t describe(cli *program, const char *backend, const char *brain_key, cli_reply *reply)
{
    cli_reply record = {0};
    simplugin_value config;
    const char *text = backend;
    uint64_t size = backend ? strlen(backend) : 0;
    int32_t code = SIMPLUGIN_OK;
    cli_body body;

    if (brain_key) {
        cli_body_init(&body);
        cli_body_text(&body, "brain_key", brain_key);
        cli_body_text_option(program, &body, "dataset", OPT_DATASET);
        code = ask_quietly(program, "runs.info", &body, &record);
        if (code == SIMPLUGIN_OK && simplugin_find(&record.body, "config", &config))
            simplugin_find_text(&config, "backend", &text, &size);
    }
    if (code == SIMPLUGIN_OK) {
        cli_body_init(&body);
        if (text)
            simplugin_write_text(cli_body_key(&body, "backend"), text, size);
        code = ask_quietly(program, "backends.describe", &body, reply);
    }
    cli_reply_clear(&record);
    return code;
}

static int is_named(const simplugin_value *parameter, const char *name, uint64_t size)
{
    simplugin_value aliases, value;
    simplugin_iter iter;
    const char *text;
    uint64_t length;

    if (simplugin_find_text(parameter, "name", &text, &length) == 1 && length == size &&
        memcmp(text, name, size) == 0)
        return 1;
    if (!simplugin_find(parameter, "aliases", &aliases) || aliases.type != SIMPLUGIN_ARRAY)
        return 0;
    iter = simplugin_iterate(&aliases);
    while (simplugin_next(&iter, &value))
        if (value.type == SIMPLUGIN_TEXT && value.size == size &&
            memcmp(value.data, name, size) == 0)
            return 1;
    return 0;
}

int cli_is_text_parameter(const simplugin_value *declared, const char *name, uint64_t size)
{
    /* those that every index has, whatever a backend declares */
    static const char *const always[] = {"collection_name", "metric"};
    simplugin_iter iter = simplugin_iterate(declared);
    simplugin_value parameter, type;

    while (simplugin_next(&iter, &parameter))
        if (is_named(&parameter, name, size))
            return simplugin_find(&parameter, "type", &type) && simplugin_value_is(&type, "text");
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
        if (strlen(always[i]) == size && memcmp(always[i], name, size) == 0)
            return 1;
    return 0;
}

int32_t cli_body_parameters(cli *program, cli_body *body, int option, const char *backend,
                            const char *brain_key)
{
    const cli_value *given = &program->parsed.values[option];
    simplugin_value declared = {0};
    cli_reply reply = {0};
    int ambiguous = 0;
    int32_t code;

    for (size_t i = 0; i < given->count && !ambiguous; i++)
        ambiguous = is_ambiguous(given->list[i]);
    if (ambiguous && !cli_has(program, OPT_NO_LOAD) &&
        describe(program, backend, brain_key, &reply) == SIMPLUGIN_OK)
        simplugin_find(&reply.body, "parameters", &declared);
    code = cli_body_pairs_option(program, body, "parameters", option, &declared);
    cli_reply_clear(&reply);
    return code;
}
