/* SPDX-License-Identifier: Apache-2.0 */
/* Which kernels this CPU gets. */
#include "config.h"

#include <stdatomic.h>
#include <string.h>

#include "kernels_table.h"

#if defined(__x86_64__)
#include <cpuid.h>

/* No compiler of ours names this one in __builtin_cpu_supports yet. */
static int has_f16c(void)
{
    unsigned a, b, c, d;

    return __get_cpuid(1, &a, &b, &c, &d) && (c >> 29 & 1);
}

static int has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
}

static int has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vnni");
}
#endif

static int always(void)
{
    return 1;
}

/* The best first. */
static const struct {
    const sp_kernels *kernels;
    int (*usable)(void);
} tables[] = {
#if defined(__x86_64__)
    {&sp_kernels_avx512, has_avx512},
    {&sp_kernels_avx2, has_avx2},
#endif
#if defined(__aarch64__)
    {&sp_kernels_neon, always},
#endif
    {&sp_kernels_scalar, always},
};

static _Atomic(const sp_kernels *) chosen;

const sp_kernels *sp_kernels_named(const char *name)
{
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        if (tables[i].usable() && (!name || strcmp(tables[i].kernels->name, name) == 0))
            return tables[i].kernels;
    return NULL;
}

const sp_kernels *sp_kernels_get(void)
{
    const sp_kernels *kernels = atomic_load_explicit(&chosen, memory_order_relaxed);

    if (!kernels) {
        kernels = sp_kernels_named(NULL);
        atomic_store_explicit(&chosen, kernels, memory_order_relaxed);
    }
    return kernels;
}

void sp_kernels_force(const sp_kernels *kernels)
{
    atomic_store_explicit(&chosen, kernels, memory_order_relaxed);
}
