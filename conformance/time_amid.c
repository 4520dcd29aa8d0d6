/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every method that can be long is made long, and then interrupted after a tenth of its time: by
 * its deadline, and by its token. How much work that takes is found out, as backends differ by
 * orders of magnitude; one that is quick at the most that is tried has nothing to be interrupted.
 */
#include "config.h"

#include "time_amid.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rig.h"

#define DIMENSION 8
/* What a call should take; less than the second cannot be told from one that was interrupted. */
#define ENOUGH 0.3
#define LEAST 0.25
/*
 * And so many times what next to no work takes, as waiting for a disk may be all that is long then;
 * but for backends that are slow at everything.
 */
#define TIMES 3
#define SLOW 1.0
/*
 * A call ends late so long after it was interrupted and, where it was not done all the same, behind
 * this part of its time.
 */
#define LATE_PART 0.75
#define LATE_SECONDS 0.15
/* Of each, as a machine may be busy with something else. */
#define TRIES 3
/* Nothing is made larger after so many seconds in the backend. */
#define SECONDS_TO_TRY 6.0
#define SECONDS_TO_FILL 2.5
/* Points that a collection has where their number is not what makes a call long. */
#define POINTS 20000
#define SECONDS_FOR_POINTS 0.3
#define BATCH 100000

typedef struct amid {
    conf_rig rig;
    const conf_heavy *heavy;
    char *name;
    const char *metric;
    size_t points; /* in the collection */
    size_t size;   /* of the request or, where that is what counts, of the collection */
    double little;  /* seconds that the smallest call takes */
    double seconds; /* and one of that size */
    double filling; /* spent on writing points */
    unsigned int calls;
} amid;

struct conf_heavy {
    const char *method;
    size_t first, most; /* sizes that are tried */
    int grows;          /* the size is that of the collection; 2: it counts by its square */
    int is_optional;
    int has_large_reply; /* which nobody has to read */
    /* What the backend needs for it, and lacks; NULL: nothing. May be NULL. */
    const char *(*lacks)(const amid *a);
    json_t *(*body)(amid *a);
};

static json_t *random_matrix(uint64_t seed, size_t rows)
{
    return json_pack("{s:{s:I, s:I, s:I}}", "$random", "seed", (json_int_t)seed, "rows",
                     (json_int_t)rows, "cols", (json_int_t)DIMENSION);
}

static json_t *ids_from(const char *prefix, size_t first, size_t count)
{
    return json_pack("{s:{s:s, s:I, s:I}}", "$ids", "prefix", prefix, "first", (json_int_t)first,
                     "count", (json_int_t)count);
}

/* Back and forth among the first so many. */
static json_t *ids_among(size_t count, size_t among)
{
    return json_pack("{s:{s:s, s:I, s:I, s:I}}", "$ids", "prefix", "amid", "step", (json_int_t)7919,
                     "count", (json_int_t)count, "cycle", (json_int_t)among);
}

static json_t *numbers(uint64_t seed, size_t count)
{
    return json_pack("{s:{s:s, s:{s:{s:I, s:I, s:i, s:s}}}}", "number", "type", "float64", "values",
                     "$random", "seed", (json_int_t)seed, "rows", (json_int_t)count, "cols", 1,
                     "dtype", "float64");
}

static json_t *body_new(const amid *a) { return json_pack("{s:s}", "collection", a->name); }

static int has_numbers(const amid *a) { return conf_lists(&a->rig, "field_types", "float64"); }

/* ---- the collection -------------------------------------------------------------------------- */

static json_t *upsert_body(const amid *a, size_t first, size_t count)
{
    json_t *body = body_new(a);

    json_object_set_new(body, "ids", ids_from("amid", first, count));
    json_object_set_new(body, "vectors", random_matrix(first, count));
    if (has_numbers(a))
        json_object_set_new(body, "fields", numbers(first, count));
    return body;
}

/* Rows that one upsert may hold; 8 bytes more each for the field. */
static size_t batch_most(const amid *a)
{
    return conf_says_int(&a->rig, "batch_bytes", 0) ? conf_batch_rows(&a->rig, DIMENSION + 2)
                                                    : SIZE_MAX;
}

