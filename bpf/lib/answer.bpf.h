/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Answers that the datapath makes itself, out of the packet that they answer: a TCP reset, an ICMP error, an echo
 * reply. They leave by the device that the packet came in by, to the link address that it came from. Why the packet is
 * refused has been counted before; PACKET_IS_DROPPED here: there is to be no answer.
 *
 * A checksum may be unfinished (CHECKSUM_PARTIAL): the field holds the sum over the pseudo header alone, and the kernel
 * sums up the rest when the frame leaves. The kernel does not tell; the field itself does, but for one in 65,536.
 */
#ifndef MARTLET_LIB_ANSWER_H
#define MARTLET_LIB_ANSWER_H

#include "packet_rare.bpf.h"
#include "rewrite_tc.bpf.h"

#define ANSWER_HOPS 64

/* What of the refused packet's transport part an error carries: more than the 8 octets of RFC 792, as hosts do. */
#define QUOTED_TRANSPORT_MAX 64

/*
 * Keeps the compiler from merging the comparisons of a number before and after it into one that verifiers cannot
 * follow: up to Linux 6.12 a range that was tested as one, after a subtraction, counts for nothing.
 */
#define VERIFIER_SEES(number) asm volatile("" : "+r"(number))

/* The pseudo header's sum (RFC 9293 3.1, RFC 8200 8.1): the same for both directions. */
static __always_inline __u64 pseudo_sum(const struct dp_flow_key *tuple, __u32 length, __u8 protocol, int is_ipv4)
{
    __u64 sum = bpf_htons(length) + bpf_htons(protocol);

    if (is_ipv4)
        return sum + tuple->source.words_be[3] + tuple->destination.words_be[3];
    return sum + sum_address(&tuple->source) + sum_address(&tuple->destination);
}

static __always_inline int swap_link_addresses(frame *f)
{
    __u8 addresses[2 * ETH_ALEN], swapped[2 * ETH_ALEN];

    if (!link_header_bytes)
        return 1;
    if (frame_load(f, 0, addresses, sizeof(addresses)))
        return 0;
    __builtin_memcpy(swapped, addresses + ETH_ALEN, ETH_ALEN);
    __builtin_memcpy(swapped + ETH_ALEN, addresses, ETH_ALEN);
    return !frame_store(f, 0, swapped, sizeof(swapped));
}

/* Turns the IP header round, for a packet whose IP length is now `length`. */
static __always_inline int turn_network_header(frame *f, const struct packet *packet, __u32 length)
{
    struct iphdr ip;
    struct ipv6hdr ip6;

    if (packet->is_ipv4) {
        __be16 old_length, new_length = bpf_htons(length);
        __be32 pair[2] = {packet->tuple.destination.words_be[3], packet->tuple.source.words_be[3]};
        __u32 change;

        if (frame_load(f, packet->network, &ip, sizeof(ip)))
            return 0;
        old_length = ip.tot_len;
        change = (__u32)(__u16)~old_length + new_length + (__u16)~bpf_htons(ip.ttl << 8) + bpf_htons(ANSWER_HOPS << 8);
        ip.tot_len = new_length;
        ip.ttl = ANSWER_HOPS;
        ip.check = checksum_after(ip.check, change);
        ip.saddr = pair[0];
        ip.daddr = pair[1];
        return !frame_store(f, packet->network, &ip, sizeof(ip));
    }
    if (frame_load(f, packet->network, &ip6, sizeof(ip6)))
        return 0;
    ip6.payload_len = bpf_htons(length - sizeof(ip6));
    ip6.hop_limit = ANSWER_HOPS;
    __builtin_memcpy(&ip6.saddr, &packet->tuple.destination, 16);
    __builtin_memcpy(&ip6.daddr, &packet->tuple.source, 16);
    return !frame_store(f, packet->network, &ip6, sizeof(ip6));
}

static __always_inline int send_back(frame *f)
{
    if (!swap_link_addresses(f))
        return PACKET_FAILS;
    return bpf_redirect(f->ifindex, 0) == TC_ACT_REDIRECT ? PACKET_IS_SENT : PACKET_FAILS;
}

