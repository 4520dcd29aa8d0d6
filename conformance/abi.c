/* SPDX-License-Identifier: Apache-2.0 */
/* What holds before the first call: the file, its entry, the table, older and newer hosts. */
#include "config.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elf_exports.h"
#include "guard.h"
#include "rig.h"

#define ENTRY "simplugin_backend_entry"
#define ABI_OF(major, minor) ((uint32_t)(major) << 16 | (uint32_t)(minor))

/* ---- the file ----------------------------------------------------------------------------- */

static void entry(conf_run *run)
{
    const char *file = conf_run_target(run)->file;
    struct link_map *object = NULL, *owner = NULL;
    Dl_info info;
    void *handle, *symbol;

    if (!file) {
        conf_skip(run, "the backend is linked into this program");
        return;
    }
    handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        conf_fail(run, "dlopen with RTLD_NOW refuses the file: %s", dlerror());
        return;
    }
    symbol = dlsym(handle, ENTRY);
    if (!symbol)
        conf_fail(run, "the file has no symbol " ENTRY " (plugin.h, at its end)");
    else if (dlinfo(handle, RTLD_DI_LINKMAP, &object) ||
             !dladdr1(symbol, &info, (void **)&owner, RTLD_DL_LINKMAP) || owner != object)
        conf_fail(run, ENTRY " is not the file's own: it comes from a library that it is linked "
                             "with (plugin.h, SIMPLUGIN_PLUGIN_FOREIGN_ENTRY)");
}

/*
 * What compilers and their runtime libraries leave in a file: names that are reserved to them, the
 * mangled ones of C++ and Rust among these.
 */
static int is_reserved(const char *name)
{
    static const char *const others[] = {"_init", "_fini", "_edata", "_end", "rust_eh_personality"};

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (!strcmp(name, others[i]))
            return 1;
    return name[0] == '_' && (name[1] == '_' || (name[1] >= 'A' && name[1] <= 'Z'));
}

static void exports(conf_run *run)
{
    const char *file = conf_run_target(run)->file, *why = NULL;
    json_t *names, *name;
    size_t i;

    if (!file) {
        conf_skip(run, "the backend is linked into this program");
        return;
    }
    names = conf_elf_exports(file, &why);
    if (!names)
        conf_fail(run, "the dynamic symbols of the file cannot be read: %s", why);
    json_array_foreach(names, i, name) {
        const char *text = json_string_value(name);

        if (!strncmp(text, "simplugin_", 10) && strcmp(text, ENTRY))
            conf_fail(run,
                      "the file exports %s: names that begin with simplugin_ are the library's, "
                      "and " ENTRY " is the one symbol of a plugin (plugin.h); link with "
                                   "-fvisibility=hidden or a version script",
                      text);
        else if (strcmp(text, ENTRY) != 0 && !is_reserved(text))
            conf_fail(run,
                      "the file exports %s: " ENTRY " is the one symbol of a plugin (plugin.h), so "
                      "that nothing of it is met by another's; build with -fvisibility=hidden, or "
                      "link with a version script",
                      text);
    }
    json_decref(names);
}

/* ---- the table ----------------------------------------------------------------------------- */

static void table(conf_run *run)
{
    const simplugin_backend *t = NULL;
    simplugin_error *error = NULL;
    conf_rig rig;
    int32_t code;

    if (!conf_rig_entry(&rig, run))
        return;
    code = rig.entry(&conf_host, &t, &error);
    if (code)
        conf_fail(run, "the entry answers %s (%s), not OK, to a host of today's version",
                  simplugin_code_name(code), conf_error_text(error));
    else if (error)
        conf_fail(run, "the entry answers OK and sets an error too (%s)", conf_error_text(error));
    else if (!t)
        conf_fail(run, "the entry answers OK and leaves *backend NULL");
    else if (t->size < sizeof *t)
        conf_fail(run,
                  "the table's size is %llu; with describe, open, call and close it has %zu "
                  "(plugin.h, simplugin_backend)",
                  (unsigned long long)t->size, sizeof *t);
    else if (!t->describe || !t->open || !t->call || !t->close)
        conf_fail(run, "the table's %s is NULL: all four functions are needed",
                  !t->describe ? "describe"
                  : !t->open   ? "open"
                  : !t->call   ? "call"
                               : "close");
    else if (t->abi < conf_host.abi_min || t->abi > conf_host.abi_max)
        conf_fail(run,
                  "the table's abi is %u.%u; it is to be in the host's range, here %u.%u to %u.%u",
                  t->abi >> 16, t->abi & 0xffff, conf_host.abi_min >> 16,
                  conf_host.abi_min & 0xffff, conf_host.abi_max >> 16, conf_host.abi_max & 0xffff);
    else if (t->threads != SIMPLUGIN_THREADS_SERIAL && t->threads != SIMPLUGIN_THREADS_CONCURRENT)
        conf_fail(run, "the table's threads is %u, neither SERIAL (1) nor CONCURRENT (2)",
                  t->threads);
    conf_error_free(&error);
    conf_rig_close(&rig);
}

