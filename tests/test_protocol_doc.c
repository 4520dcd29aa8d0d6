/* SPDX-License-Identifier: Apache-2.0 */
/* docs/protocol.md says what there is: its tables against the core and the flat backend. */
#include "config.h"

#include "contract/contract.h"
#include "protocol.h"
#include "tree.h"
#include "unit.h"

#define PROTOCOL TEST_TOP_SRCDIR "/docs/protocol.md"

static json_t *table(const char *name)
{
    json_t *rows = doc_table_load(PROTOCOL, name);

    CU_ASSERT_PTR_NOT_NULL_FATAL(rows);
    CU_ASSERT_FATAL(json_array_size(rows) > 0);
    return rows;
}

static const char *cell(const json_t *rows, size_t row, size_t column)
{
    const char *text = json_string_value(json_array_get(json_array_get(rows, row), column));

    return text ? text : "";
}

static size_t find_row(const json_t *rows, const char *name)
{
    for (size_t i = 0; i < json_array_size(rows); i++)
        if (!strcmp(cell(rows, i, 0), name))
            return i;
    return SIZE_MAX;
}

/* CUnit keeps a copy of the text. */
static void check(int ok, const char *what, const char *name)
{
    char text[300];

    snprintf(text, sizeof text, "%s: %s", name, what);
    CU_assertImplementation(ok ? CU_TRUE : CU_FALSE, __LINE__, text, __FILE__, "", CU_FALSE);
}

/* ---- the core's table ----------------------------------------------------------------------- */

static void targets_text(uint32_t targets, char *text, size_t size)
{
    static const struct {
        uint32_t kind;
        const char *name;
    } kinds[] = {{SP_SESSION, "session"}, {SP_CONNECTION, "connection"}, {SP_INDEX, "index"},
                 {SP_VIEW, "view"},       {SP_SCAN, "scan"}};
    size_t at = 0;

    text[0] = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (targets & kinds[i].kind)
            at += (size_t)snprintf(text + at, size - at, "%s%s", at ? ", " : "", kinds[i].name);
}

static void application_table(void)
{
    json_t *rows = table("application");
    size_t count;
    const sp_method *methods = sp_methods(&count);
    char targets[64];

    for (size_t i = 0; i < count; i++) {
        size_t row = find_row(rows, methods[i].name);
        check(row != SIZE_MAX, "is not in the document", methods[i].name);
        if (row == SIZE_MAX)
            continue;
        targets_text(methods[i].targets, targets, sizeof targets);
        check(!strcmp(targets, cell(rows, row, 1)), "other targets", methods[i].name);
        check(!strcmp(methods[i].keys, cell(rows, row, 2)), "other keys", methods[i].name);
    }
    CU_ASSERT_EQUAL(json_array_size(rows), count);
    json_decref(rows);
}

static void sorted(void)
{
    size_t count;
    const sp_method *methods = sp_methods(&count);

    for (size_t i = 1; i < count; i++)
        check(strcmp(methods[i - 1].name, methods[i].name) < 0, "not in order", methods[i].name);
}

static int32_t call(uint64_t target, const char *method, json_t *body, json_t **reply)
{
    simplugin_reply answer = {.size = sizeof answer};
    contract_body encoded;
    contract_why why = {{0}};
    simplugin_request request;
    int32_t code = SIMPLUGIN_INTERNAL;

    if (body_encode(&encoded, body, 0, &why)) {
        request = simplugin_writer_request(&encoded.writer);
        code = simplugin_call(target, method, strlen(method), &request, NULL, &answer, NULL);
    }
    if (code == SIMPLUGIN_OK && reply)
        *reply = reply_decode(&answer, &why);
    simplugin_reply_clear(&answer);
    body_clear(&encoded);
    json_decref(body);
    return code;
}

static void application_methods_answer(void)
{
    json_t *rows = table("application");

    for (size_t i = 0; i < json_array_size(rows); i++) {
        const char *name = cell(rows, i, 0);
        int32_t code = call(UINT64_MAX, name, NULL, NULL);
        check(code != SIMPLUGIN_UNKNOWN_METHOD && code != SIMPLUGIN_OK, "is not served", name);
    }
    CU_ASSERT_EQUAL(call(0, "no.such.method", NULL, NULL), SIMPLUGIN_UNKNOWN_METHOD);
    json_decref(rows);
}

/* Codes that the table names are codes. */
static void codes_exist(void)
{
    json_t *rows = table("application"), *backend = table("backend");

    json_array_extend(rows, backend);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        char text[300];
        snprintf(text, sizeof text, "%s", cell(rows, i, 4));
        for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
            int32_t code = 1;
            while (code < 100 && strcmp(simplugin_code_name(code), word))
                code++;
            check(code < 100, "names a code that is none", cell(rows, i, 0));
        }
    }
    json_decref(rows);
    json_decref(backend);
}

/* ---- the backend's ----------------------------------------------------------------------------- */

static void check_names(const json_t *rows, const char *const *names, const char *need)
{
    size_t count = 0;

    for (size_t i = 0; names[i]; i++, count++) {
        size_t row = find_row(rows, names[i]);
        check(row != SIZE_MAX && !strcmp(cell(rows, row, 1), need), "is not in the document so",
              names[i]);
    }
    for (size_t i = 0; i < json_array_size(rows); i++)
        count -= !strcmp(cell(rows, i, 1), need);
    CU_ASSERT_EQUAL(count, 0);
}

