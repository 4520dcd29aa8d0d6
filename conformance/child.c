/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "run.h"
#include "simplugin/envelope.h"

#define SECONDS_DEFAULT 60
/* How long the kernel may take to end a process that was killed. */
#define SECONDS_TO_DIE 10

/* Only so that it interrupts a wait. */
static void child_ended(int number)
{
    (void)number;
}

void conf_signals_block(void)
{
    struct sigaction action;
    sigset_t signals;

    memset(&action, 0, sizeof action);
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    action.sa_handler = child_ended;
    sigaction(SIGCHLD, &action, NULL);
}

int conf_interrupted(void)
{
    sigset_t pending;

    sigpending(&pending);
    return sigismember(&pending, SIGINT)    ? SIGINT
           : sigismember(&pending, SIGTERM) ? SIGTERM
           : sigismember(&pending, SIGHUP)  ? SIGHUP
                                            : 0;
}

void conf_wait(struct pollfd *fds, nfds_t count)
{
    /* for deadlines, signals, and a process that has left its descriptors to another */
    static const struct timespec soon = {0, 50000000};
    sigset_t mask;

    sigprocmask(SIG_SETMASK, NULL, &mask);
    sigdelset(&mask, SIGCHLD);
    ppoll(fds, count, &soon, &mask);
}

int64_t conf_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void conf_outcome_clear(conf_outcome *outcome)
{
    free(outcome->reason);
    free(outcome->request);
    free(outcome->output);
    memset(outcome, 0, sizeof *outcome);
}

/* ---- in the child ---------------------------------------------------------------------------- */

