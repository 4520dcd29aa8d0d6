/* SPDX-License-Identifier: Apache-2.0 */
/* What a call carries through the core: deadline, cancel token, trace id, progress. */
#ifndef SP_CONTEXT_H
#define SP_CONTEXT_H

#include "cancel.h"
#include "clock.h"
#include "error.h"
#include "host.h"
#include "simplugin.h"

typedef struct sp_context {
    int64_t deadline; /* CLOCK_MONOTONIC nanoseconds; SP_NO_DEADLINE: none */
    int is_default;   /* whether nobody asked for this deadline */
    uint64_t cancel;
    const char *trace_id;
    uint64_t trace_id_size;
    const sp_progress *progress; /* NULL: nobody listens */
} sp_context;

/* SIMPLUGIN_OK, CANCELLED or DEADLINE_EXCEEDED. what: "index.search", ... */
static inline int32_t sp_context_check(const sp_context *context, const char *what,
                                       simplugin_error **error)
{
    if (sp_cancelled(context->cancel))
        return sp_error_set(error, SIMPLUGIN_CANCELLED, "core", "%s: cancelled", what);
    if (context->deadline != SP_NO_DEADLINE && sp_clock_now() >= context->deadline)
        return sp_error_set(error, SIMPLUGIN_DEADLINE_EXCEEDED, "core",
                            "%s: the timeout ran out: allow more time, or ask for less", what);
    return SIMPLUGIN_OK;
}

/* The backend's timeout (0: it has none), once it is known, for a call that gave none itself. */
static inline void sp_context_timeout(sp_context *context, int64_t timeout_ms)
{
    if (context->is_default && timeout_ms > 0)
        context->deadline = sp_clock_deadline(timeout_ms);
}

static inline void sp_context_progress(const sp_context *context, uint64_t done, uint64_t total)
{
    if (context->progress)
        context->progress->fn(context->progress->context, done, total);
}

#endif
