/* SPDX-License-Identifier: Apache-2.0 */
/* The files that belong to the program, wherever the installation was moved to. */
#include "config.h"

#include "world.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if !defined(CONF_BINDIR) || !defined(CONF_DATADIR)
#error "CONF_BINDIR and CONF_DATADIR name where program and data are installed"
#endif

char *conf_program_directory(void)
{
    char *path = realpath("/proc/self/exe", NULL);

    if (path)
        *strrchr(path, '/') = 0;
    return path;
}

static int is_data(const char *directory)
{
    char path[PATH_MAX + 16];
    struct stat status;

    snprintf(path, sizeof path, "%s/protocol.md", directory);
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* "/usr/bin" and "/usr/share/simplugin" to "../share/simplugin". */
static void relative(const char *from, const char *to, char *text, size_t size)
{
    size_t common = 0, at = 0;

    for (size_t i = 0; from[i] == to[i] || (!from[i] && to[i] == '/'); i++) {
        if (to[i] == '/')
            common = i;
        if (!from[i] || !to[i])
            break;
    }
    text[0] = 0;
    for (const char *p = from + common; p && *p; p = strchr(p + 1, '/'))
        if (p[1] && at < size)
            at += (size_t)snprintf(text + at, size - at, "../");
    if (at < size)
        snprintf(text + at, size - at, "%s", to + common + (to[common] == '/'));
}

char *conf_data_directory(void)
{
    /* the second: beside the directory in which libtool leaves a program before it is installed */
    char *program = conf_program_directory(), *found = NULL;
    char below[PATH_MAX], path[PATH_MAX];

    relative(CONF_BINDIR, CONF_DATADIR, below, sizeof below);
    for (int i = 0; !found && i < 3; i++) {
        if (i < 2 && !program)
            continue;
        if (i == 0)
            snprintf(path, sizeof path, "%s/%s", program, below);
        else if (i == 1)
            snprintf(path, sizeof path, "%s/../conformance/data", program);
        else
            snprintf(path, sizeof path, "%s", CONF_DATADIR);
        if (is_data(path))
            found = strdup(path);
    }
    free(program);
    return found;
}
