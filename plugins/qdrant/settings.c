/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "settings.h"

#include <stdio.h>
#include <stdlib.h>

#include "plug_args.h"
#include "plug_open.h"

static int32_t address_read(qdrant_settings *settings, plug_call *call)
{
    const char *url, *host;
    const char *wrong;
    int port, https = -1;
    int32_t code = plug_arg_string(call, "url", &url);

    if (!code)
        code = plug_arg_string(call, "host", &host);
    if (!code)
        code = plug_arg_port(call, &port);
    if (!code)
        code = plug_arg_bool(call, "https", &https);
    if (code)
        return code;
    if (url && (host || port))
        return plug_fail_argument(call, "url", "give url, or host and port, not both");
    if (url && https >= 0)
        return plug_fail_argument(call, "https",
                                  "https goes with host and port: a url says it by its scheme");
    wrong = url ? qdrant_address_parse(url, &settings->address)
                : qdrant_address_of(host ? host : "localhost", port, &settings->address);
    if (wrong)
        return plug_fail_argument(call, url ? "url" : "host", "%s: %s", url ? "url" : "host",
                                  wrong);
    if (https >= 0)
        settings->address.tls = https;
    return SIMPLUGIN_OK;
}

/* What an HTTP header may hold. */
static int is_header_text(const char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            return 0;
    return 1;
}

static int32_t api_key_read(qdrant_settings *settings, plug_call *call)
{
    const char *key;
    int is_allowed = 0;
    int32_t code = plug_arg_string(call, "api_key", &key);

    if (!code)
        code = plug_arg_bool(call, "allow_insecure_api_key", &is_allowed);
    if (code || !key || !*key)
        return code;
    if (!is_header_text(key))
        return plug_fail_argument(call, "api_key",
                                  "api_key holds a character that no key has, such as a line's "
                                  "end: look at where it comes from");
    if (!settings->address.tls && !is_allowed &&
        (!settings->address.is_loopback || (settings->proxy && *settings->proxy)))
        return plug_fail_argument(call, "api_key",
                                  "the api_key would travel to %s%s unencrypted: use an https:// "
                                  "url, or set allow_insecure_api_key",
                                  settings->address.target,
                                  settings->address.is_loopback ? " by a proxy" : "");
    settings->api_key = strdup(key);
    return settings->api_key ? SIMPLUGIN_OK : plug_no_memory(call);
}

static int32_t text_read(plug_call *call, const char *parameter, char **text)
{
    const char *given;
    int32_t code = plug_arg_string(call, parameter, &given);

    *text = NULL;
    if (!code && given && !(*text = strdup(given)))
        code = plug_no_memory(call);
    return code;
}

static int32_t tls_read(qdrant_settings *settings, plug_call *call)
{
    qdrant_address name;
    int32_t code = plug_arg_pem(call, "tls_ca", &settings->ca);

    settings->verify = 1;
    if (!code)
        code = plug_arg_pem(call, "tls_cert", &settings->certificate);
    if (!code)
        code = plug_arg_pem(call, "tls_key", &settings->key);
    if (!code)
        code = plug_arg_bool(call, "tls_verify", &settings->verify);
    if (!code)
        code = text_read(call, "tls_server_name", &settings->server_name);
    if (code)
        return code;
    if ((settings->certificate != NULL) != (settings->key != NULL))
        return plug_fail_argument(call, settings->key ? "tls_cert" : "tls_key",
                                  "tls_cert and tls_key are needed together");
    if (!settings->address.tls && (settings->ca || settings->certificate))
        return plug_fail_argument(call, "url",
                                  "certificates are given, but the connection has no TLS: use an "
                                  "https:// url, or host with https");
    if (settings->server_name && (qdrant_address_of(settings->server_name, 0, &name) ||
                                  strchr(settings->server_name, ':')))
        return plug_fail_argument(call, "tls_server_name", "tls_server_name is no name of a host");
    return SIMPLUGIN_OK;
}

int32_t qdrant_consistency_read(plug_call *call, const simplugin_value *map, const char **text)
{
    static const char *const levels[] = {"majority", "quorum", "all"};
    simplugin_value value;
    char number[24];

    *text = NULL;
    if (!simplugin_find(map, "consistency", &value))
        return SIMPLUGIN_OK;
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (value.type == SIMPLUGIN_TEXT && simplugin_value_is(&value, levels[i])) {
            *text = levels[i];
            return SIMPLUGIN_OK;
        }
    if (value.type == SIMPLUGIN_TEXT && value.size && value.size < 10) {
        /* as the environment gives it */
        int64_t read = 0;

        for (uint64_t i = 0; i < value.size && read >= 0; i++)
            read = value.data[i] >= '0' && value.data[i] <= '9' ? read * 10 + (value.data[i] - '0')
                                                                : -1;
        value.type = SIMPLUGIN_INT;
        value.as.i = read;
    }
    if (value.type != SIMPLUGIN_INT || value.as.i < 1 || value.as.i > UINT32_MAX)
        return plug_fail_argument(call, "consistency",
                                  "consistency is majority, quorum, all, or a number of replicas");
    snprintf(number, sizeof number, "%lld", (long long)value.as.i);
    *text = sp_arena_text(&call->scratch, number, strlen(number));
    return *text ? SIMPLUGIN_OK : plug_no_memory(call);
}

static int32_t cluster_read(qdrant_settings *settings, plug_call *call)
{
    const char *consistency;
    int32_t code = qdrant_consistency_read(call, &call->body, &consistency);

    if (!code && consistency && !(settings->consistency = strdup(consistency)))
        code = plug_no_memory(call);
    if (!code)
        code = text_read(call, "ordering", &settings->ordering);
    if (!code && settings->ordering && strcmp(settings->ordering, "weak") != 0 &&
        strcmp(settings->ordering, "medium") != 0 && strcmp(settings->ordering, "strong") != 0)
        code = plug_fail_argument(call, "ordering", "ordering is weak, medium or strong");
    return code;
}

static int32_t limits_read(qdrant_settings *settings, plug_call *call)
{
    int32_t code;

    settings->max_receive_bytes = 1 << 30;
    settings->retry_ms = 30000;
    settings->batch_bytes = 8 << 20;
    settings->batches_in_flight = 4;
    code = plug_arg_int(call, "max_receive_bytes", 1024, INT64_C(1) << 40,
                        &settings->max_receive_bytes);
    if (!code)
        code = plug_arg_int(call, "retry_ms", 0, 86400000, &settings->retry_ms);
    if (!code)
        code = plug_arg_int(call, "batch_bytes", 1024, QDRANT_BATCH_MAX, &settings->batch_bytes);
    if (!code)
        code = plug_arg_int(call, "batches_in_flight", 1, 64, &settings->batches_in_flight);
    return code;
}

int32_t qdrant_settings_read(qdrant_settings *settings, plug_call *call)
{
    int32_t code;

    memset(settings, 0, sizeof *settings);
    code = address_read(settings, call);
    if (!code)
        code = text_read(call, "proxy", &settings->proxy);
    if (!code)
        code = api_key_read(settings, call);
    if (!code)
        code = tls_read(settings, call);
    if (!code)
        code = cluster_read(settings, call);
    if (!code)
        code = limits_read(settings, call);
    return code;
}

void qdrant_settings_clear(qdrant_settings *settings)
{
    plug_secret_free(settings->api_key);
    plug_secret_free(settings->proxy);
    plug_secret_free(settings->key);
    free(settings->ca);
    free(settings->certificate);
    free(settings->server_name);
    free(settings->consistency);
    free(settings->ordering);
    memset(settings, 0, sizeof *settings);
}
