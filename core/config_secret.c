/* SPDX-License-Identifier: Apache-2.0 */
/* What people must not get to see, and how it is shown to them instead. */
#include "config.h"

#include "buffer.h"
#include "config_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MASK "****"
#define SPACE " \t\r\n"

/* Rather one too many than one too few: what is masked wrongly does no harm. */
static const char *const secret_words[] = {"password", "passwords", "passwd", "passphrase", "pwd",
                                           "token",    "tokens",    "key",    "keys",
                                           "secret",   "secrets",   "credential", "credentials",
                                           NULL};

static int is_secret_part(const char *part, size_t size)
{
    for (const char *const *word = secret_words; *word; word++) {
        size_t length = strlen(*word);

        if (size >= length && (strncasecmp(part, *word, length) == 0 ||
                               strncasecmp(part + size - length, *word, length) == 0))
            return 1;
    }
    return 0;
}

static int is_secret_name(const char *name, size_t size)
{
    for (size_t at = 0; at < size;) {
        size_t length = 0;

        while (at + length < size && isalnum((unsigned char)name[at + length]))
            length++;
        if (is_secret_part(name + at, length))
            return 1;
        at += length + 1;
    }
    return 0;
}

int sp_config_is_secret_name(const char *name)
{
    return is_secret_name(name, strlen(name));
}

/* Appends "?a=1&api_key=****" for text that begins at the question mark. */
static void append_query(sp_buffer *out, const char *text, size_t size)
{
    size_t at = 0;

    while (at < size) {
        size_t end = at + 1;
        const char *equals;

        while (end < size && text[end] != '&' && text[end] != ';' && text[end] != '#')
            end++;
        equals = memchr(text + at, '=', end - at);
        if (equals && equals + 1 < text + end &&
            is_secret_name(text + at, (size_t)(equals - text) - at)) {
            sp_buffer_append(out, text + at, (size_t)(equals - text) + 1 - at);
            sp_buffer_append_text(out, MASK);
        } else {
            sp_buffer_append(out, text + at, end - at);
        }
        at = end;
    }
}

/* Where user and password may begin: behind the scheme, if what stands before "://" is one. */
static size_t authority_of(const char *text, size_t size)
{
    const char *scheme = memmem(text, size, "://", 3);

    for (const char *at = text; scheme && at < scheme; at++)
        if (!isalnum((unsigned char)*at) && *at != '+' && *at != '-' && *at != '.')
            return 0;
    return scheme ? (size_t)(scheme - text) + 3 : 0;
}

/*
 * One URL, or what may be one without its scheme: user:password@host. A password with a
 * '/' or '@' that should have been escaped is still a password, so the last '@' counts.
 */
static void append_url(sp_buffer *out, const char *text, size_t size)
{
    size_t begin = authority_of(text, size);
    const char *host = memrchr(text + begin, '@', size - begin);
    const char *colon = host ? memchr(text + begin, ':', (size_t)(host - text) - begin) : NULL;
    const char *query;
    size_t at = 0;

    if (colon) {
        sp_buffer_append(out, text, (size_t)(colon - text) + 1);
        sp_buffer_append_text(out, MASK);
        at = (size_t)(host - text);
    }
    query = memchr(text + at, '?', size - at);
    sp_buffer_append(out, text + at, (query ? (size_t)(query - text) : size) - at);
    if (query)
        append_query(out, query, size - (size_t)(query - text));
}

char *sp_config_mask_text(const char *text)
{
    sp_buffer out;

    sp_buffer_init(&out);
    while (*text) {
        size_t space = strspn(text, SPACE);
        size_t size = strcspn(text + space, SPACE);

        sp_buffer_append(&out, text, space);
        append_url(&out, text + space, size);
        text += space + size;
    }
    return sp_buffer_steal(&out, NULL);
}

/* A whole value is one URL, should its password have spaces in it too. */
static json_t *mask_string(const json_t *value)
{
    sp_buffer out;
    json_t *masked;

    sp_buffer_init(&out);
    append_url(&out, json_string_value(value), json_string_length(value));
    masked = out.failed ? NULL : json_stringn((const char *)out.data, out.size);
    sp_buffer_clear(&out);
    return masked;
}

/* secret: the value is, whatever it looks like. */
static json_t *mask(const json_t *value, int secret)
{
    json_t *copy = NULL;
    json_t *item;
    const char *key;
    int failed = 0;

    if (secret)
        return json_is_null(value) ? json_null() : json_string(MASK);
    if (json_is_string(value))
        return mask_string(value);
    if (json_is_object(value)) {
        copy = json_object();
        json_object_foreach((json_t *)value, key, item)
        {
            failed |= json_object_set_new(copy, key, mask(item, sp_config_is_secret_name(key)));
        }
    } else if (json_is_array(value)) {
        copy = json_array();
        for (size_t i = 0; i < json_array_size(value); i++)
            failed |= json_array_append_new(copy, mask(json_array_get(value, i), 0));
    } else {
        return json_copy((json_t *)value);
    }
    if (failed) {
        json_decref(copy);
        copy = NULL;
    }
    return copy;
}

static int is_declared_secret(const sp_parameters *declared, const char *name)
{
    for (size_t i = 0; declared && i < declared->count; i++)
        if (strcmp(declared->items[i].name, name) == 0)
            return declared->items[i].secret;
    return 0;
}

/* Adds the texts that mask would hide; 0 or -1. */
static int collect(json_t *secrets, const json_t *value, int secret)
{
    const char *key;
    json_t *item;
    int failed = 0;

    if (json_is_string(value) && secret) {
        if (json_string_length(value))
            failed |= json_array_append(secrets, (json_t *)value);
    } else if (json_is_string(value)) {
        const char *text = json_string_value(value);
        const char *host = strrchr(text, '@');
        const char *colon;

        text += authority_of(text, strlen(text));
        colon = host && host > text ? memchr(text, ':', (size_t)(host - text)) : NULL;
        if (colon && colon + 1 < host)
            failed |= json_array_append_new(
                secrets, json_stringn(colon + 1, (size_t)(host - colon - 1)));
    } else if (json_is_object(value)) {
        json_object_foreach((json_t *)value, key, item)
        {
            failed |= collect(secrets, item, secret || sp_config_is_secret_name(key));
        }
    } else {
        for (size_t i = 0; i < json_array_size(value); i++)
            failed |= collect(secrets, json_array_get(value, i), secret);
    }
    return failed;
}

json_t *sp_config_secrets(const json_t *values, const sp_parameters *declared)
{
    json_t *secrets = json_array();
    json_t *item;
    const char *key;
    int failed = !secrets;

    json_object_foreach((json_t *)values, key, item)
    {
        int secret = is_declared_secret(declared, key) || sp_config_is_secret_name(key);

        failed |= collect(secrets, item, secret);
    }
    if (failed) {
        json_decref(secrets);
        secrets = NULL;
    }
    return secrets;
}

json_t *sp_config_masked(const json_t *values, const sp_parameters *declared)
{
    json_t *copy = json_object();
    json_t *item;
    const char *key;
    int failed = !copy;

    json_object_foreach((json_t *)values, key, item)
    {
        int secret = is_declared_secret(declared, key) || sp_config_is_secret_name(key);

        failed |= json_object_set_new(copy, key, mask(item, secret));
    }
    if (failed) {
        json_decref(copy);
        copy = NULL;
    }
    return copy;
}
