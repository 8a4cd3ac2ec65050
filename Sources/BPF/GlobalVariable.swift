// Where a global variable of a BPF object lies, found in the object's type information (BTF). Changing the value before
// the object is loaded is all it is for; ConstantSection reads values back from the kernel.

import CLibBPF
import Glibc

/// The place of one global variable within its section.
struct GlobalVariable {
    let offset: Int
    let size: Int
    private let title: String
    /// `BTF_KIND_DATASEC`, which the kernel header has twice, as an enum constant and as a macro.
    private static let dataSection: UInt32 = 15

    /// Finds a variable.
    ///
    /// - Throws: `isNotFound` when the object has no such section or no such variable in it; EINVAL without BTF.
    init(_ name: String, section: String, in object: OpaquePointer, objectName: String) throws(BPFError) {
        title = "\(name) of \(objectName)"
        guard let btf = unsafe bpf_object__btf(object) else {
            throw .mismatch("set variable", title, "the object has no type information: compile it with -g")
        }
        let identifier = unsafe btf__find_by_name_kind(btf, section, Self.dataSection)
        guard identifier > 0, let type = unsafe btf__type_by_id(btf, UInt32(identifier)) else {
            throw BPFError(
                operation: "find variable", object: title, errno: ENOENT, detail: "there is no section \(section)")
        }
        guard let place = unsafe SectionLayout(of: type, in: btf).place(of: name) else {
            throw BPFError(
                operation: "find variable", object: title, errno: ENOENT, detail: "there is none in section \(section)")
        }
        (offset, size) = (place.lowerBound, place.count)
    }

    /// Changes the value in the section's initial contents; only before the object is loaded.
    ///
    /// - Throws: EBUSY once the object is loaded.
    func store<Value: BitwiseCopyable>(_ value: Value, in map: OpaquePointer) throws(BPFError) {
        var length = 0
        guard let initial = unsafe bpf_map__initial_value(map, &length), offset + size <= length else {
            throw .mismatch("set variable", title, "its section has no initial value")
        }
        var contents = unsafe [UInt8](UnsafeRawBufferPointer(start: initial, count: length))
        unsafe contents.withUnsafeMutableBytes { bytes in
            unsafe bytes.storeBytes(of: value, toByteOffset: offset, as: Value.self)
        }
        try check(unsafe bpf_map__set_initial_value(map, contents, length), "set variable", title)
    }
}
