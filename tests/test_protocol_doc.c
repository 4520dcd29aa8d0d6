/* SPDX-License-Identifier: Apache-2.0 */
/* docs/protocol.md says what there is: its tables against the core and the backends. */
#include "config.h"

#include "conformance/contract.h"
#include "protocol.h"
#include "conformance/tree.h"
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
                 {SP_VIEW, "view"},       {SP_SCAN, "scan"},       {SP_COPY, "copy"}};
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

/* A backend of this build. */
typedef struct opened {
    char *directory;
    uint64_t session;
    uint64_t connection;
    json_t *describe;
} opened;

/* Milvus connects nowhere before its first call. */
static void backend_open(opened *o, const char *name)
{
    json_t *reply = NULL;

    memset(o, 0, sizeof *o);
    o->directory = unit_temp_dir();
    CU_ASSERT_EQUAL(call(0, "session.open",
                         json_pack("{s:[s], s:s, s:{}}", "plugin_path", TEST_TOP_BUILDDIR "/.libs",
                                   "data_dir", o->directory, "environment"),
                         &reply),
                    SIMPLUGIN_OK);
    o->session = (uint64_t)json_integer_value(json_object_get(reply, "session"));
    json_decref(reply);
    reply = NULL;
    CU_ASSERT_EQUAL(call(o->session, "connection.open", json_pack("{s:s}", "backend", name),
                         &reply),
                    SIMPLUGIN_OK);
    o->connection = (uint64_t)json_integer_value(json_object_get(reply, "connection"));
    json_decref(reply);
    CU_ASSERT_EQUAL(call(o->session, "backends.describe", json_pack("{s:s}", "backend", name),
                         &o->describe),
                    SIMPLUGIN_OK);
}

static void backend_close(opened *o)
{
    json_decref(o->describe);
    simplugin_close(o->session, NULL);
    tree_remove(o->directory);
    free(o->directory);
}

static int serves(const opened *o, const char *method)
{
    json_t *one;
    size_t i;

    json_array_foreach(json_object_get(o->describe, "methods"), i, one)
        if (!strcmp(json_string_value(one), method))
            return 1;
    return 0;
}

/*
 * Every required method, and exactly the optional ones that describe lists, are served.
 * Without a collection a server is asked nothing; methods that need none would ask it.
 */
static void methods_agree(const char *backend, int has_server)
{
    json_t *rows = table("backend"), *one;
    size_t i;
    opened o;

    backend_open(&o, backend);
    for (i = 0; i < json_array_size(rows); i++) {
        const char *name = cell(rows, i, 0);
        int wanted = !strcmp(cell(rows, i, 1), "required") || serves(&o, name);
        int served;
        int32_t code;

        if (has_server && wanted && !strstr(cell(rows, i, 2), "collection"))
            continue;
        code = call(o.connection, "backend.call", json_pack("{s:s, s:{}}", "method", name, "body"),
                    NULL);
        served = code != SIMPLUGIN_UNKNOWN_METHOD && code != SIMPLUGIN_UNIMPLEMENTED;
        check(served == wanted,
              wanted ? "is not served" : "is served and not described", name);
    }
    json_array_foreach(json_object_get(o.describe, "methods"), i, one) {
        const char *name = json_string_value(one);
        size_t row = find_row(rows, name);
        check(!strncmp(name, "native.", 7) ||
                  (row != SIZE_MAX && !strcmp(cell(rows, row, 1), "optional")),
              "is no optional method", name);
    }
    backend_close(&o);
    json_decref(rows);
}

static void flat_methods(void)
{
    methods_agree("sklearn_flat", 0);
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

/* Keys of which the table does not say what their absence means are there. */
static void describe_agrees(const char *backend)
{
    json_t *rows = table("describe"), *value;
    const char *key;
    opened o;

    backend_open(&o, backend);
    json_object_foreach(o.describe, key, value) {
        size_t row = find_row(rows, key);
        if (!strcmp(key, "file")) /* the core's, beside what the backend says */
            continue;
        check(row != SIZE_MAX && has_type(value, cell(rows, row, 1)), "is not in the document so",
              key);
    }
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const char *name = cell(rows, i, 0);
        check(strstr(cell(rows, i, 2), "absent") || json_object_get(o.describe, name),
              "is not described", name);
    }
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(o.describe, "name")), backend);
    backend_close(&o);
    json_decref(rows);
}

static void flat_describe(void)
{
    describe_agrees("sklearn_flat");
}

#ifdef TEST_MILVUS
static void milvus_methods(void)
{
    methods_agree("milvus", 1);
}

static void milvus_describe(void)
{
    describe_agrees("milvus");
}
#endif

static const unit_case cases[] = {
    UNIT_CASE(application_table, "R277 the table of application methods is the core's"),
    UNIT_CASE(sorted, "the core's table is in the order its search wants"),
    UNIT_CASE(application_methods_answer, "every application method of the table is served"),
    UNIT_CASE(codes_exist, "R277 every code in the tables is one"),
    UNIT_CASE(backend_table, "the table of backend methods is the core's"),
    UNIT_CASE(flat_methods, "R259 the flat backend serves what the table and describe say"),
    UNIT_CASE(flat_describe, "R259 describe has the keys and types of its table"),
#ifdef TEST_MILVUS
    UNIT_CASE(milvus_methods, "R259 the milvus backend serves what the table and describe say"),
    UNIT_CASE(milvus_describe, "R259 milvus describes itself with the keys and types of the table"),
#endif
};

UNIT_MAIN("protocol document", cases)
