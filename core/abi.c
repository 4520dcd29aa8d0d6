/* SPDX-License-Identifier: Apache-2.0 */
#include "abi.h"

#include <string.h>

/* A struct whose size is larger is no later version of ours but memory that nobody set. */
#define STRUCT_BYTES_MAX 4096

const char *sp_struct_check(const void *theirs, uint64_t least, uint64_t known)
{
    uint64_t size;

    memcpy(&size, theirs, sizeof size);
    if (size < least || size > STRUCT_BYTES_MAX)
        return ".size is not the size of the struct";
    for (uint64_t i = known; i < size; i++)
        if (((const uint8_t *)theirs)[i])
            return "is of a newer header than this library, and sets a field that it does not "
                   "know: leave that 0, or use a newer library";
    return NULL;
}

const char *sp_struct_read(void *ours, const void *theirs, uint64_t least, uint64_t known)
{
    const char *wrong = sp_struct_check(theirs, least, known);
    uint64_t size;

    if (wrong)
        return wrong;
    memcpy(&size, theirs, sizeof size);
    memset(ours, 0, known);
    memcpy(ours, theirs, size < known ? size : known);
    return NULL;
}

void sp_struct_fill(void *theirs, const void *ours, uint64_t known)
{
    uint64_t size;

    memcpy(&size, theirs, sizeof size);
    memcpy(theirs, ours, size < known ? size : known);
    memcpy(theirs, &size, sizeof size);
}

void sp_struct_zero(void *theirs, uint64_t least, uint64_t known)
{
    uint64_t size;

    memcpy(&size, theirs, sizeof size);
    memset(theirs, 0, size < least ? least : size < known ? size : known);
    memcpy(theirs, &size, sizeof size);
}

const char *sp_reserved_check(const uint64_t *reserved, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (reserved[i])
            return "a reserved field is not 0: zero what is not set";
    return NULL;
}
