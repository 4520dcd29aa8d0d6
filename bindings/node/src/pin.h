/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of an ArrayBuffer that a call reads. JavaScript may transfer a buffer at any time: that
 * takes its memory away, and whoever gets it frees it. A pin is a share of the memory itself.
 */
#ifndef PIN_H
#define PIN_H

#define NAPI_VERSION 8
#include <node_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Whether this engine shares what is behind its buffers. */
int pin_is_possible(void);

/* A share of what is behind an ArrayBuffer, until pin_free; NULL without memory for it. */
void *pin_new(napi_value buffer);

/* Of the loop's thread, also when its environment ends; NULL is harmless. */
void pin_free(void *pin);

#ifdef __cplusplus
}
#endif

#endif
