/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backend under a check, talked to through its own table: no core in between.
 *
 *   rig      the plugin loaded into this process, with one instance open
 *   answer   what one call came back with
 *
 * Each function that takes a rig tells the run what it asks, and those that say so fail the check
 * where the backend does not do its part; what they return is then 0, NULL or empty.
 */
#ifndef CONFORMANCE_RIG_H
#define CONFORMANCE_RIG_H

#include <semaphore.h>

#include "check.h"
#include "contract.h"
#include "host.h"

typedef struct conf_rig {
    conf_run *run;
    const conf_target *target;
    const simplugin_host *host;
    simplugin_backend_entry_fn entry;
    const simplugin_backend *table;
    json_t *describe;
    simplugin_instance *instance;
    json_t *served;      /* optional methods that were tried: whether they are served */
    json_t *made;        /* names of collections to be dropped at the end */
    unsigned int inputs; /* of which kinds of guard.h requests are made; 0: ordinary memory */
    double timeout;      /* of calls, from when the backend gets them; 0: they have a deadline */
    sem_t *begins;       /* is posted when the backend gets a call; or NULL */
    unsigned int raw;    /* bodies of replies are not read, as they are large */
    unsigned int quiet;  /* requests are not told of, as there are thousands of them */
} conf_rig;

typedef struct conf_answer {
    int32_t code;
    json_t *body;          /* of an OK: the reply as plain JSON */
    char *cursor;          /* of a scan: hexadecimal; NULL: none */
    simplugin_reply reply; /* itself, until conf_answer_clear */
    simplugin_error *error;
    double seconds;
} conf_answer;

/* ---- the plugin --------------------------------------------------------------------------- */

/* Loads the file and finds its entry; fails the check if there is none. */
int conf_rig_entry(conf_rig *rig, conf_run *run);
/* Whether the table that the entry gave can be called; where it cannot the check is skipped. */
int conf_rig_usable(conf_rig *rig);
/* Finds the entry and calls it; where the table cannot be called the check is skipped. */
int conf_rig_load(conf_rig *rig, conf_run *run);
/* The same, and opens an instance. */
int conf_rig_open(conf_rig *rig, conf_run *run);
/* Drops what was made, closes the instance. */
void conf_rig_close(conf_rig *rig);
/* Asks for describe; NULL where it fails, then the check has failed too. The caller's. */
json_t *conf_rig_describe(conf_rig *rig);
/* What the configuration gives open, or with connection 0 collection.create. The caller's. */
json_t *conf_rig_parameters(const conf_rig *rig, int connection);

/* Of an object (may be NULL) what stands under names that collection.create takes. The caller's. */
json_t *conf_rig_declared(const conf_rig *rig, const json_t *object);

/* Whether the list under key of describe has that word. */
int conf_lists(const conf_rig *rig, const char *key, const char *word);
/*
 * Whether describe lists the method, and it is served: one that is listed and is not, which is for
 * methods/declared to say, is as one that is not listed to all others.
 */
int conf_serves(conf_rig *rig, const char *method);
/* The bool, text or int of describe; absent: 0, "", otherwise. */
int conf_says(const conf_rig *rig, const char *key);
const char *conf_says_text(const conf_rig *rig, const char *key);
int64_t conf_says_int(const conf_rig *rig, const char *key, int64_t otherwise);

/* ---- calls -------------------------------------------------------------------------------- */

int64_t conf_clock(void);
/* A deadline so far ahead. */
int64_t conf_in(double seconds);

/* One more instance; with a code and error where it cannot be opened. */
int32_t conf_instance_open(conf_rig *rig, int64_t deadline, uint64_t token,
                           simplugin_instance **instance, simplugin_error **error);
/* The same, and the check fails where it cannot. */
simplugin_instance *conf_instance(conf_rig *rig);

/* body is taken. Fails the check where the reply is no envelope. */
int32_t conf_send(conf_rig *rig, simplugin_instance *instance, const char *method, json_t *body,
                  int64_t deadline, uint64_t token, conf_answer *answer);
/* On the rig's instance, with half a minute. */
int32_t conf_call(conf_rig *rig, const char *method, json_t *body, conf_answer *answer);
/* The same, and fails the check where it is not OK; 1 if it is. */
int conf_ok(conf_rig *rig, const char *method, json_t *body, conf_answer *answer);
/* The same with nothing of the answer kept. */
int conf_do(conf_rig *rig, const char *method, json_t *body);
void conf_answer_clear(conf_answer *answer);
/* "NOT_FOUND (no such collection)", for reasons; lasts as long as the answer. */
const char *conf_answer_text(const conf_answer *answer);

/* ---- collections and points ---------------------------------------------------------------- */

/* A new collection of that metric (NULL: the backend's first); fails the check. fields is taken. */
char *conf_create(conf_rig *rig, const char *metric, int64_t dimension, json_t *fields);
char *conf_create_on(conf_rig *rig, simplugin_instance *instance, const char *metric,
                     int64_t dimension, json_t *fields);
/* A name that no other collection has. The caller's. */
char *conf_name_new(const conf_rig *rig);

/* A path in the check's own directory. The caller's. */
char *conf_path(const conf_rig *rig, const char *name);

/* Array of count ids: prefix and a number from first on. */
json_t *conf_ids(const char *prefix, size_t first, size_t count);
/* Matrix of count random vectors in [-1, 1), by seed. */
json_t *conf_vectors(uint64_t seed, size_t count, size_t dimension);
/* A column that may be empty or hold nothing but nulls. values is taken. */
json_t *conf_column(const char *type, json_t *values);
/* Writes points, in several requests where batch_bytes wants that; ids, vectors and fields are
 * taken. */
int conf_upsert(conf_rig *rig, const char *collection, json_t *ids, json_t *vectors,
                json_t *fields);
/* How many points there are; -1 after failing the check. */
int64_t conf_count(conf_rig *rig, const char *collection);

/* Creates, writes, reads, searches, deletes and drops: a little of everything. Fails the check. */
int conf_use(conf_rig *rig);

/* The most rows of that dimension that one upsert may hold. */
size_t conf_batch_rows(const conf_rig *rig, size_t dimension);
/* k, or max_k where that is less. */
int64_t conf_k(const conf_rig *rig, int64_t k);

#endif
