/* SPDX-License-Identifier: Apache-2.0 */
/* Tests in another locale, which is made for them where the machine can. */
#ifndef SP_TESTS_UNIT_LOCALE_H
#define SP_TESTS_UNIT_LOCALE_H

#include <locale.h>

#include "unit.h"

/* Runs it where numbers have that point; where there is no such locale it says so. */
static inline void unit_in_locale(const char *name, const char *point, void (*run)(void))
{
    char *dir = unit_temp_dir();
    char command[4400];

    snprintf(command, sizeof command, "localedef -i %s -f UTF-8 %s/%s.UTF-8 >%s/log 2>&1", name,
             dir, name, dir);
    /* it also fails where it only warns */
    if (system(command) < 0)
        abort();
    setenv("LOCPATH", dir, 1);
    snprintf(command, sizeof command, "%s.UTF-8", name);
    if (setlocale(LC_ALL, command) && strcmp(localeconv()->decimal_point, point) == 0)
        run();
    else
        printf("\n    there is no locale %s here", name);
    setlocale(LC_ALL, "C");
    unsetenv("LOCPATH");
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    CU_ASSERT_EQUAL(system(command), 0);
    free(dir);
}

#endif
