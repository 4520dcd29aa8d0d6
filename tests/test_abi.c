/* SPDX-License-Identifier: Apache-2.0 */
/* The layout of every struct that crosses a boundary, on the 64-bit machines we support. */
#include "simplugin.h"

#include "config.h"

#include <stddef.h>

#include "unit.h"

#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type " changed its size")
#define AT(type, field, offset) \
    _Static_assert(offsetof(type, field) == (offset), #type "." #field " moved")

SIZE(simplugin_tensor, 64);
AT(simplugin_tensor, dtype, 0);
AT(simplugin_tensor, reserved0, 4);
AT(simplugin_tensor, data, 8);
AT(simplugin_tensor, rows, 16);
AT(simplugin_tensor, cols, 24);
AT(simplugin_tensor, row_stride, 32);
AT(simplugin_tensor, reserved, 40);

SIZE(simplugin_request, 64);
AT(simplugin_request, size, 0);
AT(simplugin_request, body, 8);
AT(simplugin_request, body_size, 16);
AT(simplugin_request, tensors, 24);
AT(simplugin_request, tensor_count, 32);
AT(simplugin_request, reserved, 40);

SIZE(simplugin_reply, 64);
AT(simplugin_reply, size, 0);
AT(simplugin_reply, body, 8);
AT(simplugin_reply, body_size, 16);
AT(simplugin_reply, tensors, 24);
AT(simplugin_reply, tensor_count, 32);
AT(simplugin_reply, owner, 40);
AT(simplugin_reply, reserved, 48);

SIZE(simplugin_call_info, 96);
AT(simplugin_call_info, size, 0);
AT(simplugin_call_info, method, 8);
AT(simplugin_call_info, method_size, 16);
AT(simplugin_call_info, deadline, 24);
AT(simplugin_call_info, cancel, 32);
AT(simplugin_call_info, trace_id, 40);
AT(simplugin_call_info, trace_id_size, 48);
AT(simplugin_call_info, progress, 56);
AT(simplugin_call_info, reserved, 64);

SIZE(simplugin_host, 96);
AT(simplugin_host, size, 0);
AT(simplugin_host, abi_min, 8);
AT(simplugin_host, abi_max, 12);
AT(simplugin_host, reply_alloc, 16);
AT(simplugin_host, error_set, 24);
AT(simplugin_host, error_set_backend, 32);
AT(simplugin_host, error_set_retryable, 40);
AT(simplugin_host, error_add_detail, 48);
AT(simplugin_host, log, 56);
AT(simplugin_host, cancelled, 64);
AT(simplugin_host, cancel_watch, 72);
AT(simplugin_host, cancel_unwatch, 80);
AT(simplugin_host, progress, 88);

SIZE(simplugin_backend, 48);
AT(simplugin_backend, size, 0);
AT(simplugin_backend, abi, 8);
AT(simplugin_backend, threads, 12);
AT(simplugin_backend, describe, 16);
AT(simplugin_backend, open, 24);
AT(simplugin_backend, call, 32);
AT(simplugin_backend, close, 40);

SIZE(simplugin_options, 88);
AT(simplugin_options, size, 0);
AT(simplugin_options, timeout_ms, 8);
AT(simplugin_options, cancel, 16);
AT(simplugin_options, trace_id, 24);
AT(simplugin_options, trace_id_size, 32);
AT(simplugin_options, progress, 40);
AT(simplugin_options, progress_context, 48);
AT(simplugin_options, reserved, 56);

SIZE(simplugin_index_spec, 128);
AT(simplugin_index_spec, size, 0);
AT(simplugin_index_spec, session, 8);
AT(simplugin_index_spec, backend, 16);
AT(simplugin_index_spec, dataset, 24);
AT(simplugin_index_spec, brain_key, 32);
AT(simplugin_index_spec, collection, 40);
AT(simplugin_index_spec, metric, 48);
AT(simplugin_index_spec, dimension, 56);
AT(simplugin_index_spec, patches_field, 64);
AT(simplugin_index_spec, model, 72);
AT(simplugin_index_spec, supports_prompts, 80);
AT(simplugin_index_spec, overwrite, 84);
AT(simplugin_index_spec, parameters, 88);
AT(simplugin_index_spec, reserved, 96);

SIZE(simplugin_hits, 64);
AT(simplugin_hits, size, 0);
AT(simplugin_hits, query_count, 8);
AT(simplugin_hits, hit_count, 16);
AT(simplugin_hits, offsets, 24);
AT(simplugin_hits, ids, 32);
AT(simplugin_hits, distances, 40);
AT(simplugin_hits, scores, 48);
AT(simplugin_hits, owner, 56);

SIZE(simplugin_copy_state, 112);
AT(simplugin_copy_state, size, 0);
AT(simplugin_copy_state, phase, 8);
AT(simplugin_copy_state, reserved0, 12);
AT(simplugin_copy_state, copied, 16);
AT(simplugin_copy_state, total, 24);
AT(simplugin_copy_state, resumed, 32);
AT(simplugin_copy_state, bytes, 40);
AT(simplugin_copy_state, rows_per_second, 48);
AT(simplugin_copy_state, left_ms, 56);
AT(simplugin_copy_state, verified, 64);
AT(simplugin_copy_state, differences, 72);
AT(simplugin_copy_state, reserved, 80);

SIZE(simplugin_copy_spec, 104);
AT(simplugin_copy_spec, size, 0);
AT(simplugin_copy_spec, source, 8);
AT(simplugin_copy_spec, target, 16);
AT(simplugin_copy_spec, verify, 24);
AT(simplugin_copy_spec, merge, 28);
AT(simplugin_copy_spec, restart, 32);
AT(simplugin_copy_spec, reserved0, 36);
AT(simplugin_copy_spec, sample_size, 40);
AT(simplugin_copy_spec, batch_bytes, 48);
AT(simplugin_copy_spec, each, 56);
AT(simplugin_copy_spec, context, 64);
AT(simplugin_copy_spec, reserved, 72);

/* Codes are numbers on disk, in logs and in other languages. */
static void codes(void)
{
    static const struct {
        int32_t code;
        int32_t number;
        const char *name;
    } all[] = {
        {SIMPLUGIN_OK, 0, "OK"},
        {SIMPLUGIN_INVALID_ARGUMENT, 1, "INVALID_ARGUMENT"},
        {SIMPLUGIN_NOT_FOUND, 2, "NOT_FOUND"},
        {SIMPLUGIN_ALREADY_EXISTS, 3, "ALREADY_EXISTS"},
        {SIMPLUGIN_UNIMPLEMENTED, 4, "UNIMPLEMENTED"},
        {SIMPLUGIN_DEADLINE_EXCEEDED, 5, "DEADLINE_EXCEEDED"},
        {SIMPLUGIN_CANCELLED, 6, "CANCELLED"},
        {SIMPLUGIN_BUSY, 7, "BUSY"},
        {SIMPLUGIN_UNAVAILABLE, 8, "UNAVAILABLE"},
        {SIMPLUGIN_UNAUTHENTICATED, 9, "UNAUTHENTICATED"},
        {SIMPLUGIN_PERMISSION_DENIED, 10, "PERMISSION_DENIED"},
        {SIMPLUGIN_RESOURCE_EXHAUSTED, 11, "RESOURCE_EXHAUSTED"},
        {SIMPLUGIN_OUT_OF_MEMORY, 12, "OUT_OF_MEMORY"},
        {SIMPLUGIN_IO, 13, "IO"},
        {SIMPLUGIN_CORRUPT, 14, "CORRUPT"},
        {SIMPLUGIN_READ_ONLY, 15, "READ_ONLY"},
        {SIMPLUGIN_NO_SPACE, 16, "NO_SPACE"},
        {SIMPLUGIN_VERSION_TOO_OLD, 17, "VERSION_TOO_OLD"},
        {SIMPLUGIN_VERSION_TOO_NEW, 18, "VERSION_TOO_NEW"},
        {SIMPLUGIN_INCOMPATIBLE, 19, "INCOMPATIBLE"},
        {SIMPLUGIN_STALE_HANDLE, 20, "STALE_HANDLE"},
        {SIMPLUGIN_FORKED, 21, "FORKED"},
        {SIMPLUGIN_PROMPT_UNSUPPORTED, 22, "PROMPT_UNSUPPORTED"},
        {SIMPLUGIN_DIMENSION_MISMATCH, 23, "DIMENSION_MISMATCH"},
        {SIMPLUGIN_MALFORMED, 24, "MALFORMED"},
        {SIMPLUGIN_CONFIG, 25, "CONFIG"},
        {SIMPLUGIN_UNKNOWN_METHOD, 26, "UNKNOWN_METHOD"},
        {SIMPLUGIN_UNKNOWN_PARAMETER, 27, "UNKNOWN_PARAMETER"},
        {SIMPLUGIN_INTERNAL, 28, "INTERNAL"},
        {SIMPLUGIN_PROTOCOL, 29, "PROTOCOL"},
        {SIMPLUGIN_BACKEND_UNKNOWN, 40, "BACKEND_UNKNOWN"},
        {SIMPLUGIN_BACKEND_NAME, 41, "BACKEND_NAME"},
        {SIMPLUGIN_PLUGIN_PATH, 42, "PLUGIN_PATH"},
        {SIMPLUGIN_PLUGIN_UNSAFE, 43, "PLUGIN_UNSAFE"},
        {SIMPLUGIN_PLUGIN_UNLOADABLE, 44, "PLUGIN_UNLOADABLE"},
        {SIMPLUGIN_PLUGIN_NO_ENTRY, 45, "PLUGIN_NO_ENTRY"},
        {SIMPLUGIN_PLUGIN_FOREIGN_ENTRY, 46, "PLUGIN_FOREIGN_ENTRY"},
        {SIMPLUGIN_PLUGIN_BAD_TABLE, 47, "PLUGIN_BAD_TABLE"},
        {SIMPLUGIN_PLUGIN_ENTRY_FAILED, 48, "PLUGIN_ENTRY_FAILED"},
    };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        CU_ASSERT_EQUAL(all[i].code, all[i].number);
        CU_ASSERT_STRING_EQUAL(simplugin_code_name(all[i].code), all[i].name);
    }
    CU_ASSERT_STRING_EQUAL(simplugin_code_name(-1), "UNKNOWN");
    CU_ASSERT_STRING_EQUAL(simplugin_code_name(12345), "UNKNOWN");
}

