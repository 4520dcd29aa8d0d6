/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "plug_args.h"

#include "kernels.h"
#include "suggest.h"

#define MAX_ID 255
#define MAX_FIELD_NAME 255
/* How many rows are looked at between looks at the clock. */
#define ROWS_PER_CHECK 4096

/* A zero-terminated copy that lasts as long as the call; NULL: no memory. */
static const char *text_copy(plug_call *call, const simplugin_value *text)
{
    return sp_arena_text(&call->scratch, (const char *)text->data, text->size);
}

/* Says which names there are, and which one was probably meant. */
int32_t plug_unknown_name(plug_call *call, int32_t code, const char *what, const char *name,
                          const char *const *known, uint64_t count)
{
    const char *nearest = sp_suggest_nearest(name, known, (size_t)count);
    sp_buffer list;

    sp_buffer_init(&list);
    sp_suggest_append_list(&list, known, (size_t)count);
    sp_buffer_append(&list, "", 1);
    plug_fail(call, code, "unknown %s \"%s\"%s%s%s; known: %s", what, name,
              nearest ? ", did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "",
              list.failed ? "..." : (const char *)list.data);
    plug_host->error_add_detail(call->error, "argument", 8, name, strlen(name));
    sp_buffer_clear(&list);
    return code;
}

/* Splits the space-separated words; their number. */
static uint64_t words_split(plug_call *call, const char *text, const char ***words)
{
    uint64_t count = 0;
    char *copy = sp_arena_text(&call->scratch, text, strlen(text));
    char *next = NULL;

    *words = plug_scratch(call, strlen(text) + 1, sizeof **words);
    if (!copy || !*words)
        return 0;
    for (char *word = strtok_r(copy, " ", &next); word; word = strtok_r(NULL, " ", &next))
        (*words)[count++] = word;
    return count;
}

static int is_word(const char *words, const simplugin_value *key)
{
    const char *at = words;

    while (*at) {
        size_t size = strcspn(at, " ");

        if (size == key->size && memcmp(at, key->data, size) == 0)
            return 1;
        at += size + (at[size] == ' ');
    }
    return 0;
}

int32_t plug_args_check(plug_call *call, const char *known)
{
    simplugin_iter iter = simplugin_iterate(&call->body);
    simplugin_value key, value;

    while (simplugin_next(&iter, &key) && simplugin_next(&iter, &value)) {
        const char **words;
        const char *name;
        uint64_t count;

        if (value.type == SIMPLUGIN_NIL || is_word(known, &key))
            continue;
        count = words_split(call, known, &words);
        name = text_copy(call, &key);
        return name && words ? plug_unknown_name(call, SIMPLUGIN_INVALID_ARGUMENT, "key", name, words,
                                            count)
                             : plug_no_memory(call);
    }
    return SIMPLUGIN_OK;
}

int32_t plug_arg_parameters(plug_call *call, const char *const *known, uint64_t count,
                            simplugin_value *map)
{
    simplugin_iter iter;
    simplugin_value key, value;

    if (simplugin_find(&call->body, "parameters", map) && map->type != SIMPLUGIN_MAP)
        return plug_fail_argument(call, "parameters", "parameters is a map");
    iter = simplugin_iterate(map);
    while (simplugin_next(&iter, &key) && simplugin_next(&iter, &value)) {
        uint64_t i = 0;
        const char *name;

        while (i < count && !simplugin_value_is(&key, known[i]))
            i++;
        if (i < count || value.type == SIMPLUGIN_NIL)
            continue;
        name = text_copy(call, &key);
        return name ? plug_unknown_name(call, SIMPLUGIN_UNKNOWN_PARAMETER, "parameter", name, known,
                                   count)
                    : plug_no_memory(call);
    }
    return SIMPLUGIN_OK;
}

