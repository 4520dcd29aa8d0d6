/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "schema.h"

#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "clock.h"
#include "ids.h"
#include "instance.h"
#include "member.h"
#include "metric.h"
#include "page.h"

#define SAMPLE_POINTS 32
#define SCHEMA_AGE (INT64_C(2) * 1000000000)
#define DIMENSION_MAX (INT64_C(1) << 20)
/* The server's default. */
#define FULL_SCAN_KB 10000

/* ---- fields ----------------------------------------------------------------------------- */

static int name_is(const char *name, sp_text text)
{
    return strlen(name) == text.size && memcmp(name, text.data, text.size) == 0;
}

const qdrant_declared *qdrant_declared_find(const qdrant_schema *schema, sp_text name)
{
    for (uint64_t i = 0; i < schema->declared_count; i++)
        if (name_is(schema->declared[i].name, name))
            return &schema->declared[i];
    return NULL;
}

uint32_t qdrant_declared_type(const qdrant_schema *schema, sp_text name)
{
    const qdrant_declared *declared = qdrant_declared_find(schema, name);

    return declared ? declared->type : 0;
}

int qdrant_field_is_shown(const qdrant_schema *schema, sp_text name)
{
    return !name_is(QDRANT_ID, name) && !name_is(QDRANT_NORM, name) &&
           !name_is(QDRANT_EMPTY, name) && !memchr(name.data, 0, name.size) &&
           (schema->is_patches || !name_is(QDRANT_SAMPLE_ID, name));
}

int qdrant_is_normalised(const qdrant_schema *schema)
{
    return strcmp(schema->metric, "cosine") == 0;
}

/* The type of values that a payload index is for; 0: of none that columns hold. */
static uint32_t index_type(const char *name)
{
    static const struct {
        const char *name;
        uint32_t type;
    } types[] = {{"keyword", SP_TEXT}, {"uuid", SP_TEXT},       {"text", SP_TEXT},
                 {"integer", SP_INT64}, {"float", SP_FLOAT64}, {"bool", SP_BOOL}};

    for (size_t i = 0; name && i < sizeof types / sizeof types[0]; i++)
        if (strcmp(types[i].name, name) == 0)
            return types[i].type;
    return 0;
}

static int declared_add(qdrant_schema *schema, const char *name, uint32_t type, int is_index)
{
    sp_text text = {name, strlen(name)};

    if (!type || qdrant_declared_type(schema, text))
        return 1;
    schema->declared[schema->declared_count].name =
        sp_arena_text(&schema->memory, name, text.size);
    schema->declared[schema->declared_count].type = type;
    schema->declared[schema->declared_count].is_index = is_index;
    return schema->declared[schema->declared_count++].name != NULL;
}

/* The field that a payload index is on, by its path: NULL where that is none at the top. */
static const char *index_field(qdrant_schema *schema, const char *path)
{
    sp_text member = {path, strlen(path)}, name;

    if (member.size > 1 && member.data[0] == '"' && member.data[member.size - 1] == '"')
        member = (sp_text){path + 1, member.size - 2};
    else if (strpbrk(path, ".["))
        return NULL;
    if (!qdrant_member_name(member, &schema->memory, &name))
        return NULL;
    return sp_arena_text(&schema->memory, name.data, name.size);
}

/*
 * What collection.create wrote down, and payload indexes: these do not tell lists from single
 * values, and so say the type of fields only where nothing else is known.
 */
static int fields_read(qdrant_schema *schema, const json_t *ours, const json_t *indexes)
{
    const json_t *fields = json_object_get(ours, "fields");
    const char *name;
    json_t *value;

    schema->declared = sp_arena_array(&schema->memory,
                                      json_object_size(fields) + json_object_size(indexes) + 1,
                                      sizeof *schema->declared);
    if (!schema->declared)
        return 0;
    json_object_foreach((json_t *)(uintptr_t)fields, name, value)
        if (json_is_string(value) &&
            !declared_add(schema, name, sp_column_type(json_string_value(value),
                                                       json_string_length(value)), 0))
            return 0;
    if (json_is_true(json_object_get(ours, "patches")))
        schema->is_patches = 1;
    json_object_foreach((json_t *)(uintptr_t)indexes, name, value) {
        const char *type = json_string_value(json_object_get(value, "data_type"));
        const char *field = index_field(schema, name);

        if (!ours && strcmp(name, QDRANT_SAMPLE_ID) == 0)
            schema->is_patches = 1;
        if (field && !declared_add(schema, field, index_type(type), 1))
            return 0;
    }
    return 1;
}

/* ---- vectors ---------------------------------------------------------------------------- */

