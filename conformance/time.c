/* SPDX-License-Identifier: Apache-2.0 */
/* Calls end by their deadline, and soon after their token was fired: plugin.h, call. */
#include "config.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "long.h"
#include "time_amid.h"
#include "tour.h"

/* What ends late, in seconds: with nothing to be done, and amid something. */
#define AT_ONCE 1.0
#define SOON 2.0
/* What is interrupted would take this long. */
#define LONG 6.0

/* ---- before it begins ---------------------------------------------------------------------------
 */

/* One step of the tour with this deadline and token; 1 if it was done all the same. */
static int ended_step(conf_tour *tour, size_t at, int64_t deadline, uint64_t token, int32_t code,
                      const char *how)
{
    conf_run *run = tour->rig->run;
    const char *method;
    json_t *body = conf_tour_body(tour, at, &method);
    conf_answer answer;
    int done;

    if (!body)
        return 1;
    conf_send(tour->rig, tour->rig->instance, method, body, deadline, token, &answer);
    if (answer.code && answer.code != code)
        conf_fail(run, "%s answers %s to a call %s; %s (or OK) was expected", method,
                  conf_answer_text(&answer), how, simplugin_code_name(code));
    if (answer.seconds > AT_ONCE)
        conf_fail(run, "%s takes %.1f s for a call %s; it is to end at once", method,
                  answer.seconds, how);
    done = !answer.code;
    conf_tour_note(tour, at, &answer);
    conf_answer_clear(&answer);
    return done;
}

/* The step as it should be, so that the next one has what it is about. */
static void step_take(conf_tour *tour, size_t at, int64_t deadline, uint64_t token,
                      const char *how)
{
    const char *method;
    json_t *body = conf_tour_body(tour, at, &method);
    conf_answer answer;

    if (!body)
        return;
    if (conf_send(tour->rig, tour->rig->instance, method, body, deadline, token, &answer))
        conf_fail(tour->rig->run, "%s answers %s to a call %s", method, conf_answer_text(&answer),
                  how);
    conf_tour_note(tour, at, &answer);
    conf_answer_clear(&answer);
}

/* Every method with this deadline and token has to end at once, OK or with the code. */
static void ended_before(conf_run *run, int64_t deadline, uint64_t token, int32_t code,
                         const char *how)
{
    conf_rig rig;
    conf_tour tour;
    simplugin_instance *other = NULL;
    simplugin_error *error = NULL;
    int32_t opened;

    if (conf_rig_open(&rig, run) && conf_tour_begin(&tour, &rig)) {
        for (size_t at = 0; at < conf_tour_steps && !conf_failed(run); at++)
            if (!ended_step(&tour, at, deadline, token, code, how))
                step_take(&tour, at, conf_in(30), 0, "after one that was too late");
        opened = conf_instance_open(&rig, deadline, token, &other, &error);
        if (opened && opened != code)
            conf_fail(run, "open answers %s to a call %s; %s (or OK) was expected",
                      simplugin_code_name(opened), how, simplugin_code_name(code));
        if (!opened)
            rig.table->close(other);
        conf_error_free(&error);
        conf_tour_end(&tour);
    }
    conf_rig_close(&rig);
}

static void deadline_past(conf_run *run)
{
    ended_before(run, conf_in(-1), 0, SIMPLUGIN_DEADLINE_EXCEEDED,
                 "whose deadline is a second ago");
}

static void cancelled_before(conf_run *run)
{
    uint64_t token = conf_token_new();

    conf_token_fire(token);
    ended_before(run, conf_in(60), token, SIMPLUGIN_CANCELLED, "whose token was fired before");
}

/* ---- amid it
 * ------------------------------------------------------------------------------------- */

static void nap(double seconds)
{
    struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};

    nanosleep(&time, NULL);
}

static void deadline_amid(conf_run *run)
{
    conf_rig rig;
    conf_long work = {NULL, 0, 0, 0};
    conf_answer answer;

    if (conf_rig_open(&rig, run) && conf_long_init(&work, &rig, LONG)) {
        if (work.seconds < 0.1 + SOON)
            conf_skip(run, "its searches are too quick to be interrupted");
        conf_send(&rig, rig.instance, "search", conf_long_body(&work), conf_in(0.1), 0, &answer);
        if (answer.code && answer.code != SIMPLUGIN_DEADLINE_EXCEEDED)
            conf_fail(run,
                      "a search whose deadline comes after 0.1 s answers %s; DEADLINE_EXCEEDED (or "
                      "OK) was expected",
                      conf_answer_text(&answer));
        if (answer.seconds > 0.1 + SOON)
            conf_fail(run,
                      "a search of %zu queries whose deadline comes after 0.1 s takes %.1f s: look "
                      "at info->deadline between blocks of work",
                      work.queries, answer.seconds);
        conf_answer_clear(&answer);
    }
    conf_long_clear(&work);
    conf_rig_close(&rig);
}

/* A thread that fires a token after a moment, and knows when. */
typedef struct firing {
    uint64_t token;
    double after;
    int64_t fired;
} firing;

static void *fire(void *context)
{
    firing *f = context;

    nap(f->after);
    __atomic_store_n(&f->fired, conf_clock(), __ATOMIC_SEQ_CST);
    conf_token_fire(f->token);
    return NULL;
}

