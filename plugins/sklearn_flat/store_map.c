/* SPDX-License-Identifier: Apache-2.0 */
/* The map of an environment: who is in it, and how it grows when nobody is. */
#include "config.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "clock.h"
#include "store_internal.h"

#define MAP_STEP (UINT64_C(1) << 20)
/* How long a snapshot waits for a map that wants to grow, and the map for snapshots. */
#define POLITENESS INT64_C(200000000)
#define PATIENCE INT64_C(60000000000)
#define PAUSE INT64_C(20000000)

/* ---- the file ------------------------------------------------------------------------ */

int32_t flat_env_cover(flat_env *env, simplugin_error **error)
{
    MDB_envinfo info;
    struct stat file;
    uint64_t size;
    int fd = -1;

    if (mdb_env_info(env->mdb, &info) || mdb_env_get_fd(env->mdb, &fd) || fstat(fd, &file))
        return plug_error(error, SIMPLUGIN_IO, "cannot look at %s", env->folder);
    size = ((uint64_t)info.me_last_pgno + 1) * env->page_size;
    if ((uint64_t)file.st_size >= size)
        return SIMPLUGIN_OK;
    /* Never ftruncate: another process may have made it longer by now. */
    if (!env->read_only && !fallocate(fd, 0, (off_t)size - 1, 1))
        return SIMPLUGIN_OK;
    return flat_corrupt(env, "its file was cut short", error);
}

uint64_t flat_env_free_bytes(const flat_env *env)
{
    MDB_envinfo info;
    uint64_t used;

    if (mdb_env_info(env->mdb, &info))
        return 0;
    used = ((uint64_t)info.me_last_pgno + 1) * env->page_size;
    return used < info.me_mapsize ? info.me_mapsize - used : 0;
}

/* ---- the map ------------------------------------------------------------------------- */

void flat_gate_enter(flat_env *env)
{
    int64_t until = 0;

    pthread_mutex_lock(&env->lock);
    /*
     * New transactions let a map grow that waits for the old ones; but not for ever, as
     * one of those may be the caller's own.
     */
    while (env->growing) {
        int64_t now = sp_clock_now();

        if (!until)
            until = now + POLITENESS;
        if (now >= until)
            break;
        flat_env_pause(env, PAUSE);
    }
    env->inside++;
    pthread_mutex_unlock(&env->lock);
}

void flat_gate_leave(flat_env *env)
{
    pthread_mutex_lock(&env->lock);
    if (--env->inside == 0 && env->growing)
        pthread_cond_broadcast(&env->changed);
    pthread_mutex_unlock(&env->lock);
}

/* LMDB gives up the old map before it asks for the new one: better to ask first. */
static int has_room(uint64_t size)
{
    void *room = mmap(NULL, (size_t)size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                      -1, 0);

    if (room == MAP_FAILED)
        return 0;
    munmap(room, (size_t)size);
    return 1;
}

int32_t flat_env_grow(flat_env *env, uint64_t need, const flat_wait *wait, simplugin_error **error)
{
    int64_t patience = sp_clock_now() + PATIENCE;
    int32_t code = SIMPLUGIN_OK;
    flat_table *table = NULL;
    MDB_envinfo info;
    uint64_t size = 0;

    pthread_mutex_lock(&env->lock);
    env->growing++;
    while (env->inside && code == SIMPLUGIN_OK) {
        int64_t now = sp_clock_now();

        if (flat_wait_cancelled(wait))
            code = plug_error(error, SIMPLUGIN_CANCELLED, "the call was cancelled");
        else if (now >= wait->deadline || now >= patience)
            code = plug_error(error, SIMPLUGIN_BUSY,
                              "collection \"%.*s\" cannot grow while searches or scans of this "
                              "process go on; try again later",
                              (int)env->view.name.size, env->view.name.data);
        else
            flat_env_pause(env, PAUSE);
    }
    if (code == SIMPLUGIN_OK) {
        /* Its pointers lead into the old map. */
        table = env->table;
        env->table = NULL;
        if (need && !mdb_env_info(env->mdb, &info)) {
            size = info.me_mapsize + need;
            if (!flat_map_size_forced)
                size += info.me_mapsize;
            size = (size + MAP_STEP - 1) / MAP_STEP * MAP_STEP;
        }
        if (size && !has_room(size))
            code = plug_error_no_memory(error);
        else {
            int rc = mdb_env_set_mapsize(env->mdb, (size_t)size);

            if (rc)
                code = flat_mdb_error(env, rc, "enlarge", error);
        }
    }
    env->growing--;
    pthread_cond_broadcast(&env->changed);
    pthread_mutex_unlock(&env->lock);
    flat_table_unref(table);
    return code;
}
