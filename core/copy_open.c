/* SPDX-License-Identifier: Apache-2.0 */
/* copy.open: what is to be copied where, what that loses, and where an earlier one stopped. */
#include "copy.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "copy_place.h"

#define TARGET_KEYS                                                                          \
    "dataset brain_key backend collection_name metric patches_field model supports_prompts " \
    "fields parameters overwrite merge"
#define BATCH_BYTES (INT64_C(32) << 20)
#define SAMPLE_SIZE 1000
/* How often what is found may change between a look and the lock. */
#define ATTEMPTS 5

/* What becomes of the target's collection. */
#define TARGET_USE 0
#define TARGET_MAKE 1
#define TARGET_REPLACE 2

typedef struct opening {
    sp_session *session;
    sp_request *request;
    sp_args target_args;
    sp_index_settings settings;
    int merge;
    int dry_run;
    int resume;
    int verify;
    int skip; /* values that do not fit their field's type */
    int64_t sample_size;
    int64_t batch_bytes;
    sp_copy *copy;
    sp_copy_plan plan;
    json_t *there; /* facts of the target's collection; NULL: it is not there */
    char *source_key;
    char *target_key;
    sp_copy_key key;
    int is_continued; /* the row tells where to go on */
    int action;
} opening;

static sp_runs_wait wait_of(const sp_context *context)
{
    sp_runs_wait wait = {context->deadline, context->cancel, sp_cancelled};

    return wait;
}

static void copy_destroy(sp_object *object)
{
    sp_copy *c = (sp_copy *)object;

    sp_copy_check_clear(&c->check);
    sp_copy_block_clear(&c->blocks[0]);
    sp_copy_block_clear(&c->blocks[1]);
    sp_walk_clear(&c->walk);
    sp_copy_row_clear(&c->row);
    sp_copy_lock_release(&c->lock);
    sp_resolved_clear(&c->resolved);
    json_decref(c->types.known);
    if (c->target)
        sp_object_release(&c->target->object);
    if (c->source)
        sp_object_release(&c->source->object);
    pthread_mutex_destroy(&c->turn);
    free(c);
}

static sp_copy *copy_new(uint64_t parent)
{
    sp_copy *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    sp_object_init(&c->object, SP_COPY, parent, copy_destroy);
    pthread_mutex_init(&c->turn, NULL);
    c->pid = getpid();
    c->lock.fd = -1;
    c->walk.page.reply.size = sizeof c->walk.page.reply;
    sp_copy_block_init(&c->blocks[0]);
    sp_copy_block_init(&c->blocks[1]);
    sp_copy_check_init(&c->check);
    return c;
}

sp_index *sp_copy_target(sp_object *object)
{
    return ((sp_copy *)object)->target;
}

/* ---- the request -------------------------------------------------------------------------- */

static int32_t verify_read(opening *o, simplugin_error **error)
{
    static const char *const names[] = {"none", "sample", "all"};
    const char *name;
    int32_t code = sp_arg_string(&o->request->args, "verify", &name, error);

    o->verify = SP_VERIFY_SAMPLE;
    if (code || !name)
        return code;
    for (int i = 0; i < 3; i++)
        if (strcmp(name, names[i]) == 0) {
            o->verify = i;
            return SIMPLUGIN_OK;
        }
    return sp_arg_error(&o->request->args, error, "verify", "\"%s\" is none of none, sample, all",
                        name);
}

static int32_t mixed_read(opening *o, simplugin_error **error)
{
    const char *name;
    int32_t code = sp_arg_string(&o->request->args, "mixed_fields", &name, error);

    if (code || !name)
        return code;
    o->skip = strcmp(name, "skip") == 0;
    if (o->skip || strcmp(name, "fail") == 0)
        return SIMPLUGIN_OK;
    return sp_arg_error(&o->request->args, error, "mixed_fields", "\"%s\" is none of fail, skip",
                        name);
}

static int32_t source_read(opening *o, simplugin_error **error)
{
    const sp_args *args = &o->request->args;
    sp_object *object = NULL;
    int64_t handle = 0;
    int32_t code = sp_arg_int(args, "source", 1, INT64_MAX, &handle, error);

    if (!code && !handle)
        code = sp_arg_error(args, error, "source", "is missing: the handle of an index");
    if (!code)
        code = sp_handle_acquire((uint64_t)handle, SP_INDEX, &object, error);
    o->copy->source = (sp_index *)object;
    return code ? code : sp_index_look(o->copy->source, o->request->context, error);
}