/* Makes the packet the reset that answers it (RFC 9293, 3.10.7.1). A reset is not answered. */
__noinline int answer_with_reset(frame *f, struct packet *packet)
{
    struct tcphdr tcp, reset = {};
    __u32 header, segment;
    __u64 pseudo;
    int is_unfinished;

    if (!packet)
        return PACKET_FAILS;
    if (packet->is_fragment || packet->tcp_flags & TCP_BIT_RST)
        return PACKET_IS_DROPPED;
    if (frame_load(f, packet->transport, &tcp, sizeof(tcp)))
        return PACKET_FAILS;
    header = packet->transport - packet->network;
    segment = packet->length - header - tcp.doff * 4 + tcp.syn + tcp.fin;
    pseudo = pseudo_sum(&packet->tuple, packet->length - header, IPPROTO_TCP, packet->is_ipv4);
    is_unfinished = tcp.check == sum_fold16(pseudo);
    reset.source = tcp.dest;
    reset.dest = tcp.source;
    reset.doff = sizeof(reset) / 4;
    reset.rst = 1;
    if (tcp.ack) {
        reset.seq = tcp.ack_seq;
    } else {
        reset.ack = 1;
        reset.ack_seq = bpf_htonl(bpf_ntohl(tcp.seq) + segment);
    }
    pseudo = pseudo_sum(&packet->tuple, sizeof(reset), IPPROTO_TCP, packet->is_ipv4);
    if (is_unfinished)
        reset.check = sum_fold16(pseudo);
    else
        reset.check = ~sum_fold16(pseudo + (__u32)bpf_csum_diff(0, 0, (void *)&reset, sizeof(reset), 0));
    if (bpf_skb_change_tail(f, packet->transport + sizeof(reset), 0))
        return PACKET_FAILS;
    if (frame_store(f, packet->transport, &reset, sizeof(reset)) ||
        !turn_network_header(f, packet, header + sizeof(reset)))
        return PACKET_FAILS;
    return send_back(f);
}

/* Makes an echo request the reply to it. */
__noinline int answer_echo(frame *f, struct packet *packet)
{
    __be16 request, reply;

    if (!packet)
        return PACKET_FAILS;
    request = packet->is_ipv4 ? bpf_htons(ICMP_ECHO_REQUEST << 8) : bpf_htons(ICMP6_ECHO_REQUEST << 8);
    reply = packet->is_ipv4 ? bpf_htons(ICMP_ECHO_REPLY << 8) : bpf_htons(ICMP6_ECHO_REPLY << 8);
    if (bpf_l4_csum_replace(f, packet->transport + offsetof(struct icmp_header, checksum), request, reply,
                            sizeof(reply)))
        return PACKET_FAILS;
    if (frame_store(f, packet->transport, &reply, sizeof(reply)) || !turn_network_header(f, packet, packet->length))
        return PACKET_FAILS;
    return send_back(f);
}

/* The sum of the quoted transport part as it will be when the frame has left. */
static __always_inline __u32 quoted_sum(frame *f, const struct packet *packet, __u32 place, __u32 length)
{
    __u8 quoted[QUOTED_TRANSPORT_MAX] = {};
    __u32 header = packet->transport - packet->network;
    __u16 field = 0;

    if (length < 1 || length > sizeof(quoted))
        return 0;
    /* Linux 6.1 does not learn from a comparison with zero. */
    length -= 1;
    VERIFIER_SEES(length);
    length = (length & (sizeof(quoted) - 1)) + 1;
    if (frame_load(f, place, quoted, length))
        return 0;
    if (packet->tuple.protocol == IPPROTO_UDP && length >= 8)
        field = *(__u16 *)(quoted + offsetof(struct udphdr, check));
    else if (packet->tuple.protocol == IPPROTO_TCP && length >= 18)
        field = *(__u16 *)(quoted + offsetof(struct tcphdr, check));
    /* The kernel will make the checksum such that the whole part sums up to the opposite of the field. */
    if (field && field == sum_fold16(pseudo_sum(&packet->tuple, packet->length - header, packet->tuple.protocol,
                                                packet->is_ipv4)))
        return (__u16)~field;
    return bpf_csum_diff(0, 0, (void *)quoted, sizeof(quoted), 0);
}

/* What an error says. */
struct icmp_error {
    __u8 type;
    __u8 code;
    __be16 mtu_be; /* of "fragmentation needed"; its IPv6 form has 32 bits, the upper of which are zero */
};

static __always_inline int write_error_ipv4(frame *f, const struct packet *packet, const struct icmp_error *error,
                                            __u32 quoted_length)
{
    struct {
        struct iphdr ip;
        struct icmp_header icmp;
    } head = {};
    __u32 place = packet->network + sizeof(head), header = packet->transport - packet->network;
    __u32 sum = quoted_sum(f, packet, place + header, quoted_length);
    __u8 ip[60] = {};

    /* The quoted IP header sums up to nothing, unless it was wrong. */
    VERIFIER_SEES(header);
    if (header > sizeof(ip))
        return 0;
    VERIFIER_SEES(header);
    if (header < sizeof(struct iphdr) || frame_load(f, place, ip, header))
        return 0;
    head.ip.version = 4;
    head.ip.ihl = 5;
    head.ip.tot_len = bpf_htons(sizeof(head) + header + quoted_length);
    head.ip.ttl = ANSWER_HOPS;
    head.ip.protocol = IPPROTO_ICMP;
    head.ip.saddr = packet->tuple.destination.words_be[3];
    head.ip.daddr = packet->tuple.source.words_be[3];
    head.ip.check = ~sum_fold16((__u32)bpf_csum_diff(0, 0, (void *)&head.ip, sizeof(head.ip), 0));
    head.icmp.type = error->type;
    head.icmp.code = error->code;
    head.icmp.mtu_be = error->mtu_be;
    sum = bpf_csum_diff(0, 0, (void *)ip, sizeof(ip), sum);
    head.icmp.checksum = ~sum_fold16((__u32)bpf_csum_diff(0, 0, (void *)&head.icmp, sizeof(head.icmp), sum));
    return !frame_store(f, packet->network, &head, sizeof(head));
}

