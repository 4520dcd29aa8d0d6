/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "column.h"
#include "runs_secrets.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define DOMAIN "runs"
#define MAX_DEPTH 32

/* Words of a name: runs of letters and digits; a capital after a small letter begins one. */
static size_t next_word(const char **at, char *word, size_t capacity)
{
    const char *c = *at;
    size_t size = 0;
    int last = 0;

    while (*c && !isalnum((unsigned char)*c))
        c++;
    while (isalnum((unsigned char)*c) &&
           !(isupper((unsigned char)*c) && islower((unsigned char)last))) {
        last = *c++;
        if (size + 1 < capacity)
            word[size++] = (char)tolower((unsigned char)last);
    }
    word[size] = '\0';
    *at = c;
    return size;
}

static int is_one_of(const char *word, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(word, *words) == 0)
            return 1;
    return 0;
}

/* By words, so that max_tokens and partition_key are nothing secret. */
static int is_secret_name(const char *name)
{
    static const char *const secrets[] = {
        "password", "passwd",      "passphrase",    "pwd",    "secret", "secrets",   "token",
        "apikey",   "credentials", "authorization", "bearer", "jwt",    "credential", NULL};
    static const char *const before_key[] = {"api",     "access", "private", "secret",
                                             "account", "auth",   "signing", NULL};
    char word[32], previous[32] = "";

    while (next_word(&name, word, sizeof(word))) {
        if (is_one_of(word, secrets) ||
            (strcmp(word, "key") == 0 && is_one_of(previous, before_key)))
            return 1;
        memcpy(previous, word, sizeof(previous));
    }
    return 0;
}

/* scheme://user:password@host */
static int has_password(const char *url)
{
    const char *authority = strstr(url, "://");
    const char *at, *colon;

    if (!authority)
        return 0;
    authority += 3;
    at = memchr(authority, '@', strcspn(authority, "/?#"));
    colon = at ? memchr(authority, ':', (size_t)(at - authority)) : NULL;
    return colon != NULL;
}

static int is_listed(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(name, names[i]) == 0)
            return 1;
    return 0;
}

/* A declared field: "token_count" there is a column's name, and the value says its type. */
static int is_column(const json_t *value)
{
    return json_is_string(value) &&
           sp_column_type(json_string_value(value), json_string_length(value)) != 0;
}

static int32_t check(const char *name, const json_t *value, const char *const *names, size_t count,
                     int depth, simplugin_error **error)
{
    int declares = depth == 1 && strcmp(name, "fields") == 0;
    const char *wrong = NULL, *inner;
    json_t *item;
    int32_t code = SIMPLUGIN_OK;

    if (depth > MAX_DEPTH)
        return sp_error_set(error, SIMPLUGIN_INVALID_ARGUMENT, DOMAIN,
                            "the config of a run is nested deeper than %d", MAX_DEPTH);
    if (!json_is_null(value) && (is_listed(name, names, count) || is_secret_name(name)))
        wrong = "holds a credential";
    else if (json_is_string(value) && has_password(json_string_value(value)))
        wrong = "is a URL with a password in it";
    if (wrong) {
        code = sp_error_set(error, SIMPLUGIN_INVALID_ARGUMENT, DOMAIN,
                            "the parameter %s %s, and run records store none; leave it out and "
                            "give it again when the run is loaded",
                            name, wrong);
        sp_error_add_detail(error, "argument", name);
        return code;
    }
    json_object_foreach((json_t *)value, inner, item) {
        if (code == SIMPLUGIN_OK && !(declares && is_column(item)))
            code = check(inner, item, names, count, depth + 1, error);
    }
    for (size_t i = 0; code == SIMPLUGIN_OK && i < json_array_size(value); i++)
        code = check(name, json_array_get(value, i), names, count, depth + 1, error);
    return code;
}

int32_t sp_runs_check_secrets(const json_t *config, const char *const *names, size_t count,
                              simplugin_error **error)
{
    return check("config", config, names, count, 0, error);
}
