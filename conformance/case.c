/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "contract.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tree.h"

/* One case under way. */
typedef struct runner {
    const contract_config *config;
    contract_scope scope;
    contract_oracle *oracle;
    uint64_t session;
    json_t *indexes;          /* handles to clean up */
    json_t *record;           /* replies of all steps so far, null for those that failed */
    const json_t *reference;  /* the same of another backend's run; or NULL */
    contract_why *why;
} runner;

/* ---- the case's directory ------------------------------------------------------------------ */

static int write_file(const char *directory, const char *name, const json_t *content,
                      contract_why *why)
{
    char path[512];
    FILE *file;
    int ok;

    snprintf(path, sizeof path, "%s/%s", directory, name);
    file = fopen(path, "w");
    if (!file)
        return why_set(why, "cannot write %s", path);
    if (json_is_string(content))
        ok = fputs(json_string_value(content), file) >= 0;
    else
        ok = json_dumpf(content, file, JSON_INDENT(1)) == 0;
    if (fclose(file) || !ok)
        return why_set(why, "cannot write %s", path);
    return 1;
}

/* The brain configuration that makes the plugin the default, and the files of the case. */
static int write_files(runner *r, const json_t *one)
{
    json_t *brain = json_pack("{s:s, s:{s:O}}", "default_similarity_backend", r->scope.backend,
                              "similarity_backends", r->scope.backend, r->config->parameters);
    int ok = write_file(r->scope.directory, "brain_config.json", brain, r->why);
    const char *name;
    json_t *content;

    json_decref(brain);
    json_object_foreach(json_object_get(one, "files"), name, content) {
        json_t *expanded = scope_expand(&r->scope, content, 0, r->why);
        ok = ok && expanded && write_file(r->scope.directory, name, expanded, r->why);
        json_decref(expanded);
    }
    return ok;
}

/* ---- a step --------------------------------------------------------------------------------- */

static int target_of(const runner *r, const json_t *target, uint64_t *handle)
{
    const char *name = json_string_value(target);
    const json_t *value;

    if (json_is_integer(target)) {
        *handle = (uint64_t)json_integer_value(target);
        return 1;
    }
    if (!name || !strcmp(name, "session")) {
        *handle = r->session;
        return 1;
    }
    if (!strcmp(name, "default")) {
        *handle = 0;
        return 1;
    }
    value = json_object_get(r->scope.variables, name[0] == '$' ? name + 1 : name);
    if (!json_is_integer(value))
        return why_set(r->why, "no handle \"%s\"", name);
    *handle = (uint64_t)json_integer_value(value);
    return 1;
}

static int words_hold(const char *words, const char *word)
{
    size_t size = strlen(word);

    for (const char *p = strstr(words, word); p; p = strstr(p + 1, word))
        if ((p == words || p[-1] == ' ') && (p[size] == 0 || p[size] == ' '))
            return 1;
    return 0;
}

/* Every key of the reply is one that docs/protocol.md lists for the method. */
static int keys_documented(const runner *r, const char *method, const json_t *reply)
{
    const json_t *row = json_object_get(r->config->methods, method);
    const char *words = json_string_value(json_array_get(row, 1)), *key;
    json_t *value;

    while (words && !strncmp(words, "as ", 3)) {
        row = json_object_get(r->config->methods, words + 3);
        words = json_string_value(json_array_get(row, 1));
    }
    if (!words)
        return 1;
    json_object_foreach((json_t *)(uintptr_t)reply, key, value)
        if (!words_hold(words, key))
            return why_set(r->why, "docs/protocol.md does not list the reply's key \"%s\"", key);
    return 1;
}

static int detail_matches(const simplugin_error *error, const char *key, const json_t *expected)
{
    contract_why ignored;
    int found = 0;

    for (uint64_t i = 0; !found && i < simplugin_error_detail_count(error); i++) {
        json_t *value;
        if (strcmp(simplugin_error_detail_key(error, i), key))
            continue;
        value = json_string(simplugin_error_detail_value(error, i));
        ignored.text[0] = 0;
        found = value && value_matches(expected, value, key, &ignored);
        json_decref(value);
    }
    return found;
}

