/* SPDX-License-Identifier: Apache-2.0 */
/* Write transactions: the turn, the map's room, the state, and what every writer needs. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_internal.h"

/* Room for trees and free lists beside what a step announces. */
#define SPARE (UINT64_C(8) << 20)

/* A file without a name; not all file systems make those in one go. */
static int nameless(const char *folder)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    char *path = NULL;

    if (fd >= 0 || errno == ENOSPC || errno == EDQUOT)
        return fd;
    path = flat_path(folder, ".probe-XXXXXX");
    if (!path) {
        errno = ENOMEM;
        return -1;
    }
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    free(path);
    return fd;
}

/*
 * LMDB calls a write that was cut short an EIO, as a full disk leaves one. Whether it is
 * full is told by a file of no name that asks for as much.
 */
static int explain(const flat_env *env, uint64_t bytes)
{
    struct stat info;
    int fd = -1, rc = EIO;

    if (mdb_env_get_fd(env->mdb, &fd) || fstat(fd, &info))
        return EIO;
    fd = nameless(env->folder);
    if (fd < 0)
        return errno == ENOSPC || errno == EDQUOT ? ENOSPC : EIO;
    if (fallocate(fd, 0, info.st_size, (off_t)bytes) &&
        (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
        rc = ENOSPC;
    close(fd);
    return rc;
}

int32_t flat_writer_error(flat_writer *writer, int rc, const char *action, simplugin_error **error)
{
    /* Not a failure yet: the step runs again in a larger map. */
    if (rc == MDB_MAP_FULL) {
        writer->map_full = 1;
        return SIMPLUGIN_RESOURCE_EXHAUSTED;
    }
    if (rc == EIO)
        rc = explain(writer->env, writer->bytes);
    return flat_mdb_error(writer->env, rc, action, error);
}

/* ---- the turn ------------------------------------------------------------------------ */

void flat_writer_init(flat_env *env, const flat_wait *wait, flat_writer *writer)
{
    memset(writer, 0, sizeof(*writer));
    writer->env = env;
    writer->wait = wait;
}

int32_t flat_writer_begin(flat_store *store, const flat_wait *wait, flat_writer *writer,
                          simplugin_error **error)
{
    int32_t code = SIMPLUGIN_OK;

    memset(writer, 0, sizeof(*writer));
    writer->wait = wait;
    while (code == SIMPLUGIN_OK && !writer->has_turn) {
        flat_env *env = NULL;
        flat_state state;

        code = flat_env_hold(store, &env, error);
        if (code != SIMPLUGIN_OK)
            continue;
        writer->env = env;
        if (env->read_only) {
            code = plug_error(error, SIMPLUGIN_READ_ONLY,
                              "collection \"%s\" cannot be written: %s is read-only", store->name,
                              store->folder);
            continue;
        }
        code = flat_turn_take(env, wait, error);
        if (code != SIMPLUGIN_OK)
            continue;
        writer->has_turn = 1;
        code = flat_state_now(env, wait, &state, error);
        if (code == SIMPLUGIN_OK && state.dropped)
            code = plug_error(error, SIMPLUGIN_NOT_FOUND, "collection \"%s\" was dropped", store->name);
        if (code == SIMPLUGIN_OK && state.superseded) {
            flat_turn_give(env);
            writer->has_turn = 0;
            code = flat_env_follow(store, env, error);
            flat_env_release(env);
            writer->env = NULL;
        }
    }
    return code;
}

void flat_writer_end(flat_writer *writer)
{
    if (!writer->env)
        return;
    flat_fields_clear(&writer->fields);
    if (writer->has_turn) {
        flat_turn_give(writer->env);
        flat_maintain_hint(writer->env, &writer->state);
    }
    flat_env_release(writer->env);
    writer->env = NULL;
}

/* ---- a transaction ------------------------------------------------------------------- */

static int put_value(flat_writer *writer, const char *name, const sp_buffer *bytes)
{
    MDB_val key = {strlen(name), (void *)(uintptr_t)name}, value = {bytes->size, bytes->data};

    return bytes->failed ? ENOMEM : mdb_put(writer->txn, writer->env->main, &key, &value, 0);
}

/*
 * Blocks that a killed bulk operation left, numbered above what readers look at: retired,
 * so that their numbers are never used again and their ids leave the tree.
 */
static int32_t adopt(flat_writer *writer, simplugin_error **error)
{
    int32_t code = SIMPLUGIN_OK;

    for (;;) {
        uint8_t bytes[FLAT_KEY_SIZE];
        MDB_val key = {sizeof(bytes), bytes}, value;
        MDB_cursor *cursor = NULL;
        uint32_t kind = 0, field;
        uint64_t number = 0;
        flat_record record;
        const char *what = NULL;
        int rc = mdb_cursor_open(writer->txn, writer->env->blocks, &cursor);

        flat_key(bytes, FLAT_RECORD, 0, writer->state.next_block);
        if (!rc)
            rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
        if (!rc && !flat_key_parse(key.mv_data, key.mv_size, &kind, &field, &number))
            kind = 0;
        if (cursor)
            mdb_cursor_close(cursor);
        if (rc == MDB_NOTFOUND || (!rc && kind != FLAT_RECORD))
            return SIMPLUGIN_OK;
        if (rc)
            return flat_writer_error(writer, rc, "read", error);
        what = flat_record_decode(value.mv_data, value.mv_size, &writer->env->view.shape, &record);
        if (what)
            return flat_corrupt_block(writer->env, number, what, error);
        record.dead_count = 0;
        record.retired = 1;
        code = flat_record_put(writer, number, NULL, &record, error);
        if (code != SIMPLUGIN_OK)
            return code;
        writer->state.next_block = number + 1;
    }
}

static int32_t prepare(flat_writer *writer, simplugin_error **error)
{
    int32_t code = flat_state_read(writer->env, writer->txn, &writer->state, error);

    flat_fields_clear(&writer->fields);
    if (code == SIMPLUGIN_OK)
        code = flat_fields_read(writer->env, writer->txn, &writer->fields, error);
    writer->fields_stored = writer->fields.count;
    if (code == SIMPLUGIN_OK && !writer->continues)
        code = adopt(writer, error);
    return code;
}

static int32_t finish(flat_writer *writer, simplugin_error **error)
{
    sp_buffer bytes;
    int rc = 0;

    sp_buffer_init(&bytes);
    if (writer->fields.count > writer->fields_stored) {
        flat_fields_encode(&bytes, &writer->fields);
        rc = put_value(writer, "fields", &bytes);
        bytes.size = 0;
    }
    if (!rc) {
        flat_state_encode(&bytes, &writer->state);
        rc = put_value(writer, "state", &bytes);
    }
    sp_buffer_clear(&bytes);
    return rc ? flat_writer_error(writer, rc, "write", error) : SIMPLUGIN_OK;
}

/* One attempt. */
static int32_t attempt(flat_writer *writer, flat_step step, void *context, int *resized,
                       simplugin_error **error)
{
    flat_env *env = writer->env;
    int32_t code = SIMPLUGIN_OK;
    int rc;

    *resized = 0;
    flat_gate_enter(env);
    rc = mdb_txn_begin(env->mdb, NULL, 0, &writer->txn);
    if (rc == MDB_MAP_RESIZED)
        *resized = 1;
    else if (rc)
        code = flat_writer_error(writer, rc, "write", error);
    if (rc)
        goto out;
    code = prepare(writer, error);
    if (code == SIMPLUGIN_OK)
        code = step(writer, context, error);
    if (code == SIMPLUGIN_OK)
        code = finish(writer, error);
    if (code == SIMPLUGIN_OK) {
        /* A flag of the environment, but the turn is ours. */
        if (writer->relaxed)
            mdb_env_set_flags(env->mdb, MDB_NOMETASYNC, 1);
        flat_writeback_set(writer->writeback, 1);
        rc = mdb_txn_commit(writer->txn);
        flat_writeback_set(writer->writeback, 0);
        writer->txn = NULL;
        if (writer->relaxed)
            mdb_env_set_flags(env->mdb, MDB_NOMETASYNC, 0);
        if (rc)
            code = flat_writer_error(writer, rc, "write", error);
        else
            flat_env_cover(env, NULL);
    }
    if (writer->txn)
        mdb_txn_abort(writer->txn);
    writer->txn = NULL;
out:
    flat_gate_leave(env);
    return code;
}

int32_t flat_writer_run(flat_writer *writer, flat_step step, void *context, uint64_t bytes,
                        simplugin_error **error)
{
    uint64_t need = bytes + bytes / 4 + SPARE;
    int32_t code = SIMPLUGIN_OK;
    int resized = 0;

    if (flat_env_free_bytes(writer->env) < need)
        code = flat_env_grow(writer->env, need, writer->wait, error);
    if (code != SIMPLUGIN_OK)
        return code;
    do {
        writer->map_full = 0;
        writer->bytes = need;
        code = attempt(writer, step, context, &resized, error);
        if (resized) {
            code = flat_env_grow(writer->env, 0, writer->wait, error);
        } else if (writer->map_full) {
            code = flat_env_grow(writer->env, need, writer->wait, error);
            need *= 2;
        }
    } while (code == SIMPLUGIN_OK && (resized || writer->map_full));
    return code;
}

/* ---- pieces -------------------------------------------------------------------------- */

int32_t flat_writer_field(flat_writer *writer, const char *name, uint32_t type, uint32_t *field,
                          simplugin_error **error)
{
    uint64_t position = flat_fields_find(&writer->fields, name);

    if (position < writer->fields.count && writer->fields.items[position].type != type)
        return plug_error_argument(error, name, "field \"%s\" holds %s, not %s", name,
                                   sp_column_type_name(writer->fields.items[position].type),
                                   sp_column_type_name(type));
    if (position == writer->fields.count) {
        if (position >= FLAT_FIELDS_MAX)
            return plug_error(error, SIMPLUGIN_RESOURCE_EXHAUSTED,
                              "field \"%s\" is one more than the %d a collection can have", name,
                              FLAT_FIELDS_MAX);
        if (flat_fields_add(&writer->fields, name, type) != SIMPLUGIN_OK)
            return plug_error_no_memory(error);
    }
    *field = (uint32_t)position;
    return SIMPLUGIN_OK;
}

uint64_t flat_env_freed(flat_env *env)
{
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    uint64_t count = 0;

    flat_gate_enter(env);
    /* LMDB keeps what a transaction gave back in a tree without a name, by its number. */
    if (!mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn) && !mdb_cursor_open(txn, 0, &cursor) &&
        !mdb_cursor_get(cursor, &key, &value, MDB_LAST) && value.mv_size >= sizeof(count))
        memcpy(&count, value.mv_data, sizeof(count));
    if (cursor)
        mdb_cursor_close(cursor);
    if (txn)
        mdb_txn_abort(txn);
    flat_gate_leave(env);
    return count;
}

uint64_t flat_env_id_pages(flat_env *env)
{
    MDB_txn *txn = NULL;
    MDB_stat stat = {0};

    flat_gate_enter(env);
    if (!mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn) && mdb_stat(txn, env->ids, &stat))
        stat.ms_leaf_pages = 0;
    if (txn)
        mdb_txn_abort(txn);
    flat_gate_leave(env);
    return stat.ms_leaf_pages;
}

