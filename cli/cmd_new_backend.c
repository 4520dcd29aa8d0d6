/* SPDX-License-Identifier: Apache-2.0 */
/* simplugin new-backend: a project that builds, tests and packs a backend of one's own. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buffer.h"
#include "moved.h"
#include "project.h"

#if !defined(CLI_BIN_DIR) || !defined(CLI_DATA_DIR) || !defined(CLI_PKG_CONFIG_DIR)
#error "CLI_BIN_DIR, CLI_DATA_DIR and CLI_PKG_CONFIG_DIR say where things are installed"
#endif

#define NAME_BYTES 64 /* of a backend's name, so that every path it is in stays short */

/* What a project can look like: its templates and its commands. NAME is the backend's. */
static const struct form {
    const char *language;
    int option;            /* by which it is chosen; -1: the only one of its language */
    const char *parts[4];  /* directories of templates, ended by NULL */
    const char *tools;     /* programs that it is built with */
    const char *packages;  /* of Debian, which bring them */
    const char *needs;     /* what else, as a sentence; or "" */
    const char *ready;     /* lines of a shell that end a machine's build early without it */
    const char *first;     /* the file to begin reading with */
    const char *directory; /* where the plugin is once it is tested */
    const char *build;
    const char *check;
    const char *install;
    const char *tarball;
} forms[] = {
    {"c", OPT_AUTOTOOLS, {"common", "c", "c-autotools"},
     "gcc make autoreconf automake pkg-config", "gcc libc6-dev make autoconf automake pkg-config",
     "", "", "src/backend.h", ".",
     "autoreconf -i && ./configure && make", "make check", "make install", "make tarball"},
    {"c", OPT_MESON, {"common", "c", "c-meson"},
     "gcc meson ninja pkg-config", "gcc libc6-dev meson ninja-build pkg-config",
     "", "", "src/backend.h", "build",
     "meson setup build && meson compile -C build", "meson test -C build --print-errorlogs",
     "meson install -C build", "meson compile -C build tarball"},
    {"c", OPT_CMAKE, {"common", "c", "c-cmake"},
     "gcc make cmake pkg-config", "gcc libc6-dev make cmake pkg-config",
     "", "", "src/backend.h", "build",
     "cmake -B build && cmake --build build", "ctest --test-dir build --output-on-failure",
     "cmake --install build", "cmake --build build --target tarball"},
    {"rust", -1, {"common", "rust"},
     "gcc cargo pkg-config", "gcc libc6-dev cargo pkg-config",
     "Rust 1.85 or later is needed: the cargo of Debian 12 is older, rustup installs a newer one.",
     "minor=$(cargo --version | sed -n 's/^cargo 1\\.\\([0-9]*\\).*/\\1/p')\n"
     "[ \"${minor:-85}\" -ge 85 ] ||\n"
     "    die \"Rust 1.85 or later is needed, this is $(cargo --version): install one\" \\\n"
     "        \"with rustup, as 'rustup toolchain install stable', and have that cargo in PATH\"",
     "src/lib.rs", "target/plugin",
     "cargo build --release", "cargo test --release",
     "install -m 755 target/release/libsimplugin_NAME.so "
     "\"$(pkg-config --variable=plugindir simplugin)/simplugin_NAME.so\"",
     "./package.sh target/release/libsimplugin_NAME.so 0.1.0"},
};

#define FORM_COUNT (sizeof forms / sizeof *forms)

/* ---- the command line ---- */

static int32_t check_name(cli *program, const char *name)
{
    static const char *const ours[] = {"sklearn", "sklearn_flat", "milvus", "qdrant"};
    size_t size = strlen(name);

    if (!size || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != size)
        return cli_fail(program, SIMPLUGIN_BACKEND_NAME,
                        "\"%s\" cannot be a backend's name: a to z, 0 to 9 and _ can be in one",
                        name);
    if (size > NAME_BYTES)
        return cli_fail(program, SIMPLUGIN_BACKEND_NAME, "the name has more than %d characters",
                        NAME_BYTES);
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (strcmp(name, ours[i]) == 0)
            return cli_fail(program, SIMPLUGIN_BACKEND_NAME,
                            "\"%s\" is a backend that simplugin brings: choose another name", name);
    return SIMPLUGIN_OK;
}