static int code_matches(const json_t *expected, const char *name)
{
    json_t *one;
    size_t i;

    if (json_is_string(expected))
        return !strcmp(json_string_value(expected), name);
    json_array_foreach(expected, i, one)
        if (!strcmp(json_string_value(one), name))
            return 1;
    return 0;
}

static int error_matches(const json_t *expected, int32_t code, const simplugin_error *error,
                         contract_why *why)
{
    const char *name = simplugin_code_name(code), *key;
    const char *message = simplugin_error_message(error, NULL);
    json_t *value;
    size_t i;

    if (!code_matches(json_object_get(expected, "code"), name)) {
        char *want = json_dumps(json_object_get(expected, "code"), JSON_ENCODE_ANY);
        why_set(why, "expected the error %s, got %s %s", want ? want : "?", name, message);
        free(want);
        return 0;
    }
    if (simplugin_error_code(error) != code)
        return why_set(why, "the error's code is not the one returned");
    if (!*message || strchr(message, '\n'))
        return why_set(why, "the message of %s is not one line: \"%s\"", name, message);
    if (!*simplugin_error_domain(error))
        return why_set(why, "the error %s has no domain", name);
    json_object_foreach(json_object_get(expected, "details"), key, value)
        if (!detail_matches(error, key, value))
            return why_set(why, "%s has no such detail \"%s\" (message: %s)", name, key, message);
    json_array_foreach(json_object_get(expected, "message_contains"), i, value)
        if (!strstr(message, json_string_value(value)))
            return why_set(why, "the message \"%s\" does not say \"%s\"", message,
                           json_string_value(value));
    json_array_foreach(json_object_get(expected, "message_lacks"), i, value)
        if (strstr(message, json_string_value(value)))
            return why_set(why, "the message \"%s\" says \"%s\"", message, json_string_value(value));
    value = json_object_get(expected, "retryable");
    if (value && json_is_true(value) != simplugin_error_retryable(error))
        return why_set(why, "%s has the wrong retryable", name);
    return 1;
}

/* Sends the step's call. *reply is NULL where it failed. */
static int32_t send(runner *r, const json_t *step, const char *method, uint64_t target,
                    const json_t *body, json_t **decoded, simplugin_error **error)
{
    const json_t *raw = json_object_get(step, "raw");
    const json_t *timeout = json_object_get(step, "timeout_ms");
    simplugin_options options = {.size = sizeof options};
    simplugin_reply reply = {.size = sizeof reply};
    contract_body encoded, raw_body;
    simplugin_request request;
    uint64_t cancel = 0;
    int32_t code = SIMPLUGIN_INTERNAL;

    *decoded = NULL;
    memset(&raw_body, 0, sizeof raw_body);
    if (!body_encode(&encoded, body, r->config->as_columns, r->why))
        goto out;
    request = simplugin_writer_request(&encoded.writer);
    if (raw) {
        json_t *text = json_pack("{s:O}", "$bytes", json_object_get(raw, "hex"));
        if (!body_encode(&raw_body, text, 0, r->why)) {
            json_decref(text);
            goto out;
        }
        request.body = raw_body.owned[0];
        request.body_size = strlen(json_string_value(json_object_get(raw, "hex"))) / 2;
        if (json_object_get(raw, "body_size"))
            request.body_size = (uint64_t)json_integer_value(json_object_get(raw, "body_size"));
        json_decref(text);
    }
    options.timeout_ms = json_integer_value(timeout);
    if (json_is_true(json_object_get(step, "cancelled"))) {
        simplugin_cancel_new(&cancel, NULL);
        simplugin_cancel_fire(cancel);
        options.cancel = cancel;
    }
    code = simplugin_call(target, method, strlen(method), &request, &options, &reply, error);
    if (code == SIMPLUGIN_OK)
        *decoded = reply_decode(&reply, r->why);
    else if (reply.body || reply.body_size || reply.tensors || reply.tensor_count || reply.owner)
        why_set(r->why, "the reply is not cleared after %s", simplugin_code_name(code));
    if ((code == SIMPLUGIN_OK) != (*error == NULL))
        why_set(r->why, "code %s and error disagree", simplugin_code_name(code));
    simplugin_reply_clear(&reply);
    if (cancel)
        simplugin_cancel_free(cancel);

out:
    body_clear(&encoded);
    body_clear(&raw_body);
    return code;
}

