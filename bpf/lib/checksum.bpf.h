/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The Internet checksum by differences (RFC 1624): what a change of words does to a sum is a 32-bit ones' complement
 * number, which is added to as many checksums as cover the words. IPv4-mapped addresses differ in their last word only,
 * so the same sums serve both families.
 */
#ifndef MARTLET_LIB_CHECKSUM_H
#define MARTLET_LIB_CHECKSUM_H

#include "../abi/packets.h"

static __always_inline __u32 sum_fold32(__u64 sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffffffff) + (sum >> 32);
    return sum;
}

static __always_inline __u16 sum_fold16(__u64 sum)
{
    __u32 half = sum_fold32(sum);

    half = (half & 0xffff) + (half >> 16);
    half = (half & 0xffff) + (half >> 16);
    return half;
}

static __always_inline __u64 sum_address(const struct dp_address *address)
{
    return (__u64)address->words_be[0] + address->words_be[1] + address->words_be[2] + address->words_be[3];
}

static __always_inline __u64 sum_address_inverse(const struct dp_address *address)
{
    return (__u64)(__u32)~address->words_be[0] + (__u32)~address->words_be[1] + (__u32)~address->words_be[2] +
           (__u32)~address->words_be[3];
}

/* What changing the addresses of a tuple adds to a sum over them. */
static __always_inline __u32 address_difference(const struct dp_flow_key *from, const struct dp_flow_key *to)
{
    return sum_fold32(sum_address_inverse(&from->source) + sum_address_inverse(&from->destination) +
                      sum_address(&to->source) + sum_address(&to->destination));
}

/* The same for the ports. */
static __always_inline __u32 port_difference(const struct dp_flow_key *from, const struct dp_flow_key *to)
{
    return (__u32)(__u16)~from->source_port_be + (__u16)~from->destination_port_be + to->source_port_be +
           to->destination_port_be;
}

/* A checksum after words that it covers have changed by `difference`. */
static __always_inline __u16 checksum_after(__u16 checksum, __u32 difference)
{
    return ~sum_fold16((__u64)(__u16)~checksum + difference);
}

#endif
