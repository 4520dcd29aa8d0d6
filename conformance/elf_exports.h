/* SPDX-License-Identifier: Apache-2.0 */
/* The names that a shared object exports, read from the file: what its linker was told. */
#ifndef CONFORMANCE_ELF_EXPORTS_H
#define CONFORMANCE_ELF_EXPORTS_H

#include <jansson.h>

/* Array of the defined dynamic symbols; NULL with *why where the file cannot be read as one. */
json_t *conf_elf_exports(const char *file, const char **why);

#endif
