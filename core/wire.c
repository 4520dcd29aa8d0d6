/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "idmap.h"
#include "kernels.h"
#include "suggest.h"

#define ID_BYTES_MAX 255
#define KEYS_MAX 31
#define JSON_BYTES_MAX (4 << 20) /* of what becomes a tree, which takes a multiple of that */
#define IDS_NAMED 10 /* in one error */
/* With four tensors each, and those of ids and vectors, they stay below SIMPLUGIN_MAX_TENSORS. */
#define FIELDS_MAX 200

int32_t sp_arg_error(const sp_args *args, simplugin_error **error, const char *key,
                     const char *format, ...)
{
    char text[512];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    sp_error_set(error, SIMPLUGIN_INVALID_ARGUMENT, "core", "%s: %s: %s", args->method, key, text);
    sp_error_add_detail(error, "argument", key);
    return SIMPLUGIN_INVALID_ARGUMENT;
}

/* Splits space-separated names in place of a copy; returns how many. */
static size_t names_split(char *copy, const char **names)
{
    size_t count = 0;
    char *rest = NULL;

    for (char *name = strtok_r(copy, " ", &rest); name && count < KEYS_MAX;
         name = strtok_r(NULL, " ", &rest))
        names[count++] = name;
    return count;
}

int32_t sp_args_check_keys(const sp_args *args, const char *known, simplugin_error **error)
{
    simplugin_iter iter = simplugin_iterate(&args->map);
    simplugin_value key, value;
    const char *names[KEYS_MAX];
    uint32_t seen = 0; /* a bit each */
    char *copy;
    size_t count;

    if (!args->map.size)
        return SIMPLUGIN_OK;
    copy = sp_arena_text(args->arena, known, strlen(known));
    if (!copy)
        return sp_error_no_memory(error);
    count = names_split(copy, names);
    while (simplugin_next(&iter, &key) && simplugin_next(&iter, &value)) {
        size_t at = 0;

        while (at < count && !simplugin_value_is(&key, names[at]))
            at++;
        /* so a request has few keys, and looking for one is short */
        if (at < count && (seen >> at & 1))
            return sp_arg_error(args, error, names[at], "comes twice");
        seen |= UINT32_C(1) << at;
        if (at == count) {
            char *name = sp_arena_text(args->arena, (const char *)key.data,
                                       key.size < ID_BYTES_MAX ? key.size : ID_BYTES_MAX);
            const char *near = name ? sp_suggest_nearest(name, names, count) : NULL;

            if (!name)
                return sp_error_no_memory(error);
            return sp_arg_error(args, error, name, "unknown key%s%s%s; known: %s",
                                near ? ", did you mean \"" : "", near ? near : "",
                                near ? "\"?" : "", *known ? known : "none");
        }
    }
    return SIMPLUGIN_OK;
}

int sp_arg_present(const sp_args *args, const char *key)
{
    simplugin_value value;

    return simplugin_find(&args->map, key, &value);
}

int32_t sp_arg_text(const sp_args *args, const char *key, sp_text *text, simplugin_error **error)
{
    simplugin_value value;

    text->data = NULL;
    text->size = 0;
    if (!simplugin_find(&args->map, key, &value))
        return SIMPLUGIN_OK;
    if (value.type != SIMPLUGIN_TEXT)
        return sp_arg_error(args, error, key, "is not text");
    text->data = (const char *)value.data;
    text->size = (size_t)value.size;
    return SIMPLUGIN_OK;
}

int32_t sp_arg_string(const sp_args *args, const char *key, const char **string,
                      simplugin_error **error)
{
    sp_text text;
    int32_t code = sp_arg_text(args, key, &text, error);

    *string = NULL;
    if (code || !text.data)
        return code;
    if (memchr(text.data, '\0', text.size))
        return sp_arg_error(args, error, key, "holds U+0000");
    *string = sp_arena_text(args->arena, text.data, text.size);
    return *string ? SIMPLUGIN_OK : sp_error_no_memory(error);
}

