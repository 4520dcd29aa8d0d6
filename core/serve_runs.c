/* SPDX-License-Identifier: Apache-2.0 */
/* Methods about brain runs: what a program sees of runs.c. */
#include <string.h>

#include "protocol.h"

typedef struct run_args {
    sp_runs *runs;
    sp_runs_wait wait;
    sp_text dataset;
    int has_dataset;
    sp_text key;
} run_args;

/* dataset and, where there must be one, brain_key. */
static int32_t run_args_read(sp_object *target, sp_request *request, int with_key, run_args *r,
                             simplugin_error **error)
{
    const sp_args *args = &request->args;
    int32_t code = sp_arg_text(args, "dataset", &r->dataset, error);

    r->has_dataset = r->dataset.data != NULL;
    if (!r->has_dataset) {
        r->dataset.data = "default";
        r->dataset.size = strlen(r->dataset.data);
    }
    if (!code && with_key)
        code = sp_arg_text(args, "brain_key", &r->key, error);
    if (!code && with_key && !r->key.data)
        code = sp_arg_error(args, error, "brain_key", "is missing");
    r->wait.deadline = request->context->deadline;
    r->wait.cancel = request->context->cancel;
    r->wait.cancelled = sp_cancelled;
    return code ? code : sp_session_runs((sp_session *)target, &r->runs, error);
}

int32_t sp_serve_runs_list(sp_object *target, sp_request *request, simplugin_error **error)
{
    json_t *where = NULL, *list = NULL, *reply = NULL;
    run_args r;
    int32_t code = run_args_read(target, request, 0, &r, error);

    if (!code)
        code = sp_arg_json(&request->args, "where", &where, error);
    if (!code)
        code = sp_runs_list(r.runs, r.has_dataset ? &r.dataset : NULL, where, &r.wait, &list,
                            error);
    if (!code) {
        reply = json_pack("{sO}", "runs", list);
        code = sp_request_finish_json(request, reply, error);
    }
    json_decref(where);
    json_decref(list);
    json_decref(reply);
    return code;
}

int32_t sp_serve_runs_info(sp_object *target, sp_request *request, simplugin_error **error)
{
    json_t *record = NULL;
    run_args r;
    int32_t code = run_args_read(target, request, 1, &r, error);

    if (!code)
        code = sp_runs_get(r.runs, r.dataset, r.key, &r.wait, &record, error);
    if (!code)
        code = sp_request_finish_json(request, record, error);
    json_decref(record);
    return code;
}

/* index.open for those who think in runs. */
int32_t sp_serve_runs_load(sp_object *target, sp_request *request, simplugin_error **error)
{
    if (!sp_arg_present(&request->args, "brain_key"))
        return sp_arg_error(&request->args, error, "brain_key", "is missing");
    return sp_index_open((sp_session *)target, request, error);
}

int32_t sp_serve_runs_rename(sp_object *target, sp_request *request, simplugin_error **error)
{
    sp_text key;
    run_args r;
    int32_t code = run_args_read(target, request, 1, &r, error);

    if (!code)
        code = sp_arg_text(&request->args, "new_brain_key", &key, error);
    if (!code && !key.data)
        code = sp_arg_error(&request->args, error, "new_brain_key", "is missing");
    return code ? code : sp_runs_rename(r.runs, r.dataset, r.key, key, &r.wait, error);
}

int32_t sp_serve_runs_delete(sp_object *target, sp_request *request, simplugin_error **error)
{
    run_args r;
    int32_t code = run_args_read(target, request, 1, &r, error);

    return code ? code : sp_runs_delete(r.runs, r.dataset, r.key, &r.wait, error);
}
