/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the datapath tells: counters for each outcome, counters for each service port, and the events of
 * `martlet monitor`. Counters are per CPU; readers add them up.
 */
#ifndef MARTLET_ABI_OBSERVE_H
#define MARTLET_ABI_OBSERVE_H

#include "types.h"

/* Index into `outcomes` (per-CPU array of __u64), and the reason carried by an event. Append only. */
enum dp_outcome {
    DP_OUTCOME_FORWARDED = 0,             /* a backend was chosen and the socket rewritten */
    DP_OUTCOME_NO_ENDPOINTS = 1,          /* refused: no usable endpoint anywhere (REJ-1) */
    DP_OUTCOME_NO_LOCAL_ENDPOINTS = 2,    /* dropped: usable endpoints elsewhere only (TP-3, TP-7) */
    DP_OUTCOME_SOURCE_RANGE = 3,          /* dropped: loadBalancerSourceRanges (LBSR-1) */
    DP_OUTCOME_UNKNOWN_PORT = 4,          /* refused: a virtual address, but not one of its ports (SVC-12) */
    DP_OUTCOME_BIND_PROTECTED = 5,        /* bind refused: the port is a NodePort */
    DP_OUTCOME_CONNECTION_UNRECORDED = 6, /* forwarded, but `connections` is full: no reverse translation */
    DP_OUTCOME_UDP_PEER_UNRECORDED = 7,   /* forwarded, but `udp_pages` is full: replies show the backend */
    DP_OUTCOME_AFFINITY_UNRECORDED = 8,   /* forwarded, but the affinity record could not be written */
    DP_OUTCOME_BAD_RECORD = 9,            /* refused: a record in the maps contradicts itself */
    DP_OUTCOME_EVENTS_LOST = 10,          /* events not delivered: rate limit reached or ring buffer full */
    DP_OUTCOME_UNOWNED_ADDRESS = 11,      /* dropped: inside a ServiceCIDR, and no service owns it (SVC-12) */
    /* Packets. */
    DP_OUTCOME_ANSWERED_LOCALLY = 12,     /* handed to a backend of this node */
    DP_OUTCOME_SENT_ON = 13,              /* sent to a backend of another node with an address of ours as source */
    DP_OUTCOME_TUNNELLED = 14,            /* sent to a backend of another node inside of another packet (DSR) */
    DP_OUTCOME_DECAPSULATED = 15,         /* came inside of another packet, for a backend of this node (DSR) */
    DP_OUTCOME_REPLIED = 16,              /* a backend's reply, translated back */
    DP_OUTCOME_ECHO_ANSWERED = 17,        /* an echo request to a virtual address */
    DP_OUTCOME_ERROR_TRANSLATED = 18,     /* an ICMP error about a flow of ours, handed to whom it concerns */
    DP_OUTCOME_TOO_BIG = 19,              /* dropped: does not fit into the tunnel; the sender was told */
    DP_OUTCOME_MALFORMED = 20,            /* dropped: to a frontend, but lengths or headers contradict each other */
    DP_OUTCOME_FRAGMENT_UNKNOWN = 21,     /* dropped: a later fragment of a datagram whose first was not seen */
    DP_OUTCOME_FLOWS_FULL = 22,           /* dropped: `flows` or `flow_replies` has no room for a new flow */
    DP_OUTCOME_PORTS_EXHAUSTED = 23,      /* dropped: no source port is free towards this backend */
    DP_OUTCOME_PORT_COLLISION = 24,       /* a source port was taken, and another one was tried */
    DP_OUTCOME_NO_ROUTE = 25,             /* dropped: no route to the backend or back to the client */
    DP_OUTCOME_NO_SOURCE_ADDRESS = 26,    /* dropped: the way out has no address of this family to masquerade with */
    DP_OUTCOME_FROM_OUTSIDE = 27,         /* refused: an outside client at a frontend for the inside only */
    DP_OUTCOME_FLOW_TRACKED = 28,         /* a DSR flow in a moved slot was given a record */
    DP_OUTCOME_NEIGHBOUR_PENDING = 29,    /* passed on to TC: XDP does not know the next hop's link address yet */
    DP_OUTCOME_UNSUPPORTED = 30,          /* dropped: a protocol or header that cannot be translated */
    DP_OUTCOME_HOPS_EXCEEDED = 31,        /* dropped: the packet may not travel any further (TTL, hop limit) */
    DP_OUTCOME_FLOW_UNTIMED = 32,         /* a flow was given a record without a timer */
    DP_OUTCOME_KERNEL_REFUSED = 33,       /* dropped: the kernel refused to make room, to write or to send */
    DP_OUTCOME_ERROR_UNKNOWN = 34,        /* dropped: an ICMP error out of a tunnel, about a flow that has no record */
    DP_OUTCOME_DISPATCHED = 35,           /* sent to a backend's own address on another node, by option (DSR) */
    DP_OUTCOME_OPTION_TAKEN = 36,         /* came with DSR's option, for a backend of this node */
    DP_OUTCOME_OPTION_REFUSED = 37,       /* dropped: DSR's option names a frontend that the backend does not serve */
    DP_OUTCOME_FLOW_UNKNOWN = 38,         /* dropped: sent by option, and the backend's node knows no such flow */
    DP_OUTCOME_TUNNEL_ERROR_SHORT = 39,   /* an ICMP error about a tunnel that quotes too little to tell a client */
    DP_OUTCOME_CAPTURES_LOST = 40,        /* captured packets not delivered: rate limit reached or ring buffer full */
    DP_OUTCOME_COUNT = 41,
};

