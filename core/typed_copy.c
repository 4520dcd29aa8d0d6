/* SPDX-License-Identifier: Apache-2.0 */
/* simplugin_copy: the loop around copy.next. */
#include <stddef.h>
#include <string.h>

#include "abi.h"
#include "host.h"
#include "typed.h"

static const char *const method_open = "copy.open";
static const char *const method_next = "copy.next";

static int32_t spec_read(const simplugin_copy_spec *spec, simplugin_copy_spec *read,
                         simplugin_error **error)
{
    const uint64_t least = offsetof(simplugin_copy_spec, source) + sizeof spec->source;
    const char *wrong;

    memset(read, 0, sizeof *read);
    wrong = spec ? sp_struct_read(read, spec, least, sizeof *read) : "is NULL";
    if (!wrong)
        wrong = sp_reserved_check(read->reserved, sizeof read->reserved / sizeof read->reserved[0]);
    if (!wrong && read->reserved0)
        wrong = "a reserved field is not 0";
    if (wrong)
        return sp_typed_argument(error, method_open, "spec", wrong);
    if (read->verify < SIMPLUGIN_VERIFY_SAMPLE || read->verify > SIMPLUGIN_VERIFY_ALL)
        return sp_typed_argument(error, method_open, "verify", "is none of SIMPLUGIN_VERIFY_...");
    if (read->merge != 0 && read->merge != 1)
        return sp_typed_argument(error, method_open, "merge", "is neither 0 nor 1");
    if (read->restart != 0 && read->restart != 1)
        return sp_typed_argument(error, method_open, "restart", "is neither 0 nor 1");
    return SIMPLUGIN_OK;
}

static int32_t state_check(const simplugin_copy_state *state, simplugin_error **error)
{
    const uint64_t least = offsetof(simplugin_copy_state, reserved) + sizeof state->reserved;
    const char *wrong = state ? sp_struct_check(state, least, sizeof *state) : NULL;

    return wrong ? sp_typed_argument(error, method_open, "state", wrong) : SIMPLUGIN_OK;
}

static void key_number(simplugin_writer *writer, uint64_t *count, const char *key, uint64_t number)
{
    if (!number)
        return;
    simplugin_write_string(writer, key);
    simplugin_write_uint(writer, number);
    ++*count;
}

static int32_t open_call(const simplugin_copy_spec *spec, const simplugin_options *options,
                         uint64_t *copy, uint64_t *index, simplugin_copy_state *state,
                         simplugin_error **error)
{
    static const char *const verify[] = {"sample", "none", "all"};
    simplugin_reply reply = SP_REPLY_INIT;
    simplugin_index_spec target;
    simplugin_writer writer;
    uint64_t begin, map, count = 3, keys = 0;
    int32_t code = sp_typed_spec_read(spec->target, &target, method_open, error);

    if (code)
        return code;
    if (target.dimension)
        return sp_typed_argument(error, method_open, "dimension", "is the source's: leave it 0");
    simplugin_writer_init(&writer);
    begin = simplugin_write_map_begin(&writer);
    simplugin_write_string(&writer, "source");
    simplugin_write_uint(&writer, spec->source);
    simplugin_write_string(&writer, "verify");
    simplugin_write_string(&writer, verify[spec->verify]);
    key_number(&writer, &count, "sample_size", spec->sample_size);
    key_number(&writer, &count, "batch_bytes", spec->batch_bytes);
    if (spec->restart) {
        simplugin_write_string(&writer, "resume");
        simplugin_write_bool(&writer, 0);
        count++;
    }
    simplugin_write_string(&writer, "target");
    map = simplugin_write_map_begin(&writer);
    code = sp_typed_spec_write(&writer, &keys, &target, method_open, error);
    if (spec->merge) {
        simplugin_write_string(&writer, "merge");
        simplugin_write_bool(&writer, 1);
        keys++;
    }
    simplugin_write_end(&writer, map, keys);
    simplugin_write_end(&writer, begin, count);
    if (!code)
        code = sp_typed_call(target.session, method_open, &writer, options, &reply, error);
    if (!code)
        code = sp_typed_uint(&reply, method_open, "copy", copy, error);
    if (!code)
        code = sp_typed_uint(&reply, method_open, "index", index, error);
    if (!code)
        code = sp_typed_uint(&reply, method_open, "resumed", &state->resumed, error);
    simplugin_reply_clear(&reply);
    simplugin_writer_clear(&writer);
    return code;
}

