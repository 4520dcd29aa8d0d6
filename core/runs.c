/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "runs.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "buffer.h"
#include "identifier.h"
#include "runs_db.h"
#include "runs_secrets.h"
#include "simplugin/envelope.h"
#include "suggest.h"

#define DOMAIN "runs"
#define MAX_NAME 1024        /* bytes of a dataset's name or a brain key */
#define MAX_CONFIG (1 << 20) /* bytes of a config as JSON */
#define MAX_KNOWN 500        /* names looked through for the nearest */
#define MAX_SHOWN 20         /* names listed in a message */

struct sp_runs {
    char *directory;
};

int32_t sp_runs_open(const char *directory, sp_runs **runs, simplugin_error **error)
{
    sp_runs *opened = NULL;
    int32_t code = SIMPLUGIN_OK;

    *runs = NULL;
    if (!directory || directory[0] != '/')
        return sp_error_set(error, SIMPLUGIN_INVALID_ARGUMENT, DOMAIN,
                            "the directory of the run records must be an absolute path, not \"%s\"",
                            directory ? directory : "");
    opened = calloc(1, sizeof(*opened));
    if (opened)
        opened->directory = strdup(directory);
    if (!opened || !opened->directory)
        code = sp_error_no_memory(error);
    else
        *runs = opened;
    if (code != SIMPLUGIN_OK)
        sp_runs_close(opened);
    return code;
}

void sp_runs_close(sp_runs *runs)
{
    if (!runs)
        return;
    free(runs->directory);
    free(runs);
}

const char *sp_runs_directory(const sp_runs *runs)
{
    return runs->directory;
}

/* ---- names ---- */

static void add_detail(simplugin_error **error, const char *key, sp_text text)
{
    char *value = error ? strndup(text.data, text.size) : NULL;

    if (value)
        sp_error_add_detail(error, key, value);
    free(value);
}

static int32_t check_name(const char *argument, const char *what, sp_text name, int is_key,
                          simplugin_error **error)
{
    const char *wrong = NULL;

    if (name.size == 0)
        wrong = "it is empty";
    else if (name.size > MAX_NAME)
        wrong = "it is longer than 1024 bytes";
    else if (!simplugin_utf8_check((const uint8_t *)name.data, name.size))
        wrong = "it is not UTF-8";
    else if (memchr(name.data, '\0', name.size))
        wrong = "it contains U+0000";
    if (wrong)
        sp_error_set(error, SIMPLUGIN_INVALID_ARGUMENT, DOMAIN, "the %s cannot be used: %s", what,
                     wrong);
    else if (is_key && !sp_identifier_is_valid(name))
        sp_error_set(error, SIMPLUGIN_INVALID_ARGUMENT, DOMAIN,
                     "the %s \"%.*s\" is not a valid identifier: use letters, digits and "
                     "underscores, and begin with no digit",
                     what, (int)name.size, name.data);
    else
        return SIMPLUGIN_OK;
    sp_error_add_detail(error, "argument", argument);
    return SIMPLUGIN_INVALID_ARGUMENT;
}

static int32_t check_names(sp_text dataset, sp_text key, simplugin_error **error)
{
    int32_t code = check_name("dataset", "dataset name", dataset, 0, error);

    return code == SIMPLUGIN_OK ? check_name("brain_key", "brain key", key, 1, error) : code;
}

/* ---- statements ---- */

static int bind_text(sqlite3_stmt *statement, int index, sp_text text)
{
    return sqlite3_bind_text64(statement, index, text.data, text.size, SQLITE_STATIC, SQLITE_UTF8);
}

static sp_text text_of(const char *text)
{
    sp_text result = {text, strlen(text)};

    return result;
}

/* Prepares sql with count texts for ?1, ?2, ...; the caller finalizes *statement. */
static int32_t prepare(sp_runs_db *db, const char *sql, const sp_text *texts, int count,
                       sqlite3_stmt **statement, simplugin_error **error)
{
    int result = sqlite3_prepare_v2(db->sqlite, sql, -1, statement, NULL);

    for (int i = 0; result == SQLITE_OK && i < count; i++)
        result = bind_text(*statement, i + 1, texts[i]);
    return result == SQLITE_OK ? SIMPLUGIN_OK : sp_runs_db_fail(db, result, "use", error);
}

