// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// One map of each kind that the BPF library has a view for, and XDP programs that a test run sends packets through, so
// that a test sees what a program sees. Nothing of the datapath is tested here.

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

// An entry point has the kernel's signature, whether it looks at its context or not.
#pragma clang diagnostic ignored "-Wunused-parameter"

/// A value of twelve bytes: the kernel rounds its stride up to sixteen.
struct test_record {
    __u32 first;
    __u32 second;
    __u32 third;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 4);
    __type(key, __u32);
    __type(value, struct test_record);
} test_hash SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 8);
    __type(key, __u32);
    __type(value, __u64);
} test_array SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 2);
    __type(key, __u32);
    __type(value, struct test_record);
} test_percpu SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 256);
    __type(key, __u32);
    __type(value, __u32);
} test_lru SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 100);
    __type(key, __u32);
    __type(value, __u64);
} test_words SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 100);
    __type(key, __u32);
    __type(value, struct test_record);
} test_records SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4096);
} test_ring SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
    __uint(max_entries, 2);
    __type(key, __u32);
    __type(value, __u32);
} test_calls SEC(".maps");

struct test_inner {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u64);
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, 2);
    __type(key, __u32);
    __array(values, struct test_inner);
} test_outer SEC(".maps");

const volatile __u16 test_verdict = XDP_PASS;
const volatile __u64 test_addend = 5;
const volatile _Bool test_is_loud = 0;
__u64 test_runs = 40;

/// Returns what the constants say.
SEC("xdp")
int return_constant(struct xdp_md *ctx)
{
    test_runs++;
    return test_verdict + test_addend + (test_is_loud ? 1000 : 0);
}

/// Adds one to hash[7].first and percpu[0].third, and array[1] to hash[7].second.
SEC("xdp")
int write_maps(struct xdp_md *ctx)
{
    __u32 hash_key = 7, array_key = 1, cpu_key = 0;
    struct test_record *record = bpf_map_lookup_elem(&test_hash, &hash_key);
    __u64 *addend = bpf_map_lookup_elem(&test_array, &array_key);
    struct test_record *counter = bpf_map_lookup_elem(&test_percpu, &cpu_key);

    if (!record || !addend || !counter)
        return XDP_ABORTED;
    record->first++;
    record->second += *addend;
    counter->third++;
    return XDP_PASS;
}

/// Returns the low half of words[3] plus the third part of records[5].
SEC("xdp")
int read_mapped(struct xdp_md *ctx)
{
    __u32 word_key = 3, record_key = 5;
    __u64 *word = bpf_map_lookup_elem(&test_words, &word_key);
    struct test_record *record = bpf_map_lookup_elem(&test_records, &record_key);

    if (!word || !record)
        return XDP_ABORTED;
    return (__u32)*word + record->third;
}

/// Reports the packet's length as a record with three parts, then as one byte.
SEC("xdp")
int report(struct xdp_md *ctx)
{
    struct test_record record = { 1, ctx->data_end - ctx->data, 3 };
    __u8 byte = 9;

    if (bpf_ringbuf_output(&test_ring, &record, sizeof(record), 0))
        return XDP_DROP;
    bpf_ringbuf_output(&test_ring, &byte, sizeof(byte), 0);
    return XDP_PASS;
}

/// Goes to slot 1, or says that it is empty.
SEC("xdp")
int call_slot(struct xdp_md *ctx)
{
    bpf_tail_call(ctx, &test_calls, 1);
    return 77;
}

/// Returns the first element of the inner map in slot 1, or says that it is empty.
SEC("xdp")
int read_inner(struct xdp_md *ctx)
{
    __u32 slot = 1, key = 0;
    void *inner = bpf_map_lookup_elem(&test_outer, &slot);
    __u64 *value;

    if (!inner)
        return 77;
    value = bpf_map_lookup_elem(inner, &key);
    return value ? (int)*value : 78;
}

/// Swaps the two halves of the first twelve bytes (the MAC addresses) and sends the packet back.
SEC("xdp")
int reflect(struct xdp_md *ctx)
{
    __u8 *packet = (void *)(long)ctx->data;

    if (packet + 12 > (__u8 *)(long)ctx->data_end)
        return XDP_DROP;
    for (int i = 0; i < 6; i++) {
        __u8 byte = packet[i];
        packet[i] = packet[i + 6];
        packet[i + 6] = byte;
    }
    return XDP_TX;
}

char _license[] SEC("license") = "Dual BSD/GPL";
