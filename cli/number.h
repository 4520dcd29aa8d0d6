/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as text and back, fast: files of vectors hold millions of them. */
#ifndef CLI_NUMBER_H
#define CLI_NUMBER_H

#include <stddef.h>

#define CLI_NUMBER_SIZE 40 /* bytes that a number takes at most, with the final zero */

/* The shortest digits that read back as value, which is finite; its length. */
size_t cli_number_print(float value, char text[CLI_NUMBER_SIZE]);

/*
 * Reads a number in JSON's form that ends before end: where it ends, and its value rounded
 * to double as strtod does. NULL for anything that is no number, or might not be.
 */
const char *cli_number_read(const char *text, const char *end, double *value);

#endif
