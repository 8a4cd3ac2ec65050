/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Into DSR tunnels and out of them, in TC; what the outer header says is in tunnel.bpf.h. */
#ifndef MARTLET_LIB_TUNNEL_TC_H
#define MARTLET_LIB_TUNNEL_TC_H

#include "dsr.bpf.h"
#include "forward_tc.bpf.h"
#include "tunnel.bpf.h"

/* Whether a packet has come to where it is going: an address of this node, or of a pod on it. */
static __always_inline int ends_here(frame *f, const struct packet *packet)
{
    struct dp_device *device;
    struct way way = {};

    switch (find_way(f, &packet->tuple.source, &packet->tuple.destination, &way)) {
    case WAY_HOST: return 1;
    case WAY_NONE: return 0;
    }
    device = device_of(way.interface);
    return device && !(device->flags & DP_DEVICE_EXTERNAL);
}

/* Which backend the outer header names. Zero: it is no DSR tunnel's. */
static __always_inline int tunnel_end(frame *f, const struct packet *packet, struct dp_address *backend,
                                      __u16 *backend_port_be)
{
    if (packet->transport - packet->network != tunnel_header_size(packet->is_ipv4))
        return 0;
    if (packet->is_ipv4) {
        if (frame_load(f, packet->network + offsetof(struct iphdr, id), backend_port_be, sizeof(*backend_port_be)))
            return 0;
    } else if (frame_load(f, packet->network + 2, backend_port_be, sizeof(*backend_port_be))) {
        return 0;
    }
    *backend = packet->tuple.destination;
    return *backend_port_be != 0;
}

/* Takes the outer header off; `inner` was parsed behind it. Zero: the kernel refused. */
static __always_inline int leave_tunnel(frame *f, struct packet *inner)
{
    __u32 size = tunnel_header_size(inner->is_ipv4);

    inner->network -= size;
    inner->transport -= size;
    inner->embedded -= size;
    inner->embedded_transport -= size;
    return !bpf_skb_adjust_room(f, -(int)size, BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_FIXED_GSO);
}

/* Segments keep their size: that they fit has been seen to, here and by the MSS that the client was offered. */
#define TUNNEL_GROWS BPF_F_ADJ_ROOM_FIXED_GSO

/* Writes the outer header into the room that is made for it. */
static __always_inline int write_tunnel(frame *f, const struct packet *packet, const struct tunnel *tunnel)
{
    __u8 service_class = 0;

    if (packet->is_ipv4) {
        struct iphdr outer = {};

        if (frame_load(f, packet->network + offsetof(struct iphdr, tos), &service_class, 1))
            return 0;
        fill_tunnel_ipv4(&outer, tunnel, service_class);
        if (bpf_skb_adjust_room(f, sizeof(outer), BPF_ADJ_ROOM_MAC, TUNNEL_GROWS | BPF_F_ADJ_ROOM_ENCAP_L3_IPV4))
            return 0;
        return !frame_store(f, packet->network, &outer, sizeof(outer));
    } else {
        struct ipv6hdr outer = {};
        __be32 first;

        if (frame_load(f, packet->network, &first, sizeof(first)))
            return 0;
        service_class = bpf_ntohl(first) >> 20;
        fill_tunnel_ipv6(&outer, tunnel, service_class);
        if (bpf_skb_adjust_room(f, sizeof(outer), BPF_ADJ_ROOM_MAC, TUNNEL_GROWS | BPF_F_ADJ_ROOM_ENCAP_L3_IPV6))
            return 0;
        return !frame_store_summed(f, packet->network, &outer, sizeof(outer));
    }
}

/* PACKET_IS_TUNNELLED: sends a client's packet, as it is, to a backend of another node. */
__noinline int send_in_tunnel(frame *f, struct packet *packet)
{
    struct tunnel tunnel = {};
    struct dp_device *device;
    struct way way = {};
    int kind;

    if (!packet)
        return PACKET_FAILS;
    if (packet->hops <= 1)
        return drop_packet(f, packet, DP_OUTCOME_HOPS_EXCEEDED);
    kind = find_way(f, &packet->tuple.source, &packet->onward.toward, &way);
    device = device_of(way.interface);
    if (kind == WAY_HOST || kind == WAY_NONE || !device)
        return drop_packet(f, packet, DP_OUTCOME_NO_ROUTE);
    if (longest_segment(f, packet) + tunnel_header_size(packet->is_ipv4) > device->mtu)
        return refuse_length(f, packet, device->mtu - tunnel_header_size(packet->is_ipv4));
    tunnel.own = packet->is_ipv4 ? &device->ipv4 : &device->ipv6;
    tunnel.hash = packet->onward.hash;
    tunnel.backend = &packet->onward.toward;
    tunnel.backend_port_be = packet->onward.backend_port_be;
    tunnel.inner_length = packet->length;
    return take_hop(f, packet) && write_tunnel(f, packet, &tunnel) ? redirect(f, &way) : PACKET_FAILS;
}

#endif
