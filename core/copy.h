/* SPDX-License-Identifier: Apache-2.0 */
/* A copy: the points of an index on their way into another one, in steps that can be taken again. */
#ifndef SP_COPY_H
#define SP_COPY_H

#include "copy_journal.h"
#include "copy_plan.h"
#include "copy_rows.h"
#include "copy_verify.h"

#define SP_COPY_FINISHING 3 /* behind the phases of the journal: never kept there */
#define SP_COPY_DONE 4

typedef struct sp_copy {
    sp_object object;
    pid_t pid;             /* who opened it: a child has no part in it */
    sp_index *source;      /* held */
    sp_index *target;      /* held; it has a handle of its own */
    sp_resolved resolved;  /* of the target, for its record */
    int record_mode;       /* SP_RUNS_... */
    sp_runs *runs;         /* the session's, which the target holds */
    sp_copy_row row;
    sp_copy_lock lock;
    uint64_t total;
    uint64_t resumed;      /* rows that were there when it was opened */
    int64_t phase;
    sp_walk walk;
    sp_copy_types types;   /* of the reader's, while one runs */
    sp_copy_block blocks[2];
    int at;                /* which of them is to be written */
    sp_copy_check check;
    int is_checking;
    int64_t copy_time;     /* nanoseconds of this process's work, by phases */
    int64_t check_time;
    pthread_mutex_t turn;  /* one next at a time */
} sp_copy;

int32_t sp_copy_open(sp_session *session, sp_request *request, simplugin_error **error);
int32_t sp_copy_next(sp_object *object, sp_request *request, simplugin_error **error);
sp_index *sp_copy_target(sp_object *object);

#endif