/* What the target's map leaves out is as the source has it. */
static void settings_inherit(opening *o)
{
    const sp_index *source = o->copy->source;
    sp_index_settings *s = &o->settings;

    if (source->brain_key && !sp_arg_present(&o->target_args, "dataset"))
        s->dataset = source->dataset;
    if (!s->patches_field)
        s->patches_field = source->patches_field;
    if (!s->model)
        s->model = source->model;
    if (!sp_arg_present(&o->target_args, "supports_prompts"))
        s->supports_prompts = source->supports_prompts;
    if (!s->brain_key && !s->collection)
        s->collection = source->collection;
    s->patches = source->patches;
}

static int32_t request_read(opening *o, simplugin_error **error)
{
    const sp_args *args = &o->request->args;
    simplugin_value map;
    int32_t code;

    o->resume = 1;
    o->sample_size = SAMPLE_SIZE;
    o->batch_bytes = BATCH_BYTES;
    code = source_read(o, error);
    if (!code)
        code = sp_arg_bool(args, "dry_run", &o->dry_run, error);
    if (!code)
        code = sp_arg_bool(args, "resume", &o->resume, error);
    if (!code)
        code = verify_read(o, error);
    if (!code)
        code = mixed_read(o, error);
    if (!code)
        code = sp_arg_int(args, "sample_size", 1, INT64_C(1) << 40, &o->sample_size, error);
    if (!code)
        code = sp_arg_int(args, "batch_bytes", 1, INT64_C(1) << 30, &o->batch_bytes, error);
    if (code)
        return code;
    if (!simplugin_find(&args->map, "target", &map))
        return sp_arg_error(args, error, "target", "is missing: a map as index.create takes it");
    if (map.type != SIMPLUGIN_MAP)
        return sp_arg_error(args, error, "target", "is no map");
    o->target_args = *args;
    o->target_args.map = map;
    code = sp_args_check_keys(&o->target_args, TARGET_KEYS, error);
    if (!code)
        code = sp_index_settings_read(&o->target_args, &o->settings, error);
    if (!code)
        code = sp_arg_bool(&o->target_args, "merge", &o->merge, error);
    if (!code && o->merge && o->settings.overwrite)
        code = sp_arg_error(&o->target_args, error, "merge", "give merge or overwrite, not both");
    o->plan.metric = o->settings.metric;
    if (!code)
        settings_inherit(o);
    return code;
}

/* ---- the target --------------------------------------------------------------------------- */

/* The type of each field in the copy: as the target's map has it, or as the source shows it. */
static int32_t fields_find(opening *o, simplugin_error **error)
{
    sp_copy *c = o->copy;
    json_t *fields;
    int32_t code = sp_copy_plan_sample(&o->plan, o->request->context, error);

    if (code)
        return code;
    if (o->settings.fields && json_is_object(json_object_get(o->plan.facts, "fields")) &&
        json_object_update(json_object_get(o->plan.facts, "fields"), o->settings.fields))
        return sp_error_no_memory(error);
    fields = sp_copy_fields(&o->plan);
    if (fields && o->settings.fields && json_object_update(fields, o->settings.fields)) {
        json_decref(fields);
        fields = NULL;
    }
    json_decref(o->settings.fields);
    o->settings.fields = fields;
    c->types.known = json_copy(json_object_get(o->plan.facts, "fields"));
    if (!c->types.known)
        c->types.known = json_object();
    c->types.skip = o->skip;
    c->check.types = &c->types;
    return fields && c->types.known ? SIMPLUGIN_OK : sp_error_no_memory(error);
}

