/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of this program: its options and its commands. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "options.h"

/* Indexes into the table of options. */
enum {
    OPT_JSON,
    OPT_QUIET,
    OPT_TIMEOUT,
    OPT_CONFIG,
    OPT_DATA_DIR,
    OPT_PLUGIN_PATH,
    OPT_DATASET,
    OPT_BACKEND,
    OPT_COLLECTION,
    OPT_PARAM,
    OPT_DIMENSION,
    OPT_METRIC,
    OPT_PATCHES_FIELD,
    OPT_MODEL,
    OPT_SUPPORTS_PROMPTS,
    OPT_FIELD,
    OPT_OVERWRITE,
    OPT_FORMAT,
    OPT_IDS,
    OPT_SAMPLE_IDS,
    OPT_FIELDS_FILE,
    OPT_FIRST_ID,
    OPT_BATCH,
    OPT_NO_OVERWRITE,
    OPT_FAIL_EXISTING,
    OPT_DUPLICATES,
    OPT_FILTER,
    OPT_ALL,
    OPT_FAIL_MISSING,
    OPT_FIELDS,
    OPT_NO_VECTORS,
    OPT_LIMIT,
    OPT_LINES,
    OPT_OUTPUT,
    OPT_OUTPUT_IDS,
    OPT_VECTOR,
    OPT_INPUT,
    OPT_TEXT,
    OPT_K,
    OPT_VIEW,
    OPT_REVERSE,
    OPT_AGGREGATION,
    OPT_EXCLUDE_SELF,
    OPT_MAX_DISTANCE,
    OPT_MIN_SCORE,
    OPT_MMR,
    OPT_FETCH_K,
    OPT_WITH_VECTORS,
    OPT_DELETE_RUN,
    OPT_DROP,
    OPT_NO_LOAD,
    OPT_NO_PROBE,
    OPT_WHERE,
    OPT_TENSOR,
    OPT_KEY,
    OPT_CONNECTION,
    OPT_TO_BACKEND,
    OPT_TO_KEY,
    OPT_TO_DATASET,
    OPT_TO_COLLECTION,
    OPT_TO_PARAM,
    OPT_TO_OVERWRITE,
    OPT_MERGE,
    OPT_DRY_RUN,
    OPT_VERIFY,
    OPT_SAMPLE_SIZE,
    OPT_NO_RESUME,
    OPT_BATCH_BYTES,
    OPT_MIXED_FIELDS,
    OPT_LANG,
    OPT_AUTOTOOLS,
    OPT_MESON,
    OPT_CMAKE,
    OPT_COUNT
};

extern const cli_table cli_commands;

int32_t cli_backends(cli *program);
int32_t cli_explain(cli *program);
int32_t cli_index_create(cli *program);
int32_t cli_index_add(cli *program);
int32_t cli_index_remove(cli *program);
int32_t cli_index_get(cli *program);
int32_t cli_index_search(cli *program);
int32_t cli_index_info(cli *program);
int32_t cli_index_size(cli *program);
int32_t cli_index_cleanup(cli *program);
int32_t cli_index_gc(cli *program);
int32_t cli_index_check(cli *program);
int32_t cli_index_compact(cli *program);
int32_t cli_index_backup(cli *program);
int32_t cli_runs_list(cli *program);
int32_t cli_runs_info(cli *program);
int32_t cli_runs_rename(cli *program);
int32_t cli_runs_delete(cli *program);
int32_t cli_copy(cli *program);
int32_t cli_call_method(cli *program);
int32_t cli_metrics(cli *program);
int32_t cli_new_backend(cli *program);
int32_t cli_write_completion(cli *program);

#endif
