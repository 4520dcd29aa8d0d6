/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "error_access.h"
#include "loader.h"
#include "loader_file.h"
#include "loader_open.h"
#include "unit.h"

/* ---- a host --------------------------------------------------------------------------- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char text[16384];  /* all that was logged, a line each */
    const char *block; /* a message that has this is held up until released */
    int blocked;
    int released;
    int fd; /* also written to, if not negative */
} heard = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .fd = -1};

static void hear(int32_t level, const char *message, uint64_t size)
{
    size_t used;

    CU_ASSERT_EQUAL(level, SIMPLUGIN_LOG_DEBUG);
    if (heard.fd >= 0 && (write(heard.fd, message, size) < 0 || write(heard.fd, "\n", 1) < 0))
        abort();
    pthread_mutex_lock(&heard.lock);
    used = strlen(heard.text);
    snprintf(heard.text + used, sizeof heard.text - used, "%.*s\n", (int)size, message);
    if (heard.block && memmem(message, size, heard.block, strlen(heard.block))) {
        heard.blocked = 1;
        pthread_cond_broadcast(&heard.changed);
        while (!heard.released)
            pthread_cond_wait(&heard.changed, &heard.lock);
    }
    pthread_mutex_unlock(&heard.lock);
}

static int32_t host_error_set(simplugin_error **error, int32_t code, const char *message,
                              uint64_t size)
{
    return sp_error_set_text(error, code, "mock", message, (size_t)size);
}

static void host_error_set_backend(simplugin_error **error, int64_t code, const char *message,
                                   uint64_t size)
{
    sp_error_set_backend(error, code, message, (size_t)size);
}

static void host_error_add_detail(simplugin_error **error, const char *key, uint64_t key_size,
                                  const char *value, uint64_t value_size)
{
    sp_error_add_detail_text(error, key, (size_t)key_size, value, (size_t)value_size);
}

static const simplugin_host host = {
    .size = sizeof(simplugin_host),
    .abi_min = SIMPLUGIN_ABI_VERSION,
    .abi_max = SIMPLUGIN_ABI_VERSION,
    .error_set = host_error_set,
    .error_set_backend = host_error_set_backend,
    .error_add_detail = host_error_add_detail,
    .log = hear,
};

/* ---- a directory of plugins ----------------------------------------------------------- */

typedef struct place {
    char *dir;
    json_t *dirs;
    simplugin_error *error;
} place;

static void open_place(place *at)
{
    memset(at, 0, sizeof *at);
    at->dir = unit_temp_dir();
    at->dirs = json_pack("[{s:s, s:s}]", "path", at->dir, "origin", "environment");
    heard.text[0] = '\0';
}

static void close_place(place *at)
{
    char command[600];

    snprintf(command, sizeof command, "rm -rf '%s'", at->dir);
    CU_ASSERT_EQUAL(system(command), 0);
    simplugin_error_free(&at->error);
    json_decref(at->dirs);
    free(at->dir);
}

/* The path of a plugin in the place; in one of four buffers. */
static const char *path_of(const place *at, const char *name)
{
    static char paths[4][600];
    static int next;
    char *path = paths[next++ & 3];

    snprintf(path, sizeof paths[0], "%s/simplugin_%s.so", at->dir, name);
    return path;
}

static void write_file(const char *path, const char *data, size_t size, mode_t mode)
{
    FILE *file = fopen(path, "w");

    if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0 ||
        chmod(path, mode) != 0)
        abort();
}

static char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "r");
    char *data = malloc(1 << 22);

    if (!file || !data)
        abort();
    *size = fread(data, 1, 1 << 22, file);
    fclose(file);
    return data;
}

/* Copies a built fixture into the place under a name. */
static void install(const place *at, const char *fixture, const char *name)
{
    char path[600];
    size_t size;
    char *data;

    snprintf(path, sizeof path, MOCK_DIR "/simplugin_mock_%s.so", fixture);
    data = read_file(path, &size);
    write_file(path_of(at, name), data, size, 0755);
    free(data);
}

static const sp_plugin *load(place *at, const char *name, int32_t expected)
{
    const sp_plugin *plugin = NULL;
    int32_t code;

    simplugin_error_free(&at->error);
    code = sp_loader_load(at->dirs, name, &host, SP_NO_DEADLINE, &plugin, &at->error);
    CU_ASSERT_EQUAL(code, expected);
    CU_ASSERT_EQUAL(simplugin_error_code(at->error), expected);
    CU_ASSERT_EQUAL(plugin != NULL, expected == SIMPLUGIN_OK);
    if (code != expected)
        printf("\n    %s: %s: %s\n", name, sp_code_name(code),
               simplugin_error_message(at->error, NULL));
    return plugin;
}

static void check_message(const place *at, ...)
{
    const char *message = simplugin_error_message(at->error, NULL);
    const char *part;
    va_list parts;

    va_start(parts, at);
    while ((part = va_arg(parts, const char *))) {
        CU_ASSERT_PTR_NOT_NULL(strstr(message, part));
        if (!strstr(message, part))
            printf("\n    '%s' is not in: %s\n", part, message);
    }
    va_end(parts);
    CU_ASSERT_PTR_NULL(strchr(message, '\n'));
}

static const char *detail(const place *at, const char *key)
{
    for (uint64_t i = 0; i < simplugin_error_detail_count(at->error); i++)
        if (strcmp(simplugin_error_detail_key(at->error, i), key) == 0)
            return simplugin_error_detail_value(at->error, i);
    return "";
}

