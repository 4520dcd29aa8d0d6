/* SPDX-License-Identifier: Apache-2.0 */
#include "moved.h"
#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/test_moved-XXXXXX";

static const char *const directories[] = {"", "/bin", "/share", "/lib", "/lib/pkgconfig"};

#define DIRECTORIES (sizeof directories / sizeof directories[0])

static const char *below_root(const char *below)
{
    static char path[200];

    snprintf(path, sizeof path, "%s%s", root, below);
    return path;
}

/* found: below root; NULL: nothing */
static void is(const char *here, const char *built_here, const char *there, const char *found)
{
    char *got = sp_moved(below_root(here), built_here, there);

    CU_ASSERT_EQUAL(!got, !found);
    if (got && found)
        CU_ASSERT_STRING_EQUAL(got, below_root(found));
    free(got);
}

static void moved(void)
{
    is("/bin", "/opt/it/bin", "/opt/it/share", "/share");
    is("/bin", "/opt/it/bin", "/opt/it/lib/pkgconfig", "/lib/pkgconfig");
    is("/bin", "/usr/bin", "/usr/lib/pkgconfig", "/lib/pkgconfig");
    is("/lib/pkgconfig", "/opt/it/lib/pkgconfig", "/opt/it/share", "/share");
    is("/lib", "/opt/it/lib", "/opt/it/lib/pkgconfig", "/lib/pkgconfig");
    is("/lib/pkgconfig", "/opt/it/lib/pkgconfig", "/opt/it/lib", "/lib");
    is("/bin", "/bin", "/share", "/share");
    /* names that begin alike are not below each other */
    is("/bin", "/opt/bin", "/opt/bin64", NULL);
    is("/share", "/opt/it/share", "/opt/it/share2/it", NULL);
}

static void not_moved(void)
{
    is("/bin", "/opt/it/bin", "/opt/it/nothing", NULL);
    is("/nowhere", "/opt/it/nowhere", "/opt/it/share", NULL);
}

static const unit_case cases[] = {
    UNIT_CASE(moved, "what is beside it in an installation is beside it where that was moved"),
    UNIT_CASE(not_moved, "what is not there is not found"),
};

int main(void)
{
    int result;

    if (!mkdtemp(root))
        return 2;
    for (size_t i = 1; i < DIRECTORIES; i++)
        if (mkdir(below_root(directories[i]), 0700))
            return 2;
    result = unit_run("moved", cases, sizeof cases / sizeof cases[0]);
    for (size_t i = DIRECTORIES; i-- > 0;)
        rmdir(below_root(directories[i]));
    return result;
}
