/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The outer header of a DSR tunnel: IP in IP (RFC 2003), IPv6 in IPv6 (RFC 2473). It goes to the backend's own address,
 * so that it travels as the pod network carries any packet, and so that a host which runs no Martlet takes the inner
 * packet out with a standard tunnel device. The backend's port, which the backend's node needs for the translation,
 * is in the identification (RFC 6864: free for use in datagrams that may not be fragmented) or in the flow label.
 */
#ifndef MARTLET_LIB_TUNNEL_H
#define MARTLET_LIB_TUNNEL_H

#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include <bpf/bpf_endian.h>

#include "checksum.bpf.h"
#include "packet.bpf.h"
#include "packet_config.bpf.h"

#define TUNNEL_HOPS 64

/* Where a packet is tunnelled to, and as whom. */
struct tunnel {
    const struct dp_address *own; /* the address of the way out */
    const struct dp_address *backend;
    __u32 hash;                   /* of the flow */
    __u32 inner_length;
    __u16 backend_port_be;
};

static __always_inline __u32 tunnel_header_size(int is_ipv4)
{
    return is_ipv4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
}

/* The outer source: the way out's own address, or one of the range that was set apart for it, by the flow's hash. */
static __always_inline __be32 tunnel_source_ipv4(const struct tunnel *tunnel)
{
    if (tunnel_source_ipv4_bits)
        return tunnel_source_ipv4_be | bpf_htonl(tunnel->hash & (0xffffffffu >> tunnel_source_ipv4_bits));
    return tunnel->own->words_be[3];
}

static __always_inline struct dp_address tunnel_source_ipv6(const struct tunnel *tunnel)
{
    struct dp_address address;

    if (!tunnel_source_ipv6_bits)
        return *tunnel->own;
    address.words_be[0] = tunnel_source_ipv6_be[0];
    address.words_be[1] = tunnel_source_ipv6_be[1];
    address.words_be[2] = tunnel_source_ipv6_be[2];
    address.words_be[3] = tunnel_source_ipv6_be[3] | bpf_htonl(tunnel->hash);
    return address;
}

static __always_inline void fill_tunnel_ipv4(struct iphdr *ip, const struct tunnel *tunnel, __u8 tos)
{
    __u16 length = sizeof(*ip) + tunnel->inner_length;
    __u64 sum;

    *(__be16 *)ip = bpf_htons(0x4500 | tos);
    ip->tot_len = bpf_htons(length);
    ip->id = tunnel->backend_port_be;
    ip->frag_off = bpf_htons(0x4000);
    ip->ttl = TUNNEL_HOPS;
    ip->protocol = IPPROTO_IPIP;
    ip->saddr = tunnel_source_ipv4(tunnel);
    ip->daddr = tunnel->backend->words_be[3];
    sum = (__u64)bpf_htons(0x4500 | tos) + ip->tot_len + ip->id + ip->frag_off +
          bpf_htons(TUNNEL_HOPS << 8 | IPPROTO_IPIP) + ip->saddr + ip->daddr;
    ip->check = ~sum_fold16(sum);
}

static __always_inline void fill_tunnel_ipv6(struct ipv6hdr *ip, const struct tunnel *tunnel, __u8 traffic_class)
{
    struct dp_address source = tunnel_source_ipv6(tunnel);

    *(__be32 *)ip =
        bpf_htonl(0x60000000u | (__u32)traffic_class << 20 | bpf_ntohs(tunnel->backend_port_be));
    ip->payload_len = bpf_htons(tunnel->inner_length);
    ip->nexthdr = IPPROTO_IPV6;
    ip->hop_limit = TUNNEL_HOPS;
    __builtin_memcpy(&ip->saddr, &source, sizeof(ip->saddr));
    __builtin_memcpy(&ip->daddr, tunnel->backend, sizeof(ip->daddr));
}

#endif