/* How often the entry of a copy of the fixture "good" was called. */
static int entry_calls(const sp_plugin *plugin)
{
    void *handle = dlopen(plugin->file, RTLD_NOW | RTLD_NOLOAD);
    int (*calls)(void) = NULL;
    void *symbol = handle ? dlsym(handle, "mock_entry_calls") : NULL;

    memcpy(&calls, &symbol, sizeof symbol);
    return calls ? calls() : -1;
}

/* ---- what works ----------------------------------------------------------------------- */

static void test_load(void)
{
    const sp_plugin *plugin;
    place at;

    open_place(&at);
    install(&at, "good", "load_me");
    install(&at, "good", "not_me");
    plugin = load(&at, "load_me", SIMPLUGIN_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plugin);
    CU_ASSERT_STRING_EQUAL(plugin->name, "load_me");
    CU_ASSERT_STRING_EQUAL(plugin->file, path_of(&at, "load_me"));
    CU_ASSERT_EQUAL(plugin->backend.size, sizeof(simplugin_backend));
    CU_ASSERT_EQUAL(plugin->backend.abi, SIMPLUGIN_ABI_VERSION);
    CU_ASSERT_EQUAL(plugin->backend.describe(NULL, NULL), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(entry_calls(plugin), 1);
    CU_ASSERT_PTR_EQUAL(load(&at, "load_me", SIMPLUGIN_OK), plugin);
    CU_ASSERT_EQUAL(entry_calls(plugin), 1);
    /* Only the chosen one. */
    CU_ASSERT_PTR_NULL(dlopen(path_of(&at, "not_me"), RTLD_NOW | RTLD_NOLOAD));
    /* Its symbols are its own. */
    CU_ASSERT_PTR_NULL(dlsym(RTLD_DEFAULT, "mock_entry_calls"));
    /* The name means the loaded plugin, whatever becomes of the file. */
    CU_ASSERT_EQUAL(unlink(path_of(&at, "load_me")), 0);
    CU_ASSERT_PTR_EQUAL(load(&at, "load_me", SIMPLUGIN_OK), plugin);
    close_place(&at);
}

static void test_links_are_one_backend(void)
{
    const sp_plugin *plugin;
    char inner[600];
    place at;

    open_place(&at);
    install(&at, "good", "linked_flat");
    CU_ASSERT_EQUAL(symlink("simplugin_linked_flat.so", path_of(&at, "linked")), 0);
    CU_ASSERT_EQUAL(symlink(path_of(&at, "linked"), path_of(&at, "linked_again")), 0);
    snprintf(inner, sizeof inner, "%s/inner", at.dir);
    CU_ASSERT_EQUAL(mkdir(inner, 0755), 0);
    CU_ASSERT_EQUAL(symlink("inner/.././simplugin_linked_again.so", path_of(&at, "linked_deep")),
                    0);
    plugin = load(&at, "linked", SIMPLUGIN_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plugin);
    CU_ASSERT_STRING_EQUAL(plugin->file, path_of(&at, "linked_flat"));
    CU_ASSERT_PTR_EQUAL(load(&at, "linked_flat", SIMPLUGIN_OK), plugin);
    CU_ASSERT_PTR_EQUAL(load(&at, "linked_again", SIMPLUGIN_OK), plugin);
    CU_ASSERT_PTR_EQUAL(load(&at, "linked_deep", SIMPLUGIN_OK), plugin);
    CU_ASSERT_EQUAL(entry_calls(plugin), 1);
    close_place(&at);
}

static void test_first_directory_counts(void)
{
    const sp_plugin *plugin;
    place first;
    place second;

    open_place(&first);
    open_place(&second);
    install(&first, "good", "ordered");
    install(&second, "good", "ordered");
    install(&second, "good", "only_second");
    json_array_insert_new(first.dirs, 0, json_pack("{s:s, s:s}", "path", "/nonexistent/plugins",
                                                   "origin", "plugin_path"));
    json_array_extend(first.dirs, second.dirs);
    plugin = load(&first, "ordered", SIMPLUGIN_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plugin);
    CU_ASSERT_STRING_EQUAL(plugin->file, path_of(&first, "ordered"));
    plugin = load(&first, "only_second", SIMPLUGIN_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plugin);
    CU_ASSERT_STRING_EQUAL(plugin->file, path_of(&second, "only_second"));
    close_place(&first);
    close_place(&second);
}

static void test_table_from_the_future(void)
{
    const sp_plugin *plugin;
    place at;

    open_place(&at);
    install(&at, "future_table", "future_table");
    plugin = load(&at, "future_table", SIMPLUGIN_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plugin);
    CU_ASSERT(plugin->backend.size > sizeof(simplugin_backend));
    CU_ASSERT_EQUAL(plugin->backend.threads, SIMPLUGIN_THREADS_CONCURRENT);
    CU_ASSERT_EQUAL(plugin->backend.describe(NULL, NULL), SIMPLUGIN_OK);
    close_place(&at);
}

/* As a later host will see a plugin of today: what it does not have is zero. */
static void test_table_from_the_past(void)
{
    struct {
        simplugin_backend known;
        int32_t (*appended)(void);
        uint64_t more[2];
    } later;
    const sp_plugin *plugin;
    place at;

    open_place(&at);
    install(&at, "good", "past");
    plugin = load(&at, "past", SIMPLUGIN_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plugin);
    memset(&later, 0xff, sizeof later);
    CU_ASSERT_EQUAL(sp_loader_take_table("past", &plugin->backend, &host, &later, sizeof later,
                                         &at.error),
                    SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(later.known.size, sizeof(simplugin_backend));
    CU_ASSERT_PTR_EQUAL(later.known.call, plugin->backend.call);
    CU_ASSERT_PTR_NULL(later.appended);
    CU_ASSERT_EQUAL(later.more[0], 0);
    CU_ASSERT_EQUAL(later.more[1], 0);
    /* nothing behind the size that a table gives is read */
    install(&at, "edge_table", "edge");
    CU_ASSERT_PTR_NOT_NULL(load(&at, "edge", SIMPLUGIN_OK));
    close_place(&at);
}

static void test_tables_that_cannot_be(void)
{
    simplugin_host range = host;
    simplugin_backend table;
    simplugin_backend answer;
    const sp_plugin *plugin;
    place at;

    open_place(&at);
    install(&at, "good", "tables");
    plugin = load(&at, "tables", SIMPLUGIN_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plugin);
    answer = plugin->backend;
    for (uint64_t size = 0; size < sizeof answer; size++) {
        answer.size = size;
        CU_ASSERT_EQUAL(sp_loader_take_table("x", &answer, &host, &table, sizeof table, NULL),
                        SIMPLUGIN_PLUGIN_BAD_TABLE);
        CU_ASSERT_PTR_NULL(table.call);
    }
    answer.size = UINT64_MAX;
    CU_ASSERT_EQUAL(sp_loader_take_table("x", &answer, &host, &table, sizeof table, NULL),
                    SIMPLUGIN_PLUGIN_BAD_TABLE);
    answer = plugin->backend;
    range.abi_min = 0x00010000;
    range.abi_max = 0x00020005;
    for (uint32_t abi = 0; abi <= 0x00030000; abi += 0x8000) {
        answer.abi = abi;
        CU_ASSERT_EQUAL(sp_loader_take_table("x", &answer, &range, &table, sizeof table, NULL),
                        abi >= range.abi_min && abi <= range.abi_max ? SIMPLUGIN_OK
                                                                     : SIMPLUGIN_INCOMPATIBLE);
    }
    close_place(&at);
}

/* ---- names and directories ------------------------------------------------------------ */

static void test_unknown(void)
{
    place at;

    open_place(&at);
    install(&at, "good", "milvus");
    json_array_append_new(at.dirs, json_pack("{s:s, s:s}", "path", "/nonexistent/plugins",
                                             "origin", "installed"));
    load(&at, "milvsu", SIMPLUGIN_BACKEND_UNKNOWN);
    check_message(&at, "no backend 'milvsu'", "did you mean 'milvus'", "milvus",
                  "simplugin_milvsu.so", at.dir, "/nonexistent/plugins", "install",
                  "SIMPLUGIN_PATH", NULL);
    CU_ASSERT_STRING_EQUAL(detail(&at, "nearest"), "milvus");
    CU_ASSERT_STRING_EQUAL(detail(&at, "backend"), "milvsu");
    json_array_clear(at.dirs);
    load(&at, "milvsu", SIMPLUGIN_BACKEND_UNKNOWN);
    close_place(&at);
}

static void test_bad_names(void)
{
    static const char *const names[] = {"", "../evil", "/etc/passwd", "Milvus", "a.b", "a-b",
                                        "a b", "a\n", "\xc3\xbc"};
    place at;

    open_place(&at);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        json_t *found = NULL;

        load(&at, names[i], SIMPLUGIN_BACKEND_NAME);
        CU_ASSERT_EQUAL(sp_loader_find(at.dirs, names[i], &found, NULL), SIMPLUGIN_BACKEND_NAME);
        CU_ASSERT_EQUAL(sp_loader_register(names[i], NULL, NULL), SIMPLUGIN_BACKEND_NAME);
        CU_ASSERT_FALSE(sp_loader_knows(at.dirs, names[i]));
    }
    close_place(&at);
}

static void test_relative_directory(void)
{
    place at;

    open_place(&at);
    install(&at, "good", "relative");
    json_array_append_new(at.dirs,
                          json_pack("{s:s, s:s}", "path", "plugins", "origin", "environment"));
    load(&at, "relative", SIMPLUGIN_PLUGIN_PATH);
    check_message(&at, "'plugins'", "not absolute", NULL);
    close_place(&at);
}

static void test_list_and_find(void)
{
    json_t *list = NULL;
    json_t *found = NULL;
    char *text;
    char odd[600];
    place at;

    open_place(&at);
    install(&at, "good", "zeta");
    install(&at, "crash", "alpha");
    snprintf(odd, sizeof odd, "%s/simplugin_Not-A-Name.so", at.dir);
    write_file(odd, "", 0, 0644);
    snprintf(odd, sizeof odd, "%s/simplugin_.so", at.dir);
    write_file(odd, "", 0, 0644);
    snprintf(odd, sizeof odd, "%s/other.so", at.dir);
    write_file(odd, "", 0, 0644);
    json_array_append_new(at.dirs, json_pack("{s:s, s:s}", "path", at.dir, "origin", "installed"));
    CU_ASSERT_EQUAL(sp_loader_list(at.dirs, &list, &at.error), SIMPLUGIN_OK);
    /* Registered ones of other cases stand among them. */
    for (size_t i = json_array_size(list); i-- > 0;)
        if (strcmp(json_string_value(json_object_get(json_array_get(list, i), "origin")),
                   "static") == 0)
            json_array_remove(list, i);
    CU_ASSERT_EQUAL(json_array_size(list), 2);
    text = json_dumps(json_array_get(list, 0), JSON_COMPACT);
    snprintf(odd, sizeof odd, "{\"name\":\"alpha\",\"file\":\"%s\",\"origin\":\"environment\"}",
             path_of(&at, "alpha"));
    CU_ASSERT_STRING_EQUAL(text, odd);
    free(text);
    CU_ASSERT_STRING_EQUAL(
        json_string_value(json_object_get(json_array_get(list, 1), "name")), "zeta");
    json_decref(list);
    CU_ASSERT_EQUAL(sp_loader_find(at.dirs, "alpha", &found, &at.error), SIMPLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(found, "file")),
                           path_of(&at, "alpha"));
    json_decref(found);
    CU_ASSERT_TRUE(sp_loader_knows(at.dirs, "alpha"));
    CU_ASSERT_FALSE(sp_loader_knows(at.dirs, "beta"));
    CU_ASSERT_EQUAL(sp_loader_find(at.dirs, "beta", &found, &at.error),
                    SIMPLUGIN_BACKEND_UNKNOWN);
    /* Nothing of all this loaded anything. */
    CU_ASSERT_STRING_EQUAL(heard.text, "");
    close_place(&at);
}