/* Writes points until there are so many, or the time is over. */
static int fill(amid *a, size_t points, double seconds)
{
    size_t most = batch_most(a) < BATCH ? batch_most(a) : BATCH;
    int64_t began = conf_clock(), until = conf_in(seconds);
    int ok = 1;

    /* small ones first: how long a large one takes is not known yet */
    for (size_t batch = 1000; ok && a->points < points && conf_clock() < until; batch *= 4) {
        size_t count = points - a->points < most ? points - a->points : most;

        count = count < batch ? count : batch;
        ok = conf_do(&a->rig, "points.upsert", upsert_body(a, a->points, count));
        a->points += ok ? count : 0;
    }
    a->filling += (double)(conf_clock() - began) / 1e9;
    return ok;
}

/* ---- requests -------------------------------------------------------------------------------- */

static json_t *get_body(amid *a)
{
    json_t *body = body_new(a);

    json_object_set_new(body, "ids", ids_among(a->size, a->points));
    json_object_set_new(body, "fields", json_true());
    return body;
}

/*
 * So many conditions, none of which holds: all of them are looked at for each point. Others each
 * time, as what a filter found may be kept.
 */
static json_t *filter_of(const amid *a)
{
    json_t *filter = json_pack("[s]", "or");
    double from = 1e6 * a->calls;

    for (size_t i = 0; i < a->size; i++)
        json_array_append_new(filter, json_pack("[s, s, f]", "==", "number", from + (double)i));
    return filter;
}

static const char *filters_lack(const amid *a)
{
    if (!has_numbers(a))
        return "it stores no float64";
    return conf_lists(&a->rig, "filters", "or") && conf_lists(&a->rig, "filters", "==")
               ? NULL
               : "it evaluates no filters that would make it long";
}

static json_t *filtered_body(amid *a)
{
    json_t *body = body_new(a);

    json_object_set_new(body, "filter", filter_of(a));
    return body;
}

static json_t *rows_body(amid *a) { return upsert_body(a, 0, a->size); }

/* None of them is there, so that there are as many to be looked for the next time. */
static json_t *delete_body(amid *a)
{
    json_t *body = body_new(a);

    json_object_set_new(body, "ids", ids_from("none", 0, a->size));
    return body;
}

static const char *numbers_lack(const amid *a)
{
    return has_numbers(a) ? NULL : "it stores no float64";
}

/* All points, and ids behind the last. */
static json_t *set_fields_body(amid *a)
{
    json_t *body = body_new(a);

    json_object_set_new(body, "ids", ids_from("amid", 0, a->size));
    json_object_set_new(body, "fields", numbers(a->calls, a->size));
    return body;
}

/* A radius in which there is nothing: the reply is small, whatever the queries. */
static json_t *radius_body(amid *a)
{
    json_t *body = body_new(a);

    json_object_set_new(body, "vectors", random_matrix(99, a->size));
    json_object_set_new(body, "radius",
                        json_real(strcmp(a->metric, "dotproduct") ? 0 : -2.0 * DIMENSION));
    return body;
}

static json_t *neighbors_body(amid *a)
{
    json_t *body = body_new(a);

    json_object_set_new(body, "k", json_integer(1));
    return body;
}

static json_t *view_body(amid *a)
{
    json_t *body = body_new(a);

    json_object_set_new(body, "ids", ids_among(a->size, a->size));
    return body;
}

static json_t *plain_body(amid *a) { return body_new(a); }

static json_t *backup_body(amid *a)
{
    json_t *body = body_new(a);
    char name[40], *path;

    snprintf(name, sizeof name, "amid_%u", a->calls);
    path = conf_path(&a->rig, name);
    json_object_set_new(body, "path", json_string(path));
    free(path);
    return body;
}

const conf_heavy
    conf_heavy_get = {"points.get", 2000, 2000000, 0, 0, 1, NULL, get_body},
    conf_heavy_scan = {"points.scan", 64, 60000, 0, 0, 1, filters_lack, filtered_body},
    conf_heavy_count = {"points.count", 64, 60000, 0, 0, 0, filters_lack, filtered_body},
    conf_heavy_upsert = {"points.upsert", 1000, 600000, 0, 0, 0, NULL, rows_body},
    conf_heavy_delete = {"points.delete", 2000, 2000000, 0, 0, 0, NULL, delete_body},
    conf_heavy_set_fields = {"points.set_fields", 2000, 1000000, 0, 1, 1, numbers_lack,
                             set_fields_body},
    conf_heavy_radius = {"search.radius", 16, 200000, 0, 1, 0, NULL, radius_body},
    conf_heavy_neighbors = {"search.neighbors", 2000, 100000, 2, 1, 1, NULL, neighbors_body},
    conf_heavy_view = {"view.create", 2000, 2000000, 0, 1, 0, NULL, view_body},
    conf_heavy_check = {"collection.check", 20000, 600000, 1, 1, 0, NULL, plain_body},
    conf_heavy_compact = {"collection.compact", 20000, 600000, 1, 1, 0, NULL, plain_body},
    conf_heavy_backup = {"collection.backup", 20000, 600000, 1, 1, 0, NULL, backup_body};

