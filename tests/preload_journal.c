/* SPDX-License-Identifier: Apache-2.0 */
/*
 * To be preloaded: writes down what a program does to the files below $JOURNAL_ROOT, in
 * order and with all data, into the file $JOURNAL_FILE. tests/journal.h describes the
 * entries.
 */
#include "config.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "journal.h"

#define FDS 4096
#define PRELOADED __attribute__((visibility("default")))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned char tracked[FDS];
static int journal = -1;

static void append(const void *data, size_t size)
{
    const char *bytes = data;

    while (size) {
        long count = syscall(SYS_write, journal, bytes, size);

        if (count <= 0)
            abort();
        bytes += count;
        size -= (size_t)count;
    }
}

static void note(uint32_t what, int fd, uint64_t offset, const void *data, size_t size)
{
    journal_entry entry = {what, fd, offset, size};

    append(&entry, sizeof(entry));
    if (size)
        append(data, size);
}

static int below_root(const char *path)
{
    const char *root = getenv("JOURNAL_ROOT");

    if (!root || strncmp(path, root, strlen(root)))
        return 0;
    if (journal < 0) {
        const char *file = getenv("JOURNAL_FILE");

        journal = file ? (int)syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
        if (journal < 0)
            abort();
    }
    return 1;
}

static int is_tracked(int fd)
{
    return fd >= 0 && fd < FDS && tracked[fd];
}

#define REAL(name) ((__typeof__(&name))(uintptr_t)dlsym(RTLD_NEXT, #name))

PRELOADED int open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    va_list args;
    int fd;

    va_start(args, flags);
    if (flags & (O_CREAT | __O_TMPFILE))
        mode = va_arg(args, mode_t);
    va_end(args);
    pthread_mutex_lock(&lock);
    fd = REAL(open)(path, flags, mode);
    if (fd >= 0 && fd < FDS && below_root(path) && (flags & O_TMPFILE) != O_TMPFILE) {
        tracked[fd] = 1;
        note(JOURNAL_OPEN, fd, (uint64_t)flags, path, strlen(path));
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

PRELOADED int open64(const char *path, int flags, ...)
{
    mode_t mode = 0;
    va_list args;

    va_start(args, flags);
    if (flags & (O_CREAT | __O_TMPFILE))
        mode = va_arg(args, mode_t);
    va_end(args);
    return open(path, flags, mode);
}

PRELOADED int close(int fd)
{
    int rc;

    pthread_mutex_lock(&lock);
    if (is_tracked(fd)) {
        note(JOURNAL_CLOSE, fd, 0, NULL, 0);
        tracked[fd] = 0;
    }
    rc = (int)syscall(SYS_close, fd);
    pthread_mutex_unlock(&lock);
    return rc;
}

PRELOADED ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    ssize_t count;

    pthread_mutex_lock(&lock);
    count = REAL(pwrite)(fd, data, size, offset);
    if (is_tracked(fd) && count > 0)
        note(JOURNAL_WRITE, fd, (uint64_t)offset, data, (size_t)count);
    pthread_mutex_unlock(&lock);
    return count;
}

PRELOADED ssize_t pwrite64(int fd, const void *data, size_t size, off_t offset)
{
    return pwrite(fd, data, size, offset);
}

PRELOADED ssize_t write(int fd, const void *data, size_t size)
{
    off_t offset = 0;
    ssize_t count;

    if (!is_tracked(fd))
        return syscall(SYS_write, fd, data, size);
    pthread_mutex_lock(&lock);
    offset = lseek(fd, 0, SEEK_CUR);
    count = syscall(SYS_write, fd, data, size);
    if (count > 0)
        note(JOURNAL_WRITE, fd, (uint64_t)offset, data, (size_t)count);
    pthread_mutex_unlock(&lock);
    return count;
}

