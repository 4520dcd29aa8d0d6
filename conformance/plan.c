/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void conf_plan_add(conf_plan *plan, const conf_check *check, int needs_describe)
{
    conf_item *more = plan->items;

    /* grown by doubling, when the count is a power of two */
    if ((plan->count & (plan->count - 1)) == 0)
        more = realloc(plan->items, (plan->count ? plan->count * 2 : 1) * sizeof *more);
    if (!more)
        abort();
    plan->items = more;
    more[plan->count++] = (conf_item){.check = check, .needs_describe = needs_describe};
}

void conf_plan_clear(conf_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        conf_outcome_clear(&plan->items[i].outcome);
    free(plan->items);
    plan->items = NULL;
    plan->count = 0;
}

/* ---- choosing -------------------------------------------------------------------------------- */

static int is_name(const conf_plan *plan, const char *text)
{
    for (size_t i = 0; i < plan->count; i++)
        if (!strcmp(plan->items[i].check->name, text))
            return 1;
    return 0;
}

static int chooses(const conf_plan *plan, const char *text, const conf_check *check)
{
    if (is_name(plan, text))
        return !strcmp(check->name, text);
    return strstr(check->name, text) || strstr(check->says, text);
}

static int is_chosen(const conf_plan *plan, const conf_check *check)
{
    const conf_options *options = plan->options;
    int chosen = options->only_count == 0;

    for (size_t i = 0; !chosen && i < options->only_count; i++)
        chosen = chooses(plan, options->only[i], check);
    for (size_t i = 0; chosen && i < options->except_count; i++)
        chosen = !chooses(plan, options->except[i], check);
    return chosen;
}

void conf_plan_choose(conf_plan *plan)
{
    const conf_options *options = plan->options;
    unsigned char *chosen = calloc(plan->count + 1, 1);
    size_t left = 0, number = 0;

    if (!chosen)
        abort();
    /* all of them first, as names are looked for among all */
    for (size_t i = 0; i < plan->count; i++)
        chosen[i] = is_chosen(plan, plan->items[i].check) &&
                    number++ % options->parts == options->part;
    for (size_t i = 0; i < plan->count; i++)
        if (chosen[i])
            plan->items[left++] = plan->items[i];
    plan->count = left;
    free(chosen);
}

conf_totals conf_plan_totals(const conf_plan *plan)
{
    conf_totals totals = {0, 0, 0, 0};

    for (size_t i = 0; i < plan->count; i++)
        switch (plan->items[i].outcome.state) {
        case CONF_PASSED: totals.passed++; break;
        case CONF_FAILED: totals.failed++; break;
        case CONF_SKIPPED: totals.skipped++; break;
        default: totals.waiting++; break;
        }
    return totals;
}

/* ---- replaying ------------------------------------------------------------------------------- */

static void word_write(FILE *out, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-+=./:,@%";

    if (*word && strspn(word, plain) == strlen(word)) {
        fputs(word, out);
        return;
    }
    putc('\'', out);
    for (; *word; word++)
        if (*word == '\'')
            fputs("'\\''", out);
        else
            putc(*word, out);
    putc('\'', out);
}

static void option_write(FILE *out, const char *option, const char *value)
{
    if (!value)
        return;
    fprintf(out, " %s ", option);
    word_write(out, value);
}

char *conf_plan_replay(const conf_plan *plan, const conf_check *check)
{
    static const char *const forms[] = {NULL, "plain", "columns", NULL};
    const conf_options *options = plan->options;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        abort();
    word_write(out, options->program);
    putc(' ', out);
    word_write(out, options->plugin);
    option_write(out, "--config", options->config);
    option_write(out, "--corpus", options->corpus);
    option_write(out, "--form", forms[options->forms]);
    if (options->seconds)
        fprintf(out, " --seconds %u", options->seconds);
    fprintf(out, " --seed %" PRIu64, plan->target->seed);
    option_write(out, "--only", check->name);
    if (fclose(out) != 0)
        abort();
    return text;
}