int32_t sp_arg_int(const sp_args *args, const char *key, int64_t min, int64_t max,
                   int64_t *number, simplugin_error **error)
{
    int64_t value = 0;
    int found = simplugin_find_int(&args->map, key, &value);

    if (!found)
        return SIMPLUGIN_OK;
    if (found < 0)
        return sp_arg_error(args, error, key, "is not a whole number");
    if (value < min || value > max)
        return sp_arg_error(args, error, key, "%lld is not between %lld and %lld",
                            (long long)value, (long long)min, (long long)max);
    *number = value;
    return SIMPLUGIN_OK;
}

int32_t sp_arg_bool(const sp_args *args, const char *key, int *flag, simplugin_error **error)
{
    if (simplugin_find_bool(&args->map, key, flag) < 0)
        return sp_arg_error(args, error, key, "is not true or false");
    return SIMPLUGIN_OK;
}

int32_t sp_arg_double(const sp_args *args, const char *key, double *number,
                      simplugin_error **error)
{
    if (simplugin_find_double(&args->map, key, number) < 0)
        return sp_arg_error(args, error, key, "is not a finite number");
    return SIMPLUGIN_OK;
}

int32_t sp_arg_json(const sp_args *args, const char *key, json_t **json, simplugin_error **error)
{
    simplugin_value value;
    const uint8_t *at;

    *json = NULL;
    if (!simplugin_find(&args->map, key, &value))
        return SIMPLUGIN_OK;
    if (value.type != SIMPLUGIN_MAP)
        return sp_arg_error(args, error, key, "is not a map");
    at = value.data;
    for (uint64_t i = 0; i < value.size * 2; i++)
        simplugin_skip(&at, value.end);
    if (at - value.data > JSON_BYTES_MAX)
        return sp_arg_error(args, error, key, "is larger than 4 MiB");
    *json = sp_json_from_value(&value);
    if (!*json && sp_json_fits(&value))
        return sp_error_no_memory(error);
    if (!*json)
        return sp_arg_error(args, error, key,
                            "holds something that is no text, number, bool, list or map");
    return SIMPLUGIN_OK;
}

/* ---- ids ------------------------------------------------------------------------------ */

int32_t sp_wire_text_column(const simplugin_value *value, const simplugin_tensor *tensors,
                            uint64_t tensor_count, sp_arena **arena, sp_column *column,
                            const char **wrong)
{
    simplugin_iter iter;
    simplugin_value item;
    uint64_t bytes = 0, count = 0;
    int64_t *offsets;
    char *text;

    *wrong = NULL;
    if (value->type == SIMPLUGIN_MAP) {
        *wrong = simplugin_column_read(value, tensors, tensor_count, column);
        if (!*wrong && column->type != SP_TEXT)
            *wrong = "is not a column of text";
        return *wrong ? SIMPLUGIN_INVALID_ARGUMENT : SIMPLUGIN_OK;
    }
    memset(column, 0, sizeof *column);
    if (value->type != SIMPLUGIN_ARRAY) {
        *wrong = "is neither a column nor an array of text";
        return SIMPLUGIN_INVALID_ARGUMENT;
    }
    for (iter = simplugin_iterate(value); simplugin_next(&iter, &item); count++) {
        if (item.type != SIMPLUGIN_TEXT) {
            *wrong = "holds something that is not text";
            return SIMPLUGIN_INVALID_ARGUMENT;
        }
        bytes += item.size;
    }
    offsets = sp_arena_array(arena, count + 1, sizeof *offsets);
    text = sp_arena_alloc(arena, bytes + 1);
    if (!offsets || !text)
        return SIMPLUGIN_OUT_OF_MEMORY;
    bytes = count = 0;
    for (iter = simplugin_iterate(value); simplugin_next(&iter, &item); count++) {
        if (item.size)
            memcpy(text + bytes, item.data, item.size);
        bytes += item.size;
        offsets[count + 1] = (int64_t)bytes;
    }
    column->type = SP_TEXT;
    column->count = count;
    column->offsets = offsets;
    column->values = text;
    return SIMPLUGIN_OK;
}

