/* SPDX-License-Identifier: Apache-2.0 */
/* One LMDB environment: how a file is looked at, opened and made. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_internal.h"

/* Address space costs nothing; growing the map means waiting for readers. */
#define MAP_MIN (UINT64_C(16) << 30)
#define MAP_SMALLEST (UINT64_C(64) << 20)
#define MAP_STEP (UINT64_C(1) << 20)
#define READERS 1022

uint64_t flat_map_size_forced;

/* ---- errors -------------------------------------------------------------------------- */

int32_t flat_corrupt(const flat_env *env, const char *what, simplugin_error **error)
{
    return plug_error(error, SIMPLUGIN_CORRUPT, "collection \"%.*s\" is damaged: %s",
                      (int)env->view.name.size, env->view.name.data, what);
}

int32_t flat_corrupt_block(const flat_env *env, uint64_t block, const char *what,
                           simplugin_error **error)
{
    return plug_error(error, SIMPLUGIN_CORRUPT, "collection \"%.*s\" is damaged: block %llu: %s",
                      (int)env->view.name.size, env->view.name.data, (unsigned long long)block,
                      what);
}

static int32_t code_of(int rc)
{
    switch (rc) {
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_NOTFOUND:
    case MDB_INCOMPATIBLE:
    case MDB_CURSOR_FULL:
    case MDB_BAD_DBI:
        return SIMPLUGIN_CORRUPT;
    case MDB_VERSION_MISMATCH:
        return SIMPLUGIN_VERSION_TOO_NEW;
    case MDB_READERS_FULL:
    case MDB_TXN_FULL:
    case MDB_MAP_FULL:
        return SIMPLUGIN_RESOURCE_EXHAUSTED;
    case ENOMEM:
        return SIMPLUGIN_OUT_OF_MEMORY;
    default:
        return SIMPLUGIN_IO;
    }
}

int32_t flat_mdb_error(const flat_env *env, int rc, const char *action, simplugin_error **error)
{
    const char *what = env->view.name.data ? env->view.name.data : env->folder;
    int size = env->view.name.data ? (int)env->view.name.size : (int)strlen(env->folder);

    if (rc > 0 && rc != ENOMEM)
        return plug_error_errno(error, rc, action, env->folder);
    return plug_error(error, code_of(rc), "cannot %s collection \"%.*s\": %s", action, size, what,
                      mdb_strerror(rc));
}

/* ---- the head of a file -------------------------------------------------------------- */

/* What LMDB 0.9 writes into its first two pages. It trusts them, so they are read before. */
typedef struct meta {
    uint32_t page_size;
    uint64_t roots[2];
    uint64_t last_page;
    uint64_t transaction;
} meta;

#define META_SIZE 152
#define META_FLAG 8

static const char *meta_read(int fd, uint64_t at, meta *out, int *version)
{
    uint8_t bytes[META_SIZE];
    uint16_t flags;
    uint32_t words[2];

    if (pread(fd, bytes, sizeof(bytes), (off_t)at) != (ssize_t)sizeof(bytes))
        return "its file is cut short";
    memcpy(&flags, bytes + 10, sizeof(flags));
    memcpy(words, bytes + 16, sizeof(words));
    if (!(flags & META_FLAG) || words[0] != 0xBEEFC0DE)
        return "its file has no head";
    *version = (int)words[1];
    memcpy(&out->page_size, bytes + 40, sizeof(out->page_size));
    memcpy(&out->roots[0], bytes + 80, sizeof(uint64_t));
    memcpy(&out->roots[1], bytes + 128, sizeof(uint64_t));
    memcpy(&out->last_page, bytes + 136, sizeof(out->last_page));
    memcpy(&out->transaction, bytes + 144, sizeof(out->transaction));
    if (out->page_size < 512 || out->page_size > 65536 || (out->page_size & (out->page_size - 1)))
        return "its file has an impossible page size";
    if (out->last_page > UINT64_C(1) << 44)
        return "its file has an impossible number of pages";
    for (int i = 0; i < 2; i++)
        if (out->roots[i] != UINT64_MAX && (out->roots[i] < 2 || out->roots[i] > out->last_page))
            return "its file has an impossible root";
    return NULL;
}

