// What Swift cannot reach in libbpf and the kernel's headers by itself, and nothing else: atomic word access to memory
// that is shared with BPF programs, and the bpf-related kernel headers themselves.

#ifndef CLIBBPF_SHIM_H
#define CLIBBPF_SHIM_H

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/vfs.h>

/// GNU's allocating vsnprintf, which <stdio.h> hides from Swift: libbpf's messages come as a va_list, which can be
/// walked only once, and the verifier's log in them has no known length.
int vasprintf(char **text, const char *format, va_list arguments);

/// Stores one aligned word so that a BPF program that reads it sees the old or the new value, never a mixture, and
/// sees everything that was stored before it once it sees the new value.
static inline void clibbpf_store_word(void *address, uint64_t word)
{
	__atomic_store_n((uint64_t *)address, word, __ATOMIC_RELEASE);
}

/// Loads one aligned word that a BPF program may be storing at the same time.
static inline uint64_t clibbpf_load_word(const void *address)
{
	return __atomic_load_n((const uint64_t *)address, __ATOMIC_ACQUIRE);
}

/// The same for `count` words one after the other, each by itself.
static inline void clibbpf_store_words(void *address, const void *words, size_t count)
{
	for (size_t index = 0; index < count; index++)
		clibbpf_store_word((uint64_t *)address + index, ((const uint64_t *)words)[index]);
}

static inline void clibbpf_load_words(void *words, const void *address, size_t count)
{
	for (size_t index = 0; index < count; index++)
		((uint64_t *)words)[index] = clibbpf_load_word((const uint64_t *)address + index);
}

#endif
