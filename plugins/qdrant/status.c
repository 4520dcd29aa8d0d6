/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "status.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "plug_open.h"

/* Longer errors are not looked into: Qdrant's are lines. */
#define ERROR_MAX ((size_t)1 << 20)
/* What is shorter is in every text. */
#define SECRET_MIN 4

static int has_words(const char *text, const char *words)
{
    size_t size = strlen(words);

    for (; *text; text++)
        if (strncasecmp(text, words, size) == 0)
            return 1;
    return 0;
}

void qdrant_status_say(qdrant_status *status, const char *words, size_t size)
{
    if (size >= sizeof status->reason)
        size = sizeof status->reason - 1;
    if (size)
        memcpy(status->reason, words, size);
    while (size && !simplugin_utf8_check((const uint8_t *)status->reason, size))
        size--;
    status->reason[size] = 0;
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)status->reason[i] < ' ' || status->reason[i] == 127)
            status->reason[i] = ' ';
    while (size && status->reason[size - 1] == ' ')
        status->reason[--size] = 0;
}

static void say(qdrant_status *status, const char *words)
{
    qdrant_status_say(status, words, strlen(words));
}

/* Where the secret, or the beginning of it at the end of the text, stands; *size: how much. */
static char *secret_find(char *text, const char *secret, size_t *size)
{
    char *found = strstr(text, secret);

    *size = strlen(secret);
    if (found)
        return found;
    /* the text was cut there */
    for (size_t left = strlen(text); --*size >= SECRET_MIN;)
        if (left >= *size && memcmp(text + left - *size, secret, *size) == 0)
            return text + left - *size;
    return NULL;
}

static void secret_mask(char *reason, const char *secret)
{
    char *at = reason;
    size_t size;

    if (!secret || strlen(secret) < SECRET_MIN)
        return;
    while ((at = secret_find(at, secret, &size))) {
        memcpy(at, "****", 4);
        memmove(at + 4, at + size, strlen(at + size) + 1);
        at += 4;
    }
}

/* That of a URL such as http://name:password@host:3128. */
static void password_mask(char *reason, const char *url)
{
    const char *begin = url ? strstr(url, "://") : NULL;
    const char *end = begin ? strrchr(begin, '@') : NULL;
    const char *colon = end ? memchr(begin + 3, ':', (size_t)(end - begin - 3)) : NULL;
    char *password = colon ? strndup(colon + 1, (size_t)(end - colon - 1)) : NULL;

    secret_mask(reason, password);
    plug_secret_free(password);
}

void qdrant_status_mask(qdrant_status *status, const qdrant_settings *settings)
{
    secret_mask(status->reason, settings->api_key);
    secret_mask(status->reason, settings->proxy);
    password_mask(status->reason, settings->proxy);
}

/* ---- Qdrant --------------------------------------------------------------------------- */

/* {"status": {"error": "..."}} into the reason; 0: it is not that, and stays text. */
static int error_read(qdrant_status *status, const char *body, size_t size)
{
    json_t *root = size <= ERROR_MAX ? json_loadb(body, size, JSON_REJECT_DUPLICATES, NULL) : NULL;
    json_t *error = json_object_get(json_object_get(root, "status"), "error");
    int found = json_is_string(error);

    if (found)
        qdrant_status_say(status, json_string_value(error), json_string_length(error));
    else
        qdrant_status_say(status, body, size);
    json_decref(root);
    return found;
}

static int is_dimension(const char *reason)
{
    return has_words(reason, "dimension error") || has_words(reason, "expected dim") ||
           has_words(reason, "wrong vector dimension");
}

static int32_t code_of_words(const char *reason, int32_t otherwise)
{
    if (is_dimension(reason))
        return SIMPLUGIN_DIMENSION_MISMATCH;
    if (has_words(reason, "already exists"))
        return SIMPLUGIN_ALREADY_EXISTS;
    if (has_words(reason, "no space left on device"))
        return SIMPLUGIN_NO_SPACE;
    return otherwise;
}

