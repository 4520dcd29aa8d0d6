/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "moved.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How many of the first bytes are directories that both are below: up to a slash, or an end. */
static size_t common(const char *a, const char *b)
{
    size_t at = 0;

    for (size_t i = 0;; i++) {
        int a_ends = !a[i] || a[i] == '/', b_ends = !b[i] || b[i] == '/';

        if (a_ends && b_ends)
            at = i;
        if (a[i] != b[i] || !a[i])
            return at;
    }
}

char *sp_moved(const char *here, const char *built_here, const char *there)
{
    size_t shared = common(built_here, there), up = 0;
    char *path = NULL, *found, *at;

    for (const char *p = built_here + shared; *p; p++)
        up += p[0] == '/' && p[1] && p[1] != '/';
    path = malloc(strlen(here) + 3 * up + strlen(there + shared) + 2);
    if (!path)
        return NULL;
    at = path + sprintf(path, "%s", here);
    for (; up; up--)
        at += sprintf(at, "/..");
    sprintf(at, "/%s", there + shared);
    found = realpath(path, NULL);
    free(path);
    return found;
}
