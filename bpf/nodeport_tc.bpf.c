// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * TC: every packet that XDP has not finished. Where it comes in, a client's packet is translated to its backend and a
 * masqueraded reply back to its client; where it leaves towards the client, any other reply is translated back. Between
 * the two the kernel, its firewall and its connection tracking see the backend's own address, as with kube-proxy.
 */
#include "lib/frame_tc.bpf.h"

#include "lib/answer.bpf.h"
#include "lib/dsr.bpf.h"
#include "lib/flow.bpf.h"
#include "lib/forward_tc.bpf.h"
#include "lib/mss.bpf.h"
#include "lib/packet.bpf.h"
#include "lib/packet_rare.bpf.h"
#include "lib/serve.bpf.h"
#include "lib/tunnel_tc.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline void parse(frame *f, struct packet *packet)
{
    packet_parse(f, packet);
    if (packet->kind == PACKET_RARE)
        packet_parse_rare(f, packet);
}

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

static __always_inline int has_ports(const struct packet *packet)
{
    return packet->kind == PACKET_FLOW || packet->kind == PACKET_ERROR;
}

static __always_inline enum client_class class_of(frame *f, const struct packet *packet)
{
    struct dp_device *device;

    if (is_node_address(&packet->tuple.source))
        return CLIENT_HOST;
    if (is_pod_source(packet))
        return CLIENT_POD;
    device = device_of(frame_interface(f));
    return device && device->flags & DP_DEVICE_POD_LOCAL ? CLIENT_POD : CLIENT_OUTSIDE;
}

/* Refuses at once, or drops; both are counted for the service. */
static __always_inline int refuse(frame *f, struct packet *packet, __u32 service_id, __u8 outcome)
{
    refuse_packet(f, packet, service_id, outcome);
    switch (outcome) {
    case DP_OUTCOME_NO_ENDPOINTS:
    case DP_OUTCOME_FROM_OUTSIDE:
    case DP_OUTCOME_UNKNOWN_PORT:
    case DP_OUTCOME_BAD_RECORD: return PACKET_IS_REFUSED;
    default: return PACKET_IS_DROPPED;
    }
}

/* A client's packet of a flow that has a record, or an error about one of the backend's. */
static __always_inline int serve_flow(frame *f, struct packet *packet, struct flow *flow)
{
    int is_masqueraded = flow->flags & DP_FLOW_MASQUERADED;

    packet->onward.translation = translation_of(&packet->tuple, flow);
    packet->onward.toward = flow->backend;
    packet->onward.service_id = flow->service_id;
    if (packet->kind == PACKET_ERROR) {
        report_packet(f, packet, backend_of(flow->backend_id), flow->service_id, DP_OUTCOME_ERROR_TRANSLATED);
    } else {
        flow_touch(flow, packet);
        count_packet(flow->service_id, packet, 0);
        report_packet(f, packet, backend_of(flow->backend_id), flow->service_id,
                      is_masqueraded ? DP_OUTCOME_SENT_ON : DP_OUTCOME_ANSWERED_LOCALLY);
    }
    return is_masqueraded ? PACKET_IS_FORWARDED : PACKET_IS_TRANSLATED;
}

/*
 * Whether the backend sees an address of this node instead of the client's: by the rules of its frontend, or because it
 * is the client itself (MASQ-5), though never when it is on this node's own addresses (MASQ-7). Zero: it is not; the
 * source of the request is set.
 */
static __always_inline enum dp_outcome choose_source(frame *f, const struct packet *packet,
                                                     const struct dp_frontend *frontend, enum client_class client,
                                                     struct flow_request *request)
{
    const struct dp_address *address;
    struct way way = {};

    request->source = packet->tuple.source;
    if (!is_masqueraded(frontend, client) && !address_equals(&packet->tuple.source, &request->backend))
        return 0;
    switch (find_way(f, &packet->tuple.source, &request->backend, &way)) {
    case WAY_HOST: return 0;
    case WAY_NONE: return DP_OUTCOME_NO_ROUTE;
    }
    address = masquerade_address(&way, packet->is_ipv4);
    if (!address)
        return DP_OUTCOME_NO_SOURCE_ADDRESS;
    request->source = *address;
    request->flags = DP_FLOW_MASQUERADED;
    return 0;
}

