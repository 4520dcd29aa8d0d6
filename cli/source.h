/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of a file, mapped, or of a pipe, buffered, behind one interface. */
#ifndef CLI_SOURCE_H
#define CLI_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "simplugin.h"

#define CLI_PROBLEM 512 /* bytes of a message of ours */

typedef struct cli_source {
    char name[256];      /* for messages: the path, or "standard input" */
    int fd;
    int is_own;          /* fd is ours to close */
    int wakeup;          /* becomes readable when reading shall stop; -1: never */
    const uint8_t *map;  /* a regular file, whole; NULL: it is read */
    uint64_t size;       /* of a regular file; 0 for others */
    uint64_t offset;     /* of the next byte */
    uint64_t released;   /* bytes of the map whose pages were let go */
    uint8_t *buffer;     /* what was read and not taken: [begin, end) */
    size_t begin;
    size_t end;
    size_t capacity;
    int is_at_end;       /* nothing more comes behind the buffer */
    char problem[CLI_PROBLEM];
} cli_source;

/* path "-" is standard input. Cleared by cli_source_close in any case. */
int32_t cli_source_open(cli_source *source, const char *path, int wakeup);
void cli_source_close(cli_source *source);

/*
 * The next size bytes, or all that are left if that is less: *data is valid until the next
 * call. peek leaves them, take moves behind them. IO, CANCELLED, OUT_OF_MEMORY.
 */
int32_t cli_source_peek(cli_source *source, size_t size, const uint8_t **data, size_t *got);
int32_t cli_source_take(cli_source *source, size_t size, const uint8_t **data, size_t *got);

/*
 * The next line without its end ("\n" or "\r\n"); *data is NULL after the last. A line of
 * more than limit bytes is RESOURCE_EXHAUSTED.
 */
int32_t cli_source_line(cli_source *source, size_t limit, const char **data, size_t *size);

/* Sets the problem, begun with the source's name, and returns code. */
int32_t cli_source_fail(cli_source *source, int32_t code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
