/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lane.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <unistd.h>

#include "call.h"

#define SOCKETS_MAX 128
#define KEEPALIVE_IDLE_S 30L
#define KEEPALIVE_EVERY_S 10L
#define RECEIVE_BUFFER 65536L
#define SEND_BUFFER 262144L
#define FREE_MAX 8
#define FIRST_REPLY ((size_t)4096)
/* No more than this is believed of a Content-Length before it has come. */
#define TRUSTED_LENGTH ((size_t)64 << 20)

struct qdrant_lane {
    struct qdrant_lane *next;        /* of the link's idle ones */
    struct qdrant_lane *all, *above; /* of all there are, guarded by started.lock */
    const qdrant_settings *settings;
    CURLM *multi;
    qdrant_sent *free;
    uint32_t free_count;
    struct curl_slist *headers;    /* that every request has */
    struct curl_slist trace;       /* and the one that this call's have, before them */
    struct curl_slist *connect_to; /* where the server of tls_server_name is */
    int sockets[SOCKETS_MAX];      /* that are open, -1: none; guarded by started.lock */
};

/* libcurl is started once, and stays: others in the process may use it. */
static struct {
    pthread_once_t once;
    pthread_mutex_t lock;
    int is_ready;
    qdrant_lane *lanes; /* all there are, also those of a parent */
} started = {.once = PTHREAD_ONCE_INIT, .lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- forks ---------------------------------------------------------------------------- */

static void fork_prepare(void)
{
    pthread_mutex_lock(&started.lock);
}

static void fork_done(void)
{
    pthread_mutex_unlock(&started.lock);
}

/*
 * The parent's connections are the parent's. Closing our copies of their sockets tells the
 * server nothing; whatever else libcurl would do to end them would. So the handles stay
 * as they are, in no state to be touched: another thread may have been using them.
 */
static void fork_done_in_child(void)
{
    for (qdrant_lane *lane = started.lanes; lane; lane = lane->all)
        for (size_t i = 0; i < SOCKETS_MAX; i++) {
            if (lane->sockets[i] >= 0)
                close(lane->sockets[i]);
            lane->sockets[i] = -1;
        }
    fork_done();
}

static void start(void)
{
    started.is_ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK &&
                       pthread_atfork(fork_prepare, fork_done, fork_done_in_child) == 0;
}

/* ---- sockets -------------------------------------------------------------------------- */

static void socket_replace(qdrant_lane *lane, int from, int to)
{
    pthread_mutex_lock(&started.lock);
    for (size_t i = 0; i < SOCKETS_MAX; i++)
        if (lane->sockets[i] == from) {
            lane->sockets[i] = to;
            break;
        }
    if (to < 0)
        close(from);
    pthread_mutex_unlock(&started.lock);
}

static curl_socket_t socket_open(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

    (void)purpose;
    if (fd >= 0)
        socket_replace(context, -1, fd);
    return fd;
}

static int socket_close(void *context, curl_socket_t fd)
{
    socket_replace(context, fd, -1);
    return 0;
}

/* ---- replies ---------------------------------------------------------------------------- */

/* Room for size bytes and a zero. */
static int reply_reserve(qdrant_http *http, size_t size)
{
    size_t capacity = http->reply_capacity ? http->reply_capacity : FIRST_REPLY;
    char *reply;

    if (size < http->reply_capacity)
        return 1;
    while (capacity <= size)
        capacity *= 2;
    reply = realloc(http->reply, capacity);
    if (!reply)
        return 0;
    http->reply = reply;
    http->reply_capacity = capacity;
    return 1;
}

static size_t reply_take(char *data, size_t one, size_t size, void *context)
{
    qdrant_sent *sent = context;
    qdrant_http *http = sent->http;
    size_t max = (size_t)sent->lane->settings->max_receive_bytes;
    curl_off_t length = -1;

    (void)one;
    sent->is_too_large = size > max || http->reply_size > max - size;
    if (sent->is_too_large)
        return 0;
    if (!http->reply_size)
        curl_easy_getinfo(sent->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    sent->has_no_memory =
        (length > 0 && (size_t)length <= TRUSTED_LENGTH && !reply_reserve(http, (size_t)length)) ||
        !reply_reserve(http, http->reply_size + size);
    if (sent->has_no_memory)
        return 0;
    memcpy(http->reply + http->reply_size, data, size);
    http->reply_size += size;
    http->reply[http->reply_size] = 0;
    return size;
}

/* ---- handles ---------------------------------------------------------------------------- */

/* Failures of options are ones of memory, or of an older libcurl than configure asked for. */
#define SET(option, value) \
    if (!code)             \
    code = curl_easy_setopt(easy, option, value)

static CURLcode blob_set(CURL *easy, CURLoption option, const char *pem)
{
    struct curl_blob blob = {NULL, 0, CURL_BLOB_NOCOPY};

    if (!pem)
        return CURLE_OK;
    blob.data = (char *)(uintptr_t)pem;
    blob.len = strlen(pem);
    return curl_easy_setopt(easy, option, &blob);
}

static CURLcode tls_set(CURL *easy, const qdrant_settings *settings)
{
    CURLcode code = CURLE_OK;

    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    /* requests that start together share a connection, if the server can */
    SET(CURLOPT_PIPEWAIT, 1L);
    SET(CURLOPT_SSL_VERIFYPEER, settings->verify ? 1L : 0L);
    SET(CURLOPT_SSL_VERIFYHOST, settings->verify ? 2L : 0L);
    if (settings->ca) {
        /* these and no others */
        SET(CURLOPT_CAPATH, NULL);
        if (!code)
            code = blob_set(easy, CURLOPT_CAINFO_BLOB, settings->ca);
    }
    if (!code)
        code = blob_set(easy, CURLOPT_SSLCERT_BLOB, settings->certificate);
    if (!code)
        code = blob_set(easy, CURLOPT_SSLKEY_BLOB, settings->key);
    return code;
}

/* The environment's proxy, but never to this machine unless that is asked for. */
static CURLcode proxy_set(CURL *easy, const qdrant_settings *settings)
{
    CURLcode code = CURLE_OK;

    if (settings->proxy) {
        SET(CURLOPT_PROXY, settings->proxy);
        SET(CURLOPT_NOPROXY, "");
    } else if (settings->address.is_loopback || getauxval(AT_SECURE)) {
        SET(CURLOPT_PROXY, "");
    }
    return code;
}

/* All that is the same for every request of a link. */
static CURLcode easy_set(CURL *easy, qdrant_lane *lane, qdrant_sent *sent)
{
    const qdrant_settings *settings = lane->settings;
    CURLcode code = CURLE_OK;

    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L); /* nobody waits for the resolver's thread */
    SET(CURLOPT_PROTOCOLS_STR, settings->address.tls ? "https" : "http");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_USERAGENT, "simplugin-qdrant/" QDRANT_BACKEND_VERSION);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
    SET(CURLOPT_TCP_KEEPINTVL, KEEPALIVE_EVERY_S);
    SET(CURLOPT_BUFFERSIZE, RECEIVE_BUFFER);
    SET(CURLOPT_UPLOAD_BUFFERSIZE, SEND_BUFFER);
    SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)settings->max_receive_bytes);
    SET(CURLOPT_OPENSOCKETFUNCTION, socket_open);
    SET(CURLOPT_OPENSOCKETDATA, lane);
    SET(CURLOPT_CLOSESOCKETFUNCTION, socket_close);
    SET(CURLOPT_CLOSESOCKETDATA, lane);
    SET(CURLOPT_WRITEFUNCTION, reply_take);
    SET(CURLOPT_WRITEDATA, sent);
    SET(CURLOPT_PRIVATE, sent);
    SET(CURLOPT_ERRORBUFFER, sent->words);
    SET(CURLOPT_CONNECT_TO, lane->connect_to);
    if (!code)
        code = proxy_set(easy, settings);
    if (!code && settings->address.tls)
        code = tls_set(easy, settings);
    else
        SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    return code;
}

