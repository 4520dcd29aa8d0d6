/* SPDX-License-Identifier: Apache-2.0 */
/* Methods on whole collections: after each of them the points are what they were. */
#include "config.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "expect.h"
#include "optional.h"
#include "stock.h"

/* Asks a method that takes the collection alone. */
static int plain(conf_stock *stock, const char *method)
{
    return conf_stock_do(stock, method, conf_stock_body(stock));
}

/* ---- collection.flush, load, release --------------------------------------------------------- */

void conf_optional_flush(conf_run *run)
{
    json_t *before = NULL;
    conf_stock stock;

    if (conf_stock_begin(&stock, run, "collection.flush", NULL))
        before = conf_stock_look(&stock);
    if (before && plain(&stock, "collection.flush") && plain(&stock, "collection.flush"))
        conf_stock_same(&stock, before, "after collection.flush");
    json_decref(before);
    conf_stock_end(&stock);
}

void conf_optional_load(conf_run *run)
{
    json_t *before = NULL;
    conf_stock stock;

    if (conf_stock_begin(&stock, run, "collection.load", "collection.release", NULL))
        before = conf_stock_look(&stock);
    /* each twice: where there is nothing to do they do nothing */
    if (before && plain(&stock, "collection.load") && plain(&stock, "collection.release") &&
        plain(&stock, "collection.release") && plain(&stock, "collection.load"))
        conf_stock_same(&stock, before, "after collection.release and collection.load");
    json_decref(before);
    conf_stock_end(&stock);
}

/* ---- collection.compact ---------------------------------------------------------------------- */

#define GARBAGE 2000

/* Points that come and go. */
static int garbage_make(conf_stock *stock)
{
    json_t *body = conf_stock_body(stock), *ids = conf_ids("garbage", 0, GARBAGE);
    int ok = 1;

    for (int i = 0; i < 2 && ok; i++)
        ok = conf_upsert(&stock->rig, stock->name, json_incref(ids),
                         conf_vectors(46, GARBAGE, CONF_STOCK_DIMENSION), NULL);
    json_object_set_new(body, "ids", ids);
    return conf_do(&stock->rig, "points.delete", body) && ok;
}

static void bytes_check(conf_stock *stock, const json_t *reply)
{
    const json_t *before = json_object_get(reply, "bytes_before");
    const json_t *after = json_object_get(reply, "bytes_after");

    if (!before != !after)
        conf_fail(stock->rig.run,
                  "collection.compact tells one of \"bytes_before\" and \"bytes_after\" alone");
    if (json_integer_value(after) > json_integer_value(before) || json_integer_value(after) < 0)
        conf_fail(stock->rig.run,
                  "collection.compact of a collection most of which was deleted takes it from "
                  "%lld bytes to %lld",
                  (long long)json_integer_value(before), (long long)json_integer_value(after));
}

void conf_optional_compact(conf_run *run)
{
    json_t *before = NULL;
    conf_stock stock;

    if (conf_stock_begin(&stock, run, "collection.compact", NULL))
        before = conf_stock_look(&stock);
    if (before && garbage_make(&stock)) {
        conf_answer answer;

        if (conf_stock_ask(&stock, "collection.compact", conf_stock_body(&stock), 0, 0, &answer))
            bytes_check(&stock, answer.body);
        conf_answer_clear(&answer);
        conf_stock_same(&stock, before, "after collection.compact");
        /* and where there is nothing to be had */
        if (plain(&stock, "collection.compact"))
            conf_stock_same(&stock, before, "after collection.compact, twice");
    }
    json_decref(before);
    conf_stock_end(&stock);
}

/* ---- collection.check ------------------------------------------------------------------------ */

static void rows_check(conf_stock *stock, int64_t expected)
{
    conf_answer answer;

    if (conf_stock_ask(stock, "collection.check", conf_stock_body(stock), 0, 0, &answer) &&
        json_integer_value(json_object_get(answer.body, "rows")) != expected)
        conf_fail(stock->rig.run,
                  "collection.check says that %lld rows were checked; %lld points are there",
                  (long long)json_integer_value(json_object_get(answer.body, "rows")),
                  (long long)expected);
    conf_answer_clear(&answer);
}

