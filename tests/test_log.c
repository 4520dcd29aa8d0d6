/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "secrets.h"
#include "simplugin.h"
#include "unit.h"

typedef struct heard {
    int count;
    int32_t level;
    uint64_t size;
    char text[8192];
} heard;

static void hear(void *context, int32_t level, const char *message, uint64_t size)
{
    heard *h = context;

    h->count++;
    h->level = level;
    h->size = size;
    snprintf(h->text, sizeof h->text, "%s", message);
}

static void levels(void)
{
    heard h = {0};

    simplugin_log_set(hear, &h, SIMPLUGIN_LOG_INFO);
    CU_ASSERT(sp_log_enabled(SIMPLUGIN_LOG_ERROR));
    CU_ASSERT(sp_log_enabled(SIMPLUGIN_LOG_INFO));
    CU_ASSERT_FALSE(sp_log_enabled(SIMPLUGIN_LOG_DEBUG));
    sp_log(SIMPLUGIN_LOG_WARNING, "%d of %s", 3, "them");
    CU_ASSERT_EQUAL(h.count, 1);
    CU_ASSERT_EQUAL(h.level, SIMPLUGIN_LOG_WARNING);
    CU_ASSERT_STRING_EQUAL(h.text, "3 of them");
    CU_ASSERT_EQUAL(h.size, 9);
    sp_log(SIMPLUGIN_LOG_DEBUG, "not heard");
    sp_log_text(SIMPLUGIN_LOG_DEBUG, "not heard", 9);
    CU_ASSERT_EQUAL(h.count, 1);
    simplugin_log_set(hear, &h, SIMPLUGIN_LOG_DEBUG);
    sp_log(SIMPLUGIN_LOG_DEBUG, "heard");
    CU_ASSERT_EQUAL(h.count, 2);
    simplugin_log_set(hear, &h, 0);
    sp_log(SIMPLUGIN_LOG_ERROR, "off");
    CU_ASSERT_EQUAL(h.count, 2);
    simplugin_log_set(hear, &h, -5);
    sp_log(SIMPLUGIN_LOG_ERROR, "off too");
    CU_ASSERT_EQUAL(h.count, 2);
    /* levels that are none, as a plugin may send them */
    simplugin_log_set(hear, &h, SIMPLUGIN_LOG_DEBUG);
    sp_log_text(0, "x", 1);
    sp_log_text(-1, "x", 1);
    sp_log_text(5, "x", 1);
    CU_ASSERT_EQUAL(h.count, 2);
    simplugin_log_set(NULL, NULL, 0);
}

static void one_line(void)
{
    heard h = {0};
    char *longer = malloc(10001);

    if (!longer)
        abort();
    simplugin_log_set(hear, &h, SIMPLUGIN_LOG_DEBUG);
    sp_log_text(SIMPLUGIN_LOG_INFO, "a\nb\0c\x1b[1m\x7f.", 11);
    CU_ASSERT_EQUAL(h.size, 11);
    CU_ASSERT_STRING_EQUAL(h.text, "a b c [1m .");
    for (int i = 0; i < 10000; i++)
        longer[i] = "\xe2\x82\xac"[i % 3];
    longer[10000] = '\0';
    sp_log_text(SIMPLUGIN_LOG_INFO, longer, 10000);
    CU_ASSERT_EQUAL(h.size, 4095);
    CU_ASSERT_EQUAL(strlen(h.text), 4095);
    sp_log(SIMPLUGIN_LOG_INFO, "x%s", longer);
    CU_ASSERT(h.size <= 4095);
    sp_log(SIMPLUGIN_LOG_INFO, "%s", "");
    simplugin_log_set(NULL, NULL, 0);
    free(longer);
}

/* What goes to stderr under a value of SIMPLUGIN_LOG, NULL for none. */
static void to_stderr(const char *value, char *text, size_t room)
{
    FILE *file = tmpfile();
    int old = dup(STDERR_FILENO);
    size_t size;

    if (!file || old < 0)
        abort();
    if (value)
        setenv("SIMPLUGIN_LOG", value, 1);
    else
        unsetenv("SIMPLUGIN_LOG");
    fflush(stderr);
    dup2(fileno(file), STDERR_FILENO);
    simplugin_log_set(NULL, NULL, 0);
    sp_log(SIMPLUGIN_LOG_ERROR, "e");
    sp_log(SIMPLUGIN_LOG_WARNING, "w");
    sp_log(SIMPLUGIN_LOG_INFO, "i");
    sp_log(SIMPLUGIN_LOG_DEBUG, "d");
    fflush(stderr);
    dup2(old, STDERR_FILENO);
    close(old);
    rewind(file);
    size = fread(text, 1, room - 1, file);
    text[size] = '\0';
    fclose(file);
    unsetenv("SIMPLUGIN_LOG");
}

