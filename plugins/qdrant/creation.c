/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What collection.create takes: only what the user set is sent, so that the server's own
 * defaults hold for the rest. A name or a type that is wrong is said here, with the known
 * ones: servers ignore some of them silently.
 */
#include "config.h"

#include <stdio.h>

#include "buffer.h"
#include "describe.h"
#include "json_map.h"
#include "plug_args.h"
#include "settings.h"

#define NAME_MAX_BYTES 96

/* A CHOICE says something by being there, even when it is empty. */
typedef enum kind {
    COUNT_OF, POSITIVE, FRACTION, TRUTH, WORD, COUNT_OR_WORD, MEMBERS, CHOICE, ONE_OF
} kind;

typedef struct member {
    const char *name;
    kind kind;
    const char *const *words;     /* of WORD and COUNT_OR_WORD, NULL behind them */
    const struct member *members; /* of maps, one without name behind them */
} member;

static const char *const memory_words[] = {"cold", "cached", "pinned", NULL};
static const char *const auto_word[] = {"auto", NULL};
static const char *const scalar_words[] = {"int8", NULL};
static const char *const product_words[] = {"x4", "x8", "x16", "x32", "x64", NULL};
static const char *const encoding_words[] = {"one_bit", "two_bits", "one_and_half_bits", NULL};
static const char *const query_words[] = {"default", "binary", "scalar4bits", "scalar8bits", NULL};
static const char *const turbo_words[] = {"bits1", "bits1_5", "bits2", "bits4", "bits8", NULL};

static const member hnsw[] = {
    {"m", COUNT_OF, NULL, NULL},
    {"ef_construct", COUNT_OF, NULL, NULL},
    {"full_scan_threshold", COUNT_OF, NULL, NULL},
    {"max_indexing_threads", COUNT_OF, NULL, NULL},
    {"on_disk", TRUTH, NULL, NULL},
    {"payload_m", COUNT_OF, NULL, NULL},
    {"inline_storage", TRUTH, NULL, NULL},
    {"memory", WORD, memory_words, NULL},
    {NULL, COUNT_OF, NULL, NULL},
};

static const member wal[] = {
    {"wal_capacity_mb", POSITIVE, NULL, NULL},
    {"wal_segments_ahead", COUNT_OF, NULL, NULL},
    {"wal_retain_closed", COUNT_OF, NULL, NULL},
    {NULL, COUNT_OF, NULL, NULL},
};

static const member optimizers[] = {
    {"deleted_threshold", FRACTION, NULL, NULL},
    {"vacuum_min_vector_number", COUNT_OF, NULL, NULL},
    {"default_segment_number", COUNT_OF, NULL, NULL},
    {"max_segment_size", COUNT_OF, NULL, NULL},
    {"memmap_threshold", COUNT_OF, NULL, NULL},
    {"indexing_threshold", COUNT_OF, NULL, NULL},
    {"flush_interval_sec", COUNT_OF, NULL, NULL},
    {"max_optimization_threads", COUNT_OR_WORD, auto_word, NULL},
    {"prevent_unoptimized", TRUTH, NULL, NULL},
    {NULL, COUNT_OF, NULL, NULL},
};

static const member scalar[] = {
    {"type", WORD, scalar_words, NULL},
    {"quantile", FRACTION, NULL, NULL},
    {"always_ram", TRUTH, NULL, NULL},
    {"memory", WORD, memory_words, NULL},
    {NULL, COUNT_OF, NULL, NULL},
};

static const member product[] = {
    {"compression", WORD, product_words, NULL},
    {"always_ram", TRUTH, NULL, NULL},
    {"memory", WORD, memory_words, NULL},
    {NULL, COUNT_OF, NULL, NULL},
};

static const member binary[] = {
    {"always_ram", TRUTH, NULL, NULL},
    {"encoding", WORD, encoding_words, NULL},
    {"query_encoding", WORD, query_words, NULL},
    {"memory", WORD, memory_words, NULL},
    {NULL, COUNT_OF, NULL, NULL},
};

static const member turbo[] = {
    {"always_ram", TRUTH, NULL, NULL},
    {"bits", WORD, turbo_words, NULL},
    {"memory", WORD, memory_words, NULL},
    {NULL, COUNT_OF, NULL, NULL},
};

static const member quantization[] = {
    {"scalar", CHOICE, NULL, scalar},
    {"product", CHOICE, NULL, product},
    {"binary", CHOICE, NULL, binary},
    {"turbo", CHOICE, NULL, turbo},
    {NULL, COUNT_OF, NULL, NULL},
};

/* What of the parameters is sent, as it is called there. */
static const member config_members[] = {
    {"shard_number", POSITIVE, NULL, NULL},
    {"replication_factor", POSITIVE, NULL, NULL},
    {"write_consistency_factor", POSITIVE, NULL, NULL},
    {"on_disk_payload", TRUTH, NULL, NULL},
    {"hnsw_config", MEMBERS, NULL, hnsw},
    {"wal_config", MEMBERS, NULL, wal},
    {"optimizers_config", MEMBERS, NULL, optimizers},
    {"quantization_config", ONE_OF, NULL, quantization},
    {NULL, COUNT_OF, NULL, NULL},
};

static int is_word_of(const simplugin_value *value, const char *const *words)
{
    for (; words && *words; words++)
        if (value->type == SIMPLUGIN_TEXT && simplugin_value_is(value, *words))
            return 1;
    return 0;
}

