/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the store share.
 *
 *   flat_env       one LMDB environment: one file in one process, found in the registry
 *   flat_store     what a caller opened: a folder, and the environment it uses now
 *   flat_table     what a snapshot sees of one transaction, shared between snapshots
 *   flat_snapshot  a read transaction and its table
 *   flat_writer    the turn to write, and one write transaction after another
 *
 * Locks, outermost first: the turn to write, the registry's, an environment's `lock`,
 * a table's. None is held while waiting for a file lock, except the turn itself.
 */
#ifndef FLAT_STORE_INTERNAL_H
#define FLAT_STORE_INTERNAL_H

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "kernels.h"
#include "plug.h"
#include "store.h"
#include "store_format.h"
#include "text_sort.h"

typedef struct flat_table flat_table;

/* Read transactions that are kept for the next snapshot. */
#define FLAT_IDLE 16

typedef struct flat_env {
    struct flat_env *next;  /* in the registry */
    unsigned users;         /* stores, snapshots, writers; under the registry's lock */
    int closing;
    dev_t device;
    ino_t inode;

    /* Fixed once open. */
    pid_t pid;
    char *folder;
    uint64_t generation;
    MDB_env *mdb;
    MDB_dbi main, ids, tail, blocks;
    int read_only;
    int no_lock;            /* LMDB could not open its lock file: readers hold the turn */
    int lock_fd;            /* -1: there is none */
    size_t page_size;
    uint8_t *schema_bytes;  /* behind the two below */
    flat_schema_view view;
    flat_schema schema;
    sp_codes *codes;

    /* All below under lock; changed is signalled whenever one of them does. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned inside;        /* transactions of this process, which see the map */
    unsigned growing;       /* threads that wait for inside to be 0 */
    unsigned sharing;       /* of those inside: readers that hold the turn (no_lock) */
    int writing;            /* a thread of this process has the turn */
    unsigned wanting;       /* threads that wait for it */
    flat_table *table;      /* of the newest transaction that was looked at; may be NULL */
    MDB_txn *idle[FLAT_IDLE];
    unsigned idle_count;
    int thread_started;
    int stop;
    int work;               /* there may be something to maintain */
    pthread_t thread;
} flat_env;

struct flat_store {
    char *root;
    char *folder;
    char *name;
    flat_env *env;          /* under the registry's lock */
    flat_schema_view view;  /* a copy: environments come and go */
    uint8_t *schema_bytes;
    flat_schema schema;
};

/* ---- store_env.c: environments ------------------------------------------------------------ */

/* LMDB's code as one of ours, naming the collection. */
int32_t flat_mdb_error(const flat_env *env, int rc, const char *action, simplugin_error **error);
int32_t flat_corrupt(const flat_env *env, const char *what, simplugin_error **error);
int32_t flat_corrupt_block(const flat_env *env, uint64_t block, const char *what,
                           simplugin_error **error);

/* Opens one file that is not in the registry. flags: MDB_NOSYNC for files nobody else sees. */
int32_t flat_env_open_file(const char *folder, const char *path, uint64_t generation,
                           unsigned flags, flat_env **env, simplugin_error **error);
/* Makes the trees of a new, open, empty file. */
int32_t flat_env_format(const char *path, sp_text name, const flat_shape *shape,
                        const flat_schema *schema, const flat_fields *fields,
                        simplugin_error **error);
void flat_env_free(flat_env *env);

/* ---- store_map.c -------------------------------------------------------------------------- */

/* Transactions come and go through this gate, so that the map can grow between them. */
void flat_gate_enter(flat_env *env);
void flat_gate_leave(flat_env *env);
/* Waits until nobody is inside; need 0: takes the size another process chose. */
int32_t flat_env_grow(flat_env *env, uint64_t need, const flat_wait *wait,
                      simplugin_error **error);
/* The file is as long as its contents say; made so where a crash left it shorter. */
int32_t flat_env_cover(flat_env *env, simplugin_error **error);
uint64_t flat_env_free_bytes(const flat_env *env); /* of the map */

/* ---- store_registry.c ----------------------------------------------------------------------- */

/* The environment a store uses now, held; opened anew in a forked process. */
int32_t flat_env_hold(flat_store *store, flat_env **env, simplugin_error **error);
void flat_env_release(flat_env *env);
/* env turned out to be superseded: the store goes on with the newest. */
int32_t flat_env_follow(flat_store *store, flat_env *env, simplugin_error **error);
int32_t flat_env_open_folder(const char *folder, flat_env **env, simplugin_error **error);
/* What is left of a store's use of env. */
void flat_env_abandon(flat_env *env);

