/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the agent decides when it loads the programs: read-only data, so that the verifier removes what is switched off.
 * Names are part of the contract; Sources/Datapath sets each of them.
 */
#ifndef MARTLET_LIB_CONFIG_H
#define MARTLET_LIB_CONFIG_H

#include <linux/types.h>

/* Cookie of the node's own network namespace (SO_NETNS_COOKIE of a socket of the agent). */
const volatile __u64 host_netns_cookie = 0;

/* Whether pods count as pod-local: a local-traffic detector exists in the family (TP-8, MASQ-9). */
const volatile __u8 pods_are_local_ipv4 = 1;
const volatile __u8 pods_are_local_ipv6 = 1;

/* Refuse bind() to a port that a NodePort holds. */
const volatile __u8 protect_node_ports = 1;

/* Keep reverse state of connected TCP sockets: getpeername shows the frontend, and they can be found when it goes. */
const volatile __u8 record_tcp = 1;

/* Power of two minus one, below the size of `connections`: the part of a socket cookie that is its place there. */
const volatile __u32 connection_mask = 0;

/* Elements of `frontend_index` minus one; zero: it is not used. */
const volatile __u32 frontend_index_mask = 0;

/*
 * Whether the processor shows loads in their order (x86). Then a record and the bucket that says whose it is may be
 * read at the same time; elsewhere one address has to follow from the other.
 */
const volatile __u8 loads_are_ordered = 0;

/* How many of the lowest bits of a bucket's number its home leaves out (dp_frontend_home). */
const volatile __u32 frontend_home_shift = 0;

/* How many cgroups are in `skip_cgroups`; zero: nobody looks. */
const volatile __u32 skip_cgroup_count = 0;

#endif