/* ---- broken plugins ------------------------------------------------------------------- */

static void test_broken_plugins(void)
{
    static const struct {
        const char *fixture;
        int32_t code;
        const char *message;
        const char *more;
    } broken[] = {
        {"no_entry", SIMPLUGIN_PLUGIN_NO_ENTRY, "does not export simplugin_backend_entry", ""},
        {"undefined", SIMPLUGIN_PLUGIN_UNLOADABLE, "cannot be loaded", "mock_that_is_nowhere"},
        {"null_slot", SIMPLUGIN_PLUGIN_BAD_TABLE, "without call", ""},
        {"size_zero", SIMPLUGIN_PLUGIN_BAD_TABLE, "size 0", ""},
        {"no_table", SIMPLUGIN_PLUGIN_BAD_TABLE, "is NULL", ""},
        {"cut_table", SIMPLUGIN_PLUGIN_BAD_TABLE, "without open", ""},
        {"threads", SIMPLUGIN_PLUGIN_BAD_TABLE, "neither SERIAL nor CONCURRENT", ""},
        {"future_abi", SIMPLUGIN_INCOMPATIBLE, "speaks ABI 9.0 to 9.3", "1.0 to 1.0"},
        {"abi_not_offered", SIMPLUGIN_INCOMPATIBLE, "chose ABI 9.3", "offered 1.0 to 1.0"},
        {"entry_error", SIMPLUGIN_PLUGIN_ENTRY_FAILED, "the licence ran out",
         "PERMISSION_DENIED"},
        {"entry_silent", SIMPLUGIN_PLUGIN_ENTRY_FAILED, "no reason given", "INTERNAL"},
    };

    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        char name[64];
        place at;

        open_place(&at);
        snprintf(name, sizeof name, "broken_%s", broken[i].fixture);
        install(&at, broken[i].fixture, name);
        load(&at, name, broken[i].code);
        check_message(&at, name, path_of(&at, name), broken[i].message, broken[i].more, NULL);
        CU_ASSERT_STRING_EQUAL(detail(&at, "backend"), name);
        CU_ASSERT_STRING_EQUAL(detail(&at, "file"), path_of(&at, name));
        /* The same again, whether or not the entry has been called: it is not again. */
        heard.text[0] = '\0';
        load(&at, name, broken[i].code);
        check_message(&at, name, broken[i].message, broken[i].more, NULL);
        CU_ASSERT_PTR_NULL(strstr(heard.text, "calling the entry"));
        close_place(&at);
    }
}

