/* SPDX-License-Identifier: Apache-2.0 */
#include "cancel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "error.h"
#include "simplugin.h"

/*
 * A token is slot << 32 | generation. A slot's state is its generation * 4 plus the two
 * flags below, one atomic word, so that asking takes no lock. Chunks of slots are made on
 * demand and stay: a stale token may be asked at any time.
 */
#define STATE_LIVE 1U
#define STATE_FIRED 2U
#define CHUNK_SLOTS 256U
#define CHUNKS 256U
#define GENERATION_MAX ((UINT32_C(1) << 30) - 1)

typedef struct watch {
    struct watch *next;
    uint64_t id;
    void (*fn)(void *context);
    void *context;
    pthread_t runner;
    int running;
    int taken_back; /* unwatched from inside its own fn */
} watch;

typedef struct slot {
    _Atomic uint32_t state;
    watch *watches;
} slot;

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t ran;
    _Atomic(slot *) chunks[CHUNKS];
    uint64_t next_watch;
    uint32_t next_slot; /* where the search for a free one begins */
} cancel_state = {.mutex = PTHREAD_MUTEX_INITIALIZER, .ran = PTHREAD_COND_INITIALIZER};

static void state_lock(void) { pthread_mutex_lock(&cancel_state.mutex); }
static void state_unlock(void) { pthread_mutex_unlock(&cancel_state.mutex); }
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static void fork_prepare(void)
{
    pthread_atfork(state_lock, state_unlock, state_unlock);
}

static slot *slot_at(uint32_t index)
{
    slot *chunk = index < CHUNKS * CHUNK_SLOTS
                      ? atomic_load_explicit(&cancel_state.chunks[index / CHUNK_SLOTS],
                                             memory_order_acquire)
                      : NULL;

    return chunk ? &chunk[index % CHUNK_SLOTS] : NULL;
}

static slot *token_slot(uint64_t cancel, uint32_t *state)
{
    slot *s = cancel ? slot_at((uint32_t)(cancel >> 32)) : NULL;

    if (!s)
        return NULL;
    *state = atomic_load_explicit(&s->state, memory_order_acquire);
    return (*state & STATE_LIVE) && *state >> 2 == (uint32_t)cancel ? s : NULL;
}

int32_t sp_cancelled(uint64_t cancel)
{
    uint32_t state = 0;

    return token_slot(cancel, &state) && (state & STATE_FIRED) ? 1 : 0;
}

int sp_cancel_exists(uint64_t cancel)
{
    uint32_t state = 0;

    return token_slot(cancel, &state) != NULL;
}

int32_t simplugin_cancel_new(uint64_t *cancel, simplugin_error **error)
{
    int32_t code = SIMPLUGIN_RESOURCE_EXHAUSTED;

    if (!cancel)
        return sp_error_set(error, SIMPLUGIN_INVALID_ARGUMENT, "core", "cancel is NULL");
    simplugin_error_free(error);
    pthread_once(&fork_once, fork_prepare);
    *cancel = 0;
    state_lock();
    for (uint32_t i = 0; i < CHUNKS * CHUNK_SLOTS && code == SIMPLUGIN_RESOURCE_EXHAUSTED; i++) {
        uint32_t index = (cancel_state.next_slot + i) % (CHUNKS * CHUNK_SLOTS);
        slot *s = slot_at(index);
        uint32_t generation;

        if (!s) {
            slot *chunk = calloc(CHUNK_SLOTS, sizeof *chunk);

            if (!chunk) {
                code = SIMPLUGIN_OUT_OF_MEMORY;
                break;
            }
            atomic_store_explicit(&cancel_state.chunks[index / CHUNK_SLOTS], chunk,
                                  memory_order_release);
            s = slot_at(index);
        }
        generation = (atomic_load(&s->state) >> 2) + 1;
        /* a slot whose generations are used up is retired: no token is ever given twice */
        if ((atomic_load(&s->state) & STATE_LIVE) || generation > GENERATION_MAX || s->watches)
            continue;
        atomic_store_explicit(&s->state, generation << 2 | STATE_LIVE, memory_order_release);
        *cancel = (uint64_t)index << 32 | generation;
        cancel_state.next_slot = index + 1;
        code = SIMPLUGIN_OK;
    }
    state_unlock();
    if (code == SIMPLUGIN_OUT_OF_MEMORY)
        return sp_error_no_memory(error);
    if (code)
        return sp_error_set(error, code, "core",
                            "65536 cancel tokens are open: free those no longer needed");
    return code;
}

