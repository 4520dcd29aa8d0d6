/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "long.h"

#include <stdlib.h>
#include <string.h>

#define DIMENSION 32
#define POINTS 20000
#define QUERIES 32768
/* How long points are written, and a search has to take so that a longer one can be told from it.
 */
#define SECONDS_TO_FILL 0.15
#define SECONDS_TO_TELL 0.01

static json_t *random_matrix(uint64_t seed, size_t rows)
{
    return json_pack("{s:{s:I, s:I, s:I}}", "$random", "seed", (json_int_t)seed, "rows",
                     (json_int_t)rows, "cols", (json_int_t)DIMENSION);
}

static int fill(conf_long *work, conf_rig *rig)
{
    size_t most = conf_batch_rows(rig, DIMENSION);
    int64_t until = conf_in(SECONDS_TO_FILL);

    most = most < POINTS / 4 ? most : POINTS / 4;
    while (work->points < POINTS && (!work->points || conf_clock() < until)) {
        if (!conf_do(rig, "points.upsert",
                     json_pack("{s:s, s:o, s:o}", "collection", work->name, "ids",
                               conf_ids("long", work->points, most), "vectors",
                               random_matrix(work->points, most))))
            return 0;
        work->points += most;
    }
    return 1;
}

json_t *conf_long_body(const conf_long *work)
{
    return json_pack("{s:s, s:o, s:i}", "collection", work->name, "vectors",
                     random_matrix(99, work->queries), "k", 1);
}

int conf_long_init(conf_long *work, conf_rig *rig, double seconds)
{
    double took = 0;

    memset(work, 0, sizeof *work);
    work->name = conf_create(rig, NULL, DIMENSION, NULL);
    if (!work->name || !fill(work, rig))
        return 0;
    for (work->queries = 4; took < SECONDS_TO_TELL && work->queries < QUERIES;) {
        conf_answer answer;
        int ok;

        work->queries *= 4;
        ok = conf_ok(rig, "search", conf_long_body(work), &answer);
        took = answer.seconds;
        conf_answer_clear(&answer);
        if (!ok)
            return 0;
    }
    if (took * (QUERIES / (double)work->queries) < seconds) {
        took *= QUERIES / (double)work->queries;
        work->queries = QUERIES;
    } else if (took < seconds) {
        work->queries = (size_t)((double)work->queries * seconds / took);
        took = seconds;
    }
    work->seconds = took;
    return 1;
}

void conf_long_clear(conf_long *work)
{
    free(work->name);
    work->name = NULL;
}
