/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A world of its own for a program that uses the library as users do: the flat plugin of
 * this build under both of its names, an empty home and data directory.
 */
#ifndef SP_TESTS_LIBRARY_RIG_H
#define SP_TESTS_LIBRARY_RIG_H

#include <unistd.h>

#include "conformance/tree.h"
#include "unit.h"

static char *rig_directory;
static pid_t rig_owner;

static inline void rig_setenv(const char *name, const char *below)
{
    char path[4096];

    snprintf(path, sizeof path, "%s%s", rig_directory, below);
    if (setenv(name, path, 1))
        abort();
}

static inline void rig_remove(void)
{
    /* a forked child may exit as well */
    if (getpid() != rig_owner)
        return;
    tree_remove(rig_directory);
    free(rig_directory);
    rig_directory = NULL;
}

/* Before the first call of the library; everything is removed when the program exits. */
static inline void rig_init(void)
{
    static const char *const names[] = {"sklearn_flat", "sklearn"};
    static const char *const unset[] = {
        "SIMPLUGIN_LOG", "FIFTYONE_BRAIN_CONFIG_PATH", "FIFTYONE_BRAIN_DEFAULT_SIMILARITY_BACKEND",
        "FIFTYONE_BRAIN_SIMILARITY_BACKENDS", "FIFTYONE_BRAIN_SIMILARITY_SKLEARN_METRIC"};
    char link[4096];

    /* what is shown here does not need a disk */
    if (!getenv("TMPDIR") && access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1);
    rig_directory = unit_temp_dir();
    rig_owner = getpid();
    if (atexit(rig_remove))
        abort();
    for (size_t i = 0; i < 2; i++) {
        snprintf(link, sizeof link, "%s/simplugin_%s.so", rig_directory, names[i]);
        if (symlink(TEST_TOP_BUILDDIR "/.libs/simplugin_sklearn_flat.so", link))
            abort();
    }
    for (size_t i = 0; i < sizeof unset / sizeof unset[0]; i++)
        unsetenv(unset[i]);
    rig_setenv("SIMPLUGIN_PATH", "");
    rig_setenv("SIMPLUGIN_DATA", "/data");
    rig_setenv("HOME", "/home");
}

#endif
