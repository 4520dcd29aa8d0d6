/* SPDX-License-Identifier: Apache-2.0 */
/* The files that belong to the program, wherever the installation was moved to. */
#include "config.h"

#include "world.h"

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

/* "directory/below" if the program's data are there, the caller's; else NULL. */
static char *data_in(const char *directory, const char *below)
{
    char *path = NULL, *marker = NULL;
    struct stat status;

    if (asprintf(&path, "%s%s%s", directory, *below ? "/" : "", below) < 0 ||
        asprintf(&marker, "%s/protocol.md", path) < 0)
        abort();
    if (stat(marker, &status) != 0 || !S_ISREG(status.st_mode)) {
        free(path);
        path = NULL;
    }
    free(marker);
    return path;
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
    char *program = conf_program_directory(), *found = NULL;
    char below[1024];

    relative(CONF_BINDIR, CONF_DATADIR, below, sizeof below);
    if (program && !(found = data_in(program, below)))
        /* beside the directory in which libtool leaves a program before it is installed */
        found = data_in(program, "../conformance/data");
    if (!found)
        found = data_in(CONF_DATADIR, "");
    free(program);
    return found;
}