static qdrant_sent *sent_make(qdrant_lane *lane)
{
    qdrant_sent *sent = calloc(1, sizeof *sent);

    if (!sent)
        return NULL;
    sent->lane = lane;
    sent->easy = curl_easy_init();
    if (sent->easy && !easy_set(sent->easy, lane, sent))
        return sent;
    curl_easy_cleanup(sent->easy);
    free(sent);
    return NULL;
}

static CURLcode url_set(CURL *easy, const qdrant_settings *settings, const char *path)
{
    const qdrant_address *address = &settings->address;
    const char *host = settings->server_name && address->tls ? settings->server_name : NULL;
    CURLcode code = CURLE_OUT_OF_MEMORY;
    char *url = NULL;
    int size = host ? asprintf(&url, "https://%s:%d%s%s", host, address->port, address->prefix, path)
                    : asprintf(&url, "%s://%s%s%s", address->tls ? "https" : "http",
                               address->target, address->prefix, path);

    if (size < 0)
        return code;
    code = curl_easy_setopt(easy, CURLOPT_URL, url);
    free(url);
    return code;
}

/* All that is this request's own. */
static CURLcode request_set(CURL *easy, qdrant_lane *lane, const qdrant_http *http,
                            long connect_ms)
{
    int is_get = strcmp(http->method, "GET") == 0 && !http->body;
    CURLcode code = url_set(easy, lane->settings, http->path);

    SET(CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
    /* libcurl sends once more what went into a kept connection that was being closed */
    SET(CURLOPT_FRESH_CONNECT, http->idempotent ? 0L : 1L);
    /* a server that comes back may do so at another address */
    SET(CURLOPT_DNS_CACHE_TIMEOUT, http->first_failure ? 0L : 60L);
    SET(CURLOPT_HTTPHEADER, lane->trace.data ? &lane->trace : lane->headers);
    if (is_get) {
        SET(CURLOPT_POSTFIELDS, NULL);
        SET(CURLOPT_HTTPGET, 1L);
        SET(CURLOPT_CUSTOMREQUEST, NULL);
        return code;
    }
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_CUSTOMREQUEST, http->method);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)http->body_size);
    SET(CURLOPT_POSTFIELDS, http->body ? http->body : "");
    return code;
}

