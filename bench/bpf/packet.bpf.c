// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What `martlet-bench packet` measures packet programs with. The kernel does not put a packet back between the
 * repetitions of a test run, so `packet_prologue` does, and then calls the program that is being measured. With `packet_empty` in that
 * place it costs what the restoring costs; `packet_floor` is the least that a program which answers a packet can do. Not shipped.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "../CBench/include/bench_packet.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct bench_script);
} script SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 65536);
    __type(key, __u32);
    __type(value, struct bench_tuple);
} tuples SEC(".maps");

/* The program that is measured. */
struct {
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
} subject SEC(".maps");

static __always_inline __u32 walk(struct bench_walk *walk)
{
    __u32 place = walk->place + walk->step;

    if (place >= walk->count)
        place -= walk->count;
    walk->place = place;
    return place;
}

/* In words that begin where words of the IP header do, so that whoever reads one finds it in one store. */
static __always_inline void write_header(__u8 *to, const __u8 *from)
{
    *(__u16 *)to = *(const __u16 *)from;
    for (int offset = 2; offset + 8 <= BENCH_HEADER_BYTES; offset += 8)
        *(__u64 *)(to + offset) = *(const __u64 *)(from + offset);
}

/* Where addresses and ports are, as the last word of each address. */
struct places {
    __be32 *source;
    __be32 *destination;
    __be32 *ports;
};

static __always_inline void write_tuple(const struct places *at, const struct bench_script *now, __u32 flow)
{
    struct bench_tuple *tuple = bpf_map_lookup_elem(&tuples, &flow);

    if (!tuple)
        return;
    *at->source = tuple->source[3];
    *at->destination = tuple->destination[3];
    *at->ports = *(__be32 *)&tuple->source_port;
    if (!now->is_ipv6)
        return;
    for (int word = 1; word < 4; word++) {
        at->source[-word] = tuple->source[3 - word];
        at->destination[-word] = tuple->destination[3 - word];
    }
}

/* The compiler must not take the frame's start from the length first: pointers are subtracted in 64 bits only. */
static __always_inline long length_of(struct xdp_md *ctx)
{
    long length = (void *)(long)ctx->data_end - (void *)(long)ctx->data;

    asm volatile("" : "+r"(length));
    return length;
}

SEC("xdp")
int packet_prologue(struct xdp_md *ctx)
{
    __u32 zero = 0, flow, destination;
    struct bench_script *now = bpf_map_lookup_elem(&script, &zero);
    struct places at;
    __u8 *data;

    if (!now || bpf_xdp_adjust_head(ctx, (int)length_of(ctx) - (int)now->length))
        return XDP_ABORTED;
    data = (void *)(long)ctx->data;
    if (data + BENCH_HEADER_BYTES > (__u8 *)(long)ctx->data_end)
        return XDP_ABORTED;
    write_header(data, now->header);
    if (now->is_ipv6) {
        struct ipv6hdr *ip = (void *)(data + ETH_HLEN);

        at.source = &ip->saddr.s6_addr32[3];
        at.destination = &ip->daddr.s6_addr32[3];
        at.ports = (void *)(ip + 1);
    } else {
        struct iphdr *ip = (void *)(data + ETH_HLEN);

        at.source = &ip->saddr;
        at.destination = &ip->daddr;
        at.ports = (void *)(ip + 1);
    }
    flow = walk(&now->flows);
    destination = walk(&now->destinations);
    if (now->has_tuples) {
        write_tuple(&at, now, flow);
    } else {
        *at.ports = bpf_htonl(bpf_ntohl(*at.ports) + ((flow & 0x7fff) << 16));
        *at.source = bpf_htonl(bpf_ntohl(*at.source) + (flow >> 15));
        *at.destination = bpf_htonl(bpf_ntohl(*at.destination) + destination);
    }
    bpf_tail_call(ctx, &subject, 0);
    return XDP_ABORTED;
}

SEC("xdp")
int packet_empty(__attribute__((unused)) struct xdp_md *ctx)
{
    return XDP_TX;
}

static __always_inline void swap_words(__u32 *left, __u32 *right, int count)
{
    for (int word = 0; word < count; word++) {
        __u32 kept = left[word];

        left[word] = right[word];
        right[word] = kept;
    }
}

static __always_inline void swap_link_addresses(struct ethhdr *ethernet)
{
    __u8 kept[ETH_ALEN];

    __builtin_memcpy(kept, ethernet->h_dest, ETH_ALEN);
    __builtin_memcpy(ethernet->h_dest, ethernet->h_source, ETH_ALEN);
    __builtin_memcpy(ethernet->h_source, kept, ETH_ALEN);
}

/* Parses Ethernet, IP and TCP (or UDP, whose header is shorter), swaps link and network addresses, sends it back. */
SEC("xdp")
int packet_floor(struct xdp_md *ctx)
{
    void *end = (void *)(long)ctx->data_end;
    struct ethhdr *ethernet = (void *)(long)ctx->data;

    if ((void *)(ethernet + 1) > end)
        return XDP_PASS;
    if (ethernet->h_proto == bpf_htons(ETH_P_IP)) {
        struct iphdr *ip = (void *)(ethernet + 1);
        struct tcphdr *tcp = (void *)(ip + 1);

        if ((void *)(tcp + 1) > end || ip->version != 4 || ip->ihl != 5)
            return XDP_PASS;
        if ((ip->protocol != IPPROTO_TCP && ip->protocol != IPPROTO_UDP) || !tcp->dest)
            return XDP_PASS;
        swap_words(&ip->saddr, &ip->daddr, 1);
    } else if (ethernet->h_proto == bpf_htons(ETH_P_IPV6)) {
        struct ipv6hdr *ip = (void *)(ethernet + 1);
        struct tcphdr *tcp = (void *)(ip + 1);

        if ((void *)(tcp + 1) > end || ip->version != 6)
            return XDP_PASS;
        if ((ip->nexthdr != IPPROTO_TCP && ip->nexthdr != IPPROTO_UDP) || !tcp->dest)
            return XDP_PASS;
        swap_words(ip->saddr.s6_addr32, ip->daddr.s6_addr32, 4);
    } else {
        return XDP_PASS;
    }
    swap_link_addresses(ethernet);
    return XDP_TX;
}
