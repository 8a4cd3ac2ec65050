// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * TC: every packet that XDP has not finished. Where it comes in, a client's packet is translated to its backend and a
 * masqueraded reply back to its client; where it leaves towards the client, any other reply is translated back. Between
 * the two the kernel, its firewall and its connection tracking see the backend's own address, as with kube-proxy.
 */
#include "lib/frame_tc.bpf.h"

#include "lib/answer.bpf.h"
#include "lib/arrival_tc.bpf.h"
#include "lib/dsr.bpf.h"
#include "lib/flow.bpf.h"
#include "lib/forward_tc.bpf.h"
#include "lib/handover.bpf.h"
#include "lib/kernel_flow.bpf.h"
#include "lib/masquerade.bpf.h"
#include "lib/mss.bpf.h"
#include "lib/option_tc.bpf.h"
#include "lib/packet.bpf.h"
#include "lib/packet_rare.bpf.h"
#include "lib/serve.bpf.h"
#include "lib/serve_tc.bpf.h"
#include "lib/tunnel_error_tc.bpf.h"
#include "lib/tunnel_tc.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline void parse(frame *f, struct packet *packet)
{
    packet_parse(f, packet);
    if (packet->kind == PACKET_RARE)
        packet_parse_rare(f, packet);
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
    struct flow_request *request = flow_request_begin();
    struct dp_backend *backend;
    enum dp_outcome outcome;

    if (!packet || !frontend || !request)
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
    request->backend_id = choose_backend(frontend, choice, packet);
    backend = backend_of(request->backend_id);
    if (!backend)
        return DP_OUTCOME_BAD_RECORD;
    request->backend = backend->address;
    request->backend_port_be = backend->port_be;
    request->service_id = frontend->service_id;
    outcome = choose_source(f, packet, frontend, client, request);
    if (outcome)
        return outcome;
    outcome = request->flags & DP_FLOW_MASQUERADED ? flow_open_masqueraded(f, &packet->tuple, request)
                                                    : flow_open(&packet->tuple);
    if (!outcome)
        count_service(frontend->service_id, 1);
    return outcome;
}

__noinline int serve_by_translation(frame *f, struct packet *packet, struct dp_frontend *frontend, int client)
{
    struct flow *flow;
    int outcome;

    if (!packet || !frontend)
        return PACKET_FAILS;
    flow = flow_of(packet);
    if (!flow) {
        /* An error about a flow that nobody knows concerns nobody. */
        if (packet->kind == PACKET_ERROR || may_be_kernels(packet))
            return PACKET_PASSES;
        outcome = begin_flow(f, packet, frontend, client);
        if (outcome)
            return refuse(f, packet, frontend->service_id, outcome);
        flow = flow_find_for(packet);
        if (!flow)
            return refuse(f, packet, frontend->service_id, DP_OUTCOME_FLOWS_FULL);
    }
    return serve_flow(f, packet, flow);
}

/* A DSR packet of an outside client, whose backend is this node's. */
__noinline int serve_here(frame *f, struct packet *packet, struct dp_frontend *frontend, struct dsr_target *target)
{
    struct flow_request *request;
    struct flow *flow;
    int outcome;

    if (!packet || !frontend || !target)
        return PACKET_FAILS;
    flow = flow_of(packet);
    if (flow && !(flow->flags & DP_FLOW_TUNNELLED))
        return serve_flow(f, packet, flow);
    if (packet->kind == PACKET_ERROR)
        return PACKET_PASSES;
    /* Tracked while its slot moved; from now on the record does both. */
    if (flow)
        flow_retire(&packet->tuple, 1);
    request = flow_request_begin();
    if (!request)
        return PACKET_IS_DROPPED;
    request->source = packet->tuple.source;
    request->backend = target->backend;
    request->backend_port_be = target->backend_port_be;
    request->service_id = frontend->service_id;
    request->backend_id = target->backend_id;
    outcome = flow_open(&packet->tuple);
    if (outcome)
        return refuse(f, packet, frontend->service_id, outcome);
    count_service(frontend->service_id, 1);
    flow = flow_find_for(packet);
    return flow ? serve_flow(f, packet, flow) : refuse(f, packet, frontend->service_id, DP_OUTCOME_FLOWS_FULL);
}

__noinline int serve_by_tunnel(frame *f, struct packet *packet, struct dp_frontend *frontend)
{
    struct dsr_target target = {};
    enum dp_outcome outcome;
    int verdict;
    __u32 hash;

    if (!packet || !frontend)
        return PACKET_FAILS;
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
    packet->onward.translation = packet->tuple;
    packet->onward.translation.destination = target.backend;
    packet->onward.translation.destination_port_be = target.backend_port_be;
    count_packet(frontend->service_id, packet, packet->kind == PACKET_FLOW && packet->tcp_flags && is_opening(packet));
    verdict = dispatch_by_option ? verdict_by_option(f, packet) : PACKET_IS_TUNNELLED;
    report_packet(f, packet, backend_of(target.backend_id), frontend->service_id,
                  verdict == PACKET_IS_TUNNELLED ? DP_OUTCOME_TUNNELLED : DP_OUTCOME_DISPATCHED);
    return verdict;
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
    const struct dp_flow_key *key;
    struct dp_flow_reply *reply;

    if (!packet)
        return PACKET_PASSES;
    key = lookup_key(&packet->tuple);
    reply = key ? bpf_map_lookup_elem(&flow_replies, key) : 0;
    if (!reply || !(reply->seen & DP_FLOW_MASQUERADED))
        return PACKET_PASSES;
    note_reply(f, packet, reply);
    packet->onward.toward = packet->onward.translation.destination;
    return PACKET_IS_FORWARDED;
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
    flow = flow_find_for(packet);
    return flow && !(flow->flags & DP_FLOW_TUNNELLED) ? serve_flow(f, packet, flow) : PACKET_PASSES;
}

