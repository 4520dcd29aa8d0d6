/* SPDX-License-Identifier: Apache-2.0 */
#include "error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buffer.h"
#include "error_access.h"
#include "secrets.h"
#include "simplugin/envelope.h"

typedef struct detail {
    char *key;
    char *value;
} detail;

struct simplugin_error {
    int32_t code;
    int32_t retryable;
    int64_t backend_code;
    char domain[48];
    char *message; /* NULL: memory was short */
    char *backend_message;
    detail *details;
    uint64_t detail_count;
};

/* Given out when there is no memory for an error: shared, constant, never freed. */
static simplugin_error no_memory = {
    .code = SIMPLUGIN_OUT_OF_MEMORY, .retryable = 1, .domain = "core", .message = NULL};

static int32_t retryable_by_code(int32_t code)
{
    return code == SIMPLUGIN_BUSY || code == SIMPLUGIN_UNAVAILABLE ||
           code == SIMPLUGIN_DEADLINE_EXCEEDED || code == SIMPLUGIN_RESOURCE_EXHAUSTED ||
           code == SIMPLUGIN_OUT_OF_MEMORY;
}

/* One line of UTF-8 without control characters, cut at a character's border. */
static char *line_copy(const char *text, size_t size)
{
    char *copy;
    size_t bytes;

    if (size > SP_LINE_MAX) {
        size = SP_LINE_MAX;
        while (size && ((unsigned char)text[size] & 0xc0) == 0x80)
            size--;
    }
    copy = malloc(size + 1);
    if (!copy)
        return NULL;
    /* servers and files send anything; bindings must be able to read it as text */
    for (size_t i = 0; i < size; i += bytes) {
        unsigned char c = (unsigned char)text[i];

        bytes = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        if (bytes > size - i || !simplugin_utf8_check((const uint8_t *)text + i, bytes)) {
            bytes = 1;
            copy[i] = '?';
        } else if (c < 0x20 || c == 0x7f) {
            copy[i] = ' ';
        } else {
            memcpy(copy + i, text + i, bytes);
        }
    }
    copy[size] = '\0';
    return copy;
}

static void error_clear(simplugin_error *error)
{
    for (uint64_t i = 0; i < error->detail_count; i++) {
        free(error->details[i].key);
        free(error->details[i].value);
    }
    free(error->details);
    free(error->message);
    free(error->backend_message);
    memset(error, 0, sizeof *error);
}

/* The error to write into, new or emptied; NULL when there is none to write into. */
static simplugin_error *error_renew(simplugin_error **error)
{
    if (!error)
        return NULL;
    if (*error && *error != &no_memory) {
        error_clear(*error);
        return *error;
    }
    *error = calloc(1, sizeof **error);
    if (!*error)
        *error = &no_memory;
    return *error == &no_memory ? NULL : *error;
}

int32_t sp_error_set_text(simplugin_error **error, int32_t code, const char *domain,
                          const char *message, size_t size)
{
    /* before the old error goes, which message may belong to */
    char *copy = error ? line_copy(message, size) : NULL;
    simplugin_error *e = error_renew(error);

    if (e) {
        e->code = code;
        e->retryable = retryable_by_code(code);
        snprintf(e->domain, sizeof e->domain, "%s", domain);
        e->message = copy;
    } else {
        free(copy);
    }
    return code;
}

int32_t sp_error_set_v(simplugin_error **error, int32_t code, const char *domain,
                       const char *format, va_list args)
{
    char text[1024];
    char *longer = NULL;
    va_list again;
    int size;

    if (!error)
        return code;
    va_copy(again, args);
    size = vsnprintf(text, sizeof text, format, args);
    if (size >= (int)sizeof text && (longer = malloc((size_t)size + 1)))
        vsnprintf(longer, (size_t)size + 1, format, again);
    va_end(again);
    sp_error_set_text(error, code, domain, longer ? longer : text,
                      strlen(longer ? longer : text));
    free(longer);
    return code;
}