int32_t flat_record_get(flat_writer *writer, uint64_t block, flat_record *record, int *found,
                        simplugin_error **error)
{
    uint8_t bytes[FLAT_KEY_SIZE];
    MDB_val key = {sizeof(bytes), bytes}, value;
    const char *what = NULL;
    int rc;

    flat_key(bytes, FLAT_RECORD, 0, block);
    rc = mdb_get(writer->txn, writer->env->blocks, &key, &value);
    *found = rc == 0;
    if (rc == MDB_NOTFOUND)
        return SIMPLUGIN_OK;
    if (rc)
        return flat_writer_error(writer, rc, "read", error);
    what = flat_record_decode(value.mv_data, value.mv_size, &writer->env->view.shape, record);
    return what ? flat_corrupt_block(writer->env, block, what, error) : SIMPLUGIN_OK;
}

int32_t flat_record_put(flat_writer *writer, uint64_t block, const flat_record *before,
                        const flat_record *record, simplugin_error **error)
{
    const flat_shape *shape = &writer->env->view.shape;
    flat_state *state = &writer->state;
    uint8_t bytes[FLAT_KEY_SIZE];
    sp_buffer encoded;
    MDB_val key = {sizeof(bytes), bytes}, value;
    int rc = ENOMEM;

    sp_buffer_init(&encoded);
    flat_record_encode(&encoded, record);
    flat_key(bytes, FLAT_RECORD, 0, block);
    value.mv_size = encoded.size;
    value.mv_data = encoded.data;
    if (!encoded.failed)
        rc = mdb_put(writer->txn, writer->env->blocks, &key, &value, 0);
    sp_buffer_clear(&encoded);
    if (rc)
        return flat_writer_error(writer, rc, "write", error);
    state->retired += record->retired;
    state->sparse += (uint64_t)flat_record_sparse(record, shape);
    if (before) {
        state->retired -= before->retired;
        state->sparse -= (uint64_t)flat_record_sparse(before, shape);
    }
    return SIMPLUGIN_OK;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* Those of one block. */
static int32_t kill_in(flat_writer *writer, uint64_t block, const uint64_t *places, uint64_t count,
                       uint64_t *killed, simplugin_error **error)
{
    uint64_t block_rows = writer->env->view.shape.block_rows;
    uint8_t bits[FLAT_BLOCK_ROWS_MAX / 8] = {0};
    flat_record before, record;
    int found = 0;
    int32_t code = flat_record_get(writer, block, &before, &found, error);

    if (code != SIMPLUGIN_OK || !found || before.retired)
        return code;
    record = before;
    if (before.dead)
        memcpy(bits, before.dead, (before.rows + 7) / 8);
    record.dead = bits;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t slot = places[i] % block_rows;

        if (slot >= record.rows)
            return flat_corrupt_block(writer->env, block, "an id leads behind its rows", error);
        if (!(bits[slot >> 3] >> (slot & 7) & 1)) {
            bits[slot >> 3] |= (uint8_t)(1u << (slot & 7));
            record.dead_count++;
        }
    }
    *killed += record.dead_count - before.dead_count;
    if (record.dead_count == before.dead_count)
        return SIMPLUGIN_OK;
    if (record.dead_count == record.rows) {
        record.dead_count = 0;
        record.retired = 1;
    }
    return flat_record_put(writer, block, &before, &record, error);
}

int32_t flat_places_kill(flat_writer *writer, uint64_t *places, uint64_t count, uint64_t *killed,
                         simplugin_error **error)
{
    uint64_t block_rows = writer->env->view.shape.block_rows;
    int32_t code = SIMPLUGIN_OK;

    *killed = 0;
    if (count > 1)
        qsort(places, (size_t)count, sizeof(*places), by_number);
    for (uint64_t from = 0, to; from < count && code == SIMPLUGIN_OK; from = to) {
        uint64_t block = places[from] / block_rows;

        for (to = from + 1; to < count && places[to] / block_rows == block; to++)
            continue;
        if (block < writer->state.next_block)
            code = kill_in(writer, block, places + from, to - from, killed, error);
    }
    return code;
}
