/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The way to a backend, remembered for a second: asking the kernel costs more than everything else that XDP does with a
 * packet. Ways that are not known down to the link address are not remembered.
 */
#ifndef MARTLET_LIB_NEXT_HOP_H
#define MARTLET_LIB_NEXT_HOP_H

#include "hint.bpf.h"
#include "observe.bpf.h"
#include "route.bpf.h"

/*
 * In the kernel's ticks, which the JIT reads as memory where the time would be a call: 1.02 s at 250 to the second,
 * 0.26 s and 2.6 s at the extremes (CONFIG_HZ).
 */
#define NEXT_HOP_LIFETIME_TICKS 256

/* Asks for the way, and remembers it. Zero: a frame cannot be sent there from XDP now. */
static __noinline int next_hop_renew(frame *f, const struct dp_address *source, const struct dp_address *backend,
                                     struct dp_next_hop *hop)
{
    const struct dp_address *address;
    struct dp_device *device;
    struct way way = {};

    if (!source || !backend || !hop || find_way(f, source, backend, &way) != WAY_OUT)
        return 0;
    device = device_of(way.interface);
    if (!device || (way.interface != frame_interface(f) && !(device->flags & DP_DEVICE_XDP_OUT)))
        return 0;
    address = address_is_ipv4(backend) ? &device->ipv4 : &device->ipv6;
    hop->fresh_until_ticks = 0;
    barrier();
    hop->interface = way.interface;
    hop->mtu = device->mtu;
    hop->backend = *backend;
    hop->source = *address;
    __builtin_memcpy(hop->destination_mac, way.destination_mac, ETH_ALEN);
    __builtin_memcpy(hop->source_mac, way.source_mac, ETH_ALEN);
    barrier();
    *(volatile __u64 *)&hop->fresh_until_ticks = bpf_jiffies64() + NEXT_HOP_LIFETIME_TICKS;
    return 1;
}

/* The way to a backend; NULL: not one that XDP can send on. */
static __always_inline struct dp_next_hop *next_hop_of(frame *f, const struct dp_address *source,
                                                       const struct dp_address *backend, __u32 backend_id)
{
    struct dp_next_hop *hop = bpf_map_lookup_elem(&next_hops, &backend_id);

    if (!hop)
        return 0;
    if (usually(hop->fresh_until_ticks > bpf_jiffies64() && address_equals(&hop->backend, backend)))
        return hop;
    return next_hop_renew(f, source, backend, hop) ? hop : 0;
}

#endif
