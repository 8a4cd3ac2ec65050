/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Choosing a position of a backend set: at random, or through its Maglev table; and finding a known backend in a set
 * again. Sets and tables are read from the `slots` arena, layout in bpf/abi/frontends.h.
 */
#ifndef MARTLET_LIB_CHOOSE_H
#define MARTLET_LIB_CHOOSE_H

#include "address.bpf.h"
#include "maps.bpf.h"
#include "random.bpf.h"

/* Steps of a binary search through the largest set: 2^21 exceeds any `backends` map. */
#define SET_SEARCH_STEPS 21

#define NO_POSITION 0xffffffffu

/* Id of the backend at `position`; zero when the record points outside of the arena. */
static __always_inline __u32 set_member(const struct dp_choice *choice, __u32 position)
{
    __u32 word = choice->set_word + (position >> 1);
    __u64 *pair = bpf_map_lookup_elem(&slots, &word);

    if (!pair)
        return 0;
    return position & 1 ? *pair >> 32 : (__u32)*pair;
}

/* Position held by slot `slot` of the table; NO_POSITION when the record points outside of the arena. */
static __always_inline __u32 table_entry(const struct dp_choice *choice, __u32 slot)
{
    __u32 width = choice->table_width;
    __u64 byte = (__u64)slot * width;
    __u32 word = choice->table_word + (__u32)(byte >> 3);
    __u64 *packed = bpf_map_lookup_elem(&slots, &word);

    if (!packed)
        return NO_POSITION;
    return (*packed >> ((byte & 7) * 8)) & (0xffffffffu >> (32 - 8 * (width & 7)));
}

/* Maps 32 uniform bits to 0 … count-1 without a division (Lemire, 2019); the bias is below 2^-32 * count. */
static __always_inline __u32 scale(__u32 bits, __u32 count)
{
    return ((__u64)bits * count) >> 32;
}

/* Draws a position for a new connection; `hash_input` is only read for Maglev frontends. */
static __always_inline __u32 draw_position(const struct dp_frontend *frontend, const struct dp_choice *choice,
                                           __u64 hash_input)
{
    __u32 bits = frontend->flags & DP_FRONTEND_MAGLEV ? mix(hash_input) : random_bits();

    if (choice->table_slots)
        return table_entry(choice, scale(bits, choice->table_slots));
    return scale(bits, choice->set_count);
}

/* Finds an endpoint in a set by binary search over (address, port): sets are ordered so. NO_POSITION: not in it. */
static __always_inline __u32 find_endpoint(const struct dp_choice *choice, const struct dp_address *address,
                                           __u16 port_be)
{
    __u32 low = 0, high = choice->set_count;

    for (int step = 0; step < SET_SEARCH_STEPS && low < high; step++) {
        __u32 middle = low + ((high - low) >> 1);
        __u32 id = set_member(choice, middle);
        struct dp_backend *here = bpf_map_lookup_elem(&backends, &id);
        int order;

        if (!here)
            return NO_POSITION;
        order = endpoint_compare(&here->address, here->port_be, address, port_be);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NO_POSITION;
}

/* Finds a backend in a set. NO_POSITION: not a member. */
__noinline __u32 find_member(const struct dp_choice *choice, __u32 backend_id)
{
    struct dp_backend *wanted = bpf_map_lookup_elem(&backends, &backend_id);
    __u32 position;

    if (!choice || !wanted || !wanted->port_be)
        return NO_POSITION;
    position = find_endpoint(choice, &wanted->address, wanted->port_be);
    return position != NO_POSITION && set_member(choice, position) == backend_id ? position : NO_POSITION;
}

#endif
