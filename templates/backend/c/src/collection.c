/* SPDX-License-Identifier: Apache-2.0 */
/* One collection of the store: its fields, and its points by number and by id. */
#include "store.h"

#include <search.h>

/* ---- fields ---- */

uint64_t collection_find_field(const struct collection *collection, const char *name,
                               uint64_t size)
{
    for (uint64_t i = 0; i < collection->field_count; i++)
        if (collection->fields[i].size == size &&
            memcmp(collection->fields[i].name, name, (size_t)size) == 0)
            return i;
    return NO_FIELD;
}

uint64_t collection_field(struct collection *collection, const char *name, uint64_t size,
                          uint32_t type)
{
    uint64_t found = collection_find_field(collection, name, size);
    struct field *grown;
    char *copy;

    if (found != NO_FIELD)
        return found;
    grown = realloc(collection->fields, (size_t)(collection->field_count + 1) * sizeof *grown);
    if (!grown)
        return NO_FIELD;
    collection->fields = grown;
    copy = malloc((size_t)size + 1);
    if (!copy)
        return NO_FIELD;
    memcpy(copy, name, (size_t)size);
    grown[collection->field_count] = (struct field){.name = copy, .size = size, .type = type};
    return collection->field_count++;
}

/* ---- a point ---- */

struct point *point_new(const char *id, uint64_t size, const float *vector, uint64_t dimension)
{
    size_t bytes = (size_t)dimension * sizeof *vector;
    struct point *made = calloc(1, sizeof *made + bytes + (size_t)size);

    if (!made)
        return NULL;
    memcpy(made->vector, vector, bytes);
    made->id = (char *)(made->vector + dimension);
    made->id_size = size;
    if (size)
        memcpy(made->id, id, (size_t)size);
    return made;
}

void point_free(struct point *point)
{
    for (uint64_t i = 0; point && i < point->value_count; i++)
        free(point->values[i]);
    if (point)
        free(point->values);
    free(point);
}

uint64_t item_size(uint32_t type)
{
    uint32_t item = type & ~SIMPLUGIN_COLUMN_LIST;

    return item == SIMPLUGIN_COLUMN_TEXT ? 0 : item == SIMPLUGIN_COLUMN_BOOL ? 1 : 8;
}

/* The items from first to before last of a column. */
static struct value *copy_items(const simplugin_column *column, uint64_t first, uint64_t last)
{
    const uint8_t *from = column->values;
    uint64_t items = last - first;
    uint64_t ends = column->offsets ? items : 0;
    uint64_t begin, end;
    struct value *copy;

    if (column->offsets) {
        begin = (uint64_t)column->offsets[first];
        end = (uint64_t)column->offsets[last];
    } else {
        begin = first * item_size(column->type);
        end = last * item_size(column->type);
    }
    copy = malloc(sizeof *copy + (size_t)ends * sizeof(int64_t) + (size_t)(end - begin));
    if (!copy)
        return NULL;
    copy->items = items;
    copy->bytes = end - begin;
    copy->data = (uint8_t *)(copy->ends + ends);
    for (uint64_t i = 0; i < ends; i++)
        copy->ends[i] = column->offsets[first + i + 1] - (int64_t)begin;
    if (copy->bytes)
        memcpy(copy->data, from + begin, (size_t)copy->bytes);
    return copy;
}

int point_set(struct point *point, uint64_t field, const simplugin_column *column, uint64_t row)
{
    uint64_t first = row, last = row + 1;
    struct value **grown;

    if (!simplugin_column_is_valid(column, row))
        return 1;
    if (field >= point->value_count) {
        grown = realloc(point->values, (size_t)(field + 1) * sizeof *grown);
        if (!grown)
            return 0;
        for (uint64_t i = point->value_count; i <= field; i++)
            grown[i] = NULL;
        point->values = grown;
        point->value_count = field + 1;
    }
    if (column->list_offsets) {
        first = (uint64_t)column->list_offsets[row];
        last = (uint64_t)column->list_offsets[row + 1];
    }
    free(point->values[field]);
    point->values[field] = copy_items(column, first, last);
    return point->values[field] != NULL;
}

const struct value *point_value(const struct point *point, uint64_t field)
{
    return field < point->value_count ? point->values[field] : NULL;
}

/* ---- the points ---- */

