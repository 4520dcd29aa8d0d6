/* SPDX-License-Identifier: Apache-2.0 */
/* The few lines that every CUnit program of ours would otherwise repeat. */
#ifndef SP_TESTS_UNIT_H
#define SP_TESTS_UNIT_H

#include <CUnit/Basic.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simplugin/plugin.h"

/*
 * The allocators of the sanitizers cannot be used in a child that was made while another thread
 * was in them, as glibc's can: there the threads end first and the forks come afterwards.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNIT_IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define UNIT_IS_SANITIZED 1
#endif
#endif
#ifndef UNIT_IS_SANITIZED
#define UNIT_IS_SANITIZED 0
#endif

typedef struct unit_case {
    const char *name; /* says what is shown, and the R-numbers: "R90 a view restricts a search" */
    void (*run)(void);
} unit_case;

#define UNIT_CASE(function, name) {name, function}

/*
 * Whether $UNIT_LEAVE_OUT, an extended regular expression, matches the name: for tools that
 * cannot follow what some cases do. The same cases run without the tool.
 */
static inline int unit_left_out(const char *name)
{
    const char *pattern = getenv("UNIT_LEAVE_OUT");
    regex_t regex;
    int matches;

    if (!pattern || regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB))
        return 0;
    matches = regexec(&regex, name, 0, NULL, 0) == 0;
    regfree(&regex);
    return matches;
}

/* Runs the cases as one CUnit suite; 0 if all passed: the value for main. */
static inline int unit_run(const char *suite_name, const unit_case *cases, size_t count)
{
    CU_pSuite suite = NULL;
    unsigned int failures = 1;

    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    suite = CU_add_suite(suite_name, NULL, NULL);
    for (size_t i = 0; suite && i < count; i++)
        if (!unit_left_out(cases[i].name) && !CU_add_test(suite, cases[i].name, cases[i].run))
            suite = NULL;
    if (suite) {
        CU_basic_set_mode(CU_BRM_VERBOSE);
        CU_basic_run_tests();
        failures = CU_get_number_of_failures();
    }
    CU_cleanup_registry();
    return failures ? 1 : 0;
}

#define UNIT_MAIN(suite, cases) \
    int main(void)              \
    {                           \
        return unit_run(suite, cases, sizeof(cases) / sizeof(cases[0])); \
    }

/* A fresh directory below $TMPDIR, mode 0700; abort on failure. The caller frees the path. */
static inline char *unit_temp_dir(void)
{
    const char *base = getenv("TMPDIR");
    char *path = NULL;
    size_t size;

    if (!base || !*base)
        base = "/tmp";
    size = strlen(base) + sizeof("/simplugin-XXXXXX");
    path = malloc(size);
    if (!path)
        abort();
    snprintf(path, size, "%s/simplugin-XXXXXX", base);
    if (!mkdtemp(path))
        abort();
    return path;
}

#endif
