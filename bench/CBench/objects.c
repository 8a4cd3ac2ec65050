/* SPDX-License-Identifier: Apache-2.0 */
/* Embeds the bench's BPF objects; `make bpf` builds them. */
#include "bench_calls.h"

static const unsigned char empty[] __attribute__((aligned(16))) = {
#embed "objects/empty.bpf.o"
};

const void *bench_empty_object(void) { return empty; }
size_t bench_empty_object_size(void) { return sizeof(empty); }

static const unsigned char packet[] __attribute__((aligned(16))) = {
#embed "objects/packet.bpf.o"
};

const void *bench_packet_object(void) { return packet; }
size_t bench_packet_object_size(void) { return sizeof(packet); }

static const unsigned char rate[] __attribute__((aligned(16))) = {
#embed "objects/rate.bpf.o"
};

const void *bench_rate_object(void) { return rate; }
size_t bench_rate_object_size(void) { return sizeof(rate); }