/* The one vector that points have: plain, or the only one that has a name. */
static int32_t vectors_read(qdrant_call *call, qdrant_schema *schema, const json_t *vectors)
{
    const json_t *one = vectors;
    const char *name = "", *metric;
    json_int_t size;

    if (!json_is_integer(json_object_get(vectors, "size"))) {
        void *first = json_object_iter((json_t *)(uintptr_t)vectors);

        if (json_object_size(vectors) != 1)
            return plug_fail(&call->base, SIMPLUGIN_UNIMPLEMENTED,
                             "its points have %zu vectors with names: an index needs a collection "
                             "with one",
                             json_object_size(vectors));
        name = json_object_iter_key(first);
        one = json_object_iter_value(first);
    }
    size = json_integer_value(json_object_get(one, "size"));
    metric = json_string_value(json_object_get(one, "distance"));
    if (json_is_object(json_object_get(one, "multivector_config")))
        return plug_fail(&call->base, SIMPLUGIN_UNIMPLEMENTED,
                         "its points have several vectors each, of which an index knows nothing");
    schema->vector = sp_arena_text(&schema->memory, name, strlen(name));
    schema->metric = metric ? qdrant_metric_ours(metric) : NULL;
    if (!schema->vector)
        return plug_no_memory(&call->base);
    if (size < 1 || size > DIMENSION_MAX || !schema->metric)
        return plug_fail(&call->base, SIMPLUGIN_UNIMPLEMENTED,
                         "its vectors are of a kind that is not known here: dimension %lld, "
                         "distance %s",
                         (long long)size, metric ? metric : "unknown");
    schema->dimension = (uint64_t)size;
    return SIMPLUGIN_OK;
}

/*
 * Each segment compares by a threshold of its own, in KB, whether to go through the points that a
 * filter accepts or through its graph; the vectors may have one that is not the collection's.
 */
static void full_scan_read(qdrant_schema *schema, const json_t *info)
{
    static const char *const threshold = "full_scan_threshold";
    const json_t *config = json_object_get(info, "config");
    const json_t *vectors = json_object_get(json_object_get(config, "params"), "vectors");
    const json_t *one = *schema->vector ? json_object_get(vectors, schema->vector) : vectors;
    const json_t *own = json_object_get(json_object_get(one, "hnsw_config"), threshold);
    const json_t *kb = json_object_get(json_object_get(config, "hnsw_config"), threshold);
    json_int_t segments = json_integer_value(json_object_get(info, "segments_count"));
    json_int_t size = FULL_SCAN_KB;

    if (json_is_integer(own))
        size = json_integer_value(own);
    else if (json_is_integer(kb))
        size = json_integer_value(kb);
    if (segments < 1)
        segments = 1;
    if (size < 0 || size > INT32_MAX || segments > INT16_MAX)
        size = 0;
    schema->full_scan_bytes = (uint64_t)size * 1024 * (uint64_t)segments;
}

/* ---- points ------------------------------------------------------------------------------ */

static sp_text sample_id_of(const qdrant_point *point, sp_arena **arena)
{
    sp_text key, sample = {"", 0};
    plug_json json;

    plug_json_init(&json, point->payload.data, point->payload.size);
    plug_json_object_begin(&json);
    while (plug_json_next_key(&json, arena, &key)) {
        if (plug_text_is(key, QDRANT_SAMPLE_ID) && plug_json_peek(&json) == PLUG_JSON_TEXT)
            plug_json_read_text(&json, arena, &sample);
        else
            plug_json_skip(&json);
    }
    return sample;
}

/*
 * A collection that says nothing of itself is what its first points look like. Any id as it is
 * mapped here and by FiftyOne makes it a mapped one, since nobody's own look like that; sample
 * ids that differ from the ids make it one of patches.
 */
static int32_t points_look(qdrant_call *call, qdrant_schema *schema, int is_ours)
{
    qdrant_page page = {0};
    uint64_t mapped = 0;
    sp_buffer body;
    int32_t code;

    sp_buffer_init(&body);
    sp_buffer_printf(&body, "{\"limit\":%d,\"with_payload\":[\"%s\",\"%s\"],\"with_vector\":false}",
                     SAMPLE_POINTS, QDRANT_ID, QDRANT_SAMPLE_ID);
    schema->is_mapped = 1;
    code = qdrant_send(call, "POST", qdrant_read_path(call, "/points/scroll", NULL), &body, 1,
                       &page.http);
    call->schema = schema;
    if (!code)
        code = qdrant_page_read(call, QDRANT_SHAPE_SCROLL, 0, &page);
    call->schema = NULL;
    schema->is_empty = !page.count;
    for (uint64_t i = 0; !code && i < page.count; i++) {
        const qdrant_point *point = &page.points[i];
        sp_text original = {"", point->has_original ? 1u : 0u}, sample;

        mapped += (uint64_t)qdrant_key_is_mapped(point->key, point->is_number, original);
        sample = sample_id_of(point, &page.memory);
        if (!is_ours && sample.size &&
            (sample.size != point->id.size || memcmp(sample.data, point->id.data, sample.size) != 0))
            schema->is_patches = 1;
    }
    schema->is_mapped = is_ours || mapped || !page.count;
    qdrant_page_clear(&page);
    return code;
}

