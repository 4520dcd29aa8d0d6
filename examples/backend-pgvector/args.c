/* SPDX-License-Identifier: Apache-2.0 */
#include "args.h"

#define MAX_NAME 255

static int is_word(const char *words, const simplugin_value *key)
{
    while (*words) {
        size_t size = strcspn(words, " ");

        if (size == key->size && memcmp(words, key->data, size) == 0)
            return 1;
        words += size + (words[size] == ' ');
    }
    return 0;
}

int32_t pgv_args_check(pgv_call *call, const simplugin_value *map, int32_t code, const char *known)
{
    simplugin_iter iter = simplugin_iterate(map);
    simplugin_value key, value;
    const char *name;

    while (simplugin_next(&iter, &key) && simplugin_next(&iter, &value)) {
        if (value.type == SIMPLUGIN_NIL || is_word(known, &key))
            continue;
        name = pgv_take_text(call, key.data, key.size);
        if (!name)
            return pgv_no_memory(call);
        pgv_fail(call, code, "unknown %s \"%.200s\"; known: %s",
                 code == SIMPLUGIN_UNKNOWN_PARAMETER ? "parameter" : "key", name,
                 *known ? known : "none");
        pgv_host->error_add_detail(call->error, "argument", 8, name, strlen(name));
        return code;
    }
    return SIMPLUGIN_OK;
}

int32_t pgv_arg_parameters(pgv_call *call, const char *known, simplugin_value *map)
{
    if (!simplugin_find(&call->body, "parameters", map))
        return SIMPLUGIN_OK;
    if (map->type != SIMPLUGIN_MAP)
        return pgv_fail_argument(call, "parameters", "parameters is a map");
    return pgv_args_check(call, map, SIMPLUGIN_UNKNOWN_PARAMETER, known);
}

int32_t pgv_arg_collection(pgv_call *call)
{
    const char *text;
    uint64_t size;

    if (simplugin_find_text(&call->body, "collection", &text, &size) != 1)
        return pgv_fail_argument(call, "collection", "collection is a text, and needed");
    if (!size || size > MAX_NAME || memchr(text, 0, (size_t)size))
        return pgv_fail_argument(call, "collection",
                                 "collection is a name of 1 to %d bytes without U+0000", MAX_NAME);
    call->collection = pgv_take_text(call, text, size);
    return call->collection ? SIMPLUGIN_OK : pgv_no_memory(call);
}

int32_t pgv_arg_string(pgv_call *call, const char *key, const char **text)
{
    const char *data = NULL;
    uint64_t size = 0;
    int found = simplugin_find_text(&call->body, key, &data, &size);

    if (!found)
        return SIMPLUGIN_OK;
    if (found < 0 || memchr(data, 0, (size_t)size))
        return pgv_fail_argument(call, key, "%s is a text without U+0000", key);
    *text = pgv_take_text(call, data, size);
    return *text ? SIMPLUGIN_OK : pgv_no_memory(call);
}

int32_t pgv_arg_int(pgv_call *call, const char *key, int64_t min, int64_t max, int64_t *number)
{
    int64_t value = 0;
    int found = simplugin_find_int(&call->body, key, &value);

    if (found < 0 || (found && (value < min || value > max)))
        return pgv_fail_argument(call, key, "%s is an int from %lld to %lld", key, (long long)min,
                                 (long long)max);
    if (found)
        *number = value;
    return SIMPLUGIN_OK;
}

int32_t pgv_arg_bool(pgv_call *call, const char *key, int *flag)
{
    if (simplugin_find_bool(&call->body, key, flag) < 0)
        return pgv_fail_argument(call, key, "%s is a bool", key);
    return SIMPLUGIN_OK;
}

int32_t pgv_arg_double(pgv_call *call, const char *key, double *number, int *present)
{
    *present = simplugin_find_double(&call->body, key, number);
    if (*present < 0)
        return pgv_fail_argument(call, key, "%s is a finite number", key);
    return SIMPLUGIN_OK;
}

