/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration: what the environment, the brain configuration file and the call say about
 * backends, and where each value came from.
 *
 * The rules are FiftyOne's: the file at FIFTYONE_BRAIN_CONFIG_PATH or
 * ~/.fiftyone/brain_config.json, then FIFTYONE_BRAIN_DEFAULT_SIMILARITY_BACKEND,
 * FIFTYONE_BRAIN_SIMILARITY_BACKENDS and FIFTYONE_BRAIN_SIMILARITY_<BACKEND>_<PARAMETER> on
 * top of it, then the call's arguments. Other than there, text that is declared as text
 * stays text, an unknown default backend is an error, sklearn and sklearn_flat are one
 * backend, and what strict JSON cannot write (NaN, infinities, integers of more than 64
 * bits) is refused, also from a variable. tests/differential/config.py compares the two.
 * Environment and file are read anew by every function below, so that a change counts
 * from the next call on. In set-user-ID programs the environment is taken as empty.
 *
 * An sp_config never changes once made, but for which deprecations it has told of: any
 * number of threads may use one.
 *
 * Errors of all functions: CONFIG for a file that cannot be read or a value that cannot be
 * used, with the file, line and column or the variable's name; OUT_OF_MEMORY. No message
 * ever holds a value.
 */
#ifndef SP_CONFIG_RESOLVE_H
#define SP_CONFIG_RESOLVE_H

#include <jansson.h>

#include "error.h"

typedef struct sp_config sp_config;

/* What a program sets instead of the process's surroundings. Copied; zero for none. */
typedef struct sp_config_options {
    const json_t *environment; /* object of text, read instead of the process's environment */
    const char *config_path;   /* instead of FIFTYONE_BRAIN_CONFIG_PATH and the default */
    const json_t *plugin_path; /* array of text: directories searched before any other */
    const char *data_dir;      /* instead of SIMPLUGIN_DATA and the default */
    /* Whether there is a backend of that name; may be NULL. */
    int (*is_backend)(void *context, const char *name);
    /* Gets one line about a deprecated name, once for each; may be NULL. */
    void (*warn)(void *context, const char *message);
    void *context;
} sp_config_options;

/* options may be NULL. CONFIG or PLUGIN_PATH if one of them has the wrong form. */
int32_t sp_config_new(const sp_config_options *options, sp_config **config,
                      simplugin_error **error);
void sp_config_free(sp_config *config);

/* ---- which backend ------------------------------------------------------------------ */

/*
 * The configured default backend, to be freed, and where it is from:
 * {"source": "environment" | "file" | "default", "where": ...}; provenance may be NULL.
 * BACKEND_NAME, BACKEND_UNKNOWN as sp_config_check_backend: never another one instead.
 * Whether there is a plugin of the name is for the loader to say.
 */
int32_t sp_config_default_backend(const sp_config *config, char **name, json_t **provenance,
                                  simplugin_error **error);

/*
 * BACKEND_NAME if name is not [a-z0-9_]+; BACKEND_UNKNOWN, with the nearest, if
 * FIFTYONE_BRAIN_SIMILARITY_BACKENDS leaves it out.
 */
int32_t sp_config_check_backend(const sp_config *config, const char *name,
                                simplugin_error **error);

/*
 * The names that FIFTYONE_BRAIN_SIMILARITY_BACKENDS or, without it, the file gives, as an
 * array of text; *only is 1 if no other backend may be used.
 */
int32_t sp_config_backends(const sp_config *config, json_t **names, int *only,
                           simplugin_error **error);

int sp_config_is_backend_name(const char *name);

/* ---- parameters --------------------------------------------------------------------- */

#define SP_PARAMETER_ANY 0
#define SP_PARAMETER_TEXT 1
#define SP_PARAMETER_INT 2
#define SP_PARAMETER_FLOAT 3
#define SP_PARAMETER_BOOL 4
#define SP_PARAMETER_MAP 5
#define SP_PARAMETER_LIST 6

