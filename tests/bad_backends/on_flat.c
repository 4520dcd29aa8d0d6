/* SPDX-License-Identifier: Apache-2.0 */
/* The flat backend by another name, as it is compared with the one that is called sklearn_flat. */
#include "config.h"

#include <string.h>

#include "plugins/sklearn_flat/call.h"
#include "plug_instance.h"

static const char name[] = "spoiled_flat";

static int32_t describe(simplugin_reply *reply, simplugin_error **error)
{
    int32_t code = flat_describe(reply, error);
    simplugin_value body = simplugin_body_value(reply->body, reply->body_size);
    const char *said = NULL;
    uint64_t size = 0;

    /* as long as its own, so that it can be put in place of it: the reply's memory is ours */
    if (!code && simplugin_find_text(&body, "name", &said, &size) == 1 && size == sizeof name - 1)
        memcpy((char *)(uintptr_t)said, name, sizeof name - 1);
    return code;
}

int32_t flat_entry(const simplugin_host *host, const simplugin_backend **backend,
                   simplugin_error **error);

int32_t flat_entry(const simplugin_host *host, const simplugin_backend **backend,
                   simplugin_error **error)
{
    static const simplugin_backend table = {
        .size = sizeof table,
        .abi = SIMPLUGIN_ABI_1_0,
        .threads = SIMPLUGIN_THREADS_CONCURRENT,
        .describe = describe,
        .open = flat_instance_open,
        .call = flat_instance_call,
        .close = flat_instance_close,
    };

    return plug_entry(name, &table, host, backend, error);
}
