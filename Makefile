# Everything starts here: `make demo` shows Martlet working, `make test` proves it. Both do all set-up on a fresh Debian
# machine that has the Swift toolchain. Other targets are steps of these two, and can be run on their own.

SHELL := /bin/bash
.DELETE_ON_ERROR:

CONFIGURATION ?= debug
SWIFT_FLAGS = -c $(CONFIGURATION)
BIN = .build/$(CONFIGURATION)

# The Swift toolchain's clang has the BPF target. v3 is what kernels from 5.1 on, and older clangs, understand.
CLANG ?= $(shell dirname $$(readlink -f $$(command -v swift)))/clang
OBJCOPY ?= $(shell dirname $$(readlink -f $$(command -v swift)))/llvm-objcopy
MULTIARCH = $(shell gcc -print-multiarch 2>/dev/null || echo $$(uname -m)-linux-gnu)
BPF_FLAGS = -target bpf -mcpu=v3 -g -O2 -Wall -Wextra -Werror -I/usr/include/$(MULTIARCH)

BPF_OBJECTS = Sources/CDatapathObjects/objects/sock.bpf.o
BPF_HEADERS = $(wildcard bpf/abi/*.h bpf/lib/*.h)
TEST_OBJECTS = $(patsubst bpf/test/%.bpf.c,Tests/CTestObjects/%.bpf.o,$(wildcard bpf/test/*.bpf.c))

.PHONY: all setup bpf build

all: build

setup:
	@.ci/setup

bpf: $(BPF_OBJECTS) $(TEST_OBJECTS)

Sources/CDatapathObjects/objects/%.bpf.o: bpf/%.bpf.c $(BPF_HEADERS)
	@mkdir -p $(@D)
	$(CLANG) $(BPF_FLAGS) -c $< -o $@
	$(OBJCOPY) --strip-debug $@

Tests/CTestObjects/%.bpf.o: bpf/test/%.bpf.c $(BPF_HEADERS)
	@mkdir -p $(@D)
	$(CLANG) $(BPF_FLAGS) -c $< -o $@
	$(OBJCOPY) --strip-debug $@

build: setup bpf
	swift build $(SWIFT_FLAGS)
