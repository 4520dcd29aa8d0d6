/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol.h"

#include <stdlib.h>
#include <string.h>

#include "copy.h"
#include "points.h"
#include "suggest.h"

const char *const sp_backend_required[] = {
    "health",         "collection.list", "collection.exists", "collection.create",
    "collection.describe", "collection.drop", "points.upsert", "points.delete",
    "points.get",     "points.count",    "points.scan",       "search",
    NULL};

const char *const sp_backend_optional[] = {
    "points.set_fields",  "search.radius",      "search.neighbors",  "view.create",
    "view.drop",          "collection.flush",   "collection.load",   "collection.release",
    "collection.compact", "collection.check",   "collection.backup", "index.create",
    "index.drop",         "index.describe",     "partition.create",  "partition.list",
    "partition.drop",     NULL};

/* Methods of an index have functions of their own type. */
#define INDEX_METHOD(name, function)                                                       \
    static int32_t name(sp_object *target, sp_request *request, simplugin_error **error)   \
    {                                                                                      \
        sp_index *index = (sp_index *)target;                                              \
        int32_t code = sp_index_look(index, request->context, error);                      \
                                                                                           \
        if (!code)                                                                         \
            code = function(index, request, error);                                        \
        return sp_index_explain(index, request->context, code, error);                     \
    }
INDEX_METHOD(index_info, sp_index_info)
INDEX_METHOD(index_add, sp_index_add)
INDEX_METHOD(index_set_fields, sp_index_set_fields)
INDEX_METHOD(index_remove, sp_index_remove)
INDEX_METHOD(index_get, sp_index_get)
INDEX_METHOD(index_search, sp_index_search)
INDEX_METHOD(index_radius, sp_index_radius)
INDEX_METHOD(index_neighbors, sp_index_neighbors)
INDEX_METHOD(index_duplicates, sp_index_duplicates)
INDEX_METHOD(index_unique, sp_index_unique)
INDEX_METHOD(index_size, sp_index_size)
INDEX_METHOD(index_cleanup, sp_index_cleanup)
INDEX_METHOD(index_check, sp_index_check)
INDEX_METHOD(index_compact, sp_index_compact)
INDEX_METHOD(index_backup, sp_index_backup)
INDEX_METHOD(view_create, sp_view_create)
INDEX_METHOD(scan_open, sp_scan_open)
#undef INDEX_METHOD

static int32_t scan_next(sp_object *target, sp_request *request, simplugin_error **error)
{
    int32_t code = sp_scan_next(target, request, error);

    return sp_index_explain(sp_scan_index(target), request->context, code, error);
}

static int32_t copy_open(sp_object *target, sp_request *request, simplugin_error **error)
{
    return sp_copy_open((sp_session *)target, request, error);
}

static int32_t index_create(sp_object *target, sp_request *request, simplugin_error **error)
{
    return sp_index_create((sp_session *)target, request, error);
}

static int32_t index_open(sp_object *target, sp_request *request, simplugin_error **error)
{
    return sp_index_open((sp_session *)target, request, error);
}

/* The call's own reference keeps the object until it ends. */
static int32_t handle_close(sp_object *target, sp_request *request, simplugin_error **error)
{
    return sp_handle_close(request->target, target->kind, error);
}

