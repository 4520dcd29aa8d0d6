/* SPDX-License-Identifier: Apache-2.0 */
/* The program around the cases: which are run, and with what. */
#include "config.h"

#include "live_rig.h"

#include <unistd.h>

static const live_backend *backend;

const char *live_variable(const char *name)
{
    char full[64];
    const char *value;

    snprintf(full, sizeof full, "%s%s", backend->prefix, name);
    value = getenv(full);
    return value && *value ? value : NULL;
}

static int usage(void)
{
    fprintf(stderr, "usage: %s_live SUITE [--only REGEX]\n       SUITE is one of:", backend->name);
    for (size_t i = 0; i < backend->program_count; i++)
        fprintf(stderr, " %s", backend->programs[i].name);
    fputs("\n", stderr);
    return 2;
}

/* Whether all of them are set; else the first that is not is *missing. */
static int variables_are_set(const char *const *needed, const char **missing)
{
    *missing = NULL;
    for (; *needed && !*missing; needed++)
        if (!live_variable(*needed))
            *missing = *needed;
    return !*missing;
}

static int suite_add(const live_suite *suite, const regex_t *only)
{
    CU_pSuite added = NULL;
    const char *missing;

    if (!variables_are_set(suite->needed, &missing)) {
        printf("not run, as %s%s is not set: the %zu cases of \"%s\"\n", backend->prefix, missing,
               suite->count, suite->name);
        return 1;
    }
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

static int run(const live_program *program, const regex_t *only)
{
    int ok = CU_initialize_registry() == CUE_SUCCESS;

    for (size_t i = 0; ok && i < LIVE_SUITES_MAX && program->suites[i]; i++)
        ok = suite_add(program->suites[i], only);
    if (ok) {
        CU_basic_set_mode(CU_BRM_VERBOSE);
        CU_basic_run_tests();
        ok = CU_get_number_of_tests_run() && !CU_get_number_of_failures();
    }
    CU_cleanup_registry();
    return ok ? 0 : 1;
}

/* One case alone, without a word unless it fails. */
static int child(const char *role)
{
    CU_pSuite suite;
    unsigned failures = 1;

    alarm(2 * LIVE_PATIENCE);
    if (!live_init(backend) || CU_initialize_registry())
        return 125;
    suite = CU_add_suite("child", NULL, NULL);
    for (size_t i = 0; i < backend->role_count; i++)
        if (strcmp(backend->roles[i].name, role) == 0 &&
            CU_add_test(suite, role, backend->roles[i].run)) {
            CU_run_all_tests();
            failures = CU_get_number_of_failures();
        }
    for (CU_pFailureRecord one = CU_get_failure_list(); one; one = one->pNext)
        printf("\n    in the child, line %u: %s\n    ", one->uiLineNumber, one->strCondition);
    CU_cleanup_registry();
    live_end();
    return failures ? 124 : 0;
}

static const live_program *program_find(const char *name)
{
    const char *missing;

    for (size_t i = 0; i < backend->program_count; i++) {
        const live_program *program = &backend->programs[i];

        if (strcmp(program->name, name) != 0)
            continue;
        if (variables_are_set(program->needed, &missing))
            return program;
        fprintf(stderr,
                "%s_live: %s%s is not set: run this by tests/servers/%s.py, which starts a server "
                "and says where it is\n",
                backend->name, backend->prefix, missing, backend->name);
        return NULL;
    }
    usage();
    return NULL;
}

int live_main(const live_backend *tested, int argc, char **argv)
{
    const live_program *program;
    regex_t only;
    int status;

    backend = tested;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 3 && strcmp(argv[1], "--child") == 0)
        return child(argv[2]);
    if (argc != 2 && (argc != 4 || strcmp(argv[2], "--only") != 0 ||
                      regcomp(&only, argv[3], REG_EXTENDED | REG_NOSUB)))
        return usage();
    program = program_find(argv[1]);
    if (!program)
        return 2;
    if (!live_init(backend))
        return 1;
    status = run(program, argc == 4 ? &only : NULL);
    live_end();
    if (argc == 4)
        regfree(&only);
    return status;
}
