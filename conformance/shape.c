/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "shape.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * "key:type", with "?" in front where the key may be absent. Numbers of rows: Q of offsets
 * (queries + 1), P as many as there are ids, N as many as there are neighbors.
 */
static const struct {
    const char *method;
    const char *keys[9];
} shapes[] = {
    {"health", {"version:text"}},
    {"collection.list", {"collections:texts"}},
    {"collection.exists", {"exists:bool"}},
    {"collection.create", {"collection:text"}},
    {"collection.describe",
     {"collection:text", "dimension:int", "?metric:text", "count:int", "fields:map", "id_mode:text",
      "?patches:bool", "?attributes:map"}},
    {"collection.drop", {NULL}},
    {"points.upsert", {"?upserted:int", "?replaced:int", "?skipped:int64"}},
    {"points.delete", {"?deleted:int"}},
    {"points.get", {"positions:int64 P", "ids:ids", "vectors:vectors", "fields:fields"}},
    {"points.count", {"count:int"}},
    {"points.scan", {"ids:ids", "vectors:vectors", "fields:fields", "?cursor:bytes"}},
    {"search",
     {"offsets:int64 Q", "ids:ids", "distances:float32 P", "scores:float32 P", "fields:fields",
      "vectors:vectors"}},
    {"points.set_fields", {"updated:int", "positions:int64"}},
    {"search.radius",
     {"offsets:int64 Q", "ids:ids", "distances:float32 P", "scores:float32 P", "fields:fields",
      "vectors:vectors"}},
    {"search.neighbors",
     {"ids:ids", "offsets:int64 Q", "neighbors:neighbors", "distances:float32 N",
      "scores:float32 N"}},
    {"view.create", {"view:int", "known:int"}},
    {"view.drop", {NULL}},
    {"collection.flush", {NULL}},
    {"collection.load", {NULL}},
    {"collection.release", {NULL}},
    {"collection.compact", {"?bytes_before:int", "?bytes_after:int"}},
    {"collection.check", {"rows:int"}},
    {"collection.backup", {NULL}},
    {"index.create", {NULL}},
    {"index.drop", {NULL}},
    {"index.describe", {"parameters:map"}},
    {"partition.create", {NULL}},
    {"partition.list", {"partitions:texts"}},
    {"partition.drop", {NULL}},
};

typedef struct shaping {
    conf_rig *rig;
    const char *method;
    const conf_sizes *sizes;
    const simplugin_reply *reply;
    simplugin_value body;
    uint64_t points;    /* rows of ids */
    uint64_t neighbors; /* and of neighbors */
} shaping;

/* NULL, or what it should have been. */
static const char *plain_wrong(const simplugin_value *value, const char *type)
{
    static const struct {
        const char *name;
        uint32_t type;
    } types[] = {{"text", SIMPLUGIN_TEXT},
                 {"bool", SIMPLUGIN_BOOL},
                 {"int", SIMPLUGIN_INT},
                 {"map", SIMPLUGIN_MAP},
                 {"bytes", SIMPLUGIN_BYTES}};
    simplugin_iter iter = simplugin_iterate(value);
    simplugin_value one;

    for (size_t i = 0; i < COUNT(types); i++)
        if (!strcmp(types[i].name, type))
            return value->type == types[i].type ? NULL : type;
    if (value->type != SIMPLUGIN_ARRAY)
        return "an array of text";
    while (simplugin_next(&iter, &one))
        if (one.type != SIMPLUGIN_TEXT)
            return "an array of text";
    return NULL;
}

static const char *column_wrong(const shaping *s, const simplugin_value *value, int is_ids,
                                uint64_t *rows)
{
    simplugin_column column;
    const char *wrong =
        simplugin_column_read(value, s->reply->tensors, s->reply->tensor_count, &column);

    if (!wrong && is_ids && (column.type != SIMPLUGIN_COLUMN_TEXT || column.valid))
        wrong = "a text column without missing values";
    *rows = wrong ? 0 : column.count;
    return wrong;
}

static const char *fields_wrong(const shaping *s, const simplugin_value *value)
{
    simplugin_iter iter = simplugin_iterate(value);
    simplugin_value name, column;
    const char *wrong = value->type == SIMPLUGIN_MAP ? NULL : "a map from name to column";
    uint64_t rows;

    while (!wrong && simplugin_next(&iter, &name) && simplugin_next(&iter, &column)) {
        wrong = column_wrong(s, &column, 0, &rows);
        if (!wrong && rows != s->points)
            wrong = "a map of columns with as many rows as there are ids";
    }
    return wrong;
}

