// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * XDP: packets from outside to backends of other nodes, and their backends' replies, turned round before the kernel has
 * built anything around them. Whatever needs more than that - a backend of this node, an answer to make, a header out
 * of the ordinary - is passed up unchanged to TC (nodeport_tc.bpf.c). A choice that has been made here is kept in the
 * flow's record, where TC finds it.
 */
#include "lib/frame_xdp.bpf.h"

#include "lib/dsr.bpf.h"
#include "lib/flow.bpf.h"
#include "lib/handover.bpf.h"
#include "lib/hint.bpf.h"
#include "lib/kernel_flow.bpf.h"
#include "lib/masquerade.bpf.h"
#include "lib/next_hop.bpf.h"
#include "lib/option_xdp.bpf.h"
#include "lib/packet.bpf.h"
#include "lib/packet_observe.bpf.h"
#include "lib/rewrite_xdp.bpf.h"
#include "lib/serve.bpf.h"
#include "lib/tunnel.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Writes the link-layer header and sends the frame on its way. */
static __always_inline int send(frame *f, const struct dp_way_out *way, int is_ipv4)
{
    const __u16 *macs = (const __u16 *)way->destination_mac;
    __u16 *header = frame_at(f, 0, sizeof(struct ethhdr));

    if (!header)
        return PACKET_FAILS;
    /* The two addresses in the words that they have in common, 2 octets into the header and into a word of `way`. */
    header[0] = macs[0];
    *(__u32 *)(header + 1) = *(const __u32 *)(macs + 1);
    *(__u32 *)(header + 3) = *(const __u32 *)(macs + 3);
    header[5] = macs[5];
    header[6] = is_ipv4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
    if (usually(way->interface == f->ingress_ifindex))
        return PACKET_GOES_BACK;
    return bpf_redirect(way->interface, 0) == XDP_REDIRECT ? PACKET_IS_SENT : PACKET_FAILS;
}

/*
 * Puts an outer header around the packet: PACKET_IS_TUNNELLED. PACKET_PASSES: there is no room in front of the frame,
 * which is as it was; TC makes room.
 */
static __always_inline int encapsulate(frame *f, struct packet *packet, const struct tunnel *tunnel)
{
    if (packet->is_ipv4) {
        struct iphdr *outer, *inner;

        if (bpf_xdp_adjust_head(f, -(int)sizeof(*outer)))
            return PACKET_PASSES;
        outer = frame_at(f, sizeof(struct ethhdr), sizeof(*outer) + sizeof(*inner));
        if (!outer)
            return PACKET_FAILS;
        inner = outer + 1;
        inner->ttl -= 1;
        inner->check = checksum_after(inner->check, (__u16)~ONE_HOP_BE);
        fill_tunnel_ipv4(outer, tunnel, inner->tos);
    } else {
        struct ipv6hdr *outer, *inner;

        if (bpf_xdp_adjust_head(f, -(int)sizeof(*outer)))
            return PACKET_PASSES;
        outer = frame_at(f, sizeof(struct ethhdr), sizeof(*outer) + sizeof(*inner));
        if (!outer)
            return PACKET_FAILS;
        inner = outer + 1;
        inner->hop_limit -= 1;
        fill_tunnel_ipv6(outer, tunnel, bpf_ntohl(*(__be32 *)inner) >> 20);
    }
    return PACKET_IS_TUNNELLED;
}

/* The backend of a new flow that is to be translated. Zero: TC is to decide, or to answer. */
static __noinline __u32 choose_for_new(struct packet *packet, struct dp_frontend *frontend)
{
    if (is_node_address(&packet->tuple.source) || refusal(frontend, packet, CLIENT_OUTSIDE))
        return 0;
    if (frontend->external.action != DP_ACTION_FORWARD || !is_masqueraded(frontend, CLIENT_OUTSIDE))
        return 0;
    return choose_backend(frontend, &frontend->external, packet);
}

/* Chooses for a new flow and records it, so that TC finds the choice. Zero: TC is to decide, or to answer. */
static __noinline int begin_flow(frame *f, struct packet *packet, struct dp_frontend *frontend)
{
    __u32 backend_id = choose_for_new(packet, frontend);
    struct dp_backend *backend = backend_of(backend_id);
    const struct dp_address *address;
    struct flow_request *request;
    struct way way = {};
    int kind;

    if (!backend)
        return 0;
    kind = find_way(f, &packet->tuple.source, &backend->address, &way);
    address = masquerade_address(&way, packet->is_ipv4);
    if ((kind != WAY_OUT && kind != WAY_PENDING) || !address)
        return 0;
    request = flow_request_begin();
    if (!request)
        return 0;
    request->source = *address;
    request->backend = backend->address;
    request->backend_port_be = backend->port_be;
    request->backend_id = backend_id;
    request->flags = DP_FLOW_MASQUERADED;
    request->service_id = frontend->service_id;
    if (flow_open_masqueraded(f, &packet->tuple, request))
        return 0;
    count_service(frontend->service_id, 1);
    return 1;
}

