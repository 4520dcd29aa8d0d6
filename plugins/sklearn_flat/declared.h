/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fields a collection was created with, kept in the store's attributes as a
 * MessagePack map from name to type. They need no value yet to have their type.
 */
#ifndef FLAT_DECLARED_H
#define FLAT_DECLARED_H

#include "call.h"

/* "fields" of collection.create, checked and encoded. */
int32_t flat_declared_encode(flat_call *call, simplugin_writer *out);
/* The map; one without pairs where nothing was declared. */
simplugin_value flat_declared_map(const flat_store *store);
/* The type of a declared field, 0 for others. */
uint32_t flat_declared_type(const simplugin_value *map, const char *name);

#endif
