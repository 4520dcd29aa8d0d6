/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cli/commands.h"
#include "cli/exit.h"
#include "simplugin.h"
#include "unit.h"

static cli_parsed parsed;

/* Parses words parted by blanks, "" for the program's own name put before. */
static int parse(const char *line)
{
    static char copy[1024];
    static char program[] = "simplugin";
    static char *argv[64];
    int argc = 1;

    cli_parsed_clear(&parsed);
    argv[0] = program;
    snprintf(copy, sizeof(copy), "%s", line);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    return cli_parse(&cli_commands, argc, argv, &parsed);
}

static int fails(const char *line, const char *part)
{
    int is_right = parse(line) != 0 && strstr(parsed.problem, part) && !strchr(parsed.problem, '\n');

    if (!is_right)
        fprintf(stderr, "\n%s: \"%s\" instead of \"%s\"\n", line, parsed.problem, part);
    return is_right;
}

static void test_commands(void)
{
    CU_ASSERT_EQUAL_FATAL(parse("index add k a.npy b.npy"), 0);
    CU_ASSERT_PTR_EQUAL(parsed.command->run, cli_index_add);
    CU_ASSERT_EQUAL(parsed.argument_count, 3);
    CU_ASSERT_STRING_EQUAL(parsed.arguments[2], "b.npy");
    CU_ASSERT_EQUAL_FATAL(parse("--json runs list"), 0);
    CU_ASSERT_PTR_EQUAL(parsed.command->run, cli_runs_list);
    CU_ASSERT(parsed.values[OPT_JSON].is_set);
    CU_ASSERT(fails("", "which command?"));
    CU_ASSERT(fails("index", "simplugin index --help"));
    CU_ASSERT(fails("indx", "did you mean index?"));
    CU_ASSERT(fails("index serch", "did you mean search?"));
    CU_ASSERT(fails("backends x", "one argument too many"));
    CU_ASSERT(fails("runs rename a", "KEY NEW_KEY"));
    CU_ASSERT(fails("completion tcsh", "bash zsh fish"));
    CU_ASSERT(fails("a\nb\x1b[31m", "a?b?[31m"));
}

static void test_options(void)
{
    CU_ASSERT_EQUAL_FATAL(parse("index search k -k5 --metric=x id --fields a,b -p a=1 --param b=2"),
                          -1); /* --metric belongs to create */
    CU_ASSERT_EQUAL_FATAL(parse("index search k -k5 id --fields a,b -p a=1 --param b=2 -qk 6"), 0);
    CU_ASSERT_EQUAL(parsed.values[OPT_K].number, 6);
    CU_ASSERT_EQUAL(parsed.values[OPT_PARAM].count, 2);
    CU_ASSERT_STRING_EQUAL(parsed.values[OPT_PARAM].list[1], "b=2");
    CU_ASSERT_STRING_EQUAL(parsed.values[OPT_FIELDS].text, "a,b");
    CU_ASSERT(parsed.values[OPT_QUIET].is_set);
    CU_ASSERT_FALSE(parsed.values[OPT_REVERSE].is_set);
    CU_ASSERT_EQUAL(parse("index search k --min-score=-0.5 -- --json -k"), 0);
    CU_ASSERT_EQUAL(parsed.values[OPT_MIN_SCORE].real, -0.5);
    CU_ASSERT_FALSE(parsed.values[OPT_JSON].is_set);
    CU_ASSERT_STRING_EQUAL(parsed.arguments[1], "--json");
    CU_ASSERT_EQUAL(parse("index add k -"), 0);
    CU_ASSERT_STRING_EQUAL(parsed.arguments[1], "-");
    CU_ASSERT_EQUAL(parse("index search k -1"), 0);
    CU_ASSERT_STRING_EQUAL(parsed.arguments[1], "-1");
    CU_ASSERT(fails("index search k --filtr x", "did you mean --filter?"));
    CU_ASSERT(fails("index search k --metric x", "of index search"));
    CU_ASSERT(fails("index search k -z", "-z"));
    CU_ASSERT(fails("index search k -k", "needs a value: N"));
    CU_ASSERT(fails("index search k -k x", "whole number"));
    CU_ASSERT(fails("index search k -k 99999999999999999999", "whole number"));
    CU_ASSERT(fails("index search k --mmr nan", "takes a number"));
    CU_ASSERT(fails("index search k --reverse=1", "takes no value"));
    CU_ASSERT(fails("index search k --aggregation max", "post-mean"));
}

/* What print writes, malloc'd. */
static char *printed(void (*print)(FILE *out))
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    print(out);
    fclose(out);
    return text;
}

static void print_help(FILE *out)
{
    cli_help(&cli_commands, &parsed, out);
}

