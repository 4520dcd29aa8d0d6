/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rewriting a collection: for a backup into another folder, for compaction into the next
 * generation of its own file. The copy has full blocks, no tail and no dead rows.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_internal.h"

typedef struct copying {
    flat_snapshot *from;
    flat_crew *crew;
    uint64_t *rows;
    uint32_t count;
} copying;

static int32_t copy_block(flat_writer *writer, void *context, simplugin_error **error)
{
    copying *copy = context;
    uint64_t number = writer->state.next_block;
    int32_t code = flat_block_write_picks(writer, copy->crew, number, copy->from, copy->rows,
                                          copy->count, error);

    if (code == SIMPLUGIN_OK)
        code = flat_ids_point(writer, copy->from, copy->rows, copy->count, number, error);
    writer->state.next_block++;
    writer->state.live += copy->count;
    return code;
}

static int32_t copy_finish(flat_writer *writer, void *context, simplugin_error **error)
{
    copying *copy = context;
    MDB_stat stat;
    int rc = mdb_stat(writer->txn, writer->env->ids, &stat);

    if (rc)
        return flat_writer_error(writer, rc, "write", error);
    if (writer->state.live != copy->from->table->state.live || stat.ms_entries != writer->state.live)
        return flat_corrupt(copy->from->env, "its ids are not different from each other", error);
    return SIMPLUGIN_OK;
}

/* Numbers of live rows, from *next on, as many as a block holds. */
static void pick(const flat_table *table, uint64_t block_rows, uint64_t *next, copying *copy)
{
    uint64_t end = table->block_count * block_rows + table->tail_count;

    copy->count = 0;
    while (copy->count < block_rows && *next < end) {
        uint64_t index = *next / block_rows, slot = *next % block_rows;

        if (index < table->block_count) {
            const flat_block *block = &table->blocks[index];

            if (slot >= block->rows) {
                *next = (index + 1) * block_rows;
                continue;
            }
            if (block->dead && (block->dead[slot >> 3] >> (slot & 7) & 1)) {
                ++*next;
                continue;
            }
        }
        copy->rows[copy->count++] = (*next)++;
    }
}

/* Everything in the snapshot into an empty file. */
static int32_t copy_rows(flat_snapshot *from, flat_env *to, const flat_wait *wait,
                         flat_progress_fn progress, void *context, simplugin_error **error)
{
    const flat_shape *shape = &from->env->view.shape;
    uint64_t bytes = flat_vectors_size(shape, (uint32_t)shape->block_rows) * 2;
    copying copy = {.from = from};
    flat_writer writer;
    uint64_t next = 0, done = 0;
    int32_t code = SIMPLUGIN_OK;

    flat_writer_init(to, wait, &writer);
    copy.rows = calloc((size_t)shape->block_rows, sizeof(*copy.rows));
    if (!copy.rows)
        return plug_error_no_memory(error);
    copy.crew = flat_crew_new();
    do {
        code = flat_wait_check(wait, error);
        pick(from->table, shape->block_rows, &next, &copy);
        if (code == SIMPLUGIN_OK && copy.count)
            code = flat_writer_run(&writer, copy_block, &copy, bytes, error);
        done += copy.count;
        if (progress)
            progress(context, done, from->table->state.live);
    } while (code == SIMPLUGIN_OK && copy.count);
    if (code == SIMPLUGIN_OK)
        code = flat_writer_run(&writer, copy_finish, &copy, 0, error);
    flat_fields_clear(&writer.fields);
    flat_crew_free(copy.crew);
    free(copy.rows);
    return code;
}

static void unlink_lock(const char *path)
{
    char *lock = NULL;

    if (asprintf(&lock, "%s-lock", path) < 0)
        return;
    unlink(lock);
    free(lock);
}

/* A complete, synced file at path. */
static int32_t copy_file(flat_snapshot *from, const char *folder, const char *path,
                         uint64_t generation, const flat_wait *wait, flat_progress_fn progress,
                         void *context, simplugin_error **error)
{
    const flat_env *env = from->env;
    flat_env *to = NULL;
    int32_t code = flat_env_format(path, env->view.name, &env->view.shape, &env->schema,
                                   &from->table->fields, error);
    int rc = 0;

    if (code == SIMPLUGIN_OK)
        code = flat_env_open_file(folder, path, generation, MDB_NOSYNC, &to, error);
    if (code == SIMPLUGIN_OK)
        code = copy_rows(from, to, wait, progress, context, error);
    if (code == SIMPLUGIN_OK) {
        rc = mdb_env_sync(to->mdb, 1);
        if (rc)
            code = flat_mdb_error(to, rc, "write", error);
    }
    flat_env_free(to);
    unlink_lock(path);
    return code;
}

/* ---- backup -------------------------------------------------------------------------- */

static char *parent_of(const char *path)
{
    const char *end = strrchr(path, '/');

    return end == path ? strdup("/") : strndup(path, (size_t)(end - path));
}