/* ---- store_lock.c: waiting, and the turn to write --------------------------------------------- */

extern const flat_wait flat_wait_forever;

/* OK, DEADLINE_EXCEEDED or CANCELLED. */
int32_t flat_wait_check(const flat_wait *wait, simplugin_error **error);
int flat_wait_cancelled(const flat_wait *wait);
/* Waits for a signal on env->changed, which the caller's lock guards, at most that long. */
void flat_env_pause(flat_env *env, int64_t nanoseconds);

int flat_lock_open(const char *folder, int *writable);
/* BUSY with the holder's pid when the deadline is over. */
int32_t flat_turn_take(flat_env *env, const flat_wait *wait, simplugin_error **error);
/* 1: taken. Never waits; lets others go first. */
int flat_turn_try(flat_env *env);
void flat_turn_give(flat_env *env);
/* Keeps writers out while a reader without a place in LMDB's table reads. */
int32_t flat_turn_share(flat_env *env, simplugin_error **error);
void flat_turn_unshare(flat_env *env);
/* The gate of generations: shared while a file is found and opened, exclusive while one
   goes. exclusive -1 gives it back. */
int32_t flat_generation_lock(int fd, int exclusive, const char *folder, simplugin_error **error);

/* ---- store_names.c: folders --------------------------------------------------------------------- */

#define FLAT_FOLDER_SIZE 37
void flat_folder_name(sp_text name, char out[FLAT_FOLDER_SIZE]);
/* malloc'd; NULL: no memory. */
char *flat_path(const char *folder, const char *file);
/* The folder that holds the collection of that name; NULL in *folder: there is none. */
int32_t flat_folder_find(const char *root, sp_text name, char **folder, simplugin_error **error);
/* The generations in a folder, smallest first; 0: none. */
int32_t flat_folder_generation(const char *folder, uint64_t *generation, simplugin_error **error);
char *flat_generation_path(const char *folder, uint64_t generation);
int32_t flat_folder_sync(const char *folder, simplugin_error **error);
/* A new folder of a store, complete but for its file. */
int32_t flat_folder_make(const char *folder, sp_text name, simplugin_error **error);
/* Removes the files of a store's folder and the folder; does what it can. */
void flat_folder_delete(const char *folder);
/* The schema's checks that need no file. */
int32_t flat_name_check(sp_text name, simplugin_error **error);
int32_t flat_root_make(const char *root, simplugin_error **error);

/* ---- store_table.c: what a snapshot sees --------------------------------------------------------- */

/* Beside a flat_block: what the store needs to know of it. */
typedef struct flat_place {
    uint64_t number;
    const void *ids;
    size_t ids_size;
    flat_record record;
} flat_place;

typedef struct flat_tail_extra {
    flat_tail_view view;
} flat_tail_extra;

typedef struct flat_slot {
    int state; /* 0 not looked at, 1 there, 2 absent */
    sp_column column;
    flat_builder *builder; /* of the tail */
} flat_slot;

struct flat_table {
    atomic_uint users;
    size_t id;              /* the transaction */
    flat_state state;
    flat_fields fields;
    uint64_t block_count;
    uint64_t block_capacity;
    flat_block *blocks;
    flat_place *places;
    uint64_t tail_count;
    uint64_t tail_capacity;
    flat_tail_row *tail;
    flat_tail_extra *extras;
    float *tail_vectors;    /* copies of those that are not aligned */
    pthread_mutex_t lock;   /* the columns */
    flat_slot **columns;    /* a field's: block_count + 1, the last the tail's */
};

int32_t flat_table_build(const flat_env *env, MDB_txn *txn, flat_table **table,
                         simplugin_error **error);
void flat_table_unref(flat_table *table);
int32_t flat_state_read(const flat_env *env, MDB_txn *txn, flat_state *state,
                        simplugin_error **error);
/* In a transaction of its own. wait NULL: zeros if the map must grow first. */
int32_t flat_state_now(flat_env *env, const flat_wait *wait, flat_state *state,
                       simplugin_error **error);
int32_t flat_fields_read(const flat_env *env, MDB_txn *txn, flat_fields *fields,
                         simplugin_error **error);

/* ---- store_read.c ---------------------------------------------------------------------------------- */

