/* SPDX-License-Identifier: Apache-2.0 */
/* What a Milvus server answers, from short texts, packed by protobuf-c. */
#ifndef SP_TESTS_MILVUS_REPLY_H
#define SP_TESTS_MILVUS_REPLY_H

#include "milvus_rig.h"
#include "plugins/milvus/milvus.pb-c.h"

#define REPLY_FIELDS_MAX 16

typedef struct milvus_told {
    milvus_rig *rig;
    Milvus__FieldData *fields[REPLY_FIELDS_MAX];
    size_t field_count;
    uint8_t *data; /* packed, in an allocation of its exact size */
    size_t size;
} milvus_told;

static inline uint32_t reply_column_type(int32_t type)
{
    milvus_field field = {.type = type};

    return milvus_field_column(&field);
}

/* Room for count items in the member of that name, which becomes the one that is sent. */
#define REPLY_ITEMS(scalars, which, member, type, count)                     \
    ((scalars)->data_case = MILVUS__SCALAR_FIELD__DATA_##which,              \
     (scalars)->member = rig_memory(rig, 1, sizeof *(scalars)->member),      \
     milvus__##type##__init((scalars)->member), (scalars)->member->n_data = (count), \
     (scalars)->member->data = rig_memory(rig, count, sizeof *(scalars)->member->data))

/* Items of a column as the server's type has them. */
static inline Milvus__ScalarField *reply_scalars(milvus_rig *rig, int32_t type,
                                                 const sp_column *column, uint64_t from,
                                                 uint64_t to)
{
    Milvus__ScalarField *scalars = rig_memory(rig, 1, sizeof *scalars);
    const int64_t *integers = column->values;
    const double *doubles = column->values;
    size_t count = (size_t)(to - from);

    milvus__scalar_field__init(scalars);
    switch (type) {
    case MILVUS_BOOL:
        REPLY_ITEMS(scalars, BOOL_DATA, bool_data, bool_array, count);
        for (size_t i = 0; i < count; i++)
            scalars->bool_data->data[i] = ((const uint8_t *)column->values)[from + i];
        break;
    case MILVUS_INT64:
        REPLY_ITEMS(scalars, LONG_DATA, long_data, long_array, count);
        for (size_t i = 0; i < count; i++)
            scalars->long_data->data[i] = integers[from + i];
        break;
    case MILVUS_FLOAT:
        REPLY_ITEMS(scalars, FLOAT_DATA, float_data, float_array, count);
        for (size_t i = 0; i < count; i++)
            scalars->float_data->data[i] = (float)doubles[from + i];
        break;
    case MILVUS_DOUBLE:
        REPLY_ITEMS(scalars, DOUBLE_DATA, double_data, double_array, count);
        for (size_t i = 0; i < count; i++)
            scalars->double_data->data[i] = doubles[from + i];
        break;
    case MILVUS_VARCHAR:
    case MILVUS_STRING:
        REPLY_ITEMS(scalars, STRING_DATA, string_data, string_array, count);
        for (size_t i = 0; i < count; i++) {
            sp_text text = sp_column_text(column, from + i);

            scalars->string_data->data[i] = rig_copy(rig, text.data, text.size);
        }
        break;
    case MILVUS_JSON:
        REPLY_ITEMS(scalars, JSON_DATA, json_data, bytes_array, count);
        for (size_t i = 0; i < count; i++) {
            sp_text text = sp_column_text(column, from + i);

            scalars->json_data->data[i].len = text.size;
            scalars->json_data->data[i].data = (uint8_t *)rig_copy(rig, text.data, text.size);
        }
        break;
    default:
        REPLY_ITEMS(scalars, INT_DATA, int_data, int_array, count);
        for (size_t i = 0; i < count; i++)
            scalars->int_data->data[i] = (int32_t)integers[from + i];
    }
    return scalars;
}

static inline Milvus__FieldData *reply_add(milvus_told *told, const char *name, int32_t type)
{
    Milvus__FieldData *field = rig_memory(told->rig, 1, sizeof *field);

    if (told->field_count == REPLY_FIELDS_MAX)
        abort();
    milvus__field_data__init(field);
    field->field_name = rig_copy(told->rig, name, strlen(name));
    field->type = type;
    told->fields[told->field_count++] = field;
    return field;
}

static inline void reply_valid(milvus_rig *rig, Milvus__FieldData *field, const sp_column *column)
{
    int any = 0;

    for (uint64_t i = 0; i < column->count; i++)
        any |= !sp_column_is_valid(column, i);
    if (!any)
        return;
    field->n_valid_data = (size_t)column->count;
    field->valid_data = rig_memory(rig, column->count, sizeof *field->valid_data);
    for (uint64_t i = 0; i < column->count; i++)
        field->valid_data[i] = sp_column_is_valid(column, i);
}

/* Rows of a field, words as rig_column takes them; of JSON too. */
static inline Milvus__FieldData *reply_field(milvus_told *told, const char *name, int32_t type,
                                             const char *words)
{
    sp_column column = rig_column(told->rig, reply_column_type(type), words);
    Milvus__FieldData *field = reply_add(told, name, type);

    field->field_case = MILVUS__FIELD_DATA__FIELD_SCALARS;
    field->scalars = reply_scalars(told->rig, type, &column, 0, column.count);
    reply_valid(told->rig, field, &column);
    return field;
}