/* Autotools, and C, where nothing is said. */
static int32_t choose_form(cli *program, const struct form **form)
{
    const char *language = cli_text(program, OPT_LANG);
    const struct form *chosen = NULL, *first = NULL;

    for (size_t i = 0; i < FORM_COUNT; i++) {
        int is_of_language = strcmp(forms[i].language, language ? language : "c") == 0;

        if (is_of_language && !first)
            first = &forms[i];
        if (forms[i].option < 0 || !cli_has(program, forms[i].option))
            continue;
        if (chosen)
            return cli_fail_usage(program, "one of --autotools, --meson and --cmake is enough");
        if (!is_of_language)
            return cli_fail_usage(program, "--autotools, --meson and --cmake are for C");
        chosen = &forms[i];
    }
    *form = chosen ? chosen : first;
    return SIMPLUGIN_OK;
}

/* ---- where things are ---- */

static int is_there(const char *directory, const char *below)
{
    struct stat status;
    char *path;
    int there;

    if (asprintf(&path, "%s/%s", directory, below) < 0)
        return 0;
    there = stat(path, &status) == 0;
    free(path);
    return there;
}

/*
 * A directory of the installation, which has below in it: seen from this program, wherever all of
 * it was moved to, or where it was made for. The caller's; NULL: no memory.
 */
static char *installed(const char *directory, const char *below)
{
    char *program = realpath("/proc/self/exe", NULL), *found = NULL;

    if (program) {
        *strrchr(program, '/') = '\0';
        found = sp_moved(program, CLI_BIN_DIR, directory);
    }
    free(program);
    if (found && is_there(found, below))
        return found;
    free(found);
    return strdup(directory);
}

/* Whether pkg-config looks there without being told. */
static int is_usual(const char *directory)
{
    return strncmp(directory, "/usr/lib", 8) == 0 || strncmp(directory, "/usr/local/lib", 14) == 0;
}

/* ---- the words of the templates ---- */

/* All texts that depend on the name; kept in one array, so that one loop ends them. */
enum {
    TEXT_DATA,
    TEXT_PKG_CONFIG,
    TEXT_RUST,
    TEXT_TARGET,
    TEXT_PLUGIN,
    TEXT_INSTALL,
    TEXT_TARBALL,
    TEXT_COUNT
};

/* text with the name for NAME. */
static char *with_name(const char *text, const char *name)
{
    sp_buffer filled;
    const char *at;

    sp_buffer_init(&filled);
    while ((at = strstr(text, "NAME"))) {
        sp_buffer_append(&filled, text, (size_t)(at - text));
        sp_buffer_append_text(&filled, name);
        text = at + strlen("NAME");
    }
    sp_buffer_append_text(&filled, text);
    return sp_buffer_steal(&filled, NULL);
}

static int make_texts(const struct form *form, const char *name, char **texts)
{
    texts[TEXT_DATA] = installed(CLI_DATA_DIR, "templates");
    texts[TEXT_PKG_CONFIG] = installed(CLI_PKG_CONFIG_DIR, "simplugin.pc");
    if (!texts[TEXT_DATA] || !texts[TEXT_PKG_CONFIG] ||
        asprintf(&texts[TEXT_RUST], "%s/bindings/rust", texts[TEXT_DATA]) < 0 ||
        asprintf(&texts[TEXT_TARGET], "simplugin-%s", name) < 0 ||
        asprintf(&texts[TEXT_PLUGIN], "%s/simplugin_%s.so", form->directory, name) < 0)
        return 0;
    texts[TEXT_INSTALL] = with_name(form->install, name);
    texts[TEXT_TARBALL] = with_name(form->tarball, name);
    return texts[TEXT_INSTALL] && texts[TEXT_TARBALL];
}

