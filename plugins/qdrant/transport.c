/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "lane.h"

#define MS INT64_C(1000000)
/* Pauses before a request is sent again. */
#define PAUSE_FIRST (50 * MS)
#define PAUSE_LAST (2000 * MS)
/* What the last try is left of the time there is. */
#define LAST_TRY (100 * MS)
#define CONNECT_MS 10000
/* Nobody sleeps longer than this without looking around. */
#define SLEEP_LAST_MS 10000

/* ---- one request ------------------------------------------------------------------------ */

void qdrant_http_init(qdrant_http *http, const char *method, const char *path)
{
    memset(http, 0, sizeof *http);
    http->method = method;
    http->path = path;
    http->idempotent = strcmp(method, "POST") != 0 && strcmp(method, "PATCH") != 0;
}

void qdrant_http_take(qdrant_http *http, void *body, size_t size)
{
    free(http->body);
    http->body = body;
    http->body_size = size;
}

char *qdrant_http_steal(qdrant_http *http, size_t *size)
{
    char *reply = http->reply;

    *size = http->reply_size;
    http->reply = NULL;
    http->reply_size = http->reply_capacity = 0;
    return reply;
}

void qdrant_http_clear(qdrant_http *http)
{
    free(http->body);
    free(http->reply);
    http->body = http->reply = NULL;
    http->body_size = http->reply_size = http->reply_capacity = 0;
}

/* ---- flights ------------------------------------------------------------------------------ */

static void cancel_fired(void *context)
{
    qdrant_flight *flight = context;

    atomic_store(&flight->cancelled, 1);
    curl_multi_wakeup(qdrant_lane_multi(flight->lane));
}

int32_t qdrant_flight_init(qdrant_flight *flight, qdrant_link *link, plug_call *call)
{
    memset(flight, 0, sizeof *flight);
    flight->link = link;
    flight->call = call;
    qdrant_quiet_begin(&flight->is_quiet, &flight->was_pending);
    flight->lane = qdrant_lane_take(link, call);
    if (!flight->lane)
        return plug_no_memory(call);
    if (call->info->cancel &&
        plug_host->cancel_watch(call->info->cancel, cancel_fired, flight, &flight->watch))
        flight->watch = 0; /* a token that is gone can no longer be fired */
    return SIMPLUGIN_OK;
}

static void list_remove(qdrant_http **at, qdrant_http *http)
{
    while (*at && *at != http)
        at = &(*at)->next;
    if (*at)
        *at = http->next;
    http->next = NULL;
}

/* libcurl forgets the request, be it ended or not. */
static void sent_end(qdrant_flight *flight, qdrant_http *http)
{
    list_remove(&flight->active, http);
    curl_multi_remove_handle(qdrant_lane_multi(flight->lane), http->sent->easy);
    qdrant_sent_end(http->sent);
    http->sent = NULL;
}

void qdrant_flight_clear(qdrant_flight *flight)
{
    if (flight->watch)
        plug_host->cancel_unwatch(flight->watch);
    while (flight->active)
        sent_end(flight, flight->active);
    qdrant_lane_give(flight->link, flight->lane);
    flight->lane = NULL;
    flight->ended = flight->resting = NULL;
    qdrant_quiet_end(flight->is_quiet, flight->was_pending);
}

/* How long connecting may take: not longer than the server is waited for. */
static long connect_ms(const qdrant_flight *flight, const qdrant_http *http)
{
    int64_t left = CONNECT_MS;

    if (http->first_failure)
        left = (http->first_failure - sp_clock_now()) / MS + flight->link->settings->retry_ms;
    if (left > CONNECT_MS)
        left = CONNECT_MS;
    return left > 1 ? (long)left : 1;
}

static int32_t send_now(qdrant_flight *flight, qdrant_http *http)
{
    CURLMcode refused;

    http->reply_size = 0;
    if (http->reply)
        http->reply[0] = 0;
    http->sent = http->path ? qdrant_sent_new(flight->lane, http, connect_ms(flight, http)) : NULL;
    if (!http->sent)
        return plug_no_memory(flight->call);
    http->attempts++;
    refused = curl_multi_add_handle(qdrant_lane_multi(flight->lane), http->sent->easy);
    if (refused) {
        qdrant_sent_end(http->sent);
        http->sent = NULL;
        return refused == CURLM_OUT_OF_MEMORY
                   ? plug_no_memory(flight->call)
                   : plug_fail(flight->call, SIMPLUGIN_INTERNAL, "%s: libcurl took no request: %s",
                               http->method, curl_multi_strerror(refused));
    }
    http->next = flight->active;
    flight->active = http;
    return SIMPLUGIN_OK;
}

int32_t qdrant_flight_start(qdrant_flight *flight, qdrant_http *http)
{
    int32_t code = plug_check(flight->call);

    if (!code)
        code = send_now(flight, http);
    if (!code)
        qdrant_flight_push(flight);
    return code;
}

