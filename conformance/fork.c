/* SPDX-License-Identifier: Apache-2.0 */
/* A process that is forked while a backend is open, as programs in other languages do. */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rig.h"
#include "sanitized.h"

/* The sanitizers' own locks may be taken then. */
#define FORKS_AMID_CALLS (CONF_IS_SANITIZED ? 0 : 8)

/* What the child may take, and then some for its being started. */
#define CHILD_SECONDS 2
#define WAIT_SECONDS 4

/* Waits for the child; -1 if it had to be killed, else as waitpid says. */
static int child_wait(pid_t pid)
{
    int64_t until = conf_in(WAIT_SECONDS);
    struct timespec moment = {0, 2000000};
    int status = 0;

    for (;;) {
        pid_t got = waitpid(pid, &status, WNOHANG);

        if (got == pid)
            return status;
        if (got < 0 && errno != EINTR)
            abort();
        if (conf_clock() > until)
            break;
        nanosleep(&moment, NULL);
    }
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return -1;
}

/* Forks, lets the child do it, and fails the check where it hangs, crashes or answers otherwise. */
static int forked(conf_rig *rig, const char *when, const char *what, int (*in_child)(conf_rig *rig))
{
    pid_t pid = fork();
    int status;

    if (pid < 0)
        abort();
    if (pid == 0)
        _exit(in_child(rig));
    status = child_wait(pid);
    if (status == -1)
        conf_fail(rig->run,
                  "%s in a child that was forked %s does not end within %d s: answer FORKED, or "
                  "work",
                  what, when, WAIT_SECONDS);
    else if (WIFSIGNALED(status))
        conf_fail(rig->run, "%s in a child that was forked %s crashes: SIG%s", what, when,
                  sigabbrev_np(WTERMSIG(status)));
    else if (WEXITSTATUS(status))
        conf_fail(rig->run,
                  "%s in a child that was forked %s answers %s; FORKED (or OK) was expected", what,
                  when, simplugin_code_name(WEXITSTATUS(status)));
    return status == 0;
}

/* The name of a collection that was made before. */
static const char *made(const conf_rig *rig)
{
    return json_string_value(json_array_get(rig->made, 0));
}

static int child_calls(conf_rig *rig)
{
    static const char *const methods[] = {"health", "collection.list", "points.count"};

    rig->quiet = 1;
    for (size_t i = 0; i < 3; i++) {
        conf_answer answer;
        int32_t code = conf_send(rig, rig->instance, methods[i],
                                 i == 2 ? json_pack("{s:s}", "collection", made(rig)) : NULL,
                                 conf_in(CHILD_SECONDS), 0, &answer);

        if (code && code != SIMPLUGIN_FORKED)
            return code;
        conf_answer_clear(&answer);
    }
    return 0;
}

static int child_closes(conf_rig *rig)
{
    rig->table->close(rig->instance);
    return 0;
}

/* Calls that go on while this process forks. */
typedef struct calling {
    conf_rig *rig;
    int stop;
} calling;

static void *call_again(void *context)
{
    calling *c = context;

    while (!__atomic_load_n(&c->stop, __ATOMIC_SEQ_CST)) {
        conf_answer answer;

        conf_call(c->rig, "points.count", json_pack("{s:s}", "collection", made(c->rig)), &answer);
        conf_answer_clear(&answer);
    }
    return NULL;
}

static void calls(conf_run *run)
{
    conf_rig rig;
    calling c = {&rig, 0};
    pthread_t thread;

    if (conf_rig_open(&rig, run) && conf_use(&rig) &&
        forked(&rig, "between calls", "a call", child_calls)) {
        rig.quiet = 1;
        if (pthread_create(&thread, NULL, call_again, &c))
            abort();
        for (int i = 0; i < FORKS_AMID_CALLS && !conf_failed(run); i++)
            forked(&rig, "while another thread was in a call", "a call", child_calls);
        __atomic_store_n(&c.stop, 1, __ATOMIC_SEQ_CST);
        pthread_join(thread, NULL);
    }
    conf_rig_close(&rig);
}

static void closes(conf_run *run)
{
    int64_t before = 0;
    conf_rig rig;

    if (conf_rig_open(&rig, run) && conf_use(&rig))
        before = conf_count(&rig, made(&rig));
    if (rig.instance && !conf_failed(run) && forked(&rig, "between calls", "close", child_closes) &&
        conf_count(&rig, made(&rig)) != before)
        conf_fail(run,
                  "after a forked child closed the instance, the parent's collection has other "
                  "points: in a child, close frees memory and no more (plugin.h, close)");
    if (rig.instance && !conf_failed(run))
        conf_use(&rig);
    conf_rig_close(&rig);
}

static void parent(conf_run *run)
{
    conf_rig rig;

    if (conf_rig_open(&rig, run) && conf_use(&rig)) {
        pid_t pid = fork();

        if (pid < 0)
            abort();
        /* one that touches nothing, as before an exec */
        if (pid == 0)
            _exit(0);
        child_wait(pid);
        conf_use(&rig);
    }
    conf_rig_close(&rig);
}

const conf_check conf_fork[] = {
    {"fork/child-calls", "a call in a forked child answers FORKED, or works", calls, 0, 0, NULL},
    {"fork/child-closes", "close in a forked child does nothing to the parent", closes, 0, 0, NULL},
    {"fork/parent-goes-on", "the parent of a forked child goes on", parent, 0, 0, NULL},
    {NULL, NULL, NULL, 0, 0, NULL},
};