static int fits(const member *m, const simplugin_value *value)
{
    switch (m->kind) {
    case COUNT_OF: return value->type == SIMPLUGIN_INT && value->as.i >= 0;
    case POSITIVE:
        return value->type == SIMPLUGIN_INT && value->as.i > 0 && value->as.i <= UINT32_MAX;
    case FRACTION:
        return (value->type == SIMPLUGIN_INT && (value->as.i == 0 || value->as.i == 1)) ||
               (value->type == SIMPLUGIN_DOUBLE && value->as.d >= 0 && value->as.d <= 1);
    case TRUTH: return value->type == SIMPLUGIN_BOOL;
    case WORD: return is_word_of(value, m->words);
    case COUNT_OR_WORD:
        return (value->type == SIMPLUGIN_INT && value->as.i >= 0) || is_word_of(value, m->words);
    default: return value->type == SIMPLUGIN_MAP;
    }
}

static int32_t refuse(plug_call *call, const char *path, const member *m)
{
    static const char *const what[] = {
        "an int, 0 at least", "an int, 1 at least", "a number from 0 to 1", "a bool",
        "one of",             "an int or",          "a map",                "a map",
        "a map of one of",
    };
    sp_buffer text;
    int32_t code;

    sp_buffer_init(&text);
    sp_buffer_append_text(&text, what[m->kind]);
    for (const char *const *word = m->words; word && *word; word++)
        sp_buffer_printf(&text, "%s %s", word == m->words ? "" : ",", *word);
    for (const member *one = m->kind == ONE_OF ? m->members : NULL; one && one->name; one++)
        sp_buffer_printf(&text, "%s %s", one == m->members ? "" : ",", one->name);
    sp_buffer_append(&text, "", 1);
    code = text.failed ? plug_no_memory(call)
                       : plug_fail_argument(call, path, "%s is %s", path, (const char *)text.data);
    sp_buffer_clear(&text);
    return code;
}

/* The one of that name, or an error that lists them. */
static int32_t member_find(plug_call *call, const char *path, const member *members,
                           const simplugin_value *key, const member **found)
{
    const char *known[16];
    const char *name;
    char what[NAME_MAX_BYTES + 16];
    uint64_t count = 0;

    for (; members[count].name; count++) {
        *found = &members[count];
        if (simplugin_value_is(key, members[count].name))
            return SIMPLUGIN_OK;
        known[count] = members[count].name;
    }
    name = sp_arena_text(&call->scratch, (const char *)key->data, key->size);
    snprintf(what, sizeof what, "member of %s", path);
    return name ? plug_unknown_name(call, SIMPLUGIN_INVALID_ARGUMENT, what, name, known, count)
                : plug_no_memory(call);
}

static int32_t member_read(plug_call *call, const char *path, const member *m,
                           const simplugin_value *value, json_t *into);

/* The members of a map that are not nil, into *made; NULL where all are. */
static int32_t members_read(plug_call *call, const char *path, const member *members,
                            const simplugin_value *map, json_t **made)
{
    simplugin_iter iter = simplugin_iterate(map);
    simplugin_value key, value;
    json_t *object = json_object();
    int32_t code = object ? SIMPLUGIN_OK : plug_no_memory(call);

    *made = NULL;
    while (!code && simplugin_next(&iter, &key) && simplugin_next(&iter, &value)) {
        const member *m = NULL;
        char below[NAME_MAX_BYTES];

        code = member_find(call, path, members, &key, &m);
        if (code || value.type == SIMPLUGIN_NIL)
            continue;
        snprintf(below, sizeof below, "%s.%s", path, m->name);
        code = member_read(call, below, m, &value, object);
    }
    if (!code && json_object_size(object))
        *made = json_incref(object);
    json_decref(object);
    return code;
}

static int32_t member_read(plug_call *call, const char *path, const member *m,
                           const simplugin_value *value, json_t *into)
{
    const char *wrong;
    json_t *made = NULL;
    int32_t code = SIMPLUGIN_OK;

    if (!fits(m, value))
        return refuse(call, path, m);
    if (m->members) {
        code = members_read(call, path, m->members, value, &made);
        if (!code && !made && m->kind == CHOICE && !(made = json_object()))
            code = plug_no_memory(call);
        if (code || !made) /* all of it is the server's default */
            return code;
    } else {
        made = qdrant_json_of(value, &wrong);
    }
    if (m->kind == ONE_OF && json_object_size(made) > 1) {
        json_decref(made);
        return refuse(call, path, m);
    }
    return json_object_set_new(into, m->name, made) ? plug_no_memory(call) : SIMPLUGIN_OK;
}

int32_t qdrant_creation_read(plug_call *call, json_t **config)
{
    simplugin_value map, value;
    json_t *object = json_object();
    int32_t code = object ? plug_arg_parameters(call, qdrant_create_names, qdrant_create_count, &map)
                          : plug_no_memory(call);

    *config = NULL;
    for (const member *m = config_members; !code && m->name; m++)
        if (simplugin_find(&map, m->name, &value))
            code = member_read(call, m->name, m, &value, object);
    if (!code)
        *config = json_incref(object);
    json_decref(object);
    return code;
}

int32_t qdrant_searching_read(plug_call *call, qdrant_searching *searching)
{
    plug_call inner;
    simplugin_value map;
    int32_t code = plug_arg_parameters(call, qdrant_search_names, qdrant_search_count, &map);

    memset(searching, 0, sizeof *searching);
    searching->exact = searching->indexed_only = -1;
    inner = *call;
    inner.body = map;
    if (!code)
        code = plug_arg_int(&inner, "hnsw_ef", 1, INT32_MAX, &searching->hnsw_ef);
    if (!code)
        code = plug_arg_bool(&inner, "exact", &searching->exact);
    if (!code)
        code = plug_arg_bool(&inner, "indexed_only", &searching->indexed_only);
    if (!code)
        code = qdrant_consistency_read(&inner, &map, &searching->consistency);
    call->scratch = inner.scratch;
    return code;
}
