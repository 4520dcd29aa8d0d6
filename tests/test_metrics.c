/* SPDX-License-Identifier: Apache-2.0 */
/* The text is parsed as Prometheus does, by rules of its own and not by comparing it. */
#include <ctype.h>
#include <pthread.h>

#include "metrics.h"
#include "unit.h"

typedef struct sample {
    char name[64];
    char labels[160]; /* without le */
    char le[16];
    double value;
} sample;

typedef struct family {
    char name[64];
    char type[16];
} family;

static sample samples[4096];
static size_t sample_count;
static family families[16];
static size_t family_count;

static int name_char(int c)
{
    return isalnum(c) || c == '_' || c == ':';
}

/* name{label="value",...} value; 0 if the line is no sample. */
static int sample_parse(const char *line, sample *s)
{
    const char *at = line;
    size_t size = 0, used = 0;
    char *end;

    memset(s, 0, sizeof *s);
    while (name_char((unsigned char)at[size]))
        size++;
    if (!size || size >= sizeof s->name || isdigit((unsigned char)at[0]))
        return 0;
    memcpy(s->name, at, size);
    at += size;
    if (*at++ != '{')
        return 0;
    while (*at != '}') {
        const char *label = at, *value;
        size_t label_size;

        while (name_char((unsigned char)*at))
            at++;
        label_size = (size_t)(at - label);
        if (!label_size || at[0] != '=' || at[1] != '"')
            return 0;
        value = at += 2;
        while (*at && *at != '"' && *at != '\\' && *at != '\n')
            at++;
        if (*at != '"')
            return 0;
        if (label_size == 2 && memcmp(label, "le", 2) == 0)
            snprintf(s->le, sizeof s->le, "%.*s", (int)(at - value), value);
        else
            used += (size_t)snprintf(s->labels + used, sizeof s->labels - used, "%.*s;",
                                     (int)(at + 1 - label), label);
        if (used >= sizeof s->labels)
            return 0;
        at++;
        if (*at == ',')
            at++;
        else if (*at != '}')
            return 0;
    }
    if (at[1] != ' ')
        return 0;
    s->value = strtod(at + 2, &end);
    return end != at + 2 && *end == '\0';
}

static const family *family_find(const char *name)
{
    for (size_t i = 0; i < family_count; i++)
        if (strcmp(families[i].name, name) == 0)
            return &families[i];
    return NULL;
}

/* Whether a sample of that name may stand below the family that was declared last. */
static int belongs(const sample *s)
{
    const family *f = family_count ? &families[family_count - 1] : NULL;
    size_t size = f ? strlen(f->name) : 0;
    const char *rest = s->name + size;

    if (!f || strncmp(s->name, f->name, size))
        return 0;
    if (strcmp(f->type, "counter") == 0)
        return !*rest && !*s->le && s->value >= 0;
    if (strcmp(f->type, "histogram") == 0)
        return (strcmp(rest, "_bucket") == 0 && *s->le) ||
               ((strcmp(rest, "_sum") == 0 || strcmp(rest, "_count") == 0) && !*s->le);
    return 0;
}

/* 0 if the text is well formed, else the number of the line that is not. */
static int text_parse(char *text)
{
    char *line = text;
    char helped[64] = "";
    int number = 1;

    sample_count = family_count = 0;
    for (; *line; number++) {
        char *end = strchr(line, '\n');

        if (!end) /* the last line ends too */
            return number;
        *end = '\0';
        if (strncmp(line, "# HELP ", 7) == 0) {
            if (sscanf(line, "# HELP %63s %*s", helped) != 1 || family_find(helped))
                return number;
        } else if (strncmp(line, "# TYPE ", 7) == 0) {
            family *f = &families[family_count];

            if (sscanf(line, "# TYPE %63s %15s", f->name, f->type) != 2 ||
                strcmp(f->name, helped) || family_find(f->name) || family_count == 15)
                return number;
            family_count++;
        } else {
            sample *s = &samples[sample_count];

            if (sample_count == 4095 || !sample_parse(line, s) || !belongs(s))
                return number;
            /* no sample comes twice */
            for (size_t i = 0; i < sample_count; i++)
                if (strcmp(samples[i].name, s->name) == 0 &&
                    strcmp(samples[i].labels, s->labels) == 0 && strcmp(samples[i].le, s->le) == 0)
                    return number;
            sample_count++;
        }
        line = end + 1;
    }
    return 0;
}

