/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of fields, as milvus.proto has them, for what is written and read by hand. */
#ifndef MILVUS_NUMBERS_H
#define MILVUS_NUMBERS_H

enum milvus_numbers {
    /* RowsRequest */
    REQUEST_DB = 2,
    REQUEST_COLLECTION = 3,
    REQUEST_PARTITION = 4,
    REQUEST_FIELDS = 5,
    REQUEST_ROWS = 7,
    /* DeleteRequest */
    DELETE_DB = 2,
    DELETE_COLLECTION = 3,
    DELETE_PARTITION = 4,
    DELETE_EXPR = 5,
    /* MutationReply */
    MUTATION_IDS = 2,
    MUTATION_TIMESTAMP = 9,
    /* FieldData */
    FIELD_TYPE = 1,
    FIELD_NAME = 2,
    FIELD_SCALARS = 3,
    FIELD_VECTORS = 4,
    FIELD_DYNAMIC = 6,
    FIELD_VALID = 7,
    /* ScalarField */
    SCALARS_BOOL = 1,
    SCALARS_INT = 2,
    SCALARS_LONG = 3,
    SCALARS_FLOAT = 4,
    SCALARS_DOUBLE = 5,
    SCALARS_STRING = 6,
    SCALARS_BYTES = 7,
    SCALARS_ARRAY = 8,
    SCALARS_JSON = 9,
    /* VectorField */
    VECTORS_DIM = 1,
    VECTORS_FLOAT = 2,
    VECTORS_BINARY = 3,
    /* the arrays in these two, and ArrayArray */
    DATA = 1,
    ELEMENT_TYPE = 2,
    /* IDs */
    IDS_INT = 1,
    IDS_STRING = 2,
    /* QueryRequest, QueryReply */
    QUERY_DB = 2,
    QUERY_COLLECTION = 3,
    QUERY_EXPR = 4,
    QUERY_OUTPUT = 5,
    QUERY_PARTITIONS = 6,
    QUERY_TIMESTAMP = 8,
    QUERY_PARAMS = 9,
    QUERY_CONSISTENCY = 11,
    QUERY_REPLY_FIELDS = 2,
    /* SearchRequest, SearchReply, SearchData */
    SEARCH_DB = 2,
    SEARCH_COLLECTION = 3,
    SEARCH_PARTITIONS = 4,
    SEARCH_EXPR = 5,
    SEARCH_PLACEHOLDERS = 6,
    SEARCH_DSL_TYPE = 7,
    SEARCH_OUTPUT = 8,
    SEARCH_PARAMS = 9,
    SEARCH_TIMESTAMP = 11,
    SEARCH_NQ = 12,
    SEARCH_CONSISTENCY = 14,
    SEARCH_REPLY_RESULTS = 2,
    HITS_FIELDS = 3,
    HITS_SCORES = 4,
    HITS_IDS = 5,
    HITS_TOPKS = 6,
    /* PlaceholderGroup, Placeholder */
    GROUP_PLACEHOLDER = 1,
    PLACEHOLDER_TAG = 1,
    PLACEHOLDER_TYPE = 2,
    PLACEHOLDER_VALUES = 3,
    /* Pair */
    PAIR_KEY = 1,
    PAIR_VALUE = 2,
};

#endif
