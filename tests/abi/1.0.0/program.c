/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program as its users write them, with each function of simplugin.h and each struct: what it
 * prints depends on no version. program BACKEND; indexes are made in $SIMPLUGIN_DATA.
 */
#include <simplugin.h>
#include <simplugin/envelope.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int failed;

static void must(const char *what, int32_t code, simplugin_error **error)
{
    if (code) {
        printf("%s: %s: %s\n", what, simplugin_code_name(code), simplugin_error_message(*error, NULL));
        failed = 1;
    } else {
        printf("%s\n", what);
    }
    simplugin_error_free(error);
}

static void print_hits(const char *what, simplugin_hits *hits)
{
    for (uint64_t q = 0; q < hits->query_count; q++) {
        printf("%s %" PRIu64 ":", what, q);
        for (int64_t i = hits->offsets[q]; i < hits->offsets[q + 1]; i++)
            printf(" %s %.3f %.3f", hits->ids[i], (double)hits->distances[i], (double)hits->scores[i]);
        printf("\n");
    }
    simplugin_hits_clear(hits);
}

static void log_line(void *context, int32_t level, const char *message, uint64_t message_size)
{
    (void)context;
    (void)level;
    (void)message;
    (void)message_size;
}

static void on_progress(void *context, uint64_t done, uint64_t total)
{
    (void)done;
    (void)total;
    *(int *)context = 1;
}

static int32_t on_step(void *context, const simplugin_copy_state *state)
{
    *(int32_t *)context = state->phase;
    return 0;
}

static int32_t on_run(void *context, const char *brain_key)
{
    (void)context;
    printf("run %s\n", brain_key);
    return 0;
}

/* The generic call, with a column, a matrix and a filter: what the bindings do. */
static void generic(uint64_t index)
{
    static const char text[] = "figten";
    static const int64_t offsets[] = {0, 3, 6}, pages[] = {3, 10};
    static const float rows[2][2] = {{-1, 0}, {0, -1}};
    simplugin_column ids = {.type = SIMPLUGIN_COLUMN_TEXT, .count = 2, .values = text, .offsets = offsets};
    simplugin_column page = {.type = SIMPLUGIN_COLUMN_INT64, .count = 2, .values = pages};
    simplugin_tensor vectors = simplugin_tensor_of(SIMPLUGIN_FLOAT32, rows, 2, 2);
    simplugin_reply reply = {.size = sizeof reply};
    simplugin_error *error = NULL;
    simplugin_writer body;
    simplugin_request request;
    simplugin_value map;
    int64_t size = -1;

    simplugin_writer_init(&body);
    simplugin_write_map(&body, 3);
    simplugin_write_string(&body, "ids");
    simplugin_write_column(&body, &ids);
    simplugin_write_string(&body, "vectors");
    simplugin_write_tensor(&body, &vectors);
    simplugin_write_string(&body, "fields");
    simplugin_write_map(&body, 1);
    simplugin_write_string(&body, "page");
    simplugin_write_column(&body, &page);
    request = simplugin_writer_request(&body);
    must("call index.add", simplugin_call(index, "index.add", 9, &request, NULL, NULL, &error), &error);
    simplugin_writer_reset(&body);
    simplugin_write_map(&body, 1);
    simplugin_write_string(&body, "filter");
    simplugin_write_string(&body, "page > 3");
    request = simplugin_writer_request(&body);
    must("call index.size", simplugin_call(index, "index.size", 10, &request, NULL, &reply, &error), &error);
    map = simplugin_body_value(reply.body, reply.body_size);
    if (simplugin_find_int(&map, "size", &size) != 1)
        failed = 1;
    printf("page > 3: %" PRId64 "\n", size);
    simplugin_reply_clear(&reply);
    simplugin_writer_clear(&body);
}

