// Embeds the objects. A missing one is an error here: run make first.

#include "CTestObjects.h"

// #embed is C23; clang has it in every mode and warns.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char maps[] = {
#embed "../../bpf/test/maps.bpf.o"
};

static const unsigned char hooks[] = {
#embed "../../bpf/test/hooks.bpf.o"
};

static const unsigned char refused[] = {
#embed "../../bpf/test/refused.bpf.o"
};

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
