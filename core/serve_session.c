/* SPDX-License-Identifier: Apache-2.0 */
/* Methods about configuration and backends. */
#include <stdlib.h>
#include <string.h>

#include "metrics.h"
#include "protocol.h"

int32_t sp_request_finish_json(sp_request *request, const json_t *json, simplugin_error **error)
{
    simplugin_writer writer;
    int32_t code;

    if (!json)
        return sp_error_no_memory(error);
    simplugin_writer_init(&writer);
    sp_json_write(&writer, json);
    code = sp_request_finish(request, &writer, error);
    simplugin_writer_clear(&writer);
    return code;
}

static int32_t strings_check(const sp_args *args, const char *key, const json_t *object,
                             simplugin_error **error)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)object, name, value)
        if (!json_is_string(value))
            return sp_arg_error(args, error, key, "\"%s\" is not text", name);
    return SIMPLUGIN_OK;
}

int32_t sp_serve_session_open(sp_object *target, sp_request *request, simplugin_error **error)
{
    const sp_args *args = &request->args;
    sp_config_options options = {0};
    json_t *environment = NULL, *plugin_path = NULL, *reply = NULL;
    sp_session *session = NULL;
    simplugin_value value;
    int32_t code;

    (void)target;
    code = sp_arg_string(args, "config_path", &options.config_path, error);
    if (!code)
        code = sp_arg_string(args, "data_dir", &options.data_dir, error);
    if (!code)
        code = sp_arg_json(args, "environment", &environment, error);
    if (!code)
        code = strings_check(args, "environment", environment, error);
    if (!code && simplugin_find(&args->map, "plugin_path", &value)) {
        plugin_path = value.type == SIMPLUGIN_ARRAY ? sp_json_from_value(&value) : NULL;
        if (!plugin_path && value.type == SIMPLUGIN_ARRAY && sp_json_fits(&value))
            code = sp_error_no_memory(error);
        else if (!plugin_path)
            code = sp_arg_error(args, error, "plugin_path", "is not an array of directories");
    }
    options.environment = environment;
    options.plugin_path = plugin_path;
    if (!code)
        code = sp_session_new(&options, &session, error);
    if (!code)
        code = sp_handle_open(sp_session_object(session), error);
    if (!code) {
        reply = json_pack("{sI}", "session", (json_int_t)sp_session_object(session)->handle);
        code = sp_request_finish_json(request, reply, error);
        if (code) /* nobody got it */
            sp_handle_close(sp_session_object(session)->handle, SP_SESSION, NULL);
    }
    if (session)
        sp_object_release(sp_session_object(session));
    json_decref(environment);
    json_decref(plugin_path);
    json_decref(reply);
    return code;
}

int32_t sp_serve_session_close(sp_object *target, sp_request *request, simplugin_error **error)
{
    (void)target;
    if (!request->target)
        return sp_arg_error(&request->args, error, "target",
                            "the default session is never closed");
    return sp_handle_close(request->target, SP_SESSION, error);
}

/* The two keys that nearly all of these methods take. */
static int32_t backend_read(const sp_args *args, const char **backend, json_t **parameters,
                            simplugin_error **error)
{
    int32_t code = sp_arg_string(args, "backend", backend, error);

    *parameters = NULL;
    return code ? code : sp_arg_json(args, "parameters", parameters, error);
}

int32_t sp_serve_config_resolve(sp_object *target, sp_request *request, simplugin_error **error)
{
    sp_resolved resolved = {0};
    const char *backend;
    json_t *parameters, *masked = NULL, *reply = NULL;
    int32_t code = backend_read(&request->args, &backend, &parameters, error);

    if (!code)
        code = sp_session_resolve((sp_session *)target, backend, parameters, request->context,
                                  &resolved, error);
    if (!code) {
        masked = sp_config_masked(resolved.values, &resolved.parameters);
        reply = masked ? json_pack("{ss,sO}", "backend", resolved.backend, "parameters", masked)
                       : NULL;
        code = sp_request_finish_json(request, reply, error);
    }
    sp_resolved_clear(&resolved);
    json_decref(parameters);
    json_decref(masked);
    json_decref(reply);
    return code;
}

/* Adds the masked values to their provenance. */
static json_t *values_explain(const json_t *values, const json_t *provenance,
                              const sp_parameters *declared)
{
    json_t *masked = sp_config_masked(values, declared);
    json_t *list = json_deep_copy(provenance);
    size_t i;
    json_t *entry;

    json_array_foreach(list, i, entry) {
        const char *name = json_string_value(json_object_get(entry, "name"));
        json_t *value = name ? json_object_get(masked, name) : NULL;

        if (json_object_set(entry, "value", value ? value : json_null())) {
            json_decref(list);
            list = NULL;
            break;
        }
    }
    json_decref(masked);
    return list;
}