PRELOADED ssize_t writev(int fd, const struct iovec *parts, int part_count)
{
    off_t offset = 0;
    ssize_t count, left;

    if (!is_tracked(fd))
        return REAL(writev)(fd, parts, part_count);
    pthread_mutex_lock(&lock);
    offset = lseek(fd, 0, SEEK_CUR);
    count = left = REAL(writev)(fd, parts, part_count);
    for (int i = 0; i < part_count && left > 0; i++) {
        size_t size = parts[i].iov_len < (size_t)left ? parts[i].iov_len : (size_t)left;

        note(JOURNAL_WRITE, fd, (uint64_t)offset, parts[i].iov_base, size);
        offset += (off_t)size;
        left -= (ssize_t)size;
    }
    pthread_mutex_unlock(&lock);
    return count;
}

PRELOADED int ftruncate(int fd, off_t size)
{
    int rc;

    pthread_mutex_lock(&lock);
    rc = REAL(ftruncate)(fd, size);
    if (is_tracked(fd) && !rc)
        note(JOURNAL_TRUNCATE, fd, (uint64_t)size, NULL, 0);
    pthread_mutex_unlock(&lock);
    return rc;
}

PRELOADED int ftruncate64(int fd, off_t size)
{
    return ftruncate(fd, size);
}

PRELOADED int fallocate(int fd, int mode, off_t offset, off_t size)
{
    int rc;

    pthread_mutex_lock(&lock);
    rc = REAL(fallocate)(fd, mode, offset, size);
    if (is_tracked(fd) && !rc && mode == 0)
        note(JOURNAL_ALLOCATE, fd, (uint64_t)(offset + size), NULL, 0);
    pthread_mutex_unlock(&lock);
    return rc;
}

PRELOADED int fallocate64(int fd, int mode, off_t offset, off_t size)
{
    return fallocate(fd, mode, offset, size);
}

PRELOADED int fsync(int fd)
{
    int rc;

    pthread_mutex_lock(&lock);
    rc = REAL(fsync)(fd);
    if (is_tracked(fd) && !rc)
        note(JOURNAL_SYNC, fd, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    return rc;
}

PRELOADED int fdatasync(int fd)
{
    int rc;

    pthread_mutex_lock(&lock);
    rc = REAL(fdatasync)(fd);
    if (is_tracked(fd) && !rc)
        note(JOURNAL_SYNC, fd, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    return rc;
}

PRELOADED int rename(const char *from, const char *to)
{
    char paths[2 * PATH_MAX];
    size_t size = strlen(from) + 1;
    int rc;

    pthread_mutex_lock(&lock);
    rc = REAL(rename)(from, to);
    if (!rc && below_root(from) && size + strlen(to) < sizeof(paths)) {
        memcpy(paths, from, size);
        memcpy(paths + size, to, strlen(to));
        note(JOURNAL_RENAME, -1, 0, paths, size + strlen(to));
    }
    pthread_mutex_unlock(&lock);
    return rc;
}

static void note_path(uint32_t what, const char *path)
{
    if (below_root(path))
        note(what, -1, 0, path, strlen(path));
}

PRELOADED int unlink(const char *path)
{
    int rc;

    pthread_mutex_lock(&lock);
    rc = REAL(unlink)(path);
    if (!rc)
        note_path(JOURNAL_UNLINK, path);
    pthread_mutex_unlock(&lock);
    return rc;
}

PRELOADED int unlinkat(int dir, const char *name, int flags)
{
    char link[64], path[2 * PATH_MAX];
    ssize_t size;
    int rc;

    pthread_mutex_lock(&lock);
    snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
    size = readlink(link, path, PATH_MAX);
    rc = REAL(unlinkat)(dir, name, flags);
    if (!rc && size > 0) {
        snprintf(path + size, sizeof(path) - (size_t)size, "/%s", name);
        note_path(JOURNAL_UNLINK, path);
    }
    pthread_mutex_unlock(&lock);
    return rc;
}

PRELOADED int mkdir(const char *path, mode_t mode)
{
    int rc;

    pthread_mutex_lock(&lock);
    rc = REAL(mkdir)(path, mode);
    if (!rc)
        note_path(JOURNAL_MKDIR, path);
    pthread_mutex_unlock(&lock);
    return rc;
}

PRELOADED int rmdir(const char *path)
{
    int rc;

    pthread_mutex_lock(&lock);
    rc = REAL(rmdir)(path);
    if (!rc)
        note_path(JOURNAL_UNLINK, path);
    pthread_mutex_unlock(&lock);
    return rc;
}