/* The parent waits for signals and has them blocked. */
static void signals_unblock(void)
{
    sigset_t none;

    signal(SIGCHLD, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void child_main(const conf_target *target, const conf_check *check, const char *directory,
                       int says, int output, pid_t parent)
{
    conf_run run = {.target = target, .check = check, .directory = directory, .socket = says,
                    .lock = PTHREAD_MUTEX_INITIALIZER};
    struct rlimit no_core = {0, 0};
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

    setpgid(0, 0);
    /* so that nothing stays if the parent is killed */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    signals_unblock();
    setrlimit(RLIMIT_CORE, &no_core);
    dup2(nothing, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    if (output > STDERR_FILENO)
        close(output);
    setvbuf(stdout, NULL, _IOLBF, 0);
    setenv("TMPDIR", directory, 1);
    conf_run_check(&run);
    exit(0);
}

/* ---- in the parent --------------------------------------------------------------------------- */

static void close_if_open(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

int conf_child_start(conf_child *child, const conf_target *target, const conf_check *check,
                     const char *directory, unsigned int seconds)
{
    int says[2] = {-1, -1}, output[2] = {-1, -1}, problem = 0;
    pid_t parent = getpid();

    memset(child, 0, sizeof *child);
    child->says = child->output = -1;
    child->seconds = seconds ? seconds : check->seconds ? check->seconds : SECONDS_DEFAULT;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, says) != 0 ||
        pipe2(output, O_CLOEXEC) != 0)
        goto fail;
    /* what is still in the buffers would be written by both */
    fflush(NULL);
    child->began = conf_now();
    child->pid = fork();
    if (child->pid < 0)
        goto fail;
    if (child->pid == 0) {
        close(says[0]);
        close(output[0]);
        child_main(target, check, directory, says[1], output[1], parent);
    }
    /* here too, so that it can be killed as a group from now on */
    setpgid(child->pid, child->pid);
    close(says[1]);
    close(output[1]);
    child->says = says[0];
    child->output = output[0];
    fcntl(child->says, F_SETFL, O_NONBLOCK);
    fcntl(child->output, F_SETFL, O_NONBLOCK);
    child->deadline = child->began + (int64_t)child->seconds * 1000000000;
    return 1;

fail:
    problem = errno;
    child->pid = 0;
    for (int i = 0; i < 2; i++) {
        close_if_open(&says[i]);
        close_if_open(&output[i]);
    }
    errno = problem;
    return 0;
}

static void record_take(conf_child *child, char kind, const char *text)
{
    json_t *found;

    switch (kind) {
    case CONF_SAYS_FAIL:
        child->failed = 1;
        free(child->reason);
        child->reason = strdup(text);
        break;
    case CONF_SAYS_SKIP:
        child->skipped = 1;
        if (!child->reason)
            child->reason = strdup(text);
        break;
    case CONF_SAYS_ASKS:
        free(child->request);
        child->request = strdup(text);
        break;
    case CONF_SAYS_FOUND:
        found = json_loads(text, JSON_ALLOW_NUL, NULL);
        if (!child->found)
            child->found = json_object();
        json_object_update(child->found, found);
        json_decref(found);
        break;
    case CONF_SAYS_END: child->returned = 1; break;
    default: break;
    }
}

static void says_read(conf_child *child)
{
    static char record[CONF_RECORD_MAX + 1];
    ssize_t size;

    while (child->says >= 0) {
        size = recv(child->says, record, CONF_RECORD_MAX, 0);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        if (size <= 0) {
            close_if_open(&child->says);
            return;
        }
        record[size] = 0;
        record_take(child, record[0], record + 1);
    }
}

static void output_read(conf_child *child)
{
    char part[4096];
    ssize_t size;

    while (child->output >= 0) {
        size = read(child->output, part, sizeof part);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        if (size <= 0) {
            close_if_open(&child->output);
            return;
        }
        for (ssize_t i = 0; i < size; i++)
            child->tail[child->written++ % sizeof child->tail] = part[i];
    }
}

void conf_child_read(conf_child *child)
{
    says_read(child);
    output_read(child);
}

void conf_child_kill(conf_child *child)
{
    if (child->pid > 0) {
        child->killed = 1;
        child->deadline = conf_now() + (int64_t)SECONDS_TO_DIE * 1000000000;
        kill(-child->pid, SIGKILL);
        kill(child->pid, SIGKILL);
    }
}

/* The end of the output: whole lines if there are several, nothing that a terminal obeys. */
static char *output_text(const conf_child *child)
{
    uint64_t size = child->written < sizeof child->tail ? child->written : sizeof child->tail;
    uint64_t first = child->written - size;
    char *text = malloc((size_t)size + 1), *line;

    if (!text || size == 0) {
        free(text);
        return NULL;
    }
    for (uint64_t i = 0; i < size; i++) {
        char c = child->tail[(first + i) % sizeof child->tail];
        text[i] = c == '\n' || c == '\t' || (unsigned char)c >= 0x20 ? c : '?';
        if (c == 0x7f)
            text[i] = '?';
    }
    text[size] = 0;
    if (!simplugin_utf8_check((const uint8_t *)text, size))
        for (uint64_t i = 0; i < size; i++)
            text[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
    line = first ? strchr(text, '\n') : NULL;
    if (line && line[1])
        memmove(text, line + 1, strlen(line));
    return text;
}

static char *joined(const char *a, const char *between, const char *b)
{
    char *text = NULL;

    if (asprintf(&text, "%s%s%s", a, between, b) < 0)
        abort();
    return text;
}

/* How a process ended that should not have ended like that; NULL if it did as it should. */
static char *ending(const conf_child *child, const siginfo_t *info)
{
    char *text = NULL;
    const char *when = child->returned ? "at its exit, after the check" : "in the check";
    int size = 0;

    if (child->killed)
        size = asprintf(&text, "out of time: not done after %u s", child->seconds);
    else if (info->si_code != CLD_EXITED)
        size = asprintf(&text, "the process crashed %s: SIG%s (%s)", when,
                        sigabbrev_np(info->si_status) ? sigabbrev_np(info->si_status) : "?",
                        strsignal(info->si_status));
    else if (!child->returned || info->si_status != 0)
        size = asprintf(&text, "the process exited %s, with status %d", when, info->si_status);
    if (size < 0)
        abort();
    return text;
}

static void outcome_take(conf_child *child, const siginfo_t *info, conf_outcome *outcome)
{
    char *end = ending(child, info);

    memset(outcome, 0, sizeof *outcome);
    outcome->seconds = (double)(conf_now() - child->began) / 1e9;
    outcome->state = child->failed || end ? CONF_FAILED
                     : child->skipped     ? CONF_SKIPPED
                                          : CONF_PASSED;
    if (child->failed && end)
        outcome->reason = joined(child->reason ? child->reason : "?", "; then ", end);
    else
        outcome->reason = strdup(end ? end : child->reason ? child->reason : "");
    outcome->request = child->request;
    outcome->output = output_text(child);
    child->request = NULL;
    free(end);
}

int conf_child_reap(conf_child *child, conf_outcome *outcome, json_t **found)
{
    siginfo_t info;
    int lost;

    memset(&info, 0, sizeof info);
    conf_child_read(child);
    if (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
        info.si_pid = child->pid;
    lost = child->killed && conf_now() > child->deadline;
    if (info.si_pid == 0 && !lost)
        return 0;
    /* while its number cannot be another's yet: what it has left behind */
    kill(-child->pid, SIGKILL);
    if (!lost)
        waitid(P_PID, (id_t)child->pid, &info, WEXITED);
    conf_child_read(child);
    outcome_take(child, &info, outcome);
    if (found)
        *found = child->found;
    else
        json_decref(child->found);
    close_if_open(&child->says);
    close_if_open(&child->output);
    free(child->reason);
    child->reason = NULL;
    child->found = NULL;
    child->pid = 0;
    return 1;
}

void conf_child_once(const conf_target *target, const conf_check *check, const char *directory,
                     conf_outcome *outcome, json_t **found)
{
    conf_child *child = calloc(1, sizeof *child);

    *found = NULL;
    memset(outcome, 0, sizeof *outcome);
    if (!child)
        abort();
    if (!conf_child_start(child, target, check, directory, 0)) {
        outcome->state = CONF_FAILED;
        outcome->reason = joined("cannot start a process: ", strerror(errno), "");
        free(child);
        return;
    }
    while (!conf_child_reap(child, outcome, found)) {
        struct pollfd fds[] = {{.fd = child->says, .events = POLLIN},
                               {.fd = child->output, .events = POLLIN}};
        conf_wait(fds, 2);
        if (!child->killed && (conf_now() > child->deadline || conf_interrupted()))
            conf_child_kill(child);
    }
    free(child);
}
