/* SPDX-License-Identifier: Apache-2.0 */
/* One sink for messages: the program's hook, or stderr. */
#ifndef SP_LOG_H
#define SP_LOG_H

#include <stddef.h>
#include <stdint.h>

int sp_log_enabled(int32_t level);
void sp_log(int32_t level, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sp_log_text(int32_t level, const char *message, size_t size);

#endif