static void environment(void)
{
#define ERROR_LINE "simplugin: error: e\n"
#define WARNING_LINE "simplugin: warning: w\n"
#define INFO_LINE "simplugin: info: i\n"
#define DEBUG_LINE "simplugin: debug: d\n"
    char text[1024];

    to_stderr(NULL, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, ERROR_LINE WARNING_LINE);
    to_stderr("off", text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "");
    to_stderr("error", text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, ERROR_LINE);
    to_stderr("info", text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, ERROR_LINE WARNING_LINE INFO_LINE);
    to_stderr("debug", text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, ERROR_LINE WARNING_LINE INFO_LINE DEBUG_LINE);
    to_stderr("nonsense", text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, ERROR_LINE WARNING_LINE);
}

/* The hook changes while threads log: each message reaches a hook with its own context. */
static atomic_int stop;
static atomic_int wrong;
static int mark_a, mark_b;

static void hear_a(void *context, int32_t level, const char *message, uint64_t size)
{
    if (context != &mark_a || level != SIMPLUGIN_LOG_ERROR || size != 4 || strcmp(message, "text"))
        atomic_fetch_add(&wrong, 1);
}

static void hear_b(void *context, int32_t level, const char *message, uint64_t size)
{
    if (context != &mark_b || level != SIMPLUGIN_LOG_ERROR || size != 4 || strcmp(message, "text"))
        atomic_fetch_add(&wrong, 1);
}

static void *logger(void *unused)
{
    while (!atomic_load(&stop))
        sp_log(SIMPLUGIN_LOG_ERROR, "%s", "text");
    return unused;
}

static void threads(void)
{
    pthread_t loggers[3];

    atomic_store(&stop, 0);
    simplugin_log_set(hear_a, &mark_a, SIMPLUGIN_LOG_DEBUG);
    for (int i = 0; i < 3; i++)
        if (pthread_create(&loggers[i], NULL, logger, NULL))
            abort();
    for (int i = 0; i < 2000; i++) {
        simplugin_log_set(hear_b, &mark_b, SIMPLUGIN_LOG_INFO);
        simplugin_log_set(hear_a, &mark_a, SIMPLUGIN_LOG_DEBUG);
    }
    /* a child forked meanwhile can log */
    for (int i = 0; i < 20; i++) {
        pid_t child = fork();
        int status = -1;

        if (child == 0) {
            alarm(20);
            sp_log(SIMPLUGIN_LOG_ERROR, "%s", "text");
            _exit(0);
        }
        CU_ASSERT(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    }
    atomic_store(&stop, 1);
    for (int i = 0; i < 3; i++)
        pthread_join(loggers[i], NULL);
    CU_ASSERT_EQUAL(atomic_load(&wrong), 0);
    simplugin_log_set(NULL, NULL, 0);
}

/* Whoever logs it: what connections hold as secrets, and passwords in URLs. */
static void secrets(void)
{
    static const char *const texts[] = {"wax-and-ring"};
    char longer[SP_LINE_MAX * 2];
    sp_secrets added = {0};
    heard h = {0};

    simplugin_log_set(hear, &h, SIMPLUGIN_LOG_DEBUG);
    sp_secrets_add(&added, texts, 1);
    sp_log_text(SIMPLUGIN_LOG_INFO, "seal wax-and-ring, \0 wax-and-ring", 33);
    CU_ASSERT_STRING_EQUAL(h.text, "seal ****,   ****");
    CU_ASSERT_EQUAL(h.size, strlen(h.text));
    sp_log(SIMPLUGIN_LOG_INFO, "tried https://me:password@h:1/?token=abc&x=1 twice");
    CU_ASSERT_STRING_EQUAL(h.text, "tried https://me:****@h:1/?token=****&x=1 twice");
    /* the cut falls into the secret */
    memset(longer, '.', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    memcpy(longer + SP_LINE_MAX - 6, texts[0], strlen(texts[0]));
    sp_log_text(SIMPLUGIN_LOG_INFO, longer, strlen(longer));
    CU_ASSERT_STRING_EQUAL(h.text + h.size - 5, ".****");
    /* masks that are longer than what they mask: the line stays bounded */
    for (size_t i = 0; i + 8 < sizeof longer; i += 8)
        memcpy(longer + i, "//a:b@c ", 8);
    sp_log_text(SIMPLUGIN_LOG_INFO, longer, strlen(longer));
    CU_ASSERT_EQUAL(h.size, SP_LINE_MAX - 1);
    CU_ASSERT_PTR_NULL(strstr(h.text, ":b@"));
    sp_secrets_remove(&added);
    sp_log(SIMPLUGIN_LOG_INFO, "wax-and-ring");
    CU_ASSERT_STRING_EQUAL(h.text, "wax-and-ring");
    simplugin_log_set(NULL, NULL, 0);
}

static const unit_case cases[] = {
    UNIT_CASE(levels, "messages up to the level reach the hook"),
    UNIT_CASE(one_line, "a message is one line of bounded length"),
    UNIT_CASE(secrets, "R278 secrets are masked in every message"),
    UNIT_CASE(environment, "SIMPLUGIN_LOG chooses what goes to stderr"),
    UNIT_CASE(threads, "R275 hooks change, and processes fork, while threads log"),
};

UNIT_MAIN("log", cases)