/* One step: *row says whether there is a row. */
static int32_t next(sp_runs_db *db, sqlite3_stmt *statement, int *row, simplugin_error **error)
{
    int result = sqlite3_step(statement);

    *row = result == SQLITE_ROW;
    if (result == SQLITE_ROW || result == SQLITE_DONE)
        return SIMPLUGIN_OK;
    return sp_runs_db_fail(db, result, "use", error);
}

/* Runs sql; *changes is how many rows it changed. */
static int32_t change(sp_runs_db *db, const char *sql, const sp_text *texts, int count,
                      int *changes, simplugin_error **error)
{
    sqlite3_stmt *statement = NULL;
    int row = 0;
    int32_t code = prepare(db, sql, texts, count, &statement, error);

    if (code == SIMPLUGIN_OK)
        code = next(db, statement, &row, error);
    if (code == SIMPLUGIN_OK)
        *changes = sqlite3_changes(db->sqlite);
    sqlite3_finalize(statement);
    return code;
}

/* ---- records ---- */

static int32_t column_text(sqlite3_stmt *statement, int column, sp_text *text,
                           simplugin_error **error)
{
    text->data = (const char *)sqlite3_column_text(statement, column);
    text->size = (size_t)sqlite3_column_bytes(statement, column);
    /* every column is NOT NULL */
    return text->data ? SIMPLUGIN_OK : sp_error_no_memory(error);
}

/*
 * Reads a config. jansson drops bytes silently where memory runs out, so what it reads
 * counts only if it reads the same again. *config is NULL for what is no object.
 */
static int32_t read_config(sp_text text, json_t **config, simplugin_error **error)
{
    json_error_t problem;
    json_t *again = NULL;
    int32_t code = SIMPLUGIN_OK;

    *config = json_loadb(text.data, text.size, JSON_ALLOW_NUL, &problem);
    again = json_loadb(text.data, text.size, JSON_ALLOW_NUL, NULL);
    if (*config ? !json_equal(*config, again) : again || !problem.text[0])
        code = sp_error_no_memory(error);
    if (code != SIMPLUGIN_OK || !json_is_object(*config)) {
        json_decref(*config);
        *config = NULL;
    }
    json_decref(again);
    return code;
}

/* The config as JSON, malloc'd; json_dumps drops bytes silently too. */
static char *write_config(const json_t *config, size_t *size)
{
    char *text;

    *size = json_dumpb(config, NULL, 0, JSON_COMPACT);
    text = *size ? malloc(*size) : NULL;
    if (text && json_dumpb(config, text, *size, JSON_COMPACT) != *size) {
        free(text);
        text = NULL;
    }
    return text;
}

/* The record of a row of "dataset, key, created, updated, version, config". */
static int32_t read_record(sp_runs_db *db, sqlite3_stmt *statement, json_t **record,
                           simplugin_error **error)
{
    static const char *const names[] = {"dataset", "brain_key", "created", "updated", "version"};
    json_t *result = NULL, *config = NULL;
    sp_text text;
    int32_t code = SIMPLUGIN_OK;

    result = json_object();
    if (!result)
        code = sp_error_no_memory(error);
    for (int i = 0; code == SIMPLUGIN_OK && i < 5; i++) {
        code = column_text(statement, i, &text, error);
        if (code == SIMPLUGIN_OK && !simplugin_utf8_check((const uint8_t *)text.data, text.size))
            code = sp_error_set(error, SIMPLUGIN_CORRUPT, DOMAIN,
                                "%s is damaged: a record's %s is not UTF-8", db->path, names[i]);
        if (code == SIMPLUGIN_OK &&
            json_object_set_new(result, names[i], json_stringn(text.data, text.size)) != 0)
            code = sp_error_no_memory(error);
    }
    if (code == SIMPLUGIN_OK)
        code = column_text(statement, 5, &text, error);
    if (code == SIMPLUGIN_OK)
        code = read_config(text, &config, error);
    if (code == SIMPLUGIN_OK && !config)
        code = sp_error_set(error, SIMPLUGIN_CORRUPT, DOMAIN,
                            "%s is damaged: the config of the run \"%s\" is not a JSON object; "
                            "delete the run, or restore the file from a backup",
                            db->path, json_string_value(json_object_get(result, "brain_key")));
    if (code == SIMPLUGIN_OK && json_object_set(result, "config", config) != 0)
        code = sp_error_no_memory(error);
    if (code == SIMPLUGIN_OK) {
        *record = result;
        result = NULL;
    }
    json_decref(config);
    json_decref(result);
    return code;
}

/* ---- what is not there, or there already ---- */