/* What is wrong with an id, NULL if nothing. */
static const char *id_check(sp_text id)
{
    if (!id.size)
        return "is empty";
    if (id.size > ID_BYTES_MAX)
        return "is longer than 255 bytes";
    if (memchr(id.data, '\0', id.size))
        return "holds U+0000";
    if (!simplugin_utf8_check((const uint8_t *)id.data, id.size))
        return "is not UTF-8";
    return NULL;
}

int32_t sp_arg_ids(const sp_args *args, const char *key, int flags, sp_column *ids, int *present,
                   simplugin_error **error)
{
    simplugin_value value;
    sp_idmap seen;
    const char *wrong;
    int32_t code;

    memset(ids, 0, sizeof *ids);
    ids->type = SP_TEXT;
    *present = simplugin_find(&args->map, key, &value);
    if (!*present)
        return SIMPLUGIN_OK;
    code = sp_wire_text_column(&value, args->tensors, args->tensor_count, args->arena, ids, &wrong);
    if (wrong)
        return sp_arg_error(args, error, key, "%s", wrong);
    if (code || (!(flags & SP_IDS_REPEATED) && !sp_idmap_init(&seen, ids, args->arena)))
        return sp_error_no_memory(error);
    for (uint64_t i = 0; i < ids->count; i++) {
        sp_text id = sp_column_text(ids, i);

        wrong = sp_column_is_valid(ids, i) ? id_check(id) : "is missing";
        if (wrong) {
            sp_arg_error(args, error, key, "id at position %llu %s", (unsigned long long)i, wrong);
            return SIMPLUGIN_INVALID_ARGUMENT;
        }
        if (!(flags & SP_IDS_REPEATED) && sp_idmap_add(&seen, i) != SP_IDMAP_NONE) {
            char *text = sp_arena_text(args->arena, id.data, id.size);

            sp_arg_error(args, error, key, "id \"%s\" at position %llu came before",
                         text ? text : "?", (unsigned long long)i);
            sp_error_add_detail(error, "id", text ? text : "?");
            return SIMPLUGIN_INVALID_ARGUMENT;
        }
    }
    ids->valid = NULL;
    return SIMPLUGIN_OK;
}

/* Zero-terminated, in text; "?" for what is no id. */
static const char *id_text(const sp_column *ids, uint64_t row, char text[ID_BYTES_MAX + 1])
{
    sp_text id = sp_column_text(ids, row);

    if (id.size > ID_BYTES_MAX)
        return "?";
    memcpy(text, id.data, id.size);
    text[id.size] = '\0';
    return text;
}

int32_t sp_error_ids(simplugin_error **error, int32_t code, const char *method, const char *what,
                     const sp_column *ids, const uint64_t *rows, uint64_t count)
{
    char text[ID_BYTES_MAX + 1], others[64] = "";

    if (count > 1)
        snprintf(others, sizeof others, " and %llu more", (unsigned long long)count - 1);
    sp_error_set(error, code, "core", "%s: id \"%s\"%s %s", method,
                 count ? id_text(ids, rows ? rows[0] : 0, text) : "?", others, what);
    for (uint64_t i = 0; i < count && i < IDS_NAMED; i++)
        sp_error_add_detail(error, "id", id_text(ids, rows ? rows[i] : i, text));
    return code;
}

/* ---- matrices ------------------------------------------------------------------------- */

