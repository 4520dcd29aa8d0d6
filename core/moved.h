/* SPDX-License-Identifier: Apache-2.0 */
/* An installation may be moved as a whole: its files are found from each other. */
#ifndef SP_MOVED_H
#define SP_MOVED_H

/*
 * The file or directory that was to be installed as `there`, of an installation in which `here` is
 * where `built_here` was to be; all are absolute directories but there, which may be a file. Without links and dots, the
 * caller's. NULL: nothing is there, or no memory.
 */
char *sp_moved(const char *here, const char *built_here, const char *there);

#endif
