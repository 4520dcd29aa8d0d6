/* SPDX-License-Identifier: Apache-2.0 */
/* simplugin index gc: collections that no run names. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* A text of a reply, malloc'd; NULL if memory is short. */
static char *text_of(const simplugin_value *value)
{
    return strndup((const char *)value->data, value->size);
}

/* Puts the names of the collections that runs name into an object, as its keys. */
static int32_t named_by_runs(cli *program, json_t *names)
{
    simplugin_value runs, run, config, name;
    simplugin_iter iter;
    cli_reply reply;
    int32_t code = cli_call(program, program->session, "runs.list", NULL, &reply);

    if (code == SIMPLUGIN_OK && simplugin_find(&reply.body, "runs", &runs)) {
        iter = simplugin_iterate(&runs);
        while (code == SIMPLUGIN_OK && simplugin_next(&iter, &run)) {
            char *text;

            if (!simplugin_find(&run, "config", &config) ||
                !simplugin_find(&config, "collection_name", &name) || name.type != SIMPLUGIN_TEXT)
                continue;
            text = text_of(&name);
            if (!text || json_object_set_new(names, text, json_true()) != 0)
                code = cli_no_memory(program);
            /* a server without hyphens in names has it so */
            for (char *at = text; at && (at = strchr(at, '-')) != NULL;)
                *at = '_';
            if (code == SIMPLUGIN_OK && json_object_set_new(names, text, json_true()) != 0)
                code = cli_no_memory(program);
            free(text);
        }
    }
    cli_reply_clear(&reply);
    return code;
}

/* Calls a method of the backend about a collection. */
static int32_t ask(cli *program, uint64_t connection, const char *method, const char *name,
                   cli_reply *reply)
{
    cli_body_outer outer;
    cli_body body;

    cli_body_init(&body);
    cli_body_text(&body, "method", method);
    outer = cli_body_begin(&body, "body");
    cli_body_text(&body, "collection", name);
    cli_body_end(&body, outer);
    return cli_call(program, connection, "backend.call", &body, reply);
}

/* One that no run names: its points are counted, and it is dropped where that was asked for. */
static int32_t orphan(cli *program, uint64_t connection, const char *name, json_t *found)
{
    cli_reply reply;
    int32_t code = ask(program, connection, "collection.describe", name, &reply);
    uint64_t count = code == SIMPLUGIN_OK ? cli_reply_int(&reply, "count") : 0;

    cli_reply_clear(&reply);
    if (code == SIMPLUGIN_OK && cli_has(program, OPT_DROP)) {
        code = ask(program, connection, "collection.drop", name, &reply);
        cli_reply_clear(&reply);
    }
    if (code == SIMPLUGIN_OK &&
        json_array_append_new(found, json_pack("{ss sI sb}", "collection_name", name, "size",
                                               (json_int_t)count, "dropped",
                                               cli_has(program, OPT_DROP))) != 0)
        code = cli_no_memory(program);
    return code;
}

static int32_t print(cli *program, const json_t *found)
{
    const char *name;
    json_int_t size;
    cli_cells cells;
    json_t *each;
    size_t i;

    if (cli_is_json(program)) {
        json_t *answer = json_pack("{sO}", "collections", found);

        if (!answer)
            return cli_no_memory(program);
        json_dumpf(answer, program->out, JSON_INDENT(2));
        fputc('\n', program->out);
        json_decref(answer);
        return SIMPLUGIN_OK;
    }
    if (!json_array_size(found))
        return SIMPLUGIN_OK;
    cli_cells_init(&cells, "COLLECTION SIZE", 1 << 1);
    json_array_foreach(found, i, each) {
        if (json_unpack(each, "{ss sI}", "collection_name", &name, "size", &size) != 0)
            continue;
        cli_cells_add(&cells, name, strlen(name));
        cli_cells_addf(&cells, "%lld", (long long)size);
    }
    return cli_cells_print(&cells, program->out) == SIMPLUGIN_OK ? SIMPLUGIN_OK
                                                                 : cli_no_memory(program);
}

/* Goes through the backend's collections. */
static int32_t collect(cli *program, uint64_t connection, const char *prefix, const json_t *named,
                       json_t *found)
{
    size_t size = prefix ? strlen(prefix) : 0;
    simplugin_value names, name;
    simplugin_iter iter;
    cli_reply reply;
    int32_t code = ask(program, connection, "collection.list", NULL, &reply);

    if (code == SIMPLUGIN_OK && simplugin_find(&reply.body, "collections", &names)) {
        iter = simplugin_iterate(&names);
        while (code == SIMPLUGIN_OK && simplugin_next(&iter, &name)) {
            char *text;

            if (name.type != SIMPLUGIN_TEXT || name.size < size || (size && memcmp(name.data, prefix, size)))
                continue;
            text = text_of(&name);
            if (!text)
                code = cli_no_memory(program);
            else if (!json_object_get(named, text))
                code = orphan(program, connection, text, found);
            free(text);
        }
    }
    cli_reply_clear(&reply);
    return code;
}

int32_t cli_index_gc(cli *program)
{
    const char *prefix = cli_take_argument(program);
    json_t *found, *named;
    uint64_t connection = 0;
    int32_t code;

    if (cli_has(program, OPT_DROP) && !prefix)
        return cli_fail_usage(program, "--drop goes with a PREFIX");
    found = json_array();
    named = json_object();
    code = found && named ? cli_open_connection(program, &connection) : cli_no_memory(program);
    if (code == SIMPLUGIN_OK)
        code = named_by_runs(program, named);
    if (code == SIMPLUGIN_OK)
        code = collect(program, connection, prefix, named, found);
    if (code == SIMPLUGIN_OK)
        code = print(program, found);
    json_decref(named);
    json_decref(found);
    return code;
}