/* is_qdrant: the body is an error as Qdrant writes them. */
static int32_t code_of_http(int32_t http, const char *reason, int is_qdrant)
{
    switch (http) {
    case 400:
    case 422: return code_of_words(reason, SIMPLUGIN_INVALID_ARGUMENT);
    case 401: return SIMPLUGIN_UNAUTHENTICATED;
    /* versions before 1.9 say so of a wrong key */
    case 403:
        return has_words(reason, "invalid api-key") || has_words(reason, "invalid api key")
                   ? SIMPLUGIN_UNAUTHENTICATED
                   : SIMPLUGIN_PERMISSION_DENIED;
    case 404: return is_qdrant ? SIMPLUGIN_NOT_FOUND : SIMPLUGIN_UNIMPLEMENTED;
    case 405: return SIMPLUGIN_UNIMPLEMENTED;
    case 407: return SIMPLUGIN_UNAVAILABLE;
    case 409: return code_of_words(reason, SIMPLUGIN_ALREADY_EXISTS);
    case 429: return SIMPLUGIN_RESOURCE_EXHAUSTED;
    case 408:
    case 502:
    case 503:
    case 504: return SIMPLUGIN_UNAVAILABLE;
    case 507: return SIMPLUGIN_NO_SPACE;
    default:
        if (http >= 500)
            return code_of_words(reason, SIMPLUGIN_INTERNAL);
        return http >= 400 ? SIMPLUGIN_INVALID_ARGUMENT : SIMPLUGIN_PROTOCOL;
    }
}

void qdrant_status_read(qdrant_status *status, int32_t http, const char *body, size_t size)
{
    int is_qdrant;

    memset(status, 0, sizeof *status);
    status->http = http;
    status->arrived = 1;
    if (http >= 200 && http <= 299)
        return;
    is_qdrant = error_read(status, body, size);
    /* Qdrant says 400 of a body above its own limit, a proxy before it 413 */
    status->too_large = http == 413 || (http == 400 && has_words(status->reason, "payload") &&
                                        has_words(status->reason, "larger than allowed"));
    status->code = status->too_large ? SIMPLUGIN_RESOURCE_EXHAUSTED
                                     : code_of_http(http, status->reason, is_qdrant);
    status->retryable = http == 408 || http == 429 || http == 502 || http == 503 || http == 504;
    if (!*status->reason)
        snprintf(status->reason, sizeof status->reason, "HTTP status %d", (int)http);
    else if (!is_qdrant) {
        char text[QDRANT_REASON_MAX + 32];

        snprintf(text, sizeof text, "HTTP status %d: %s", (int)http, status->reason);
        say(status, text);
    }
}

/* ---- libcurl -------------------------------------------------------------------------- */

/* The peer went away in the middle of a handshake: it may be back. */
static int is_reset(const char *words)
{
    return has_words(words, "connection reset") || has_words(words, "ssl_error_syscall") ||
           has_words(words, "unexpected eof") || has_words(words, "broken pipe");
}

static int is_alert(const char *words)
{
    return has_words(words, "alert") && has_words(words, "certificate");
}

static int is_proxy(const char *words)
{
    return has_words(words, "CONNECT tunnel") || has_words(words, "from proxy");
}

static int32_t code_of_curl(CURLcode code, const char *words)
{
    switch (code) {
    case CURLE_OK: return SIMPLUGIN_OK;
    case CURLE_OUT_OF_MEMORY: return SIMPLUGIN_OUT_OF_MEMORY;
    /* not HTTP/1.1: another protocol's first bytes */
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING: return SIMPLUGIN_PROTOCOL;
    case CURLE_FILESIZE_EXCEEDED: return SIMPLUGIN_RESOURCE_EXHAUSTED;
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ENGINE_NOTFOUND: return SIMPLUGIN_CONFIG;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_PROXY: return SIMPLUGIN_UNAVAILABLE;
    default: return has_words(words, "certificate") ? SIMPLUGIN_UNAVAILABLE : SIMPLUGIN_INTERNAL;
    }
}

static int may_do_later(CURLcode code, const char *words)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM: return 1;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR: return !is_alert(words) && !is_proxy(words);
    case CURLE_SSL_CONNECT_ERROR: return is_reset(words);
    default: return 0;
    }
}

