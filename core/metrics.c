/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

#define CODES 64

struct sp_metric {
    sp_metric *next;
    char *backend;
    char *method;
    _Atomic uint64_t calls;
    _Atomic uint64_t errors[CODES];
    _Atomic uint64_t buckets[SP_METRIC_BUCKETS + 1];
    _Atomic uint64_t nanoseconds;
    _Atomic uint64_t bytes_sent;
    _Atomic uint64_t bytes_received;
};

/* Upper bounds in nanoseconds, and as Prometheus wants them. */
static const struct {
    int64_t nanoseconds;
    const char *seconds;
} bounds[SP_METRIC_BUCKETS] = {
    {10000, "0.00001"},   {100000, "0.0001"},   {500000, "0.0005"},   {1000000, "0.001"},
    {5000000, "0.005"},   {10000000, "0.01"},   {50000000, "0.05"},   {100000000, "0.1"},
    {500000000, "0.5"},   {1000000000, "1"},    {5000000000, "5"},    {30000000000, "30"},
};

static struct {
    pthread_mutex_t mutex;
    _Atomic(sp_metric *) first; /* only ever prepended to */
} metrics = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static void metrics_lock(void) { pthread_mutex_lock(&metrics.mutex); }
static void metrics_unlock(void) { pthread_mutex_unlock(&metrics.mutex); }
static void fork_prepare(void)
{
    pthread_atfork(metrics_lock, metrics_unlock, metrics_unlock);
}

static sp_metric *metric_find(const char *backend, const char *method)
{
    sp_metric *m = atomic_load_explicit(&metrics.first, memory_order_acquire);

    while (m && (strcmp(m->backend, backend) || strcmp(m->method, method)))
        m = m->next;
    return m;
}

sp_metric *sp_metric_get(const char *backend, const char *method)
{
    sp_metric *m = metric_find(backend, method);

    if (m)
        return m;
    pthread_once(&fork_once, fork_prepare);
    metrics_lock();
    m = metric_find(backend, method);
    if (!m && (m = calloc(1, sizeof *m))) {
        m->backend = strdup(backend);
        m->method = strdup(method);
        m->next = atomic_load(&metrics.first);
        if (m->backend && m->method) {
            atomic_store_explicit(&metrics.first, m, memory_order_release);
        } else {
            free(m->backend);
            free(m->method);
            free(m);
            m = NULL;
        }
    }
    metrics_unlock();
    return m;
}

int sp_metric_is(const sp_metric *metric, const char *method)
{
    return strcmp(metric->method, method) == 0;
}

static void counter_add(_Atomic uint64_t *counter, uint64_t amount)
{
    atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}

void sp_metric_count(sp_metric *metric, int32_t code, int64_t nanoseconds, uint64_t bytes_sent,
                     uint64_t bytes_received)
{
    int bucket = 0;

    if (!metric)
        return;
    while (bucket < SP_METRIC_BUCKETS && nanoseconds > bounds[bucket].nanoseconds)
        bucket++;
    counter_add(&metric->calls, 1);
    counter_add(&metric->buckets[bucket], 1);
    counter_add(&metric->nanoseconds, (uint64_t)nanoseconds);
    counter_add(&metric->bytes_sent, bytes_sent);
    counter_add(&metric->bytes_received, bytes_received);
    if (code > 0)
        counter_add(&metric->errors[code < CODES ? code : CODES - 1], 1);
}

typedef uint64_t (*metric_value)(const sp_metric *metric);
static uint64_t value_calls(const sp_metric *m) { return atomic_load(&m->calls); }
static uint64_t value_sent(const sp_metric *m) { return atomic_load(&m->bytes_sent); }
static uint64_t value_received(const sp_metric *m) { return atomic_load(&m->bytes_received); }

static void family_render(sp_buffer *buffer, const char *name, const char *help,
                          metric_value value)
{
    sp_buffer_printf(buffer, "# HELP %s %s\n# TYPE %s counter\n", name, help, name);
    for (const sp_metric *m = atomic_load(&metrics.first); m; m = m->next)
        sp_buffer_printf(buffer, "%s{backend=\"%s\",method=\"%s\"} %llu\n", name, m->backend,
                         m->method, (unsigned long long)value(m));
}

static void errors_render(sp_buffer *buffer)
{
    sp_buffer_append_text(buffer, "# HELP simplugin_errors_total Calls that failed, by code.\n"
                                  "# TYPE simplugin_errors_total counter\n");
    for (const sp_metric *m = atomic_load(&metrics.first); m; m = m->next)
        for (int32_t code = 1; code < CODES; code++)
            if (atomic_load(&m->errors[code]))
                sp_buffer_printf(
                    buffer,
                    "simplugin_errors_total{backend=\"%s\",method=\"%s\",code=\"%s\"} %llu\n",
                    m->backend, m->method, sp_code_name(code),
                    (unsigned long long)atomic_load(&m->errors[code]));
}

static void latency_render(sp_buffer *buffer)
{
    const char *name = "simplugin_call_duration_seconds";

    sp_buffer_printf(buffer, "# HELP %s How long calls took.\n# TYPE %s histogram\n", name, name);
    for (const sp_metric *m = atomic_load(&metrics.first); m; m = m->next) {
        uint64_t sum = 0;

        for (int i = 0; i <= SP_METRIC_BUCKETS; i++) {
            sum += atomic_load(&m->buckets[i]);
            sp_buffer_printf(buffer, "%s_bucket{backend=\"%s\",method=\"%s\",le=\"%s\"} %llu\n",
                             name, m->backend, m->method,
                             i < SP_METRIC_BUCKETS ? bounds[i].seconds : "+Inf",
                             (unsigned long long)sum);
        }
        sp_buffer_printf(buffer, "%s_sum{backend=\"%s\",method=\"%s\"} %.9f\n", name, m->backend,
                         m->method, (double)atomic_load(&m->nanoseconds) / 1e9);
        sp_buffer_printf(buffer, "%s_count{backend=\"%s\",method=\"%s\"} %llu\n", name, m->backend,
                         m->method, (unsigned long long)sum);
    }
}

void sp_metrics_render(sp_buffer *buffer)
{
    family_render(buffer, "simplugin_calls_total", "Calls of backend methods.", value_calls);
    errors_render(buffer);
    latency_render(buffer);
    family_render(buffer, "simplugin_bytes_sent_total", "Bytes of requests, tensors included.",
                  value_sent);
    family_render(buffer, "simplugin_bytes_received_total", "Bytes of replies, tensors included.",
                  value_received);
}
