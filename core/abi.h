/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structs that begin with their size, as programs hand them over: those of an earlier
 * version of the header are shorter than ours, those of a later one longer.
 */
#ifndef SP_ABI_H
#define SP_ABI_H

#include <stddef.h>
#include <stdint.h>

/*
 * What is wrong with a struct that has at least `least` bytes, and of which we know `known`;
 * NULL: nothing. What a later version sets behind these asks for something that would
 * silently not be done, so only zeros are accepted there.
 */
const char *sp_struct_check(const void *theirs, uint64_t least, uint64_t known);
/* The same, and on success a copy of what we know, with zeros where theirs is shorter. */
const char *sp_struct_read(void *ours, const void *theirs, uint64_t least, uint64_t known);
/*
 * Copies ours over a struct that passed sp_struct_check, as much of it as theirs has room for;
 * its size stays what they said.
 */
void sp_struct_fill(void *theirs, const void *ours, uint64_t known);
/* Zeroes the same much, all but the size; at least `least` bytes, whatever their size says. */
void sp_struct_zero(void *theirs, uint64_t least, uint64_t known);
/* A field that is kept for later versions: NULL if all of it is 0. */
const char *sp_reserved_check(const uint64_t *reserved, size_t count);

#endif