/* The texts of a statement's only column as names, an array of malloc'd ones. */
static int32_t read_names(sp_runs_db *db, const char *sql, const sp_text *texts, int text_count,
                          char **names, size_t *count, simplugin_error **error)
{
    sqlite3_stmt *statement = NULL;
    int row = 0;
    int32_t code = prepare(db, sql, texts, text_count, &statement, error);

    if (code == SIMPLUGIN_OK)
        code = next(db, statement, &row, error);
    while (code == SIMPLUGIN_OK && row && *count < MAX_KNOWN) {
        sp_text name;

        code = column_text(statement, 0, &name, error);
        names[*count] = code == SIMPLUGIN_OK ? strndup(name.data, name.size) : NULL;
        if (code == SIMPLUGIN_OK && !names[(*count)++])
            code = sp_error_no_memory(error);
        if (code == SIMPLUGIN_OK)
            code = next(db, statement, &row, error);
    }
    sqlite3_finalize(statement);
    return code;
}

/* NOT_FOUND with the dataset's keys, or with the datasets if this one has none. */
static int32_t not_found(sp_runs_db *db, sp_text dataset, sp_text key, simplugin_error **error)
{
    char *names[MAX_KNOWN], *wanted = NULL, *list = NULL;
    const char *nearest = NULL;
    size_t count = 0;
    int is_of_dataset;
    sp_buffer buffer;
    int32_t code;

    sp_buffer_init(&buffer);
    code = read_names(db, "SELECT key FROM runs WHERE dataset = ?1 ORDER BY key", &dataset, 1, names,
                      &count, error);
    is_of_dataset = count > 0;
    if (code == SIMPLUGIN_OK && !is_of_dataset)
        code = read_names(db, "SELECT DISTINCT dataset FROM runs ORDER BY dataset", NULL, 0, names,
                          &count, error);
    if (code == SIMPLUGIN_OK) {
        wanted = is_of_dataset ? strndup(key.data, key.size) : strndup(dataset.data, dataset.size);
        sp_suggest_append_list(&buffer, (const char *const *)names,
                               count < MAX_SHOWN ? count : MAX_SHOWN);
        if (count > MAX_SHOWN)
            sp_buffer_append_text(&buffer, ", ...");
        list = sp_buffer_steal(&buffer, NULL);
        if (!wanted || !list)
            code = sp_error_no_memory(error);
    }
    if (code == SIMPLUGIN_OK) {
        nearest = sp_suggest_nearest(wanted, (const char *const *)names, count);
        code = sp_error_set(error, SIMPLUGIN_NOT_FOUND, DOMAIN,
                            "there is no run \"%.*s\" on the dataset \"%.*s\"%s%s%s; %s: %s",
                            (int)key.size, key.data, (int)dataset.size, dataset.data,
                            nearest ? ", did you mean \"" : "", nearest ? nearest : "",
                            nearest ? "\"?" : "",
                            is_of_dataset ? "its runs" : "datasets with runs", list);
        add_detail(error, "dataset", dataset);
        add_detail(error, "brain_key", key);
    }
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(wanted);
    free(list);
    return code;
}

static int32_t already_exists(sp_text dataset, sp_text key, const char *what,
                              simplugin_error **error)
{
    sp_error_set(error, SIMPLUGIN_ALREADY_EXISTS, DOMAIN,
                 "there is a run \"%.*s\" on the dataset \"%.*s\" already%s", (int)key.size,
                 key.data, (int)dataset.size, dataset.data, what);
    add_detail(error, "dataset", dataset);
    add_detail(error, "brain_key", key);
    return SIMPLUGIN_ALREADY_EXISTS;
}

static int32_t find(sp_runs_db *db, sp_text dataset, sp_text key, json_t **record,
                    simplugin_error **error)
{
    sp_text texts[] = {dataset, key};
    sqlite3_stmt *statement = NULL;
    int row = 0;
    int32_t code;

    *record = NULL;
    code = prepare(db,
                   "SELECT dataset, key, created, updated, version, config FROM runs"
                   " WHERE dataset = ?1 AND key = ?2",
                   texts, 2, &statement, error);
    if (code == SIMPLUGIN_OK)
        code = next(db, statement, &row, error);
    if (code == SIMPLUGIN_OK && row)
        code = read_record(db, statement, record, error);
    sqlite3_finalize(statement);
    return code;
}

/* ---- put ---- */

