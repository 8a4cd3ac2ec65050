/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Taking over from a proxy that translates in the kernel, and going back to it: which connections the kernel's
 * connection tracking goes on translating, and how far the handover is. Written by user space.
 */
#ifndef MARTLET_ABI_HANDOVER_H
#define MARTLET_ABI_HANDOVER_H

#include "types.h"

/* Bits of dp_handover.flags. */
enum dp_handover_flags {
    DP_HANDOVER_HOLDING = 1 << 0,   /* `kernel_flows` counts: packets that have a record there are left to the kernel */
    DP_HANDOVER_BEGINNING = 1 << 1, /* some of them have no record yet: see belongs_to_kernel() */
    DP_HANDOVER_LEAVING = 1 << 2,   /* `martlet retreat`: datagrams go on by their records as connections do */
    DP_HANDOVER_TAKEN = 1 << 3,     /* the other proxy's rules have been removed; not for programs */
};

/* The single element of `handover` (array). */
struct dp_handover {
    __u32 flags; /* enum dp_handover_flags */
    __u32 pad;   /* zero */
};

/* Bits of dp_kernel_flow.flags. */
enum dp_kernel_flow_flags {
    DP_KERNEL_FLOW_REPLY = 1 << 0, /* the key is the backend's direction, of a flow that the kernel masquerades */
    DP_KERNEL_FLOW_OPEN = 1 << 1,  /* TCP: the client has had an answer, so that a SYN begins another connection */
};

/*
 * Value of `kernel_flows`, keyed by a struct dp_flow_key: a direction of a connection that the kernel translates. The
 * agent removes what the kernel no longer has.
 */
struct dp_kernel_flow {
    __u64 expires_ns; /* CLOCK_MONOTONIC: when the kernel forgets it, if it is silent; not for TCP */
    __u32 patience_s; /* how long it may be silent */
    __u32 flags;      /* enum dp_kernel_flow_flags */
};

#endif
