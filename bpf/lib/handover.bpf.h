/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How far a handover from or to another proxy is (decision 16); for every hook. */
#ifndef MARTLET_LIB_HANDOVER_H
#define MARTLET_LIB_HANDOVER_H

#include "hint.bpf.h"
#include "maps.bpf.h"

/* enum dp_handover_flags */
static __always_inline __u32 handover_flags(void)
{
    __u32 zero = 0;
    struct dp_handover *state = bpf_map_lookup_elem(&handover, &zero);

    return state ? state->flags : 0;
}

/* This node goes back to another proxy, which serves everything new. */
static __always_inline int is_leaving(void) { return rarely(handover_flags() & DP_HANDOVER_LEAVING); }

#endif