int32_t sp_error_set(simplugin_error **error, int32_t code, const char *domain, const char *format,
                     ...)
{
    va_list args;

    va_start(args, format);
    sp_error_set_v(error, code, domain, format, args);
    va_end(args);
    return code;
}

int32_t sp_error_no_memory(simplugin_error **error)
{
    if (error) {
        simplugin_error_free(error);
        *error = &no_memory;
    }
    return SIMPLUGIN_OUT_OF_MEMORY;
}

int32_t sp_error_set_errno(simplugin_error **error, int errnum, const char *domain,
                           const char *action, const char *path)
{
    int32_t code = SIMPLUGIN_IO;
    char text[256];

    switch (errnum) {
    case ENOMEM: code = SIMPLUGIN_OUT_OF_MEMORY; break;
    case ENOSPC: case EDQUOT: code = SIMPLUGIN_NO_SPACE; break;
    case EROFS: code = SIMPLUGIN_READ_ONLY; break;
    case EACCES: case EPERM: code = SIMPLUGIN_PERMISSION_DENIED; break;
    case ENOENT: case ENOTDIR: code = SIMPLUGIN_NOT_FOUND; break;
    case EEXIST: code = SIMPLUGIN_ALREADY_EXISTS; break;
    case EMFILE: case ENFILE: code = SIMPLUGIN_RESOURCE_EXHAUSTED; break;
    default: break;
    }
    return sp_error_set(error, code, domain, "cannot %s %s: %s", action, path,
                        strerror_r(errnum, text, sizeof text));
}

void sp_error_add_detail_text(simplugin_error **error, const char *key, size_t key_size,
                              const char *value, size_t value_size)
{
    simplugin_error *e = error ? *error : NULL;
    detail *grown;

    if (!e || e == &no_memory)
        return;
    grown = realloc(e->details, ((size_t)e->detail_count + 1) * sizeof *grown);
    if (!grown)
        return;
    e->details = grown;
    grown += e->detail_count;
    grown->key = line_copy(key, key_size);
    grown->value = line_copy(value, value_size);
    if (grown->key && grown->value) {
        e->detail_count++;
    } else {
        free(grown->key);
        free(grown->value);
    }
}

void sp_error_add_detail(simplugin_error **error, const char *key, const char *value)
{
    sp_error_add_detail_text(error, key, strlen(key), value, strlen(value));
}

void sp_error_prefix(simplugin_error **error, const char *format, ...)
{
    simplugin_error *e = error ? *error : NULL;
    sp_buffer buffer;
    char head[512];
    char *joined, *line;
    size_t size;
    va_list args;

    if (!e || e == &no_memory || !e->message)
        return;
    va_start(args, format);
    vsnprintf(head, sizeof head, format, args);
    va_end(args);
    sp_buffer_init(&buffer);
    sp_buffer_printf(&buffer, "%s: %s", head, e->message);
    joined = sp_buffer_steal(&buffer, &size);
    if (joined && (line = line_copy(joined, size))) {
        free(e->message);
        e->message = line;
    }
    free(joined);
}

void sp_error_set_domain(simplugin_error **error, const char *domain)
{
    if (error && *error && *error != &no_memory)
        snprintf((*error)->domain, sizeof (*error)->domain, "%s", domain);
}

void sp_error_set_backend(simplugin_error **error, int64_t code, const char *message, size_t size)
{
    simplugin_error *e = error ? *error : NULL;

    if (!e || e == &no_memory)
        return;
    free(e->backend_message);
    e->backend_code = code;
    e->backend_message = message ? line_copy(message, size) : NULL;
}

void sp_error_set_retryable(simplugin_error **error, int32_t retryable)
{
    if (error && *error && *error != &no_memory)
        (*error)->retryable = retryable != 0;
}