/* A parameter as a backend declares it. All are borrowed. */
typedef struct sp_parameter {
    const char *name;
    int type;              /* SP_PARAMETER_... */
    int secret;
    int connection;        /* belongs to open */
    const json_t *aliases; /* array of text, deprecated names; or NULL */
    const json_t *excludes; /* array of text, parameters not given beside it; or NULL */
    json_t *fallback;      /* the default; NULL: none */
} sp_parameter;

typedef struct sp_parameters {
    json_t *owner; /* holds what the items point to */
    sp_parameter *items;
    size_t count;
} sp_parameters;

/*
 * Reads the array that describe gives under "parameters" or "search_parameters". PROTOCOL,
 * naming backend and entry, if it does not keep to docs/protocol.md. Cleared by
 * sp_parameters_clear, on failure already.
 */
int32_t sp_parameters_init(sp_parameters *parameters, const char *backend, json_t *declared,
                           simplugin_error **error);
void sp_parameters_clear(sp_parameters *parameters);
const char *sp_parameter_type_name(int type);

/*
 * The effective parameters of a backend. *values: an object, parameter to value, of all
 * that are set or have a default; null where something says null and there is no default.
 * *provenance, unless NULL: an array of {"name", "source": "argument" | "environment" |
 * "file" | "default", "where", "secret"}, in the order of the declaration. where is the
 * variable, "path:line:column" or the argument's name; for a null that stands for the
 * default, "null in" and that. Values may share memory with arguments (an object or NULL).
 *
 * Of parameters that exclude each other the ones with the stronger source count: a host in
 * the arguments displaces a url in the environment, as if that were not there. What one
 * source says of both is given as it is, for the backend to refuse.
 *
 * declared NULL: what the backend takes is not known; every parameter that is set is
 * given as FiftyOne would read it, and its name alone says whether it is secret.
 *
 * UNKNOWN_PARAMETER with the nearest; INVALID_ARGUMENT for an argument and CONFIG for
 * another value of the wrong type; BACKEND_NAME, BACKEND_UNKNOWN.
 */
int32_t sp_config_resolve(sp_config *config, const char *backend, const sp_parameters *declared,
                          const json_t *arguments, json_t **values, json_t **provenance,
                          simplugin_error **error);

/* ---- paths -------------------------------------------------------------------------- */

/* The configuration file's path, to be freed, and whether there is one (a regular file). */
int32_t sp_config_file_path(const sp_config *config, char **path, int *exists,
                            simplugin_error **error);

/*
 * Where plugins are searched, in order: an array of {"path", "origin": "plugin_path" |
 * "environment" | "installed"} from the options, SIMPLUGIN_PATH (colons between), the
 * file's "plugin_path", the directory "simplugin" beside the library's own file, and the one it
 * was built for. PLUGIN_PATH if one is
 * not absolute.
 */
int32_t sp_config_plugin_dirs(const sp_config *config, json_t **dirs, simplugin_error **error);

/*
 * Where local stores live, to be freed: the option, $SIMPLUGIN_DATA,
 * $XDG_DATA_HOME/simplugin or ~/.local/share/simplugin. CONFIG if it is not absolute or
 * there is no home directory.
 */
int32_t sp_config_data_dir(const sp_config *config, char **path, simplugin_error **error);

/* ---- secrets ------------------------------------------------------------------------ */

/*
 * Whether a name says by itself that its value is secret: one of its parts begins or ends
 * with password, token, key, secret and the like (api_key, accessToken, tls_key_file).
 */
int sp_config_is_secret_name(const char *name);

/*
 * A copy of an object of parameters for people to see: "****" for what is secret by
 * declaration (may be NULL) or by name, at any depth, and for passwords in URLs. NULL if
 * memory runs out.
 */
json_t *sp_config_masked(const json_t *values, const sp_parameters *declared);

/*
 * The secret texts in an object of parameters, as an array: what sp_config_masked hides,
 * for removing them from messages of backends. NULL if memory runs out.
 */
json_t *sp_config_secrets(const json_t *values, const sp_parameters *declared);

/* text with the passwords of URLs in it as "****"; to be freed; NULL if memory runs out. */
char *sp_config_mask_text(const char *text);

#endif
