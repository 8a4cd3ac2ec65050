/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which backend a DSR packet belongs to, without state for each flow: a look-up in the frontend's Maglev table. Only
 * while a table is changing are flows tracked, and only those whose slot has moved to another backend: a packet that
 * opens a connection there is tracked to the new owner; any other follows its record, and without one goes to the
 * slot's previous owner, and is tracked. (JET, Lev-Libfeld et al. 2021; Beamer, Olteanu et al., NSDI 2018; GLB's second
 * chance.)
 *
 * The previous owner is that of before the first of the changes that are going on, however many there are: a flow
 * without a record either began before them, or in a slot that had not moved. The agent says when they are over.
 *
 * A service that becomes DSR, or ceases to be, counts as changed in every slot: translated flows go on by their
 * records, and flows that were tunnelled go on to their previous owner.
 */
#ifndef MARTLET_LIB_DSR_H
#define MARTLET_LIB_DSR_H

#include "flow.bpf.h"
#include "serve.bpf.h"

/* Where a DSR packet goes. */
struct dsr_target {
    struct dp_address backend;
    __u32 backend_id; /* zero: nowhere */
    __u16 backend_port_be;
    __u8 is_local;
    __u8 is_translated;  /* the flow has a record that says how it is translated: nothing else here counts */
};

static __always_inline void aim(struct dsr_target *target, __u32 backend_id)
{
    struct dp_backend *backend = backend_of(backend_id);

    target->backend_id = 0;
    if (!backend)
        return;
    target->backend_id = backend_id;
    target->backend = backend->address;
    target->backend_port_be = backend->port_be;
    target->is_local = backend->flags & DP_BACKEND_LOCAL;
}

/*
 * The owner of a packet without a record in a slot that went from `before` to `now`. Datagrams do not say whether they
 * open anything: they stay with the previous owner as long as it serves (CT-2), connections for as long as they last.
 */
static __always_inline __u32 owner_without_record(const struct dp_frontend *frontend, const struct packet *packet,
                                                  __u32 before, __u32 now)
{
    if (!before)
        return now;
    if (packet->tuple.protocol == IPPROTO_TCP)
        return is_opening(packet) ? now : before;
    if (frontend->external.action != DP_ACTION_FORWARD)
        return 0;
    return find_member(&frontend->external, before) == NO_POSITION ? now : before;
}

/* Out of line: the packet's slot has moved from `before` to `now`; either may be zero. */
__noinline int aim_at_tracked(struct packet *packet, struct dp_frontend *frontend, struct dsr_target *target,
                              __u64 move)
{
    __u32 before = move >> 32, now = (__u32)move;
    struct flow_request *request;
    struct flow *flow;

    if (!packet || !frontend || !target)
        return 0;
    flow = flow_of(packet);
    if (flow) {
        struct dp_backend *backend = backend_of(flow->backend_id);

        if (!(flow->flags & DP_FLOW_TUNNELLED)) {
            target->is_translated = 1;
            return 0;
        }
        flow_touch(flow, packet);
        target->backend = flow->backend;
        target->backend_port_be = flow->backend_port_be;
        target->backend_id = flow->backend_id;
        target->is_local = backend && address_equals(&backend->address, &flow->backend) &&
                           backend->flags & DP_BACKEND_LOCAL;
        return 0;
    }
    aim(target, owner_without_record(frontend, packet, before, now));
    request = target->backend_id ? flow_request_begin() : 0;
    if (!request)
        return 0;
    request->source = packet->tuple.source;
    request->backend = target->backend;
    request->backend_port_be = target->backend_port_be;
    request->flags = DP_FLOW_TUNNELLED;
    request->service_id = frontend->service_id;
    request->backend_id = target->backend_id;
    /* Without room for a record the packet goes where it would have gone; the next ones may be mistaken. */
    count_outcome(flow_open(&packet->tuple) ?: DP_OUTCOME_FLOW_TRACKED);
    return 0;
}

/* The backend that a slot belongs to; zero: none. */
static __always_inline __u32 slot_owner(const struct dp_frontend *frontend, __u32 hash)
{
    return usually(frontend->external.action == DP_ACTION_FORWARD) ? member_by_hash(&frontend->external, hash) : 0;
}

/* Whether a slot has moved of late, so that its flows are tracked, and whose it was; zero: nobody's. */
static __always_inline int has_moved(const struct dp_frontend *frontend, __u32 hash, __u32 *before)
{
    const struct dp_choice *previous = &frontend->previous;
    __u32 entry, mark;

    *before = 0;
    if (usually(!(frontend->flags & DP_FRONTEND_CHANGING)))
        return 0;
    if (!previous->set_count)
        return 1;
    entry = table_entry(previous, scale(hash, previous->table_slots));
    mark = 1u << ((previous->table_width & 7) * 8 - 1);
    if (!(entry & mark))
        return 0;
    *before = set_member(previous, entry & ~mark);
    return 1;
}

/* Finds where a DSR packet goes: nowhere when there is no backend, and none that it had before. */
static __always_inline void aim_dsr(struct packet *packet, struct dp_frontend *frontend, __u32 hash,
                                    struct dsr_target *target)
{
    __u32 now = slot_owner(frontend, hash), before;

    if (has_moved(frontend, hash, &before))
        aim_at_tracked(packet, frontend, target, (__u64)before << 32 | now);
    else
        aim(target, now);
}

/*
 * Whether a packet of a frontend that is no longer DSR belongs to a flow from the time when it was: not in its record's
 * words, but in a tunnel to its backend.
 */
static __always_inline int is_left_from_dsr(struct packet *packet, const struct dp_frontend *frontend)
{
    struct flow *flow;

    if (!(frontend->flags & DP_FRONTEND_CHANGING))
        return 0;
    flow = flow_find(&packet->tuple);
    if (flow)
        return flow->flags & DP_FLOW_TUNNELLED;
    return packet->tuple.protocol == IPPROTO_TCP && !is_opening(packet);
}

#endif
