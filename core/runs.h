/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run records: what was indexed how, under the name of a dataset and a brain key, for
 * programs without FiftyOne. A record is the index's configuration, never a credential;
 * deleting one leaves the collection alone. Any number of threads and processes may use
 * one store at a time.
 */
#ifndef SP_RUNS_H
#define SP_RUNS_H

#include <jansson.h>

#include "column.h"
#include "error.h"

typedef struct sp_runs sp_runs;

/* How long a call may wait for other writers; a NULL one means: until it is its turn. */
typedef struct sp_runs_wait {
    int64_t deadline;                      /* as in clock.h */
    uint64_t cancel;                       /* handed to cancelled */
    int32_t (*cancelled)(uint64_t cancel); /* sp_cancelled; NULL: cannot be cancelled */
} sp_runs_wait;

/* What sp_runs_put does with a key that is taken or free. */
#define SP_RUNS_CREATE 0  /* ALREADY_EXISTS if it is taken */
#define SP_RUNS_REPLACE 1 /* a new record in place of an old one of the same type */
#define SP_RUNS_UPDATE 2  /* NOT_FOUND if it is free; keeps when it was created */

/*
 * Names the store in directory, an absolute path. Nothing is opened or made before the
 * first call that needs it; the directory is then made with mode 0700.
 */
int32_t sp_runs_open(const char *directory, sp_runs **runs, simplugin_error **error);
void sp_runs_close(sp_runs *runs);
const char *sp_runs_directory(const sp_runs *runs);

/*
 * Stores config, an object, under dataset and key. secrets are the names of parameters
 * that hold credentials: a config with one of them, or with a name or a URL that looks as
 * if it held one, is refused with INVALID_ARGUMENT and nothing is stored. Keys are what
 * FiftyOne takes for brain keys: valid identifiers of Python.
 */
int32_t sp_runs_put(sp_runs *runs, sp_text dataset, sp_text key, const json_t *config,
                    const char *const *secrets, size_t secret_count, int mode,
                    const sp_runs_wait *wait, simplugin_error **error);

/*
 * The record: {"dataset", "brain_key", "created", "updated", "version", "config"}, times
 * in UTC by RFC 3339. The caller's to json_decref. NOT_FOUND names the known keys.
 */
int32_t sp_runs_get(sp_runs *runs, sp_text dataset, sp_text key, const sp_runs_wait *wait,
                    json_t **record, simplugin_error **error);

/*
 * An array of records sorted by dataset and key, of one dataset or, with dataset NULL, of
 * all. filters, NULL or an object, keeps those whose config has each of its values, at the
 * top or under "parameters"; null stands for a missing one too.
 */
int32_t sp_runs_list(sp_runs *runs, const sp_text *dataset, const json_t *filters,
                     const sp_runs_wait *wait, json_t **records, simplugin_error **error);

/* An array of the names of datasets that have records, sorted. */
int32_t sp_runs_datasets(sp_runs *runs, const sp_runs_wait *wait, json_t **names,
                         simplugin_error **error);

int32_t sp_runs_rename(sp_runs *runs, sp_text dataset, sp_text key, sp_text new_key,
                       const sp_runs_wait *wait, simplugin_error **error);
/* Deletes the record and nothing else. */
int32_t sp_runs_delete(sp_runs *runs, sp_text dataset, sp_text key, const sp_runs_wait *wait,
                       simplugin_error **error);

#endif
