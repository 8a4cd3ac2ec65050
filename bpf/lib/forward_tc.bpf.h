/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sending translated packets on, in TC. A packet that keeps its source address is left to the kernel, which routes it as
 * any other. One whose source is now an address of this node would be a martian to it, and is sent on from here: by the
 * kernel's routes and neighbours, which it resolves as usual.
 */
#ifndef MARTLET_LIB_FORWARD_TC_H
#define MARTLET_LIB_FORWARD_TC_H

#include "packet_observe.bpf.h"
#include "rewrite_error.bpf.h"
#include "route.bpf.h"

static __always_inline int redirect(const struct way *way)
{
    struct bpf_redir_neigh neighbour = {};

    if (address_is_ipv4(&way->gateway)) {
        neighbour.nh_family = AF_INET;
        neighbour.ipv4_nh = way->gateway.words_be[3];
    } else {
        neighbour.nh_family = AF_INET6;
        __builtin_memcpy(neighbour.ipv6_nh, &way->gateway, sizeof(way->gateway));
    }
    return bpf_redirect_neigh(way->interface, &neighbour, sizeof(neighbour), 0) == TC_ACT_REDIRECT ? PACKET_IS_SENT
                                                                                                   : PACKET_IS_DROPPED;
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

/* PACKET_IS_FORWARDED: translates, and sends on along the way to `toward`. */
__noinline int forward(frame *f, struct packet *packet)
{
    struct way way = {};

    if (!packet)
        return PACKET_IS_DROPPED;
    if (packet->hops <= 1)
        return drop_packet(f, packet, DP_OUTCOME_HOPS_EXCEEDED);
    switch (find_way(f, &packet->tuple.source, &packet->onward.toward, &way)) {
    case WAY_NONE: return drop_packet(f, packet, DP_OUTCOME_NO_ROUTE);
    case WAY_NARROW:
        packet->onward.mtu = way.mtu;
        report_packet(f, packet, 0, packet->onward.service_id, DP_OUTCOME_TOO_BIG);
        return PACKET_IS_TOO_BIG;
    case WAY_HOST: return translate_onward(f, packet);
    }
    if (translate_onward(f, packet) != PACKET_PASSES)
        return PACKET_IS_DROPPED;
    return take_hop(f, packet) ? redirect(&way) : PACKET_IS_DROPPED;
}

#endif
