// The compiled objects of bpf/test/, embedded so that the kernel suites need no file at run time. `make` builds them.

#ifndef CTESTOBJECTS_H
#define CTESTOBJECTS_H

#include <stddef.h>

/// One embedded object: where it begins and how many bytes it has.
struct test_object {
	const unsigned char *bytes;
	size_t count;
};

struct test_object test_object_affinity(void);
struct test_object test_object_headroom(void);
struct test_object test_object_maps(void);
struct test_object test_object_hooks(void);
struct test_object test_object_refused(void);

#endif
