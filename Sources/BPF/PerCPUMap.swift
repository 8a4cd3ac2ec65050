// A map that holds a value for every possible CPU under each key: counters that programs write without sharing a cache
// line. Only what user space needs of it: reading all values, and setting them.

import CLibBPF
import Glibc

/// A typed view of a per-CPU hash or array.
public struct PerCPUMap<Key: BitwiseCopyable, Value: BitwiseCopyable>: ~Copyable, Sendable {
    /// The map itself: its facts, its pins.
    public let descriptor: MapDescriptor
    /// The most elements that the map takes.
    public let maxEntries: UInt32
    /// How many values each element has: the CPUs that this machine could ever have, not those that are on.
    public let cpuCount: Int

    /// The kernel gives each CPU's value a multiple of eight bytes.
    private static var stride: Int { (MemoryLayout<Value>.size + 7) & ~7 }

    /// Takes the map if it is a per-CPU map with the sizes of `Key` and `Value`.
    ///
    /// - Throws: EINVAL naming what differs.
    public init(_ descriptor: consuming MapDescriptor) throws(BPFError) {
        let info = try descriptor.info()
        guard info.type.isPerCPU else {
            throw .mismatch("view map", descriptor.label, "it is a \(info.type) map, which has one value for all CPUs")
        }
        try requireSize(of: Key.self, info.keySize, "key", descriptor.label)
        try requireSize(of: Value.self, info.valueSize, "value", descriptor.label)
        let cpus = try check(libbpf_num_possible_cpus(), "count CPUs for map", descriptor.label)
        self.maxEntries = info.maxEntries
        self.cpuCount = Int(cpus)
        self.descriptor = descriptor
    }

    /// The values of all possible CPUs under a key, by CPU number; nil if there is no such element.
    public func lookup(_ key: Key) throws(BPFError) -> [Value]? {
        var bytes = [UInt8](repeating: 0, count: Self.stride * cpuCount)
        let code = unsafe withUnsafePointer(to: key) { key in
            descriptor.withDescriptor { unsafe bpf_map_lookup_elem($0, key, &bytes) }
        }
        if code == -ENOENT { return nil }
        try check(code, "look up a key in map", descriptor.label)
        return unsafe bytes.withUnsafeBytes { bytes in
            (0..<cpuCount).map { unsafe bytes.loadUnaligned(fromByteOffset: $0 * Self.stride, as: Value.self) }
        }
    }

    /// Writes the values of all possible CPUs under a key.
    ///
    /// - Throws: EINVAL unless there is exactly one value per possible CPU; `isFull`; what `mode` forbids.
    public func update(_ key: Key, _ values: [Value], mode: UpdateMode = .any) throws(BPFError) {
        guard values.count == cpuCount else {
            throw .mismatch("update map", descriptor.label, "\(values.count) values came for \(cpuCount) CPUs")
        }
        var bytes = [UInt8](repeating: 0, count: Self.stride * cpuCount)
        unsafe bytes.withUnsafeMutableBytes { bytes in
            for (cpu, value) in values.enumerated() {
                unsafe bytes.storeBytes(of: value, toByteOffset: cpu * Self.stride, as: Value.self)
            }
        }
        let code = unsafe withUnsafePointer(to: key) { key in
            descriptor.withDescriptor { unsafe bpf_map_update_elem($0, key, bytes, mode.rawValue) }
        }
        try check(code, "update an element of map", descriptor.label)
    }

    /// Removes one element.
    ///
    /// - Returns: false if there was none.
    @discardableResult
    public func delete(_ key: Key) throws(BPFError) -> Bool {
        let code = unsafe withUnsafePointer(to: key) { key in
            descriptor.withDescriptor { unsafe bpf_map_delete_elem($0, key) }
        }
        if code == -ENOENT { return false }
        try check(code, "delete an element of map", descriptor.label)
        return true
    }
}
