/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Connections that were there before us and that the kernel's connection tracking goes on translating (decision 16):
 * both hooks pass their packets up untouched, whatever their frontends say. Without any, it costs one look at an array.
 */
#ifndef MARTLET_LIB_KERNEL_FLOW_H
#define MARTLET_LIB_KERNEL_FLOW_H

#include "handover.bpf.h"
#include "hint.bpf.h"
#include "observe.bpf.h"
#include "packet.bpf.h"
#include "packet_maps.bpf.h"

/*
 * Whether the kernel has the connection of a packet that has ports. A client that opens a connection from the ports of
 * one that it has had an answer on has forgotten that one, and so do we; a flow without connections is over when the
 * kernel has forgotten it.
 */
static __noinline int has_kernel_flow(const struct packet *packet)
{
    struct dp_kernel_flow *flow;
    __u64 now_ns, expires_ns;

    if (!packet)
        return 0;
    flow = bpf_map_lookup_elem(&kernel_flows, &packet->tuple);
    if (!flow)
        return 0;
    if (flow->flags & DP_KERNEL_FLOW_REPLY)
        return 1;
    if (packet->tuple.protocol == IPPROTO_TCP) {
        if (!is_opening(packet)) {
            flow->flags |= DP_KERNEL_FLOW_OPEN;
            return 1;
        }
        if (!(flow->flags & DP_KERNEL_FLOW_OPEN))
            return 1;
        bpf_map_delete_elem(&kernel_flows, &packet->tuple);
        return 0;
    }
    now_ns = bpf_ktime_get_coarse_ns();
    if (now_ns > flow->expires_ns) {
        bpf_map_delete_elem(&kernel_flows, &packet->tuple);
        return 0;
    }
    expires_ns = now_ns + flow->patience_s * NANOSECONDS_PER_SECOND;
    if (packet->kind == PACKET_FLOW && expires_ns > flow->expires_ns)
        flow->expires_ns = expires_ns;
    return 1;
}

static __always_inline int is_left_to_kernel(const struct packet *packet)
{
    return rarely(handover_flags() & DP_HANDOVER_HOLDING) && has_kernel_flow(packet);
}

/*
 * Whether a packet without any record is of a connection that has not been recorded yet: while records are being made,
 * and frontends that had none before are being served, it opens nothing and so is not ours.
 */
static __always_inline int may_be_kernels(const struct packet *packet)
{
    return packet->tuple.protocol == IPPROTO_TCP && !is_opening(packet) &&
           handover_flags() & DP_HANDOVER_BEGINNING;
}

#endif
