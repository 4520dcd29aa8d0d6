/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of copies that are not finished: a row for each in the store of the run
 * records, and a lock that one process at a time has on it. Both outlive whoever copies:
 * the row tells the next one where to go on, the lock goes with the process that held it.
 */
#ifndef SP_COPY_JOURNAL_H
#define SP_COPY_JOURNAL_H

#include "runs.h"

/* How far a copy has come. */
#define SP_COPY_BEGUN 0     /* the target may not be made yet; no row of it was written */
#define SP_COPY_COPYING 1
#define SP_COPY_VERIFYING 2 /* all rows are written */

/* Of what into what: texts that are the same whenever those are. */
typedef struct sp_copy_key {
    const char *source;
    const char *target;
} sp_copy_key;

typedef struct sp_copy_row {
    int64_t id;       /* 0: there is none */
    int is_of_source; /* else another source is being copied into the target */
    char *collection; /* the target's, as its backend calls it */
    int64_t phase;    /* SP_COPY_... */
    int merge;        /* the target was there before, and holds more */
    uint8_t *cursor;  /* where the source's scan goes on; NULL: at its beginning */
    uint64_t cursor_size;
    int64_t copied;
    int64_t total;
    int64_t bytes;
    char *types;      /* of fields in the copy, a map as JSON; NULL: none are known yet */
} sp_copy_row;

void sp_copy_row_clear(sp_copy_row *row);

/* The row of the key's target, or one of id 0. */
int32_t sp_copy_journal_find(sp_runs *runs, const sp_copy_key *key, const sp_runs_wait *wait,
                             sp_copy_row *row, simplugin_error **error);
/*
 * A new row of the key in phase BEGUN, in place of the one of that number (0: none); sets
 * row->id. BUSY if the target has got another row meanwhile.
 */
int32_t sp_copy_journal_begin(sp_runs *runs, const sp_copy_key *key, int64_t old,
                              const sp_runs_wait *wait, sp_copy_row *row,
                              simplugin_error **error);
/* Keeps what may have changed; NOT_FOUND if the row is gone: somebody began anew. */
int32_t sp_copy_journal_keep(sp_runs *runs, const sp_runs_wait *wait, const sp_copy_row *row,
                             simplugin_error **error);
/* The copy is finished, or of no use. A row that is gone already is harmless. */
int32_t sp_copy_journal_end(sp_runs *runs, const sp_runs_wait *wait, int64_t id,
                            simplugin_error **error);

/* ---- the lock --------------------------------------------------------------------------- */

typedef struct sp_copy_lock {
    struct sp_copy_lock *next; /* those of this process, for a child to let go of */
    int fd;                    /* -1: not held */
} sp_copy_lock;

#define SP_COPY_LOCK_INIT {.fd = -1}

/* BUSY if another copy, of this process or another, has the lock of this row. */
int32_t sp_copy_lock_take(sp_copy_lock *lock, sp_runs *runs, int64_t id, simplugin_error **error);
void sp_copy_lock_release(sp_copy_lock *lock);

#endif