struct flat_snapshot {
    flat_env *env;
    MDB_txn *txn;
    flat_table *table;
    pthread_mutex_t lock;   /* the transaction: one thread at a time */
};

/* Of the environment as it is; the caller holds env. */
int32_t flat_snapshot_of(flat_env *env, flat_snapshot **snapshot, simplugin_error **error);
/* The counterpart: gives up everything but env. */
void flat_snapshot_end(flat_snapshot *snapshot);

/* ---- store_writer.c -------------------------------------------------------------------------------- */

typedef struct flat_writeback flat_writeback;

typedef struct flat_writer {
    flat_env *env;
    const flat_wait *wait;
    int has_turn;
    int continues;          /* hidden blocks are this writer's own */
    int relaxed;            /* what is committed may be undone by a crash, until the next commit
                               that is not: one wait for the disk less */
    flat_writeback *writeback; /* NULL: the disk works when LMDB waits for it */
    MDB_txn *txn;
    flat_state state;
    flat_fields fields;
    uint64_t fields_stored; /* of them: in the file */
    int map_full;
    uint64_t bytes;         /* that the transaction may need */
} flat_writer;

typedef int32_t (*flat_step)(flat_writer *writer, void *context, simplugin_error **error);

/* Takes the turn. The store's environment is current when it returns OK. */
int32_t flat_writer_begin(flat_store *store, const flat_wait *wait, flat_writer *writer,
                          simplugin_error **error);
/* The same for an environment, when the turn was taken already or nobody else can have it. */
void flat_writer_init(flat_env *env, const flat_wait *wait, flat_writer *writer);
void flat_writer_end(flat_writer *writer);
/*
 * Runs step in a transaction and commits. Runs it again from the start when the map was too
 * small, so step leaves no trace outside of the transaction before it is sure to succeed.
 */
int32_t flat_writer_run(flat_writer *writer, flat_step step, void *context, uint64_t bytes,
                        simplugin_error **error);
/* An LMDB code of an operation in the transaction. */
int32_t flat_writer_error(flat_writer *writer, int rc, const char *action,
                          simplugin_error **error);
/* Position of that field in the writer's fields, added if it is new. */
int32_t flat_writer_field(flat_writer *writer, const char *name, uint32_t type,
                          uint32_t *field, simplugin_error **error);

/* Pages that the last transaction gave back, and leaves of the ids' tree. */
uint64_t flat_env_freed(flat_env *env);
uint64_t flat_env_id_pages(flat_env *env);

int32_t flat_record_get(flat_writer *writer, uint64_t block, flat_record *record, int *found,
                        simplugin_error **error);
/* Keeps the state's counts of retired and sparse blocks; before: NULL for a new block. */
int32_t flat_record_put(flat_writer *writer, uint64_t block, const flat_record *before,
                        const flat_record *record, simplugin_error **error);
/* Marks the places, in any order, as dead; those that already are count nothing. */
int32_t flat_places_kill(flat_writer *writer, uint64_t *places, uint64_t count, uint64_t *killed,
                         simplugin_error **error);

/* ---- store_upsert.c -------------------------------------------------------------------------------- */

/* flat_store_upsert once the turn is taken; no rows are no write. */
int32_t flat_upsert_write(flat_writer *writer, const flat_rows *rows, uint64_t *replaced,
                          simplugin_error **error);

/* ---- store_crew.c: threads for one bulk operation ---------------------------------------------------- */

typedef struct flat_crew flat_crew;

/* NULL is a crew of the calling thread alone. */
flat_crew *flat_crew_new(void);
void flat_crew_free(flat_crew *crew);

/* fn(context, 0..count-1), each once, in any order. */
typedef struct flat_job {
    void (*fn)(void *context, uint64_t index);
    void *context;
    uint64_t count;
    _Atomic uint64_t next;
} flat_job;

/* The crew's threads begin with it; one job at a time. */
void flat_crew_start(flat_crew *crew, flat_job *job);
/* Takes part in it, and returns when all is done. Any number of times after a start. */
void flat_crew_finish(flat_crew *crew, flat_job *job);

/* ---- store_block.c: a block from rows anywhere ------------------------------------------------------ */

/* The rows of one block to be. value: the column and row where field i's value of a row
   stands; *column NULL: it has none. */
