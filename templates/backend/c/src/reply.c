/* SPDX-License-Identifier: Apache-2.0 */
/* Writing points into replies: ids, vectors and fields as columns. */
#include "backend.h"

simplugin_writer *reply_key(struct call *call, const char *key)
{
    simplugin_write_string(&call->out, key);
    call->keys++;
    return &call->out;
}

void reply_numbers(struct call *call, const char *key, uint32_t dtype, const void *data,
                   uint64_t count)
{
    simplugin_tensor tensor = simplugin_tensor_of(dtype, data, count, 1);

    simplugin_write_tensor(reply_key(call, key), &tensor);
}

static int32_t write_ids(struct call *call, const struct point *const *points, uint64_t count)
{
    simplugin_column ids = {.type = SIMPLUGIN_COLUMN_TEXT, .count = count};
    uint64_t bytes = 0;
    int64_t *offsets;
    char *text;

    for (uint64_t i = 0; i < count; i++)
        bytes += points[i]->id_size;
    offsets = host->reply_alloc(call->reply, (count + 1) * sizeof *offsets);
    text = host->reply_alloc(call->reply, bytes + 1);
    if (!offsets || !text)
        return fail_no_memory(call);
    for (uint64_t i = 0; i < count; i++) {
        memcpy(text + offsets[i], points[i]->id, (size_t)points[i]->id_size);
        offsets[i + 1] = offsets[i] + (int64_t)points[i]->id_size;
    }
    ids.offsets = offsets;
    ids.values = text;
    simplugin_write_column(reply_key(call, "ids"), &ids);
    return SIMPLUGIN_OK;
}

static int32_t write_vectors(struct call *call, const struct point *const *points, uint64_t count)
{
    uint64_t dimension = call->collection->dimension;
    float *data = host->reply_alloc(call->reply, count * dimension * sizeof *data + 1);
    simplugin_tensor vectors = simplugin_tensor_of(SIMPLUGIN_FLOAT32, data, count, dimension);

    if (!data)
        return fail_no_memory(call);
    for (uint64_t i = 0; i < count; i++)
        memcpy(data + i * dimension, points[i]->vector, (size_t)dimension * sizeof *data);
    simplugin_write_tensor(reply_key(call, "vectors"), &vectors);
    return SIMPLUGIN_OK;
}

/* The arrays of a column with room for what it will hold. */
struct filling {
    uint8_t *valid;
    uint8_t *values;
    int64_t *offsets; /* text only */
    int64_t *lists;   /* lists only */
    uint64_t items;
    uint64_t bytes;
};

/* Appends a value. One that is missing takes up a place, but in a column of lists none. */
static void append_value(struct filling *filling, uint32_t type, const struct value *value,
                         uint64_t row)
{
    uint64_t filler = value || type & SIMPLUGIN_COLUMN_LIST ? 0 : item_size(type);

    if (value) {
        filling->valid[row / 8] |= (uint8_t)(1 << row % 8);
        memcpy(filling->values + filling->bytes, value->data, (size_t)value->bytes);
        for (uint64_t i = 0; filling->offsets && i < value->items; i++)
            filling->offsets[filling->items + i + 1] = (int64_t)filling->bytes + value->ends[i];
        filling->items += value->items;
        filling->bytes += value->bytes;
    } else if (!(type & SIMPLUGIN_COLUMN_LIST)) {
        filling->items++;
        filling->bytes += filler;
        if (filling->offsets)
            filling->offsets[filling->items] = (int64_t)filling->bytes;
    }
    if (filling->lists)
        filling->lists[row + 1] = (int64_t)filling->items;
}

/* The column of a field of points. */
static int32_t write_field(struct call *call, uint64_t field, const struct point *const *points,
                           uint64_t count)
{
    uint32_t type = call->collection->fields[field].type;
    int is_text = (type & ~SIMPLUGIN_COLUMN_LIST) == SIMPLUGIN_COLUMN_TEXT;
    int is_list = (type & SIMPLUGIN_COLUMN_LIST) != 0;
    simplugin_column column = {.type = type, .count = count};
    uint64_t items = 0, bytes = 0;
    struct filling filling = {.items = 0};

    for (uint64_t i = 0; i < count; i++) {
        const struct value *value = point_value(points[i], field);

        items += value ? value->items : 1;
        bytes += value ? value->bytes : item_size(type);
    }
    filling.valid = host->reply_alloc(call->reply, count / 8 + 1);
    filling.values = host->reply_alloc(call->reply, bytes + 1);
    if (is_text)
        filling.offsets = host->reply_alloc(call->reply, (items + 1) * sizeof(int64_t));
    if (is_list)
        filling.lists = host->reply_alloc(call->reply, (count + 1) * sizeof(int64_t));
    if (!filling.valid || !filling.values || (is_text && !filling.offsets) ||
        (is_list && !filling.lists))
        return fail_no_memory(call);
    for (uint64_t i = 0; i < count; i++)
        append_value(&filling, type, point_value(points[i], field), i);
    column.valid = filling.valid;
    column.values = filling.values;
    column.offsets = filling.offsets;
    column.list_offsets = filling.lists;
    simplugin_write_column(&call->out, &column);
    return SIMPLUGIN_OK;
}

/* Whether a request for fields - an array of names, or true for all - has this one. */
static int asks_for(const simplugin_value *asked, const struct field *field)
{
    simplugin_iter iter = simplugin_iterate(asked);
    simplugin_value name;

    if (asked->type == SIMPLUGIN_BOOL)
        return (int)asked->as.i;
    while (simplugin_next(&iter, &name))
        if (name.type == SIMPLUGIN_TEXT && name.size == field->size &&
            memcmp(name.data, field->name, (size_t)name.size) == 0)
            return 1;
    return 0;
}

static int32_t write_fields(struct call *call, const simplugin_value *asked,
                            const struct point *const *points, uint64_t count)
{
    uint64_t begin = simplugin_write_map_begin(reply_key(call, "fields"));
    uint64_t written = 0;
    int32_t code = SIMPLUGIN_OK;

    for (uint64_t i = 0; !code && i < call->collection->field_count; i++) {
        const struct field *field = &call->collection->fields[i];

        if (!asks_for(asked, field))
            continue;
        simplugin_write_text(&call->out, field->name, field->size);
        code = write_field(call, i, points, count);
        written++;
        if (!code)
            code = check_time(call);
    }
    simplugin_write_end(&call->out, begin, written);
    return code;
}

int32_t reply_points(struct call *call, const struct point *const *points, uint64_t count,
                     int with_vectors)
{
    simplugin_value asked;
    int32_t code = write_ids(call, points, count);

    if (!code && with_vectors)
        code = write_vectors(call, points, count);
    if (code || !simplugin_find(&call->body, "fields", &asked))
        return code;
    if (asked.type != SIMPLUGIN_ARRAY && asked.type != SIMPLUGIN_BOOL)
        return fail_argument(call, "fields", "an array of names, or true, is needed");
    return write_fields(call, &asked, points, count);
}
