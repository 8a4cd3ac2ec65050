// Maps whose elements are other kernel objects: tail-call tables, cgroups to compare with, inner maps. They are written
// with the object itself, so that no bare descriptor passes through a caller's hands, and read back as object numbers.

import CLibBPF
import Glibc

/// A `BPF_MAP_TYPE_PROG_ARRAY`: named slots for tail calls. An empty slot makes the call fall through.
///
/// The kernel empties the slots when the last descriptor or pin of the map goes, even while programs still use it.
public struct ProgramArray: ~Copyable, Sendable {
    private let slots: DescriptorArray
    /// The map itself: its facts, its pins.
    public var descriptor: MapDescriptor { _read { yield slots.map } }

    /// - Throws: EINVAL when the map is of another kind.
    public init(_ map: consuming MapDescriptor) throws(BPFError) {
        slots = try DescriptorArray(map, type: .programArray)
    }

    /// Puts a program into a slot; calls that begin later go there. Replacing is atomic.
    ///
    /// - Throws: EINVAL when the program is of another type than those in the table; E2BIG beyond the last slot.
    public func set(_ index: UInt32, to program: borrowing BPFProgram) throws(BPFError) {
        try program.withDescriptor { (number: Int32) throws(BPFError) in try slots.set(index, to: number) }
    }

    /// Empties a slot. Emptying an empty one succeeds.
    public func clear(_ index: UInt32) throws(BPFError) { try slots.clear(index) }

    /// The number of the program in a slot, or nil if it is empty.
    public func programID(at index: UInt32) throws(BPFError) -> UInt32? { try slots.object(at: index) }
}

/// A `BPF_MAP_TYPE_CGROUP_ARRAY`: cgroups for programs to compare the current task or a socket with.
public struct CGroupArray: ~Copyable, Sendable {
    private let slots: DescriptorArray
    /// The map itself: its facts, its pins.
    public var descriptor: MapDescriptor { _read { yield slots.map } }

    /// - Throws: EINVAL when the map is of another kind.
    public init(_ map: consuming MapDescriptor) throws(BPFError) {
        slots = try DescriptorArray(map, type: .cgroupArray)
    }

    /// Puts a cgroup into a slot. The slot keeps the cgroup alive.
    public func set(_ index: UInt32, to cgroup: borrowing CGroup) throws(BPFError) {
        try cgroup.withDescriptor { (number: Int32) throws(BPFError) in try slots.set(index, to: number) }
    }

    /// Empties a slot. Emptying an empty one succeeds.
    public func clear(_ index: UInt32) throws(BPFError) { try slots.clear(index) }
}

/// A `BPF_MAP_TYPE_ARRAY_OF_MAPS`. An update waits for the programs that use the old inner map (milliseconds).
public struct ArrayOfMaps: ~Copyable, Sendable {
    private let slots: DescriptorArray
    /// The map itself: its facts, its pins.
    public var descriptor: MapDescriptor { _read { yield slots.map } }

    /// - Throws: EINVAL when the map is of another kind.
    public init(_ map: consuming MapDescriptor) throws(BPFError) {
        slots = try DescriptorArray(map, type: .arrayOfMaps)
    }

    /// Puts an inner map into a slot.
    public func set(_ index: UInt32, to inner: borrowing MapDescriptor) throws(BPFError) {
        try inner.withDescriptor { (number: Int32) throws(BPFError) in try slots.set(index, to: number) }
    }

    /// Empties a slot. Emptying an empty one succeeds.
    public func clear(_ index: UInt32) throws(BPFError) { try slots.clear(index) }

    /// The number of the map in a slot, or nil if it is empty.
    public func mapID(at index: UInt32) throws(BPFError) -> UInt32? { try slots.object(at: index) }
}

/// What the three have in common: descriptors go in, numbers come out.
private struct DescriptorArray: ~Copyable, Sendable {
    let map: MapDescriptor

    init(_ map: consuming MapDescriptor, type: MapType) throws(BPFError) {
        let info = try map.info()
        guard info.type == type else {
            throw .mismatch("view map", map.label, "it is a \(info.type) map, not a \(type) map")
        }
        self.map = map
    }

    func set(_ index: UInt32, to number: Int32) throws(BPFError) {
        let code = unsafe withUnsafePointer(to: index) { index in
            unsafe withUnsafePointer(to: number) { number in
                map.withDescriptor { unsafe bpf_map_update_elem($0, index, number, 0) }
            }
        }
        try check(code, "set slot \(index) of map", map.label)
    }

    func clear(_ index: UInt32) throws(BPFError) {
        let code = unsafe withUnsafePointer(to: index) { index in
            map.withDescriptor { unsafe bpf_map_delete_elem($0, index) }
        }
        if code == -ENOENT { return }
        try check(code, "clear slot \(index) of map", map.label)
    }

    func object(at index: UInt32) throws(BPFError) -> UInt32? {
        var object: UInt32 = 0
        let code = unsafe withUnsafePointer(to: index) { index in
            map.withDescriptor { unsafe bpf_map_lookup_elem($0, index, &object) }
        }
        if code == -ENOENT { return nil }
        try check(code, "read slot \(index) of map", map.label)
        return object
    }
}
