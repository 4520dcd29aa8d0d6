/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "loader_file.h"

#include "buffer.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_LINKS 40
#define OTHERS (S_IWGRP | S_IWOTH)

/* A path on the way: what was followed, and what still has to be. */
typedef struct walk {
    char *done; /* without links; "" is / */
    char *rest;
    int links;
} walk;

int sp_loader_is_trusted(uid_t owner, uid_t user)
{
    return owner == 0 || owner == user;
}

static int32_t set_unsafe(const char *path, const char *what, const char *remedy,
                          simplugin_error **error)
{
    int32_t code =
        sp_error_set(error, SIMPLUGIN_PLUGIN_UNSAFE, SP_LOADER_DOMAIN,
                     "'%s' %s, so that others could run their code here: %s", *path ? path : "/",
                     what, remedy);

    sp_error_add_detail(error, "path", *path ? path : "/");
    return code;
}

static int32_t set_unreachable(const char *path, int number, simplugin_error **error)
{
    char words[128];
    int32_t code;

    if (number == ENOMEM)
        return sp_error_no_memory(error);
    code = sp_error_set(error, SIMPLUGIN_PLUGIN_UNLOADABLE, SP_LOADER_DOMAIN,
                        "the plugin file '%s' cannot be reached: %s", path,
                        strerror_r(number, words, sizeof words));
    sp_error_add_detail(error, "path", path);
    return code;
}

static int32_t check_owner(const char *path, const struct stat *status, simplugin_error **error)
{
    if (!sp_loader_is_trusted(status->st_uid, geteuid()))
        return set_unsafe(path, "belongs to another user", "make it root's or your own", error);
    return SIMPLUGIN_OK;
}

static int32_t check_directory(const char *path, const struct stat *status,
                               simplugin_error **error)
{
    int32_t code = check_owner(path, status, error);

    if (code == SIMPLUGIN_OK && (status->st_mode & OTHERS) && !(status->st_mode & S_ISVTX))
        code = set_unsafe(path, "is a directory that others may write", "chmod go-w it", error);
    return code;
}

/* Takes the next component from rest and returns it as a path; NULL with *failed or at the end. */
static char *next_path(walk *at, int *failed)
{
    char *from = at->rest + strspn(at->rest, "/");
    size_t size = strcspn(from, "/");
    size_t left = strlen(from + size);
    char *path = NULL;

    if (!size)
        return NULL;
    if (size == 1 && from[0] == '.') {
        path = strdup(at->done);
    } else if (size == 2 && from[0] == '.' && from[1] == '.') {
        const char *slash = strrchr(at->done, '/');

        path = strndup(at->done, slash ? (size_t)(slash - at->done) : 0);
    } else if ((path = malloc(strlen(at->done) + size + 2))) {
        stpcpy(stpncpy(stpcpy(stpcpy(path, at->done), "/"), from, size), "");
    }
    *failed = !path;
    memmove(at->rest, from + size, left + 1);
    return path;
}

/* Puts what the link at path says in front of rest. */
static int32_t follow(walk *at, const char *path, simplugin_error **error)
{
    char target[PATH_MAX];
    ssize_t size = readlink(path, target, sizeof target - 1);
    char *rest = NULL;

    if (size < 0)
        return set_unreachable(path, errno, error);
    if (++at->links > MAX_LINKS)
        return set_unreachable(path, ELOOP, error);
    target[size] = '\0';
    rest = malloc((size_t)size + strlen(at->rest) + 2);
    if (!rest)
        return sp_error_no_memory(error);
    stpcpy(stpcpy(stpcpy(rest, target), "/"), at->rest);
    free(at->rest);
    at->rest = rest;
    if (target[0] == '/')
        at->done[0] = '\0';
    return SIMPLUGIN_OK;
}

static int32_t check_end(const char *path, const struct stat *status, simplugin_error **error)
{
    int32_t code;

    if (!S_ISREG(status->st_mode)) {
        code = sp_error_set(error, SIMPLUGIN_PLUGIN_UNLOADABLE, SP_LOADER_DOMAIN,
                            "'%s' is %s, not a plugin file", *path ? path : "/",
                            S_ISDIR(status->st_mode) ? "a directory" : "no regular file");
        sp_error_add_detail(error, "path", path);
        return code;
    }
    code = check_owner(path, status, error);
    if (code == SIMPLUGIN_OK && (status->st_mode & OTHERS))
        code = set_unsafe(path, "is a file that others may write", "chmod go-w it", error);
    return code;
}

