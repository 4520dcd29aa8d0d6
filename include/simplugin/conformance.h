/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simplugin/conformance.h - the program simplugin-conformance as a function, for a program that has
 * its backends linked in.
 *
 * simplugin-conformance checks that a backend does what docs/protocol.md says. It loads files; a
 * backend that is part of a program is checked by a program of these lines, which is linked with
 * the backend and with what `pkg-config --libs simplugin-conformance` says:
 *
 *     #include <simplugin/conformance.h>
 *
 *     int main(int argc, char **argv)
 *     {
 *         const simplugin_conformance_backend backends[] = {
 *             {"fruit", simplugin_backend_entry},
 *             {NULL, NULL},
 *         };
 *         return simplugin_conformance_main(argc, argv, backends);
 *     }
 *
 * It takes the words that simplugin-conformance takes (its man page has them): `./check fruit`
 * checks the one that is linked in, `./check ./simplugin_other.so` a file.
 *
 * Since 1.0. docs/abi.md says what of it stays as it is: how it is called does, and what its exit
 * status means; which checks there are, and what they print, is each version's.
 */
#ifndef SIMPLUGIN_CONFORMANCE_H
#define SIMPLUGIN_CONFORMANCE_H

#include <stddef.h>

#include "simplugin/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A backend that is linked in. Two pointers, and never more. */
typedef struct simplugin_conformance_backend {
    const char *name;                 /* [a-z0-9_]+, as describe says it; ends with a zero */
    simplugin_backend_entry_fn entry; /* called in the processes of the checks only */
} simplugin_conformance_backend;

/*
 * Runs the checks that the words ask for and prints the report. argc and argv are main's: argv[0]
 * is how the program is called again, as the commands that replay a failure show it. backends are
 * known by their names, ahead of files; they are ended by one whose name is NULL, and may be NULL
 * themselves. All is borrowed until it returns.
 *
 * It is meant to be all that main does, and to be called before there are other threads: each check
 * runs in a process that is forked here and ends as others do, with what atexit was told; the
 * environment is cleared of what would decide its result, HOME is set to a directory that is gone
 * afterwards, signals are taken. Nothing is left behind in the file system. After Ctrl-C it reports
 * what was done and ends the process by that signal.
 *
 * Returns the exit status: 0 all passed or do not apply, 1 one failed, 2 it could not begin.
 */
SIMPLUGIN_EXPORT int simplugin_conformance_main(int argc, char **argv,
                                                const simplugin_conformance_backend *backends);

#ifdef __cplusplus
}
#endif
#endif
