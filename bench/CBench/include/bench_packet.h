/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the packet benchmark's prologue (bench/bpf/packet.bpf.c) is told by `martlet-bench packet`: which packet to make,
 * and in which order flows and destinations come by. Included by both compilers.
 */
#ifndef MARTLET_BENCH_PACKET_H
#define MARTLET_BENCH_PACKET_H

#include <linux/types.h>

/* Ethernet, IPv6 and TCP headers, rounded up to 8-byte words from octet 2 on; every frame is longer. */
#define BENCH_HEADER_BYTES 82

/* A walk through 0 … count-1 that does not go from neighbour to neighbour: `step` shares no factor with `count`. */
struct bench_walk {
    __u32 count;
    __u32 step;
    __u32 place;
};

/* The single element of `script`. */
struct bench_script {
    __u8 header[BENCH_HEADER_BYTES]; /* what every packet begins with; addresses and ports are for flow 0 */
    __u8 unused[6];
    __u32 length;                    /* of the whole frame */
    __u32 is_ipv6;
    /* The source port of a flow is the template's plus its low 15 bits; the rest goes to the source address. */
    struct bench_walk flows;
    /* Added to the destination address. */
    struct bench_walk destinations;
    /* Nonzero: addresses and ports are those of `tuples` at the flow's number instead. */
    __u32 has_tuples;
    __u32 pad;
};

/* Element of `tuples`: for packets whose addresses cannot be reckoned. In network order; IPv4 in the last word. */
struct bench_tuple {
    __u32 source[4];
    __u32 destination[4];
    __u16 source_port;
    __u16 destination_port;
};

#endif