/* Chooses for a new flow and records it. Zero, or why there is no record. */
__noinline int begin_flow(frame *f, struct packet *packet, struct dp_frontend *frontend, int client)
{
    const struct dp_choice *choice = client == CLIENT_OUTSIDE ? &frontend->external : &frontend->internal;
    struct flow_request request = {};
    struct dp_backend *backend;
    enum dp_outcome outcome;

    if (!packet || !frontend)
        return DP_OUTCOME_BAD_RECORD;
    outcome = refusal(frontend, packet, client);
    if (outcome)
        return outcome;
    if (choice->action == DP_ACTION_REJECT)
        return DP_OUTCOME_NO_ENDPOINTS;
    if (choice->action == DP_ACTION_DROP)
        return DP_OUTCOME_NO_LOCAL_ENDPOINTS;
    if (choice->action != DP_ACTION_FORWARD)
        return DP_OUTCOME_BAD_RECORD;
    request.backend_id = choose_backend(frontend, choice, packet);
    backend = backend_of(request.backend_id);
    if (!backend)
        return DP_OUTCOME_BAD_RECORD;
    request.backend = backend->address;
    request.backend_port_be = backend->port_be;
    request.service_id = frontend->service_id;
    outcome = choose_source(f, packet, frontend, client, &request);
    if (outcome)
        return outcome;
    outcome = flow_open(&packet->tuple, &request);
    if (!outcome)
        count_service(frontend->service_id, 1);
    return outcome;
}

__noinline int serve_by_translation(frame *f, struct packet *packet, struct dp_frontend *frontend, int client)
{
    struct flow *flow;
    int outcome;

    if (!packet || !frontend)
        return PACKET_IS_DROPPED;
    flow = flow_of(packet);
    if (!flow) {
        /* An error about a flow that nobody knows concerns nobody. */
        if (packet->kind == PACKET_ERROR)
            return PACKET_PASSES;
        outcome = begin_flow(f, packet, frontend, client);
        if (outcome)
            return refuse(f, packet, frontend->service_id, outcome);
        flow = flow_find(&packet->tuple);
        if (!flow)
            return PACKET_IS_DROPPED;
    }
    return serve_flow(f, packet, flow);
}

/* A DSR packet of an outside client, whose backend is this node's. */
__noinline int serve_here(frame *f, struct packet *packet, struct dp_frontend *frontend, struct dsr_target *target)
{
    struct flow_request request = {};
    struct flow *flow;
    int outcome;

    if (!packet || !frontend || !target)
        return PACKET_IS_DROPPED;
    flow = flow_of(packet);
    if (flow && !(flow->flags & DP_FLOW_TUNNELLED))
        return serve_flow(f, packet, flow);
    if (packet->kind == PACKET_ERROR)
        return PACKET_PASSES;
    /* Tracked while its slot moved; from now on the record does both. */
    if (flow)
        flow_retire(&packet->tuple, 1);
    request.source = packet->tuple.source;
    request.backend = target->backend;
    request.backend_port_be = target->backend_port_be;
    request.service_id = frontend->service_id;
    request.backend_id = target->backend_id;
    outcome = flow_open(&packet->tuple, &request);
    if (outcome)
        return refuse(f, packet, frontend->service_id, outcome);
    count_service(frontend->service_id, 1);
    flow = flow_find(&packet->tuple);
    return flow ? serve_flow(f, packet, flow) : PACKET_IS_DROPPED;
}

__noinline int serve_by_tunnel(frame *f, struct packet *packet, struct dp_frontend *frontend)
{
    struct dsr_target target = {};
    enum dp_outcome outcome;
    __u32 hash;

    if (!packet || !frontend)
        return PACKET_IS_DROPPED;
    hash = mix(client_hash_input(frontend, packet));
    outcome = is_opening(packet) && packet->kind == PACKET_FLOW ? refusal(frontend, packet, CLIENT_OUTSIDE) : 0;
    if (outcome)
        return refuse(f, packet, frontend->service_id, outcome);
    aim_dsr(packet, frontend, hash, &target);
    if (target.is_translated)
        return PACKET_HAS_RECORD;
    if (!target.backend_id) {
        outcome = frontend->external.action == DP_ACTION_DROP     ? DP_OUTCOME_NO_LOCAL_ENDPOINTS
                  : frontend->external.action == DP_ACTION_REJECT ? DP_OUTCOME_NO_ENDPOINTS
                                                                  : DP_OUTCOME_BAD_RECORD;
        return refuse(f, packet, frontend->service_id, outcome);
    }
    if (target.is_local)
        return serve_here(f, packet, frontend, &target);
    packet->onward.toward = target.backend;
    packet->onward.backend_port_be = target.backend_port_be;
    packet->onward.service_id = frontend->service_id;
    packet->onward.hash = hash;
    count_packet(frontend->service_id, packet, packet->kind == PACKET_FLOW && packet->tcp_flags && is_opening(packet));
    report_packet(f, packet, backend_of(target.backend_id), frontend->service_id, DP_OUTCOME_TUNNELLED);
    return PACKET_IS_TUNNELLED;
}