void qdrant_status_of_curl(qdrant_status *status, CURLcode code, const char *words, long os)
{
    char text[QDRANT_REASON_MAX];
    char system[96] = "";

    memset(status, 0, sizeof *status);
    if (!words || !*words)
        words = curl_easy_strerror(code);
    status->code = code_of_curl(code, words);
    status->retryable = may_do_later(code, words);
    switch (code) {
    case CURLE_OK: return;
    case CURLE_COULDNT_CONNECT:
        snprintf(text, sizeof text, "cannot connect: %s",
                 os ? strerror_r((int)os, system, sizeof system) : words);
        break;
    case CURLE_OPERATION_TIMEDOUT:
        snprintf(text, sizeof text, "connecting takes too long: %s", words);
        break;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
        snprintf(text, sizeof text, "it answers, but not with HTTP/JSON");
        break;
    case CURLE_GOT_NOTHING:
        snprintf(text, sizeof text, "it closed the connection without an answer");
        break;
    case CURLE_PARTIAL_FILE:
        snprintf(text, sizeof text, "the reply was cut in the middle: %s", words);
        break;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        snprintf(text, sizeof text, "the connection was lost: %s", words);
        break;
    case CURLE_FILESIZE_EXCEEDED:
        status->reply_too_large = 1;
        snprintf(text, sizeof text, "the reply is larger than max_receive_bytes");
        break;
    default: snprintf(text, sizeof text, "%s", words);
    }
    say(status, text);
}

/* ---- the error ------------------------------------------------------------------------ */

/* No answer, or none of Qdrant's. */
static const char *advice_connection(const qdrant_status *status, const qdrant_settings *settings)
{
    const char *reason = status->reason;

    if (is_proxy(reason))
        return "; is the proxy right (proxy, https_proxy, no_proxy in the environment)?";
    if (is_alert(reason))
        return "; the server wants a client certificate (tls_cert, tls_key), or another one";
    if (has_words(reason, "certificate") || has_words(reason, "subject name"))
        return "; the certificate was not accepted: has it expired, does tls_ca name its "
               "authority, tls_server_name the name it was made for?";
    if (has_words(reason, "wrong version number") || has_words(reason, "packet length too long"))
        return "; no TLS is spoken there: is it an http:// url?";
    if (has_words(reason, "ssl") && settings->address.tls)
        return "; no TLS handshake: is https right for this server, does it ask for a client "
               "certificate (tls_cert, tls_key)?";
    if (has_words(reason, "resolve"))
        return "; is the host's name right?";
    if (has_words(reason, "without an answer") || has_words(reason, "connection was lost"))
        return settings->address.tls
                   ? "; does it ask for a client certificate (tls_cert, tls_key), is this Qdrant's "
                     "REST port (6333 by default)?"
                   : "; does it want TLS (an https:// url), is this Qdrant's REST port (6333 by "
                     "default)?";
    if (has_words(reason, "cut in the middle"))
        return "";
    return "; is the server running there, and is this its REST port (6333 by default)?";
}

/* What to do about it, where the server's words do not say. */
static const char *advice(const qdrant_status *status, const qdrant_settings *settings)
{
    switch (status->code) {
    case SIMPLUGIN_UNAVAILABLE:
        if (status->http == 407)
            return "; the proxy wants a user and a password in its URL";
        return status->arrived ? "" : advice_connection(status, settings);
    case SIMPLUGIN_UNAUTHENTICATED:
        return settings->api_key ? "; check api_key" : "; give an api_key";
    case SIMPLUGIN_PERMISSION_DENIED: return "; the api_key does not allow this";
    case SIMPLUGIN_UNIMPLEMENTED:
        return "; the server has no such path: is it Qdrant's REST port (6333 by default), is the "
               "path of the url right, or is its version too old?";
    case SIMPLUGIN_RESOURCE_EXHAUSTED:
        if (status->reply_too_large)
            return "; ask for less, or raise max_receive_bytes";
        return status->too_large ? "; lower batch_bytes" : "";
    case SIMPLUGIN_CONFIG:
        return "; no connection can be made: are tls_cert and tls_key a certificate and its key, "
               "tls_ca an authority's?";
    case SIMPLUGIN_PROTOCOL:
        if (status->http >= 300 && status->http <= 399)
            return "; nothing is sent on, least of all a key: give the server's own url";
        if (settings->address.tls)
            return "; is this Qdrant's REST port (6333 by default)?";
        return "; is this Qdrant's REST port (6333 by default), does it want TLS (an https:// "
               "url)?";
    default: return "";
    }
}

int32_t qdrant_status_fail(plug_call *call, const char *what, const qdrant_settings *settings,
                           const qdrant_status *status)
{
    if (status->code == SIMPLUGIN_OUT_OF_MEMORY)
        return plug_no_memory(call);
    plug_fail(call, status->code, "%.120s at %s: %s%s", what, settings->address.target,
              *status->reason ? status->reason : "failed", advice(status, settings));
    plug_host->error_set_backend(call->error, status->http, status->reason,
                                 strlen(status->reason));
    plug_host->error_set_retryable(call->error, status->retryable);
    return status->code;
}
