/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "load.h"

#include "ask.h"
#include "clock.h"
#include "instance.h"

#define PAUSE_FIRST 10 /* milliseconds between looks at how far it is */
#define PAUSE_LAST 200
#define CODE_NOT_LOADED 101
#define CODE_PARTITION_NOT_LOADED 201

/* ---- pauses --------------------------------------------------------------------------- */

typedef struct napping {
    pthread_mutex_t lock;
    pthread_cond_t woken;
    int cancelled;
} napping;

static void pause_end(void *context)
{
    napping *p = context;

    pthread_mutex_lock(&p->lock);
    p->cancelled = 1;
    pthread_cond_signal(&p->woken);
    pthread_mutex_unlock(&p->lock);
}

int32_t milvus_pause(plug_call *call, int64_t milliseconds)
{
    napping p = {.lock = PTHREAD_MUTEX_INITIALIZER};
    int64_t until = sp_clock_deadline(milliseconds);
    pthread_condattr_t attributes;
    struct timespec at;
    uint64_t watch = 0;

    if (until > call->info->deadline)
        until = call->info->deadline;
    at = sp_clock_timespec(until);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&p.woken, &attributes);
    pthread_condattr_destroy(&attributes);
    if (call->info->cancel &&
        plug_host->cancel_watch(call->info->cancel, pause_end, &p, &watch))
        watch = 0;
    pthread_mutex_lock(&p.lock);
    while (!p.cancelled && sp_clock_now() < until)
        pthread_cond_timedwait(&p.woken, &p.lock, &at);
    pthread_mutex_unlock(&p.lock);
    if (watch)
        plug_host->cancel_unwatch(watch);
    pthread_cond_destroy(&p.woken);
    pthread_mutex_destroy(&p.lock);
    return plug_check(call);
}

/* ---- loading ---------------------------------------------------------------------------- */

static int32_t load_start(milvus_call *call, const char *const *partitions, uint64_t count,
                          int64_t replicas)
{
    Milvus__LoadCollectionRequest whole = MILVUS__LOAD_COLLECTION_REQUEST__INIT;
    Milvus__PartitionsRequest some = MILVUS__PARTITIONS_REQUEST__INIT;

    whole.db_name = some.db_name = call->instance->settings.db_name;
    whole.collection_name = some.collection_name = milvus_text(call->collection);
    whole.replica_number = some.replica_number = (int32_t)(replicas ? replicas : 1);
    if (!count)
        return milvus_tell(call, "LoadCollection", &whole.base, 1);
    some.partition_names = (char **)(uintptr_t)partitions;
    some.n_partition_names = (size_t)count;
    return milvus_tell(call, "LoadPartitions", &some.base, 1);
}

static int32_t load_progress(milvus_call *call, const char *const *partitions, uint64_t count,
                             int64_t *percent)
{
    Milvus__LoadingRequest request = MILVUS__LOADING_REQUEST__INIT;
    Milvus__LoadingReply *reply;
    void *message = NULL;
    int32_t code;

    request.db_name = call->instance->settings.db_name;
    request.collection_name = milvus_text(call->collection);
    request.partition_names = (char **)(uintptr_t)partitions;
    request.n_partition_names = (size_t)count;
    code = milvus_ask(call, "GetLoadingProgress", &request.base,
                      &milvus__loading_reply__descriptor, &message);
    reply = message;
    *percent = code ? 0 : reply->progress;
    milvus_reply_free(message);
    return code;
}

int32_t milvus_load_start(milvus_call *call)
{
    return load_start(call, NULL, 0, 0);
}

int32_t milvus_load(milvus_call *call, const char *const *partitions, uint64_t count,
                    int64_t replicas)
{
    const simplugin_call_info *info = call->base.info;
    int64_t percent = 0, wait = PAUSE_FIRST;
    int32_t code = load_start(call, partitions, count, replicas);

    while (!code) {
        code = load_progress(call, partitions, count, &percent);
        if (code)
            break;
        if (info->progress)
            plug_host->progress(info->progress, (uint64_t)percent, 100);
        if (percent >= 100)
            break;
        code = milvus_pause(&call->base, wait);
        wait = wait * 2 > PAUSE_LAST ? PAUSE_LAST : wait * 2;
    }
    return code;
}

/* ---- reading ---------------------------------------------------------------------------- */

int milvus_is_not_loaded(const milvus_status *status)
{
    return status->code && (status->server_code == CODE_NOT_LOADED ||
                            status->server_code == CODE_PARTITION_NOT_LOADED ||
                            strstr(status->reason, "not loaded") != NULL);
}

int milvus_is_reply_too_large(const milvus_status *status)
{
    /* rate limits, which are of the same code, can be retried */
    return status->code == SIMPLUGIN_RESOURCE_EXHAUSTED && !status->retryable;
}

int32_t milvus_read_try(milvus_call *call, milvus_rpc *rpc)
{
    milvus_link *link = &call->instance->link;
    int32_t code = milvus_rpc_try(link, &call->base, rpc);

    if (!code && milvus_is_not_loaded(&rpc->status)) {
        code = milvus_load(call, NULL, 0, 0);
        if (!code)
            code = milvus_rpc_try(link, &call->base, rpc);
    }
    return code;
}

int32_t milvus_read_run(milvus_call *call, milvus_rpc *rpc)
{
    int32_t code = milvus_read_try(call, rpc);

    return code || !rpc->status.code
               ? code
               : milvus_status_fail(&call->base, rpc->method,
                                    call->instance->settings.address.target, &rpc->status);
}

int32_t milvus_read_loaded(milvus_call *call, milvus_rpc *rpc, int *is_loaded)
{
    milvus_link *link = &call->instance->link;
    const milvus_status *status = &rpc->status;
    int32_t code = milvus_rpc_send(link, &call->base, rpc);

    *is_loaded = !code && !status->code;
    if (code || !status->code || milvus_is_not_loaded(status) ||
        status->code == SIMPLUGIN_NOT_FOUND || status->code == SIMPLUGIN_PERMISSION_DENIED)
        return code;
    return milvus_status_fail(&call->base, rpc->method, link->settings->address.target, status);
}
