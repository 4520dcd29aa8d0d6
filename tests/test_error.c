/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: what is put in comes out, and nothing that a binding could not read. */
#include <errno.h>

#include "error_access.h"
#include "simplugin/envelope.h"
#include "unit.h"

static void no_error(void)
{
    simplugin_error *error = NULL;
    uint64_t size = 9;

    CU_ASSERT_EQUAL(simplugin_error_code(NULL), SIMPLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(simplugin_error_message(NULL, &size), "");
    CU_ASSERT_EQUAL(size, 0);
    CU_ASSERT_STRING_EQUAL(simplugin_error_message(NULL, NULL), "");
    CU_ASSERT_STRING_EQUAL(simplugin_error_domain(NULL), "");
    CU_ASSERT_EQUAL(simplugin_error_backend_code(NULL), 0);
    size = 9;
    CU_ASSERT_STRING_EQUAL(simplugin_error_backend_message(NULL, &size), "");
    CU_ASSERT_EQUAL(size, 0);
    CU_ASSERT_EQUAL(simplugin_error_retryable(NULL), 0);
    CU_ASSERT_EQUAL(simplugin_error_detail_count(NULL), 0);
    CU_ASSERT_STRING_EQUAL(simplugin_error_detail_key(NULL, 0), "");
    CU_ASSERT_STRING_EQUAL(simplugin_error_detail_value(NULL, 0), "");
    simplugin_error_free(NULL);
    simplugin_error_free(&error);
    CU_ASSERT_PTR_NULL(error);
}

/* A caller who wants no error passes NULL everywhere. */
static void nobody_listens(void)
{
    static const char *const secret = "secret";
    simplugin_error *none = NULL;

    CU_ASSERT_EQUAL(sp_error_set(NULL, SIMPLUGIN_IO, "core", "%s", "x"), SIMPLUGIN_IO);
    CU_ASSERT_EQUAL(sp_error_set_text(NULL, SIMPLUGIN_IO, "core", "x", 1), SIMPLUGIN_IO);
    CU_ASSERT_EQUAL(sp_error_no_memory(NULL), SIMPLUGIN_OUT_OF_MEMORY);
    CU_ASSERT_EQUAL(sp_error_set_errno(NULL, ENOSPC, "core", "write", "/x"), SIMPLUGIN_NO_SPACE);
    sp_error_add_detail(NULL, "k", "v");
    sp_error_prefix(NULL, "p");
    sp_error_set_domain(NULL, "d");
    sp_error_set_backend(NULL, 1, "m", 1);
    sp_error_set_retryable(NULL, 1);
    sp_error_mask(NULL, &secret, 1);
    sp_error_add_detail(&none, "k", "v");
    sp_error_prefix(&none, "p");
    sp_error_set_domain(&none, "d");
    sp_error_set_backend(&none, 1, "m", 1);
    sp_error_set_retryable(&none, 1);
    sp_error_mask(&none, &secret, 1);
    CU_ASSERT_PTR_NULL(none);
}

static void everything_set(void)
{
    simplugin_error *error = NULL;
    uint64_t size = 0;

    CU_ASSERT_EQUAL(sp_error_set(&error, SIMPLUGIN_UNAVAILABLE, "milvus", "no answer from %s",
                                 "host"), SIMPLUGIN_UNAVAILABLE);
    sp_error_set_backend(&error, 1100, "server words", 6);
    sp_error_add_detail(&error, "id", "4711");
    sp_error_add_detail_text(&error, "argumentX", 8, "nlistX", 5);
    sp_error_prefix(&error, "%s: %s", "milvus", "search");
    CU_ASSERT_EQUAL(simplugin_error_code(error), SIMPLUGIN_UNAVAILABLE);
    CU_ASSERT_STRING_EQUAL(simplugin_error_message(error, &size),
                           "milvus: search: no answer from host");
    CU_ASSERT_EQUAL(size, strlen("milvus: search: no answer from host"));
    CU_ASSERT_STRING_EQUAL(simplugin_error_domain(error), "milvus");
    CU_ASSERT_EQUAL(simplugin_error_backend_code(error), 1100);
    CU_ASSERT_STRING_EQUAL(simplugin_error_backend_message(error, &size), "server");
    CU_ASSERT_EQUAL(size, 6);
    CU_ASSERT_EQUAL(simplugin_error_retryable(error), 1);
    sp_error_set_retryable(&error, 0);
    CU_ASSERT_EQUAL(simplugin_error_retryable(error), 0);
    CU_ASSERT_EQUAL(simplugin_error_detail_count(error), 2);
    CU_ASSERT_STRING_EQUAL(simplugin_error_detail_key(error, 0), "id");
    CU_ASSERT_STRING_EQUAL(simplugin_error_detail_value(error, 0), "4711");
    CU_ASSERT_STRING_EQUAL(simplugin_error_detail_key(error, 1), "argument");
    CU_ASSERT_STRING_EQUAL(simplugin_error_detail_value(error, 1), "nlist");
    CU_ASSERT_STRING_EQUAL(simplugin_error_detail_key(error, 2), "");
    CU_ASSERT_STRING_EQUAL(simplugin_error_detail_value(error, UINT64_MAX), "");
    sp_error_set_domain(&error, "core");
    CU_ASSERT_STRING_EQUAL(simplugin_error_domain(error), "core");

    /* a later error replaces all of it */
    sp_error_set(&error, SIMPLUGIN_NOT_FOUND, "runs", "gone");
    CU_ASSERT_EQUAL(simplugin_error_code(error), SIMPLUGIN_NOT_FOUND);
    CU_ASSERT_EQUAL(simplugin_error_detail_count(error), 0);
    CU_ASSERT_EQUAL(simplugin_error_backend_code(error), 0);
    CU_ASSERT_STRING_EQUAL(simplugin_error_backend_message(error, NULL), "");
    CU_ASSERT_EQUAL(simplugin_error_retryable(error), 0);
    simplugin_error_free(&error);
    CU_ASSERT_PTR_NULL(error);
    simplugin_error_free(&error);
}

/* The words of an error may become those of the one that replaces it. */
static void own_words(void)
{
    simplugin_error *error = NULL;

    sp_error_set(&error, SIMPLUGIN_IO, "core", "disk on fire");
    sp_error_set(&error, SIMPLUGIN_CORRUPT, "core", "store: %s",
                 simplugin_error_message(error, NULL));
    CU_ASSERT_STRING_EQUAL(simplugin_error_message(error, NULL), "store: disk on fire");
    sp_error_set_text(&error, SIMPLUGIN_IO, "core", simplugin_error_message(error, NULL), 5);
    CU_ASSERT_STRING_EQUAL(simplugin_error_message(error, NULL), "store");
    simplugin_error_free(&error);
}

static int is_utf8(const char *text)
{
    return simplugin_utf8_check((const uint8_t *)text, strlen(text));
}

static void one_line_of_utf8(void)
{
    static const char hostile[] = "a\nb\r\tc\x7f" "d\0e \xff\xc3\xa9\xc3 \xe2\x82\xac \xed\xa0\x80 \xf0\x9f";
    simplugin_error *error = NULL;
    char *longer = malloc(10001);
    uint64_t size;

    if (!longer)
        abort();
    sp_error_set_text(&error, SIMPLUGIN_IO, "core", hostile, sizeof hostile - 1);
    CU_ASSERT_STRING_EQUAL(simplugin_error_message(error, NULL),
                           "a b  c d e ?\xc3\xa9? \xe2\x82\xac ??? ??");
    sp_error_add_detail_text(&error, "k\xff", 2, "v\n\xfe", 3);
    CU_ASSERT_STRING_EQUAL(simplugin_error_detail_key(error, 0), "k?");
    CU_ASSERT_STRING_EQUAL(simplugin_error_detail_value(error, 0), "v ?");
    sp_error_set_backend(&error, 0, "\xc3", 1);
    CU_ASSERT_STRING_EQUAL(simplugin_error_backend_message(error, NULL), "?");
    sp_error_set_backend(&error, 3, NULL, 0);
    CU_ASSERT_STRING_EQUAL(simplugin_error_backend_message(error, NULL), "");
    CU_ASSERT_EQUAL(simplugin_error_backend_code(error), 3);

    /* three bytes a character: the cut at 4096 falls into one */
    for (int i = 0; i < 10000; i++)
        longer[i] = "\xe2\x82\xac"[i % 3];
    longer[10000] = '\0';
    sp_error_set(&error, SIMPLUGIN_IO, "core", "%s", longer);
    simplugin_error_message(error, &size);
    CU_ASSERT_EQUAL(size, 4095);
    CU_ASSERT(is_utf8(simplugin_error_message(error, NULL)));
    sp_error_prefix(&error, "%s", longer);
    CU_ASSERT(is_utf8(simplugin_error_message(error, NULL)));
    CU_ASSERT(strstr(simplugin_error_message(error, NULL), ": ") != NULL);
    free(longer);
    simplugin_error_free(&error);
}

static void secrets_masked(void)
{
    static const char *const secrets[] = {"hunter22", "key", ""};
    simplugin_error *error = NULL;

    sp_error_set(&error, SIMPLUGIN_UNAUTHENTICATED, "core", "key hunter22 refused, hunter22hunter22");
    sp_error_set_backend(&error, 401, "bad hunter22", strlen("bad hunter22"));
    sp_error_add_detail(&error, "header", "api-key: hunter22");
    sp_error_mask(&error, secrets, 3);
    CU_ASSERT_STRING_EQUAL(simplugin_error_message(error, NULL), "key **** refused, ****");
    CU_ASSERT_STRING_EQUAL(simplugin_error_backend_message(error, NULL), "bad ****");
    CU_ASSERT_STRING_EQUAL(simplugin_error_detail_value(error, 0), "api-key: ****");
    sp_error_mask(&error, NULL, 0);
    CU_ASSERT_STRING_EQUAL(simplugin_error_message(error, NULL), "key **** refused, ****");
    simplugin_error_free(&error);
}

/* The error of last resort is shared by all threads: nothing may write to it. */
static void no_memory_error(void)
{
    static const char *const secrets[] = {"memory"};
    simplugin_error *error = NULL, *other = NULL;

    sp_error_set(&error, SIMPLUGIN_IO, "core", "first");
    CU_ASSERT_EQUAL(sp_error_no_memory(&error), SIMPLUGIN_OUT_OF_MEMORY);
    CU_ASSERT_EQUAL(simplugin_error_code(error), SIMPLUGIN_OUT_OF_MEMORY);
    CU_ASSERT_STRING_EQUAL(simplugin_error_message(error, NULL), "out of memory");
    CU_ASSERT_STRING_EQUAL(simplugin_error_domain(error), "core");
    CU_ASSERT_EQUAL(simplugin_error_retryable(error), 1);
    sp_error_add_detail(&error, "k", "v");
    sp_error_prefix(&error, "p");
    sp_error_set_domain(&error, "d");
    sp_error_set_backend(&error, 1, "m", 1);
    sp_error_set_retryable(&error, 0);
    sp_error_mask(&error, secrets, 1);
    sp_error_no_memory(&other);
    CU_ASSERT_STRING_EQUAL(simplugin_error_message(other, NULL), "out of memory");
    CU_ASSERT_STRING_EQUAL(simplugin_error_domain(other), "core");
    CU_ASSERT_EQUAL(simplugin_error_retryable(other), 1);
    CU_ASSERT_EQUAL(simplugin_error_backend_code(other), 0);
    CU_ASSERT_EQUAL(simplugin_error_detail_count(other), 0);
    /* and a later error takes its place */
    sp_error_set(&error, SIMPLUGIN_IO, "core", "second");
    CU_ASSERT_STRING_EQUAL(simplugin_error_message(error, NULL), "second");
    CU_ASSERT_STRING_EQUAL(simplugin_error_message(other, NULL), "out of memory");
    simplugin_error_free(&error);
    simplugin_error_free(&other);
    CU_ASSERT_PTR_NULL(other);
}

static void errno_codes(void)
{
    static const struct {
        int number;
        int32_t code;
    } cases[] = {
        {ENOMEM, SIMPLUGIN_OUT_OF_MEMORY},   {ENOSPC, SIMPLUGIN_NO_SPACE},
        {EDQUOT, SIMPLUGIN_NO_SPACE},        {EROFS, SIMPLUGIN_READ_ONLY},
        {EACCES, SIMPLUGIN_PERMISSION_DENIED}, {EPERM, SIMPLUGIN_PERMISSION_DENIED},
        {ENOENT, SIMPLUGIN_NOT_FOUND},       {ENOTDIR, SIMPLUGIN_NOT_FOUND},
        {EEXIST, SIMPLUGIN_ALREADY_EXISTS},  {EMFILE, SIMPLUGIN_RESOURCE_EXHAUSTED},
        {EIO, SIMPLUGIN_IO},                 {12345, SIMPLUGIN_IO},
    };
    simplugin_error *error = NULL;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CU_ASSERT_EQUAL(sp_error_set_errno(&error, cases[i].number, "runs", "open", "/a/b"),
                        cases[i].code);
        CU_ASSERT_EQUAL(simplugin_error_code(error), cases[i].code);
        CU_ASSERT_EQUAL(strncmp(simplugin_error_message(error, NULL), "cannot open /a/b: ", 18), 0);
    }
    simplugin_error_free(&error);
}

