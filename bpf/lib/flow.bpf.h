/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Flows: who was sent where, and as whom. One record for each, which its replies find through an index entry. Both are
 * made together, the index entry first, since it claims the source port towards the backend; both are removed together
 * by the record's timer, and nothing evicts either. A timer looks at most once in the time that its flow may be silent,
 * so that the work is in proportion to the flows that end.
 */
#ifndef MARTLET_LIB_FLOW_H
#define MARTLET_LIB_FLOW_H

#include <linux/errno.h>

#include "hint.bpf.h"
#include "observe.bpf.h"
#include "packet.bpf.h"
#include "packet_config.bpf.h"
#include "packet_maps.bpf.h"
#include "random.bpf.h"

/* Source ports that are tried for a new flow before it is refused. */
#define PORT_ATTEMPTS 16

/* Times that a timer is asked for. */
#define TIMER_ATTEMPTS 4

/* What a new flow is to be. */
struct flow_request {
    struct dp_address source;  /* as whom the backend sees the client: the client's own address, or one of this node */
    struct dp_address backend;
    __u16 backend_port_be;
    __u16 flags;               /* enum dp_flow_flags */
    __u32 service_id;
    __u32 backend_id;
    __u16 source_port_be;      /* the only one that will do; zero: the client's own, or any that is free */
};

/*
 * Where a flow's record is put together, and what else is too large for the stack: a program and what it calls have 512
 * bytes in all. Belongs to one loading of the programs, and to one processor: packet programs of one kind do not
 * interrupt each other.
 */
struct flow_draft {
    struct dp_flow record;
    struct dp_flow_reply reply;
    struct dp_flow_key reply_key;
    struct dp_flow_key key;
    struct flow_request request;
    struct dp_way_out way;
};

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct flow_draft);
} flow_drafts SEC(".maps");

static __always_inline struct flow_draft *flow_draft(void)
{
    __u32 zero = 0;

    return bpf_map_lookup_elem(&flow_drafts, &zero);
}

/* An empty request, for flow_open(). It is good until another one is begun. */
static __always_inline struct flow_request *flow_request_begin(void)
{
    struct flow_draft *draft = flow_draft();

    if (!draft)
        return 0;
    __builtin_memset(&draft->request, 0, sizeof(draft->request));
    return &draft->request;
}

/* A copy of a key that came as an argument of a global function: Linux 6.1 looks none of those up. */
static __always_inline const struct dp_flow_key *lookup_key(const struct dp_flow_key *key)
{
    struct flow_draft *draft = flow_draft();

    if (!draft)
        return 0;
    draft->key = *key;
    return &draft->key;
}

/* The key is on the stack or in a map. */
static __always_inline struct flow *flow_find(const struct dp_flow_key *key)
{
    return bpf_map_lookup_elem(&flows, key);
}

/* The record of a packet that came as an argument of a global function. */
static __always_inline struct flow *flow_find_for(const struct packet *packet)
{
    const struct dp_flow_key *key = lookup_key(&packet->tuple);

    return key ? flow_find(key) : 0;
}

/* The backend's direction of a flow. */
static __always_inline struct dp_flow_key reply_key_of(const struct dp_flow_key *key, const struct flow *flow)
{
    struct dp_flow_key reply = {
        .source = flow->backend,
        .destination = flow->source,
        .source_port_be = flow->backend_port_be,
        .destination_port_be = flow->source_port_be,
        .protocol = key->protocol,
    };

    return reply;
}

/* How the client's direction leaves us. */
static __always_inline struct dp_flow_key translation_of(const struct dp_flow_key *key, const struct flow *flow)
{
    struct dp_flow_key reply = reply_key_of(key, flow);

    return turned_round(&reply);
}

static __always_inline __u64 flow_patience_ns(__u8 protocol, __u32 flags, __u32 seen)
{
    __u32 seconds;

    if (protocol != IPPROTO_TCP && protocol != PROTOCOL_SCTP)
        seconds = seen & DP_FLOW_ANSWERED ? datagram_stream_s : datagram_opening_s;
    else if ((flags | seen) & DP_FLOW_RESET || (flags & seen & DP_FLOW_FINISHED))
        seconds = tcp_closing_s;
    else
        seconds = seen & DP_FLOW_ANSWERED || flags & DP_FLOW_TUNNELLED ? tcp_established_s : tcp_opening_s;
    return seconds * NANOSECONDS_PER_SECOND;
}

/* Whether the connection is over, so that its ports may be used for another one. */
static __always_inline int is_closing(const struct flow *flow, const struct dp_flow_reply *reply)
{
    __u32 seen = reply ? reply->seen : 0;

    return (flow->flags | seen) & DP_FLOW_RESET || (flow->flags & seen & DP_FLOW_FINISHED);
}

