/* SPDX-License-Identifier: Apache-2.0 */
/* The brain configuration file: strict JSON, and where in it each value stands. */
#include "config.h"

#include "buffer.h"
#include "config_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- places ------------------------------------------------------------------------- */

/* Line and column, both from 1, of a byte of text; columns count characters. */
static void count_place(const char *text, size_t offset, size_t *line, size_t *column)
{
    *line = 1;
    *column = 1;
    for (size_t i = 0; i < offset; i++) {
        if (text[i] == '\n') {
            ++*line;
            *column = 1;
        } else if (((unsigned char)text[i] & 0xc0) != 0x80) {
            ++*column;
        }
    }
}

static size_t skip_space(const char *text, size_t size, size_t at)
{
    while (at < size && strchr(" \t\r\n", text[at]) && text[at])
        at++;
    return at;
}

/* From the opening quote to behind the closing one. */
static size_t skip_string(const char *text, size_t size, size_t at)
{
    for (at++; at < size && text[at] != '"'; at++)
        if (text[at] == '\\')
            at++;
    return at < size ? at + 1 : size;
}

/* From the first byte of a value to behind its last; the text is known to be JSON. */
static size_t skip_value(const char *text, size_t size, size_t at)
{
    size_t depth = 0;

    while (at < size) {
        char c = text[at];

        if (c == '"') {
            at = skip_string(text, size, at);
        } else if (c == '{' || c == '[') {
            depth++;
            at++;
        } else if (c == '}' || c == ']' || c == ',') {
            if (!depth)
                break;
            at++;
            depth -= c != ',';
        } else {
            at++;
            continue;
        }
        if (!depth && c != ',')
            break;
    }
    return at;
}

/* Whether the JSON string of size bytes, quotes included, says key. */
static int is_key(const char *text, size_t size, const char *key)
{
    size_t key_size = strlen(key);
    json_t *decoded = NULL;
    int same;

    if (!memchr(text, '\\', size))
        return size == key_size + 2 && memcmp(text + 1, key, key_size) == 0;
    decoded = json_loadb(text, size, JSON_DECODE_ANY, NULL);
    same = decoded && strcmp(json_string_value(decoded), key) == 0;
    json_decref(decoded);
    return same;
}

/* Where key's value begins in the object that begins at; 0 if it has none. */
static size_t find_member(const char *text, size_t size, size_t at, const char *key)
{
    size_t found = 0;

    if (at >= size || text[at] != '{')
        return 0;
    at = skip_space(text, size, at + 1);
    while (at < size && text[at] == '"') {
        size_t end = skip_string(text, size, at);
        size_t value = skip_space(text, size, end);

        value = skip_space(text, size, value + 1); /* the colon */
        /* Of equal keys the last one counts, for jansson as for Python. */
        if (is_key(text + at, end - at, key))
            found = value;
        at = skip_space(text, size, skip_value(text, size, value));
        if (at < size && text[at] == ',')
            at = skip_space(text, size, at + 1);
    }
    return found;
}

char *sp_config_file_place(const sp_config_file *file, const char *const *keys, size_t count)
{
    sp_buffer place;
    size_t at = skip_space(file->text, file->size, 0);
    size_t line;
    size_t column;

    for (size_t i = 0; i < count; i++) {
        size_t value = find_member(file->text, file->size, at, keys[i]);

        if (!value)
            break;
        at = value;
    }
    count_place(file->text, at, &line, &column);
    sp_buffer_init(&place);
    sp_buffer_printf(&place, "%s:%zu:%zu", file->path, line, column);
    return sp_buffer_steal(&place, NULL);
}

/* ---- parsing ------------------------------------------------------------------------ */

/* The comma that text must not have before the bracket that ends at; 0 if there is none. */
static size_t find_trailing_comma(const char *text, size_t size, size_t at)
{
    if (at == 0 || at > size || (text[at - 1] != '}' && text[at - 1] != ']'))
        return 0;
    for (at--; at > 0 && strchr(" \t\r\n", text[at - 1]) && text[at - 1];)
        at--;
    return at > 1 && text[at - 1] == ',' ? at : 0;
}

