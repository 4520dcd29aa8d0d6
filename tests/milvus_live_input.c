/* SPDX-License-Identifier: Apache-2.0 */
/* Names, dimensions, parameters and values that are wrong, or only look so. */
#include "config.h"

#include "milvus_live.h"

/* ---- names ------------------------------------------------------------------------------------ */

static void illegal_names(void)
{
    static const struct {
        const char *name, *says;
    } names[] = {
        {"a b", "takes no \" \""},
        {"a.b", "takes no \".\""},
        {"a/b", "takes no \"/\""},
        {"a$b", "takes no \"$\""},
        {"caf\xc3\xa9", "takes no \"\xc3\xa9\""},
        {"x\xf0\x9f\x8d\x90", "takes no \"\xf0\x9f\x8d\x90\""},
        {"1abc", "begin with a letter or an underscore"},
    };
    char long_name[257];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        FAILS(SIMPLUGIN_INVALID_ARGUMENT, names[i].says,
              ask(session, "index.create", "{'collection_name': '%s', 'dimension': 4}",
                  names[i].name));
        CU_ASSERT_EQUAL(simplugin_error_retryable(rig_error), 0);
    }
    memset(long_name, 'a', 256);
    long_name[256] = 0;
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "255",
          ask(session, "index.create", "{'collection_name': '%s', 'dimension': 4}", long_name));
}

static void hyphens_mapped(void)
{
    uint64_t index;

    ASK(session, "index.create",
        "{'collection_name': 'custom-milvus-collection', 'metric': 'euclidean', 'dimension': 2}");
    REPLY("collection_name", "'custom_milvus_collection'");
    index = (uint64_t)reply_int("index");
    ASK(index, "index.add", "{'ids': ['a'], 'vectors': [[3, 4]]}");
    CU_ASSERT_EQUAL(simplugin_close(index, NULL), SIMPLUGIN_OK);
    /* either name finds it */
    ASK(session, "index.open", "{'backend': 'milvus', 'collection_name': 'custom-milvus-collection'}");
    index = (uint64_t)reply_int("index");
    ASK(index, "index.search", "{'vectors': [[0, 0]], 'k': 1}");
    REPLY("ids", "['a']");
    REPLY("distances", "[5.0]");
    ASK(session, "index.open", "{'backend': 'milvus', 'collection_name': 'custom_milvus_collection'}");
    CU_ASSERT_EQUAL(live_size((uint64_t)reply_int("index")), 1);
    ASK(index, "index.cleanup", "{}");
}

static void names_generated(void)
{
    uint64_t index;

    ASK(session, "index.create", "{'dataset': 'my data-set', 'dimension': 2}");
    index = (uint64_t)reply_int("index");
    CU_ASSERT_PTR_NULL(strpbrk(json_string_value(json_object_get(rig_reply, "collection_name")),
                               "- "));
    ASK(index, "index.cleanup", "{}");
}

/* ---- parameters --------------------------------------------------------------------------------- */

static void metrics_mapped(void)
{
    static const struct {
        const char *ours, *theirs;
    } metrics[] = {{"dotproduct", "IP"}, {"euclidean", "L2"}, {"cosine", "COSINE"}};
    live_made made;

    for (size_t i = 0; i < 3; i++) {
        made = live_create("'dimension': 2, 'metric': '%s'", metrics[i].ours);
        MUST(live_do(&made, "index.describe") == SIMPLUGIN_OK);
        CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(
                                   json_object_get(rig_reply, "parameters"), "metric_type")),
                               metrics[i].theirs);
        live_drop(&made);
    }
    made = live_create("'dimension': 2");
    ASK(made.index, "index.info", "{}");
    REPLY("metric", "'dotproduct'");
    live_drop(&made);
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "dotproduct",
          ask(session, "index.create",
              "{'collection_name': 'none', 'dimension': 4, 'metric': 'manhattan'}"));
    CU_ASSERT(live_says("euclidean"));
    CU_ASSERT(live_says("cosine"));
}

static int32_t create_with(const char *parameters)
{
    return ask(session, "index.create",
               "{'collection_name': 'none', 'dimension': 4, 'parameters': {%s}}", parameters);
}