static void table_constant(conf_run *run)
{
    simplugin_backend before;
    conf_rig rig;

    if (conf_rig_load(&rig, run)) {
        memcpy(&before, rig.table, sizeof before);
        rig.instance = conf_instance(&rig);
        if (rig.instance)
            conf_use(&rig);
        conf_rig_close(&rig);
        if (memcmp(&before, rig.table, sizeof before))
            conf_fail(run, "the table has other content after it was used: it is read at any time "
                           "while the process lives, and stays what it was (plugin.h, Ownership)");
    }
}

/* ---- versions ------------------------------------------------------------------------------ */

/* Whether the message names a version, as 7.3, 458755 or 0x70003. */
static int names_version(const char *message, uint32_t version)
{
    char text[3][32];

    snprintf(text[0], sizeof text[0], "%u.%u", version >> 16, version & 0xffff);
    snprintf(text[1], sizeof text[1], "%u", version);
    snprintf(text[2], sizeof text[2], "%x", version);
    /* of 0.x the other two forms are a digit or so, which stands in every message */
    return strstr(message, text[0]) ||
           (version >> 16 && (strstr(message, text[1]) || strcasestr(message, text[2])));
}

/* Which of today's versions a plugin follows is its own choice. */
static int names_own_version(const char *text)
{
    for (uint32_t version = SIMPLUGIN_ABI_1_0; version <= SIMPLUGIN_ABI_VERSION; version++)
        if (names_version(text, version))
            return 1;
    return 0;
}

static void refuses(conf_run *run, uint32_t min, uint32_t max, const char *which)
{
    static simplugin_host host;
    const simplugin_backend *t = NULL;
    simplugin_error *error = NULL;
    conf_rig rig;
    int32_t code;

    host = conf_host;
    host.abi_min = min;
    host.abi_max = max;
    if (!conf_rig_entry(&rig, run))
        return;
    code = rig.entry(&host, &t, &error);
    if (code != SIMPLUGIN_INCOMPATIBLE)
        conf_fail(run,
                  "the entry answers %s to a host that speaks only %s ABI versions, %u.%u to "
                  "%u.%u; INCOMPATIBLE was expected (plugin.h, simplugin_backend_entry)",
                  simplugin_code_name(code), which, min >> 16, min & 0xffff, max >> 16,
                  max & 0xffff);
    else if (!error || error->code != code)
        conf_fail(run, "the entry answers INCOMPATIBLE without setting an error of that code");
    else if (!names_version(conf_error_text(error), min) ||
             !names_version(conf_error_text(error), max) ||
             !names_own_version(conf_error_text(error)))
        conf_fail(run,
                  "the message of INCOMPATIBLE is \"%s\"; it is to name both ranges, the host's "
                  "%u.%u to %u.%u and the plugin's",
                  conf_error_text(error), min >> 16, min & 0xffff, max >> 16, max & 0xffff);
    conf_error_free(&error);
    conf_rig_close(&rig);
}

static void future_host(conf_run *run) { refuses(run, ABI_OF(971, 1), ABI_OF(971, 3), "future"); }

static void old_host(conf_run *run) { refuses(run, ABI_OF(0, 0), ABI_OF(0, 0), "older"); }

static void newer_host(conf_run *run)
{
    static struct {
        simplugin_host known;
        uint64_t appended[16];
    } host;
    conf_rig rig;

    host.known = conf_host;
    host.known.size = sizeof host;
    host.known.abi_max = ABI_OF(971, 3);
    memset(host.appended, 0xa5, sizeof host.appended);
    if (!conf_rig_entry(&rig, run))
        return;
    rig.host = &host.known;
    if (rig.entry(rig.host, &rig.table, NULL) || !rig.table) {
        conf_fail(run,
                  "the entry refuses a newer host, which still speaks version %u.%u and has only "
                  "more at the end of its table (plugin.h, Versions)",
                  conf_host.abi_min >> 16, conf_host.abi_min & 0xffff);
        return;
    }
    if (!conf_rig_usable(&rig))
        return;
    if (rig.table->abi >= ABI_OF(971, 0)) {
        conf_fail(run,
                  "the entry chose ABI %u.%u, the host's newest, which no plugin of today can "
                  "know: name the version that the plugin follows",
                  rig.table->abi >> 16, rig.table->abi & 0xffff);
        return;
    }
    rig.describe = conf_rig_describe(&rig);
    if (rig.describe && (rig.instance = conf_instance(&rig)) != NULL)
        conf_use(&rig);
    conf_rig_close(&rig);
    for (size_t i = 0; i < sizeof host.appended / sizeof host.appended[0]; i++)
        if (host.appended[i] != UINT64_C(0xa5a5a5a5a5a5a5a5))
            conf_fail(run, "the plugin wrote into the host's table, behind the part that it knows");
}

