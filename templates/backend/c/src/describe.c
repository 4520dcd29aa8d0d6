/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the backend says of itself. The host believes it: a filter node that is named here is
 * sent, a method that is not named never. The conformance program compares all of it with what
 * the backend does.
 */
#include "backend.h"

static const char *const metrics[] = {"cosine", "dotproduct", "euclidean"};
#define METRIC_COUNT (sizeof metrics / sizeof *metrics)

int32_t metric_number(const simplugin_value *name)
{
    for (size_t i = 0; i < METRIC_COUNT; i++)
        if (simplugin_value_is(name, metrics[i]))
            return (int32_t)i;
    return -1;
}

const char *metric_name(int32_t metric)
{
    return metrics[metric];
}

/*
 * Parameters come from a program, the environment, a configuration file or the default, and are
 * of this type when they arrive. Those of the connection go to open, others to
 * collection.create. What is secret is never shown nor stored.
 */
static const struct parameter {
    const char *name;
    const char *type;
    int is_connection;
    int is_secret;
    const char *doc;
} parameters[] = {
    {"max_points", "int", 1, 0, "how many points a collection holds at most"},
    /* known to the host, which sets the deadlines by it */
    {"timeout_ms", "int", 1, 0, "how long a call may take that says nothing of it"},
    /* {"url", "text", 1, 0, "where the server is"}, */
    /* {"password", "text", 1, 1, "the user's password"}, */
};

static void write_texts(simplugin_writer *out, const char *key, const char *const *texts,
                        uint64_t count)
{
    simplugin_write_string(out, key);
    simplugin_write_array(out, count);
    for (uint64_t i = 0; i < count; i++)
        simplugin_write_string(out, texts[i]);
}

static void write_flag(simplugin_writer *out, const char *key, int flag)
{
    simplugin_write_string(out, key);
    simplugin_write_bool(out, flag);
}

static void write_text(simplugin_writer *out, const char *key, const char *text)
{
    simplugin_write_string(out, key);
    simplugin_write_string(out, text);
}

static void write_parameters(simplugin_writer *out)
{
    const uint64_t count = sizeof parameters / sizeof *parameters;

    simplugin_write_string(out, "parameters");
    simplugin_write_array(out, count);
    for (uint64_t i = 0; i < count; i++) {
        simplugin_write_map(out, 6);
        write_text(out, "name", parameters[i].name);
        write_text(out, "type", parameters[i].type);
        write_text(out, "default", NULL);
        write_flag(out, "secret", parameters[i].is_secret);
        write_flag(out, "connection", parameters[i].is_connection);
        write_text(out, "doc", parameters[i].doc);
    }
}

int32_t describe(simplugin_reply *reply, simplugin_error **error)
{
    static const char *const types[] = {"text",       "int64",       "float64",       "bool",
                                        "list<text>", "list<int64>", "list<float64>", "list<bool>"};
    struct call call = {.reply = reply, .error = error};
    simplugin_writer *out = &call.out;
    int32_t code;

    simplugin_writer_init(out);
    simplugin_write_map(out, 15);
    write_text(out, "name", "@NAME@");
    write_text(out, "version", BACKEND_VERSION);
    write_texts(out, "metrics", metrics, METRIC_COUNT);
    write_flag(out, "exact", 1);
    write_texts(out, "methods", NULL, 0);
    write_texts(out, "filters", NULL, 0);
    write_texts(out, "field_types", types, sizeof types / sizeof *types);
    write_texts(out, "reverse", NULL, 0);
    write_flag(out, "radius", 0);
    write_text(out, "vectors", "exact");
    write_flag(out, "counts_replaced", 1);
    write_flag(out, "nonfinite", 1);
    write_texts(out, "consistency_levels", NULL, 0);
    write_parameters(out);
    write_texts(out, "search_parameters", NULL, 0);
    code = simplugin_writer_reply(out, host, reply);
    if (code)
        fail_no_memory(&call);
    simplugin_writer_clear(out);
    return code;
}
