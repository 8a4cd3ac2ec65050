// Embeds the objects. A missing one is an error here: run make first.

#include "CTestObjects.h"

static const unsigned char affinity[] = {
#embed "affinity.bpf.o"
};

static const unsigned char headroom[] = {
#embed "headroom.bpf.o"
};

static const unsigned char maps[] = {
#embed "maps.bpf.o"
};

static const unsigned char hooks[] = {
#embed "hooks.bpf.o"
};

static const unsigned char refused[] = {
#embed "refused.bpf.o"
};

struct test_object test_object_affinity(void)
{
	return (struct test_object){ affinity, sizeof(affinity) };
}

struct test_object test_object_headroom(void)
{
	return (struct test_object){ headroom, sizeof(headroom) };
}

struct test_object test_object_maps(void)
{
	return (struct test_object){ maps, sizeof(maps) };
}

struct test_object test_object_hooks(void)
{
	return (struct test_object){ hooks, sizeof(hooks) };
}

struct test_object test_object_refused(void)
{
	return (struct test_object){ refused, sizeof(refused) };
}
