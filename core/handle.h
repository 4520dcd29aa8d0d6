/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handles: numbers that programs hold in place of pointers. Each names a slot and the
 * generation of what is in it, so that a stale or foreign one is found out. An object
 * lives while its handle is open or a call is in it.
 */
#ifndef SP_HANDLE_H
#define SP_HANDLE_H

#include <stdint.h>

#include "simplugin/plugin.h"

#define SP_SESSION UINT32_C(1)
#define SP_CONNECTION UINT32_C(2)
#define SP_INDEX UINT32_C(4)
#define SP_VIEW UINT32_C(8)
#define SP_SCAN UINT32_C(16)
#define SP_COPY UINT32_C(32)

typedef struct sp_object {
    uint32_t kind;
    uint32_t references; /* guarded by the table's lock */
    uint64_t handle;     /* 0 before it has one; stays when that is closed */
    uint64_t parent;     /* closes with it; 0: none */
    void (*destroy)(struct sp_object *object);
} sp_object;

/* Sets up an object with one reference, the caller's. */
void sp_object_init(sp_object *object, uint32_t kind, uint64_t parent,
                    void (*destroy)(sp_object *object));
void sp_object_hold(sp_object *object);
/* Drops a reference; the last one destroys. NULL is harmless. */
void sp_object_release(sp_object *object);

/* Gives the object a handle, which holds a reference of its own. */
int32_t sp_handle_open(sp_object *object, simplugin_error **error);
/* The object behind a handle of one of the kinds (ored), held for the caller. */
int32_t sp_handle_acquire(uint64_t handle, uint32_t kinds, sp_object **object,
                          simplugin_error **error);
/* Takes the handle away, and those of its children. */
int32_t sp_handle_close(uint64_t handle, uint32_t kinds, simplugin_error **error);

/* "an index", "a session", ... */
const char *sp_kind_name(uint32_t kinds);

#endif