/* Of the newest transaction. */
static int32_t head_check(const flat_env *env, int fd, meta *newest, simplugin_error **error)
{
    meta other;
    int version = 1;
    const char *what = meta_read(fd, 0, newest, &version);

    if (!what && version == 1)
        what = meta_read(fd, newest->page_size, &other, &version);
    if (!what && version != 1)
        return plug_error(error, SIMPLUGIN_VERSION_TOO_NEW,
                          "%s was written by LMDB's format %d, this is 1", env->folder, version);
    if (!what && other.page_size != newest->page_size)
        what = "the two heads of its file differ";
    if (what)
        return plug_error(error, SIMPLUGIN_CORRUPT, "%s is damaged: %s", env->folder, what);
    if (other.transaction > newest->transaction)
        *newest = other;
    return SIMPLUGIN_OK;
}

/*
 * A transaction may take pages at the file's end and not need them in the end; they are
 * free and were never written, so that after a crash the file can be shorter than it says.
 * All that is missing must be such pages.
 */
static int32_t missing_check(flat_env *env, uint64_t first, uint64_t last, simplugin_error **error)
{
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    uint64_t count = 0;
    int rc = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn);

    if (!rc)
        rc = mdb_cursor_open(txn, 0, &cursor);
    while (!rc && !(rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT))) {
        uint64_t size = 0, page;

        if (value.mv_size >= sizeof(size))
            memcpy(&size, value.mv_data, sizeof(size));
        if (size >= value.mv_size / sizeof(page))
            rc = MDB_CORRUPTED;
        for (uint64_t i = 1; !rc && i <= size; i++) {
            memcpy(&page, (const uint8_t *)value.mv_data + i * sizeof(page), sizeof(page));
            count += page >= first && page <= last;
        }
    }
    if (cursor)
        mdb_cursor_close(cursor);
    if (txn)
        mdb_txn_abort(txn);
    if (rc == MDB_NOTFOUND && count == last - first + 1)
        return SIMPLUGIN_OK;
    if (rc && rc != MDB_NOTFOUND && rc != MDB_CORRUPTED)
        return flat_mdb_error(env, rc, "open", error);
    return plug_error(error, SIMPLUGIN_CORRUPT,
                      "%s is damaged: its file is cut short, %llu of %llu pages are there",
                      env->folder, (unsigned long long)first, (unsigned long long)last + 1);
}

/* ---- opening ------------------------------------------------------------------------- */

static int try_open(flat_env *env, const char *path, uint64_t map_size, unsigned flags)
{
    int rc = mdb_env_create(&env->mdb);

    if (!rc)
        rc = mdb_env_set_maxdbs(env->mdb, 4);
    if (!rc)
        rc = mdb_env_set_maxreaders(env->mdb, READERS);
    if (!rc)
        rc = mdb_env_set_mapsize(env->mdb, (size_t)map_size);
    if (!rc)
        rc = mdb_env_open(env->mdb, path, MDB_NOSUBDIR | MDB_NOTLS | flags, 0600);
    if (rc && env->mdb) {
        mdb_env_close(env->mdb);
        env->mdb = NULL;
    }
    return rc;
}

static int not_allowed(int rc)
{
    return rc == EACCES || rc == EPERM || rc == EROFS;
}

