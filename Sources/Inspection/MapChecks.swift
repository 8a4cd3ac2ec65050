// Whether each kind of map that the datapath uses can be made, and used the way the datapath uses it.

import BPF

struct MapChecks {
    func findings() -> [Finding] {
        [
            hash(.hash, "frontends, services"), hash(.lruHash, "affinity"), prefixes(), memory(), perCPU(), ring(),
            storage(),
        ]
    }

    private func finding(_ type: MapType, _ users: String, _ body: () throws -> String) -> Finding {
        .trying(.maps, "\(type)", essential: true, loss: "needed for \(users)", body)
    }

    private func hash(_ type: MapType, _ users: String) -> Finding {
        finding(type, users) {
            let map = try BPFMap<UInt32, UInt64>(
                .create(type, name: "doctor_hash", keySize: 4, valueSize: 8, maxEntries: 64))
            try map.update(keys: [1, 2], values: [10, 20])
            guard try map.lookup(2) == 20, try map.count() == 2 else {
                throw WrongResult("it does not hold what was written")
            }
            return "made, written in a batch and read back"
        }
    }

    /// The key begins with the length of the prefix in bits.
    private func prefixes() -> Finding {
        finding(.lpmTrie, "service_cidrs") {
            let withoutPreallocation: UInt32 = 1
            let map = try BPFMap<UInt64, UInt8>(
                .create(
                    .lpmTrie, name: "doctor_trie", keySize: 8, valueSize: 1, maxEntries: 8,
                    flags: withoutPreallocation))
            try map.update(8, 1)
            guard try map.lookup(32) == 1 else { throw WrongResult("it does not find the prefix of a key") }
            return "made, and a prefix was found"
        }
    }

    private func memory() -> Finding {
        finding(.array, "backends, slots, connections") {
            let map = try MapDescriptor.create(
                .array, name: "doctor_array", keySize: 4, valueSize: 8, maxEntries: 64, flags: 1 << 10)
            var memory = try MappedArray<UInt64>(map)
            memory.write(7, 42)
            guard try BPFMap<UInt32, UInt64>(map).lookup(7) == 42 else {
                throw WrongResult("what is written to its memory is not in the map")
            }
            return "made and written as memory"
        }
    }

    private func perCPU() -> Finding {
        finding(.perCPUArray, "outcomes, service_counters") {
            let map = try PerCPUMap<UInt32, UInt64>(
                .create(.perCPUArray, name: "doctor_counters", keySize: 4, valueSize: 8, maxEntries: 4))
            guard try map.lookup(3)?.count == map.cpuCount else { throw WrongResult("it has no value for each CPU") }
            return "made, with a value for each of \(map.cpuCount) CPUs"
        }
    }

    private func ring() -> Finding {
        finding(.ringBuffer, "events") {
            var ring = try RingBuffer(
                .create(.ringBuffer, name: "doctor_ring", keySize: 0, valueSize: 0, maxEntries: 65536))
            try ring.poll(timeout: .zero) { _ in }
            return "made and polled"
        }
    }

    /// Storage is only made with type information, so it is libbpf that tries it.
    private func storage() -> Finding {
        finding(.socketStorage, "multipath") {
            let support = KernelFeatures.probe(map: .socketStorage)
            guard support.isSupported else { throw WrongResult(support.description) }
            return "made by libbpf's probe"
        }
    }
}
