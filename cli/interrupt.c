/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "interrupt.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "simplugin.h"

static volatile sig_atomic_t caught;
static int event = -1;
static uint64_t token;

static void on_signal(int number)
{
    uint64_t one = 1;
    int saved = errno;

    caught = number;
    /* SA_RESETHAND: the next one ends the process at once */
    if (write(event, &one, sizeof(one)) < 0) {
        /* full: then it is readable as well */
    }
    errno = saved;
}

/* Firing takes locks, so it happens here and not in the handler. */
static void *watch(void *argument)
{
    struct pollfd fd = {event, POLLIN, 0};

    (void)argument;
    while (poll(&fd, 1, -1) < 0 && errno == EINTR) {
    }
    simplugin_cancel_fire(token);
    return NULL;
}

/* A signal that the one who started the program ignores, as nohup does, stays ignored. */
static void handle(int number)
{
    struct sigaction action;

    if (sigaction(number, NULL, &action) != 0 || action.sa_handler == SIG_IGN)
        return;
    memset(&action, 0, sizeof(action));
    action.sa_handler = on_signal;
    action.sa_flags = (int)SA_RESETHAND;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

int32_t cli_interrupt_start(uint64_t *cancel)
{
    sigset_t signals, before;
    pthread_t thread;
    int32_t code = simplugin_cancel_new(&token, NULL);

    if (code != SIMPLUGIN_OK)
        return code;
    event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event < 0)
        return SIMPLUGIN_RESOURCE_EXHAUSTED;
    /* the main thread is the one whose waiting a signal shall end */
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, &before);
    if (pthread_create(&thread, NULL, watch, NULL) == 0)
        pthread_detach(thread);
    else
        code = SIMPLUGIN_RESOURCE_EXHAUSTED;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    handle(SIGINT);
    handle(SIGTERM);
    *cancel = token;
    return code;
}

int cli_interrupt_signal(void)
{
    return caught;
}

int cli_interrupt_fd(void)
{
    return event;
}

void cli_interrupt_forget(void)
{
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
}