static void test_entry_error_keeps_all(void)
{
    place at;

    open_place(&at);
    install(&at, "entry_error", "keeps_all");
    load(&at, "keeps_all", SIMPLUGIN_PLUGIN_ENTRY_FAILED);
    CU_ASSERT_EQUAL(simplugin_error_backend_code(at.error), 42);
    CU_ASSERT_STRING_EQUAL(simplugin_error_backend_message(at.error, NULL), "E42 no licence");
    CU_ASSERT_STRING_EQUAL(detail(&at, "licence"), "old");
    close_place(&at);
}

static void test_symbol_in_a_dependency(void)
{
    size_t size;
    char *data = read_file(MOCK_DIR "/libmock_dependency.so", &size);
    char path[600];
    place at;

    open_place(&at);
    install(&at, "foreign", "foreign");
    snprintf(path, sizeof path, "%s/libmock_dependency.so", at.dir);
    write_file(path, data, size, 0755);
    free(data);
    /* Found by its name for being there already: no search path is needed. */
    CU_ASSERT_PTR_NOT_NULL_FATAL(dlopen(path, RTLD_NOW | RTLD_LOCAL));
    load(&at, "foreign", SIMPLUGIN_PLUGIN_FOREIGN_ENTRY);
    check_message(&at, "'foreign'", path_of(&at, "foreign"), path, NULL);
    close_place(&at);
}