/* As much map and as many rights as there are. */
static int32_t open_best(flat_env *env, const char *path, uint64_t file_size, unsigned flags,
                         simplugin_error **error)
{
    uint64_t size = MAP_MIN;
    int rc = 0;

    while (size < file_size * 8)
        size *= 2;
    if (flat_map_size_forced)
        size = flat_map_size_forced > file_size ? flat_map_size_forced : file_size + MAP_STEP;
    do {
        rc = try_open(env, path, size, flags | (env->read_only ? MDB_RDONLY : 0));
        if (not_allowed(rc) && !env->read_only) {
            env->read_only = 1;
            rc = try_open(env, path, size, flags | MDB_RDONLY);
        }
        if (not_allowed(rc)) {
            env->no_lock = 1;
            rc = try_open(env, path, size, flags | MDB_RDONLY | MDB_NOLOCK);
        }
        size /= 2;
    } while (rc == ENOMEM && size >= file_size + MAP_SMALLEST);
    return rc ? flat_mdb_error(env, rc, "open", error) : SIMPLUGIN_OK;
}

/* LMDB trusts the pages of a file; those that every use touches are looked at before. */
static int32_t pages_check(flat_env *env, simplugin_error **error)
{
    int32_t code = SIMPLUGIN_OK;
    MDB_txn *txn = NULL;
    int fd = -1, rc = mdb_env_get_fd(env->mdb, &fd);

    do {
        if (!rc)
            rc = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn);
        if (!rc)
            code = flat_pages_check(env, fd, mdb_txn_id(txn), 0, &flat_wait_forever, error);
        if (txn)
            mdb_txn_abort(txn);
        txn = NULL;
    } while (!rc && code == SIMPLUGIN_BUSY);
    return rc ? flat_mdb_error(env, rc, "open", error) : code;
}

static int32_t schema_load(flat_env *env, MDB_txn *txn, simplugin_error **error)
{
    MDB_val key = {6, (void *)(uintptr_t)"schema"}, value;
    flat_schema_view view;
    const char *what = NULL;
    uint32_t version = 0;
    int rc = mdb_get(txn, env->main, &key, &value);
    uint64_t size;

    if (rc)
        return flat_mdb_error(env, rc, "read the schema of", error);
    what = flat_schema_decode(value.mv_data, value.mv_size, &view, &version);
    if (version > FLAT_FORMAT_VERSION)
        return plug_error(error, SIMPLUGIN_VERSION_TOO_NEW,
                          "%s was written in format %u, this version of simplugin reads up to %u",
                          env->folder, version, FLAT_FORMAT_VERSION);
    if (what)
        return plug_error(error, SIMPLUGIN_CORRUPT, "%s is damaged: %s", env->folder, what);
    /* A copy with room for the zeros that end metric and attributes. */
    size = value.mv_size + 2;
    env->schema_bytes = malloc((size_t)size);
    if (!env->schema_bytes)
        return plug_error_no_memory(error);
    memcpy(env->schema_bytes, view.name.data, view.name.size);
    memcpy(env->schema_bytes + view.name.size, view.metric.data, view.metric.size);
    env->schema_bytes[view.name.size + view.metric.size] = 0;
    memcpy(env->schema_bytes + view.name.size + view.metric.size + 1, view.attributes.data,
           view.attributes.size);
    env->schema_bytes[view.name.size + view.metric.size + 1 + view.attributes.size] = 0;
    view.name.data = (const char *)env->schema_bytes;
    view.metric.data = view.name.data + view.name.size;
    view.attributes.data = view.metric.data + view.metric.size + 1;
    env->view = view;
    env->schema.dimension = view.shape.dimension;
    env->schema.metric = view.metric.data;
    env->schema.attributes = view.has_attributes ? view.attributes.data : NULL;
    env->schema.attributes_size = view.attributes.size;
    return SIMPLUGIN_OK;
}

