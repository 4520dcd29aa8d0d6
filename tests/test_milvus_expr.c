/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Milvus' expressions: exactly what a filter becomes, and that no text gets out of its
 * quotes. What the plugin would ask a server, for the types of fields that no schema
 * names, is answered here: the linker puts milvus_query_run below in its place.
 */
#include "config.h"

#include "expr.h"
#include "known.h"
#include "milvus_reply.h"
#include "query.h"
#include "walk.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- the server's rows --------------------------------------------------------------------------- */

static const char *rows_text = ""; /* JSON objects between blanks */
static int asked;
static int32_t answer; /* of the server */
static milvus_told told;

int32_t __wrap_milvus_query_run(milvus_call *call, const milvus_query *query, milvus_rpc *rpc,
                                milvus_page *page);
int32_t __wrap_milvus_query_run(milvus_call *call, const milvus_query *query, milvus_rpc *rpc,
                                milvus_page *page)
{
    asked++;
    memset(page, 0, sizeof *page);
    milvus_rpc_init(rpc, "Query");
    CU_ASSERT_TRUE(query->fields && query->limit && !*query->expr);
    if (answer)
        return plug_fail(&call->base, answer, "the test's server");
    reply_free(&told);
    reply_json(&told, rows_text);
    reply_query(&told);
    return milvus_page_read(call, told.data, told.size, 2, page);
}

static void expr_init(milvus_rig *rig, const char *rows)
{
    rig_init(rig);
    told.rig = rig;
    rows_text = rows;
    asked = 0;
    answer = 0;
}

static void expr_clear(milvus_rig *rig)
{
    milvus_known_forget(&rig->instance, NULL);
    reply_free(&told);
    rig_clear(rig);
}

/* ---- filters ---------------------------------------------------------------------------------------- */

/* The filter of a text as the request's. */
static void filter_ask(milvus_rig *rig, const char *text, size_t size)
{
    sp_filter *filter = NULL;
    sp_filter_error wrong;

    if (sp_filter_parse(text, size, &filter, &wrong)) {
        printf("\n    the test's filter: %s: %s", text, wrong.message);
        abort();
    }
    rig_key(rig, "filter");
    sp_filter_encode(filter, &rig->body);
    sp_filter_free(filter);
    rig_ask(rig);
}

static void filter_is(milvus_rig *rig, const char *text, const char *expected)
{
    const char *expr = NULL;
    int32_t code;

    filter_ask(rig, text, strlen(text));
    code = milvus_expr_filter(&rig->call, &expr);
    rig_refused(rig, code, SIMPLUGIN_OK, NULL, text);
    if (!code)
        rig_same(expr, expected, text);
    rig_reset(rig);
}

typedef struct filter_case {
    const char *text;
    const char *expr;
} filter_case;

#define SCHEMA "pk:VARCHAR vector:FLOAT_VECTOR:2 i:INT64 d:DOUBLE b:BOOL s:VARCHAR n:INT64? " \
               "t:VARCHAR? l:ARRAY:INT64 j:JSON"

