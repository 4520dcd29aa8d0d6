/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters as a plugin declares them, in a table that describe and open both go by. */
#ifndef PLUG_PARAMETER_H
#define PLUG_PARAMETER_H

#include "plug_call.h"

#define PLUG_EXCLUDES_MAX 4

typedef struct plug_parameter {
    const char *name;
    const char *type;
    const char *standard; /* as text; NULL: none */
    int secret;
    const char *excludes[PLUG_EXCLUDES_MAX]; /* what is not given beside it */
    const char *alias;    /* another name of it; NULL: none */
    const char *doc;
} plug_parameter;

/* Their maps for describe; is_connection: they belong to open. */
void plug_parameters_write(simplugin_writer *out, const plug_parameter *list, size_t count,
                           int is_connection);
/* Their names with blanks between, as plug_args_check takes them; NULL: no memory. */
const char *plug_parameter_names(plug_call *call, const plug_parameter *list, size_t count);

#endif