void qdrant_flight_push(qdrant_flight *flight)
{
    int running;

    /* what goes wrong here does so again in next, which says it */
    curl_multi_perform(qdrant_lane_multi(flight->lane), &running);
}

/* ---- answers ------------------------------------------------------------------------------ */

/* Every reply of Qdrant's API is an object. */
static int is_json(const char *reply, size_t size)
{
    size_t blank = size ? strspn(reply, " \t\r\n") : 0;

    return blank < size && reply[blank] == '{';
}

/* Nothing came, and nothing said that it would be so: libcurl takes half a head for a whole. */
static int is_cut(const qdrant_http *http, CURL *easy)
{
    curl_off_t length = -1;

    curl_easy_getinfo(easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    return !http->reply_size && length < 0;
}

/* Names where a redirection leads, as far as its host. */
static void redirection_say(qdrant_http *http, CURL *easy)
{
    const char *to = NULL, *host;
    char text[QDRANT_REASON_MAX];
    size_t size;

    curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &to);
    host = to ? strstr(to, "://") : NULL;
    host = host ? host + 3 : "";
    size = strcspn(host, "/?#");
    /* without a user and a password */
    for (const char *at = memchr(host, '@', size); at; at = memchr(host, '@', size)) {
        size -= (size_t)(at + 1 - host);
        host = at + 1;
    }
    snprintf(text, sizeof text, "it redirects (HTTP status %d) to %s%.*s", (int)http->status.http,
             to && strncasecmp(to, "https:", 6) == 0 ? "https://" : "",
             (int)(size > QDRANT_HOST_MAX ? QDRANT_HOST_MAX : size ? size : sizeof "nowhere"),
             size ? host : "nowhere");
    qdrant_status_say(&http->status, text, strlen(text));
}

static void answer_read(qdrant_http *http, CURL *easy, long status)
{
    curl_off_t seconds = 0;

    qdrant_status_read(&http->status, (int32_t)status, http->reply ? http->reply : "",
                       http->reply_size);
    if (status >= 300 && status <= 399)
        redirection_say(http, easy);
    if (!http->status.code && !http->is_text && !is_json(http->reply, http->reply_size))
        qdrant_status_of_curl(&http->status,
                              is_cut(http, easy) ? CURLE_PARTIAL_FILE : CURLE_WEIRD_SERVER_REPLY,
                              NULL, 0);
    if (http->status.retryable && !curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds) &&
        seconds > 0)
        http->status.retry_after_ms = seconds > INT32_MAX ? INT64_C(1000) * INT32_MAX
                                                          : (int64_t)seconds * 1000;
}

static void answer_take(qdrant_flight *flight, qdrant_http *http, CURLcode result)
{
    const qdrant_sent *sent = http->sent;
    long status = 0, os = 0;

    curl_easy_getinfo(sent->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(sent->easy, CURLINFO_OS_ERRNO, &os);
    /* of HTTP/2 a stream that ended before it began is one that was cut */
    if (!status && (result == CURLE_PARTIAL_FILE || result == CURLE_HTTP2_STREAM))
        result = CURLE_GOT_NOTHING;
    if (sent->has_no_memory)
        qdrant_status_of_curl(&http->status, CURLE_OUT_OF_MEMORY, NULL, 0);
    else if (sent->is_too_large)
        qdrant_status_of_curl(&http->status, CURLE_FILESIZE_EXCEEDED, NULL, 0);
    else if (!result || (status >= 300 && result != CURLE_FILESIZE_EXCEEDED &&
                         result != CURLE_OUT_OF_MEMORY))
        /* that something is wrong came through, if not every word of it */
        answer_read(http, sent->easy, status);
    else
        qdrant_status_of_curl(&http->status, result, sent->words, os);
    qdrant_status_mask(&http->status, flight->link->settings);
    /* a proxy's word for it that it is away is none of the server's, but for when it is back */
    if (http->status.arrived && (http->status.http < 500 || http->status.retry_after_ms))
        atomic_store(&flight->link->seen, 1);
}

/* When a request that failed for the attempts-th time is to be sent again. */
static int64_t pause_of(const qdrant_http *http, int64_t left)
{
    int64_t pause = PAUSE_FIRST << (http->attempts < 8 ? http->attempts - 1 : 7);

    if (pause > PAUSE_LAST)
        pause = PAUSE_LAST;
    /* one that would come too late comes a little sooner */
    if (pause > left && left > LAST_TRY + PAUSE_FIRST)
        pause = left - LAST_TRY;
    return pause < http->status.retry_after_ms * MS ? http->status.retry_after_ms * MS : pause;
}

/*
 * Whether to send a request again: it can do no harm, it may help, and the server, which
 * was there before, has not been away for too long.
 */
static int is_worth_another(qdrant_flight *flight, qdrant_http *http)
{
    int64_t now = sp_clock_now(), pause, left;

    if (!http->status.code || !http->status.retryable || !http->idempotent ||
        atomic_load(&flight->cancelled) || !atomic_load(&flight->link->seen))
        return 0;
    if (!http->first_failure)
        http->first_failure = now;
    left = http->first_failure - now + flight->link->settings->retry_ms * MS;
    if (left > flight->call->info->deadline - now)
        left = flight->call->info->deadline - now;
    pause = pause_of(http, left);
    http->retry_at = now + pause;
    return pause < left;
}

/* Takes what has ended from libcurl: to be sent again later, or to be handed out. */
static void ended_collect(qdrant_flight *flight)
{
    CURLM *multi = qdrant_lane_multi(flight->lane);
    qdrant_http **last = &flight->ended;
    CURLMsg *message;
    int left;

    while (*last)
        last = &(*last)->next;
    while ((message = curl_multi_info_read(multi, &left))) {
        qdrant_sent *sent = NULL;
        qdrant_http *http;

        if (message->msg != CURLMSG_DONE ||
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &sent) || !sent)
            continue;
        http = sent->http;
        answer_take(flight, http, message->data.result);
        sent_end(flight, http);
        if (is_worth_another(flight, http)) {
            http->next = flight->resting;
            flight->resting = http;
        } else {
            *last = http;
            last = &http->next;
        }
    }
}

