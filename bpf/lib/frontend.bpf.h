/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From a dialled address to its frontend, and to the choice that this client has there. */
#ifndef MARTLET_LIB_FRONTEND_H
#define MARTLET_LIB_FRONTEND_H

#include "address.bpf.h"
#include "config.bpf.h"
#include "dial.bpf.h"
#include "maps.bpf.h"

/* The entry that answers for the unused ports of a virtual address; NULL when the address is not one. */
static __always_inline struct dp_frontend *find_wildcard(const struct dp_frontend_key *key)
{
    struct dp_frontend_key wildcard = {.address = key->address};

    return bpf_map_lookup_elem(&frontends, &wildcard);
}

static __always_inline int is_in_service_cidr(const struct dp_address *address)
{
    struct dp_prefix prefix = {.length = 128, .address = *address};

    return bpf_map_lookup_elem(&service_cidrs, &prefix) != 0;
}

/* This node's processes and recognised pods are short-circuited; others count as outside clients (TP-6, TP-8). */
static __always_inline const struct dp_choice *choice_for(const struct dp_frontend *frontend, const struct dial *dial)
{
    __u8 pods_are_local = address_is_ipv4(&dial->key.address) ? pods_are_local_ipv4 : pods_are_local_ipv6;

    return dial->is_host || pods_are_local ? &frontend->internal : &frontend->external;
}

/* loadBalancerSourceRanges exclude this client (LBSR-3). */
static __always_inline int is_denied(const struct dp_frontend *frontend, const struct dial *dial)
{
    return frontend->flags & (dial->is_host ? DP_FRONTEND_DENY_HOST : DP_FRONTEND_DENY_PODS);
}

#endif
