// What a program was told when it was loaded: the `const volatile` global variables of its object, read back from the
// kernel by their names. Setting them, before loading, is BPFObject's business.

import CLibBPF
import Glibc

/// The constants of a loaded program.
///
/// They are the one element of a map of the kernel's, and where each of them lies is told by the type information that
/// came with that map. So they are found in a program of any build, not only in one from an object at hand. A copy: the
/// program is not held, and its constants never change.
///
///     let program = try BPFProgram.open(id: number)
///     let limit = try program.constants()?.number("limit")
public struct ConstantSection: Sendable {
    private let bytes: [UInt8]
    private let layout: SectionLayout
    private let label: String

    /// Reads the constants out of a `.rodata` map.
    ///
    /// - Throws: EINVAL when the map is not the kind that holds a section, `isNotFound` when it came without BTF.
    init(_ map: borrowing MapDescriptor) throws(BPFError) {
        label = map.label
        var info = bpf_map_info()
        var size = UInt32(MemoryLayout<bpf_map_info>.size)
        let told = map.withDescriptor { unsafe bpf_obj_get_info_by_fd($0, &info, &size) }
        guard told == 0 else { throw BPFError(operation: "read the facts of map", object: label, errno: -told) }
        // What the kernel writes below depends on it.
        guard info.type == BPF_MAP_TYPE_ARRAY.rawValue, info.key_size == 4, info.max_entries == 1 else {
            throw .mismatch("read the constants in map", label, "it does not hold a section of an object")
        }
        var contents = [UInt8](repeating: 0, count: Int(info.value_size))
        var key: UInt32 = 0
        let read = map.withDescriptor { unsafe bpf_map_lookup_elem($0, &key, &contents) }
        guard read == 0 else { throw BPFError(operation: "read the constants in map", object: label, errno: -read) }
        bytes = contents
        guard let types = unsafe btf__load_from_kernel_by_id(info.btf_id) else {
            throw BPFError(operation: "read the types of map", object: label, errno: errno)
        }
        defer { unsafe btf__free(types) }
        guard let section = unsafe btf__type_by_id(types, info.btf_value_type_id) else {
            throw BPFError(operation: "read the types of map", object: label, errno: ENOENT)
        }
        layout = unsafe SectionLayout(of: section, in: types)
    }

    /// A whole number of up to eight bytes, taken as unsigned; a `bool` is 0 or 1.
    ///
    /// - Throws: `isNotFound` when there is no constant of this name, or it is larger than that.
    public func number(_ name: String) throws(BPFError) -> UInt64 {
        guard let place = layout.place(of: name), place.count <= 8, place.upperBound <= bytes.count else {
            throw BPFError(operation: "find constant \(name) in map", object: label, errno: ENOENT)
        }
        // In the byte order of this machine, which is that of its BPF programs.
        var native: UInt64 = 0
        for (index, byte) in bytes[place].enumerated() {
            let shift = UInt64(1.littleEndian == 1 ? index : place.count - 1 - index) * 8
            native |= UInt64(byte) << shift
        }
        return native
    }
}

extension BPFProgram {
    /// The constants that the program was loaded with; nil when its object has none. Costs two system calls for each
    /// map of the program, and some more for its types.
    ///
    /// - Throws: `isPermission` without CAP_SYS_ADMIN, which opening maps by their numbers takes.
    public func constants() throws(BPFError) -> ConstantSection? {
        for id in try info().mapIDs {
            let map = try MapDescriptor.open(id: id)
            guard try map.info().name.hasSuffix(".rodata") else { continue }
            return try ConstantSection(map)
        }
        return nil
    }
}
