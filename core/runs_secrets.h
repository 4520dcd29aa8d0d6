/* SPDX-License-Identifier: Apache-2.0 */
/* The last guard before a config is stored: nothing in it may hold a credential. */
#ifndef SP_RUNS_SECRETS_H
#define SP_RUNS_SECRETS_H

#include <jansson.h>

#include "error.h"

/*
 * INVALID_ARGUMENT, naming the place and never the value, if config has at any depth a
 * value that is not null under one of the names, or under a name that says password,
 * secret, token, credential or such a key, or a URL with a password in it. The names of
 * columns, which config has under "fields" with their types, are names and no more.
 */
int32_t sp_runs_check_secrets(const json_t *config, const char *const *names, size_t count,
                              simplugin_error **error);

#endif