static void test_truncated(void)
{
    size_t size;
    char *data = read_file(MOCK_DIR "/simplugin_mock_good.so", &size);
    static const size_t parts[] = {0, 1, 16, 63, 64, 100, 300, 1000, 4096, 5000, 8192, 12288};
    place at;

    open_place(&at);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i] > size / 2)
            break;
        write_file(path_of(&at, "truncated"), data, parts[i], 0755);
        load(&at, "truncated", SIMPLUGIN_PLUGIN_UNLOADABLE);
        check_message(&at, "'truncated'", path_of(&at, "truncated"), "install it anew", NULL);
    }
    /* Made whole, it loads: nothing of it has run yet. */
    write_file(path_of(&at, "truncated"), data, size, 0755);
    load(&at, "truncated", SIMPLUGIN_OK);
    free(data);
    close_place(&at);
}

static void test_not_for_this_machine(void)
{
    size_t size;
    char *data = read_file(MOCK_DIR "/simplugin_mock_good.so", &size);
    place at;

    open_place(&at);
    data[18] = 8; /* e_machine: MIPS */
    data[19] = 0;
    write_file(path_of(&at, "machine"), data, size, 0755);
    load(&at, "machine", SIMPLUGIN_PLUGIN_UNLOADABLE);
    check_message(&at, "another kind of machine", NULL);
    memcpy(data, "#!/bin/sh\n", 10);
    write_file(path_of(&at, "machine"), data, size, 0755);
    load(&at, "machine", SIMPLUGIN_PLUGIN_UNLOADABLE);
    check_message(&at, "no shared object", NULL);
    free(data);
    close_place(&at);
}

static void test_no_plain_file(void)
{
    place at;

    open_place(&at);
    CU_ASSERT_EQUAL(mkdir(path_of(&at, "folder"), 0755), 0);
    load(&at, "folder", SIMPLUGIN_PLUGIN_UNLOADABLE);
    check_message(&at, "'folder'", "is a directory", NULL);
    CU_ASSERT_EQUAL(mkfifo(path_of(&at, "pipe"), 0755), 0);
    load(&at, "pipe", SIMPLUGIN_PLUGIN_UNLOADABLE);
    check_message(&at, "no regular file", NULL);
    CU_ASSERT_EQUAL(symlink("nowhere.so", path_of(&at, "dangling")), 0);
    load(&at, "dangling", SIMPLUGIN_PLUGIN_UNLOADABLE);
    check_message(&at, "nowhere.so", "cannot be reached", NULL);
    CU_ASSERT_EQUAL(symlink("simplugin_loop.so", path_of(&at, "loop")), 0);
    load(&at, "loop", SIMPLUGIN_PLUGIN_UNLOADABLE);
    CU_ASSERT_EQUAL(symlink("/", path_of(&at, "root")), 0);
    load(&at, "root", SIMPLUGIN_PLUGIN_UNLOADABLE);
    CU_ASSERT_EQUAL(symlink("/etc/passwd/x", path_of(&at, "below_file")), 0);
    load(&at, "below_file", SIMPLUGIN_PLUGIN_UNLOADABLE);
    close_place(&at);
}

/* The last line logged before a plugin takes the process with it names the plugin. */
static void test_crash_in_entry(void)
{
    char text[4096];
    char line[700];
    size_t used = 0;
    int status = 0;
    int pipes[2];
    pid_t child;
    place at;

    open_place(&at);
    install(&at, "crash", "crash");
    CU_ASSERT_EQUAL_FATAL(pipe(pipes), 0);
    child = fork();
    if (child == 0) {
        static const struct rlimit none = {0, 0};
        const sp_plugin *plugin = NULL;

        setrlimit(RLIMIT_CORE, &none);
        /* What a sanitizer has to say about it is of no interest. */
        close(2);
        heard.fd = pipes[1];
        sp_loader_load(at.dirs, "crash", &host, SP_NO_DEADLINE, &plugin, NULL);
        _exit(0);
    }
    close(pipes[1]);
    while (used + 1 < sizeof text) {
        ssize_t got = read(pipes[0], text + used, sizeof text - 1 - used);

        if (got <= 0)
            break;
        used += (size_t)got;
    }
    text[used] = '\0';
    close(pipes[0]);
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT_FALSE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    snprintf(line, sizeof line, "backend 'crash': calling the entry of %s\n",
             path_of(&at, "crash"));
    CU_ASSERT(used >= strlen(line) && strcmp(text + used - strlen(line), line) == 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "backend 'crash': loading "));
    close_place(&at);
}

/* ---- unsafe files --------------------------------------------------------------------- */

static void test_file_that_others_may_write(void)
{
    static const mode_t modes[] = {0777, 0757, 0775, 0666, 0622};
    place at;

    open_place(&at);
    install(&at, "good", "writable");
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        json_t *found = NULL;

        CU_ASSERT_EQUAL(chmod(path_of(&at, "writable"), modes[i]), 0);
        load(&at, "writable", SIMPLUGIN_PLUGIN_UNSAFE);
        check_message(&at, "'writable'", path_of(&at, "writable"), "others may write",
                      "chmod go-w", NULL);
        CU_ASSERT_EQUAL(sp_loader_find(at.dirs, "writable", &found, NULL),
                        SIMPLUGIN_PLUGIN_UNSAFE);
    }
    CU_ASSERT_STRING_EQUAL(heard.text, "");
    CU_ASSERT_EQUAL(chmod(path_of(&at, "writable"), 0644), 0);
    load(&at, "writable", SIMPLUGIN_OK);
    close_place(&at);
}

