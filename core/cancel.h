/* SPDX-License-Identifier: Apache-2.0 */
/* Cancel tokens: fired from any thread, asked between blocks of work, watched by waits. */
#ifndef SP_CANCEL_H
#define SP_CANCEL_H

#include <stdint.h>

/* Whether the token was fired; 0 and freed tokens never were. Takes no lock. */
int32_t sp_cancelled(uint64_t cancel);
int sp_cancel_exists(uint64_t cancel);
int32_t sp_cancel_watch(uint64_t cancel, void (*fn)(void *context), void *context,
                        uint64_t *watch);
void sp_cancel_unwatch(uint64_t watch);

#endif
