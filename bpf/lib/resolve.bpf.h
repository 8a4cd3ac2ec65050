/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The decision for one dial: which frontend, which policy, which backend. Shared by connect and sendmsg, both families.
 * Every outcome is counted here or by the caller that completes it.
 */
#ifndef MARTLET_LIB_RESOLVE_H
#define MARTLET_LIB_RESOLVE_H

#include <linux/in.h>

#include <bpf/bpf_endian.h>

#include "affinity.bpf.h"
#include "choose.bpf.h"
#include "frontend.bpf.h"
#include "handover.bpf.h"
#include "observe.bpf.h"

/* What a dial was resolved to; only set with VERDICT_TRANSLATE. */
struct resolution {
    struct dp_backend *backend;
    __u32 backend_id;
    __u32 service_id;
};

/* A container's cgroup is some five levels below the root; those of a node that is a container itself, some ten. */
#define CGROUP_LEVELS_MAX 20

/*
 * Whether the task is in a cgroup that is left alone. bpf_current_task_under_cgroup() would say so in one call, and is
 * not there for these hooks in Linux 6.1.
 */
static __always_inline int opts_out(void)
{
    if (!skip_cgroup_count)
        return 0;
    for (int level = 1; level <= CGROUP_LEVELS_MAX; level++) {
        __u64 number = bpf_get_current_ancestor_cgroup_id(level);

        if (!number)
            return 0;
        if (bpf_map_lookup_elem(&skip_cgroups, &number))
            return 1;
    }
    return 0;
}

/* Whether a dial is none of our business, whatever is dialled. */
static __always_inline int is_left_alone(void) { return opts_out() || is_leaving(); }

static __always_inline enum verdict refuse(const struct dial *dial, __u32 service_id, __u8 outcome,
                                           enum verdict verdict)
{
    count_service(service_id, 0);
    report(dial, 0, service_id, outcome);
    return verdict;
}

/* Ports that a resolver asks for where it knows none: musl's, and the one of Go's (discard). */
enum { PROBE_PORT_MUSL = 65535, PROBE_PORT_GO = 9 };

/*
 * Whether a miss is how resolvers, comparing addresses (RFC 6724), ask the kernel which source it would use: a UDP
 * connect(), never followed by a datagram, to the port that the program wants to reach by TCP (decision 9).
 */
static __always_inline int is_source_probe(const struct dial *dial)
{
    struct dp_frontend_key stream = dial->key;

    if (dial->hook != DP_HOOK_CONNECT || dial->key.protocol != IPPROTO_UDP)
        return 0;
    if (dial->key.port_be == bpf_htons(PROBE_PORT_MUSL) || dial->key.port_be == bpf_htons(PROBE_PORT_GO))
        return 1;
    stream.protocol = IPPROTO_TCP;
    return bpf_map_lookup_elem(&frontends, &stream) != 0;
}

/* A miss does not know whose socket it is, and asks only where an event is to say so. */
static __always_inline void report_unknown(struct bpf_sock_addr *ctx, struct dial *dial, __u8 outcome)
{
    if (somebody_listens()) {
        dial->netns_cookie = bpf_get_netns_cookie(ctx);
        dial->socket_cookie = bpf_get_socket_cookie(ctx);
    }
    report(dial, 0, 0, outcome);
}

/* Nobody listens on this address and port: an unused port of a virtual address, or an unowned service address. */
static __always_inline enum verdict resolve_unknown(struct bpf_sock_addr *ctx, struct dial *dial)
{
    /* No service has port 0; a connect() to it asks for the route and the source address, as resolvers do. */
    if (dial->key.port_be == 0)
        return VERDICT_PASS;
    if (wildcard_of(&dial->key) == WILDCARD_ALL) {
        if (is_source_probe(dial) || is_left_alone())
            return VERDICT_PASS;
        report_unknown(ctx, dial, DP_OUTCOME_UNKNOWN_PORT);
        return VERDICT_REFUSE;
    }
    if (!is_in_service_cidr(&dial->key.address) || is_left_alone())
        return VERDICT_PASS;
    report_unknown(ctx, dial, DP_OUTCOME_UNOWNED_ADDRESS);
    return VERDICT_SILENCE;
}

/*
 * Chooses among a FORWARD choice. `preferred_id` is kept while it is a member of the set, and is no new connection to
 * affinity then (AFF-3); zero: no preference.
 */
static __always_inline enum verdict resolve_choice(const struct dial *dial, const struct dp_frontend *frontend,
                                                   const struct dp_choice *choice, __u32 preferred_id,
                                                   struct resolution *resolution)
{
    struct dp_affinity_key client =
        affinity_of_namespace(dial->netns_cookie, &dial->key.address, frontend->service_id);
    __u32 position = NO_POSITION;
    __u32 backend_id;

    if (preferred_id)
        position = find_member(choice, preferred_id);
    if (position == NO_POSITION)
        position = choose_position(&client, frontend, choice, dial->netns_cookie ^ dial->socket_cookie);
    backend_id = position < choice->set_count ? set_member(choice, position) : 0;
    resolution->backend = bpf_map_lookup_elem(&backends, &backend_id);
    if (!backend_id || !resolution->backend || !resolution->backend->port_be)
        return refuse(dial, frontend->service_id, DP_OUTCOME_BAD_RECORD, VERDICT_REFUSE);
    resolution->backend_id = backend_id;
    resolution->service_id = frontend->service_id;
    return VERDICT_TRANSLATE;
}

static __always_inline enum verdict resolve(const struct dial *dial, const struct dp_frontend *frontend,
                                            __u32 preferred_id, struct resolution *resolution)
{
    const struct dp_choice *choice;

    if (is_denied(frontend, dial))
        return refuse(dial, frontend->service_id, DP_OUTCOME_SOURCE_RANGE, VERDICT_SILENCE);
    choice = choice_for(frontend, dial);
    switch (choice->action) {
    case DP_ACTION_FORWARD:
        return resolve_choice(dial, frontend, choice, preferred_id, resolution);
    case DP_ACTION_REJECT:
        return refuse(dial, frontend->service_id, DP_OUTCOME_NO_ENDPOINTS, VERDICT_REFUSE);
    case DP_ACTION_DROP:
        return refuse(dial, frontend->service_id, DP_OUTCOME_NO_LOCAL_ENDPOINTS, VERDICT_SILENCE);
    }
    return refuse(dial, frontend->service_id, DP_OUTCOME_BAD_RECORD, VERDICT_REFUSE);
}

#endif
