/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Random bits for load balancing, not for secrets: SplitMix64 (Steele, Lea and Flood, 2014), a counter for each CPU
 * and a finaliser, in line. The kernel's bpf_get_prandom_u32() costs 40 ns a call, a third of the rest of a choice; it
 * only seeds.
 */
#ifndef MARTLET_LIB_RANDOM_H
#define MARTLET_LIB_RANDOM_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

/* Belongs to one loading of the programs: it need not outlive them, so nobody pins it. */
struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u64);
} random_state SEC(".maps");

/* A 64-bit finaliser (the one of MurmurHash3): every input bit reaches the high half. */
static __always_inline __u32 mix(__u64 value)
{
    value ^= value >> 33;
    value *= 0xff51afd7ed558ccdull;
    value ^= value >> 33;
    value *= 0xc4ceb9fe1a85ec53ull;
    value ^= value >> 33;
    return value >> 32;
}

static __always_inline __u32 random_bits(void)
{
    __u32 zero = 0;
    __u64 *state = bpf_map_lookup_elem(&random_state, &zero);

    if (!state)
        return bpf_get_prandom_u32();
    /* CPUs start at places of their own, so that they do not choose alike. */
    if (!*state)
        *state = (__u64)bpf_get_prandom_u32() << 32 | bpf_get_prandom_u32();
    *state += 0x9e3779b97f4a7c15ull;
    return mix(*state);
}

#endif
