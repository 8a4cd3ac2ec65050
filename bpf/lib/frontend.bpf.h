/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From a dialled address to its frontend, and to the choice that this client has there. */
#ifndef MARTLET_LIB_FRONTEND_H
#define MARTLET_LIB_FRONTEND_H

#include "address.bpf.h"
#include "config.bpf.h"
#include "dial.bpf.h"
#include "hint.bpf.h"
#include "maps.bpf.h"

/* Look-ups of one key until what was found is of that key; more than one only while the agent writes. */
#define FRONTEND_ATTEMPTS 4

static __always_inline int key_equals(const struct dp_frontend_key *left, const struct dp_frontend_key *right)
{
    return left->port_be == right->port_be && left->protocol == right->protocol &&
           address_equals(&left->address, &right->address);
}

/* The record in a place, if it is the key's. */
static __always_inline struct dp_frontend *frontend_in(__u32 place, const struct dp_frontend_key *key)
{
    struct dp_placed_frontend *record = bpf_map_lookup_elem(&frontend_records, &place);

    return record && key_equals(&record->key, key) ? &record->frontend : 0;
}

/* Asks the hash, which knows every frontend. Out of line: the index is enough for nearly all. */
static __noinline __u32 find_place(const struct dp_frontend_key *key)
{
    for (int attempt = 0; attempt < FRONTEND_ATTEMPTS; attempt++) {
        __u32 *value, place;

        value = key ? bpf_map_lookup_elem(&frontends, key) : 0;
        if (!value)
            return 0;
        place = *(volatile __u32 *)value;
        if (frontend_in(place, key))
            return place;
    }
    return 0;
}

/*
 * What is programmed for a dialled address; NULL when it is no frontend. See dp_placed_frontend and
 * dp_frontend_bucket.
 */
static __always_inline struct dp_frontend *find_frontend(const struct dp_frontend_key *key)
{
    __u32 place;

    if (frontend_index_mask) {
        __u32 bucket = dp_frontend_bucket(*key) & frontend_index_mask;
        __u32 home = dp_frontend_home(bucket, frontend_home_shift);
        __u64 *places = bpf_map_lookup_elem(&frontend_index, &bucket), both;
        struct dp_frontend *frontend = loads_are_ordered ? frontend_in(home, key) : 0;

        if (rarely(!places))
            return 0;
        both = *(volatile __u64 *)places;
        if (usually(frontend && ((__u32)both == home || both >> 32 == home)))
            return frontend;
        if ((__u32)both) {
            frontend = frontend_in((__u32)both, key);
            if (usually(frontend))
                return frontend;
        }
        if (both >> 32) {
            frontend = frontend_in(both >> 32, key);
            if (frontend)
                return frontend;
        }
        if (usually(!(__u32)both || !(both >> 32)))
            return 0;
    }
    place = find_place(key);
    return place ? frontend_in(place, key) : 0;
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
