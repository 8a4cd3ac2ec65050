/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Addresses in their one 16-byte form: building, comparing, ordering. */
#ifndef MARTLET_LIB_ADDRESS_H
#define MARTLET_LIB_ADDRESS_H

#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "../abi/types.h"

/*
 * In two halves, as copies read it: a load that is wider than the store before it waits until that has reached the
 * cache (10 ns).
 */
static __always_inline struct dp_address address_from_ipv4(__u32 ipv4_be)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    const __u64 halves[2] = {0, (__u64)ipv4_be << 32 | bpf_htonl(0xffff)};
#else
    const __u64 halves[2] = {0, (__u64)bpf_htonl(0xffff) << 32 | ipv4_be};
#endif
    struct dp_address address;

    __builtin_memcpy(&address, halves, sizeof(address));
    return address;
}

static __always_inline int address_is_ipv4(const struct dp_address *address)
{
    return (address->words_be[0] | address->words_be[1]) == 0 && address->words_be[2] == bpf_htonl(0xffff);
}

/* 0.0.0.0 (as IPv4-mapped) or ::. */
static __always_inline int address_is_unspecified(const struct dp_address *address)
{
    if (address->words_be[0] | address->words_be[1] | address->words_be[3])
        return 0;
    return address->words_be[2] == 0 || address->words_be[2] == bpf_htonl(0xffff);
}

static __always_inline int address_equals(const struct dp_address *left, const struct dp_address *right)
{
    return left->words_be[0] == right->words_be[0] && left->words_be[1] == right->words_be[1] &&
           left->words_be[2] == right->words_be[2] && left->words_be[3] == right->words_be[3];
}

/* Numeric order of (address, port), the order of a backend set: negative, zero or positive. */
static __always_inline int endpoint_compare(const struct dp_address *left, __u16 left_port_be,
                                            const struct dp_address *right, __u16 right_port_be)
{
    for (int word = 0; word < 4; word++) {
        __u32 a = bpf_ntohl(left->words_be[word]), b = bpf_ntohl(right->words_be[word]);

        if (a != b)
            return a < b ? -1 : 1;
    }
    return (int)bpf_ntohs(left_port_be) - (int)bpf_ntohs(right_port_be);
}

#endif
