/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "options.h"

#define WIDTH 79

/* text in lines of at most WIDTH, each begun with indent blanks; column: how far out already is. */
static void wrap(const char *text, size_t indent, size_t column, FILE *out)
{
    int is_first = 1;

    while (*text) {
        size_t size = strcspn(text, " \n");

        if (!is_first && column + 1 + size > WIDTH) {
            fputc('\n', out);
            column = 0;
            is_first = 1;
        }
        while (is_first && column < indent) {
            fputc(' ', out);
            column++;
        }
        if (!is_first) {
            fputc(' ', out);
            column++;
        }
        fwrite(text, 1, size, out);
        column += size;
        is_first = 0;
        text += size;
        if (text[0] == '\n' && text[1] == '\n') {
            fputs("\n\n", out);
            column = 0;
            is_first = 1;
        }
        text += strspn(text, " \n");
    }
    fputc('\n', out);
}

static void print_name(const cli_command *command, FILE *out)
{
    fprintf(out, "%s%s%s%s%s", command->group ? command->group : "", command->group ? " " : "",
            command->name, command->arguments[0] ? " " : "", command->arguments);
}

/* "  -k, --count N", and its help from the column where all of them begin. */
static void print_option(const cli_option *option, FILE *out)
{
    char head[96];
    int size = option->letter ? snprintf(head, sizeof(head), "  -%c, --%s", option->letter,
                                         option->name)
                              : snprintf(head, sizeof(head), "      --%s", option->name);

    if (option->value)
        size += snprintf(head + size, sizeof(head) - (size_t)size, " %s", option->value);
    fputs(head, out);
    if (size > 25) {
        fputc('\n', out);
        size = 0;
    }
    wrap(option->help, 27, (size_t)size, out);
    if (option->choices) {
        fputs("                           one of: ", out);
        wrap(option->choices, 27, 35, out);
    }
}

static void print_options(const cli_table *table, const uint8_t *options, FILE *out)
{
    for (; options && *options != CLI_END; options++)
        print_option(&table->options[*options], out);
}

void cli_usage(const cli_table *table, const cli_command *command, FILE *out)
{
    fprintf(out, "usage: %s ", table->program);
    if (command) {
        print_name(command, out);
        fputs(" [OPTION...]\n", out);
    } else {
        fputs("COMMAND [ARGUMENT...] [OPTION...]\n", out);
    }
}

static void print_commands(const cli_table *table, const char *group, FILE *out)
{
    for (size_t i = 0; i < table->command_count; i++) {
        const cli_command *command = &table->commands[i];
        size_t size = strlen(command->name) + (command->group ? strlen(command->group) + 1 : 0);

        if (group && (!command->group || strcmp(command->group, group) != 0))
            continue;
        fprintf(out, "  %s%s%s", command->group ? command->group : "", command->group ? " " : "",
                command->name);
        wrap(command->summary, 20, size + 2, out);
    }
}

static void help_of_command(const cli_table *table, const cli_command *command, FILE *out)
{
    cli_usage(table, command, out);
    fputc('\n', out);
    wrap(command->summary, 0, 0, out);
    if (command->details) {
        fputc('\n', out);
        wrap(command->details, 0, 0, out);
    }
    if (command->options && command->options[0] != CLI_END) {
        fputs("\noptions:\n", out);
        print_options(table, command->options, out);
    }
    fputs("\noptions of every command:\n", out);
    print_options(table, table->common, out);
    fputs("  -h, --help               shows this\n", out);
}

void cli_help(const cli_table *table, const cli_parsed *parsed, FILE *out)
{
    if (parsed->command) {
        help_of_command(table, parsed->command, out);
        return;
    }
    fprintf(out, "%s %s - %s\n\n", table->program, table->version, table->summary);
    cli_usage(table, NULL, out);
    fputs("\ncommands:\n", out);
    print_commands(table, parsed->group, out);
    fputs("\noptions of every command:\n", out);
    print_options(table, table->common, out);
    fputs("  -h, --help               shows the help of a command\n"
          "      --version            shows the version\n\n",
          out);
    fprintf(out, "%s COMMAND --help tells more; so does `man %s`.\n", table->program,
            table->program);
}
