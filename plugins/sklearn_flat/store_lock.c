/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose turn it is to write. Locks of open file descriptions on the file "lock" keep
 * processes apart; a flag keeps the threads of one process apart. Both are polled, because
 * a wait must end by a deadline or a cancel token, which no blocking lock knows.
 *
 *   byte 0   the turn to write
 *   byte 1   held while files are found and opened (shared) or replaced (exclusive)
 *   byte 2   held (shared) by those who wait for the turn, so that others let them
 *   16..     the process id of who has the turn, as text
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "store_internal.h"

#define TURN 0
#define GENERATION 1
#define WAITING 2
#define PID_AT 16

#define NAP_MIN 100000
#define NAP_MAX 5000000
/* Longer than the longest nap of one who waits. */
#define COURTESY 8000000
#define SHORT_WAIT INT64_C(5000000000)

const flat_wait flat_wait_forever = {INT64_MAX, 0};

int flat_wait_cancelled(const flat_wait *wait)
{
    return wait->cancel && plug_host->cancelled(wait->cancel);
}

int32_t flat_wait_check(const flat_wait *wait, simplugin_error **error)
{
    if (flat_wait_cancelled(wait))
        return plug_error(error, SIMPLUGIN_CANCELLED, "the call was cancelled");
    if (wait->deadline != INT64_MAX && sp_clock_now() >= wait->deadline)
        return plug_error(error, SIMPLUGIN_DEADLINE_EXCEEDED, "the call's time is over");
    return SIMPLUGIN_OK;
}

void flat_env_pause(flat_env *env, int64_t nanoseconds)
{
    struct timespec until = sp_clock_timespec(sp_clock_now() + nanoseconds);

    pthread_cond_timedwait(&env->changed, &env->lock, &until);
}

static void nap(int64_t *length, int64_t deadline)
{
    int64_t left = deadline == INT64_MAX ? *length : deadline - sp_clock_now();
    struct timespec span = sp_clock_timespec(left < *length ? (left > 0 ? left : 0) : *length);

    clock_nanosleep(CLOCK_MONOTONIC, 0, &span, NULL);
    *length = *length * 2 > NAP_MAX ? NAP_MAX : *length * 2;
}

/* 0, or errno. */
static int set_lock(int fd, int type, off_t byte)
{
    struct flock lock = {.l_type = (short)type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};

    return fcntl(fd, F_OFD_SETLK, &lock) ? errno : 0;
}

static int taken_by_others(int fd, off_t byte)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};

    return !fcntl(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;
}

static int is_taken(int errnum)
{
    return errnum == EAGAIN || errnum == EACCES;
}

int flat_lock_open(const char *folder, int *writable)
{
    char *path = flat_path(folder, "lock");
    int fd = -1;

    if (!path) {
        errno = ENOMEM;
        return -1;
    }
    *writable = 1;
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 && (errno == EACCES || errno == EPERM || errno == EROFS)) {
        *writable = 0;
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    free(path);
    return fd;
}

static long holder(const flat_env *env)
{
    char text[24] = {0};

    if (pread(env->lock_fd, text, sizeof(text) - 1, PID_AT) <= 0)
        return 0;
    return strtol(text, NULL, 10);
}

static int32_t busy(const flat_env *env, long pid, simplugin_error **error)
{
    char text[24];

    plug_error(error, SIMPLUGIN_BUSY, "process %ld is writing to collection \"%.*s\"; try again later",
               pid, (int)env->view.name.size, env->view.name.data);
    if (error) {
        int size = snprintf(text, sizeof(text), "%ld", pid);

        plug_host->error_add_detail(error, "pid", 3, text, (uint64_t)size);
    }
    return SIMPLUGIN_BUSY;
}

static int over(const flat_wait *wait)
{
    return wait->deadline != INT64_MAX && sp_clock_now() >= wait->deadline;
}

/* Among the threads of this process. */
static int32_t take_flag(flat_env *env, const flat_wait *wait, simplugin_error **error)
{
    int32_t code = SIMPLUGIN_OK;

    pthread_mutex_lock(&env->lock);
    env->wanting++;
    while (env->writing && code == SIMPLUGIN_OK) {
        if (flat_wait_cancelled(wait))
            code = plug_error(error, SIMPLUGIN_CANCELLED, "the call was cancelled");
        else if (over(wait))
            code = busy(env, (long)env->pid, error);
        else
            flat_env_pause(env, NAP_MAX);
    }
    env->wanting--;
    if (code == SIMPLUGIN_OK)
        env->writing = 1;
    pthread_mutex_unlock(&env->lock);
    return code;
}

