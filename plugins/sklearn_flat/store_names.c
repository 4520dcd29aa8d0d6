/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Folders. A collection lives in a folder named after a hash of its name; the name itself
 * stands in the file "name", so that collections can be listed without being opened, and
 * again in the schema. Folders whose name starts with a dot are being made or deleted.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_internal.h"

int32_t flat_name_check(sp_text name, simplugin_error **error)
{
    if (name.size == 0 || name.size > FLAT_NAME_MAX)
        return plug_error_argument(error, "collection", "a collection's name has 1 to %d bytes, not %zu",
                                   FLAT_NAME_MAX, name.size);
    return SIMPLUGIN_OK;
}

/* FNV-1a of 128 bits, written as a UUID of version 8. */
void flat_folder_name(sp_text name, char out[FLAT_FOLDER_SIZE])
{
    const unsigned __int128 prime = (unsigned __int128)1 << 88 | 0x13b;
    unsigned __int128 hash =
        (unsigned __int128)UINT64_C(0x6c62272e07bb0142) << 64 | UINT64_C(0x62b821756295c58d);
    uint64_t high, low;

    for (size_t i = 0; i < name.size; i++)
        hash = (hash ^ (uint8_t)name.data[i]) * prime;
    hash ^= hash >> 61;
    hash *= prime;
    high = (uint64_t)(hash >> 64);
    low = (uint64_t)hash;
    snprintf(out, FLAT_FOLDER_SIZE, "%08x-%04x-8%03x-%04x-%012llx", (unsigned)(high >> 32),
             (unsigned)(high >> 16 & 0xffff), (unsigned)(high & 0xfff),
             (unsigned)(0x8000 | (low >> 48 & 0x3fff)),
             (unsigned long long)(low & UINT64_C(0xffffffffffff)));
}

char *flat_path(const char *folder, const char *file)
{
    char *path = NULL;

    return asprintf(&path, "%s/%s", folder, file) < 0 ? NULL : path;
}

char *flat_generation_path(const char *folder, uint64_t generation)
{
    char *path = NULL;

    return asprintf(&path, "%s/store-%llu.mdb", folder, (unsigned long long)generation) < 0 ? NULL
                                                                                            : path;
}

/* 1 if the folder is a collection of that name (any name if data is NULL, copied to found). */
static int folder_is(const char *folder, sp_text name, char found[FLAT_NAME_MAX], size_t *size,
                     int *errnum)
{
    char text[FLAT_NAME_MAX + 1];
    char *path = flat_path(folder, "name");
    ssize_t count = -1;
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

    *errnum = path ? errno : ENOMEM;
    if (fd >= 0) {
        count = read(fd, text, sizeof(text));
        *errnum = count < 0 ? errno : 0;
        close(fd);
    }
    free(path);
    if (count <= 0 || count > FLAT_NAME_MAX)
        return 0;
    if (!name.data) {
        memcpy(found, text, (size_t)count);
        *size = (size_t)count;
        return 1;
    }
    return name.size == (size_t)count && !memcmp(name.data, text, name.size);
}

/* Calls each with every collection's folder and name until it returns non-zero. */
static int32_t each_folder(const char *root,
                           int (*each)(void *context, const char *folder, sp_text name),
                           void *context, simplugin_error **error)
{
    const sp_text any = {NULL, 0};
    DIR *dir = opendir(root);
    int32_t code = SIMPLUGIN_OK;
    struct dirent *entry = NULL;
    int stop = 0;

    if (!dir)
        return errno == ENOENT ? SIMPLUGIN_OK : plug_error_errno(error, errno, "list", root);
    while (!stop && code == SIMPLUGIN_OK && (errno = 0, entry = readdir(dir)) != NULL) {
        char found[FLAT_NAME_MAX];
        sp_text name = {found, 0};
        char *folder = NULL;
        int errnum = 0;

        if (entry->d_name[0] == '.')
            continue;
        folder = flat_path(root, entry->d_name);
        if (!folder)
            code = plug_error_no_memory(error);
        else if (folder_is(folder, any, found, &name.size, &errnum))
            stop = each(context, folder, name);
        free(folder);
    }
    if (code == SIMPLUGIN_OK && !stop && errno)
        code = plug_error_errno(error, errno, "list", root);
    closedir(dir);
    return code;
}

typedef struct search {
    sp_text name;
    char *folder;
    int found;
} search;

static int match(void *context, const char *folder, sp_text name)
{
    search *wanted = context;

    wanted->found = name.size == wanted->name.size && !memcmp(name.data, wanted->name.data, name.size);
    if (wanted->found)
        wanted->folder = strdup(folder);
    return wanted->found;
}

