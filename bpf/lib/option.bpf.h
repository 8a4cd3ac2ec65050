/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * DSR without a tunnel (dispatch by option): a client's packet is sent to the backend's own address, and what the
 * client dialled is in an IPv4 option or an IPv6 destination option, right behind the fixed header. Numbers are those
 * that are set apart for experiments (RFC 4727): routers and hosts that do not know them ignore them.
 *
 * Packets that may open a flow carry it. Later TCP packets do not, and are marked with a fingerprint of their flow
 * instead, so that the backend's node can tell those of a flow that it does not know from a client's that dialled the
 * backend itself: in the IPv4 identification, which is free in a datagram that may not be fragmented (RFC 6864), or in
 * the IPv6 flow label. Where the identification is not free they carry the option as well.
 */
#ifndef MARTLET_LIB_OPTION_H
#define MARTLET_LIB_OPTION_H

#include <linux/ip.h>
#include <linux/ipv6.h>

#include <bpf/bpf_endian.h>

#include "checksum.bpf.h"
#include "packet.bpf.h"
#include "random.bpf.h"

/* Copied into fragments, class 0, number 30; skipped by who does not know it, unchanging, number 30. */
enum { DISPATCH_OPTION_IPV4 = 0x9e, DISPATCH_OPTION_IPV6 = 0x1e };

struct dispatch_option_ipv4 {
    __u8 kind;
    __u8 length; /* of all of it */
    __be16 port_be;
    __be32 address_be;
};

/* A whole extension header. */
struct dispatch_option_ipv6 {
    __u8 next;
    __u8 length;        /* in 8 octets, the first not counted */
    __u8 kind;
    __u8 option_length; /* of address and port */
    struct dp_address address;
    __be16 port_be;
    __u8 pad_kind; /* PadN of none: two octets */
    __u8 pad_length;
};

enum { DISPATCH_LENGTH_IPV6 = 2, DISPATCH_OPTION_LENGTH_IPV6 = 18, OPTION_PAD_N = 1 };

_Static_assert(sizeof(struct dispatch_option_ipv4) == 8 && sizeof(struct dispatch_option_ipv6) == 24,
               "both are whole units of their headers");

static __always_inline __u32 dispatch_option_size(int is_ipv4)
{
    return is_ipv4 ? sizeof(struct dispatch_option_ipv4) : sizeof(struct dispatch_option_ipv6);
}

static __always_inline struct dispatch_option_ipv4 dispatch_option_ipv4(const struct dp_flow_key *dialled)
{
    struct dispatch_option_ipv4 option = {
        .kind = DISPATCH_OPTION_IPV4,
        .length = sizeof(option),
        .port_be = dialled->destination_port_be,
        .address_be = dialled->destination.words_be[3],
    };

    return option;
}

static __always_inline struct dispatch_option_ipv6 dispatch_option_ipv6(const struct dp_flow_key *dialled, __u8 next)
{
    struct dispatch_option_ipv6 option = {
        .next = next,
        .length = DISPATCH_LENGTH_IPV6,
        .kind = DISPATCH_OPTION_IPV6,
        .option_length = DISPATCH_OPTION_LENGTH_IPV6,
        .address = dialled->destination,
        .port_be = dialled->destination_port_be,
        .pad_kind = OPTION_PAD_N,
    };

    return option;
}

/* Makes the header that of a packet which begins with the option. The option's own words count in its checksum. */
static __always_inline void announce_option_ipv4(struct iphdr *ip, const struct dispatch_option_ipv4 *option)
{
    __u16 length = bpf_ntohs(ip->tot_len) + sizeof(*option);
    __u64 sum = (__u64)(__u16)~ip->check + (__u16)~ip->tot_len + bpf_htons(length) +
                bpf_htons(sizeof(*option) / 4 << 8) + bpf_htons(DISPATCH_OPTION_IPV4 << 8 | sizeof(*option)) +
                option->port_be + option->address_be;

    *(__u8 *)ip += sizeof(*option) / 4;
    ip->tot_len = bpf_htons(length);
    ip->check = ~sum_fold16(sum);
}

static __always_inline void announce_option_ipv6(struct ipv6hdr *ip)
{
    ip->payload_len = bpf_htons(bpf_ntohs(ip->payload_len) + sizeof(struct dispatch_option_ipv6));
    ip->nexthdr = IPPROTO_DSTOPTS;
}

/* The header without the option, which has been taken out. */
static __always_inline void retract_option_ipv4(struct iphdr *ip, const struct dispatch_option_ipv4 *option)
{
    __u16 length = bpf_ntohs(ip->tot_len) - sizeof(*option);
    __u64 sum = (__u64)(__u16)~ip->check + (__u16)~ip->tot_len + bpf_htons(length) +
                (__u16)~bpf_htons(sizeof(*option) / 4 << 8) +
                (__u16)~bpf_htons(DISPATCH_OPTION_IPV4 << 8 | sizeof(*option)) + (__u16)~option->port_be +
                (__u32)~option->address_be;

    *(__u8 *)ip -= sizeof(*option) / 4;
    ip->tot_len = bpf_htons(length);
    ip->check = ~sum_fold16(sum);
}

static __always_inline void retract_option_ipv6(struct ipv6hdr *ip, const struct dispatch_option_ipv6 *option)
{
    ip->payload_len = bpf_htons(bpf_ntohs(ip->payload_len) - sizeof(*option));
    ip->nexthdr = option->next;
}

static __always_inline __u32 fingerprint(const struct dp_flow_key *rewritten)
{
    const __u32 *source = rewritten->source.words_be, *destination = rewritten->destination.words_be;
    __u64 sum = ((__u64)source[0] << 32 | source[1]) * 0x9e3779b97f4a7c15ull;

    sum ^= ((__u64)source[2] << 32 | source[3]) * 0xd6e8feb86659fd93ull;
    sum += ((__u64)destination[0] << 32 | destination[1]) * 0xff51afd7ed558ccdull;
    sum ^= ((__u64)destination[2] << 32 | destination[3]) * 0xc4ceb9fe1a85ec53ull;
    return mix(sum + ((__u64)rewritten->source_port_be << 16 | rewritten->destination_port_be));
}

/* The identification of a marked packet: never zero, which many senders use throughout (RFC 6864). */
static __always_inline __be16 mark_ipv4(const struct dp_flow_key *rewritten)
{
    return fingerprint(rewritten) | 1;
}

/* The flow label, in its place of the header's first word: never zero, which senders without labels use. */
static __always_inline __be32 mark_ipv6(const struct dp_flow_key *rewritten)
{
    return bpf_htonl((fingerprint(rewritten) & 0xfffff) | 1);
}

#define FLOW_LABEL_MASK_BE bpf_htonl(0xfffff)
#define DONT_FRAGMENT_BE bpf_htons(0x4000)

/*
 * Whether a packet has to carry the option: all but TCP packets that open nothing, and of these the ones that cannot be
 * marked.
 */
static __always_inline int carries_option(const struct packet *packet, int may_be_marked)
{
    return !packet->is_later_fragment && (is_opening(packet) || !may_be_marked);
}

#endif
