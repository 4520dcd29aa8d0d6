/* SPDX-License-Identifier: Apache-2.0 */
/* Values of rows that become columns, and the types of fields that are remembered. */
#include "config.h"

#include "host.h"
#include "json_write.h"
#include "plug_fields_json.h"
#include "plug_known.h"
#include "simplugin.h"
#include "unit_fails.h"
#include "unit.h"

static const plug_names all_names = {.all = 1};

/* A call without a core around it, and what its rules say. */
typedef struct rig {
    simplugin_call_info info;
    simplugin_reply reply;
    simplugin_error *error;
    plug_call call;
    plug_fields_rules rules;
    uint32_t declared; /* of the field "declared" */
    plug_columns columns;
    sp_buffer text;
} rig;

static int is_shown(const void *context, const char *name)
{
    (void)context;
    return strcmp(name, "hidden") != 0;
}

static uint32_t declared(const void *context, const char *name)
{
    return strcmp(name, "declared") == 0 ? ((const rig *)context)->declared : 0;
}

static void rig_init(rig *r)
{
    memset(r, 0, sizeof *r);
    plug_host = &sp_host;
    r->info.size = sizeof r->info;
    r->info.deadline = INT64_MAX;
    r->reply.size = sizeof r->reply;
    r->call.info = &r->info;
    r->call.reply = &r->reply;
    r->call.error = &r->error;
    r->rules.context = r;
    r->rules.names = &all_names;
    r->rules.is_shown = is_shown;
    r->rules.declared = declared;
}

static void rig_clear(rig *r)
{
    simplugin_error_free(&r->error);
    simplugin_writer_clear(&r->call.out);
    simplugin_reply_clear(&r->reply);
    sp_arena_free(&r->call.scratch);
    sp_buffer_clear(&r->text);
}

/* "a:int64 b:list<text> {"a":1,"b":[]} ..." */
static const char *columns_text(rig *r, uint64_t rows)
{
    const plug_columns *columns = &r->columns;

    r->text.size = 0;
    for (uint64_t i = 0; i < columns->count; i++)
        sp_buffer_printf(&r->text, "%s%s:%s", i ? " " : "", columns->names[i],
                         sp_column_type_name(columns->columns[i].type));
    for (uint64_t row = 0; row < rows; row++) {
        int is_first = 1;

        sp_buffer_append_text(&r->text, " {");
        for (uint64_t i = 0; i < columns->count; i++) {
            CU_ASSERT_EQUAL(columns->columns[i].count, rows);
            if (sp_column_is_valid(&columns->columns[i], row))
                plug_json_cell(&r->text, &is_first, columns->names[i], &columns->columns[i], row);
        }
        sp_buffer_append_text(&r->text, "}");
    }
    sp_buffer_append(&r->text, "", 1);
    return (const char *)r->text.data;
}

static void is_same(const char *text, const char *expected)
{
    if (strcmp(text, expected) == 0)
        return;
    CU_FAIL("other columns");
    printf("\n    %s\n    is not\n    %s", text, expected);
}

/* ---- values one by one -------------------------------------------------------------------- */

static void note(plug_fields *fields, const char *name, uint32_t type)
{
    CU_ASSERT_EQUAL(plug_fields_note(fields, name, strlen(name), type), SIMPLUGIN_OK);
}

static plug_field *begin(plug_fields *fields, const char *name, uint64_t row)
{
    plug_field *field = plug_fields_find(fields, name, strlen(name));

    CU_ASSERT_PTR_NOT_NULL_FATAL(field);
    CU_ASSERT_EQUAL(plug_field_begin(field, row), 1);
    return field;
}

