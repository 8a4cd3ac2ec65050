/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The maps that only the packet hooks use; the others are in maps.bpf.h. Sizes are the agent's, as there. */
#ifndef MARTLET_LIB_PACKET_MAPS_H
#define MARTLET_LIB_PACKET_MAPS_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "../abi/handover.h"
#include "../abi/observe.h"
#include "../abi/packets.h"
#include "maps.bpf.h"

/* The decision: written by the agent, read by the programs. */

struct {
    __uint(type, BPF_MAP_TYPE_LPM_TRIE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 1);
    __type(key, struct dp_source_range);
    __type(value, __u8);
} source_ranges SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 4096);
    __type(key, struct dp_address);
    __type(value, __u8);
} node_addresses SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 4096);
    __type(key, __u32);
    __type(value, struct dp_device);
} devices SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct dp_node);
} node SEC(".maps");

/* State of packets: written by the hooks. */

/* struct dp_flow as the kernel has to see it: with the timer as a timer. */
struct flow {
    struct dp_address source;
    struct dp_address backend;
    __u16 source_port_be;
    __u16 backend_port_be;
    __u32 service_id;
    __u32 backend_id;
    __u32 flags;
    __u64 last_seen_ns;
    __u64 created_ns;
    __u64 packets;
    __u64 bytes;
    struct bpf_timer timer;
};

_Static_assert(sizeof(struct flow) == sizeof(struct dp_flow) &&
                   __builtin_offsetof(struct flow, timer) == __builtin_offsetof(struct dp_flow, timer),
               "struct flow is struct dp_flow");

/* Nothing evicts a flow: its timer removes it, and a full map refuses new ones (FLOWS_FULL). */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 1);
    __type(key, struct dp_flow_key);
    __type(value, struct flow);
} flows SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 1);
    __type(key, struct dp_flow_key);
    __type(value, struct dp_flow_reply);
} flow_replies SEC(".maps");

/* Nobody maps it: an array that can be begins on a page, so that no element is in two cache lines. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct dp_next_hop);
} next_hops SEC(".maps");

/*
 * What the kernel's connection tracking goes on translating: written by user space, and by the hooks as time passes.
 * There are some while a handover is going on, and none else.
 */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 131072);
    __type(key, struct dp_flow_key);
    __type(value, struct dp_kernel_flow);
} kernel_flows SEC(".maps");

/* What is told about packets: see observe.h of the contract. Sizes of rings are the agent's. */

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u64);
} watch SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct dp_capture_switch);
} capture_switch SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4096);
} captures SEC(".maps");

/* A datagram whose first fragment is forgotten is lost, as on a busy router: the least recently used may go. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 8192);
    __type(key, struct dp_fragment_key);
    __type(value, struct dp_fragment);
} fragments SEC(".maps");

#endif