/* Both keys are on the stack or in a map. */
static __always_inline void flow_remove(const struct dp_flow_key *key, struct dp_flow_key *reply_key, struct flow *flow)
{
    if (!(flow->flags & DP_FLOW_TUNNELLED))
        bpf_map_delete_elem(&flow_replies, reply_key);
    bpf_map_delete_elem(&flows, key);
}

/* The record's timer: asks how long the flow has been silent, and either ends it or comes again. */
static int flow_timer(void *map, struct dp_flow_key *key, struct flow *flow)
{
    struct dp_flow_key reply_key = reply_key_of(key, flow);
    struct dp_flow_reply *reply = bpf_map_lookup_elem(&flow_replies, &reply_key);
    __u64 now_ns = bpf_ktime_get_ns(), last_ns = flow->last_seen_ns;
    __u64 patience_ns = flow_patience_ns(key->protocol, flow->flags, reply ? reply->seen : 0);
    __s64 left_ns;

    (void)map;
    if (reply && (__s64)(reply->last_seen_ns - last_ns) > 0)
        last_ns = reply->last_seen_ns;
    left_ns = (__s64)(last_ns + patience_ns - now_ns);
    if (left_ns > 0) {
        bpf_timer_start(&flow->timer, left_ns, 0);
        return 0;
    }
    flow_remove(key, &reply_key, flow);
    return 0;
}

/* Gives a record its timer; not zero: there is none. The kernel may have no memory for one, and waits for none. */
static __always_inline long flow_start_timer(struct flow *flow, __u64 patience_ns)
{
    long error = -ENOMEM;

    for (int attempt = 0; attempt < TIMER_ATTEMPTS && error == -ENOMEM; attempt++)
        error = bpf_timer_init(&flow->timer, &flows, 1 /* CLOCK_MONOTONIC */);
    return error ?: bpf_timer_set_callback(&flow->timer, flow_timer) ?: bpf_timer_start(&flow->timer, patience_ns, 0);
}

/* Has the timer look again when the flow's present state may be over. */
static __always_inline void flow_hurry(struct flow *flow)
{
    bpf_timer_start(&flow->timer, tcp_closing_s * NANOSECONDS_PER_SECOND, 0);
}

static __always_inline __u32 flags_of_tcp(const struct packet *packet)
{
    return (packet->tcp_flags & TCP_BIT_FIN ? DP_FLOW_FINISHED : 0) |
           (packet->tcp_flags & TCP_BIT_RST ? DP_FLOW_RESET : 0);
}

/* A packet of the client. Counters and times are written without a lock: the last processor to write decides. */
static __always_inline void flow_touch(struct flow *flow, const struct packet *packet)
{
    __u32 ending = flags_of_tcp(packet);

    flow->last_seen_ns = bpf_ktime_get_coarse_ns();
    flow->packets += 1;
    flow->bytes += packet->length;
    if (rarely(flow->flags & DP_FLOW_UNTIMED) && !flow_start_timer(flow, tcp_opening_s * NANOSECONDS_PER_SECOND))
        flow->flags &= ~DP_FLOW_UNTIMED;
    if (ending & ~flow->flags) {
        flow->flags |= ending;
        flow_hurry(flow);
    }
}

/* A packet of the backend. */
static __always_inline void flow_touch_reply(struct dp_flow_reply *reply, const struct packet *packet)
{
    __u32 seen = flags_of_tcp(packet) | DP_FLOW_ANSWERED;
    struct flow *flow;

    reply->last_seen_ns = bpf_ktime_get_coarse_ns();
    reply->packets += 1;
    reply->bytes += packet->length;
    if (!(seen & ~reply->seen))
        return;
    reply->seen |= seen;
    flow = flow_find(&reply->flow);
    if (flow && seen & (DP_FLOW_FINISHED | DP_FLOW_RESET))
        flow_hurry(flow);
}

static __always_inline __u16 random_source_port(void)
{
    return bpf_htons(snat_first_port + (__u16)(((__u64)random_bits() * snat_port_count) >> 32));
}

/*
 * Claims a source port towards the backend. The client's own port is tried first where its address is kept; it is taken
 * when the client reaches one backend through two frontends from one port. Zero: claimed; PORT_COLLISION: the only one
 * that would do is a flow's.
 */
