/* SPDX-License-Identifier: Apache-2.0 */
/* Instances come and go, and leave nothing behind. */
#include "config.h"

#include <stdlib.h>

#include "flat.h"
#include "rig.h"

#define CYCLES 200
#define SECONDS 20.0
#define AT_ONCE 16

static int open_use_close(conf_rig *rig, void *context)
{
    json_t *body = json_pack("{s:s}", "collection", context);
    conf_answer answer;

    rig->instance = conf_instance(rig);
    if (!rig->instance) {
        json_decref(body);
        return 0;
    }
    conf_ok(rig, "health", NULL, &answer);
    conf_answer_clear(&answer);
    conf_call(rig, "collection.exists", body, &answer);
    conf_answer_clear(&answer);
    rig->table->close(rig->instance);
    rig->instance = NULL;
    return !conf_failed(rig->run);
}

static void memory(conf_run *run)
{
    char name[] = "conformance_none";
    conf_rig rig;

    if (conf_rig_load(&rig, run))
        conf_flat_memory(&rig, CYCLES, SECONDS, "an instance that is opened, used and closed",
                         open_use_close, name);
    conf_rig_close(&rig);
}

static void descriptors(conf_run *run)
{
    char name[] = "conformance_none";
    int64_t until;
    size_t before, after, done = 0;
    conf_rig rig;

    if (conf_rig_load(&rig, run) && open_use_close(&rig, name) && open_use_close(&rig, name)) {
        rig.quiet = 1;
        before = conf_descriptors();
        until = conf_in(SECONDS);
        while (done < CYCLES && conf_clock() < until && open_use_close(&rig, name))
            done++;
        after = conf_descriptors();
        /* what is opened once, late, is no leak */
        if (after > before + done / 4 + 4)
            conf_fail(run,
                      "after %zu instances were opened, used and closed, %zu descriptors are open; "
                      "before it were %zu: close has to close them all",
                      done, after, before);
    }
    conf_rig_close(&rig);
}

static void many(conf_run *run)
{
    simplugin_instance *all[AT_ONCE] = {NULL}, *first;
    conf_answer answer;
    conf_rig rig;

    if (conf_rig_open(&rig, run)) {
        first = rig.instance;
        for (size_t i = 0; i < AT_ONCE && !conf_failed(run); i++)
            all[i] = conf_instance(&rig);
        for (size_t i = 0; i < AT_ONCE && !conf_failed(run); i++) {
            if (conf_send(&rig, all[i], "health", NULL, conf_in(30), 0, &answer))
                conf_fail(run, "health answers %s on instance %zu of %d that are open at once",
                          conf_answer_text(&answer), i, AT_ONCE);
            conf_answer_clear(&answer);
        }
        for (size_t i = 0; i < AT_ONCE; i += 2)
            rig.table->close(all[i]);
        for (size_t i = 1; i < AT_ONCE && !conf_failed(run); i += 2) {
            if (conf_send(&rig, all[i], "health", NULL, conf_in(30), 0, &answer))
                conf_fail(run, "health answers %s after another instance was closed",
                          conf_answer_text(&answer));
            conf_answer_clear(&answer);
        }
        for (size_t i = 1; i < AT_ONCE; i += 2)
            rig.table->close(all[i]);
        rig.instance = first;
        if (!conf_failed(run))
            conf_use(&rig);
    }
    conf_rig_close(&rig);
}

const conf_check conf_cycles[] = {
    {"cycles/memory", "an instance that is closed leaves no memory behind", memory, 120, 0, NULL},
    {"cycles/descriptors", "an instance that is closed leaves no descriptor open", descriptors, 120,
     0, NULL},
    {"cycles/many", "many instances are open at once", many, 120, 0, NULL},
    {NULL, NULL, NULL, 0, 0, NULL},
};
