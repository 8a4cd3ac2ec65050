# Everything starts here: `make demo` shows Martlet working, `make test` proves it. Both do all set-up on a fresh Debian
# machine that has the Swift toolchain. Other targets are steps of these two, and can be run on their own.

SHELL := /bin/bash
.DELETE_ON_ERROR:

CONFIGURATION ?= debug
FUZZ_SECONDS ?= 20
SWIFT_FLAGS = -c $(CONFIGURATION)
BIN = .build/$(CONFIGURATION)

# The Swift toolchain's clang has the BPF target. v3 is what kernels from 5.1 on, and older clangs, understand.
CLANG ?= $(shell dirname $$(readlink -f $$(command -v swift)))/clang
OBJCOPY ?= $(shell dirname $$(readlink -f $$(command -v swift)))/llvm-objcopy
MULTIARCH = $(shell gcc -print-multiarch 2>/dev/null || echo $$(uname -m)-linux-gnu)
BPF_FLAGS = -target bpf -mcpu=v3 -g -O2 -mllvm -hotcoldsplit-threshold=100000 -Wall -Wextra -Werror -I/usr/include/$(MULTIARCH)

BPF_OBJECTS = $(patsubst bpf/%.bpf.c,Sources/CDatapathObjects/objects/%.bpf.o,$(wildcard bpf/*.bpf.c)) \
	$(patsubst bench/bpf/%.bpf.c,bench/CBench/objects/%.bpf.o,$(wildcard bench/bpf/*.bpf.c))
BPF_HEADERS = $(wildcard bpf/abi/*.h bpf/lib/*.h)
PURE_SUITES = ^(NetworkTypes|PacketKit|SystemCalls|Telemetry|ServiceModel|LoadBalancing|DatapathImage|Reconciler|Configuration|Kubernetes[A-Za-z]*|Command)Tests
TEST_OBJECTS = $(patsubst bpf/test/%.bpf.c,Tests/CTestObjects/%.bpf.o,$(wildcard bpf/test/*.bpf.c))

.PHONY: all setup bpf proto build demo test check unit kernels bench image image-test root clean

all: build

setup:
	@.ci/setup

bpf: $(BPF_OBJECTS) $(TEST_OBJECTS)

Sources/CDatapathObjects/objects/%.bpf.o: bpf/%.bpf.c $(BPF_HEADERS)
	@mkdir -p $(@D)
	$(CLANG) $(BPF_FLAGS) -c $< -o $@
	$(OBJCOPY) --strip-debug $@

bench/CBench/objects/%.bpf.o: bench/bpf/%.bpf.c bench/CBench/include/bench_packet.h
	@mkdir -p $(@D)
	$(CLANG) $(BPF_FLAGS) -c $< -o $@
	$(OBJCOPY) --strip-debug $@

Tests/CTestObjects/%.bpf.o: bpf/test/%.bpf.c $(BPF_HEADERS)
	@mkdir -p $(@D)
	$(CLANG) $(BPF_FLAGS) -c $< -o $@
	$(OBJCOPY) --strip-debug $@

# The Swift code of Sources/KubernetesMessages, after a change of its .proto files; it is committed.
proto: setup
	Sources/KubernetesMessages/generate

build: setup bpf
	swift build $(SWIFT_FLAGS)

# The main job, shown: namespaces, servers, clients and the real agent on deploy/examples. Needs root.
demo: build root
	$(BIN)/martlet-demo

# Everything that must hold: what a machine can check, pure and kernel suites, a soak, a churn and fuzzing in short forms. Needs
# root: the kernel suites work on the real kernel, and are never skipped.
test: root build check
	swift build $(SWIFT_FLAGS) --build-tests
	swift test $(SWIFT_FLAGS) --skip-build --no-parallel
	$(BIN)/martlet-soak
	$(BIN)/martlet-bench churn --flows 1000 --changes 20
	Tests/Fuzz/run $(FUZZ_SECONDS)

# What a machine can verify without running anything: see .ci/check.
check: bpf
	.ci/check

# The pure suites alone; no privilege needed.
unit: build
	swift build $(SWIFT_FLAGS) --build-tests
	swift test $(SWIFT_FLAGS) --skip-build --filter '$(PURE_SUITES)'

# The programs on the kernels of docs/kernels.md, in virtual machines: some minutes. Downloads the kernels once.
kernels: build root
	BIN=$(BIN) conformance/Kernels/run

root:
	@test $$(id -u) -eq 0 || { echo "make: this needs root: it makes network namespaces and loads BPF programs" >&2; exit 1; }

# The measurements of bench/README.md, in an optimised build. Needs root.
bench: root setup bpf
	swift build -c release
	.build/release/martlet-bench connect
	.build/release/martlet-bench request
	.build/release/martlet-bench sync
	.build/release/martlet-bench churn
	.build/release/martlet-bench packet
	.build/release/martlet-bench rate
	.build/release/martlet-bench scale

# An OCI image of the agent in .build/image, made without network or container engine.
image: setup bpf
	deploy/image/build

# Whether the image, the manifests of deploy/kubernetes and the systemd unit work, tried as far as one machine without a
# cluster can; and whether the image is the same when it is made again. Needs root, and minutes for the optimised build.
image-test: root image
	deploy/image/build --root .build/image/again --out .build/image/again.oci.tar
	cmp .build/image/martlet.oci.tar .build/image/again.oci.tar
	swift build $(SWIFT_FLAGS) --product martlet-api-server
	deploy/image/try --bin $(BIN)
	deploy/systemd/try

clean:
	rm -rf .build .build-image $(BPF_OBJECTS) $(TEST_OBJECTS)