static void version(void)
{
    CU_ASSERT_STRING_EQUAL(simplugin_version(), SIMPLUGIN_VERSION);
    CU_ASSERT_STRING_EQUAL(simplugin_version(), PACKAGE_VERSION);
}

/* Where the header says NULL is harmless. */
static void null_is_harmless(void)
{
    simplugin_error *error = NULL;
    simplugin_reply reply = {.size = sizeof reply};
    simplugin_hits hits = {.size = sizeof hits};
    uint64_t size = 7;

    simplugin_reply_clear(NULL);
    simplugin_reply_clear(&reply);
    simplugin_hits_clear(NULL);
    simplugin_hits_clear(&hits);
    simplugin_error_free(NULL);
    simplugin_error_free(&error);
    CU_ASSERT_EQUAL(simplugin_error_code(NULL), 0);
    CU_ASSERT_STRING_EQUAL(simplugin_error_message(NULL, &size), "");
    CU_ASSERT_EQUAL(size, 0);
    CU_ASSERT_STRING_EQUAL(simplugin_error_domain(NULL), "");
    CU_ASSERT_EQUAL(simplugin_error_backend_code(NULL), 0);
    CU_ASSERT_STRING_EQUAL(simplugin_error_backend_message(NULL, NULL), "");
    CU_ASSERT_EQUAL(simplugin_error_retryable(NULL), 0);
    CU_ASSERT_EQUAL(simplugin_error_detail_count(NULL), 0);
    CU_ASSERT_STRING_EQUAL(simplugin_error_detail_key(NULL, 0), "");
    CU_ASSERT_STRING_EQUAL(simplugin_error_detail_value(NULL, 3), "");
}

