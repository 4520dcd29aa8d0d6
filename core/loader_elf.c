/* SPDX-License-Identifier: Apache-2.0 */
/* What the dynamic linker does not look at before it maps a file, and may crash on. */
#include "config.h"

#include "loader_elf.h"

#include "loader_file.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OUR_MACHINE EM_X86_64
#define OUR_MACHINE_NAME "x86-64"
#elif defined(__aarch64__)
#define OUR_MACHINE EM_AARCH64
#define OUR_MACHINE_NAME "arm64"
#else
#error "simplugin runs on x86-64 and arm64"
#endif

#define MAX_HEADERS 256

static int read_at(int fd, void *data, size_t size, uint64_t offset)
{
    ssize_t got = -1;

    if (offset > INT64_MAX)
        return 0;
    do
        got = pread(fd, data, size, (off_t)offset);
    while (got < 0 && errno == EINTR);
    return got >= 0 && (size_t)got == size;
}

/* What is wrong with the file, NULL if nothing. */
static const char *find_problem(int fd, uint64_t size)
{
    ElfW(Ehdr) header;
    ElfW(Phdr) segment;

    if (!read_at(fd, &header, sizeof header, 0) ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
        return "is no shared object";
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
        header.e_machine != OUR_MACHINE)
        return "is built for another kind of machine than this " OUR_MACHINE_NAME;
    if (header.e_type != ET_DYN || header.e_phentsize != sizeof segment ||
        header.e_phnum == 0 || header.e_phnum > MAX_HEADERS)
        return "is no shared object";
    for (uint64_t i = 0; i < header.e_phnum; i++) {
        if (header.e_phoff > size ||
            !read_at(fd, &segment, sizeof segment, header.e_phoff + i * sizeof segment))
            return "is cut off";
        /* The linker maps such a segment, and the process dies where it ends too early. */
        if (segment.p_type == PT_LOAD &&
            (segment.p_filesz > size || segment.p_offset > size - segment.p_filesz))
            return "is cut off";
    }
    return NULL;
}

int32_t sp_loader_check_elf(const char *name, const char *file, const struct stat *status,
                            simplugin_error **error)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    const char *problem = NULL;
    int32_t code = SIMPLUGIN_OK;
    struct stat now;
    char words[128];

    if (fd < 0 || fstat(fd, &now) != 0)
        problem = strerror_r(errno, words, sizeof words);
    else if (now.st_dev != status->st_dev || now.st_ino != status->st_ino)
        problem = "was replaced while it was loaded";
    else
        problem = find_problem(fd, (uint64_t)now.st_size);
    if (problem) {
        code = sp_error_set(error, SIMPLUGIN_PLUGIN_UNLOADABLE, SP_LOADER_DOMAIN,
                            "backend '%s': the plugin '%s' cannot be loaded: %s: install it anew",
                            name, file, problem);
        sp_error_add_detail(error, "backend", name);
        sp_error_add_detail(error, "file", file);
    }
    if (fd >= 0)
        close(fd);
    return code;
}
