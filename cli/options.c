/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "options.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/suggest.h"

__attribute__((format(printf, 2, 3))) static int problem(cli_parsed *parsed, const char *format,
                                                         ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(parsed->problem, sizeof(parsed->problem), format, args);
    va_end(args);
    /* it may quote what was typed */
    for (char *c = parsed->problem; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    return -1;
}

int cli_next_word(const char **words, char *word, size_t capacity)
{
    size_t size;

    if (!*words)
        return 0;
    *words += strspn(*words, " ");
    size = strcspn(*words, " ");
    if (size == 0)
        return 0;
    snprintf(word, capacity, "%.*s", (int)size, *words);
    *words += size;
    return 1;
}

static int is_choice(const char *choices, const char *text)
{
    char word[64];

    while (cli_next_word(&choices, word, sizeof(word)))
        if (strcmp(word, text) == 0)
            return 1;
    return 0;
}

/* ---- finding ---- */

static int is_option_of(const uint8_t *options, size_t index)
{
    for (; options && *options != CLI_END; options++)
        if (*options == index)
            return 1;
    return 0;
}

static int is_allowed(const cli_table *table, const cli_command *command, size_t index)
{
    return is_option_of(table->common, index) || (command && is_option_of(command->options, index));
}

/* ", did you mean X?" in text, or nothing. */
static const char *did_you_mean(const char *name, const char *const *known, size_t count,
                                const char *prefix, char *text, size_t capacity)
{
    const char *nearest = sp_suggest_nearest(name, known, count);

    text[0] = '\0';
    if (nearest)
        snprintf(text, capacity, ", did you mean %s%s?", prefix, nearest);
    return text;
}

static int unknown_option(const cli_table *table, const cli_command *command, cli_parsed *parsed,
                          const char *name)
{
    const char *known[256];
    char hint[128];
    size_t count = 0;

    for (size_t i = 0; i < table->option_count && count < 256; i++)
        if (is_allowed(table, command, i))
            known[count++] = table->options[i].name;
    did_you_mean(name, known, count, "--", hint, sizeof(hint));
    return problem(parsed, "there is no option --%s%s%s%s%s%s", name, command ? " of " : "",
                   command && command->group ? command->group : "",
                   command && command->group ? " " : "", command ? command->name : "", hint);
}

/* Finds the command named by word, inside a group if one was given already. */
static int find_command(const cli_table *table, cli_parsed *parsed, const char *word)
{
    const char *known[256];
    char hint[128];
    size_t count = 0;

    for (size_t i = 0; i < table->command_count; i++) {
        const cli_command *command = &table->commands[i];
        const char *name = parsed->group || !command->group ? command->name : command->group;

        if (parsed->group && (!command->group || strcmp(command->group, parsed->group) != 0))
            continue;
        if (strcmp(name, word) == 0) {
            if (name == command->group)
                parsed->group = command->group;
            else
                parsed->command = command;
            return 0;
        }
        if (count < 256 && (count == 0 || strcmp(known[count - 1], name) != 0))
            known[count++] = name;
    }
    return problem(parsed, "there is no command %s%s%s%s", parsed->group ? parsed->group : "",
                   parsed->group ? " " : "", word,
                   did_you_mean(word, known, count, "", hint, sizeof(hint)));
}

/* ---- values ---- */

static int parse_number(const char *text, uint64_t *number)
{
    char *end = NULL;

    errno = 0;
    *number = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && *number <= INT64_MAX;
}

static int parse_real(const char *text, double *real)
{
    char *end = NULL;

    *real = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*real);
}

static int append(const char ***list, size_t *count, const char *text)
{
    const char **grown = realloc(*list, (*count + 1) * sizeof(**list));

    if (!grown)
        return -1;
    *list = grown;
    grown[(*count)++] = text;
    return 0;
}

static int set_value(const cli_option *option, cli_parsed *parsed, cli_value *value,
                     const char *text)
{
    switch (option->kind) {
    case CLI_LIST: case CLI_FILES: case CLI_DIRECTORIES:
        if (append(&value->list, &value->count, text) != 0)
            return problem(parsed, "out of memory");
        break;
    case CLI_NUMBER:
        if (!parse_number(text, &value->number))
            return problem(parsed, "--%s takes a whole number, not \"%s\"", option->name, text);
        break;
    case CLI_REAL:
        if (!parse_real(text, &value->real))
            return problem(parsed, "--%s takes a number, not \"%s\"", option->name, text);
        break;
    case CLI_CHOICE:
        if (!is_choice(option->choices, text))
            return problem(parsed, "--%s takes one of: %s; not \"%s\"", option->name,
                           option->choices, text);
        break;
    default:
        break;
    }
    value->text = text;
    value->is_set = 1;
    return 0;
}

/* ---- command lines ---- */

typedef struct cursor {
    int argc;
    char **argv;
    int at;
} cursor;

