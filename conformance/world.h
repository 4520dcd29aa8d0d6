/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known beside the target: filled in by the parent before the first check, read by checks
 * that go through the core in their children.
 */
#ifndef CONFORMANCE_WORLD_H
#define CONFORMANCE_WORLD_H

#include "check.h"
#include "options.h"
#include "simplugin/conformance.h"

typedef simplugin_conformance_backend conf_static; /* one that is linked into the program */

typedef struct conf_world {
    const conf_options *options;
    conf_target target;
    int compare_with_flat;   /* as the configuration says; -1: it says nothing */
    json_t *plugin_path;     /* array of text: where the target is found by its name, and flat */
    json_t *flat_describe;   /* of sklearn_flat; NULL: it is not there, */
    char *without_flat;      /* for this reason */
    char *without_describe;  /* why target.describe is NULL */
    char *directory;         /* the run's own, private; NULL until it is made */
    json_t *corpus;          /* corpus.c: array of files of cases */
    json_t *methods; /* application methods of docs/protocol.md: [request keys, reply keys] */
    char *name, *file;       /* the target's, owned */
} conf_world;

/* The one there is. */
extern conf_world conf_the_world;

/* ---- settings.c ------------------------------------------------------------------------------ */

/* Reads --config. 0 with one line in problem. */
int conf_settings_read(conf_world *world, const char *path, char *problem, size_t size);

/* ---- target.c -------------------------------------------------------------------------------- */

/*
 * Finds the plugin, links it under its name into the run's directory and asks it to describe
 * itself. 0 with one line in problem if there is none; one that cannot describe itself is found.
 */
int conf_target_find(conf_world *world, const conf_static *statics, char *problem, size_t size);

/* ---- data.c ---------------------------------------------------------------------------------- */

/*
 * The directory of the file that this code is in, the library's, without links. The caller's; NULL:
 * it is not known.
 */
char *conf_own_directory(void);
/* The directory with corpus, filter and protocol.md: installed, or the build tree's. NULL: none. */
char *conf_data_directory(void);

/* ---- session.c: for checks that go through the core ------------------------------------------ */

/* Makes a registered target known to the core; before any call of this process. */
void conf_core_begin(const conf_world *world);

#endif
