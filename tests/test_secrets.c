/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets in lines, and the list of all of them. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "secrets.h"
#include "unit.h"

static void check(const char *line, const char *const *texts, size_t count, const char *expected)
{
    char copy[256];

    snprintf(copy, sizeof copy, "%s", line);
    sp_secrets_hide(copy, texts, count);
    CU_ASSERT_STRING_EQUAL(copy, expected);
}

static void hidden(void)
{
    static const char *const one[] = {"hunter22"};
    static const char *const parts[] = {"root", "root:Milvus"};
    static const char *const overlap[] = {"abcdef", "defghi"};
    static const char *const small[] = {"key", "", "ab"};
    static const char *const lines[] = {"-----BEGIN\nabc\tdef\n"};

    check("", one, 1, "");
    check("no such thing", one, 1, "no such thing");
    check("hunter22", one, 1, "****");
    check("a hunter22, b hunter2, chunter22c", one, 1, "a ****, b hunter2, c****c");
    check("hunter22hunter22", one, 1, "****");
    check("hunthunter22", one, 1, "hunt****");
    check("token root:Milvus of root", parts, 2, "token **** of ****");
    check("xabcdefghix", overlap, 2, "x****x");
    check("the key is ab", small, 3, "the key is ab");
    /* lines have blanks where a secret has line breaks */
    check("pem -----BEGIN abc def : bad", lines, 1, "pem ****: bad");
    check("anything", NULL, 0, "anything");
}

/* Of a line that was cut, the end may be the beginning of a secret. */
static void cut_off(void)
{
    static const char *const texts[] = {"hunter22", "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"};
    char line[SP_LINE_MAX + 1];

    memset(line, '.', SP_LINE_MAX);
    line[SP_LINE_MAX] = '\0';
    memcpy(line + SP_LINE_MAX - 7, "hunter2", 7);
    sp_secrets_hide(line, texts, 2);
    CU_ASSERT_EQUAL(strlen(line), SP_LINE_MAX - 3);
    CU_ASSERT_STRING_EQUAL(line + SP_LINE_MAX - 9, "..****");
    /* a character of three bytes was cut off whole */
    memset(line, '.', SP_LINE_MAX);
    memcpy(line + SP_LINE_MAX - 9, "\xe2\x82\xac\xe2\x82\xac", 7);
    sp_secrets_hide(line, texts, 2);
    CU_ASSERT_STRING_EQUAL(line + SP_LINE_MAX - 11, "..****");
    /* a line that was not cut ends as it does */
    check("hunter2", texts, 2, "hunter2");
}

static void listed(void)
{
    static const char *const first[] = {"one-secret"}, *const second[] = {"another", "third one"};
    sp_secrets a = {0}, b = {0}, never = {0};
    char line[64] = "one-secret another third one";

    sp_secrets_add(&a, first, 1);
    sp_secrets_add(&b, second, 2);
    sp_secrets_hide_all(line);
    CU_ASSERT_STRING_EQUAL(line, "**** **** ****");
    sp_secrets_remove(&a);
    sp_secrets_remove(&a);
    sp_secrets_remove(&never);
    strcpy(line, "one-secret another");
    sp_secrets_hide_all(line);
    CU_ASSERT_STRING_EQUAL(line, "one-secret ****");
    sp_secrets_add(&a, first, 1);
    sp_secrets_remove(&b);
    strcpy(line, "one-secret another");
    sp_secrets_hide_all(line);
    CU_ASSERT_STRING_EQUAL(line, "**** another");
    sp_secrets_remove(&a);
}

static atomic_int stop, wrong;

static void *comes_and_goes(void *unused)
{
    while (!atomic_load(&stop)) {
        char text[] = "for a moment";
        const char *const texts[] = {text};
        sp_secrets mine = {0};

        sp_secrets_add(&mine, texts, 1);
        sp_secrets_remove(&mine);
        memset(text, 'x', sizeof text - 1);
    }
    return unused;
}

static void *hides(void *unused)
{
    while (!atomic_load(&stop)) {
        char line[] = "always there";

        sp_secrets_hide_all(line);
        if (strcmp(line, "****"))
            atomic_fetch_add(&wrong, 1);
    }
    return unused;
}

static void threads(void)
{
    static const char *const texts[] = {"always there"};
    sp_secrets mine = {0};
    pthread_t workers[4];

    sp_secrets_add(&mine, texts, 1);
    for (int i = 0; i < 4; i++)
        if (pthread_create(&workers[i], NULL, i % 2 ? hides : comes_and_goes, NULL))
            abort();
    for (int i = 0; i < 2000; i++) {
        char line[] = "always there";

        sp_secrets_hide_all(line);
        CU_ASSERT_STRING_EQUAL(line, "****");
    }
    atomic_store(&stop, 1);
    for (int i = 0; i < 4; i++)
        pthread_join(workers[i], NULL);
    CU_ASSERT_EQUAL(atomic_load(&wrong), 0);
    sp_secrets_remove(&mine);
}

static const unit_case cases[] = {
    UNIT_CASE(hidden, "R278 secrets are hidden wherever they stand"),
    UNIT_CASE(cut_off, "R278 the beginning of a secret at the end of a line that was cut"),
    UNIT_CASE(listed, "R278 secrets of connections come and go"),
    UNIT_CASE(threads, "R278 while other threads log"),
};

UNIT_MAIN("secrets", cases)
