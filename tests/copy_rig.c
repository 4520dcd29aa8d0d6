/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "copy_rig.h"

#include <dlfcn.h>

#include "conformance/contract.h"

void (*disk_before)(const char *method);
void (*disk_after)(const char *method);
uint64_t copy_handle, copy_index;

static const simplugin_backend *disk;

static int32_t disk_call(simplugin_instance *instance, const simplugin_call_info *info,
                         const simplugin_request *request, simplugin_reply *reply,
                         simplugin_error **error)
{
    char method[64];
    int32_t code;

    snprintf(method, sizeof method, "%.*s", (int)info->method_size, info->method);
    if (disk_before)
        disk_before(method);
    code = disk->call(instance, info, request, reply, error);
    if (disk_after)
        disk_after(method);
    return code;
}

static int32_t disk_entry(const simplugin_host *host, const simplugin_backend **backend,
                          simplugin_error **error)
{
    static simplugin_backend table;
    void *file = dlopen(TEST_TOP_BUILDDIR "/.libs/simplugin_sklearn_flat.so", RTLD_NOW | RTLD_LOCAL);
    simplugin_backend_entry_fn entry = NULL;
    int32_t code;

    if (file)
        *(void **)&entry = dlsym(file, "simplugin_backend_entry");
    if (!entry)
        abort();
    code = entry(host, &disk, error);
    if (code)
        return code;
    table = *disk;
    table.call = disk_call;
    *backend = &table;
    return code;
}

void copy_start(void)
{
    static int registered;

    if (!registered++ && simplugin_backend_register("disk", disk_entry, NULL))
        abort();
    rig_start();
}

void copy_stop(void)
{
    disk_before = disk_after = NULL;
    copy_handle = copy_index = 0;
    rig_stop();
}

uint64_t index_new(const char *backend, const char *collection, const char *more)
{
    /* the minimal backend keeps its collections as long as the process */
    if (!strcmp(backend, "rig") &&
        !ask(rig_session, "index.open", "{'backend': 'rig', 'collection_name': '%s'}", collection))
        ask((uint64_t)reply_int("index"), "index.cleanup", "{}");
    ASK(rig_session, "index.create", "{'backend': '%s', 'collection_name': '%s'%s}", backend,
        collection, more);
    return (uint64_t)reply_int("index");
}

static json_t *maybe(int missing, json_t *value)
{
    if (!missing)
        return value;
    json_decref(value);
    return json_null();
}

void rows_add(uint64_t index, int first, int count)
{
    json_t *ids = json_array(), *vectors = json_array(), *samples = json_array();
    json_t *page = json_array(), *score = json_array(), *name = json_array(), *flag = json_array();
    json_t *tags = json_array(), *numbers = json_array();
    contract_body body = {0};
    contract_why why = {""};
    json_t *all;
    int patches;

    ASK(index, "index.info", "{}");
    patches = json_is_true(json_object_get(rig_reply, "patches"));
    for (int i = first; i < first + count; i++) {
        json_array_append_new(ids, json_sprintf("p%05d", i));
        json_array_append_new(vectors,
                              json_pack("[f,f,f]", 1.0 + i % 7, (i % 11) / 8.0, i / 1024.0));
        json_array_append_new(samples, json_sprintf("s%d", i / 3));
        json_array_append_new(page, maybe(i % 5 == 0, json_integer(i)));
        json_array_append_new(score, maybe(i % 4 == 0, json_real(i / 3.0)));
        json_array_append_new(name, maybe(i % 3 == 0, json_sprintf("n\u00e9 %d", i)));
        json_array_append_new(flag, maybe(i % 6 == 0, json_boolean(i % 2)));
        json_array_append_new(tags, maybe(i % 7 == 0, json_pack("[s,s]", "x", i % 2 ? "" : "yz")));
        json_array_append_new(numbers, maybe(i % 8 == 0, json_pack("[i,i]", i, -i)));
    }
    all = json_pack("{so,so,s{so,so,so,so,so,so}}", "ids", ids, "vectors", vectors, "fields", "page",
                    page, "score", score, "name", name, "flag", flag, "tags", tags, "numbers",
                    numbers);
    if (patches)
        json_object_set(all, "sample_ids", samples);
    if (!all || !body_encode(&body, all, 1, &why))
        abort();
    if (ask_writer(index, "index.add", &body.writer)) {
        printf("%s\n", simplugin_error_message(rig_error, NULL));
        CU_FAIL_FATAL("rows cannot be added");
    }
    body_clear(&body);
    json_decref(samples);
    json_decref(all);
}

json_t *index_dump(uint64_t index)
{
    json_t *all = json_object(), *id, *column;
    const char *name;
    size_t i;

    ASK(index, "index.get", "{'fields': true}");
    json_array_foreach(json_object_get(rig_reply, "ids"), i, id) {
        json_t *one = json_object();

        json_object_set(one, "vector", json_array_get(json_object_get(rig_reply, "vectors"), i));
        column = json_object_get(rig_reply, "sample_ids");
        if (column)
            json_object_set(one, "sample_id", json_array_get(column, i));
        json_object_foreach(json_object_get(rig_reply, "fields"), name, column)
            if (!json_is_null(json_array_get(column, i)))
                json_object_set(one, name, json_array_get(column, i));
        json_object_set_new(all, json_string_value(id), one);
    }
    return all;
}

int indexes_same(uint64_t a, uint64_t b)
{
    json_t *x = index_dump(a), *y = index_dump(b);
    int same = json_equal(x, y);

    json_decref(x);
    json_decref(y);
    return same;
}

int32_t copy_open(uint64_t source, const char *target, const char *more)
{
    int32_t code = ask(rig_session, "copy.open", "{'source': %llu, 'target': {%s}%s}",
                       (unsigned long long)source, target, more);

    copy_handle = copy_index = 0;
    if (!code && json_object_get(rig_reply, "copy")) {
        copy_handle = (uint64_t)reply_int("copy");
        copy_index = (uint64_t)reply_int("index");
    }
    return code;
}

int32_t copy_run(void)
{
    int32_t code;

    do
        code = ask(copy_handle, "copy.next", "{}");
    while (!code && strcmp(reply_text("phase"), "'done'"));
    return code;
}

void copy_close(void)
{
    CU_ASSERT_EQUAL(simplugin_close(copy_handle, NULL), SIMPLUGIN_OK);
    copy_handle = 0;
}

static void succeed(int32_t code)
{
    if (code)
        printf("\n    %s\n    ", simplugin_error_message(rig_error, NULL));
    CU_ASSERT_EQUAL_FATAL(code, SIMPLUGIN_OK);
}

void copy_all(uint64_t source, const char *target, const char *more)
{
    succeed(copy_open(source, target, more));
    succeed(copy_run());
    REPLY("differences", "0");
    copy_close();
}