/*
 * Whether a packet to a load-balancer address or an ExternalIP is ours to answer although its port is nobody's
 * (decision 12): it comes from outside, and the kernel would send it back to the router that it came from, or has no
 * route for it. An address that this node has, or that a machine next to it may have, is left alone.
 */
static __always_inline int would_return(frame *f, const struct packet *packet)
{
    struct dp_device *device = device_of(frame_interface(f));
    struct way way = {};

    if (!device || !(device->flags & DP_DEVICE_EXTERNAL) || class_of(f, packet) != CLIENT_OUTSIDE ||
        is_node_address(&packet->tuple.destination))
        return 0;
    switch (find_way(f, &packet->tuple.source, &packet->tuple.destination, &way)) {
    case WAY_HOST: return 0;
    case WAY_NONE: return 1;
    }
    return way.interface == frame_interface(f) && !address_equals(&way.gateway, &packet->tuple.destination);
}

/*
 * What is left of a DSR frontend that has gone, for the packets of a connection that it had; NULL for others. Out of
 * line: it is asked for only where nobody else is there.
 */
static __noinline struct dp_frontend *left_frontend(const struct packet *packet)
{
    struct dp_frontend_key key = {};

    if (!packet || packet->tuple.protocol != IPPROTO_TCP || is_opening(packet))
        return 0;
    key.address = packet->tuple.destination;
    key.port_be = packet->tuple.destination_port_be;
    key.protocol = DP_PROTOCOL_LEFT_TCP;
    return find_frontend(&key);
}

/* A packet to an address and port that is no frontend. */
__noinline int serve_unknown(frame *f, struct packet *packet)
{
    struct dp_frontend_key key;
    enum wildcard wildcard;

    if (!packet || is_leaving())
        return PACKET_PASSES;
    key = frontend_key_of(packet);
    wildcard = wildcard_of(&key);
    if (wildcard == WILDCARD_ALL || (wildcard == WILDCARD_OUTSIDE && would_return(f, packet))) {
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

/* Leaves a connection that opens to the kernel: without a record its next packets could not be told from others. */
static __always_inline void leave_to_kernel(const struct packet *packet)
{
    const struct dp_flow_key *key = lookup_key(&packet->tuple);
    struct dp_kernel_flow flow = {};

    if (key)
        bpf_map_update_elem(&kernel_flows, key, &flow, BPF_ANY);
}

/*
 * A client's packet while this node goes back to another proxy: what has a record goes on by it, and so do DSR's
 * connections, which have none. The rest is the other's.
 */
__noinline int serve_leaving(frame *f, struct packet *packet, struct dp_frontend *frontend)
{
    struct flow *flow;
    int verdict;

    if (!packet || !frontend)
        return PACKET_PASSES;
    flow = flow_of(packet);
    if (flow && !(flow->flags & DP_FLOW_TUNNELLED))
        return serve_flow(f, packet, flow);
    if (packet->tuple.protocol != IPPROTO_TCP || !is_dsr(frontend) || class_of(f, packet) != CLIENT_OUTSIDE)
        return PACKET_PASSES;
    if (is_opening(packet)) {
        leave_to_kernel(packet);
        return PACKET_PASSES;
    }
    verdict = serve_by_tunnel(f, packet, frontend);
    return verdict == PACKET_HAS_RECORD ? PACKET_PASSES : verdict;
}

/* What comes in: from clients to frontends, from backends to an address that a flow is masqueraded with, tunnels. */
static __always_inline int serve_incoming(frame *f, struct packet *packet)
{
    struct dp_frontend_key key = frontend_key_of(packet);
    struct dp_frontend *frontend = has_ports(packet) ? find_frontend(&key) : 0;
    int verdict = PACKET_HAS_RECORD;
    enum client_class client;

    if (has_ports(packet) && is_left_to_kernel(packet))
        return PACKET_PASSES;
    if (frontend && !is_reply_to_flow(packet)) {
        if (is_leaving())
            return serve_leaving(f, packet, frontend);
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
        if (verdict == PACKET_PASSES) {
            frontend = left_frontend(packet);
            if (frontend && class_of(f, packet) == CLIENT_OUTSIDE)
                verdict = serve_by_tunnel(f, packet, frontend);
        }
        if (verdict == PACKET_PASSES && may_carry_option(packet))
            verdict = serve_by_option(f, packet);
        if (verdict == PACKET_PASSES && may_be_dispatched(packet))
            verdict = serve_dispatched(f, packet);
        if (verdict != PACKET_PASSES)
            return verdict;
    }
    if (packet->kind == PACKET_TUNNEL)
        return serve_tunnelled(f, packet);
    if (packet->kind == PACKET_STRAY_ERROR) {
        verdict = serve_tunnel_error(f, packet);
        if (verdict != PACKET_PASSES)
            return verdict;
    }
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
    case PACKET_IS_DISPATCHED: verdict = send_by_option(f, packet); break;
    }
    switch (verdict) {
    case PACKET_IS_REFUSED: verdict = answer_with_refusal(f, packet); break;
    case PACKET_IS_TOO_BIG: verdict = answer_with_mtu(f, packet); break;
    case PACKET_IS_ECHOED: verdict = answer_echo(f, packet); break;
    }
    if (verdict == PACKET_FAILS)
        drop_packet(f, packet, DP_OUTCOME_KERNEL_REFUSED);
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
