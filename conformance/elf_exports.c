/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "elf_exports.h"

#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The whole file; the caller's. */
static uint8_t *file_read(const char *file, size_t *size)
{
    FILE *in = fopen(file, "rb");
    uint8_t *bytes = NULL;
    long end = -1;

    if (in && fseek(in, 0, SEEK_END) == 0)
        end = ftell(in);
    if (end > 0)
        bytes = malloc((size_t)end);
    if (bytes && (fseek(in, 0, SEEK_SET) != 0 || fread(bytes, 1, (size_t)end, in) != (size_t)end)) {
        free(bytes);
        bytes = NULL;
    }
    if (in)
        fclose(in);
    *size = bytes ? (size_t)end : 0;
    return bytes;
}

/* count items of item bytes at offset, all inside the file; NULL if they are not. */
static const void *part(const uint8_t *bytes, size_t size, uint64_t offset, uint64_t count,
                        uint64_t item)
{
    if (offset > size || count > (size - offset) / item)
        return NULL;
    return bytes + offset;
}

static void symbols_add(json_t *names, const ElfW(Sym) * symbols, uint64_t count, const char *texts,
                        uint64_t text_size)
{
    for (uint64_t i = 0; i < count; i++) {
        const ElfW(Sym) *one = &symbols[i];

        /* those of a version's own name are absolute */
        if (one->st_shndx == SHN_UNDEF || one->st_shndx == SHN_ABS || one->st_name >= text_size ||
            !memchr(texts + one->st_name, 0, (size_t)(text_size - one->st_name)))
            continue;
        json_array_append_new(names, json_string(texts + one->st_name));
    }
}

json_t *conf_elf_exports(const char *file, const char **why)
{
    size_t size = 0;
    uint8_t *bytes = file_read(file, &size);
    const ElfW(Ehdr) *head = bytes ? part(bytes, size, 0, 1, sizeof *head) : NULL;
    const ElfW(Shdr) *sections = NULL;
    json_t *names = json_array();

    *why = "it cannot be read";
    if (head && memcmp(head->e_ident, ELFMAG, SELFMAG) == 0 &&
        head->e_shentsize == sizeof *sections)
        sections = part(bytes, size, head->e_shoff, head->e_shnum, sizeof *sections);
    if (head && !sections)
        *why = "it has no table of sections";
    for (unsigned int i = 0; sections && i < head->e_shnum; i++) {
        const ElfW(Shdr) *symbols = &sections[i], *texts;
        const void *at, *names_at;

        if (symbols->sh_type != SHT_DYNSYM || symbols->sh_link >= head->e_shnum)
            continue;
        texts = &sections[symbols->sh_link];
        at = part(bytes, size, symbols->sh_offset, symbols->sh_size, 1);
        names_at = part(bytes, size, texts->sh_offset, texts->sh_size, 1);
        if (at && names_at)
            symbols_add(names, at, symbols->sh_size / sizeof(ElfW(Sym)), names_at, texts->sh_size);
        *why = NULL;
    }
    free(bytes);
    if (*why) {
        json_decref(names);
        return NULL;
    }
    return names;
}