/* --name, --name=value or --name value */
static int parse_long(const cli_table *table, cli_parsed *parsed, cursor *line)
{
    const char *word = line->argv[line->at++] + 2;
    size_t size = strcspn(word, "=");
    char name[64];

    if (size == 4 && memcmp(word, "help", 4) == 0) {
        parsed->wants_help = 1;
        return 0;
    }
    if (size == 7 && memcmp(word, "version", 7) == 0 && !parsed->command) {
        parsed->wants_version = 1;
        return 0;
    }
    snprintf(name, sizeof(name), "%.*s", (int)(size < 60 ? size : 60), word);
    for (size_t i = 0; i < table->option_count; i++) {
        const cli_option *option = &table->options[i];
        const char *text = word[size] == '=' ? word + size + 1 : NULL;

        if (strcmp(option->name, name) != 0 || !is_allowed(table, parsed->command, i))
            continue;
        if (option->kind == CLI_FLAG) {
            if (text)
                return problem(parsed, "--%s takes no value", name);
            parsed->values[i].is_set = 1;
            return 0;
        }
        if (!text && line->at < line->argc)
            text = line->argv[line->at++];
        if (!text)
            return problem(parsed, "--%s needs a value: %s", name, option->value);
        return set_value(option, parsed, &parsed->values[i], text);
    }
    return unknown_option(table, parsed->command, parsed, name);
}

/* -q, -k5 or -k 5 */
static int parse_short(const cli_table *table, cli_parsed *parsed, cursor *line)
{
    const char *word = line->argv[line->at++] + 1;

    for (; *word; word++) {
        size_t i = 0;

        if (*word == 'h') {
            parsed->wants_help = 1;
            continue;
        }
        while (i < table->option_count &&
               (table->options[i].letter != *word || !is_allowed(table, parsed->command, i)))
            i++;
        if (i == table->option_count)
            return problem(parsed, "there is no option -%c", *word);
        if (table->options[i].kind != CLI_FLAG) {
            const char *text = word[1]                 ? word + 1
                               : line->at < line->argc ? line->argv[line->at++]
                                                       : NULL;

            if (!text)
                return problem(parsed, "-%c needs a value: %s", *word, table->options[i].value);
            return set_value(&table->options[i], parsed, &parsed->values[i], text);
        }
        parsed->values[i].is_set = 1;
    }
    return 0;
}

/* "-" and "-1.5" are arguments. */
static int is_option(const char *word)
{
    return word[0] == '-' && word[1] != '\0' && !(word[1] >= '0' && word[1] <= '9') &&
           word[1] != '.';
}

static int check_arguments(const cli_table *table, cli_parsed *parsed)
{
    const cli_command *command = parsed->command;
    const char *group = command->group ? command->group : "";
    const char *blank = command->group ? " " : "";

    if (parsed->argument_count < command->min_arguments)
        return problem(parsed, "something is missing: %s %s%s%s %s", table->program, group, blank,
                       command->name, command->arguments);
    if (parsed->argument_count > command->max_arguments)
        return problem(parsed, "\"%s\" is one argument too many: %s %s%s%s %s",
                       parsed->arguments[command->max_arguments], table->program, group, blank,
                       command->name, command->arguments);
    if (command->choices && parsed->argument_count &&
        !is_choice(command->choices, parsed->arguments[0]))
        return problem(parsed, "%s%s%s takes one of: %s; not \"%s\"", group, blank, command->name,
                       command->choices, parsed->arguments[0]);
    return 0;
}

int cli_parse(const cli_table *table, int argc, char **argv, cli_parsed *parsed)
{
    cursor line = {argc, argv, 1};
    int only_arguments = 0;
    int result = 0;

    memset(parsed, 0, sizeof(*parsed));
    parsed->values = calloc(table->option_count, sizeof(*parsed->values));
    if (!parsed->values)
        return problem(parsed, "out of memory");
    parsed->value_count = table->option_count;
    while (result == 0 && line.at < argc) {
        const char *word = argv[line.at];

        if (!only_arguments && strcmp(word, "--") == 0) {
            only_arguments = 1;
            line.at++;
        } else if (!only_arguments && strncmp(word, "--", 2) == 0) {
            result = parse_long(table, parsed, &line);
        } else if (!only_arguments && is_option(word)) {
            result = parse_short(table, parsed, &line);
        } else if (!parsed->command) {
            line.at++;
            result = find_command(table, parsed, word);
        } else {
            line.at++;
            if (append(&parsed->arguments, &parsed->argument_count, word) != 0)
                result = problem(parsed, "out of memory");
        }
    }
    if (result != 0 || parsed->wants_help || parsed->wants_version)
        return result;
    if (!parsed->command)
        return problem(parsed, "which command? %s%s%s --help lists them", table->program,
                       parsed->group ? " " : "", parsed->group ? parsed->group : "");
    return check_arguments(table, parsed);
}

void cli_parsed_clear(cli_parsed *parsed)
{
    for (size_t i = 0; parsed->values && i < parsed->value_count; i++)
        free(parsed->values[i].list);
    free(parsed->values);
    free(parsed->arguments);
    parsed->values = NULL;
    parsed->arguments = NULL;
    parsed->argument_count = 0;
}
