/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "cli.h"

void cli_body_init(cli_body *body)
{
    simplugin_writer_init(&body->writer);
    body->position = simplugin_write_map_begin(&body->writer);
    body->count = 0;
}

void cli_body_clear(cli_body *body)
{
    simplugin_writer_clear(&body->writer);
}

cli_body_outer cli_body_begin(cli_body *body, const char *key)
{
    simplugin_writer *writer = cli_body_key(body, key);
    cli_body_outer outer = {body->position, body->count};

    body->position = simplugin_write_map_begin(writer);
    body->count = 0;
    return outer;
}

void cli_body_end(cli_body *body, cli_body_outer outer)
{
    simplugin_write_end(&body->writer, body->position, body->count);
    body->position = outer.position;
    body->count = outer.count;
}

simplugin_writer *cli_body_key(cli_body *body, const char *key)
{
    simplugin_write_string(&body->writer, key);
    body->count++;
    return &body->writer;
}

void cli_body_text(cli_body *body, const char *key, const char *text)
{
    if (text)
        simplugin_write_string(cli_body_key(body, key), text);
}

void cli_body_bool(cli_body *body, const char *key, int value)
{
    simplugin_write_bool(cli_body_key(body, key), value);
}

void cli_body_int(cli_body *body, const char *key, uint64_t value)
{
    simplugin_write_uint(cli_body_key(body, key), value);
}

void cli_body_real(cli_body *body, const char *key, double value)
{
    simplugin_write_double(cli_body_key(body, key), value);
}

void cli_body_text_option(cli *program, cli_body *body, const char *key, int option)
{
    cli_body_text(body, key, cli_text(program, option));
}

void cli_body_flag_option(cli *program, cli_body *body, const char *key, int option)
{
    if (cli_has(program, option))
        cli_body_bool(body, key, 1);
}

void cli_body_int_option(cli *program, cli_body *body, const char *key, int option)
{
    if (cli_has(program, option))
        cli_body_int(body, key, program->parsed.values[option].number);
}

void cli_body_real_option(cli *program, cli_body *body, const char *key, int option)
{
    if (cli_has(program, option))
        cli_body_real(body, key, program->parsed.values[option].real);
}

void cli_write_json(simplugin_writer *writer, const json_t *json)
{
    const char *key;
    size_t size;
    json_t *item;

    switch (json ? json_typeof(json) : JSON_NULL) {
    case JSON_TRUE: simplugin_write_bool(writer, 1); break;
    case JSON_FALSE: simplugin_write_bool(writer, 0); break;
    case JSON_INTEGER: simplugin_write_int(writer, json_integer_value(json)); break;
    case JSON_REAL: simplugin_write_double(writer, json_real_value(json)); break;
    case JSON_STRING:
        simplugin_write_text(writer, json_string_value(json), json_string_length(json));
        break;
    case JSON_ARRAY:
        simplugin_write_array(writer, json_array_size(json));
        for (size_t i = 0; i < json_array_size(json); i++)
            cli_write_json(writer, json_array_get(json, i));
        break;
    case JSON_OBJECT:
        simplugin_write_map(writer, json_object_size(json));
        json_object_keylen_foreach((json_t *)json, key, size, item) {
            simplugin_write_text(writer, key, size);
            cli_write_json(writer, item);
        }
        break;
    default: simplugin_write_nil(writer); break;
    }
}

int32_t cli_body_pairs_option(cli *program, cli_body *body, const char *key, int option,
                              const simplugin_value *declared)
{
    const cli_value *value = &program->parsed.values[option];
    simplugin_writer *writer;

    if (value->count == 0)
        return SIMPLUGIN_OK;
    writer = cli_body_key(body, key);
    simplugin_write_map(writer, value->count);
    for (size_t i = 0; i < value->count; i++) {
        const char *pair = value->list[i], *equals = strchr(pair, '=');
        json_t *json;

        if (!equals || equals == pair)
            return cli_fail_usage(program, "--%s takes NAME=VALUE",
                                  program->table->options[option].name);
        simplugin_write_text(writer, pair, (uint64_t)(equals - pair));
        json = json_loads(equals + 1, JSON_DECODE_ANY, NULL);
        if (json && !json_is_string(json) && declared &&
            cli_is_text_parameter(declared, pair, (uint64_t)(equals - pair)))
            simplugin_write_string(writer, equals + 1);
        else if (json)
            cli_write_json(writer, json);
        else
            simplugin_write_string(writer, equals + 1);
        json_decref(json);
    }
    return SIMPLUGIN_OK;
}

void cli_body_names_option(cli *program, cli_body *body, const char *key, int option)
{
    const char *names = cli_text(program, option);
    simplugin_writer *writer;
    uint64_t position, count = 0;

    if (!names)
        return;
    if (strcmp(names, "*") == 0) {
        cli_body_bool(body, key, 1);
        return;
    }
    writer = cli_body_key(body, key);
    position = simplugin_write_array_begin(writer);
    while (*names) {
        size_t size = strcspn(names, ",");

        if (size) {
            simplugin_write_text(writer, names, size);
            count++;
        }
        names += size;
        names += *names == ',';
    }
    simplugin_write_end(writer, position, count);
}
