/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "transport.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/support/alloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "channel.h"
#include "clock.h"

#define SERVICE "/milvus.proto.milvus.MilvusService/"
#define PATH_MAX_BYTES 96
/* Pauses before a call is sent again. */
#define PAUSE_FIRST (INT64_C(50) * 1000000)
#define PAUSE_LAST (INT64_C(2000) * 1000000)
/* gRPC ends a call at its deadline; should it not, nobody waits longer than this. */
#define GRACE (INT64_C(80) * 1000000)

/* ---- one call ------------------------------------------------------------------------- */

/* What gRPC writes to until it hands it back: apart, as it may keep it for good. */
typedef struct milvus_sent {
    milvus_rpc *rpc;
    grpc_call *call;
    grpc_metadata_array initial, trailing;
    grpc_byte_buffer *received;
    grpc_status_code code;
    grpc_slice details;
} milvus_sent;

void milvus_rpc_init(milvus_rpc *rpc, const char *method)
{
    memset(rpc, 0, sizeof *rpc);
    rpc->method = method;
    rpc->idempotent = 1;
    rpc->reply_slice = grpc_empty_slice();
}

void milvus_rpc_take(milvus_rpc *rpc, void *data, size_t size)
{
    rpc->parts[rpc->part_count++] =
        data ? grpc_slice_new(data, size, free) : grpc_empty_slice();
}

static void wipe_free(void *data, size_t size)
{
    explicit_bzero(data, size);
    free(data);
}

void milvus_rpc_take_secret(milvus_rpc *rpc, void *data, size_t size)
{
    rpc->parts[rpc->part_count++] =
        data ? grpc_slice_new_with_len(data, size, wipe_free) : grpc_empty_slice();
}

/* Forgets an answer, so that the call can be sent again. */
static void answer_clear(milvus_rpc *rpc)
{
    grpc_slice_unref(rpc->reply_slice);
    rpc->reply_slice = grpc_empty_slice();
    rpc->reply = NULL;
    rpc->reply_size = 0;
}

void milvus_rpc_clear(milvus_rpc *rpc)
{
    answer_clear(rpc);
    for (size_t i = 0; i < rpc->part_count; i++)
        grpc_slice_unref(rpc->parts[i]);
    rpc->part_count = 0;
}

/* ---- flights ------------------------------------------------------------------------ */

static void cancel_fired(void *context)
{
    milvus_flight *flight = context;

    pthread_mutex_lock(&flight->lock);
    flight->cancelled = 1;
    for (milvus_rpc *rpc = flight->active; rpc; rpc = rpc->next)
        grpc_call_cancel(rpc->sent->call, NULL);
    pthread_cond_signal(&flight->woken);
    pthread_mutex_unlock(&flight->lock);
}

int32_t milvus_flight_init(milvus_flight *flight, milvus_link *link, plug_call *call)
{
    pthread_condattr_t attributes;
    int32_t code;

    memset(flight, 0, sizeof *flight);
    flight->link = link;
    flight->call = call;
    pthread_mutex_init(&flight->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&flight->woken, &attributes);
    pthread_condattr_destroy(&attributes);
    code = milvus_channel_get(link, call, &flight->channel);
    if (code)
        return code;
    flight->queue = grpc_completion_queue_create_for_next(NULL);
    if (call->info->cancel &&
        plug_host->cancel_watch(call->info->cancel, cancel_fired, flight, &flight->watch))
        flight->watch = 0; /* a token that is gone can no longer be fired */
    return SIMPLUGIN_OK;
}

static void active_remove(milvus_flight *flight, milvus_rpc *rpc)
{
    milvus_rpc **at = &flight->active;

    pthread_mutex_lock(&flight->lock);
    while (*at && *at != rpc)
        at = &(*at)->next;
    if (*at)
        *at = rpc->next;
    pthread_mutex_unlock(&flight->lock);
    rpc->next = NULL;
}

static void sent_free(milvus_sent *sent)
{
    sent->rpc->sent = NULL;
    grpc_metadata_array_destroy(&sent->initial);
    grpc_metadata_array_destroy(&sent->trailing);
    if (sent->received)
        grpc_byte_buffer_destroy(sent->received);
    grpc_slice_unref(sent->details);
    if (sent->call)
        grpc_call_unref(sent->call);
    free(sent);
}

static gpr_timespec timespec_of(int64_t deadline)
{
    gpr_timespec at = {deadline / 1000000000, (int32_t)(deadline % 1000000000),
                       GPR_CLOCK_MONOTONIC};

    return deadline == SP_NO_DEADLINE ? gpr_inf_future(GPR_CLOCK_MONOTONIC) : at;
}