/* ---- calls ----------------------------------------------------------------------------------- */

/* Views would be kept: what was made is dropped again. */
static void view_drop(amid *a, const conf_answer *answer)
{
    json_t *view = json_object_get(answer->body, "view"), *body;

    if (!view || strcmp(a->heavy->method, "view.create") ||
        !conf_serves(&a->rig, "view.drop"))
        return;
    body = body_new(a);
    json_object_set(body, "view", view);
    conf_do(&a->rig, "view.drop", body);
}

/* A compaction has something to do only where something was written since the last. */
static int work_make(amid *a)
{
    a->calls++;
    return strcmp(a->heavy->method, "collection.compact") ||
           conf_do(&a->rig, "points.upsert", upsert_body(a, 0, 100));
}

static int32_t call(amid *a, double timeout, uint64_t token, conf_answer *answer)
{
    int32_t code;

    a->rig.raw = (unsigned int)a->heavy->has_large_reply;
    a->rig.timeout = timeout;
    code = conf_send(&a->rig, a->rig.instance, a->heavy->method, a->heavy->body(a), INT64_MAX,
                     token, answer);
    a->rig.timeout = 0;
    a->rig.raw = 0;
    view_drop(a, answer);
    return code;
}

/* How long it takes at that size; 0 after failing, or where the backend takes no more. */
static int measure(amid *a)
{
    conf_answer answer;
    int32_t code;

    if (!work_make(a))
        return 0;
    code = call(a, 60, 0, &answer);
    if (!code)
        a->seconds = answer.seconds;
    else if (code != SIMPLUGIN_RESOURCE_EXHAUSTED)
        conf_fail(a->rig.run, "%s answers %s where nothing is wrong", a->heavy->method,
                  conf_answer_text(&answer));
    conf_answer_clear(&answer);
    return !code;
}

/* Whether a call takes that long, and not only because every call does. */
static int is_long(const amid *a, double seconds)
{
    return a->seconds >= seconds && (a->seconds >= TIMES * a->little || a->little >= SLOW);
}

static size_t size_next(const amid *a)
{
    size_t rows = strcmp(a->heavy->method, "points.upsert") ? SIZE_MAX : batch_most(a);
    size_t most = a->heavy->most < rows ? a->heavy->most : rows;
    double wanted = ENOUGH > TIMES * a->little ? ENOUGH : TIMES * a->little, factor = 64, size;

    if (!a->calls)
        return a->heavy->first < most ? a->heavy->first : most;
    if (a->seconds > 0)
        factor = 1.3 * wanted / a->seconds;
    if (a->heavy->grows == 2)
        factor = sqrt(factor);
    factor = factor < 1.5 ? 1.5 : factor > 64 ? 64 : factor;
    size = (double)a->size * factor;
    return size < (double)most ? (size_t)size : most;
}

/* Larger and larger until it takes long enough, or gets no longer; 0 after failing. */
static int make_long(amid *a)
{
    size_t next = size_next(a), good = next;
    double tried = 0;

    do {
        a->size = next;
        if (a->heavy->grows) {
            if (!fill(a, a->size, SECONDS_TO_FILL - a->filling))
                return 0;
            a->size = a->points;
        }
        if (!measure(a)) {
            a->size = good;
            break;
        }
        good = a->size;
        if (a->little <= 0)
            a->little = a->seconds;
        tried += a->seconds;
        next = size_next(a);
    } while (!is_long(a, ENOUGH) && next > a->size && tried < SECONDS_TO_TRY &&
             !(a->heavy->grows && a->filling >= SECONDS_TO_FILL));
    return !conf_failed(a->rig.run);
}

/* ---- interrupted ----------------------------------------------------------------------------- */

typedef struct firing {
    uint64_t token;
    double after;
    sem_t begins;
} firing;

static void *fire(void *context)
{
    firing *f = context;
    struct timespec time = {(time_t)f->after, (long)((f->after - (double)(time_t)f->after) * 1e9)};

    while (sem_wait(&f->begins))
        ;
    nanosleep(&time, NULL);
    conf_token_fire(f->token);
    return NULL;
}

