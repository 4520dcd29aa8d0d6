/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of what the core makes of an index: calls written as JSON, and the minimal
 * backend linked in, with a hook before and after each of its methods.
 */
#ifndef SP_TESTS_INDEX_RIG_H
#define SP_TESTS_INDEX_RIG_H

#include "ask.h"
#include "conformance/tree.h"
#include "unit.h"

/* What the hooks see of a call of the backend. */
typedef struct rig_call {
    simplugin_instance *instance;
    const simplugin_call_info *info;
    const simplugin_request *request;
    simplugin_reply *reply;
    simplugin_error **error;
} rig_call;

extern const simplugin_host *rig_host;
/* Called before the backend, unless NULL: 1 if *code is the answer and the backend is not asked. */
extern int (*rig_before)(const rig_call *call, int32_t *code);
/* Called with the backend's answer, unless NULL; returns what becomes of its code. */
extern int32_t (*rig_after)(const rig_call *call, int32_t code);
/* What open answers instead of asking the backend, unless NULL. */
extern int32_t (*rig_open)(simplugin_instance **instance, simplugin_error **error);
/* How often open and close of the backend were called. */
extern int rig_opened, rig_closed;
/* Pairs of the describe map that replace the backend's own: how many, and a writer of them. */
extern uint64_t rig_describe_count;
extern void (*rig_describe)(simplugin_writer *writer);

/* Asks the backend from inside a hook, with another body: that of the writer. */
int32_t rig_ask(const rig_call *call, const simplugin_writer *writer);
/* Whether a hook's call is of that method. */
int rig_is(const rig_call *call, const char *method);

/* Registers the backend as "rig" and opens a session with a data directory of its own. */
void rig_start(void);
/* Closes the session, takes all hooks away and removes the directory. */
void rig_stop(void);
extern uint64_t rig_session;

/* A new index of the rig with that metric: its handle. parameters are further pairs, or "". */
uint64_t rig_index(const char *metric, const char *more);

#endif