typedef struct put_args {
    sp_text dataset;
    sp_text key;
    sp_text config;
    const char *type; /* NULL: it has none */
    int mode;
} put_args;

/* Now, as "2024-05-06T07:08:09.123Z". */
static void write_time(char text[32])
{
    struct timespec ts;
    struct tm tm;
    size_t size;

    clock_gettime(CLOCK_REALTIME, &ts);
    gmtime_r(&ts.tv_sec, &tm);
    size = strftime(text, 32, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + size, 32 - size, ".%03dZ", (int)(ts.tv_nsec / 1000000));
}

/*
 * Whether the key is taken, and may be. A run is only replaced by one of its type, as in
 * FiftyOne; one whose config cannot be read, by any.
 */
static int32_t check_replaced(sp_runs_db *db, const put_args *put, int *exists, simplugin_error **error)
{
    sp_text texts[] = {put->dataset, put->key}, config = {NULL, 0};
    sqlite3_stmt *statement = NULL;
    json_t *old = NULL;
    const char *type = NULL;
    int32_t code = prepare(db, "SELECT config FROM runs WHERE dataset = ?1 AND key = ?2", texts, 2,
                           &statement, error);

    if (code == SIMPLUGIN_OK)
        code = next(db, statement, exists, error);
    if (code == SIMPLUGIN_OK && *exists)
        code = column_text(statement, 0, &config, error);
    if (code == SIMPLUGIN_OK && *exists)
        code = read_config(config, &old, error);
    if (code == SIMPLUGIN_OK && *exists) {
        type = json_string_value(json_object_get(old, "type"));
        if (put->mode == SP_RUNS_CREATE)
            code = already_exists(put->dataset, put->key,
                                  "; ask to overwrite it, or choose another key", error);
        else if (type && put->type && strcmp(type, put->type) != 0)
            code = already_exists(put->dataset, put->key,
                                  ", of another type; delete it first, or choose another key",
                                  error);
    }
    sqlite3_finalize(statement);
    json_decref(old);
    return code;
}

static int32_t put_step(sp_runs_db *db, void *context, simplugin_error **error)
{
    const put_args *put = context;
    char time[32];
    int exists = 0, changes;
    int32_t code = check_replaced(db, put, &exists, error);

    if (code == SIMPLUGIN_OK && !exists && put->mode == SP_RUNS_UPDATE)
        code = not_found(db, put->dataset, put->key, error);
    if (code == SIMPLUGIN_OK) {
        write_time(time);
        sp_text texts[] = {put->dataset, put->key, put->config, text_of(time),
                           text_of(PACKAGE_VERSION)};

        code = change(db,
                      put->mode == SP_RUNS_UPDATE
                          ? "UPDATE runs SET config = ?3, updated = ?4, version = ?5"
                            " WHERE dataset = ?1 AND key = ?2"
                          : "INSERT OR REPLACE INTO runs"
                            " (dataset, key, config, created, updated, version)"
                            " VALUES (?1, ?2, ?3, ?4, ?4, ?5)",
                      texts, 5, &changes, error);
    }
    return code;
}

int32_t sp_runs_put(sp_runs *runs, sp_text dataset, sp_text key, const json_t *config,
                    const char *const *secrets, size_t secret_count, int mode,
                    const sp_runs_wait *wait, simplugin_error **error)
{
    put_args put = {dataset, key, {NULL, 0}, NULL, mode};
    char *text = NULL;
    int32_t code = check_names(dataset, key, error);

    if (code == SIMPLUGIN_OK && !json_is_object(config))
        code = sp_error_set(error, SIMPLUGIN_INVALID_ARGUMENT, DOMAIN,
                            "the config of a run must be an object");
    if (code == SIMPLUGIN_OK)
        code = sp_runs_check_secrets(config, secrets, secret_count, error);
    if (code == SIMPLUGIN_OK) {
        text = write_config(config, &put.config.size);
        if (!text)
            code = sp_error_no_memory(error);
    }
    if (code == SIMPLUGIN_OK) {
        put.config.data = text;
        put.type = json_string_value(json_object_get(config, "type"));
        if (put.config.size > MAX_CONFIG)
            code = sp_error_set(error, SIMPLUGIN_INVALID_ARGUMENT, DOMAIN,
                                "the config of a run is %zu bytes as JSON; at most %d are stored",
                                put.config.size, MAX_CONFIG);
    }
    if (code == SIMPLUGIN_OK)
        code = sp_runs_db_write(runs->directory, wait, put_step, &put, error);
    free(text);
    return code;
}

