/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Packets out of the ordinary, for TC: IP options and extension headers, fragments, ICMP, tunnels. Read by copying,
 * since their headers are anywhere.
 */
#ifndef MARTLET_LIB_PACKET_RARE_H
#define MARTLET_LIB_PACKET_RARE_H

#include <stddef.h>

#include "icmp.bpf.h"
#include "packet.bpf.h"
#include "packet_maps.bpf.h"

/* Extension headers that are looked behind; a packet with more of them is left to the kernel. */
#define EXTENSIONS_MAX 6

/* The first octets of a hop-by-hop, routing or destination options header (RFC 8200, 4). */
struct extension_header {
    __u8 next;
    __u8 length; /* in 8 octets, the first not counted */
    __u8 type;          /* routing */
    __u8 segments_left; /* routing */
};

/* RFC 8200, 4.5. */
struct fragment_header {
    __u8 next;
    __u8 reserved;
    __be16 position; /* offset in 8 octets << 3 | more */
    __be32 identification;
};

/* Where the transport header is, and what is known of fragments. */
struct placement {
    __u32 transport;
    __u32 identification;
    __u8 protocol;
    __u8 is_fragment;
    __u8 is_later;
};

static __always_inline int place_ipv4(frame *f, __u32 network, struct placement *at)
{
    struct iphdr ip;

    if (frame_load(f, network, &ip, sizeof(ip)) || ip.version != 4 || ip.ihl < 5)
        return 0;
    at->transport = network + ip.ihl * 4;
    at->protocol = ip.protocol;
    at->identification = ip.id;
    at->is_fragment = (ip.frag_off & bpf_htons(0x3fff)) != 0;
    at->is_later = (ip.frag_off & bpf_htons(0x1fff)) != 0;
    return 1;
}

static __always_inline int place_ipv6(frame *f, __u32 network, struct placement *at)
{
    struct fragment_header fragment;
    struct extension_header extension;

    if (frame_load(f, network + offsetof(struct ipv6hdr, nexthdr), &at->protocol, 1))
        return 0;
    at->transport = network + sizeof(struct ipv6hdr);
    for (int count = 0; count < EXTENSIONS_MAX; count++) {
        switch (at->protocol) {
        case IPPROTO_HOPOPTS:
        case IPPROTO_ROUTING:
        case IPPROTO_DSTOPTS:
            if (frame_load(f, at->transport, &extension, sizeof(extension)))
                return 0;
            /* It is going on to somewhere else: its checksums are for there (RFC 8200, 8.1). */
            if (at->protocol == IPPROTO_ROUTING && extension.segments_left)
                return 1;
            at->protocol = extension.next;
            at->transport += (extension.length + 1) * 8;
            break;
        case IPPROTO_FRAGMENT:
            if (frame_load(f, at->transport, &fragment, sizeof(fragment)))
                return 0;
            at->protocol = fragment.next;
            at->transport += sizeof(fragment);
            at->identification = fragment.identification;
            at->is_fragment = (fragment.position & bpf_htons(0xfff9)) != 0;
            at->is_later = (fragment.position & bpf_htons(0xfff8)) != 0;
            if (at->is_later)
                return 1;
            break;
        default:
            return 1;
        }
    }
    return 0;
}

static __always_inline struct dp_fragment_key fragment_key_of(const struct packet *packet, const struct placement *at)
{
    struct dp_fragment_key key = {
        .source = packet->tuple.source,
        .destination = packet->tuple.destination,
        .identification = at->identification,
        .protocol = at->protocol,
    };

    return key;
}

static __always_inline __u8 parse_later_fragment(struct packet *packet, const struct placement *at)
{
    struct dp_fragment_key key = fragment_key_of(packet, at);
    struct dp_fragment *first = bpf_map_lookup_elem(&fragments, &key);

    packet->is_later_fragment = 1;
    if (!transport_header_size(at->protocol))
        return PACKET_PORTLESS;
    if (!first)
        return PACKET_LOST_FRAGMENT;
    packet->tuple.source_port_be = first->source_port_be;
    packet->tuple.destination_port_be = first->destination_port_be;
    return PACKET_FLOW;
}

