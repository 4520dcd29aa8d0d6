/* SPDX-License-Identifier: Apache-2.0 */
/* Removing what a check or test made. */
#ifndef CONFORMANCE_TREE_H
#define CONFORMANCE_TREE_H

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

static inline int tree_remove_one(const char *path, const struct stat *status, int kind,
                                  struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

/* The directory and all that is in it; links are removed, not followed. */
static inline void tree_remove(const char *path)
{
    nftw(path, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
