/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_SIZE ((size_t)1 << 16)

int32_t cli_source_fail(cli_source *source, int32_t code, const char *format, ...)
{
    int size = snprintf(source->problem, sizeof(source->problem), "%s: ", source->name);
    va_list args;

    va_start(args, format);
    vsnprintf(source->problem + size, sizeof(source->problem) - (size_t)size, format, args);
    va_end(args);
    return code;
}

static int32_t fail_errno(cli_source *source)
{
    int saved = errno;
    int32_t code = saved == ENOENT                     ? SIMPLUGIN_NOT_FOUND
                   : saved == EACCES || saved == EPERM ? SIMPLUGIN_PERMISSION_DENIED
                                                       : SIMPLUGIN_IO;

    return cli_source_fail(source, code, "%s", strerror(saved));
}

/* Pages are let go in pieces of this size at least. */
#define RELEASE_SIZE (UINT64_C(4) << 20)

int32_t cli_source_open(cli_source *source, const char *path, int wakeup)
{
    struct stat status;
    void *map;
    off_t offset;

    memset(source, 0, sizeof(*source));
    source->wakeup = wakeup;
    source->fd = -1;
    snprintf(source->name, sizeof(source->name), "%s",
             strcmp(path, "-") == 0 ? "standard input" : path);
    source->is_own = strcmp(path, "-") != 0;
    source->fd = source->is_own ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    if (source->fd < 0 || fstat(source->fd, &status) != 0)
        return fail_errno(source);
    if (S_ISDIR(status.st_mode)) {
        errno = EISDIR;
        return fail_errno(source);
    }
    if (!S_ISREG(status.st_mode) || status.st_size == 0)
        return SIMPLUGIN_OK;
    offset = lseek(source->fd, 0, SEEK_CUR);
    map = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, source->fd, 0);
    if (map == MAP_FAILED || offset < 0)
        return fail_errno(source);
    posix_madvise(map, (size_t)status.st_size, POSIX_MADV_SEQUENTIAL);
    source->map = map;
    source->size = (uint64_t)status.st_size;
    source->offset = (uint64_t)offset < source->size ? (uint64_t)offset : source->size;
    return SIMPLUGIN_OK;
}

void cli_source_close(cli_source *source)
{
    if (source->map)
        munmap((void *)source->map, (size_t)source->size);
    if (source->is_own && source->fd >= 0)
        close(source->fd);
    free(source->buffer);
    source->map = NULL;
    source->buffer = NULL;
    source->fd = -1;
}

/* Room for size bytes from begin on, which moves to the front. */
static int32_t reserve(cli_source *source, size_t size)
{
    uint8_t *grown;

    if (source->begin) {
        memmove(source->buffer, source->buffer + source->begin, source->end - source->begin);
        source->end -= source->begin;
        source->begin = 0;
    }
    if (size <= source->capacity)
        return SIMPLUGIN_OK;
    grown = realloc(source->buffer, size);
    if (!grown)
        return cli_source_fail(source, SIMPLUGIN_OUT_OF_MEMORY, "out of memory");
    source->buffer = grown;
    source->capacity = size;
    return SIMPLUGIN_OK;
}

/* Reads what comes next, once, into the room behind end. */
static int32_t fill(cli_source *source)
{
    struct pollfd fds[2] = {{source->fd, POLLIN, 0}, {source->wakeup, POLLIN, 0}};
    ssize_t count;

    for (;;) {
        if (poll(fds, 2, -1) < 0) {
            if (errno == EINTR)
                continue;
            return fail_errno(source);
        }
        if (fds[1].revents)
            return cli_source_fail(source, SIMPLUGIN_CANCELLED, "interrupted");
        count = read(source->fd, source->buffer + source->end, source->capacity - source->end);
        if (count < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (count < 0)
            return fail_errno(source);
        source->end += (size_t)count;
        source->is_at_end = count == 0;
        return SIMPLUGIN_OK;
    }
}

int32_t cli_source_peek(cli_source *source, size_t size, const uint8_t **data, size_t *got)
{
    int32_t code = SIMPLUGIN_OK;

    *data = NULL;
    *got = 0;
    if (source->map) {
        uint64_t left = source->size - source->offset;

        *data = source->map + source->offset;
        *got = left < size ? (size_t)left : size;
        return SIMPLUGIN_OK;
    }
    if (source->end - source->begin < size)
        code = reserve(source, size);
    while (code == SIMPLUGIN_OK && source->end - source->begin < size && !source->is_at_end)
        code = fill(source);
    if (code == SIMPLUGIN_OK && source->buffer) {
        *data = source->buffer + source->begin;
        *got = source->end - source->begin < size ? source->end - source->begin : size;
    }
    return code;
}

/*
 * What was taken before is not looked at again: its pages are let go, so that a file of any
 * size takes up no more memory than what is taken at once.
 */
static void pages_release(cli_source *source)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t end = source->offset - source->offset % page;

    if (end < source->released + RELEASE_SIZE)
        return;
    madvise((uint8_t *)(uintptr_t)source->map + source->released,
            (size_t)(end - source->released), MADV_DONTNEED);
    source->released = end;
}

int32_t cli_source_take(cli_source *source, size_t size, const uint8_t **data, size_t *got)
{
    int32_t code;

    if (source->map)
        pages_release(source);
    code = cli_source_peek(source, size, data, got);

    if (code == SIMPLUGIN_OK) {
        source->offset += *got;
        if (!source->map)
            source->begin += *got;
    }
    return code;
}

int32_t cli_source_line(cli_source *source, size_t limit, const char **data, size_t *size)
{
    const uint8_t *bytes, *newline = NULL;
    size_t searched = 0, got = 0;
    int32_t code = SIMPLUGIN_OK;

    *data = NULL;
    *size = 0;
    if (source->map) {
        code = cli_source_peek(source, limit + 1, &bytes, &got);
        newline = memchr(bytes, '\n', got);
    }
    while (!source->map) {
        got = source->end - source->begin;
        bytes = got ? source->buffer + source->begin : NULL;
        if (got > searched)
            newline = memchr(bytes + searched, '\n', got - searched);
        if (newline || source->is_at_end || got > limit)
            break;
        searched = got;
        /* a line is given out as soon as it is there, however little that is */
        code = reserve(source, got < READ_SIZE / 2 ? READ_SIZE : got * 2);
        if (code == SIMPLUGIN_OK)
            code = fill(source);
        if (code != SIMPLUGIN_OK)
            return code;
    }
    if (!newline && got == 0)
        return code;
    *size = newline ? (size_t)(newline - bytes) : got;
    if (*size > limit)
        return cli_source_fail(source, SIMPLUGIN_RESOURCE_EXHAUSTED,
                               "a line is longer than %zu bytes", limit);
    code = cli_source_take(source, *size + (newline != NULL), &bytes, &got);
    *data = (const char *)bytes;
    if (*size && bytes[*size - 1] == '\r')
        --*size;
    return code;
}
