// A map of any kind, as the kernel knows it: one owned descriptor, its facts, and its pins. Elements are read and
// written through the typed views (`BPFMap`, `PerCPUMap`, `MappedArray`, …), which take one of these and check it.

import CLibBPF
import Glibc

/// What the kernel says about one map.
public struct MapInfo: Sendable, Equatable {
    /// The kernel's number for the map, unique while the map lives.
    public let id: UInt32
    public let type: MapType
    /// Bytes of one key.
    public let keySize: Int
    /// Bytes of one value as declared; on a per-CPU map that is one CPU's value.
    public let valueSize: Int
    /// The most elements that the map takes.
    public let maxEntries: UInt32
    /// The flags given at creation (`BPF_F_MMAPABLE` and so on).
    public let flags: UInt32
    /// The name in the kernel: at most 15 characters, so often shorter than the name in the object.
    public let name: String
    /// Bytes that the kernel accounts for this map, if it says so.
    public let memoryBytes: UInt64?

    /// Whether the map may be mapped into memory (`BPF_F_MMAPABLE`).
    public var isMappable: Bool { flags & UInt32(BPF_F_MMAPABLE) != 0 }
}

/// An owned descriptor of a map of any kind. The map lives as long as a descriptor, a pin or a program refers to it.
public struct MapDescriptor: ~Copyable, Sendable {
    let descriptor: Descriptor
    /// How errors name the map: its name in the object, its path, or its name in the kernel.
    public let label: String

    init(_ descriptor: consuming Descriptor, label: String) {
        self.descriptor = descriptor
        self.label = label
    }

    /// Creates a map outside any object.
    ///
    /// - Parameters:
    ///   - name: at most 15 characters reach the kernel.
    ///   - flags: `BPF_F_…` flags, zero for none.
    public static func create(
        _ type: MapType, name: String, keySize: Int, valueSize: Int, maxEntries: UInt32, flags: UInt32 = 0
    ) throws(BPFError) -> MapDescriptor {
        var options = bpf_map_create_opts()
        options.sz = MemoryLayout<bpf_map_create_opts>.size
        options.map_flags = flags
        let result = unsafe bpf_map_create(
            bpf_map_type(type.rawValue), String(name.prefix(15)), UInt32(keySize), UInt32(valueSize), maxEntries,
            &options)
        return MapDescriptor(try Descriptor(adopting: result, "create \(type) map", name), label: name)
    }

    /// Opens the map that is pinned at a path.
    ///
    /// - Throws: `isNotFound` when there is no pin; EINVAL when the pin holds something other than a map.
    public static func open(pinned path: String) throws(BPFError) -> MapDescriptor {
        let descriptor = try Descriptor(adopting: unsafe bpf_obj_get(path), "open the map pinned at", path)
        try descriptor.require(.map, "open the map pinned at", path)
        return MapDescriptor(descriptor, label: path)
    }

    /// Opens a map by the number that the kernel gave it.
    public static func open(id: UInt32) throws(BPFError) -> MapDescriptor {
        let descriptor = try Descriptor(adopting: bpf_map_get_fd_by_id(id), "open map", "number \(id)")
        return MapDescriptor(descriptor, label: "number \(id)")
    }

    /// Makes the map outlive this process under a name in a BPF file system.
    ///
    /// - Throws: `isExists` when the name is taken. Names must not contain a dot (the kernel reserves them: EPERM).
    public func pin(at path: String) throws(BPFError) {
        try check(descriptor.withNumber { unsafe bpf_obj_pin($0, path) }, "pin map \(label) at", path)
    }

    /// Another owner of the same map.
    public func duplicate() throws(BPFError) -> MapDescriptor {
        MapDescriptor(try descriptor.duplicate("map \(label)"), label: label)
    }

    /// Forbids every further change from user space; programs may still write unless the map's flags forbid it.
    public func freeze() throws(BPFError) {
        try check(descriptor.withNumber { bpf_map_freeze($0) }, "freeze map", label)
    }

    /// What the kernel says about the map. One system call, and one small file for the memory.
    public func info() throws(BPFError) -> MapInfo {
        var info = bpf_map_info()
        var size = UInt32(MemoryLayout<bpf_map_info>.size)
        try check(
            descriptor.withNumber { unsafe bpf_obj_get_info_by_fd($0, &info, &size) }, "read the facts of map", label)
        return MapInfo(
            id: info.id, type: MapType(rawValue: info.type), keySize: Int(info.key_size),
            valueSize: Int(info.value_size), maxEntries: info.max_entries, flags: info.map_flags,
            name: kernelName(info.name), memoryBytes: memoryBytes())
    }

    /// Lends the bare descriptor for one call into the kernel; for code inside this package that has no typed way.
    /// The number must not outlive the closure.
    package func withDescriptor<Result: ~Copyable, Failure: Error>(
        _ body: (Int32) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try descriptor.withNumber(body)
    }

    /// The kernel reports this nowhere else.
    private func memoryBytes() -> UInt64? {
        guard let facts = try? descriptor.facts(label), let bytes = facts["memlock"] else { return nil }
        return UInt64(bytes)
    }
}
