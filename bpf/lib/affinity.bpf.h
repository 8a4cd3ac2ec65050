/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ClientIP session affinity (AFF-1…AFF-8). To sockets a client is a network namespace: at connect() a socket has no
 * source address yet, and a pod has one namespace. To packets it is their source address. A record counts only while
 * its backend is in the set in use on this path (AFF-4).
 */
#ifndef MARTLET_LIB_AFFINITY_H
#define MARTLET_LIB_AFFINITY_H

#include "choose.bpf.h"
#include "observe.bpf.h"

/* A socket's client of a frontend, whose address tells the family. */
static __always_inline struct dp_affinity_key affinity_of_namespace(__u64 netns_cookie,
                                                                    const struct dp_address *frontend,
                                                                    __u32 service_id)
{
    struct dp_affinity_key key = {
        .client = {{(__u32)netns_cookie, netns_cookie >> 32, 0, 0}},
        .service_id = service_id,
        .family = address_is_ipv4(frontend) ? 4 : 6,
        .kind = DP_CLIENT_NAMESPACE,
    };

    return key;
}

/* A packet's client: its source address. */
static __always_inline struct dp_affinity_key affinity_of_address(const struct dp_address *client, __u32 service_id)
{
    struct dp_affinity_key key = {
        .client = *client,
        .service_id = service_id,
        .family = address_is_ipv4(client) ? 4 : 6,
        .kind = DP_CLIENT_ADDRESS,
    };

    return key;
}

/* A record's backend with its position, as one word: one instruction exchanges both. */
typedef __u64 __attribute__((may_alias)) affinity_bond;

_Static_assert(__builtin_offsetof(struct dp_affinity, backend_id) == 8 &&
                   __builtin_offsetof(struct dp_affinity, position) == 12,
               "backend_id and position of struct dp_affinity are one aligned word");

static __always_inline affinity_bond *affinity_bond_of(struct dp_affinity *record)
{
    return (affinity_bond *)&record->backend_id;
}

/* Nanoseconds since the last use; negative when another CPU has renewed the record since this dial took its time. */
static __always_inline __s64 affinity_age_ns(const struct dp_affinity *record, __u64 now_ns)
{
    return (__s64)(now_ns - record->last_used_ns);
}

/* Never backwards: the later of two connections counts (AFF-3). */
static __always_inline void affinity_renew(struct dp_affinity *record, __u64 now_ns)
{
    if (affinity_age_ns(record, now_ns) > 0)
        record->last_used_ns = now_ns;
}

/* Where a record's backend is in the set: at the position that the record knows, or elsewhere; else NO_POSITION. */
static __always_inline __u32 affinity_position(const struct dp_affinity *record, const struct dp_choice *choice)
{
    __u32 backend_id = record->backend_id, position = record->position;

    if (position < choice->set_count && set_member(choice, position) == backend_id)
        return position;
    return find_member(choice, backend_id);
}

/* The position that a record binds its client to, renewed; NO_POSITION when the client is free to choose. */
static __always_inline __u32 affinity_hold(struct dp_affinity *record, const struct dp_frontend *frontend,
                                           const struct dp_choice *choice, __u64 now_ns)
{
    __u32 position;

    if (affinity_age_ns(record, now_ns) >= (__s64)(frontend->affinity_timeout_s * NANOSECONDS_PER_SECOND))
        return NO_POSITION;
    position = affinity_position(record, choice);
    if (position == NO_POSITION)
        return NO_POSITION;
    affinity_renew(record, now_ns);
    if (record->position != position)
        record->position = position;
    return position;
}

static __always_inline __u32 affinity_recall(const struct dp_affinity_key *key, const struct dp_frontend *frontend,
                                             const struct dp_choice *choice, __u64 now_ns)
{
    struct dp_affinity *record = bpf_map_lookup_elem(&affinity, key);

    return record ? affinity_hold(record, frontend, choice, now_ns) : NO_POSITION;
}

/*
 * Binds the client to the backend that was drawn for it. Returns the position that it is bound to: where another CPU
 * draws for the same client at the same time, the first to write decides for both. A record that is there is changed in
 * its place: writing into an LRU costs some 300 ns. What cannot be written is counted: the client is free next time.
 */
static __always_inline __u32 affinity_bind(const struct dp_affinity_key *key, const struct dp_frontend *frontend,
                                           const struct dp_choice *choice, __u32 drawn, __u64 now_ns)
{
    struct dp_affinity fresh = {.last_used_ns = now_ns, .backend_id = set_member(choice, drawn), .position = drawn};
    struct dp_affinity *record = bpf_map_lookup_elem(&affinity, key);
    struct dp_affinity found = {};
    __u32 position;
    __u64 seen;

    if (!record) {
        if (!bpf_map_update_elem(&affinity, key, &fresh, BPF_NOEXIST))
            return drawn;
        record = bpf_map_lookup_elem(&affinity, key);
    }
    if (!record) {
        count_outcome(DP_OUTCOME_AFFINITY_UNRECORDED);
        return drawn;
    }
    seen = *(volatile affinity_bond *)affinity_bond_of(record);
    position = affinity_hold(record, frontend, choice, now_ns);
    if (position != NO_POSITION)
        return position;
    affinity_renew(record, now_ns);
    *affinity_bond_of(&found) =
        __sync_val_compare_and_swap(affinity_bond_of(record), seen, *affinity_bond_of(&fresh));
    position = *affinity_bond_of(&found) == seen ? drawn : affinity_position(&found, choice);
    return position != NO_POSITION ? position : drawn;
}

/* A new connection's position: where affinity binds the client, else drawn; remembered where there is affinity. */
static __always_inline __u32 choose_position(const struct dp_affinity_key *client, const struct dp_frontend *frontend,
                                             const struct dp_choice *choice, __u64 hash_input)
{
    __u64 now_ns = frontend->affinity_timeout_s ? bpf_ktime_get_ns() : 0;
    __u32 position = NO_POSITION;

    if (now_ns)
        position = affinity_recall(client, frontend, choice, now_ns);
    if (position != NO_POSITION)
        return position;
    position = draw_position(frontend, choice, hash_input);
    if (now_ns && position < choice->set_count)
        position = affinity_bind(client, frontend, choice, position, now_ns);
    return position;
}

#endif
