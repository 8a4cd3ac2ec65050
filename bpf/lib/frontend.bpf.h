/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From a dialled address to its frontend, and to the choice that this client has there. */
#ifndef MARTLET_LIB_FRONTEND_H
#define MARTLET_LIB_FRONTEND_H

#include "address.bpf.h"
#include "config.bpf.h"
#include "dial.bpf.h"
#include "maps.bpf.h"

/* Look-ups of one key until what was found is of that key; more than one only while the agent writes. */
#define FRONTEND_ATTEMPTS 4

static __always_inline int key_equals(const struct dp_frontend_key *left, const struct dp_frontend_key *right)
{
    return left->port_be == right->port_be && left->protocol == right->protocol &&
           address_equals(&left->address, &right->address);
}

/* What is programmed for a dialled address; NULL when it is no frontend. See dp_placed_frontend. */
static __always_inline struct dp_frontend *find_frontend(const struct dp_frontend_key *key)
{
    for (int attempt = 0; attempt < FRONTEND_ATTEMPTS; attempt++) {
        struct dp_placed_frontend *record;
        __u32 *value = bpf_map_lookup_elem(&frontends, key);
        __u32 place;

        if (!value)
            return 0;
        place = *(volatile __u32 *)value;
        record = bpf_map_lookup_elem(&frontend_records, &place);
        if (record && key_equals(&record->key, key))
            return &record->frontend;
    }
    return 0;
}

/* Whether an entry answers for the unused ports of this address: it is a virtual one. */
static __always_inline int has_wildcard(const struct dp_frontend_key *key)
{
    struct dp_frontend_key wildcard = {.address = key->address};

    return bpf_map_lookup_elem(&frontends, &wildcard) != 0;
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