static int32_t matrix_from_array(const sp_args *args, const char *key, const simplugin_value *value,
                                 simplugin_tensor *matrix, simplugin_error **error)
{
    simplugin_iter rows = simplugin_iterate(value);
    simplugin_value row, item;
    uint64_t cols = 0, at = 0;
    float *data = NULL;

    for (uint64_t r = 0; simplugin_next(&rows, &row); r++) {
        simplugin_iter items = simplugin_iterate(&row);

        if (row.type != SIMPLUGIN_ARRAY)
            return sp_arg_error(args, error, key, "row %llu is not an array of numbers",
                                (unsigned long long)r);
        if (!r) {
            cols = row.size;
            /* a number takes a byte at least: do not allocate for what cannot be there */
            if (cols && value->size > (uint64_t)(value->end - value->data) / cols)
                return sp_arg_error(args, error, key, "rows have different numbers of numbers");
            data = sp_arena_array(args->arena, value->size, cols * sizeof *data);
            if (!data)
                return sp_error_no_memory(error);
        }
        if (row.size != cols)
            return sp_arg_error(args, error, key, "row %llu has %llu numbers, the first has %llu",
                                (unsigned long long)r, (unsigned long long)row.size,
                                (unsigned long long)cols);
        while (simplugin_next(&items, &item)) {
            if (item.type == SIMPLUGIN_INT)
                data[at++] = (float)item.as.i;
            else if (item.type == SIMPLUGIN_UINT)
                data[at++] = (float)item.as.u;
            else if (item.type == SIMPLUGIN_DOUBLE)
                data[at++] = (float)item.as.d;
            else
                return sp_arg_error(args, error, key, "row %llu holds something that is no number",
                                    (unsigned long long)r);
        }
    }
    *matrix = simplugin_tensor_of(SIMPLUGIN_FLOAT32, data, value->size, cols);
    return SIMPLUGIN_OK;
}

static int32_t matrix_convert(const sp_args *args, const char *key, simplugin_tensor *matrix,
                              simplugin_error **error)
{
    const sp_kernels *kernels = sp_kernels_get();
    uint64_t stride = simplugin_tensor_stride(matrix);
    float *data;

    if (matrix->dtype == SIMPLUGIN_FLOAT32)
        return SIMPLUGIN_OK;
    if (matrix->dtype != SIMPLUGIN_FLOAT64 && matrix->dtype != SIMPLUGIN_FLOAT16)
        return sp_arg_error(args, error, key, "is a tensor of neither float32, float64 nor float16");
    data = matrix->cols > UINT64_MAX / sizeof *data
               ? NULL
               : sp_arena_array(args->arena, matrix->rows, matrix->cols * sizeof *data);
    if (!data)
        return sp_error_no_memory(error);
    for (uint64_t r = 0; r < matrix->rows; r++) {
        const void *row = (const uint8_t *)matrix->data + r * stride;

        if (matrix->dtype == SIMPLUGIN_FLOAT64)
            kernels->from_float64(row, matrix->cols, data + r * matrix->cols);
        else
            kernels->from_float16(row, matrix->cols, data + r * matrix->cols);
    }
    *matrix = simplugin_tensor_of(SIMPLUGIN_FLOAT32, data, matrix->rows, matrix->cols);
    return SIMPLUGIN_OK;
}

int32_t sp_arg_matrix(const sp_args *args, const char *key, uint64_t dimension,
                      simplugin_tensor *matrix, int *present, simplugin_error **error)
{
    const sp_kernels *kernels = sp_kernels_get();
    simplugin_value value;
    uint64_t stride;
    int32_t code = SIMPLUGIN_OK;

    memset(matrix, 0, sizeof *matrix);
    *present = simplugin_find(&args->map, key, &value);
    if (!*present)
        return SIMPLUGIN_OK;
    if (value.type == SIMPLUGIN_TENSOR)
        *matrix = args->tensors[value.as.u];
    else if (value.type == SIMPLUGIN_ARRAY)
        code = matrix_from_array(args, key, &value, matrix, error);
    else
        code = sp_arg_error(args, error, key, "is neither a tensor nor an array of arrays");
    if (code)
        return code;
    if (matrix->rows && (!matrix->cols || (dimension && matrix->cols != dimension))) {
        if (!matrix->cols)
            return sp_arg_error(args, error, key, "has rows of no numbers");
        sp_error_set(error, SIMPLUGIN_DIMENSION_MISMATCH, "core",
                     "%s: %s: vectors have dimension %llu, the index has %llu", args->method, key,
                     (unsigned long long)matrix->cols, (unsigned long long)dimension);
        sp_error_add_detail(error, "argument", key);
        return SIMPLUGIN_DIMENSION_MISMATCH;
    }
    code = matrix_convert(args, key, matrix, error);
    if (code)
        return code;
    stride = simplugin_tensor_stride(matrix);
    for (uint64_t r = 0; r < matrix->rows; r++) {
        const float *row = (const float *)(const void *)((const uint8_t *)matrix->data + r * stride);

        if (!kernels->all_finite(row, matrix->cols))
            return sp_arg_error(args, error, key,
                                "row %llu holds NaN, infinity or a number too large for float32",
                                (unsigned long long)r);
    }
    return SIMPLUGIN_OK;
}

