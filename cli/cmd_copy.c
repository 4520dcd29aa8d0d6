/* SPDX-License-Identifier: Apache-2.0 */
/* simplugin copy. */
#include "config.h"

#include <string.h>

#include "cli.h"

typedef struct copying {
    uint64_t source;
    uint64_t copy;
    cli_reply opened; /* of copy.open, */
    cli_reply last;   /* and of the last copy.next */
    int is_verifying;
} copying;

static void write_target(cli *program, cli_body *body)
{
    cli_body_text_option(program, body, "backend", OPT_TO_BACKEND);
    cli_body_text_option(program, body, "brain_key", OPT_TO_KEY);
    cli_body_text_option(program, body, "dataset", OPT_TO_DATASET);
    cli_body_text_option(program, body, "collection_name", OPT_TO_COLLECTION);
    cli_body_text_option(program, body, "metric", OPT_METRIC);
    cli_body_text_option(program, body, "patches_field", OPT_PATCHES_FIELD);
    cli_body_flag_option(program, body, "overwrite", OPT_TO_OVERWRITE);
    cli_body_flag_option(program, body, "merge", OPT_MERGE);
}

static int32_t open_copy(cli *program, copying *work)
{
    cli_body_outer outer;
    cli_body body;
    int32_t code;

    cli_body_init(&body);
    cli_body_int(&body, "source", work->source);
    cli_body_flag_option(program, &body, "dry_run", OPT_DRY_RUN);
    cli_body_text_option(program, &body, "verify", OPT_VERIFY);
    cli_body_text_option(program, &body, "mixed_fields", OPT_MIXED_FIELDS);
    cli_body_int_option(program, &body, "sample_size", OPT_SAMPLE_SIZE);
    cli_body_int_option(program, &body, "batch_bytes", OPT_BATCH_BYTES);
    if (cli_has(program, OPT_NO_RESUME))
        cli_body_bool(&body, "resume", 0);
    outer = cli_body_begin(&body, "target");
    write_target(program, &body);
    code = cli_body_pairs_option(program, &body, "fields", OPT_FIELD, NULL);
    if (code == SIMPLUGIN_OK)
        code = cli_body_parameters(program, &body, OPT_TO_PARAM, cli_text(program, OPT_TO_BACKEND),
                                   NULL);
    cli_body_end(&body, outer);
    if (code != SIMPLUGIN_OK) {
        cli_body_clear(&body);
        return code;
    }
    return cli_call(program, program->session, "copy.open", &body, &work->opened);
}

/* ---- what is lost ---- */

static void print_text_of(FILE *out, const simplugin_value *map, const char *key)
{
    const char *text = "";
    uint64_t size = 0;

    simplugin_find_text(map, key, &text, &size);
    cli_print_text(out, text, size);
}

/* A line for each; returns the code of the first that is fatal. */
static int32_t tell_losses(const copying *work, FILE *out)
{
    simplugin_value list = {0}, loss;
    int32_t code = SIMPLUGIN_OK;
    simplugin_iter iter;

    simplugin_find(&work->opened.body, "losses", &list);
    iter = simplugin_iterate(&list);
    while (simplugin_next(&iter, &loss)) {
        simplugin_value what = {0};
        int is_fatal = 0;

        simplugin_find(&loss, "what", &what);
        simplugin_find_bool(&loss, "fatal", &is_fatal);
        if (is_fatal && code == SIMPLUGIN_OK)
            code = simplugin_value_is(&what, "target") ? SIMPLUGIN_ALREADY_EXISTS
                                                       : SIMPLUGIN_INVALID_ARGUMENT;
        if (!out)
            continue;
        fputs(is_fatal ? "impossible: " : "lost: ", out);
        print_text_of(out, &loss, "what");
        fputc(' ', out);
        print_text_of(out, &loss, "name");
        fputs(": ", out);
        print_text_of(out, &loss, "detail");
        fputc('\n', out);
    }
    return code;
}

static int32_t print_dry_run(cli *program, const copying *work)
{
    FILE *out = program->out;
    int32_t code;

    if (cli_is_json(program)) {
        cli_json_reply(out, &work->opened.raw, NULL);
        code = tell_losses(work, NULL);
    } else {
        fprintf(out, "%llu points, of which %llu are copied already, would be copied into \"",
                (unsigned long long)cli_reply_int(&work->opened, "total"),
                (unsigned long long)cli_reply_int(&work->opened, "resumed"));
        print_text_of(out, &work->opened.body, "collection_name");
        fputs("\" of ", out);
        print_text_of(out, &work->opened.body, "backend");
        fputc('\n', out);
        code = tell_losses(work, out);
    }
    return code == SIMPLUGIN_OK ? code : cli_fail(program, code, "it cannot be copied like this");
}

/* ---- copying ---- */

static int is_phase(const copying *work, const char *name)
{
    simplugin_value phase = {0};

    simplugin_find(&work->last.body, "phase", &phase);
    return simplugin_value_is(&phase, name);
}

static void show_progress(cli *program, copying *work)
{
    uint64_t total = cli_reply_int(&work->last, "total");

    if (is_phase(work, "verifying") && !work->is_verifying) {
        work->is_verifying = 1;
        cli_progress_clear(&program->progress);
        cli_progress_start(&program->progress, "verifying", "points", !cli_has(program, OPT_QUIET));
    }
    if (!work->is_verifying) {
        cli_progress_show(&program->progress, cli_reply_int(&work->last, "copied"), total);
        return;
    }
    if (!cli_has(program, OPT_VERIFY) || strcmp(cli_text(program, OPT_VERIFY), "all") != 0) {
        uint64_t sample = cli_has(program, OPT_SAMPLE_SIZE)
                              ? program->parsed.values[OPT_SAMPLE_SIZE].number
                              : 1000;

        total = total < sample ? total : sample;
    }
    cli_progress_show(&program->progress, cli_reply_int(&work->last, "verified"), total);
}