/*
 * The way to a flow's backend whose id is nobody's by now, or another's: asked for each time. NULL: there is none, or
 * the backend is what it was, and next_hop_of_flow() has said so.
 */
static __noinline struct dp_way_out *way_to_former(frame *f, const struct dp_address *source, const struct flow *flow)
{
    struct flow_draft *draft = flow_draft();
    struct dp_backend *backend;
    struct dp_device *device;
    struct way way = {};

    if (!source || !flow || !draft)
        return 0;
    backend = backend_of(flow->backend_id);
    if (backend && address_equals(&backend->address, &flow->backend))
        return 0;
    device = ask_way_out(f, source, &flow->backend, &way);
    if (!device)
        return 0;
    remember(&draft->way, &way, device);
    return &draft->way;
}

static __noinline int send_translated(frame *f, struct packet *packet, struct flow *flow)
{
    struct dp_next_hop *hop = next_hop_of_flow(f, &packet->tuple.source, &flow->backend, flow->backend_id);
    struct dp_way_out *way = usually(hop) ? &hop->way : way_to_former(f, &packet->tuple.source, flow);

    if (!way || packet->length > way->mtu)
        return PACKET_PASSES;
    packet->onward.translation = translation_of(&packet->tuple, flow);
    if (!translate(f, packet, &packet->onward.translation))
        return PACKET_PASSES;
    flow_touch(flow, packet);
    count_packet(flow->service_id, packet, 0);
    count_outcome(DP_OUTCOME_SENT_ON);
    if (rarely(packet->is_watched))
        tell_packet(f, packet, backend_of(flow->backend_id), flow->service_id, DP_OUTCOME_SENT_ON);
    return send(f, way, packet->is_ipv4);
}

static __always_inline int serve_by_translation(frame *f, struct packet *packet, struct dp_frontend *frontend)
{
    struct flow *flow = flow_if_current(packet, flow_find(&packet->tuple));

    if (!flow && !may_be_kernels(packet) && begin_flow(f, packet, frontend))
        flow = flow_find(&packet->tuple);
    if (!flow || !(flow->flags & DP_FLOW_MASQUERADED))
        return PACKET_PASSES;
    return send_translated(f, packet, flow);
}

/* Sends the packet on in a tunnel to a backend that `hop` is the way to. */
static __always_inline int send_in_tunnel(frame *f, struct packet *packet, struct dp_frontend *frontend, __u32 hash,
                                          __u32 backend_id, struct dp_next_hop *hop)
{
    struct tunnel tunnel;
    int verdict;

    if (rarely(packet->length + tunnel_header_size(packet->is_ipv4) > hop->way.mtu))
        return PACKET_PASSES;
    tunnel.own = &hop->source;
    tunnel.hash = hash;
    tunnel.backend = &hop->backend;
    tunnel.backend_port_be = hop->way.port_be;
    tunnel.inner_length = packet->length;
    verdict = encapsulate(f, packet, &tunnel);
    if (rarely(verdict != PACKET_IS_TUNNELLED))
        return verdict;
    count_packet(frontend->service_id, packet, packet->tuple.protocol == IPPROTO_TCP && is_opening(packet));
    count_outcome(DP_OUTCOME_TUNNELLED);
    if (rarely(packet->is_watched))
        tell_packet(f, packet, backend_of(backend_id), frontend->service_id, DP_OUTCOME_TUNNELLED);
    return send(f, &hop->way, packet->is_ipv4);
}

/* Sends the packet on to the backend's own address, by option (option.bpf.h). */
static __noinline int send_rewritten(frame *f, struct packet *packet, struct dp_frontend *frontend, __u32 backend_id,
                                     struct dp_next_hop *hop)
{
    struct dp_flow_key *to = &packet->onward.translation;
    __u32 added = carries_option(packet, may_be_marked(f, packet)) ? dispatch_option_size(packet->is_ipv4) : 0;

    if (packet->length + added > hop->way.mtu)
        return PACKET_PASSES;
    /* First, since a driver may leave no room: the packet is as it was then, and TC makes room. */
    if (added && !insert_option(f, packet))
        return PACKET_PASSES;
    packet->transport += added;
    *to = packet->tuple;
    to->destination = hop->backend;
    to->destination_port_be = hop->way.port_be;
    if (!translate(f, packet, to))
        return PACKET_FAILS;
    if (!added && !mark(f, packet, to))
        return PACKET_FAILS;
    count_packet(frontend->service_id, packet, packet->tuple.protocol == IPPROTO_TCP && is_opening(packet));
    count_outcome(DP_OUTCOME_DISPATCHED);
    if (rarely(packet->is_watched))
        tell_packet(f, packet, backend_of(backend_id), frontend->service_id, DP_OUTCOME_DISPATCHED);
    return send(f, &hop->way, packet->is_ipv4);
}

