/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the agent decides when it loads the packet programs; as config.bpf.h is for the socket hooks. */
#ifndef MARTLET_LIB_PACKET_CONFIG_H
#define MARTLET_LIB_PACKET_CONFIG_H

#include <linux/types.h>

/* Source ports for masqueraded flows, host order: outside of the NodePort and ephemeral ranges, and reserved. */
const volatile __u16 snat_first_port = 61000;
const volatile __u16 snat_port_count = 4536;

/*
 * Outer source addresses of tunnels: the bits of a flow's hash that are not in the prefix are put in, so that receivers
 * spread flows over their queues. Zero length: the way out's own address.
 */
const volatile __u32 tunnel_source_ipv4_be = 0;
const volatile __u8 tunnel_source_ipv4_bits = 0;
const volatile __u32 tunnel_source_ipv6_be[4] = {0, 0, 0, 0};
const volatile __u8 tunnel_source_ipv6_bits = 0;

/* DSR packets go to other nodes with an option (option.bpf.h) instead of in tunnels. Both are always understood. */
const volatile __u8 dispatch_by_option = 0;

/* How long flows are remembered without a packet, in seconds. */
const volatile __u32 tcp_established_s = 86400;
const volatile __u32 tcp_opening_s = 60;
const volatile __u32 tcp_closing_s = 60;
const volatile __u32 datagram_opening_s = 30;
const volatile __u32 datagram_stream_s = 180;

#endif
