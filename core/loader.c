/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "loader.h"

#include "clock.h"
#include "config_resolve.h"
#include "loader_file.h"
#include "loader_list.h"
#include "loader_open.h"
#include "simplugin.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum state { LOADING, READY, FAILED };

/* One plugin file, or one entry linked in: never freed, never moved. */
struct record {
    struct record *next;
    dev_t device; /* with inode: which file, by any name and link; unused if static */
    ino_t inode;
    simplugin_backend_entry_fn entry; /* NULL: a file */
    enum state state;
    int final;    /* FAILED: the entry has been called, which happens once */
    pid_t loader; /* LOADING: the process and thread that do it */
    pthread_t thread;
    int32_t code; /* FAILED: why */
    char *message;
    sp_plugin plugin;
};

/* A name by which a plugin was asked for, or registered. */
struct name {
    struct name *next;
    struct record *record;
    int registered;
    char text[];
};

/* All that the loader remembers. */
static struct {
    pthread_once_t once;
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t changed;
    struct record *records;
    struct name *names;
} loader = {.once = PTHREAD_ONCE_INIT, .lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- the process -------------------------------------------------------------------- */

static void init_condition(void)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&loader.changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

static void before_fork(void)
{
    pthread_mutex_lock(&loader.lock);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&loader.lock);
}

static void in_child(void)
{
    /* The threads that waited are not here any more. */
    init_condition();
    pthread_mutex_unlock(&loader.lock);
}

static void init_process(void)
{
    init_condition();
    pthread_atfork(before_fork, after_fork, in_child);
}

static void lock(void)
{
    pthread_once(&loader.once, init_process);
    pthread_mutex_lock(&loader.lock);
}

static void unlock(void)
{
    pthread_mutex_unlock(&loader.lock);
}

/* ---- records ------------------------------------------------------------------------ */

static struct name *find_name_locked(const char *text)
{
    struct name *found = loader.names;

    while (found && strcmp(found->text, text) != 0)
        found = found->next;
    return found;
}

static int32_t add_name_locked(const char *text, struct record *record, int registered)
{
    size_t size = strlen(text) + 1;
    struct name *added = malloc(sizeof *added + size);

    if (!added)
        return SIMPLUGIN_OUT_OF_MEMORY;
    memcpy(added->text, text, size);
    added->record = record;
    added->registered = registered;
    added->next = loader.names;
    loader.names = added;
    return SIMPLUGIN_OK;
}

static struct record *find_file_locked(const struct stat *status)
{
    struct record *found = loader.records;

    while (found && (found->entry || found->device != status->st_dev ||
                     found->inode != status->st_ino))
        found = found->next;
    return found;
}

static struct record *find_entry_locked(simplugin_backend_entry_fn entry)
{
    struct record *found = loader.records;

    while (found && found->entry != entry)
        found = found->next;
    return found;
}

/* A record that nobody has tried to load yet, without a name; NULL if memory runs out. */
static struct record *add_record_locked(const struct stat *status,
                                        simplugin_backend_entry_fn entry)
{
    struct record *added = calloc(1, sizeof *added);

    if (!added)
        return NULL;
    if (status) {
        added->device = status->st_dev;
        added->inode = status->st_ino;
    }
    added->entry = entry;
    added->state = FAILED;
    added->code = SIMPLUGIN_INTERNAL;
    added->next = loader.records;
    loader.records = added;
    return added;
}

static int32_t set_failed_locked(const struct record *record, simplugin_error **error)
{
    int32_t code;

    if (!record->message)
        return record->code == SIMPLUGIN_OUT_OF_MEMORY
                   ? sp_error_no_memory(error)
                   : sp_error_set(error, record->code, SP_LOADER_DOMAIN,
                                  "backend '%s' could not be loaded", record->plugin.name);
    code = sp_error_set(error, record->code, SP_LOADER_DOMAIN, "%s", record->message);
    sp_error_add_detail(error, "backend", record->plugin.name);
    if (record->plugin.file)
        sp_error_add_detail(error, "file", record->plugin.file);
    return code;
}

