/* SPDX-License-Identifier: Apache-2.0 */
#include "copy_plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "copy_types.h"
#include "suggest.h"

/* As many as index.add takes. */
#define FIELDS_MAX 200
#define METRICS_SHOWN 16
/* Points that fields' types are learned from, and how much of them. */
#define SAMPLE_POINTS 10000
#define SAMPLE_PAGES 8

int32_t sp_copy_facts(sp_index *index, const sp_context *context, json_t **facts,
                      simplugin_error **error)
{
    simplugin_reply reply = SP_REPLY_INIT;
    simplugin_writer writer;
    simplugin_value map;
    int32_t code;

    *facts = NULL;
    if (!atomic_load(&index->dimension))
        return SIMPLUGIN_OK;
    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 1);
    sp_index_write_collection(index, &writer);
    code = sp_connection_send(index->connection, context, "collection.describe", &writer, &reply,
                              error);
    map = simplugin_body_value(reply.body, reply.body_size);
    if (!code && !(*facts = sp_json_from_value(&map)))
        code = sp_json_fits(&map)
                   ? sp_error_no_memory(error)
                   : sp_error_set(error, SIMPLUGIN_PROTOCOL, index->backend,
                                  "%s: collection.describe: the answer holds something that is no "
                                  "text, number, bool, list or map",
                                  index->backend);
    simplugin_reply_clear(&reply);
    simplugin_writer_clear(&writer);
    return code;
}

/* ---- what backends and collections say of themselves -------------------------------------- */

static const char *attribute(const json_t *facts, const char *name)
{
    return json_string_value(json_object_get(json_object_get(facts, "attributes"), name));
}

int sp_copy_vectors(const sp_describe *describe, const json_t *facts)
{
    const char *said = attribute(facts, "vectors");
    int vectors = said ? sp_describe_vectors(said) : -1;

    return vectors < 0 ? describe->vectors : vectors;
}

int sp_copy_stores(const sp_describe *describe, uint32_t type)
{
    const char *name = sp_column_type_name(type);

    return name && sp_describe_lists(describe, "field_types", name);
}

int sp_copy_stores_nonfinite(const sp_describe *describe)
{
    return json_is_true(json_object_get(describe->json, "nonfinite"));
}

static uint32_t type_of(const json_t *type)
{
    return json_is_string(type) ? sp_column_type(json_string_value(type), json_string_length(type))
                                : 0;
}

/* ---- what fields are of ------------------------------------------------------------------- */

/* A column of some points: 0 where memory is short. */
static int sample_note(sp_copy_plan *plan, json_t *fields, const char *name,
                       const sp_column *column)
{
    uint32_t known = type_of(json_object_get(fields, name)), joined;

    if (!sp_copy_types_tells(column))
        return 1;
    joined = sp_copy_types_join(known, column->type);
    if (joined == known)
        return 1;
    if (joined)
        return !json_object_set_new(fields, name, json_string(sp_column_type_name(joined)));
    /* beside text all is text, as the source shows it where both are in one page */
    if (!((known | column->type) & SP_LIST) && (known == SP_TEXT || column->type == SP_TEXT) &&
        json_object_set_new(fields, name, json_string("text")))
        return 0;
    if (!plan->mixed)
        plan->mixed = json_object();
    return plan->mixed && !json_object_set_new(plan->mixed, name, json_true());
}

int32_t sp_copy_plan_sample(sp_copy_plan *plan, const sp_context *context,
                            simplugin_error **error)
{
    const char *said = attribute(plan->facts, "field_types");
    json_t *fields = json_object_get(plan->facts, "fields");
    sp_walk_spec spec = {.want = {.fields = {.all = 1}}, .max_rows = SAMPLE_POINTS};
    uint64_t seen = 0;
    int more = 1;
    sp_walk walk;
    int32_t code;

    if (!said || strcmp(said, "seen") || !fields)
        return SIMPLUGIN_OK;
    memset(&walk, 0, sizeof walk);
    walk.page.reply.size = sizeof walk.page.reply;
    code = sp_walk_init(&walk, plan->source, &spec, error);
    for (int i = 0; !code && more && seen < SAMPLE_POINTS && i < SAMPLE_PAGES; i++) {
        sp_columns columns = {0};
        sp_arena *arena = NULL;

        code = sp_walk_next(&walk, context, &more, error);
        if (!code && more && walk.page.fields.type)
            code = sp_points_columns(plan->source, &walk.page, &arena, &columns, error);
        for (uint64_t j = 0; !code && j < columns.count; j++)
            if (!sample_note(plan, fields, columns.names[j], &columns.columns[j]))
                code = sp_error_no_memory(error);
        seen += walk.page.count;
        sp_points_clear(&walk.page);
        sp_arena_free(&arena);
        more &= !walk.done;
    }
    sp_walk_clear(&walk);
    return code;
}

