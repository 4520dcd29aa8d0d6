/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of kernels.c, one for each kind of CPU; NULL where this build has none. */
#ifndef SP_KERNELS_TABLE_H
#define SP_KERNELS_TABLE_H

#include "kernels.h"

extern const sp_kernels sp_kernels_scalar;
#if defined(__x86_64__)
extern const sp_kernels sp_kernels_avx2;
extern const sp_kernels sp_kernels_avx512;
#endif
#if defined(__aarch64__)
extern const sp_kernels sp_kernels_neon;
#endif

#endif