static int32_t make_project(cli *program, const struct form *form, const char *name,
                            char *const *texts, cli_project *project)
{
    const cli_word words[] = {
        {"NAME", name},
        {"VERSION", PACKAGE_VERSION},
        {"TOOLS", form->tools},
        {"PACKAGES", form->packages},
        {"NEEDS", form->needs},
        {"READY", form->ready},
        {"FIRST", form->first},
        {"DIRECTORY", form->directory},
        {"PLUGIN", texts[TEXT_PLUGIN]},
        {"RUST", texts[TEXT_RUST]},
        {"BUILD", form->build},
        {"CHECK", form->check},
        {"INSTALL", texts[TEXT_INSTALL]},
        {"TARBALL", texts[TEXT_TARBALL]},
        {NULL, NULL},
    };
    int32_t code = cli_project_begin(program, project, texts[TEXT_TARGET], words);

    for (size_t i = 0; code == SIMPLUGIN_OK && form->parts[i]; i++) {
        char *templates = NULL;

        if (asprintf(&templates, "%s/templates/backend/%s", texts[TEXT_DATA], form->parts[i]) < 0)
            return cli_no_memory(program);
        code = cli_project_add(program, project, templates);
        free(templates);
    }
    return code == SIMPLUGIN_OK ? cli_project_finish(program, project) : code;
}

/* ---- what to do next ---- */

/* In quotes, as a shell takes it, if it needs them. */
static void append_quoted(sp_buffer *line, const char *text)
{
    int is_plain = !strpbrk(text, " \t\n'\"\\$&;|<>()*?[]`#~!{}");

    sp_buffer_append_text(line, is_plain ? "" : "'");
    for (; *text; text++)
        if (*text == '\'')
            sp_buffer_append_text(line, "'\\''");
        else
            sp_buffer_append(line, text, 1);
    sp_buffer_append_text(line, is_plain ? "" : "'");
}

/* The commands as an array of lines; NULL: no memory. */
static json_t *next_commands(const struct form *form, char *const *texts)
{
    json_t *lines = json_array();
    int is_complete = lines != NULL;
    sp_buffer line;
    char *text;

    sp_buffer_init(&line);
    sp_buffer_append_text(&line, "cd ");
    sp_buffer_append_text(&line, texts[TEXT_TARGET]);
    text = sp_buffer_steal(&line, NULL);
    is_complete = is_complete && text && json_array_append_new(lines, json_string(text)) == 0;
    free(text);
    if (!is_usual(texts[TEXT_PKG_CONFIG])) {
        sp_buffer_init(&line);
        sp_buffer_append_text(&line, "export PKG_CONFIG_PATH=");
        append_quoted(&line, texts[TEXT_PKG_CONFIG]);
        text = sp_buffer_steal(&line, NULL);
        is_complete = is_complete && text && json_array_append_new(lines, json_string(text)) == 0;
        free(text);
    }
    is_complete = is_complete && json_array_append_new(lines, json_string(form->build)) == 0 &&
                  json_array_append_new(lines, json_string(form->check)) == 0;
    if (is_complete)
        return lines;
    json_decref(lines);
    return NULL;
}

static int32_t tell(cli *program, const struct form *form, char *const *texts,
                    const cli_project *project)
{
    json_t *lines = next_commands(form, texts), *line, *said;
    int32_t code = SIMPLUGIN_OK;
    size_t i;

    if (!lines)
        return cli_no_memory(program);
    if (cli_is_json(program)) {
        said = json_pack("{s:s, s:O, s:O}", "directory", texts[TEXT_TARGET], "files",
                         project->files, "next", lines);
        if (!said || json_dumpf(said, program->out, JSON_ENSURE_ASCII) != 0)
            code = cli_no_memory(program);
        fputc('\n', program->out);
        json_decref(said);
    } else if (!cli_has(program, OPT_QUIET)) {
        fprintf(program->out, "%s has %zu files; %s says what is where. Next:\n\n",
                texts[TEXT_TARGET], json_array_size(project->files), form->first);
        json_array_foreach(lines, i, line)
            fprintf(program->out, "    %s\n", json_string_value(line));
    }
    json_decref(lines);
    return code;
}

int32_t cli_new_backend(cli *program)
{
    const char *name = cli_take_argument(program);
    char *texts[TEXT_COUNT] = {NULL};
    cli_project project = {.directory = NULL};
    const struct form *form = NULL;
    int32_t code = choose_form(program, &form);

    if (code == SIMPLUGIN_OK)
        code = check_name(program, name);
    if (code != SIMPLUGIN_OK)
        return code;
    code = make_texts(form, name, texts) ? make_project(program, form, name, texts, &project)
                                         : cli_no_memory(program);
    if (code == SIMPLUGIN_OK)
        code = tell(program, form, texts, &project);
    cli_project_clear(&project);
    for (size_t i = 0; i < TEXT_COUNT; i++)
        free(texts[i]);
    return code;
}
