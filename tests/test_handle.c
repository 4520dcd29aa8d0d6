/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handle.h"
#include "simplugin.h"
#include "unit.h"

typedef struct thing {
    sp_object object;
    atomic_int *destroyed;
} thing;

static void thing_destroy(sp_object *object)
{
    thing *t = (thing *)object;

    atomic_fetch_add(t->destroyed, 1);
    free(t);
}

static thing *thing_new(uint32_t kind, uint64_t parent, atomic_int *destroyed)
{
    thing *t = calloc(1, sizeof *t);

    if (!t)
        abort();
    t->destroyed = destroyed;
    sp_object_init(&t->object, kind, parent, thing_destroy);
    return t;
}

/* A thing whose only reference is that of its handle. */
static uint64_t thing_open(uint32_t kind, uint64_t parent, atomic_int *destroyed)
{
    thing *t = thing_new(kind, parent, destroyed);
    uint64_t handle = 0;

    if (!sp_handle_open(&t->object, NULL))
        handle = t->object.handle;
    sp_object_release(&t->object);
    return handle;
}

static void life(void)
{
    atomic_int destroyed = 0;
    thing *t = thing_new(SP_INDEX, 0, &destroyed);
    sp_object *found = NULL;
    uint64_t handle;

    CU_ASSERT_EQUAL(t->object.handle, 0);
    CU_ASSERT_EQUAL(sp_handle_open(&t->object, NULL), SIMPLUGIN_OK);
    handle = t->object.handle;
    CU_ASSERT_NOT_EQUAL(handle, 0);
    sp_object_release(&t->object);
    CU_ASSERT_EQUAL(sp_handle_acquire(handle, SP_INDEX, &found, NULL), SIMPLUGIN_OK);
    CU_ASSERT_PTR_EQUAL(found, &t->object);
    sp_object_hold(found);
    sp_object_release(found);
    sp_object_release(found);
    CU_ASSERT_EQUAL(atomic_load(&destroyed), 0);
    CU_ASSERT_EQUAL(sp_handle_close(handle, SP_INDEX | SP_SCAN, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(atomic_load(&destroyed), 1);
    sp_object_release(NULL);
}

static void stale(void)
{
    static const uint64_t never[] = {0, 1, 64, UINT64_MAX, UINT64_C(1) << 32,
                                     UINT64_C(0xffffffff) << 32 | 1, UINT64_C(1) << 32 | 0xffffffff};
    atomic_int destroyed = 0;
    uint64_t handle = thing_open(SP_INDEX, 0, &destroyed), again;
    simplugin_error *error = NULL;
    sp_object *found = NULL;

    CU_ASSERT_EQUAL(sp_handle_close(handle, UINT32_MAX, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(sp_handle_close(handle, UINT32_MAX, &error), SIMPLUGIN_STALE_HANDLE);
    CU_ASSERT_EQUAL(simplugin_error_code(error), SIMPLUGIN_STALE_HANDLE);
    CU_ASSERT_EQUAL(sp_handle_acquire(handle, UINT32_MAX, &found, &error), SIMPLUGIN_STALE_HANDLE);
    CU_ASSERT_PTR_NULL(found);
    CU_ASSERT(strstr(simplugin_error_message(error, NULL), "not open") != NULL);
    /* the slot is used again, the number is not */
    again = thing_open(SP_INDEX, 0, &destroyed);
    CU_ASSERT_NOT_EQUAL(again, handle);
    CU_ASSERT_EQUAL(sp_handle_acquire(handle, UINT32_MAX, &found, NULL), SIMPLUGIN_STALE_HANDLE);
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
        CU_ASSERT_EQUAL(sp_handle_acquire(never[i], UINT32_MAX, &found, NULL),
                        SIMPLUGIN_STALE_HANDLE);
        CU_ASSERT_EQUAL(sp_handle_close(never[i], UINT32_MAX, NULL), SIMPLUGIN_STALE_HANDLE);
    }
    CU_ASSERT_EQUAL(sp_handle_close(again, UINT32_MAX, NULL), SIMPLUGIN_OK);
    simplugin_error_free(&error);
}

static void foreign_kind(void)
{
    atomic_int destroyed = 0;
    uint64_t handle = thing_open(SP_VIEW, 0, &destroyed);
    simplugin_error *error = NULL;
    sp_object *found = NULL;

    CU_ASSERT_EQUAL(sp_handle_acquire(handle, SP_INDEX, &found, &error), SIMPLUGIN_STALE_HANDLE);
    CU_ASSERT(strstr(simplugin_error_message(error, NULL), "is a view where an index is needed") !=
              NULL);
    CU_ASSERT_PTR_NULL(found);
    CU_ASSERT_EQUAL(sp_handle_close(handle, SP_CONNECTION | SP_INDEX, &error),
                    SIMPLUGIN_STALE_HANDLE);
    CU_ASSERT(strstr(simplugin_error_message(error, NULL), "a connection or an index") != NULL);
    CU_ASSERT_EQUAL(atomic_load(&destroyed), 0);
    CU_ASSERT_EQUAL(sp_handle_acquire(handle, SP_VIEW | SP_SCAN, &found, NULL), SIMPLUGIN_OK);
    sp_object_release(found);
    CU_ASSERT_EQUAL(sp_handle_close(handle, SP_VIEW, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(atomic_load(&destroyed), 1);
    CU_ASSERT_STRING_EQUAL(sp_kind_name(SP_SESSION), "a session");
    CU_ASSERT_STRING_EQUAL(sp_kind_name(SP_SCAN), "a scan");
    CU_ASSERT_STRING_EQUAL(sp_kind_name(SP_CONNECTION), "a connection");
    CU_ASSERT_STRING_EQUAL(sp_kind_name(UINT32_MAX), "a handle");
    simplugin_error_free(&error);
}

/* A session with indexes with views: all go with the session, and nobody else. */
static void children(void)
{
    atomic_int gone = 0, stays = 0;
    uint64_t session = thing_open(SP_SESSION, 0, &gone);
    uint64_t other = thing_open(SP_SESSION, 0, &stays);
    uint64_t indexes[10], views[10], bystander;
    sp_object *found = NULL;

    for (int i = 0; i < 10; i++) {
        indexes[i] = thing_open(SP_INDEX, session, &gone);
        views[i] = thing_open(SP_VIEW, indexes[i], &gone);
    }
    bystander = thing_open(SP_INDEX, other, &stays);
    CU_ASSERT_EQUAL(sp_handle_close(indexes[3], SP_INDEX, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(atomic_load(&gone), 2);
    CU_ASSERT_EQUAL(sp_handle_acquire(views[3], SP_VIEW, &found, NULL), SIMPLUGIN_STALE_HANDLE);
    CU_ASSERT_EQUAL(sp_handle_acquire(views[4], SP_VIEW, &found, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(sp_handle_close(session, SP_SESSION, NULL), SIMPLUGIN_OK);
    /* all but the view that a call is in */
    CU_ASSERT_EQUAL(atomic_load(&gone), 20);
    CU_ASSERT_EQUAL(sp_handle_close(views[4], SP_VIEW, NULL), SIMPLUGIN_STALE_HANDLE);
    sp_object_release(found);
    CU_ASSERT_EQUAL(atomic_load(&gone), 21);
    CU_ASSERT_EQUAL(atomic_load(&stays), 0);
    CU_ASSERT_EQUAL(sp_handle_close(bystander, SP_INDEX, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(sp_handle_close(other, SP_SESSION, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(atomic_load(&stays), 2);
}

/* What a call makes for an object that was closed meanwhile gets no handle. */
static void orphans(void)
{
    atomic_int destroyed = 0;
    uint64_t index = thing_open(SP_INDEX, 0, &destroyed);
    simplugin_error *error = NULL;
    thing *view;

    sp_handle_close(index, SP_INDEX, NULL);
    view = thing_new(SP_VIEW, index, &destroyed);
    CU_ASSERT_EQUAL(sp_handle_open(&view->object, &error), SIMPLUGIN_STALE_HANDLE);
    CU_ASSERT_EQUAL(view->object.handle, 0);
    CU_ASSERT(strstr(simplugin_error_message(error, NULL), "closed during the call") != NULL);
    sp_object_release(&view->object);
    CU_ASSERT_EQUAL(atomic_load(&destroyed), 2);
    simplugin_error_free(&error);
}

static void many(void)
{
    static uint64_t handles[5000];
    atomic_int destroyed = 0;
    int wrong = 0;

    for (int i = 0; i < 5000; i++)
        handles[i] = thing_open(SP_INDEX, 0, &destroyed);
    for (int i = 0; i < 5000; i++) {
        sp_object *found = NULL;

        wrong += sp_handle_acquire(handles[i], SP_INDEX, &found, NULL) != SIMPLUGIN_OK ||
                 found->handle != handles[i];
        sp_object_release(found);
    }
    for (int i = 0; i < 5000; i++)
        wrong += sp_handle_close(handles[(i * 7) % 5000], SP_INDEX, NULL) != SIMPLUGIN_OK;
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(atomic_load(&destroyed), 5000);
}

/* ---- threads -------------------------------------------------------------------------- */

#define SHARED 16
#define ROUNDS 3000

static _Atomic uint64_t shared[SHARED];
static atomic_int made, destroyed_total, wrong_total, running;

/* Acquires and releases whatever handles there are. */
static void *user(void *unused)
{
    for (uint32_t i = 0; atomic_load(&running); i++) {
        sp_object *found = NULL;

        if (!sp_handle_acquire(atomic_load(&shared[i % SHARED]), UINT32_MAX, &found, NULL)) {
            if (found->kind != SP_INDEX && found->kind != SP_VIEW)
                atomic_fetch_add(&wrong_total, 1);
            sp_object_release(found);
        }
    }
    return unused;
}

/* Opens indexes with a view each and closes what others opened. */
static void *opener(void *unused)
{
    for (uint32_t i = 0; i < ROUNDS; i++) {
        uint64_t index = thing_open(SP_INDEX, 0, &destroyed_total);
        uint64_t view = thing_open(SP_VIEW, index, &destroyed_total);
        uint64_t old;

        atomic_fetch_add(&made, 2);
        old = atomic_exchange(&shared[i % SHARED], view);
        if (old)
            sp_handle_close(old, UINT32_MAX, NULL);
        old = atomic_exchange(&shared[(i + 1) % SHARED], index);
        if (old)
            sp_handle_close(old, UINT32_MAX, NULL);
    }
    return unused;
}

static void threads(void)
{
    pthread_t users[2], openers[3];

    atomic_store(&running, 1);
    for (int i = 0; i < 2; i++)
        if (pthread_create(&users[i], NULL, user, NULL))
            abort();
    for (int i = 0; i < 3; i++)
        if (pthread_create(&openers[i], NULL, opener, NULL))
            abort();
    for (int i = 0; i < 20; i++) {
        pid_t child = fork();
        int status = -1;

        if (child == 0) {
            atomic_int destroyed = 0;
            uint64_t handle;

            alarm(20);
            handle = thing_open(SP_INDEX, 0, &destroyed);
            _exit(!handle || sp_handle_close(handle, SP_INDEX, NULL) ||
                  atomic_load(&destroyed) != 1);
        }
        CU_ASSERT(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    }
    for (int i = 0; i < 3; i++)
        pthread_join(openers[i], NULL);
    atomic_store(&running, 0);
    for (int i = 0; i < 2; i++)
        pthread_join(users[i], NULL);
    for (int i = 0; i < SHARED; i++)
        sp_handle_close(atomic_load(&shared[i]), UINT32_MAX, NULL);
    CU_ASSERT_EQUAL(atomic_load(&wrong_total), 0);
    CU_ASSERT_EQUAL(atomic_load(&destroyed_total), atomic_load(&made));
}

static const unit_case cases[] = {
    UNIT_CASE(life, "an object lives while its handle is open or held"),
    UNIT_CASE(stale, "handles that are closed or never were"),
    UNIT_CASE(foreign_kind, "a handle of another kind is named as what it is"),
    UNIT_CASE(children, "children close with their parent, also while in use"),
    UNIT_CASE(orphans, "nothing opens under a parent that is closed"),
    UNIT_CASE(many, "thousands of handles, closed in another order"),
    UNIT_CASE(threads, "R275 threads open, use and close the same handles, and fork"),
};

UNIT_MAIN("handle", cases)
