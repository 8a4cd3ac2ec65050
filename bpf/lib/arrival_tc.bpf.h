/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What another node has sent for a backend of this one (DSR): in a tunnel, or by option. Both name what the client
 * dialled, so that the flow's record has the backend's answers leave as the frontend's.
 *
 * Anybody may send such packets. A tunnel, and an option, get their sender nothing but a flow to a backend of the very
 * frontend that it names, as the client that its packets say it is - what dialling the frontend would have got it,
 * source ranges included - but that it chose the backend itself.
 */
#ifndef MARTLET_LIB_ARRIVAL_TC_H
#define MARTLET_LIB_ARRIVAL_TC_H

#include "option_tc.bpf.h"
#include "packet_rare.bpf.h"
#include "serve_tc.bpf.h"
#include "tunnel_tc.bpf.h"

/* Exchanges a PACKET_TUNNEL for the packet inside, with the frame as it is. */
static __always_inline void parse_inner(frame *f, struct packet *packet)
{
    __be16 protocol = packet->is_ipv4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
    __u16 network = packet->transport;
    __u8 is_watched = packet->is_watched;

    __builtin_memset(packet, 0, sizeof(*packet));
    packet->is_watched = is_watched;
    packet->network = network;
    packet_parse_at(f, packet, protocol);
    if (packet->kind == PACKET_RARE)
        packet_parse_rare(f, packet);
}

/*
 * The frontend that a packet from another node was dialled at. A NodePort is dialled at the other node's address, and
 * is known here by one of this node's own.
 */
static __always_inline struct dp_frontend *dialled_frontend(frame *f, const struct packet *packet)
{
    struct dp_frontend_key key = frontend_key_of(packet);
    struct dp_frontend *frontend;
    struct dp_device *device;

    if (!has_ports(packet))
        return 0;
    frontend = find_frontend(&key);
    if (frontend)
        return is_dsr(frontend) ? frontend : 0;
    device = device_of(frame_interface(f));
    if (!device)
        return 0;
    key.address = packet->is_ipv4 ? device->ipv4 : device->ipv6;
    frontend = find_frontend(&key);
    return frontend && is_dsr(frontend) && frontend->kind == DP_FRONTEND_NODE_PORT ? frontend : 0;
}

static __always_inline int is_backend_of(const struct flow *flow, const struct flow_request *request)
{
    return address_equals(&flow->backend, &request->backend) && flow->backend_port_be == request->backend_port_be;
}

/* Goes by the flow's record; NULL: there is none, and it is made first, as was requested last. */
static __always_inline int serve_arrival(frame *f, struct packet *packet, struct flow *flow,
                                         struct flow_request *request)
{
    int outcome;

    if (!flow) {
        request->source = packet->tuple.source;
        outcome = flow_open(&packet->tuple);
        /* The port that it must have is another flow's. */
        if (outcome == DP_OUTCOME_PORT_COLLISION)
            outcome = DP_OUTCOME_PORTS_EXHAUSTED;
        if (outcome)
            return refuse(f, packet, request->service_id, outcome);
        count_service(request->service_id, 1);
        flow = flow_find_for(packet);
        if (!flow)
            return refuse(f, packet, request->service_id, DP_OUTCOME_FLOWS_FULL);
    }
    return serve_flow(f, packet, flow);
}

/* Whether a packet is of a connection that has outlived its frontend here (SVC-10, BAL-3). */
static __always_inline int outlives_frontend(const struct packet *packet, const struct flow *flow,
                                             const struct flow_request *request)
{
    return flow && packet->tuple.protocol == IPPROTO_TCP && !is_opening(packet) && is_backend_of(flow, request);
}

/* What another node has put into a tunnel for a backend of this one. */
__noinline int serve_tunnelled(frame *f, struct packet *packet)
{
    struct flow_request *request = flow_request_begin();
    struct dp_frontend *frontend;
    struct flow *flow;

    if (!packet || !request || !ends_here(f, packet) ||
        !tunnel_end(f, packet, &request->backend, &request->backend_port_be))
        return PACKET_PASSES;
    request->flags = DP_FLOW_FROM_TUNNEL;
    /* Tunnels that are not for DSR are somebody else's, such as the pod network's. */
    parse_inner(f, packet);
    frontend = dialled_frontend(f, packet);
    flow = has_ports(packet) ? flow_of(packet) : 0;
    if (!frontend && !outlives_frontend(packet, flow, request))
        return PACKET_PASSES;
    if (!leave_tunnel(f, packet))
        return PACKET_FAILS;
    /* The sender knows best whose packet this is: a record of another backend is of an earlier time. */
    if (flow && packet->kind == PACKET_FLOW && !is_backend_of(flow, request)) {
        flow_retire(&packet->tuple, 1);
        flow = 0;
    }
    if (!flow && packet->kind == PACKET_ERROR)
        return drop_packet(f, packet, DP_OUTCOME_ERROR_UNKNOWN);
    if (frontend)
        request->service_id = frontend->service_id;
    count_outcome(DP_OUTCOME_DECAPSULATED);
    return serve_arrival(f, packet, flow, request);
}

