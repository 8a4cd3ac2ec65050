/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What all of TC's ways of serving a client's packet end in: its flow's record decides, or it is refused. */
#ifndef MARTLET_LIB_SERVE_TC_H
#define MARTLET_LIB_SERVE_TC_H

#include "flow.bpf.h"
#include "packet_observe.bpf.h"
#include "serve.bpf.h"

static __always_inline int has_ports(const struct packet *packet)
{
    return packet->kind == PACKET_FLOW || packet->kind == PACKET_ERROR;
}

/* Refuses at once, or drops; both are counted for the service. */
static __always_inline int refuse(frame *f, struct packet *packet, __u32 service_id, __u8 outcome)
{
    refuse_packet(f, packet, service_id, outcome);
    switch (outcome) {
    case DP_OUTCOME_NO_ENDPOINTS:
    case DP_OUTCOME_FROM_OUTSIDE:
    case DP_OUTCOME_UNKNOWN_PORT:
    case DP_OUTCOME_BAD_RECORD: return PACKET_IS_REFUSED;
    default: return PACKET_IS_DROPPED;
    }
}

/* A client's packet of a flow that has a record, or an error about one of the backend's. */
static __always_inline int serve_flow(frame *f, struct packet *packet, struct flow *flow)
{
    int is_masqueraded = flow->flags & DP_FLOW_MASQUERADED;

    packet->onward.translation = translation_of(&packet->tuple, flow);
    packet->onward.toward = flow->backend;
    packet->onward.service_id = flow->service_id;
    if (packet->kind == PACKET_ERROR) {
        report_packet(f, packet, backend_of(flow->backend_id), flow->service_id, DP_OUTCOME_ERROR_TRANSLATED);
    } else {
        flow_touch(flow, packet);
        count_packet(flow->service_id, packet, 0);
        report_packet(f, packet, backend_of(flow->backend_id), flow->service_id,
                      is_masqueraded ? DP_OUTCOME_SENT_ON : DP_OUTCOME_ANSWERED_LOCALLY);
    }
    return is_masqueraded ? PACKET_IS_FORWARDED : PACKET_IS_TRANSLATED;
}

#endif
