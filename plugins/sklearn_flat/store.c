/* SPDX-License-Identifier: Apache-2.0 */
/* Stores: made, opened, closed, dropped. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store_internal.h"

#define ATTRIBUTES_MAX (UINT64_C(1) << 24)
/* What was being made this many seconds ago will not be finished. */
#define ABANDONED_SECONDS 3600

uint64_t flat_block_rows_forced;

/* ---- opening ------------------------------------------------------------------------- */

/* The store's own copy: the environment it came from may go before the store does. */
static int32_t keep_schema(flat_store *store, simplugin_error **error)
{
    const flat_schema_view *view = &store->env->view;
    size_t size = view->name.size + view->metric.size + 1 + view->attributes.size + 1;

    store->schema_bytes = malloc(size);
    if (!store->schema_bytes)
        return plug_error_no_memory(error);
    memcpy(store->schema_bytes, store->env->schema_bytes, size);
    store->view = *view;
    store->view.name.data = (const char *)store->schema_bytes;
    store->view.metric.data = store->view.name.data + view->name.size;
    store->view.attributes.data = store->view.metric.data + view->metric.size + 1;
    store->schema = store->env->schema;
    store->schema.metric = store->view.metric.data;
    if (store->schema.attributes)
        store->schema.attributes = store->view.attributes.data;
    return SIMPLUGIN_OK;
}

/* Takes folder. */
static int32_t open_folder(const char *root, char *folder, sp_text name, flat_store **result,
                           simplugin_error **error)
{
    flat_store *store = calloc(1, sizeof(*store));
    int32_t code = SIMPLUGIN_OK;

    if (!store) {
        free(folder);
        return plug_error_no_memory(error);
    }
    store->folder = folder;
    store->root = strdup(root);
    store->name = strndup(name.data, name.size);
    if (!store->root || !store->name) {
        code = plug_error_no_memory(error);
        goto out;
    }
    code = flat_env_open_folder(folder, &store->env, error);
    if (code != SIMPLUGIN_OK)
        goto out;
    if (store->env->view.name.size != name.size ||
        memcmp(store->env->view.name.data, name.data, name.size)) {
        code = plug_error(error, SIMPLUGIN_CORRUPT,
                          "%s is damaged: it holds collection \"%.*s\", not \"%s\"", folder,
                          (int)store->env->view.name.size, store->env->view.name.data, store->name);
        goto out;
    }
    code = keep_schema(store, error);
    if (code != SIMPLUGIN_OK)
        goto out;
    *result = store;
    store = NULL;
out:
    flat_store_close(store);
    return code;
}

int32_t flat_store_open(const char *root, sp_text name, flat_store **store, simplugin_error **error)
{
    char *folder = NULL;
    int32_t code = flat_folder_find(root, name, &folder, error);

    *store = NULL;
    if (code == SIMPLUGIN_OK && !folder)
        code = plug_error(error, SIMPLUGIN_NOT_FOUND, "there is no collection \"%.*s\" in %s",
                          (int)name.size, name.data, root);
    return code == SIMPLUGIN_OK ? open_folder(root, folder, name, store, error) : code;
}

void flat_store_close(flat_store *store)
{
    if (!store)
        return;
    if (store->env)
        flat_env_release(store->env);
    free(store->schema_bytes);
    free(store->root);
    free(store->folder);
    free(store->name);
    free(store);
}

const flat_schema *flat_store_schema(const flat_store *store)
{
    return &store->schema;
}

void flat_store_identity(const flat_store *store, char *text, size_t size)
{
    struct stat folder;

    /* the folder stays where its files are replaced */
    text[0] = '\0';
    if (!stat(store->folder, &folder))
        snprintf(text, size, "%llu:%llu", (unsigned long long)folder.st_dev,
                 (unsigned long long)folder.st_ino);
}

/* ---- making -------------------------------------------------------------------------- */

/* A folder's name that no process uses: ".new-4711-0". */
static char *own_folder(const char *root, const char *purpose)
{
    static atomic_uint counter;
    char *path = NULL;

    return asprintf(&path, "%s/.%s-%ld-%u", root, purpose, (long)getpid(),
                    atomic_fetch_add(&counter, 1)) < 0
               ? NULL
               : path;
}

/* What killed processes left of collections that were being made or dropped. */
static void tidy(const char *root)
{
    DIR *dir = opendir(root);
    struct dirent *entry = NULL;

    while (dir && (entry = readdir(dir)) != NULL) {
        int dropped = !strncmp(entry->d_name, ".drop-", 6);
        char *path = NULL;
        struct stat info;

        if (!dropped && strncmp(entry->d_name, ".new-", 5))
            continue;
        path = flat_path(root, entry->d_name);
        if (path && !stat(path, &info) &&
            (dropped || info.st_mtime + ABANDONED_SECONDS < time(NULL)))
            flat_folder_delete(path);
        free(path);
    }
    if (dir)
        closedir(dir);
}

