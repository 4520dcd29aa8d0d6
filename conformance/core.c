/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract.h"

void core_answer_clear(core_answer *answer)
{
    json_decref(answer->reply);
    memset(answer, 0, sizeof *answer);
}

int core_lists(const json_t *describe, const char *key, const char *word)
{
    json_t *one;
    size_t i;

    json_array_foreach(json_object_get(describe, key), i, one)
        if (json_is_string(one) && !strcmp(json_string_value(one), word))
            return 1;
    return 0;
}

int core_both_store(const conf_world *world, const char *type)
{
    return core_lists(world->target.describe, "field_types", type) &&
           core_lists(world->flat_describe, "field_types", type);
}

void core_call(uint64_t target, const char *method, const json_t *body, int as_columns,
               core_answer *answer)
{
    contract_why why = {""};
    contract_body encoded;
    simplugin_request request;
    simplugin_reply reply = {.size = sizeof reply};
    simplugin_error *error = NULL;

    core_answer_clear(answer);
    answer->code = SIMPLUGIN_INTERNAL;
    if (body_encode(&encoded, body, as_columns, &why)) {
        request = simplugin_writer_request(&encoded.writer);
        answer->code = simplugin_call(target, method, strlen(method), &request, NULL, &reply, &error);
        snprintf(answer->message, sizeof answer->message, "%s", simplugin_error_message(error, NULL));
        if (answer->code == SIMPLUGIN_OK && !(answer->reply = reply_decode(&reply, &why)))
            answer->code = SIMPLUGIN_PROTOCOL;
        simplugin_reply_clear(&reply);
        simplugin_error_free(&error);
    }
    if (why.text[0]) {
        if (answer->code == SIMPLUGIN_OK)
            answer->code = SIMPLUGIN_PROTOCOL;
        snprintf(answer->message, sizeof answer->message, "%.500s", why.text);
    }
    body_clear(&encoded);
}

void conf_core_begin(const conf_world *world)
{
    if (world->target.entry)
        simplugin_backend_register(world->target.name, world->target.entry, NULL);
}

/* The configuration file that makes the backend the default; its path. */
static char *brain_config_write(const char *backend, const json_t *parameters, const char *directory)
{
    json_t *brain = json_pack("{s:s, s:{s:O}}", "default_similarity_backend", backend,
                              "similarity_backends", backend, parameters);
    char *path = NULL;

    if (asprintf(&path, "%s/brain_config.json", directory) < 0)
        abort();
    json_dump_file(brain, path, 0);
    json_decref(brain);
    return path;
}

uint64_t core_session(const conf_world *world, const char *backend, const json_t *parameters,
                      const char *directory, core_answer *answer)
{
    char *config = brain_config_write(backend, parameters, directory);
    json_t *body = json_pack("{s:s, s:s+, s:{}, s:O}", "config_path", config, "data_dir", directory,
                             "/data", "environment", "plugin_path", world->plugin_path);
    uint64_t session;

    conf_core_begin(world);
    core_call(0, "session.open", body, 0, answer);
    session = (uint64_t)json_integer_value(json_object_get(answer->reply, "session"));
    json_decref(body);
    free(config);
    return session;
}