static void render(void)
{
    sp_buffer buffer;
    char *text;

    sp_buffer_init(&buffer);
    sp_metrics_render(&buffer);
    text = sp_buffer_steal(&buffer, NULL);
    CU_ASSERT_PTR_NOT_NULL(text);
    if (text)
        CU_ASSERT_EQUAL(text_parse(text), 0);
    free(text);
}

/* -1 if there is no such sample. labels are as in the text: backend="a";method="b"; */
static double value_of(const char *name, const char *labels, const char *le)
{
    for (size_t i = 0; i < sample_count; i++)
        if (strcmp(samples[i].name, name) == 0 && strcmp(samples[i].labels, labels) == 0 &&
            strcmp(samples[i].le, le) == 0)
            return samples[i].value;
    return -1;
}

static void nothing_counted(void)
{
    render();
    CU_ASSERT_EQUAL(family_count, 5);
    CU_ASSERT_EQUAL(sample_count, 0);
}

static void one_for_each(void)
{
    sp_metric *a = sp_metric_get("flat", "search");

    CU_ASSERT_PTR_NOT_NULL(a);
    CU_ASSERT_PTR_EQUAL(sp_metric_get("flat", "search"), a);
    CU_ASSERT_PTR_NOT_EQUAL(sp_metric_get("flat", "points.get"), a);
    CU_ASSERT_PTR_NOT_EQUAL(sp_metric_get("milvus", "search"), a);
    CU_ASSERT(sp_metric_is(a, "search"));
    CU_ASSERT_FALSE(sp_metric_is(a, "searc"));
    sp_metric_count(NULL, SIMPLUGIN_OK, 1, 1, 1);
}

#define FLAT "backend=\"flat\";method=\"search\";"
#define DURATION "simplugin_call_duration_seconds"

static void counted(void)
{
    sp_metric *metric = sp_metric_get("flat", "search");

    sp_metric_count(metric, SIMPLUGIN_OK, 5000, 100, 1000);                /* 5 us */
    sp_metric_count(metric, SIMPLUGIN_OK, 10000, 100, 1000);               /* on a bound */
    sp_metric_count(metric, SIMPLUGIN_NOT_FOUND, 10001, 1, 0);
    sp_metric_count(metric, SIMPLUGIN_NOT_FOUND, 2000000000, 1, 0);        /* 2 s */
    sp_metric_count(metric, SIMPLUGIN_UNAVAILABLE, 60000000000, 1, 0);     /* a minute */
    sp_metric_count(metric, 1000, 0, 0, 0);                                /* no code of ours */
    render();
    CU_ASSERT_EQUAL(value_of("simplugin_calls_total", FLAT, ""), 6);
    CU_ASSERT_EQUAL(value_of("simplugin_bytes_sent_total", FLAT, ""), 203);
    CU_ASSERT_EQUAL(value_of("simplugin_bytes_received_total", FLAT, ""), 2000);
    CU_ASSERT_EQUAL(value_of("simplugin_errors_total", FLAT "code=\"NOT_FOUND\";", ""), 2);
    CU_ASSERT_EQUAL(value_of("simplugin_errors_total", FLAT "code=\"UNAVAILABLE\";", ""), 1);
    CU_ASSERT_EQUAL(value_of("simplugin_errors_total", FLAT "code=\"UNKNOWN\";", ""), 1);
    CU_ASSERT_EQUAL(value_of("simplugin_errors_total", FLAT "code=\"IO\";", ""), -1);
    CU_ASSERT_EQUAL(value_of(DURATION "_bucket", FLAT, "0.00001"), 3);
    CU_ASSERT_EQUAL(value_of(DURATION "_bucket", FLAT, "0.0001"), 4);
    CU_ASSERT_EQUAL(value_of(DURATION "_bucket", FLAT, "1"), 4);
    CU_ASSERT_EQUAL(value_of(DURATION "_bucket", FLAT, "5"), 5);
    CU_ASSERT_EQUAL(value_of(DURATION "_bucket", FLAT, "30"), 5);
    CU_ASSERT_EQUAL(value_of(DURATION "_bucket", FLAT, "+Inf"), 6);
    CU_ASSERT_EQUAL(value_of(DURATION "_count", FLAT, ""), 6);
    CU_ASSERT_DOUBLE_EQUAL(value_of(DURATION "_sum", FLAT, ""), 62.000025001, 1e-9);
}