/* ---- columns -------------------------------------------------------------------------- */

/* What an array of values would be as a column: items, nulls, bytes. */
typedef struct shape {
    uint32_t item;  /* SP_TEXT, ..., 0: only nulls so far */
    int lists;      /* 1 lists, 0 scalars, -1 unknown yet */
    int nulls;
    uint64_t rows;
    uint64_t elements;
    uint64_t bytes;
} shape;

static int shape_add(shape *s, const simplugin_value *value)
{
    uint32_t item = value->type == SIMPLUGIN_TEXT     ? SP_TEXT
                    : value->type == SIMPLUGIN_INT    ? SP_INT64
                    : value->type == SIMPLUGIN_DOUBLE ? SP_FLOAT64
                    : value->type == SIMPLUGIN_BOOL   ? SP_BOOL
                                                      : 0;

    if (!item || (s->item && s->item != item &&
                  !(s->item == SP_INT64 && item == SP_FLOAT64) &&
                  !(s->item == SP_FLOAT64 && item == SP_INT64)))
        return 0;
    if (!(s->item == SP_FLOAT64 && item == SP_INT64))
        s->item = item;
    s->elements++;
    s->bytes += item == SP_TEXT ? value->size : 0;
    return 1;
}

static int shape_measure(shape *s, const simplugin_value *array)
{
    simplugin_iter rows = simplugin_iterate(array);
    simplugin_value row, item;

    memset(s, 0, sizeof *s);
    s->lists = -1;
    for (; simplugin_next(&rows, &row); s->rows++) {
        if (row.type == SIMPLUGIN_NIL) {
            s->nulls = 1;
            s->elements += s->lists == 1 ? 0 : 1;
            continue;
        }
        if (s->lists == -1) {
            s->lists = row.type == SIMPLUGIN_ARRAY;
            if (s->lists)
                s->elements = 0;
        }
        if (s->lists != (row.type == SIMPLUGIN_ARRAY))
            return 0;
        if (s->lists) {
            simplugin_iter items = simplugin_iterate(&row);

            while (simplugin_next(&items, &item))
                if (!shape_add(s, &item))
                    return 0;
        } else if (!shape_add(s, &row)) {
            return 0;
        }
    }
    return 1;
}

/* The arrays of a column while it is filled. */
typedef struct filling {
    uint32_t item;
    uint64_t element;
    uint64_t byte;
    int64_t *offsets;
    union {
        char *text;
        int64_t *int64;
        double *float64;
        uint8_t *boolean;
        void *any;
    } to;
} filling;

static void filling_add(filling *f, const simplugin_value *value)
{
    switch (f->item) {
    case SP_TEXT:
        if (value->size && value->type == SIMPLUGIN_TEXT) {
            memcpy(f->to.text + f->byte, value->data, value->size);
            f->byte += value->size;
        }
        f->offsets[f->element + 1] = (int64_t)f->byte;
        break;
    case SP_INT64: f->to.int64[f->element] = value->as.i; break;
    case SP_FLOAT64:
        f->to.float64[f->element] =
            value->type == SIMPLUGIN_INT ? (double)value->as.i : value->as.d;
        break;
    default: f->to.boolean[f->element] = (uint8_t)value->as.i; break;
    }
    f->element++;
}

