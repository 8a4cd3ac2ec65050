/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Options and marks of DSR dispatch in XDP; what they say is in option.bpf.h. */
#ifndef MARTLET_LIB_OPTION_XDP_H
#define MARTLET_LIB_OPTION_XDP_H

#include "frame_xdp.bpf.h"

#include "option.bpf.h"

/* Whether a TCP packet has room for a mark. */
static __always_inline int may_be_marked(frame *f, const struct packet *packet)
{
    struct iphdr *ip;

    if (!packet->is_ipv4)
        return 1;
    ip = frame_at(f, packet->network, sizeof(*ip));
    return ip && ip->frag_off & DONT_FRAGMENT_BE;
}

/*
 * Puts the option behind the header of a packet that has none. Zero: there is no room, and the frame is as it was. Out
 * of line, so that its stack is given back: there is little.
 */
static __noinline int insert_option(frame *f, const struct packet *packet)
{
    if (packet->is_ipv4) {
        struct dispatch_option_ipv4 option = dispatch_option_ipv4(&packet->tuple);
        struct iphdr *place = frame_at(f, sizeof(struct ethhdr), sizeof(*place)), ip;

        if (!place)
            return 0;
        __builtin_memcpy(&ip, place, sizeof(ip));
        announce_option_ipv4(&ip, &option);
        if (bpf_xdp_adjust_head(f, -(int)sizeof(option)))
            return 0;
        place = frame_at(f, sizeof(struct ethhdr), sizeof(ip) + sizeof(option));
        if (!place)
            return 0;
        __builtin_memcpy(place, &ip, sizeof(ip));
        __builtin_memcpy(place + 1, &option, sizeof(option));
    } else {
        struct ipv6hdr *place = frame_at(f, sizeof(struct ethhdr), sizeof(*place)), ip;
        struct dispatch_option_ipv6 option;

        if (!place)
            return 0;
        __builtin_memcpy(&ip, place, sizeof(ip));
        option = dispatch_option_ipv6(&packet->tuple, ip.nexthdr);
        announce_option_ipv6(&ip);
        if (bpf_xdp_adjust_head(f, -(int)sizeof(option)))
            return 0;
        place = frame_at(f, sizeof(struct ethhdr), sizeof(ip) + sizeof(option));
        if (!place)
            return 0;
        __builtin_memcpy(place, &ip, sizeof(ip));
        __builtin_memcpy(place + 1, &option, sizeof(option));
    }
    return 1;
}

/* Marks a packet whose tuple is now `rewritten`. Zero: it is not to be sent. */
static __always_inline int mark(frame *f, const struct packet *packet, const struct dp_flow_key *rewritten)
{
    if (packet->is_ipv4) {
        struct iphdr *ip = frame_at(f, packet->network, sizeof(*ip));
        __be16 id = mark_ipv4(rewritten);

        if (!ip)
            return 0;
        ip->check = checksum_after(ip->check, (__u32)(__u16)~ip->id + id);
        ip->id = id;
    } else {
        __be32 *first = frame_at(f, packet->network, sizeof(*first));

        if (!first)
            return 0;
        *first = (*first & ~FLOW_LABEL_MASK_BE) | mark_ipv6(rewritten);
    }
    return 1;
}

#endif
