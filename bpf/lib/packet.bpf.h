/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A packet as both packet hooks see it, parsed once. The usual one is parsed here, by direct access: TCP, UDP or SCTP
 * behind an IPv4 header without options or an IPv6 header without extensions, not a fragment. Everything else is left
 * to packet_rare.bpf.h, which only TC includes. Needs one of frame_xdp.bpf.h and frame_tc.bpf.h before it.
 */
#ifndef MARTLET_LIB_PACKET_H
#define MARTLET_LIB_PACKET_H

/* Whoever includes this has chosen a hook; by itself it is read as for TC. */
#if !defined(MARTLET_LIB_FRAME_XDP_H) && !defined(MARTLET_LIB_FRAME_TC_H)
#include "frame_tc.bpf.h"
#endif

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>

#include "../abi/frontends.h"
#include "../abi/packets.h"
#include "address.bpf.h"
#include "verdict.bpf.h"

/* <linux/in.h> has no number for it on every libc. */
enum { PROTOCOL_SCTP = 132 };

enum packet_kind {
    PACKET_NOT_IP,
    PACKET_FLOW,           /* `tuple` is that of the packet */
    PACKET_RARE,           /* to be parsed by packet_rare.bpf.h */
    PACKET_ERROR,          /* an ICMP error; `tuple` is that of the packet it is about, turned round */
    PACKET_STRAY_ERROR,    /* an ICMP error about nothing that has ports; no ports */
    PACKET_ECHO,           /* an ICMP echo request; no ports */
    PACKET_TUNNEL,         /* IP in IP of the same family; no ports */
    PACKET_PORTLESS,       /* another protocol */
    PACKET_LOST_FRAGMENT,  /* a later fragment whose first was not seen; no ports */
    PACKET_MALFORMED,      /* the IP header is whole, what follows it is not; no ports */
};

struct packet {
    struct dp_flow_key tuple __attribute__((aligned(8)));
    __u32 length;             /* of the IP packet, by its header */
    __u16 network;            /* where the IP header is */
    __u16 transport;          /* where the header after it is */
    __u16 embedded;           /* PACKET_ERROR: where the IP header of the packet it is about is */
    __u16 embedded_transport; /* PACKET_ERROR: where the header after that is */
    __u8 kind;                /* enum packet_kind */
    __u8 is_ipv4;
    __u8 hops;                /* TTL or hop limit */
    __u8 tcp_flags;           /* the octet of the TCP header; zero for others */
    __u8 is_later_fragment;   /* no transport header in here; ports are known from the first one */
    __u8 is_fragment;
    __u8 is_watched;          /* somebody wants to know what becomes of it */
    struct passage onward;    /* what has been decided */
};

enum { TCP_BIT_FIN = 1, TCP_BIT_SYN = 2, TCP_BIT_RST = 4, TCP_BIT_ACK = 16 };

/* With the padding: see address_from_ipv4(). */
static __always_inline void set_protocol(struct dp_flow_key *tuple, __u8 protocol)
{
    const __u32 word_be = bpf_htonl((__u32)protocol << 24);

    __builtin_memcpy(&tuple->protocol, &word_be, sizeof(word_be));
}

/* The flags octet of a TCP header. */
enum { TCP_FLAGS_OFFSET = 13 };

/* Whether a packet asks for a new connection; every datagram may. */
static __always_inline int is_opening(const struct packet *packet)
{
    return packet->tuple.protocol != IPPROTO_TCP ||
           (packet->tcp_flags & (TCP_BIT_SYN | TCP_BIT_ACK | TCP_BIT_RST)) == TCP_BIT_SYN;
}

/* The frontend that a packet is sent to, if it is one. */
static __always_inline struct dp_frontend_key frontend_key_of(const struct packet *packet)
{
    struct dp_frontend_key key = {
        .address = packet->tuple.destination,
        .port_be = packet->tuple.destination_port_be,
        .protocol = packet->tuple.protocol,
    };

    return key;
}

/* The other direction. */
static __always_inline struct dp_flow_key turned_round(const struct dp_flow_key *key)
{
    struct dp_flow_key reverse = {
        .source = key->destination,
        .destination = key->source,
        .source_port_be = key->destination_port_be,
        .destination_port_be = key->source_port_be,
        .protocol = key->protocol,
    };

    return reverse;
}

