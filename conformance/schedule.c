/* SPDX-License-Identifier: Apache-2.0 */
/* Children beside each other, with what they have to say told in order. */
#include "config.h"

#include "plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "tree.h"

/* One place where a child runs. */
typedef struct place {
    conf_child child;
    size_t item;
    char *directory;
} place;

typedef struct schedule {
    conf_plan *plan;
    place *places;
    unsigned int place_count, running;
    size_t next;   /* to be started */
    size_t told;   /* up to here they have been told of */
    int alone;     /* what runs wants nothing beside it */
} schedule;

static void outcome_fail(conf_outcome *outcome, const char *format, const char *what)
{
    outcome->state = CONF_FAILED;
    if (asprintf(&outcome->reason, format, what) < 0)
        abort();
}

static void start(schedule *s, place *at)
{
    conf_item *item = &s->plan->items[s->next];

    at->item = s->next++;
    if (item->needs_describe && s->plan->without_describe) {
        outcome_fail(&item->outcome,
                     "it cannot be asked, as the backend did not describe itself: %s",
                     s->plan->without_describe);
        return;
    }
    if (asprintf(&at->directory, "%s/%zu", s->plan->directory, at->item) < 0)
        abort();
    if (mkdir(at->directory, 0700) == 0 &&
        conf_child_start(&at->child, s->plan->target, item->check, at->directory,
                         s->plan->options->seconds)) {
        s->running++;
        s->alone = item->check->alone != 0;
        return;
    }
    outcome_fail(&item->outcome, "cannot start a process: %s", strerror(errno));
    tree_remove(at->directory);
    free(at->directory);
    at->directory = NULL;
}

static void start_some(schedule *s)
{
    for (unsigned int i = 0; i < s->place_count; i++)
        while (!s->places[i].child.pid && s->next < s->plan->count && !s->alone &&
               !(s->running && s->plan->items[s->next].check->alone))
            start(s, &s->places[i]);
}

static void tell(schedule *s, void (*done)(const conf_plan *plan, size_t i))
{
    while (s->told < s->plan->count && s->plan->items[s->told].outcome.state != CONF_WAITING)
        done(s->plan, s->told++);
}

static void wait_some(const schedule *s)
{
    struct pollfd *fds = calloc(2 * s->place_count + 1, sizeof *fds);
    nfds_t count = 0;

    if (!fds)
        abort();
    for (unsigned int i = 0; i < s->place_count; i++) {
        const conf_child *child = &s->places[i].child;
        if (!child->pid)
            continue;
        fds[count++] = (struct pollfd){.fd = child->says, .events = POLLIN};
        fds[count++] = (struct pollfd){.fd = child->output, .events = POLLIN};
    }
    conf_wait(fds, count);
    free(fds);
}

static void look(schedule *s, place *at)
{
    conf_outcome *outcome = &s->plan->items[at->item].outcome;

    if (!at->child.killed && conf_now() > at->child.deadline)
        conf_child_kill(&at->child);
    if (!conf_child_reap(&at->child, outcome, NULL))
        return;
    s->running--;
    s->alone = 0;
    tree_remove(at->directory);
    free(at->directory);
    at->directory = NULL;
}

static void end_all(schedule *s)
{
    for (unsigned int i = 0; i < s->place_count; i++)
        conf_child_kill(&s->places[i].child);
    while (s->running) {
        for (unsigned int i = 0; i < s->place_count; i++)
            if (s->places[i].child.pid) {
                look(s, &s->places[i]);
                /* it was not its fault */
                if (!s->places[i].child.pid)
                    conf_outcome_clear(&s->plan->items[s->places[i].item].outcome);
            }
        wait_some(s);
    }
}

void conf_plan_run(conf_plan *plan, void (*done)(const conf_plan *plan, size_t i))
{
    schedule s = {.plan = plan, .place_count = plan->options->jobs};
    int64_t began = conf_now();

    s.places = calloc(s.place_count, sizeof *s.places);
    if (!s.places)
        abort();
    while (!plan->interrupted && (s.next < plan->count || s.running)) {
        start_some(&s);
        tell(&s, done);
        if (s.running)
            wait_some(&s);
        for (unsigned int i = 0; i < s.place_count; i++)
            if (s.places[i].child.pid)
                look(&s, &s.places[i]);
        tell(&s, done);
        plan->interrupted = conf_interrupted();
    }
    if (plan->interrupted)
        end_all(&s);
    /* those that were done while one before them was not */
    for (size_t i = s.told; i < plan->count; i++)
        if (plan->items[i].outcome.state != CONF_WAITING)
            done(plan, i);
    plan->seconds = (double)(conf_now() - began) / 1e9;
    free(s.places);
}