int32_t flat_store_backup(flat_store *store, const char *target, const flat_wait *wait,
                          flat_progress_fn progress, void *context, simplugin_error **error)
{
    flat_snapshot *snapshot = NULL;
    char *fresh = NULL, *path = NULL, *parent = NULL;
    int32_t code = SIMPLUGIN_OK;
    int made = 0;
    struct stat info;

    if (target[0] != '/')
        return plug_error_argument(error, "target", "the folder %s of a backup is not absolute",
                                   target);
    if (!lstat(target, &info))
        return plug_error(error, SIMPLUGIN_ALREADY_EXISTS, "the folder %s of a backup exists already",
                          target);
    code = flat_snapshot_new(store, &snapshot, error);
    if (code != SIMPLUGIN_OK)
        return code;
    parent = parent_of(target);
    if (!parent || asprintf(&fresh, "%s.partial-%ld", target, (long)getpid()) < 0) {
        fresh = NULL;
        code = plug_error_no_memory(error);
        goto out;
    }
    path = flat_generation_path(fresh, 1);
    if (!path) {
        code = plug_error_no_memory(error);
        goto out;
    }
    code = flat_folder_make(fresh, snapshot->env->view.name, error);
    made = code == SIMPLUGIN_OK;
    if (code == SIMPLUGIN_OK)
        code = copy_file(snapshot, fresh, path, 1, wait, progress, context, error);
    if (code == SIMPLUGIN_OK)
        code = flat_folder_sync(fresh, error);
    if (code == SIMPLUGIN_OK && rename(fresh, target))
        code = plug_error_errno(error, errno, "make", target);
    else if (code == SIMPLUGIN_OK) {
        made = 0;
        code = flat_folder_sync(parent, error);
    }
out:
    if (made)
        flat_folder_delete(fresh);
    flat_snapshot_free(snapshot);
    free(fresh);
    free(path);
    free(parent);
    return code;
}

/* ---- compaction ---------------------------------------------------------------------- */

static int32_t mark_superseded(flat_writer *writer, void *context, simplugin_error **error)
{
    const uint64_t *generation = context;

    (void)error;
    writer->state.superseded = *generation;
    return SIMPLUGIN_OK;
}

static uint64_t bytes_of(const char *path)
{
    struct stat info;

    return stat(path, &info) ? 0 : (uint64_t)info.st_blocks * 512;
}

/*
 * The files of older generations, also of one whose compaction was killed right here. The
 * oldest goes first: each says which took over, and the next must be there.
 */
static void remove_older(const char *folder, uint64_t generation)
{
    uint64_t oldest = 0;
    int gone = 1;

    while (gone && flat_folder_generation(folder, &oldest, NULL) == SIMPLUGIN_OK && oldest &&
           oldest < generation) {
        char *path = flat_generation_path(folder, oldest);

        gone = path && !unlink(path);
        if (gone)
            unlink_lock(path);
        free(path);
    }
}

/*
 * From the commit in the middle on, the new file is the collection. Whoever has the old
 * one open finds that out with his next transaction.
 */
static int32_t take_over(flat_writer *writer, const char *path, uint64_t generation,
                         simplugin_error **error)
{
    flat_env *env = writer->env;
    int32_t code = flat_generation_lock(env->lock_fd, 1, env->folder, error);

    if (code != SIMPLUGIN_OK) {
        unlink(path);
        return code;
    }
    /* If this fails the new file stays: the commit may have reached the disk after all. */
    code = flat_writer_run(writer, mark_superseded, &generation, 0, error);
    if (code == SIMPLUGIN_OK)
        remove_older(env->folder, generation);
    flat_generation_lock(env->lock_fd, -1, env->folder, NULL);
    return code;
}

int32_t flat_store_compact(flat_store *store, const flat_wait *wait, flat_progress_fn progress,
                           void *context, uint64_t *bytes_before, uint64_t *bytes_after,
                           simplugin_error **error)
{
    flat_snapshot *snapshot = NULL;
    char *old = NULL, *path = NULL, *fresh = NULL;
    flat_writer writer;
    uint64_t generation;
    int32_t code = flat_writer_begin(store, wait, &writer, error);

    *bytes_before = *bytes_after = 0;
    if (code != SIMPLUGIN_OK)
        goto out;
    generation = writer.env->generation + 1;
    old = flat_generation_path(store->folder, writer.env->generation);
    path = flat_generation_path(store->folder, generation);
    if (!old || !path || asprintf(&fresh, "%s.new", path) < 0) {
        fresh = NULL;
        code = plug_error_no_memory(error);
        goto out;
    }
    *bytes_before = bytes_of(old);
    /* What a killed compaction left. */
    unlink(fresh);
    unlink_lock(fresh);
    code = flat_snapshot_of(writer.env, &snapshot, error);
    if (code == SIMPLUGIN_OK)
        code = copy_file(snapshot, store->folder, fresh, generation, wait, progress, context, error);
    if (snapshot)
        flat_snapshot_end(snapshot);
    if (code == SIMPLUGIN_OK && rename(fresh, path))
        code = plug_error_errno(error, errno, "make", path);
    if (code == SIMPLUGIN_OK)
        code = flat_folder_sync(store->folder, error);
    if (code == SIMPLUGIN_OK)
        code = take_over(&writer, path, generation, error);
    if (code == SIMPLUGIN_OK)
        *bytes_after = bytes_of(path);
    else if (fresh)
        unlink(fresh);
out:
    flat_writer_end(&writer);
    free(old);
    free(path);
    free(fresh);
    return code;
}
