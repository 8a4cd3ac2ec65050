/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ICMP errors that a router on the way to a backend's node sends about a DSR tunnel. They come to us, and concern the
 * client, whose packet is quoted inside: it is told the same of that packet, as by whom it dialled (RFC 2003, 4; RFC
 * 2473, 8). Nothing has to be remembered for it. What quotes less than the client's addresses and ports cannot be told
 * on; the kernel gets it, as every error about tunnels that are not ours.
 */
#ifndef MARTLET_LIB_TUNNEL_ERROR_TC_H
#define MARTLET_LIB_TUNNEL_ERROR_TC_H

#include "answer.bpf.h"
#include "dsr.bpf.h"
#include "forward_tc.bpf.h"
#include "option_tc.bpf.h"
#include "tunnel.bpf.h"

/* The least that a client may be told to send (RFC 791; RFC 8200, 5). */
enum { LEAST_MTU_IPV4 = 68, LEAST_MTU_IPV6 = 1280 };

/* An ICMP header without its checksum: two words, of which the checksum is half of the first. */
struct error_words {
    __u8 type;
    __u8 code;
    __be16 checksum;
    __be32 rest_be; /* the MTU, or nothing */
};

/* What the client is told instead of what we were. Zero: nothing, it is about the tunnel's own header. */
static __always_inline int error_for_client(const struct error_words *told, int is_ipv4, struct error_words *tell)
{
    __u32 size = tunnel_header_size(is_ipv4), mtu = bpf_ntohl(told->rest_be);

    __builtin_memset(tell, 0, sizeof(*tell));
    if (is_ipv4) {
        tell->type = ICMP_UNREACHABLE;
        if (told->type == ICMP_UNREACHABLE && told->code == ICMP_CODE_FRAGMENTATION_NEEDED) {
            tell->code = told->code;
            mtu &= 0xffff;
            /* Routers from before RFC 1191 leave the size for the receiver to guess. */
            if (mtu)
                tell->rest_be = bpf_htonl(mtu > size + LEAST_MTU_IPV4 ? mtu - size : LEAST_MTU_IPV4);
            return 1;
        }
        tell->code = ICMP_CODE_HOST_UNREACHABLE;
        return told->type == ICMP_UNREACHABLE || told->type == ICMP_TIME_EXCEEDED;
    }
    if (told->type == ICMP6_TOO_BIG) {
        tell->type = ICMP6_TOO_BIG;
        tell->rest_be = bpf_htonl(mtu > size + LEAST_MTU_IPV6 ? mtu - size : LEAST_MTU_IPV6);
        return 1;
    }
    tell->type = ICMP6_UNREACHABLE;
    tell->code = ICMP6_CODE_ADDRESS_UNREACHABLE;
    return told->type == ICMP6_UNREACHABLE || told->type == ICMP6_TIME_EXCEEDED;
}

/* Whether tunnels have this outer source (tunnel.bpf.h). */
static __always_inline int is_tunnel_source(const struct dp_address *address, int is_ipv4)
{
    if (is_ipv4 && tunnel_source_ipv4_bits &&
        !((address->words_be[3] ^ tunnel_source_ipv4_be) & ~bpf_htonl(0xffffffffu >> tunnel_source_ipv4_bits)))
        return 1;
    /* What is put into an IPv6 prefix is the last word. */
    if (!is_ipv4 && tunnel_source_ipv6_bits && address->words_be[0] == tunnel_source_ipv6_be[0] &&
        address->words_be[1] == tunnel_source_ipv6_be[1] && address->words_be[2] == tunnel_source_ipv6_be[2])
        return 1;
    return is_node_address(address);
}

/* Whether what an error quotes is the outer header of a tunnel that we have made, as far as it shows. */
static __always_inline int quotes_tunnel(frame *f, const struct packet *packet, __u32 quoted)
{
    if (!is_tunnel_source(&packet->tuple.destination, packet->is_ipv4))
        return 0;
    if (packet->is_ipv4) {
        struct iphdr ip;

        return !frame_load(f, quoted, &ip, sizeof(ip)) && *(__u8 *)&ip == 0x45 && ip.protocol == IPPROTO_IPIP &&
               ip.id && ip.saddr == packet->tuple.destination.words_be[3];
    } else {
        struct dp_address source;
        __u8 next;

        return !frame_load(f, quoted + offsetof(struct ipv6hdr, nexthdr), &next, sizeof(next)) &&
               next == IPPROTO_IPV6 &&
               !frame_load(f, quoted + offsetof(struct ipv6hdr, saddr), &source, sizeof(source)) &&
               address_equals(&source, &packet->tuple.destination);
    }
}

/* Takes the tuple of the client's packet from `inner`, where it is quoted. Zero: there is too little of it. */
static __always_inline int parse_quoted_client(frame *f, const struct packet *packet, __u32 inner,
                                               struct dp_flow_key *client)
{
    struct placement at = {};
    __be16 ports[2];

    if (packet->is_ipv4) {
        __be32 pair[2];

        if (!place_ipv4(f, inner, &at) || frame_load(f, inner + offsetof(struct iphdr, saddr), pair, sizeof(pair)))
            return 0;
        client->source = address_from_ipv4(pair[0]);
        client->destination = address_from_ipv4(pair[1]);
    } else if (!place_ipv6(f, inner, &at) ||
               frame_load(f, inner + offsetof(struct ipv6hdr, saddr), &client->source,
                          2 * sizeof(client->source))) {
        return 0;
    }
    if (at.is_later || !transport_header_size(at.protocol) || frame_load(f, at.transport, ports, sizeof(ports)) ||
        at.transport + 8 > packet->network + packet->length)
        return 0;
    client->source_port_be = ports[0];
    client->destination_port_be = ports[1];
    client->protocol = at.protocol;
    return 1;
}

