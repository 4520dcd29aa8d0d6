/* SPDX-License-Identifier: Apache-2.0 */
/* What the backend says of itself; docs/protocol.md explains the keys. */
#include "config.h"

#include "call.h"
#include "metric.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void parameter_write(simplugin_writer *out, const char *name, const char *type,
                            const char *standard, int connection, const char *doc)
{
    simplugin_write_map(out, 6);
    simplugin_write_string(out, "name");
    simplugin_write_string(out, name);
    simplugin_write_string(out, "type");
    simplugin_write_string(out, type);
    simplugin_write_string(out, "default");
    simplugin_write_string(out, standard);
    simplugin_write_string(out, "secret");
    simplugin_write_bool(out, 0);
    simplugin_write_string(out, "connection");
    simplugin_write_bool(out, connection);
    simplugin_write_string(out, "doc");
    simplugin_write_string(out, doc);
}

int32_t flat_describe(simplugin_reply *reply, simplugin_error **error)
{
    static const char *const methods[] = {
        "points.set_fields",  "search.radius",    "search.neighbors",  "view.create",
        "view.drop",          "collection.check", "collection.compact", "collection.backup",
    };
    static const char *const filters[] = {
        "and", "or",   "not",    "==",     "!=",           "<",
        "<=",  ">",    ">=",     "in",     "not in",       "like",
        "exists", "array_contains", "array_contains_any", "array_contains_all",
    };
    static const char *const types[] = {
        "text",       "int64",       "float64",       "bool",
        "list<text>", "list<int64>", "list<float64>", "list<bool>",
    };
    simplugin_writer out;
    int32_t code = SIMPLUGIN_OK;

    simplugin_writer_init(&out);
    simplugin_write_map(&out, 18);
    simplugin_write_string(&out, "name");
    simplugin_write_string(&out, "sklearn_flat");
    simplugin_write_string(&out, "version");
    simplugin_write_string(&out, FLAT_VERSION);
    plug_write_texts(&out, "metrics", flat_metric_names, flat_metric_count);
    simplugin_write_string(&out, "metric_aliases");
    simplugin_write_map(&out, flat_metric_alias_count);
    for (size_t i = 0; i < flat_metric_alias_count; i++) {
        simplugin_write_string(&out, flat_metric_aliases[i].alias);
        simplugin_write_string(&out, flat_metric_aliases[i].name);
    }
    simplugin_write_string(&out, "max_dimension");
    simplugin_write_uint(&out, FLAT_DIMENSION_MAX);
    simplugin_write_string(&out, "exact");
    simplugin_write_bool(&out, 1);
    plug_write_texts(&out, "methods", methods, COUNT(methods));
    plug_write_texts(&out, "filters", filters, COUNT(filters));
    plug_write_texts(&out, "field_types", types, COUNT(types));
    plug_write_texts(&out, "reverse", flat_metric_names, flat_metric_count);
    simplugin_write_string(&out, "radius");
    simplugin_write_bool(&out, 1);
    simplugin_write_string(&out, "vectors");
    simplugin_write_string(&out, "exact");
    simplugin_write_string(&out, "counts_replaced");
    simplugin_write_bool(&out, 1);
    simplugin_write_string(&out, "nonfinite");
    simplugin_write_bool(&out, 1);
    plug_write_texts(&out, "consistency_levels", NULL, 0);
    simplugin_write_string(&out, "conditional_upsert");
    simplugin_write_bool(&out, 1);
    simplugin_write_string(&out, "parameters");
    simplugin_write_array(&out, 2);
    parameter_write(&out, "data_dir", "text", NULL, 1,
                    "the directory that holds all data, absolute; $SIMPLUGIN_DATA where not given");
    parameter_write(&out, "metric", "text", flat_metric_names[0], 0,
                    "how distances are measured; the names of scikit-learn, and dotproduct");
    simplugin_write_string(&out, "search_parameters");
    simplugin_write_array(&out, 1);
    parameter_write(&out, "scan", "text", "auto", 0,
                    "auto: the 8-bit copy of the rows first, where that is quicker; float32: never");
    if (simplugin_writer_reply(&out, plug_host, reply))
        code = plug_error_no_memory(error);
    simplugin_writer_clear(&out);
    return code;
}
