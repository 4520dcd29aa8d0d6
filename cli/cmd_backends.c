/* SPDX-License-Identifier: Apache-2.0 */
/* simplugin backends: each plugin is asked what it is by a child, which may crash. */
#include "config.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

#define PATIENCE 10.0 /* seconds that a plugin may take to say what it is, without --timeout */

/* What a child says: code, version, metrics and message, a line each; and how it ended. */
typedef struct probe_answer {
    char text[4096];
    size_t size;
    int is_late;
    int status; /* of waitpid */
} probe_answer;

static void write_line(FILE *out, const char *text, uint64_t size)
{
    cli_print_text(out, text, size);
    fputc('\n', out);
}

/* In the child: writes code, version, metrics and message, a line each. */
static void answer(cli *program, const simplugin_value *name, FILE *out)
{
    simplugin_reply reply = {.size = sizeof(reply)};
    simplugin_error *error = NULL;
    simplugin_value body = {0}, metrics, metric;
    simplugin_iter iter;
    simplugin_request request;
    const uint8_t *at;
    const char *version = "", *separator = "";
    uint64_t size = 0;
    cli_body asked;
    int32_t code;

    cli_body_init(&asked);
    simplugin_write_text(cli_body_key(&asked, "backend"), (const char *)name->data, name->size);
    simplugin_write_end(&asked.writer, asked.position, asked.count);
    request = simplugin_writer_request(&asked.writer);
    code = simplugin_call(program->session, "backends.describe", strlen("backends.describe"),
                          &request, NULL, &reply, &error);
    fprintf(out, "%d\n", (int)code);
    at = reply.body;
    if (reply.body_size)
        simplugin_read(&at, at + reply.body_size, &body);
    simplugin_find_text(&body, "version", &version, &size);
    write_line(out, version, size);
    if (simplugin_find(&body, "metrics", &metrics)) {
        iter = simplugin_iterate(&metrics);
        while (simplugin_next(&iter, &metric) && metric.type == SIMPLUGIN_TEXT) {
            fputs(separator, out);
            separator = " ";
            cli_print_text(out, (const char *)metric.data, metric.size);
        }
    }
    fputc('\n', out);
    write_line(out, simplugin_error_message(error, NULL),
               strlen(simplugin_error_message(error, NULL)));
}

