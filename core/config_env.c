/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "config_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

const char *sp_env_get(const sp_config *config, const char *name)
{
    if (config->environment)
        return json_string_value(json_object_get(config->environment, name));
    return secure_getenv(name);
}

int32_t sp_env_each(const sp_config *config,
                    int32_t (*each)(void *context, const char *name, const char *value),
                    void *context)
{
    int32_t code = 0;
    const char *key;
    json_t *value;

    if (config->environment) {
        /* Iterating does not change the object, but jansson's iterators want it writable. */
        json_object_foreach(config->environment, key, value)
        {
            code = each(context, key, json_string_value(value));
            if (code)
                break;
        }
        return code;
    }
    if (getauxval(AT_SECURE))
        return 0;
    for (char **entry = environ; entry && *entry && !code; entry++) {
        const char *equals = strchr(*entry, '=');
        char *name;

        if (!equals || strncmp(*entry, SP_ENV_PREFIX, sizeof(SP_ENV_PREFIX) - 1) != 0)
            continue;
        name = strndup(*entry, (size_t)(equals - *entry));
        code = name ? each(context, name, equals + 1) : SIMPLUGIN_OUT_OF_MEMORY;
        free(name);
    }
    return code;
}
