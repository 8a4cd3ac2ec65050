/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The vocabulary of the contract between the datapath (BPF C) and the agent (Swift): addresses and the small
 * enumerations. Every struct of bpf/abi is defined once, here; the BPF compiler includes it and Swift imports it.
 * Rules: no unions, explicit zeroed padding, explicit sizes; every struct is checked by abi.c and by `make check`.
 */
#ifndef MARTLET_ABI_TYPES_H
#define MARTLET_ABI_TYPES_H

#include <linux/types.h>

/*
 * The version of the whole contract. It is written in the `contract` map; an agent that finds another number there
 * migrates or refuses, and never writes. Raise it whenever a layout or a meaning in bpf/abi changes.
 */
#define DP_ABI_VERSION 7u

/* An address: 16 bytes in network order, as four words; IPv4 is IPv4-mapped (RFC 4291, 2.5.5.2). */
struct dp_address {
    __u32 words_be[4];
};

/* What to do with a connection that names a frontend. Zero is never valid, so that an empty record cannot forward. */
enum dp_action {
    DP_ACTION_INVALID = 0,
    DP_ACTION_FORWARD = 1, /* choose a backend of the set */
    DP_ACTION_REJECT = 2,  /* refuse at once: ECONNREFUSED at the socket (REJ-1) */
    DP_ACTION_DROP = 3,    /* usable endpoints exist, but none that this policy may use (TP-3, TP-7), or not allowed */
};

/* Why a frontend exists; see docs/glossary.md. */
enum dp_frontend_kind {
    DP_FRONTEND_CLUSTER_IP = 1,
    DP_FRONTEND_NODE_PORT = 2,
    DP_FRONTEND_EXTERNAL_IP = 3,
    DP_FRONTEND_LOAD_BALANCER = 4,
    DP_FRONTEND_WILDCARD = 5, /* any unused port of a virtual address; key has port 0 and protocol 0 (SVC-12) */
};

/* Bits of dp_frontend.flags. */
enum dp_frontend_flags {
    DP_FRONTEND_MAGLEV = 1 << 0,        /* choose through the table by hash; without it, at random */
    DP_FRONTEND_HOST_ONLY = 1 << 1,     /* only for sockets of the node's own network namespace (loopback, NP-6) */
    DP_FRONTEND_DENY_HOST = 1 << 2,     /* loadBalancerSourceRanges exclude this node's own sockets (LBSR-3) */
    DP_FRONTEND_DENY_PODS = 1 << 3,     /* loadBalancerSourceRanges exclude this node's pods (LBSR-3) */
    DP_FRONTEND_MASQUERADE_HOST = 1 << 4,    /* packets of node-local sources get a source address of this node */
    DP_FRONTEND_MASQUERADE_PODS = 1 << 5,    /* the same for pod-local traffic (section 8 of the rules) */
    DP_FRONTEND_MASQUERADE_OUTSIDE = 1 << 6, /* the same for everybody else */
    DP_FRONTEND_SOURCE_RANGES = 1 << 7,      /* packets are admitted by `source_ranges` only (LBSR-1) */
    DP_FRONTEND_DSR = 1 << 8,                /* outside clients' packets are not masqueraded but tunnelled (DSR) */
    DP_FRONTEND_INSIDE_ONLY = 1 << 9,        /* packets of outside clients are refused: a ClusterIP is not theirs */
    DP_FRONTEND_CHANGING = 1 << 10,          /* `previous` counts: DSR flows in slots that have moved are tracked */
    DP_FRONTEND_OUTSIDE_ONLY = 1 << 11,      /* a wildcard that is for packets of outside clients only (decision 12) */
    DP_FRONTEND_EXTERNAL_LOCAL = 1 << 14,    /* `external` is the local list (TP-5); for people */
    DP_FRONTEND_INTERNAL_LOCAL = 1 << 15,    /* `internal` is the local list (TP-1); for people */
};

/* Bits of dp_backend.flags. */
enum dp_backend_flags {
    DP_BACKEND_LOCAL = 1 << 0, /* an endpoint of this node (EP-10) */
};

#endif
