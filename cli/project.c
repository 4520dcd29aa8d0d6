/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "project.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buffer.h"

#define TEMPLATE_MAX (1 << 20) /* bytes; a larger file is none */
#define DEPTH_MAX 8

static int32_t fail_errno(cli *program, const char *what, const char *path)
{
    int number = errno;
    int32_t code = number == ENOSPC || number == EDQUOT ? SIMPLUGIN_NO_SPACE
                   : number == EACCES || number == EPERM ? SIMPLUGIN_PERMISSION_DENIED
                   : number == ENOENT                    ? SIMPLUGIN_NOT_FOUND
                   : number == EROFS                     ? SIMPLUGIN_READ_ONLY
                                                         : SIMPLUGIN_IO;

    return cli_fail(program, code, "%s %s: %s", what, path, strerror(number));
}

static int32_t fail_exists(cli *program, const char *path)
{
    return cli_fail(program, SIMPLUGIN_ALREADY_EXISTS,
                    "%s is there already: remove it, or choose another name", path);
}

int32_t cli_project_begin(cli *program, cli_project *project, const char *target,
                          const cli_word *words)
{
    struct stat status;

    memset(project, 0, sizeof *project);
    project->target = target;
    project->words = words;
    if (lstat(target, &status) == 0)
        return fail_exists(program, target);
    project->files = json_array();
    if (!project->files || asprintf(&project->directory, ".%s.XXXXXX", target) < 0) {
        project->directory = NULL;
        return cli_no_memory(program);
    }
    if (!mkdtemp(project->directory)) {
        free(project->directory);
        project->directory = NULL;
        return fail_errno(program, "cannot make the directory", target);
    }
    return SIMPLUGIN_OK;
}

/* ---- one file ---- */

/* The word that begins at text, behind its sign; NULL: none of ours does. */
static const cli_word *word_at(const cli_word *words, const char *text, size_t size)
{
    for (; words->word; words++) {
        size_t length = strlen(words->word);

        if (length < size && text[length] == '@' && memcmp(text, words->word, length) == 0)
            return words;
    }
    return NULL;
}

static void fill_line(const cli_word *words, const char *line, size_t size, sp_buffer *out)
{
    for (size_t i = 0; i < size;) {
        const cli_word *word =
            line[i] == '@' ? word_at(words, line + i + 1, size - i - 1) : NULL;

        if (word) {
            sp_buffer_append_text(out, word->value);
            i += strlen(word->word) + 2;
        } else {
            sp_buffer_append(out, line + i++, 1);
        }
    }
}

/* Whether all of the line is a word that stands for nothing. */
static int is_nothing(const cli_word *words, const char *line, size_t size)
{
    const cli_word *word = line[0] == '@' ? word_at(words, line + 1, size - 1) : NULL;

    return word && !*word->value && size == strlen(word->word) + sizeof "@@\n" - 1;
}

static void fill(const cli_word *words, const char *text, size_t size, sp_buffer *out)
{
    static const char licence[] = "SPDX-License-Identifier: ";

    while (size) {
        const char *end = memchr(text, '\n', size);
        size_t length = end ? (size_t)(end - text) + 1 : size;

        if (!memmem(text, length, licence, sizeof licence - 1) &&
            !is_nothing(words, text, length))
            fill_line(words, text, length, out);
        text += length;
        size -= length;
    }
}

/* The bytes of a template: whoever gets them frees them. */
static int32_t read_file(cli *program, const char *path, char **text, size_t *size, mode_t *mode)
{
    FILE *file = fopen(path, "re");
    struct stat status;
    int32_t code = SIMPLUGIN_OK;

    *text = NULL;
    *size = 0;
    if (!file)
        return fail_errno(program, "cannot read the template", path);
    if (fstat(fileno(file), &status) != 0) {
        code = fail_errno(program, "cannot read the template", path);
    } else if (!S_ISREG(status.st_mode) || status.st_size > TEMPLATE_MAX) {
        code = cli_fail(program, SIMPLUGIN_CORRUPT, "%s is no template: too large, or no file", path);
    } else {
        *mode = status.st_mode & 0111 ? 0777 : 0666;
        *text = malloc((size_t)status.st_size + 1);
        if (!*text)
            code = cli_no_memory(program);
        else
            *size = fread(*text, 1, (size_t)status.st_size, file);
        if (ferror(file))
            code = fail_errno(program, "cannot read the template", path);
    }
    fclose(file);
    return code;
}