static void asks(const runner *r, const char *method, const json_t *body)
{
    if (r->config->asks)
        r->config->asks(r->config->asks_context, method, body);
}

static void remember(runner *r, const json_t *step, const json_t *reply)
{
    const char *key;
    json_t *name;

    json_object_foreach(json_object_get(step, "bind"), key, name)
        if (json_object_get(reply, key))
            json_object_set(r->scope.variables, json_string_value(name),
                            json_object_get(reply, key));
    if (json_object_get(reply, "index"))
        json_array_append(r->indexes, json_object_get(reply, "index"));
}

/*
 * Where the backend cannot know how many points were replaced, an add counts all that were
 * written as added.
 */
static void counts_adapt(const runner *r, const json_t *reply, json_t *expected)
{
    json_t *added = json_object_get(expected, "added");
    json_t *updated = json_object_get(expected, "updated");

    if (json_is_true(json_object_get(r->config->describe, "counts_replaced")) || !updated ||
        json_is_integer(json_object_get(reply, "updated")))
        return;
    if (added)
        json_integer_set(added, json_integer_value(added) + json_integer_value(updated));
    json_object_set_new(expected, "updated", json_null());
}

/* Replies on another backend are the same, where they do not depend on it. */
static int agrees(runner *r, const char *method, const json_t *reply)
{
    static const char *const exact[] = {"index.add", "index.remove", "index.size",
                                        "index.set_fields"};
    const json_t *other = json_array_get(r->reference, json_array_size(r->record));
    json_t *expected;
    int same = 1;

    if (!r->reference || !json_is_object(other) || r->config->approximate)
        return 1;
    if (!strcmp(method, "index.search") || !strcmp(method, "index.radius"))
        return hits_agree(other, reply, r->why);
    expected = json_deep_copy(other);
    if (!strcmp(method, "index.add"))
        counts_adapt(r, reply, expected);
    for (size_t i = 0; same && i < sizeof exact / sizeof exact[0]; i++)
        same = strcmp(method, exact[i]) != 0 ||
               value_matches(expected, reply, "compared with sklearn_flat", r->why);
    json_decref(expected);
    return same;
}

static int reply_matches(runner *r, const json_t *step, const char *method, uint64_t target,
                         const json_t *lists, const json_t *reply)
{
    const json_t *oracle = json_object_get(step, "oracle");
    json_t *expected = NULL;
    int ok = 1;

    if (json_object_get(step, "expect")) {
        expected = scope_expand(&r->scope, json_object_get(step, "expect"), 1, r->why);
        if (strcmp(method, "index.add") == 0)
            counts_adapt(r, reply, expected);
        ok = expected && value_matches(expected, reply, "", r->why);
        json_decref(expected);
    }
    if (ok && json_object_get(step, "hits")) {
        expected = scope_expand(&r->scope, json_object_get(step, "hits"), 1, r->why);
        ok = expected && hits_match(expected, reply, r->why);
        json_decref(expected);
    }
    if (ok && oracle && !json_is_false(oracle)) {
        expected = scope_expand(&r->scope, oracle, 1, r->why);
        ok = expected &&
             oracle_check(r->oracle, target, method, lists, reply, expected, r->why);
        json_decref(expected);
    }
    return ok && agrees(r, method, reply);
}

static int has_method(const contract_config *config, const char *method)
{
    json_t *one;
    size_t i;

    json_array_foreach(json_object_get(config->describe, "methods"), i, one)
        if (json_is_string(one) && !strcmp(json_string_value(one), method))
            return 1;
    return 0;
}