static void test_directory_that_others_may_write(void)
{
    char inner[600];
    char outer[600];
    place at;

    open_place(&at);
    snprintf(outer, sizeof outer, "%s/outer", at.dir);
    snprintf(inner, sizeof inner, "%s/outer/inner", at.dir);
    CU_ASSERT_EQUAL(mkdir(outer, 0755), 0);
    CU_ASSERT_EQUAL(mkdir(inner, 0755), 0);
    json_array_clear(at.dirs);
    json_array_append_new(at.dirs, json_pack("{s:s, s:s}", "path", inner, "origin", "environment"));
    {
        char file[700];
        size_t size;
        char *data = read_file(MOCK_DIR "/simplugin_mock_good.so", &size);

        snprintf(file, sizeof file, "%s/simplugin_inner.so", inner);
        write_file(file, data, size, 0755);
        free(data);
    }
    CU_ASSERT_EQUAL(chmod(inner, 0777), 0);
    load(&at, "inner", SIMPLUGIN_PLUGIN_UNSAFE);
    check_message(&at, inner, "is a directory that others may write", NULL);
    CU_ASSERT_EQUAL(chmod(inner, 0775), 0);
    load(&at, "inner", SIMPLUGIN_PLUGIN_UNSAFE);
    CU_ASSERT_EQUAL(chmod(inner, 0755), 0);
    /* A directory far above is as good a place to put another file. */
    CU_ASSERT_EQUAL(chmod(outer, 0777), 0);
    load(&at, "inner", SIMPLUGIN_PLUGIN_UNSAFE);
    check_message(&at, outer, "is a directory that others may write", NULL);
    CU_ASSERT_STRING_EQUAL(detail(&at, "path"), outer);
    /* With the sticky bit, as /tmp, nobody else can replace what is ours in it. */
    CU_ASSERT_EQUAL(chmod(outer, 01777), 0);
    CU_ASSERT_EQUAL(chmod(inner, 01777), 0);
    load(&at, "inner", SIMPLUGIN_OK);
    close_place(&at);
}

static void test_link_out_of_a_safe_directory(void)
{
    char open[600];
    char file[700];
    place at;

    open_place(&at);
    snprintf(open, sizeof open, "%s/open", at.dir);
    snprintf(file, sizeof file, "%s/simplugin_x.so", open);
    CU_ASSERT_EQUAL(mkdir(open, 0755), 0);
    CU_ASSERT_EQUAL(chmod(open, 0777), 0);
    write_file(file, "", 0, 0755);
    CU_ASSERT_EQUAL(symlink(file, path_of(&at, "link_out")), 0);
    load(&at, "link_out", SIMPLUGIN_PLUGIN_UNSAFE);
    check_message(&at, open, NULL);
    /* And back again: whoever may write the directory may turn the link. */
    install(&at, "good", "target");
    CU_ASSERT_EQUAL(unlink(file), 0);
    CU_ASSERT_EQUAL(symlink(path_of(&at, "target"), file), 0);
    load(&at, "link_out", SIMPLUGIN_PLUGIN_UNSAFE);
    check_message(&at, open, NULL);
    close_place(&at);
}

static void test_owners(void)
{
    place at;

    CU_ASSERT_TRUE(sp_loader_is_trusted(0, 1000));
    CU_ASSERT_TRUE(sp_loader_is_trusted(1000, 1000));
    CU_ASSERT_TRUE(sp_loader_is_trusted(0, 0));
    CU_ASSERT_FALSE(sp_loader_is_trusted(1001, 1000));
    CU_ASSERT_FALSE(sp_loader_is_trusted(1000, 0));
    open_place(&at);
    install(&at, "good", "owned");
    CU_ASSERT_EQUAL(symlink("simplugin_owned.so", path_of(&at, "owned_link")), 0);
    /* Only root can give files away. */
    if (chown(path_of(&at, "owned"), 12345, (gid_t)-1) == 0) {
        load(&at, "owned", SIMPLUGIN_PLUGIN_UNSAFE);
        check_message(&at, "belongs to another user", NULL);
        CU_ASSERT_EQUAL(chown(path_of(&at, "owned"), 0, (gid_t)-1), 0);
        CU_ASSERT_EQUAL(chmod(path_of(&at, "owned"), 0755), 0);
        CU_ASSERT_EQUAL(lchown(path_of(&at, "owned_link"), 12345, (gid_t)-1), 0);
        load(&at, "owned_link", SIMPLUGIN_PLUGIN_UNSAFE);
        CU_ASSERT_EQUAL(chown(at.dir, 12345, (gid_t)-1), 0);
        load(&at, "owned", SIMPLUGIN_PLUGIN_UNSAFE);
        check_message(&at, at.dir, "belongs to another user", NULL);
        CU_ASSERT_EQUAL(chown(at.dir, 0, (gid_t)-1), 0);
    }
    load(&at, "owned", SIMPLUGIN_OK);
    close_place(&at);
}

