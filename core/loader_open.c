/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "loader_open.h"

#include "buffer.h"
#include "error_access.h"
#include "loader_elf.h"
#include "loader_file.h"

#include <dlfcn.h>
#include <link.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define ENTRY "simplugin_backend_entry"
/* No table will ever be so long; a size beyond it is no size but whatever stood there. */
#define MAX_TABLE 65536

#define MAJOR(version) ((version) >> 16)
#define MINOR(version) ((version) & 0xffff)

static void say(const simplugin_host *host, const char *what, const char *name, const char *file)
{
    sp_buffer line;

    sp_buffer_init(&line);
    sp_buffer_printf(&line, "backend '%s': %s %s", name, what, file ? file : "the program itself");
    if (!line.failed)
        host->log(SIMPLUGIN_LOG_DEBUG, (const char *)line.data, line.size);
    sp_buffer_clear(&line);
}

static int32_t set_problem(const char *name, const char *file, int32_t code, const char *what,
                           const char *why, const char *remedy, simplugin_error **error)
{
    code = sp_error_set(error, code, SP_LOADER_DOMAIN, "backend '%s': the plugin '%s' %s%s%s: %s",
                        name, file, what, *why ? ": " : "", why, remedy);
    sp_error_add_detail(error, "backend", name);
    sp_error_add_detail(error, "file", file);
    return code;
}

/* Whether the object in memory came from the file that was checked. */
static int is_same_file(const struct link_map *object, const struct stat *status)
{
    struct stat now;

    return stat(object->l_name, &now) == 0 && now.st_dev == status->st_dev &&
           now.st_ino == status->st_ino;
}

int32_t sp_loader_open(const char *name, const char *file, const struct stat *status,
                       const simplugin_host *host, simplugin_backend_entry_fn *entry,
                       simplugin_error **error)
{
    struct link_map *object = NULL;
    struct link_map *owner = NULL;
    Dl_info info = {.dli_fname = NULL};
    void *handle;
    void *symbol;
    int32_t code;

    *entry = NULL;
    code = sp_loader_check_elf(name, file, status, error);
    if (code != SIMPLUGIN_OK)
        return code;
    /* Said before, so that the last line of a process that a plugin crashes names it. */
    say(host, "loading", name, file);
    /* Never closed: code that has run once may be anywhere from then on. */
    handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char *why = dlerror();

        return set_problem(name, file, SIMPLUGIN_PLUGIN_UNLOADABLE, "cannot be loaded",
                           why ? why : "no reason given",
                           "install what it needs, or a build of it for this machine", error);
    }
    if (dlinfo(handle, RTLD_DI_LINKMAP, &object) != 0 || !is_same_file(object, status))
        return set_problem(name, file, SIMPLUGIN_PLUGIN_UNLOADABLE,
                           "was replaced while it was loaded", "", "try again", error);
    symbol = dlsym(handle, ENTRY);
    if (!symbol)
        return set_problem(name, file, SIMPLUGIN_PLUGIN_NO_ENTRY, "does not export " ENTRY, "",
                           "it is no simplugin backend, or was linked without the symbol", error);
    /* dlsym looks through what the file is linked with too. */
    if (!dladdr1(symbol, &info, (void **)&owner, RTLD_DL_LINKMAP) || owner != object)
        return set_problem(name, file, SIMPLUGIN_PLUGIN_FOREIGN_ENTRY,
                           "has no " ENTRY " of its own, only that of",
                           info.dli_fname ? info.dli_fname : "another file",
                           "name that file, or link the plugin with its entry", error);
    memcpy(entry, &symbol, sizeof symbol);
    return SIMPLUGIN_OK;
}

/* ---- the table ---------------------------------------------------------------------- */

static int32_t set_bad_table(const char *who, const char *what, simplugin_error **error)
{
    return sp_error_set(error, SIMPLUGIN_PLUGIN_BAD_TABLE, SP_LOADER_DOMAIN,
                        "%s answered with a table %s: it needs to be mended and built anew", who,
                        what);
}