/* Until the record is loaded, or has failed, or the deadline is over. */
static int32_t wait_locked(struct record *record, int64_t deadline, simplugin_error **error)
{
    struct timespec until = sp_clock_timespec(deadline);
    int result = 0;

    while (record->state == LOADING) {
        if (record->loader != getpid())
            return sp_error_set(error, SIMPLUGIN_FORKED, SP_LOADER_DOMAIN,
                                "backend '%s' was being loaded when the process forked: load it "
                                "before forking, or start a new program in the child",
                                record->plugin.name);
        if (pthread_equal(record->thread, pthread_self()))
            return sp_error_set(error, SIMPLUGIN_BUSY, SP_LOADER_DOMAIN,
                                "backend '%s' asks for itself while it is loaded",
                                record->plugin.name);
        if (result == ETIMEDOUT)
            return sp_error_set(error, SIMPLUGIN_DEADLINE_EXCEEDED, SP_LOADER_DOMAIN,
                                "another thread was still loading backend '%s' when the timeout "
                                "ran out: allow more time",
                                record->plugin.name);
        if (deadline == SP_NO_DEADLINE)
            pthread_cond_wait(&loader.changed, &loader.lock);
        else
            result = pthread_cond_timedwait(&loader.changed, &loader.lock, &until);
    }
    return record->state == READY ? SIMPLUGIN_OK : set_failed_locked(record, error);
}

/* ---- loading ------------------------------------------------------------------------ */

/* Without the lock: this thread alone has the record while its state is LOADING. */
static int32_t load(struct record *record, const struct stat *status, const simplugin_host *host,
                    int *entered, simplugin_error **error)
{
    simplugin_backend_entry_fn entry = record->entry;
    int32_t code = SIMPLUGIN_OK;

    *entered = 0;
    if (!entry)
        code = sp_loader_open(record->plugin.name, record->plugin.file, status, host, &entry,
                              error);
    if (code == SIMPLUGIN_OK)
        code = sp_loader_enter(record->plugin.name, record->plugin.file, entry, host,
                               &record->plugin.backend, entered, error);
    return code;
}

/* Loads the record or waits for whoever does. */
static int32_t get_ready_locked(struct record *record, const struct stat *status,
                                const simplugin_host *host, int64_t deadline,
                                simplugin_error **error)
{
    simplugin_error *reason = NULL;
    char *message = NULL;
    int entered = 0;
    int32_t code;

    if (record->state == LOADING || record->state == READY || record->final)
        return wait_locked(record, deadline, error);
    record->state = LOADING;
    record->loader = getpid();
    record->thread = pthread_self();
    unlock();
    code = load(record, status, host, &entered, &reason);
    message = code == SIMPLUGIN_OK ? NULL : strdup(simplugin_error_message(reason, NULL));
    lock();
    free(record->message);
    record->message = message;
    record->code = code;
    record->final = entered;
    record->state = code == SIMPLUGIN_OK ? READY : FAILED;
    pthread_cond_broadcast(&loader.changed);
    if (code != SIMPLUGIN_OK && error) {
        simplugin_error_free(error);
        *error = reason;
        reason = NULL;
    }
    simplugin_error_free(&reason);
    return code;
}

/* The record of the plugin's file; *record stays NULL on failure. */
static int32_t find_file(const json_t *dirs, const char *text, struct stat *status,
                         struct record **found, simplugin_error **error)
{
    const char *origin;
    char *path = NULL;
    char *real = NULL;
    char *copy = NULL;
    int32_t code;

    *found = NULL;
    code = sp_loader_locate(dirs, text, &path, &origin, &real, status, error);
    if (code != SIMPLUGIN_OK)
        goto out;
    copy = strdup(text);
    if (!copy) {
        code = sp_error_no_memory(error);
        goto out;
    }
    lock();
    *found = find_file_locked(status);
    if (!*found) {
        *found = add_record_locked(status, NULL);
        if (!*found)
            code = sp_error_no_memory(error);
    }
    /* A failure before the entry is forgotten, and what the file was called then. */
    if (*found && (*found)->state == FAILED && !(*found)->final) {
        free((*found)->plugin.name);
        free((*found)->plugin.file);
        (*found)->plugin.name = copy;
        (*found)->plugin.file = real;
        copy = NULL;
        real = NULL;
    }
    unlock();
out:
    free(copy);
    free(real);
    free(path);
    return code;
}