static int64_t deadline_with_grace(const milvus_flight *flight)
{
    int64_t deadline = flight->call->info->deadline;

    return deadline > SP_NO_DEADLINE - GRACE ? SP_NO_DEADLINE : deadline + GRACE;
}

void milvus_flight_clear(milvus_flight *flight)
{
    if (flight->watch)
        plug_host->cancel_unwatch(flight->watch);
    for (milvus_rpc *rpc = flight->active; rpc; rpc = rpc->next)
        grpc_call_cancel(rpc->sent->call, NULL);
    while (flight->active && !flight->lost) {
        grpc_event event = grpc_completion_queue_next(
            flight->queue, timespec_of(sp_clock_now() + 10 * GRACE), NULL);

        if (event.type != GRPC_OP_COMPLETE) {
            flight->lost = 1;
            break;
        }
        active_remove(flight, ((milvus_sent *)event.tag)->rpc);
        sent_free(event.tag);
    }
    if (flight->queue && !flight->lost) {
        grpc_completion_queue_shutdown(flight->queue);
        while (grpc_completion_queue_next(flight->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL)
                   .type != GRPC_QUEUE_SHUTDOWN)
            ;
        grpc_completion_queue_destroy(flight->queue);
    }
    if (flight->lost)
        milvus_channel_stuck();
    flight->queue = NULL;
    pthread_cond_destroy(&flight->woken);
    pthread_mutex_destroy(&flight->lock);
}

static milvus_sent *sent_new(milvus_flight *flight, milvus_rpc *rpc)
{
    milvus_sent *sent = calloc(1, sizeof *sent);
    char path[PATH_MAX_BYTES];
    grpc_slice method;

    if (!sent)
        return NULL;
    snprintf(path, sizeof path, SERVICE "%s", rpc->method);
    method = grpc_slice_from_copied_string(path);
    sent->rpc = rpc;
    sent->call = grpc_channel_create_call(flight->channel, NULL, GRPC_PROPAGATE_DEFAULTS,
                                          flight->queue, method, NULL,
                                          timespec_of(flight->call->info->deadline), NULL);
    sent->details = grpc_empty_slice();
    grpc_metadata_array_init(&sent->initial);
    grpc_metadata_array_init(&sent->trailing);
    grpc_slice_unref(method);
    return sent;
}

/* From here on the call is in the list that the cancel token goes through. */
static void active_add(milvus_flight *flight, milvus_rpc *rpc, milvus_sent *sent)
{
    pthread_mutex_lock(&flight->lock);
    rpc->sent = sent;
    rpc->next = flight->active;
    flight->active = rpc;
    if (flight->cancelled)
        grpc_call_cancel(sent->call, NULL);
    pthread_mutex_unlock(&flight->lock);
}

static int32_t send_now(milvus_flight *flight, milvus_rpc *rpc)
{
    grpc_metadata metadata[MILVUS_METADATA_MAX];
    grpc_op ops[6];
    grpc_byte_buffer *message;
    milvus_sent *sent;
    grpc_call_error refused;
    size_t count;

    answer_clear(rpc);
    sent = sent_new(flight, rpc);
    if (!sent)
        return plug_no_memory(flight->call);
    message = grpc_raw_byte_buffer_create(rpc->parts, rpc->part_count);
    count = milvus_metadata_fill(flight->link->settings, flight->call, metadata);
    memset(ops, 0, sizeof ops);
    ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
    /* gRPC connects only while somebody waits for it */
    if (rpc->first_failure)
        ops[0].flags = GRPC_INITIAL_METADATA_WAIT_FOR_READY |
                       GRPC_INITIAL_METADATA_WAIT_FOR_READY_EXPLICITLY_SET;
    ops[0].data.send_initial_metadata.count = count;
    ops[0].data.send_initial_metadata.metadata = metadata;
    ops[1].op = GRPC_OP_SEND_MESSAGE;
    ops[1].data.send_message.send_message = message;
    ops[2].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
    ops[3].op = GRPC_OP_RECV_INITIAL_METADATA;
    ops[3].data.recv_initial_metadata.recv_initial_metadata = &sent->initial;
    ops[4].op = GRPC_OP_RECV_MESSAGE;
    ops[4].data.recv_message.recv_message = &sent->received;
    ops[5].op = GRPC_OP_RECV_STATUS_ON_CLIENT;
    ops[5].data.recv_status_on_client.trailing_metadata = &sent->trailing;
    ops[5].data.recv_status_on_client.status = &sent->code;
    ops[5].data.recv_status_on_client.status_details = &sent->details;
    rpc->attempts++;
    refused = grpc_call_start_batch(sent->call, ops, 6, sent, NULL);
    if (refused == GRPC_CALL_OK)
        active_add(flight, rpc, sent);
    else
        sent_free(sent);
    grpc_byte_buffer_destroy(message);
    milvus_metadata_clear(metadata, count);
    return refused == GRPC_CALL_OK
               ? SIMPLUGIN_OK
               : plug_fail(flight->call, SIMPLUGIN_INTERNAL, "%s: gRPC did not take the call: %s",
                           rpc->method, grpc_call_error_to_string(refused));
}

