/* SPDX-License-Identifier: Apache-2.0 */
#include "copy_verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "copy_compare.h"
#include "copy_plan.h"
#include "gather.h"

/* Points that are asked for by their ids at a time. */
#define IDS_AT_ONCE 512
#define IDS_PER_PAGE 65536

/* In this order. */
#define STAGE_WALK 0  /* through the source */
#define STAGE_EXTRA 1 /* through the target, for what only it has */
#define STAGE_DONE 2

void sp_copy_check_init(sp_copy_check *check)
{
    memset(check, 0, sizeof *check);
    sp_buffer_init(&check->ids);
    sp_buffer_init(&check->ends);
    sp_buffer_init(&check->named);
    check->walk.page.reply.size = sizeof check->walk.page.reply;
}

static void check_reset(sp_copy_check *check)
{
    sp_walk_clear(&check->walk);
    check->walk.page.reply.size = sizeof check->walk.page.reply;
    sp_buffer_clear(&check->ids);
    sp_buffer_clear(&check->ends);
    sp_buffer_clear(&check->named);
}

void sp_copy_check_clear(sp_copy_check *check)
{
    check_reset(check);
}

uint64_t sp_copy_check_total(const sp_copy_check *check)
{
    return check->mode == SP_VERIFY_ALL || check->sample > check->source_count
               ? check->source_count
               : check->sample;
}

/* ---- what differs ------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4)))
static void note(sp_copy_check *check, sp_text id, const char *format, ...)
{
    va_list list;

    if (!check->different++) {
        va_start(list, format);
        vsnprintf(check->first, sizeof check->first, format, list);
        va_end(list);
    }
    if (check->named_count == SP_VERIFY_NAMED)
        return;
    check->named_count++;
    sp_buffer_append(&check->named, id.data, id.size);
    sp_buffer_append(&check->named, "", 1);
}

/* One side's rows by the positions at which their ids were asked for. */
typedef struct side {
    const sp_points *points;
    uint64_t at;
} side;

static int side_row(side *s, uint64_t position, uint64_t *row)
{
    /* the rows of a scan were not asked for: each is at its own place */
    if (!s->points->positions) {
        *row = position;
        return 1;
    }
    if (s->at == s->points->count || s->points->positions[s->at] != (int64_t)position)
        return 0;
    *row = s->at++;
    return 1;
}

/* Which field of the row is not the same; NULL: none. */
static const char *field_find(const sp_columns *mine, uint64_t row, const sp_columns *theirs,
                              const uint64_t *places, uint64_t other, sp_floats floats)
{
    for (uint64_t i = 0; i < mine->count; i++) {
        const sp_column *a = &mine->columns[i];

        if (places[i] == SP_ROW_NONE) {
            /* a column that is not there is one of missing values */
            static const uint8_t none = 0;
            sp_column b = {.type = a->type, .count = 1, .valid = &none};

            if (!sp_cells_same(a, row, &b, 0, floats))
                return mine->names[i];
        } else if (!sp_cells_same(a, row, &theirs->columns[places[i]], other, floats)) {
            return mine->names[i];
        }
    }
    return NULL;
}

/* A field of the target's row that is not the source's; NULL: none. */
static const char *extra_field(const sp_columns *theirs, const uint8_t *is_extra, uint64_t row)
{
    for (uint64_t i = 0; i < theirs->count; i++)
        if (is_extra[i] && sp_column_is_valid(&theirs->columns[i], row))
            return theirs->names[i];
    return NULL;
}

/* What a field of the source is in the copy, whatever type these points have of it. */
static uint32_t type_of(const sp_copy_check *check, const char *name, uint32_t type)
{
    const json_t *said = json_object_get(check->types->known, name);

    return said ? sp_column_type(json_string_value(said), json_string_length(said)) : type;
}