/* 1, 0 for values that do not go together, -1 when memory is short. */
static int column_from_array(const simplugin_value *array, sp_arena **arena, sp_column *column)
{
    simplugin_iter rows = simplugin_iterate(array);
    simplugin_value row, item;
    filling f = {0};
    uint8_t *valid = NULL;
    int64_t *lists = NULL;
    shape s;

    if (!shape_measure(&s, array))
        return 0;
    f.item = s.item ? s.item : SP_TEXT;
    f.to.any = sp_arena_alloc(arena, f.item == SP_TEXT ? s.bytes + 1 : (s.elements + 1) * 8);
    if (f.item == SP_TEXT)
        f.offsets = sp_arena_array(arena, s.elements + 1, sizeof *f.offsets);
    if (s.nulls)
        valid = sp_arena_alloc(arena, s.rows / 8 + 1);
    if (s.lists == 1)
        lists = sp_arena_array(arena, s.rows + 1, sizeof *lists);
    if (!f.to.any || (f.item == SP_TEXT && !f.offsets) || (s.nulls && !valid) ||
        (s.lists == 1 && !lists))
        return -1;
    for (uint64_t r = 0; simplugin_next(&rows, &row); r++) {
        if (valid && row.type != SIMPLUGIN_NIL)
            valid[r / 8] |= (uint8_t)(1U << (r % 8));
        if (row.type == SIMPLUGIN_ARRAY) {
            simplugin_iter items = simplugin_iterate(&row);

            while (simplugin_next(&items, &item))
                filling_add(&f, &item);
        } else if (s.lists != 1) {
            filling_add(&f, &row);
        }
        if (lists)
            lists[r + 1] = (int64_t)f.element;
    }
    column->type = f.item | (lists ? SP_LIST : 0);
    column->count = s.rows;
    column->valid = valid;
    column->list_offsets = lists;
    column->offsets = f.offsets;
    column->values = f.to.any;
    return 1;
}

/* What is wrong with the values of a column: text must be UTF-8, booleans 0 or 1. */
static const char *column_check(const sp_column *column)
{
    uint64_t elements = column->type & SP_LIST ? (uint64_t)column->list_offsets[column->count]
                                               : column->count;
    uint32_t item = column->type & ~SP_LIST;

    for (uint64_t i = 0; item == SP_BOOL && i < elements; i++)
        if (((const uint8_t *)column->values)[i] > 1)
            return "holds a bool that is neither 0 nor 1";
    for (uint64_t i = 0; item == SP_TEXT && i < elements; i++) {
        sp_text text = sp_column_text(column, i);

        if (!simplugin_utf8_check((const uint8_t *)text.data, text.size))
            return "holds text that is not UTF-8";
    }
    return NULL;
}

