/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Counting each outcome, and telling about it while somebody listens. Events are limited for each CPU and second, so
 * that a monitor cannot slow a busy node; what was not delivered is counted. No path of the datapath is silent.
 */
#ifndef MARTLET_LIB_OBSERVE_H
#define MARTLET_LIB_OBSERVE_H

#include "dial.bpf.h"
#include "hint.bpf.h"
#include "maps.bpf.h"

#define NANOSECONDS_PER_SECOND 1000000000ull

static __always_inline void count_outcome(__u32 outcome)
{
    __u64 *counter = bpf_map_lookup_elem(&outcomes, &outcome);

    if (counter)
        *counter += 1;
}

static __always_inline void count_service(__u32 service_id, int forwarded)
{
    struct dp_service_counters *counters = bpf_map_lookup_elem(&service_counters, &service_id);

    if (!counters)
        return;
    if (forwarded)
        counters->connections += 1;
    else
        counters->refused += 1;
}

/* Whether an event may be sent now; uses up budget. */
static __always_inline int event_admitted(__u64 now_ns)
{
    __u32 zero = 0;
    struct dp_event_switch *control = bpf_map_lookup_elem(&event_switch, &zero);
    struct dp_event_budget *budget;
    __u64 second = now_ns / NANOSECONDS_PER_SECOND;

    if (!control || now_ns >= control->until_ns)
        return 0;
    budget = bpf_map_lookup_elem(&event_budget, &zero);
    if (!budget)
        return 0;
    if (budget->second != second) {
        budget->second = second;
        budget->spent = 0;
    }
    if (budget->spent >= control->per_second) {
        count_outcome(DP_OUTCOME_EVENTS_LOST);
        return 0;
    }
    budget->spent += 1;
    return 1;
}

static __always_inline int somebody_listens(void)
{
    __u32 zero = 0;
    struct dp_event_switch *control = bpf_map_lookup_elem(&event_switch, &zero);

    return rarely(control && control->until_ns != 0);
}

/* Out of line: the hot path only pays for the test of the switch. `backend` may be NULL. */
static __noinline void send_event(const struct dial *dial, const struct dp_backend *backend, __u32 service_id,
                                  __u8 outcome)
{
    __u64 now_ns = bpf_ktime_get_ns();
    struct dp_event *event;

    if (!dial || !event_admitted(now_ns))
        return;
    event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
    if (!event) {
        count_outcome(DP_OUTCOME_EVENTS_LOST);
        return;
    }
    __builtin_memset(event, 0, sizeof(*event));
    event->time_ns = now_ns;
    event->socket_cookie = dial->socket_cookie;
    event->netns_cookie = dial->netns_cookie;
    event->frontend = dial->key.address;
    event->frontend_port_be = dial->key.port_be;
    event->protocol = dial->key.protocol;
    event->hook = dial->hook;
    event->outcome = outcome;
    event->service_id = service_id;
    event->process_id = bpf_get_current_pid_tgid() >> 32;
    if (backend) {
        event->backend = backend->address;
        event->backend_port_be = backend->port_be;
    }
    bpf_get_current_comm(event->command, sizeof(event->command));
    bpf_ringbuf_submit(event, 0);
}

/* Records one outcome that concerns no particular service, or that does not end the dial. */
static __always_inline void report(const struct dial *dial, const struct dp_backend *backend, __u32 service_id,
                                   __u8 outcome)
{
    count_outcome(outcome);
    if (somebody_listens())
        send_event(dial, backend, service_id, outcome);
}

#endif