/* The loader has said which; the other one is not even verified. */
static __always_inline int dispatch(frame *f, struct packet *packet, struct dp_frontend *frontend, __u32 hash,
                                    __u32 backend_id, struct dp_next_hop *hop)
{
    if (dispatch_by_option)
        return send_rewritten(f, packet, frontend, backend_id, hop);
    return send_in_tunnel(f, packet, frontend, hash, backend_id, hop);
}

/* A packet in a slot that has moved; `move` as in aim_at_tracked(). */
static __noinline int serve_moved(frame *f, struct packet *packet, struct dp_frontend *frontend, __u32 hash,
                                  __u64 move)
{
    struct dsr_target target = {};
    struct dp_next_hop *hop;

    aim_at_tracked(packet, frontend, &target, move);
    if (target.is_translated)
        return PACKET_HAS_RECORD;
    if (!target.backend_id || target.is_local)
        return PACKET_PASSES;
    hop = next_hop_of_flow(f, &packet->tuple.source, &target.backend, target.backend_id);
    if (!hop || hop->way.port_be != target.backend_port_be)
        return PACKET_PASSES;
    return dispatch(f, packet, frontend, hash, target.backend_id, hop);
}

static __always_inline int serve_by_tunnel(frame *f, struct packet *packet, struct dp_frontend *frontend)
{
    __u32 hash = mix(client_hash_input(frontend, packet));
    __u32 owner, before;
    struct dp_next_hop *hop;

    if (rarely(is_opening(packet)) && refusal(frontend, packet, CLIENT_OUTSIDE))
        return PACKET_PASSES;
    owner = slot_owner(frontend, hash);
    if (rarely(has_moved(frontend, hash, &before)))
        return serve_moved(f, packet, frontend, hash, (__u64)before << 32 | owner);
    hop = next_hop_of(f, &packet->tuple.source, owner);
    return usually(hop) ? dispatch(f, packet, frontend, hash, owner, hop) : PACKET_PASSES;
}

/* A backend's reply to a masqueraded flow: to the client, as from the frontend. */
static __noinline int serve_reply(frame *f, struct packet *packet)
{
    struct dp_flow_reply *reply = bpf_map_lookup_elem(&flow_replies, &packet->tuple);

    if (!reply || !(reply->seen & DP_FLOW_MASQUERADED))
        return PACKET_PASSES;
    watch_packet(f, packet);
    packet->onward.translation = turned_round(&reply->flow);
    if (rarely(!is_fresh(&reply->way)) && !reply_way_renew(f, &packet->onward.translation, reply))
        return PACKET_PASSES;
    if (packet->length > reply->way.mtu || !translate(f, packet, &packet->onward.translation))
        return PACKET_PASSES;
    flow_touch_reply(reply, packet);
    report_packet(f, packet, 0, reply->service_id, DP_OUTCOME_REPLIED);
    return send(f, &reply->way, packet->is_ipv4);
}

static __always_inline int serve(frame *f, struct packet *packet)
{
    struct dp_frontend_key key = frontend_key_of(packet);
    struct dp_frontend *frontend = find_frontend(&key);
    int verdict = PACKET_HAS_RECORD;

    /* What may not travel any further, comes from pods or is the kernel's is for TC to decide. */
    if (rarely(packet->hops <= 1) || is_left_to_kernel(packet))
        return PACKET_PASSES;
    if (!frontend || rarely(is_reply_to_flow(packet)))
        return is_masquerade_port(key.port_be) ? serve_reply(f, packet) : PACKET_PASSES;
    if (rarely(frontend->flags & DP_FRONTEND_HOST_ONLY || is_pod_source(packet) || is_leaving()))
        return PACKET_PASSES;
    watch_packet(f, packet);
    if (usually(is_dsr(frontend)) || is_left_from_dsr(packet, frontend))
        verdict = serve_by_tunnel(f, packet, frontend);
    return verdict == PACKET_HAS_RECORD ? serve_by_translation(f, packet, frontend) : verdict;
}

SEC("xdp")
int martlet_nodeport_xdp(struct xdp_md *ctx)
{
    struct packet packet;
    int verdict;

    /* Of what has been decided nothing is read before it is written. */
    __builtin_memset(&packet, 0, __builtin_offsetof(struct packet, onward));
    packet_parse(ctx, &packet);
    if (packet.kind != PACKET_FLOW || packet.tuple.protocol == PROTOCOL_SCTP)
        return XDP_PASS;
    verdict = serve(ctx, &packet);
    if (rarely(verdict == PACKET_FAILS))
        report_packet(ctx, &packet, 0, 0, DP_OUTCOME_KERNEL_REFUSED);
    if (rarely(packet.is_watched))
        capture_end(ctx, verdict == PACKET_PASSES                                     ? DP_CAPTURE_PASSED
                         : verdict == PACKET_IS_SENT || verdict == PACKET_GOES_BACK ? DP_CAPTURE_SENT
                                                                                    : DP_CAPTURE_DROPPED);
    switch (verdict) {
    case PACKET_PASSES: return XDP_PASS;
    case PACKET_IS_SENT: return XDP_REDIRECT;
    case PACKET_GOES_BACK: return XDP_TX;
    default: return XDP_DROP;
    }
}