/* ---- losses ------------------------------------------------------------------------------- */

void sp_copy_lose(sp_copy_plan *plan, const char *what, const char *name, int fatal,
                  const char *format, ...)
{
    char detail[512];
    json_t *loss;
    va_list list;

    va_start(list, format);
    vsnprintf(detail, sizeof detail, format, list);
    va_end(list);
    /* a name of the backend's may have been cut in the middle of a character */
    loss = json_pack("{ss,ss,ss?,sb}", "what", what, "name", name, "detail",
                     simplugin_utf8_check((const uint8_t *)detail, strlen(detail)) ? detail : "",
                     "fatal", fatal);
    if (!loss || json_array_append_new(plan->losses, loss))
        plan->failed = 1;
}

void sp_copy_plan_metric(sp_copy_plan *plan)
{
    const char *given = plan->metric;
    const char *wanted = sp_describe_metric(plan->describe, given ? given : plan->source->metric);
    const char *known[METRICS_SHOWN];
    const json_t *metrics = json_object_get(plan->describe->json, "metrics");
    size_t count = 0, i;
    sp_buffer list;
    json_t *item;
    char *text;

    if (!sp_describe_lists(plan->describe, "metrics", wanted)) {
        json_array_foreach(metrics, i, item)
            if (count < METRICS_SHOWN)
                known[count++] = json_string_value(item);
        sp_buffer_init(&list);
        sp_suggest_append_list(&list, known, count);
        text = sp_buffer_steal(&list, NULL);
        plan->failed |= !text;
        sp_copy_lose(plan, "metric", wanted, 1,
                     "%s has no metric %s: name another as the target's metric, one of %s",
                     plan->backend, wanted, text ? text : "?");
        free(text);
    } else if (strcmp(wanted, plan->source->metric) &&
               strcmp(wanted, sp_describe_metric(plan->describe, plan->source->metric))) {
        sp_copy_lose(plan, "metric", plan->source->metric, 0,
                     "distances are measured by %s in the source and by %s in the copy",
                     plan->source->metric, wanted);
    }
}

static void vectors_plan(sp_copy_plan *plan)
{
    uint64_t dimension = atomic_load(&plan->source->dimension);
    char name[24];

    snprintf(name, sizeof name, "%llu", (unsigned long long)dimension);
    if (dimension > plan->describe->max_dimension)
        sp_copy_lose(plan, "dimension", name, 1,
                     "dimension %llu is above the %llu that %s can do",
                     (unsigned long long)dimension,
                     (unsigned long long)plan->describe->max_dimension, plan->backend);
    if (sp_copy_vectors(sp_connection_describe(plan->source->connection), plan->facts) ==
        SP_VECTORS_NORMALISED)
        sp_copy_lose(plan, "norms", plan->source->backend, 0,
                     "%s gives the vectors' directions only: their norms are lost already",
                     plan->source->backend);
    if (sp_copy_vectors(plan->describe, NULL) == SP_VECTORS_NORMALISED)
        sp_copy_lose(plan, "norms", plan->backend, 0,
                     "%s keeps the vectors' directions only: their norms are lost", plan->backend);
}

/* Those that an index knows nothing of. */
static void other_vectors_plan(sp_copy_plan *plan)
{
    size_t i;
    json_t *name;

    json_array_foreach(json_object_get(json_object_get(plan->facts, "attributes"),
                                       "other_vectors"), i, name)
        if (json_is_string(name))
            sp_copy_lose(plan, "vectors", json_string_value(name), 0,
                         "the source's points have further vectors \"%.200s\", which are left out",
                         json_string_value(name));
}

