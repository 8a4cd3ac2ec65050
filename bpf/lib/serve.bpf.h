/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The decision for one packet of a client: who the client is to this node, whether it is admitted, which policy counts,
 * which backend is its. What resolve.bpf.h is to sockets; the same for XDP and TC.
 */
#ifndef MARTLET_LIB_SERVE_H
#define MARTLET_LIB_SERVE_H

#include "affinity.bpf.h"
#include "choose.bpf.h"
#include "frontend.bpf.h"
#include "hint.bpf.h"
#include "packet_observe.bpf.h"
#include "packet_maps.bpf.h"

/* Who sends, by source address and by the device that the packet came in by (TP-10, MASQ-9). */
enum client_class {
    CLIENT_HOST,    /* an address of this node */
    CLIENT_POD,     /* pod-local */
    CLIENT_OUTSIDE,
};

static __always_inline int is_in_network(const struct dp_address *address, const struct dp_address *network,
                                         const struct dp_address *mask)
{
    return (address->words_be[0] & mask->words_be[0]) == network->words_be[0] &&
           (address->words_be[1] & mask->words_be[1]) == network->words_be[1] &&
           (address->words_be[2] & mask->words_be[2]) == network->words_be[2] &&
           (address->words_be[3] & mask->words_be[3]) == network->words_be[3];
}

/* Whether a source is in the pods' range of its family. */
static __always_inline int is_pod_source(const struct packet *packet)
{
    __u32 zero = 0;
    struct dp_node *facts = bpf_map_lookup_elem(&node, &zero);

    if (!facts)
        return 0;
    /* What comes before the last word is the same in all IPv4 addresses, and in a network that is none. */
    if (packet->is_ipv4)
        return (packet->tuple.source.words_be[3] & facts->pod_mask_ipv4.words_be[3]) ==
               facts->pod_network_ipv4.words_be[3];
    return is_in_network(&packet->tuple.source, &facts->pod_network_ipv6, &facts->pod_mask_ipv6);
}

/* The address is on the stack or in a map. */
static __always_inline int is_node_address(const struct dp_address *address)
{
    /* Linux 6.1 looks nothing up that came as an argument of a global function. */
    struct dp_address key = *address;

    return bpf_map_lookup_elem(&node_addresses, &key) != 0;
}

/* Whether loadBalancerSourceRanges admit a source (LBSR-1…LBSR-7). */
static __always_inline int is_source_admitted(const struct dp_frontend *frontend, const struct dp_address *source)
{
    struct dp_source_range range = {
        .length = 32 + 128,
        .service_id = frontend->service_id,
        .client = *source,
    };
    __u8 *admission = bpf_map_lookup_elem(&source_ranges, &range);

    return admission && *admission == DP_ADMISSION_ALLOW;
}

/* Why a new flow is not admitted; zero: it is. */
static __always_inline enum dp_outcome refusal(const struct dp_frontend *frontend, const struct packet *packet,
                                               enum client_class client)
{
    if (rarely(frontend->flags & DP_FRONTEND_SOURCE_RANGES) && !is_source_admitted(frontend, &packet->tuple.source))
        return DP_OUTCOME_SOURCE_RANGE;
    if (rarely(frontend->flags & DP_FRONTEND_INSIDE_ONLY) && client == CLIENT_OUTSIDE)
        return DP_OUTCOME_FROM_OUTSIDE;
    return 0;
}

/* Whether a new flow gets a source address of this node (section 8 of the rules); hairpins do besides (MASQ-5). */
static __always_inline int is_masqueraded(const struct dp_frontend *frontend, enum client_class client)
{
    switch (client) {
    case CLIENT_HOST: return frontend->flags & DP_FRONTEND_MASQUERADE_HOST;
    case CLIENT_POD: return frontend->flags & DP_FRONTEND_MASQUERADE_PODS;
    default: return frontend->flags & DP_FRONTEND_MASQUERADE_OUTSIDE;
    }
}

/* Whether an outside client's packets keep their source address and go to their backend in a tunnel. */
static __always_inline int is_dsr(const struct dp_frontend *frontend)
{
    return frontend->flags & DP_FRONTEND_DSR;
}

static __always_inline __u64 client_hash_input(const struct dp_frontend *frontend, const struct packet *packet)
{
    const __u32 *words = packet->tuple.source.words_be;
    __u64 input = ((__u64)words[0] << 32 | words[1]) * 0x9e3779b97f4a7c15ull;

    input ^= ((__u64)words[2] << 32 | words[3]) * 0xd6e8feb86659fd93ull;
    /* With affinity a client is its address (AFF-2). */
    if (!frontend->affinity_timeout_s)
        input ^= (__u64)packet->tuple.source_port_be * 0xff51afd7ed558ccdull;
    return input;
}

/* A position by hash alone: the same on every node and at every time, until the table changes. */
static __always_inline __u32 position_by_hash(const struct dp_choice *choice, __u32 hash)
{
    if (usually(choice->table_slots))
        return table_entry(choice, scale(hash, choice->table_slots));
    return scale(hash, choice->set_count);
}

static __always_inline __u32 member_by_hash(const struct dp_choice *choice, __u32 hash)
{
    __u32 position = position_by_hash(choice, hash);

    return usually(position < choice->set_count) ? set_member(choice, position) : 0;
}

/* The backend of a new flow; zero when the record contradicts itself. */
static __always_inline __u32 choose_backend(const struct dp_frontend *frontend, const struct dp_choice *choice,
                                            const struct packet *packet)
{
    struct dp_affinity_key client = affinity_of_address(&packet->tuple.source, frontend->service_id);
    __u32 position = choose_position(&client, frontend, choice, client_hash_input(frontend, packet));

    return position < choice->set_count ? set_member(choice, position) : 0;
}

static __always_inline struct dp_backend *backend_of(__u32 backend_id)
{
    struct dp_backend *backend = bpf_map_lookup_elem(&backends, &backend_id);

    return usually(backend_id && backend && backend->port_be) ? backend : 0;
}

#endif
