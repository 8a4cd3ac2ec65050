/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Capturing packets with what became of them, also those that no socket on the node ever sees because XDP sends them
 * on. A packet is kept when it is met, since it is rewritten in place, and handed over when its end is known: as it
 * was, and as it has become. Only while `martlet capture` runs; needs one of frame_xdp.bpf.h and frame_tc.bpf.h before
 * it.
 */
#ifndef MARTLET_LIB_CAPTURE_H
#define MARTLET_LIB_CAPTURE_H

/* Whoever includes this has chosen a hook; by itself it is read as for TC. */
#if !defined(MARTLET_LIB_FRAME_XDP_H) && !defined(MARTLET_LIB_FRAME_TC_H)
#include "frame_tc.bpf.h"
#endif

#include "../abi/frontends.h"
#include "hint.bpf.h"
#include "observe.bpf.h"
#include "packet_maps.bpf.h"

/* What is told of a packet besides its addresses. */
struct observation {
    __u32 service_id;
    __u32 interface;
    __u8 outcome;
    __u8 hook;
};

/*
 * The packet that is being served. Belongs to one loading of the programs, and to one processor: packet programs of one
 * kind do not interrupt each other. `head` and `bytes` are what is handed over.
 */
struct capture_draft {
    struct dp_capture head;
    __u8 bytes[DP_CAPTURE_BYTES_MAX];
    __u64 second;    /* the second that `spent` counts in */
    __u32 spent;
    __u32 wanted;    /* packets that the switch asks for, captured or not */
    __u32 is_noted;  /* its outcome is known: it is ours */
    __u32 pad;
};

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct capture_draft);
} capture_drafts SEC(".maps");

static __always_inline struct dp_capture_switch *capture_control(void)
{
    __u32 zero = 0;

    return bpf_map_lookup_elem(&capture_switch, &zero);
}

static __always_inline struct capture_draft *capture_draft(void)
{
    __u32 zero = 0;

    return bpf_map_lookup_elem(&capture_drafts, &zero);
}

/* Copies the frame as it is now. Zero: it could not be. */
static __always_inline int capture_copy(frame *f, struct capture_draft *draft, __u32 snap_bytes)
{
    __u32 length = frame_length(f);

    draft->head.frame_bytes = length;
    draft->head.captured_bytes = 0;
    if (length > snap_bytes)
        length = snap_bytes;
    if (length > DP_CAPTURE_BYTES_MAX)
        length = DP_CAPTURE_BYTES_MAX;
    if (!length)
        return 0;
    /* Linux 6.1 does not learn from comparisons that a size is not zero; from masking it does. */
    length -= 1;
    asm volatile("" : "+r"(length));
    length = (length & (DP_CAPTURE_BYTES_MAX - 1)) + 1;
    if (frame_load(f, 0, draft->bytes, length))
        return 0;
    draft->head.captured_bytes = length;
    return 1;
}

/* Keeps the packet as it is met. */
static __noinline void capture_begin(frame *f)
{
    struct dp_capture_switch *control = capture_control();
    struct capture_draft *draft = capture_draft();
    __u64 now_ns = bpf_ktime_get_ns();

    if (!control || !draft)
        return;
    __builtin_memset(&draft->head, 0, sizeof(draft->head));
    draft->is_noted = 0;
    if (now_ns >= control->until_ns)
        return;
    draft->head.time_ns = now_ns;
    draft->head.link_header_bytes = frame_link_bytes();
    capture_copy(f, draft, control->snap_bytes);
}

/* Notes what became of the packet; what is noted last counts. `backend` may be NULL. */
static __noinline void capture_note(const struct observation *observation, const struct dp_backend *backend)
{
    struct capture_draft *draft = capture_draft();

    if (!draft || !observation || !draft->head.captured_bytes)
        return;
    draft->is_noted = 1;
    draft->head.outcome = observation->outcome;
    draft->head.hook = observation->hook;
    draft->head.interface = observation->interface;
    draft->head.service_id = observation->service_id;
    if (backend) {
        draft->head.backend = backend->address;
        draft->head.backend_port_be = backend->port_be;
    }
}

static __always_inline int is_wanted(const struct dp_capture_switch *control, const struct dp_capture *head)
{
    if (!(control->outcomes >> (head->outcome & 63) & 1))
        return 0;
    if (!control->service_count)
        return 1;
    for (int i = 0; i < DP_CAPTURE_SERVICES_MAX; i++)
        if (control->services[i] && control->services[i] == head->service_id)
            return 1;
    return 0;
}

/* Whether a packet that is wanted is the one to be captured, and may be now; uses up budget. */
static __always_inline int capture_admitted(const struct dp_capture_switch *control, struct capture_draft *draft)
{
    __u64 second = draft->head.time_ns / NANOSECONDS_PER_SECOND;

    if (control->one_in > 1 && draft->wanted++ % control->one_in)
        return 0;
    if (draft->second != second) {
        draft->second = second;
        draft->spent = 0;
    }
    if (draft->spent >= control->per_second) {
        count_outcome(DP_OUTCOME_CAPTURES_LOST);
        return 0;
    }
    draft->spent += 1;
    return 1;
}

static __always_inline void capture_send(struct capture_draft *draft, __u8 stage)
{
    __u32 length = draft->head.captured_bytes;

    draft->head.stage = stage;
    asm volatile("" : "+r"(length));
    if (length > DP_CAPTURE_BYTES_MAX ||
        bpf_ringbuf_output(&captures, draft, __builtin_offsetof(struct capture_draft, bytes) + length, 0))
        count_outcome(DP_OUTCOME_CAPTURES_LOST);
}

/* Hands the packet over, now that its end (enum dp_capture_end) is known. */
static __noinline void capture_end(frame *f, __u8 end)
{
    struct dp_capture_switch *control = capture_control();
    struct capture_draft *draft = capture_draft();

    if (!control || !draft || !draft->is_noted)
        return;
    if (!is_wanted(control, &draft->head) || !capture_admitted(control, draft))
        return;
    draft->head.end = end;
    capture_send(draft, DP_CAPTURE_BEFORE);
    if (end != DP_CAPTURE_DROPPED && capture_copy(f, draft, control->snap_bytes))
        capture_send(draft, DP_CAPTURE_AFTER);
}

#endif
