/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "plug_instance.h"

#include <string.h>

#include "plug_args.h"

const simplugin_host *plug_host;

/* ---- instances ---------------------------------------------------------------------------- */

static struct {
    pthread_once_t once;
    pthread_mutex_t lock;
    plug_instance *first;
} all = {.once = PTHREAD_ONCE_INIT, .lock = PTHREAD_MUTEX_INITIALIZER};

static void fork_prepare(void)
{
    pthread_mutex_lock(&all.lock);
    for (plug_instance *at = all.first; at; at = at->next)
        pthread_mutex_lock(&at->lock);
}

static void fork_done(void)
{
    for (plug_instance *at = all.first; at; at = at->next)
        pthread_mutex_unlock(&at->lock);
    pthread_mutex_unlock(&all.lock);
}

static void fork_watch(void)
{
    pthread_atfork(fork_prepare, fork_done, fork_done);
}

int plug_instance_init(plug_instance *instance)
{
    if (pthread_mutex_init(&instance->lock, NULL))
        return -1;
    pthread_once(&all.once, fork_watch);
    pthread_mutex_lock(&all.lock);
    instance->next = all.first;
    all.first = instance;
    pthread_mutex_unlock(&all.lock);
    return 0;
}

void plug_instance_clear(plug_instance *instance)
{
    plug_instance **at = &all.first;

    pthread_mutex_lock(&all.lock);
    while (*at && *at != instance)
        at = &(*at)->next;
    if (*at)
        *at = instance->next;
    pthread_mutex_unlock(&all.lock);
    pthread_mutex_destroy(&instance->lock);
}

/* ---- methods ------------------------------------------------------------------------------ */

static const char *method_name(const void *methods, uint64_t i, size_t size)
{
    const void *method = (const uint8_t *)methods + i * size;

    return *(const char *const *)method;
}

int64_t plug_method_find(plug_call *call, const void *methods, uint64_t count, size_t size)
{
    const simplugin_call_info *info = call->info;
    const char **names;

    for (uint64_t i = 0; i < count; i++) {
        const char *name = method_name(methods, i, size);

        if (strlen(name) == info->method_size &&
            memcmp(name, info->method, (size_t)info->method_size) == 0)
            return (int64_t)i;
    }
    names = plug_scratch(call, count, sizeof *names);
    for (uint64_t i = 0; names && i < count; i++)
        names[i] = method_name(methods, i, size);
    if (names)
        plug_unknown_method(call, names, count);
    else
        plug_no_memory(call);
    return -1;
}

static int is_required(const char *method)
{
    static const char *const required[] = {
        "health", "search", "points.get", "points.upsert", "points.delete", "points.count",
        "points.scan", "collection.list", "collection.exists", "collection.create",
        "collection.describe", "collection.drop"};

    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++)
        if (strcmp(required[i], method) == 0)
            return 1;
    return 0;
}

void plug_methods_write(simplugin_writer *out, const void *methods, uint64_t count, size_t size)
{
    uint64_t begin, written = 0;

    simplugin_write_string(out, "methods");
    begin = simplugin_write_array_begin(out);
    for (uint64_t i = 0; i < count; i++) {
        const char *name = *(const char *const *)((const char *)methods + i * size);

        if (is_required(name))
            continue;
        simplugin_write_string(out, name);
        written++;
    }
    simplugin_write_end(out, begin, written);
}

/* ---- the entry ---------------------------------------------------------------------------- */

int32_t plug_entry(const char *name, const simplugin_backend *table, const simplugin_host *host,
                   const simplugin_backend **backend, simplugin_error **error)
{
    plug_host = host;
    if (table->abi < host->abi_min || table->abi > host->abi_max)
        return plug_error(error, SIMPLUGIN_INCOMPATIBLE,
                          "%s speaks ABI %u.%u only, the host %u.%u to %u.%u", name,
                          table->abi >> 16, table->abi & 0xffff, host->abi_min >> 16,
                          host->abi_min & 0xffff, host->abi_max >> 16, host->abi_max & 0xffff);
    *backend = table;
    return SIMPLUGIN_OK;
}
