/* SPDX-License-Identifier: Apache-2.0 */
/* Scripts that complete command lines, written out of the tables. */
#include "config.h"

#include <ctype.h>
#include <string.h>

#include "options.h"

/* text between single quotes, for a shell; in zsh's specifications also without ':' and ']'. */
static void print_quoted(const char *text, int is_specification, FILE *out)
{
    for (; *text; text++)
        if (*text == '\'')
            fputs("'\\''", out);
        else if (is_specification && strchr("[]:\\", *text))
            fprintf(out, "\\%c", *text);
        else
            fputc(*text, out);
}

static int is_path(const cli_option *option)
{
    return option->kind == CLI_FILE || option->kind == CLI_FILES;
}

static int is_directory(const cli_option *option)
{
    return option->kind == CLI_DIRECTORY || option->kind == CLI_DIRECTORIES;
}

static int is_first_of_group(const cli_table *table, size_t i)
{
    return table->commands[i].group &&
           (i == 0 || !table->commands[i - 1].group ||
            strcmp(table->commands[i - 1].group, table->commands[i].group) != 0);
}

/* "index add", or "backends" */
static void print_path(const cli_command *command, FILE *out)
{
    fprintf(out, "%s%s%s", command->group ? command->group : "", command->group ? " " : "",
            command->name);
}

/* The arms of a case that turns "what is known so far" and the next word into what is known. */
static void print_steps(const cli_table *table, FILE *out)
{
    for (size_t i = 0; i < table->command_count; i++) {
        const cli_command *command = &table->commands[i];

        if (is_first_of_group(table, i))
            fprintf(out, "      ' %s') command='%s' ;;\n", command->group, command->group);
        fprintf(out, "      '%s %s') command='", command->group ? command->group : "",
                command->name);
        print_path(command, out);
        fputs("' ;;\n", out);
    }
}

/* The words that may follow a group, or nothing. */
static void print_words(const cli_table *table, const char *group, FILE *out)
{
    const char *blank = "";

    for (size_t i = 0; i < table->command_count; i++) {
        const cli_command *command = &table->commands[i];

        if (group ? !command->group || strcmp(command->group, group) != 0
                  : command->group && !is_first_of_group(table, i))
            continue;
        fprintf(out, "%s%s", blank, group || !command->group ? command->name : command->group);
        blank = " ";
    }
}

/* ---- bash ---- */

static void print_bash_options(const cli_table *table, const uint8_t *options, FILE *out)
{
    for (; options && *options != CLI_END; options++)
        fprintf(out, " --%s", table->options[*options].name);
}

static void print_bash_values(const cli_table *table, FILE *out)
{
    for (size_t i = 0; i < table->option_count; i++) {
        const cli_option *option = &table->options[i];

        if (option->kind == CLI_FLAG)
            continue;
        fprintf(out, "    --%s", option->name);
        if (option->letter)
            fprintf(out, "|-%c", option->letter);
        if (option->choices)
            fprintf(out, ") mapfile -t COMPREPLY < <(compgen -W '%s' -- \"$current\"); return ;;\n",
                    option->choices);
        else if (is_path(option) || is_directory(option))
            fprintf(out, ") mapfile -t COMPREPLY < <(compgen -%c -- \"$current\"); return ;;\n",
                    is_path(option) ? 'f' : 'd');
        else
            fputs(") return ;;\n", out);
    }
}

