/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "progress.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#define BAR 20
#define INTERVAL 100000000

static int64_t monotonic(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void cli_progress_start(cli_progress *progress, const char *action, const char *unit,
                        int is_wanted)
{
    memset(progress, 0, sizeof(*progress));
    progress->out = is_wanted && isatty(STDERR_FILENO) ? stderr : NULL;
    progress->action = action;
    progress->unit = unit;
    progress->now = monotonic;
    progress->start = progress->now();
    /* nothing is shown of what is over at once */
    progress->shown = progress->start;
}

/* "12,345", or "12.3 MB" of bytes. */
static void print_amount(const char *unit, uint64_t amount, char *text, size_t capacity)
{
    char digits[24];
    size_t size = 0, count;

    if (strcmp(unit, "bytes") == 0) {
        snprintf(text, capacity, "%.1f MB", (double)amount / 1e6);
        return;
    }
    count = (size_t)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)amount);
    for (size_t i = 0; i < count && size + 2 < capacity; i++) {
        if (i && (count - i) % 3 == 0)
            text[size++] = ',';
        text[size++] = digits[i];
    }
    text[size] = '\0';
}

static void print_time(int64_t nanoseconds, char *text, size_t capacity)
{
    long long seconds = nanoseconds / 1000000000;

    if (seconds >= 3600)
        snprintf(text, capacity, "%lld:%02lld:%02lld", seconds / 3600, seconds / 60 % 60,
                 seconds % 60);
    else
        snprintf(text, capacity, "%lld:%02lld", seconds / 60, seconds % 60);
}

void cli_progress_text(const cli_progress *progress, uint64_t done, uint64_t total,
                       int64_t elapsed, char *text, size_t capacity)
{
    const char *unit = strcmp(progress->unit, "bytes") == 0 ? "" : progress->unit;
    const char *blank = unit[0] ? " " : "";
    double rate = elapsed > 0 && done > progress->base
                      ? (double)(done - progress->base) * 1e9 / (double)elapsed
                      : 0;
    char amount[40], whole[40], speed[40], left[40], bar[BAR + 1];
    size_t filled;

    if (total && done > total)
        done = total;
    print_amount(progress->unit, done, amount, sizeof(amount));
    print_amount(progress->unit, rate < 1e18 ? (uint64_t)rate : 0, speed, sizeof(speed));
    if (total == 0) {
        print_time(elapsed, left, sizeof(left));
        snprintf(text, capacity, "%s  %s%s%s  %s%s%s/s  %s", progress->action, amount, blank, unit,
                 speed, blank, unit, left);
        return;
    }
    print_amount(progress->unit, total, whole, sizeof(whole));
    filled = (size_t)((double)done / (double)total * BAR);
    memset(bar, '.', BAR);
    memset(bar, '#', filled);
    bar[BAR] = '\0';
    strcpy(left, "-:--");
    if (rate > 0)
        print_time((int64_t)((double)(total - done) / rate * 1e9), left, sizeof(left));
    snprintf(text, capacity, "%s %3d%% [%s] %s/%s%s%s  %s%s%s/s  %s left", progress->action,
             (int)((double)done / (double)total * 100), bar, amount, whole, blank, unit, speed,
             blank, unit, left);
}

void cli_progress_show(cli_progress *progress, uint64_t done, uint64_t total)
{
    int64_t now;
    char text[240];

    if (!progress->out)
        return;
    now = progress->now();
    if (now - progress->shown < INTERVAL)
        return;
    progress->shown = now;
    cli_progress_text(progress, done, total, now - progress->start, text, sizeof(text));
    fprintf(progress->out, "\r\033[K%s", text);
    fflush(progress->out);
    progress->is_shown = 1;
}

void cli_progress_clear(cli_progress *progress)
{
    if (progress->out && progress->is_shown) {
        fputs("\r\033[K", progress->out);
        fflush(progress->out);
    }
    progress->is_shown = 0;
}