/* Of every histogram: the bounds rise, the counts never fall, the last is the count. */
static void histograms(void)
{
    int checked = 0;

    render();
    for (size_t i = 0; i < sample_count; i++) {
        double last_bound = -1, last_count = 0;

        if (strcmp(samples[i].name, DURATION "_count"))
            continue;
        for (size_t k = 0; k < sample_count; k++) {
            double bound;

            if (strcmp(samples[k].name, DURATION "_bucket") ||
                strcmp(samples[k].labels, samples[i].labels))
                continue;
            bound = strtod(samples[k].le, NULL);
            CU_ASSERT(bound > last_bound);
            CU_ASSERT(samples[k].value >= last_count);
            last_bound = bound;
            last_count = samples[k].value;
        }
        CU_ASSERT(last_bound > 1e300);
        CU_ASSERT_EQUAL(last_count, samples[i].value);
        CU_ASSERT_EQUAL(value_of("simplugin_calls_total", samples[i].labels, ""), last_count);
        checked++;
    }
    CU_ASSERT(checked >= 3);
}

#define THREADS 4
#define CALLS 5000

static void *caller(void *unused)
{
    static const char *const methods[] = {"a", "b", "c"};

    for (int i = 0; i < CALLS; i++)
        sp_metric_count(sp_metric_get("threads", methods[i % 3]), i % 10 ? 0 : SIMPLUGIN_BUSY,
                        1000000, 1, 2);
    return unused;
}

static void threads(void)
{
    pthread_t callers[THREADS];
    double calls = 0, errors = 0, received = 0, seconds = 0;

    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&callers[i], NULL, caller, NULL))
            abort();
    for (int i = 0; i < 20; i++)
        render();
    for (int i = 0; i < THREADS; i++)
        pthread_join(callers[i], NULL);
    render();
    for (size_t i = 0; i < sample_count; i++) {
        if (!strstr(samples[i].labels, "backend=\"threads\""))
            continue;
        calls += strcmp(samples[i].name, "simplugin_calls_total") == 0 ? samples[i].value : 0;
        errors += strcmp(samples[i].name, "simplugin_errors_total") == 0 ? samples[i].value : 0;
        received += strcmp(samples[i].name, "simplugin_bytes_received_total") == 0
                        ? samples[i].value : 0;
        seconds += strcmp(samples[i].name, DURATION "_sum") == 0 ? samples[i].value : 0;
    }
    CU_ASSERT_EQUAL(calls, THREADS * CALLS);
    CU_ASSERT_EQUAL(errors, THREADS * CALLS / 10);
    CU_ASSERT_EQUAL(received, THREADS * CALLS * 2);
    CU_ASSERT_DOUBLE_EQUAL(seconds, THREADS * CALLS * 0.001, 1e-6);
}

static const unit_case cases[] = {
    UNIT_CASE(nothing_counted, "R279 the text is well formed before anything was counted"),
    UNIT_CASE(one_for_each, "one set of counters for each backend and method"),
    UNIT_CASE(counted, "R279 calls, errors by code, bytes and latencies"),
    UNIT_CASE(histograms, "R279 histograms are cumulative and end with the count"),
    UNIT_CASE(threads, "R279 nothing is lost among threads"),
};

UNIT_MAIN("metrics", cases)
