/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "filter_set.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

uint64_t sp_set_seed(void)
{
    uint64_t seed = 0;
    struct timespec now;

    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed) {
        /* Early after boot: less random, still nothing to count on from outside. */
        clock_gettime(CLOCK_MONOTONIC, &now);
        seed = (uint64_t)now.tv_nsec << 32 ^ (uint64_t)(uintptr_t)&seed;
    }
    return seed;
}

/* At most half of the slots are taken, and one is always empty. */
static uint32_t slot_count(uint32_t capacity)
{
    uint32_t slots = 4;

    while (slots / 2 < capacity)
        slots *= 2;
    return slots;
}

int sp_number_set_init(sp_number_set *set, uint32_t capacity, uint64_t seed)
{
    uint32_t slots = slot_count(capacity);

    memset(set, 0, sizeof *set);
    set->slots = malloc(slots * sizeof *set->slots);
    if (!set->slots)
        return -1;
    for (uint32_t i = 0; i < slots; i++)
        set->slots[i].index = SP_SET_NONE;
    set->mask = slots - 1;
    set->seed = seed;
    return 0;
}

void sp_number_set_clear(sp_number_set *set)
{
    free(set->slots);
    memset(set, 0, sizeof *set);
}

void sp_number_set_add(sp_number_set *set, uint64_t key)
{
    uint32_t at = (uint32_t)sp_set_mix(key ^ set->seed, UINT64_C(0x9e3779b97f4a7c15)) & set->mask;

    while (set->slots[at].index != SP_SET_NONE && set->slots[at].key != key)
        at = (at + 1) & set->mask;
    if (set->slots[at].index == SP_SET_NONE) {
        set->slots[at].key = key;
        set->slots[at].index = set->count++;
    }
}

static uint64_t load(const char *data, size_t size)
{
    uint64_t word = 0;

    memcpy(&word, data, size);
    return word;
}

static uint64_t hash(sp_text text, uint64_t seed)
{
    const uint64_t k = UINT64_C(0x9e3779b97f4a7c15);
    const char *at = text.data;
    size_t left = text.size;
    uint64_t h = seed ^ text.size * k;

    for (; left > 8; left -= 8, at += 8)
        h = sp_set_mix(h ^ load(at, 8), k);
    if (text.size >= 8)
        h = sp_set_mix(h ^ load(at + left - 8, 8), k);
    else if (left >= 4)
        h = sp_set_mix(h ^ (load(at, 4) << 32 | load(at + left - 4, 4)), k);
    else if (left)
        h = sp_set_mix(h ^ ((uint64_t)(uint8_t)at[0] << 16 | (uint64_t)(uint8_t)at[left / 2] << 8 |
                            (uint8_t)at[left - 1]), k);
    return sp_set_mix(h, k ^ seed);
}

int sp_text_set_init(sp_text_set *set, uint32_t capacity, uint64_t seed)
{
    uint32_t slots = slot_count(capacity);

    memset(set, 0, sizeof *set);
    set->slots = malloc(slots * sizeof *set->slots);
    set->texts = malloc(((size_t)capacity + 1) * sizeof *set->texts);
    if (!set->slots || !set->texts) {
        sp_text_set_clear(set);
        return -1;
    }
    for (uint32_t i = 0; i < slots; i++)
        set->slots[i].index = SP_SET_NONE;
    set->mask = slots - 1;
    set->seed = seed;
    return 0;
}

void sp_text_set_clear(sp_text_set *set)
{
    free(set->slots);
    free(set->texts);
    memset(set, 0, sizeof *set);
}

/* The slot of the text, or the empty one where it would go. */
static uint32_t find_slot(const sp_text_set *set, sp_text text, uint32_t *tag)
{
    uint64_t h = hash(text, set->seed);
    uint32_t at = (uint32_t)h & set->mask;

    *tag = (uint32_t)(h >> 32);
    for (; set->slots[at].index != SP_SET_NONE; at = (at + 1) & set->mask) {
        const sp_text *member = &set->texts[set->slots[at].index];

        if (set->slots[at].tag == *tag && member->size == text.size &&
            (text.size == 0 || memcmp(member->data, text.data, text.size) == 0))
            break;
    }
    return at;
}

void sp_text_set_add(sp_text_set *set, sp_text text)
{
    uint32_t tag;
    uint32_t at = find_slot(set, text, &tag);

    if (set->slots[at].index != SP_SET_NONE)
        return;
    set->slots[at].tag = tag;
    set->slots[at].index = set->count;
    set->texts[set->count++] = text;
    set->sizes |= UINT64_C(1) << (text.size < 63 ? text.size : 63);
}

uint32_t sp_text_set_find(const sp_text_set *set, sp_text text)
{
    uint32_t tag;

    if (!(set->sizes >> (text.size < 63 ? text.size : 63) & 1))
        return SP_SET_NONE;
    return set->slots[find_slot(set, text, &tag)].index;
}