/* What replies of both kinds have in common: they go to the client, as from the frontend. */
static __always_inline void note_reply(frame *f, struct packet *packet, struct dp_flow_reply *reply)
{
    packet->onward.translation = turned_round(&reply->flow);
    packet->onward.service_id = reply->service_id;
    if (packet->kind == PACKET_FLOW)
        flow_touch_reply(reply, packet);
    report_packet(f, packet, 0, reply->service_id,
                  packet->kind == PACKET_ERROR ? DP_OUTCOME_ERROR_TRANSLATED : DP_OUTCOME_REPLIED);
}

/* A backend's reply to a masqueraded flow: on to the client, as from the frontend. */
__noinline int serve_reply(frame *f, struct packet *packet)
{
    struct dp_flow_reply *reply;

    if (!packet)
        return PACKET_PASSES;
    reply = bpf_map_lookup_elem(&flow_replies, &packet->tuple);
    if (!reply || !(reply->seen & DP_FLOW_MASQUERADED))
        return PACKET_PASSES;
    note_reply(f, packet, reply);
    packet->onward.toward = packet->onward.translation.destination;
    return PACKET_IS_FORWARDED;
}

/*
 * The frontend of a packet from a tunnel. A NodePort is dialled at the other node's address, and is known here by one
 * of this node's own.
 */
static __always_inline struct dp_frontend *tunnelled_frontend(frame *f, const struct packet *packet)
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

/* What another node has put into a tunnel for a backend of this one. */
__noinline int serve_tunnelled(frame *f, struct packet *packet)
{
    struct flow_request request = {.flags = DP_FLOW_FROM_TUNNEL};
    struct dp_frontend *frontend;
    struct flow *flow;
    int outcome;

    if (!packet || !is_tunnel_for_us(f, packet) || !tunnel_end(f, packet, &request.backend, &request.backend_port_be))
        return PACKET_PASSES;
    /* Tunnels that are not for DSR are somebody else's, such as the pod network's. */
    parse_inner(f, packet);
    frontend = tunnelled_frontend(f, packet);
    if (!frontend)
        return PACKET_PASSES;
    if (!leave_tunnel(f, packet))
        return PACKET_IS_DROPPED;
    flow = flow_of(packet);
    /* The sender knows best whose packet this is: a record of another backend is of an earlier time. */
    if (flow && packet->kind == PACKET_FLOW &&
        (!address_equals(&flow->backend, &request.backend) || flow->backend_port_be != request.backend_port_be)) {
        flow_retire(&packet->tuple, 1);
        flow = 0;
    }
    if (!flow) {
        if (packet->kind == PACKET_ERROR)
            return PACKET_IS_DROPPED;
        request.source = packet->tuple.source;
        request.service_id = frontend->service_id;
        outcome = flow_open(&packet->tuple, &request);
        if (outcome)
            return refuse(f, packet, frontend->service_id, outcome);
        count_service(frontend->service_id, 1);
        flow = flow_find(&packet->tuple);
        if (!flow)
            return PACKET_IS_DROPPED;
    }
    count_outcome(DP_OUTCOME_DECAPSULATED);
    return serve_flow(f, packet, flow);
}

/*
 * A packet of a connection that has outlived its frontend (SVC-10, BAL-3), or an error about one. Datagrams do not
 * outlive theirs, and nothing new begins.
 */
__noinline int serve_orphan(frame *f, struct packet *packet)
{
    struct flow *flow;

    if (!packet || packet->tuple.protocol == IPPROTO_UDP ||
        (packet->tuple.protocol == IPPROTO_TCP && is_opening(packet)))
        return PACKET_PASSES;
    flow = flow_find(&packet->tuple);
    return flow && !(flow->flags & DP_FLOW_TUNNELLED) ? serve_flow(f, packet, flow) : PACKET_PASSES;
}

/* A packet to an address and port that is no frontend. */
__noinline int serve_unknown(frame *f, struct packet *packet)
{
    struct dp_frontend_key key;

    if (!packet)
        return PACKET_PASSES;
    key = frontend_key_of(packet);
    if (has_wildcard(&key)) {
        if (packet->kind == PACKET_ECHO) {
            report_packet(f, packet, 0, 0, DP_OUTCOME_ECHO_ANSWERED);
            return PACKET_IS_ECHOED;
        }
        if (packet->kind == PACKET_LOST_FRAGMENT || packet->kind == PACKET_MALFORMED) {
            report_packet(f, packet, 0, 0,
                          packet->kind == PACKET_MALFORMED ? DP_OUTCOME_MALFORMED : DP_OUTCOME_FRAGMENT_UNKNOWN);
            return PACKET_IS_DROPPED;
        }
        /* An error is not answered with another one (RFC 1122 3.2.2, RFC 4443 2.4). */
        if (packet->kind == PACKET_ERROR || packet->kind == PACKET_STRAY_ERROR) {
            report_packet(f, packet, 0, 0, DP_OUTCOME_UNKNOWN_PORT);
            return PACKET_IS_DROPPED;
        }
        return refuse(f, packet, 0, DP_OUTCOME_UNKNOWN_PORT);
    }
    if (!is_in_service_cidr(&key.address))
        return PACKET_PASSES;
    report_packet(f, packet, 0, 0, DP_OUTCOME_UNOWNED_ADDRESS);
    return PACKET_IS_DROPPED;
}

