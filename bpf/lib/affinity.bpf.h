/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ClientIP session affinity (AFF-1…AFF-8). A client is a network namespace: at connect() a socket has no source address
 * yet, and a pod has one namespace. A record counts only while its backend is in the set in use on this path (AFF-4).
 */
#ifndef MARTLET_LIB_AFFINITY_H
#define MARTLET_LIB_AFFINITY_H

#include "choose.bpf.h"
#include "observe.bpf.h"

static __always_inline struct dp_affinity_key affinity_key(const struct dial *dial, __u32 service_id)
{
    struct dp_affinity_key key = {
        .netns_cookie = dial->netns_cookie,
        .service_id = service_id,
        .family = address_is_ipv4(&dial->key.address) ? 4 : 6,
    };

    return key;
}

/* The position that the client is bound to, renewed; NO_POSITION when it is free to choose. */
static __always_inline __u32 affinity_recall(const struct dial *dial, const struct dp_frontend *frontend,
                                             const struct dp_choice *choice, __u64 now_ns)
{
    struct dp_affinity_key key = affinity_key(dial, frontend->service_id);
    struct dp_affinity *record = bpf_map_lookup_elem(&affinity, &key);
    __u32 position;

    if (!record || now_ns - record->last_used_ns >= frontend->affinity_timeout_s * NANOSECONDS_PER_SECOND)
        return NO_POSITION;
    position = record->position;
    if (position >= choice->set_count || set_member(choice, position) != record->backend_id)
        position = find_member(choice, record->backend_id);
    if (position == NO_POSITION)
        return NO_POSITION;
    record->last_used_ns = now_ns;
    record->position = position;
    return position;
}

/* Binds the client. A record that says so already is renewed where it is: writing into an LRU costs some 300 ns. */
static __always_inline void affinity_remember(const struct dial *dial, const struct dp_frontend *frontend,
                                              __u32 backend_id, __u32 position, __u64 now_ns)
{
    struct dp_affinity_key key = affinity_key(dial, frontend->service_id);
    struct dp_affinity fresh = {.last_used_ns = now_ns, .backend_id = backend_id, .position = position};
    struct dp_affinity *record = bpf_map_lookup_elem(&affinity, &key);

    if (record && record->backend_id == backend_id) {
        record->last_used_ns = now_ns;
        record->position = position;
    } else if (bpf_map_update_elem(&affinity, &key, &fresh, BPF_ANY)) {
        report(dial, 0, frontend->service_id, DP_OUTCOME_AFFINITY_UNRECORDED);
    }
}

#endif