static const filter_case schema_filters[] = {
    /* of the schema: its types are used, and a field that is not nullable is never missing */
    {"true", ""},
    {"false", "pk in []"},
    {"i == 1", "(i == 1)"},
    {"i != 1", "((not (i == 1)))"},
    {"i < -7", "(i < -7)"},
    {"i <= 7", "(i <= 7)"},
    {"not i > 7", "((not (i > 7)))"},
    {"i >= 0", "(i >= 0)"},
    {"7 <= i < 9", "((i >= 7) and (i < 9))"},
    {"s == \"a\"", "(s == \"a\")"},
    {"b == true", "(b == true)"},
    {"b != false", "((not (b == false)))"},
    {"exists i", "(pk >= \"\")"},
    {"not exists i", "((not (pk >= \"\")))"},
    {"exists n", "(n is not null)"},
    {"not exists n", "((not (n is not null)))"},
    {"n == 1", "(n == 1)"},
    {"n != 1", "((not (n is not null)) or (not (n == 1)))"},
    {"not n < 1", "((not (n is not null)) or (not (n < 1)))"},
    /* another type than the field's: nothing, or everything */
    {"i == \"1\"", "pk in []"},
    {"i != \"1\"", ""},
    {"s == 1", "pk in []"},
    {"b == 1", "pk in []"},
    {"l == 1", "pk in []"},
    {"i == 1 and s == 2", "pk in []"},
    {"i == 1 or s == 2", "(i == 1)"},
    {"not (i == 1 and s == 2)", ""},
    /* inner fields, and those that cannot be compared, are missing */
    {"pk == \"a\"", "pk in []"},
    {"pk != \"a\"", ""},
    {"exists vector", "pk in []"},
    {"j == \"a\"", "pk in []"},
    {"exists j", "pk in []"},
    {"__zero == true", "pk in []"},
    {"__zero != true", ""},
    /* integers beside floats */
    {"i == 2.0", "(i == 2)"},
    {"i == 2.5", "(pk in [])"},
    {"i != 2.5", "((not (pk in [])))"},
    {"i < 2.5", "(i < 3)"},
    {"i <= 2.5", "(i <= 2)"},
    {"i > 2.5", "(i > 2)"},
    {"i >= 2.5", "(i >= 3)"},
    {"i < 2.0", "(i < 2)"},
    {"i < -2.5", "(i < -2)"},
    {"i > -2.5", "(i > -3)"},
    {"i < 1e300", "(pk >= \"\")"},
    {"i > 1e300", "(pk in [])"},
    {"i == 1e300", "(pk in [])"},
    {"n < 1e300", "(n is not null)"},
    {"i > -1e300", "(pk >= \"\")"},
    {"i <= -1e300", "(pk in [])"},
    {"i == 9223372036854775808.0", "(pk in [])"},
    {"i <= 9223372036854775808.0", "(pk >= \"\")"},
    {"i == 9223372036854774784.0", "(i == 9223372036854774784)"},
    {"d == 3", "(d == 3.00000000000000000e+00)"},
    {"d < 0.1", "(d < 1.00000000000000006e-01)"},
    {"d == -0.0", "(d == -0.00000000000000000e+00)"},
    {"d == 5e-324", "(d == 4.94065645841246544e-324)"},
    {"d == 9007199254740993", "(pk in [])"},
    {"d < 9007199254740993", "(d <= 9.00719925474099200e+15)"},
    {"d <= 9007199254740993", "(d <= 9.00719925474099200e+15)"},
    {"d > 9007199254740993", "(d > 9.00719925474099200e+15)"},
    {"d >= 9007199254740995", "(d >= 9.00719925474099600e+15)"},
    {"d < 9007199254740995", "(d < 9.00719925474099600e+15)"},
    {"d < 9223372036854775807", "(d < 9.22337203685477581e+18)"},
    {"d > 9223372036854775807", "(d >= 9.22337203685477581e+18)"},
    {"d >= -9223372036854775808", "(d >= -9.22337203685477581e+18)"},
    /* the smallest integer, which is none in Milvus' language */
    {"i == -9223372036854775808", "(i < -9223372036854775807)"},
    {"i != -9223372036854775808", "((not (i < -9223372036854775807)))"},
    {"i < -9223372036854775808", "(pk in [])"},
    {"i <= -9223372036854775808", "(i < -9223372036854775807)"},
    {"i > -9223372036854775808", "(i >= -9223372036854775807)"},
    {"i >= -9223372036854775808", "(pk >= \"\")"},
    {"n >= -9223372036854775808", "(n is not null)"},
    {"i == -9223372036854775808.0", "(i < -9223372036854775807)"},
    {"i < -9223372036854775808.0", "(pk in [])"},
    {"i == -9223372036854775807", "(i == -9223372036854775807)"},
    {"i == 9223372036854775807", "(i == 9223372036854775807)"},
    /* sets */
    {"i in [1, 2, 3]", "((i in [1,2,3]))"},
    {"i not in [1, 2]", "((not ((i in [1,2]))))"},
    {"n not in [1]", "((not (n is not null)) or (not ((n in [1]))))"},
    {"i in [1, 2.0, 2.5, -9223372036854775808, 0]",
     "((i in [1] or i == 2 or pk in [] or i < -9223372036854775807 or i == 0))"},
    {"d in [1, 2.5, 0, 9007199254740993]",
     "((d in [1] or d in [2.50000000000000000e+00] or d == 0.00000000000000000e+00 or pk in []))"},
    {"s in [\"a\", \"b\\\"c\"]", "((s in [\"a\",\"b\\\"c\"]))"},
    {"b in [true, false]", "((b in [true,false]))"},
    {"i in []", "pk in []"},
    /* prefixes */
    {"s like \"a%\"", "((s >= \"a\" and s < \"b\"))"},
    {"s not like \"a%\"", "((not ((s >= \"a\" and s < \"b\"))))"},
    {"t not like \"a%\"", "((not (t is not null)) or (not ((t >= \"a\" and t < \"b\"))))"},
    {"s like \"%\"", "((s >= \"\"))"},
    {"s like \"50\\%%\"", "((s >= \"50%\" and s < \"50&\"))"},
    {"s like \"a\\\\\\\\%\"", "((s >= \"a\\\\\" and s < \"a]\"))"},
    {"s like \"a\\_%\"", "((s >= \"a_\" and s < \"a`\"))"},
    {"s like \"!%\"", "((s >= \"!\" and s < \"\\\"\"))"},
    {"s like \"\t%\"", "((s >= \"\\t\" and s < \"\\n\"))"},
    {"s like \"\x7f%\"", "((s >= \"\x7f\" and s < \"\xc2\x80\"))"},
    {"s like \"\xc3\xa9%\"", "((s >= \"\xc3\xa9\" and s < \"\xc3\xaa\"))"},
    {"s like \"\xdf\xbf%\"", "((s >= \"\xdf\xbf\" and s < \"\xe0\xa0\x80\"))"},
    {"s like \"\xed\x9f\xbf%\"", "((s >= \"\xed\x9f\xbf\" and s < \"\xee\x80\x80\"))"},
    {"s like \"\xef\xbf\xbf%\"", "((s >= \"\xef\xbf\xbf\" and s < \"\xf0\x90\x80\x80\"))"},
    {"s like \"a\xf4\x8f\xbf\xbf%\"", "((s >= \"a\xf4\x8f\xbf\xbf\" and s < \"b\"))"},
    {"s like \"\xf4\x8f\xbf\xbf%\"", "((s >= \"\xf4\x8f\xbf\xbf\"))"},
    /* groups */
    {"i == 1 and (s == \"a\" or b == true) and d > 0.5",
     "((i == 1) and ((s == \"a\") or (b == true)) and (d > 5.00000000000000000e-01))"},
    {"not (i == 1 or s == \"a\")", "(((not (i == 1))) and ((not (s == \"a\"))))"},
};