/* Rows that are lists. */
static inline Milvus__FieldData *reply_lists(milvus_told *told, const char *name, int32_t element,
                                             const char *words)
{
    milvus_rig *rig = told->rig;
    sp_column column = rig_column(rig, reply_column_type(element) | SP_LIST, words);
    Milvus__FieldData *field = reply_add(told, name, MILVUS_ARRAY);
    Milvus__ArrayArray *array = rig_memory(rig, 1, sizeof *array);

    milvus__array_array__init(array);
    array->element_type = element;
    array->n_data = (size_t)column.count;
    array->data = rig_memory(rig, column.count, sizeof *array->data);
    for (uint64_t i = 0; i < column.count; i++)
        array->data[i] = reply_scalars(rig, element, &column, (uint64_t)column.list_offsets[i],
                                       (uint64_t)column.list_offsets[i + 1]);
    field->field_case = MILVUS__FIELD_DATA__FIELD_SCALARS;
    field->scalars = rig_memory(rig, 1, sizeof *field->scalars);
    milvus__scalar_field__init(field->scalars);
    field->scalars->data_case = MILVUS__SCALAR_FIELD__DATA_ARRAY_DATA;
    field->scalars->array_data = array;
    reply_valid(rig, field, &column);
    return field;
}

/* The fields that the schema does not name: each row a JSON object without blanks. */
static inline Milvus__FieldData *reply_json(milvus_told *told, const char *words)
{
    Milvus__FieldData *field = reply_field(told, "$meta", MILVUS_JSON, words);

    field->is_dynamic = 1;
    return field;
}

static inline Milvus__VectorField *reply_vectors(milvus_told *told, const char *name, int64_t dim,
                                                 const float *data, size_t floats)
{
    Milvus__FieldData *field = reply_add(told, name, MILVUS_FLOAT_VECTOR);
    Milvus__VectorField *vectors = rig_memory(told->rig, 1, sizeof *vectors);

    milvus__vector_field__init(vectors);
    vectors->dim = dim;
    vectors->data_case = MILVUS__VECTOR_FIELD__DATA_FLOAT_VECTOR;
    vectors->float_vector = rig_memory(told->rig, 1, sizeof *vectors->float_vector);
    milvus__float_array__init(vectors->float_vector);
    vectors->float_vector->n_data = floats;
    vectors->float_vector->data = rig_memory(told->rig, floats, sizeof *data);
    if (floats)
        memcpy(vectors->float_vector->data, data, floats * sizeof *data);
    field->field_case = MILVUS__FIELD_DATA__FIELD_VECTORS;
    field->vectors = vectors;
    return vectors;
}

static inline void reply_free(milvus_told *told)
{
    free(told->data);
    told->data = NULL;
    told->field_count = 0;
}

static inline void reply_pack(milvus_told *told, const ProtobufCMessage *message)
{
    free(told->data);
    told->size = protobuf_c_message_get_packed_size(message);
    told->data = malloc(told->size ? told->size : 1);
    if (!told->data)
        abort();
    protobuf_c_message_pack(message, told->data);
}

/* The fields as the reply of a query. */
static inline void reply_query(milvus_told *told)
{
    Milvus__Status status = MILVUS__STATUS__INIT;
    Milvus__QueryReply reply = MILVUS__QUERY_REPLY__INIT;

    reply.status = &status;
    reply.fields_data = told->fields;
    reply.n_fields_data = told->field_count;
    reply_pack(told, &reply.base);
}

/* The fields as the reply of a search; ids are words, of int keys too. */
static inline void reply_search(milvus_told *told, int32_t key_type, const char *ids,
                                const char *scores, const char *topks)
{
    milvus_rig *rig = told->rig;
    Milvus__Status status = MILVUS__STATUS__INIT;
    Milvus__SearchReply reply = MILVUS__SEARCH_REPLY__INIT;
    Milvus__SearchData data = MILVUS__SEARCH_DATA__INIT;
    Milvus__IDs keys = MILVUS__IDS__INIT;
    sp_column id_column = rig_column(rig, reply_column_type(key_type), ids);
    sp_column score_column = rig_column(rig, SP_FLOAT64, scores);
    sp_column topk_column = rig_column(rig, SP_INT64, topks);
    Milvus__ScalarField *id_data = reply_scalars(rig, key_type, &id_column, 0, id_column.count);

    keys.id_field_case = key_type == MILVUS_INT64 ? MILVUS__IDS__ID_FIELD_INT_ID
                                                  : MILVUS__IDS__ID_FIELD_STR_ID;
    if (key_type == MILVUS_INT64)
        keys.int_id = id_data->long_data;
    else
        keys.str_id = id_data->string_data;
    data.num_queries = (int64_t)topk_column.count;
    data.ids = &keys;
    data.fields_data = told->fields;
    data.n_fields_data = told->field_count;
    data.scores = reply_scalars(rig, MILVUS_FLOAT, &score_column, 0, score_column.count)
                      ->float_data->data;
    data.n_scores = (size_t)score_column.count;
    data.topks = (int64_t *)(uintptr_t)topk_column.values;
    data.n_topks = (size_t)topk_column.count;
    reply.status = &status;
    reply.results = &data;
    reply_pack(told, &reply.base);
}

#endif
