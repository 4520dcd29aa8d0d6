/* SPDX-License-Identifier: Apache-2.0 */
/* The files that belong to the checks, wherever the installation was moved to. */
#include "config.h"

#include "world.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "moved.h"

#if !defined(CONF_LIBDIR) || !defined(CONF_DATADIR)
#error "CONF_LIBDIR and CONF_DATADIR name where library and data are installed"
#endif

char *conf_own_directory(void)
{
    Dl_info info;
    char *path;

    /* by the address of a function of its own, which no program can take the place of */
    if (!dladdr((const void *)(uintptr_t)&conf_own_directory, &info) || !info.dli_fname)
        return NULL;
    path = realpath(info.dli_fname, NULL);
    if (path)
        *strrchr(path, '/') = 0;
    return path;
}

/* Whether the data are in the directory; NULL: no. */
static int has_data(const char *directory)
{
    char *marker;
    struct stat status;
    int there;

    if (!directory)
        return 0;
    if (asprintf(&marker, "%s/protocol.md", directory) < 0)
        abort();
    there = stat(marker, &status) == 0 && S_ISREG(status.st_mode);
    free(marker);
    return there;
}

char *conf_data_directory(void)
{
    char *own = conf_own_directory();
    char *found = own ? sp_moved(own, CONF_LIBDIR, CONF_DATADIR) : NULL;

    if (!has_data(found)) {
        free(found);
        /* beside the directory in which libtool leaves a library before it is installed */
        if (!own || asprintf(&found, "%s/../conformance/data", own) < 0)
            found = NULL;
    }
    if (!has_data(found)) {
        free(found);
        found = has_data(CONF_DATADIR) ? strdup(CONF_DATADIR) : NULL;
    }
    free(own);
    return found;
}