static void schema_types(void)
{
    milvus_rig rig;

    expr_init(&rig, "");
    rig_schema(&rig, SCHEMA);
    rig.schema.has_dynamic = 0;
    for (size_t i = 0; i < COUNT(schema_filters); i++)
        filter_is(&rig, schema_filters[i].text, schema_filters[i].expr);
    /* nothing else can be stored */
    filter_is(&rig, "x == 1", "pk in []");
    filter_is(&rig, "x != 1", "");
    CU_ASSERT_EQUAL(asked, 0);
    expr_clear(&rig);
}

static void int_keys(void)
{
    milvus_rig rig;

    expr_init(&rig, "");
    rig_schema(&rig, "id:INT64 vector:FLOAT_VECTOR:2 i:INT64");
    rig.schema.has_dynamic = 0;
    filter_is(&rig, "false", "id in []");
    filter_is(&rig, "exists i", "(id <= 9223372036854775807)");
    filter_is(&rig, "i == 2.5", "(id in [])");
    expr_clear(&rig);
}

/* Fields that the schema does not name: those of the rows, those declared, and others. */
static void dynamic_types(void)
{
    static const filter_case filters[] = {
        /* seen in rows */
        {"seen_int == 1", "(seen_int == 1)"},
        {"seen_int != 1", "((not (exists seen_int)) or (not (seen_int == 1)))"},
        {"seen_int == 2.5", "(pk in [])"},
        {"seen_int == \"a\"", "pk in []"},
        {"seen_int < 1e300", "(exists seen_int)"},
        {"seen_float == 1", "(seen_float == 1.00000000000000000e+00)"},
        {"seen_float == 9007199254740993", "(pk in [])"},
        {"seen_text == 1", "pk in []"},
        {"seen_text like \"a%\"", "((seen_text >= \"a\" and seen_text < \"b\"))"},
        {"seen_list == 1", "pk in []"},
        {"exists seen_list", "(exists seen_list)"},
        /* declared */
        {"said_int == 2.0", "(said_int == 2)"},
        {"said_text == 1", "pk in []"},
        {"said_bool == true", "(said_bool == true)"},
        {"said_float == 2", "(said_float == 2.00000000000000000e+00)"},
        /* what is declared counts, not what is seen */
        {"both == \"a\"", "pk in []"},
        {"both == 1", "(both == 1)"},
        /* of unknown type */
        {"x == 1", "(x == 1)"},
        {"x == 1.5", "(x == 1.50000000000000000e+00)"},
        {"x == \"a\"", "(x == \"a\")"},
        {"x == true", "(x == true)"},
        {"exists x", "(exists x)"},
        {"not exists x", "((not (exists x)))"},
        {"x == -9223372036854775808",
         "((x < -9223372036854775807 and x >= -9.22337203685477581e+18))"},
        {"x < -9223372036854775808", "(x < -9.22337203685477581e+18)"},
        {"x in [1, 1.5, 0]", "((x in [1] or x in [1.50000000000000000e+00] or x == 0))"},
        /* names that do not stand as they are */
        {"`odd name` == 1", "($meta[\"odd name\"] == 1)"},
        {"meta.page == 1", "($meta[\"meta.page\"] == 1)"},
        {"`gr\xc3\xb6\xc3\x9f" "e` == 1", "($meta[\"gr\xc3\xb6\xc3\x9f" "e\"] == 1)"},
        {"`1x` == 1", "($meta[\"1x\"] == 1)"},
        {"`in` == 1", "($meta[\"in\"] == 1)"},
        {"`Like` == 1", "($meta[\"Like\"] == 1)"},
        {"`is` == 1", "($meta[\"is\"] == 1)"},
        {"`null` == 1", "($meta[\"null\"] == 1)"},
        {"exists `TRUE`", "(exists $meta[\"TRUE\"])"},
        {"json_contains == 1", "($meta[\"json_contains\"] == 1)"},
        {"Array_length == 1", "($meta[\"Array_length\"] == 1)"},
        {"json == 1", "(json == 1)"},
        {"array == 1", "(array == 1)"},
        {"`$meta` == 1", "($meta[\"$$meta\"] == 1)"},
        {"`$$meta` == 1", "($meta[\"$$$meta\"] == 1)"},
        {"meta == 1", "(meta == 1)"},
        {"`$x` == 1", "($meta[\"$x\"] == 1)"},
        /* no lists behind a path: Milvus Lite takes none */
        {"`odd name` in [1, 2]", "(($meta[\"odd name\"] == 1 or $meta[\"odd name\"] == 2))"},
        {"`odd name` != 1",
         "((not (exists $meta[\"odd name\"])) or (not ($meta[\"odd name\"] == 1)))"},
        {"__zero == true", "pk in []"},
    };
    milvus_rig rig;

    expr_init(&rig, "{\"seen_int\":1,\"seen_float\":1.5} {\"seen_text\":\"a\",\"seen_list\":[1]} "
                    "{\"both\":\"b\",\"__zero\":true}");
    rig_declare(&rig, "said_int", SP_INT64);
    rig_declare(&rig, "said_text", SP_TEXT);
    rig_declare(&rig, "said_bool", SP_BOOL);
    rig_declare(&rig, "said_float", SP_FLOAT64);
    rig_declare(&rig, "both", SP_INT64);
    for (size_t i = 0; i < COUNT(filters); i++)
        filter_is(&rig, filters[i].text, filters[i].expr);
    CU_ASSERT_EQUAL(asked, 1); /* once for the collection */
    expr_clear(&rig);
}

