/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "guard.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "simplugin/envelope.h"

/* Enough for every request of a check; the kernel allows some 65,000 mappings. */
#define REGIONS 16384

typedef struct region {
    uint8_t *base; /* of the pages */
    size_t mapped; /* with the page behind */
    uint8_t *data;
    size_t size;
    unsigned int kinds;
    int buried;
    char what[100];
} region;

static struct {
    region regions[REGIONS];
    size_t count;
    conf_run *run;
    pthread_mutex_t lock; /* a backend allocates on any of its threads */
} all = {.lock = PTHREAD_MUTEX_INITIALIZER};

static size_t page(void) { return (size_t)sysconf(_SC_PAGESIZE); }

/* The process ends anyway: what is not safe in a handler can make nothing worse. */
static void touched(int number, siginfo_t *info, void *context)
{
    const uint8_t *at = info->si_addr;

    (void)context;
    signal(number, SIG_DFL);
    for (size_t i = 0; i < all.count; i++) {
        const region *r = &all.regions[i];

        if (at < r->base || at >= r->base + r->mapped)
            continue;
        if (r->buried)
            conf_fail(all.run,
                      "the plugin touched %s after the call it belonged to had ended: nothing that "
                      "the host passes in or has freed may be kept (plugin.h, Ownership); copy "
                      "what is needed later",
                      r->what);
        else if (at >= r->data + r->size)
            conf_fail(all.run,
                      "the plugin touched memory %zu bytes behind the end of %s, which has %zu "
                      "bytes: sizes are told, nothing ends with a zero (plugin.h)",
                      (size_t)(at - (r->data + r->size)), r->what, r->size);
        else
            conf_fail(all.run,
                      "the plugin wrote into %s, at byte %zu: what the host passes in is borrowed "
                      "and const (plugin.h, Ownership)",
                      r->what, (size_t)(at - r->data));
        return;
    }
}

void conf_guard_watch(conf_run *run)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_sigaction = touched;
    action.sa_flags = SA_SIGINFO;
    sigemptyset(&action.sa_mask);
    all.run = run;
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
}

void *conf_guard_new(const void *data, size_t size, unsigned int kinds, const char *what)
{
    size_t pages = (size + page() - 1) / page() * page();
    region *r;

    pthread_mutex_lock(&all.lock);
    if (all.count == REGIONS)
        abort();
    r = &all.regions[all.count];
    memset(r, 0, sizeof *r);
    r->mapped = pages + page();
    r->base = mmap(NULL, r->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (r->base == MAP_FAILED)
        abort();
    /* what ends at a page's end begins where its elements allow, as sizes are whole elements */
    r->data = kinds & CONF_GUARD_END ? r->base + pages - size : r->base;
    r->size = size;
    r->kinds = kinds;
    snprintf(r->what, sizeof r->what, "%s", what);
    if (data && size)
        memcpy(r->data, data, size);
    if ((kinds & CONF_GUARD_WRITES && mprotect(r->base, r->mapped, PROT_READ)) ||
        (kinds & CONF_GUARD_END && mprotect(r->base + pages, page(), PROT_NONE)))
        abort();
    all.count++;
    pthread_mutex_unlock(&all.lock);
    return r->data;
}

void conf_guard_bury(const void *memory)
{
    for (size_t i = all.count; memory && i-- > 0;) {
        region *r = &all.regions[i];

        if (r->data != memory)
            continue;
        if (r->kinds & CONF_GUARD_LATER) {
            r->buried = 1;
            if (mprotect(r->base, r->mapped, PROT_NONE))
                abort();
        } else if (mprotect(r->base, r->mapped, PROT_READ | PROT_WRITE)) {
            abort();
        }
        return;
    }
}

size_t conf_tensor_bytes(const simplugin_tensor *tensor)
{
    if (!tensor->rows || !tensor->data)
        return 0;
    return (size_t)((tensor->rows - 1) * simplugin_tensor_stride(tensor) +
                    simplugin_tensor_row_bytes(tensor));
}

void conf_guarded_init(conf_guarded *guarded, const simplugin_request *request, unsigned int kinds,
                       const char *method)
{
    char what[100];
    simplugin_tensor *tensors = NULL;
    size_t count = (size_t)request->tensor_count;

    guarded->request = *request;
    snprintf(what, sizeof what, "the body of the request for %s", method);
    guarded->request.body = conf_guard_new(request->body, (size_t)request->body_size, kinds, what);
    if (count)
        tensors = malloc(count * sizeof *tensors);
    if (count && !tensors)
        abort();
    for (size_t i = 0; i < count; i++) {
        tensors[i] = request->tensors[i];
        snprintf(what, sizeof what, "the data of tensor %zu of the request for %s", i, method);
        if (tensors[i].data)
            tensors[i].data =
                conf_guard_new(tensors[i].data, conf_tensor_bytes(&tensors[i]), kinds, what);
    }
    snprintf(what, sizeof what, "the list of tensors of the request for %s", method);
    guarded->tensors = count ? conf_guard_new(tensors, count * sizeof *tensors, kinds, what) : NULL;
    guarded->request.tensors = guarded->tensors;
    free(tensors);
}

void conf_guarded_clear(conf_guarded *guarded)
{
    for (uint64_t i = 0; i < guarded->request.tensor_count; i++)
        conf_guard_bury(guarded->tensors[i].data);
    conf_guard_bury(guarded->tensors);
    conf_guard_bury(guarded->request.body);
}