static void give_flag(flat_env *env)
{
    pthread_mutex_lock(&env->lock);
    env->writing = 0;
    pthread_cond_broadcast(&env->changed);
    pthread_mutex_unlock(&env->lock);
}

static void write_pid(const flat_env *env)
{
    char text[24];
    int size = snprintf(text, sizeof(text), "%-20ld\n", (long)env->pid);

    /* Only for the message of those who wait: failing is harmless. */
    if (pwrite(env->lock_fd, text, (size_t)size, PID_AT) < 0)
        return;
}

int32_t flat_turn_take(flat_env *env, const flat_wait *wait, simplugin_error **error)
{
    int64_t length = NAP_MIN;
    int32_t code = take_flag(env, wait, error);
    int errnum = 0, waits = 0;

    if (code != SIMPLUGIN_OK || env->lock_fd < 0)
        return code;
    if (taken_by_others(env->lock_fd, WAITING)) {
        int64_t courtesy = COURTESY;

        nap(&courtesy, wait->deadline);
    }
    while (code == SIMPLUGIN_OK && (errnum = set_lock(env->lock_fd, F_WRLCK, TURN)) != 0) {
        if (!is_taken(errnum))
            code = plug_error_errno(error, errnum, "lock", env->folder);
        else if (flat_wait_cancelled(wait))
            code = plug_error(error, SIMPLUGIN_CANCELLED, "the call was cancelled");
        else if (over(wait))
            code = busy(env, holder(env), error);
        else {
            waits = waits || !set_lock(env->lock_fd, F_RDLCK, WAITING);
            nap(&length, wait->deadline);
        }
    }
    if (waits)
        set_lock(env->lock_fd, F_UNLCK, WAITING);
    if (code == SIMPLUGIN_OK)
        write_pid(env);
    else
        give_flag(env);
    return code;
}

int flat_turn_try(flat_env *env)
{
    int taken = 0;

    pthread_mutex_lock(&env->lock);
    if (!env->writing && !env->wanting) {
        env->writing = 1;
        taken = 1;
    }
    pthread_mutex_unlock(&env->lock);
    if (taken && env->lock_fd >= 0 &&
        (taken_by_others(env->lock_fd, WAITING) || set_lock(env->lock_fd, F_WRLCK, TURN))) {
        give_flag(env);
        taken = 0;
    }
    if (taken && env->lock_fd >= 0)
        write_pid(env);
    return taken;
}

void flat_turn_give(flat_env *env)
{
    if (env->lock_fd >= 0)
        set_lock(env->lock_fd, F_UNLCK, TURN);
    give_flag(env);
}

int32_t flat_turn_share(flat_env *env, simplugin_error **error)
{
    int64_t deadline = sp_clock_now() + SHORT_WAIT, length = NAP_MIN;
    int32_t code = SIMPLUGIN_OK;
    int errnum = 0;

    if (env->lock_fd < 0)
        return SIMPLUGIN_OK;
    /* Counted first: while the count is above 0 nobody gives the lock back. */
    pthread_mutex_lock(&env->lock);
    env->sharing++;
    pthread_mutex_unlock(&env->lock);
    while (code == SIMPLUGIN_OK && (errnum = set_lock(env->lock_fd, F_RDLCK, TURN)) != 0) {
        if (!is_taken(errnum))
            code = plug_error_errno(error, errnum, "lock", env->folder);
        else if (sp_clock_now() >= deadline)
            code = busy(env, holder(env), error);
        else
            nap(&length, deadline);
    }
    if (code != SIMPLUGIN_OK)
        flat_turn_unshare(env);
    return code;
}

void flat_turn_unshare(flat_env *env)
{
    if (env->lock_fd < 0)
        return;
    pthread_mutex_lock(&env->lock);
    if (--env->sharing == 0)
        set_lock(env->lock_fd, F_UNLCK, TURN);
    pthread_mutex_unlock(&env->lock);
}

int32_t flat_generation_lock(int fd, int exclusive, const char *folder, simplugin_error **error)
{
    int64_t deadline = sp_clock_now() + SHORT_WAIT, length = NAP_MIN;
    int type = exclusive < 0 ? F_UNLCK : exclusive ? F_WRLCK : F_RDLCK;
    int32_t code = SIMPLUGIN_OK;
    int errnum = 0;

    if (fd < 0)
        return SIMPLUGIN_OK;
    while (code == SIMPLUGIN_OK && (errnum = set_lock(fd, type, GENERATION)) != 0) {
        if (!is_taken(errnum))
            code = plug_error_errno(error, errnum, "lock", folder);
        else if (sp_clock_now() >= deadline)
            code = plug_error(error, SIMPLUGIN_BUSY, "%s is being opened or compacted", folder);
        else
            nap(&length, deadline);
    }
    return code;
}
