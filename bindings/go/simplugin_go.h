/* SPDX-License-Identifier: Apache-2.0 */
/* One crossing from Go into C for one call of the library, whatever it answers. */
#ifndef SIMPLUGIN_GO_SHIM_H
#define SIMPLUGIN_GO_SHIM_H

#include <simplugin.h>

#define SIMPLUGIN_GO_SMALL 768

/*
 * What a call answered. A reply without tensors, and an error, that fit are copied into
 * small, and nothing is left to free. Else the reply is the library's, to be cleared, or
 * the error's text is in large, to be freed.
 */
typedef struct simplugin_go_answer {
    simplugin_reply reply;
    uint8_t *large;
    uint64_t size; /* of what is in small or large */
    uint8_t small[SIMPLUGIN_GO_SMALL];
} simplugin_go_answer;

/* progress: a cgo.Handle, 0: nobody listens. */
int32_t simplugin_go_call(uint64_t target, const char *method, uint64_t method_size,
                          const uint8_t *body, uint64_t body_size,
                          const simplugin_tensor *tensors, uint64_t tensor_count,
                          int64_t timeout_ms, uint64_t cancel, const char *trace_id,
                          uint64_t trace_id_size, uintptr_t progress,
                          simplugin_go_answer *answer);
int32_t simplugin_go_close(uint64_t handle, simplugin_go_answer *answer);
int32_t simplugin_go_cancel_new(uint64_t *cancel, simplugin_go_answer *answer);
/* level 0 restores the library's own logging. */
void simplugin_go_log_set(int32_t level);

#endif