/* Points of the source, scanned or asked for, against those of the target with these ids. */
static int32_t points_compare(sp_copy_check *check, const sp_column *ids, const sp_points *mine,
                              const sp_points *theirs, simplugin_error **error)
{
    const sp_describe *target = sp_connection_describe(check->target->connection);
    sp_floats floats = {sp_copy_stores_nonfinite(target), target->rounds_floats};
    sp_columns a = {0}, b = {0};
    sp_arena *arena = NULL;
    uint64_t *places = NULL, kept = 0;
    uint8_t *is_extra = NULL;
    side left = {mine, 0}, right = {theirs, 0};
    int32_t code = SIMPLUGIN_OK;

    if (mine->fields.type)
        code = sp_points_columns(check->source, mine, &arena, &a, error);
    if (!code && theirs->fields.type)
        code = sp_points_columns(check->target, theirs, &arena, &b, error);
    if (code)
        goto out;
    places = sp_arena_array(&arena, a.count + 1, sizeof *places);
    is_extra = sp_arena_array(&arena, b.count + 1, sizeof *is_extra);
    if (!places || !is_extra) {
        code = sp_error_no_memory(error);
        goto out;
    }
    for (uint64_t j = 0; j < b.count; j++) {
        is_extra[j] = !check->merge;
        for (uint64_t i = 0; i < a.count; i++)
            is_extra[j] &= strcmp(a.names[i], b.names[j]) != 0;
    }
    for (uint64_t i = 0; i < a.count; i++) {
        uint32_t type = type_of(check, a.names[i], a.columns[i].type);

        if (!sp_copy_stores(target, type))
            continue;
        a.names[kept] = a.names[i];
        a.columns[kept] = a.columns[i];
        places[kept] = SP_ROW_NONE;
        for (uint64_t j = 0; j < b.count; j++)
            if (strcmp(b.names[j], a.names[kept]) == 0)
                places[kept] = j;
        if (!sp_copy_types_cast(&a.columns[kept], type, &arena) ||
            (places[kept] != SP_ROW_NONE &&
             !sp_copy_types_cast(&b.columns[places[kept]], type, &arena))) {
            code = sp_error_no_memory(error);
            goto out;
        }
        kept++;
    }
    a.count = kept;
    for (uint64_t i = 0; i < ids->count; i++) {
        sp_text id = sp_column_text(ids, i);
        uint64_t row = 0, other = 0;
        int here = side_row(&left, i, &row), there = side_row(&right, i, &other);
        const char *field;

        /* gone from the source since its ids were read: the counts tell */
        if (!here)
            continue;
        check->verified++;
        if (!there) {
            check->absent++;
            note(check, id, "it is not in the copy");
        } else if (!sp_vectors_same(sp_points_vector(mine, row), sp_points_vector(theirs, other),
                                    mine->vectors->cols, check->vectors)) {
            note(check, id, "its vector is another one");
        } else if ((field = field_find(&a, row, &b, places, other, floats))) {
            note(check, id, "its field \"%.64s\" is not the same", field);
        } else if ((field = extra_field(&b, is_extra, other))) {
            note(check, id, "it has a field \"%.64s\" that the source has not", field);
        }
    }
out:
    sp_arena_free(&arena);
    return code;
}

static const sp_want everything = {.vectors = 1, .fields = {.all = 1}};

/* ---- all of them -------------------------------------------------------------------------- */

/* The rows of a page from first on, as a column of ids. */
static sp_column ids_slice(const sp_column *ids, uint64_t first, uint64_t count)
{
    sp_column slice = *ids;

    slice.offsets += first;
    slice.count = count;
    return slice;
}

static int32_t page_compare(sp_copy_check *check, const sp_context *context,
                            simplugin_error **error)
{
    const sp_points *page = &check->walk.page;
    sp_points theirs = {.reply = SP_REPLY_INIT};
    int32_t code = SIMPLUGIN_OK;

    if (!page->count)
        return code;
    code = sp_points_get(check->target, context, &page->ids, &everything, &theirs, error);
    if (!code)
        code = points_compare(check, &page->ids, page, &theirs, error);
    sp_points_clear(&theirs);
    return code;
}

/* ---- some of them ------------------------------------------------------------------------- */

