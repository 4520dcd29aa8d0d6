/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "name.h"

#include <string.h>

#define NAME_MAX_BYTES 255
#define REFUSED "<>:\"/\\|?*"

int32_t qdrant_name_read(qdrant_call *call)
{
    plug_call *base = &call->base;
    const char *name;
    int32_t code = plug_arg_string(base, "collection", &name);

    if (!code && !name)
        code = plug_fail_argument(base, "collection", "collection is a text, and needed");
    if (!code && !*name)
        code = plug_fail_argument(base, "collection", "collection is empty");
    if (!code && strlen(name) > NAME_MAX_BYTES)
        code = plug_fail_argument(base, "collection",
                                  "collection: the name of a collection has at most %d bytes",
                                  NAME_MAX_BYTES);
    if (!code && (strcmp(name, ".") == 0 || strcmp(name, "..") == 0))
        code = plug_fail_argument(base, "collection", "collection: \"%s\" is no name for one", name);
    for (const char *at = name; !code && *at; at++)
        if (strchr(REFUSED, *at) || (unsigned char)*at < ' ' || *at == 0x7f)
            code = plug_fail_argument(base, "collection",
                                      "collection: Qdrant takes no %s in the name of a collection",
                                      (unsigned char)*at < ' ' || *at == 0x7f
                                          ? "control characters"
                                          : (char[]){'"', *at, '"', 0});
    if (code)
        return code;
    call->collection = name;
    base->name.data = name;
    base->name.size = strlen(name);
    return SIMPLUGIN_OK;
}
