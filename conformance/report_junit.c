/* SPDX-License-Identifier: Apache-2.0 */
/* The XML that CI systems read: a suite for each group, a test case for each check. */
#include "config.h"

#include "report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* UTF-8 between tags or in an attribute. Characters that XML cannot hold at all become '?'. */
static void text_write(FILE *out, const char *text)
{
    for (size_t i = 0; text[i]; i++) {
        unsigned char c = (unsigned char)text[i];

        switch (c) {
        case '&': fputs("&amp;", out); break;
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '"': fputs("&quot;", out); break;
        case '\n': fputs("&#10;", out); break;
        case '\t': fputs("&#9;", out); break;
        default:
            /* U+FFFE and U+FFFF are EF BF BE and EF BF BF */
            if (c < 0x20)
                putc('?', out);
            else if (c == 0xef && (unsigned char)text[i + 1] == 0xbf &&
                     (unsigned char)text[i + 2] >= 0xbe) {
                putc('?', out);
                i += 2;
            } else
                putc(c, out);
        }
    }
}

static void attribute_write(FILE *out, const char *name, const char *text)
{
    fprintf(out, " %s=\"", name);
    text_write(out, text);
    putc('"', out);
}

static size_t group_size(const char *name)
{
    return strcspn(name, "/");
}

static int is_same_group(const char *a, const char *b)
{
    size_t size = group_size(a);

    return size == group_size(b) && !strncmp(a, b, size);
}

static void case_write(FILE *out, const conf_plan *plan, const conf_item *item)
{
    const conf_outcome *outcome = &item->outcome;
    char group[64];
    char *replay;

    snprintf(group, sizeof group, "%.*s", (int)group_size(item->check->name), item->check->name);
    fputs("    <testcase", out);
    attribute_write(out, "classname", group);
    attribute_write(out, "name", item->check->name);
    fprintf(out, " time=\"%.3f\">\n      <properties><property name=\"says\"", outcome->seconds);
    attribute_write(out, "value", item->check->says);
    fputs("/></properties>\n", out);
    if (outcome->state == CONF_SKIPPED || outcome->state == CONF_WAITING) {
        fputs("      <skipped", out);
        attribute_write(out, "message", outcome->reason ? outcome->reason : "not run: interrupted");
        fputs("/>\n", out);
    }
    if (outcome->state == CONF_FAILED) {
        replay = conf_plan_replay(plan, item->check);
        fputs("      <failure", out);
        attribute_write(out, "message", outcome->reason);
        fputs(">request: ", out);
        text_write(out, outcome->request ? outcome->request : "none");
        fputs("&#10;replay: ", out);
        text_write(out, replay);
        fputs("</failure>\n", out);
        free(replay);
    }
    if (outcome->output && (outcome->state == CONF_FAILED || plan->options->verbose)) {
        fputs("      <system-out>", out);
        text_write(out, outcome->output);
        fputs("</system-out>\n", out);
    }
    fputs("    </testcase>\n", out);
}

static void counts_write(FILE *out, const conf_plan *plan, size_t first, size_t end)
{
    size_t failed = 0, skipped = 0;
    double seconds = 0;

    for (size_t i = first; i < end; i++) {
        const conf_outcome *outcome = &plan->items[i].outcome;
        failed += outcome->state == CONF_FAILED;
        skipped += outcome->state == CONF_SKIPPED || outcome->state == CONF_WAITING;
        seconds += outcome->seconds;
    }
    fprintf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\" time=\"%.3f\"",
            end - first, failed, skipped, seconds);
}

static void property_write(FILE *out, const char *name, const char *value)
{
    fprintf(out, "      <property name=\"%s\"", name);
    attribute_write(out, "value", value);
    fputs("/>\n", out);
}

void conf_junit_write(FILE *out, const conf_plan *plan)
{
    const char *version = json_string_value(json_object_get(plan->target->describe, "version"));
    char seed[32];

    snprintf(seed, sizeof seed, "%" PRIu64, plan->target->seed);
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"simplugin-conformance\"",
          out);
    counts_write(out, plan, 0, plan->count);
    fputs(">\n", out);
    for (size_t i = 0; i < plan->count;) {
        const char *name = plan->items[i].check->name;
        char group[64];
        size_t end = i;

        while (end < plan->count && is_same_group(name, plan->items[end].check->name))
            end++;
        snprintf(group, sizeof group, "%.*s", (int)group_size(name), name);
        fputs("  <testsuite", out);
        attribute_write(out, "name", group);
        counts_write(out, plan, i, end);
        fputs(">\n    <properties>\n", out);
        property_write(out, "backend", plan->target->name);
        property_write(out, "version", version ? version : "unknown");
        property_write(out, "file", plan->target->file ? plan->target->file : "registered");
        property_write(out, "seed", seed);
        fputs("    </properties>\n", out);
        for (; i < end; i++)
            case_write(out, plan, &plan->items[i]);
        fputs("  </testsuite>\n", out);
    }
    fputs("</testsuites>\n", out);
}