static int compare_ids(const void *left, const void *right)
{
    const struct point *a = left, *b = right;
    uint64_t size = a->id_size < b->id_size ? a->id_size : b->id_size;
    int order = size ? memcmp(a->id, b->id, (size_t)size) : 0;

    return order ? order : a->id_size < b->id_size ? -1 : a->id_size > b->id_size;
}

/* The point in the tree, as tsearch stores it; NULL: there is none. */
static struct point **find_id(const struct collection *collection, const char *id, uint64_t size)
{
    struct point key = {.id = (char *)(uintptr_t)id, .id_size = size};

    return tfind(&key, &collection->by_id, compare_ids);
}

int collection_reserve(struct collection *collection, uint64_t count)
{
    uint64_t needed = collection->point_count + count;
    uint64_t capacity = collection->point_capacity ? collection->point_capacity : 64;
    struct point **grown;

    while (capacity < needed)
        capacity *= 2;
    if (capacity == collection->point_capacity)
        return 1;
    grown = realloc(collection->points, (size_t)capacity * sizeof *grown);
    if (!grown)
        return 0;
    collection->points = grown;
    collection->point_capacity = capacity;
    return 1;
}

int collection_put(struct collection *collection, struct point *added, int *is_new)
{
    struct point **place = tsearch(added, &collection->by_id, compare_ids);
    struct point *before;

    if (!place)
        return 0;
    before = *place;
    *is_new = before == added;
    if (*is_new) {
        added->number = collection->next_number++;
        collection->points[collection->point_count++] = added;
    } else {
        added->number = before->number;
        collection->points[collection_position(collection, before->number)] = added;
        *place = added;
        point_free(before);
    }
    return 1;
}

struct point *collection_find(const struct collection *collection, const char *id,
                                    uint64_t size)
{
    struct point **place = find_id(collection, id, size);

    return place ? *place : NULL;
}

void collection_take_out(struct collection *collection, const char *id, uint64_t size)
{
    struct point **place = find_id(collection, id, size);
    struct point *found;

    if (!place)
        return;
    found = *place;
    found->is_out = 1;
    tdelete(found, &collection->by_id, compare_ids);
}

void collection_close_gaps(struct collection *collection)
{
    uint64_t count = 0;

    for (uint64_t i = 0; i < collection->point_count; i++) {
        struct point *point = collection->points[i];

        if (point->is_out)
            point_free(point);
        else
            collection->points[count++] = point;
    }
    collection->point_count = count;
}

static void leave(void *point)
{
    (void)point; /* the tree does not own it */
}

void collection_empty(struct collection *collection)
{
    tdestroy(collection->by_id, leave);
    collection->by_id = NULL;
    for (uint64_t i = 0; i < collection->point_count; i++)
        point_free(collection->points[i]);
    collection->point_count = 0;
}

uint64_t collection_position(const struct collection *collection, uint64_t number)
{
    uint64_t low = 0, high = collection->point_count;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (collection->points[middle]->number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint64_t point_bytes(const struct point *point, uint64_t dimension)
{
    uint64_t bytes = point->id_size + dimension * sizeof(float);

    for (uint64_t i = 0; i < point->value_count; i++)
        bytes += point->values[i] ? point->values[i]->bytes : 0;
    return bytes;
}

uint64_t points_fit(const struct point *const *points, uint64_t count, uint64_t dimension,
                    uint64_t max_points, uint64_t max_bytes)
{
    uint64_t fit = 0, bytes = 0;

    while (fit < count && fit < max_points) {
        bytes += point_bytes(points[fit], dimension);
        if (fit && bytes > max_bytes)
            break;
        fit++;
    }
    return fit;
}

/* ---- a collection ---- */

struct collection *collection_new(const char *name, uint64_t size, uint64_t dimension,
                                  int32_t metric)
{
    struct collection *made = calloc(1, sizeof *made);
    char *copy = malloc((size_t)size + 1);

    if (!made || !copy || !collection_reserve(made, 1)) {
        free(made);
        free(copy);
        return NULL;
    }
    memcpy(copy, name, (size_t)size);
    copy[size] = '\0';
    made->name = copy;
    made->dimension = dimension;
    made->metric = metric;
    return made;
}

void collection_free(struct collection *collection)
{
    if (!collection)
        return;
    collection_empty(collection);
    for (uint64_t i = 0; i < collection->field_count; i++)
        free(collection->fields[i].name);
    free(collection->points);
    free(collection->fields);
    free(collection->name);
    free(collection);
}
