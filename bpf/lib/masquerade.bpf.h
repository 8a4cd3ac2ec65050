/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Source ports of masqueraded flows: none that another flow has towards the same backend, and none that a socket of
 * this node has, whose replies we would take away. The range is reserved with the kernel besides, so that sockets get
 * none of it unless they ask for it; SCTP's cannot be looked up here, and has the reservation alone.
 */
#ifndef MARTLET_LIB_MASQUERADE_H
#define MARTLET_LIB_MASQUERADE_H

#include "flow.bpf.h"
#include "handover.bpf.h"

static __always_inline int is_masquerade_port(__u16 port_be)
{
    return (__u16)(bpf_ntohs(port_be) - snat_first_port) < snat_port_count;
}

/*
 * Whether a packet to a frontend is the reply to a masqueraded flow instead: a NodePort may have a number of the range,
 * where the operator has made them overlap.
 */
static __always_inline int is_reply_to_flow(const struct packet *packet)
{
    struct dp_flow_reply *reply;

    if (usually(!is_masquerade_port(packet->tuple.destination_port_be)))
        return 0;
    reply = bpf_map_lookup_elem(&flow_replies, &packet->tuple);
    return reply && reply->seen & DP_FLOW_MASQUERADED;
}

/* Whether a packet from the backend to the flow's source would be of a connection that the kernel translates. */
static __always_inline int is_for_kernel_flow(const struct flow_request *request, int protocol)
{
    struct flow_draft *draft = flow_draft();
    struct dp_flow_key *reply;

    if (!draft)
        return 0;
    reply = &draft->reply_key;
    __builtin_memset(reply, 0, sizeof(*reply));
    reply->source = request->backend;
    reply->destination = request->source;
    reply->source_port_be = request->backend_port_be;
    reply->destination_port_be = request->source_port_be;
    reply->protocol = protocol;
    return bpf_map_lookup_elem(&kernel_flows, reply) != 0;
}

/*
 * Whether a packet from the backend to the flow's source would be a socket's of this node, or of a connection that is
 * left to the kernel. Out of line: callers have little stack left.
 */
__noinline int is_for_others(frame *f, struct flow_request *request, int protocol)
{
    struct bpf_sock_tuple reply = {};
    struct bpf_sock *socket = 0;
    __u32 size;

    if (!request)
        return 0;
    if (rarely(handover_flags() & DP_HANDOVER_HOLDING) && is_for_kernel_flow(request, protocol))
        return 1;
    if (address_is_ipv4(&request->backend)) {
        reply.ipv4.saddr = request->backend.words_be[3];
        reply.ipv4.daddr = request->source.words_be[3];
        reply.ipv4.sport = request->backend_port_be;
        reply.ipv4.dport = request->source_port_be;
        size = sizeof(reply.ipv4);
    } else {
        __builtin_memcpy(reply.ipv6.saddr, &request->backend, sizeof(reply.ipv6.saddr));
        __builtin_memcpy(reply.ipv6.daddr, &request->source, sizeof(reply.ipv6.daddr));
        reply.ipv6.sport = request->backend_port_be;
        reply.ipv6.dport = request->source_port_be;
        size = sizeof(reply.ipv6);
    }
    if (protocol == IPPROTO_TCP)
        socket = bpf_skc_lookup_tcp(f, &reply, size, BPF_F_CURRENT_NETNS, 0);
    else if (protocol == IPPROTO_UDP)
        socket = bpf_sk_lookup_udp(f, &reply, size, BPF_F_CURRENT_NETNS, 0);
    if (!socket)
        return 0;
    bpf_sk_release(socket);
    return 1;
}

/* flow_open() for a masqueraded flow, which is what was requested last: with a source port that is free. */
static __always_inline int flow_open_masqueraded(frame *f, const struct dp_flow_key *key, struct flow_request *request)
{
    for (int attempt = 0; attempt < PORT_ATTEMPTS; attempt++) {
        int outcome;

        request->source_port_be = random_source_port();
        if (is_for_others(f, request, key->protocol)) {
            count_outcome(DP_OUTCOME_PORT_COLLISION);
            continue;
        }
        outcome = flow_open(key);
        if (outcome != DP_OUTCOME_PORT_COLLISION)
            return outcome;
    }
    return DP_OUTCOME_PORTS_EXHAUSTED;
}

#endif