static __always_inline enum dp_outcome claim_reply(const struct dp_flow_key *key, const struct flow_request *request,
                                                   struct dp_flow_key *reply_key, struct dp_flow_reply *reply)
{
    __builtin_memset(reply, 0, sizeof(*reply));
    reply->flow = *key;
    reply->service_id = request->service_id;
    reply->seen = request->flags;
    reply->last_seen_ns = bpf_ktime_get_coarse_ns();
    reply_key->source = request->backend;
    reply_key->source_port_be = request->backend_port_be;
    reply_key->destination = request->source;
    reply_key->protocol = key->protocol;
    for (int attempt = 0; attempt < PORT_ATTEMPTS; attempt++) {
        long error;

        if (request->source_port_be)
            reply_key->destination_port_be = request->source_port_be;
        else
            reply_key->destination_port_be = attempt ? random_source_port() : key->source_port_be;
        error = bpf_map_update_elem(&flow_replies, reply_key, reply, BPF_NOEXIST);
        if (!error)
            return 0;
        if (error != -EEXIST)
            return DP_OUTCOME_FLOWS_FULL;
        count_outcome(DP_OUTCOME_PORT_COLLISION);
        if (request->source_port_be)
            return DP_OUTCOME_PORT_COLLISION;
    }
    return DP_OUTCOME_PORTS_EXHAUSTED;
}

/*
 * Makes the flow that was last requested (flow_request_begin). Where another processor has just made one for the same
 * client, that one counts. Returns zero when there is a record afterwards, else why there is none. Out of line: not
 * every packet begins a flow.
 */
__noinline int flow_open(const struct dp_flow_key *from)
{
    struct flow_draft *draft = flow_draft();
    struct dp_flow_key *reply_key, *key;
    struct flow_request *request;
    struct dp_flow *record;
    struct flow *flow;
    int outcome;

    if (!from || !draft)
        return DP_OUTCOME_BAD_RECORD;
    request = &draft->request;
    key = &draft->key;
    *key = *from;
    reply_key = &draft->reply_key;
    __builtin_memset(reply_key, 0, sizeof(*reply_key));
    reply_key->destination_port_be = key->source_port_be;
    if (!(request->flags & DP_FLOW_TUNNELLED)) {
        outcome = claim_reply(key, request, reply_key, &draft->reply);
        if (outcome)
            return outcome;
    }
    record = &draft->record;
    __builtin_memset(record, 0, sizeof(*record));
    record->source = request->source;
    record->source_port_be = reply_key->destination_port_be;
    record->backend = request->backend;
    record->backend_port_be = request->backend_port_be;
    record->service_id = request->service_id;
    record->backend_id = request->backend_id;
    record->flags = request->flags;
    record->created_ns = record->last_seen_ns = bpf_ktime_get_coarse_ns();
    if (bpf_map_update_elem(&flows, key, record, BPF_NOEXIST)) {
        if (!(request->flags & DP_FLOW_TUNNELLED))
            bpf_map_delete_elem(&flow_replies, reply_key);
        return flow_find(key) ? 0 : DP_OUTCOME_FLOWS_FULL;
    }
    flow = flow_find(key);
    if (!flow)
        return DP_OUTCOME_FLOWS_FULL;
    /* The next packet tries again, and the agent removes what nobody has timed. */
    if (flow_start_timer(flow, flow_patience_ns(key->protocol, flow->flags, 0))) {
        flow->flags |= DP_FLOW_UNTIMED;
        count_outcome(DP_OUTCOME_FLOW_UNTIMED);
    }
    return 0;
}

/* Removes the record of a connection that is over, or any if `is_forced`. Whether it did. Out of line: it is rare. */
__noinline int flow_retire(const struct dp_flow_key *from, int is_forced)
{
    struct flow_draft *draft = flow_draft();
    struct flow *flow;

    if (!from || !draft)
        return 0;
    draft->key = *from;
    flow = flow_find(&draft->key);
    if (!flow)
        return 0;
    draft->reply_key = reply_key_of(&draft->key, flow);
    if (!is_forced && !is_closing(flow, bpf_map_lookup_elem(&flow_replies, &draft->reply_key)))
        return 0;
    flow_remove(&draft->key, &draft->reply_key, flow);
    return 1;
}

/* A SYN on a connection that is over begins another one, and the old record goes. */
static __always_inline struct flow *flow_if_current(struct packet *packet, struct flow *flow)
{
    if (!flow || packet->tuple.protocol != IPPROTO_TCP || !is_opening(packet))
        return flow;
    return flow_retire(&packet->tuple, 0) ? 0 : flow;
}

/* The record that a client's packet belongs to; NULL: it begins a flow. */
static __always_inline struct flow *flow_of(struct packet *packet)
{
    return flow_if_current(packet, flow_find_for(packet));
}

#endif