qdrant_sent *qdrant_sent_new(qdrant_lane *lane, qdrant_http *http, long connect_ms)
{
    qdrant_sent *sent = lane->free;

    if (sent) {
        lane->free = sent->next;
        lane->free_count--;
    } else {
        sent = sent_make(lane);
    }
    if (!sent)
        return NULL;
    sent->next = NULL;
    sent->http = http;
    sent->is_too_large = sent->has_no_memory = 0;
    sent->words[0] = 0;
    if (!request_set(sent->easy, lane, http, connect_ms))
        return sent;
    qdrant_sent_end(sent);
    return NULL;
}

static void sent_free(qdrant_sent *sent)
{
    curl_easy_cleanup(sent->easy);
    free(sent);
}

void qdrant_sent_end(qdrant_sent *sent)
{
    qdrant_lane *lane = sent->lane;

    sent->http = NULL;
    if (lane->free_count == FREE_MAX) {
        sent_free(sent);
        return;
    }
    /* what was borrowed is the caller's again */
    curl_easy_setopt(sent->easy, CURLOPT_POSTFIELDS, NULL);
    sent->next = lane->free;
    lane->free = sent;
    lane->free_count++;
}

/* ---- lanes -------------------------------------------------------------------------------- */

static void lane_free(qdrant_lane *lane)
{
    while (lane->free) {
        qdrant_sent *next = lane->free->next;

        sent_free(lane->free);
        lane->free = next;
    }
    if (lane->multi)
        curl_multi_cleanup(lane->multi);
    pthread_mutex_lock(&started.lock);
    if (lane->above)
        lane->above->all = lane->all;
    else if (started.lanes == lane)
        started.lanes = lane->all;
    if (lane->all)
        lane->all->above = lane->above;
    pthread_mutex_unlock(&started.lock);
    curl_slist_free_all(lane->headers);
    curl_slist_free_all(lane->connect_to);
    free(lane);
}

/* 0: no memory. */
static int list_add(struct curl_slist **list, const char *text)
{
    struct curl_slist *longer = curl_slist_append(*list, text);

    if (longer)
        *list = longer;
    return longer != NULL;
}

static int headers_make(qdrant_lane *lane)
{
    const char *key = lane->settings->api_key;
    char *header = NULL;
    int ok = list_add(&lane->headers, "Content-Type: application/json") &&
             list_add(&lane->headers, "Expect:"); /* no waiting before a body is sent */

    if (ok && key) {
        ok = asprintf(&header, "api-key: %s", key) >= 0 && list_add(&lane->headers, header);
        if (ok)
            explicit_bzero(header, strlen(header));
        free(header);
    }
    return ok;
}

/* Under the name its certificate was made for, the server is where it is. */
static int connect_to_make(qdrant_lane *lane)
{
    const qdrant_settings *settings = lane->settings;
    char text[2 * QDRANT_HOST_MAX + 64];

    if (!settings->server_name || !settings->address.tls)
        return 1;
    snprintf(text, sizeof text, "%s:%d:%s", settings->server_name, settings->address.port,
             settings->address.target);
    return list_add(&lane->connect_to, text);
}

