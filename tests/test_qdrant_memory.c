/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocation number N fails, for every N until all goes well: each answer is OUT_OF_MEMORY,
 * nothing is lost silently, nothing leaks. The linker puts the allocators below in the
 * place of malloc and its kin in our own objects; jansson is given one of its own.
 */
#include "config.h"

#include <errno.h>
#include <jansson.h>

#include "describe.h"
#include "qdrant_fake.h"
#include "qdrant_link_rig.h"

static long countdown = -1; /* allocations until one fails; below 0: none does */
static long json_countdown = -1; /* the same for jansson's */
static pthread_t tested;    /* the fake server's threads are let be */

static int fails(long *left)
{
    if (*left < 0 || !pthread_equal(pthread_self(), tested) || (*left)-- > 0)
        return 0;
    errno = ENOMEM;
    return 1;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
int __wrap_asprintf(char **text, const char *format, ...) __attribute__((format(printf, 2, 3)));

void *__wrap_malloc(size_t size)
{
    return fails(&countdown) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails(&countdown) ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails(&countdown) ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *text)
{
    return fails(&countdown) ? NULL : __real_strdup(text);
}

int __wrap_asprintf(char **text, const char *format, ...)
{
    va_list args;
    int size;

    if (fails(&countdown))
        return -1;
    va_start(args, format);
    size = vasprintf(text, format, args);
    va_end(args);
    return size;
}

static void *json_malloc(size_t size)
{
    return fails(&json_countdown) ? NULL : __real_malloc(size);
}

/* ---- running ---------------------------------------------------------------------------------- */

typedef int32_t (*attempt)(link_rig *rig);

/* Until none is left to fail; how many did. */
static long until_it_works(link_rig *rig, attempt fn, long *left)
{
    long count = 0;
    int32_t code = SIMPLUGIN_OUT_OF_MEMORY;
    int failed = 1;

    for (; failed && count < 10000; count++) {
        *left = count;
        code = fn(rig);
        failed = *left < 0;
        *left = -1;
        CU_ASSERT_TRUE(code == SIMPLUGIN_OK || (failed && code == SIMPLUGIN_OUT_OF_MEMORY));
        CU_ASSERT_EQUAL(code, rig->error ? simplugin_error_code(rig->error) : SIMPLUGIN_OK);
        if (code != SIMPLUGIN_OK && code != SIMPLUGIN_OUT_OF_MEMORY)
            printf("\n    after %ld allocations: %s", count, rig_message(rig));
        rig_reset(rig);
    }
    CU_ASSERT_EQUAL(code, SIMPLUGIN_OK);
    return count;
}

/* ---- what is tried ---------------------------------------------------------------------------- */

static int32_t settings_try(link_rig *rig)
{
    qdrant_settings s;
    int32_t code = qdrant_settings_read(&s, &rig->call);

    qdrant_settings_clear(&s);
    return code;
}

static void settings(void)
{
    link_rig rig;

    rig_prepare(&rig);
    rig_words(&rig, "url=https://a:1/b api_key=key proxy=http://p tls_server_name=name consistency=#2 "
                    "ordering=strong max_receive_bytes=#4096");
    CU_ASSERT(until_it_works(&rig, settings_try, &countdown) > 5);
    simplugin_writer_clear(&rig.body);
}

static int32_t paths_try(link_rig *rig)
{
    const char *path = qdrant_path(&rig->call, "/collections/%s/points", "a b");

    path = qdrant_path_with(&rig->call, path, "wait", "true");
    return path ? SIMPLUGIN_OK : plug_no_memory(&rig->call);
}

static void paths(void)
{
    link_rig rig;

    rig_prepare(&rig);
    CU_ASSERT(until_it_works(&rig, paths_try, &countdown) > 3);
}

static int32_t creation_try(link_rig *rig)
{
    json_t *config;
    int32_t code = qdrant_creation_read(&rig->call, &config);

    CU_ASSERT_EQUAL(code == SIMPLUGIN_OK, config != NULL);
    json_decref(config);
    return code;
}

static void creation(void)
{
    link_rig rig;

    rig_prepare(&rig);
    simplugin_write_map(&rig.body, 1);
    simplugin_write_string(&rig.body, "parameters");
    simplugin_write_map(&rig.body, 3);
    simplugin_write_string(&rig.body, "shard_number");
    simplugin_write_int(&rig.body, 2);
    simplugin_write_string(&rig.body, "hnsw_config");
    simplugin_write_map(&rig.body, 2);
    simplugin_write_string(&rig.body, "m");
    simplugin_write_int(&rig.body, 16);
    simplugin_write_string(&rig.body, "memory");
    simplugin_write_string(&rig.body, "cold");
    simplugin_write_string(&rig.body, "quantization_config");
    simplugin_write_map(&rig.body, 1);
    simplugin_write_string(&rig.body, "scalar");
    simplugin_write_map(&rig.body, 2);
    simplugin_write_string(&rig.body, "type");
    simplugin_write_string(&rig.body, "int8");
    simplugin_write_string(&rig.body, "quantile");
    simplugin_write_double(&rig.body, 0.5);
    rig_ask(&rig);
    CU_ASSERT(until_it_works(&rig, creation_try, &json_countdown) > 10);
    simplugin_writer_clear(&rig.body);
}

static int always_ok(fake *f, const fake_request *request)
{
    (void)f;
    return fake_answer(request->peer, 200, "", "{\"result\":[0,1,2,3,4,5,6,7,8,9]}");
}

/* Over a link that has to be made first. */
static int32_t run_try(link_rig *rig)
{
    qdrant_http http;
    qdrant_link link;
    int32_t code;

    qdrant_link_init(&link, &rig->settings);
    qdrant_http_init(&http, "PUT", qdrant_path(&rig->call, "/a/%s", "b"));
    qdrant_http_take(&http, __real_strdup("{}"), 2);
    code = qdrant_run(&link, &rig->call, &http);
    CU_ASSERT(code || http.reply_size == 32);
    qdrant_http_clear(&http);
    qdrant_link_clear(&link);
    return code;
}

static void requests(void)
{
    link_rig rig;
    fake f;

    fake_init(&f, always_ok);
    rig_open(&rig, "url=http://127.0.0.1:%d api_key=key", f.port);
    CU_ASSERT(until_it_works(&rig, run_try, &countdown) > 5);
    rig_close(&rig);
    fake_clear(&f);
}

static const unit_case cases[] = {
    UNIT_CASE(settings, "every allocation of the settings"),
    UNIT_CASE(paths, "every allocation of paths"),
    UNIT_CASE(creation, "every allocation of a collection's parameters"),
    UNIT_CASE(requests, "every allocation of ours of a request"),
};

int main(void)
{
    tested = pthread_self();
    json_set_alloc_funcs(json_malloc, free);
    return unit_run("qdrant memory", cases, sizeof cases / sizeof cases[0]);
}
