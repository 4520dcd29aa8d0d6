/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of numbers and of texts for "in" and its relatives: filled once, then only asked.
 * Members are numbered in the order they came, each once.
 */
#ifndef SP_FILTER_SET_H
#define SP_FILTER_SET_H

#include "column.h"

#define SP_SET_NONE UINT32_MAX

typedef struct sp_number_slot {
    uint64_t key;
    uint32_t index; /* SP_SET_NONE: an empty slot */
} sp_number_slot;

typedef struct sp_number_set {
    sp_number_slot *slots;
    uint32_t mask; /* slots - 1 */
    uint32_t count;
    uint64_t seed;
} sp_number_set;

typedef struct sp_text_slot {
    uint32_t tag;   /* part of the hash */
    uint32_t index;
} sp_text_slot;

typedef struct sp_text_set {
    sp_text_slot *slots;
    sp_text *texts; /* borrowed bytes */
    uint32_t mask;
    uint32_t count;
    uint64_t seed;
    uint64_t sizes; /* bit min(size, 63) of every member's size */
} sp_text_set;

/* A value that nobody outside can guess, so that nobody can choose colliding members. */
uint64_t sp_set_seed(void);

/* Room for capacity members. 0 on success, -1 if memory ran out. */
int sp_number_set_init(sp_number_set *set, uint32_t capacity, uint64_t seed);
void sp_number_set_clear(sp_number_set *set);
void sp_number_set_add(sp_number_set *set, uint64_t key);

int sp_text_set_init(sp_text_set *set, uint32_t capacity, uint64_t seed);
void sp_text_set_clear(sp_text_set *set);
void sp_text_set_add(sp_text_set *set, sp_text text);
/* The member's number or SP_SET_NONE. */
uint32_t sp_text_set_find(const sp_text_set *set, sp_text text);

__extension__ typedef unsigned __int128 sp_uint128;

static inline uint64_t sp_set_mix(uint64_t a, uint64_t b)
{
    sp_uint128 product = (sp_uint128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint32_t sp_number_set_find(const sp_number_set *set, uint64_t key)
{
    uint32_t at = (uint32_t)sp_set_mix(key ^ set->seed, UINT64_C(0x9e3779b97f4a7c15)) & set->mask;

    while (set->slots[at].index != SP_SET_NONE && set->slots[at].key != key)
        at = (at + 1) & set->mask;
    return set->slots[at].index;
}

#endif
