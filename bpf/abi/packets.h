/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the packet hooks know of the node, written by the agent, and the state that they keep: flows, next hops and
 * fragments. A flow has one record; its replies find it through an index entry that nothing evicts.
 */
#ifndef MARTLET_ABI_PACKETS_H
#define MARTLET_ABI_PACKETS_H

#include "types.h"

/* One direction of a flow as packets show it. */
struct dp_flow_key {
    struct dp_address source;
    struct dp_address destination;
    __u16 source_port_be;
    __u16 destination_port_be;
    __u8 protocol;
    __u8 pad[3]; /* zero */
};

/* Bits of dp_flow.flags, and of dp_flow_reply.seen. */
enum dp_flow_flags {
    DP_FLOW_MASQUERADED = 1 << 0, /* `source` is an address of this node */
    DP_FLOW_TUNNELLED = 1 << 1,   /* a DSR flow in a moved slot: `backend` is where its packets are tunnelled to */
    DP_FLOW_FINISHED = 1 << 2,    /* this direction has sent FIN */
    DP_FLOW_RESET = 1 << 3,       /* this direction has sent RST */
    DP_FLOW_ANSWERED = 1 << 4,    /* packets went both ways */
    DP_FLOW_UNTIMED = 1 << 6,     /* the kernel had no memory for a timer so far: the agent removes it if none comes */
    DP_FLOW_FROM_TUNNEL = 1 << 5, /* another node tunnels the client's packets to this one (DSR) */
};

/*
 * Value of `flows`, keyed by the client's direction before translation. What the backend sees is `source` and
 * `backend`. In the map a struct bpf_timer follows (16 bytes): it removes the flow when neither direction has been seen
 * for the time that its protocol and state allow.
 */
struct dp_flow {
    struct dp_address source;
    struct dp_address backend;
    __u16 source_port_be;
    __u16 backend_port_be;
    __u32 service_id;
    __u32 backend_id;
    __u32 flags;        /* enum dp_flow_flags */
    __u64 last_seen_ns; /* CLOCK_MONOTONIC, of the client's direction */
    __u64 created_ns;
    __u64 packets;      /* of the client's direction; approximate, since processors do not wait for each other */
    __u64 bytes;
    __u64 timer[2];     /* struct bpf_timer; not for readers */
};

/* The way to somebody, as XDP remembers it: asked for again when it has become old. */
struct dp_way_out {
    __u64 fresh_until_ticks; /* jiffies; zero: unknown */
    __u32 interface;
    __u16 mtu;
    __u8 destination_mac[6]; /* the two where words of an Ethernet header are words here as well */
    __u8 source_mac[6];
    __u16 port_be;           /* in dp_next_hop, the backend's */
    __u8 pad[4];             /* zero */
};

/* Value of `flow_replies`, keyed by the backend's direction. */
struct dp_flow_reply {
    struct dp_flow_key flow; /* the key of its record: whom the reply is for, and as whom it is sent */
    __u64 last_seen_ns;
    __u64 packets;
    __u64 bytes;
    __u32 service_id;
    __u32 seen;              /* enum dp_flow_flags */
    struct dp_way_out way;   /* to the client */
};

/* Bits of dp_device.flags. */
enum dp_device_flags {
    DP_DEVICE_EXTERNAL = 1 << 0,  /* leads out of the node */
    DP_DEVICE_POD_LOCAL = 1 << 1, /* what comes in here is pod-local by an interface detector (MASQ-9) */
    DP_DEVICE_XDP_OUT = 1 << 2,   /* XDP programs may send frames out of it */
};

/* Value of `devices`, keyed by interface index (__u32). Addresses are zero where the device has none. */
struct dp_device {
    struct dp_address ipv4; /* what is masqueraded with (MASQ-10) */
    struct dp_address ipv6;
    __u32 flags; /* enum dp_device_flags */
    __u32 mtu;
};

/*
 * The single element of `node` (array): which sources are pod-local (MASQ-9). A source is, if the bits of `mask` are
 * those of `network`; without a detector in a family the mask is zero and the network is not.
 */
struct dp_node {
    struct dp_address pod_network_ipv4;
    struct dp_address pod_mask_ipv4;
    struct dp_address pod_network_ipv6;
    struct dp_address pod_mask_ipv6;
};

/*
 * Element of `next_hops` (memory-mapped array), index is the backend id: the way to a backend of another node, with all
 * that a packet needs of that backend, in one cache line. Written by XDP; the agent makes it unknown when it writes
 * the backend. Since a backend's id is not used again before the grace period is over, a way that is fresh is that of
 * the backend which a record now names by the id; a flow, which may outlive its backend, compares the address.
 */
struct dp_next_hop {
    struct dp_way_out way;
    struct dp_address backend;
    struct dp_address source; /* an address of the way's interface, or zero */
};

/* Key of `fragments`: the fragments of one datagram (RFC 791, RFC 8200 4.5). */
struct dp_fragment_key {
    struct dp_address source;
    struct dp_address destination;
    __u32 identification; /* as in the packet */
    __u8 protocol;
    __u8 pad[3]; /* zero */
};

/* Value of `fragments`: what only the first fragment shows. */
struct dp_fragment {
    __u16 source_port_be;
    __u16 destination_port_be;
};

#endif
