/* SPDX-License-Identifier: Apache-2.0 */
/* What the core offers plugins: the table of simplugin/plugin.h, and replies. */
#ifndef SP_HOST_H
#define SP_HOST_H

#include <pthread.h>
#include <stddef.h>

#include "arena.h"
#include "simplugin/plugin.h"

extern const simplugin_host sp_host;

/* The arena behind a reply, which its owner field points to. */
static inline sp_arena **sp_reply_arena(simplugin_reply *reply)
{
    return (sp_arena **)&reply->owner;
}

/* An empty reply of our own. */
#define SP_REPLY_INIT {.size = sizeof(simplugin_reply)}
/* What a reply of the first version has. */
#define SP_REPLY_LEAST (offsetof(simplugin_reply, reserved) + sizeof(((simplugin_reply *)0)->reserved))

/* A number for simplugin_call_info.progress that stands for fn until it is ended. */
typedef struct sp_progress {
    void (*fn)(void *context, uint64_t done, uint64_t total);
    void *context;
    pthread_t thread; /* the call's: no other is heard */
} sp_progress;

#endif