int32_t sp_arg_columns(const sp_args *args, const char *key, uint64_t rows, sp_columns *columns,
                       simplugin_error **error)
{
    simplugin_value map, name, value;
    simplugin_iter iter;

    memset(columns, 0, sizeof *columns);
    if (!simplugin_find(&args->map, key, &map))
        return SIMPLUGIN_OK;
    if (map.type != SIMPLUGIN_MAP)
        return sp_arg_error(args, error, key, "is not a map from names to columns");
    if (map.size > FIELDS_MAX)
        return sp_arg_error(args, error, key, "more than %d fields", FIELDS_MAX);
    /* one more than needed: sample ids join them */
    columns->names = sp_arena_array(args->arena, map.size + 1, sizeof *columns->names);
    columns->columns = sp_arena_array(args->arena, map.size + 1, sizeof *columns->columns);
    if (!columns->names || !columns->columns)
        return sp_error_no_memory(error);
    iter = simplugin_iterate(&map);
    while (simplugin_next(&iter, &name) && simplugin_next(&iter, &value)) {
        sp_column *column = &columns->columns[columns->count];
        char *text = sp_arena_text(args->arena, (const char *)name.data, name.size);
        const char *wrong = NULL;
        int made = 1;

        if (!text)
            return sp_error_no_memory(error);
        if (!name.size || name.size > ID_BYTES_MAX || strlen(text) != name.size)
            return sp_arg_error(args, error, key,
                                "a field's name has 1 to 255 bytes and no U+0000");
        if (value.type == SIMPLUGIN_ARRAY)
            made = column_from_array(&value, args->arena, column);
        else
            wrong = simplugin_column_read(&value, args->tensors, args->tensor_count, column);
        if (made < 0)
            return sp_error_no_memory(error);
        if (!made)
            wrong = "holds values of different types, or of one that fields cannot have";
        else if (!wrong)
            wrong = column_check(column);
        if (wrong)
            return sp_arg_error(args, error, key, "field \"%s\" %s", text, wrong);
        if (column->count != rows)
            return sp_arg_error(args, error, key, "field \"%s\" has %llu rows where there are %llu",
                                text, (unsigned long long)column->count, (unsigned long long)rows);
        for (uint64_t i = 0; i < columns->count; i++)
            if (strcmp(columns->names[i], text) == 0)
                return sp_arg_error(args, error, key, "field \"%s\" comes twice", text);
        columns->names[columns->count++] = text;
    }
    return SIMPLUGIN_OK;
}

int32_t sp_arg_names(const sp_args *args, const char *key, sp_names *names,
                     simplugin_error **error)
{
    simplugin_value value, item;
    simplugin_iter iter;

    memset(names, 0, sizeof *names);
    if (!simplugin_find(&args->map, key, &value))
        return SIMPLUGIN_OK;
    if (value.type == SIMPLUGIN_BOOL) {
        names->all = (int)value.as.i;
        return SIMPLUGIN_OK;
    }
    if (value.type != SIMPLUGIN_ARRAY)
        return sp_arg_error(args, error, key, "is neither an array of names nor true");
    names->names = sp_arena_array(args->arena, FIELDS_MAX, sizeof *names->names);
    if (!names->names)
        return sp_error_no_memory(error);
    for (iter = simplugin_iterate(&value); simplugin_next(&iter, &item);) {
        uint64_t known = 0;

        if (item.type != SIMPLUGIN_TEXT || memchr(item.data, 0, item.size))
            return sp_arg_error(args, error, key, "holds something that is no field's name");
        while (known < names->count && !simplugin_value_is(&item, names->names[known]))
            known++;
        if (known < names->count)
            continue;
        if (names->count == FIELDS_MAX)
            return sp_arg_error(args, error, key, "more than %d names", FIELDS_MAX);
        names->names[names->count] = sp_arena_text(args->arena, (const char *)item.data, item.size);
        if (!names->names[names->count++])
            return sp_error_no_memory(error);
    }
    return SIMPLUGIN_OK;
}

void sp_write_columns(simplugin_writer *writer, const sp_columns *columns)
{
    simplugin_write_map(writer, columns->count);
    for (uint64_t i = 0; i < columns->count; i++) {
        simplugin_write_string(writer, columns->names[i]);
        simplugin_write_column(writer, &columns->columns[i]);
    }
}

void sp_write_names(simplugin_writer *writer, const sp_names *names)
{
    if (names->all) {
        simplugin_write_bool(writer, 1);
        return;
    }
    simplugin_write_array(writer, names->count);
    for (uint64_t i = 0; i < names->count; i++)
        simplugin_write_string(writer, names->names[i]);
}

void sp_write_no_ids(simplugin_writer *writer)
{
    static const int64_t zero = 0;
    static const sp_column none = {.type = SP_TEXT, .offsets = &zero, .values = ""};

    simplugin_write_column(writer, &none);
}

void sp_write_array(simplugin_writer *writer, uint32_t dtype, const void *data, uint64_t count)
{
    simplugin_tensor tensor = simplugin_tensor_of(dtype, data, count, 1);

    simplugin_write_tensor(writer, &tensor);
}