static const sp_method methods[] = {
    {"backend.call", SP_CONNECTION | SP_INDEX, "method body", sp_serve_backend_call},
    {"backends.describe", SP_SESSION, "backend", sp_serve_backends_describe},
    {"backends.list", SP_SESSION, "", sp_serve_backends_list},
    {"config.explain", SP_SESSION, "backend parameters load", sp_serve_config_explain},
    {"config.resolve", SP_SESSION, "backend parameters", sp_serve_config_resolve},
    {"connection.close", SP_CONNECTION, "", handle_close},
    {"connection.open", SP_SESSION, "backend parameters", sp_serve_connection_open},
    {"copy.close", SP_COPY, "", handle_close},
    {"copy.next", SP_COPY, "", sp_copy_next},
    {"copy.open", SP_SESSION,
     "source target dry_run verify sample_size resume batch_bytes mixed_fields", copy_open},
    {"health", SP_CONNECTION | SP_INDEX, "", sp_serve_health},
    {"index.add", SP_INDEX,
     "ids vectors sample_ids fields overwrite allow_existing warn_existing duplicates parameters",
     index_add},
    {"index.backup", SP_INDEX, "path", index_backup},
    {"index.check", SP_INDEX, "", index_check},
    {"index.cleanup", SP_INDEX, "", index_cleanup},
    {"index.close", SP_INDEX, "", handle_close},
    {"index.compact", SP_INDEX, "", index_compact},
    {"index.create", SP_SESSION,
     "dataset brain_key backend collection_name dimension metric patches_field model "
     "supports_prompts fields parameters overwrite",
     index_create},
    {"index.duplicates", SP_INDEX, "threshold fraction view", index_duplicates},
    {"index.get", SP_INDEX, "ids sample_ids vectors fields allow_missing warn_missing", index_get},
    {"index.info", SP_INDEX, "", index_info},
    {"index.neighbors", SP_INDEX, "k radius view parameters", index_neighbors},
    {"index.open", SP_SESSION, "dataset brain_key backend collection_name parameters", index_open},
    {"index.radius", SP_INDEX,
     "vectors ids radius limit view filter exclude_self fields with_vectors parameters",
     index_radius},
    {"index.remove", SP_INDEX, "ids sample_ids filter all allow_missing warn_missing",
     index_remove},
    {"index.search", SP_INDEX,
     "vectors ids text k reverse aggregation view filter exclude_self max_distance min_score mmr "
     "fields with_vectors parameters",
     index_search},
    {"index.set_fields", SP_INDEX, "ids fields", index_set_fields},
    {"index.size", SP_INDEX, "filter", index_size},
    {"index.unique", SP_INDEX, "count view", index_unique},
    {"metrics.render", SP_SESSION, "", sp_serve_metrics_render},
    {"runs.delete", SP_SESSION, "dataset brain_key", sp_serve_runs_delete},
    {"runs.info", SP_SESSION, "dataset brain_key", sp_serve_runs_info},
    {"runs.list", SP_SESSION, "dataset where", sp_serve_runs_list},
    {"runs.load", SP_SESSION, "dataset brain_key parameters", sp_serve_runs_load},
    {"runs.rename", SP_SESSION, "dataset brain_key new_brain_key", sp_serve_runs_rename},
    {"scan.close", SP_SCAN, "", handle_close},
    {"scan.next", SP_SCAN, "", scan_next},
    {"scan.open", SP_INDEX, "vectors fields filter view max_rows", scan_open},
    {"session.close", SP_SESSION, "", sp_serve_session_close},
    {"session.open", SP_SESSION, "config_path plugin_path data_dir environment",
     sp_serve_session_open},
    {"view.close", SP_VIEW, "", handle_close},
    {"view.create", SP_INDEX, "ids sample_ids filter", view_create},
};

sp_connection *sp_target_connection(sp_object *target)
{
    switch (target->kind) {
    case SP_CONNECTION: return (sp_connection *)target;
    case SP_INDEX: return ((sp_index *)target)->connection;
    case SP_SCAN: return sp_scan_index(target)->connection;
    case SP_COPY: return sp_copy_target(target)->connection;
    default: return NULL;
    }
}

#define METHODS (sizeof methods / sizeof methods[0])

const sp_method *sp_methods(size_t *count)
{
    *count = METHODS;
    return methods;
}

int32_t sp_method_find(const char *name, uint64_t size, const sp_method **method,
                       simplugin_error **error)
{
    const char *names[METHODS];
    const char *near = NULL;
    char text[65];
    size_t low = 0, high = METHODS;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        size_t length = strlen(methods[middle].name);
        int order = memcmp(name, methods[middle].name, size < length ? size : length);

        if (!order)
            order = size < length ? -1 : size > length;
        if (!order) {
            *method = &methods[middle];
            return SIMPLUGIN_OK;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    for (size_t i = 0; i < METHODS; i++)
        names[i] = methods[i].name;
    if (size < sizeof text) {
        memcpy(text, name, size);
        text[size] = '\0';
        near = sp_suggest_nearest(text, names, METHODS);
    }
    return sp_error_set(error, SIMPLUGIN_UNKNOWN_METHOD, "core",
                        "\"%.*s\" is no method%s%s%s (docs/protocol.md lists them; those of a "
                        "backend go through backend.call)",
                        (int)(size < 64 ? size : 64), name, near ? ": did you mean \"" : "",
                        near ? near : "", near ? "\"?" : "");
}