static void unknown_parameters(void)
{
    static const char *const types[] = {"FLAT", "IVF_FLAT", "IVF_SQ8", "HNSW", "GPU_IVF_FLAT",
                                        "AUTOINDEX"};

    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "index type", create_with("'index_type': 'HNSX'"));
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        CU_ASSERT(live_says(types[i]));
    FAILS(SIMPLUGIN_UNKNOWN_PARAMETER, "efConstruction", create_with("'efConstrucion': 4"));
    CU_ASSERT(live_says("nlist"));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "HNSW, which takes M and efConstruction",
          create_with("'index_type': 'HNSW', 'nlist': 4"));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "FLAT, which takes none",
          create_with("'index_type': 'FLAT', 'M': 4"));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "1 to 65536",
          create_with("'index_type': 'IVF_FLAT', 'nlist': 65537"));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "2 to 2048", create_with("'M': 1"));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "Strong, Session, Bounded or Eventually",
          create_with("'consistency_level': 'Weak'"));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "32768",
          ask(session, "index.create", "{'collection_name': 'none', 'dimension': 32769}"));
}

static void search_parameters(void)
{
    live_made made = live_create("'dimension': 2, 'metric': 'cosine'");

    ASK(made.index, "index.add", "{'ids': ['a', 'b'], 'vectors': [[1, 0], [0, 1]]}");
    /* one set of parameters serves every index type, and ef below k is none of the user's worries */
    ASK(made.index, "index.search",
        "{'vectors': [[1, 0]], 'k': 2, 'parameters': {'ef': 1, 'nprobe': 16}}");
    REPLY("ids", "['a','b']");
    FAILS(SIMPLUGIN_UNKNOWN_PARAMETER, "nprobe",
          ask(made.index, "index.search", "{'vectors': [[1, 0]], 'parameters': {'nprob': 16}}"));
    CU_ASSERT(live_says("ef"));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "1 to 32768",
          ask(made.index, "index.search", "{'vectors': [[1, 0]], 'parameters': {'ef': 0}}"));
    live_drop(&made);
}

/* ---- what filters compare with --------------------------------------------------------------------- */

#define VALUES 192

/* Texts that a filter could trip over, by number; what one holds is to be freed. */
static char *hostile_text(size_t i)
{
    static const char *const texts[] = {
        "\"", "'", "\\", "\\\"", "\"\"", "\\\\", "\\n", "\n", "\r\n", "\t", "\x7f", "`", "$", "{}",
        "\" or true or \"", "' or 1 == 1 or '", "\") or (pk >= \"", "\\\") or (pk != \"", "%", "_",
        "a%c", "\\%", "\\u0041", "\\x41", "\\101", "--", "/*", "# x", "true", "null", "pk",
        "in [\"a\"]", "\xc3\xa9", "e\xcc\x81", "\xe2\x80\xa8", "\xef\xbb\xbf", "\xf0\x9f\x8d\x90",
        "\xef\xbf\xbf", "\xc2\x85", "\xed\x9f\xbf", " ", "  a  ", "[", "]", "a\\", "a\\\\\"",
        "ends with \\", "\\\" ends", "${x}", "%s%n", "\x1b[31m", ";", ",", "a\"b'c\\d\ne\tf",
    };
    char *text = malloc(64);

    if (!text)
        abort();
    if (i < sizeof texts / sizeof texts[0])
        snprintf(text, 64, "%s", texts[i]);
    else if (i < sizeof texts / sizeof texts[0] + 32) /* U+0001 to U+0020, amid letters */
        snprintf(text, 64, "a%cb", (int)(i - sizeof texts / sizeof texts[0] + 1));
    else
        snprintf(text, 64, "plain %zu", i);
    return text;
}

/* text as the filter language writes it. */
static void literal_put(char *to, const char *text)
{
    *to++ = '"';
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            *to++ = '\\';
        *to++ = *text;
    }
    *to++ = '"';
    *to = 0;
}

static void values_add(uint64_t index, int as_key)
{
    simplugin_writer writer;
    float *rows = live_normal(9, VALUES, 2);
    simplugin_tensor vectors = simplugin_tensor_of(SIMPLUGIN_FLOAT32, rows, VALUES, 2);

    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 3);
    simplugin_write_string(&writer, "vectors");
    simplugin_write_tensor(&writer, &vectors);
    simplugin_write_string(&writer, "ids");
    simplugin_write_array(&writer, VALUES);
    for (size_t i = 0; i < VALUES; i++) {
        char *text = hostile_text(i);
        char id[16];

        live_id(id, i);
        simplugin_write_string(&writer, as_key ? text : id);
        free(text);
    }
    simplugin_write_string(&writer, "fields");
    simplugin_write_map(&writer, 2);
    simplugin_write_string(&writer, "text");
    simplugin_write_array(&writer, VALUES);
    for (size_t i = 0; i < VALUES; i++) {
        char *text = hostile_text(i);

        simplugin_write_string(&writer, text);
        free(text);
    }
    simplugin_write_string(&writer, "n");
    simplugin_write_array(&writer, VALUES);
    for (size_t i = 0; i < VALUES; i++)
        simplugin_write_uint(&writer, i);
    MUST(ask_writer(index, "index.add", &writer) == SIMPLUGIN_OK);
    simplugin_writer_clear(&writer);
    free(rows);
}

