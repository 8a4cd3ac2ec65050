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
    DP_OUTCOME_COUNT = 12,
};

/* Element of `service_counters` (per-CPU array), index is the service id. */
struct dp_service_counters {
    __u64 connections; /* TCP connects, UDP connects, and new UDP peers of unconnected sockets */
    __u64 refused;     /* refused or dropped, for whatever reason */
};

/* Which hook reported. */
enum dp_hook {
    DP_HOOK_CONNECT = 1,
    DP_HOOK_SENDMSG = 2,
    DP_HOOK_BIND = 3,
};

/* A record of the `events` ring buffer. Addresses are zero where they do not apply. */
struct dp_event {
    __u64 time_ns;       /* CLOCK_MONOTONIC */
    __u64 socket_cookie;
    __u64 netns_cookie;
    struct dp_address frontend;
    struct dp_address backend;
    __u32 service_id;
    __u32 process_id;    /* thread group id in the initial pid namespace */
    __u16 frontend_port_be;
    __u16 backend_port_be;
    __u8 protocol;
    __u8 outcome;        /* enum dp_outcome */
    __u8 hook;           /* enum dp_hook */
    __u8 pad;            /* zero */
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

/* The single element of `contract` (array): which contract the pinned maps follow. */
struct dp_contract {
    __u32 abi_version;
    __u32 pad; /* zero */
};

#endif