/* ---- get, list ---- */

typedef struct query_args {
    const sp_text *dataset;
    sp_text key;
    const json_t *filters;
    json_t *found;
} query_args;

static int32_t get_step(sp_runs_db *db, void *context, simplugin_error **error)
{
    query_args *query = context;
    int32_t code;

    json_decref(query->found);
    code = find(db, *query->dataset, query->key, &query->found, error);
    if (code == SIMPLUGIN_OK && !query->found)
        code = not_found(db, *query->dataset, query->key, error);
    return code;
}

/* Hands what a step found over to the caller, or drops it. */
static int32_t take_found(int32_t code, query_args *query, json_t **result)
{
    if (code == SIMPLUGIN_OK)
        *result = query->found;
    else
        json_decref(query->found);
    return code;
}

int32_t sp_runs_get(sp_runs *runs, sp_text dataset, sp_text key, const sp_runs_wait *wait,
                    json_t **record, simplugin_error **error)
{
    query_args query = {&dataset, key, NULL, NULL};
    int32_t code = check_names(dataset, key, error);

    *record = NULL;
    if (code == SIMPLUGIN_OK)
        code = sp_runs_db_read(runs->directory, wait, get_step, &query, error);
    return take_found(code, &query, record);
}

/* As Python's ==, so that 1 and 1.0 are the same. */
static int is_same(const json_t *a, const json_t *b)
{
    const char *name;
    json_t *value;

    if (json_is_number(a) && json_is_number(b) && json_typeof(a) != json_typeof(b))
        return json_number_value(a) == json_number_value(b);
    if (json_is_array(a) && json_is_array(b) && json_array_size(a) == json_array_size(b)) {
        for (size_t i = 0; i < json_array_size(a); i++)
            if (!is_same(json_array_get(a, i), json_array_get(b, i)))
                return 0;
        return 1;
    }
    if (json_is_object(a) && json_is_object(b) && json_object_size(a) == json_object_size(b)) {
        json_object_foreach((json_t *)a, name, value)
            if (!is_same(value, json_object_get(b, name)))
                return 0;
        return 1;
    }
    return json_equal(a, b);
}

static int is_match(const json_t *config, const json_t *filters)
{
    const json_t *parameters = json_object_get(config, "parameters");
    const char *name;
    json_t *wanted;

    json_object_foreach((json_t *)filters, name, wanted) {
        const json_t *value = json_object_get(config, name);

        if (!value)
            value = json_object_get(parameters, name);
        if (value ? !is_same(value, wanted) : !json_is_null(wanted))
            return 0;
    }
    return 1;
}

static int32_t list_step(sp_runs_db *db, void *context, simplugin_error **error)
{
    query_args *query = context;
    sqlite3_stmt *statement = NULL;
    int row = 0;
    int32_t code;

    json_decref(query->found);
    query->found = json_array();
    if (!query->found)
        return sp_error_no_memory(error);
    code = prepare(db,
                   query->dataset
                       ? "SELECT dataset, key, created, updated, version, config FROM runs"
                         " WHERE dataset = ?1 ORDER BY key"
                       : "SELECT dataset, key, created, updated, version, config FROM runs"
                         " ORDER BY dataset, key",
                   query->dataset, query->dataset != NULL, &statement, error);
    if (code == SIMPLUGIN_OK)
        code = next(db, statement, &row, error);
    while (code == SIMPLUGIN_OK && row) {
        json_t *record = NULL;

        code = read_record(db, statement, &record, error);
        if (code == SIMPLUGIN_OK &&
            (!query->filters || is_match(json_object_get(record, "config"), query->filters)) &&
            json_array_append(query->found, record) != 0)
            code = sp_error_no_memory(error);
        json_decref(record);
        if (code == SIMPLUGIN_OK)
            code = next(db, statement, &row, error);
    }
    sqlite3_finalize(statement);
    return code;
}

int32_t sp_runs_list(sp_runs *runs, const sp_text *dataset, const json_t *filters,
                     const sp_runs_wait *wait, json_t **records, simplugin_error **error)
{
    query_args query = {dataset, {NULL, 0}, filters, NULL};
    int32_t code = SIMPLUGIN_OK;

    *records = NULL;
    if (dataset)
        code = check_name("dataset", "dataset name", *dataset, 0, error);
    if (code == SIMPLUGIN_OK && filters && !json_is_object(filters))
        code = sp_error_set(error, SIMPLUGIN_INVALID_ARGUMENT, DOMAIN,
                            "the filters of a list of runs must be an object");
    if (code == SIMPLUGIN_OK)
        code = sp_runs_db_read(runs->directory, wait, list_step, &query, error);
    return take_found(code, &query, records);
}

