/* SPDX-License-Identifier: Apache-2.0 */
/* Copies: what comes along, what is told to be lost, what is refused, what is found to differ. */
#include "config.h"

#include <math.h>
#include <time.h>
#include <unistd.h>

#include "copy_rig.h"

#define REFUSE(code, argument, ...)                                 \
    do {                                                            \
        CU_ASSERT_EQUAL(copy_open(__VA_ARGS__), code);              \
        CU_ASSERT_STRING_EQUAL(error_detail("argument"), argument); \
    } while (0)

/* What copy.open says is lost, as "what name what name"; those that are fatal with a '!'. */
static const char *losses(void)
{
    static char text[1024];
    size_t i, size = 0;
    json_t *loss;

    text[0] = '\0';
    json_array_foreach(json_object_get(rig_reply, "losses"), i, loss)
        size += (size_t)snprintf(text + size, sizeof text - size, "%s%s%s %s", size ? ", " : "",
                                 json_is_true(json_object_get(loss, "fatal")) ? "!" : "",
                                 json_string_value(json_object_get(loss, "what")),
                                 json_string_value(json_object_get(loss, "name")));
    return text;
}

/* ---- what comes along -------------------------------------------------------------------- */

static void copy_between(const char *from, const char *to)
{
    char target[200];
    uint64_t source;

    copy_start();
    source = index_new(from, "here", ", 'metric': 'euclidean'");
    rows_add(source, 0, 900);
    index_new(to, "there", "");
    snprintf(target, sizeof target, "'backend': '%s', 'collection_name': 'there'", to);
    copy_all(source, target, ", 'verify': 'all', 'batch_bytes': 20000");
    REPLY("copied", "900");
    REPLY("verified", "900");
    REPLY("compared", "'exact'");
    REPLY("seconds_left", "0.0");
    CU_ASSERT(indexes_same(source, copy_index));
    ASK(copy_index, "index.info", "{}");
    REPLY("metric", "'euclidean'");
    REPLY("size", "900");
    REPLY("dimension", "3");
    copy_stop();
}

static void memory_to_disk(void) { copy_between("rig", "disk"); }
static void disk_to_memory(void) { copy_between("disk", "rig"); }
static void disk_to_disk(void) { copy_between("disk", "disk"); }
static void memory_to_memory(void) { copy_between("rig", "rig"); }

static void the_run(void)
{
    uint64_t source;

    copy_start();
    ASK(rig_session, "index.create",
        "{'backend': 'rig', 'dataset': 'birds', 'brain_key': 'from', 'metric': 'dotproduct', "
        "'patches_field': 'ground_truth', 'model': 'clip', 'supports_prompts': true}");
    source = (uint64_t)reply_int("index");
    rows_add(source, 0, 50);
    CU_ASSERT_EQUAL(copy_open(source, "'backend': 'disk', 'brain_key': 'to'", ""), SIMPLUGIN_OK);
    /* not before it is a copy */
    CU_ASSERT_EQUAL(ask(rig_session, "runs.info", "{'dataset': 'birds', 'brain_key': 'to'}"),
                    SIMPLUGIN_NOT_FOUND);
    CU_ASSERT_EQUAL(copy_run(), SIMPLUGIN_OK);
    copy_close();
    ASK(rig_session, "runs.load", "{'dataset': 'birds', 'brain_key': 'to'}");
    REPLY("backend", "'disk'");
    REPLY("metric", "'dotproduct'");
    REPLY("patches_field", "'ground_truth'");
    REPLY("patches", "true");
    REPLY("model", "'clip'");
    REPLY("supports_prompts", "true");
    REPLY("dimension", "3");
    CU_ASSERT(indexes_same(source, (uint64_t)reply_int("index")));
    /* the target may say otherwise */
    copy_all(source, "'backend': 'disk', 'brain_key': 'other', 'dataset': 'fish', 'model': 'dino', "
             "'supports_prompts': false, 'patches_field': 'labels'", ", 'verify': 'none'");
    REPLY("verified", "0");
    REPLY("compared", "?");
    ASK(rig_session, "runs.load", "{'dataset': 'fish', 'brain_key': 'other'}");
    REPLY("model", "'dino'");
    REPLY("supports_prompts", "false");
    REPLY("patches_field", "'labels'");
    /* a run that is there already, and one that may be replaced */
    REFUSE(SIMPLUGIN_ALREADY_EXISTS, "target", source, "'backend': 'disk', 'brain_key': 'to'", "");
    copy_all(source, "'backend': 'disk', 'brain_key': 'to', 'overwrite': true", "");
    copy_stop();
}