static int32_t write_file(cli *program, const char *path, const void *data, size_t size,
                          mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    int failed;

    if (!file) {
        if (fd >= 0)
            close(fd);
        return fail_errno(program, "cannot write", path);
    }
    failed = size && fwrite(data, 1, size, file) != size;
    if (fclose(file) != 0 || failed)
        return fail_errno(program, "cannot write", path);
    return SIMPLUGIN_OK;
}

static int32_t add_file(cli *program, cli_project *project, const char *from, const char *to)
{
    sp_buffer filled;
    char *text = NULL;
    size_t size;
    mode_t mode = 0;
    int32_t code = read_file(program, from, &text, &size, &mode);

    sp_buffer_init(&filled);
    if (code == SIMPLUGIN_OK) {
        fill(project->words, text, size, &filled);
        code = filled.failed ? cli_no_memory(program)
                             : write_file(program, to, filled.data, filled.size, mode);
    }
    if (code == SIMPLUGIN_OK &&
        json_array_append_new(project->files, json_string(to + strlen(project->directory) + 1)) != 0)
        code = cli_no_memory(program);
    sp_buffer_clear(&filled);
    free(text);
    return code;
}

/* ---- all of them ---- */

static int is_entry(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static int32_t add_directory(cli *program, cli_project *project, const char *from, const char *to,
                             int depth);

static int32_t add_entry(cli *program, cli_project *project, const char *from, const char *to,
                         const char *name, int depth)
{
    /* one that begins with a dot would be overlooked, and tools obey it where the template is */
    const char *dot = strcmp(name, "gitignore") == 0 ? "." : "";
    char *source = NULL, *copy = NULL;
    struct stat status;
    int32_t code;

    if (cli_interrupt_signal())
        return cli_fail(program, SIMPLUGIN_CANCELLED, "interrupted: nothing was made");
    if (asprintf(&source, "%s/%s", from, name) < 0)
        source = NULL;
    if (asprintf(&copy, "%s/%s%s", to, dot, name) < 0)
        copy = NULL;
    if (!source || !copy)
        code = cli_no_memory(program);
    else if (stat(source, &status) != 0)
        code = fail_errno(program, "cannot read the template", source);
    else if (!S_ISDIR(status.st_mode))
        code = add_file(program, project, source, copy);
    else if (mkdir(copy, 0777) != 0 && errno != EEXIST)
        code = fail_errno(program, "cannot make the directory", copy);
    else
        code = add_directory(program, project, source, copy, depth + 1);
    free(source);
    free(copy);
    return code;
}

static int32_t add_directory(cli *program, cli_project *project, const char *from, const char *to,
                             int depth)
{
    struct dirent **names = NULL;
    int count = depth < DEPTH_MAX ? scandir(from, &names, is_entry, alphasort) : -1;
    int32_t code = SIMPLUGIN_OK;

    if (depth == DEPTH_MAX)
        errno = ELOOP;
    if (count < 0)
        return fail_errno(program, "cannot read the templates in", from);
    for (int i = 0; i < count; i++) {
        if (code == SIMPLUGIN_OK)
            code = add_entry(program, project, from, to, names[i]->d_name, depth);
        free(names[i]);
    }
    free(names);
    return code;
}

int32_t cli_project_add(cli *program, cli_project *project, const char *templates)
{
    return add_directory(program, project, templates, project->directory, 0);
}

int32_t cli_project_finish(cli *program, cli_project *project)
{
    mode_t mask = umask(0);
    int done;

    umask(mask);
    /* mkdtemp made it for its owner alone */
    if (chmod(project->directory, 0777 & ~mask) != 0)
        return fail_errno(program, "cannot make the directory", project->target);
    /* what came to be there meanwhile is not replaced; not every file system can see to that */
    done = renameat2(AT_FDCWD, project->directory, AT_FDCWD, project->target, RENAME_NOREPLACE) == 0;
    if (!done && (errno == EINVAL || errno == ENOSYS))
        done = rename(project->directory, project->target) == 0;
    if (!done && (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR))
        return fail_exists(program, project->target);
    if (!done)
        return fail_errno(program, "cannot make the directory", project->target);
    free(project->directory);
    project->directory = NULL;
    return SIMPLUGIN_OK;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

void cli_project_clear(cli_project *project)
{
    if (project->directory)
        nftw(project->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(project->directory);
    json_decref(project->files);
    project->directory = NULL;
    project->files = NULL;
}