static void print_bash(const cli_table *table, FILE *out)
{
    fprintf(out,
            "# bash completion of %s; put it where bash-completion finds it, or source it\n"
            "_%s() {\n"
            "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
            "  local command='' words='' i\n"
            "  # bash takes --name=value for three words\n"
            "  if [[ $current == '=' ]]; then current=''\n"
            "  elif [[ $previous == '=' ]]; then previous=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
            "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
            "    case \"$command ${COMP_WORDS[i]}\" in\n",
            table->program, table->program);
    print_steps(table, out);
    fputs("    esac\n  done\n  case $previous in\n", out);
    print_bash_values(table, out);
    fputs("  esac\n  case $command in\n    '') words='", out);
    print_words(table, NULL, out);
    fputs(" --version' ;;\n", out);
    for (size_t i = 0; i < table->command_count; i++) {
        const cli_command *command = &table->commands[i];

        if (is_first_of_group(table, i)) {
            fprintf(out, "    '%s') words='", command->group);
            print_words(table, command->group, out);
            fputs("' ;;\n", out);
        }
        fputs("    '", out);
        print_path(command, out);
        fputs("') words='", out);
        fputs(command->choices ? command->choices : "", out);
        print_bash_options(table, command->options, out);
        fputs("' ;;\n", out);
    }
    fputs("  esac\n  if [[ $current == -* || $command == '' || $words != *--* ]]; then\n"
          "    mapfile -t COMPREPLY < <(compgen -W \"$words",
          out);
    print_bash_options(table, table->common, out);
    fprintf(out,
            " --help\" -- \"$current\")\n"
            "  else\n"
            "    mapfile -t COMPREPLY < <(compgen -W \"${words%%%%--*}\" -- \"$current\"\n"
            "      compgen -f -- \"$current\")\n"
            "  fi\n"
            "}\n"
            "complete -o filenames -o bashdefault -F _%s %s\n",
            table->program, table->program);
}

/* ---- zsh ---- */

static void print_zsh_options(const cli_table *table, const uint8_t *options, FILE *out)
{
    for (; options && *options != CLI_END; options++) {
        const cli_option *option = &table->options[*options];
        int is_many = option->kind == CLI_LIST || option->kind == CLI_FILES ||
                      option->kind == CLI_DIRECTORIES;

        for (int is_short = 0; is_short <= (option->letter != 0); is_short++) {
            fprintf(out, " \\\n        '%s", is_many ? "*" : "");
            if (is_short)
                fprintf(out, "-%c%s[", option->letter, option->kind == CLI_FLAG ? "" : "+");
            else
                fprintf(out, "--%s%s[", option->name, option->kind == CLI_FLAG ? "" : "=");
            print_quoted(option->help, 1, out);
            fputc(']', out);
            if (option->choices)
                fprintf(out, ":%s:(%s)", option->value, option->choices);
            else if (is_path(option))
                fprintf(out, ":%s:_files", option->value);
            else if (is_directory(option))
                fprintf(out, ":%s:_files -/", option->value);
            else if (option->kind != CLI_FLAG)
                fprintf(out, ":%s: ", option->value);
            fputc('\'', out);
        }
    }
}

static void print_zsh_described(const cli_table *table, const char *group, FILE *out)
{
    for (size_t i = 0; i < table->command_count; i++) {
        const cli_command *command = &table->commands[i];

        if (group ? !command->group || strcmp(command->group, group) != 0
                  : command->group && !is_first_of_group(table, i))
            continue;
        fprintf(out, "\n        '%s:",
                group || !command->group ? command->name : command->group);
        if (group || !command->group)
            print_quoted(command->summary, 1, out);
        else
            fprintf(out, "%s ...", command->group);
        fputc('\'', out);
    }
}

static void print_zsh(const cli_table *table, FILE *out)
{
    fprintf(out,
            "#compdef %s\n"
            "# put it as _%s into a directory of $fpath\n"
            "_%s() {\n"
            "  local command='' i\n"
            "  local -a described\n"
            "  for ((i = 2; i < CURRENT; i++)); do\n"
            "    case \"$command $words[i]\" in\n",
            table->program, table->program, table->program);
    print_steps(table, out);
    fputs("    esac\n  done\n  case $command in\n    '')\n      described=(", out);
    print_zsh_described(table, NULL, out);
    fputs(")\n      if [[ $words[CURRENT] == -* ]]; then\n        _arguments", out);
    print_zsh_options(table, table->common, out);
    fputs(" '--help[shows help]' '--version[shows the version]'\n"
          "      else\n        _describe command described\n      fi ;;\n",
          out);
    for (size_t i = 0; i < table->command_count; i++) {
        const cli_command *command = &table->commands[i];

        if (is_first_of_group(table, i)) {
            fprintf(out, "    '%s')\n      described=(", command->group);
            print_zsh_described(table, command->group, out);
            fputs(")\n      _describe command described ;;\n", out);
        }
        fputs("    '", out);
        print_path(command, out);
        fputs("')\n      _arguments -s -S", out);
        print_zsh_options(table, command->options, out);
        print_zsh_options(table, table->common, out);
        fputs(" \\\n        '(-h --help)'{-h,--help}'[shows help]'", out);
        if (command->choices)
            fprintf(out, " \\\n        '*:argument:(%s)' ;;\n", command->choices);
        else
            fputs(" \\\n        '*:argument:_files' ;;\n", out);
    }
    fprintf(out, "  esac\n}\n_%s \"$@\"\n", table->program);
}