/* Sends the request (taken) and fires its token amid it. */
static void cancel_amid(conf_rig *rig, const char *method, json_t *body, double after)
{
    firing f = {conf_token_new(), after, 0};
    pthread_t thread;
    conf_answer answer;
    double late;

    if (pthread_create(&thread, NULL, fire, &f))
        abort();
    conf_send(rig, rig->instance, method, body, conf_in(60), f.token, &answer);
    late = (double)(conf_clock() - __atomic_load_n(&f.fired, __ATOMIC_SEQ_CST)) / 1e9;
    if (answer.code && answer.code != SIMPLUGIN_CANCELLED)
        conf_fail(rig->run,
                  "%s answers %s when its token is fired by another thread; CANCELLED (or OK) was "
                  "expected",
                  method, conf_answer_text(&answer));
    if (__atomic_load_n(&f.fired, __ATOMIC_SEQ_CST) && late > SOON)
        conf_fail(rig->run,
                  "%s goes on for %.1f s after its token was fired: ask host->cancelled between "
                  "blocks of work, or watch the token",
                  method, late);
    pthread_join(thread, NULL);
    conf_answer_clear(&answer);
}

static void cancelled_amid(conf_run *run)
{
    conf_rig rig;
    conf_long work = {NULL, 0, 0, 0};
    size_t rows;

    if (conf_rig_open(&rig, run) && conf_long_init(&work, &rig, LONG)) {
        cancel_amid(&rig, "search", conf_long_body(&work), 0.1);
        cancel_amid(&rig, "points.scan",
                    json_pack("{s:s, s:i}", "collection", work.name, "max_bytes", 1 << 28), 0.002);
        rows = conf_batch_rows(&rig, 32);
        rows = rows < 20000 ? rows : 20000;
        cancel_amid(&rig, "points.upsert",
                    json_pack("{s:s, s:o, s:{s:{s:i, s:I, s:i}}}", "collection", work.name, "ids",
                              conf_ids("amid", 0, rows), "vectors", "$random", "seed", 5, "rows",
                              (json_int_t)rows, "cols", 32),
                    0.002);
        /* and it goes on as if nothing had been */
        conf_count(&rig, work.name);
    }
    conf_long_clear(&work);
    conf_rig_close(&rig);
}

/* ---- none
 * ------------------------------------------------------------------------------------------ */

static void no_deadline(conf_run *run)
{
    conf_rig rig;
    conf_tour tour;

    if (conf_rig_open(&rig, run) && conf_tour_begin(&tour, &rig)) {
        for (size_t at = 0; at < conf_tour_steps; at++)
            step_take(&tour, at, INT64_MAX, 0,
                      "without a deadline: INT64_MAX means none (plugin.h, simplugin_call_info)");
        conf_tour_end(&tour);
    }
    conf_rig_close(&rig);
}

static void watches(conf_run *run)
{
    conf_rig rig;
    conf_tour tour;

    if (conf_rig_open(&rig, run) && conf_tour_begin(&tour, &rig)) {
        for (size_t at = 0; at < conf_tour_steps && !conf_failed(run); at++) {
            step_take(&tour, at, conf_in(30), conf_token_new(), "with a token that is not fired");
            if (conf_host_watches())
                conf_fail(run,
                          "%s returns with a cancel_watch that was not taken back: the token may "
                          "be gone, and fn would be run for a call that has ended",
                          conf_tour_method(at));
        }
        conf_tour_end(&tour);
    }
    conf_rig_close(&rig);
}

const conf_check conf_time[] = {
    {"time/deadline-past", "calls that come too late end at once", deadline_past, 120, 0, NULL},
    {"time/deadline-amid", "a long search ends by its deadline", deadline_amid, 120, 1, NULL},
    {"time/cancelled-before", "calls that were cancelled before end at once", cancelled_before, 120,
     0, NULL},
    {"time/cancelled-amid", "a search, a scan and an upsert end soon after their token was fired",
     cancelled_amid, 120, 1, NULL},
    {"time/get-amid",
     "a long points.get ends by its deadline, and when it is cancelled",
     conf_time_amid, 180, 1, &conf_heavy_get},
    {"time/scan-amid",
     "a long points.scan ends by its deadline, and when it is cancelled",
     conf_time_amid, 180, 1, &conf_heavy_scan},
    {"time/count-amid",
     "a long points.count ends by its deadline, and when it is cancelled",
     conf_time_amid, 180, 1, &conf_heavy_count},
    {"time/upsert-amid",
     "a long points.upsert ends by its deadline, and when it is cancelled",
     conf_time_amid, 180, 1, &conf_heavy_upsert},
    {"time/delete-amid",
     "a long points.delete ends by its deadline, and when it is cancelled",
     conf_time_amid, 180, 1, &conf_heavy_delete},
    {"time/set-fields-amid",
     "a long points.set_fields ends by its deadline, and when it is cancelled",
     conf_time_amid, 180, 1, &conf_heavy_set_fields},
    {"time/radius-amid",
     "a long search.radius ends by its deadline, and when it is cancelled",
     conf_time_amid, 180, 1, &conf_heavy_radius},
    {"time/neighbors-amid",
     "a long search.neighbors ends by its deadline, and when it is cancelled",
     conf_time_amid, 180, 1, &conf_heavy_neighbors},
    {"time/view-amid",
     "a long view.create ends by its deadline, and when it is cancelled",
     conf_time_amid, 180, 1, &conf_heavy_view},
    {"time/check-amid",
     "a long collection.check ends by its deadline, and when it is cancelled",
     conf_time_amid, 180, 1, &conf_heavy_check},
    {"time/compact-amid",
     "a long collection.compact ends by its deadline, and when it is cancelled",
     conf_time_amid, 180, 1, &conf_heavy_compact},
    {"time/backup-amid",
     "a long collection.backup ends by its deadline, and when it is cancelled",
     conf_time_amid, 180, 1, &conf_heavy_backup},
    {"time/no-deadline", "a deadline of INT64_MAX is none", no_deadline, 120, 0, NULL},
    {"time/watches", "watches of tokens are taken back", watches, 120, 0, NULL},
    {NULL, NULL, NULL, 0, 0, NULL},
};