static qdrant_lane *lane_new(const qdrant_settings *settings)
{
    qdrant_lane *lane;

    pthread_once(&started.once, start);
    lane = started.is_ready ? calloc(1, sizeof *lane) : NULL;
    if (!lane)
        return NULL;
    lane->settings = settings;
    for (size_t i = 0; i < SOCKETS_MAX; i++)
        lane->sockets[i] = -1;
    pthread_mutex_lock(&started.lock);
    lane->all = started.lanes;
    if (lane->all)
        lane->all->above = lane;
    started.lanes = lane;
    pthread_mutex_unlock(&started.lock);
    lane->multi = curl_multi_init();
    if (lane->multi && headers_make(lane) && connect_to_make(lane) &&
        !curl_multi_setopt(lane->multi, CURLMOPT_MAXCONNECTS, (long)settings->batches_in_flight + 4))
        return lane;
    lane_free(lane);
    return NULL;
}

/* What a header may hold; a trace id is the program's, and may be anything. */
static int is_header_text(const char *text, uint64_t size)
{
    for (uint64_t i = 0; i < size; i++)
        if (text[i] < ' ' || text[i] > '~')
            return 0;
    return size != 0;
}

static void trace_set(qdrant_lane *lane, plug_call *call)
{
    const simplugin_call_info *info = call->info;
    char *header = NULL;
    size_t size = sizeof "x-request-id: " - 1;

    if (info->trace_id && is_header_text(info->trace_id, info->trace_id_size))
        header = plug_scratch(call, size + info->trace_id_size + 1, 1);
    if (header) {
        memcpy(header, "x-request-id: ", size);
        memcpy(header + size, info->trace_id, (size_t)info->trace_id_size);
    }
    lane->trace.data = header;
    lane->trace.next = lane->headers;
}

qdrant_lane *qdrant_lane_take(qdrant_link *link, plug_call *call)
{
    int64_t pid = (int64_t)getpid();
    qdrant_lane *lane;

    pthread_mutex_lock(&started.lock);
    if (link->pid != pid) {
        /* the parent's lanes, and what the parent knew of the server */
        link->idle = NULL;
        link->idle_count = 0;
        link->pid = pid;
        atomic_store(&link->seen, 0);
    }
    lane = link->idle;
    if (lane) {
        link->idle = lane->next;
        link->idle_count--;
    }
    pthread_mutex_unlock(&started.lock);
    if (!lane)
        lane = lane_new(link->settings);
    if (lane) {
        lane->next = NULL;
        trace_set(lane, call);
    }
    return lane;
}

void qdrant_lane_give(qdrant_link *link, qdrant_lane *lane)
{
    if (!lane)
        return;
    lane->trace.data = NULL;
    pthread_mutex_lock(&started.lock);
    if (link->idle_count < QDRANT_LANES_KEPT) {
        lane->next = link->idle;
        link->idle = lane;
        link->idle_count++;
        lane = NULL;
    }
    pthread_mutex_unlock(&started.lock);
    if (lane)
        lane_free(lane);
}

CURLM *qdrant_lane_multi(const qdrant_lane *lane)
{
    return lane->multi;
}

/* ---- links -------------------------------------------------------------------------------- */

void qdrant_link_init(qdrant_link *link, const qdrant_settings *settings)
{
    memset(link, 0, sizeof *link);
    link->settings = settings;
    link->pid = (int64_t)getpid();
}

void qdrant_link_clear(qdrant_link *link)
{
    int is_quiet, was_pending;

    qdrant_quiet_begin(&is_quiet, &was_pending);
    while (link->idle && link->pid == (int64_t)getpid()) {
        qdrant_lane *next = link->idle->next;

        lane_free(link->idle);
        link->idle = next;
    }
    qdrant_quiet_end(is_quiet, was_pending);
    link->idle = NULL;
    link->idle_count = 0;
}

/* ---- SIGPIPE ------------------------------------------------------------------------------ */

static sigset_t pipe_set(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    return set;
}

void qdrant_quiet_begin(int *is_quiet, int *was_pending)
{
    sigset_t set = pipe_set(), before;

    sigpending(&before);
    *was_pending = sigismember(&before, SIGPIPE) == 1;
    *is_quiet = pthread_sigmask(SIG_BLOCK, &set, &before) == 0 && !sigismember(&before, SIGPIPE);
}

void qdrant_quiet_end(int is_quiet, int was_pending)
{
    static const struct timespec at_once = {0, 0};
    sigset_t set = pipe_set();

    /* ours, if there is one now */
    while (!was_pending && sigtimedwait(&set, NULL, &at_once) < 0 && errno == EINTR)
        ;
    if (is_quiet)
        pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
