/* SPDX-License-Identifier: Apache-2.0 */
/* Counters by backend and method, written without locks, read out as Prometheus text. */
#ifndef SP_METRICS_H
#define SP_METRICS_H

#include "buffer.h"

#define SP_METRIC_BUCKETS 12

typedef struct sp_metric sp_metric;

/*
 * The counters of a backend's method, made on first use and kept for the process. Names
 * are copied. NULL when memory is short: then nothing is counted.
 */
sp_metric *sp_metric_get(const char *backend, const char *method);
/* Whether it counts the calls of that method. */
int sp_metric_is(const sp_metric *metric, const char *method);
void sp_metric_count(sp_metric *metric, int32_t code, int64_t nanoseconds, uint64_t bytes_sent,
                     uint64_t bytes_received);
void sp_metrics_render(sp_buffer *buffer);

#endif