/* 1: passed, 0: failed, 2: the case ends here, for a reason that the step names. */
static int call_step(runner *r, const json_t *step)
{
    const char *method = json_string_value(json_object_get(step, "call"));
    const json_t *lacks = json_object_get(step, "without_method");
    const json_t *failure = json_object_get(step, "error");
    json_t *body = NULL, *lists = NULL, *reply = NULL, *expanded = NULL;
    simplugin_error *error = NULL;
    uint64_t target = 0;
    int32_t code;
    int ok = 0, last = 0;

    if (lacks && !has_method(r->config, json_string_value(json_object_get(lacks, "method")))) {
        failure = json_object_get(lacks, "error");
        last = 1;
    }
    body = scope_expand(&r->scope, json_object_get(step, "body"), 0, r->why);
    lists = scope_expand(&r->scope, json_object_get(step, "body"), 1, r->why);
    if ((json_object_get(step, "body") && (!body || !lists)) ||
        !target_of(r, json_object_get(step, "target"), &target))
        goto out;
    asks(r, method, lists);
    code = send(r, step, method, target, body, &reply, &error);
    if (r->config->verbose)
        printf("\n    %-18s %s %s", method, simplugin_code_name(code),
               simplugin_error_message(error, NULL));
    if (r->why->text[0])
        goto out;
    if (failure) {
        expanded = scope_expand(&r->scope, failure, 1, r->why);
        ok = code == SIMPLUGIN_OK ? why_set(r->why, "succeeded where an error was expected")
                                  : error_matches(expanded, code, error, r->why);
    } else if (code != SIMPLUGIN_OK) {
        why_set(r->why, "%s: %s", simplugin_code_name(code), simplugin_error_message(error, NULL));
    } else {
        oracle_observe(r->oracle, target, method, lists, reply, step);
        remember(r, step, reply);
        ok = keys_documented(r, method, reply) &&
             reply_matches(r, step, method, target, lists, reply);
    }

out:
    json_array_append_new(r->record, reply ? json_incref(reply) : json_null());
    json_decref(body);
    json_decref(lists);
    json_decref(reply);
    json_decref(expanded);
    simplugin_error_free(&error);
    return ok && last ? 2 : ok;
}

/* Calls scan.next until it is done and puts the replies' columns behind each other. */
static int drain_step(runner *r, const json_t *step)
{
    json_t *all = json_pack("{s:i}", "replies", 0), *reply = NULL, *expected = NULL, *value;
    const json_t *each = json_object_get(step, "at_most");
    simplugin_error *error = NULL;
    const char *key, *field;
    json_t *column;
    json_int_t replies = 0;
    uint64_t target = 0;
    int done = 0, ok;

    ok = target_of(r, json_object_get(step, "drain"), &target);
    while (ok && !done && replies < 100000) {
        int32_t code;
        asks(r, "scan.next", NULL);
        code = send(r, json_null(), "scan.next", target, NULL, &reply, &error);
        if (code != SIMPLUGIN_OK || !reply) {
            ok = why_set(r->why, "scan.next: %s: %s", simplugin_code_name(code),
                         simplugin_error_message(error, NULL));
            break;
        }
        replies++;
        done = json_is_true(json_object_get(reply, "done"));
        if (each && (json_int_t)json_array_size(json_object_get(reply, "ids")) >
                        json_integer_value(each))
            ok = why_set(r->why, "a reply of scan.next has too many rows");
        json_object_foreach(reply, key, value) {
            json_t *so_far = json_object_get(all, key);
            if (json_is_array(value) && so_far)
                json_array_extend(so_far, value);
            else if (json_is_object(value) && so_far)
                json_object_foreach(value, field, column)
                    json_array_extend(json_object_get(so_far, field), column);
            else
                json_object_set(all, key, value);
        }
        json_decref(reply);
        reply = NULL;
    }
    json_object_set_new(all, "replies", json_integer(replies));
    if (r->config->verbose)
        printf("\n    scan.next          %lld replies", (long long)replies);
    expected = scope_expand(&r->scope, json_object_get(step, "expect"), 1, r->why);
    ok = ok && expected && value_matches(expected, all, "scan", r->why);
    json_decref(expected);
    json_decref(all);
    json_decref(reply);
    simplugin_error_free(&error);
    json_array_append_new(r->record, json_null());
    return ok;
}