static void test_paths_on_the_way(void)
{
    struct stat status;
    char path[700];
    char *real = NULL;
    place at;

    open_place(&at);
    install(&at, "good", "way");
    snprintf(path, sizeof path, "//%s/././/../%s/simplugin_way.so", at.dir + 1,
             strrchr(at.dir, '/') + 1);
    CU_ASSERT_EQUAL(sp_loader_check_file(path, &real, &status, &at.error), SIMPLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(real, path_of(&at, "way"));
    free(real);
    CU_ASSERT_EQUAL(sp_loader_check_file("simplugin_way.so", &real, &status, &at.error),
                    SIMPLUGIN_PLUGIN_PATH);
    CU_ASSERT_EQUAL(sp_loader_check_file("/../../..", &real, &status, &at.error),
                    SIMPLUGIN_PLUGIN_UNLOADABLE);
    CU_ASSERT_EQUAL(sp_loader_check_file("/", &real, &status, &at.error),
                    SIMPLUGIN_PLUGIN_UNLOADABLE);
    CU_ASSERT_EQUAL(sp_loader_check_file("/nonexistent/a/b", &real, &status, &at.error),
                    SIMPLUGIN_PLUGIN_UNLOADABLE);
    CU_ASSERT_PTR_NULL(real);
    close_place(&at);
}

/* ---- linked in ------------------------------------------------------------------------ */

static const simplugin_backend *own_table(void)
{
    static simplugin_backend table;
    static place at;
    const sp_plugin *plugin;

    if (table.size)
        return &table;
    open_place(&at);
    install(&at, "good", "lends_its_table");
    plugin = load(&at, "lends_its_table", SIMPLUGIN_OK);
    if (plugin)
        table = plugin->backend;
    close_place(&at);
    return &table;
}

static int own_calls;

static int32_t own_entry(const simplugin_host *from, const simplugin_backend **backend,
                         simplugin_error **error)
{
    (void)error;
    CU_ASSERT_PTR_EQUAL(from, &host);
    own_calls++;
    *backend = own_table();
    return SIMPLUGIN_OK;
}

static int32_t failing_entry(const simplugin_host *from, const simplugin_backend **backend,
                             simplugin_error **error)
{
    (void)backend;
    return from->error_set(error, SIMPLUGIN_UNAVAILABLE, "not today", 9);
}

static void test_registered(void)
{
    const sp_plugin *plugin;
    json_t *found = NULL;
    place at;

    open_place(&at);
    own_table();
    install(&at, "crash", "own");
    CU_ASSERT_EQUAL(sp_loader_register("own", own_entry, &at.error), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(sp_loader_register("own", own_entry, &at.error), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(sp_loader_register("own_too", own_entry, &at.error), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(sp_loader_register("own", failing_entry, &at.error),
                    SIMPLUGIN_ALREADY_EXISTS);
    CU_ASSERT_EQUAL(sp_loader_register("other", NULL, &at.error), SIMPLUGIN_INVALID_ARGUMENT);
    CU_ASSERT_EQUAL(own_calls, 0);
    CU_ASSERT_EQUAL(sp_loader_find(at.dirs, "own", &found, &at.error), SIMPLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(found, "origin")), "static");
    CU_ASSERT_TRUE(json_is_null(json_object_get(found, "file")));
    json_decref(found);
    plugin = load(&at, "own", SIMPLUGIN_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(plugin);
    CU_ASSERT_PTR_NULL(plugin->file);
    CU_ASSERT_PTR_EQUAL(load(&at, "own_too", SIMPLUGIN_OK), plugin);
    CU_ASSERT_EQUAL(own_calls, 1);
    CU_ASSERT_TRUE(sp_loader_knows(NULL, "own"));

    CU_ASSERT_EQUAL(sp_loader_register("failing", failing_entry, &at.error), SIMPLUGIN_OK);
    load(&at, "failing", SIMPLUGIN_PLUGIN_ENTRY_FAILED);
    check_message(&at, "backend 'failing'", "not today", "UNAVAILABLE", NULL);
    close_place(&at);
}

static void test_register_too_late(void)
{
    place at;

    open_place(&at);
    install(&at, "good", "late");
    load(&at, "late", SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(sp_loader_register("late", failing_entry, &at.error),
                    SIMPLUGIN_ALREADY_EXISTS);
    check_message(&at, "loaded from a file", NULL);
    close_place(&at);
}

/* ---- threads and processes ------------------------------------------------------------ */

static void *load_threaded(void *context)
{
    const sp_plugin *plugin = NULL;

    sp_loader_load(context, "threaded", &host, SP_NO_DEADLINE, &plugin, NULL);
    return (void *)(uintptr_t)plugin;
}

static void test_threads_load_once(void)
{
    const sp_plugin *plugin = NULL;
    const sp_plugin *first = NULL;
    json_t *list = NULL;
    pthread_t threads[8];
    place at;

    open_place(&at);
    install(&at, "good", "threaded");
    install(&at, "good", "another");
    heard.block = "calling the entry of";
    heard.blocked = heard.released = 0;
    for (size_t i = 0; i < 8; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, load_threaded, at.dirs), 0);
    pthread_mutex_lock(&heard.lock);
    while (!heard.blocked)
        pthread_cond_wait(&heard.changed, &heard.lock);
    heard.block = NULL;
    pthread_mutex_unlock(&heard.lock);
    /* One of them is in the plugin now: nobody waits for it longer than it wants, */
    CU_ASSERT_EQUAL(sp_loader_load(at.dirs, "threaded", &host, sp_clock_deadline(20), &plugin,
                                   &at.error),
                    SIMPLUGIN_DEADLINE_EXCEEDED);
    CU_ASSERT_PTR_NULL(plugin);
    CU_ASSERT_EQUAL(sp_loader_load(at.dirs, "threaded", &host, 0, &plugin, NULL),
                    SIMPLUGIN_DEADLINE_EXCEEDED);
    /* and what has nothing to do with it does not wait at all. */
    load(&at, "another", SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(sp_loader_list(at.dirs, &list, NULL), SIMPLUGIN_OK);
    json_decref(list);
    pthread_mutex_lock(&heard.lock);
    heard.released = 1;
    pthread_cond_broadcast(&heard.changed);
    pthread_mutex_unlock(&heard.lock);
    for (size_t i = 0; i < 8; i++) {
        void *loaded = NULL;

        pthread_join(threads[i], &loaded);
        CU_ASSERT_PTR_NOT_NULL(loaded);
        if (!first)
            first = loaded;
        CU_ASSERT_PTR_EQUAL(loaded, first);
    }
    CU_ASSERT_EQUAL(entry_calls(first), 1);
    CU_ASSERT_PTR_EQUAL(load(&at, "threaded", SIMPLUGIN_OK), first);
    close_place(&at);
}

static int32_t recursive_entry(const simplugin_host *from, const simplugin_backend **backend,
                               simplugin_error **error)
{
    const sp_plugin *plugin = NULL;

    (void)error;
    CU_ASSERT_EQUAL(sp_loader_load(NULL, "recursive", from, SP_NO_DEADLINE, &plugin, NULL),
                    SIMPLUGIN_BUSY);
    *backend = own_table();
    return SIMPLUGIN_OK;
}

static void test_plugin_that_loads_itself(void)
{
    place at;

    open_place(&at);
    CU_ASSERT_EQUAL(sp_loader_register("recursive", recursive_entry, &at.error), SIMPLUGIN_OK);
    load(&at, "recursive", SIMPLUGIN_OK);
    close_place(&at);
}

static int32_t forking_entry(const simplugin_host *from, const simplugin_backend **backend,
                             simplugin_error **error)
{
    pid_t child = fork();
    int status = 1;

    (void)error;
    if (child == 0) {
        const sp_plugin *plugin = NULL;

        _exit(sp_loader_load(NULL, "forking", from, SP_NO_DEADLINE, &plugin, NULL) ==
                      SIMPLUGIN_FORKED
                  ? 0
                  : 1);
    }
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    *backend = own_table();
    return SIMPLUGIN_OK;
}

static void test_fork_during_a_load(void)
{
    int status = 1;
    pid_t child;
    place at;

    open_place(&at);
    own_table();
    CU_ASSERT_EQUAL(sp_loader_register("forking", forking_entry, &at.error), SIMPLUGIN_OK);
    load(&at, "forking", SIMPLUGIN_OK);
    /* What was loaded before the fork is there after it. */
    child = fork();
    if (child == 0) {
        const sp_plugin *plugin = NULL;

        _exit(sp_loader_load(at.dirs, "forking", &host, SP_NO_DEADLINE, &plugin, NULL) ==
                      SIMPLUGIN_OK
                  ? 0
                  : 1);
    }
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close_place(&at);
}

static const unit_case cases[] = {
    UNIT_CASE(test_load, "a plugin is loaded once and stays; no other one is"),
    UNIT_CASE(test_links_are_one_backend, "a link and its file are one backend"),
    UNIT_CASE(test_first_directory_counts, "the first directory that has it counts"),
    UNIT_CASE(test_table_from_the_future, "a longer table from the future works"),
    UNIT_CASE(test_table_from_the_past, "an older, shorter table works"),
    UNIT_CASE(test_tables_that_cannot_be, "tables of every wrong size and version"),
    UNIT_CASE(test_unknown, "R27 R28 a missing plugin: what was tried, what to install"),
    UNIT_CASE(test_bad_names, "a name is never a path"),
    UNIT_CASE(test_relative_directory, "a relative directory is refused"),
    UNIT_CASE(test_list_and_find, "plugins are listed and found without loading"),
    UNIT_CASE(test_broken_plugins, "broken plugins, each with its code"),
    UNIT_CASE(test_entry_error_keeps_all, "what a failing entry says is kept"),
    UNIT_CASE(test_symbol_in_a_dependency, "an entry in a dependency is no entry"),
    UNIT_CASE(test_truncated, "truncated files, and the same file made whole"),
    UNIT_CASE(test_not_for_this_machine, "files for another machine, and scripts"),
    UNIT_CASE(test_no_plain_file, "directories, pipes and links to nowhere"),
    UNIT_CASE(test_crash_in_entry, "a crash in the entry: the log names the file"),
    UNIT_CASE(test_file_that_others_may_write, "a file that others may write"),
    UNIT_CASE(test_directory_that_others_may_write, "a directory that others may write"),
    UNIT_CASE(test_link_out_of_a_safe_directory, "links through directories that others may write"),
    UNIT_CASE(test_owners, "files and directories of other users"),
    UNIT_CASE(test_paths_on_the_way, "paths with dots, slashes and nothing at their end"),
    UNIT_CASE(test_registered, "backends linked into the program"),
    UNIT_CASE(test_register_too_late, "registering after a file of the name was loaded"),
    UNIT_CASE(test_threads_load_once, "eight threads load one plugin: one entry call, no lock held"),
    UNIT_CASE(test_plugin_that_loads_itself, "a plugin that asks for itself"),
    UNIT_CASE(test_fork_during_a_load, "R275 a fork during a load, and after it"),
};

UNIT_MAIN("loader", cases)
