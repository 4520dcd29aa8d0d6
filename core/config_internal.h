/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the configuration share: environment, file, and FiftyOne's values. */
#ifndef SP_CONFIG_INTERNAL_H
#define SP_CONFIG_INTERNAL_H

#include <pthread.h>

#include "config_resolve.h"

#define SP_CONFIG_DOMAIN "config"
#define SP_CONFIG_MAX_FILE ((size_t)1 << 20)  /* bytes of a configuration file */
#define SP_CONFIG_MAX_VALUE ((size_t)1 << 20) /* bytes of a variable's value */
#define SP_CONFIG_MAX_DEPTH 64

#define SP_ENV_FILE "FIFTYONE_BRAIN_CONFIG_PATH"
#define SP_ENV_DEFAULT "FIFTYONE_BRAIN_DEFAULT_SIMILARITY_BACKEND"
#define SP_ENV_BACKENDS "FIFTYONE_BRAIN_SIMILARITY_BACKENDS"
#define SP_ENV_PREFIX "FIFTYONE_BRAIN_SIMILARITY_"
#define SP_ENV_PLUGINS "SIMPLUGIN_PATH"
#define SP_ENV_DATA "SIMPLUGIN_DATA"

#define SP_KEY_DEFAULT "default_similarity_backend"
#define SP_KEY_BACKENDS "similarity_backends"
#define SP_KEY_PLUGINS "plugin_path"

struct sp_config {
    json_t *environment; /* NULL: the process's */
    char *config_path;
    json_t *plugin_path;
    char *data_dir;
    int (*is_backend)(void *context, const char *name);
    void (*warn)(void *context, const char *message);
    void *context;
    pthread_mutex_t lock; /* guards told */
    json_t *told;         /* object: deprecated names already told of */
};

/* ---- names --------------------------------------------------------------------------- */

/* The other name of the backend's plugin: sklearn and sklearn_flat are one; else NULL. */
const char *sp_config_twin(const char *backend);

/* ---- environment -------------------------------------------------------------------- */

/* The variable's value, NULL if it is not set; borrowed from the environment. */
const char *sp_env_get(const sp_config *config, const char *name);
/* Calls each for every SP_ENV_PREFIX... (at least) until it returns other than 0, and returns that. */
int32_t sp_env_each(const sp_config *config,
                    int32_t (*each)(void *context, const char *name, const char *value),
                    void *context);

/* ---- values ------------------------------------------------------------------------- */

#define SP_VALUE_OK 0
#define SP_VALUE_NO_MEMORY 1
#define SP_VALUE_NOT_UTF8 2
#define SP_VALUE_TOO_LONG 3
#define SP_VALUE_TOO_LARGE 4  /* an integer of more than 64 bits */
#define SP_VALUE_NOT_FINITE 5 /* NaN or an infinity, or too large to be anything else */
#define SP_VALUE_NOT_JSON 6   /* begins like a map or a list and is none */

/* Why a value cannot be used, to follow the name of its source. */
const char *sp_value_problem(int problem);
/* A variable's value as text, as it is. *problem is SP_VALUE_OK or why NULL is returned. */
json_t *sp_value_text(const char *text, int *problem);
/*
 * A variable's value as FiftyOne reads it: an integer, else a float, else True, true,
 * False, false, else None or nothing for null, else a list between commas, else text.
 */
json_t *sp_value_parse(const char *text, int *problem);
/*
 * The number that Python's int() or float() makes of the size bytes of UTF-8; NULL with
 * *problem SP_VALUE_OK if they refuse it.
 */
json_t *sp_value_number(const char *text, size_t size, int *problem);

/* The next code point of UTF-8, 0 < *step <= size; -1 if it is none. */
int32_t sp_utf8_next(const char *text, size_t size, size_t *step);

/* ---- file --------------------------------------------------------------------------- */

typedef struct sp_config_file {
    char *path;
    char *text; /* NULL: there is no file */
    size_t size;
    json_t *root; /* an object, checked as far as SP_KEY_BACKENDS, or null; NULL: there is no file */
} sp_config_file;

/* Reads the file config names, if there is one. Cleared by sp_config_file_clear in any case. */
int32_t sp_config_file_read(const sp_config *config, sp_config_file *file,
                            simplugin_error **error);
/* Takes text (malloc'd) as the content of path, which is copied. */
int32_t sp_config_file_take(sp_config_file *file, const char *path, char *text, size_t size,
                            simplugin_error **error);
void sp_config_file_clear(sp_config_file *file);
/*
 * "path:line:column" of the value under the keys, one below the other, in file; the
 * deepest that is there. To be freed; NULL if memory runs out.
 */
char *sp_config_file_place(const sp_config_file *file, const char *const *keys, size_t count);

/* ---- paths -------------------------------------------------------------------------- */

/* The user's home directory as Python's expanduser finds it; NULL if there is none. */
char *sp_config_home(const sp_config *config);
/* Appends an array of absolute directories to dirs as sp_config_plugin_dirs gives them. */
int32_t sp_config_append_dirs(json_t *dirs, const json_t *paths, const char *where,
                              simplugin_error **error);
/*
 * The directory "simplugin" beside the library's own file, to be freed, so that an
 * installation may be moved or packed into another. NULL where there is none, and where it is
 * built_for, the one the library was built for.
 */
int32_t sp_config_beside_library(const char *built_for, char **path, simplugin_error **error);

#endif