int32_t flat_folder_find(const char *root, sp_text name, char **folder, simplugin_error **error)
{
    char file[FLAT_FOLDER_SIZE];
    search wanted = {name, NULL, 0};
    char *direct = NULL;
    int errnum = 0;
    int32_t code = flat_name_check(name, error);

    *folder = NULL;
    if (code != SIMPLUGIN_OK)
        return code;
    if (root[0] != '/')
        return plug_error_argument(error, "root", "the folder of collections %s is not absolute", root);
    flat_folder_name(name, file);
    direct = flat_path(root, file);
    if (!direct)
        return plug_error_no_memory(error);
    if (folder_is(direct, name, NULL, NULL, &errnum)) {
        *folder = direct;
        return SIMPLUGIN_OK;
    }
    free(direct);
    if (errnum == ENOMEM)
        return plug_error_no_memory(error);
    if (errnum == EACCES)
        return plug_error(error, SIMPLUGIN_PERMISSION_DENIED,
                          "collection \"%.*s\" in %s may not be read by this user", (int)name.size,
                          name.data, root);
    /* A backup that was put here under another folder's name. */
    code = each_folder(root, match, &wanted, error);
    if (code == SIMPLUGIN_OK && wanted.found && !wanted.folder)
        code = plug_error_no_memory(error);
    *folder = wanted.folder;
    return code;
}

typedef struct listing {
    int (*each)(void *context, sp_text name);
    void *context;
} listing;

static int list_one(void *context, const char *folder, sp_text name)
{
    listing *list = context;

    (void)folder;
    return list->each(list->context, name);
}

int32_t flat_store_list(const char *root, int (*each)(void *context, sp_text name), void *context,
                        simplugin_error **error)
{
    listing list = {each, context};

    return each_folder(root, list_one, &list, error);
}

int32_t flat_store_exists(const char *root, sp_text name, int *exists, simplugin_error **error)
{
    char *folder = NULL;
    int32_t code = flat_folder_find(root, name, &folder, error);

    *exists = folder != NULL;
    free(folder);
    return code;
}

int32_t flat_folder_generation(const char *folder, uint64_t *generation, simplugin_error **error)
{
    DIR *dir = opendir(folder);
    struct dirent *entry = NULL;

    *generation = 0;
    if (!dir)
        return plug_error_errno(error, errno, "open", folder);
    while ((entry = readdir(dir)) != NULL) {
        unsigned long long number = 0;
        char *end = NULL;

        if (strncmp(entry->d_name, "store-", 6) || entry->d_name[6] < '1' || entry->d_name[6] > '9')
            continue;
        number = strtoull(entry->d_name + 6, &end, 10);
        if (!strcmp(end, ".mdb") && (*generation == 0 || number < *generation))
            *generation = number;
    }
    closedir(dir);
    return SIMPLUGIN_OK;
}

int32_t flat_folder_sync(const char *folder, simplugin_error **error)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int32_t code = SIMPLUGIN_OK;

    if (fd < 0)
        return plug_error_errno(error, errno, "open", folder);
    if (fsync(fd))
        code = plug_error_errno(error, errno, "write", folder);
    close(fd);
    return code;
}

int32_t flat_folder_make(const char *folder, sp_text name, simplugin_error **error)
{
    int32_t code = SIMPLUGIN_OK;
    char *path = NULL;
    int fd = -1, writable = 0;

    if (mkdir(folder, 0700))
        return plug_error_errno(error, errno, "make", folder);
    path = flat_path(folder, "name");
    if (!path) {
        code = plug_error_no_memory(error);
        goto out;
    }
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        code = plug_error_errno(error, errno, "make", path);
        goto out;
    }
    errno = ENOSPC; /* what a short write means */
    if (write(fd, name.data, name.size) != (ssize_t)name.size || fsync(fd)) {
        code = plug_error_errno(error, errno, "write", path);
        goto out;
    }
    close(fd);
    fd = flat_lock_open(folder, &writable);
    if (fd < 0)
        code = plug_error_errno(error, errno, "make the lock of", folder);
out:
    if (fd >= 0)
        close(fd);
    if (code != SIMPLUGIN_OK)
        flat_folder_delete(folder);
    free(path);
    return code;
}

void flat_folder_delete(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry = NULL;

    while (dir && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
    rmdir(folder);
}

int32_t flat_root_make(const char *root, simplugin_error **error)
{
    char *path = NULL;
    int32_t code = SIMPLUGIN_OK;

    if (root[0] != '/')
        return plug_error_argument(error, "root", "the folder of collections %s is not absolute", root);
    path = strdup(root);
    if (!path)
        return plug_error_no_memory(error);
    for (char *at = path + 1; code == SIMPLUGIN_OK; at++) {
        char end = *at;

        if (end != '/' && end)
            continue;
        *at = 0;
        if (mkdir(path, 0700) && errno != EEXIST) {
            int errnum = errno;
            struct stat info;

            /* Above what exists there may be folders that may not be written. */
            if (stat(path, &info) || !S_ISDIR(info.st_mode))
                code = plug_error_errno(error, errnum, "make", path);
        }
        *at = end;
        if (!end)
            break;
    }
    free(path);
    return code;
}
