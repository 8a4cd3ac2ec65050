/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Counting packets, and telling about them while somebody wants to know: observe.bpf.h for the packet hooks. Whether
 * somebody does is asked once for each packet that is served, before anything is written to it.
 */
#ifndef MARTLET_LIB_PACKET_OBSERVE_H
#define MARTLET_LIB_PACKET_OBSERVE_H

#include "capture.bpf.h"
#include "observe.bpf.h"
#include "packet.bpf.h"

/* To be called before the packet is changed. */
static __always_inline void watch_packet(frame *f, struct packet *packet)
{
    __u32 zero = 0;
    __u64 *until_ns = bpf_map_lookup_elem(&watch, &zero);

    if (usually(!until_ns || !*until_ns))
        return;
    packet->is_watched = 1;
    capture_begin(f);
}

/* Out of line, as send_event(). `backend` may be NULL. */
static __noinline void send_packet_event(const struct dp_flow_key *tuple, const struct dp_backend *backend,
                                         const struct observation *observation)
{
    __u64 now_ns = bpf_ktime_get_ns();
    struct dp_event *event;

    if (!tuple || !observation || !event_admitted(now_ns))
        return;
    event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
    if (!event) {
        count_outcome(DP_OUTCOME_EVENTS_LOST);
        return;
    }
    __builtin_memset(event, 0, sizeof(*event));
    event->time_ns = now_ns;
    event->client = tuple->source;
    event->client_port_be = tuple->source_port_be;
    event->frontend = tuple->destination;
    event->frontend_port_be = tuple->destination_port_be;
    event->protocol = tuple->protocol;
    event->hook = observation->hook;
    event->outcome = observation->outcome;
    event->interface = observation->interface;
    event->service_id = observation->service_id;
    if (backend) {
        event->backend = backend->address;
        event->backend_port_be = backend->port_be;
    }
    bpf_ringbuf_submit(event, 0);
}

/* For those who listen. `backend` may be NULL. */
static __always_inline void tell_packet(frame *f, const struct packet *packet, const struct dp_backend *backend,
                                        __u32 service_id, __u8 outcome)
{
    struct observation observation = {
        .service_id = service_id,
        .interface = frame_interface(f),
        .outcome = outcome,
        .hook = frame_hook(f),
    };

    capture_note(&observation, backend);
    send_packet_event(&packet->tuple, backend, &observation);
}

/* Records what became of a packet. `backend` may be NULL. */
static __always_inline void report_packet(frame *f, const struct packet *packet, const struct dp_backend *backend,
                                          __u32 service_id, __u8 outcome)
{
    count_outcome(outcome);
    if (rarely(packet->is_watched))
        tell_packet(f, packet, backend, service_id, outcome);
}

/* One packet of a client of a service port, and whether it began a flow. */
static __always_inline void count_packet(__u32 service_id, const struct packet *packet, int is_new)
{
    struct dp_service_counters *counters = bpf_map_lookup_elem(&service_counters, &service_id);

    if (!counters)
        return;
    counters->packets += 1;
    counters->bytes += packet->length;
    if (is_new)
        counters->connections += 1;
}

/* The packet of a client is refused or dropped. */
static __always_inline void refuse_packet(frame *f, const struct packet *packet, __u32 service_id, __u8 outcome)
{
    count_service(service_id, 0);
    report_packet(f, packet, 0, service_id, outcome);
}

#endif