static int32_t call_fired(amid *a, double after, conf_answer *answer)
{
    firing f = {.token = conf_token_new(), .after = after};
    pthread_t thread;
    int32_t code;

    if (sem_init(&f.begins, 0, 0) || pthread_create(&thread, NULL, fire, &f))
        abort();
    a->rig.begins = &f.begins;
    code = call(a, 60, f.token, answer);
    a->rig.begins = NULL;
    pthread_join(thread, NULL);
    sem_destroy(&f.begins);
    return code;
}

/* One call that is interrupted after so many seconds; 0 after failing. *took: how long it took. */
static int interrupt_once(amid *a, int by_token, double after, int *is_late, double *took)
{
    int32_t expected = by_token ? SIMPLUGIN_CANCELLED : SIMPLUGIN_DEADLINE_EXCEEDED;
    double most = after + LATE_SECONDS;
    conf_answer answer;
    int32_t code;

    if (!work_make(a))
        return 0;
    code = by_token ? call_fired(a, after, &answer) : call(a, after, 0, &answer);
    if (code && code != expected)
        conf_fail(a->rig.run, "%s answers %s when its %s amid its work; %s (or OK) was expected",
                  a->heavy->method, conf_answer_text(&answer),
                  by_token ? "token is fired by another thread" : "deadline comes",
                  simplugin_code_name(expected));
    /* one that was not interrupted took what it takes */
    if (code && most < LATE_PART * a->seconds)
        most = LATE_PART * a->seconds;
    *took = answer.seconds;
    *is_late = answer.seconds > most;
    conf_answer_clear(&answer);
    return !code || code == expected;
}

static void interrupt(amid *a, int by_token)
{
    double after = a->seconds / 10, least = 0, took = 0;
    int is_late = 1;

    for (int i = 0; is_late && i < TRIES; i++) {
        if (!interrupt_once(a, by_token, after, &is_late, &took))
            return;
        least = i && least < took ? least : took;
    }
    /* seen with --verbose */
    printf("%s %s after %.3f s: it took %.3f s\n", a->heavy->method,
           by_token ? "was cancelled" : "was out of time", after, took);
    if (is_late)
        conf_fail(a->rig.run,
                  "%s, which takes %.2f s, takes %.2f s at least where %s after %.2f s: %s",
                  a->heavy->method, a->seconds, least,
                  by_token ? "its token is fired by another thread" : "its deadline comes", after,
                  by_token ? "ask host->cancelled between blocks of work, or watch the token"
                           : "look at info->deadline between blocks of work");
}

/* 0 where the backend does not serve the method, or lacks what would make it long. */
static int is_asked(amid *a)
{
    const char *method = a->heavy->method, *lacks = NULL;

    if (a->heavy->is_optional && !conf_serves(&a->rig, method)) {
        conf_skip(a->rig.run, "the backend does not serve %s", method);
        return 0;
    }
    if (a->heavy->lacks)
        lacks = a->heavy->lacks(a);
    if (lacks)
        conf_skip(a->rig.run, "%s", lacks);
    return !lacks;
}

void conf_time_amid(conf_run *run)
{
    amid a;

    memset(&a, 0, sizeof a);
    a.heavy = conf_run_subject(run);
    if (!conf_rig_open(&a.rig, run) || !is_asked(&a))
        goto out;
    a.metric = json_string_value(json_array_get(json_object_get(a.rig.describe, "metrics"), 0));
    a.name = conf_create(&a.rig, NULL, DIMENSION,
                         has_numbers(&a) ? json_pack("{s:s}", "number", "float64") : NULL);
    if (!a.name || (!a.heavy->grows && !fill(&a, POINTS, SECONDS_FOR_POINTS)) || !make_long(&a))
        goto out;
    printf("%s takes %.3f s for %zu, and %.3f s for next to nothing\n", a.heavy->method, a.seconds,
           a.size, a.little);
    if (!is_long(&a, LEAST)) {
        conf_skip(run,
                  "its %s is too quick to be interrupted: it takes %.3f s at most, and %.3f s at "
                  "least",
                  a.heavy->method, a.seconds, a.little);
        goto out;
    }
    interrupt(&a, 0);
    if (!conf_failed(run))
        interrupt(&a, 1);
    /* and it goes on as if nothing had been */
    if (!conf_failed(run))
        conf_count(&a.rig, a.name);
out:
    free(a.name);
    conf_rig_close(&a.rig);
}
