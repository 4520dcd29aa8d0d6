/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <string.h>

#include "options.h"

/* text as roff takes it: no line begins with a control, a hyphen stays one. */
static void print_text(const char *text, FILE *out)
{
    int is_start = 1;

    for (; *text; text++) {
        if (text[0] == '\n' && text[1] == '\n') {
            fputs("\n.PP\n", out);
            text++;
            is_start = 1;
            continue;
        }
        if (is_start && (*text == '.' || *text == '\''))
            fputs("\\&", out);
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else
            fputc(*text, out);
        is_start = *text == '\n';
    }
    fputc('\n', out);
}

static void print_options(const cli_table *table, const uint8_t *options, FILE *out)
{
    for (; options && *options != CLI_END; options++) {
        const cli_option *option = &table->options[*options];

        fputs(".TP\n", out);
        if (option->letter)
            fprintf(out, "\\fB\\-%c\\fR, ", option->letter);
        fputs("\\fB\\-\\-", out);
        for (const char *c = option->name; *c; c++)
            fprintf(out, *c == '-' ? "\\-" : "%c", *c);
        fputs("\\fR", out);
        if (option->value)
            fprintf(out, " \\fI%s\\fR", option->value);
        fputc('\n', out);
        print_text(option->help, out);
        if (option->choices)
            fprintf(out, "(one of: %s)\n", option->choices);
    }
}

void cli_man(const cli_table *table, const char *extra, FILE *out)
{
    char title[32];
    size_t size = 0;

    for (const char *c = table->program; *c && size + 1 < sizeof(title); c++)
        title[size++] = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
    title[size] = '\0';
    fprintf(out,
            ".\\\" SPDX-License-Identifier: Apache-2.0\n"
            ".\\\" Written by `%s completion man` out of the tables in cli/commands.c.\n"
            ".TH %s 1 \"\" \"%s %s\" \"User Commands\"\n"
            ".SH NAME\n%s \\- ",
            table->program, title, table->program, table->version, table->program);
    print_text(table->summary, out);
    fprintf(out, ".SH SYNOPSIS\n.B %s\n\\fICOMMAND\\fR [\\fIARGUMENT\\fR...] [\\fIOPTION\\fR...]\n",
            table->program);
    fputs(".SH COMMANDS\n", out);
    for (size_t i = 0; i < table->command_count; i++) {
        const cli_command *command = &table->commands[i];

        fprintf(out, ".SS %s%s%s %s\n", command->group ? command->group : "",
                command->group ? " " : "", command->name, command->arguments);
        print_text(command->summary, out);
        if (command->details) {
            fputs(".PP\n", out);
            print_text(command->details, out);
        }
        print_options(table, command->options, out);
    }
    fputs(".SH OPTIONS\nEvery command takes these:\n", out);
    print_options(table, table->common, out);
    fputs(".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nshows the help of a command\n"
          ".TP\n\\fB\\-\\-version\\fR\nshows the version\n",
          out);
    fputs(extra, out);
}