int32_t plug_unknown_method(plug_call *call, const char *const *known, uint64_t count)
{
    const char *name = sp_arena_text(&call->scratch, call->info->method, call->info->method_size);
    const char *nearest = name ? sp_suggest_nearest(name, known, (size_t)count) : NULL;

    plug_fail(call, SIMPLUGIN_UNKNOWN_METHOD, "no method \"%s\"%s%s%s", name ? name : "?",
              nearest ? ", did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
    plug_host->error_add_detail(call->error, "method", 6, call->info->method,
                                call->info->method_size);
    return SIMPLUGIN_UNKNOWN_METHOD;
}

int32_t plug_arg_collection(plug_call *call)
{
    const char *text;
    uint64_t size;

    if (simplugin_find_text(&call->body, "collection", &text, &size) != 1 || !size)
        return plug_fail_argument(call, "collection", "collection is a text, and needed");
    call->name.data = text;
    call->name.size = (size_t)size;
    return SIMPLUGIN_OK;
}

int32_t plug_arg_string(plug_call *call, const char *key, const char **text)
{
    const char *data;
    uint64_t size;
    int found = simplugin_find_text(&call->body, key, &data, &size);

    *text = NULL;
    if (!found)
        return SIMPLUGIN_OK;
    if (found < 0 || memchr(data, 0, (size_t)size))
        return plug_fail_argument(call, key, "%s is a text without U+0000", key);
    *text = sp_arena_text(&call->scratch, data, size);
    return *text ? SIMPLUGIN_OK : plug_no_memory(call);
}

int32_t plug_arg_int(plug_call *call, const char *key, int64_t min, int64_t max, int64_t *number)
{
    int64_t value;
    int found = simplugin_find_int(&call->body, key, &value);

    if (found < 0 || (found && (value < min || value > max))) {
        if (max == INT64_MAX)
            return plug_fail_argument(call, key, "%s is an int, %lld at least", key,
                                      (long long)min);
        return plug_fail_argument(call, key, "%s is an int from %lld to %lld", key,
                                  (long long)min, (long long)max);
    }
    if (found)
        *number = value;
    return SIMPLUGIN_OK;
}

int32_t plug_arg_bool(plug_call *call, const char *key, int *flag)
{
    if (simplugin_find_bool(&call->body, key, flag) < 0)
        return plug_fail_argument(call, key, "%s is a bool", key);
    return SIMPLUGIN_OK;
}

int32_t plug_arg_double(plug_call *call, const char *key, double *number, int *present)
{
    *present = simplugin_find_double(&call->body, key, number);
    if (*present < 0)
        return plug_fail_argument(call, key, "%s is a finite number", key);
    return SIMPLUGIN_OK;
}

int32_t plug_arg_int64s(plug_call *call, const char *key, const int64_t **data, uint64_t *count)
{
    const simplugin_tensor *tensor = NULL;
    int found = simplugin_find_tensor(&call->body, key, call->request->tensors,
                                      call->request->tensor_count, &tensor);
    int64_t *copy;

    *data = NULL;
    *count = 0;
    if (found < 0 ||
        (found && (tensor->dtype != SIMPLUGIN_INT64 || (tensor->rows && tensor->cols != 1))))
        return plug_fail_argument(call, key, "%s is an int64 tensor of one column", key);
    if (!found)
        return SIMPLUGIN_OK;
    *count = tensor->rows;
    if (tensor->rows && simplugin_tensor_stride(tensor) == sizeof **data) {
        *data = tensor->data;
        return SIMPLUGIN_OK;
    }
    copy = plug_scratch(call, tensor->rows + 1, sizeof *copy);
    if (!copy)
        return plug_no_memory(call);
    for (uint64_t i = 0; i < tensor->rows; i++)
        memcpy(&copy[i], (const uint8_t *)tensor->data + i * simplugin_tensor_stride(tensor),
               sizeof *copy);
    *data = copy;
    return SIMPLUGIN_OK;
}

/* NULL if the text can be an id, else what is wrong with it. */
static const char *id_wrong(sp_text id)
{
    if (!id.size)
        return "is empty";
    if (id.size > MAX_ID)
        return "has more than 255 bytes";
    if (memchr(id.data, 0, id.size))
        return "holds U+0000";
    if (!simplugin_utf8_check((const uint8_t *)id.data, id.size))
        return "is not UTF-8";
    return NULL;
}

int32_t plug_arg_ids(plug_call *call, sp_column *ids, int *present)
{
    simplugin_value value;
    const char *wrong;

    *present = simplugin_find(&call->body, "ids", &value);
    if (!*present)
        return SIMPLUGIN_OK;
    wrong = simplugin_column_read(&value, call->request->tensors, call->request->tensor_count, ids);
    if (wrong)
        return plug_fail_argument(call, "ids", "ids: %s", wrong);
    if (ids->type != SP_TEXT)
        return plug_fail_argument(call, "ids", "ids are a text column");
    for (uint64_t i = 0; i < ids->count; i++) {
        wrong = sp_column_is_valid(ids, i) ? id_wrong(sp_column_text(ids, i)) : "is missing";
        if (wrong)
            return plug_fail_argument(call, "ids", "ids: number %llu %s", (unsigned long long)i,
                                      wrong);
    }
    return SIMPLUGIN_OK;
}

int32_t plug_arg_vectors(plug_call *call, uint64_t dimension, plug_matrix *vectors)
{
    const simplugin_tensor *tensor = NULL;

    if (simplugin_find_tensor(&call->body, "vectors", call->request->tensors,
                              call->request->tensor_count, &tensor) != 1)
        return plug_fail_argument(call, "vectors", "vectors is a tensor, and needed");
    if (tensor->dtype != SIMPLUGIN_FLOAT32)
        return plug_fail_argument(call, "vectors", "vectors are float32");
    if (tensor->cols != dimension) {
        plug_fail(call, SIMPLUGIN_DIMENSION_MISMATCH,
                  "vectors have %llu dimensions, the collection has %llu",
                  (unsigned long long)tensor->cols, (unsigned long long)dimension);
        plug_host->error_add_detail(call->error, "argument", 8, "vectors", 7);
        return SIMPLUGIN_DIMENSION_MISMATCH;
    }
    vectors->data = tensor->data;
    vectors->rows = tensor->rows;
    vectors->stride = simplugin_tensor_stride(tensor) / sizeof(float);
    return SIMPLUGIN_OK;
}

int32_t plug_check_finite(plug_call *call, const plug_matrix *vectors, uint64_t dimension,
                          const int64_t *select, uint64_t count)
{
    const sp_kernels *kernels = sp_kernels_get();

    for (uint64_t i = 0; i < count; i++) {
        uint64_t row = select ? (uint64_t)select[i] : i;
        int32_t code = i % ROWS_PER_CHECK ? SIMPLUGIN_OK : plug_check(call);

        if (code)
            return code;
        if (!kernels->all_finite(vectors->data + row * vectors->stride, dimension))
            return plug_fail_argument(call, "vectors",
                                      "vectors: row %llu holds NaN or an infinity",
                                      (unsigned long long)row);
    }
    return SIMPLUGIN_OK;
}

/* Whether all texts of a column are UTF-8; an envelope's check does not look into tensors. */
static int column_is_utf8(const sp_column *column)
{
    uint64_t count = column->count;

    if ((column->type & ~SP_LIST) != SP_TEXT)
        return 1;
    if (column->type & SP_LIST)
        count = (uint64_t)column->list_offsets[count];
    for (uint64_t i = 0; i < count; i++) {
        sp_text text = sp_column_text(column, i);

        if (!simplugin_utf8_check((const uint8_t *)text.data, text.size))
            return 0;
    }
    return 1;
}

int32_t plug_arg_columns(plug_call *call, uint64_t rows, plug_columns *out)
{
    const char **names = NULL;
    sp_column *columns = NULL;
    simplugin_value map, key, value;
    simplugin_iter iter;
    uint64_t count = 0;

    memset(out, 0, sizeof *out);
    if (!simplugin_find(&call->body, "fields", &map))
        return SIMPLUGIN_OK;
    if (map.type != SIMPLUGIN_MAP)
        return plug_fail_argument(call, "fields", "fields is a map from name to column");
    names = plug_scratch(call, map.size + 1, sizeof *names);
    columns = plug_scratch(call, map.size + 1, sizeof *columns);
    if (!names || !columns)
        return plug_no_memory(call);
    iter = simplugin_iterate(&map);
    while (simplugin_next(&iter, &key) && simplugin_next(&iter, &value)) {
        const char *wrong;

        if (value.type == SIMPLUGIN_NIL)
            continue;
        if (!key.size || key.size > MAX_FIELD_NAME || memchr(key.data, 0, (size_t)key.size))
            return plug_fail_argument(
                call, "fields", "fields: a field's name has 1 to 255 bytes and no U+0000");
        names[count] = text_copy(call, &key);
        if (!names[count])
            return plug_no_memory(call);
        for (uint64_t i = 0; i < count; i++)
            if (strcmp(names[i], names[count]) == 0)
                return plug_fail_argument(call, "fields", "fields: \"%s\" comes twice",
                                          names[count]);
        wrong = simplugin_column_read(&value, call->request->tensors, call->request->tensor_count,
                                      &columns[count]);
        if (!wrong && !column_is_utf8(&columns[count]))
            wrong = "a text is not UTF-8";
        if (wrong)
            return plug_fail_argument(call, "fields", "fields: \"%s\": %s", names[count], wrong);
        if (columns[count].count != rows)
            return plug_fail_argument(call, "fields",
                                      "fields: \"%s\" has %llu rows, there are %llu ids",
                                      names[count], (unsigned long long)columns[count].count,
                                      (unsigned long long)rows);
        count++;
    }
    out->count = count;
    out->names = names;
    out->columns = columns;
    return SIMPLUGIN_OK;
}

int32_t plug_arg_names(plug_call *call, plug_names *names)
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
        return plug_fail_argument(call, "fields", "fields is an array of names, or true");
    names->names = plug_scratch(call, list.size + 1, sizeof *names->names);
    if (!names->names)
        return plug_no_memory(call);
    iter = simplugin_iterate(&list);
    while (simplugin_next(&iter, &item)) {
        if (item.type != SIMPLUGIN_TEXT || memchr(item.data, 0, (size_t)item.size))
            return plug_fail_argument(call, "fields", "fields is an array of names, or true");
        names->names[names->count] = text_copy(call, &item);
        if (!names->names[names->count])
            return plug_no_memory(call);
        names->count++;
    }
    return SIMPLUGIN_OK;
}