static const char *tensor_wrong(const shaping *s, const simplugin_value *value, const char *type)
{
    static char said[80];
    const char *rows_are = strchr(type, ' ');
    int is_vectors = !strcmp(type, "vectors");
    uint32_t dtype = !strncmp(type, "int64", 5) ? SIMPLUGIN_INT64 : SIMPLUGIN_FLOAT32;
    uint64_t cols = is_vectors ? s->sizes->dimension : 1, rows = s->points;
    const simplugin_tensor *tensor;

    if (rows_are && rows_are[1] == 'Q')
        rows = s->sizes->queries + 1;
    else if (rows_are && rows_are[1] == 'N')
        rows = s->neighbors;
    snprintf(said, sizeof said, "a tensor of %s, %llu x %llu",
             dtype == SIMPLUGIN_INT64 ? "int64" : "float32", (unsigned long long)rows,
             (unsigned long long)cols);
    if (value->type != SIMPLUGIN_TENSOR || value->as.u >= s->reply->tensor_count)
        return said;
    tensor = &s->reply->tensors[value->as.u];
    if (tensor->dtype != dtype || ((is_vectors || rows_are) && tensor->rows != rows) ||
        (tensor->rows && tensor->cols != cols))
        return said;
    return NULL;
}

static const char *value_wrong(shaping *s, const simplugin_value *value, const char *type)
{
    if (!strcmp(type, "ids"))
        return column_wrong(s, value, 1, &s->points);
    if (!strcmp(type, "neighbors"))
        return column_wrong(s, value, 1, &s->neighbors);
    if (!strcmp(type, "fields"))
        return fields_wrong(s, value);
    if (!strcmp(type, "vectors") || !strncmp(type, "int64", 5) || !strncmp(type, "float32", 7))
        return tensor_wrong(s, value, type);
    return plain_wrong(value, type);
}

/* Whether the request asked for the key, of those that come only then. */
static int is_wanted(const conf_sizes *sizes, const char *key)
{
    return !strcmp(key, "vectors")  ? (sizes->wants & CONF_WANTS_VECTORS) != 0
           : !strcmp(key, "fields") ? (sizes->wants & CONF_WANTS_FIELDS) != 0
                                    : 1;
}

static void key_check(shaping *s, const char *shape)
{
    int optional = shape[0] == '?';
    const char *colon = strchr(shape, ':'), *wrong;
    simplugin_value value;
    char key[40];

    snprintf(key, sizeof key, "%.*s", (int)(colon - shape - optional), shape + optional);
    if (!simplugin_find(&s->body, key, &value)) {
        /* collection.describe has a map of that name, whatever was asked */
        if (!optional && (!strcmp(colon, ":map") || is_wanted(s->sizes, key)))
            conf_fail(s->rig->run,
                      "the reply of %s lacks the key \"%s\" (docs/protocol.md, Backend protocol)",
                      s->method, key);
        return;
    }
    wrong = value_wrong(s, &value, colon + 1);
    if (wrong)
        conf_fail(s->rig->run, "the key \"%s\" of the reply of %s is not as expected: %s", key,
                  s->method, wrong);
}

void conf_shape_check(conf_rig *rig, const char *method, const conf_sizes *sizes,
                      const conf_answer *answer)
{
    shaping s = {rig,
                 method,
                 sizes,
                 &answer->reply,
                 simplugin_body_value(answer->reply.body, answer->reply.body_size),
                 0,
                 0};
    size_t m = 0, i;
    const char *key;
    simplugin_value column;
    json_t *value;

    while (m < COUNT(shapes) && strcmp(shapes[m].method, method))
        m++;
    if (m == COUNT(shapes))
        return;
    /* first, as others are as long */
    if (simplugin_find(&s.body, "ids", &column))
        column_wrong(&s, &column, 1, &s.points);
    if (simplugin_find(&s.body, "neighbors", &column))
        column_wrong(&s, &column, 1, &s.neighbors);
    for (i = 0; i < COUNT(shapes[m].keys) && shapes[m].keys[i]; i++)
        key_check(&s, shapes[m].keys[i]);
    json_object_foreach(answer->body, key, value) {
        for (i = 0; i < COUNT(shapes[m].keys) && shapes[m].keys[i]; i++) {
            const char *at = shapes[m].keys[i] + (shapes[m].keys[i][0] == '?');

            if (!strncmp(at, key, strlen(key)) && at[strlen(key)] == ':')
                break;
        }
        if (i == COUNT(shapes[m].keys) || !shapes[m].keys[i])
            conf_fail(rig->run,
                      "the reply of %s has a key \"%s\", which is none of those listed "
                      "(docs/protocol.md, Backend protocol)",
                      method, key);
    }
}
