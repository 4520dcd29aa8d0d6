/* SPDX-License-Identifier: Apache-2.0 */
/* Monotonic time in nanoseconds, the unit of every deadline inside. */
#ifndef SP_CLOCK_H
#define SP_CLOCK_H

#include <stdint.h>
#include <time.h>

#define SP_NO_DEADLINE INT64_MAX

static inline int64_t sp_clock_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The deadline milliseconds from now; no deadline where that is past all counting. */
static inline int64_t sp_clock_deadline(int64_t milliseconds)
{
    int64_t now = sp_clock_now();

    return milliseconds > (INT64_MAX - now) / 1000000 ? SP_NO_DEADLINE
                                                      : now + milliseconds * 1000000;
}

static inline struct timespec sp_clock_timespec(int64_t nanoseconds)
{
    struct timespec at = {(time_t)(nanoseconds / 1000000000), (long)(nanoseconds % 1000000000)};

    return at;
}

#endif
