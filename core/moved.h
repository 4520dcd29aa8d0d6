/* SPDX-License-Identifier: Apache-2.0 */
/* An installation may be moved as a whole: its files are found from each other. */
#ifndef SP_MOVED_H
#define SP_MOVED_H

/*
 * What was to be installed as `there`, a file or directory, of an installation that has in `here`
 * what was to be in the directory `built_here`. All are absolute. Without links and dots, the
 * caller's. NULL: nothing is there, or no memory.
 */
char *sp_moved(const char *here, const char *built_here, const char *there);

#endif
