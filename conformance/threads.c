/* SPDX-License-Identifier: Apache-2.0 */
/* Many threads: on one instance where it is CONCURRENT, on one each in any case. plugin.h, Threads.
 */
#include "config.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"

#define THREADS 8
#define ROUNDS 40
#define SECONDS 6
#define DIMENSION 4

typedef struct worker {
    conf_rig *rig;
    simplugin_instance *instance;
    char *name; /* of its own collection */
    size_t number;
    pthread_t thread;
    pthread_barrier_t *together;
    pthread_mutex_t *turn; /* of a SERIAL backend's instance; NULL: all at once */
} worker;

/* Sends on the worker's instance; fails the check, with the thread's number. */
static int ask(worker *w, const char *method, json_t *body, conf_answer *answer)
{
    int32_t code;

    if (w->turn)
        pthread_mutex_lock(w->turn);
    code = conf_send(w->rig, w->instance, method, body, conf_in(30), 0, answer);
    if (w->turn)
        pthread_mutex_unlock(w->turn);
    if (code)
        conf_fail(w->rig->run, "%s answers %s while %d threads call at the same time", method,
                  conf_answer_text(answer), THREADS);
    return !answer->code && answer->body;
}

static json_t *vectors_of(const worker *w, size_t round)
{
    return conf_vectors(w->number * 1000 + round, 3, DIMENSION);
}

static json_t *ids_of(const worker *w, size_t round)
{
    char prefix[40];

    snprintf(prefix, sizeof prefix, "thread%zu-%zu-", w->number, round % 4);
    return conf_ids(prefix, 0, 3);
}

/* Writes three points and reads them again: they are this thread's own, and of this round. */
static int round_of(worker *w, size_t round)
{
    json_t *ids = ids_of(w, round), *vectors = vectors_of(w, round);
    conf_answer answer;
    int ok =
        ask(w, "points.upsert",
            json_pack("{s:s, s:O, s:O}", "collection", w->name, "ids", ids, "vectors", vectors),
            &answer);

    conf_answer_clear(&answer);
    if (ok &&
        ask(w, "points.get", json_pack("{s:s, s:O}", "collection", w->name, "ids", ids), &answer)) {
        for (size_t i = 0; i < 3; i++) {
            const json_t *back = json_array_get(json_object_get(answer.body, "vectors"), i);

            if (!json_equal(json_array_get(json_object_get(answer.body, "ids"), i),
                            json_array_get(ids, i)) ||
                json_array_size(back) != DIMENSION ||
                conf_distance("cosine", json_array_get(vectors, i), back) > 1e-3)
                conf_fail(w->rig->run,
                          "points.get answers with other points than this thread has written, "
                          "while %d threads call at the same time",
                          THREADS);
        }
        conf_answer_clear(&answer);
    }
    ok = ok && ask(w, "search",
                   json_pack("{s:s, s:[O], s:i}", "collection", w->name, "vectors",
                             json_array_get(vectors, 0), "k", 1),
                   &answer);
    if (ok) {
        const char *id = json_string_value(json_array_get(json_object_get(answer.body, "ids"), 0));
        char prefix[40];

        snprintf(prefix, sizeof prefix, "thread%zu-", w->number);
        if (!id || strncmp(id, prefix, strlen(prefix)))
            conf_fail(w->rig->run,
                      "search finds \"%s\" in a collection that thread %zu alone writes to, while "
                      "%d threads call at the same time",
                      id ? id : "nothing", w->number, THREADS);
        conf_answer_clear(&answer);
    }
    json_decref(ids);
    json_decref(vectors);
    return ok && !conf_failed(w->rig->run);
}

static void *work(void *context)
{
    worker *w = context;
    int64_t until;

    pthread_barrier_wait(w->together);
    until = conf_in(SECONDS);
    for (size_t round = 0; round < ROUNDS && conf_clock() < until && round_of(w, round); round++)
        ;
    return NULL;
}

/* With shared != 0 all of them on the rig's instance. */
static void run_threads(conf_rig *rig, int shared)
{
    pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
    pthread_barrier_t together;
    worker workers[THREADS];
    size_t ready = 0;

    memset(workers, 0, sizeof workers);
    pthread_barrier_init(&together, NULL, THREADS);
    for (; ready < THREADS; ready++) {
        worker *w = &workers[ready];

        w->rig = rig;
        w->number = ready;
        w->together = &together;
        if (shared && rig->table->threads == SIMPLUGIN_THREADS_SERIAL)
            w->turn = &turn;
        w->instance = shared ? rig->instance : conf_instance(rig);
        w->name = w->instance ? conf_create(rig, NULL, DIMENSION, NULL) : NULL;
        if (!w->name)
            break;
    }
    /* what is asked by many at once cannot be told in an order */
    rig->quiet = 1;
    for (size_t i = 0; ready == THREADS && i < THREADS; i++)
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
            abort();
    for (size_t i = 0; i < THREADS; i++) {
        if (ready == THREADS)
            pthread_join(workers[i].thread, NULL);
        if (!shared && workers[i].instance)
            rig->table->close(workers[i].instance);
        free(workers[i].name);
    }
    pthread_barrier_destroy(&together);
}

static void one_instance(conf_run *run)
{
    conf_rig rig;

    if (conf_rig_open(&rig, run))
        run_threads(&rig, 1);
    conf_rig_close(&rig);
}

static void instances(conf_run *run)
{
    conf_rig rig;

    if (conf_rig_open(&rig, run))
        run_threads(&rig, 0);
    conf_rig_close(&rig);
}

typedef struct describing {
    conf_rig *rig;
    pthread_t thread;
    pthread_barrier_t *together;
} describing;

static void *describe_again(void *context)
{
    describing *d = context;

    pthread_barrier_wait(d->together);
    for (int i = 0; i < 50; i++) {
        simplugin_reply reply = conf_reply_new();
        contract_why why = {{0}};
        json_t *said = NULL;
        int32_t code = d->rig->table->describe(&reply, NULL);

        if (!code)
            said = reply_decode(&reply, &why);
        if (!said || !json_equal(said, d->rig->describe))
            conf_fail(d->rig->run,
                      "describe answers %s, with something else than before, while %d threads call "
                      "it at the same time: it may be called from any thread at any time",
                      simplugin_code_name(code), THREADS);
        json_decref(said);
        conf_reply_clear(&reply);
    }
    return NULL;
}

static void describe(conf_run *run)
{
    pthread_barrier_t together;
    describing all[THREADS];
    conf_rig rig;

    if (conf_rig_load(&rig, run)) {
        json_decref(rig.describe);
        rig.describe = conf_rig_describe(&rig);
    }
    if (rig.describe) {
        pthread_barrier_init(&together, NULL, THREADS);
        for (size_t i = 0; i < THREADS; i++) {
            all[i].rig = &rig;
            all[i].together = &together;
            if (pthread_create(&all[i].thread, NULL, describe_again, &all[i]))
                abort();
        }
        for (size_t i = 0; i < THREADS; i++)
            pthread_join(all[i].thread, NULL);
        pthread_barrier_destroy(&together);
    }
    conf_rig_close(&rig);
}

const conf_check conf_threads[] = {
    {"threads/one-instance", "calls of many threads on one instance, at once or, where it is SERIAL, in turn, are all right",
     one_instance, 0, 0, NULL},
    {"threads/instances", "instances are used at the same time, each by its own thread", instances,
     0, 0, NULL},
    {"threads/describe", "describe is called from many threads at once", describe, 0, 0, NULL},
    {NULL, NULL, NULL, 0, 0, NULL},
};