static int64_t milliseconds(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Reads what the child writes until it ends, or time is up. */
static int32_t listen_to(int fd, double patience, probe_answer *probe)
{
    int64_t end = milliseconds() + (int64_t)(patience * 1000);
    struct pollfd fds[2] = {{fd, POLLIN, 0}, {cli_interrupt_fd(), POLLIN, 0}};

    for (;;) {
        int64_t left = end - milliseconds();
        ssize_t count;

        if (left <= 0) {
            probe->is_late = 1;
            return SIMPLUGIN_OK;
        }
        if (poll(fds, 2, (int)left) <= 0)
            continue;
        if (fds[1].revents)
            return SIMPLUGIN_CANCELLED;
        count = read(fd, probe->text + probe->size, sizeof(probe->text) - 1 - probe->size);
        if (count <= 0 || probe->size + (size_t)count == sizeof(probe->text) - 1)
            return SIMPLUGIN_OK;
        probe->size += (size_t)count;
    }
}

static double patience(const cli *program)
{
    double seconds = program->parsed.values[OPT_TIMEOUT].real;

    return cli_has(program, OPT_TIMEOUT) && seconds > 0 && seconds < 1e6 ? seconds : PATIENCE;
}

static int32_t ask(cli *program, const simplugin_value *name, probe_answer *probe)
{
    int fds[2];
    pid_t child;
    int32_t code;

    memset(probe, 0, sizeof(*probe));
    if (pipe(fds) != 0)
        return cli_fail(program, SIMPLUGIN_RESOURCE_EXHAUSTED, "cannot make a pipe");
    fflush(program->out);
    fflush(stderr);
    child = fork();
    if (child == 0) {
        FILE *out = fdopen(fds[1], "w");

        cli_interrupt_forget();
        close(fds[0]);
        if (out) {
            answer(program, name, out);
            fclose(out);
        }
        /* no destructor of the plugin's is of interest */
        _exit(0);
    }
    close(fds[1]);
    if (child < 0) {
        close(fds[0]);
        return cli_fail(program, SIMPLUGIN_RESOURCE_EXHAUSTED, "cannot start a process");
    }
    code = listen_to(fds[0], patience(program), probe);
    close(fds[0]);
    if (code != SIMPLUGIN_OK || probe->is_late)
        kill(child, SIGKILL);
    waitpid(child, &probe->status, 0);
    return code == SIMPLUGIN_OK ? code : cli_fail(program, code, "interrupted");
}

/* Parts the child's lines. Fills code and message where it did not say them itself. */
static void understand(probe_answer *probe, int32_t *code, const char *fields[3], char problem[256])
{
    char *at = probe->text;
    int lines = 0;

    fields[0] = fields[1] = fields[2] = "";
    *code = SIMPLUGIN_INTERNAL;
    while (lines < 4 && *at) {
        char *newline = strchr(at, '\n');

        if (!newline)
            break;
        *newline = '\0';
        if (lines == 0)
            sscanf(at, "%d", code);
        else
            fields[lines - 1] = at;
        at = newline + 1;
        lines++;
    }
    if (lines == 4)
        return;
    *code = SIMPLUGIN_PLUGIN_ENTRY_FAILED;
    fields[0] = fields[1] = "";
    if (probe->is_late)
        snprintf(problem, 256, "hangs in its entry");
    else if (WIFSIGNALED(probe->status))
        snprintf(problem, 256, "crashed with signal %d (%s) in its entry", WTERMSIG(probe->status),
                 strsignal(WTERMSIG(probe->status)));
    else
        snprintf(problem, 256, "ended the process with status %d in its entry",
                 WEXITSTATUS(probe->status));
    fields[2] = problem;
}

static void print_json(FILE *out, const simplugin_value *entry, int32_t code,
                       const char *const fields[3], int is_probed)
{
    static const char *const keys[] = {"name", "origin", "file"};
    const char *text, *words;
    char word[64];
    uint64_t size;

    fputc('{', out);
    for (int i = 0; i < 3; i++) {
        text = "";
        size = 0;
        simplugin_find_text(entry, keys[i], &text, &size);
        fprintf(out, "%s\"%s\": ", i ? ", " : "", keys[i]);
        cli_json_text(out, text, size);
    }
    if (is_probed && code == SIMPLUGIN_OK) {
        fputs(", \"version\": ", out);
        cli_json_text(out, fields[0], strlen(fields[0]));
        fputs(", \"metrics\": [", out);
        words = fields[1];
        for (int i = 0; cli_next_word(&words, word, sizeof(word)); i++) {
            fputs(i ? ", " : "", out);
            cli_json_text(out, word, strlen(word));
        }
        fputc(']', out);
    } else if (is_probed) {
        fprintf(out, ", \"error\": {\"code\": \"%s\", \"message\": ", simplugin_code_name(code));
        cli_json_text(out, fields[2], strlen(fields[2]));
        fputc('}', out);
    }
    fputc('}', out);
}

static void add_cells(cli_cells *cells, const simplugin_value *entry, const char *chosen,
                      uint64_t chosen_size, int32_t code, const char *const fields[3])
{
    const char *name = "", *text = "";
    uint64_t size = 0, name_size = 0;

    simplugin_find_text(entry, "name", &name, &name_size);
    cli_cells_addf(cells, "%.*s%s", (int)name_size, name,
                   name_size == chosen_size && memcmp(name, chosen, (size_t)name_size) == 0 ? " *"
                                                                                            : "");
    cli_cells_add(cells, fields[0], strlen(fields[0]));
    simplugin_find_text(entry, "origin", &text, &size);
    cli_cells_add(cells, text, size);
    text = "";
    size = 0;
    simplugin_find_text(entry, "file", &text, &size);
    cli_cells_add(cells, text, size);
    if (code == SIMPLUGIN_OK)
        cli_cells_add(cells, fields[1], strlen(fields[1]));
    else
        cli_cells_addf(cells, "%s (%s)", fields[2], simplugin_code_name(code));
}

int32_t cli_backends(cli *program)
{
    int is_probed = !cli_has(program, OPT_NO_PROBE);
    simplugin_value list, entry, name;
    const char *chosen = "";
    uint64_t chosen_size = 0;
    simplugin_iter iter;
    cli_cells cells;
    cli_reply reply;
    const char *separator = "";
    int32_t code = cli_open_session(program);

    if (code != SIMPLUGIN_OK)
        return code;
    cli_cells_init(&cells, "NAME VERSION ORIGIN FILE METRICS", 0);
    code = cli_call(program, program->session, "backends.list", NULL, &reply);
    if (cli_is_json(program) && code == SIMPLUGIN_OK)
        fputs("{\"backends\": [", program->out);
    simplugin_find_text(&reply.body, "default", &chosen, &chosen_size);
    simplugin_find(&reply.body, "backends", &list);
    iter = simplugin_iterate(&list);
    while (code == SIMPLUGIN_OK && simplugin_next(&iter, &entry)) {
        const char *fields[3] = {"", "", ""};
        int32_t outcome = SIMPLUGIN_OK;
        char problem[256];
        probe_answer probed;

        if (!simplugin_find(&entry, "name", &name))
            continue;
        if (is_probed) {
            code = ask(program, &name, &probed);
            understand(&probed, &outcome, fields, problem);
        }
        if (code != SIMPLUGIN_OK)
            break;
        if (cli_is_json(program)) {
            fputs(separator, program->out);
            separator = ", ";
            print_json(program->out, &entry, outcome, fields, is_probed);
        } else {
            add_cells(&cells, &entry, chosen, chosen_size, outcome, fields);
        }
    }
    if (cli_is_json(program) && code == SIMPLUGIN_OK) {
        fputs("], \"default\": ", program->out);
        cli_json_text(program->out, chosen, chosen_size);
        fputs("}\n", program->out);
    } else if (code == SIMPLUGIN_OK && cells.count == cells.columns) {
        fprintf(stderr, "no plugin was found; `simplugin explain` says where they are looked for\n");
    } else if (code == SIMPLUGIN_OK) {
        code = cli_cells_print(&cells, program->out);
    }
    cli_cells_clear(&cells);
    cli_reply_clear(&reply);
    return code;
}
