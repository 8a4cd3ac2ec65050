/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Proof that both compilers see the same bytes: this file is compiled for the host (as the Swift target CDatapathABI)
 * and for BPF (`make check`). Each struct: its exact size, and the offset of its last member.
 */
#include <stddef.h>

#include "frontends.h"
#include "handover.h"
#include "observe.h"
#include "packets.h"
#include "sockets.h"
#include "types.h"

#define CHECK(type, size, last, offset)                                            \
    _Static_assert(sizeof(struct type) == (size), "size of struct " #type);        \
    _Static_assert(offsetof(struct type, last) == (offset), "offset of " #type "." #last)

CHECK(dp_address, 16, words_be, 0);
CHECK(dp_frontend_key, 20, pad, 19);
CHECK(dp_choice, 20, pad, 18);
CHECK(dp_frontend, 72, previous, 52);
CHECK(dp_placed_frontend, 128, pad, 92);
CHECK(dp_backend, 24, weight, 20);
CHECK(dp_service, 200, pad, 193);
CHECK(dp_node_port_key, 4, family, 3);
CHECK(dp_source_range, 24, client, 8);
CHECK(dp_prefix, 20, address, 4);
CHECK(dp_connection, 64, elsewhere, 60);
CHECK(dp_udp_peer, 48, is_shadowed, 44);
CHECK(dp_udp_page_key, 16, pad, 12);
CHECK(dp_udp_page, 192, peers, 0);
CHECK(dp_affinity_key, 24, kind, 22);
CHECK(dp_affinity, 16, position, 12);
CHECK(dp_service_counters, 32, bytes, 24);
CHECK(dp_event, 112, command, 96);
CHECK(dp_event_switch, 16, pad, 12);
CHECK(dp_event_budget, 16, spent, 8);
CHECK(dp_capture_switch, 64, services, 32);
CHECK(dp_capture, 48, pad, 47);
CHECK(dp_contract, 8, pad, 4);
CHECK(dp_flow_key, 40, pad, 37);
CHECK(dp_flow, 96, timer, 80);
CHECK(dp_way_out, 32, pad, 28);
CHECK(dp_flow_reply, 104, way, 72);
CHECK(dp_device, 40, mtu, 36);
CHECK(dp_handover, 8, pad, 4);
CHECK(dp_kernel_flow, 16, flags, 12);
CHECK(dp_node, 64, pod_mask_ipv6, 48);
CHECK(dp_next_hop, 64, source, 48);
CHECK(dp_fragment_key, 40, pad, 37);
CHECK(dp_fragment, 4, destination_port_be, 2);
