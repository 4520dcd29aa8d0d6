/* SPDX-License-Identifier: Apache-2.0 */
/* health and collection.* */
#include "backend.h"

#define MAX_DIMENSION 65536

/* With a server: ask it, and answer UNAVAILABLE or UNAUTHENTICATED where it does not answer. */
int32_t health(struct call *call)
{
    simplugin_write_string(reply_key(call, "version"), BACKEND_VERSION);
    return SIMPLUGIN_OK;
}

int32_t collection_list(struct call *call)
{
    simplugin_write_array(reply_key(call, "collections"), store_count());
    for (uint64_t i = 0; i < store_count(); i++)
        simplugin_write_string(&call->out, store_at(i)->name);
    return SIMPLUGIN_OK;
}

int32_t collection_exists(struct call *call)
{
    const char *name;
    uint64_t size;
    int32_t code = read_collection_name(call, &name, &size);

    if (!code)
        simplugin_write_bool(reply_key(call, "exists"), store_find(name, size) != NULL);
    return code;
}

/* Fields need not be declared here: those that are not come with the first points. */
static int32_t declare_fields(struct call *call, struct collection *made)
{
    simplugin_value fields, name, type;
    simplugin_iter iter;

    simplugin_find(&call->body, "fields", &fields);
    if (fields.type && fields.type != SIMPLUGIN_MAP)
        return fail_argument(call, "fields", "a map of names to types is needed");
    iter = simplugin_iterate(&fields);
    while (simplugin_next(&iter, &name) && simplugin_next(&iter, &type)) {
        uint32_t number = simplugin_column_type(&type);

        if (!number)
            return fail_argument(call, "fields", "a field has a type that does not exist");
        if (collection_field(made, (const char *)name.data, name.size, number) == NO_FIELD)
            return fail_no_memory(call);
    }
    return SIMPLUGIN_OK;
}

int32_t collection_create(struct call *call)
{
    simplugin_value metric;
    uint64_t dimension = 0, size;
    struct collection *made;
    const char *name;
    int32_t number = METRIC_COSINE;
    int32_t code = read_collection_name(call, &name, &size);

    if (!code)
        code = read_count(call, "dimension", &dimension);
    if (code)
        return code;
    if (dimension < 1 || dimension > MAX_DIMENSION)
        return fail_argument(call, "dimension", "a number from 1 to 65536 is needed");
    if (simplugin_find(&call->body, "metric", &metric))
        number = metric_number(&metric);
    if (number < 0)
        return fail_argument(call, "metric", "cosine, dotproduct or euclidean is needed");
    if (store_find(name, size))
        return fail(call, SIMPLUGIN_ALREADY_EXISTS, "there is a collection \"%.*s\" already",
                    (int)size, name);
    made = collection_new(name, size, dimension, number);
    if (!made)
        return fail_no_memory(call);
    code = declare_fields(call, made);
    if (!code && !store_add(made))
        code = fail_no_memory(call);
    if (code)
        collection_free(made);
    else
        simplugin_write_text(reply_key(call, "collection"), name, size);
    return code;
}

static const char *type_name(uint32_t type)
{
    static const char *const names[] = {
        "", "text", "int64", "float64", "bool", "list<text>", "list<int64>", "list<float64>",
        "list<bool>"};

    return names[(type & ~SIMPLUGIN_COLUMN_LIST) + (type & SIMPLUGIN_COLUMN_LIST ? 4 : 0)];
}

int32_t collection_describe(struct call *call)
{
    const struct collection *collection = call->collection;
    int patches = 0;

    simplugin_write_string(reply_key(call, "collection"), collection->name);
    simplugin_write_uint(reply_key(call, "dimension"), collection->dimension);
    simplugin_write_string(reply_key(call, "metric"), metric_name(collection->metric));
    simplugin_write_uint(reply_key(call, "count"), collection->point_count);
    simplugin_write_string(reply_key(call, "id_mode"), "native");
    simplugin_write_map(reply_key(call, "fields"), collection->field_count);
    for (uint64_t i = 0; i < collection->field_count; i++) {
        const struct field *field = &collection->fields[i];

        simplugin_write_text(&call->out, field->name, field->size);
        simplugin_write_string(&call->out, type_name(field->type));
        patches |= field->size == 9 && memcmp(field->name, "sample_id", 9) == 0 &&
                   field->type == SIMPLUGIN_COLUMN_TEXT;
    }
    simplugin_write_bool(reply_key(call, "patches"), patches);
    return SIMPLUGIN_OK;
}

int32_t collection_drop(struct call *call)
{
    store_remove(call->collection);
    return SIMPLUGIN_OK;
}