/* ---- structs of other versions --------------------------------------------------------- */

/* Each as a later header would have it, longer by two fields. */
#define LATER(type)         \
    struct {                \
        type known;         \
        uint64_t more[2];   \
    }

static simplugin_error *error;

static int refuses(int32_t code, const char *argument, const char *words)
{
    return code == SIMPLUGIN_INVALID_ARGUMENT && simplugin_error_code(error) == code &&
           !strcmp(simplugin_error_detail_value(error, 0), argument) &&
           strstr(simplugin_error_message(error, NULL), words) != NULL;
}

static int32_t call(const simplugin_request *request, const simplugin_options *options,
                    simplugin_reply *reply)
{
    return simplugin_call(0, "metrics.render", 14, request, options, reply, &error);
}

static void newer_structs(void)
{
    LATER(simplugin_options) options = {.known = {.size = sizeof options}};
    LATER(simplugin_request) request = {.known = {.size = sizeof request}};
    LATER(simplugin_reply) reply = {.known = {.size = sizeof reply}};

    CU_ASSERT_EQUAL(call(&request.known, &options.known, &reply.known), SIMPLUGIN_OK);
    CU_ASSERT(reply.known.size == sizeof reply && reply.known.owner);
    simplugin_reply_clear(&reply.known);
    CU_ASSERT(reply.known.size == sizeof reply && !reply.known.owner);
    options.more[1] = UINT64_C(1) << 63;
    CU_ASSERT(refuses(call(NULL, &options.known, NULL), "options", "newer header"));
    request.more[0] = 1;
    CU_ASSERT(refuses(call(&request.known, NULL, NULL), "request", "newer header"));
    reply.more[0] = 1;
    CU_ASSERT(refuses(call(NULL, NULL, &reply.known), "reply", "newer header"));
    /* what lies behind the size is nobody's */
    options.known.size = sizeof options.known;
    request.known.size = sizeof request.known;
    reply.known.size = sizeof reply.known;
    CU_ASSERT_EQUAL(call(&request.known, &options.known, &reply.known), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(reply.more[0], 1);
    simplugin_reply_clear(&reply.known);
    simplugin_error_free(&error);
}

static void older_structs(void)
{
    simplugin_options options = {.size = offsetof(simplugin_options, cancel), .cancel = 77};
    simplugin_request request = {.size = offsetof(simplugin_request, reserved), .reserved = {1}};
    simplugin_reply reply = {.size = sizeof reply};

    CU_ASSERT_EQUAL(call(&request, &options, NULL), SIMPLUGIN_OK);
    options.size = offsetof(simplugin_options, timeout_ms);
    CU_ASSERT(refuses(call(NULL, &options, NULL), "options", ".size"));
    options.size = UINT64_MAX;
    CU_ASSERT(refuses(call(NULL, &options, NULL), "options", ".size"));
    request.size = offsetof(simplugin_request, tensor_count);
    CU_ASSERT(refuses(call(&request, NULL, NULL), "request", ".size"));
    reply.size = sizeof reply - 8;
    CU_ASSERT(refuses(call(NULL, NULL, &reply), "reply", ".size"));
    reply.size = 1 << 20;
    CU_ASSERT(refuses(call(NULL, NULL, &reply), "reply", ".size"));
    simplugin_error_free(&error);
}

static void reserved_fields(void)
{
    simplugin_options options = {.size = sizeof options};
    simplugin_request request = {.size = sizeof request};
    simplugin_reply reply = {.size = sizeof reply};

    options.reserved[3] = 1;
    CU_ASSERT(refuses(call(NULL, &options, NULL), "options", "reserved"));
    reply.reserved[1] = 1;
    CU_ASSERT(refuses(call(NULL, NULL, &reply), "reply", "reserved"));
    request.reserved[2] = 1;
    CU_ASSERT_EQUAL(call(&request, NULL, NULL), SIMPLUGIN_MALFORMED);
    simplugin_error_free(&error);
}

static const unit_case cases[] = {
    UNIT_CASE(codes, "R277 every code has its number and its name"),
    UNIT_CASE(version, "the library says the version of its header"),
    UNIT_CASE(newer_structs, "structs of a newer header: what is not known must be 0"),
    UNIT_CASE(older_structs, "structs of an older header, and sizes that are none"),
    UNIT_CASE(reserved_fields, "reserved fields must be 0"),
    UNIT_CASE(null_is_harmless, "R277 NULL where the header allows it"),
};

UNIT_MAIN("abi", cases)
