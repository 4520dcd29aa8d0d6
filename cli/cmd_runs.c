/* SPDX-License-Identifier: Apache-2.0 */
/* simplugin runs: the records of brain runs. */
#include "config.h"

#include <string.h>

#include "cli.h"

static void add_text(cli_cells *cells, const simplugin_value *map, const char *key)
{
    simplugin_value value;

    if (!simplugin_find(map, key, &value))
        cli_cells_add(cells, "", 0);
    else if (value.type == SIMPLUGIN_TEXT)
        cli_cells_add(cells, (const char *)value.data, value.size);
    else if (value.type == SIMPLUGIN_INT)
        cli_cells_addf(cells, "%lld", (long long)value.as.i);
    else
        cli_cells_add(cells, "?", 1);
}

int32_t cli_runs_list(cli *program)
{
    static const char *const columns[] = {"type",   "backend",   "collection_name",
                                          "metric", "dimension", "patches_field"};
    simplugin_value runs, run, config;
    simplugin_iter iter;
    cli_cells cells;
    cli_reply reply;
    cli_body body;
    int32_t code = cli_open_session(program);

    if (code != SIMPLUGIN_OK)
        return code;
    cli_body_init(&body);
    cli_body_text_option(program, &body, "dataset", OPT_DATASET);
    code = cli_body_pairs_option(program, &body, "where", OPT_WHERE, NULL);
    if (code != SIMPLUGIN_OK) {
        cli_body_clear(&body);
        return code;
    }
    code = cli_call(program, program->session, "runs.list", &body, &reply);
    if (code == SIMPLUGIN_OK && cli_is_json(program)) {
        cli_print_reply(program, &reply, NULL);
    } else if (code == SIMPLUGIN_OK && simplugin_find(&reply.body, "runs", &runs) && runs.size) {
        cli_cells_init(&cells,
                       "DATASET KEY TYPE BACKEND COLLECTION METRIC DIMENSION PATCHES CREATED",
                       1 << 6);
        iter = simplugin_iterate(&runs);
        while (simplugin_next(&iter, &run)) {
            if (!simplugin_find(&run, "config", &config))
                memset(&config, 0, sizeof(config));
            add_text(&cells, &run, "dataset");
            add_text(&cells, &run, "brain_key");
            for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
                add_text(&cells, &config, columns[i]);
            add_text(&cells, &run, "created");
        }
        code = cli_cells_print(&cells, program->out);
        if (code != SIMPLUGIN_OK)
            cli_no_memory(program);
    }
    cli_reply_clear(&reply);
    return code;
}

/* Calls a method of runs with the keys that the arguments give, and prints the answer. */
static int32_t call_run(cli *program, const char *method, int is_printed)
{
    cli_reply reply;
    cli_body body;
    int32_t code = cli_open_session(program);

    if (code != SIMPLUGIN_OK)
        return code;
    cli_body_init(&body);
    cli_body_text_option(program, &body, "dataset", OPT_DATASET);
    cli_body_text(&body, "brain_key", cli_take_argument(program));
    cli_body_text(&body, "new_brain_key", cli_take_argument(program));
    code = cli_call(program, program->session, method, &body, &reply);
    if (code == SIMPLUGIN_OK && (is_printed || cli_is_json(program)))
        cli_print_reply(program, &reply, NULL);
    cli_reply_clear(&reply);
    return code;
}

int32_t cli_runs_info(cli *program)
{
    return call_run(program, "runs.info", 1);
}

int32_t cli_runs_rename(cli *program)
{
    return call_run(program, "runs.rename", 0);
}

int32_t cli_runs_delete(cli *program)
{
    return call_run(program, "runs.delete", 0);
}