/* Where text goes deeper than is allowed; size if nowhere. */
static size_t find_too_deep(const char *text, size_t size)
{
    size_t depth = 0;

    for (size_t at = 0; at < size; at++) {
        if (text[at] == '"') {
            at = skip_string(text, size, at) - 1;
        } else if (text[at] == '{' || text[at] == '[') {
            if (++depth > SP_CONFIG_MAX_DEPTH)
                return at;
        } else if ((text[at] == '}' || text[at] == ']') && depth) {
            depth--;
        }
    }
    return size;
}

static int32_t set_syntax_error(const sp_config_file *file, const json_error_t *problem,
                                simplugin_error **error)
{
    size_t line = problem->line > 0 ? (size_t)problem->line : 1;
    size_t column = problem->column > 0 ? (size_t)problem->column : 1;
    size_t comma =
        problem->position > 0
            ? find_trailing_comma(file->text, file->size, (size_t)problem->position)
            : 0;
    int32_t code;
    char at[64];

    if (json_error_code(problem) == json_error_out_of_memory)
        return sp_error_no_memory(error);
    if (comma) {
        count_place(file->text, comma - 1, &line, &column);
        code = sp_error_set(error, SIMPLUGIN_CONFIG, SP_CONFIG_DOMAIN,
                            "%s:%zu:%zu: trailing comma: JSON allows none before '%c', remove it",
                            file->path, line, column, file->text[problem->position - 1]);
    } else {
        /* Not jansson's words on what stands there: that may be a password. */
        const char *what = problem->text;
        const char *near = strstr(what, " near ");
        int size = (int)(near && strcmp(near, " near end of file") != 0 ? (size_t)(near - what)
                                                                        : strlen(what));

        if (json_error_code(problem) == json_error_invalid_utf8)
            what = "the text is not UTF-8", size = (int)strlen(what);
        code = sp_error_set(error, SIMPLUGIN_CONFIG, SP_CONFIG_DOMAIN, "%s:%zu:%zu: not JSON: %.*s",
                            file->path, line, column, size, what);
    }
    snprintf(at, sizeof at, "%zu", line);
    sp_error_add_detail(error, "file", file->path);
    sp_error_add_detail(error, "line", at);
    snprintf(at, sizeof at, "%zu", column);
    sp_error_add_detail(error, "column", at);
    return code;
}

static int32_t set_form_error(const sp_config_file *file, const char *const *keys, size_t count,
                              const char *what, const char *type, simplugin_error **error)
{
    char *place = sp_config_file_place(file, keys, count);
    int32_t code;

    if (!place)
        return sp_error_no_memory(error);
    code = sp_error_set(error, SIMPLUGIN_CONFIG, SP_CONFIG_DOMAIN, "%s: %s%s%s must be %s", place,
                        what, count ? " " : "", count ? keys[count - 1] : "", type);
    sp_error_add_detail(error, "file", file->path);
    free(place);
    return code;
}

static int32_t check_form(const sp_config_file *file, simplugin_error **error)
{
    const char *keys[] = {SP_KEY_BACKENDS, NULL};
    json_t *backends;
    json_t *section;

    /* FiftyOne takes a lone null for an empty file. */
    if (json_is_null(file->root))
        return SIMPLUGIN_OK;
    if (!json_is_object(file->root))
        return set_form_error(file, NULL, 0, "the configuration", "an object", error);
    backends = json_object_get(file->root, SP_KEY_BACKENDS);
    if (backends && !json_is_object(backends))
        return set_form_error(file, keys, 1, "the value of", "an object", error);
    json_object_foreach(backends, keys[1], section)
    {
        if (!json_is_object(section))
            return set_form_error(file, keys, 2, "the section of backend", "an object", error);
    }
    return SIMPLUGIN_OK;
}

