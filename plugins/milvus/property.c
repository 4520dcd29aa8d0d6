/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "property.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "instance.h"

int milvus_token_make(char token[2 * MILVUS_TOKEN_BYTES + 1])
{
    uint8_t bytes[MILVUS_TOKEN_BYTES];

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return 0;
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(token + 2 * i, 3, "%02x", (unsigned)bytes[i]);
    return 1;
}

const char *milvus_property_of(const Milvus__DescribeCollectionReply *reply)
{
    for (size_t i = 0; i < reply->n_properties; i++)
        if (strcmp(reply->properties[i]->key, MILVUS_PROPERTY) == 0)
            return reply->properties[i]->value;
    return NULL;
}

int milvus_token_is(const char *property, const char *token)
{
    json_t *root = property ? json_loads(property, JSON_REJECT_DUPLICATES, NULL) : NULL;
    const char *text = json_string_value(json_object_get(root, "token"));
    int is = text && strcmp(text, token) == 0;

    json_decref(root);
    return is;
}

void milvus_metric_keep(milvus_call *call, const char *metric)
{
    Milvus__AlterCollectionRequest request = MILVUS__ALTER_COLLECTION_REQUEST__INIT;
    Milvus__Pair pair = MILVUS__PAIR__INIT;
    Milvus__Pair *pairs[] = {&pair};
    simplugin_error **error = call->base.error;
    json_t *root;

    if (!call->schema->property)
        return;
    root = json_loads(call->schema->property, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(root) && !json_object_set_new(root, "metric", json_string(metric)))
        pair.value = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(root);
    /* protobuf-c's own empty text is none of ours to free */
    if (!pair.value || !*pair.value)
        return;
    pair.key = milvus_text(MILVUS_PROPERTY);
    request.db_name = call->instance->settings.db_name;
    request.collection_name = milvus_text(call->collection);
    request.properties = pairs;
    request.n_properties = 1;
    call->base.error = NULL;
    milvus_tell(call, "AlterCollection", &request.base, 1);
    call->base.error = error;
    free(pair.value);
}
