/* SPDX-License-Identifier: Apache-2.0 */
/* The collections of the process, and their lock: many may read, or one write. */
#include "store.h"

#include <pthread.h>
#include <time.h>

#define WAIT_NANOSECONDS 10000000

static const pthread_rwlock_t unlocked = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

static struct {
    pthread_rwlock_t lock;
    struct collection **collections;
    uint64_t count;
} all = {.lock = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int is_prepared;

/*
 * In a forked child: another thread of the parent may have been in the middle of a change, so
 * that what the parent had is left alone, and a new store begun.
 */
static void begin_anew(void)
{
    all.lock = unlocked;
    all.collections = NULL;
    all.count = 0;
}

static void prepare(void)
{
    is_prepared = pthread_atfork(NULL, NULL, begin_anew) == 0;
}

int store_prepare(void)
{
    return pthread_once(&once, prepare) == 0 && is_prepared;
}

int store_try_lock(int is_writer)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += WAIT_NANOSECONDS;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    return (is_writer ? pthread_rwlock_clockwrlock(&all.lock, CLOCK_MONOTONIC, &until)
                      : pthread_rwlock_clockrdlock(&all.lock, CLOCK_MONOTONIC, &until)) == 0;
}

void store_unlock(void)
{
    pthread_rwlock_unlock(&all.lock);
}

uint64_t store_count(void)
{
    return all.count;
}

const struct collection *store_at(uint64_t i)
{
    return all.collections[i];
}

struct collection *store_find(const char *name, uint64_t size)
{
    for (uint64_t i = 0; i < all.count; i++)
        if (strlen(all.collections[i]->name) == size &&
            memcmp(all.collections[i]->name, name, (size_t)size) == 0)
            return all.collections[i];
    return NULL;
}

int store_add(struct collection *added)
{
    struct collection **grown = realloc(all.collections, (size_t)(all.count + 1) * sizeof *grown);

    if (!grown)
        return 0;
    all.collections = grown;
    all.collections[all.count++] = added;
    return 1;
}

void store_remove(struct collection *removed)
{
    for (uint64_t i = 0; i < all.count; i++)
        if (all.collections[i] == removed) {
            all.collections[i] = all.collections[--all.count];
            break;
        }
    collection_free(removed);
    if (!all.count) {
        free(all.collections);
        all.collections = NULL;
    }
}
