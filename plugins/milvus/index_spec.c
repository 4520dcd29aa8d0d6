/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "index_spec.h"

#include <stdio.h>
#include <strings.h>

#include "suggest.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* Milvus 2.3 writes larger numbers as 1e+06, and finds these out of range. */
#define EF_CONSTRUCTION_MAX 999999

typedef struct index_param {
    const char *name;
    int64_t low, high, standard;
} index_param;

typedef struct index_kind {
    const char *name;
    size_t count;
    index_param params[2];
} index_kind;

static const index_kind index_types[] = {
    {"FLAT", 0, {{0}}},
    {"IVF_FLAT", 1, {{"nlist", 1, 65536, 1024}}},
    {"IVF_SQ8", 1, {{"nlist", 1, 65536, 1024}}},
    {"HNSW", 2, {{"M", 2, 2048, 16}, {"efConstruction", 1, EF_CONSTRUCTION_MAX, 200}}},
    {"GPU_IVF_FLAT", 1, {{"nlist", 1, 65536, 1024}}},
    {"AUTOINDEX", 0, {{0}}},
    {"BIN_FLAT", 0, {{0}}}, /* of binary vectors */
    {"BIN_IVF_FLAT", 1, {{"nlist", 1, 65536, 1024}}},
};

static const char *const param_names[] = {"nlist", "M", "efConstruction"};

static const index_kind *type_find(const char *name)
{
    for (size_t i = 0; i < COUNT(index_types); i++)
        if (strcasecmp(index_types[i].name, name) == 0)
            return &index_types[i];
    return NULL;
}

static int32_t type_read(plug_call *call, const simplugin_value *parameters, const char *metric,
                         const index_kind **type)
{
    int is_binary = strcmp(metric, "HAMMING") == 0 || strcmp(metric, "JACCARD") == 0;
    const char *names[COUNT(index_types)];
    const char *text = is_binary ? "BIN_FLAT" : "HNSW";
    uint64_t size = strlen(text);
    char *name;

    if (simplugin_find_text(parameters, "index_type", &text, &size) < 0)
        return plug_fail_argument(call, "index_type", "index_type is a text");
    name = sp_arena_text(&call->scratch, text, size);
    if (!name)
        return plug_no_memory(call);
    *type = type_find(name);
    if (*type && (strncmp((*type)->name, "BIN_", 4) == 0) != is_binary)
        return plug_fail_argument(call, "index_type", "the index type %s is none for the metric %s",
                                  (*type)->name, metric);
    if (*type)
        return SIMPLUGIN_OK;
    for (size_t i = 0; i < COUNT(index_types); i++)
        names[i] = index_types[i].name;
    plug_unknown_name(call, SIMPLUGIN_INVALID_ARGUMENT, "index type", name, names,
                      COUNT(index_types));
    plug_host->error_add_detail(call->error, "argument", 8, "index_type", 10);
    return SIMPLUGIN_INVALID_ARGUMENT;
}

static int takes(const index_kind *type, const char *name)
{
    for (size_t i = 0; i < type->count; i++)
        if (strcmp(type->params[i].name, name) == 0)
            return 1;
    return 0;
}

/* A parameter that only other types take was set for nothing. */
static int32_t params_check(plug_call *call, const simplugin_value *parameters,
                            const index_kind *type)
{
    simplugin_value value;

    for (size_t i = 0; i < COUNT(param_names); i++)
        if (simplugin_find(parameters, param_names[i], &value) && !takes(type, param_names[i]))
            return plug_fail_argument(
                call, param_names[i], "%s is no parameter of the index type %s, which takes %s%s%s",
                param_names[i], type->name, type->count ? type->params[0].name : "none",
                type->count > 1 ? " and " : "", type->count > 1 ? type->params[1].name : "");
    return SIMPLUGIN_OK;
}

int32_t milvus_index_spec_read(plug_call *call, const simplugin_value *parameters,
                               const char *metric, milvus_index_spec *spec)
{
    const index_kind *type = NULL;
    size_t used = 0;
    int32_t code = type_read(call, parameters, metric, &type);

    memset(spec, 0, sizeof *spec);
    if (!code)
        code = params_check(call, parameters, type);
    if (code)
        return code;
    spec->type = type->name;
    spec->metric = metric;
    used = (size_t)snprintf(spec->params, sizeof spec->params, "{");
    for (size_t i = 0; i < type->count; i++) {
        const index_param *p = &type->params[i];
        int64_t value = p->standard;
        int found = simplugin_find_int(parameters, p->name, &value);

        if (found < 0 || value < p->low || value > p->high)
            return plug_fail_argument(call, p->name, "%s is an int from %lld to %lld", p->name,
                                      (long long)p->low, (long long)p->high);
        used += (size_t)snprintf(spec->params + used, sizeof spec->params - used, "%s\"%s\": %lld",
                                 i ? ", " : "", p->name, (long long)value);
    }
    snprintf(spec->params + used, sizeof spec->params - used, "}");
    return SIMPLUGIN_OK;
}

/* ---- searches --------------------------------------------------------------------------- */

#define NPROBE_STANDARD 16
#define NPROBE_MAX 65536 /* as many as there can be clusters */
#define EF_STANDARD 256 /* and four times k at least */
#define EF_MAX 32768

static int32_t number_read(plug_call *call, const simplugin_value *parameters, const char *name,
                           int64_t high, int64_t *number)
{
    int found = simplugin_find_int(parameters, name, number);

    if (found < 0 || *number < 1 || *number > high)
        return plug_fail_argument(call, name, "%s is an int from 1 to %lld", name,
                                  (long long)high);
    return SIMPLUGIN_OK;
}

static void params_write(const char *index_type, int64_t nprobe, int64_t ef,
                         milvus_search_params *params)
{
    if (strstr(index_type, "IVF"))
        snprintf(params->json, sizeof params->json, "{\"nprobe\": %lld}", (long long)nprobe);
    else if (strstr(index_type, "HNSW"))
        snprintf(params->json, sizeof params->json, "{\"ef\": %lld}", (long long)ef);
    else
        snprintf(params->json, sizeof params->json, "{}");
}

int32_t milvus_search_params_read(plug_call *call, const simplugin_value *parameters,
                                  const char *index_type, uint64_t k,
                                  milvus_search_params *params)
{
    int64_t nprobe = NPROBE_STANDARD;
    int64_t ef = k * 4 > EF_STANDARD ? (int64_t)(k * 4 < EF_MAX ? k * 4 : EF_MAX) : EF_STANDARD;
    int32_t code = number_read(call, parameters, "nprobe", NPROBE_MAX, &nprobe);

    if (!code)
        code = number_read(call, parameters, "ef", EF_MAX, &ef);
    if (code)
        return code;
    if ((uint64_t)ef < k)
        ef = (int64_t)k;
    params_write(index_type, nprobe, ef, params);
    return SIMPLUGIN_OK;
}

void milvus_search_params_thorough(const char *index_type, milvus_search_params *params)
{
    params_write(index_type, NPROBE_MAX, EF_MAX, params);
}