int32_t milvus_flight_start(milvus_flight *flight, milvus_rpc *rpc)
{
    int32_t code = plug_check(flight->call);

    return code ? code : send_now(flight, rpc);
}

/* ---- answers -------------------------------------------------------------------------- */

/* The reply in one piece: as it came, where it came so. */
static void reply_take(milvus_rpc *rpc, grpc_byte_buffer *received)
{
    grpc_byte_buffer_reader reader;
    grpc_slice_buffer *slices;

    if (!received || !grpc_byte_buffer_reader_init(&reader, received))
        return;
    slices = &reader.buffer_out->data.raw.slice_buffer;
    rpc->reply_slice = slices->count == 1 ? grpc_slice_ref(slices->slices[0])
                                          : grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    rpc->reply = GRPC_SLICE_START_PTR(rpc->reply_slice);
    rpc->reply_size = GRPC_SLICE_LENGTH(rpc->reply_slice);
}

static uint64_t request_bytes(const milvus_rpc *rpc)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < rpc->part_count; i++)
        bytes += GRPC_SLICE_LENGTH(rpc->parts[i]);
    return bytes;
}

static void answer_take(milvus_flight *flight, milvus_rpc *rpc, const milvus_sent *sent)
{
    if (rpc->is_given_up && sent->code == GRPC_STATUS_CANCELLED && !flight->cancelled)
        return; /* it failed for what it had failed for before */
    if (sent->code == GRPC_STATUS_OK) {
        reply_take(rpc, sent->received);
        milvus_status_read(&rpc->status, rpc->reply, rpc->reply_size, rpc->is_status);
        atomic_store(&flight->link->seen, 1);
    } else {
        milvus_status_of_grpc(&rpc->status, sent->code,
                              (const char *)GRPC_SLICE_START_PTR(sent->details),
                              GRPC_SLICE_LENGTH(sent->details));
        milvus_status_sizes(&rpc->status, request_bytes(rpc),
                            flight->link->settings->max_receive_bytes);
    }
}

/*
 * Whether to send a call again: it can do no harm, it may help, and the server, which was
 * there before, has not been away for too long.
 */
static int is_worth_another(milvus_flight *flight, milvus_rpc *rpc)
{
    const milvus_settings *settings = flight->link->settings;
    int64_t now = sp_clock_now();
    int64_t pause = PAUSE_FIRST << (rpc->attempts < 8 ? rpc->attempts - 1 : 7);

    if (!rpc->status.code || !rpc->status.retryable || !rpc->idempotent || flight->cancelled ||
        rpc->is_given_up || !atomic_load(&flight->link->seen))
        return 0;
    if (!rpc->first_failure)
        rpc->first_failure = now;
    if (pause > PAUSE_LAST)
        pause = PAUSE_LAST;
    rpc->retry_at = now + pause;
    return rpc->retry_at - rpc->first_failure <= settings->retry_ms * 1000000 &&
           rpc->retry_at < flight->call->info->deadline;
}

static int64_t next_retry(const milvus_flight *flight)
{
    int64_t at = SP_NO_DEADLINE;

    for (const milvus_rpc *rpc = flight->resting; rpc; rpc = rpc->next)
        if (rpc->retry_at < at)
            at = rpc->retry_at;
    return at;
}

/* When the first of those that wait for the server again will have waited for too long. */
static int64_t patience_end(const milvus_flight *flight)
{
    int64_t patience = flight->link->settings->retry_ms * 1000000, at = SP_NO_DEADLINE;

    for (const milvus_rpc *rpc = flight->active; rpc; rpc = rpc->next)
        if (rpc->first_failure && !rpc->wait_is_over && rpc->first_failure + patience < at)
            at = rpc->first_failure + patience;
    return at;
}

