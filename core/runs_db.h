/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file behind the run records: one SQLite database, opened for each transaction.
 *
 * A connection lives for one attempt at one transaction and no longer. SQLite's locks
 * belong to the process that opened the file, and a child made by fork() inherits the
 * bookkeeping without the locks; so no connection may be open while the process forks,
 * which runs_db.c sees to, and nothing needs reopening afterwards.
 */
#ifndef SP_RUNS_DB_H
#define SP_RUNS_DB_H

#include <sqlite3.h>

#include "runs.h"

#define SP_RUNS_SCHEMA 1

typedef struct sp_runs_db {
    sqlite3 *sqlite;
    const char *path; /* of the file, for messages */
    const sp_runs_wait *wait;
} sp_runs_db;

/* Does the work of one transaction. It may run several times: the last one counts. */
typedef int32_t (*sp_runs_step)(sp_runs_db *db, void *context, simplugin_error **error);

/*
 * Runs step inside one transaction on directory/runs.sqlite: all of it happens or
 * nothing. A reading one sees an empty store where there is no file; a writing one makes
 * file and directory. Waits for other writers as wait says, then BUSY.
 */
int32_t sp_runs_db_read(const char *directory, const sp_runs_wait *wait, sp_runs_step step,
                        void *context, simplugin_error **error);
int32_t sp_runs_db_write(const char *directory, const sp_runs_wait *wait, sp_runs_step step,
                         void *context, simplugin_error **error);

/* The code of ours for result, a failed SQLite call's; BUSY sets no error, since it is tried again. */
int32_t sp_runs_db_fail(sp_runs_db *db, int result, const char *action, simplugin_error **error);

#endif
