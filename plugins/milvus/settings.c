/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "settings.h"

#include <stdio.h>
#include <stdlib.h>

#include "base64.h"
#include "plug_args.h"
#include "plug_open.h"

static char *text_dup(const char *text)
{
    return strdup(text ? text : "");
}

static int32_t address_read(milvus_settings *settings, plug_call *call)
{
    const char *uri, *host;
    const char *wrong;
    int port, secure = -1;
    int32_t code = plug_arg_string(call, "uri", &uri);

    if (!code)
        code = plug_arg_string(call, "host", &host);
    if (!code)
        code = plug_arg_port(call, &port);
    if (!code)
        code = plug_arg_bool(call, "secure", &secure);
    if (code)
        return code;
    if (uri && (host || port))
        return plug_fail_argument(call, "uri", "give uri, or host and port, not both");
    wrong = uri ? milvus_address_parse(uri, &settings->address)
                : milvus_address_of(host ? host : "localhost", port, &settings->address);
    if (wrong)
        return plug_fail_argument(call, uri ? "uri" : "host", "%s: %s", uri ? "uri" : "host",
                                  wrong);
    if (secure >= 0)
        settings->address.tls = secure;
    return SIMPLUGIN_OK;
}

/* "user:password", or a token as it is, the way Milvus wants them. */
static int32_t authorization_read(milvus_settings *settings, plug_call *call)
{
    const char *user, *password, *token;
    char *pair = NULL;
    int32_t code = plug_arg_string(call, "user", &user);

    if (!code)
        code = plug_arg_string(call, "password", &password);
    if (!code)
        code = plug_arg_string(call, "token", &token);
    if (code)
        return code;
    if (token && *token && user && *user)
        return plug_fail_argument(call, "token", "give user and password, or token, not both");
    if (password && *password && !(user && *user))
        return plug_fail_argument(call, "user", "there is a password, and no user");
    if (token && *token) {
        settings->authorization = milvus_base64(token);
    } else if (user && *user) {
        if (asprintf(&pair, "%s:%s", user, password ? password : "") < 0)
            return plug_no_memory(call);
        settings->authorization = milvus_base64(pair);
        explicit_bzero(pair, strlen(pair));
        free(pair);
    } else {
        return SIMPLUGIN_OK;
    }
    return settings->authorization ? SIMPLUGIN_OK : plug_no_memory(call);
}

static int32_t tls_read(milvus_settings *settings, plug_call *call)
{
    const char *name;
    int32_t code = plug_arg_pem(call, "tls_ca", &settings->ca);

    settings->verify = 1;
    if (!code)
        code = plug_arg_pem(call, "tls_cert", &settings->certificate);
    if (!code)
        code = plug_arg_pem(call, "tls_key", &settings->key);
    if (!code)
        code = plug_arg_bool(call, "tls_verify", &settings->verify);
    if (!code)
        code = plug_arg_string(call, "tls_server_name", &name);
    if (code)
        return code;
    if ((settings->certificate != NULL) != (settings->key != NULL))
        return plug_fail_argument(call, settings->key ? "tls_cert" : "tls_key",
                                  "tls_cert and tls_key are needed together");
    if (!settings->address.tls && (settings->ca || settings->certificate))
        return plug_fail_argument(call, "uri",
                                  "certificates are given, but the connection has no TLS: use an "
                                  "https:// uri, or secure");
    if (name && !(settings->server_name = text_dup(name)))
        return plug_no_memory(call);
    return SIMPLUGIN_OK;
}

static int32_t limits_read(milvus_settings *settings, plug_call *call)
{
    int64_t receive = 1 << 30, keepalive = 30000;
    int32_t code;

    settings->retry_ms = 30000;
    settings->batch_bytes = 8 << 20;
    settings->batches_in_flight = 4;
    code = plug_arg_int(call, "max_receive_bytes", 1024, INT32_MAX, &receive);
    if (!code)
        code = plug_arg_int(call, "keepalive_ms", 0, 86400000, &keepalive);
    if (!code)
        code = plug_arg_int(call, "retry_ms", 0, 86400000, &settings->retry_ms);
    if (!code)
        code = plug_arg_int(call, "batch_bytes", 1024, 1 << 30, &settings->batch_bytes);
    if (!code)
        code = plug_arg_int(call, "batches_in_flight", 1, 64, &settings->batches_in_flight);
    settings->max_receive_bytes = (int32_t)receive;
    settings->keepalive_ms = (int32_t)keepalive;
    return code;
}

int32_t milvus_settings_read(milvus_settings *settings, plug_call *call)
{
    const char *db_name = NULL;
    int32_t code;

    memset(settings, 0, sizeof *settings);
    code = address_read(settings, call);
    if (!code)
        code = plug_arg_string(call, "db_name", &db_name);
    /* it travels in a header, too */
    for (const char *at = code || !db_name ? "" : db_name; !code && *at; at++)
        if (*at < ' ' || *at > '~')
            code = plug_fail_argument(call, "db_name",
                                      "db_name: Milvus takes letters, digits and underscores in "
                                      "the name of a database");
    if (!code && !(settings->db_name = text_dup(db_name)))
        code = plug_no_memory(call);
    if (!code)
        code = authorization_read(settings, call);
    if (!code)
        code = tls_read(settings, call);
    if (!code)
        code = limits_read(settings, call);
    if (!code && settings->authorization && !settings->address.tls &&
        !settings->address.is_loopback) {
        static const char warning[] = "milvus: the password travels unencrypted: use https";

        plug_host->log(SIMPLUGIN_LOG_WARNING, warning, sizeof warning - 1);
    }
    return code;
}

void milvus_settings_clear(milvus_settings *settings)
{
    plug_secret_free(settings->authorization);
    plug_secret_free(settings->key);
    free(settings->db_name);
    free(settings->ca);
    free(settings->certificate);
    free(settings->server_name);
    memset(settings, 0, sizeof *settings);
}