/* Finds the target's backend and connects, to whatever collection it may be. */
static int32_t target_connect(opening *o, simplugin_error **error)
{
    const sp_context *context = o->request->context;
    sp_resolved resolved = {0};
    sp_copy *c = o->copy;
    int32_t code = sp_copy_facts(c->source, context, &o->plan.facts, error);

    if (!code)
        code = sp_session_resolve(o->session, o->settings.backend, o->settings.parameters, context,
                                  &resolved, error);
    if (code)
        goto out;
    o->plan.source = c->source;
    o->plan.settings = &o->settings;
    o->plan.describe = resolved.describe;
    code = fields_find(o, error);
    if (code)
        goto out;
    /* one that it does not offer is told of later, with all the rest */
    if (!o->plan.metric)
        o->settings.metric = c->source->metric;
    if (!sp_describe_lists(resolved.describe, "metrics",
                           sp_describe_metric(resolved.describe, o->settings.metric)))
        o->settings.metric = NULL;
    if (o->settings.parameters && !o->settings.metric)
        json_object_del(o->settings.parameters, "metric");
    code = sp_index_settings_merge(&o->settings, error);
    if (!code)
        code = sp_index_connect(o->session, o->request, &o->settings, &c->resolved, &c->target,
                                error);
out:
    sp_resolved_clear(&resolved);
    o->plan.describe = c->target ? sp_connection_describe(c->target->connection) : NULL;
    o->plan.backend = c->target ? c->target->backend : NULL;
    return code;
}

static char *key_text(json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

    json_decref(json);
    return text;
}

/* By its collection or, where that is to get a name of chance, by the run. */
static int32_t key_make(opening *o, simplugin_error **error)
{
    const sp_copy *c = o->copy;
    const sp_index_settings *s = &o->settings;

    o->source_key = key_text(json_pack("[ss]", c->source->endpoint, c->source->collection));
    o->target_key = s->collection || !s->brain_key
                        ? key_text(json_pack("[ss]", c->target->endpoint, c->target->collection))
                        : key_text(json_pack("[sss]", c->target->endpoint, s->dataset,
                                             s->brain_key));
    o->key.source = o->source_key;
    o->key.target = o->target_key;
    return o->source_key && o->target_key ? SIMPLUGIN_OK : sp_error_no_memory(error);
}

/* The collection of that name, as it is now. */
static int32_t target_look(opening *o, simplugin_error **error)
{
    const sp_context *context = o->request->context;
    sp_copy *c = o->copy;
    int exists = 0;
    int32_t code;

    json_decref(o->there);
    o->there = NULL;
    if (c->row.id && c->row.is_of_source && !sp_index_rename(c->target, c->row.collection))
        return sp_error_no_memory(error);
    code = sp_index_exists(c->target, context, &exists, error);
    if (!code && !exists)
        atomic_store(&c->target->dimension, 0);
    if (!code && exists)
        code = sp_index_describe(c->target, SP_TAKE_METRIC, context, error);
    if (!code && exists)
        code = sp_copy_facts(c->target, context, &o->there, error);
    return code;
}

static uint64_t points_of(const json_t *facts)
{
    return (uint64_t)json_integer_value(json_object_get(facts, "count"));
}

static int is_empty(const json_t *facts)
{
    return points_of(facts) == 0;
}

/* What is to become of the target: is_continued, action, and a loss where nothing may. */
static void action_find(opening *o)
{
    const sp_copy_row *row = &o->copy->row;
    const char *name = o->copy->target->collection;
    int is_ours = row->id && row->is_of_source;
    int has_lost;

    o->is_continued = is_ours && o->resume && row->phase != SP_COPY_BEGUN && o->there;
    has_lost = o->is_continued && !row->merge && points_of(o->there) < (uint64_t)row->copied;
    o->is_continued &= !has_lost;
    if (has_lost && !o->settings.overwrite) {
        sp_copy_lose(&o->plan, "target", name, 1,
                     "this copy wrote %llu points into \"%s\" of %s, which has %llu now: begin anew "
                     "without resume, which drops it, or name another one",
                     (unsigned long long)row->copied, name, o->plan.backend,
                     (unsigned long long)points_of(o->there));
        return;
    }
    o->action = o->there ? TARGET_USE : TARGET_MAKE;
    if (row->id && !row->is_of_source && !o->settings.overwrite)
        sp_copy_lose(&o->plan, "target", name, 1,
                     "another source is half copied into \"%s\" of %s: finish that, or give "
                     "overwrite",
                     name, o->plan.backend);
    if (!o->there || o->is_continued || o->merge)
        return;
    if (is_ours && row->phase != SP_COPY_BEGUN && !row->merge) {
        /* ours, to be begun again */
        o->action = TARGET_REPLACE;
    } else if (o->settings.overwrite) {
        o->action = TARGET_REPLACE;
    } else if (!(is_ours && is_empty(o->there))) {
        sp_copy_lose(&o->plan, "target", name, 1,
                     "%s has a collection \"%s\" that this copy did not begin: name another one, "
                     "or give overwrite or merge",
                     o->plan.backend, name);
    }
}

