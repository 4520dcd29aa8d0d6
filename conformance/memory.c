/* SPDX-License-Identifier: Apache-2.0 */
/* Whose memory is whose: plugin.h, Ownership. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "flat.h"
#include "guard.h"
#include "simplugin/envelope.h"
#include "tour.h"

/* ---- requests ------------------------------------------------------------------------------- */

/* Everything the backend can be asked, with requests in memory that tells of one kind of misuse. */
static void with_inputs(conf_run *run, unsigned int kinds)
{
    conf_rig rig;

    conf_guard_watch(run);
    if (conf_rig_load(&rig, run)) {
        rig.inputs = kinds;
        rig.instance = conf_instance(&rig);
        if (rig.instance)
            conf_tour_whole(&rig, NULL);
    }
    conf_rig_close(&rig);
}

static void inputs_not_written(conf_run *run) { with_inputs(run, CONF_GUARD_WRITES); }

static void inputs_not_read_past(conf_run *run) { with_inputs(run, CONF_GUARD_END); }

static void inputs_not_kept(conf_run *run) { with_inputs(run, CONF_GUARD_LATER); }

/* ---- replies -------------------------------------------------------------------------------- */

static void owned_check(conf_rig *rig, const char *method, conf_answer *answer)
{
    const simplugin_reply *reply = &answer->reply;
    const char *what = NULL;

    if (reply->body_size && !conf_reply_owns(reply, reply->body, reply->body_size))
        what = "body";
    else if (reply->tensor_count &&
             !conf_reply_owns(reply, reply->tensors, reply->tensor_count * sizeof *reply->tensors))
        what = "list of tensors";
    for (uint64_t i = 0; !what && i < reply->tensor_count; i++) {
        size_t bytes = conf_tensor_bytes(&reply->tensors[i]);

        if (bytes && !conf_reply_owns(reply, reply->tensors[i].data, bytes))
            what = "data of a tensor";
    }
    if (what)
        conf_fail(rig->run,
                  "the reply of %s: its %s does not lie in memory of simplugin_host.reply_alloc "
                  "for this reply (plugin.h, Ownership)",
                  method, what);
}

static void bounds_check(conf_rig *rig, const char *method, conf_answer *answer)
{
    uint64_t spoilt = conf_reply_spoilt(&answer->reply);

    if (spoilt)
        conf_fail(rig->run,
                  "%s wrote behind the end of memory that it had from reply_alloc: %llu bytes "
                  "there are no longer what they were",
                  method, (unsigned long long)spoilt);
}

static void describe_owned(conf_rig *rig)
{
    conf_answer answer = {.reply = conf_reply_new()};

    conf_asks(rig->run, "describe", NULL);
    if (rig->table->describe(&answer.reply, &answer.error) == SIMPLUGIN_OK)
        owned_check(rig, "describe", &answer);
    conf_answer_clear(&answer);
}

static void replies_owned(conf_run *run)
{
    conf_rig rig;

    if (conf_rig_open(&rig, run)) {
        describe_owned(&rig);
        conf_tour_whole(&rig, owned_check);
    }
    conf_rig_close(&rig);
}

static void replies_in_bounds(conf_run *run)
{
    conf_rig rig;

    if (conf_rig_open(&rig, run))
        conf_tour_whole(&rig, bounds_check);
    conf_rig_close(&rig);
}

static void replies_not_kept(conf_run *run)
{
    conf_rig rig;

    conf_guard_watch(run);
    conf_host_guard(CONF_GUARD_LATER);
    if (conf_rig_open(&rig, run))
        conf_tour_whole(&rig, NULL);
    conf_rig_close(&rig);
    conf_host_guard(0);
}

/* ---- errors --------------------------------------------------------------------------------- */

/* NULL, or what is wrong with an error that came with that code. */
static const char *error_wrong(int32_t code, const simplugin_error *error)
{
    if (!error)
        return "sets no error";
    if (error->code != code)
        return "sets an error of another code";
    if (!error->message_size)
        return "sets an error without a message";
    if (memchr(error->message, '\n', (size_t)error->message_size) ||
        memchr(error->message, '\r', (size_t)error->message_size))
        return "sets an error whose message is not one line";
    if (memchr(error->message, 0, (size_t)error->message_size))
        return "sets an error whose message has a zero in it: its length does not count one";
    return error->is_utf8 ? NULL : "sets an error whose texts are not UTF-8";
}