static __always_inline __u8 parse_transport(frame *f, struct packet *packet, const struct placement *at)
{
    __u32 size = transport_header_size(at->protocol);
    __be16 ports[2];

    /* The header must be in the first fragment (RFC 7112; RFC 1858 for TCP). */
    if (at->transport - packet->network + size > packet->length ||
        frame_load(f, at->transport, ports, sizeof(ports)))
        return PACKET_MALFORMED;
    packet->tuple.source_port_be = ports[0];
    packet->tuple.destination_port_be = ports[1];
    if (at->protocol == IPPROTO_TCP && frame_load(f, at->transport + TCP_FLAGS_OFFSET, &packet->tcp_flags, 1))
        return PACKET_MALFORMED;
    if (at->is_fragment) {
        struct dp_fragment_key key = fragment_key_of(packet, at);
        struct dp_fragment first = {.source_port_be = ports[0], .destination_port_be = ports[1]};

        bpf_map_update_elem(&fragments, &key, &first, BPF_ANY);
    }
    return PACKET_FLOW;
}

static __always_inline int is_icmp_error(int is_ipv4, __u8 type)
{
    if (is_ipv4)
        return type == ICMP_UNREACHABLE || type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETER_PROBLEM;
    return type >= ICMP6_UNREACHABLE && type <= ICMP6_PARAMETER_PROBLEM;
}

/* The tuple of an error is that of the packet it is about, turned round: the direction in which it travels. */
static __always_inline __u8 parse_error(frame *f, struct packet *packet)
{
    __u32 embedded = packet->transport + sizeof(struct icmp_header);
    struct dp_address pair[2];
    struct placement at = {};
    __be16 ports[2];
    int is_placed;

    if (packet->is_ipv4) {
        struct iphdr ip;

        if (frame_load(f, embedded, &ip, sizeof(ip)))
            return PACKET_STRAY_ERROR;
        pair[0] = address_from_ipv4(ip.saddr);
        pair[1] = address_from_ipv4(ip.daddr);
        is_placed = place_ipv4(f, embedded, &at);
    } else {
        if (frame_load(f, embedded + offsetof(struct ipv6hdr, saddr), pair, sizeof(pair)))
            return PACKET_STRAY_ERROR;
        is_placed = place_ipv6(f, embedded, &at);
    }
    if (!is_placed || at.is_later || !transport_header_size(at.protocol) ||
        frame_load(f, at.transport, ports, sizeof(ports)))
        return PACKET_STRAY_ERROR;
    packet->tuple.source = pair[1];
    packet->tuple.destination = pair[0];
    packet->tuple.protocol = at.protocol;
    packet->tuple.source_port_be = ports[1];
    packet->tuple.destination_port_be = ports[0];
    packet->embedded = embedded;
    packet->embedded_transport = at.transport;
    return PACKET_ERROR;
}

static __always_inline __u8 parse_icmp(frame *f, struct packet *packet)
{
    struct icmp_header icmp;

    if (packet->transport - packet->network + sizeof(icmp) > packet->length ||
        frame_load(f, packet->transport, &icmp, sizeof(icmp)))
        return PACKET_MALFORMED;
    if (icmp.type == (packet->is_ipv4 ? ICMP_ECHO_REQUEST : ICMP6_ECHO_REQUEST))
        return PACKET_ECHO;
    return is_icmp_error(packet->is_ipv4, icmp.type) ? parse_error(f, packet) : PACKET_PORTLESS;
}

/* Completes a packet that packet_parse() has found to be PACKET_RARE. Out of line: most packets are not. */
__noinline int packet_parse_rare(frame *f, struct packet *packet)
{
    struct placement at = {};

    if (!packet)
        return 0;
    packet->kind = PACKET_MALFORMED;
    if (!(packet->is_ipv4 ? place_ipv4(f, packet->network, &at) : place_ipv6(f, packet->network, &at)))
        return 0;
    packet->transport = at.transport;
    packet->tuple.protocol = at.protocol;
    packet->is_fragment = at.is_fragment;
    if (at.is_later)
        packet->kind = parse_later_fragment(packet, &at);
    else if (transport_header_size(at.protocol))
        packet->kind = parse_transport(f, packet, &at);
    else if (at.protocol == (packet->is_ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6))
        packet->kind = at.is_fragment ? PACKET_PORTLESS : parse_icmp(f, packet);
    else if (at.protocol == (packet->is_ipv4 ? IPPROTO_IPIP : IPPROTO_IPV6))
        packet->kind = at.is_fragment ? PACKET_PORTLESS : PACKET_TUNNEL;
    else
        packet->kind = PACKET_PORTLESS;
    return 0;
}

#endif
