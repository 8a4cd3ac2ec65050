// A map with a key and a value type, seen one element at a time: look up, update, delete. Many elements at a time are
// in BPFMap+Batch.swift. Only maps whose elements are one plain value belong here: per-CPU maps are `PerCPUMap`, arrays
// of programs are `ProgramArray`, and an array that is mapped as memory is `MappedArray`.

import CLibBPF
import Glibc

/// Whether an update may create an element, change one, or both.
public enum UpdateMode: UInt64, Sendable {
    /// Create or change (`BPF_ANY`).
    case any = 0
    /// Create only; `isExists` is thrown for a key that is there (`BPF_NOEXIST`).
    case noExist = 1
    /// Change only; `isNotFound` is thrown for a key that is not there (`BPF_EXIST`).
    case exist = 2
}

/// A typed view of a map that holds one plain value per key.
///
/// `Key` and `Value` are types without references whose memory is exactly what the map holds; usually structs imported
/// from the C header that the programs include. Their sizes are compared with the map's once, when the view is made.
///
/// Padding inside a key takes part in the kernel's comparison of hash keys: declare it and set it to zero.
public struct BPFMap<Key: BitwiseCopyable, Value: BitwiseCopyable>: ~Copyable, Sendable {
    /// The map itself: its facts, its pins.
    public let descriptor: MapDescriptor
    /// The most elements that the map takes.
    public let maxEntries: UInt32

    /// Takes the map if its sizes are those of `Key` and `Value`.
    ///
    /// - Throws: EINVAL naming both sizes when they differ, or when the map has a value for each CPU.
    public init(_ descriptor: consuming MapDescriptor) throws(BPFError) {
        let info = try descriptor.info()
        guard !info.type.isPerCPU else {
            throw .mismatch("view map", descriptor.label, "it is a \(info.type) map, which has a value for each CPU")
        }
        try requireSize(of: Key.self, info.keySize, "key", descriptor.label)
        try requireSize(of: Value.self, info.valueSize, "value", descriptor.label)
        self.maxEntries = info.maxEntries
        self.descriptor = descriptor
    }

    /// Opens the map that is pinned at a path, if it fits.
    public static func open(pinned path: String) throws(BPFError) -> BPFMap {
        try BPFMap(try MapDescriptor.open(pinned: path))
    }

    /// The value under a key, or nil if there is none.
    public func lookup(_ key: Key) throws(BPFError) -> Value? {
        let (code, value): (Int32, Value?) = unsafe withUnsafeTemporaryAllocation(of: Value.self, capacity: 1) { out in
            let code = unsafe withUnsafePointer(to: key) { key in
                descriptor.withDescriptor { unsafe bpf_map_lookup_elem($0, key, out.baseAddress) }
            }
            return unsafe (code, code == 0 ? out[0] : nil)
        }
        if code == -ENOENT { return nil }
        try check(code, "look up a key in map", descriptor.label)
        return value
    }

    /// Writes one element.
    ///
    /// - Throws: `isFull` when the map has no room, and what `mode` forbids.
    public func update(_ key: Key, _ value: Value, mode: UpdateMode = .any) throws(BPFError) {
        let code = unsafe withUnsafePointer(to: key) { key in
            unsafe withUnsafePointer(to: value) { value in
                descriptor.withDescriptor { unsafe bpf_map_update_elem($0, key, value, mode.rawValue) }
            }
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

/// Compares a Swift type with the size that the kernel reports. A type with tail padding (size below stride) is
/// refused, since an array of it would not be laid out as its elements are.
func requireSize<T: BitwiseCopyable>(
    of type: T.Type, _ expected: Int, _ part: String, _ label: String
) throws(BPFError) {
    guard MemoryLayout<T>.size == expected, MemoryLayout<T>.stride == max(expected, 1) else {
        throw .mismatch(
            "view map", label,
            "its \(part) has \(expected) bytes, and \(T.self) has \(MemoryLayout<T>.size) in \(MemoryLayout<T>.stride)")
    }
}