static int32_t state_read(const simplugin_reply *reply, const simplugin_value *map,
                          simplugin_copy_state *state, simplugin_error **error)
{
    static const char *const phases[] = {"copying", "verifying", "done"};
    double rate = 0, left = -1;
    simplugin_value phase;
    int32_t code = sp_typed_uint(reply, method_next, "copied", &state->copied, error);

    if (!code)
        code = sp_typed_uint(reply, method_next, "total", &state->total, error);
    if (!code)
        code = sp_typed_uint(reply, method_next, "bytes", &state->bytes, error);
    if (!code)
        code = sp_typed_uint(reply, method_next, "verified", &state->verified, error);
    if (!code)
        code = sp_typed_uint(reply, method_next, "differences", &state->differences, error);
    if (code)
        return code;
    state->phase = 0;
    simplugin_find(map, "phase", &phase);
    for (int32_t i = 0; i < 3; i++)
        if (simplugin_value_is(&phase, phases[i]))
            state->phase = i + 1;
    if (!state->phase)
        return sp_typed_reply_error(error, method_next, "phase");
    simplugin_find_double(map, "rows_per_second", &rate);
    simplugin_find_double(map, "seconds_left", &left);
    state->rows_per_second = rate > 0 && rate < 1e18 ? (uint64_t)rate : 0;
    state->left_ms = left >= 0 && left < 1e15 ? (int64_t)(left * 1000) : -1;
    return SIMPLUGIN_OK;
}

/* CORRUPT, with what copy.next says of the points that differ. */
static int32_t differences_fail(const simplugin_value *map, const simplugin_copy_state *state,
                                simplugin_error **error)
{
    simplugin_value list, id;
    const char *what = "";
    uint64_t size = 0;
    simplugin_iter iter;
    char text[256];

    simplugin_find_text(map, "difference", &what, &size);
    sp_error_set(error, SIMPLUGIN_CORRUPT, "copy",
                 "%llu of %llu points are not the same in the copy (of the first: %.*s): copy "
                 "again, or overwrite the target",
                 (unsigned long long)state->differences, (unsigned long long)state->total,
                 (int)(size < 200 ? size : 200), what);
    if (simplugin_find(map, "different", &list) && list.type == SIMPLUGIN_ARRAY) {
        iter = simplugin_iterate(&list);
        for (int i = 0; i < 10 && simplugin_next(&iter, &id); i++)
            if (id.type == SIMPLUGIN_TEXT && id.size < sizeof text) {
                memcpy(text, id.data, id.size);
                text[id.size] = '\0';
                sp_error_add_detail(error, "id", text);
            }
    }
    return SIMPLUGIN_CORRUPT;
}

static int32_t next_call(const simplugin_copy_spec *spec, uint64_t copy,
                         const simplugin_options *options, simplugin_copy_state *state,
                         simplugin_error **error)
{
    simplugin_reply reply = SP_REPLY_INIT;
    simplugin_value map;
    int32_t code = simplugin_call(copy, method_next, strlen(method_next), NULL, options, &reply,
                                  error);

    map = simplugin_body_value(reply.body, reply.body_size);
    if (!code)
        code = state_read(&reply, &map, state, error);
    if (!code && spec->each && spec->each(spec->context, state) &&
        state->phase != SIMPLUGIN_COPY_DONE)
        code = sp_error_set(error, SIMPLUGIN_CANCELLED, "copy",
                            "stopped after %llu of %llu points: the same call goes on from there",
                            (unsigned long long)state->copied, (unsigned long long)state->total);
    if (!code && state->phase == SIMPLUGIN_COPY_DONE && state->differences)
        code = differences_fail(&map, state, error);
    simplugin_reply_clear(&reply);
    return code;
}

int32_t simplugin_copy(const simplugin_copy_spec *spec, uint64_t *index,
                       simplugin_copy_state *state, const simplugin_options *options,
                       simplugin_error **error)
{
    simplugin_copy_state now = {.size = sizeof now, .left_ms = -1};
    simplugin_copy_spec read;
    simplugin_options quiet = {0};
    const char *wrong = NULL;
    uint64_t copy = 0, target = 0;
    int32_t code;

    if (index)
        *index = 0;
    code = state_check(state, error);
    if (!code)
        code = spec_read(spec, &read, error);
    if (!code && options) {
        /* the steps' own progress would count from the beginning again and again */
        wrong = sp_struct_read(&quiet, options, offsetof(simplugin_options, cancel), sizeof quiet);
        if (wrong)
            code = sp_typed_argument(error, method_open, "options", wrong);
        quiet.size = sizeof quiet;
        quiet.progress = NULL;
    }
    if (code)
        return code;
    code = open_call(&read, options ? &quiet : NULL, &copy, &target, &now, error);
    while (!code && now.phase != SIMPLUGIN_COPY_DONE)
        code = next_call(&read, copy, options ? &quiet : NULL, &now, error);
    if (copy)
        simplugin_close(copy, NULL);
    if (target && (code || !index))
        simplugin_close(target, NULL);
    if (index && !code)
        *index = target;
    if (state)
        sp_struct_fill(state, &now, sizeof now);
    return code;
}