void sp_error_mask(simplugin_error **error, const char *const *secrets, size_t count)
{
    simplugin_error *e = error ? *error : NULL;

    if (!e || e == &no_memory)
        return;
    if (e->message)
        sp_secrets_hide(e->message, secrets, count);
    if (e->backend_message)
        sp_secrets_hide(e->backend_message, secrets, count);
    for (uint64_t i = 0; i < e->detail_count; i++)
        sp_secrets_hide(e->details[i].value, secrets, count);
}

const char *sp_code_name(int32_t code)
{
#define NAME(name) case SIMPLUGIN_##name: return #name
    switch (code) {
    NAME(OK); NAME(INVALID_ARGUMENT); NAME(NOT_FOUND); NAME(ALREADY_EXISTS);
    NAME(UNIMPLEMENTED); NAME(DEADLINE_EXCEEDED); NAME(CANCELLED); NAME(BUSY);
    NAME(UNAVAILABLE); NAME(UNAUTHENTICATED); NAME(PERMISSION_DENIED);
    NAME(RESOURCE_EXHAUSTED); NAME(OUT_OF_MEMORY); NAME(IO); NAME(CORRUPT); NAME(READ_ONLY);
    NAME(NO_SPACE); NAME(VERSION_TOO_OLD); NAME(VERSION_TOO_NEW); NAME(INCOMPATIBLE);
    NAME(STALE_HANDLE); NAME(FORKED); NAME(PROMPT_UNSUPPORTED); NAME(DIMENSION_MISMATCH);
    NAME(MALFORMED); NAME(CONFIG); NAME(UNKNOWN_METHOD); NAME(UNKNOWN_PARAMETER);
    NAME(INTERNAL); NAME(PROTOCOL); NAME(BACKEND_UNKNOWN); NAME(BACKEND_NAME);
    NAME(PLUGIN_PATH); NAME(PLUGIN_UNSAFE); NAME(PLUGIN_UNLOADABLE); NAME(PLUGIN_NO_ENTRY);
    NAME(PLUGIN_FOREIGN_ENTRY); NAME(PLUGIN_BAD_TABLE); NAME(PLUGIN_ENTRY_FAILED);
    default: return "UNKNOWN";
    }
#undef NAME
}

/* ---- what programs call -------------------------------------------------------------- */

int32_t simplugin_error_code(const simplugin_error *error)
{
    return error ? error->code : SIMPLUGIN_OK;
}

const char *simplugin_error_message(const simplugin_error *error, uint64_t *size)
{
    const char *text = "";

    if (error && error->message)
        text = error->message;
    else if (error)
        text = error->code == SIMPLUGIN_OUT_OF_MEMORY ? "out of memory"
                                                      : "no memory was left for the message";
    if (size)
        *size = strlen(text);
    return text;
}

const char *simplugin_error_domain(const simplugin_error *error)
{
    return error ? error->domain : "";
}

int64_t simplugin_error_backend_code(const simplugin_error *error)
{
    return error ? error->backend_code : 0;
}

const char *simplugin_error_backend_message(const simplugin_error *error, uint64_t *size)
{
    const char *text = error && error->backend_message ? error->backend_message : "";

    if (size)
        *size = strlen(text);
    return text;
}

int32_t simplugin_error_retryable(const simplugin_error *error)
{
    return error ? error->retryable : 0;
}

uint64_t simplugin_error_detail_count(const simplugin_error *error)
{
    return error ? error->detail_count : 0;
}

const char *simplugin_error_detail_key(const simplugin_error *error, uint64_t i)
{
    return error && i < error->detail_count ? error->details[i].key : "";
}

const char *simplugin_error_detail_value(const simplugin_error *error, uint64_t i)
{
    return error && i < error->detail_count ? error->details[i].value : "";
}

void simplugin_error_free(simplugin_error **error)
{
    if (!error || !*error)
        return;
    if (*error != &no_memory) {
        error_clear(*error);
        free(*error);
    }
    *error = NULL;
}

const char *simplugin_code_name(int32_t code)
{
    return sp_code_name(code);
}