static void ids_plan(sp_copy_plan *plan)
{
    const char *type = attribute(plan->facts, "id_type");

    if (type && strcmp(type, "text"))
        sp_copy_lose(plan, "ids", type, 0,
                     "the source's ids are of type %s; in the copy they are text that looks the "
                     "same",
                     type);
    if (plan->source->patches && !plan->settings->patches_field && plan->settings->brain_key)
        sp_copy_lose(plan, "patches", SP_SAMPLE_ID, 1,
                     "the points have sample ids, and a run is to name the field of which they are "
                     "labels: give the target's patches_field");
    if (plan->facts && !plan->source->patches && plan->settings->patches_field)
        sp_copy_lose(plan, "patches", plan->settings->patches_field, 1,
                     "the source's points have no sample ids: leave patches_field out");
}

static void fields_plan(sp_copy_plan *plan)
{
    json_t *fields = json_object_get(plan->facts, "fields");
    json_t *attributes = json_object_get(plan->facts, "attributes");
    size_t i;
    int nonfinite = json_is_true(json_object_get(
        sp_connection_describe(plan->source->connection)->json, "nonfinite"));
    const char *name;
    json_t *type;

    if (json_object_size(fields) > FIELDS_MAX)
        sp_copy_lose(plan, "fields", plan->source->collection, 1,
                     "the source has %zu fields, and at most %d go in one request",
                     json_object_size(fields), FIELDS_MAX);
    json_array_foreach(json_object_get(attributes, "json_fields"), i, type) {
        name = json_string_value(type);
        if (name && !json_object_get(plan->mixed, name))
            sp_copy_lose(plan, "values", name, 0,
                         "the field has values in the source that no field holds, such as objects: "
                         "in the copy they are text, the JSON of what they were");
    }
    json_object_foreach(plan->mixed, name, type)
        sp_copy_lose(plan, "values", name, 0,
                     "the field has values of several types in the source: they are of type %s in "
                     "the copy, and one that cannot be ends it, or is left out where mixed_fields "
                     "is \"skip\"",
                     json_string_value(json_object_get(fields, name)));
    json_object_foreach(fields, name, type) {
        uint32_t known = type_of(type);

        if (!known || !sp_copy_stores(plan->describe, known))
            sp_copy_lose(plan, "field", name, 0, "%s stores no field of type %s", plan->backend,
                         json_is_string(type) ? json_string_value(type) : "?");
        else if (nonfinite && (known & ~SP_LIST) == SP_FLOAT64 &&
                 !sp_copy_stores_nonfinite(plan->describe))
            sp_copy_lose(plan, "values", name, 0,
                         "%s stores no NaN and no infinities: where there are any the field is "
                         "missing in the copy",
                         plan->backend);
    }
}

void sp_copy_plan_make(sp_copy_plan *plan)
{
    vectors_plan(plan);
    other_vectors_plan(plan);
    ids_plan(plan);
    fields_plan(plan);
}

static int is_integer(sp_text id)
{
    size_t sign = id.size && id.data[0] == '-';

    for (size_t i = sign; i < id.size; i++)
        if (id.data[i] < '0' || id.data[i] > '9')
            return 0;
    return id.size > sign && id.size <= 20;
}

static int is_uuid(sp_text id)
{
    for (size_t i = 0; i < id.size; i++)
        if (i == 8 || i == 13 || i == 18 || i == 23 ? id.data[i] != '-'
                                                    : !strchr("0123456789abcdef", id.data[i]))
            return 0;
    return id.size == 36;
}

int32_t sp_copy_plan_ids(sp_copy_plan *plan, const json_t *target, const sp_context *context,
                         simplugin_error **error)
{
    const char *type = attribute(target, "id_type");
    sp_walk_spec spec = {.max_rows = SAMPLE_POINTS};
    int more = 0, is_told = 0;
    sp_walk walk;
    int32_t code;

    if (!type || strcmp(type, "text") == 0 || !plan->facts)
        return SIMPLUGIN_OK;
    memset(&walk, 0, sizeof walk);
    walk.page.reply.size = sizeof walk.page.reply;
    code = sp_walk_init(&walk, plan->source, &spec, error);
    if (!code)
        code = sp_walk_next(&walk, context, &more, error);
    for (uint64_t i = 0; !code && more && !is_told && i < walk.page.count; i++) {
        sp_text id = sp_column_text(&walk.page.ids, i);

        if (is_integer(id) || (is_uuid(id) && strcmp(type, "int64")))
            continue;
        is_told = 1;
        sp_copy_lose(plan, "ids", type, 1,
                     "the collection that is there takes ids of type %s, of which \"%.*s\" of the "
                     "source is none: copy into a new one",
                     type, (int)(id.size < 64 ? id.size : 64), id.data);
    }
    sp_walk_clear(&walk);
    return code;
}