static __always_inline int is_masquerade_port(__u16 port_be)
{
    return (__u16)(bpf_ntohs(port_be) - snat_first_port) < snat_port_count;
}

/* What comes in: from clients to frontends, from backends to an address that a flow is masqueraded with, tunnels. */
static __always_inline int serve_incoming(frame *f, struct packet *packet)
{
    struct dp_frontend_key key = frontend_key_of(packet);
    struct dp_frontend *frontend = has_ports(packet) ? find_frontend(&key) : 0;
    int verdict = PACKET_HAS_RECORD;
    enum client_class client;

    if (frontend) {
        if (frontend->flags & DP_FRONTEND_HOST_ONLY)
            return PACKET_PASSES;
        client = class_of(f, packet);
        if (client == CLIENT_OUTSIDE && (is_dsr(frontend) || is_left_from_dsr(packet, frontend)))
            verdict = serve_by_tunnel(f, packet, frontend);
        return verdict == PACKET_HAS_RECORD ? serve_by_translation(f, packet, frontend, client) : verdict;
    }
    if (has_ports(packet)) {
        verdict = is_masquerade_port(key.port_be) ? serve_reply(f, packet) : PACKET_PASSES;
        if (verdict == PACKET_PASSES)
            verdict = serve_orphan(f, packet);
        if (verdict != PACKET_PASSES)
            return verdict;
    }
    if (packet->kind == PACKET_TUNNEL)
        return serve_tunnelled(f, packet);
    return serve_unknown(f, packet);
}

/* What leaves: replies whose source is still the backend's. */
static __always_inline int serve_outgoing(frame *f, struct packet *packet)
{
    struct dp_flow_reply *reply = bpf_map_lookup_elem(&flow_replies, &packet->tuple);

    if (!reply || reply->seen & DP_FLOW_MASQUERADED)
        return PACKET_PASSES;
    watch_packet(f, packet);
    note_reply(f, packet, reply);
    if (packet->kind == PACKET_FLOW && reply->seen & DP_FLOW_FROM_TUNNEL)
        clamp_mss(f, packet);
    return PACKET_IS_TRANSLATED;
}

/* Carries a verdict out, and says to the kernel what is left to do. */
static __always_inline int conclude(frame *f, struct packet *packet, int verdict)
{
    switch (verdict) {
    case PACKET_IS_TRANSLATED: verdict = translate_onward(f, packet); break;
    case PACKET_IS_FORWARDED: verdict = forward(f, packet); break;
    case PACKET_IS_TUNNELLED: verdict = send_in_tunnel(f, packet); break;
    }
    switch (verdict) {
    case PACKET_IS_REFUSED: verdict = answer_with_refusal(f, packet); break;
    case PACKET_IS_TOO_BIG: verdict = answer_with_mtu(f, packet); break;
    case PACKET_IS_ECHOED: verdict = answer_echo(f, packet); break;
    }
    if (rarely(packet->is_watched))
        capture_end(f, verdict == PACKET_PASSES    ? DP_CAPTURE_PASSED
                       : verdict == PACKET_IS_SENT ? DP_CAPTURE_SENT
                                                   : DP_CAPTURE_DROPPED);
    switch (verdict) {
    case PACKET_PASSES: return TC_ACT_UNSPEC;
    case PACKET_IS_SENT: return TC_ACT_REDIRECT;
    default: return TC_ACT_SHOT;
    }
}

SEC("tc")
int martlet_nodeport_ingress(struct __sk_buff *ctx)
{
    struct packet packet = {};

    parse(ctx, &packet);
    if (packet.kind == PACKET_NOT_IP)
        return TC_ACT_UNSPEC;
    watch_packet(ctx, &packet);
    return conclude(ctx, &packet, serve_incoming(ctx, &packet));
}

SEC("tc")
int martlet_nodeport_egress(struct __sk_buff *ctx)
{
    struct packet packet = {};

    parse(ctx, &packet);
    if (!has_ports(&packet))
        return TC_ACT_UNSPEC;
    return conclude(ctx, &packet, serve_outgoing(ctx, &packet));
}
