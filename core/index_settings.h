/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of making an index, for those who take them one by one: settings are read, a
 * connection is found, the collection looked at or made, the run recorded.
 */
#ifndef SP_INDEX_SETTINGS_H
#define SP_INDEX_SETTINGS_H

#include "index.h"

#define SP_DATASET_DEFAULT "default"

/* What is recorded, without the collection's name being known for certain before it is made. */
typedef struct sp_index_settings {
    const char *dataset;
    const char *brain_key;
    const char *backend;
    const char *collection;
    const char *metric;
    const char *patches_field;
    const char *model;
    int supports_prompts;
    int overwrite;
    int by_name; /* opened by its collection's name: nothing else tells of patches */
    int patches; /* the points have sample ids, of whatever field */
    int64_t dimension;
    json_t *parameters; /* the call's arguments for the backend; owned */
    json_t *fields;     /* owned */
} sp_index_settings;

/* The keys of index.create. Cleared in any case by sp_index_settings_clear. */
int32_t sp_index_settings_read(const sp_args *args, sp_index_settings *s, simplugin_error **error);
/* Arguments that configure the backend win over environment and file, like all others. */
int32_t sp_index_settings_merge(sp_index_settings *s, simplugin_error **error);
void sp_index_settings_clear(sp_index_settings *s);

/* From settings to an index with a connection; nothing is made yet. */
int32_t sp_index_connect(sp_session *session, sp_request *request, sp_index_settings *s,
                         sp_resolved *resolved, sp_index **out, simplugin_error **error);

/* ---- the collection ------------------------------------------------------------------- */

int32_t sp_index_exists(sp_index *index, const sp_context *context, int *exists,
                        simplugin_error **error);

#define SP_TAKE_METRIC 1 /* else another metric than the index's own is an error */
#define SP_TAKE_PATCHES 2
/* Takes the dimension from the collection itself, and what else it is told to. */
int32_t sp_index_describe(sp_index *index, int take, const sp_context *context,
                          simplugin_error **error);
/* *made: it was, whatever happened then. */
int32_t sp_index_create_collection(sp_index *index, uint64_t dimension, const sp_context *context,
                                   int *made, simplugin_error **error);

/* Drops it; the one that is made next has the metric. */
int32_t sp_index_drop(sp_index *index, const char *metric, const sp_context *context,
                      simplugin_error **error);
/* Another collection of the same backend. 0: no memory. */
int sp_index_rename(sp_index *index, const char *collection);

/* ---- the record ----------------------------------------------------------------------- */

/* What would be refused in the end is refused before anything is made. */
int32_t sp_index_record_check_free(sp_session *session, const sp_index_settings *s,
                                   const sp_context *context, simplugin_error **error);
/* resolved, which tells what is secret, may be NULL where the record was made before. */
int32_t sp_index_record_put(sp_index *index, int mode, const sp_resolved *resolved,
                            const sp_context *context, simplugin_error **error);

#endif
