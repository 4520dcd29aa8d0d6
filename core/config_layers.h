/* SPDX-License-Identifier: Apache-2.0 */
/* All that is said about one backend, before it is known what that means. */
#ifndef SP_CONFIG_LAYERS_H
#define SP_CONFIG_LAYERS_H

#include "config_internal.h"

/* The sources of values, the strongest first. */
enum { SP_FROM_ARGUMENTS, SP_FROM_ENVIRONMENT, SP_FROM_FILE, SP_SOURCES };

typedef struct sp_layers {
    const char *backend;
    const char *names[2];    /* the backend's, and its twin's or NULL */
    sp_config_file file;
    const json_t *arguments; /* object or NULL */
    json_t *variables;       /* parameter -> {"variable", "text", "rank"} */
} sp_layers;

/* One thing said about one parameter. */
typedef struct sp_setting {
    int source;
    const char *name;    /* the parameter's or an alias */
    const json_t *value; /* of an argument or in the file */
    const char *text;    /* of a variable */
    char *where;
} sp_setting;

/* Borrows arguments and backend. To be cleared by sp_layers_clear, on failure too. */
int32_t sp_layers_init(sp_layers *from, const sp_config *config, const char *backend,
                       const json_t *arguments, simplugin_error **error);
void sp_layers_clear(sp_layers *from);

/* The file's section under name i of the backend; NULL if there is none. */
const json_t *sp_layers_section(const sp_layers *from, int i);
/* Whether a name the source gives is the parameter's: those of variables are in lower case. */
int sp_layers_names(int source, const char *said, const char *name);
/* Whether the source says anything about the name; fills *found, all but where. */
int sp_layers_find(const sp_layers *from, int source, const char *name, sp_setting *found);
/* Its argument, its variable, or path:line:column; to be freed, NULL if memory runs out. */
char *sp_layers_place(const sp_layers *from, int source, const char *name);

#endif
