/* SPDX-License-Identifier: Apache-2.0 */
/* For backends that take a filter for another: the request's, with some nodes written anew. */
#ifndef BAD_BACKENDS_BAD_FILTER_H
#define BAD_BACKENDS_BAD_FILTER_H

#include "bad.h"

/*
 * node: an array as docs/filters.md has them, of that kind, depth groups below the whole filter.
 * 1: it has written something else in its place; 0: it stays, but for what is in it.
 */
typedef int (*bad_node)(simplugin_writer *out, const simplugin_value *node,
                        const simplugin_value *kind, unsigned int depth);

static inline int bad_is_group(const simplugin_value *kind)
{
    return simplugin_value_is(kind, "and") || simplugin_value_is(kind, "or") ||
           simplugin_value_is(kind, "not");
}

/* The node's member number i, the kind being 0; one without a type if there is none. */
static inline simplugin_value bad_member(const simplugin_value *node, uint64_t i)
{
    simplugin_iter iter = simplugin_iterate(node);
    simplugin_value member;

    do
        simplugin_next(&iter, &member);
    while (i--);
    return member;
}

static inline void bad_filter_write(simplugin_writer *out, const simplugin_value *node,
                                    bad_node anew, unsigned int depth)
{
    simplugin_iter iter = simplugin_iterate(node);
    simplugin_value kind = bad_member(node, 0), member;
    const uint8_t *at = iter.at;

    if (node->type == SIMPLUGIN_BOOL)
        simplugin_write_bool(out, (int)node->as.i);
    if (node->type != SIMPLUGIN_ARRAY || anew(out, node, &kind, depth))
        return;
    simplugin_write_array(out, node->size);
    for (; simplugin_next(&iter, &member); at = iter.at)
        if (bad_is_group(&kind) && member.type != SIMPLUGIN_TEXT)
            bad_filter_write(out, &member, anew, depth + 1);
        else
            simplugin_write_raw(out, at, (uint64_t)(iter.at - at));
}

/* The good backend's call with a filter so changed; without one as it is. */
static inline int32_t bad_filtered(simplugin_instance *instance, const simplugin_call_info *info,
                                   const simplugin_request *request, simplugin_reply *reply,
                                   simplugin_error **error, bad_node anew)
{
    simplugin_value map = simplugin_body_value(request->body, request->body_size), filter;
    simplugin_writer out;
    int32_t code;

    if (!simplugin_find(&map, "filter", &filter) ||
        (filter.type != SIMPLUGIN_ARRAY && filter.type != SIMPLUGIN_BOOL))
        return good->call(instance, info, request, reply, error);
    simplugin_writer_init(&out);
    bad_filter_write(&out, &filter, anew, 0);
    code = bad_ask(instance, info, request, reply, error, "filter", &out);
    simplugin_writer_clear(&out);
    return code;
}

/* Whether the request, a collection.create, names fields. */
static inline int bad_declares(const simplugin_request *request)
{
    simplugin_value map = simplugin_body_value(request->body, request->body_size), fields;

    return simplugin_find(&map, "fields", &fields) && fields.size > 0;
}

#endif