/* What was written is known without asking again; what is forgotten is asked for. */
static void known_types(void)
{
    const char *names[] = {"page", "title", "none"};
    sp_column columns[3];
    plug_columns fields = {3, names, columns};
    milvus_rig rig;
    int32_t code;

    expr_init(&rig, "{\"page\":1}");
    columns[0] = rig_column(&rig, SP_TEXT, "a b");
    columns[1] = rig_column(&rig, SP_TEXT, "a b");
    columns[2] = rig_column(&rig, SP_TEXT, "- -");
    code = milvus_known_check(&rig.call, &fields, NULL, 2);
    rig_refused(&rig, code, SIMPLUGIN_INVALID_ARGUMENT,
                "\"page\" is int64 in the collection, not text", "another type");
    /* which was looked up again, as others may have made the collection anew */
    CU_ASSERT_EQUAL(asked, 2);
    columns[0] = rig_column(&rig, SP_INT64, "1 2");
    CU_ASSERT_EQUAL(milvus_known_check(&rig.call, &fields, NULL, 2), SIMPLUGIN_OK);
    filter_is(&rig, "title == 1", "(title == 1)");
    milvus_known_add(&rig.call, &fields, NULL, 2);
    filter_is(&rig, "title == 1", "pk in []");
    filter_is(&rig, "none == 1", "(none == 1)");
    CU_ASSERT_EQUAL(asked, 2);
    /* another collection of the same name */
    rig.schema.collection_id = 7;
    filter_is(&rig, "title == 1", "(title == 1)");
    CU_ASSERT_EQUAL(asked, 3);
    milvus_known_forget(&rig.instance, "other");
    filter_is(&rig, "title == 1", "(title == 1)");
    CU_ASSERT_EQUAL(asked, 3);
    milvus_known_forget(&rig.instance, "books");
    answer = SIMPLUGIN_UNAVAILABLE;
    filter_ask(&rig, "title == 1", strlen("title == 1"));
    {
        const char *expr;

        code = milvus_expr_filter(&rig.call, &expr);
        rig_refused(&rig, code, SIMPLUGIN_UNAVAILABLE, "the test's server", "no answer");
    }
    expr_clear(&rig);
}

