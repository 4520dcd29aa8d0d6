/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A writer whose every operation follows from its number, and a model of what the store
 * must hold after so many of them.
 */
#ifndef SP_TESTS_STORE_MODEL_H
#define SP_TESTS_STORE_MODEL_H

#include "store_rig.h"

#define MODEL_ROWS 600

typedef struct model {
    uint64_t done;                /* operations */
    uint64_t version[MODEL_ROWS]; /* 0: there is no such row */
    int64_t field[MODEL_ROWS];    /* -1: null */
} model;

typedef struct model_op {
    enum { MODEL_ADD, MODEL_DELETE, MODEL_SET, MODEL_COMPACT } kind;
    uint64_t from;
    uint64_t count;
    uint64_t version;
} model_op;

static inline model_op model_op_of(uint64_t number)
{
    uint64_t z = (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
    model_op op = {MODEL_ADD, 0, 1, number + 1};

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z ^= z >> 27;
    op.from = z % (MODEL_ROWS - 200);
    switch (z >> 40 & 15) {
    case 0:
    case 1:
        op.count = 200; /* blocks and tail */
        break;
    case 2:
    case 3:
    case 4:
        op.count = 20;
        break;
    case 5:
    case 6:
        op.kind = MODEL_DELETE;
        op.count = z >> 50 & 63;
        break;
    case 7:
    case 8:
        op.kind = MODEL_SET;
        op.count = 1 + (z >> 50 & 63);
        break;
    case 9:
        op.kind = z >> 50 & 3 ? MODEL_ADD : MODEL_COMPACT;
        break;
    default:
        break;
    }
    return op;
}

/* Large adds in one transaction, in many, and in many with a large tree of ids. */
static inline void model_steps(uint64_t mode)
{
    flat_step_bytes_forced = mode % 3 ? 0 : UINT64_MAX;
    flat_step_pages_forced = mode % 3 == 2 ? 0 : UINT64_MAX;
}

/* What operation number `done` makes of the model. */
static inline void model_advance(model *state)
{
    model_op op = model_op_of(state->done++);

    for (uint64_t row = op.from; row < op.from + op.count; row++) {
        int64_t field = (row + op.version) % 5 ? (int64_t)op.version : -1;

        if (op.kind == MODEL_ADD) {
            state->version[row] = op.version;
            state->field[row] = field;
        } else if (op.kind == MODEL_DELETE) {
            state->version[row] = 0;
        } else if (op.kind == MODEL_SET && state->version[row]) {
            state->field[row] = field;
        }
    }
}

static inline int32_t model_run(flat_store *store, uint64_t number)
{
    model_op op = model_op_of(number);
    uint64_t one = 0, other = 0;
    int32_t code = SIMPLUGIN_OK;
    rig_rows rig;

    if (op.kind == MODEL_COMPACT)
        return flat_store_compact(store, &rig_wait, NULL, NULL, &one, &other, NULL);
    rig_rows_init(&rig, NULL, op.from, op.count, op.version, RIG_DIMENSION);
    if (op.kind == MODEL_ADD)
        code = flat_store_upsert(store, &rig.rows, &rig_wait, &one, NULL);
    else if (op.kind == MODEL_SET)
        code = flat_store_set_fields(store, &rig.rows, &rig_wait, &one, NULL);
    else
        code = flat_store_delete(store, &rig.ids, &rig_wait, &one, NULL);
    rig_rows_clear(&rig);
    return code;
}

/* 1 if the store holds exactly what the model says. */
static inline int model_matches(flat_store *store, const model *state)
{
    flat_snapshot *snapshot = rig_snapshot(store);
    uint64_t count = 0;
    int same = 1;

    for (uint64_t row = 0; row < MODEL_ROWS && same; row++) {
        count += state->version[row] != 0;
        same = state->version[row]
                   ? rig_has_field(snapshot, row, state->version[row], state->field[row])
                   : rig_lacks(snapshot, row);
    }
    same = same && count == flat_snapshot_count(snapshot);
    flat_snapshot_free(snapshot);
    return same;
}

/*
 * The model of a store whose writer was interrupted: all that was acknowledged, or one
 * operation more. 0 if it is neither.
 */
static inline int model_settle(flat_store *store, model *state)
{
    model more = *state;

    if (model_matches(store, state))
        return 1;
    model_advance(&more);
    if (!model_matches(store, &more))
        return 0;
    *state = more;
    return 1;
}

#endif
