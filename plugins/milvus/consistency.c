/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "consistency.h"

#include <stdlib.h>
#include <strings.h>

#include "instance.h"

/* Timestamps that mean something else than a time. */
#define ANY_TIME UINT64_C(1)
#define BOUNDED_TIME UINT64_C(2)

const char *const milvus_level_names[MILVUS_LEVELS] = {"Strong", "Session", "Bounded",
                                                       "Eventually"};

struct milvus_written {
    milvus_written *next;
    char *collection;
    int64_t collection_id;
    uint64_t timestamp;  /* 0: the next read is to be a strong one */
    uint64_t generation; /* counts writes whose timestamp is not known, or not kept */
    uint64_t writes;     /* counts all of them */
};

int milvus_level_of(const char *name, size_t size)
{
    for (int i = 0; i < MILVUS_LEVELS; i++)
        if (strlen(milvus_level_names[i]) == size &&
            strncasecmp(milvus_level_names[i], name, size) == 0)
            return i;
    return -1;
}

int32_t milvus_level_read(plug_call *call, const simplugin_value *map, int *level)
{
    const char *text;
    uint64_t size;
    int found = simplugin_find_text(map, "consistency_level", &text, &size);

    if (!found)
        return SIMPLUGIN_OK;
    *level = found > 0 ? milvus_level_of(text, (size_t)size) : -1;
    if (*level < 0)
        return plug_fail_argument(call, "consistency_level",
                                  "consistency_level is Strong, Session, Bounded or Eventually");
    return SIMPLUGIN_OK;
}

static milvus_written *written_find_locked(milvus_call *call)
{
    milvus_written *at = call->instance->written;

    while (at && (at->collection_id != call->schema->collection_id ||
                  strcmp(at->collection, call->collection) != 0))
        at = at->next;
    return at;
}

milvus_freshness milvus_freshness_of(milvus_call *call, int level)
{
    milvus_freshness fresh = {.level = level < 0 ? call->schema->consistency : level};
    const milvus_written *written;

    /* points by id and counts are right after what this instance wrote, whatever the level */
    if (level < 0 && fresh.level > MILVUS_SESSION)
        fresh.level = MILVUS_SESSION;
    if (fresh.level == MILVUS_BOUNDED)
        fresh.timestamp = BOUNDED_TIME;
    if (fresh.level == MILVUS_EVENTUALLY)
        fresh.timestamp = ANY_TIME;
    if (fresh.level != MILVUS_SESSION)
        return fresh;
    pthread_mutex_lock(&call->instance->base.lock);
    written = written_find_locked(call);
    fresh.timestamp = written ? written->timestamp : 0;
    fresh.generation = written ? written->generation : 0;
    if (!fresh.timestamp)
        fresh.level = MILVUS_STRONG;
    pthread_mutex_unlock(&call->instance->base.lock);
    return fresh;
}

/* Without memory nothing is lost but time: reads of what is unknown are strong ones. */
static milvus_written *written_make_locked(milvus_call *call)
{
    milvus_written *written = written_find_locked(call);

    if (written)
        return written;
    written = calloc(1, sizeof *written);
    if (written && !(written->collection = strdup(call->collection))) {
        free(written);
        written = NULL;
    }
    if (written) {
        written->collection_id = call->schema->collection_id;
        written->next = call->instance->written;
        call->instance->written = written;
    }
    return written;
}

void milvus_written_at(milvus_call *call, uint64_t timestamp)
{
    milvus_written *written;

    pthread_mutex_lock(&call->instance->base.lock);
    written = written_make_locked(call);
    if (written)
        written->writes++;
    /* after a write without a timestamp the next read is to be a strong one: one that has begun
       already has not seen this write, and must not be taken for that */
    if (written && (!timestamp || (!written->timestamp && written->generation))) {
        written->timestamp = 0;
        written->generation++;
    } else if (written && timestamp > written->timestamp) {
        written->timestamp = timestamp;
    }
    pthread_mutex_unlock(&call->instance->base.lock);
}

uint64_t milvus_writes(milvus_call *call)
{
    const milvus_written *written;
    uint64_t writes;

    pthread_mutex_lock(&call->instance->base.lock);
    written = written_find_locked(call);
    writes = written ? written->writes : 0;
    pthread_mutex_unlock(&call->instance->base.lock);
    return writes;
}

void milvus_read_done(milvus_call *call, const milvus_freshness *freshness)
{
    milvus_written *written;

    if (freshness->level != MILVUS_STRONG)
        return;
    pthread_mutex_lock(&call->instance->base.lock);
    written = written_make_locked(call);
    if (written && !written->timestamp && written->generation == freshness->generation)
        written->timestamp = ANY_TIME;
    pthread_mutex_unlock(&call->instance->base.lock);
}

void milvus_written_free(simplugin_instance *instance)
{
    while (instance->written) {
        milvus_written *next = instance->written->next;

        free(instance->written->collection);
        free(instance->written);
        instance->written = next;
    }
}
