/* SPDX-License-Identifier: Apache-2.0 */
/* Children: forked ones, and the program run again by itself in a role. */
#include "config.h"

#include "live_rig.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define LAST_WORD 100 /* the file descriptor a child tells the time on */

int live_child_wait(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0)
        ;
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    printf("\n    the child was ended by signal %d\n    ", WTERMSIG(status));
    return -1;
}

int live_child_run(const char *role, int64_t *elapsed)
{
    int64_t last = live_now();
    int words[2], status;
    pid_t pid;

    CU_ASSERT_EQUAL_FATAL(pipe(words), 0);
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        char *arguments[] = {"live", "--child", (char *)(uintptr_t)role, NULL};

        dup2(words[1], LAST_WORD);
        execv("/proc/self/exe", arguments);
        _exit(126);
    }
    CU_ASSERT_FATAL(pid > 0);
    close(words[1]);
    status = live_child_wait(pid);
    if (read(words[0], &last, sizeof last) < 0)
        CU_FAIL("nothing was heard of the child");
    *elapsed = live_now() - last;
    close(words[0]);
    return status;
}

void live_child_says(void)
{
    int64_t now = live_now();

    if (write(LAST_WORD, &now, sizeof now) != sizeof now)
        abort();
}

int live_forked_call(uint64_t target, const char *method)
{
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        alarm(LIVE_PATIENCE);
        _exit(simplugin_call(target, method, strlen(method), NULL, NULL, NULL, NULL));
    }
    return pid < 0 ? -1 : live_child_wait(pid);
}