void conf_optional_check(conf_run *run)
{
    json_t *before = NULL, *body;
    conf_stock stock;

    if (conf_stock_begin(&stock, run, "collection.check", NULL))
        before = conf_stock_look(&stock);
    if (before) {
        rows_check(&stock, CONF_STOCK_POINTS);
        conf_stock_same(&stock, before, "after collection.check");
        body = conf_stock_body(&stock);
        json_object_set_new(body, "ids", conf_ids("stock", 3, 7));
        if (conf_do(&stock.rig, "points.delete", body))
            rows_check(&stock, CONF_STOCK_POINTS - 7);
        body = conf_stock_body(&stock);
        json_object_set_new(body, "all", json_true());
        if (conf_do(&stock.rig, "points.delete", body))
            rows_check(&stock, 0);
    }
    json_decref(before);
    conf_stock_end(&stock);
}

/* ---- collection.backup ----------------------------------------------------------------------- */

/* Whether there is a file with something in it, or a directory with entries. */
static int is_something(const char *path)
{
    struct stat status;
    DIR *directory;
    const struct dirent *entry;
    int found = 0;

    if (stat(path, &status))
        return 0;
    if (!S_ISDIR(status.st_mode))
        return status.st_size > 0;
    directory = opendir(path);
    while (directory && !found && (entry = readdir(directory)) != NULL)
        found = strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    if (directory)
        closedir(directory);
    return found;
}

static json_t *backup_body(const conf_stock *stock, const char *path)
{
    json_t *body = conf_stock_body(stock);

    json_object_set_new(body, "path", json_string(path));
    return body;
}

/* Of a path that is taken by something else, nothing of which may change. */
static void backup_over_check(conf_stock *stock)
{
    char *path = conf_path(&stock->rig, "precious");
    FILE *file = fopen(path, "w");
    struct stat status;

    if (file)
        fclose(file);
    conf_expect(&stock->rig, "collection.backup", backup_body(stock, path),
                SIMPLUGIN_ALREADY_EXISTS, "for a path at which there is an empty file");
    if (stat(path, &status) || !S_ISREG(status.st_mode) || status.st_size)
        conf_fail(stock->rig.run, "collection.backup wrote over a file that was there");
    free(path);
}

void conf_optional_backup(conf_run *run)
{
    static const char relative[] = "conformance_backup";
    json_t *before = NULL;
    char *path = NULL;
    conf_stock stock;

    if (conf_stock_begin(&stock, run, "collection.backup", NULL))
        before = conf_stock_look(&stock);
    if (before) {
        path = conf_path(&stock.rig, "backup");
        if (conf_stock_do(&stock, "collection.backup", backup_body(&stock, path))) {
            if (!is_something(path))
                conf_fail(run, "after collection.backup there is nothing at its path, %s", path);
            conf_expect(&stock.rig, "collection.backup", backup_body(&stock, path),
                        SIMPLUGIN_ALREADY_EXISTS, "for the path of a backup that is there");
        }
        backup_over_check(&stock);
        /* wherever a relative one leads: into the check's own directory at most */
        if (!chdir(conf_run_directory(run)))
            conf_refused(&stock.rig, "collection.backup", backup_body(&stock, relative), "path",
                         "is relative");
        conf_stock_same(&stock, before, "after collection.backup");
    }
    free(path);
    json_decref(before);
    conf_stock_end(&stock);
}

/* ---- index.create, drop, describe ------------------------------------------------------------ */

/* What index.describe says, of that which collection.create takes; NULL after failing. */
static json_t *index_parameters(conf_stock *stock)
{
    conf_answer answer;
    json_t *parameters = NULL;

    if (conf_stock_ask(stock, "index.describe", conf_stock_body(stock), 0, 0, &answer))
        parameters =
            conf_rig_declared(&stock->rig, json_object_get(answer.body, "parameters"));
    conf_answer_clear(&answer);
    return parameters;
}

