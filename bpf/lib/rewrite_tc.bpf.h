/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Translating a packet in place, in TC: through helpers that know whether a checksum is finished. Later fragments have
 * no transport header to translate.
 */
#ifndef MARTLET_LIB_REWRITE_TC_H
#define MARTLET_LIB_REWRITE_TC_H

#include "frame_tc.bpf.h"

#include <stddef.h>

#include "checksum.bpf.h"
#include "crc32c.bpf.h"
#include "packet.bpf.h"

enum { SCTP_CHECKSUM_OFFSET = 8 };

/* Takes a hop off: for packets that we send on ourselves, past the kernel's forwarding. */
static __always_inline int take_hop(frame *f, const struct packet *packet)
{
    __u8 hops = packet->hops - 1;
    __be16 old_word, new_word;

    if (!packet->is_ipv4)
        return !frame_store_summed(f, packet->network + offsetof(struct ipv6hdr, hop_limit), &hops, sizeof(hops));
    /* TTL and protocol are one word of the checksum. */
    if (frame_load(f, packet->network + offsetof(struct iphdr, ttl), &old_word, sizeof(old_word)))
        return 0;
    new_word = old_word - bpf_htons(0x0100);
    if (bpf_l3_csum_replace(f, packet->network + offsetof(struct iphdr, check), old_word, new_word, sizeof(new_word)))
        return 0;
    return !frame_store(f, packet->network + offsetof(struct iphdr, ttl), &hops, sizeof(hops));
}

static __always_inline int translate_addresses(frame *f, const struct packet *packet, const struct dp_flow_key *to,
                                               __u32 difference)
{
    __be32 pair[2] = {to->source.words_be[3], to->destination.words_be[3]};

    if (packet->is_ipv4) {
        if (bpf_l3_csum_replace(f, packet->network + offsetof(struct iphdr, check), 0, difference, 0))
            return 0;
        return !frame_store(f, packet->network + offsetof(struct iphdr, saddr), pair, sizeof(pair));
    }
    /* Both addresses follow each other in the header, as they do in the tuple. */
    return !frame_store_summed(f, packet->network + offsetof(struct ipv6hdr, saddr), &to->source,
                               2 * sizeof(to->source));
}

_Static_assert(offsetof(struct dp_flow_key, destination) == sizeof(struct dp_address),
               "a tuple's addresses follow each other");

static __always_inline int translate_ports(frame *f, const struct packet *packet, const struct dp_flow_key *to,
                                           __u32 difference)
{
    int is_udp = packet->tuple.protocol == IPPROTO_UDP;
    __u32 checksum = packet->transport + (is_udp ? offsetof(struct udphdr, check) : offsetof(struct tcphdr, check));
    __be16 pair[2] = {to->source_port_be, to->destination_port_be};
    __u64 flags = is_udp ? BPF_F_MARK_MANGLED_0 : 0;
    __be16 present;

    if (difference && bpf_l4_csum_replace(f, checksum, 0, difference, flags | BPF_F_PSEUDO_HDR))
        return 0;
    if (bpf_l4_csum_replace(f, checksum, 0, port_difference(&packet->tuple, to), flags))
        return 0;
    /* A datagram without a checksum has nothing that makes up for its ports. */
    if (is_udp && (frame_load(f, checksum, &present, sizeof(present)) || !present))
        return !frame_store_summed(f, packet->transport, pair, sizeof(pair));
    return !frame_store(f, packet->transport, pair, sizeof(pair));
}

/* SCTP covers ports and no addresses; its checksum is of the whole packet, so that a part of one cannot be corrected. */
static __always_inline int translate_sctp_ports(frame *f, const struct packet *packet, const struct dp_flow_key *to)
{
    __be16 old_ports[2] = {packet->tuple.source_port_be, packet->tuple.destination_port_be};
    __be16 new_ports[2] = {to->source_port_be, to->destination_port_be};
    __u32 checksum, change = *(__u32 *)old_ports ^ *(__u32 *)new_ports;

    if (!change)
        return 1;
    if (packet->is_fragment || frame_load(f, packet->transport + SCTP_CHECKSUM_OFFSET, &checksum, sizeof(checksum)))
        return 0;
    checksum ^= crc32c_difference(change, packet->network + packet->length - packet->transport);
    return !frame_store_summed(f, packet->transport + SCTP_CHECKSUM_OFFSET, &checksum, sizeof(checksum)) &&
           !frame_store_summed(f, packet->transport, new_ports, sizeof(new_ports));
}

/* Gives a PACKET_FLOW another tuple. Zero: that cannot be done; the packet must not go on. */
static __always_inline int translate(frame *f, const struct packet *packet, const struct dp_flow_key *to)
{
    __u32 addresses = address_difference(&packet->tuple, to);

    if (packet->tuple.protocol == PROTOCOL_SCTP) {
        if (!packet->is_later_fragment && !translate_sctp_ports(f, packet, to))
            return 0;
    } else if (!packet->is_later_fragment && !translate_ports(f, packet, to, addresses)) {
        return 0;
    }
    return translate_addresses(f, packet, to, addresses);
}

#endif
