/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target without a fuzzer: every file of the corpus, and beginnings of it, so
 * that what was once found stays found. Arguments: files and directories; without any,
 * the corpus the program was built with.
 */
#include "config.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PREFIXES 64 /* of each file */
#define SIZE_MAX_FILE (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned long inputs;

/* In an allocation of its exact size, so that tools see a read behind the end. */
static int run_exact(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    if (!copy)
        return 0;
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    inputs++;
    return 1;
}

static int run_file(const char *path)
{
    static uint8_t data[SIZE_MAX_FILE];
    FILE *file = fopen(path, "rb");
    size_t size, step;
    int ok = 1;

    if (!file) {
        perror(path);
        return 0;
    }
    size = fread(data, 1, sizeof data, file);
    fclose(file);
    step = size / PREFIXES + 1;
    for (size_t part = 0; ok && part < size; part += step)
        ok = run_exact(data, part);
    return ok && run_exact(data, size);
}

static int run_path(const char *path)
{
    struct stat status;
    struct dirent **names = NULL;
    char child[4096];
    int count, ok = 1;

    if (stat(path, &status)) {
        perror(path);
        return 0;
    }
    if (!S_ISDIR(status.st_mode))
        return run_file(path);
    count = scandir(path, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        snprintf(child, sizeof child, "%s/%s", path, names[i]->d_name);
        if (names[i]->d_name[0] != '.')
            ok = run_path(child) && ok;
        free(names[i]);
    }
    free(names);
    return ok && count > 2;
}

int main(int argc, char **argv)
{
    int ok = 1;

    for (int i = 1; i < argc; i++)
        ok = run_path(argv[i]) && ok;
    if (argc < 2)
        ok = run_path(FUZZ_CORPUS);
    printf("%lu inputs replayed\n", inputs);
    return ok ? 0 : 1;
}