static __always_inline __u32 transport_header_size(__u8 protocol)
{
    switch (protocol) {
    case IPPROTO_TCP: return sizeof(struct tcphdr);
    case IPPROTO_UDP: return sizeof(struct udphdr);
    case PROTOCOL_SCTP: return 12;
    default: return 0;
    }
}

/* Takes the ports from the transport header, if it is whole. */
static __always_inline __u8 parse_ports(frame *f, struct packet *packet)
{
    __u32 size = transport_header_size(packet->tuple.protocol);
    __be16 *ports;
    __u32 both;

    if (!size)
        return PACKET_RARE;
    if (packet->transport - packet->network + size > packet->length)
        return PACKET_MALFORMED;
    if (packet->tuple.protocol == IPPROTO_TCP) {
        __u8 *tcp = frame_at(f, packet->transport, sizeof(struct tcphdr));

        if (!tcp)
            return PACKET_MALFORMED;
        packet->tcp_flags = tcp[TCP_FLAGS_OFFSET];
        ports = (__be16 *)tcp;
    } else {
        ports = frame_at(f, packet->transport, sizeof(struct udphdr));
        if (!ports)
            return PACKET_MALFORMED;
    }
    /* Both at once: see address_from_ipv4(). */
    both = *(__u32 *)ports;
    __builtin_memcpy(&packet->tuple.source_port_be, &both, sizeof(both));
    return PACKET_FLOW;
}

static __always_inline __u8 parse_ipv4(frame *f, struct packet *packet)
{
    struct iphdr *ip = frame_at(f, packet->network, sizeof(*ip));

    if (!ip || ip->version != 4 || ip->ihl < 5)
        return PACKET_NOT_IP;
    packet->length = bpf_ntohs(ip->tot_len);
    if (packet->length < ip->ihl * 4u || packet->network + packet->length > frame_length(f))
        return PACKET_NOT_IP;
    packet->is_ipv4 = 1;
    packet->hops = ip->ttl;
    set_protocol(&packet->tuple, ip->protocol);
    packet->tuple.source = address_from_ipv4(ip->saddr);
    packet->tuple.destination = address_from_ipv4(ip->daddr);
    /* Anything but "don't fragment" in that word is part of a fragment's position. */
    if (ip->ihl != 5 || ip->frag_off & bpf_htons(0x3fff))
        return PACKET_RARE;
    packet->transport = packet->network + sizeof(*ip);
    return parse_ports(f, packet);
}

static __always_inline __u8 parse_ipv6(frame *f, struct packet *packet)
{
    struct ipv6hdr *ip = frame_at(f, packet->network, sizeof(*ip));

    if (!ip || ip->version != 6)
        return PACKET_NOT_IP;
    packet->length = bpf_ntohs(ip->payload_len) + sizeof(*ip);
    if (packet->network + packet->length > frame_length(f))
        return PACKET_NOT_IP;
    packet->hops = ip->hop_limit;
    set_protocol(&packet->tuple, ip->nexthdr);
    __builtin_memcpy(&packet->tuple.source, &ip->saddr, sizeof(packet->tuple.source));
    __builtin_memcpy(&packet->tuple.destination, &ip->daddr, sizeof(packet->tuple.destination));
    /* It would be taken for IPv4. The kernel drops it (ip6_rcv_core). */
    if (address_is_ipv4(&packet->tuple.source) || address_is_ipv4(&packet->tuple.destination))
        return PACKET_NOT_IP;
    packet->transport = packet->network + sizeof(*ip);
    return parse_ports(f, packet);
}

/* Parses what is behind `packet->network`. What cannot be an IP packet at all is the kernel's: PACKET_NOT_IP. */
static __always_inline void packet_parse_at(frame *f, struct packet *packet, __be16 protocol)
{
    if (protocol == bpf_htons(ETH_P_IP))
        packet->kind = parse_ipv4(f, packet);
    else if (protocol == bpf_htons(ETH_P_IPV6))
        packet->kind = parse_ipv6(f, packet);
    else
        packet->kind = PACKET_NOT_IP;
}

static __always_inline void packet_parse(frame *f, struct packet *packet)
{
    __be16 protocol = frame_network_protocol(f, &packet->network);

    packet_parse_at(f, packet, protocol);
}

#endif