static void code_names(void)
{
    int named = 0;

    CU_ASSERT_STRING_EQUAL(simplugin_code_name(SIMPLUGIN_OK), "OK");
    CU_ASSERT_STRING_EQUAL(simplugin_code_name(SIMPLUGIN_NOT_FOUND), "NOT_FOUND");
    CU_ASSERT_STRING_EQUAL(simplugin_code_name(SIMPLUGIN_PLUGIN_ENTRY_FAILED),
                           "PLUGIN_ENTRY_FAILED");
    CU_ASSERT_STRING_EQUAL(simplugin_code_name(-1), "UNKNOWN");
    CU_ASSERT_STRING_EQUAL(simplugin_code_name(30), "UNKNOWN");
    CU_ASSERT_STRING_EQUAL(simplugin_code_name(INT32_MAX), "UNKNOWN");
    for (int32_t code = 0; code < 100; code++)
        named += strcmp(simplugin_code_name(code), "UNKNOWN") != 0;
    /* 0 to 29 and 40 to 48 */
    CU_ASSERT_EQUAL(named, 39);
    CU_ASSERT(sp_code_name(5) == simplugin_code_name(5));
}

static const unit_case cases[] = {
    UNIT_CASE(no_error, "NULL answers 0 and the empty text"),
    UNIT_CASE(nobody_listens, "errors that nobody asked for"),
    UNIT_CASE(everything_set, "code, message, domain, backend's words, details"),
    UNIT_CASE(own_words, "an error may be replaced by one with its own words"),
    UNIT_CASE(one_line_of_utf8, "a message is one line of UTF-8, whatever was put in"),
    UNIT_CASE(secrets_masked, "R278 secrets are masked wherever they stand"),
    UNIT_CASE(no_memory_error, "the error of last resort cannot be written to"),
    UNIT_CASE(errno_codes, "errno becomes a code, with action and path"),
    UNIT_CASE(code_names, "codes have names"),
};

UNIT_MAIN("error", cases)
