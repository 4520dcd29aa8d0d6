/* SPDX-License-Identifier: Apache-2.0 */
/* Ids of every kind, and vectors of every length, come back as they were added. */
#include "config.h"

#include "qdrant_live.h"

#include <math.h>

static const char *const ids[] = {
    "507f1f77bcf86cd799439011",              /* as FiftyOne's are */
    "507F1F77BCF86CD799439011",              /* and not the same */
    "507f1f77bcf86cd79943901",               /* a digit less */
    "507f1f77bcf86cd7994390110",             /* a digit more */
    "507f1f77bcf86cd79943901100000000",      /* what the first one becomes */
    "507f1f77-bcf8-6cd7-9943-901100000000",  /* and as it is shown */
    "507f1f77-bcf8-6cd7-9943-90110000000",
    "5c56c793-69f3-4fbf-87e6-c4bf54c28c26",
    "5C56C793-69F3-4FBF-87E6-C4BF54C28C26",
    "5c56c79369f34fbf87e6c4bf54c28c26",
    "urn:uuid:5c56c793-69f3-4fbf-87e6-c4bf54c28c26",
    "00000000-0000-0000-0000-000000000000",
    "000000000000000000000000",
    "ffffffffffffffffffffffff",
    "1", "01", "-1", "18446744073709551615", "18446744073709551616", "1e3", "1.0", "0", " 1", "1 ",
    "\xf0\x9f\x8d\x90", "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x94\xac", "caf\xc3\xa9", "cafe\xcc\x81",
    " ", "a b", "a/b", "a\\\\b", "%2F", "a\\tb\\n", "..", "null", "true", "{}", "[]", "__id",
};
#define IDS (sizeof ids / sizeof ids[0])

/* All of them, and one of 255 bytes, as members of an array of JSON. */
static const char *ids_text(void)
{
    static char text[8192];

    if (!*text) {
        for (size_t i = 0; i < IDS; i++)
            sprintf(text + strlen(text), "'%s', ", ids[i]);
        strcat(text, "'");
        for (int i = 0; i < 51; i++)
            strcat(text, "l\xc3\xb6ng"); /* 5 bytes */
        strcat(text, "'");
    }
    return text;
}

static void mapped_ids(void)
{
    live_made made = live_create("'dimension': 2, 'metric': 'euclidean'");
    char vectors[2048] = "";
    json_t *all;

    for (size_t i = 0; i <= IDS; i++)
        sprintf(vectors + strlen(vectors), "%s[%zu, 0]", i ? ", " : "", i);
    ASK(made.index, "index.add", "{'ids': [%s], 'vectors': [%s]}", ids_text(), vectors);
    CU_ASSERT_EQUAL(live_size(made.index), (int64_t)IDS + 1);
    ASK(made.index, "index.get", "{'ids': [%s]}", ids_text());
    REPLY("missing", "[]");
    all = json_incref(json_object_get(rig_reply, "ids"));
    CU_ASSERT_EQUAL_FATAL(json_array_size(all), IDS + 1);
    for (size_t i = 0; i <= IDS; i++)
        CU_ASSERT_EQUAL(json_number_value(json_array_get(
                            json_array_get(json_object_get(rig_reply, "vectors"), i), 0)),
                        (double)i);
    /* each is the nearest to its own vector, by the name it was given */
    ASK(made.index, "index.search", "{'vectors': [%s], 'k': 1}", vectors);
    CU_ASSERT(json_equal(json_object_get(rig_reply, "ids"), all));
    ASK(made.index, "index.search", "{'ids': [%s], 'k': 1}", ids_text());
    CU_ASSERT(json_equal(json_object_get(rig_reply, "ids"), all));
    /* and the only one that goes under it */
    for (size_t i = 0; i < IDS; i += 3)
        ASK(made.index, "index.remove", "{'ids': ['%s']}", ids[i]);
    CU_ASSERT_EQUAL(live_size(made.index), (int64_t)(IDS + 1 - (IDS + 2) / 3));
    ASK(made.index, "index.get", "{'ids': [%s], 'vectors': false}", ids_text());
    CU_ASSERT_EQUAL(json_array_size(json_object_get(rig_reply, "missing")), (IDS + 2) / 3);
    json_decref(all);
    live_drop(&made);
}

/* FiftyOne's ids are on the server as its own backend writes them. */
static void hex_ids(void)
{
    live_made made = live_create("'dimension': 2");
    char path[160];

    ASK(made.index, "index.add", "{'ids': ['507f1f77bcf86cd799439011'], 'vectors': [[1, 0]]}");
    snprintf(path, sizeof path, "/collections/%s/points/507f1f77-bcf8-6cd7-9943-901100000000",
             made.name);
    MUST(live_request(made.index, "GET", path, "%s", "") == SIMPLUGIN_OK);
    CU_ASSERT_STRING_EQUAL(json_string_value(live_result("id")),
                           "507f1f77-bcf8-6cd7-9943-901100000000");
    live_drop(&made);
}

/* ---- ids of others --------------------------------------------------------------------------------- */