static void backend_table(void)
{
    json_t *rows = table("backend");

    check_names(rows, sp_backend_required, "required");
    check_names(rows, sp_backend_optional, "optional");
    json_decref(rows);
}

typedef struct flat {
    char *directory;
    uint64_t session;
    uint64_t connection;
    json_t *describe;
} flat;

static void flat_open(flat *f)
{
    json_t *reply = NULL;

    memset(f, 0, sizeof *f);
    f->directory = unit_temp_dir();
    CU_ASSERT_EQUAL(call(0, "session.open",
                         json_pack("{s:[s], s:s, s:{}}", "plugin_path", TEST_TOP_BUILDDIR "/.libs",
                                   "data_dir", f->directory, "environment"),
                         &reply),
                    SIMPLUGIN_OK);
    f->session = (uint64_t)json_integer_value(json_object_get(reply, "session"));
    json_decref(reply);
    reply = NULL;
    CU_ASSERT_EQUAL(call(f->session, "connection.open",
                         json_pack("{s:s}", "backend", "sklearn_flat"), &reply),
                    SIMPLUGIN_OK);
    f->connection = (uint64_t)json_integer_value(json_object_get(reply, "connection"));
    json_decref(reply);
    CU_ASSERT_EQUAL(call(f->session, "backends.describe",
                         json_pack("{s:s}", "backend", "sklearn_flat"), &f->describe),
                    SIMPLUGIN_OK);
}

static void flat_close(flat *f)
{
    json_decref(f->describe);
    simplugin_close(f->session, NULL);
    tree_remove(f->directory);
    free(f->directory);
}

static int serves(const flat *f, const char *method)
{
    json_t *one;
    size_t i;

    json_array_foreach(json_object_get(f->describe, "methods"), i, one)
        if (!strcmp(json_string_value(one), method))
            return 1;
    return 0;
}

/* Every required method, and exactly the optional ones that describe lists, are served. */
static void flat_methods(void)
{
    json_t *rows = table("backend"), *one;
    size_t i;
    flat f;

    flat_open(&f);
    for (i = 0; i < json_array_size(rows); i++) {
        const char *name = cell(rows, i, 0);
        int32_t code = call(f.connection, "backend.call",
                            json_pack("{s:s, s:{}}", "method", name, "body"), NULL);
        int wanted = !strcmp(cell(rows, i, 1), "required") || serves(&f, name);
        int served = code != SIMPLUGIN_UNKNOWN_METHOD && code != SIMPLUGIN_UNIMPLEMENTED;
        check(served == wanted,
              wanted ? "is not served" : "is served and not described", name);
    }
    json_array_foreach(json_object_get(f.describe, "methods"), i, one) {
        const char *name = json_string_value(one);
        size_t row = find_row(rows, name);
        check(!strncmp(name, "native.", 7) ||
                  (row != SIZE_MAX && !strcmp(cell(rows, row, 1), "optional")),
              "is no optional method", name);
    }
    flat_close(&f);
    json_decref(rows);
}

static int has_type(const json_t *value, const char *type)
{
    if (!strcmp(type, "text"))
        return json_is_string(value);
    if (!strcmp(type, "int"))
        return json_is_integer(value);
    if (!strcmp(type, "bool"))
        return json_is_boolean(value);
    if (!strcmp(type, "map"))
        return json_is_object(value);
    return !strncmp(type, "array", 5) && json_is_array(value);
}

static void flat_describe(void)
{
    static const char *const may_lack[] = {"max_k", "max_dimension", "batch_bytes"};
    json_t *rows = table("describe"), *value;
    const char *key;
    flat f;

    flat_open(&f);
    json_object_foreach(f.describe, key, value) {
        size_t row = find_row(rows, key);
        if (!strcmp(key, "file")) /* the core's, beside what the backend says */
            continue;
        check(row != SIZE_MAX && has_type(value, cell(rows, row, 1)), "is not in the document so",
              key);
    }
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const char *name = cell(rows, i, 0);
        int optional = 0;
        for (size_t j = 0; j < sizeof may_lack / sizeof may_lack[0]; j++)
            optional = optional || !strcmp(may_lack[j], name);
        check(optional || json_object_get(f.describe, name) != NULL, "is not described", name);
    }
    flat_close(&f);
    json_decref(rows);
}

static const unit_case cases[] = {
    UNIT_CASE(application_table, "R277 the table of application methods is the core's"),
    UNIT_CASE(sorted, "the core's table is in the order its search wants"),
    UNIT_CASE(application_methods_answer, "every application method of the table is served"),
    UNIT_CASE(codes_exist, "R277 every code in the tables is one"),
    UNIT_CASE(backend_table, "the table of backend methods is the core's"),
    UNIT_CASE(flat_methods, "R259 the flat backend serves what the table and describe say"),
    UNIT_CASE(flat_describe, "R259 describe has the keys and types of its table"),
};

UNIT_MAIN("protocol document", cases)