int32_t plug_arg_declared(plug_call *call,
                          int (*take)(void *context, const char *name, uint32_t type),
                          void *context)
{
    simplugin_value map, key, value;
    simplugin_iter iter;

    if (!simplugin_find(&call->body, "fields", &map))
        return SIMPLUGIN_OK;
    if (map.type != SIMPLUGIN_MAP)
        return plug_fail_argument(call, "fields", "fields is a map from name to type");
    iter = simplugin_iterate(&map);
    while (simplugin_next(&iter, &key) && simplugin_next(&iter, &value)) {
        uint32_t type = value.type == SIMPLUGIN_TEXT
                            ? sp_column_type((const char *)value.data, (size_t)value.size)
                            : 0;
        const char *name;

        if (!key.size || key.size > MAX_FIELD_NAME || memchr(key.data, 0, (size_t)key.size) || !type)
            return plug_fail_argument(
                call, "fields",
                "fields: \"%.*s\" needs a name of 1 to 255 bytes and a type: text, int64, float64, "
                "bool or list<...> of one of these",
                (int)(key.size < MAX_FIELD_NAME ? key.size : MAX_FIELD_NAME), (const char *)key.data);
        name = sp_arena_text(&call->scratch, (const char *)key.data, key.size);
        if (!name || !take(context, name, type))
            return plug_no_memory(call);
    }
    return SIMPLUGIN_OK;
}
