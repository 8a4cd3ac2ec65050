/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The way to an address as the kernel's routing tables and neighbours have it (bpf_fib_lookup), and the device that it
 * leads out of as the agent described it.
 */
#ifndef MARTLET_LIB_ROUTE_H
#define MARTLET_LIB_ROUTE_H

#include <linux/bpf.h>
#include <linux/if_ether.h>

#include <bpf/bpf_helpers.h>

#include "packet.bpf.h"
#include "packet_maps.bpf.h"

#define AF_INET 2
#define AF_INET6 10

enum way_kind {
    WAY_NONE,    /* no route, or one that forbids */
    WAY_HOST,    /* an address of this node */
    WAY_OUT,     /* known down to the link address */
    WAY_PENDING, /* out of a device, but the next hop's link address is not known yet */
    WAY_NARROW,  /* out of a device, but the packet does not fit */
};

struct way {
    struct dp_address gateway; /* the next hop; may be of the other family */
    __u32 interface;
    __u32 mtu;
    __u8 kind;                 /* enum way_kind */
    __u8 destination_mac[ETH_ALEN];
    __u8 source_mac[ETH_ALEN];
};

/* Asks the kernel. `length` zero: whether the packet fits is not asked. */
__noinline int find_way(frame *f, const struct dp_address *source, const struct dp_address *destination,
                               struct way *way)
{
    struct bpf_fib_lookup query = {};
    long answer;

    if (!source || !destination || !way)
        return WAY_NONE;
    query.ifindex = frame_interface(f);
    if (address_is_ipv4(destination)) {
        query.family = AF_INET;
        query.ipv4_src = source->words_be[3];
        query.ipv4_dst = destination->words_be[3];
    } else {
        query.family = AF_INET6;
        __builtin_memcpy(query.ipv6_src, source, sizeof(*source));
        __builtin_memcpy(query.ipv6_dst, destination, sizeof(*destination));
    }
    answer = bpf_fib_lookup(f, &query, sizeof(query), 0);
    way->interface = query.ifindex;
    way->mtu = 0;
    switch (answer) {
    case BPF_FIB_LKUP_RET_SUCCESS: way->kind = WAY_OUT; break;
    case BPF_FIB_LKUP_RET_NO_NEIGH: way->kind = WAY_PENDING; break;
    case BPF_FIB_LKUP_RET_FRAG_NEEDED:
        way->kind = WAY_NARROW;
        way->mtu = query.mtu_result;
        break;
    /* The kernel says the same of an address of its own and of one that it has no route to. */
    case BPF_FIB_LKUP_RET_NOT_FWDED:
        /* Linux 6.1 takes no key that came as an argument; the query has room for one. */
        __builtin_memcpy(query.ipv6_dst, destination, sizeof(*destination));
        return way->kind = bpf_map_lookup_elem(&node_addresses, query.ipv6_dst) ? WAY_HOST : WAY_NONE;
    default: way->kind = WAY_NONE;
    }
    if (query.family == AF_INET)
        way->gateway = address_from_ipv4(query.ipv4_dst);
    else
        __builtin_memcpy(&way->gateway, query.ipv6_dst, sizeof(way->gateway));
    __builtin_memcpy(way->destination_mac, query.dmac, ETH_ALEN);
    __builtin_memcpy(way->source_mac, query.smac, ETH_ALEN);
    return way->kind;
}

static __always_inline struct dp_device *device_of(__u32 interface)
{
    return bpf_map_lookup_elem(&devices, &interface);
}

/* The address to masquerade with on a way out (MASQ-10); NULL when the device has none of the family. */
static __always_inline const struct dp_address *masquerade_address(const struct way *way, int is_ipv4)
{
    struct dp_device *device = device_of(way->interface);
    const struct dp_address *address;

    if (!device)
        return 0;
    address = is_ipv4 ? &device->ipv4 : &device->ipv6;
    return address_is_unspecified(address) ? 0 : address;
}

#endif