int32_t sp_config_file_take(sp_config_file *file, const char *path, char *text, size_t size,
                            simplugin_error **error)
{
    json_error_t problem = {.line = 0};
    size_t deep;

    file->root = NULL;
    file->text = text;
    file->size = size;
    file->path = strdup(path);
    if (!file->path)
        return sp_error_no_memory(error);
    if (size > SP_CONFIG_MAX_FILE)
        return sp_error_set(error, SIMPLUGIN_CONFIG, SP_CONFIG_DOMAIN,
                            "%s: a configuration file may have 1 MiB, this one has more", path);
    deep = find_too_deep(text, size);
    if (deep < size) {
        size_t line;
        size_t column;

        count_place(text, deep, &line, &column);
        return sp_error_set(error, SIMPLUGIN_CONFIG, SP_CONFIG_DOMAIN,
                            "%s:%zu:%zu: nested deeper than %d levels", path, line, column,
                            SP_CONFIG_MAX_DEPTH);
    }
    /* Any value, so that one that is no object gets an error with a place in it. */
    file->root = json_loadb(text, size, JSON_DECODE_ANY, &problem);
    if (!file->root)
        return set_syntax_error(file, &problem, error);
    return check_form(file, error);
}

/* ---- reading ------------------------------------------------------------------------ */

static int32_t set_read_error(int number, const char *path, simplugin_error **error)
{
    char words[128];
    int32_t code = sp_error_set(error, SIMPLUGIN_CONFIG, SP_CONFIG_DOMAIN,
                                "%s: the configuration file cannot be read: %s", path,
                                strerror_r(number, words, sizeof words));

    sp_error_add_detail(error, "file", path);
    return code;
}

static int32_t read_all(const char *path, char **text, size_t *size, simplugin_error **error)
{
    /* Not to wait should the file have become a pipe since it was looked at. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int32_t code = SIMPLUGIN_OK;
    sp_buffer buffer;

    sp_buffer_init(&buffer);
    if (fd < 0) {
        code = set_read_error(errno, path, error);
        goto out;
    }
    while (buffer.size <= SP_CONFIG_MAX_FILE) {
        char block[8192];
        ssize_t got = read(fd, block, sizeof block);

        if (got == 0)
            break;
        if (got > 0) {
            sp_buffer_append(&buffer, block, (size_t)got);
        } else if (errno != EINTR) {
            code = set_read_error(errno, path, error);
            goto out;
        }
    }
    *text = sp_buffer_steal(&buffer, size);
    if (!*text)
        code = sp_error_no_memory(error);
out:
    sp_buffer_clear(&buffer);
    if (fd >= 0)
        close(fd);
    return code;
}

/* A variable that names the backend keeps FiftyOne from looking at what the file says. */
static int32_t check_default(const sp_config *config, const sp_config_file *file,
                             simplugin_error **error)
{
    static const char *const key = SP_KEY_DEFAULT;
    const char *chosen = sp_env_get(config, SP_ENV_DEFAULT);
    const json_t *value = json_object_get(file->root, key);

    if ((chosen && *chosen) || !value || json_is_null(value) || json_is_string(value))
        return SIMPLUGIN_OK;
    return set_form_error(file, &key, 1, "the value of", "text", error);
}

int32_t sp_config_file_read(const sp_config *config, sp_config_file *file,
                            simplugin_error **error)
{
    char *path = NULL;
    char *text = NULL;
    size_t size = 0;
    int exists = 0;
    int32_t code;

    memset(file, 0, sizeof *file);
    code = sp_config_file_path(config, &path, &exists, error);
    if (code == SIMPLUGIN_OK && exists)
        code = read_all(path, &text, &size, error);
    if (code == SIMPLUGIN_OK && text)
        code = sp_config_file_take(file, path, text, size, error);
    if (code == SIMPLUGIN_OK)
        code = check_default(config, file, error);
    free(path);
    return code;
}

void sp_config_file_clear(sp_config_file *file)
{
    json_decref(file->root);
    free(file->text);
    free(file->path);
    memset(file, 0, sizeof *file);
}
