/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "channel.h"

#include <grpc/grpc_security.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define CONNECT_TIMEOUT_MS 5000
#define RECONNECT_FIRST_MS 100
#define RECONNECT_LAST_MS 2000
#define KEEPALIVE_TIMEOUT_MS 20000
#define ARGS_MAX 16
#define STOP_MS 500

/* gRPC is started by the first call of the process, and runs until it ends or forks. */
static struct {
    pthread_once_t once;
    pthread_mutex_t lock;
    int64_t pid;         /* of the process that started it; 0: nobody has */
    milvus_link *links;  /* all there are */
    uint64_t calls;      /* that are being served */
    int is_stuck;        /* a call never came back: gRPC cannot be stopped */
} started = {.once = PTHREAD_ONCE_INIT, .lock = PTHREAD_MUTEX_INITIALIZER};

static int forks_are_supported(void)
{
    const char *value = secure_getenv("GRPC_ENABLE_FORK_SUPPORT");

    return value && (strcmp(value, "1") == 0 || strcasecmp(value, "true") == 0 ||
                     strcasecmp(value, "yes") == 0 || strcasecmp(value, "t") == 0 ||
                     strcasecmp(value, "y") == 0);
}

/* ---- forks ---------------------------------------------------------------------------- */

/*
 * A child has none of gRPC's threads, and cannot start those again. So gRPC is stopped
 * before, and both begin anew with their next calls: unless it is at work.
 */
static void stop_locked(void)
{
    if (started.pid != (int64_t)getpid() || started.calls || started.is_stuck)
        return;
    for (milvus_link *link = started.links; link; link = link->next) {
        if (link->channel && link->pid == started.pid)
            grpc_channel_destroy(link->channel);
        link->channel = NULL;
    }
    grpc_shutdown_blocking();
    started.pid = 0;
    /* channels that were destroyed hold on to it for moments; longer, somebody else uses it */
    for (int i = 0; i < STOP_MS && grpc_is_initialized(); i++)
        usleep(1000);
    if (grpc_is_initialized()) {
        grpc_init();
        started.pid = (int64_t)getpid();
    }
}

static void fork_prepare(void)
{
    pthread_mutex_lock(&started.lock);
    if (forks_are_supported())
        stop_locked();
}

static void fork_done(void)
{
    pthread_mutex_unlock(&started.lock);
}

/* Calls of the parent's other threads never end here. */
static void fork_done_in_child(void)
{
    started.calls = 0;
    fork_done();
}

static void fork_watch(void)
{
    pthread_atfork(fork_prepare, fork_done, fork_done_in_child);
}

void milvus_channel_call_begin(void)
{
    pthread_mutex_lock(&started.lock);
    started.calls++;
    pthread_mutex_unlock(&started.lock);
}

void milvus_channel_call_end(void)
{
    pthread_mutex_lock(&started.lock);
    if (started.calls)
        started.calls--;
    pthread_mutex_unlock(&started.lock);
}

void milvus_channel_stuck(void)
{
    pthread_mutex_lock(&started.lock);
    started.is_stuck = 1;
    pthread_mutex_unlock(&started.lock);
}

/* ---- links ---------------------------------------------------------------------------- */

void milvus_link_init(milvus_link *link, const milvus_settings *settings)
{
    memset(link, 0, sizeof *link);
    link->settings = settings;
    pthread_once(&started.once, fork_watch);
    pthread_mutex_lock(&started.lock);
    link->next = started.links;
    started.links = link;
    pthread_mutex_unlock(&started.lock);
}

void milvus_link_clear(milvus_link *link)
{
    milvus_link **at = &started.links;
    grpc_channel *channel = NULL;

    pthread_mutex_lock(&started.lock);
    while (*at && *at != link)
        at = &(*at)->next;
    if (*at)
        *at = link->next;
    if (link->pid == (int64_t)getpid())
        channel = link->channel;
    link->channel = NULL;
    pthread_mutex_unlock(&started.lock);
    if (channel)
        grpc_channel_destroy(channel);
}

/* ---- making one ------------------------------------------------------------------------- */

static grpc_channel_credentials *credentials_without_checks(const milvus_settings *settings)
{
    grpc_tls_credentials_options *options = grpc_tls_credentials_options_create();
    grpc_tls_certificate_verifier *any_name = grpc_tls_certificate_verifier_no_op_create();
    grpc_tls_identity_pairs *pairs = NULL;

    grpc_tls_credentials_options_set_verify_server_cert(options, 0);
    grpc_tls_credentials_options_set_certificate_verifier(options, any_name);
    grpc_tls_certificate_verifier_release(any_name);
    grpc_tls_credentials_options_set_check_call_host(options, 0);
    if (settings->certificate) {
        grpc_tls_certificate_provider *provider;

        pairs = grpc_tls_identity_pairs_create();
        grpc_tls_identity_pairs_add_pair(pairs, settings->key, settings->certificate);
        provider = grpc_tls_certificate_provider_static_data_create(settings->ca, pairs);
        grpc_tls_credentials_options_set_certificate_provider(options, provider);
        grpc_tls_credentials_options_watch_identity_key_cert_pairs(options);
        grpc_tls_certificate_provider_release(provider);
    }
    return grpc_tls_credentials_create(options);
}