/* Whether the target was made by this copy, when the source was there: it is another one. */
static int is_made_here(const opening *o, const sp_copy_place *source)
{
    const sp_copy_row *row = &o->copy->row;

    /* an alias may have stood for something else then */
    return row->id && row->is_of_source && !row->merge && row->phase != SP_COPY_BEGUN &&
           !sp_copy_place_is_alias(source);
}

/* A copy never writes into its source, and drops nothing that may be it. */
static int32_t places_check(opening *o, simplugin_error **error)
{
    const sp_copy *c = o->copy;
    const sp_copy_place source = {c->source, o->plan.facts}, target = {c->target, o->there};
    int place = o->there ? sp_copy_places_compare(&source, &target) : SP_PLACE_OTHER;
    int is_used = o->merge && !o->is_continued && json_equal(o->there, o->plan.facts);

    if (place == SP_PLACE_SAME)
        return sp_arg_error(&o->target_args, error, "collection_name",
                            "\"%s\" is the source itself: name another one", c->target->collection);
    if (place == SP_PLACE_UNKNOWN && (o->action == TARGET_REPLACE || is_used) &&
        !is_made_here(o, &source))
        return sp_arg_error(&o->target_args, error, "collection_name",
                            "\"%s\" cannot be told apart from the source by another address or "
                            "alias: where it is another one drop it first, or name another one",
                            c->target->collection);
    return SIMPLUGIN_OK;
}

/* Whether the run that is to be recorded may be. */
static int32_t record_look(opening *o, simplugin_error **error)
{
    const sp_index_settings *s = &o->settings;
    sp_text dataset = {s->dataset, strlen(s->dataset)}, key;
    sp_runs_wait wait = wait_of(o->request->context);
    sp_copy *c = o->copy;
    json_t *record = NULL;
    const char *recorded;
    int32_t code;

    c->record_mode = s->overwrite ? SP_RUNS_REPLACE : SP_RUNS_CREATE;
    if (!s->brain_key || s->overwrite)
        return SIMPLUGIN_OK;
    key.data = s->brain_key;
    key.size = strlen(s->brain_key);
    code = sp_runs_get(c->runs, dataset, key, &wait, &record, error);
    if (code == SIMPLUGIN_NOT_FOUND) {
        simplugin_error_free(error);
        return SIMPLUGIN_OK;
    }
    if (code)
        return code;
    recorded = json_string_value(json_object_get(json_object_get(record, "config"),
                                                 "collection_name"));
    /* that of this copy, which ended before it was noted that it had */
    if (c->row.id && c->row.is_of_source && c->row.phase == SP_COPY_VERIFYING && recorded &&
        strcmp(recorded, c->row.collection) == 0)
        c->record_mode = SP_RUNS_REPLACE;
    else
        sp_copy_lose(&o->plan, "target", s->brain_key, 1,
                     "dataset \"%s\" has a run \"%s\": choose another brain_key, or give overwrite",
                     s->dataset, s->brain_key);
    json_decref(record);
    return SIMPLUGIN_OK;
}

/* Looks at everything and finds what is to be done and lost. */
static int32_t plan_make(opening *o, simplugin_error **error)
{
    sp_runs_wait wait = wait_of(o->request->context);
    sp_copy *c = o->copy;
    int32_t code;

    json_decref(o->plan.losses);
    o->plan.losses = json_array();
    if (!o->plan.losses)
        return sp_error_no_memory(error);
    code = sp_copy_journal_find(c->runs, &o->key, &wait, &c->row, error);
    if (!code)
        code = target_look(o, error);
    if (!code)
        code = record_look(o, error);
    if (code)
        return code;
    action_find(o);
    code = places_check(o, error);
    if (code)
        return code;
    sp_copy_plan_make(&o->plan);
    if (o->action == TARGET_USE)
        sp_copy_plan_merge(&o->plan, o->there, o->is_continued);
    if (o->action == TARGET_USE && o->merge && !o->is_continued)
        code = sp_copy_plan_ids(&o->plan, o->there, o->request->context, error);
    if (code)
        return code;
    if (o->action != TARGET_USE)
        sp_copy_plan_metric(&o->plan);
    return o->plan.failed ? sp_error_no_memory(error) : SIMPLUGIN_OK;
}

