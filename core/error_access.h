/* SPDX-License-Identifier: Apache-2.0 */
/* The less common half of writing errors: for host.c, which serves plugins, and masking. */
#ifndef SP_ERROR_ACCESS_H
#define SP_ERROR_ACCESS_H

#include "error.h"
#include "simplugin.h"

int32_t sp_error_set_text(simplugin_error **error, int32_t code, const char *domain,
                          const char *message, size_t size);
void sp_error_set_backend(simplugin_error **error, int64_t code, const char *message, size_t size);
void sp_error_set_retryable(simplugin_error **error, int32_t retryable);
void sp_error_add_detail_text(simplugin_error **error, const char *key, size_t key_size,
                              const char *value, size_t value_size);
/* Replaces the texts wherever they stand in the error by "****" (sp_secrets_hide). */
void sp_error_mask(simplugin_error **error, const char *const *secrets, size_t count);

#endif