static int32_t schema_check(const flat_schema *schema, simplugin_error **error)
{
    if (schema->dimension == 0 || schema->dimension > FLAT_DIMENSION_MAX)
        return plug_error_argument(error, "dimension", "a dimension is 1 to %llu, not %llu",
                                   (unsigned long long)FLAT_DIMENSION_MAX,
                                   (unsigned long long)schema->dimension);
    if (schema->attributes && schema->attributes_size > ATTRIBUTES_MAX)
        return plug_error_argument(error, "attributes", "the attributes are larger than %llu bytes",
                                   (unsigned long long)ATTRIBUTES_MAX);
    if (schema->metric && strlen(schema->metric) > FLAT_NAME_MAX)
        return plug_error_argument(error, "metric", "the metric's name has more than %d bytes",
                                   FLAT_NAME_MAX);
    return SIMPLUGIN_OK;
}

static int32_t already_exists(const char *root, sp_text name, simplugin_error **error)
{
    return plug_error(error, SIMPLUGIN_ALREADY_EXISTS, "collection \"%.*s\" exists in %s already",
                      (int)name.size, name.data, root);
}

static int32_t make(const char *folder, sp_text name, const flat_schema *schema,
                    simplugin_error **error)
{
    const flat_fields none = {NULL, 0};
    flat_shape shape;
    char *path = NULL;
    int32_t code = flat_folder_make(folder, name, error);

    if (code != SIMPLUGIN_OK)
        return code;
    path = flat_generation_path(folder, 1);
    flat_shape_init(&shape, schema->dimension);
    if (flat_block_rows_forced)
        shape.block_rows = flat_block_rows_forced;
    code = path ? flat_env_format(path, name, &shape, schema, &none, error)
                : plug_error_no_memory(error);
    free(path);
    return code == SIMPLUGIN_OK ? flat_folder_sync(folder, error) : code;
}

int32_t flat_store_create(const char *root, sp_text name, const flat_schema *schema,
                          const flat_wait *wait, flat_store **store, simplugin_error **error)
{
    char file[FLAT_FOLDER_SIZE];
    char *fresh = NULL, *folder = NULL, *existing = NULL;
    int32_t code = schema_check(schema, error);

    *store = NULL;
    if (code == SIMPLUGIN_OK)
        code = flat_wait_check(wait, error);
    if (code == SIMPLUGIN_OK)
        code = flat_name_check(name, error);
    if (code == SIMPLUGIN_OK)
        code = flat_root_make(root, error);
    if (code == SIMPLUGIN_OK)
        code = flat_folder_find(root, name, &existing, error);
    if (code == SIMPLUGIN_OK && existing)
        code = already_exists(root, name, error);
    if (code != SIMPLUGIN_OK)
        goto out;
    tidy(root);
    flat_folder_name(name, file);
    folder = flat_path(root, file);
    fresh = own_folder(root, "new");
    if (!folder || !fresh) {
        code = plug_error_no_memory(error);
        goto out;
    }
    code = make(fresh, name, schema, error);
    if (code == SIMPLUGIN_OK && rename(fresh, folder))
        code = errno == EEXIST || errno == ENOTEMPTY
                   ? already_exists(root, name, error)
                   : plug_error_errno(error, errno, "make", folder);
    if (code != SIMPLUGIN_OK) {
        flat_folder_delete(fresh);
        goto out;
    }
    code = flat_folder_sync(root, error);
    if (code == SIMPLUGIN_OK) {
        code = open_folder(root, folder, name, store, error);
        folder = NULL;
    }
out:
    free(existing);
    free(folder);
    free(fresh);
    return code;
}

/* ---- dropping ------------------------------------------------------------------------ */

static int32_t mark_dropped(flat_writer *writer, void *context, simplugin_error **error)
{
    (void)context;
    (void)error;
    writer->state.dropped = 1;
    return SIMPLUGIN_OK;
}

/* The name is free from then on, whatever happens to what is left. */
static int32_t move_away(const char *root, const char *folder, char **away, simplugin_error **error)
{
    *away = own_folder(root, "drop");
    if (!*away)
        return plug_error_no_memory(error);
    if (rename(folder, *away))
        return plug_error_errno(error, errno, "remove", folder);
    return flat_folder_sync(root, error);
}

int32_t flat_store_drop(const char *root, sp_text name, const flat_wait *wait,
                        simplugin_error **error)
{
    flat_store *store = NULL;
    flat_writer writer = {0};
    char *folder = NULL, *away = NULL;
    int32_t code = flat_store_open(root, name, &store, NULL);

    if (code == SIMPLUGIN_CORRUPT) {
        /* Nobody can have it open: gone with it. */
        code = flat_folder_find(root, name, &folder, error);
        if (code == SIMPLUGIN_OK && folder)
            code = move_away(root, folder, &away, error);
        goto out;
    }
    if (code != SIMPLUGIN_OK)
        code = flat_store_open(root, name, &store, error); /* for its message */
    if (code == SIMPLUGIN_OK)
        code = flat_writer_begin(store, wait, &writer, error);
    if (code == SIMPLUGIN_OK)
        code = move_away(root, store->folder, &away, error);
    /* For those who have it open. */
    if (code == SIMPLUGIN_OK)
        code = flat_writer_run(&writer, mark_dropped, NULL, 0, error);
    flat_writer_end(&writer);
    flat_store_close(store);
out:
    if (code == SIMPLUGIN_OK && away)
        flat_folder_delete(away);
    free(folder);
    free(away);
    return code;
}
