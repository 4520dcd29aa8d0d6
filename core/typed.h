/* SPDX-License-Identifier: Apache-2.0 */
/* What the typed functions of simplugin.h have in common. */
#ifndef SP_TYPED_H
#define SP_TYPED_H

#include "error.h"
#include "simplugin.h"
#include "simplugin/envelope.h"

/* INVALID_ARGUMENT with the detail "argument". */
int32_t sp_typed_argument(simplugin_error **error, const char *method, const char *argument,
                          const char *wrong);
/* A reply of the core that lacks what docs/protocol.md promises is our own bug. */
int32_t sp_typed_reply_error(simplugin_error **error, const char *method, const char *key);

/* The call; the writer's failure is OUT_OF_MEMORY. */
int32_t sp_typed_call(uint64_t target, const char *method, const simplugin_writer *writer,
                      const simplugin_options *options, simplugin_reply *reply,
                      simplugin_error **error);
int32_t sp_typed_uint(const simplugin_reply *reply, const char *method, const char *key,
                      uint64_t *number, simplugin_error **error);

/* A program's spec (NULL: nothing) of whatever version, checked. */
int32_t sp_typed_spec_read(const simplugin_index_spec *spec, simplugin_index_spec *read,
                           const char *method, simplugin_error **error);
/* Its pairs, counted, into a map that was begun. */
int32_t sp_typed_spec_write(simplugin_writer *writer, uint64_t *count,
                            const simplugin_index_spec *spec, const char *method,
                            simplugin_error **error);

#endif