static int index_create(conf_stock *stock, json_t *parameters)
{
    json_t *body = conf_stock_body(stock);

    if (json_object_size(parameters))
        json_object_set(body, "parameters", parameters);
    json_decref(parameters);
    return conf_stock_do(stock, "index.create", body);
}

/* Dropped and made again as it was, where it can be dropped and described. */
static void index_again(conf_stock *stock, const json_t *before)
{
    json_t *parameters = NULL;
    json_t *look = NULL;

    if (conf_serves(&stock->rig, "index.describe")) {
        parameters = index_parameters(stock);
        if (!parameters)
            return;
    }
    if (plain(stock, "index.drop")) {
        /* which searches are served without an index is the backend's; its points are there */
        look = conf_stock_count(stock);
        if (look && !json_equal(look, json_object_get(before, "count")))
            conf_fail(stock->rig.run, "index.drop lost points");
        if (index_create(stock, json_incref(parameters)))
            conf_stock_same(stock, before,
                            "after index.drop, and index.create with what index.describe said");
    }
    json_decref(look);
    json_decref(parameters);
}

void conf_optional_index(conf_run *run)
{
    json_t *before = NULL;
    conf_stock stock;

    if (conf_stock_begin(&stock, run, "index.create", NULL))
        before = conf_stock_look(&stock);
    if (before && conf_serves(&stock.rig, "index.drop"))
        index_again(&stock, before);
    else if (before && conf_serves(&stock.rig, "index.describe"))
        json_decref(index_parameters(&stock));
    /* over the one that is there */
    if (before && !conf_failed(run) && index_create(&stock, NULL))
        conf_stock_same(&stock, before, "after index.create without parameters");
    json_decref(before);
    conf_stock_end(&stock);
}

/* ---- partitions ------------------------------------------------------------------------------ */

static json_t *partition_body(const conf_stock *stock, const char *partition)
{
    json_t *body = conf_stock_body(stock);

    json_object_set_new(body, "partition", json_string(partition));
    return body;
}

static void listed_check(conf_stock *stock, const char *partition, int expected, const char *when)
{
    conf_answer answer;
    int is_listed = 0;
    size_t i;
    json_t *one;

    if (conf_stock_ask(stock, "partition.list", conf_stock_body(stock), 0, 0, &answer)) {
        json_array_foreach(json_object_get(answer.body, "partitions"), i, one)
            is_listed |= !strcmp(json_string_value(one), partition);
        if (is_listed != expected)
            conf_fail(stock->rig.run, "partition.list %s a partition %s",
                      expected ? "lacks" : "has", when);
    }
    conf_answer_clear(&answer);
}

void conf_optional_partitions(conf_run *run)
{
    static const char name[] = "conformance_part";
    json_t *before = NULL;
    conf_stock stock;

    if (conf_stock_begin(&stock, run, "partition.create", "partition.list", "partition.drop", NULL))
        before = conf_stock_look(&stock);
    if (before) {
        conf_expect(&stock.rig, "partition.drop", partition_body(&stock, name), SIMPLUGIN_NOT_FOUND,
                    "for a partition that is not there");
        listed_check(&stock, name, 0, "that was not made yet");
        if (conf_stock_do(&stock, "partition.create", partition_body(&stock, name))) {
            listed_check(&stock, name, 1, "that was made");
            conf_expect(&stock.rig, "partition.create", partition_body(&stock, name),
                        SIMPLUGIN_ALREADY_EXISTS, "for a partition that is there");
            conf_stock_same(&stock, before, "after partition.create");
        }
        if (!conf_failed(run) &&
            conf_stock_do(&stock, "partition.drop", partition_body(&stock, name))) {
            listed_check(&stock, name, 0, "that was dropped");
            conf_expect(&stock.rig, "partition.drop", partition_body(&stock, name),
                        SIMPLUGIN_NOT_FOUND, "for a partition that was dropped");
            conf_stock_same(&stock, before, "after partition.drop of another one than theirs");
        }
    }
    json_decref(before);
    conf_stock_end(&stock);
}
