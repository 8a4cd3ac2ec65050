/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Translating an ICMP error (ICMP-1): its own addresses, and the header of the packet that it is about, so that whoever
 * receives it recognises what it has sent. Every checksum in it stays right, that of the embedded transport header
 * included where it is there.
 */
#ifndef MARTLET_LIB_REWRITE_ERROR_H
#define MARTLET_LIB_REWRITE_ERROR_H

#include "flow.bpf.h"
#include "packet_rare.bpf.h"
#include "rewrite_tc.bpf.h"

/* A ones' complement difference with the opposite sign. */
static __always_inline __u32 opposite(__u32 difference)
{
    return (__u16)~sum_fold16(difference);
}

/* How long the embedded transport part was when it was sent: an error quotes only the beginning of it. */
static __always_inline __u32 embedded_message_length(frame *f, const struct packet *packet)
{
    __u32 place = packet->embedded +
                  (packet->is_ipv4 ? offsetof(struct iphdr, tot_len) : offsetof(struct ipv6hdr, payload_len));
    __u32 header = packet->embedded_transport - packet->embedded;
    __be16 length;

    if (frame_load(f, place, &length, sizeof(length)))
        return 0;
    return (__u16)(bpf_ntohs(length) + (packet->is_ipv4 ? 0 : sizeof(struct ipv6hdr)) - header);
}

/* As translate_embedded_checksum(), for SCTP. */
static __always_inline __u32 translate_embedded_sctp(frame *f, const struct packet *packet,
                                                     const struct dp_flow_key *to)
{
    __be16 old_ports[2] = {packet->tuple.destination_port_be, packet->tuple.source_port_be};
    __be16 new_ports[2] = {to->destination_port_be, to->source_port_be};
    __u32 change = *(__u32 *)old_ports ^ *(__u32 *)new_ports;
    __u32 place = packet->embedded_transport + SCTP_CHECKSUM_OFFSET;
    __u32 before, after;

    if (place + sizeof(before) > packet->network + packet->length || frame_load(f, place, &before, sizeof(before)))
        return 0;
    after = before ^ crc32c_difference(change, embedded_message_length(f, packet));
    return frame_store(f, place, &after, sizeof(after)) ? 0 : sum_fold32((__u64)(__u32)~before + after);
}

/*
 * Corrects the embedded transport checksum for `difference`, if the error holds it; what that and the ports change in
 * the ICMP checksum is returned.
 */
static __always_inline __u32 translate_embedded_checksum(frame *f, const struct packet *packet,
                                                         const struct dp_flow_key *to, __u32 difference)
{
    int is_udp = packet->tuple.protocol == IPPROTO_UDP;
    __u32 field = is_udp ? offsetof(struct udphdr, check) : offsetof(struct tcphdr, check);
    __u32 place = packet->embedded_transport + field;
    __be16 checksum;

    if (packet->tuple.protocol == PROTOCOL_SCTP)
        return translate_embedded_sctp(f, packet, to);
    if (place + 2 > packet->network + packet->length || frame_load(f, place, &checksum, sizeof(checksum)))
        return 0;
    if (packet->tuple.protocol == IPPROTO_UDP && !checksum)
        return 0;
    checksum = checksum_after(checksum, difference);
    return frame_store(f, place, &checksum, sizeof(checksum)) ? 0 : opposite(difference);
}

static __always_inline int translate_embedded_addresses(frame *f, const struct packet *packet,
                                                        const struct dp_flow_key *embedded, __u32 difference)
{
    __be32 pair[2] = {embedded->source.words_be[3], embedded->destination.words_be[3]};

    if (!packet->is_ipv4)
        return !frame_store(f, packet->embedded + offsetof(struct ipv6hdr, saddr), &embedded->source,
                            2 * sizeof(embedded->source));
    if (bpf_l3_csum_replace(f, packet->embedded + offsetof(struct iphdr, check), 0, difference, 0))
        return 0;
    return !frame_store(f, packet->embedded + offsetof(struct iphdr, saddr), pair, sizeof(pair));
}

/* The addresses of the error itself: it goes to the translated destination; its source changes if it is the peer's. */
static __always_inline int translate_outer(frame *f, const struct packet *packet, const struct dp_flow_key *to,
                                           __u32 *difference)
{
    struct flow_draft *draft = flow_draft();
    struct dp_flow_key *from, *onward;

    if (!draft)
        return 0;
    from = &draft->key;
    onward = &draft->reply_key;
    if (packet->is_ipv4) {
        __be32 pair[2];

        if (frame_load(f, packet->network + offsetof(struct iphdr, saddr), pair, sizeof(pair)))
            return 0;
        from->source = address_from_ipv4(pair[0]);
        from->destination = address_from_ipv4(pair[1]);
    } else if (frame_load(f, packet->network + offsetof(struct ipv6hdr, saddr), &from->source,
                          2 * sizeof(from->source))) {
        return 0;
    }
    onward->source = address_equals(&from->source, &packet->tuple.source) ? to->source : from->source;
    onward->destination = to->destination;
    *difference = address_difference(from, onward);
    return translate_addresses(f, packet, onward, *difference);
}

/* Gives a PACKET_ERROR another tuple. Zero: the kernel refused; the packet must not go on. */
__noinline int translate_error(frame *f, struct packet *packet, struct dp_flow_key *to)
{
    struct dp_flow_key embedded;
    __u32 addresses, ports, outer, change;
    __be16 pair[2];
    __u32 checksum;

    if (!packet || !to)
        return 0;
    embedded = turned_round(to);
    addresses = address_difference(&packet->tuple, to);
    ports = port_difference(&packet->tuple, to);
    checksum = packet->transport + offsetof(struct icmp_header, checksum);
    change = sum_fold32((__u64)ports +
                        translate_embedded_checksum(f, packet, to, sum_fold32((__u64)addresses + ports)));
    pair[0] = embedded.source_port_be;
    pair[1] = embedded.destination_port_be;
    if (frame_store(f, packet->embedded_transport, pair, sizeof(pair)))
        return 0;
    if (!translate_embedded_addresses(f, packet, &embedded, addresses) || !translate_outer(f, packet, to, &outer))
        return 0;
    /* An IPv4 header's own checksum makes up for its addresses; ICMP for IPv6 covers the outer addresses as well. */
    if (!packet->is_ipv4) {
        change = sum_fold32((__u64)change + addresses);
        if (bpf_l4_csum_replace(f, checksum, 0, outer, BPF_F_PSEUDO_HDR))
            return 0;
    }
    return !bpf_l4_csum_replace(f, checksum, 0, change, 0);
}

#endif
