/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy.next: about a second's work of a copy. Each page is written, acknowledged and then
 * noted, while the next one is read; then both sides are compared, and the run is recorded.
 * No thread and nothing half done is left between two calls.
 */
#include "copy.h"

#include <stdlib.h>
#include <unistd.h>

#define SLICE INT64_C(1000000000)
/* What is written is noted even where the call was cancelled or its time is over. */
#define NOTE_MS 10000

static sp_runs_wait note_wait(void)
{
    sp_runs_wait wait = {sp_clock_deadline(NOTE_MS), 0, NULL};

    return wait;
}

/* ---- copying ------------------------------------------------------------------------------ */

/* What to do about a collection that somebody dropped. */
static int32_t explain(sp_index *index, const sp_context *context, int32_t code,
                       simplugin_error **error)
{
    int exists = 0;

    if (code != SIMPLUGIN_NOT_FOUND || !error || sp_index_exists(index, context, &exists, NULL) ||
        exists)
        return code;
    sp_error_set(error, code, index->backend,
                 "copy.next: collection \"%s\" of %s is gone: copy.open tells what can be done",
                 index->collection, index->backend);
    sp_error_add_detail(error, "collection", index->collection);
    return code;
}

/* The block is in the target: from here on the copy goes on behind it. */
static int32_t block_note(sp_copy *c, sp_copy_block *block, simplugin_error **error)
{
    sp_runs_wait wait = note_wait();
    sp_copy_row row = c->row;
    int32_t code;

    row.cursor = block->cursor;
    row.cursor_size = block->cursor_size;
    row.copied += (int64_t)block->page.count;
    row.bytes += (int64_t)block->bytes;
    row.total = (int64_t)c->total;
    if (!block->cursor)
        row.phase = SP_COPY_VERIFYING;
    row.types = json_dumps(c->types.known, JSON_COMPACT);
    code = row.types ? sp_copy_journal_keep(c->runs, &wait, &row, error)
                     : sp_error_no_memory(error);
    if (code) {
        free(row.types);
        return code;
    }
    free(c->row.cursor);
    free(c->row.types);
    c->row = row;
    block->cursor = NULL;
    c->phase = row.phase;
    return code;
}

static int32_t block_copy(sp_copy *c, const sp_context *context, simplugin_error **error)
{
    const sp_describe *target = sp_connection_describe(c->target->connection);
    sp_copy_block *block = &c->blocks[c->at], *behind = &c->blocks[!c->at];
    simplugin_error *read_error = NULL;
    sp_copy_reader reader = {0};
    int32_t code = SIMPLUGIN_OK, read_code;

    if (!block->is_read)
        code = sp_copy_block_read(block, &c->walk, &c->types, target, context, error);
    if (code)
        return explain(c->source, context, code, error);
    if (block->cursor && !behind->is_read)
        sp_copy_reader_start(&reader, behind, &c->walk, &c->types, target, context);
    code = sp_copy_block_write(block, c->target, context, error);
    read_code = sp_copy_reader_join(&reader, &read_error);
    if (code) {
        code = explain(c->target, context, code, error);
    } else {
        code = block_note(c, block, error);
        if (!code) {
            sp_copy_block_clear(block);
            c->at = !c->at;
        }
    }
    if (!code && read_code) {
        code = explain(c->source, context, read_code, &read_error);
        if (error) {
            simplugin_error_free(error);
            *error = read_error;
            read_error = NULL;
        }
    }
    simplugin_error_free(&read_error);
    return code;
}

/* ---- verifying ---------------------------------------------------------------------------- */

static int32_t points_check(sp_copy *c, const sp_context *context, simplugin_error **error)
{
    int more = 0;
    int32_t code = SIMPLUGIN_OK;

    if (!c->is_checking) {
        c->check.copied = (uint64_t)c->row.copied;
        code = sp_copy_check_begin(&c->check, context, error);
        c->is_checking = !code;
    }
    if (!code && c->is_checking)
        code = sp_copy_check_next(&c->check, context, &more, error);
    if (!code && !more)
        c->phase = SP_COPY_FINISHING;
    return code;
}

/* ---- the end ------------------------------------------------------------------------------ */

/*
 * A copy that is one is recorded and forgotten about. One that is not stays in the journal,
 * to be made again from its beginning.
 */
static int32_t copy_finish(sp_copy *c, const sp_context *context, simplugin_error **error)
{
    sp_runs_wait wait = note_wait();
    int32_t code;

    if (c->check.different) {
        sp_copy_row again = c->row;

        again.phase = SP_COPY_COPYING;
        again.cursor = NULL;
        again.copied = again.bytes = 0;
        code = sp_copy_journal_keep(c->runs, &wait, &again, error);
    } else {
        code = sp_index_record_put(c->target, c->record_mode, &c->resolved, context, error);
        /* a second attempt finds its own */
        if (!code)
            c->record_mode = SP_RUNS_REPLACE;
        if (!code)
            code = sp_copy_journal_end(c->runs, &wait, c->row.id, error);
    }
    if (code)
        return code;
    c->phase = SP_COPY_DONE;
    sp_copy_lock_release(&c->lock);
    return code;
}