int32_t sp_loader_check_name(const char *text, simplugin_error **error)
{
    if (sp_config_is_backend_name(text))
        return SIMPLUGIN_OK;
    sp_error_set(error, SIMPLUGIN_BACKEND_NAME, SP_LOADER_DOMAIN,
                 "'%.80s' is no name of a backend: those are of a-z, 0-9 and _, at most 64 letters "
                 "long, and never a path",
                 text);
    sp_error_add_detail(error, "backend", text);
    return SIMPLUGIN_BACKEND_NAME;
}

int32_t sp_loader_load(const json_t *dirs, const char *text, const simplugin_host *host,
                       int64_t deadline, const sp_plugin **plugin, simplugin_error **error)
{
    struct stat status = {.st_ino = 0};
    struct record *record = NULL;
    struct name *known;
    int32_t code;

    *plugin = NULL;
    code = sp_loader_check_name(text, error);
    if (code != SIMPLUGIN_OK)
        return code;
    lock();
    known = find_name_locked(text);
    record = known ? known->record : NULL;
    unlock();
    if (!record)
        code = find_file(dirs, text, &status, &record, error);
    if (code != SIMPLUGIN_OK)
        return code;
    lock();
    code = get_ready_locked(record, &status, host, deadline, error);
    /* From now on the name means this plugin, whatever becomes of the file. */
    if (code == SIMPLUGIN_OK && !find_name_locked(text) &&
        add_name_locked(text, record, 0) != SIMPLUGIN_OK)
        code = sp_error_no_memory(error);
    unlock();
    if (code == SIMPLUGIN_OK)
        *plugin = &record->plugin;
    return code;
}

int32_t sp_loader_register(const char *text, simplugin_backend_entry_fn entry,
                           simplugin_error **error)
{
    int32_t code = sp_loader_check_name(text, error);
    struct record *record = NULL;
    char *copy = NULL;
    struct name *known;

    if (code != SIMPLUGIN_OK)
        return code;
    if (!entry)
        return sp_error_set(error, SIMPLUGIN_INVALID_ARGUMENT, SP_LOADER_DOMAIN,
                            "backend '%s': the entry is NULL", text);
    lock();
    known = find_name_locked(text);
    if (known && known->record->entry == entry)
        goto out;
    if (known) {
        code = sp_error_set(error, SIMPLUGIN_ALREADY_EXISTS, SP_LOADER_DOMAIN,
                            "backend '%s' is already %s: register it once, and before its first use",
                            text, known->registered ? "registered" : "loaded from a file");
        sp_error_add_detail(error, "backend", text);
        goto out;
    }
    record = find_entry_locked(entry);
    if (!record && (copy = strdup(text)) && (record = add_record_locked(NULL, entry))) {
        record->plugin.name = copy;
        copy = NULL;
    }
    if (!record || add_name_locked(text, record, 1) != SIMPLUGIN_OK)
        code = sp_error_no_memory(error);
out:
    unlock();
    free(copy);
    return code;
}

int sp_loader_is_registered(const char *text)
{
    struct name *known;

    lock();
    known = find_name_locked(text);
    unlock();
    return known && known->registered;
}

int32_t sp_loader_each_registered(int32_t (*each)(void *context, const char *name), void *context)
{
    int32_t code = SIMPLUGIN_OK;
    struct name *known;

    lock();
    known = loader.names;
    unlock();
    /* Names are only ever added in front, so that what follows one never changes. */
    for (; known && code == SIMPLUGIN_OK; known = known->next)
        if (known->registered)
            code = each(context, known->text);
    return code;
}