static int32_t trees_open(flat_env *env, simplugin_error **error)
{
    MDB_txn *txn = NULL;
    MDB_stat stat;
    int32_t code = SIMPLUGIN_OK;
    int rc = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn);

    if (!rc)
        rc = mdb_dbi_open(txn, NULL, 0, &env->main);
    if (!rc)
        rc = mdb_dbi_open(txn, "ids", 0, &env->ids);
    if (!rc)
        rc = mdb_dbi_open(txn, "tail", 0, &env->tail);
    if (!rc)
        rc = mdb_dbi_open(txn, "blocks", 0, &env->blocks);
    if (!rc)
        rc = mdb_env_stat(env->mdb, &stat);
    if (rc) {
        code = flat_mdb_error(env, rc, "open", error);
        goto out;
    }
    env->page_size = stat.ms_psize;
    code = schema_load(env, txn, error);
    if (code != SIMPLUGIN_OK)
        goto out;
    rc = mdb_txn_commit(txn); /* keeps the handles */
    txn = NULL;
    if (rc)
        code = flat_mdb_error(env, rc, "open", error);
out:
    if (txn)
        mdb_txn_abort(txn);
    return code;
}

static int locks_init(flat_env *env)
{
    pthread_condattr_t attributes;
    int rc = pthread_condattr_init(&attributes);

    if (rc)
        return rc;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    rc = pthread_cond_init(&env->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (!rc && (rc = pthread_mutex_init(&env->lock, NULL)) != 0)
        pthread_cond_destroy(&env->changed);
    return rc;
}

int32_t flat_env_open_file(const char *folder, const char *path, uint64_t generation,
                           unsigned flags, flat_env **result, simplugin_error **error)
{
    flat_env *env = calloc(1, sizeof(*env));
    int32_t code = SIMPLUGIN_OK;
    int fd = -1, lock_writable = 0;
    uint64_t pages = 0;
    struct stat file;
    meta head;

    if (!env)
        return plug_error_no_memory(error);
    if (locks_init(env)) {
        free(env);
        return plug_error_no_memory(error);
    }
    env->lock_fd = -1;
    env->pid = getpid();
    env->generation = generation;
    env->folder = strdup(folder);
    if (!env->folder) {
        code = plug_error_no_memory(error);
        goto out;
    }
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 && not_allowed(errno)) {
        env->read_only = 1;
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (fd < 0 || fstat(fd, &file)) {
        code = plug_error_errno(error, errno, "open", path);
        goto out;
    }
    env->device = file.st_dev;
    env->inode = file.st_ino;
    code = head_check(env, fd, &head, error);
    if (code != SIMPLUGIN_OK)
        goto out;
    env->lock_fd = flat_lock_open(folder, &lock_writable);
    if (env->lock_fd < 0 && (errno == ENOMEM || errno == EMFILE || errno == ENFILE)) {
        code = plug_error_errno(error, errno, "open the lock of", folder);
        goto out;
    }
    if (env->lock_fd < 0 || !lock_writable)
        env->read_only = 1;
    pages = (uint64_t)file.st_size / head.page_size;
    if (pages <= head.last_page) {
        uint64_t size = (head.last_page + 1) * head.page_size;

        /* LMDB would read past the end and be killed. */
        if (head.last_page > pages + (UINT64_C(1) << 20) || env->read_only ||
            fallocate(fd, 0, (off_t)size - 1, 1)) {
            code = plug_error(error, SIMPLUGIN_CORRUPT,
                              "%s is damaged: its file is cut short, %llu of %llu pages are there",
                              folder, (unsigned long long)pages,
                              (unsigned long long)head.last_page + 1);
            goto out;
        }
    }
    code = open_best(env, path, (uint64_t)file.st_size, flags, error);
    if (code != SIMPLUGIN_OK)
        goto out;
    if (pages <= head.last_page) {
        code = missing_check(env, pages, head.last_page, error);
        if (code != SIMPLUGIN_OK)
            goto out;
    }
    code = pages_check(env, error);
    if (code != SIMPLUGIN_OK)
        goto out;
    if (!env->no_lock)
        mdb_reader_check(env->mdb, NULL);
    code = trees_open(env, error);
    if (code != SIMPLUGIN_OK)
        goto out;
    env->codes = sp_codes_new(env->view.shape.dimension);
    if (!env->codes) {
        code = plug_error_no_memory(error);
        goto out;
    }
    *result = env;
    env = NULL;
out:
    if (fd >= 0)
        close(fd);
    flat_env_free(env);
    return code;
}

void flat_env_free(flat_env *env)
{
    if (!env)
        return;
    while (env->idle_count)
        mdb_txn_abort(env->idle[--env->idle_count]);
    flat_table_unref(env->table);
    if (env->mdb)
        mdb_env_close(env->mdb);
    if (env->lock_fd >= 0)
        close(env->lock_fd);
    sp_codes_free(env->codes);
    free(env->schema_bytes);
    free(env->folder);
    pthread_cond_destroy(&env->changed);
    pthread_mutex_destroy(&env->lock);
    free(env);
}

static int put(MDB_txn *txn, MDB_dbi dbi, const char *name, const sp_buffer *bytes)
{
    MDB_val key = {strlen(name), (void *)(uintptr_t)name}, value = {bytes->size, bytes->data};

    return bytes->failed ? ENOMEM : mdb_put(txn, dbi, &key, &value, 0);
}

int32_t flat_env_format(const char *path, sp_text name, const flat_shape *shape,
                        const flat_schema *schema, const flat_fields *fields,
                        simplugin_error **error)
{
    static const char *const trees[3] = {"ids", "tail", "blocks"};
    flat_state state = {0};
    sp_buffer schema_bytes, state_bytes, field_bytes;
    MDB_env *mdb = NULL;
    MDB_txn *txn = NULL;
    MDB_dbi dbi = 0;
    char *lock_path = NULL;
    int32_t code = SIMPLUGIN_OK;
    int rc = 0;

    sp_buffer_init(&schema_bytes);
    sp_buffer_init(&state_bytes);
    sp_buffer_init(&field_bytes);
    flat_schema_encode(&schema_bytes, shape, name, schema);
    flat_state_encode(&state_bytes, &state);
    flat_fields_encode(&field_bytes, fields);
    if (asprintf(&lock_path, "%s-lock", path) < 0) {
        lock_path = NULL;
        rc = ENOMEM;
        goto out;
    }
    rc = mdb_env_create(&mdb);
    if (!rc)
        rc = mdb_env_set_maxdbs(mdb, 4);
    if (!rc)
        rc = mdb_env_set_mapsize(mdb, (size_t)MAP_SMALLEST);
    if (!rc)
        rc = mdb_env_open(mdb, path, MDB_NOSUBDIR | MDB_NOTLS | MDB_NOSYNC, 0600);
    if (!rc)
        rc = mdb_txn_begin(mdb, NULL, 0, &txn);
    for (int i = 0; !rc && i < 3; i++)
        rc = mdb_dbi_open(txn, trees[i], MDB_CREATE, &dbi);
    if (!rc)
        rc = mdb_dbi_open(txn, NULL, 0, &dbi);
    if (!rc)
        rc = put(txn, dbi, "schema", &schema_bytes);
    if (!rc)
        rc = put(txn, dbi, "state", &state_bytes);
    if (!rc)
        rc = put(txn, dbi, "fields", &field_bytes);
    if (!rc) {
        rc = mdb_txn_commit(txn);
        txn = NULL;
    }
    if (!rc)
        rc = mdb_env_sync(mdb, 1);
out:
    if (txn)
        mdb_txn_abort(txn);
    if (mdb)
        mdb_env_close(mdb);
    if (lock_path)
        unlink(lock_path);
    if (rc > 0)
        code = plug_error_errno(error, rc, "make", path);
    else if (rc)
        code = plug_error(error, SIMPLUGIN_IO, "cannot make %s: %s", path, mdb_strerror(rc));
    free(lock_path);
    sp_buffer_clear(&schema_bytes);
    sp_buffer_clear(&state_bytes);
    sp_buffer_clear(&field_bytes);
    return code;
}