static int64_t filter_size(uint64_t index, const char *filter)
{
    simplugin_writer writer;

    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 1);
    simplugin_write_string(&writer, "filter");
    simplugin_write_string(&writer, filter);
    MUST(ask_writer(index, "index.size", &writer) == SIMPLUGIN_OK);
    simplugin_writer_clear(&writer);
    return reply_int("size");
}

static void hostile_values(void)
{
    live_made made = live_create("'dimension': 2, 'parameters': {'index_type': 'FLAT'}");
    char filter[512];

    values_add(made.index, 0);
    for (size_t i = 0; i < 100; i++) {
        char *text = hostile_text(i);
        char literal[160];

        literal_put(literal, text);
        snprintf(filter, sizeof filter, "text == %s", literal);
        CU_ASSERT_EQUAL(filter_size(made.index, filter), 1);
        snprintf(filter, sizeof filter, "text == %s and n == %zu", literal, i);
        CU_ASSERT_EQUAL(filter_size(made.index, filter), 1);
        snprintf(filter, sizeof filter, "text != %s", literal);
        CU_ASSERT_EQUAL(filter_size(made.index, filter), VALUES - 1);
        snprintf(filter, sizeof filter, "text in [%s, \"no such\"]", literal);
        CU_ASSERT_EQUAL(filter_size(made.index, filter), 1);
        free(text);
    }
    live_drop(&made);
}

static void hostile_ids(void)
{
    live_made made = live_create("'dimension': 2, 'parameters': {'index_type': 'FLAT'}");
    simplugin_writer writer;

    values_add(made.index, 1);
    CU_ASSERT_EQUAL(live_size(made.index), VALUES);
    /* each is found under its own name, and one at a time goes away under it */
    for (size_t i = 0; i < 100; i++) {
        char *text = hostile_text(i);

        simplugin_writer_init(&writer);
        simplugin_write_map(&writer, 3);
        simplugin_write_string(&writer, "ids");
        simplugin_write_array(&writer, 1);
        simplugin_write_string(&writer, text);
        simplugin_write_string(&writer, "vectors");
        simplugin_write_bool(&writer, 0);
        simplugin_write_string(&writer, "fields");
        simplugin_write_array(&writer, 1);
        simplugin_write_string(&writer, "n");
        MUST(ask_writer(made.index, "index.get", &writer) == SIMPLUGIN_OK);
        simplugin_writer_clear(&writer);
        CU_ASSERT_EQUAL(json_integer_value(json_array_get(
                            json_object_get(json_object_get(rig_reply, "fields"), "n"), 0)),
                        (json_int_t)i);
        free(text);
    }
    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 1);
    simplugin_write_string(&writer, "ids");
    simplugin_write_array(&writer, 100);
    for (size_t i = 0; i < 100; i++) {
        char *text = hostile_text(i);

        simplugin_write_string(&writer, text);
        free(text);
    }
    MUST(ask_writer(made.index, "index.remove", &writer) == SIMPLUGIN_OK);
    simplugin_writer_clear(&writer);
    CU_ASSERT_EQUAL(live_size(made.index), VALUES - 100);
    live_drop(&made);
}

static const unit_case cases[] = {
    UNIT_CASE(illegal_names, "R239 illegal names: the error shows the character"),
    UNIT_CASE(hyphens_mapped, "R58 R239 hyphens become underscores, and either name finds the index"),
    UNIT_CASE(names_generated, "R107 a name that is made up is one that Milvus takes"),
    UNIT_CASE(metrics_mapped, "R103-R106 R197-R199 R247 metrics, and what Milvus calls them"),
    UNIT_CASE(unknown_parameters, "R277 unknown index types and parameters: the known ones are listed"),
    UNIT_CASE(search_parameters, "R229 R230 R256 R269 parameters of searches; ef is never below k"),
    UNIT_CASE(hostile_values, "R266 quotes, backslashes and control characters in filters are only values"),
    UNIT_CASE(hostile_ids, "R265 R266 and in ids"),
};

const live_suite live_input = {"input", cases, sizeof cases / sizeof cases[0], {NULL}};