/* Element of `service_counters` (per-CPU array), index is the service id. */
struct dp_service_counters {
    __u64 connections; /* TCP connects, UDP connects, new UDP peers of unconnected sockets, and new flows of packets */
    __u64 refused;     /* refused or dropped, for whatever reason */
    __u64 packets;     /* of clients, as the packet hooks saw them */
    __u64 bytes;       /* from the IP header on */
};

/* Which hook reported. */
enum dp_hook {
    DP_HOOK_CONNECT = 1,
    DP_HOOK_SENDMSG = 2,
    DP_HOOK_BIND = 3,
    DP_HOOK_XDP = 4,
    DP_HOOK_TC_INGRESS = 5,
    DP_HOOK_TC_EGRESS = 6,
};

/* A record of the `events` ring buffer. Addresses are zero where they do not apply. */
struct dp_event {
    __u64 time_ns;       /* CLOCK_MONOTONIC */
    __u64 socket_cookie;
    __u64 netns_cookie;
    struct dp_address frontend;
    struct dp_address backend;
    struct dp_address client; /* of a packet */
    __u32 service_id;
    __u32 interface;     /* index of the device that a packet came in by or goes out of */
    __u32 process_id;    /* thread group id in the initial pid namespace */
    __u16 frontend_port_be;
    __u16 backend_port_be;
    __u16 client_port_be;
    __u8 protocol;
    __u8 outcome;        /* enum dp_outcome */
    __u8 hook;           /* enum dp_hook */
    __u8 pad[3];         /* zero */
    char command[16];    /* the task's name, NUL-padded */
};

/* The single element of `event_switch` (array): events are sent only while somebody asks for them. */
struct dp_event_switch {
    __u64 until_ns;            /* CLOCK_MONOTONIC; a monitor pushes it forward while it runs; zero: off */
    __u32 per_second;          /* for each CPU; further events are counted as lost */
    __u32 pad;                 /* zero */
};

/* Per-CPU state of the rate limit. */
struct dp_event_budget {
    __u64 second;              /* the second that `spent` counts in */
    __u64 spent;
};

/*
 * The single element of `watch` (array of __u64): CLOCK_MONOTONIC until which somebody wants to know more of packets
 * than their counters say, events or captures; zero: nobody. The packet hooks test this alone; whoever sets it says in
 * `event_switch` or `capture_switch` what is wanted.
 */

/* The most of a packet that is captured. */
#define DP_CAPTURE_BYTES_MAX 2048

/* The most services that the kernel tells apart for a capture. */
#define DP_CAPTURE_SERVICES_MAX 8

/* The single element of `capture_switch` (array): which packets are captured, and how much of them. */
struct dp_capture_switch {
    __u64 until_ns;      /* CLOCK_MONOTONIC; a capture pushes it forward while it runs; zero: off */
    __u64 outcomes;      /* by number, a bit for each outcome that is wanted */
    __u32 snap_bytes;    /* of each packet, at most */
    __u32 one_in;        /* of so many packets that are wanted, one is captured; at least 1 */
    __u32 per_second;    /* for each CPU and loaded program; further packets are counted as lost */
    __u32 service_count; /* zero: all services, and packets of none */
    __u32 services[DP_CAPTURE_SERVICES_MAX];
};

/* What the hook did with a captured packet. */
enum dp_capture_end {
    DP_CAPTURE_PASSED = 1,  /* on, up or down the stack */
    DP_CAPTURE_SENT = 2,    /* out of a device, or back to its sender */
    DP_CAPTURE_DROPPED = 3,
};

/* Which of its forms it is. */
enum dp_capture_stage {
    DP_CAPTURE_BEFORE = 1, /* as the hook met it */
    DP_CAPTURE_AFTER = 2,  /* as the hook let it go */
};

/*
 * A record of the `captures` ring buffer; the packet's first `captured_bytes` follow. A packet that was not dropped has
 * two, one after the other on its CPU: as it was, and as it became.
 */
struct dp_capture {
    __u64 time_ns;             /* CLOCK_MONOTONIC, when the hook met it */
    struct dp_address backend; /* zero: none was chosen */
    __u32 service_id;          /* zero: none is concerned */
    __u32 interface;           /* index of the hook's device */
    __u32 frame_bytes;         /* of the whole frame */
    __u32 captured_bytes;
    __u16 backend_port_be;
    __u8 outcome;              /* enum dp_outcome */
    __u8 hook;                 /* enum dp_hook */
    __u8 end;                  /* enum dp_capture_end */
    __u8 stage;                /* enum dp_capture_stage */
    __u8 link_header_bytes;    /* zero: the frame begins with the IP header */
    __u8 pad;                  /* zero */
};

/* The single element of `contract` (array): which contract the pinned maps follow. */
struct dp_contract {
    __u32 abi_version;
    __u32 pad; /* zero */
};

#endif