static int32_t retries_send(qdrant_flight *flight)
{
    qdrant_http **at = &flight->resting;
    int64_t now = sp_clock_now();
    int32_t code = SIMPLUGIN_OK;

    while (!code && *at) {
        qdrant_http *http = *at;

        if (http->retry_at > now) {
            at = &http->next;
            continue;
        }
        *at = http->next;
        http->next = NULL;
        code = send_now(flight, http);
    }
    return code;
}

/* How long there is nothing to do unless something comes. */
static int sleep_ms(const qdrant_flight *flight)
{
    int64_t until = flight->call->info->deadline, left;

    for (const qdrant_http *http = flight->resting; http; http = http->next)
        if (http->retry_at < until)
            until = http->retry_at;
    if (until == SP_NO_DEADLINE)
        return SLEEP_LAST_MS;
    left = (until - sp_clock_now() + MS - 1) / MS;
    return left < 0 ? 0 : left > SLEEP_LAST_MS ? SLEEP_LAST_MS : (int)left;
}

static int32_t step(qdrant_flight *flight)
{
    CURLM *multi = qdrant_lane_multi(flight->lane);
    int running;
    CURLMcode failed = curl_multi_perform(multi, &running);
    int32_t code = SIMPLUGIN_OK;

    if (!failed) {
        ended_collect(flight);
        if (flight->ended)
            return SIMPLUGIN_OK;
        code = plug_check(flight->call);
        if (!code && flight->resting)
            code = retries_send(flight);
        if (!code)
            failed = curl_multi_poll(multi, NULL, 0, sleep_ms(flight), NULL);
    }
    if (failed == CURLM_OUT_OF_MEMORY)
        return plug_no_memory(flight->call);
    return failed ? plug_fail(flight->call, SIMPLUGIN_INTERNAL, "libcurl: %s",
                              curl_multi_strerror(failed))
                  : code;
}

int32_t qdrant_flight_next(qdrant_flight *flight, qdrant_http **http)
{
    int32_t code = SIMPLUGIN_OK;

    *http = NULL;
    ended_collect(flight);
    while (!code && !flight->ended && (flight->active || flight->resting))
        code = step(flight);
    if (code || !flight->ended)
        return code;
    *http = flight->ended;
    flight->ended = (*http)->next;
    (*http)->next = NULL;
    return SIMPLUGIN_OK;
}

/* ---- one request alone -------------------------------------------------------------------- */

int32_t qdrant_http_fail(qdrant_link *link, plug_call *call, const qdrant_http *http)
{
    char what[160];

    snprintf(what, sizeof what, "%s %.*s", http->method, (int)strcspn(http->path, "?"), http->path);
    return qdrant_status_fail(call, what, link->settings, &http->status);
}

int32_t qdrant_try(qdrant_link *link, plug_call *call, qdrant_http *http)
{
    qdrant_flight flight;
    qdrant_http *ended = NULL;
    int32_t code = qdrant_flight_init(&flight, link, call);

    if (!code)
        code = qdrant_flight_start(&flight, http);
    if (!code)
        code = qdrant_flight_next(&flight, &ended);
    qdrant_flight_clear(&flight);
    /* what is too large is the caller's to ask for in parts */
    if (!code && http->status.code && !http->status.arrived && !http->status.reply_too_large)
        code = qdrant_http_fail(link, call, http);
    return code;
}

int32_t qdrant_run(qdrant_link *link, plug_call *call, qdrant_http *http)
{
    int32_t code = qdrant_try(link, call, http);

    if (!code && http->status.code)
        code = qdrant_http_fail(link, call, http);
    return code;
}
