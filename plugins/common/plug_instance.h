/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What instances of every plugin begin with: a lock that is only ever held for moments,
 * and that no fork finds held.
 */
#ifndef PLUG_INSTANCE_H
#define PLUG_INSTANCE_H

#include <pthread.h>

#include "plug_call.h"

typedef struct plug_instance {
    struct plug_instance *next; /* of all instances of the plugin, for fork */
    pthread_mutex_t lock;
    uint64_t forgotten; /* how often what was known of collections was given up: what was asked for
                           before that is not to be kept */
} plug_instance;

/* 0 on success. */
int plug_instance_init(plug_instance *instance);
void plug_instance_clear(plug_instance *instance);

/*
 * Which of the methods, structs of size bytes that begin with a name, is called; -1 with
 * UNKNOWN_METHOD set.
 */
int64_t plug_method_find(plug_call *call, const void *methods, uint64_t count, size_t size);

/* The key "methods" of describe: those of the same structs that are not required. */
void plug_methods_write(simplugin_writer *out, const void *methods, uint64_t count, size_t size);

/* What an entry function does: keeps the host, and agrees on a version. */
int32_t plug_entry(const char *name, const simplugin_backend *table, const simplugin_host *host,
                   const simplugin_backend **backend, simplugin_error **error);

#endif