static void foreign_open(live_made *made, const char *name, const char *points)
{
    uint64_t connection = live_connection();
    char path[160];

    snprintf(made->name, sizeof made->name, "live_ids_%s_%d", name, (int)(live_now() % 1000000));
    snprintf(path, sizeof path, "/collections/%s", made->name);
    MUST(live_request(connection, "PUT", path, "%s",
                      "{'vectors': {'size': 2, 'distance': 'Euclid'}}") == SIMPLUGIN_OK);
    strcat(path, "/points?wait=true");
    MUST(live_request(connection, "PUT", path, "{'points': [%s]}", points) == SIMPLUGIN_OK);
    CU_ASSERT_EQUAL(simplugin_close(connection, NULL), SIMPLUGIN_OK);
    ASK(session, "index.open", "{'backend': 'qdrant', 'collection_name': '%s'}", made->name);
    made->index = (uint64_t)reply_int("index");
}

static void integer_ids(void)
{
    live_made made;

    foreign_open(&made, "int",
                 "{'id': 7, 'vector': [1, 0], 'payload': {'page': 1}}, "
                 "{'id': 0, 'vector': [0, 1], 'payload': {'page': 2}}, "
                 "{'id': 9223372036854775807, 'vector': [1, 1], 'payload': {'page': 3}}");
    MUST(live_do(&made, "collection.describe") == SIMPLUGIN_OK);
    REPLY("id_mode", "'native'");
    ASK(made.index, "index.search", "{'vectors': [[0, 0.9]], 'k': 3}");
    REPLY("ids", "['0','9223372036854775807','7']");
    ASK(made.index, "index.get", "{'ids': ['7', 'seven', '007', '9223372036854775807', '-1'], "
        "'fields': ['page']}");
    REPLY("ids", "['7','9223372036854775807']");
    REPLY("missing", "['seven','007','-1']");
    REPLY("fields", "{'page':[1,3]}");
    ASK(made.index, "index.add",
        "{'ids': ['8', '18446744073709551615', '7'], 'vectors': [[2, 0], [3, 0], [4, 0]]}");
    CU_ASSERT_EQUAL(live_size(made.index), 5);
    ASK(made.index, "index.search", "{'vectors': [[4, 0]], 'k': 2}");
    REPLY("ids", "['7','18446744073709551615']");
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "seven",
          ask(made.index, "index.add", "{'ids': ['9', 'seven'], 'vectors': [[1, 0], [1, 0]]}"));
    CU_ASSERT(live_says("unsigned integers"));
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "18446744073709551616",
          ask(made.index, "index.add", "{'ids': ['18446744073709551616'], 'vectors': [[1, 0]]}"));
    CU_ASSERT_EQUAL(live_size(made.index), 5);
    ASK(made.index, "index.remove", "{'ids': ['7', 'seven', '007', '99']}");
    CU_ASSERT_EQUAL(live_size(made.index), 4);
    live_drop(&made);
}

static void uuid_ids(void)
{
    live_made made;

    foreign_open(&made, "uuid",
                 "{'id': '5c56c793-69f3-4fbf-87e6-c4bf54c28c26', 'vector': [1, 0]}, "
                 "{'id': '936da01f-9abd-4d9d-80c7-02af85c822a8', 'vector': [0, 1]}, "
                 "{'id': 12, 'vector': [5, 5]}");
    ASK(made.index, "index.search", "{'vectors': [[0, 0.9]], 'k': 3}");
    REPLY("ids", "['936da01f-9abd-4d9d-80c7-02af85c822a8','5c56c793-69f3-4fbf-87e6-c4bf54c28c26','12']");
    ASK(made.index, "index.get",
        "{'ids': ['5c56c793-69f3-4fbf-87e6-c4bf54c28c26', 'x', '12']}");
    REPLY("ids", "['5c56c793-69f3-4fbf-87e6-c4bf54c28c26','12']");
    REPLY("vectors", "[[1.0,0.0],[5.0,5.0]]");
    ASK(made.index, "index.add",
        "{'ids': ['67e55044-10b1-426f-9247-bb680e5fe0c8'], 'vectors': [[9, 9]]}");
    FAILS(SIMPLUGIN_INVALID_ARGUMENT, "UUIDs",
          ask(made.index, "index.add",
              "{'ids': ['507f1f77bcf86cd799439011'], 'vectors': [[1, 0]]}"));
    CU_ASSERT(live_says("507f1f77bcf86cd799439011"));
    CU_ASSERT_EQUAL(live_size(made.index), 4);
    ASK(made.index, "index.remove",
        "{'ids': ['936da01f-9abd-4d9d-80c7-02af85c822a8', 'x']}");
    CU_ASSERT_EQUAL(live_size(made.index), 3);
    live_drop(&made);
}

/* ---- norms ------------------------------------------------------------------------------------------ */

#define DIMENSION 16
#define ROWS 64

