/* SPDX-License-Identifier: Apache-2.0 */
/* The journal between tests/preload_journal.c, which writes it, and those who replay it. */
#ifndef SP_TESTS_JOURNAL_H
#define SP_TESTS_JOURNAL_H

#include <stdint.h>

#define JOURNAL_OPEN 1     /* offset: the flags; data: the path */
#define JOURNAL_CLOSE 2
#define JOURNAL_WRITE 3    /* at offset; data: the bytes */
#define JOURNAL_TRUNCATE 4 /* to offset */
#define JOURNAL_ALLOCATE 5 /* at least to offset */
#define JOURNAL_SYNC 6
#define JOURNAL_RENAME 7   /* data: both paths, a zero between them */
#define JOURNAL_UNLINK 8   /* data: the path, of a file or a folder */
#define JOURNAL_MKDIR 9    /* data: the path */

typedef struct journal_entry {
    uint32_t what;
    int32_t fd;
    uint64_t offset;
    uint64_t size; /* of the data that follows */
} journal_entry;

#endif