/* One step; *end is set when status is that of the end of the path. */
static int32_t step(walk *at, struct stat *status, int *end, simplugin_error **error)
{
    char *path = NULL;
    int failed = 0;
    int32_t code = SIMPLUGIN_OK;

    /* Looked at again in each step, for ".." and links lead anywhere. */
    if (lstat(*at->done ? at->done : "/", status) != 0)
        return set_unreachable(at->done, errno, error);
    if (S_ISDIR(status->st_mode)) {
        code = check_directory(at->done, status, error);
    } else if (at->rest[strspn(at->rest, "/")]) {
        return set_unreachable(at->done, ENOTDIR, error);
    }
    if (code != SIMPLUGIN_OK)
        return code;
    path = next_path(at, &failed);
    if (!path) {
        *end = 1;
        return failed ? sp_error_no_memory(error) : SIMPLUGIN_OK;
    }
    if (*path && lstat(path, status) != 0)
        code = set_unreachable(path, errno, error);
    /* Not the owner of the directory alone: in one with the sticky bit anybody puts links. */
    else if (*path && S_ISLNK(status->st_mode))
        code = check_owner(path, status, error);
    if (code == SIMPLUGIN_OK && *path && S_ISLNK(status->st_mode)) {
        code = follow(at, path, error);
    } else if (code == SIMPLUGIN_OK) {
        free(at->done);
        at->done = path;
        path = NULL;
    }
    free(path);
    return code;
}

int32_t sp_loader_check_file(const char *path, char **real, struct stat *status,
                             simplugin_error **error)
{
    walk at = {.done = strdup(""), .rest = strdup(path)};
    int32_t code = SIMPLUGIN_OK;
    int end = 0;

    *real = NULL;
    if (!at.done || !at.rest)
        code = sp_error_no_memory(error);
    else if (path[0] != '/')
        code = sp_error_set(error, SIMPLUGIN_PLUGIN_PATH, SP_LOADER_DOMAIN,
                            "the plugin path '%s' is not absolute", path);
    while (code == SIMPLUGIN_OK && !end)
        code = step(&at, status, &end, error);
    if (code == SIMPLUGIN_OK)
        code = check_end(at.done, status, error);
    if (code == SIMPLUGIN_OK) {
        *real = at.done;
        at.done = NULL;
    }
    free(at.done);
    free(at.rest);
    return code;
}

char *sp_loader_path(const char *directory, const char *name)
{
    size_t size = strlen(directory);
    sp_buffer path;

    while (size > 1 && directory[size - 1] == '/')
        size--;
    sp_buffer_init(&path);
    sp_buffer_append(&path, directory, size);
    sp_buffer_printf(&path, "%s" SP_LOADER_PREFIX "%s" SP_LOADER_SUFFIX,
                     size == 1 ? "" : "/", name);
    return sp_buffer_steal(&path, NULL);
}

int32_t sp_loader_search(const json_t *dirs, const char *name, char **path, const char **origin,
                         simplugin_error **error)
{
    struct stat status;

    *path = NULL;
    *origin = NULL;
    /* All of them first: a relative one is an error wherever the plugin is. */
    for (size_t i = 0; i < json_array_size(dirs); i++) {
        const char *directory = json_string_value(json_object_get(json_array_get(dirs, i), "path"));

        if (!directory || directory[0] != '/')
            return sp_error_set(error, SIMPLUGIN_PLUGIN_PATH, SP_LOADER_DOMAIN,
                                "the plugin directory '%s' is not absolute: begin it with a '/'",
                                directory ? directory : "");
    }
    for (size_t i = 0; i < json_array_size(dirs) && !*path; i++) {
        const json_t *entry = json_array_get(dirs, i);

        *path = sp_loader_path(json_string_value(json_object_get(entry, "path")), name);
        if (!*path)
            return sp_error_no_memory(error);
        if (lstat(*path, &status) == 0) {
            *origin = json_string_value(json_object_get(entry, "origin"));
        } else {
            free(*path);
            *path = NULL;
        }
    }
    return SIMPLUGIN_OK;
}