/* NULL if it can be an id, else what is wrong. */
static const char *id_wrong(const char *id, uint64_t size)
{
    if (!size)
        return "is empty";
    if (size > MAX_NAME)
        return "has more than 255 bytes";
    if (memchr(id, 0, (size_t)size))
        return "holds U+0000";
    return simplugin_utf8_check((const uint8_t *)id, size) ? NULL : "is not UTF-8";
}

int32_t pgv_arg_ids(pgv_call *call, simplugin_column *ids, int *present)
{
    simplugin_value value;
    const char *wrong;
    int found = simplugin_find(&call->body, "ids", &value);

    memset(ids, 0, sizeof *ids);
    if (present)
        *present = found;
    if (!found)
        return present ? SIMPLUGIN_OK : pgv_fail_argument(call, "ids", "ids are needed");
    wrong = simplugin_column_read(&value, call->request->tensors, call->request->tensor_count, ids);
    if (!wrong && ids->type != SIMPLUGIN_COLUMN_TEXT)
        wrong = "they are a text column";
    if (wrong)
        return pgv_fail_argument(call, "ids", "ids: %s", wrong);
    for (uint64_t i = 0; i < ids->count; i++) {
        uint64_t size;
        const char *id = simplugin_column_text(ids, i, &size);

        wrong = simplugin_column_is_valid(ids, i) ? id_wrong(id, size) : "is missing";
        if (wrong)
            return pgv_fail_argument(call, "ids", "ids: number %llu %s", (unsigned long long)i,
                                     wrong);
    }
    return SIMPLUGIN_OK;
}

int32_t pgv_arg_vectors(pgv_call *call, uint64_t dimension, pgv_matrix *vectors)
{
    const simplugin_tensor *tensor = NULL;

    if (simplugin_find_tensor(&call->body, "vectors", call->request->tensors,
                              call->request->tensor_count, &tensor) != 1 ||
        tensor->dtype != SIMPLUGIN_FLOAT32)
        return pgv_fail_argument(call, "vectors", "vectors is a float32 tensor, and needed");
    if (tensor->cols != dimension) {
        pgv_fail(call, SIMPLUGIN_DIMENSION_MISMATCH,
                 "vectors have %llu dimensions, the collection has %llu",
                 (unsigned long long)tensor->cols, (unsigned long long)dimension);
        pgv_host->error_add_detail(call->error, "argument", 8, "vectors", 7);
        return SIMPLUGIN_DIMENSION_MISMATCH;
    }
    vectors->data = tensor->data;
    vectors->rows = tensor->rows;
    vectors->stride = simplugin_tensor_stride(tensor) / sizeof(float);
    for (uint64_t i = 0; i < vectors->rows; i++)
        for (uint64_t j = 0; j < dimension; j++)
            if (!isfinite(vectors->data[i * vectors->stride + j]))
                return pgv_fail_argument(call, "vectors",
                                         "vectors: row %llu holds NaN or an infinity",
                                         (unsigned long long)i);
    return SIMPLUGIN_OK;
}

uint64_t pgv_selected(const pgv_selection *selection, uint64_t i)
{
    int64_t row;

    if (!selection->numbers)
        return i;
    memcpy(&row,
           (const uint8_t *)selection->numbers->data +
               i * simplugin_tensor_stride(selection->numbers),
           sizeof row);
    return (uint64_t)row;
}

int32_t pgv_arg_rows(pgv_call *call, uint64_t rows, pgv_selection *selection)
{
    const simplugin_tensor *tensor = NULL;
    int found = simplugin_find_tensor(&call->body, "rows", call->request->tensors,
                                      call->request->tensor_count, &tensor);

    selection->numbers = tensor;
    selection->count = found > 0 ? tensor->rows : rows;
    if (found < 0 ||
        (found && (tensor->dtype != SIMPLUGIN_INT64 || (tensor->rows && tensor->cols != 1))))
        return pgv_fail_argument(call, "rows", "rows is an int64 tensor of one column");
    for (uint64_t i = 0; found && i < selection->count; i++)
        if (pgv_selected(selection, i) >= rows)
            return pgv_fail_argument(call, "rows", "rows: number %llu is %lld, of %llu rows",
                                     (unsigned long long)i, (long long)pgv_selected(selection, i),
                                     (unsigned long long)rows);
    return SIMPLUGIN_OK;
}