static json_t *searched_paths(const json_t *dirs, const char *backend)
{
    json_t *list = json_array();
    size_t i;
    json_t *dir;

    json_array_foreach(dirs, i, dir)
        if (json_array_append_new(list, json_sprintf("%s/simplugin_%s.so",
                                                     json_string_value(json_object_get(dir, "path")),
                                                     backend)))
            break;
    return list;
}

/* What explain can say without the plugin: for backends that cannot be loaded, too. */
static int32_t explain_unloaded(sp_session *session, const char *backend, const json_t *parameters,
                                json_t *reply, simplugin_error **error)
{
    json_t *values = NULL, *provenance = NULL;
    int32_t code = sp_config_resolve(sp_session_config(session), backend, NULL, parameters, &values,
                                     &provenance, error);

    if (!code && json_object_set_new(reply, "values", values_explain(values, provenance, NULL)))
        code = sp_error_no_memory(error);
    json_decref(values);
    json_decref(provenance);
    return code;
}

static int32_t explain_loaded(sp_session *session, const char *backend, const json_t *parameters,
                              const sp_context *context, json_t *reply, simplugin_error **error)
{
    sp_resolved resolved = {0};
    int32_t code = sp_session_resolve(session, backend, parameters, context, &resolved, error);

    if (!code && json_object_set_new(reply, "values",
                                     values_explain(resolved.values, resolved.provenance,
                                                    &resolved.parameters)))
        code = sp_error_no_memory(error);
    sp_resolved_clear(&resolved);
    return code;
}

/* The plugin's file, or why there is none to be used. */
static int32_t explain_plugin(const json_t *dirs, const char *backend, json_t *reply,
                              simplugin_error **error)
{
    simplugin_error *why = NULL;
    json_t *found = NULL;
    int32_t code = sp_loader_find(dirs, backend, &found, &why);

    if (code == SIMPLUGIN_OUT_OF_MEMORY) {
        code = sp_error_no_memory(error);
    } else {
        if (code)
            json_object_set_new(reply, "plugin_error",
                                json_string(simplugin_error_message(why, NULL)));
        code = json_object_set_new(reply, "plugin", found ? json_incref(found) : json_null())
                   ? sp_error_no_memory(error)
                   : SIMPLUGIN_OK;
    }
    json_decref(found);
    simplugin_error_free(&why);
    return code;
}

int32_t sp_serve_config_explain(sp_object *target, sp_request *request, simplugin_error **error)
{
    sp_session *session = (sp_session *)target;
    sp_config *config = sp_session_config(session);
    const char *asked;
    char *backend = NULL, *path = NULL, *data_dir = NULL;
    json_t *parameters, *origin = NULL, *dirs = NULL;
    json_t *reply = json_object();
    int load = 1, exists = 0;
    int32_t code = backend_read(&request->args, &asked, &parameters, error);

    if (!code && !reply)
        code = sp_error_no_memory(error);
    if (!code)
        code = sp_arg_bool(&request->args, "load", &load, error);
    if (!code && asked) {
        code = sp_config_check_backend(config, asked, error);
        backend = strdup(asked);
        origin = json_pack("{ss,ss}", "source", "argument", "where", "backend");
    } else if (!code) {
        code = sp_config_default_backend(config, &backend, &origin, error);
    }
    if (!code)
        code = sp_config_file_path(config, &path, &exists, error);
    if (!code)
        code = sp_config_data_dir(config, &data_dir, error);
    if (!code)
        code = sp_config_plugin_dirs(config, &dirs, error);
    if (!code && (!backend || !origin))
        code = sp_error_no_memory(error);
    if (code)
        goto out;
    json_object_set_new(reply, "backend", json_string(backend));
    json_object_set(reply, "backend_source", json_object_get(origin, "source"));
    json_object_set(reply, "backend_where", json_object_get(origin, "where"));
    json_object_set_new(reply, "config_file",
                        json_pack("{ss?,sb}", "path", path, "exists", exists));
    json_object_set_new(reply, "data_dir", json_string(data_dir));
    json_object_set_new(reply, "searched", searched_paths(dirs, backend));
    code = explain_plugin(dirs, backend, reply, error);
    if (!code && load && !json_object_get(reply, "plugin_error")) {
        simplugin_error *why = NULL;

        code = explain_loaded(session, backend, parameters, request->context, reply, &why);
        /* a plugin that cannot be loaded is part of the explanation */
        if (code >= SIMPLUGIN_BACKEND_UNKNOWN || code == SIMPLUGIN_INCOMPATIBLE) {
            json_object_set_new(reply, "plugin_error",
                                json_string(simplugin_error_message(why, NULL)));
            load = 0;
            code = SIMPLUGIN_OK;
            simplugin_error_free(&why);
        } else if (error) {
            simplugin_error_free(error);
            *error = why;
        } else {
            simplugin_error_free(&why);
        }
    } else {
        load = 0;
    }
    if (!code && !load)
        code = explain_unloaded(session, backend, parameters, reply, error);
    if (!code)
        code = sp_request_finish_json(request, reply, error);
out:
    json_decref(parameters);
    json_decref(origin);
    json_decref(dirs);
    json_decref(reply);
    free(backend);
    free(path);
    free(data_dir);
    return code;
}

