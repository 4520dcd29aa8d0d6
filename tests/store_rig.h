/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of the flat backend's store: rows that follow from a number and a version,
 * so that what was stored can be told without keeping it.
 */
#ifndef SP_TESTS_STORE_RIG_H
#define SP_TESTS_STORE_RIG_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "host.h"
#include "simplugin.h"
#include "store_internal.h"
#include "unit.h"

/* An assertion that also works in a program that runs no suite: there it ends it. */
#define RIG_ASSERT(value)                                                                 \
    do {                                                                                  \
        int rig_value_ = (value) != 0;                                                    \
        if (CU_get_current_test())                                                        \
            CU_assertImplementation(rig_value_, __LINE__, #value, __FILE__, "", CU_TRUE); \
        else if (!rig_value_) {                                                           \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #value);                   \
            _exit(97);                                                                    \
        }                                                                                 \
    } while (0)

#define RIG_DIMENSION 24
#define RIG_BLOCK 64

static const flat_wait rig_wait = {INT64_MAX, 0};

static inline flat_wait rig_within(int64_t milliseconds)
{
    flat_wait wait = {sp_clock_deadline(milliseconds), 0};

    return wait;
}

static inline sp_text rig_text(const char *text)
{
    sp_text out = {text, strlen(text)};

    return out;
}

/* ---- rows ---------------------------------------------------------------------------- */

typedef struct rig_rows {
    uint64_t count;
    uint64_t dimension;
    char *text;
    int64_t *offsets;
    float *vectors;
    int64_t *numbers;
    uint8_t *valid;
    sp_column ids;
    sp_column columns[1];
    const char *names[1];
    flat_rows rows;
} rig_rows;

static inline float rig_value(uint64_t row, uint64_t version, uint64_t i)
{
    uint64_t z = (row * 1000003 + version) * 8191 + i;

    z = (z ^ z >> 31) * UINT64_C(0x9fb21c651e98df25);
    return (float)(int64_t)(z >> 40) / 8388608.0f - 1.0f;
}

static inline int rig_id(char *out, uint64_t row)
{
    return sprintf(out, "id-%06llu", (unsigned long long)row);
}

/* Rows numbers[0..count), or from, from + 1, ... where numbers is NULL. The field "version"
   holds the version, and is null where row + version is a multiple of 5. */
static inline void rig_rows_init(rig_rows *rig, const uint64_t *numbers, uint64_t from,
                                 uint64_t count, uint64_t version, uint64_t dimension)
{
    size_t position = 0;

    memset(rig, 0, sizeof(*rig));
    rig->count = count;
    rig->dimension = dimension;
    rig->text = malloc(count * 24 + 1);
    rig->offsets = calloc(count + 1, sizeof(int64_t));
    rig->vectors = calloc(count * dimension + 1, sizeof(float));
    rig->numbers = calloc(count + 1, sizeof(int64_t));
    rig->valid = calloc(count / 8 + 1, 1);
    if (!rig->text || !rig->offsets || !rig->vectors || !rig->numbers || !rig->valid)
        abort();
    for (uint64_t i = 0; i < count; i++) {
        uint64_t row = numbers ? numbers[i] : from + i;

        rig->offsets[i] = (int64_t)position;
        position += (size_t)rig_id(rig->text + position, row);
        for (uint64_t d = 0; d < dimension; d++)
            rig->vectors[i * dimension + d] = rig_value(row, version, d);
        rig->numbers[i] = (int64_t)version;
        if ((row + version) % 5)
            rig->valid[i >> 3] |= (uint8_t)(1u << (i & 7));
    }
    rig->offsets[count] = (int64_t)position;
    rig->ids.type = SP_TEXT;
    rig->ids.count = count;
    rig->ids.offsets = rig->offsets;
    rig->ids.values = rig->text;
    rig->columns[0].type = SP_INT64;
    rig->columns[0].count = count;
    rig->columns[0].valid = rig->valid;
    rig->columns[0].values = rig->numbers;
    rig->names[0] = "version";
    rig->rows.count = count;
    rig->rows.ids = &rig->ids;
    rig->rows.vectors = rig->vectors;
    rig->rows.vector_stride = dimension;
    rig->rows.field_count = 1;
    rig->rows.field_names = rig->names;
    rig->rows.field_columns = rig->columns;
}

static inline void rig_rows_clear(rig_rows *rig)
{
    free(rig->text);
    free(rig->offsets);
    free(rig->vectors);
    free(rig->numbers);
    free(rig->valid);
}

static inline int32_t rig_add_within(flat_store *store, uint64_t from, uint64_t count,
                                     uint64_t version, const flat_wait *wait, uint64_t *replaced,
                                     simplugin_error **error)
{
    rig_rows rig;
    int32_t code;

    rig_rows_init(&rig, NULL, from, count, version, flat_store_schema(store)->dimension);
    code = flat_store_upsert(store, &rig.rows, wait, replaced, error);
    rig_rows_clear(&rig);
    return code;
}

static inline uint64_t rig_add(flat_store *store, uint64_t from, uint64_t count, uint64_t version)
{
    uint64_t replaced = 0;

    RIG_ASSERT(rig_add_within(store, from, count, version, &rig_wait, &replaced, NULL) == SIMPLUGIN_OK);
    return replaced;
}

static inline uint64_t rig_delete(flat_store *store, uint64_t from, uint64_t count)
{
    uint64_t deleted = 0;
    rig_rows rig;

    rig_rows_init(&rig, NULL, from, count, 0, 1);
    RIG_ASSERT(flat_store_delete(store, &rig.ids, &rig_wait, &deleted, NULL) == SIMPLUGIN_OK);
    rig_rows_clear(&rig);
    return deleted;
}

/* ---- looking ------------------------------------------------------------------------- */

static inline flat_snapshot *rig_snapshot(flat_store *store)
{
    flat_snapshot *snapshot = NULL;
    simplugin_error *error = NULL;
    int32_t code = flat_snapshot_new(store, &snapshot, &error);

    if (code != SIMPLUGIN_OK)
        printf("\n    %s\n", error ? simplugin_error_message(error, NULL) : "?");
    simplugin_error_free(&error);
    RIG_ASSERT(code == SIMPLUGIN_OK);
    return snapshot;
}

/* The field "version" of a row: 1 and *value, or 0 where it is null. */
static inline int rig_field(flat_snapshot *snapshot, uint64_t row, int64_t *value)
{
    uint64_t block_count = 0, block_rows = snapshot->env->view.shape.block_rows;
    uint64_t index = row / block_rows, at = row % block_rows;
    sp_column column;
    int present = 0;

    flat_snapshot_blocks(snapshot, &block_count);
    if (index >= block_count) {
        at = row - block_count * block_rows;
        index = UINT64_MAX;
    }
    if (flat_snapshot_column(snapshot, index, "version", &column, &present, NULL) != SIMPLUGIN_OK)
        return -1;
    if (!present || !sp_column_is_valid(&column, at))
        return 0;
    *value = ((const int64_t *)column.values)[at];
    return 1;
}

/* 1 if that row is there as that version; field: what "version" must be, -1 for null. */
static inline int rig_has_field(flat_snapshot *snapshot, uint64_t number, uint64_t version,
                                int64_t field)
{
    uint64_t dimension = snapshot->env->view.shape.dimension, row = 0;
    char id[24];
    sp_text text = {id, (size_t)rig_id(id, number)}, stored;
    const float *vector = NULL;
    int64_t value = -1;

    if (flat_snapshot_find(snapshot, text, &row) != 1)
        return 0;
    stored = flat_snapshot_id(snapshot, row);
    if (stored.size != text.size || memcmp(stored.data, id, text.size))
        return 0;
    vector = flat_snapshot_vector(snapshot, row);
    for (uint64_t d = 0; d < dimension; d++)
        if (vector[d] != rig_value(number, version, d))
            return 0;
    return rig_field(snapshot, row, &value) >= 0 && value == field;
}

static inline int rig_has(flat_snapshot *snapshot, uint64_t number, uint64_t version)
{
    return rig_has_field(snapshot, number, version,
                         (number + version) % 5 ? (int64_t)version : -1);
}

static inline int rig_lacks(flat_snapshot *snapshot, uint64_t number)
{
    char id[24];
    sp_text text = {id, (size_t)rig_id(id, number)};
    uint64_t row = 0;

    return flat_snapshot_find(snapshot, text, &row) == 0;
}

static inline int rig_has_all(flat_store *store, uint64_t from, uint64_t count, uint64_t version)
{
    flat_snapshot *snapshot = rig_snapshot(store);
    int all = 1;

    for (uint64_t i = from; i < from + count && all; i++) {
        all = rig_has(snapshot, i, version);
        if (!all)
            printf("\n    row %llu is not as it was stored\n", (unsigned long long)i);
    }
    flat_snapshot_free(snapshot);
    return all;
}

static inline uint64_t rig_count(flat_store *store)
{
    flat_snapshot *snapshot = rig_snapshot(store);
    uint64_t count = flat_snapshot_count(snapshot);

    flat_snapshot_free(snapshot);
    return count;
}

/* The rows that a check finds, or UINT64_MAX and a line of text where it finds damage. */
static inline uint64_t rig_check(flat_store *store)
{
    simplugin_error *error = NULL;
    uint64_t rows = 0;
    int32_t code = flat_store_check(store, &rig_wait, NULL, NULL, &rows, &error);

    if (code != SIMPLUGIN_OK) {
        printf("\n    %s\n", error ? simplugin_error_message(error, NULL) : "?");
        rows = UINT64_MAX;
    }
    simplugin_error_free(&error);
    return rows;
}

/* All that maintenance finds to do; the number of steps. */
static inline unsigned rig_maintain(flat_store *store)
{
    unsigned steps = 0;
    int more = 1;

    while (more) {
        RIG_ASSERT(flat_turn_take(store->env, &rig_wait, NULL) == SIMPLUGIN_OK);
        RIG_ASSERT(flat_maintain_step(store->env, &rig_wait, &more, NULL) == SIMPLUGIN_OK);
        flat_turn_give(store->env);
        RIG_ASSERT(++steps < 100000);
    }
    return steps;
}

/* ---- folders ------------------------------------------------------------------------- */

static inline void rig_remove(const char *path)
{
    char command[8192];

    snprintf(command, sizeof(command), "rm -rf '%s'", path);
    if (system(command))
        abort();
}

static inline flat_store *rig_create(const char *root, const char *name)
{
    flat_schema schema = {.dimension = RIG_DIMENSION, .metric = "cosine"};
    flat_store *store = NULL;

    flat_block_rows_forced = RIG_BLOCK;
    RIG_ASSERT(flat_store_create(root, rig_text(name), &schema, &rig_wait, &store, NULL) == SIMPLUGIN_OK);
    return store;
}

static inline flat_store *rig_open(const char *root, const char *name)
{
    flat_store *store = NULL;
    simplugin_error *error = NULL;
    int32_t code = flat_store_open(root, rig_text(name), &store, &error);

    if (code != SIMPLUGIN_OK)
        printf("\n    %s\n", error ? simplugin_error_message(error, NULL) : "?");
    simplugin_error_free(&error);
    RIG_ASSERT(code == SIMPLUGIN_OK);
    return store;
}

/* Whether error has that code and mentions text; frees it. */
static inline int rig_error_is(simplugin_error **error, int32_t code, const char *text)
{
    const char *message = *error ? simplugin_error_message(*error, NULL) : "";
    int is = *error && simplugin_error_code(*error) == code && strstr(message, text) != NULL;

    if (!is)
        printf("\n    error %d: %s\n", *error ? simplugin_error_code(*error) : 0, message);
    simplugin_error_free(error);
    return is;
}

/* ---- processes ----------------------------------------------------------------------- */

typedef struct rig_child {
    pid_t pid;
    int from; /* what it writes to its standard output */
    int to;   /* its standard input */
} rig_child;

/* This program again, with those arguments; env: one more variable, or NULL. */
static inline void rig_spawn(rig_child *child, const char *env, const char *const *arguments)
{
    const char *argv[16] = {"/proc/self/exe"};
    int out[2], in[2];

    for (int i = 0; i < 14 && arguments[i]; i++)
        argv[i + 1] = arguments[i];
    if (pipe2(out, O_CLOEXEC) || pipe2(in, O_CLOEXEC))
        abort();
    fflush(NULL);
    child->pid = fork();
    if (child->pid == 0) {
        if (env)
            putenv((char *)(uintptr_t)env);
        if (dup2(out[1], 1) < 0 || dup2(in[0], 0) < 0)
            _exit(98);
        execv("/proc/self/exe", (char **)(uintptr_t)argv);
        _exit(99);
    }
    close(out[1]);
    close(in[0]);
    child->from = out[0];
    child->to = in[1];
    if (child->pid < 0)
        abort();
}

/* One byte of it, or -1 when it has ended. */
static inline int rig_hear(rig_child *child)
{
    unsigned char byte = 0;
    ssize_t count;

    do
        count = read(child->from, &byte, 1);
    while (count < 0 && errno == EINTR);
    return count == 1 ? byte : -1;
}

static inline void rig_tell(rig_child *child)
{
    if (write(child->to, "x", 1) != 1)
        abort();
}

/* Its exit status; 128 + n when a signal ended it. */
static inline int rig_wait_for(rig_child *child)
{
    int status = 0;

    close(child->to);
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    close(child->from);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#endif
