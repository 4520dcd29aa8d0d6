/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The property "simplugin" of a collection that was made here, a JSON object: "fields" that
 * were declared, the "metric" it was made for, and a "token" that no other call has.
 */
#ifndef MILVUS_PROPERTY_H
#define MILVUS_PROPERTY_H

#include <jansson.h>

#include "ask.h"

#define MILVUS_TOKEN_BYTES 16

/* A token in hexadecimal digits; 0: the system gave no random numbers. */
int milvus_token_make(char token[2 * MILVUS_TOKEN_BYTES + 1]);
/* The property's text; NULL: there is none. */
const char *milvus_property_of(const Milvus__DescribeCollectionReply *reply);
/* Whether the property has that token. */
int milvus_token_is(const char *property, const char *token);
/* Keeps the metric in the property of the call's collection, which was made here. What goes
   wrong is nothing that matters: an index knows its metric itself. */
void milvus_metric_keep(milvus_call *call, const char *metric);

#endif