/* ---- fish ---- */

static void print_fish_options(const cli_table *table, const uint8_t *options,
                               const cli_command *command, FILE *out)
{
    for (; options && *options != CLI_END; options++) {
        const cli_option *option = &table->options[*options];

        fprintf(out, "complete -c %s", table->program);
        if (command) {
            fprintf(out, " -n \"__%s_at '", table->program);
            print_path(command, out);
            fputs("'\"", out);
        }
        fprintf(out, " -l %s", option->name);
        if (option->letter)
            fprintf(out, " -s %c", option->letter);
        if (option->choices)
            fprintf(out, " -x -a '%s'", option->choices);
        else if (is_path(option))
            fputs(" -r -F", out);
        else if (is_directory(option))
            fputs(" -x -a '(__fish_complete_directories)'", out);
        else if (option->kind != CLI_FLAG)
            fputs(" -x", out);
        fputs(" -d '", out);
        print_quoted(option->help, 0, out);
        fputs("'\n", out);
    }
}

static void print_fish(const cli_table *table, FILE *out)
{
    fprintf(out,
            "# fish completion of %s; put it into ~/.config/fish/completions\n"
            "function __%s_at\n"
            "  set -l command ''\n"
            "  for word in (commandline -opc)[2..-1]\n"
            "    switch \"$command $word\"\n",
            table->program, table->program);
    for (size_t i = 0; i < table->command_count; i++) {
        const cli_command *command = &table->commands[i];

        if (is_first_of_group(table, i))
            fprintf(out, "      case ' %s'; set command '%s'\n", command->group, command->group);
        fprintf(out, "      case '%s %s'; set command '", command->group ? command->group : "",
                command->name);
        print_path(command, out);
        fputs("'\n", out);
    }
    fputs("    end\n  end\n  test \"$command\" = \"$argv[1]\"\nend\n", out);
    for (size_t i = 0; i < table->command_count; i++) {
        const cli_command *command = &table->commands[i];

        if (is_first_of_group(table, i))
            fprintf(out, "complete -c %s -f -n \"__%s_at ''\" -a %s -d '%s ...'\n", table->program,
                    table->program, command->group, command->group);
        fprintf(out, "complete -c %s -f -n \"__%s_at '%s'\" -a %s -d '", table->program,
                table->program, command->group ? command->group : "", command->name);
        print_quoted(command->summary, 0, out);
        fputs("'\n", out);
        if (command->choices) {
            fprintf(out, "complete -c %s -f -n \"__%s_at '", table->program, table->program);
            print_path(command, out);
            fprintf(out, "'\" -a '%s'\n", command->choices);
        }
        print_fish_options(table, command->options, command, out);
    }
    print_fish_options(table, table->common, NULL, out);
    fprintf(out, "complete -c %s -l help -s h -d 'shows help'\n", table->program);
}

int cli_completion(const cli_table *table, const char *shell, FILE *out)
{
    if (strcmp(shell, "bash") == 0)
        print_bash(table, out);
    else if (strcmp(shell, "zsh") == 0)
        print_zsh(table, out);
    else if (strcmp(shell, "fish") == 0)
        print_fish(table, out);
    else
        return -1;
    return 0;
}
