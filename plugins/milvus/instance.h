/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an instance keeps between calls: the link to the server, schemas, when it last
 * wrote to which collection, views. One lock, only ever held for moments.
 */
#ifndef MILVUS_INSTANCE_H
#define MILVUS_INSTANCE_H

#include "call.h"
#include "plug_known.h"
#include "plug_view.h"

typedef struct milvus_written milvus_written;

struct simplugin_instance {
    plug_instance base; /* first; its lock guards everything from schemas on */
    milvus_settings settings;
    milvus_link link;
    atomic_int is_checked; /* the server's version will do */
    atomic_int is_lite;    /* Milvus Lite, which differs here and there */
    milvus_schema *schemas;
    milvus_written *written;
    plug_known *known;
    plug_views views;
};

/* The schema of the call's collection, into call->schema. NOT_FOUND. */
int32_t milvus_schema_acquire(milvus_call *call);
/* Ends that. NULL is harmless. */
void milvus_schema_release(milvus_schema *schema);
/* What is known of a collection may no longer be so. */
void milvus_schema_forget(simplugin_instance *instance, const char *collection);

/* The server's version, asked for once. VERSION_TOO_OLD. */
int32_t milvus_version_check(milvus_call *call);

#endif
