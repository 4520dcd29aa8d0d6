/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "report.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "simplugin.h"

/* Text of a line: what TAP would take for something else is escaped. */
static void words_write(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '#' || *text == '\\')
            putc('\\', out);
        putc((unsigned char)*text < 0x20 ? ' ' : *text, out);
    }
}

/* A JSON text is one of YAML's, in double quotes. */
static void quoted_write(FILE *out, const char *text)
{
    json_t *value = json_string(text);
    char *quoted = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;

    fputs(quoted ? quoted : "\"(not UTF-8)\"", out);
    free(quoted);
    json_decref(value);
}

static void lines_write(FILE *out, const char *prefix, const char *text)
{
    while (*text) {
        size_t size = strcspn(text, "\n");

        fprintf(out, "%s%.*s\n", prefix, (int)size, text);
        text += size + (text[size] == '\n');
    }
}

static void failure_write(FILE *out, const conf_plan *plan, const conf_item *item)
{
    char *replay = conf_plan_replay(plan, item->check);

    fputs("  ---\n  reason: ", out);
    quoted_write(out, item->outcome.reason);
    if (item->outcome.request)
        fprintf(out, "\n  request: %s", item->outcome.request);
    fputs("\n  replay: ", out);
    quoted_write(out, replay);
    putc('\n', out);
    if (item->outcome.output) {
        fputs("  output: |2\n", out);
        lines_write(out, "    ", item->outcome.output);
    }
    fputs("  ...\n", out);
    free(replay);
}

void conf_tap_begin(FILE *out, const conf_plan *plan)
{
    const conf_target *target = plan->target;
    const char *version = json_string_value(json_object_get(target->describe, "version"));

    fprintf(out,
            "TAP version 14\n# simplugin-conformance %s\n# backend %s%s%s, %s\n# seed %" PRIu64
            "\n",
            simplugin_version(), target->name, version ? " " : "", version ? version : "",
            target->file ? target->file : "registered in this program", target->seed);
    if (plan->without_describe) {
        fputs("# it did not describe itself: ", out);
        words_write(out, plan->without_describe);
        putc('\n', out);
    }
    fprintf(out, "1..%zu\n", plan->count);
    fflush(out);
}

void conf_tap_check(FILE *out, const conf_plan *plan, size_t i)
{
    const conf_item *item = &plan->items[i];
    const conf_outcome *outcome = &item->outcome;

    fprintf(out, "%s %zu - ", outcome->state == CONF_FAILED ? "not ok" : "ok", i + 1);
    words_write(out, item->check->name);
    fputs(": ", out);
    words_write(out, item->check->says);
    if (outcome->state == CONF_SKIPPED) {
        fputs(" # SKIP ", out);
        words_write(out, outcome->reason);
    }
    putc('\n', out);
    if (outcome->state == CONF_FAILED)
        failure_write(out, plan, item);
    else if (plan->options->verbose) {
        fprintf(out, "# %.3f s\n", outcome->seconds);
        if (outcome->output)
            lines_write(out, "# ", outcome->output);
    }
    fflush(out);
}

void conf_tap_end(FILE *out, const conf_plan *plan)
{
    conf_totals totals = conf_plan_totals(plan);

    if (plan->interrupted)
        fprintf(out, "Bail out! Interrupted (SIG%s): %zu of %zu checks were done\n",
                sigabbrev_np(plan->interrupted), plan->count - totals.waiting, plan->count);
    fprintf(out, "# %zu passed, %zu failed, %zu skipped in %.1f s\n", totals.passed, totals.failed,
            totals.skipped, plan->seconds);
    fflush(out);
}