/* Rows with norms from 1e-12 to 1e18, two of zeros, two of norm 1. */
static float *rows_of_norms(void)
{
    float *rows = live_normal(31, ROWS, DIMENSION);

    for (int i = 0; i < ROWS; i++) {
        double sum = 0, norm = i < 2 ? 0 : i < 4 ? 1 : pow(10, -12 + 30.0 * (i - 4) / (ROWS - 5));

        for (int j = 0; j < DIMENSION; j++)
            sum += (double)rows[i * DIMENSION + j] * rows[i * DIMENSION + j];
        for (int j = 0; j < DIMENSION; j++)
            rows[i * DIMENSION + j] = (float)(rows[i * DIMENSION + j] * (norm / sqrt(sum)));
    }
    return rows;
}

/* Whether a vector of the last reply is the row, within that, relative to its norm. */
static int is_row(const json_t *vector, const float *row, double tolerance)
{
    double difference = 0, norm = 0;

    if (json_array_size(vector) != DIMENSION)
        return 0;
    for (size_t j = 0; j < DIMENSION; j++) {
        double d = json_number_value(json_array_get(vector, j)) - (double)row[j];

        difference += d * d;
        norm += (double)row[j] * row[j];
    }
    return sqrt(difference) <= tolerance * sqrt(norm);
}

static void norms_of(const char *metric, double tolerance)
{
    live_made made = live_create("'dimension': %d, 'metric': '%s'", DIMENSION, metric);
    float *rows = rows_of_norms();
    int is_cosine = strcmp(metric, "cosine") == 0;

    MUST(live_add(made.index, rows, 0, ROWS, DIMENSION) == SIMPLUGIN_OK);
    ASK(made.index, "index.get", "{}");
    CU_ASSERT_EQUAL_FATAL(json_array_size(json_object_get(rig_reply, "ids")), ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        uint64_t row = live_row(json_string_value(json_array_get(json_object_get(rig_reply, "ids"), i)));

        CU_ASSERT_FATAL(row < ROWS);
        CU_ASSERT(is_row(json_array_get(json_object_get(rig_reply, "vectors"), i),
                         rows + row * DIMENSION, tolerance));
    }
    /* also as hits; and norms mean nothing to cosine */
    for (uint64_t row = 2; is_cosine && row < ROWS; row++) {
        ASK(made.index, "index.search", "{'ids': ['p%06llu'], 'k': 1, 'with_vectors': true}",
            (unsigned long long)row);
        CU_ASSERT_EQUAL(live_row(json_string_value(json_array_get(json_object_get(rig_reply, "ids"), 0))),
                        row);
        CU_ASSERT(fabs(json_number_value(json_array_get(json_object_get(rig_reply, "distances"), 0))) <
                  1e-6);
        CU_ASSERT(is_row(json_array_get(json_object_get(rig_reply, "vectors"), 0),
                         rows + row * DIMENSION, tolerance));
    }
    /* set_fields leaves them alone */
    ASK(made.index, "index.set_fields", "{'ids': ['p000007'], 'fields': {'page': [1]}}");
    ASK(made.index, "index.get", "{'ids': ['p000007']}");
    CU_ASSERT(is_row(json_array_get(json_object_get(rig_reply, "vectors"), 0), rows + 7 * DIMENSION,
                     tolerance));
    free(rows);
    live_drop(&made);
}

static void norms_cosine(void)
{
    norms_of("cosine", 1e-6);
}

static void norms_others(void)
{
    norms_of("dotproduct", 0);
    norms_of("euclidean", 0);
    norms_of("manhattan", 0);
}

static void zero_vectors(void)
{
    live_made made = live_create("'dimension': 2, 'metric': 'cosine'");

    ASK(made.index, "index.add", "{'ids': ['zero', 'one', 'back'], 'vectors': [[0, 0], [5, 0], [-5, 0]]}");
    ASK(made.index, "index.search", "{'vectors': [[1, 0]], 'k': 3}");
    REPLY("ids", "['one','zero','back']");
    REPLY("distances", "[0.0,1.0,2.0]");
    ASK(made.index, "index.search", "{'vectors': [[0, 0]], 'k': 3}");
    REPLY("distances", "[1.0,1.0,1.0]");
    ASK(made.index, "index.search", "{'ids': ['zero'], 'k': 3}");
    REPLY("distances", "[1.0,1.0,1.0]");
    ASK(made.index, "index.get", "{'ids': ['zero']}");
    REPLY("vectors", "[[0.0,0.0]]");
    live_drop(&made);
}

LIVE_SUITE(live_ids, "ids and vectors",
           UNIT_CASE(mapped_ids, "R258 R263 R280 ids of every kind round trip, and are no others'"),
           UNIT_CASE(hex_ids, "R280 FiftyOne's ids are kept as its own backend does"),
           UNIT_CASE(integer_ids, "R263 R277 a collection with integers as ids"),
           UNIT_CASE(uuid_ids, "R263 R277 a collection with UUIDs as ids"),
           UNIT_CASE(norms_cosine, "R263 vectors of any norm come back from a cosine collection"),
           UNIT_CASE(norms_others, "R263 and bit by bit from those of other metrics"),
           UNIT_CASE(zero_vectors, "R263 R268 a vector of zeros is at distance 1 from everything"));