/* A table of today's size, with nothing behind it. */
static void host_end(conf_run *run)
{
    conf_rig rig;

    conf_guard_watch(run);
    if (!conf_rig_entry(&rig, run))
        return;
    rig.host = conf_guard_new(&conf_host, sizeof conf_host, CONF_GUARD_END | CONF_GUARD_WRITES,
                              "the host's table (host->size says how large it is)");
    if (rig.entry(rig.host, &rig.table, NULL) || !rig.table) {
        conf_fail(run, "the entry refuses a host of today's version");
        return;
    }
    if (!conf_rig_usable(&rig))
        return;
    rig.describe = conf_rig_describe(&rig);
    if (rig.describe && (rig.instance = conf_instance(&rig)) != NULL)
        conf_use(&rig);
    conf_rig_close(&rig);
}

/* ---- arguments that may be NULL -------------------------------------------------------------- */

static int32_t call_without_error(conf_rig *rig, const char *method, json_t *body)
{
    simplugin_call_info info;
    simplugin_reply reply = conf_reply_new();
    simplugin_request request;
    contract_body encoded;
    contract_why why = {{0}};
    int32_t code;

    memset(&info, 0, sizeof info);
    info.size = sizeof info;
    info.method = method;
    info.method_size = strlen(method);
    info.deadline = conf_in(30);
    body_encode(&encoded, body, 1, &why);
    request = simplugin_writer_request(&encoded.writer);
    conf_asks(rig->run, method, body);
    code = rig->table->call(rig->instance, &info, &request, &reply, NULL);
    conf_reply_clear(&reply);
    body_clear(&encoded);
    json_decref(body);
    return code;
}

static void error_null(conf_run *run)
{
    conf_rig rig;
    simplugin_reply reply;
    int32_t code;

    if (!conf_rig_open(&rig, run))
        return;
    reply = conf_reply_new();
    conf_asks(run, "describe", NULL);
    code = rig.table->describe(&reply, NULL);
    conf_reply_clear(&reply);
    if (code)
        conf_fail(run, "describe answers %s where its error is NULL", simplugin_code_name(code));
    code = call_without_error(&rig, "health", NULL);
    if (code)
        conf_fail(run, "health answers %s where its error is NULL", simplugin_code_name(code));
    code = call_without_error(&rig, "collection.describe", json_pack("{s:i}", "collection", 7));
    if (!code)
        conf_fail(run, "collection.describe takes a number for the collection's name");
    code = call_without_error(&rig, "points.count",
                              json_pack("{s:s}", "collection", "conformance_none"));
    if (!code)
        conf_fail(run, "points.count answers OK for a collection that is not there");
    call_without_error(&rig, "conformance.nonsense", NULL);
    conf_rig_close(&rig);
}

static void close_null(conf_run *run)
{
    conf_rig rig;

    if (conf_rig_load(&rig, run)) {
        conf_asks(run, "close", json_null());
        rig.table->close(NULL);
        conf_rig_close(&rig);
    }
}

const conf_check conf_abi[] = {
    {"abi/entry", "the file can be loaded and the entry symbol is its own", entry, 0, 0, NULL},
    {"abi/exports", "the file exports nothing else", exports, 0, 0, NULL},
    {"abi/table", "the entry answers OK with a whole table of a version that was offered", table, 0,
     0, NULL},
    {"abi/table-constant", "the table stays what it was", table_constant, 0, 0, NULL},
    {"abi/future-host", "a host of future versions only is refused with both ranges", future_host,
     0, 0, NULL},
    {"abi/old-host", "a host of older versions only is refused with both ranges", old_host, 0, 0,
     NULL},
    {"abi/newer-host", "a host with a longer table and newer versions is served", newer_host, 0, 0,
     NULL},
    {"abi/host-end", "nothing behind host->size is read", host_end, 0, 0, NULL},
    {"abi/error-null", "an error may be NULL in every function", error_null, 0, 0, NULL},
    {"abi/close-null", "close(NULL) does nothing", close_null, 0, 0, NULL},
    {NULL, NULL, NULL, 0, 0, NULL},
};
