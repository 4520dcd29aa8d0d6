/* SPDX-License-Identifier: Apache-2.0 */
/* The table that backends are handed. */
#include "host.h"
#include "simplugin.h"
#include "unit.h"

/* As a backend sees it: nothing but the table. */
static const simplugin_host *host = &sp_host;

static void complete(void)
{
    CU_ASSERT_EQUAL(host->size, sizeof *host);
    CU_ASSERT(host->abi_min <= SIMPLUGIN_ABI_VERSION && SIMPLUGIN_ABI_VERSION <= host->abi_max);
    CU_ASSERT(host->reply_alloc && host->error_set && host->error_set_backend &&
              host->error_set_retryable && host->error_add_detail && host->log &&
              host->cancelled && host->cancel_watch && host->cancel_unwatch && host->progress);
}

static void replies(void)
{
    simplugin_reply reply = SP_REPLY_INIT;
    uint8_t *a = host->reply_alloc(&reply, 100);
    uint8_t *b = host->reply_alloc(&reply, 100000);
    int wrong = 0;

    CU_ASSERT(a && b && (uintptr_t)a % 64 == 0 && (uintptr_t)b % 64 == 0);
    for (size_t i = 0; b && i < 100000; i++)
        wrong += b[i] != 0;
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_PTR_NULL(host->reply_alloc(NULL, 1));
    CU_ASSERT_PTR_NULL(host->reply_alloc(&reply, UINT64_MAX));
    reply.body = a;
    reply.body_size = 1;
    simplugin_reply_clear(&reply);
    CU_ASSERT(!reply.body && !reply.body_size && !reply.owner && reply.size == sizeof reply);
    simplugin_reply_clear(&reply);
    simplugin_reply_clear(NULL);
}

static void errors(void)
{
    simplugin_error *error = NULL;

    CU_ASSERT_EQUAL(host->error_set(NULL, SIMPLUGIN_IO, "x", 1), SIMPLUGIN_IO);
    CU_ASSERT_EQUAL(host->error_set(&error, SIMPLUGIN_BUSY, "not terminated", 3), SIMPLUGIN_BUSY);
    CU_ASSERT_STRING_EQUAL(simplugin_error_message(error, NULL), "not");
    host->error_set_backend(&error, -7, "words", 5);
    host->error_set_retryable(&error, 0);
    host->error_add_detail(&error, "id", 2, "4711", 4);
    host->error_add_detail(&error, NULL, 0, "x", 1);
    host->error_add_detail(&error, "x", 1, NULL, 0);
    CU_ASSERT_EQUAL(simplugin_error_code(error), SIMPLUGIN_BUSY);
    CU_ASSERT_EQUAL(simplugin_error_backend_code(error), -7);
    CU_ASSERT_STRING_EQUAL(simplugin_error_backend_message(error, NULL), "words");
    CU_ASSERT_EQUAL(simplugin_error_retryable(error), 0);
    CU_ASSERT_EQUAL(simplugin_error_detail_count(error), 1);
    CU_ASSERT_EQUAL(host->error_set(&error, SIMPLUGIN_IO, NULL, 5), SIMPLUGIN_IO);
    CU_ASSERT_STRING_EQUAL(simplugin_error_message(error, NULL), "");
    simplugin_error_free(&error);
}

static void hear(void *context, int32_t level, const char *message, uint64_t size)
{
    *(int *)context += level == SIMPLUGIN_LOG_INFO && size == 3 && strcmp(message, "one") == 0;
}

static void messages(void)
{
    int heard = 0;

    simplugin_log_set(hear, &heard, SIMPLUGIN_LOG_DEBUG);
    host->log(SIMPLUGIN_LOG_INFO, "one two", 3);
    host->log(SIMPLUGIN_LOG_INFO, NULL, 3);
    CU_ASSERT_EQUAL(heard, 1);
    simplugin_log_set(NULL, NULL, 0);
}

static void fired(void *context)
{
    ++*(int *)context;
}

static void cancelling(void)
{
    uint64_t token = 0, watch = 0;
    int ran = 0;

    CU_ASSERT_EQUAL(host->cancelled(0), 0);
    CU_ASSERT_EQUAL(host->cancel_watch(0, fired, &ran, &watch), SIMPLUGIN_STALE_HANDLE);
    if (simplugin_cancel_new(&token, NULL))
        abort();
    CU_ASSERT_EQUAL(host->cancel_watch(token, fired, &ran, &watch), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(host->cancelled(token), 0);
    simplugin_cancel_fire(token);
    CU_ASSERT_EQUAL(host->cancelled(token), 1);
    CU_ASSERT_EQUAL(ran, 1);
    host->cancel_unwatch(watch);
    host->cancel_unwatch(0);
    simplugin_cancel_free(token);
}

static void progressed(void *context, uint64_t done, uint64_t total)
{
    uint64_t *seen = context;

    seen[0] = done;
    seen[1] = total;
}

static void *tell(void *listener)
{
    host->progress((uint64_t)(uintptr_t)listener, 5, 6);
    return NULL;
}

static void progress(void)
{
    uint64_t seen[2] = {0};
    sp_progress listener = {progressed, seen, pthread_self()};
    pthread_t other;

    host->progress(0, 1, 2);
    host->progress((uint64_t)(uintptr_t)&listener, 3, 4);
    CU_ASSERT(seen[0] == 3 && seen[1] == 4);
    CU_ASSERT_FATAL(pthread_create(&other, NULL, tell, &listener) == 0);
    pthread_join(other, NULL);
    CU_ASSERT(seen[0] == 3 && seen[1] == 4);
}

static const unit_case cases[] = {
    UNIT_CASE(complete, "every service is there"),
    UNIT_CASE(replies, "memory of a reply is zeroed, aligned and freed with it"),
    UNIT_CASE(errors, "errors of backends"),
    UNIT_CASE(messages, "messages of backends reach the program's log"),
    UNIT_CASE(cancelling, "R274 backends see a token fired"),
    UNIT_CASE(progress, "progress reaches who listens, or nobody, on the call's thread alone"),
};

UNIT_MAIN("host", cases)