/* Makes the IP header one from the frontend to the client; `head` is room for it. Zero: the kernel refused. */
static __always_inline int rewrite_outer(frame *f, const struct packet *packet, __u32 length, void *head)
{
    struct ipv6hdr *ip6 = head;
    struct iphdr *ip = head;

    if (frame_load(f, packet->network, head, fixed_header_size(packet->is_ipv4)))
        return 0;
    if (packet->is_ipv4) {
        ip->tot_len = bpf_htons(length);
        ip->ttl = ANSWER_HOPS;
        ip->saddr = packet->tuple.destination.words_be[3];
        ip->daddr = packet->tuple.source.words_be[3];
        ip->check = 0;
        ip->check = ~sum_fold16((__u32)bpf_csum_diff(0, 0, head, sizeof(*ip), 0));
        return !frame_store(f, packet->network, head, sizeof(*ip));
    }
    ip6->payload_len = bpf_htons(length - sizeof(*ip6));
    ip6->hop_limit = ANSWER_HOPS;
    __builtin_memcpy(&ip6->saddr, &packet->tuple.destination, sizeof(ip6->saddr));
    __builtin_memcpy(&ip6->daddr, &packet->tuple.source, sizeof(ip6->daddr));
    return !frame_store(f, packet->network, head, sizeof(*ip6));
}

/* Turns the error into one from the frontend to the client, without the outer header that it quotes. Zero: refused. */
__noinline int rewrite_tunnel_error(frame *f, struct packet *packet, const struct error_words *told,
                                    struct error_words *tell)
{
    __u8 head[sizeof(struct ipv6hdr)] __attribute__((aligned(8))) = {};
    __u32 size, length;
    __u64 sum;

    if (!packet || !told || !tell)
        return 0;
    size = tunnel_header_size(packet->is_ipv4);
    length = packet->length - size;
    sum = (__u16)~told->checksum;
    /* The sum loses what we were told and the outer header, and, in IPv6, the addresses and the length. */
    if (frame_load(f, packet->transport + sizeof(*told), head, size))
        return 0;
    sum += (__u16)~sum_fold16((__u32)bpf_csum_diff(0, 0, (void *)head, sizeof(head), 0));
    sum += (__u16)~(*(__u16 *)told);
    sum += (__u32)~told->rest_be;
    sum += *(__u16 *)tell;
    sum += tell->rest_be;
    if (!packet->is_ipv4) {
        if (frame_load(f, packet->network, head, sizeof(head)))
            return 0;
        sum += (__u16)~sum_fold16((__u32)bpf_csum_diff(0, 0, (void *)(head + 8), 32, 0));
        sum += (__u16)~((struct ipv6hdr *)head)->payload_len;
        sum += sum_address(&packet->tuple.source) + sum_address(&packet->tuple.destination);
        sum += bpf_htons(length - sizeof(struct ipv6hdr));
    }
    tell->checksum = ~sum_fold16(sum);
    /* What goes is between the IP header and the place where the ICMP header is to be. */
    if (bpf_skb_adjust_room(f, -(int)size, BPF_ADJ_ROOM_NET, 0))
        return 0;
    return !frame_store(f, packet->transport, tell, sizeof(*tell)) && rewrite_outer(f, packet, length, head);
}

/* An ICMP error about no packet of ours: about a tunnel of ours it goes to the client. Others pass. */
__noinline int serve_tunnel_error(frame *f, struct packet *packet)
{
    struct error_words told = {}, tell = {};
    struct dp_frontend *frontend;
    struct dp_frontend_key key;
    struct dp_flow_key *client;
    struct way way = {};
    __u32 quoted;

    if (!packet || packet->transport - packet->network != fixed_header_size(packet->is_ipv4))
        return PACKET_PASSES;
    quoted = packet->transport + sizeof(told);
    if (frame_load(f, packet->transport, &told, sizeof(told)) || !quotes_tunnel(f, packet, quoted) ||
        !error_for_client(&told, packet->is_ipv4, &tell))
        return PACKET_PASSES;
    client = &packet->onward.translation;
    if (!parse_quoted_client(f, packet, quoted + tunnel_header_size(packet->is_ipv4), client)) {
        count_outcome(DP_OUTCOME_TUNNEL_ERROR_SHORT);
        return PACKET_PASSES;
    }
    key.address = client->destination;
    key.port_be = client->destination_port_be;
    key.protocol = client->protocol;
    key.pad = 0;
    frontend = find_frontend(&key);
    if (!frontend || !(is_dsr(frontend) || frontend->flags & DP_FRONTEND_CHANGING))
        return PACKET_PASSES;
    packet->tuple = *client;
    packet->onward.service_id = frontend->service_id;
    switch (find_way(f, &packet->tuple.destination, &packet->tuple.source, &way)) {
    case WAY_HOST:
    case WAY_NONE: return drop_packet(f, packet, DP_OUTCOME_NO_ROUTE);
    }
    report_packet(f, packet, 0, frontend->service_id, DP_OUTCOME_ERROR_TRANSLATED);
    return rewrite_tunnel_error(f, packet, &told, &tell) ? redirect(f, &way) : PACKET_FAILS;
}

#endif
