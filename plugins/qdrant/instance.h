/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an instance keeps between calls: the link to the server, and what is known of it.
 * One lock, only ever held for moments.
 */
#ifndef QDRANT_INSTANCE_H
#define QDRANT_INSTANCE_H

#include "call.h"
#include "plug_known.h"
#include "plug_view.h"

/* A version as one number that can be compared: 1.10.2 is QDRANT_VERSION_OF(1, 10). */
#define QDRANT_VERSION_OF(major, minor) ((major) * 1000 + (minor))
/* The oldest one: named and multiple vectors' options, ordering, and the routes used here. */
#define QDRANT_VERSION_MIN QDRANT_VERSION_OF(1, 7)
/* From here on there is /points/query. */
#define QDRANT_VERSION_QUERY QDRANT_VERSION_OF(1, 10)

struct simplugin_instance {
    plug_instance base; /* first; its lock guards what operations add below */
    qdrant_settings settings;
    qdrant_link link;
    atomic_int version; /* of the server, once it is known and will do; else 0 */
    atomic_uint_fast64_t writes; /* how many have ended */
    qdrant_schema *schemas;
    uint64_t forgotten; /* how often one of them was, of any collection */
    plug_known *known;
    plug_views views;
};

/* The schema of the call's collection, into call->schema. NOT_FOUND. */
int32_t qdrant_schema_acquire(qdrant_call *call);
/* Ends that. NULL is harmless. */
void qdrant_schema_release(qdrant_schema *schema);
/* What is known of a collection (NULL: of every one) may no longer be so. */
void qdrant_schema_forget(simplugin_instance *instance, const char *collection);

/* The types of the fields of the call's collection, as plug_known.h remembers them. */
plug_known_of qdrant_known(qdrant_call *call);

/* The server's version, asked for once, then in instance->version. VERSION_TOO_OLD. */
int32_t qdrant_version_check(qdrant_call *call);

#endif
