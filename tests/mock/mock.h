/* SPDX-License-Identifier: Apache-2.0 */
/* What the broken fixture plugins share: functions that do nothing, and a whole table. */
#ifndef SP_TESTS_MOCK_H
#define SP_TESTS_MOCK_H

#include <stddef.h>
#include <stdint.h>

#include "simplugin/plugin.h"

static inline int32_t mock_describe(simplugin_reply *reply, simplugin_error **error)
{
    (void)reply;
    (void)error;
    return SIMPLUGIN_OK;
}

static inline int32_t mock_open(const simplugin_call_info *info, const simplugin_request *request,
                                simplugin_instance **instance, simplugin_error **error)
{
    (void)info;
    (void)request;
    (void)error;
    *instance = NULL;
    return SIMPLUGIN_OK;
}

static inline int32_t mock_call(simplugin_instance *instance, const simplugin_call_info *info,
                                const simplugin_request *request, simplugin_reply *reply,
                                simplugin_error **error)
{
    (void)instance;
    (void)info;
    (void)request;
    (void)reply;
    (void)error;
    return SIMPLUGIN_UNKNOWN_METHOD;
}

static inline void mock_close(simplugin_instance *instance)
{
    (void)instance;
}

#define MOCK_TABLE                                                                        \
    {                                                                                     \
        .size = sizeof(simplugin_backend), .abi = SIMPLUGIN_ABI_1_0,                  \
        .threads = SIMPLUGIN_THREADS_SERIAL, .describe = mock_describe, .open = mock_open, \
        .call = mock_call, .close = mock_close                                            \
    }

#endif