static int32_t run_copy(cli *program, copying *work)
{
    cli_reply reply;
    int32_t code;

    cli_progress_start(&program->progress, "copying", "points", !cli_has(program, OPT_QUIET));
    program->progress.base = cli_reply_int(&work->opened, "resumed");
    do {
        code = cli_call(program, work->copy, "copy.next", NULL, &reply);
        if (code == SIMPLUGIN_OK) {
            cli_reply_clear(&work->last);
            work->last = reply;
            show_progress(program, work);
        } else {
            cli_reply_clear(&reply);
        }
    } while (code == SIMPLUGIN_OK && !is_phase(work, "done"));
    cli_progress_clear(&program->progress);
    return code;
}

static void print_json(cli *program, const copying *work)
{
    static const struct {
        const char *key;
        int is_of_open;
    } keys[] = {{"backend", 1},  {"collection_name", 1}, {"resumed", 1}, {"losses", 1},
                {"copied", 0},   {"total", 0},           {"bytes", 0},   {"rows_per_second", 0},
                {"verified", 0}, {"compared", 0},        {"differences", 0}, {"difference", 0},
                {"different", 0}};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const cli_reply *reply = keys[i].is_of_open ? &work->opened : &work->last;
        simplugin_value value = {0};

        fputs(i ? ", " : "{", program->out);
        cli_json_text(program->out, keys[i].key, strlen(keys[i].key));
        fputs(": ", program->out);
        if (simplugin_find(&reply->body, keys[i].key, &value))
            cli_json_value(program->out, &value, reply->raw.tensors, reply->raw.tensor_count,
                           keys[i].key);
        else
            fputs("null", program->out);
    }
    fputs("}\n", program->out);
}

static void print_summary(cli *program, const copying *work)
{
    if (cli_is_json(program)) {
        print_json(program, work);
    } else if (!cli_has(program, OPT_QUIET)) {
        fprintf(program->out, "copied %llu, of which %llu before; compared %llu, different %llu\n",
                (unsigned long long)cli_reply_int(&work->last, "copied"),
                (unsigned long long)cli_reply_int(&work->opened, "resumed"),
                (unsigned long long)cli_reply_int(&work->last, "verified"),
                (unsigned long long)cli_reply_int(&work->last, "differences"));
    }
}

/* What differs, as an error that names the first of it. */
static int32_t tell_differences(cli *program, const copying *work)
{
    uint64_t differences = cli_reply_int(&work->last, "differences");
    simplugin_value list = {0}, id = {0};
    const char *what = "";
    uint64_t size = 0;
    simplugin_iter iter;

    if (!differences)
        return SIMPLUGIN_OK;
    simplugin_find_text(&work->last.body, "difference", &what, &size);
    simplugin_find(&work->last.body, "different", &list);
    iter = simplugin_iterate(&list);
    simplugin_next(&iter, &id);
    return cli_fail(program, SIMPLUGIN_CORRUPT,
                    "%llu points are not the same on both sides%s%.*s%s%.*s: the same command copies "
                    "them again, --to-overwrite begins anew",
                    (unsigned long long)differences, id.size ? ", such as \"" : ", as ",
                    (int)(id.size < 255 ? id.size : 255), id.size ? (const char *)id.data : "",
                    id.size ? "\": " : "", (int)(size < 200 ? size : 200), what);
}

int32_t cli_copy(cli *program)
{
    copying work = {0};
    int32_t code;

    if (!cli_has(program, OPT_TO_BACKEND) && !cli_has(program, OPT_TO_KEY) &&
        !cli_has(program, OPT_TO_COLLECTION))
        return cli_fail_usage(program,
                              "where to? give --to-backend, --to-key or --to-collection");
    if (cli_has(program, OPT_TO_DATASET) && !cli_has(program, OPT_TO_KEY))
        return cli_fail_usage(program, "--to-dataset goes with --to-key");
    code = cli_open_index(program, &work.source);
    if (code == SIMPLUGIN_OK)
        code = cli_end_arguments(program);
    if (code == SIMPLUGIN_OK)
        code = open_copy(program, &work);
    if (code == SIMPLUGIN_OK && cli_has(program, OPT_DRY_RUN)) {
        code = print_dry_run(program, &work);
    } else if (code == SIMPLUGIN_OK) {
        work.copy = cli_reply_int(&work.opened, "copy");
        if (!cli_has(program, OPT_QUIET))
            tell_losses(&work, stderr);
        code = run_copy(program, &work);
        if (code == SIMPLUGIN_OK) {
            print_summary(program, &work);
            code = tell_differences(program, &work);
        } else if (!cli_is_json(program) && !cli_has(program, OPT_QUIET)) {
            uint64_t copied = cli_reply_int(&work.last, "copied");

            if (!work.last.body.type)
                copied = cli_reply_int(&work.opened, "resumed");
            fprintf(stderr, "before that: copied %llu of %llu; the same command goes on from there\n",
                    (unsigned long long)copied,
                    (unsigned long long)cli_reply_int(&work.opened, "total"));
        }
    }
    cli_reply_clear(&work.opened);
    cli_reply_clear(&work.last);
    return code;
}
