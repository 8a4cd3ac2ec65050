/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Translating a usual packet in place, in XDP: what changes is written, and checksums follow by the difference. */
#ifndef MARTLET_LIB_REWRITE_XDP_H
#define MARTLET_LIB_REWRITE_XDP_H

#include "frame_xdp.bpf.h"

#include "checksum.bpf.h"
#include "packet.bpf.h"

/* The first octets of a TTL's word in the IPv4 header, by which it is one less: in network order. */
#define ONE_HOP_BE bpf_htons(0x0100)

static __always_inline int translate_ipv4_header(frame *f, const struct packet *packet, const struct dp_flow_key *to,
                                                 __u32 difference)
{
    struct iphdr *ip = frame_at(f, packet->network, sizeof(*ip));

    if (!ip)
        return 0;
    ip->saddr = to->source.words_be[3];
    ip->daddr = to->destination.words_be[3];
    ip->ttl -= 1;
    ip->check = checksum_after(ip->check, sum_fold32((__u64)difference + (__u16)~ONE_HOP_BE));
    return 1;
}

static __always_inline int translate_ipv6_header(frame *f, const struct packet *packet, const struct dp_flow_key *to)
{
    struct ipv6hdr *ip = frame_at(f, packet->network, sizeof(*ip));

    if (!ip)
        return 0;
    __builtin_memcpy(&ip->saddr, &to->source, sizeof(ip->saddr));
    __builtin_memcpy(&ip->daddr, &to->destination, sizeof(ip->daddr));
    ip->hop_limit -= 1;
    return 1;
}

/* UDP may go without a checksum, and then has none to correct; a sum that comes to nothing is written as ones. */
static __always_inline void translate_checksum(__be16 *checksum, __u8 protocol, __u32 difference)
{
    if (protocol == IPPROTO_UDP && !*checksum)
        return;
    *checksum = checksum_after(*checksum, difference);
    if (protocol == IPPROTO_UDP && !*checksum)
        *checksum = 0xffff;
}

static __always_inline int translate_transport(frame *f, const struct packet *packet, const struct dp_flow_key *to,
                                               __u32 difference)
{
    __be16 *ports;

    if (packet->tuple.protocol == IPPROTO_TCP) {
        struct tcphdr *tcp = frame_at(f, packet->transport, sizeof(*tcp));

        if (!tcp)
            return 0;
        translate_checksum(&tcp->check, IPPROTO_TCP, difference);
        ports = (__be16 *)tcp;
    } else {
        struct udphdr *udp = frame_at(f, packet->transport, sizeof(*udp));

        if (!udp)
            return 0;
        translate_checksum(&udp->check, IPPROTO_UDP, difference);
        ports = (__be16 *)udp;
    }
    ports[0] = to->source_port_be;
    ports[1] = to->destination_port_be;
    return 1;
}

/*
 * Gives a PACKET_FLOW another tuple, and takes a hop off. Zero: the frame is too short after all; nothing is written.
 */
static __always_inline int translate(frame *f, const struct packet *packet, const struct dp_flow_key *to)
{
    __u32 addresses = address_difference(&packet->tuple, to);

    if (!translate_transport(f, packet, to,
                             sum_fold32((__u64)addresses + port_difference(&packet->tuple, to))))
        return 0;
    if (packet->is_ipv4)
        return translate_ipv4_header(f, packet, to, addresses);
    return translate_ipv6_header(f, packet, to);
}

#endif
