/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "known.h"

#include "query.h"

#define SAMPLE_ROWS 64

/*
 * Rows that can be read as things are: nothing is loaded for this, and who may write but
 * not read, or has no index yet, writes all the same.
 */
static int32_t sample(void *context, plug_seen *seen)
{
    int is_loaded = 1;
    milvus_query query = {.expr = "", .limit = SAMPLE_ROWS, .fields = 1, .level = -1,
                          .is_loaded = &is_loaded};
    milvus_call *call = context;
    milvus_page page;
    milvus_rpc rpc;
    int32_t code = milvus_query_run(call, &query, &rpc, &page);

    if (!code)
        code = is_loaded ? milvus_fields_see(call, &page, seen) : PLUG_UNSEEN;
    milvus_page_clear(&page);
    milvus_rpc_clear(&rpc);
    return code;
}

static uint32_t declared(const void *context, const char *name)
{
    return milvus_declared_type(((const milvus_call *)context)->schema, name);
}

static int is_schema(const void *context, const char *name)
{
    return milvus_schema_field(((const milvus_call *)context)->schema, name) != NULL;
}

static plug_known_of known_of(milvus_call *call)
{
    plug_known_of of = {.call = &call->base,
                        .instance = &call->instance->base,
                        .known = &call->instance->known,
                        .collection = call->collection,
                        .collection_id = call->schema->collection_id,
                        .context = call,
                        .sample = call->schema->has_dynamic ? sample : NULL,
                        .declared = declared,
                        .is_schema = is_schema};

    return of;
}

int32_t milvus_known_learn(milvus_call *call)
{
    plug_known_of of = known_of(call);

    return plug_known_learn(&of);
}

int32_t milvus_known_check(milvus_call *call, const plug_columns *fields, const int64_t *select,
                           uint64_t count)
{
    plug_known_of of = known_of(call);

    return plug_known_check(&of, fields, select, count);
}

void milvus_known_add(milvus_call *call, const plug_columns *fields, const int64_t *select,
                      uint64_t count)
{
    plug_known_of of = known_of(call);

    plug_known_add(&of, fields, select, count);
}

int32_t milvus_known_list(milvus_call *call, plug_seen *seen)
{
    plug_known_of of = known_of(call);

    return plug_known_list(&of, seen);
}

void milvus_known_forget(simplugin_instance *instance, const char *collection)
{
    plug_known_forget(&instance->base, &instance->known, collection);
}
