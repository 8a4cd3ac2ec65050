// Where the global variables of one section lie, found in type information (BTF): a section is a DATASEC whose entries
// give offset and size, and refer to the VAR with the name.

import CLibBPF

/// The places of a section's variables, as ranges of bytes of its contents. Of two with the same name (static ones of
/// different files) the first counts.
struct SectionLayout: Sendable {
    private var places: [String: Range<Int>] = [:]

    /// Empty when the type is no section. Copies what it keeps.
    init(of section: UnsafePointer<btf_type>, in types: OpaquePointer) {
        guard unsafe btf_is_datasec(section) else { return }
        let entries = unsafe UnsafeBufferPointer(start: btf_var_secinfos(section), count: Int(btf_vlen(section)))
        for index in entries.indices {
            let entry = unsafe entries[index]
            guard let variable = unsafe btf__type_by_id(types, entry.type),
                let name = unsafe btf__name_by_offset(types, variable.pointee.name_off)
            else { continue }
            let place = Int(entry.offset)..<Int(entry.offset) + Int(entry.size)
            unsafe places.merge([(String(cString: name), place)]) { first, _ in first }
        }
    }

    /// Nil when the section has no variable of this name.
    func place(of variable: String) -> Range<Int>? { places[variable] }
}
