/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Clamping the MSS that a backend offers (RFC 9293, 3.7.1) so that its client's segments fit into the tunnel that they
 * come through. Only the client's direction is tunnelled, so only the backend's SYN-ACK says what has to change.
 */
#ifndef MARTLET_LIB_MSS_H
#define MARTLET_LIB_MSS_H

#include "flow.bpf.h"
#include "route.bpf.h"
#include "rewrite_tc.bpf.h"
#include "tunnel.bpf.h"

enum { TCP_OPTION_END = 0, TCP_OPTION_NOP = 1, TCP_OPTION_MSS = 2 };

/* Options that are looked through; hosts send MSS as the first. */
#define TCP_OPTIONS_MAX 10

/* Where the MSS option's value is; zero: there is none. */
static __always_inline __u32 find_mss(frame *f, const struct packet *packet)
{
    __u32 place = packet->transport + sizeof(struct tcphdr), end;
    __u8 offset;

    if (frame_load(f, packet->transport + TCP_FLAGS_OFFSET - 1, &offset, 1))
        return 0;
    end = packet->transport + (offset >> 4) * 4;
    for (int count = 0; count < TCP_OPTIONS_MAX && place + 4 <= end; count++) {
        __u8 option[2];

        if (frame_load(f, place, option, sizeof(option)) || option[0] == TCP_OPTION_END)
            return 0;
        if (option[0] == TCP_OPTION_MSS)
            return option[1] == 4 ? place + 2 : 0;
        place += option[0] == TCP_OPTION_NOP ? 1 : option[1];
        if (option[0] != TCP_OPTION_NOP && option[1] < 2)
            return 0;
    }
    return 0;
}

/* For a SYN or SYN-ACK that leaves by the device at hand. What cannot be read is left as it is. */
__noinline int clamp_mss(frame *f, const struct packet *packet)
{
    struct dp_device *device = device_of(frame_interface(f));
    __u32 place, headers;
    __be16 offered, most;

    if (!packet || !device || packet->tuple.protocol != IPPROTO_TCP || !(packet->tcp_flags & TCP_BIT_SYN) ||
        packet->is_later_fragment)
        return 0;
    headers = 2 * tunnel_header_size(packet->is_ipv4) + sizeof(struct tcphdr);
    if (device->mtu <= headers)
        return 0;
    place = find_mss(f, packet);
    if (!place || frame_load(f, place, &offered, sizeof(offered)))
        return 0;
    most = bpf_htons(device->mtu - headers);
    if (bpf_ntohs(offered) <= bpf_ntohs(most))
        return 0;
    /* An option may begin at any octet; at an odd one its value counts with its octets exchanged. */
    if ((place - packet->transport) & 1)
        bpf_l4_csum_replace(f, packet->transport + offsetof(struct tcphdr, check), __builtin_bswap16(offered),
                            __builtin_bswap16(most), sizeof(most));
    else
        bpf_l4_csum_replace(f, packet->transport + offsetof(struct tcphdr, check), offered, most, sizeof(most));
    return frame_store(f, place, &most, sizeof(most));
}

#endif
