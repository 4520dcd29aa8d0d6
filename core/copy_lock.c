/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lock of a copy: one byte of a file beside the records, at the number of its row, held
 * by an open file description. Whatever becomes of the process, the system lets go of it;
 * and two copies in one process keep each other out as two processes do.
 */
#include "copy_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DOMAIN "copy"
#define FILE_NAME "copies.lock"

/* A child shares the descriptions of its parent: it lets go, or a lock would outlive that. */
static pthread_mutex_t locks_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static sp_copy_lock *locks;

static void locks_lock(void) { pthread_mutex_lock(&locks_mutex); }
static void locks_unlock(void) { pthread_mutex_unlock(&locks_mutex); }

static void locks_drop(void)
{
    for (sp_copy_lock *lock = locks; lock; lock = lock->next) {
        close(lock->fd);
        lock->fd = -1;
    }
    locks = NULL;
    pthread_mutex_unlock(&locks_mutex);
}

static void fork_prepare(void)
{
    pthread_atfork(locks_lock, locks_unlock, locks_drop);
}

int32_t sp_copy_lock_take(sp_copy_lock *lock, sp_runs *runs, int64_t id, simplugin_error **error)
{
    struct flock byte = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = id, .l_len = 1};
    char *path = NULL;
    int fd = -1, saved = 0;
    int32_t code = SIMPLUGIN_OK;

    pthread_once(&fork_once, fork_prepare);
    if (asprintf(&path, "%s/" FILE_NAME, sp_runs_directory(runs)) < 0)
        return sp_error_no_memory(error);
    /* opened and noted at once for whoever forks */
    locks_lock();
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || fcntl(fd, F_OFD_SETLK, &byte))
        saved = errno;
    if (!saved) {
        lock->fd = fd;
        lock->next = locks;
        locks = lock;
        fd = -1;
    }
    locks_unlock();
    if (saved == EAGAIN || saved == EACCES)
        code = sp_error_set(error, SIMPLUGIN_BUSY, DOMAIN,
                            "another thread or process is copying into the same target: wait for "
                            "it, or stop it");
    else if (saved)
        code = sp_error_set_errno(error, saved, DOMAIN, "cannot lock", path);
    if (fd >= 0)
        close(fd);
    free(path);
    return code;
}

void sp_copy_lock_release(sp_copy_lock *lock)
{
    struct flock all = {.l_type = F_UNLCK, .l_whence = SEEK_SET};

    locks_lock();
    for (sp_copy_lock **link = &locks; *link; link = &(*link)->next)
        if (*link == lock) {
            *link = lock->next;
            break;
        }
    /* unlocked, not just closed: a child that was forked just now may not have let go yet */
    if (lock->fd >= 0) {
        fcntl(lock->fd, F_OFD_SETLK, &all);
        close(lock->fd);
    }
    lock->fd = -1;
    locks_unlock();
}