/* ---- the whole --------------------------------------------------------------------------- */

static int32_t schema_fill(qdrant_call *call, qdrant_schema *schema)
{
    json_t *info = NULL;
    const json_t *config, *ours;
    int32_t code = qdrant_ask(call, "GET", qdrant_own_path(call, ""), NULL, 1, &info);

    config = json_object_get(info, "config");
    ours = json_object_get(json_object_get(config, "metadata"), QDRANT_METADATA);
    schema->name = sp_arena_text(&schema->memory, call->collection, strlen(call->collection));
    if (!code && !schema->name)
        code = plug_no_memory(&call->base);
    if (!code)
        code = vectors_read(call, schema,
                            json_object_get(json_object_get(config, "params"), "vectors"));
    if (!code)
        full_scan_read(schema, info);
    if (!code && !fields_read(schema, ours, json_object_get(info, "payload_schema")))
        code = plug_no_memory(&call->base);
    if (!code)
        code = points_look(call, schema, json_is_object(ours));
    json_decref(info);
    return code;
}

void qdrant_schema_release(qdrant_schema *schema)
{
    if (!schema || atomic_fetch_sub(&schema->users, 1) != 1)
        return;
    sp_arena_free(&schema->memory);
    free(schema);
}

static qdrant_schema *schema_find(simplugin_instance *instance, const char *name,
                                  uint64_t *forgotten)
{
    qdrant_schema *found = NULL;

    pthread_mutex_lock(&instance->base.lock);
    *forgotten = instance->base.forgotten;
    for (qdrant_schema *at = instance->schemas; at && !found; at = at->next)
        if (strcmp(at->name, name) == 0 && sp_clock_now() - at->made_at < SCHEMA_AGE) {
            atomic_fetch_add(&at->users, 1);
            found = at;
        }
    pthread_mutex_unlock(&instance->base.lock);
    return found;
}

/* With the lock held: takes those of the collection (NULL: any) out of the list. */
static qdrant_schema *schemas_take(simplugin_instance *instance, const char *collection)
{
    qdrant_schema **at = &instance->schemas, *gone = NULL;

    while (*at) {
        qdrant_schema *schema = *at;

        if (collection && strcmp(schema->name, collection) != 0) {
            at = &schema->next;
            continue;
        }
        *at = schema->next;
        schema->next = gone;
        gone = schema;
    }
    return gone;
}

static void schemas_release(qdrant_schema *gone)
{
    while (gone) {
        qdrant_schema *next = gone->next;

        qdrant_schema_release(gone);
        gone = next;
    }
}

/* Unless something was forgotten since it was asked for: then it may be of what was there before. */
static void schema_keep(simplugin_instance *instance, qdrant_schema *schema, uint64_t forgotten)
{
    qdrant_schema *gone = NULL;

    pthread_mutex_lock(&instance->base.lock);
    if (instance->base.forgotten == forgotten) {
        gone = schemas_take(instance, schema->name);
        atomic_fetch_add(&schema->users, 1);
        schema->next = instance->schemas;
        instance->schemas = schema;
    }
    pthread_mutex_unlock(&instance->base.lock);
    schemas_release(gone);
}

int32_t qdrant_schema_acquire(qdrant_call *call)
{
    simplugin_instance *instance = call->instance;
    qdrant_schema *made;
    uint64_t forgotten;
    int32_t code;

    call->schema = schema_find(instance, call->collection, &forgotten);
    if (call->schema)
        return SIMPLUGIN_OK;
    made = calloc(1, sizeof *made);
    if (!made)
        return plug_no_memory(&call->base);
    atomic_store(&made->users, 1);
    made->made_at = sp_clock_now();
    code = schema_fill(call, made);
    if (code) {
        qdrant_schema_release(made);
        return code;
    }
    call->schema = made;
    if (!made->is_empty) /* the next points may be anybody's */
        schema_keep(instance, made, forgotten);
    return SIMPLUGIN_OK;
}

void qdrant_schema_forget(simplugin_instance *instance, const char *collection)
{
    qdrant_schema *gone;

    pthread_mutex_lock(&instance->base.lock);
    instance->base.forgotten++;
    gone = schemas_take(instance, collection);
    pthread_mutex_unlock(&instance->base.lock);
    schemas_release(gone);
}
