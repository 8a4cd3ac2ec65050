/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Options and marks of DSR dispatch in TC, put in and taken out; what they say is in option.bpf.h. */
#ifndef MARTLET_LIB_OPTION_TC_H
#define MARTLET_LIB_OPTION_TC_H

#include "forward_tc.bpf.h"
#include "option.bpf.h"
#include "tunnel_tc.bpf.h"

static __always_inline __u32 fixed_header_size(int is_ipv4)
{
    return is_ipv4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
}

/* Whether a TCP packet has room for a mark. */
static __always_inline int may_be_marked(frame *f, const struct packet *packet)
{
    __be16 position;

    if (!packet->is_ipv4)
        return 1;
    return !frame_load(f, packet->network + offsetof(struct iphdr, frag_off), &position, sizeof(position)) &&
           position & DONT_FRAGMENT_BE;
}

/* Whether another option fits in front: IPv4 headers are short, and hop-by-hop options stay first (RFC 8200, 4.1). */
static __always_inline int has_room_for_option(frame *f, const struct packet *packet)
{
    __u8 next;

    if (packet->is_ipv4)
        return packet->transport - packet->network + sizeof(struct dispatch_option_ipv4) <= 60;
    return !frame_load(f, packet->network + offsetof(struct ipv6hdr, nexthdr), &next, sizeof(next)) &&
           next != IPPROTO_HOPOPTS;
}

/*
 * How a packet goes by option. An error about the client's answers has its flow inside, which is all that the backend
 * asks for. What cannot go so goes in a tunnel, which is understood as well.
 */
static __always_inline int verdict_by_option(frame *f, const struct packet *packet)
{
    if (packet->kind == PACKET_ERROR)
        return PACKET_IS_FORWARDED;
    /* A fragment's ports cannot be exchanged under a checksum of the whole. */
    if (packet->tuple.protocol == PROTOCOL_SCTP && packet->is_fragment)
        return PACKET_IS_TUNNELLED;
    if (carries_option(packet, may_be_marked(f, packet)) && !has_room_for_option(f, packet))
        return PACKET_IS_TUNNELLED;
    return PACKET_IS_DISPATCHED;
}

/* Puts the option behind the fixed header. Zero: the kernel refused. */
static __always_inline int insert_option(frame *f, const struct packet *packet)
{
    __u32 size = dispatch_option_size(packet->is_ipv4), place = packet->network + fixed_header_size(packet->is_ipv4);

    if (bpf_skb_adjust_room(f, size, BPF_ADJ_ROOM_NET, BPF_F_ADJ_ROOM_FIXED_GSO))
        return 0;
    if (packet->is_ipv4) {
        struct dispatch_option_ipv4 option = dispatch_option_ipv4(&packet->tuple);
        struct iphdr ip;

        if (frame_load(f, packet->network, &ip, sizeof(ip)))
            return 0;
        announce_option_ipv4(&ip, &option);
        return !frame_store(f, packet->network, &ip, sizeof(ip)) && !frame_store(f, place, &option, sizeof(option));
    } else {
        struct dispatch_option_ipv6 option;
        struct ipv6hdr ip;

        if (frame_load(f, packet->network, &ip, sizeof(ip)))
            return 0;
        option = dispatch_option_ipv6(&packet->tuple, ip.nexthdr);
        announce_option_ipv6(&ip);
        return !frame_store_summed(f, packet->network, &ip, sizeof(ip)) &&
               !frame_store_summed(f, place, &option, sizeof(option));
    }
}

/* Marks a packet whose tuple is now `rewritten`. Zero: the kernel refused. */
static __always_inline int mark(frame *f, const struct packet *packet, const struct dp_flow_key *rewritten)
{
    if (packet->is_ipv4) {
        __be16 before, id = mark_ipv4(rewritten);
        __u32 place = packet->network + offsetof(struct iphdr, id);

        return !frame_load(f, place, &before, sizeof(before)) &&
               !bpf_l3_csum_replace(f, packet->network + offsetof(struct iphdr, check), before, id, sizeof(id)) &&
               !frame_store(f, place, &id, sizeof(id));
    } else {
        __be32 first;

        if (frame_load(f, packet->network, &first, sizeof(first)))
            return 0;
        first = (first & ~FLOW_LABEL_MASK_BE) | mark_ipv6(rewritten);
        return !frame_store_summed(f, packet->network, &first, sizeof(first));
    }
}

/* Whether a TCP packet that came without the option is one that was sent by option. */
static __always_inline int is_marked(frame *f, const struct packet *packet)
{
    if (packet->is_ipv4) {
        __be16 words[2]; /* identification, and where it is a fragment */

        return !packet->is_fragment &&
               !frame_load(f, packet->network + offsetof(struct iphdr, id), words, sizeof(words)) &&
               words[1] & DONT_FRAGMENT_BE && words[0] == mark_ipv4(&packet->tuple);
    } else {
        __be32 first;

        return !frame_load(f, packet->network, &first, sizeof(first)) &&
               (first & FLOW_LABEL_MASK_BE) == mark_ipv6(&packet->tuple);
    }
}

