/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Ways that are remembered for a second: asking the kernel costs more than everything else that XDP does with a packet.
 * To backends by their id, to clients in their flow's record of replies. Ways that are not known down to the link
 * address are not remembered.
 */
#ifndef MARTLET_LIB_NEXT_HOP_H
#define MARTLET_LIB_NEXT_HOP_H

#include "hint.bpf.h"
#include "observe.bpf.h"
#include "route.bpf.h"
#include "serve.bpf.h"

/*
 * In the kernel's ticks, which the JIT reads as memory where the time would be a call: 1.02 s at 250 to the second,
 * 0.26 s and 2.6 s at the extremes (CONFIG_HZ).
 */
#define WAY_LIFETIME_TICKS 256

static __always_inline int is_fresh(const struct dp_way_out *way)
{
    return way->fresh_until_ticks > bpf_jiffies64();
}

/* Asks for a way that XDP can send a frame out by; NULL: there is none now. */
static __always_inline struct dp_device *ask_way_out(frame *f, const struct dp_address *source,
                                                     const struct dp_address *destination, struct way *way)
{
    struct dp_device *device;
    int kind = find_way(f, source, destination, way);

    if (kind != WAY_OUT) {
        if (kind == WAY_PENDING)
            count_outcome(DP_OUTCOME_NEIGHBOUR_PENDING);
        return 0;
    }
    device = device_of(way->interface);
    if (!device || (way->interface != frame_interface(f) && !(device->flags & DP_DEVICE_XDP_OUT)))
        return 0;
    return device;
}

/* From here to remember() what is remembered is nobody's: other processors may be reading. */
static __always_inline void forget(struct dp_way_out *remembered)
{
    remembered->fresh_until_ticks = 0;
    barrier();
}

static __always_inline void remember(struct dp_way_out *remembered, const struct way *way,
                                     const struct dp_device *device)
{
    remembered->interface = way->interface;
    remembered->mtu = device->mtu < 0xffff ? device->mtu : 0xffff;
    __builtin_memcpy(remembered->destination_mac, way->destination_mac, ETH_ALEN);
    __builtin_memcpy(remembered->source_mac, way->source_mac, ETH_ALEN);
    /* Everything else is written before, and whatever is read afterwards is read later than this (a full barrier). */
    __sync_lock_test_and_set(&remembered->fresh_until_ticks, bpf_jiffies64() + WAY_LIFETIME_TICKS);
}

/* Zero: a frame cannot be sent to the backend from XDP now; that of this node is never sent to. */
static __noinline int next_hop_renew(frame *f, const struct dp_address *source, __u32 backend_id,
                                     struct dp_next_hop *hop)
{
    struct dp_backend *backend = backend_of(backend_id);
    struct dp_device *device;
    struct way way = {};

    if (!source || !hop || !backend || backend->flags & DP_BACKEND_LOCAL)
        return 0;
    device = ask_way_out(f, source, &backend->address, &way);
    if (!device)
        return 0;
    forget(&hop->way);
    hop->way.port_be = backend->port_be;
    hop->backend = backend->address;
    hop->source = address_is_ipv4(&backend->address) ? device->ipv4 : device->ipv6;
    remember(&hop->way, &way, device);
    /* The agent writes a backend, then makes its way unknown: if that was meanwhile, this is the way to nobody. */
    if (address_equals(&hop->backend, &backend->address) && hop->way.port_be == backend->port_be)
        return 1;
    forget(&hop->way);
    return 0;
}

/* The way to a backend; NULL: not one that XDP can send on. */
static __always_inline struct dp_next_hop *next_hop_of(frame *f, const struct dp_address *source, __u32 backend_id)
{
    struct dp_next_hop *hop = bpf_map_lookup_elem(&next_hops, &backend_id);

    if (!hop)
        return 0;
    if (usually(is_fresh(&hop->way)))
        return hop;
    return next_hop_renew(f, source, backend_id, hop) ? hop : 0;
}

/* The same for a flow that has kept its backend's address: by now the id may be another's. */
static __always_inline struct dp_next_hop *next_hop_of_flow(frame *f, const struct dp_address *source,
                                                            const struct dp_address *backend, __u32 backend_id)
{
    struct dp_next_hop *hop = next_hop_of(f, source, backend_id);

    return hop && usually(address_equals(&hop->backend, backend)) ? hop : 0;
}

/* Zero: a reply cannot be sent to its client from XDP now. */
static __noinline int reply_way_renew(frame *f, const struct dp_flow_key *translation, struct dp_flow_reply *reply)
{
    struct dp_device *device;
    struct way way = {};

    if (!translation || !reply)
        return 0;
    device = ask_way_out(f, &translation->source, &translation->destination, &way);
    if (!device)
        return 0;
    forget(&reply->way);
    remember(&reply->way, &way, device);
    return 1;
}

#endif