static void test_help(void)
{
    char line[128];
    char *text;

    for (size_t i = 0; i <= cli_commands.command_count; i++) {
        if (i < cli_commands.command_count) {
            const cli_command *command = &cli_commands.commands[i];

            snprintf(line, sizeof(line), "%s %s --help", command->group ? command->group : "",
                     command->name);
        } else {
            strcpy(line, "--help");
        }
        CU_ASSERT_EQUAL_FATAL(parse(line), 0);
        CU_ASSERT(parsed.wants_help);
        text = printed(print_help);
        CU_ASSERT_PTR_NOT_NULL(strstr(text, "usage: simplugin "));
        for (const char *at = text; *at; at += strcspn(at, "\n") + 1) {
            if (strcspn(at, "\n") > 79)
                fprintf(stderr, "\ntoo wide: %.*s\n", (int)strcspn(at, "\n"), at);
            CU_ASSERT(strcspn(at, "\n") <= 79);
        }
        for (const uint8_t *option = i < cli_commands.command_count
                                         ? cli_commands.commands[i].options
                                         : cli_commands.common;
             *option != CLI_END; option++) {
            snprintf(line, sizeof(line), "--%s", cli_commands.options[*option].name);
            CU_ASSERT_PTR_NOT_NULL(strstr(text, line));
        }
        free(text);
    }
    CU_ASSERT_EQUAL(parse("--version"), 0);
    CU_ASSERT(parsed.wants_version);
}

/* Each option of the table belongs to a command, and no two of one share a name or letter. */
static void test_table(void)
{
    int uses[OPT_COUNT] = {0};

    for (size_t i = 0; i < OPT_COUNT; i++) {
        const cli_option *option = &cli_commands.options[i];

        CU_ASSERT_PTR_NOT_NULL_FATAL(option->name);
        CU_ASSERT_PTR_NOT_NULL_FATAL(option->help);
        CU_ASSERT_EQUAL(option->kind == CLI_FLAG, option->value == NULL);
        CU_ASSERT_EQUAL(option->kind == CLI_CHOICE, option->choices != NULL);
        CU_ASSERT_NOT_EQUAL(option->help[strlen(option->help) - 1], '.');
        CU_ASSERT_NOT_EQUAL(option->letter, 'h');
        for (size_t j = 0; j < i; j++) {
            CU_ASSERT_STRING_NOT_EQUAL(option->name, cli_commands.options[j].name);
            CU_ASSERT(!option->letter || option->letter != cli_commands.options[j].letter);
        }
    }
    for (size_t i = 0; i < cli_commands.command_count; i++)
        for (const uint8_t *option = cli_commands.commands[i].options; *option != CLI_END; option++)
            uses[*option]++;
    for (const uint8_t *option = cli_commands.common; *option != CLI_END; option++)
        uses[*option]++;
    for (size_t i = 0; i < OPT_COUNT; i++)
        CU_ASSERT(uses[i] > 0);
}

static const char *shell;

static void print_completion(FILE *out)
{
    CU_ASSERT_EQUAL(cli_completion(&cli_commands, shell, out), 0);
}

static void test_completion(void)
{
    static const char *const shells[] = {"bash", "zsh", "fish"};

    for (size_t i = 0; i < 3; i++) {
        char *text;

        shell = shells[i];
        text = printed(print_completion);
        for (size_t j = 0; j < cli_commands.command_count; j++)
            CU_ASSERT_PTR_NOT_NULL(strstr(text, cli_commands.commands[j].name));
        for (size_t j = 0; j < OPT_COUNT; j++)
            CU_ASSERT_PTR_NOT_NULL(strstr(text, cli_commands.options[j].name));
        free(text);
    }
    CU_ASSERT_NOT_EQUAL(cli_completion(&cli_commands, "tcsh", stderr), 0);
}

static void test_exit_statuses(void)
{
    int seen[256] = {0};

    CU_ASSERT_EQUAL(cli_exit_status(SIMPLUGIN_OK), 0);
    CU_ASSERT_EQUAL(cli_exit_status(-1), CLI_EXIT_FAILURE);
    for (int32_t code = 1; code < 100; code++) {
        int status = cli_exit_status(code);

        if (strcmp(simplugin_code_name(code), "UNKNOWN") == 0) {
            CU_ASSERT_EQUAL(status, CLI_EXIT_FAILURE);
            continue;
        }
        /* one for each code, none of a shell's or of this program's own */
        CU_ASSERT(status > CLI_EXIT_USAGE && status < 126);
        CU_ASSERT_EQUAL(seen[status]++, 0);
    }
}

int main(void)
{
    static const unit_case cases[] = {
        UNIT_CASE(test_commands, "commands and their arguments"),
        UNIT_CASE(test_options, "options: long, short, joined, wrong"),
        UNIT_CASE(test_table, "the tables are consistent"),
        UNIT_CASE(test_help, "help of every command names its options in 79 columns"),
        UNIT_CASE(test_completion, "completion for three shells knows every command and option"),
        UNIT_CASE(test_exit_statuses, "each code has an exit status of its own"),
    };
    int result = unit_run("cli options", cases, sizeof(cases) / sizeof(cases[0]));

    cli_parsed_clear(&parsed);
    return result;
}