static void foreign_patches(void)
{
    uint64_t source;

    copy_start();
    source = index_new("rig", "patches", ", 'patches_field': 'boxes'");
    rows_add(source, 0, 30);
    ASK(rig_session, "index.open", "{'backend': 'rig', 'collection_name': 'patches'}");
    source = (uint64_t)reply_int("index");
    /* a run must be able to say of which field they are */
    REFUSE(SIMPLUGIN_INVALID_ARGUMENT, "patches", source, "'backend': 'disk', 'brain_key': 'k'", "");
    copy_all(source, "'backend': 'disk'", "");
    ASK(rig_session, "index.open", "{'backend': 'disk', 'collection_name': 'patches'}");
    REPLY("patches", "true");
    CU_ASSERT(indexes_same(source, (uint64_t)reply_int("index")));
    copy_all(source, "'backend': 'disk', 'brain_key': 'k', 'patches_field': 'boxes'", "");
    /* and not of samples that there are none of */
    source = index_new("rig", "samples", "");
    rows_add(source, 0, 3);
    REFUSE(SIMPLUGIN_INVALID_ARGUMENT, "patches", source,
           "'backend': 'disk', 'patches_field': 'boxes'", "");
    copy_stop();
}

static void nothing_to_copy(void)
{
    uint64_t source;

    copy_start();
    /* a run whose collection was never made */
    ASK(rig_session, "index.create", "{'backend': 'rig', 'brain_key': 'from', 'model': 'clip'}");
    source = (uint64_t)reply_int("index");
    copy_all(source, "'backend': 'disk', 'brain_key': 'to'", ", 'verify': 'all'");
    REPLY("total", "0");
    ASK(rig_session, "index.open", "{'brain_key': 'to'}");
    REPLY("model", "'clip'");
    REPLY("dimension", "?");
    rows_add((uint64_t)reply_int("index"), 0, 3);
    /* one that is empty */
    source = index_new("rig", "empty", ", 'dimension': 3");
    copy_all(source, "'backend': 'disk'", ", 'verify': 'all'");
    ASK(copy_index, "index.info", "{}");
    REPLY("size", "0");
    REPLY("dimension", "3");
    copy_stop();
}

/* ---- what is told to be lost ------------------------------------------------------------- */

static void poor(simplugin_writer *writer)
{
    static const char *const texts[] = {"field_types", "text", "float64", NULL,
                                        "metrics", "cosine", NULL, NULL};

    for (int i = 0; i < 8; i += 4) {
        uint64_t count = 0;

        while (texts[i + 1 + (int)count])
            count++;
        simplugin_write_string(writer, texts[i]);
        simplugin_write_array(writer, count);
        for (uint64_t j = 0; j < count; j++)
            simplugin_write_string(writer, texts[i + 1 + (int)j]);
    }
    simplugin_write_string(writer, "nonfinite");
    simplugin_write_bool(writer, 0);
    simplugin_write_string(writer, "vectors");
    simplugin_write_string(writer, "normalised");
    simplugin_write_string(writer, "max_dimension");
    simplugin_write_uint(writer, 3);
}

static void be_poor(void)
{
    rig_describe = poor;
    rig_describe_count = 5;
}