/*
 * NULL, or why the texts of a column cannot be stored: an envelope's check does not look into
 * tensors, and PostgreSQL's texts hold every character but one.
 */
static const char *texts_wrong(const simplugin_column *column)
{
    uint64_t count = column->type & SIMPLUGIN_COLUMN_LIST
                         ? (uint64_t)column->list_offsets[column->count]
                         : column->count;

    if ((column->type & ~SIMPLUGIN_COLUMN_LIST) != SIMPLUGIN_COLUMN_TEXT)
        return NULL;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t size;
        const char *text = simplugin_column_text(column, i, &size);

        if (!simplugin_utf8_check((const uint8_t *)text, size))
            return "a text is not UTF-8";
        if (size && memchr(text, 0, (size_t)size))
            return "a text holds U+0000, which PostgreSQL does not store";
    }
    return NULL;
}

int32_t pgv_arg_columns(pgv_call *call, uint64_t rows, pgv_column **columns, uint64_t *count)
{
    simplugin_value map, key, value;
    simplugin_iter iter;
    pgv_column *column;

    *count = 0;
    *columns = NULL;
    if (!simplugin_find(&call->body, "fields", &map))
        return SIMPLUGIN_OK;
    if (map.type != SIMPLUGIN_MAP)
        return pgv_fail_argument(call, "fields", "fields is a map from name to column");
    *columns = pgv_take(call, map.size + 1, sizeof **columns);
    if (!*columns)
        return pgv_no_memory(call);
    iter = simplugin_iterate(&map);
    while (simplugin_next(&iter, &key) && simplugin_next(&iter, &value)) {
        const char *wrong;

        if (value.type == SIMPLUGIN_NIL)
            continue;
        if (!key.size || key.size > MAX_NAME || memchr(key.data, 0, (size_t)key.size))
            return pgv_fail_argument(call, "fields",
                                     "fields: a name has 1 to %d bytes and no U+0000", MAX_NAME);
        column = &(*columns)[*count];
        column->name = pgv_take_text(call, key.data, key.size);
        if (!column->name)
            return pgv_no_memory(call);
        wrong = simplugin_column_read(&value, call->request->tensors, call->request->tensor_count,
                                      &column->values);
        if (!wrong)
            wrong = texts_wrong(&column->values);
        for (uint64_t i = 0; !wrong && i < *count; i++)
            if (strcmp((*columns)[i].name, column->name) == 0)
                wrong = "it comes twice";
        if (wrong)
            return pgv_fail_argument(call, "fields", "fields: \"%s\": %s", column->name, wrong);
        if (column->values.count != rows)
            return pgv_fail_argument(
                call, "fields", "fields: \"%s\" has %llu rows, there are %llu ids", column->name,
                (unsigned long long)column->values.count, (unsigned long long)rows);
        ++*count;
    }
    return SIMPLUGIN_OK;
}

int32_t pgv_arg_names(pgv_call *call, pgv_names *names)
{
    simplugin_value list, item;
    simplugin_iter iter;

    memset(names, 0, sizeof *names);
    if (!simplugin_find(&call->body, "fields", &list))
        return SIMPLUGIN_OK;
    if (list.type == SIMPLUGIN_BOOL) {
        names->all = (int)list.as.i;
        return SIMPLUGIN_OK;
    }
    if (list.type != SIMPLUGIN_ARRAY)
        return pgv_fail_argument(call, "fields", "fields is an array of names, or true");
    names->names = pgv_take(call, list.size + 1, sizeof *names->names);
    if (!names->names)
        return pgv_no_memory(call);
    iter = simplugin_iterate(&list);
    while (simplugin_next(&iter, &item)) {
        if (item.type != SIMPLUGIN_TEXT || memchr(item.data, 0, (size_t)item.size))
            return pgv_fail_argument(call, "fields", "fields is an array of names, or true");
        names->names[names->count] = pgv_take_text(call, item.data, item.size);
        if (!names->names[names->count++])
            return pgv_no_memory(call);
    }
    return SIMPLUGIN_OK;
}