/* Calls copy.next until it is done, and compares the last reply. */
static int finish_step(runner *r, const json_t *step)
{
    json_t *reply = NULL, *expected;
    simplugin_error *error = NULL;
    uint64_t target = 0;
    int done = 0;
    int ok = target_of(r, json_object_get(step, "finish"), &target);

    for (int i = 0; ok && !done && i < 1000; i++) {
        const char *phase;
        int32_t code;

        json_decref(reply);
        reply = NULL;
        asks(r, "copy.next", NULL);
        code = send(r, json_null(), "copy.next", target, NULL, &reply, &error);
        if (code != SIMPLUGIN_OK || !reply)
            ok = why_set(r->why, "copy.next: %s: %s", simplugin_code_name(code),
                         simplugin_error_message(error, NULL));
        phase = json_string_value(json_object_get(reply, "phase"));
        done = phase && strcmp(phase, "done") == 0;
        ok = ok && keys_documented(r, "copy.next", reply);
    }
    if (ok && !done)
        ok = why_set(r->why, "copy.next is never done");
    expected = scope_expand(&r->scope, json_object_get(step, "expect"), 1, r->why);
    ok = ok && expected && value_matches(expected, reply, "copy", r->why);
    json_decref(expected);
    json_decref(reply);
    simplugin_error_free(&error);
    json_array_append_new(r->record, json_null());
    return ok;
}

static int close_step(runner *r, const json_t *step)
{
    const json_t *failure = json_object_get(step, "error");
    simplugin_error *error = NULL;
    uint64_t target = 0;
    int32_t code;
    int ok = 0;

    json_array_append_new(r->record, json_null());
    if (!target_of(r, json_object_get(step, "close"), &target))
        return 0;
    code = simplugin_close(target, &error);
    if (failure && code != SIMPLUGIN_OK)
        ok = error_matches(failure, code, error, r->why);
    else if (failure || code != SIMPLUGIN_OK)
        ok = why_set(r->why, "close: %s: %s", simplugin_code_name(code),
                     simplugin_error_message(error, NULL));
    else
        ok = 1;
    simplugin_error_free(&error);
    return ok;
}

/* ---- a case ---------------------------------------------------------------------------------- */

/* The case's own session, or what its "session" asks for. */
static int session_open(runner *r, const json_t *one)
{
    json_t *body = json_pack("{s:s+, s:s+, s:{}, s:O}", "config_path", r->scope.directory,
                             "/brain_config.json", "data_dir", r->scope.directory, "/data",
                             "environment", "plugin_path", r->config->plugin_path);
    json_t *more = scope_expand(&r->scope, json_object_get(one, "session"), 0, r->why);
    json_t *reply = NULL;
    simplugin_error *error = NULL;
    int32_t code;

    if (more)
        json_object_update(body, more);
    code = send(r, json_null(), "session.open", 0, body, &reply, &error);
    r->session = (uint64_t)json_integer_value(json_object_get(reply, "session"));
    if (code != SIMPLUGIN_OK || !r->session)
        why_set(r->why, "session.open: %s: %s", simplugin_code_name(code),
                simplugin_error_message(error, NULL));
    json_decref(body);
    json_decref(more);
    json_decref(reply);
    simplugin_error_free(&error);
    return r->session != 0;
}

static void clean_up(runner *r)
{
    static const char method[] = "index.cleanup";
    json_t *handle;
    size_t i;

    json_array_foreach(r->indexes, i, handle)
        simplugin_call((uint64_t)json_integer_value(handle), method, sizeof method - 1, NULL, NULL,
                       NULL, NULL);
    if (r->session)
        simplugin_close(r->session, NULL);
}