static void dry_run(void)
{
    uint64_t source;
    json_t *before, *after;

    be_poor();
    copy_start();
    source = index_new("disk", "rich", ", 'metric': 'euclidean'");
    rows_add(source, 0, 20);
    index_new("rig", "rich", "");
    ASK(rig_session, "backends.list", "{}");
    CU_ASSERT_EQUAL(copy_open(source, "'backend': 'rig'", ", 'dry_run': true"), SIMPLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(losses(), "norms rig, field page, values score, field flag, field tags, "
                           "field numbers, !metric euclidean");
    REPLY("copy", "?");
    REPLY("index", "?");
    REPLY("total", "20");
    REPLY("resumed", "0");
    REPLY("backend", "'rig'");
    REPLY("collection_name", "'rich'");
    /* as an error where it is meant */
    REFUSE(SIMPLUGIN_INVALID_ARGUMENT, "metric", source, "'backend': 'rig'", "");
    CU_ASSERT(strstr(simplugin_error_message(rig_error, NULL), "one of cosine") != NULL);
    CU_ASSERT_EQUAL(copy_open(source, "'backend': 'rig', 'metric': 'cosine'", ", 'dry_run': true"),
                    SIMPLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(losses(), "norms rig, field page, values score, field flag, field tags, "
                           "field numbers, metric euclidean");
    /* nothing was made or noted of all this */
    CU_ASSERT_EQUAL(ask(rig_session, "index.open", "{'backend': 'rig', 'collection_name': 'rich'}"),
                    SIMPLUGIN_NOT_FOUND);
    /* and this is what is lost */
    copy_all(source, "'backend': 'rig', 'metric': 'cosine'", ", 'verify': 'all'");
    REPLY("compared", "'direction'");
    before = index_dump(source);
    after = index_dump(copy_index);
    for (void *one = json_object_iter(before); one; one = json_object_iter_next(before, one)) {
        static const char *const lost[] = {"page", "flag", "tags", "numbers"};

        for (int i = 0; i < 4; i++)
            json_object_del(json_object_iter_value(one), lost[i]);
    }
    CU_ASSERT(json_equal(before, after));
    json_decref(before);
    json_decref(after);
    /* the target is there now */
    CU_ASSERT_EQUAL(copy_open(source, "'backend': 'rig', 'metric': 'cosine'", ", 'dry_run': true"),
                    SIMPLUGIN_OK);
    CU_ASSERT(strstr(losses(), "!target rich") != NULL);
    copy_stop();
}

static void not_a_number(void)
{
    uint64_t source;
    json_t *dump;

    be_poor();
    copy_start();
    source = index_new("disk", "odd", "");
    {
        simplugin_writer writer;
        double values[] = {1.5, NAN, -INFINITY, 2.5};
        float vectors[4][3] = {{1, 0, 0}, {2, 0, 0}, {3, 0, 0}, {0, 0, 4}};
        simplugin_tensor matrix = simplugin_tensor_of(SIMPLUGIN_FLOAT32, vectors, 4, 3);
        simplugin_column column = {.type = SIMPLUGIN_COLUMN_FLOAT64, .count = 4, .values = values};

        simplugin_writer_init(&writer);
        simplugin_write_map(&writer, 3);
        simplugin_write_string(&writer, "ids");
        simplugin_write_array(&writer, 4);
        for (int i = 0; i < 4; i++)
            simplugin_write_text(&writer, &"abcd"[i], 1);
        simplugin_write_string(&writer, "vectors");
        simplugin_write_tensor(&writer, &matrix);
        simplugin_write_string(&writer, "fields");
        simplugin_write_map(&writer, 1);
        simplugin_write_string(&writer, "x");
        simplugin_write_column(&writer, &column);
        CU_ASSERT_EQUAL(ask_writer(source, "index.add", &writer), SIMPLUGIN_OK);
        simplugin_writer_clear(&writer);
    }
    index_new("rig", "odd", "");
    copy_all(source, "'backend': 'rig'", ", 'verify': 'all'");
    REPLY("verified", "4");
    dump = index_dump(copy_index);
    CU_ASSERT_PTR_NULL(json_object_get(json_object_get(dump, "b"), "x"));
    CU_ASSERT_PTR_NULL(json_object_get(json_object_get(dump, "c"), "x"));
    CU_ASSERT(json_real_value(json_object_get(json_object_get(dump, "d"), "x")) == 2.5);
    json_decref(dump);
    copy_stop();
}

static void too_large(void)
{
    be_poor();
    copy_start();
    CU_ASSERT_EQUAL(ask(rig_session, "index.create", "{'backend': 'disk', 'collection_name': 'wide', "
                        "'dimension': 4}"), SIMPLUGIN_OK);
    REFUSE(SIMPLUGIN_INVALID_ARGUMENT, "dimension", (uint64_t)reply_int("index"),
           "'backend': 'rig'", "");
    copy_stop();
}

/* ---- what is refused ---------------------------------------------------------------------- */

static void arguments(void)
{
    uint64_t source;

    copy_start();
    source = index_new("disk", "points", "");
    rows_add(source, 0, 5);
    REFUSED(SIMPLUGIN_INVALID_ARGUMENT, "source", rig_session, "copy.open", "{'target': {}}");
    REFUSED(SIMPLUGIN_INVALID_ARGUMENT, "target", rig_session, "copy.open", "{'source': %llu}",
            (unsigned long long)source);
    REFUSED(SIMPLUGIN_INVALID_ARGUMENT, "target", rig_session, "copy.open",
            "{'source': %llu, 'target': 'rig'}", (unsigned long long)source);
    CU_ASSERT_EQUAL(copy_open(rig_session, "", ""), SIMPLUGIN_STALE_HANDLE);
    REFUSE(SIMPLUGIN_INVALID_ARGUMENT, "colection_name", source, "'colection_name': 'x'", "");
    REFUSE(SIMPLUGIN_INVALID_ARGUMENT, "dimension", source, "'dimension': 3", "");
    REFUSE(SIMPLUGIN_INVALID_ARGUMENT, "merge", source, "'merge': true, 'overwrite': true", "");
    REFUSE(SIMPLUGIN_INVALID_ARGUMENT, "verify", source, "'backend': 'rig'", ", 'verify': 'most'");
    REFUSE(SIMPLUGIN_INVALID_ARGUMENT, "sample_size", source, "'backend': 'rig'",
           ", 'sample_size': 0");
    REFUSE(SIMPLUGIN_INVALID_ARGUMENT, "batch_bytes", source, "'backend': 'rig'",
           ", 'batch_bytes': 0");
    REFUSE(SIMPLUGIN_INVALID_ARGUMENT, "collection_name", source,
           "'backend': 'rig', 'collection_name': ''", "");
    CU_ASSERT_EQUAL(copy_open(source, "'backend': 'nobody'", ""), SIMPLUGIN_BACKEND_UNKNOWN);
    CU_ASSERT_EQUAL(copy_open(source, "'backend': 'rig', 'parameters': {'uri': 'x'}", ""),
                    SIMPLUGIN_UNKNOWN_PARAMETER);
    /* into itself, whatever one asks for */
    REFUSE(SIMPLUGIN_INVALID_ARGUMENT, "collection_name", source, "'backend': 'disk'", "");
    REFUSE(SIMPLUGIN_INVALID_ARGUMENT, "collection_name", source,
           "'backend': 'disk', 'overwrite': true", "");
    REFUSE(SIMPLUGIN_INVALID_ARGUMENT, "collection_name", source,
           "'backend': 'disk', 'merge': true", ", 'dry_run': true");
    /* by another way as well */
    {
        char path[300], link[320];

        ASK(rig_session, "config.resolve", "{'backend': 'disk'}");
        snprintf(path, sizeof path, "%s", json_string_value(json_object_get(
                     json_object_get(rig_reply, "parameters"), "data_dir")));
        snprintf(link, sizeof link, "%s-link", path);
        CU_ASSERT_EQUAL(symlink(path, link), 0);
        CU_ASSERT_EQUAL(ask(rig_session, "copy.open", "{'source': %llu, 'target': {'backend': 'disk', "
                            "'overwrite': true, 'parameters': {'data_dir': '%s'}}}",
                            (unsigned long long)source, link), SIMPLUGIN_INVALID_ARGUMENT);
        CU_ASSERT_STRING_EQUAL(error_detail("argument"), "collection_name");
        unlink(link);
    }
    ASK(source, "index.size", "{}");
    REPLY("size", "5");
    copy_stop();
}

/* Collections of one name in two places are two, and one stays one by whatever path. */
static void two_places(void)
{
    char other[320];
    uint64_t source;

    copy_start();
    source = index_new("disk", "points", "");
    rows_add(source, 0, 5);
    ASK(rig_session, "config.resolve", "{'backend': 'disk'}");
    snprintf(other, sizeof other,
             "'backend': 'disk', 'parameters': {'data_dir': '%s-other'}",
             json_string_value(json_object_get(json_object_get(rig_reply, "parameters"),
                                               "data_dir")));
    copy_all(source, other, ", 'verify': 'all'");
    strcat(other, ", 'overwrite': true");
    copy_all(source, other, ", 'verify': 'all'");
    CU_ASSERT(indexes_same(source, copy_index));
    ASK(copy_index, "index.cleanup", "{}");
    copy_stop();
}

static void target_is_there(void)
{
    const char *target = "'backend': 'rig', 'collection_name': 'taken'";
    uint64_t source, taken;

    copy_start();
    source = index_new("disk", "points", "");
    rows_add(source, 0, 60);
    taken = index_new("rig", "taken", ", 'metric': 'cosine'");
    rows_add(taken, 50, 20);
    REFUSE(SIMPLUGIN_ALREADY_EXISTS, "target", source, target, "");
    REFUSE(SIMPLUGIN_INVALID_ARGUMENT, "metric", source,
           "'backend': 'rig', 'collection_name': 'taken', 'merge': true, 'metric': 'euclidean'", "");
    /* beside the ten that only it has */
    copy_all(source, "'backend': 'rig', 'collection_name': 'taken', 'merge': true",
             ", 'verify': 'all'");
    ASK(copy_index, "index.size", "{}");
    REPLY("size", "70");
    copy_all(source, "'backend': 'rig', 'collection_name': 'taken', 'overwrite': true, "
             "'metric': 'euclidean'", ", 'verify': 'all'");
    CU_ASSERT(indexes_same(source, copy_index));
    ASK(copy_index, "index.info", "{}");
    REPLY("metric", "'euclidean'");
    /* fields of another type, and vectors of another dimension */
    taken = index_new("rig", "taken", ", 'fields': {'page': 'text'}, 'dimension': 3");
    REFUSE(SIMPLUGIN_INVALID_ARGUMENT, "field", source,
           "'backend': 'rig', 'collection_name': 'taken', 'merge': true", "");
    index_new("rig", "taken", ", 'dimension': 4");
    REFUSE(SIMPLUGIN_INVALID_ARGUMENT, "dimension", source,
           "'backend': 'rig', 'collection_name': 'taken', 'merge': true", "");
    index_new("rig", "taken", ", 'dimension': 3, 'patches_field': 'f'");
    ASK(rig_session, "index.open", "{'backend': 'rig', 'collection_name': 'taken'}");
    taken = (uint64_t)reply_int("index");
    rows_add(taken, 0, 3);
    REFUSE(SIMPLUGIN_INVALID_ARGUMENT, "patches", source,
           "'backend': 'rig', 'collection_name': 'taken', 'merge': true", "");
    copy_stop();
}

/* ---- what differs ------------------------------------------------------------------------- */

/* The points of ids differ in the copy of 300; then it is copied again. */
static void found(const char *differences, const char *difference, const char *ids)
{
    CU_ASSERT_EQUAL(copy_run(), SIMPLUGIN_OK);
    REPLY("phase", "'done'");
    REPLY("differences", differences);
    CU_ASSERT(strstr(reply_text("difference"), difference) != NULL);
    REPLY("different", ids);
    copy_close();
    CU_ASSERT_EQUAL(ask(rig_session, "runs.info", "{'brain_key': 'to'}"), SIMPLUGIN_NOT_FOUND);
}

/* copies all rows; what is done to the target before both are compared is the caller's */
static void copied(uint64_t source, const char *more)
{
    CU_ASSERT_EQUAL_FATAL(copy_open(source, "'backend': 'rig', 'brain_key': 'to'", more),
                          SIMPLUGIN_OK);
}

static uint64_t victim;
static const char *mischief;

/* The moment all is written and nothing compared: both are counted. */
static int meddle(const rig_call *call, int32_t *code)
{
    const char *what = mischief;

    (void)code;
    if (!what || !rig_is(call, "points.count"))
        return 0;
    mischief = NULL;
    if (!strncmp(what, "remove", 6))
        ASK(victim, "index.remove", "%s", what + 6);
    else
        ASK(victim, "index.add", "%s", what + 3);
    return 0;
}

static void differs(const char *harm, int on_source, const char *verify, const char *differences,
                    const char *difference, const char *ids)
{
    uint64_t source;

    copy_start();
    source = index_new("disk", "points", "");
    rows_add(source, 0, 300);
    copied(source, verify);
    victim = on_source ? source : copy_index;
    mischief = harm;
    rig_before = meddle;
    found(differences, difference, ids);
    rig_before = NULL;
    if (!on_source) {
        /* once more, and it is one, unless there is something that it never had */
        copied(source, verify);
        CU_ASSERT_EQUAL(copy_run(), SIMPLUGIN_OK);
        if (strstr(harm, "new")) {
            REPLY("differences", "1");
            copy_close();
            copied(source, ", 'verify': 'all', 'resume': false");
            CU_ASSERT_EQUAL(copy_run(), SIMPLUGIN_OK);
        }
        REPLY("differences", "0");
        copy_close();
        ASK(rig_session, "runs.info", "{'brain_key': 'to'}");
        CU_ASSERT(indexes_same(source, copy_index));
    }
    copy_stop();
}

#define ALL ", 'verify': 'all'"

static void vector_differs(void)
{
    differs("add{'ids': ['p00007'], 'vectors': [[1, 0.875, 0.0068359]], 'fields': {'page': [7]}}", 0,
            ALL, "1", "vector", "['p00007']");
}

static void field_differs(void)
{
    /* as rows_add makes it, but for one field */
    differs("add{'ids': ['p00021'], 'vectors': [[1, 1.25, 0.0205078125]], 'fields': {'page': [22], "
            "'score': [7.0], 'flag': [true], 'numbers': [[21, -21]]}}", 0, ALL, "1",
            "field", "['p00021']");
    /* and one more */
    differs("add{'ids': ['p00021'], 'vectors': [[1, 1.25, 0.0205078125]], 'fields': {'page': [21], "
            "'score': [7.0], 'flag': [true], 'numbers': [[21, -21]], 'extra': [1]}}", 0, ALL, "1",
            "it has a field", "['p00021']");
}

static void point_missing(void)
{
    differs("remove{'ids': ['p00100', 'p00200']}", 0, ALL, "2", "not in the copy",
            "['p00100','p00200']");
    differs("remove{'ids': ['p00100', 'p00200']}", 0, ", 'sample_size': 1", "2", "", "[]");
    differs("remove{'ids': ['p00100', 'p00200']}", 0, ", 'verify': 'none'", "2",
            "has 300 points, the copy 298", "[]");
}

static void point_extra(void)
{
    differs("add{'ids': ['new'], 'vectors': [[1, 2, 3]]}", 0, ALL, "1", "not in the source",
            "['new']");
}

static void source_changed(void)
{
    differs("add{'ids': ['late'], 'vectors': [[1, 2, 3]]}", 1, ALL, "1", "not in the copy",
            "['late']");
    differs("remove{'ids': ['p00001']}", 1, ALL, "1", "not in the source", "['p00001']");
}

static void sampled(void)
{
    uint64_t source;

    copy_start();
    source = index_new("disk", "points", "");
    rows_add(source, 0, 1000);
    copied(source, ", 'sample_size': 100");
    CU_ASSERT_EQUAL(copy_run(), SIMPLUGIN_OK);
    REPLY("verified", "100");
    copy_close();
    /* no more than there are */
    copy_all(source, "'backend': 'rig', 'brain_key': 'again'", ", 'sample_size': 5000");
    REPLY("verified", "1000");
    copy_stop();
}

static void directions(void)
{
    uint64_t source;

    be_poor();
    copy_start();
    source = index_new("disk", "points", "");
    ASK(source, "index.add", "{'ids': ['a', 'b', 'zero'], "
        "'vectors': [[3, 4, 0], [0.1, 0.2, 0.3], [0, 0, 0]]}");
    copied(source, ALL);
    victim = copy_index;
    /* a tenth as long is the same direction */
    mischief = "add{'ids': ['a', 'b'], 'vectors': [[0.3, 0.4, 0], [1, 2, 3]]}";
    rig_before = meddle;
    CU_ASSERT_EQUAL(copy_run(), SIMPLUGIN_OK);
    REPLY("differences", "0");
    REPLY("compared", "'direction'");
    copy_close();
    copy_all(source, "'backend': 'rig', 'brain_key': 'two'", ", 'verify': 'none'");
    CU_ASSERT_EQUAL(copy_open(source, "'backend': 'rig', 'brain_key': 'three'", ALL), SIMPLUGIN_OK);
    victim = copy_index;
    mischief = "add{'ids': ['a', 'zero'], 'vectors': [[3, 4.0001, 0], [0, 0, 1e-9]]}";
    CU_ASSERT_EQUAL(copy_run(), SIMPLUGIN_OK);
    REPLY("differences", "2");
    REPLY("different", "['a','zero']");
    copy_stop();
}

static void write_rounded(simplugin_writer *writer)
{
    simplugin_write_string(writer, "vectors");
    simplugin_write_string(writer, "rounded");
    simplugin_write_string(writer, "rounds_floats");
    simplugin_write_bool(writer, 1);
}

static void rounding(void)
{
    uint64_t source;

    rig_describe = write_rounded;
    rig_describe_count = 2;
    copy_start();
    source = index_new("disk", "points", "");
    ASK(source, "index.add", "{'ids': ['a', 'b', 'zero'], "
        "'vectors': [[3, 4, 0], [0.1, 0.2, 0.3], [0, 0, 0]], 'fields': {'x': [0.3, 0.3, 0.0]}}");
    copied(source, ALL);
    /* which is no loss */
    REPLY("losses", "[]");
    victim = copy_index;
    mischief = "add{'ids': ['a', 'b'], 'vectors': [[3.0000004, 3.9999998, 1e-7], "
               "[0.10000001, 0.2, 0.29999998]], 'fields': {'x': [0.30000000000000004, 0.3]}}";
    rig_before = meddle;
    CU_ASSERT_EQUAL(copy_run(), SIMPLUGIN_OK);
    REPLY("differences", "0");
    REPLY("compared", "'rounded'");
    copy_close();
    CU_ASSERT_EQUAL(copy_open(source, "'backend': 'rig', 'brain_key': 'two'", ALL), SIMPLUGIN_OK);
    victim = copy_index;
    mischief = "add{'ids': ['a', 'b'], 'vectors': [[3, 4, 0], [0.1, 0.2, 0.3]], "
               "'fields': {'x': [0.3, 0.3000000000001]}}";
    CU_ASSERT_EQUAL(copy_run(), SIMPLUGIN_OK);
    REPLY("different", "['b']");
    copy_close();
    CU_ASSERT_EQUAL(copy_open(source, "'backend': 'rig', 'brain_key': 'three'", ALL), SIMPLUGIN_OK);
    victim = copy_index;
    /* the same direction, a little longer; another direction; nothing that was something */
    mischief = "add{'ids': ['a', 'b', 'zero'], 'vectors': [[3.00003, 4.00004, 0], "
               "[0.1, 0.2, 0.30001], [0, 0, 1e-30]], 'fields': {'x': [0.3, 0.3, 0.0]}}";
    CU_ASSERT_EQUAL(copy_run(), SIMPLUGIN_OK);
    REPLY("differences", "3");
    REPLY("different", "['a','b','zero']");
    copy_stop();
}

/* ---- the typed function -------------------------------------------------------------------- */

typedef struct watch {
    uint64_t steps;
    uint64_t copied;
    int32_t stop_at; /* a phase */
    simplugin_copy_state last;
} watch;

static int32_t look(void *context, const simplugin_copy_state *state)
{
    watch *w = context;

    CU_ASSERT(state->copied >= w->copied);
    CU_ASSERT(state->copied <= state->total);
    w->copied = state->copied;
    w->steps++;
    w->last = *state;
    return state->phase == w->stop_at;
}

static int is_slow;

/* So that the first page takes the whole of the first step. */
static int slow_once(const rig_call *call, int32_t *code)
{
    struct timespec span = {1, 100000000};

    (void)code;
    if (is_slow && rig_is(call, "points.upsert"))
        nanosleep(&span, NULL);
    is_slow &= !rig_is(call, "points.upsert");
    return 0;
}

static void typed(void)
{
    simplugin_index_spec target = {.size = sizeof target, .backend = "rig", .brain_key = "to"};
    simplugin_copy_spec spec = {.size = sizeof spec, .verify = SIMPLUGIN_VERIFY_ALL, .each = look};
    simplugin_copy_state state = {.size = sizeof state};
    simplugin_options options = {.size = sizeof options};
    simplugin_error *error = NULL;
    uint64_t index = 7;
    watch w = {0};

    copy_start();
    target.session = rig_session;
    spec.source = index_new("disk", "points", "");
    spec.target = &target;
    spec.context = &w;
    rows_add(spec.source, 0, 200);
    CU_ASSERT_EQUAL(simplugin_copy(&spec, &index, &state, &options, &error), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(state.phase, SIMPLUGIN_COPY_DONE);
    CU_ASSERT_EQUAL(state.copied, 200);
    CU_ASSERT_EQUAL(state.verified, 200);
    CU_ASSERT_EQUAL(state.left_ms, 0);
    CU_ASSERT(w.steps >= 1);
    CU_ASSERT(indexes_same(spec.source, index));
    CU_ASSERT_EQUAL(simplugin_copy(&spec, &index, NULL, NULL, &error), SIMPLUGIN_ALREADY_EXISTS);
    CU_ASSERT_EQUAL(index, 0);
    /* what the callback stops goes on where it was */
    target.brain_key = "other";
    spec.batch_bytes = 5000;
    w.stop_at = SIMPLUGIN_COPY_COPYING;
    w.copied = 0;
    rig_before = slow_once;
    is_slow = 1;
    CU_ASSERT_EQUAL(simplugin_copy(&spec, NULL, &state, NULL, &error), SIMPLUGIN_CANCELLED);
    CU_ASSERT(state.copied > 0 && state.copied < 200);
    w.stop_at = SIMPLUGIN_COPY_DONE;
    CU_ASSERT_EQUAL(simplugin_copy(&spec, NULL, &state, NULL, &error), SIMPLUGIN_OK);
    CU_ASSERT(state.resumed > 0 && state.copied == 200);
    w.stop_at = 0;
    spec.batch_bytes = 0;
    target.brain_key = "third";
    spec.verify = SIMPLUGIN_VERIFY_NONE;
    w.copied = 0;
    CU_ASSERT_EQUAL(simplugin_copy(&spec, NULL, &state, NULL, &error), SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(state.verified, 0);
    /* what differs is an error here */
    target.brain_key = "fourth";
    spec.verify = SIMPLUGIN_VERIFY_ALL;
    w.copied = 0;
    victim = spec.source;
    mischief = "add{'ids': ['late'], 'vectors': [[1, 2, 3]]}";
    rig_before = meddle;
    /* the source is counted when it is opened as well */
    CU_ASSERT_EQUAL(simplugin_copy(&spec, NULL, &state, NULL, &error), SIMPLUGIN_CORRUPT);
    CU_ASSERT_EQUAL(state.differences, 1);
    CU_ASSERT_STRING_EQUAL(simplugin_error_detail_value(error, 0), "late");
    simplugin_error_free(&error);
    copy_stop();
}

static void typed_arguments(void)
{
    simplugin_index_spec target = {.size = sizeof target, .backend = "rig"};
    simplugin_copy_spec spec = {.size = sizeof spec, .source = 1, .target = &target}, good = spec;
    simplugin_copy_state state = {.size = 8};
    simplugin_options options = {.size = 8};
    simplugin_error *error = NULL;

#define WRONG(argument)                                                        \
    do {                                                                       \
        CU_ASSERT_EQUAL(simplugin_copy(&spec, NULL, NULL, NULL, &error), SIMPLUGIN_INVALID_ARGUMENT); \
        CU_ASSERT_STRING_EQUAL(simplugin_error_detail_value(error, 0), argument); \
        spec = good;                                                           \
    } while (0)
    CU_ASSERT_EQUAL(simplugin_copy(NULL, NULL, NULL, NULL, &error), SIMPLUGIN_INVALID_ARGUMENT);
    CU_ASSERT_EQUAL(simplugin_copy(&spec, NULL, &state, NULL, &error), SIMPLUGIN_INVALID_ARGUMENT);
    CU_ASSERT_EQUAL(simplugin_copy(&spec, NULL, NULL, &options, &error), SIMPLUGIN_INVALID_ARGUMENT);
    CU_ASSERT_EQUAL(simplugin_copy(&spec, NULL, NULL, NULL, &error), SIMPLUGIN_STALE_HANDLE);
    spec.size = 8;
    WRONG("spec");
    spec.reserved[3] = 1;
    WRONG("spec");
    spec.reserved0 = 1;
    WRONG("spec");
    spec.verify = 3;
    WRONG("verify");
    spec.merge = 2;
    WRONG("merge");
    spec.restart = -1;
    WRONG("restart");
    target.dimension = 3;
    WRONG("dimension");
    target.dimension = 0;
    target.reserved[0] = 1;
    WRONG("spec");
    target.reserved[0] = 0;
    target.backend = "\xff";
    WRONG("backend");
    simplugin_error_free(&error);
}

static const unit_case cases[] = {
    UNIT_CASE(memory_to_disk, "R276 every point, with ids and fields, from memory to disk"),
    UNIT_CASE(disk_to_memory, "R276 and from disk to memory"),
    UNIT_CASE(disk_to_disk, "R276 and within a backend that stores on disk"),
    UNIT_CASE(memory_to_memory, "R276 and within one that serves one call at a time"),
    UNIT_CASE(the_run, "R276 the run's record comes along, when the copy is one"),
    UNIT_CASE(foreign_patches, "R276 sample ids come along, also of a collection without a run"),
    UNIT_CASE(nothing_to_copy, "R276 an index without points, or without a collection"),
    UNIT_CASE(dry_run, "R276 a dry run says what would be lost, and that is what is lost"),
    UNIT_CASE(not_a_number, "R276 NaN and infinities where they cannot be stored become missing"),
    UNIT_CASE(too_large, "R276 a dimension that the target cannot do"),
    UNIT_CASE(arguments, "R276 arguments that make no sense; a copy into itself"),
    UNIT_CASE(two_places, "R276 collections of one name in two places are two"),
    UNIT_CASE(target_is_there, "R276 a collection that is there: refused, replaced or merged into"),
    UNIT_CASE(vector_differs, "R276 a vector that is another one is found, and copied again"),
    UNIT_CASE(field_differs, "R276 a field that is another one is found, and copied again"),
    UNIT_CASE(point_missing, "R276 points that are missing are found, by a sample by their number"),
    UNIT_CASE(point_extra, "R276 points that only the target has are found"),
    UNIT_CASE(source_changed, "R276 a source that changed meanwhile is found"),
    UNIT_CASE(sampled, "R276 a sample is as large as it is asked to be"),
    UNIT_CASE(directions, "R276 where norms are lost directions are compared"),
    UNIT_CASE(rounding, "R276 where vectors are rounded they are compared as such"),
    UNIT_CASE(typed, "R276 simplugin_copy, its progress and its end"),
    UNIT_CASE(typed_arguments, "R276 simplugin_copy names what is wrong with its arguments"),
};

UNIT_MAIN("copy", cases)