/* ---- the call ----------------------------------------------------------------------------- */

static const char *phase_name(const sp_copy *c)
{
    return c->phase < SP_COPY_VERIFYING ? "copying" : c->phase < SP_COPY_DONE ? "verifying" : "done";
}

/* Steps until the slice is over, and never without one that was taken. */
static int32_t slice_run(sp_copy *c, const sp_context *context, simplugin_error **error)
{
    int64_t began = sp_clock_now(), last = began;
    /* backends tell of their own work, which is not the copy's */
    sp_context quiet = *context;
    int steps = 0;
    int32_t code = SIMPLUGIN_OK;

    quiet.progress = NULL;
    while (!code && c->phase != SP_COPY_DONE && last - began < SLICE) {
        int64_t phase = c->phase, now;

        code = sp_context_check(&quiet, "copy.next", error);
        if (code)
            break;
        if (phase < SP_COPY_VERIFYING)
            code = block_copy(c, &quiet, error);
        else if (phase == SP_COPY_VERIFYING)
            code = points_check(c, &quiet, error);
        else
            code = copy_finish(c, &quiet, error);
        steps += !code;
        now = sp_clock_now();
        if (phase < SP_COPY_VERIFYING)
            c->copy_time += now - last;
        else
            c->check_time += now - last;
        last = now;
        sp_context_progress(context, (uint64_t)c->row.copied, c->total);
    }
    /* time that was long enough for something was long enough */
    if (code == SIMPLUGIN_DEADLINE_EXCEEDED && steps) {
        simplugin_error_free(error);
        code = SIMPLUGIN_OK;
    }
    return code;
}

static void named_write(const sp_copy_check *check, simplugin_writer *writer)
{
    const char *id = (const char *)check->named.data;

    simplugin_write_string(writer, "different");
    simplugin_write_array(writer, check->named_count);
    for (uint64_t i = 0; i < check->named_count; i++) {
        simplugin_write_string(writer, id);
        id += strlen(id) + 1;
    }
}

static int32_t reply_write(sp_copy *c, sp_request *request, simplugin_error **error)
{
    static const char *const compared[] = {"exact", "rounded", "direction"}; /* SP_VECTORS_... */
    int copying = c->phase < SP_COPY_VERIFYING;
    uint64_t copied = (uint64_t)c->row.copied;
    uint64_t done = copying ? copied - c->resumed : c->check.verified;
    uint64_t all = copying ? c->total - (c->resumed < c->total ? c->resumed : c->total)
                           : sp_copy_check_total(&c->check);
    int64_t time = copying ? c->copy_time : c->check_time;
    double rate = copied > c->resumed && c->copy_time
                      ? (double)(copied - c->resumed) * 1e9 / (double)c->copy_time
                      : 0;
    simplugin_writer writer;
    int32_t code;

    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 11);
    simplugin_write_string(&writer, "phase");
    simplugin_write_string(&writer, phase_name(c));
    simplugin_write_string(&writer, "copied");
    simplugin_write_uint(&writer, copied);
    simplugin_write_string(&writer, "total");
    simplugin_write_uint(&writer, c->total);
    simplugin_write_string(&writer, "bytes");
    simplugin_write_int(&writer, c->row.bytes);
    simplugin_write_string(&writer, "rows_per_second");
    simplugin_write_double(&writer, rate);
    simplugin_write_string(&writer, "seconds_left");
    if (c->phase == SP_COPY_DONE || (done && done >= all))
        simplugin_write_double(&writer, 0);
    else if (done && time)
        simplugin_write_double(&writer, (double)(all - done) * (double)time / 1e9 / (double)done);
    else
        simplugin_write_nil(&writer);
    simplugin_write_string(&writer, "verified");
    simplugin_write_uint(&writer, c->check.verified);
    simplugin_write_string(&writer, "compared");
    if (c->check.verified)
        simplugin_write_string(&writer, compared[c->check.vectors]);
    else
        simplugin_write_nil(&writer);
    simplugin_write_string(&writer, "differences");
    simplugin_write_uint(&writer, c->check.different);
    simplugin_write_string(&writer, "difference");
    simplugin_write_string(&writer, c->check.different ? c->check.first : NULL);
    named_write(&c->check, &writer);
    code = sp_request_finish(request, &writer, error);
    simplugin_writer_clear(&writer);
    return code;
}

int32_t sp_copy_next(sp_object *object, sp_request *request, simplugin_error **error)
{
    sp_copy *c = (sp_copy *)object;
    int32_t code;

    if (c->pid != getpid())
        return sp_error_set(error, SIMPLUGIN_FORKED, "copy",
                            "copy.next: the copy was begun by the parent process: open it again "
                            "once that has ended or closed it");
    if (pthread_mutex_trylock(&c->turn))
        return sp_error_set(error, SIMPLUGIN_BUSY, "copy",
                            "copy.next: another thread is in this copy: one at a time");
    code = slice_run(c, request->context, error);
    if (!code)
        code = reply_write(c, request, error);
    pthread_mutex_unlock(&c->turn);
    return code;
}