static int run_on(const contract_config *config, const json_t *one, json_t *record,
                  const json_t *reference, contract_why *why)
{
    static unsigned int number;
    struct timespec now;
    const json_t *steps = json_object_get(one, "steps"), *step;
    const char *base = getenv("TMPDIR");
    char directory[256], unique[64];
    runner r = {.config = config, .record = record, .reference = reference, .why = why};
    size_t i;
    int ok;

    snprintf(directory, sizeof directory, "%s/simplugin-case-XXXXXX",
             base && *base ? base : "/tmp");
    /* also among runs on other machines that use the same server */
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(unique, sizeof unique, "%lx_%lx_%u", (unsigned long)getpid(),
             (unsigned long)now.tv_nsec & 0xffffff, ++number);
    if (!mkdtemp(directory))
        return why_set(why, "cannot make %s", directory);
    r.indexes = json_array();
    r.oracle = oracle_new(config->approximate, config->approximate ? config->recall : 1);
    r.scope = (contract_scope){.variables = json_object(), .directory = directory,
                               .plugin_path = config->plugin_path, .backend = config->backend,
                               .unique = unique};
    ok = write_files(&r, one) && session_open(&r, one);
    json_array_foreach(steps, i, step) {
        if (ok != 1)
            break;
        if (json_object_get(step, "drain"))
            ok = drain_step(&r, step);
        else if (json_object_get(step, "finish"))
            ok = finish_step(&r, step);
        else if (json_object_get(step, "close"))
            ok = close_step(&r, step);
        else
            ok = call_step(&r, step);
        if (why->text[0]) {
            contract_why inner = *why;
            const char *what = json_string_value(json_object_get(step, "call"));
            ok = 0;
            why->text[0] = 0;
            why_set(why, "%s, step %zu (%s): %.900s", config->backend, i + 1,
                    what ? what : "close, drain or finish", inner.text);
        }
    }
    if (config->replies) {
        json_dumpf(record, config->replies, JSON_COMPACT | JSON_REAL_PRECISION(9));
        fputc('\n', config->replies);
    }
    clean_up(&r);
    tree_remove(directory);
    json_decref(r.indexes);
    json_decref(r.scope.variables);
    oracle_free(r.oracle);
    return ok != 0;
}

/* The configuration by which the same cases run on sklearn_flat. parameters is an empty object. */
static contract_config flat_config(const contract_config *config, json_t *parameters)
{
    contract_config flat = *config;

    flat.backend = "sklearn_flat";
    flat.parameters = parameters;
    flat.approximate = 0;
    flat.replies = NULL;
    flat.asks = NULL;
    flat.describe = config->flat_describe;
    return flat;
}

int case_run(const contract_config *config, const json_t *one, contract_why *why)
{
    json_t *record = json_array(), *reference = NULL, *parameters = json_object();
    contract_config flat = flat_config(config, parameters);
    int ok = 1;

    why->text[0] = 0;
    if (config->flat) {
        reference = json_array();
        ok = run_on(&flat, one, reference, NULL, why);
    }
    ok = ok && run_on(config, one, record, reference, why);
    json_decref(record);
    json_decref(reference);
    json_decref(parameters);
    return ok;
}

/* ---- what a backend offers ------------------------------------------------------------------- */

static const char *lacks_one(const contract_config *config, const char *key, const json_t *word)
{
    static char text[200];
    const char *name = json_string_value(word);
    const json_t *offered = json_object_get(config->describe, key);
    json_t *one;
    size_t i;

    json_array_foreach(offered, i, one)
        if (json_equal(one, word))
            return NULL;
    if (json_equal(offered, word))
        return NULL;
    if (name && json_object_get(offered, name))
        return NULL;
    if (name && !strcmp(key, "backend") && !strcmp(config->backend, name))
        return NULL;
    snprintf(text, sizeof text, "%s %s", key, name ? name : "");
    return text;
}

const char *case_lacks(const contract_config *config, const json_t *one)
{
    const char *key, *lack;
    json_t *words, *word;
    size_t i;

    json_object_foreach(json_object_get(one, "needs"), key, words) {
        if (!json_is_array(words) && (lack = lacks_one(config, key, words)))
            return lack;
        json_array_foreach(words, i, word)
            if ((lack = lacks_one(config, key, word)))
                return lack;
    }
    return NULL;
}