/* Their time is over, unless the server is back and at work on them. */
static void waits_end(milvus_flight *flight)
{
    int64_t begun = sp_clock_now() - flight->link->settings->retry_ms * 1000000;
    int is_back = grpc_channel_check_connectivity_state(flight->channel, 0) == GRPC_CHANNEL_READY;

    for (milvus_rpc *rpc = flight->active; rpc; rpc = rpc->next) {
        if (!rpc->first_failure || rpc->first_failure > begun || rpc->wait_is_over)
            continue;
        rpc->wait_is_over = 1;
        rpc->is_given_up = !is_back;
        if (!is_back)
            grpc_call_cancel(rpc->sent->call, NULL);
    }
}

static int32_t retries_send(milvus_flight *flight)
{
    milvus_rpc **at = &flight->resting;
    int64_t now = sp_clock_now();
    int32_t code = SIMPLUGIN_OK;

    while (!code && *at) {
        milvus_rpc *rpc = *at;

        if (rpc->retry_at > now) {
            at = &rpc->next;
            continue;
        }
        *at = rpc->next;
        rpc->next = NULL;
        code = send_now(flight, rpc);
    }
    return code;
}

/* Nothing is in flight: sleeps until a call is to be sent again, or the token is fired. */
static void rest(milvus_flight *flight, int64_t until)
{
    struct timespec at = sp_clock_timespec(until);

    pthread_mutex_lock(&flight->lock);
    while (!flight->cancelled && sp_clock_now() < until)
        pthread_cond_timedwait(&flight->woken, &flight->lock, &at);
    pthread_mutex_unlock(&flight->lock);
}

int32_t milvus_flight_next(milvus_flight *flight, milvus_rpc **rpc)
{
    int32_t code = SIMPLUGIN_OK;

    *rpc = NULL;
    while (!code && (flight->active || flight->resting)) {
        int64_t until = next_retry(flight);
        grpc_event event;
        milvus_rpc *ended;

        if (!flight->active) {
            rest(flight, until);
            code = plug_check(flight->call);
            if (!code)
                code = retries_send(flight);
            continue;
        }
        if (until > patience_end(flight))
            until = patience_end(flight);
        if (until > deadline_with_grace(flight))
            until = deadline_with_grace(flight);
        event = grpc_completion_queue_next(flight->queue, timespec_of(until), NULL);
        if (event.type == GRPC_QUEUE_TIMEOUT) {
            code = plug_check(flight->call);
            /* past its grace: gRPC itself is stuck, as in the child of a careless fork */
            if (code == SIMPLUGIN_DEADLINE_EXCEEDED && sp_clock_now() >= deadline_with_grace(flight))
                flight->lost = 1;
            if (!code)
                code = retries_send(flight);
            waits_end(flight);
            continue;
        }
        ended = ((milvus_sent *)event.tag)->rpc;
        active_remove(flight, ended);
        answer_take(flight, ended, event.tag);
        sent_free(event.tag);
        if (is_worth_another(flight, ended)) {
            ended->next = flight->resting;
            flight->resting = ended;
            continue;
        }
        *rpc = ended;
        /* these two are the call's own, and told in its words */
        if (ended->status.code == SIMPLUGIN_CANCELLED ||
            ended->status.code == SIMPLUGIN_DEADLINE_EXCEEDED)
            code = plug_check(flight->call);
        break;
    }
    if (code)
        *rpc = NULL;
    return code;
}

/* ---- one call alone --------------------------------------------------------------------- */

int32_t milvus_rpc_send(milvus_link *link, plug_call *call, milvus_rpc *rpc)
{
    milvus_flight flight;
    milvus_rpc *ended = NULL;
    int32_t code = milvus_flight_init(&flight, link, call);

    if (!code)
        code = milvus_flight_start(&flight, rpc);
    if (!code)
        code = milvus_flight_next(&flight, &ended);
    milvus_flight_clear(&flight);
    return code;
}

int32_t milvus_rpc_try(milvus_link *link, plug_call *call, milvus_rpc *rpc)
{
    int32_t code = milvus_rpc_send(link, call, rpc);

    /* of a message that is too large gRPC speaks instead of the server */
    if (!code && rpc->status.code && !rpc->status.arrived &&
        rpc->status.code != SIMPLUGIN_RESOURCE_EXHAUSTED)
        code = milvus_status_fail(call, rpc->method, link->settings->address.target, &rpc->status);
    return code;
}

int32_t milvus_rpc_run(milvus_link *link, plug_call *call, milvus_rpc *rpc)
{
    int32_t code = milvus_rpc_try(link, call, rpc);

    if (!code && rpc->status.code)
        code = milvus_status_fail(call, rpc->method, link->settings->address.target, &rpc->status);
    return code;
}