static uint64_t random_next(sp_copy_check *check)
{
    uint64_t z = check->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* The points whose ids were picked, from both sides. */
static int32_t sample_compare(sp_copy_check *check, const sp_context *context,
                              simplugin_error **error)
{
    sp_points mine = {.reply = SP_REPLY_INIT}, theirs = {.reply = SP_REPLY_INIT};
    sp_column ids = {.type = SP_TEXT};
    int32_t code = SIMPLUGIN_OK;

    if (!check->ends.size)
        return code;
    ids.count = check->ends.size / sizeof(int64_t) - 1;
    ids.offsets = (const int64_t *)(const void *)check->ends.data;
    ids.values = check->ids.data;
    code = sp_points_get(check->source, context, &ids, &everything, &mine, error);
    if (!code)
        code = sp_points_get(check->target, context, &ids, &everything, &theirs, error);
    if (!code)
        code = points_compare(check, &ids, &mine, &theirs, error);
    sp_points_clear(&mine);
    sp_points_clear(&theirs);
    if (!code) {
        sp_buffer_clear(&check->ids);
        sp_buffer_clear(&check->ends);
    }
    return code;
}

/* One point of each stride of the source, at a place of chance. */
static int32_t sample_pick(sp_copy_check *check, const sp_context *context,
                           simplugin_error **error)
{
    const sp_points *page = &check->walk.page;
    int64_t end;

    for (uint64_t i = 0; !check->is_picked && i < page->count; i++) {
        uint64_t seen = check->walked + i;
        sp_text id;

        if (seen % check->stride == 0)
            check->until = seen + random_next(check) % check->stride;
        if (seen != check->until)
            continue;
        end = (int64_t)check->ids.size;
        if (!check->ends.size)
            sp_buffer_append(&check->ends, &end, sizeof end);
        id = sp_column_text(&page->ids, i);
        sp_buffer_append(&check->ids, id.data, id.size);
        end = (int64_t)check->ids.size;
        sp_buffer_append(&check->ends, &end, sizeof end);
    }
    if (check->ids.failed || check->ends.failed)
        return sp_error_no_memory(error);
    check->is_picked = 1;
    return check->ends.size / sizeof end > IDS_AT_ONCE ? sample_compare(check, context, error)
                                                       : SIMPLUGIN_OK;
}

/* ---- what only the target has ------------------------------------------------------------- */

static int32_t extra_find(sp_copy_check *check, const sp_context *context,
                          simplugin_error **error)
{
    const sp_points *page = &check->walk.page;
    sp_points known = {.reply = SP_REPLY_INIT};
    sp_want nothing = {0};
    int32_t code = SIMPLUGIN_OK;

    while (!code && check->looked < page->count) {
        uint64_t first = check->looked;
        uint64_t count = page->count - first < IDS_PER_PAGE ? page->count - first : IDS_PER_PAGE;
        sp_column ids = ids_slice(&page->ids, first, count);
        side s = {&known, 0};
        uint64_t row;

        code = sp_points_get(check->source, context, &ids, &nothing, &known, error);
        for (uint64_t i = 0; !code && i < count; i++)
            if (!side_row(&s, i, &row))
                note(check, sp_column_text(&ids, i), "it is not in the source");
        check->looked += code ? 0 : count;
        sp_points_clear(&known);
    }
    return code;
}

/* ---- the whole ---------------------------------------------------------------------------- */

static int32_t walk_begin(sp_copy_check *check, sp_index *index, int all, simplugin_error **error)
{
    sp_walk_spec spec = {0};

    if (all)
        spec.want = everything;
    sp_walk_clear(&check->walk);
    check->walk.page.reply.size = sizeof check->walk.page.reply;
    return sp_walk_init(&check->walk, index, &spec, error);
}

/* What is different where it is no point that was looked at. */
static void counts_tell(sp_copy_check *check, uint64_t wanted)
{
    snprintf(check->first, sizeof check->first, "the source has %llu points, the copy %llu",
             (unsigned long long)wanted, (unsigned long long)check->target_count);
}

int32_t sp_copy_check_begin(sp_copy_check *check, const sp_context *context,
                            simplugin_error **error)
{
    int32_t code;

    check_reset(check);
    check->stage = STAGE_WALK;
    check->walked = check->verified = check->absent = check->different = check->named_count = 0;
    check->first[0] = '\0';
    check->is_picked = 0;
    check->looked = 0;
    code = sp_index_count(check->source, context, &check->source_count, error);
    if (!code)
        code = sp_index_count(check->target, context, &check->target_count, error);
    if (!code && getrandom(&check->random, sizeof check->random, 0) !=
                     (ssize_t)sizeof check->random)
        check->random = (uint64_t)sp_clock_now();
    check->stride = check->source_count / (check->sample ? check->sample : 1);
    if (!check->stride)
        check->stride = 1;
    if (!code && check->mode == SP_VERIFY_NONE) {
        if (check->target_count < check->copied) {
            check->different = check->copied - check->target_count;
            counts_tell(check, check->copied);
        }
        check->stage = STAGE_DONE;
        return code;
    }
    return code ? code
                : walk_begin(check, check->source, check->mode == SP_VERIFY_ALL, error);
}

/* The source's points are through: what of the target's count is not accounted for? */
static int32_t walk_end(sp_copy_check *check, const sp_context *context, simplugin_error **error)
{
    uint64_t apart = check->source_count > check->target_count
                         ? check->source_count - check->target_count
                         : check->target_count - check->source_count;
    int32_t code = sample_compare(check, context, error);

    if (code)
        return code;
    if (!check->merge && check->mode == SP_VERIFY_ALL &&
        check->target_count > check->verified - check->absent) {
        code = walk_begin(check, check->target, 0, error);
        if (!code)
            check->stage = STAGE_EXTRA;
        return code;
    }
    if (!check->merge && check->mode == SP_VERIFY_SAMPLE && apart > check->different) {
        if (!check->different)
            counts_tell(check, check->source_count);
        check->different = apart;
    }
    check->stage = STAGE_DONE;
    return code;
}

int32_t sp_copy_check_next(sp_copy_check *check, const sp_context *context, int *more,
                           simplugin_error **error)
{
    int went = 1;
    int32_t code = SIMPLUGIN_OK;

    /* a page stays until it was looked at: a call that failed is made again */
    if (check->stage != STAGE_DONE && !check->walk.page.reply.body)
        code = sp_walk_next(&check->walk, context, &went, error);
    if (code)
        return code;
    if (check->stage == STAGE_WALK && went) {
        uint64_t count = check->walk.page.count;

        code = check->mode == SP_VERIFY_ALL ? page_compare(check, context, error)
                                            : sample_pick(check, context, error);
        if (!code)
            check->walked += count;
    } else if (check->stage == STAGE_EXTRA && went) {
        code = extra_find(check, context, error);
    }
    if (code)
        return code;
    sp_points_clear(&check->walk.page);
    check->is_picked = 0;
    check->looked = 0;
    if (check->named.failed)
        return sp_error_no_memory(error);
    if (!went || check->walk.done) {
        if (check->stage == STAGE_WALK)
            code = walk_end(check, context, error);
        else
            check->stage = STAGE_DONE;
    }
    *more = check->stage != STAGE_DONE;
    return code;
}
