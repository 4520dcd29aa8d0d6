/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include <libpq-fe.h>

#include "args.h"

#define DEFAULT_SCHEMA "simplugin"
#define DEFAULT_POOL 4
/* What PostgreSQL makes of longer names is another name. */
#define NAME_MAX_BYTES 63

static int32_t text_read(pgv_call *call, const char *key, const char *standard, char **text)
{
    const char *given = NULL;
    int32_t code = pgv_arg_string(call, key, &given);

    if (code)
        return code;
    given = given ? given : standard;
    *text = given ? strdup(given) : NULL;
    return given && !*text ? pgv_no_memory(call) : SIMPLUGIN_OK;
}

/*
 * Conninfos are shown and recorded, so there must be no password in them. libpq's own words about
 * one that it does not understand repeat parts of it: they stay here.
 */
static int32_t conninfo_check(pgv_call *call, const char *conninfo)
{
    PQconninfoOption *options;
    char *wrong = NULL;
    int32_t code = SIMPLUGIN_OK;

    if (!strchr(conninfo, '=') && strncmp(conninfo, "postgresql://", 13) != 0 &&
        strncmp(conninfo, "postgres://", 11) != 0)
        return SIMPLUGIN_OK; /* the name of a database */
    options = PQconninfoParse(conninfo, &wrong);
    PQfreemem(wrong);
    if (!options)
        return pgv_fail_argument(call, "conninfo",
                                 "conninfo is no connection string of libpq: it is written "
                                 "\"host=... dbname=...\" or postgresql://USER@HOST/DATABASE");
    for (PQconninfoOption *at = options; at->keyword && !code; at++)
        if (at->val &&
            (strcmp(at->keyword, "password") == 0 || strcmp(at->keyword, "sslpassword") == 0))
            code =
                pgv_fail_argument(call, "conninfo",
                                  "conninfo holds a password: give it as the parameter %s, which "
                                  "is never shown or recorded",
                                  at->keyword);
    PQconninfoFree(options);
    return code;
}

int32_t pgv_settings_read(pgv_call *call, pgv_settings *settings)
{
    int64_t pool_size = DEFAULT_POOL, timeout = 0;
    int32_t code = text_read(call, "conninfo", NULL, &settings->conninfo);

    if (!code && settings->conninfo)
        code = conninfo_check(call, settings->conninfo);
    if (!code)
        code = text_read(call, "password", NULL, &settings->password);
    if (!code)
        code = text_read(call, "sslpassword", NULL, &settings->sslpassword);
    if (!code)
        code = text_read(call, "schema", DEFAULT_SCHEMA, &settings->schema);
    if (!code)
        code = pgv_arg_int(call, "pool_size", 1, PGV_POOL_MAX, &pool_size);
    if (!code) /* the host's to obey */
        code = pgv_arg_int(call, "timeout_ms", 1, INT64_MAX, &timeout);
    if (code)
        return code;
    settings->pool_size = (uint32_t)pool_size;
    if (!*settings->schema || strlen(settings->schema) > NAME_MAX_BYTES)
        return pgv_fail_argument(call, "schema", "schema is a name of 1 to %d bytes",
                                 NAME_MAX_BYTES);
    return SIMPLUGIN_OK;
}

static void secret_free(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

void pgv_settings_clear(pgv_settings *settings)
{
    free(settings->conninfo);
    secret_free(settings->password);
    secret_free(settings->sslpassword);
    free(settings->schema);
    memset(settings, 0, sizeof *settings);
}
