/* SPDX-License-Identifier: Apache-2.0 */
/* simplugin explain: every value and where it comes from. */
#include "config.h"

#include <string.h>

#include "cli.h"

static void print_value(FILE *out, const void *context)
{
    const simplugin_value *value = context;

    if (value->type == SIMPLUGIN_TEXT)
        cli_print_text(out, (const char *)value->data, value->size);
    else
        cli_json_value(out, value, NULL, 0, "");
}

/* "key: text" of a map, if it has it. */
static void print_line(FILE *out, const simplugin_value *map, const char *key, const char *title)
{
    const char *text;
    uint64_t size;

    if (simplugin_find_text(map, key, &text, &size) != 1)
        return;
    fprintf(out, "%s: ", title);
    cli_print_text(out, text, size);
    fputc('\n', out);
}

static void print_head(FILE *out, const simplugin_value *body)
{
    simplugin_value plugin, file, searched, path;
    simplugin_iter iter;
    const char *source = "", *where = "";
    uint64_t source_size = 0, where_size = 0;
    int exists = 0;

    simplugin_find_text(body, "backend_source", &source, &source_size);
    simplugin_find_text(body, "backend_where", &where, &where_size);
    print_line(out, body, "backend", "backend");
    if (source_size)
        fprintf(out, "chosen by: %.*s%s%.*s\n", (int)source_size, source, where_size ? ", " : "",
                (int)where_size, where);
    if (simplugin_find(body, "plugin", &plugin))
        print_line(out, &plugin, "file", "plugin");
    print_line(out, body, "plugin_error", "plugin");
    if (simplugin_find(body, "searched", &searched)) {
        iter = simplugin_iterate(&searched);
        while (simplugin_next(&iter, &path)) {
            fputs("searched: ", out);
            print_value(out, &path);
            fputc('\n', out);
        }
    }
    if (simplugin_find(body, "config_file", &file)) {
        print_line(out, &file, "path", "configuration file");
        if (simplugin_find_bool(&file, "exists", &exists) == 1 && !exists)
            fputs("                    (there is none)\n", out);
    }
    print_line(out, body, "data_dir", "data directory");
}

static void add_text(cli_cells *cells, const simplugin_value *entry, const char *key)
{
    const char *text = "";
    uint64_t size = 0;

    simplugin_find_text(entry, key, &text, &size);
    cli_cells_add(cells, text, size);
}

static int32_t print_values(cli *program, const simplugin_value *body)
{
    simplugin_value values, entry, value;
    simplugin_iter iter;
    cli_cells cells;
    int32_t code = SIMPLUGIN_OK;

    if (!simplugin_find(body, "values", &values) || values.size == 0)
        return code;
    fputc('\n', program->out);
    cli_cells_init(&cells, "PARAMETER VALUE SOURCE WHERE", 0);
    iter = simplugin_iterate(&values);
    while (simplugin_next(&iter, &entry)) {
        if (!simplugin_find(&entry, "value", &value))
            value.type = SIMPLUGIN_NIL;
        add_text(&cells, &entry, "name");
        cli_cells_add_printed(&cells, print_value, &value);
        add_text(&cells, &entry, "source");
        add_text(&cells, &entry, "where");
    }
    code = cli_cells_print(&cells, program->out);
    return code == SIMPLUGIN_OK ? code : cli_no_memory(program);
}

int32_t cli_explain(cli *program)
{
    const char *backend = cli_take_argument(program);
    cli_reply reply;
    cli_body body;
    int32_t code = cli_open_session(program);

    if (code != SIMPLUGIN_OK)
        return code;
    cli_body_init(&body);
    cli_body_text(&body, "backend", backend);
    if (cli_has(program, OPT_NO_LOAD))
        cli_body_bool(&body, "load", 0);
    code = cli_body_parameters(program, &body, OPT_PARAM, backend, NULL);
    if (code != SIMPLUGIN_OK) {
        cli_body_clear(&body);
        return code;
    }
    code = cli_call(program, program->session, "config.explain", &body, &reply);
    if (code == SIMPLUGIN_OK && cli_is_json(program)) {
        cli_print_reply(program, &reply, NULL);
    } else if (code == SIMPLUGIN_OK) {
        print_head(program->out, &reply.body);
        code = print_values(program, &reply.body);
    }
    cli_reply_clear(&reply);
    return code;
}