void sp_copy_plan_merge(sp_copy_plan *plan, const json_t *target, int is_ours)
{
    json_t *mine = json_object_get(plan->facts, "fields");
    json_t *theirs = json_object_get(target, "fields");
    json_int_t dimension = json_integer_value(json_object_get(target, "dimension"));
    const char *metric = json_string_value(json_object_get(target, "metric"));
    const char *given = plan->metric;
    const char *name;
    json_t *type;

    if (dimension && plan->facts && (uint64_t)dimension != atomic_load(&plan->source->dimension))
        sp_copy_lose(plan, "dimension", plan->source->collection, 1,
                     "the source has dimension %llu, and the collection that is there %lld",
                     (unsigned long long)atomic_load(&plan->source->dimension),
                     (long long)dimension);
    if (metric && given && strcmp(sp_describe_metric(plan->describe, given), metric))
        sp_copy_lose(plan, "metric", metric, 1,
                     "the collection that is there has metric %s, not %s", metric, given);
    else if (metric &&
             strcmp(sp_describe_metric(plan->describe, plan->source->metric), metric))
        sp_copy_lose(plan, "metric", plan->source->metric, 0,
                     "distances are measured by %s in the source and by %s where the rows go",
                     plan->source->metric, metric);
    if (is_ours)
        return;
    if (plan->facts && plan->source->patches != json_is_true(json_object_get(target, "patches")) &&
        json_integer_value(json_object_get(target, "count")))
        sp_copy_lose(plan, "patches", SP_SAMPLE_ID, 1,
                     plan->source->patches
                         ? "the source's points have sample ids, those that are there have none"
                         : "the points that are there have sample ids, the source's have none");
    json_object_foreach(mine, name, type) {
        const json_t *other = json_object_get(theirs, name);

        if (other && !json_equal(other, type) && sp_copy_stores(plan->describe, type_of(type)))
            sp_copy_lose(plan, "field", name, 1,
                         "the field is of type %s in the source and of type %s where it is to go",
                         json_string_value(type),
                         json_is_string(other) ? json_string_value(other) : "?");
    }
}

json_t *sp_copy_fields(const sp_copy_plan *plan)
{
    json_t *fields = json_object();
    const char *name;
    json_t *type;

    json_object_foreach(json_object_get(plan->facts, "fields"), name, type) {
        uint32_t known = type_of(type);

        if (!fields || strcmp(name, SP_SAMPLE_ID) == 0 || !known ||
            !sp_copy_stores(plan->describe, known))
            continue;
        if (json_object_set(fields, name, type)) {
            json_decref(fields);
            fields = NULL;
        }
    }
    return fields;
}

int32_t sp_copy_plan_check(const sp_copy_plan *plan, simplugin_error **error)
{
    sp_buffer reasons;
    const char *first = NULL;
    size_t i;
    json_t *loss;
    char *text;

    if (plan->failed)
        return sp_error_no_memory(error);
    sp_buffer_init(&reasons);
    json_array_foreach(plan->losses, i, loss) {
        if (!json_is_true(json_object_get(loss, "fatal")))
            continue;
        sp_buffer_printf(&reasons, "%s%s", first ? "; " : "",
                         json_string_value(json_object_get(loss, "detail")));
        if (!first)
            first = json_string_value(json_object_get(loss, "what"));
    }
    text = sp_buffer_steal(&reasons, NULL);
    if (!text)
        return sp_error_no_memory(error);
    if (first) {
        sp_error_set(error,
                     strcmp(first, "target") ? SIMPLUGIN_INVALID_ARGUMENT
                                             : SIMPLUGIN_ALREADY_EXISTS,
                     "copy", "copy.open: %s", text);
        sp_error_add_detail(error, "argument", first);
    }
    free(text);
    return !first                         ? SIMPLUGIN_OK
           : strcmp(first, "target") == 0 ? SIMPLUGIN_ALREADY_EXISTS
                                          : SIMPLUGIN_INVALID_ARGUMENT;
}