int32_t sp_serve_backends_list(sp_object *target, sp_request *request, simplugin_error **error)
{
    sp_config *config = sp_session_config((sp_session *)target);
    json_t *dirs = NULL, *list = NULL, *reply = NULL;
    char *name = NULL;
    int32_t code = sp_config_plugin_dirs(config, &dirs, error);

    if (!code)
        code = sp_loader_list(dirs, &list, error);
    if (!code)
        code = sp_config_default_backend(config, &name, NULL, error);
    if (!code) {
        reply = json_pack("{sO,ss}", "backends", list, "default", name);
        code = sp_request_finish_json(request, reply, error);
    }
    json_decref(dirs);
    json_decref(list);
    json_decref(reply);
    free(name);
    return code;
}

int32_t sp_serve_backends_describe(sp_object *target, sp_request *request, simplugin_error **error)
{
    sp_session *session = (sp_session *)target;
    const sp_plugin *plugin = NULL;
    sp_describe *describe = NULL;
    const char *asked;
    char *name = NULL;
    int32_t code = sp_arg_string(&request->args, "backend", &asked, error);

    if (!code && asked && !(name = strdup(asked)))
        code = sp_error_no_memory(error);
    if (!code && !asked)
        code = sp_config_default_backend(sp_session_config(session), &name, NULL, error);
    if (!code)
        code = sp_session_load(session, name, request->context, &plugin, error);
    if (!code)
        code = sp_describe_new(&plugin->backend, name, &describe, error);
    if (!code && (json_object_set_new(describe->json, "file",
                                      plugin->file ? json_string(plugin->file) : json_null())))
        code = sp_error_no_memory(error);
    if (!code)
        code = sp_request_finish_json(request, describe->json, error);
    sp_describe_free(describe);
    free(name);
    return code;
}

int32_t sp_serve_metrics_render(sp_object *target, sp_request *request, simplugin_error **error)
{
    simplugin_writer writer;
    sp_buffer text;
    int32_t code;

    (void)target;
    sp_buffer_init(&text);
    sp_metrics_render(&text);
    simplugin_writer_init(&writer);
    simplugin_write_map(&writer, 1);
    simplugin_write_string(&writer, "text");
    simplugin_write_text(&writer, (const char *)text.data, text.size);
    code = text.failed ? sp_error_no_memory(error) : sp_request_finish(request, &writer, error);
    sp_buffer_clear(&text);
    simplugin_writer_clear(&writer);
    return code;
}

/* ---- connections ---------------------------------------------------------------------- */

int32_t sp_serve_connection_open(sp_object *target, sp_request *request, simplugin_error **error)
{
    sp_session *session = (sp_session *)target;
    sp_connection *connection = NULL;
    sp_resolved resolved = {0};
    const char *backend;
    json_t *parameters, *reply = NULL;
    int32_t code = backend_read(&request->args, &backend, &parameters, error);

    if (!code)
        code = sp_session_resolve(session, backend, parameters, request->context, &resolved, error);
    if (!code)
        code = sp_session_connect(session, &resolved, request->target, request->context,
                                  &connection, error);
    if (!code)
        code = sp_handle_open(sp_connection_object(connection), error);
    if (!code) {
        reply = json_pack("{sI,ss}", "connection",
                          (json_int_t)sp_connection_object(connection)->handle, "backend",
                          resolved.backend);
        code = sp_request_finish_json(request, reply, error);
        if (code)
            sp_handle_close(sp_connection_object(connection)->handle, SP_CONNECTION, NULL);
    }
    if (connection)
        sp_object_release(sp_connection_object(connection));
    sp_resolved_clear(&resolved);
    json_decref(parameters);
    json_decref(reply);
    return code;
}

int32_t sp_serve_health(sp_object *target, sp_request *request, simplugin_error **error)
{
    static const simplugin_request empty = {.size = sizeof empty};

    return sp_connection_call(sp_target_connection(target), request->context, "health", &empty,
                              request->reply, error);
}