static __always_inline int write_error_ipv6(frame *f, const struct packet *packet, const struct icmp_error *error,
                                            __u32 quoted_length)
{
    struct {
        struct ipv6hdr ip;
        struct icmp_header icmp;
    } head = {};
    __u32 place = packet->network + sizeof(head);
    __u32 length = sizeof(head.icmp) + sizeof(struct ipv6hdr) + quoted_length;
    __u32 sum = quoted_sum(f, packet, place + sizeof(struct ipv6hdr), quoted_length);
    __u8 ip[sizeof(struct ipv6hdr)];

    if (frame_load(f, place, ip, sizeof(ip)))
        return 0;
    head.ip.version = 6;
    head.ip.payload_len = bpf_htons(length);
    head.ip.nexthdr = IPPROTO_ICMPV6;
    head.ip.hop_limit = ANSWER_HOPS;
    __builtin_memcpy(&head.ip.saddr, &packet->tuple.destination, 16);
    __builtin_memcpy(&head.ip.daddr, &packet->tuple.source, 16);
    head.icmp.type = error->type;
    head.icmp.code = error->code;
    head.icmp.mtu_be = error->mtu_be;
    sum = bpf_csum_diff(0, 0, (void *)ip, sizeof(ip), sum);
    sum = bpf_csum_diff(0, 0, (void *)&head.icmp, sizeof(head.icmp), sum);
    head.icmp.checksum =
        ~sum_fold16(pseudo_sum(&packet->tuple, length, IPPROTO_ICMPV6, 0) + sum);
    return !frame_store(f, packet->network, &head, sizeof(head));
}

/*
 * Makes the packet an ICMP error about itself, from the address that it was sent to. Later fragments are not answered
 * (RFC 1122, 3.2.2), nor are packets with extension headers, which nobody could quote in place.
 */
__noinline int answer_with_error(frame *f, struct packet *packet, struct icmp_error *error)
{
    __u32 header, quoted_length, grown;

    if (!packet || !error)
        return PACKET_FAILS;
    if (packet->is_later_fragment || packet->kind == PACKET_ERROR)
        return PACKET_IS_DROPPED;
    header = packet->transport - packet->network;
    if (packet->transport < packet->network || header > 60 || (!packet->is_ipv4 && header != sizeof(struct ipv6hdr)))
        return PACKET_IS_DROPPED;
    quoted_length = packet->length - header;
    if (quoted_length > QUOTED_TRANSPORT_MAX)
        quoted_length = QUOTED_TRANSPORT_MAX;
    grown = packet->is_ipv4 ? sizeof(struct iphdr) + sizeof(struct icmp_header)
                            : sizeof(struct ipv6hdr) + sizeof(struct icmp_header);
    if (bpf_skb_change_tail(f, packet->transport + quoted_length, 0) ||
        bpf_skb_adjust_room(f, grown, BPF_ADJ_ROOM_MAC, 0))
        return PACKET_FAILS;
    if (!(packet->is_ipv4 ? write_error_ipv4(f, packet, error, quoted_length)
                          : write_error_ipv6(f, packet, error, quoted_length)))
        return PACKET_FAILS;
    return send_back(f);
}

/* Refuses a packet at once: a reset for TCP, port unreachable for everything else (REJ-4). */
static __always_inline int answer_with_refusal(frame *f, struct packet *packet)
{
    struct icmp_error error = {
        .type = packet->is_ipv4 ? ICMP_UNREACHABLE : ICMP6_UNREACHABLE,
        .code = packet->is_ipv4 ? ICMP_CODE_PORT_UNREACHABLE : ICMP6_CODE_PORT_UNREACHABLE,
    };

    if (packet->kind == PACKET_FLOW && packet->tuple.protocol == IPPROTO_TCP)
        return answer_with_reset(f, packet);
    return answer_with_error(f, packet, &error);
}

/* Says that a packet does not fit where it has to go (RFC 1191, RFC 4443 3.2). */
static __always_inline int answer_with_mtu(frame *f, struct packet *packet)
{
    struct icmp_error error = {
        .type = packet->is_ipv4 ? ICMP_UNREACHABLE : ICMP6_TOO_BIG,
        .code = packet->is_ipv4 ? ICMP_CODE_FRAGMENTATION_NEEDED : 0,
        .mtu_be = bpf_htons(packet->onward.mtu),
    };

    return answer_with_error(f, packet, &error);
}

#endif