static int32_t datasets_step(sp_runs_db *db, void *context, simplugin_error **error)
{
    query_args *query = context;
    sqlite3_stmt *statement = NULL;
    int row = 0;
    int32_t code;

    json_decref(query->found);
    query->found = json_array();
    if (!query->found)
        return sp_error_no_memory(error);
    code = prepare(db, "SELECT DISTINCT dataset FROM runs ORDER BY dataset", NULL, 0, &statement,
                   error);
    if (code == SIMPLUGIN_OK)
        code = next(db, statement, &row, error);
    while (code == SIMPLUGIN_OK && row) {
        sp_text name;

        code = column_text(statement, 0, &name, error);
        if (code == SIMPLUGIN_OK &&
            json_array_append_new(query->found, json_stringn(name.data, name.size)) != 0)
            code = sp_error_no_memory(error);
        if (code == SIMPLUGIN_OK)
            code = next(db, statement, &row, error);
    }
    sqlite3_finalize(statement);
    return code;
}

int32_t sp_runs_datasets(sp_runs *runs, const sp_runs_wait *wait, json_t **names,
                         simplugin_error **error)
{
    query_args query = {NULL, {NULL, 0}, NULL, NULL};

    *names = NULL;
    return take_found(sp_runs_db_read(runs->directory, wait, datasets_step, &query, error), &query,
                      names);
}

/* ---- rename, delete ---- */

static int32_t rename_step(sp_runs_db *db, void *context, simplugin_error **error)
{
    const sp_text *texts = context; /* dataset, key, new key */
    sqlite3_stmt *statement = NULL;
    int row = 0, changes = 0;
    int32_t code = prepare(db, "SELECT 1 FROM runs WHERE dataset = ?1 AND key = ?2", texts, 2,
                           &statement, error);

    if (code == SIMPLUGIN_OK)
        code = next(db, statement, &row, error);
    if (code == SIMPLUGIN_OK && !row)
        code = not_found(db, texts[0], texts[1], error);
    if (code == SIMPLUGIN_OK) {
        int result = sqlite3_reset(statement);

        if (result == SQLITE_OK)
            result = bind_text(statement, 2, texts[2]);
        code = result == SQLITE_OK ? next(db, statement, &row, error)
                                   : sp_runs_db_fail(db, result, "use", error);
    }
    if (code == SIMPLUGIN_OK && row)
        code = already_exists(texts[0], texts[2], "; delete it first, or choose another key", error);
    sqlite3_finalize(statement);
    if (code == SIMPLUGIN_OK)
        code = change(db, "UPDATE runs SET key = ?3 WHERE dataset = ?1 AND key = ?2", texts, 3,
                      &changes, error);
    return code;
}

int32_t sp_runs_rename(sp_runs *runs, sp_text dataset, sp_text key, sp_text new_key,
                       const sp_runs_wait *wait, simplugin_error **error)
{
    sp_text texts[] = {dataset, key, new_key};
    int32_t code = check_names(dataset, key, error);

    if (code == SIMPLUGIN_OK)
        code = check_name("new_brain_key", "new brain key", new_key, 1, error);
    if (code == SIMPLUGIN_OK)
        code = sp_runs_db_write(runs->directory, wait, rename_step, texts, error);
    return code;
}

static int32_t delete_step(sp_runs_db *db, void *context, simplugin_error **error)
{
    const sp_text *texts = context; /* dataset, key */
    int changes = 0;
    int32_t code = change(db, "DELETE FROM runs WHERE dataset = ?1 AND key = ?2", texts, 2,
                          &changes, error);

    if (code == SIMPLUGIN_OK && changes == 0)
        code = not_found(db, texts[0], texts[1], error);
    return code;
}

int32_t sp_runs_delete(sp_runs *runs, sp_text dataset, sp_text key, const sp_runs_wait *wait,
                       simplugin_error **error)
{
    sp_text texts[] = {dataset, key};
    int32_t code = check_names(dataset, key, error);

    if (code == SIMPLUGIN_OK)
        code = sp_runs_db_write(runs->directory, wait, delete_step, texts, error);
    return code;
}