static void errors(uint64_t index)
{
    simplugin_options options = {.size = sizeof options};
    simplugin_error *error = NULL;
    const char *missing[] = {"nobody"};
    float vector[2];
    int32_t code = simplugin_index_get(index, missing, 1, 2, vector, NULL, NULL, &error);

    printf("get of nobody: %s, domain %s, backend %" PRId64 " '%s', retryable %" PRId32 ", %s = %s\n",
           simplugin_code_name(simplugin_error_code(error)), simplugin_error_domain(error),
           simplugin_error_backend_code(error), simplugin_error_backend_message(error, NULL),
           simplugin_error_retryable(error), simplugin_error_detail_key(error, 0),
           simplugin_error_detail_value(error, 0));
    failed |= code != simplugin_error_code(error) || !simplugin_error_detail_count(error);
    code = simplugin_cancel_new(&options.cancel, &error);
    simplugin_cancel_fire(options.cancel);
    code = code ? code : simplugin_index_size(index, &(uint64_t){0}, &options, &error);
    printf("cancelled: %s\n", simplugin_code_name(code));
    simplugin_cancel_free(options.cancel);
    simplugin_error_free(&error);
    printf("closed: %s\n", simplugin_code_name(simplugin_close(options.cancel, NULL)));
}

int main(int argc, char **argv)
{
    static const char *const ids[] = {"apple", "pear", "plum"};
    static const float rows[3][2] = {{1, 0}, {0.9f, 0.1f}, {0, 1}};
    int heard = 0;
    int32_t phase = 0;
    uint64_t index = 0, opened = 0, copied = 0, size = 0, removed = 0;
    uint8_t found[3];
    float vectors[3][2];
    simplugin_error *error = NULL;
    simplugin_hits hits = {.size = sizeof hits};
    simplugin_options options = {.size = sizeof options, .timeout_ms = 30000, .trace_id = "t",
                                 .trace_id_size = 1, .progress = on_progress, .progress_context = &heard};
    simplugin_index_spec spec = {.size = sizeof spec, .backend = argc > 1 ? argv[1] : NULL, .dataset = "fruit",
                                 .brain_key = "shapes", .metric = "euclidean", .dimension = 2};
    simplugin_index_spec target = {.size = sizeof target, .backend = spec.backend, .brain_key = "again"};
    simplugin_copy_spec copy = {.size = sizeof copy, .target = &target, .verify = SIMPLUGIN_VERIFY_ALL,
                                .each = on_step, .context = &phase};
    simplugin_copy_state state = {.size = sizeof state};

    simplugin_log_set(log_line, NULL, SIMPLUGIN_LOG_DEBUG);
    printf("version %s\n", *simplugin_version() ? "known" : "unknown");
    must("create", simplugin_index_create(&spec, &index, &options, &error), &error);
    must("add", simplugin_index_add(index, ids, rows[0], 3, 2, &options, &error), &error);
    must("search", simplugin_index_search(index, rows[1], 1, 2, 2, &options, &hits, &error), &error);
    print_hits("by vector", &hits);
    must("search", simplugin_index_search_ids(index, ids, 3, 1, NULL, &hits, &error), &error);
    print_hits("by id", &hits);
    must("get", simplugin_index_get(index, ids, 3, 2, vectors[0], found, NULL, &error), &error);
    printf("as added: %s\n", memcmp(vectors, rows, sizeof rows) ? "no" : "yes");
    generic(index);
    errors(index);
    must("remove", simplugin_index_remove(index, ids, 1, &removed, NULL, &error), &error);
    must("size", simplugin_index_size(index, &size, NULL, &error), &error);
    printf("removed %" PRIu64 ", left %" PRIu64 "\n", removed, size);
    copy.source = index;
    must("copy", simplugin_copy(&copy, &copied, &state, &options, &error), &error);
    printf("copied %" PRIu64 ", verified %" PRIu64 ", done %d %d\n", state.copied, state.verified,
           phase == SIMPLUGIN_COPY_DONE, state.phase == SIMPLUGIN_COPY_DONE);
    must("rename", simplugin_run_rename("fruit", "shapes", "forms", &error), &error);
    must("list", simplugin_run_list("fruit", on_run, NULL, &error), &error);
    must("open", simplugin_index_open("fruit", "forms", &opened, NULL, &error), &error);
    must("cleanup", simplugin_index_cleanup(copied, NULL, &error), &error);
    must("cleanup", simplugin_index_cleanup(opened, NULL, &error), &error);
    must("delete", simplugin_run_delete("fruit", "forms", &error), &error);
    must("delete", simplugin_run_delete("fruit", "again", &error), &error);
    must("close", simplugin_close(copied, &error), &error);
    must("close", simplugin_close(opened, &error), &error);
    must("close", simplugin_close(index, &error), &error);
    printf("register: %s\n", simplugin_code_name(simplugin_backend_register("No Name", NULL, NULL)));
    return failed;
}