int32_t sp_loader_take_table(const char *who, const simplugin_backend *answer,
                             const simplugin_host *host, void *table, size_t table_size,
                             simplugin_error **error)
{
    simplugin_backend known;
    uint64_t size = 0;

    memset(table, 0, table_size);
    memset(&known, 0, sizeof known);
    if (!answer)
        return set_bad_table(who, "that is NULL", error);
    memcpy(&size, answer, sizeof size);
    /* A pointer that is there in part is not there. */
    size -= size % sizeof(void *);
    if (size < offsetof(simplugin_backend, describe))
        return set_bad_table(who, size ? "too short to hold anything" : "of size 0", error);
    if (size > MAX_TABLE)
        return set_bad_table(who, "whose size cannot be", error);
    memcpy(&known, answer, size < sizeof known ? (size_t)size : sizeof known);
    if (known.abi < host->abi_min || known.abi > host->abi_max)
        return sp_error_set(error, SIMPLUGIN_INCOMPATIBLE, SP_LOADER_DOMAIN,
                            "%s chose ABI %u.%u, but was offered %u.%u to %u.%u: install a build "
                            "of it for this version of simplugin",
                            who, MAJOR(known.abi), MINOR(known.abi), MAJOR(host->abi_min),
                            MINOR(host->abi_min), MAJOR(host->abi_max), MINOR(host->abi_max));
    if (known.threads != SIMPLUGIN_THREADS_SERIAL && known.threads != SIMPLUGIN_THREADS_CONCURRENT)
        return set_bad_table(who, "that is neither SERIAL nor CONCURRENT", error);
    if (!known.describe || !known.open || !known.call || !known.close)
        return set_bad_table(who,
                             !known.describe ? "without describe"
                             : !known.open   ? "without open"
                             : !known.call   ? "without call"
                                             : "without close",
                             error);
    memcpy(table, answer, size < table_size ? (size_t)size : table_size);
    return SIMPLUGIN_OK;
}

/* What the entry itself gave as its reason, under a code that says who failed. */
static int32_t set_entry_failed(const char *who, int32_t answered, simplugin_error *reason,
                                const simplugin_host *host, simplugin_error **error)
{
    const char *message = simplugin_error_message(reason, NULL);
    int32_t code;
    uint64_t size;

    if (!*message)
        message = "no reason given";
    if (answered == SIMPLUGIN_INCOMPATIBLE)
        code = sp_error_set(error, SIMPLUGIN_INCOMPATIBLE, SP_LOADER_DOMAIN,
                            "%s does not speak ABI %u.%u to %u.%u, which it was offered: %s", who,
                            MAJOR(host->abi_min), MINOR(host->abi_min), MAJOR(host->abi_max),
                            MINOR(host->abi_max), message);
    else
        code = sp_error_set(error, SIMPLUGIN_PLUGIN_ENTRY_FAILED, SP_LOADER_DOMAIN,
                            "%s failed in its entry: %s: %s", who, sp_code_name(answered), message);
    if (simplugin_error_backend_code(reason) || *simplugin_error_backend_message(reason, NULL)) {
        const char *words = simplugin_error_backend_message(reason, &size);

        sp_error_set_backend(error, simplugin_error_backend_code(reason), words, (size_t)size);
    }
    for (uint64_t i = 0; i < simplugin_error_detail_count(reason); i++)
        sp_error_add_detail(error, simplugin_error_detail_key(reason, i),
                            simplugin_error_detail_value(reason, i));
    return code;
}

int32_t sp_loader_enter(const char *name, const char *file, simplugin_backend_entry_fn entry,
                        const simplugin_host *host, simplugin_backend *table, int *entered,
                        simplugin_error **error)
{
    const simplugin_backend *answer = NULL;
    simplugin_error *reason = NULL;
    char *who = NULL;
    sp_buffer words;
    int32_t code;

    sp_buffer_init(&words);
    sp_buffer_printf(&words, file ? "backend '%s' (%s)" : "backend '%s'", name, file);
    who = sp_buffer_steal(&words, NULL);
    if (!who)
        return sp_error_no_memory(error);
    say(host, "calling the entry of", name, file);
    *entered = 1;
    code = entry(host, &answer, &reason);
    if (code == SIMPLUGIN_OK)
        code = sp_loader_take_table(who, answer, host, table, sizeof *table, error);
    else
        code = set_entry_failed(who, code, reason, host, error);
    if (code != SIMPLUGIN_OK) {
        sp_error_add_detail(error, "backend", name);
        if (file)
            sp_error_add_detail(error, "file", file);
    }
    simplugin_error_free(&reason);
    free(who);
    return code;
}
