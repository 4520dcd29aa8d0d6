/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "contract.h"

#define SCAN_REPLIES_MAX 100000

static uint64_t index_make(conf_run *run, const char *backend, const json_t *parameters,
                           const json_t *create, core_answer *answer)
{
    char directory[4096];
    uint64_t session, index = 0;

    snprintf(directory, sizeof directory, "%s/%s", conf_run_directory(run), backend);
    mkdir(directory, 0700);
    session = core_session(&conf_the_world, backend, parameters, directory, answer);
    if (session) {
        core_call(session, "index.create", create, 0, answer);
        index = (uint64_t)json_integer_value(json_object_get(answer->reply, "index"));
    }
    if (!index)
        conf_fail(run, "index.create on %s: %s: %s", backend, simplugin_code_name(answer->code),
                  answer->message);
    return index;
}

int pair_open(pair *p, conf_run *run, const json_t *create)
{
    json_t *nothing = json_object();

    memset(p, 0, sizeof *p);
    p->run = run;
    p->target = conf_run_target(run);
    if (!conf_the_world.flat_describe)
        conf_fail(run,
                  "the flat backend, with whose answers these are compared, cannot be asked: %s",
                  conf_the_world.without_flat);
    if (!conf_failed(run)) {
        conf_asks(run, "index.create", create);
        p->flat = index_make(run, "sklearn_flat", nothing, create, &p->truth);
    }
    if (p->flat)
        p->index = index_make(run, p->target->name, p->target->parameters, create, &p->answer);
    json_decref(nothing);
    if (!p->index)
        pair_close(p);
    return p->index != 0;
}

void pair_close(pair *p)
{
    if (p->index)
        core_call(p->index, "index.cleanup", NULL, 0, &p->answer);
    if (p->flat)
        core_call(p->flat, "index.cleanup", NULL, 0, &p->truth);
    core_answer_clear(&p->answer);
    core_answer_clear(&p->truth);
    p->index = p->flat = 0;
}

int pair_codes_agree(const pair *p, const char *method)
{
    const core_answer *answer = &p->answer, *truth = &p->truth;

    if (answer->code == SIMPLUGIN_OK && truth->code == SIMPLUGIN_OK)
        return 1;
    if (truth->code == SIMPLUGIN_OK)
        conf_fail(p->run, "%s fails with %s: %s", method, simplugin_code_name(answer->code),
                  answer->message);
    else if (answer->code == SIMPLUGIN_OK)
        conf_fail(p->run, "%s succeeds; on flat it fails with %s: %s", method,
                  simplugin_code_name(truth->code), truth->message);
    else if (answer->code != truth->code || !p->may_fail)
        conf_fail(p->run, "%s fails with %s: %s; on flat with %s: %s", method,
                  simplugin_code_name(answer->code), answer->message,
                  simplugin_code_name(truth->code), truth->message);
    return 0;
}

int pair_ask(pair *p, const char *method, const json_t *body)
{
    conf_asks(p->run, method, body);
    core_call(p->index, method, body, p->as_columns, &p->answer);
    core_call(p->flat, method, body, 0, &p->truth);
    return pair_codes_agree(p, method);
}

/* ---- scans ----------------------------------------------------------------------------------- */

/* Puts the rows of a reply of scan.next into points. NULL, or an id that is there already. */
static const char *rows_take(json_t *points, const json_t *reply)
{
    const json_t *ids = json_object_get(reply, "ids");
    const json_t *vectors = json_object_get(reply, "vectors");
    json_t *id, *column;
    const char *name;
    size_t i;

    json_array_foreach(ids, i, id) {
        json_t *fields = json_object();
        if (json_object_get(points, json_string_value(id))) {
            json_decref(fields);
            return json_string_value(id);
        }
        json_object_foreach(json_object_get(reply, "fields"), name, column)
            if (!json_is_null(json_array_get(column, i)))
                json_object_set(fields, name, json_array_get(column, i));
        json_object_set_new(points, json_string_value(id),
                            json_pack("{s:O*, s:o}", "vector", json_array_get(vectors, i), "fields",
                                      fields));
    }
    return NULL;
}

int pair_scan_one(pair *p, uint64_t index, const char *whose, const json_t *body, json_t **points)
{
    core_answer answer = {0};
    const char *twice = NULL;
    uint64_t scan;
    int done = 0;

    *points = json_object();
    /* what flat is asked is of no interest to who looks at the other */
    if (index == p->index)
        conf_asks(p->run, "scan.open", body);
    core_call(index, "scan.open", body, 0, &answer);
    scan = (uint64_t)json_integer_value(json_object_get(answer.reply, "scan"));
    for (int i = 0; scan && !done && !twice && i < SCAN_REPLIES_MAX; i++) {
        core_call(scan, "scan.next", NULL, 0, &answer);
        if (answer.code != SIMPLUGIN_OK)
            break;
        done = json_is_true(json_object_get(answer.reply, "done"));
        if ((twice = rows_take(*points, answer.reply)))
            conf_fail(p->run, "a scan of %s has \"%s\" twice", whose, twice);
    }
    if (!done)
        conf_fail(p->run, "a scan of %s does not come to its end: %s %s", whose,
                  simplugin_code_name(answer.code), answer.message);
    if (scan)
        simplugin_close(scan, NULL);
    core_answer_clear(&answer);
    return done && !twice;
}

int pair_scan(pair *p, const json_t *body, json_t **points, json_t **truth)
{
    int ok = pair_scan_one(p, p->flat, "flat", body, truth);

    return pair_scan_one(p, p->index, p->target->name, body, points) && ok;
}