/* ---- beginning ---------------------------------------------------------------------------- */

/* The row of this copy, locked; *again: what was found before is not so any more. */
static int32_t row_take(opening *o, int *again, simplugin_error **error)
{
    sp_runs_wait wait = wait_of(o->request->context);
    sp_copy_lock old = SP_COPY_LOCK_INIT;
    sp_copy_row now = {0};
    sp_copy *c = o->copy;
    int64_t id = c->row.id;
    int32_t code = SIMPLUGIN_OK;

    *again = 0;
    if (id)
        code = sp_copy_lock_take(&old, c->runs, id, error);
    if (!code && id) {
        code = sp_copy_journal_find(c->runs, &o->key, &wait, &now, error);
        *again = !code && (now.id != id || now.phase != c->row.phase);
    }
    if (code || *again)
        goto out;
    if (o->is_continued) {
        sp_copy_row_clear(&c->row);
        c->row = now;
        memset(&now, 0, sizeof now);
    } else {
        sp_copy_row_clear(&c->row);
        c->row.collection = strdup(c->target->collection);
        c->row.merge = o->merge && o->there;
        code = c->row.collection ? sp_copy_journal_begin(c->runs, &o->key, id, &wait, &c->row, error)
                                 : sp_error_no_memory(error);
    }
    sp_copy_lock_release(&old);
    if (!code)
        code = sp_copy_lock_take(&c->lock, c->runs, c->row.id, error);
out:
    sp_copy_lock_release(&old);
    sp_copy_row_clear(&now);
    return code;
}

/* Makes the collection where there is none, in place of the one that is there if need be. */
static int32_t target_make(opening *o, simplugin_error **error)
{
    const sp_context *context = o->request->context;
    sp_runs_wait wait = wait_of(context);
    sp_copy *c = o->copy;
    uint64_t dimension = atomic_load(&c->source->dimension);
    char *name = NULL;
    int made = 0;
    int32_t code = SIMPLUGIN_OK;

    if (o->is_continued)
        return code;
    if (o->action == TARGET_REPLACE)
        code = sp_index_drop(c->target, o->settings.metric, context, error);
    if (!code && o->action != TARGET_USE && dimension)
        code = sp_index_create_collection(c->target, dimension, context, &made, error);
    if (!code)
        name = strdup(c->target->collection);
    if (!code && !name)
        code = sp_error_no_memory(error);
    if (!code) {
        free(c->row.collection);
        c->row.collection = name;
        c->row.phase = SP_COPY_COPYING;
        code = sp_copy_journal_keep(c->runs, &wait, &c->row, error);
    }
    /* nothing stays behind of a copy that could not begin */
    if (code && !made) {
        sp_runs_wait end = {sp_clock_deadline(5000), 0, NULL};

        sp_copy_journal_end(c->runs, &end, c->row.id, NULL);
    }
    return code;
}

/* What was written already has the types that it has. */
static int32_t types_resume(sp_copy *c, simplugin_error **error)
{
    json_t *known = c->row.types ? json_loads(c->row.types, 0, NULL) : NULL;
    int failed = json_is_object(known) && json_object_update(c->types.known, known);

    json_decref(known);
    return failed ? sp_error_no_memory(error) : SIMPLUGIN_OK;
}