static grpc_channel_credentials *credentials_make(const milvus_settings *settings)
{
    grpc_ssl_pem_key_cert_pair pair = {settings->key, settings->certificate};

    if (!settings->address.tls)
        return grpc_insecure_credentials_create();
    if (!settings->verify)
        return credentials_without_checks(settings);
    return grpc_ssl_credentials_create(settings->ca, settings->certificate ? &pair : NULL, NULL,
                                       NULL);
}

static void arg_int(grpc_channel_args *args, const char *key, int value)
{
    grpc_arg *arg = &args->args[args->num_args++];

    arg->type = GRPC_ARG_INTEGER;
    arg->key = (char *)(uintptr_t)key;
    arg->value.integer = value;
}

static void arg_text(grpc_channel_args *args, const char *key, const char *value)
{
    grpc_arg *arg = &args->args[args->num_args++];

    arg->type = GRPC_ARG_STRING;
    arg->key = (char *)(uintptr_t)key;
    arg->value.string = (char *)(uintptr_t)value;
}

static grpc_channel *channel_make(const milvus_settings *settings)
{
    grpc_arg array[ARGS_MAX];
    grpc_channel_args args = {0, array};
    grpc_channel_credentials *credentials = credentials_make(settings);
    grpc_channel *channel;

    if (!credentials)
        return NULL;
    arg_int(&args, GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, settings->max_receive_bytes);
    arg_int(&args, GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, -1);
    arg_int(&args, GRPC_ARG_ENABLE_RETRIES, 0); /* they are ours: gRPC knows not what is idempotent */
    arg_int(&args, GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, RECONNECT_FIRST_MS);
    arg_int(&args, GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, RECONNECT_LAST_MS);
    arg_int(&args, GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, CONNECT_TIMEOUT_MS);
    /* a child that was forked away must not share a connection with its parent */
    arg_int(&args, GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    if (settings->keepalive_ms) {
        arg_int(&args, GRPC_ARG_KEEPALIVE_TIME_MS, settings->keepalive_ms);
        arg_int(&args, GRPC_ARG_KEEPALIVE_TIMEOUT_MS, KEEPALIVE_TIMEOUT_MS);
    }
    if (settings->address.is_loopback)
        arg_int(&args, GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    if (settings->server_name && settings->address.tls)
        arg_text(&args, GRPC_SSL_TARGET_NAME_OVERRIDE_ARG, settings->server_name);
    channel = grpc_channel_create(settings->address.target, credentials, &args);
    grpc_channel_credentials_release(credentials);
    return channel;
}

static int32_t forked(plug_call *call)
{
    return plug_fail(call, SIMPLUGIN_FORKED,
                     forks_are_supported()
                         ? "gRPC was at work when this process was forked: fork while no call is "
                           "being made"
                         : "gRPC was started by the process that this one was forked from: fork "
                           "before the first call, or set GRPC_ENABLE_FORK_SUPPORT=1 before it");
}

int32_t milvus_channel_get(milvus_link *link, plug_call *call, grpc_channel **channel)
{
    int64_t pid = (int64_t)getpid();
    int32_t code = SIMPLUGIN_OK;

    pthread_mutex_lock(&started.lock);
    if (!started.pid) {
        grpc_init();
        started.pid = pid;
    } else if (started.pid != pid) {
        code = SIMPLUGIN_FORKED;
    }
    /* in a child the server has yet to answer */
    if (!code && link->pid != pid)
        atomic_store(&link->seen, 0);
    if (!code && (!link->channel || link->pid != pid)) {
        link->channel = channel_make(link->settings);
        link->pid = pid;
    }
    *channel = link->channel;
    pthread_mutex_unlock(&started.lock);
    if (code)
        return forked(call);
    return *channel ? SIMPLUGIN_OK
                    : plug_fail(call, SIMPLUGIN_CONFIG,
                                "no connection can be made from these certificates and keys");
}

/* ---- what every call sends --------------------------------------------------------------- */

static void metadata_add(grpc_metadata *metadata, size_t *count, const char *key,
                         const void *value, size_t size)
{
    memset(&metadata[*count], 0, sizeof metadata[*count]);
    metadata[*count].key = grpc_slice_from_static_string(key);
    metadata[*count].value = grpc_slice_from_copied_buffer(value, size);
    ++*count;
}

/* What a header may hold; a trace id is the program's, and may be anything. */
static int is_header_text(const char *text, uint64_t size)
{
    for (uint64_t i = 0; i < size; i++)
        if (text[i] < ' ' || text[i] > '~')
            return 0;
    return size != 0;
}

size_t milvus_metadata_fill(const milvus_settings *settings, const plug_call *call,
                            grpc_metadata *metadata)
{
    const simplugin_call_info *info = call->info;
    size_t count = 0;

    if (settings->authorization)
        metadata_add(metadata, &count, "authorization", settings->authorization,
                     strlen(settings->authorization));
    if (*settings->db_name)
        metadata_add(metadata, &count, "dbname", settings->db_name, strlen(settings->db_name));
    if (info->trace_id && is_header_text(info->trace_id, info->trace_id_size))
        metadata_add(metadata, &count, "client-request-id", info->trace_id,
                     (size_t)info->trace_id_size);
    return count;
}

void milvus_metadata_clear(grpc_metadata *metadata, size_t count)
{
    for (size_t i = 0; i < count; i++)
        grpc_slice_unref(metadata[i].value);
}
