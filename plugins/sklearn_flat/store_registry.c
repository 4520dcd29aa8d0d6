/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which files are open in this process: LMDB allows one environment for each. A forked
 * child starts with a registry of its own, as the parent's locks may be held for ever
 * there; what the parent had open is left alone, because closing it would take the
 * parent's places in LMDB's lock file.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_internal.h"

typedef struct registry {
    struct registry *inherited; /* the parent's: memory that is only kept reachable */
    pid_t pid;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* an environment was closed */
    flat_env *envs;
} registry;

static _Atomic(registry *) current;

static registry *registry_get(void)
{
    registry *old = atomic_load(&current);
    registry *fresh = NULL;
    pid_t pid = getpid();

    if (old && old->pid == pid)
        return old;
    fresh = calloc(1, sizeof(*fresh));
    if (!fresh)
        return NULL;
    fresh->inherited = old;
    fresh->pid = pid;
    if (pthread_mutex_init(&fresh->lock, NULL)) {
        free(fresh);
        return NULL;
    }
    if (pthread_cond_init(&fresh->changed, NULL)) {
        pthread_mutex_destroy(&fresh->lock);
        free(fresh);
        return NULL;
    }
    if (!atomic_compare_exchange_strong(&current, &old, fresh)) {
        pthread_cond_destroy(&fresh->changed);
        pthread_mutex_destroy(&fresh->lock);
        free(fresh);
        return old;
    }
    return fresh;
}

static flat_env *find(registry *all, const struct stat *file)
{
    flat_env *env = all->envs;

    while (env && (env->device != file->st_dev || env->inode != file->st_ino))
        env = env->next;
    return env;
}

/* One attempt at that generation: found in the registry, or opened. */
static int32_t open_generation(registry *all, const char *folder, uint64_t generation,
                               flat_env **env, simplugin_error **error)
{
    char *path = flat_generation_path(folder, generation);
    int32_t code = SIMPLUGIN_OK;
    struct stat file;

    if (!path)
        return plug_error_no_memory(error);
    if (stat(path, &file)) {
        code = plug_error_errno(error, errno, "open", path);
        goto out;
    }
    while ((*env = find(all, &file)) != NULL && (*env)->closing)
        pthread_cond_wait(&all->changed, &all->lock);
    if (*env) {
        (*env)->users++;
        goto out;
    }
    code = flat_env_open_file(folder, path, generation, 0, env, error);
    if (code != SIMPLUGIN_OK)
        goto out;
    (*env)->users = 1;
    (*env)->next = all->envs;
    all->envs = *env;
out:
    free(path);
    return code;
}

static void release(registry *all, flat_env *env);

/*
 * The newest file of a folder. The smallest generation is the one in use unless it says
 * which took over; a larger one that nobody names is what a killed compaction left.
 */
static int32_t open_newest(registry *all, const char *folder, flat_env **env,
                           simplugin_error **error)
{
    int32_t code = SIMPLUGIN_OK;
    uint64_t generation = 0;
    flat_env *found = NULL;
    flat_state state = {0};
    int fd = -1, writable = 0;

    fd = flat_lock_open(folder, &writable);
    if (fd < 0 && errno == ENOENT)
        return plug_error(error, SIMPLUGIN_NOT_FOUND, "there is no collection in %s any more", folder);
    code = flat_generation_lock(fd, 0, folder, error);
    if (code == SIMPLUGIN_OK)
        code = flat_folder_generation(folder, &generation, error);
    if (code == SIMPLUGIN_OK && generation == 0)
        code = plug_error(error, SIMPLUGIN_CORRUPT, "%s is damaged: its file store-1.mdb is missing",
                          folder);
    while (code == SIMPLUGIN_OK) {
        code = open_generation(all, folder, generation, &found, error);
        if (code == SIMPLUGIN_OK)
            code = flat_state_now(found, NULL, &state, error);
        if (code == SIMPLUGIN_OK && state.dropped)
            code = plug_error(error, SIMPLUGIN_NOT_FOUND, "collection \"%.*s\" was dropped",
                              (int)found->view.name.size, found->view.name.data);
        if (code == SIMPLUGIN_OK && state.superseded <= generation) {
            *env = found;
            found = NULL;
            break;
        }
        generation = state.superseded;
        if (found) {
            release(all, found);
            found = NULL;
        }
    }
    if (fd >= 0) {
        /* not by closing alone: a child forked meanwhile has a copy, which would keep it */
        flat_generation_lock(fd, -1, folder, NULL);
        close(fd);
    }
    return code;
}

/* Registry locked; unlocks it while the last user's work is done. */
static void release(registry *all, flat_env *env)
{
    flat_env **link = &all->envs;

    if (--env->users)
        return;
    env->closing = 1;
    pthread_mutex_unlock(&all->lock);
    flat_maintain_stop(env);
    flat_maintain_close(env);
    pthread_mutex_lock(&all->lock);
    while (*link != env)
        link = &(*link)->next;
    *link = env->next;
    flat_env_free(env);
    pthread_cond_broadcast(&all->changed);
}

int32_t flat_env_open_folder(const char *folder, flat_env **env, simplugin_error **error)
{
    registry *all = registry_get();
    int32_t code;

    if (!all)
        return plug_error_no_memory(error);
    pthread_mutex_lock(&all->lock);
    code = open_newest(all, folder, env, error);
    pthread_mutex_unlock(&all->lock);
    return code;
}

void flat_env_release(flat_env *env)
{
    registry *all = NULL;

    if (!env || env->pid != getpid())
        return;
    all = registry_get(); /* there: env was opened with it */
    pthread_mutex_lock(&all->lock);
    release(all, env);
    pthread_mutex_unlock(&all->lock);
}

void flat_env_abandon(flat_env *env)
{
    /* The child's copy of the descriptor would keep the turn if the parent died in it. */
    if (env->lock_fd >= 0)
        close(env->lock_fd);
    env->lock_fd = -1;
}

int32_t flat_env_hold(flat_store *store, flat_env **env, simplugin_error **error)
{
    registry *all = registry_get();
    int32_t code = SIMPLUGIN_OK;
    flat_env *fresh = NULL;

    if (!all)
        return plug_error_no_memory(error);
    pthread_mutex_lock(&all->lock);
    if (store->env->pid != all->pid) {
        code = open_newest(all, store->folder, &fresh, error);
        if (code == SIMPLUGIN_OK) {
            flat_env_abandon(store->env);
            store->env = fresh;
        }
    }
    if (code == SIMPLUGIN_OK) {
        *env = store->env;
        store->env->users++;
    }
    pthread_mutex_unlock(&all->lock);
    return code;
}

int32_t flat_env_follow(flat_store *store, flat_env *env, simplugin_error **error)
{
    registry *all = registry_get();
    int32_t code = SIMPLUGIN_OK;
    flat_env *fresh = NULL;

    if (!all)
        return plug_error_no_memory(error);
    pthread_mutex_lock(&all->lock);
    if (store->env == env) {
        code = open_newest(all, store->folder, &fresh, error);
        if (code == SIMPLUGIN_OK) {
            store->env = fresh;
            release(all, env);
        }
    }
    pthread_mutex_unlock(&all->lock);
    return code;
}