/* Requests that cannot succeed, one after the other; NULL at the end. */
static json_t *failing_body(const char *name, size_t which, const char **method)
{
    static const char *const methods[] = {"conformance.nonsense", "points.count",
                                          "points.get",           "search",
                                          "points.upsert",        "collection.describe",
                                          "points.delete"};

    if (which >= sizeof methods / sizeof methods[0])
        return NULL;
    *method = methods[which];
    switch (which) {
    case 0: return json_object();
    case 1: return json_pack("{s:s}", "collection", "conformance_none_\xe2\x82\xac");
    case 2: return json_pack("{s:s, s:i}", "collection", name, "ids", 7);
    case 3:
        return json_pack("{s:s, s:o, s:i}", "collection", name, "vectors",
                         conf_vectors(1, 1, CONF_TOUR_DIMENSION + 1), "k", 1);
    case 4:
        return json_pack("{s:s, s:o, s:o}", "collection", name, "ids", conf_ids("p", 0, 3),
                         "vectors", conf_vectors(1, 3, CONF_TOUR_DIMENSION + 2));
    case 5: return json_pack("{s:i}", "collection", 5);
    default: return json_pack("{s:s}", "collection", name);
    }
}

static void success_sets_none(conf_rig *rig, const char *method, conf_answer *answer)
{
    if (answer->error)
        conf_fail(rig->run, "%s answers OK and sets an error (%s): one of the two is wrong", method,
                  conf_error_text(answer->error));
}

static void errors_set(conf_run *run)
{
    conf_tour tour;
    conf_rig rig;
    const char *method, *wrong;
    json_t *body;

    if (conf_rig_open(&rig, run) && conf_tour_begin(&tour, &rig)) {
        for (size_t i = 0; (body = failing_body(tour.name, i, &method)) != NULL; i++) {
            conf_answer answer;

            if (conf_call(&rig, method, body, &answer)) {
                wrong = error_wrong(answer.code, answer.error);
                if (wrong)
                    conf_fail(run,
                              "%s answers %s and %s: code and error agree, and a message says what "
                              "failed, on what, and what to do (plugin.h, error_set)",
                              method, simplugin_code_name(answer.code), wrong);
            }
            conf_answer_clear(&answer);
        }
        conf_tour_take(&tour, success_sets_none);
        conf_tour_end(&tour);
    }
    conf_rig_close(&rig);
}

/* ---- leaks ----------------------------------------------------------------------------------- */

#define FAILURES 2000
#define TOURS 150
#define SECONDS 8.0

typedef struct failing {
    const char *name;
    size_t next;
} failing;

static int fail_once(conf_rig *rig, void *context)
{
    failing *f = context;
    const char *method;
    json_t *body = failing_body(f->name, f->next++, &method);
    conf_answer answer;

    if (!body) {
        f->next = 1;
        body = failing_body(f->name, 0, &method);
    }
    conf_call(rig, method, body, &answer);
    conf_answer_clear(&answer);
    return !conf_failed(rig->run);
}

static void failing_flat(conf_run *run)
{
    conf_tour tour;
    conf_rig rig;

    if (conf_rig_open(&rig, run) && conf_tour_begin(&tour, &rig)) {
        failing f = {tour.name, 0};

        conf_tour_take(&tour, NULL);
        conf_flat_memory(&rig, FAILURES, SECONDS, "a call that fails", fail_once, &f);
        conf_tour_end(&tour);
    }
    conf_rig_close(&rig);
}

/* All of it, so that what one step makes and another takes away is not there at the end. */
static int tour_once(conf_rig *rig, void *context)
{
    conf_tour_take(context, NULL);
    return !conf_failed(rig->run);
}

static void succeeding_flat(conf_run *run)
{
    conf_tour tour;
    conf_rig rig;

    if (conf_rig_open(&rig, run) && conf_tour_begin(&tour, &rig)) {
        conf_tour_take(&tour, NULL);
        tour.is_brief = 1;
        conf_flat_memory(&rig, TOURS, SECONDS, "a tour of calls that succeed", tour_once, &tour);
        conf_tour_end(&tour);
    }
    conf_rig_close(&rig);
}

const conf_check conf_memory[] = {
    {"memory/inputs-not-written", "what a request holds is not written to", inputs_not_written, 120,
     0, NULL},
    {"memory/inputs-not-read-past", "nothing behind the end of a request's parts is read",
     inputs_not_read_past, 120, 0, NULL},
    {"memory/inputs-not-kept", "what a request holds is not touched after the call",
     inputs_not_kept, 120, 0, NULL},
    {"memory/replies-owned", "replies lie in memory of reply_alloc", replies_owned, 120, 0, NULL},
    {"memory/replies-in-bounds", "memory of reply_alloc is written as far as it goes",
     replies_in_bounds, 120, 0, NULL},
    {"memory/replies-not-kept", "replies are not touched after the call", replies_not_kept, 120, 0,
     NULL},
    {"memory/errors", "a failure sets an error of its code with a message, a success none",
     errors_set, 0, 0, NULL},
    {"memory/failing-calls", "calls that fail leave no memory behind", failing_flat, 120, 0, NULL},
    {"memory/succeeding-calls", "calls that succeed leave no memory behind", succeeding_flat, 120,
     0, NULL},
    {NULL, NULL, NULL, 0, 0, NULL},
};
