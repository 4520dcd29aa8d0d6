/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "exit.h"

/* A mapped file that becomes shorter while it is read. */
static void on_bus_error(int number)
{
    static const char message[] = "simplugin: an input file was cut off while it was read\n";

    (void)number;
    _exit(write(STDERR_FILENO, message, sizeof(message) - 1) < 0 ? CLI_EXIT_FAILURE
                                                                  : cli_exit_status(SIMPLUGIN_IO));
}

/*
 * Where a standard stream is closed, a file opened later must not take its place. The one
 * put there cannot be written, so that output that gets lost is noticed.
 */
static void fill_standard_streams(void)
{
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) < 0)
            _exit(CLI_EXIT_FAILURE);
}

static int32_t run(cli *program)
{
    const cli_table *table = program->table;

    if (program->parsed.wants_version)
        fprintf(program->out, "%s %s\n", table->program, table->version);
    else if (program->parsed.wants_help)
        cli_help(table, &program->parsed, program->out);
    else
        return program->parsed.command->run(program);
    return SIMPLUGIN_OK;
}

int main(int argc, char **argv)
{
    cli program = {.table = &cli_commands, .out = stdout};
    int32_t code;
    int status;

    fill_standard_streams();
    signal(SIGBUS, on_bus_error);
    if (cli_parse(program.table, argc, argv, &program.parsed) != 0) {
        cli_fail_usage(&program, "%s", program.parsed.problem);
        if (program.parsed.command)
            cli_usage(program.table, program.parsed.command, stderr);
        cli_parsed_clear(&program.parsed);
        return CLI_EXIT_USAGE;
    }
    code = cli_interrupt_start(&program.cancel);
    code = code == SIMPLUGIN_OK ? run(&program)
                                : cli_fail(&program, code, "cannot get ready: %s",
                                           simplugin_code_name(code));
    cli_progress_clear(&program.progress);
    if (program.session)
        simplugin_close(program.session, NULL);
    if ((fflush(program.out) != 0 || ferror(program.out)) && code == SIMPLUGIN_OK)
        code = cli_fail(&program, errno == ENOSPC ? SIMPLUGIN_NO_SPACE : SIMPLUGIN_IO,
                        "cannot write the output: %s", strerror(errno));
    status = code == CLI_USAGE ? CLI_EXIT_USAGE : cli_exit_status(code);
    if (code == SIMPLUGIN_CANCELLED && cli_interrupt_signal())
        status = cli_interrupt_signal() == SIGTERM ? CLI_EXIT_TERMINATED : CLI_EXIT_INTERRUPTED;
    cli_parsed_clear(&program.parsed);
    return status;
}