static void by_hand(void)
{
    plug_fields fields;
    plug_field *field;
    plug_seen seen;
    rig r;

    rig_init(&r);
    plug_fields_init(&fields, &r.call, &r.rules);
    note(&fields, "number", SP_INT64);
    note(&fields, "number", SP_FLOAT64);
    note(&fields, "flag", SP_BOOL);
    note(&fields, "hidden", SP_INT64);
    note(&fields, "words", PLUG_EMPTY_LIST);
    note(&fields, "words", SP_TEXT | SP_LIST);
    note(&fields, "none", PLUG_NO_VALUE);
    note(&fields, "mixed", SP_TEXT);
    note(&fields, "mixed", SP_BOOL);
    note(&fields, "empty", PLUG_EMPTY_LIST);
    CU_ASSERT_EQUAL(plug_fields_seen(&fields, &seen), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(seen.count, 4);
    CU_ASSERT_STRING_EQUAL(seen.names[0], "number");
    CU_ASSERT_EQUAL(seen.types[0], SP_FLOAT64);
    CU_ASSERT_EQUAL(seen.types[2], SP_TEXT | SP_LIST);
    CU_ASSERT_EQUAL(seen.types[3], SP_TEXT);
    plug_fields_settle(&fields);
    CU_ASSERT_PTR_NULL(plug_fields_find(&fields, "hidden", 6));
    CU_ASSERT_PTR_NULL(plug_fields_find(&fields, "other", 5));
    CU_ASSERT_PTR_NULL(plug_fields_find(&fields, "numbe", 5));
    field = begin(&fields, "number", 1);
    plug_field_int64(field, 7);
    plug_field_end(field);
    CU_ASSERT_EQUAL(plug_field_begin(field, 1), 0);
    field = begin(&fields, "number", 9);
    plug_field_double(field, 0.5);
    plug_field_end(field);
    field = begin(&fields, "flag", 0);
    plug_field_bool(field, 5);
    plug_field_end(field);
    field = begin(&fields, "words", 8);
    plug_field_text(field, "a", 1);
    plug_field_text(field, "", 0);
    plug_field_end(field);
    field = begin(&fields, "mixed", 2);
    plug_field_text(field, "true", 4);
    plug_field_end(field);
    field = begin(&fields, "empty", 3);
    plug_field_end(field);
    CU_ASSERT_EQUAL(plug_fields_finish(&fields, 10, &r.columns), SIMPLUGIN_OK);
    is_same(columns_text(&r, 10),
            "number:float64 flag:bool words:list<text> none:text mixed:text empty:list<text> "
            "{\"flag\":true} {\"number\":7.0} {\"mixed\":\"true\"} {\"empty\":[]} {} {} {} {} "
            "{\"words\":[\"a\",\"\"]} {\"number\":0.5}");
    plug_fields_clear(&fields);
    rig_clear(&r);
}

/* ---- rows of JSON ------------------------------------------------------------------------- */

/* Keys that begin with an underscore hold nothing, those with a dot are longer than the name. */
static int key_name(const void *context, sp_text key, sp_text *name)
{
    (void)context;
    if (key.size && *key.data == '.') {
        name->data = key.data + 1;
        name->size = key.size - 1;
    }
    return !key.size || *key.data != '_';
}

/* Rows, one a line; the columns are the rig's. */
static int32_t rows_read(rig *r, const char *rows, uint64_t *count)
{
    sp_text texts[64];
    int is_object[64];
    plug_fields fields;
    int32_t code = SIMPLUGIN_OK;

    *count = 0;
    plug_fields_init(&fields, &r->call, &r->rules);
    for (const char *at = rows; *at; at += texts[*count].size + (at[texts[*count].size] != 0), ++*count) {
        texts[*count].data = at;
        texts[*count].size = strcspn(at, "\n");
    }
    for (uint64_t i = 0; !code && i < *count; i++)
        code = plug_fields_note_json(&fields, texts[i], key_name, &is_object[i]);
    if (!code)
        plug_fields_settle(&fields);
    for (uint64_t i = 0; !code && i < *count; i++)
        if (is_object[i])
            code = plug_fields_put_json(&fields, i, texts[i], key_name);
    if (!code)
        code = plug_fields_finish(&fields, *count, &r->columns);
    plug_fields_clear(&fields);
    return code;
}

static const struct {
    const char *rows, *columns;
} known[] = {
    {"{}", " {}"},
    {"{\"x\":1}\n{\"x\":-2}", "x:int64 {\"x\":1} {\"x\":-2}"},
    {"{\"x\":null}\n{\"x\":5}", "x:int64 {} {\"x\":5}"},
    {"{\"x\":null}", "x:text {}"},
    {"{\"x\":1}\n{\"x\":2.5}", "x:float64 {\"x\":1.0} {\"x\":2.5}"},
    {"{\"x\":18446744073709551615}\n{\"x\":1}", "x:float64 {\"x\":1.8446744073709552e+19} {\"x\":1.0}"},
    {"{\"x\":18446744073709551616,\"y\":1}", "x:float64 y:int64 {\"x\":1.8446744073709552e+19,\"y\":1}"},
    {"{\"x\":1e400,\"y\":[1e400]}", "x:text y:text {\"x\":\"1e400\",\"y\":\"[1e400]\"}"},
    {"{\"x\":true}\n{\"x\":1}", "x:text {\"x\":\"true\"} {\"x\":\"1\"}"},
    {"{\"x\":\"a\"}\n{\"x\":{\"a\" : [1, 0.1, \"\\u00e9\\n\", null]}}",
     "x:text {\"x\":\"a\"} {\"x\":\"{\\\"a\\\":[1,0.1,\\\"\xc3\xa9\\\\n\\\",null]}\"}"},
    {"{\"x\":[]}\n{\"x\":[1,2]}\n{\"x\":[0.5]}",
     "x:list<float64> {\"x\":[]} {\"x\":[1.0,2.0]} {\"x\":[0.5]}"},
    {"{\"x\":[]}", "x:list<text> {\"x\":[]}"},
    {"{\"x\":[true,false]}\n{}", "x:list<bool> {\"x\":[true,false]} {}"},
    {"{\"x\":[\"a\",\"\\u0041\"]}", "x:list<text> {\"x\":[\"a\",\"A\"]}"},
    {"{\"x\":[1,\"a\"]}\n{\"x\":[[]]}\n{\"x\":[null]}",
     "x:text {\"x\":\"[1,\\\"a\\\"]\"} {\"x\":\"[[]]\"} {\"x\":\"[null]\"}"},
    {"{\"x\":[]}\n{\"x\":1}", "x:text {\"x\":\"[]\"} {\"x\":\"1\"}"},
    {"{\"x\":[1]}\n{\"x\":1.5}", "x:text {\"x\":\"[1]\"} {\"x\":\"1.5\"}"},
    /* the same name twice: the last value, and its type alone */
    {"{\"x\":1,\"x\":2}", "x:int64 {\"x\":2}"},
    {"{\"x\":\"a\",\"x\":2}", "x:int64 {\"x\":2}"},
    {"{\"x\":[1],\"x\":[\"a\",\"b\"],\"x\":[\"c\"]}\n{\"x\":[]}", "x:list<text> {\"x\":[\"c\"]} {\"x\":[]}"},
    {"{\"x\":1}\n{\"x\":2,\"x\":null}\n{\"x\":null,\"x\":3}", "x:int64 {\"x\":1} {} {\"x\":3}"},
    {"{\"x\":{},\"x\":null}\n{\"x\":true}", "x:bool {} {\"x\":true}"},
    /* names that are none, names that stand behind something, keys with escapes */
    {"{\"_x\":1,\".y\":2,\"\\u005fz\":3,\"\\u007a\":4,\"\":5}", "y:int64 z:int64 :int64 {\"y\":2,\"z\":4,\"\":5}"},
    {"{\"hidden\":1,\"n\\u0000\":2,\"n\":3}", "n:int64 {\"n\":3}"},
    /* what is no object of JSON has nothing */
    {"[1]\n{\"x\":1}\n7\nnull\n{\"x\":2\n{\"x\":2}}\n{\"y\":\"\x80\"}\n{\"x\":2,}\n ",
     "x:int64 {} {\"x\":1} {} {} {} {} {} {} {}"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void rows_of_json(void)
{
    for (size_t i = 0; i < COUNT(known); i++) {
        uint64_t count;
        rig r;

        rig_init(&r);
        CU_ASSERT_EQUAL(rows_read(&r, known[i].rows, &count), SIMPLUGIN_OK);
        is_same(columns_text(&r, count), known[i].columns);
        rig_clear(&r);
    }
}

static void names(void)
{
    static const char *some[] = {"b", "hidden", "none"};
    static const plug_names wanted = {.count = COUNT(some), .names = some};
    uint64_t count;
    rig r;

    rig_init(&r);
    r.rules.names = &wanted;
    CU_ASSERT_EQUAL(rows_read(&r, "{\"a\":1,\"b\":2,\"hidden\":3}\n{\"bb\":1}", &count), SIMPLUGIN_OK);
    is_same(columns_text(&r, count), "b:int64 {\"b\":2} {}");
    rig_clear(&r);
}

static void declared_types(void)
{
    static const struct {
        uint32_t type;
        const char *nulls, *empties;
    } table[] = {
        {0, "declared:text {} {}", "declared:list<text> {\"declared\":[]} {}"},
        {SP_BOOL, "declared:bool {} {}", "declared:list<text> {\"declared\":[]} {}"},
        {SP_INT64 | SP_LIST, "declared:list<int64> {} {}", "declared:list<int64> {\"declared\":[]} {}"},
    };

    for (size_t i = 0; i < COUNT(table); i++) {
        uint64_t count;
        rig r;

        rig_init(&r);
        r.declared = table[i].type;
        CU_ASSERT_EQUAL(rows_read(&r, "{\"declared\":null}\n{}", &count), SIMPLUGIN_OK);
        is_same(columns_text(&r, count), table[i].nulls);
        CU_ASSERT_EQUAL(rows_read(&r, "{\"declared\":[]}\n{}", &count), SIMPLUGIN_OK);
        is_same(columns_text(&r, count), table[i].empties);
        CU_ASSERT_EQUAL(rows_read(&r, "{\"declared\":0.5}", &count), SIMPLUGIN_OK);
        is_same(columns_text(&r, count), "declared:float64 {\"declared\":0.5}");
        rig_clear(&r);
    }
}

/* More names than there are first places for, in any order. */
static void many_names(void)
{
    enum { NAMES = 5000 };
    plug_fields fields;
    char name[20];
    rig r;

    rig_init(&r);
    plug_fields_init(&fields, &r.call, &r.rules);
    for (int i = 0; i < NAMES; i++) {
        snprintf(name, sizeof name, "n%d", i);
        note(&fields, name, SP_INT64);
    }
    plug_fields_settle(&fields);
    for (int i = NAMES - 1; i >= 0; i--) {
        plug_field *field;

        snprintf(name, sizeof name, "n%d", i);
        field = begin(&fields, name, 0);
        plug_field_int64(field, i);
        plug_field_end(field);
    }
    CU_ASSERT_EQUAL(plug_fields_finish(&fields, 1, &r.columns), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(r.columns.count, NAMES);
    for (int i = 0; i < NAMES; i++)
        CU_ASSERT_EQUAL(*(const int64_t *)r.columns.columns[i].values, i);
    plug_fields_clear(&fields);
    rig_clear(&r);
}

/* Written under "fields", as the envelope wants it. */
static void writing(void)
{
    uint64_t count;
    simplugin_value body, fields, value;
    simplugin_reply reply = {.size = sizeof reply};
    rig r;

    rig_init(&r);
    CU_ASSERT_EQUAL(rows_read(&r, "{\"a\":1}\n{\"b\":[\"x\"]}", &count), SIMPLUGIN_OK);
    simplugin_write_map(&r.call.out, 1);
    plug_columns_write(&r.call, &r.columns);
    CU_ASSERT_EQUAL(simplugin_writer_reply(&r.call.out, &sp_host, &reply), SIMPLUGIN_OK);
    CU_ASSERT_PTR_NULL(simplugin_check_reply(&reply));
    body = simplugin_body_value(reply.body, reply.body_size);
    CU_ASSERT_EQUAL(simplugin_find(&body, "fields", &fields), 1);
    CU_ASSERT_EQUAL(simplugin_find(&fields, "a", &value), 1);
    CU_ASSERT_EQUAL(simplugin_find(&fields, "b", &value), 1);
    simplugin_reply_clear(&reply);
    rig_clear(&r);
}

/* ---- types that are remembered ------------------------------------------------------------ */

typedef struct memory {
    rig r;
    plug_instance instance;
    plug_known *known;
    plug_known_of of;
    int samples;
    int32_t sample_code;
} memory;

static int32_t sample(void *context, plug_seen *seen)
{
    static const char *sample_names[] = {"seen", "schema"};
    static uint32_t types[] = {SP_INT64, SP_TEXT};
    memory *m = context;

    m->samples++;
    seen->count = 2;
    seen->names = sample_names;
    seen->types = types;
    return m->sample_code;
}

static uint32_t memory_declared(const void *context, const char *name)
{
    (void)context;
    return strcmp(name, "declared") == 0 ? SP_BOOL : 0;
}

static int is_schema(const void *context, const char *name)
{
    (void)context;
    return strcmp(name, "schema") == 0;
}

static void memory_init(memory *m)
{
    memset(m, 0, sizeof *m);
    rig_init(&m->r);
    CU_ASSERT_EQUAL(plug_instance_init(&m->instance), 0);
    m->of.call = &m->r.call;
    m->of.instance = &m->instance;
    m->of.known = &m->known;
    m->of.collection = "books";
    m->of.collection_id = 1;
    m->of.context = m;
    m->of.sample = sample;
    m->of.declared = memory_declared;
    m->of.is_schema = is_schema;
}

static void memory_clear(memory *m)
{
    plug_known_forget(&m->instance, &m->known, NULL);
    CU_ASSERT_PTR_NULL(m->known);
    plug_instance_clear(&m->instance);
    rig_clear(&m->r);
}

/* One column of one row; the answer to check. */
static int32_t check(memory *m, const char *name, uint32_t type, int is_valid)
{
    const uint8_t valid = (uint8_t)is_valid;
    sp_column column = {.type = type, .count = 1, .valid = &valid};
    const plug_columns fields = {.count = 1, .names = &name, .columns = &column};
    int32_t code = plug_known_check(&m->of, &fields, NULL, 1);

    simplugin_error_free(&m->r.error);
    return code;
}

static void add(memory *m, const char *name, uint32_t type, int is_valid)
{
    const uint8_t valid = (uint8_t)is_valid;
    sp_column column = {.type = type, .count = 1, .valid = &valid};
    const plug_columns fields = {.count = 1, .names = &name, .columns = &column};

    plug_known_add(&m->of, &fields, NULL, 1);
}

static void types_remembered(void)
{
    plug_seen seen;
    memory m;

    memory_init(&m);
    CU_ASSERT_EQUAL(check(&m, "new", SP_TEXT, 1), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(m.samples, 1);
    CU_ASSERT_EQUAL(check(&m, "seen", SP_INT64, 1), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(check(&m, "seen", SP_TEXT, 1), SIMPLUGIN_INVALID_ARGUMENT);
    CU_ASSERT_EQUAL(check(&m, "seen", SP_TEXT, 0), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(check(&m, "schema", SP_BOOL, 1), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(check(&m, "declared", SP_TEXT, 1), SIMPLUGIN_INVALID_ARGUMENT);
    CU_ASSERT_EQUAL(check(&m, "declared", SP_BOOL, 1), SIMPLUGIN_OK);
    add(&m, "new", SP_TEXT, 0);
    CU_ASSERT_EQUAL(check(&m, "new", SP_INT64, 1), SIMPLUGIN_OK);
    add(&m, "new", SP_TEXT, 1);
    add(&m, "new", SP_INT64, 1);
    CU_ASSERT_EQUAL(check(&m, "new", SP_INT64, 1), SIMPLUGIN_INVALID_ARGUMENT);
    for (int i = 0; i < 100; i++) {
        char name[20];

        snprintf(name, sizeof name, "n%d", i);
        add(&m, name, SP_BOOL, 1);
    }
    CU_ASSERT_EQUAL(plug_known_list(&m.of, &seen), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(seen.count, 102);
    CU_ASSERT_STRING_EQUAL(seen.names[0], "seen");
    CU_ASSERT_STRING_EQUAL(seen.names[101], "n99");
    /* once, and again before each of two refusals */
    CU_ASSERT_EQUAL(m.samples, 3);
    /* made anew under the same name, another one, gone */
    m.of.collection_id = 2;
    CU_ASSERT_EQUAL(plug_known_list(&m.of, &seen), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(seen.count, 1);
    CU_ASSERT_EQUAL(m.samples, 4);
    m.of.collection = "films";
    CU_ASSERT_EQUAL(plug_known_list(&m.of, &seen), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(m.samples, 5);
    plug_known_forget(&m.instance, &m.known, "books");
    CU_ASSERT_EQUAL(plug_known_learn(&m.of), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(m.samples, 5);
    plug_known_forget(&m.instance, &m.known, "films");
    CU_ASSERT_PTR_NULL(m.known);
    /* what fails is asked again; without rows to ask for there is nothing to know */
    m.sample_code = SIMPLUGIN_UNAVAILABLE;
    CU_ASSERT_EQUAL(plug_known_learn(&m.of), SIMPLUGIN_UNAVAILABLE);
    m.sample_code = SIMPLUGIN_OK;
    CU_ASSERT_EQUAL(plug_known_learn(&m.of), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(m.samples, 7);
    m.of.collection_id = 3;
    m.of.sample = NULL;
    CU_ASSERT_EQUAL(plug_known_list(&m.of, &seen), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(seen.count, 0);
    memory_clear(&m);
}

/* ---- failures ----------------------------------------------------------------------------- */

static const char rows_with_everything[] =
    "{\"a\":1,\"b\":[\"x\\n\",\"y\"],\"c\\u0041\":true,\"d\":{\"e\":[\"f\\t\"]},\"g\":1,\"h\":1,\"i\":1}\n"
    "{\"a\":0.5,\"j\":\"long enough to need more memory, and with an escape\\n\",\"k\":1,\"l\":[1]}";

static void rows_without_memory(void)
{
    for (long allocations = 0;; allocations++) {
        uint64_t count;
        int32_t code;
        rig r;

        rig_init(&r);
        unit_allocations = allocations;
        code = rows_read(&r, rows_with_everything, &count);
        unit_allocations = -1;
        CU_ASSERT_TRUE(code == SIMPLUGIN_OK || code == SIMPLUGIN_OUT_OF_MEMORY);
        CU_ASSERT_EQUAL(code, r.error ? simplugin_error_code(r.error) : SIMPLUGIN_OK);
        if (!code)
            is_same(columns_text(&r, count),
                    "a:float64 b:list<text> cA:bool d:text g:int64 h:int64 i:int64 j:text k:int64 "
                    "l:list<int64> {\"a\":1.0,\"b\":[\"x\\n\",\"y\"],\"cA\":true,"
                    "\"d\":\"{\\\"e\\\":[\\\"f\\\\t\\\"]}\",\"g\":1,\"h\":1,\"i\":1} "
                    "{\"a\":0.5,\"j\":\"long enough to need more memory, and with an escape\\n\","
                    "\"k\":1,\"l\":[1]}");
        rig_clear(&r);
        if (!code) {
            CU_ASSERT_TRUE(allocations > 20);
            break;
        }
    }
}

static void types_without_memory(void)
{
    long allocations = 0;
    int is_done = 0;

    for (; !is_done && allocations < 1000; allocations++) {
        plug_seen seen;
        int32_t code;
        memory m;

        memory_init(&m);
        unit_allocations = allocations;
        code = plug_known_list(&m.of, &seen);
        is_done = unit_allocations >= 0;
        unit_allocations = -1;
        CU_ASSERT_TRUE(code == SIMPLUGIN_OK || code == SIMPLUGIN_OUT_OF_MEMORY);
        memory_clear(&m);
    }
    CU_ASSERT_TRUE(allocations > 4);
}

static const unit_case cases[] = {
    UNIT_CASE(by_hand, "values that are put one by one"),
    UNIT_CASE(rows_of_json, "rows of JSON"),
    UNIT_CASE(names, "the names that are wanted"),
    UNIT_CASE(declared_types, "declared types, where values tell none"),
    UNIT_CASE(many_names, "many names"),
    UNIT_CASE(writing, "columns in a reply"),
    UNIT_CASE(types_remembered, "the types of fields that no schema names"),
    UNIT_CASE(rows_without_memory, "rows become columns, or there is no memory"),
    UNIT_CASE(types_without_memory, "types are remembered, or there is no memory"),
};

UNIT_MAIN("plug_fields", cases)
