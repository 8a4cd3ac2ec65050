/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sending translated packets on, in TC. A packet that keeps its source address is left to the kernel, which routes it
 * as any other. One whose source is now an address of this node would be a martian to it, and is sent on from here: by
 * the kernel's routes and neighbours, which it resolves as usual.
 */
#ifndef MARTLET_LIB_FORWARD_TC_H
#define MARTLET_LIB_FORWARD_TC_H

#include "packet_observe.bpf.h"
#include "rewrite_error.bpf.h"
#include "route.bpf.h"

static __always_inline int redirect(frame *f, const struct way *way)
{
    struct bpf_redir_neigh neighbour = {};

    /* The kernel takes a link header off here, whether the packet came with one or not. */
    if (!link_header_bytes && bpf_skb_change_head(f, ETH_HLEN, 0))
        return PACKET_FAILS;
    if (address_is_ipv4(&way->gateway)) {
        neighbour.nh_family = AF_INET;
        neighbour.ipv4_nh = way->gateway.words_be[3];
    } else {
        neighbour.nh_family = AF_INET6;
        __builtin_memcpy(neighbour.ipv6_nh, &way->gateway, sizeof(way->gateway));
    }
    return bpf_redirect_neigh(way->interface, &neighbour, sizeof(neighbour), 0) == TC_ACT_REDIRECT ? PACKET_IS_SENT
                                                                                                   : PACKET_FAILS;
}

/* The longest IP packet that this one will be on the wire: the kernel may have many segments in one. */
static __always_inline __u32 longest_segment(frame *f, const struct packet *packet)
{
    __u32 headers = packet->transport - packet->network;
    __u8 offset;

    if (!f->gso_size)
        return packet->length;
    if (packet->tuple.protocol != IPPROTO_TCP)
        return headers + sizeof(struct udphdr) + f->gso_size;
    if (frame_load(f, packet->transport + TCP_FLAGS_OFFSET - 1, &offset, 1))
        return packet->length;
    return headers + (offset >> 4) * 4 + f->gso_size;
}

static __always_inline int drop_packet(frame *f, struct packet *packet, __u8 outcome)
{
    report_packet(f, packet, 0, packet->onward.service_id, outcome);
    return PACKET_IS_DROPPED;
}

/* PACKET_IS_TRANSLATED: gives the packet the tuple that was decided on. */
static __always_inline int translate_onward(frame *f, struct packet *packet)
{
    struct dp_flow_key *to = &packet->onward.translation;

    if (packet->kind == PACKET_ERROR ? translate_error(f, packet, to) : translate(f, packet, to))
        return PACKET_PASSES;
    return drop_packet(f, packet, DP_OUTCOME_UNSUPPORTED);
}

/* Answers that a packet is too big: `mtu` is what would fit. */
static __always_inline int refuse_length(frame *f, struct packet *packet, __u32 mtu)
{
    packet->onward.mtu = mtu;
    report_packet(f, packet, 0, packet->onward.service_id, DP_OUTCOME_TOO_BIG);
    return PACKET_IS_TOO_BIG;
}

/* PACKET_IS_FORWARDED: translates, and sends on along the way to `toward`. */
__noinline int forward(frame *f, struct packet *packet)
{
    struct dp_device *device;
    struct way way = {};

    if (!packet)
        return PACKET_FAILS;
    if (packet->hops <= 1)
        return drop_packet(f, packet, DP_OUTCOME_HOPS_EXCEEDED);
    switch (find_way(f, &packet->tuple.source, &packet->onward.toward, &way)) {
    case WAY_NONE: return drop_packet(f, packet, DP_OUTCOME_NO_ROUTE);
    case WAY_NARROW: return refuse_length(f, packet, way.mtu);
    case WAY_HOST: return translate_onward(f, packet);
    }
    /* The kernel leaves room for a VLAN tag, which is not there, and asks nothing while it looks for a neighbour. */
    device = device_of(way.interface);
    if (device && longest_segment(f, packet) > device->mtu)
        return refuse_length(f, packet, device->mtu);
    if (translate_onward(f, packet) != PACKET_PASSES)
        return PACKET_IS_DROPPED;
    return take_hop(f, packet) ? redirect(f, &way) : PACKET_FAILS;
}

#endif