/* Runs one watch outside the lock. Called and returns with the lock held. */
static void watch_run_locked(watch *w)
{
    w->running = 1;
    w->runner = pthread_self();
    state_unlock();
    w->fn(w->context);
    state_lock();
    w->running = 0;
    w->fn = NULL;
    pthread_cond_broadcast(&cancel_state.ran);
    if (w->taken_back)
        free(w);
}

int32_t simplugin_cancel_fire(uint64_t cancel)
{
    uint32_t state = 0;
    slot *s;
    watch *w;

    state_lock();
    s = token_slot(cancel, &state);
    if (s) {
        atomic_fetch_or_explicit(&s->state, STATE_FIRED, memory_order_acq_rel);
        /* from the start again after each: the list may change while fn runs, and the slot
           may come to belong to another token */
        do {
            w = token_slot(cancel, &state) ? s->watches : NULL;
            while (w && (!w->fn || w->running))
                w = w->next;
            if (w)
                watch_run_locked(w);
        } while (w);
    }
    state_unlock();
    return s ? SIMPLUGIN_OK : SIMPLUGIN_STALE_HANDLE;
}

int32_t simplugin_cancel_free(uint64_t cancel)
{
    uint32_t state = 0;
    slot *s;

    state_lock();
    s = token_slot(cancel, &state);
    if (s)
        atomic_store_explicit(&s->state, (uint32_t)cancel << 2, memory_order_release);
    state_unlock();
    return s ? SIMPLUGIN_OK : SIMPLUGIN_STALE_HANDLE;
}

int32_t sp_cancel_watch(uint64_t cancel, void (*fn)(void *context), void *context,
                        uint64_t *watch_id)
{
    watch *w = calloc(1, sizeof *w);
    uint32_t state = 0;
    slot *s;

    *watch_id = 0;
    if (!w)
        return SIMPLUGIN_OUT_OF_MEMORY;
    state_lock();
    s = token_slot(cancel, &state);
    if (!s) {
        state_unlock();
        free(w);
        return SIMPLUGIN_STALE_HANDLE;
    }
    /* the low bits name the slot, so that the watch is found again */
    w->id = ++cancel_state.next_watch << 16 | (uint32_t)(cancel >> 32);
    w->fn = fn;
    w->context = context;
    w->next = s->watches;
    s->watches = w;
    *watch_id = w->id;
    if (state & STATE_FIRED)
        watch_run_locked(w);
    state_unlock();
    return SIMPLUGIN_OK;
}

void sp_cancel_unwatch(uint64_t watch_id)
{
    slot *s = watch_id ? slot_at((uint32_t)(watch_id & 0xffff)) : NULL;
    watch **link;
    watch *w;

    if (!s)
        return;
    state_lock();
    for (link = &s->watches; *link && (*link)->id != watch_id; link = &(*link)->next)
        ;
    w = *link;
    if (w && w->running && pthread_equal(w->runner, pthread_self())) {
        *link = w->next;
        w->taken_back = 1;
    } else if (w) {
        while (w->running)
            pthread_cond_wait(&cancel_state.ran, &cancel_state.mutex);
        for (link = &s->watches; *link && *link != w; link = &(*link)->next)
            ;
        if (*link)
            *link = w->next;
        free(w);
    }
    state_unlock();
}