static int32_t walk_begin(opening *o, simplugin_error **error)
{
    sp_walk_spec spec = {.want = {.vectors = 1, .fields = {.all = 1}},
                         .max_bytes = (uint64_t)o->batch_bytes};
    sp_copy *c = o->copy;
    int source, target;
    json_t *made = NULL;
    int32_t code;

    /* a page is written as a whole where it can be */
    if (spec.max_bytes > o->plan.describe->batch_bytes)
        spec.max_bytes = o->plan.describe->batch_bytes;
    code = types_resume(c, error);
    if (!code)
        code = sp_walk_init(&c->walk, c->source, &spec, error);
    if (!code && c->row.cursor)
        code = sp_walk_resume(&c->walk, c->row.cursor, c->row.cursor_size, error);
    c->phase = c->row.phase;
    c->check.source = c->source;
    c->check.target = c->target;
    c->check.mode = o->verify;
    c->check.sample = (uint64_t)o->sample_size;
    c->check.merge = c->row.merge;
    /* the one that is there now may not be the one that was */
    if (!code)
        code = sp_copy_facts(c->target, o->request->context, &made, error);
    source = sp_copy_vectors(sp_connection_describe(c->source->connection), o->plan.facts);
    target = sp_copy_vectors(o->plan.describe, made);
    c->check.vectors = source > target ? source : target;
    json_decref(made);
    return code;
}

/* ---- the reply ---------------------------------------------------------------------------- */

static int32_t reply_write(opening *o, simplugin_error **error)
{
    const sp_copy *c = o->copy;
    simplugin_writer writer;
    int32_t code;

    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, o->dry_run ? 5 : 7);
    if (!o->dry_run) {
        simplugin_write_string(&writer, "copy");
        simplugin_write_uint(&writer, c->object.handle);
        simplugin_write_string(&writer, "index");
        simplugin_write_uint(&writer, c->target->object.handle);
    }
    simplugin_write_string(&writer, "backend");
    simplugin_write_string(&writer, c->target->backend);
    simplugin_write_string(&writer, "collection_name");
    simplugin_write_string(&writer, c->target->collection);
    simplugin_write_string(&writer, "total");
    simplugin_write_uint(&writer, c->total);
    simplugin_write_string(&writer, "resumed");
    simplugin_write_uint(&writer, c->resumed);
    simplugin_write_string(&writer, "losses");
    sp_json_write(&writer, o->plan.losses);
    code = sp_request_finish(o->request, &writer, error);
    simplugin_writer_clear(&writer);
    return code;
}

static int32_t begin(opening *o, simplugin_error **error)
{
    sp_copy *c = o->copy;
    int again = 1;
    int32_t code = SIMPLUGIN_OK;

    for (int i = 0; !code && again && i < ATTEMPTS; i++) {
        code = plan_make(o, error);
        if (!code && o->dry_run)
            break;
        if (!code)
            code = sp_copy_plan_check(&o->plan, error);
        if (!code)
            code = row_take(o, &again, error);
    }
    if (!code && !o->dry_run && again)
        code = sp_error_set(error, SIMPLUGIN_BUSY, "copy",
                            "other threads or processes copy into the same target: wait for them");
    c->resumed = o->is_continued ? (uint64_t)c->row.copied : 0;
    if (code || o->dry_run)
        return code;
    c->row.total = (int64_t)c->total;
    code = target_make(o, error);
    return code ? code : walk_begin(o, error);
}

int32_t sp_copy_open(sp_session *session, sp_request *request, simplugin_error **error)
{
    opening o = {.session = session, .request = request};
    sp_copy *c = o.copy = copy_new(request->target);
    int32_t code = c ? request_read(&o, error) : sp_error_no_memory(error);

    if (!code)
        code = sp_session_runs(session, &c->runs, error);
    if (!code)
        code = sp_index_count(c->source, request->context, &c->total, error);
    if (!code)
        code = target_connect(&o, error);
    if (!code)
        code = key_make(&o, error);
    if (!code)
        code = begin(&o, error);
    if (!code && !o.dry_run)
        code = sp_handle_open(&c->target->object, error);
    if (!code && !o.dry_run)
        code = sp_handle_open(&c->object, error);
    if (!code)
        code = reply_write(&o, error);
    if (code && c) {
        if (c->object.handle)
            sp_handle_close(c->object.handle, SP_COPY, NULL);
        if (c->target && c->target->object.handle)
            sp_handle_close(c->target->object.handle, SP_INDEX, NULL);
    }
    if (c)
        sp_object_release(&c->object);
    sp_index_settings_clear(&o.settings);
    json_decref(o.plan.facts);
    json_decref(o.plan.mixed);
    json_decref(o.plan.losses);
    json_decref(o.there);
    free(o.source_key);
    free(o.target_key);
    return code;
}
