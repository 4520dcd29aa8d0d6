/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The milvus plugin against a real server, through the library's public functions.
 *
 *     milvus.py --server standalone --work DIR [...] -- milvus_live SUITE [--only REGEX]
 *
 * tests/servers/milvus.py starts the server and tells where it is; without one, this fails.
 */
#include "config.h"

#include <regex.h>

#include "milvus_live.h"

#define SUITES_MAX 8

/* What is run together, and the variables it cannot do without. */
static const struct program {
    const char *name;
    const live_suite *suites[SUITES_MAX];
    const char *needed[SUITES_MAX];
} programs[] = {
    {"server",
     {&live_input, &live_schema, &live_data, &live_upkeep, &live_process, &live_fault,
      &live_writes},
     {"URI", "KIND", "PID", "RESTART"}},
    {"tls-one", {&live_tls_one}, {"URI", "CA", "OTHER_CA", "SERVER_NAME"}},
    {"tls-two", {&live_tls_two}, {"URI", "CA", "CERT", "KEY"}},
    {"tls-expired", {&live_tls_expired}, {"URI", "CA"}},
    {"auth", {&live_auth}, {"URI", "USER", "PASSWORD"}},
};

static int usage(void)
{
    fputs("usage: milvus_live SUITE [--only REGEX]\n       SUITE is one of:", stderr);
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
        fprintf(stderr, " %s", programs[i].name);
    fputs("\n", stderr);
    return 2;
}

static int suite_add(const live_suite *suite, const regex_t *only)
{
    CU_pSuite added = NULL;

    for (size_t i = 0; i < suite->count; i++) {
        const unit_case *one = &suite->cases[i];

        if ((only && regexec(only, one->name, 0, NULL, 0)) || unit_left_out(one->name))
            continue;
        if (!added)
            added = CU_add_suite(suite->name, NULL, NULL);
        if (!added || !CU_add_test(added, one->name, one->run))
            return 0;
    }
    return 1;
}

static int run(const struct program *program, const regex_t *only)
{
    int ok = CU_initialize_registry() == CUE_SUCCESS;

    for (size_t i = 0; ok && i < SUITES_MAX && program->suites[i]; i++)
        ok = suite_add(program->suites[i], only);
    if (ok) {
        CU_basic_set_mode(CU_BRM_VERBOSE);
        CU_basic_run_tests();
        ok = CU_get_number_of_tests_run() && !CU_get_number_of_failures();
    }
    CU_cleanup_registry();
    return ok ? 0 : 1;
}

int main(int argc, char **argv)
{
    const struct program *program = NULL;
    regex_t only;
    int status;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 3 && strcmp(argv[1], "--child") == 0)
        return live_child(argv[2]);
    if (argc != 2 && (argc != 4 || strcmp(argv[2], "--only") != 0 ||
                      regcomp(&only, argv[3], REG_EXTENDED | REG_NOSUB)))
        return usage();
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
        if (strcmp(programs[i].name, argv[1]) == 0)
            program = &programs[i];
    if (!program)
        return usage();
    if (!live_init(program->needed))
        return 1;
    status = run(program, argc == 4 ? &only : NULL);
    live_end();
    if (argc == 4)
        regfree(&only);
    return status;
}