/* Why nobody may have a flow to this backend from this frontend; zero: it is one of its own, on this node. */
static __always_inline enum dp_outcome option_refusal(const struct dp_frontend *frontend, const struct packet *packet,
                                                      const struct flow_request *request)
{
    __u32 position = find_endpoint(&frontend->external, &request->backend, request->backend_port_be);
    struct dp_backend *backend;

    if (position == NO_POSITION)
        return DP_OUTCOME_OPTION_REFUSED;
    backend = backend_of(set_member(&frontend->external, position));
    if (!backend || !(backend->flags & DP_BACKEND_LOCAL))
        return DP_OUTCOME_OPTION_REFUSED;
    return refusal(frontend, packet, CLIENT_OUTSIDE);
}

/* Has a flow that is over give up the client's port towards the backend. Out of line for the stack's sake. */
__noinline int clear_port(struct packet *packet)
{
    struct dp_flow_key key = {};
    struct dp_flow_reply *reply;

    if (!packet)
        return 0;
    key.source = packet->onward.toward;
    key.source_port_be = packet->onward.backend_port_be;
    key.destination = packet->tuple.source;
    key.destination_port_be = packet->tuple.source_port_be;
    key.protocol = packet->tuple.protocol;
    reply = bpf_map_lookup_elem(&flow_replies, &key);
    if (!reply)
        return 0;
    key = reply->flow;
    return flow_retire(&key, 0);
}

/* A packet with what was dialled as its destination, for the backend that it is going toward. */
__noinline int serve_dialled(frame *f, struct packet *packet)
{
    struct flow_request *request = flow_request_begin();
    struct dp_frontend *frontend;
    enum dp_outcome outcome;
    struct flow *flow;

    if (!packet || !request)
        return PACKET_PASSES;
    request->backend = packet->onward.toward;
    request->backend_port_be = packet->onward.backend_port_be;
    if (packet->tuple.protocol == IPPROTO_TCP) {
        /* Later packets do not say what was dialled, so they cannot be given another port. */
        request->source_port_be = packet->tuple.source_port_be;
        /* Those of a client that lets them be fragmented do, and its segments have to leave room for it. */
        if (!may_be_marked(f, packet))
            request->flags = DP_FLOW_FROM_TUNNEL;
    }
    frontend = dialled_frontend(f, packet);
    flow = flow_of(packet);
    if (!flow || !is_backend_of(flow, request)) {
        /* Without DSR it is somebody else's option. */
        if (!frontend && !dispatch_by_option)
            return PACKET_PASSES;
        outcome = frontend ? option_refusal(frontend, packet, request) : DP_OUTCOME_OPTION_REFUSED;
        if (outcome || !frontend) {
            refuse_packet(f, packet, frontend ? frontend->service_id : 0, outcome);
            return PACKET_IS_DROPPED;
        }
        request->service_id = frontend->service_id;
        if (flow)
            flow_retire(&packet->tuple, 1);
        flow = 0;
    }
    count_outcome(DP_OUTCOME_OPTION_TAKEN);
    return serve_arrival(f, packet, flow, request);
}

/* A packet with DSR's option in it, for a backend of this node. Others pass. */
static __always_inline int serve_by_option(frame *f, struct packet *packet)
{
    __u16 port_be;
    int verdict;

    if (!read_option(f, packet))
        return PACKET_PASSES;
    packet->onward.toward = packet->tuple.destination;
    packet->onward.backend_port_be = port_be = packet->tuple.destination_port_be;
    packet->tuple.destination = packet->onward.translation.destination;
    packet->tuple.destination_port_be = packet->onward.translation.destination_port_be;
    if (packet->tuple.protocol == IPPROTO_TCP && is_opening(packet))
        clear_port(packet);
    verdict = serve_dialled(f, packet);
    packet->tuple.destination = packet->onward.toward;
    packet->tuple.destination_port_be = port_be;
    if (verdict == PACKET_IS_TRANSLATED && !remove_option(f, packet))
        return PACKET_FAILS;
    return verdict;
}

/* Whether a packet to no frontend may be a later one of a flow that came by option: these are as any other to a pod. */
static __always_inline int may_be_dispatched(const struct packet *packet)
{
    if (packet->kind != PACKET_FLOW || packet->tuple.protocol != IPPROTO_TCP || packet->is_later_fragment)
        return 0;
    /* Where other nodes do it, and this one does not, the ends of flows are enough. */
    return dispatch_by_option ? !is_opening(packet) : packet->tcp_flags & (TCP_BIT_FIN | TCP_BIT_RST);
}

/* A TCP packet to a backend, with its record if it has one; one that was sent by option and has none is dropped. */
__noinline int serve_dispatched(frame *f, struct packet *packet)
{
    struct dp_flow_reply *reply;
    struct dp_flow_key key;
    struct flow *flow;

    if (!packet)
        return PACKET_PASSES;
    key = turned_round(&packet->tuple);
    reply = bpf_map_lookup_elem(&flow_replies, &key);
    if (!reply) {
        if (!dispatch_by_option || !is_marked(f, packet) || !ends_here(f, packet))
            return PACKET_PASSES;
        report_packet(f, packet, 0, 0, DP_OUTCOME_FLOW_UNKNOWN);
        return PACKET_IS_DROPPED;
    }
    key = reply->flow;
    flow = flow_find(&key);
    if (flow) {
        flow_touch(flow, packet);
        count_packet(flow->service_id, packet, 0);
    }
    return PACKET_PASSES;
}

#endif
