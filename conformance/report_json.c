/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "report.h"

#include <stdlib.h>
#include <string.h>

#include "simplugin.h"

static void text_set(json_t *object, const char *key, const char *text)
{
    json_t *value;

    if (!text)
        return;
    value = json_string(text);
    json_object_set_new(object, key, value ? value : json_string("(not UTF-8)"));
}

static json_t *check_json(const conf_plan *plan, const conf_item *item)
{
    static const char *const states[] = {"not run", "passed", "failed", "skipped"};
    const conf_outcome *outcome = &item->outcome;
    json_t *object = json_pack("{s:s, s:s, s:f}", "name", item->check->name, "outcome",
                               states[outcome->state], "seconds", outcome->seconds);
    char *replay;

    text_set(object, "says", item->check->says);
    if (outcome->state == CONF_FAILED || outcome->state == CONF_SKIPPED)
        text_set(object, "reason", outcome->reason);
    if (outcome->state == CONF_FAILED) {
        replay = conf_plan_replay(plan, item->check);
        if (outcome->request)
            json_object_set_new(object, "request",
                                json_loads(outcome->request, JSON_ALLOW_NUL, NULL));
        text_set(object, "replay", replay);
        free(replay);
    }
    if (outcome->state == CONF_FAILED || plan->options->verbose)
        text_set(object, "output", outcome->output);
    return object;
}

void conf_json_write(FILE *out, const conf_plan *plan)
{
    const conf_target *target = plan->target;
    conf_totals totals = conf_plan_totals(plan);
    json_t *checks = json_array(), *document;

    for (size_t i = 0; i < plan->count; i++)
        json_array_append_new(checks, check_json(plan, &plan->items[i]));
    document = json_pack(
        "{s:i, s:s, s:s, s:I, s:b, s:f, s:{s:I, s:I, s:I, s:I}, s:o}", "format", 1, "program",
        simplugin_version(), "backend", target->name, "seed", (json_int_t)target->seed,
        "interrupted", plan->interrupted != 0, "seconds", plan->seconds, "totals", "passed",
        (json_int_t)totals.passed, "failed", (json_int_t)totals.failed, "skipped",
        (json_int_t)totals.skipped, "not_run", (json_int_t)totals.waiting, "checks", checks);
    text_set(document, "version", json_string_value(json_object_get(target->describe, "version")));
    text_set(document, "file", target->file);
    text_set(document, "not_described", plan->without_describe);
    json_dumpf(document, out, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
    putc('\n', out);
    json_decref(document);
}