/* A collection that somebody else made anew, under the same name. */
static void known_types_of_others(void)
{
    const char *names[] = {"page"};
    sp_column columns[1];
    plug_columns fields = {1, names, columns};
    milvus_rig rig;

    expr_init(&rig, "{\"page\":1}");
    columns[0] = rig_column(&rig, SP_INT64, "1 2");
    CU_ASSERT_EQUAL(milvus_known_check(&rig.call, &fields, NULL, 2), SIMPLUGIN_OK);
    rows_text = "{\"page\":\"a\"}";
    columns[0] = rig_column(&rig, SP_TEXT, "a b");
    CU_ASSERT_EQUAL(milvus_known_check(&rig.call, &fields, NULL, 2), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(milvus_known_check(&rig.call, &fields, NULL, 2), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(asked, 2);
    /* and one without anything */
    rows_text = "";
    columns[0] = rig_column(&rig, SP_INT64, "1 2");
    CU_ASSERT_EQUAL(milvus_known_check(&rig.call, &fields, NULL, 2), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(asked, 3);
    expr_clear(&rig);
}

static void no_filter(void)
{
    const char *expr = NULL;
    milvus_rig rig;

    expr_init(&rig, "");
    rig_ask(&rig);
    CU_ASSERT_EQUAL(milvus_expr_filter(&rig.call, &expr), SIMPLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(expr, "");
    rig_reset(&rig);
    rig_key(&rig, "filter");
    simplugin_write_string(&rig.body, "i == 1");
    rig_ask(&rig);
    rig_refused(&rig, milvus_expr_filter(&rig.call, &expr), SIMPLUGIN_INVALID_ARGUMENT, "filter",
                "a text");
    expr_clear(&rig);
}

/* What describe does not name the core never sends; a program can, and must not be misread. */
static void not_evaluated(void)
{
    static const char *const filters[] = {
        "s like \"%a\"",
        "s like \"a%b\"",
        "s like \"a_%\"",
        "s like \"_\"",
        "s like \"a\"",
        "s like \"\"",
        "not s like \"%a%\"",
        "array_contains(l, 1)",
        "array_contains_any(l, [1, 2])",
        "array_contains_all(l, [1, 2])",
        "array_contains_all(l, [])",
        "not array_contains(x, \"a\")",
        "i == 1 or (s == \"a\" and x like \"%.txt\")",
    };
    milvus_rig rig;

    expr_init(&rig, "{}");
    rig_schema(&rig, SCHEMA);
    for (size_t i = 0; i < COUNT(filters); i++) {
        const char *expr = NULL;

        filter_ask(&rig, filters[i], strlen(filters[i]));
        rig_refused(&rig, milvus_expr_filter(&rig.call, &expr), SIMPLUGIN_UNIMPLEMENTED, "filter",
                    filters[i]);
        rig_reset(&rig);
    }
    expr_clear(&rig);
}

/* An expression is a C string on its way: it would end at U+0000. */
static void zero_bytes(void)
{
    static const char *const filters[] = {
        "s == \"a\\u0000\"",
        "s != \"\\u0000 or true\"",
        "s in [\"b\", \"\\u0000\"]",
        "s like \"\\u0000%\"",
        "x == \"\\u0000\"",
    };
    milvus_rig rig;

    expr_init(&rig, "{}");
    rig_schema(&rig, SCHEMA);
    for (size_t i = 0; i < COUNT(filters); i++) {
        const char *expr = NULL;

        filter_ask(&rig, filters[i], strlen(filters[i]));
        rig_refused(&rig, milvus_expr_filter(&rig.call, &expr), SIMPLUGIN_INVALID_ARGUMENT,
                    "U+0000", filters[i]);
        rig_reset(&rig);
    }
    /* a name with one is nobody's */
    filter_is(&rig, "`a\\u0000` == 1", "pk in []");
    expr_clear(&rig);
}

static void filters_in_locale(void)
{
    unit_in_locale("de_DE", ",", schema_types);
    unit_in_locale("ps_AF", "\xd9\xab", schema_types);
}

/* ---- texts ------------------------------------------------------------------------------------- */

/* Reads a literal back as Milvus' servers do; 0 if it does not end where it should. */
static int literal_read(const char *at, size_t size, sp_buffer *text)
{
    const char *end = at + size;

    if (size < 2 || *at++ != '"' || *--end != '"')
        return 0;
    while (at < end) {
        char c = *at++;

        if (c == '"' || c == '\n' || c == '\r')
            return 0;
        if (c == '\\') {
            if (at == end)
                return 0;
            c = *at++;
            if (c != '\\' && c != '"' && c != 'n' && c != 'r' && c != 't')
                return 0;
            c = c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c;
        }
        sp_buffer_append(text, &c, 1);
    }
    return 1;
}

static void text_survives(const char *data, size_t size)
{
    sp_text text = {data, size};
    sp_buffer out, again;

    sp_buffer_init(&out);
    sp_buffer_init(&again);
    milvus_expr_text(&out, text);
    rig_check(literal_read((const char *)out.data, out.size, &again), "gets out of its quotes",
              data);
    rig_check(again.size == size && (!size || memcmp(again.data, data, size) == 0),
              "is another text", data);
    sp_buffer_clear(&out);
    sp_buffer_clear(&again);
}

static void texts(void)
{
    static const char *const hostile[] = {
        "",
        "\"",
        "\\",
        "\\\"",
        "\\\\\"",
        "a\"] or pk != \"",
        "a\\\"] or pk != \\\"",
        "\" or \"\" == \"",
        "a\nb\rc\td",
        "\n",
        "'",
        "a' or '1'=='1",
        "%_",
        "\x01\x02\x1f\x7f",
        "\xc2\x80\xc2\x9f\xe2\x80\xa8\xe2\x80\xa9",
        "\xf0\x9f\x98\x80",
        "\xff\xfe",
        "ends with \\",
        "${x} {{x}} %s %n",
    };
    char pair[3] = "";

    for (size_t i = 0; i < COUNT(hostile); i++)
        text_survives(hostile[i], strlen(hostile[i]));
    for (int a = 1; a < 256; a++)
        for (int b = 1; b < 128; b++) {
            pair[0] = (char)a;
            pair[1] = (char)b;
            text_survives(pair, 2);
        }
}

static void exact_texts(void)
{
    static const struct {
        const char *text, *literal;
    } table[] = {
        {"", "\"\""},
        {"plain", "\"plain\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"\n\r\t", "\"\\n\\r\\t\""},
        {"\x01\x0b\x1f\x7f", "\"\x01\x0b\x1f\x7f\""},
        {"gr\xc3\xb6\xc3\x9f" "e \xf0\x9f\x98\x80", "\"gr\xc3\xb6\xc3\x9f" "e \xf0\x9f\x98\x80\""},
        {"'%_", "\"'%_\""},
    };

    for (size_t i = 0; i < COUNT(table); i++) {
        sp_text text = {table[i].text, strlen(table[i].text)};
        sp_buffer out;

        sp_buffer_init(&out);
        milvus_expr_text(&out, text);
        sp_buffer_append(&out, "", 1);
        rig_same((const char *)out.data, table[i].literal, table[i].text);
        sp_buffer_clear(&out);
    }
}

/* In values and in names of a filter. */
static void hostile_filters(void)
{
    static const filter_case filters[] = {
        {"x == \"\\\" or pk != \\\"\"", "(x == \"\\\" or pk != \\\"\")"},
        {"x == \"a\\\\\"", "(x == \"a\\\\\")"},
        {"x == \"a\\nb\\rc\\td\"", "(x == \"a\\nb\\rc\\td\")"},
        {"x == 'it\\'s'", "(x == \"it's\")"},
        {"x == \"\\b\\f\"", "(x == \"\b\f\")"},
        {"x == \"\\ud83d\\ude00\"", "(x == \"\xf0\x9f\x98\x80\")"},
        {"x in [\"\\\"]\", \"\\\\\"]", "((x in [\"\\\"]\",\"\\\\\"]))"},
        {"x like \"\\\"%\"", "((x >= \"\\\"\" and x < \"#\"))"},
        {"x like \"[%\"", "((x >= \"[\" and x < \"\\\\\"))"},
        {"`a\"b` == 1", "($meta[\"a\\\"b\"] == 1)"},
        {"`a\\\\b` == 1", "($meta[\"a\\\\b\"] == 1)"},
        {"`\"] == 1 or pk != \"` == 1", "($meta[\"\\\"] == 1 or pk != \\\"\"] == 1)"},
        {"`x or true` == 1", "($meta[\"x or true\"] == 1)"},
        {"`a\\nb` == 1", "($meta[\"a\\nb\"] == 1)"},
        {"`a\\tb` == 1", "($meta[\"a\\tb\"] == 1)"},
        {"`a\\`b` == 1", "($meta[\"a`b\"] == 1)"},
    };
    milvus_rig rig;

    expr_init(&rig, "{}");
    for (size_t i = 0; i < COUNT(filters); i++)
        filter_is(&rig, filters[i].text, filters[i].expr);
    expr_clear(&rig);
}

/* ---- keys -------------------------------------------------------------------------------------- */

static void keys(void)
{
    static const struct {
        const char *id, *text, *number; /* number NULL: no int key */
    } table[] = {
        {"a", "\"a\"", NULL},
        {"7", "\"7\"", "7"},
        {"-7", "\"-7\"", "-7"},
        {"0", "\"0\"", "0"},
        {"9223372036854775807", "\"9223372036854775807\"", "9223372036854775807"},
        {"-9223372036854775807", "\"-9223372036854775807\"", "-9223372036854775807"},
        {"-9223372036854775808", "\"-9223372036854775808\"", "-9223372036854775807 - 1"},
        {"9223372036854775808", "\"9223372036854775808\"", NULL},
        {"1\"", "\"1\\\"\"", NULL},
        {"1]", "\"1]\"", NULL},
        {"1 or 1 == 1", "\"1 or 1 == 1\"", NULL},
        {"\t7", "\"\\t7\"", NULL},
        {"07", "\"07\"", NULL},
        {"-0", "\"-0\"", NULL},
    };
    milvus_rig rig;

    expr_init(&rig, "");
    for (size_t i = 0; i < COUNT(table); i++)
        for (int is_int = 0; is_int < 2; is_int++) {
            sp_text id = {table[i].id, strlen(table[i].id)};
            const char *expected = is_int ? table[i].number : table[i].text;
            sp_buffer out;

            rig_schema(&rig, is_int ? "id:INT64 vector:FLOAT_VECTOR:2"
                                    : "pk:VARCHAR vector:FLOAT_VECTOR:2");
            rig_check(milvus_key_fits(&rig.schema, id) == (expected != NULL), "fits", table[i].id);
            if (!expected)
                continue;
            sp_buffer_init(&out);
            milvus_expr_key(&rig.call, &out, id);
            sp_buffer_append(&out, "", 1);
            rig_same((const char *)out.data, expected, table[i].id);
            sp_buffer_clear(&out);
        }
    expr_clear(&rig);
}

/* Milvus Lite reads the smallest integer, and computes nothing in lists. */
static void smallest_key(void)
{
    sp_text id = {"-9223372036854775808", 20};
    milvus_rig rig;
    sp_buffer out;

    expr_init(&rig, "");
    rig_schema(&rig, "id:INT64 vector:FLOAT_VECTOR:2");
    rig.instance.is_lite = 1;
    sp_buffer_init(&out);
    milvus_expr_key(&rig.call, &out, id);
    sp_buffer_append(&out, "", 1);
    rig_same((const char *)out.data, "-9223372036854775808", "the smallest key");
    sp_buffer_clear(&out);
    expr_clear(&rig);
}

static void pages(void)
{
    static const struct {
        const char *fields, *filter, *after, *expr;
    } table[] = {
        {"pk:VARCHAR vector:FLOAT_VECTOR:2", "", NULL, ""},
        {"pk:VARCHAR vector:FLOAT_VECTOR:2", "(i == 1)", NULL, "(i == 1)"},
        {"pk:VARCHAR vector:FLOAT_VECTOR:2", "", "", "pk > \"\""},
        {"pk:VARCHAR vector:FLOAT_VECTOR:2", "", "a\"b", "pk > \"a\\\"b\""},
        {"pk:VARCHAR vector:FLOAT_VECTOR:2", "(i == 1)", "a\\", "((i == 1)) and (pk > \"a\\\\\")"},
        {"id:INT64 vector:FLOAT_VECTOR:2", "", "-7", "id > -7"},
        {"id:INT64 vector:FLOAT_VECTOR:2", "", "-9223372036854775808",
         "id > -9223372036854775807 - 1"},
        {"id:INT64 vector:FLOAT_VECTOR:2", "(a) or (b)", "7", "((a) or (b)) and (id > 7)"},
    };
    milvus_rig rig;

    expr_init(&rig, "");
    for (size_t i = 0; i < COUNT(table); i++) {
        sp_text after = {table[i].after, table[i].after ? strlen(table[i].after) : 0};
        const char *expr = NULL;

        rig_schema(&rig, table[i].fields);
        CU_ASSERT_EQUAL(milvus_walk_expr(&rig.call, table[i].filter, after, &expr), SIMPLUGIN_OK);
        rig_same(expr, table[i].expr, table[i].expr);
    }
    expr_clear(&rig);
}

static void both(void)
{
    const char *expr = NULL;
    milvus_rig rig;

    expr_init(&rig, "");
    CU_ASSERT_EQUAL(milvus_expr_and(&rig.call, "", "", &expr), SIMPLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(expr, "");
    CU_ASSERT_EQUAL(milvus_expr_and(&rig.call, "a", "", &expr), SIMPLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(expr, "a");
    CU_ASSERT_EQUAL(milvus_expr_and(&rig.call, "", "b", &expr), SIMPLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(expr, "b");
    CU_ASSERT_EQUAL(milvus_expr_and(&rig.call, "a or c", "b", &expr), SIMPLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(expr, "(a or c) and (b)");
    expr_clear(&rig);
}

static const unit_case cases[] = {
    UNIT_CASE(schema_types, "R211-R213 R266 filters on fields of the schema"),
    UNIT_CASE(int_keys, "R266 filters where keys are ints"),
    UNIT_CASE(dynamic_types, "R255 R266 filters on fields that the schema does not name"),
    UNIT_CASE(known_types, "R255 R266 the types of fields that were seen and written"),
    UNIT_CASE(known_types_of_others, "R255 types that others changed are looked up before anything is refused"),
    UNIT_CASE(no_filter, "R266 no filter, and what is none"),
    UNIT_CASE(not_evaluated, "R266 what Milvus does not evaluate is refused"),
    UNIT_CASE(zero_bytes, "R266 texts with U+0000 are refused"),
    UNIT_CASE(filters_in_locale, "R266 filters whatever the locale's point is"),
    UNIT_CASE(texts, "R266 no text gets out of its quotes"),
    UNIT_CASE(exact_texts, "R266 texts as every server reads them"),
    UNIT_CASE(hostile_filters, "R266 hostile values and names"),
    UNIT_CASE(keys, "R164 R265 keys in expressions"),
    UNIT_CASE(smallest_key, "R164 the smallest int key"),
    UNIT_CASE(pages, "R264 what is behind a key"),
    UNIT_CASE(both, "R266 two expressions in one"),
};

UNIT_MAIN("milvus expressions", cases)