/* PACKET_IS_DISPATCHED: sends a client's packet to a backend's own address on another node. */
__noinline int send_by_option(frame *f, struct packet *packet)
{
    struct dp_device *device;
    struct way way = {};
    int kind, carries;

    if (!packet)
        return PACKET_IS_DROPPED;
    if (packet->hops <= 1)
        return drop_packet(f, packet, DP_OUTCOME_HOPS_EXCEEDED);
    kind = find_way(f, &packet->tuple.source, &packet->onward.toward, &way);
    device = device_of(way.interface);
    if (kind == WAY_HOST || kind == WAY_NONE || !device)
        return drop_packet(f, packet, DP_OUTCOME_NO_ROUTE);
    carries = carries_option(packet, may_be_marked(f, packet));
    if (longest_segment(f, packet) + (carries ? dispatch_option_size(packet->is_ipv4) : 0) > device->mtu)
        return refuse_length(f, packet, device->mtu - (carries ? dispatch_option_size(packet->is_ipv4) : 0));
    if (!translate(f, packet, &packet->onward.translation))
        return drop_packet(f, packet, DP_OUTCOME_UNSUPPORTED);
    if (!take_hop(f, packet))
        return PACKET_FAILS;
    if (carries && !insert_option(f, packet))
        return PACKET_FAILS;
    if (!carries && !packet->is_later_fragment && !mark(f, packet, &packet->onward.translation))
        return PACKET_FAILS;
    return redirect(f, &way);
}

/* Whether anything is between the fixed header and the ports of a packet that has both. */
static __always_inline int may_carry_option(const struct packet *packet)
{
    return packet->kind == PACKET_FLOW && !packet->is_later_fragment &&
           packet->transport - packet->network > fixed_header_size(packet->is_ipv4);
}

/*
 * Reads what was dialled, as the destination of the translation that is going to be undone. Zero: the packet does not
 * begin with the option, or is not for a backend here. Out of line, as what takes it out: options want room on the
 * stack.
 */
__noinline int read_option(frame *f, struct packet *packet)
{
    struct dp_flow_key *dialled;
    __u32 place;

    if (!packet)
        return 0;
    dialled = &packet->onward.translation;
    place = packet->network + fixed_header_size(packet->is_ipv4);
    if (packet->is_ipv4) {
        struct dispatch_option_ipv4 option;

        if (packet->transport < place + sizeof(option) || frame_load(f, place, &option, sizeof(option)) ||
            option.kind != DISPATCH_OPTION_IPV4 || option.length != sizeof(option))
            return 0;
        dialled->destination = address_from_ipv4(option.address_be);
        dialled->destination_port_be = option.port_be;
    } else {
        struct dispatch_option_ipv6 option;
        __u8 next;

        if (packet->transport < place + sizeof(option) || frame_load(f, place, &option, sizeof(option)) ||
            frame_load(f, packet->network + offsetof(struct ipv6hdr, nexthdr), &next, sizeof(next)) ||
            next != IPPROTO_DSTOPTS || option.length != DISPATCH_LENGTH_IPV6 || option.kind != DISPATCH_OPTION_IPV6 ||
            option.option_length != DISPATCH_OPTION_LENGTH_IPV6)
            return 0;
        dialled->destination = option.address;
        dialled->destination_port_be = option.port_be;
    }
    return ends_here(f, packet);
}

/* Takes the option out again. Zero: the kernel refused. */
__noinline int remove_option(frame *f, struct packet *packet)
{
    __u32 size, place;

    if (!packet)
        return 0;
    size = dispatch_option_size(packet->is_ipv4);
    place = packet->network + fixed_header_size(packet->is_ipv4);
    if (packet->is_ipv4) {
        struct dispatch_option_ipv4 option;
        struct iphdr ip;

        if (frame_load(f, packet->network, &ip, sizeof(ip)) || frame_load(f, place, &option, sizeof(option)))
            return 0;
        retract_option_ipv4(&ip, &option);
        if (bpf_skb_adjust_room(f, -(int)size, BPF_ADJ_ROOM_NET, BPF_F_ADJ_ROOM_FIXED_GSO) ||
            frame_store(f, packet->network, &ip, sizeof(ip)))
            return 0;
    } else {
        struct dispatch_option_ipv6 option;
        struct ipv6hdr ip;

        if (frame_load(f, packet->network, &ip, sizeof(ip)) || frame_load(f, place, &option, sizeof(option)))
            return 0;
        retract_option_ipv6(&ip, &option);
        if (bpf_skb_adjust_room(f, -(int)size, BPF_ADJ_ROOM_NET, BPF_F_ADJ_ROOM_FIXED_GSO) ||
            frame_store_summed(f, packet->network, &ip, sizeof(ip)))
            return 0;
    }
    packet->transport -= size;
    packet->length -= size;
    return 1;
}

#endif