typedef struct flat_rows_source {
    uint32_t count;
    const float *const *vectors;
    const sp_text *ids;
    uint64_t field_count;
    int32_t (*value)(const struct flat_rows_source *source, uint64_t field, uint32_t row,
                     const sp_column **column, uint64_t *column_row, simplugin_error **error);
    const uint32_t *fields; /* numbers in the writer's fields */
    void *context;
} flat_rows_source;

/*
 * The codes of rows that will fill blocks, computed by the crew's threads while somebody
 * else, such as the disk, is busy.
 */
typedef struct flat_encoding {
    const flat_env *env;
    flat_crew *crew;
    const float **vectors;  /* count of them, filled by the caller */
    uint64_t count;
    uint64_t block_count;
    uint8_t **codes;        /* a block's value each */
    _Atomic uint64_t *hashes;
    flat_job job;
} flat_encoding;

/* NULL: no memory. Nothing is computed yet. */
flat_encoding *flat_encoding_new(const flat_env *env, flat_crew *crew, uint64_t count);
void flat_encoding_start(flat_encoding *encoding);
void flat_encoding_free(flat_encoding *encoding);

/* Writes all values and the record; the ids' tree and the state's counts of rows are the
   caller's. encoding: its block number `index` has the same rows; NULL: computed here. */
int32_t flat_block_write(flat_writer *writer, flat_crew *crew, uint64_t block,
                         const flat_rows_source *source, flat_encoding *encoding, uint64_t index,
                         simplugin_error **error);
/* Stores the builder's column as that field's of a block; takes it away if all is null. */
int32_t flat_column_write(flat_writer *writer, uint64_t block, uint32_t field,
                          flat_builder *builder, simplugin_error **error);
/* The same as flat_block_write from rows of a snapshot, which may be of another environment. */
int32_t flat_block_write_picks(flat_writer *writer, flat_crew *crew, uint64_t block,
                               flat_snapshot *from, const uint64_t *rows, uint32_t count,
                               simplugin_error **error);
/* An id and where its row is or will be. */
typedef struct flat_entry {
    sp_text id;
    uint64_t place;
} flat_entry;

/* By id, as the trees are: neighbours then share pages. */
void flat_entries_sort(flat_entry *entries, uint64_t count);

/* Points the ids of those rows of a snapshot to a new block's slots, in order. */
int32_t flat_ids_point(flat_writer *writer, const flat_snapshot *from, const uint64_t *rows,
                       uint32_t count, uint64_t block, simplugin_error **error);

/* ---- store_writeback.c: keeping the disk busy during a large commit -------------------------------------- */

/* NULL, which all bear, if there is no thread or memory for it. */
flat_writeback *flat_writeback_new(const flat_env *env);
void flat_writeback_set(flat_writeback *writeback, int active);
void flat_writeback_free(flat_writeback *writeback);

/* ---- store_maintain.c: folding, merging, cleaning ----------------------------------------------------- */

/* Tells the maintenance thread, and starts it if there is none, when state holds work. */
void flat_maintain_hint(flat_env *env, const flat_state *state);
int flat_maintain_needed(const flat_env *env, const flat_state *state);
/* One transaction's worth; *more: there is something left to do. The turn is taken. */
int32_t flat_maintain_step(flat_env *env, const flat_wait *wait, int *more,
                           simplugin_error **error);
void flat_maintain_stop(flat_env *env);
/* At the last close: whole blocks' worth of the tail, if nobody else is writing. */
void flat_maintain_close(flat_env *env);

/* ---- store_pages.c: LMDB's own pages, which LMDB trusts ------------------------------------------------ */

/* Walks the pages of all trees as the file has them; not deep: of all but the ids', and
   none of the values that have pages of their own. BUSY, and no error set, when two
   transactions were committed since that one. */
int32_t flat_pages_check(const flat_env *env, int fd, uint64_t transaction, int deep,
                         const flat_wait *wait, simplugin_error **error);
int32_t flat_store_check_pages(flat_store *store, const flat_wait *wait, simplugin_error **error);

/* ---- for tests ------------------------------------------------------------------------------------ */

/* Rows per block of collections made from now on (a multiple of 64); 0: as usual. */
extern uint64_t flat_block_rows_forced;
/* The map's size when it is opened; 0: as usual. */
extern uint64_t flat_map_size_forced;
/* What one transaction of a large add keeps in memory, and how many pages of ids make a
   large tree; UINT64_MAX: as usual. */
extern uint64_t flat_step_bytes_forced;
extern uint64_t flat_step_pages_forced;
/* No maintenance thread is started. */
extern int flat_maintain_disabled;

#endif
