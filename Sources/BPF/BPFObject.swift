// One compiled BPF object on its way into the kernel: opened from memory, adjusted, loaded. Programs and maps leave it
// as values of their own, so that the object can be dropped right after. Attaching and pinning are theirs to do.

import CLibBPF
import Glibc

/// A compiled BPF object (ELF), opened from memory.
///
/// Use: open, adjust (map sizes, constants, which programs to load, maps to share), ``load()`` once, then take the
/// programs and maps out.
@safe public struct BPFObject: ~Copyable {
    private let object: OpaquePointer
    /// How errors name the object.
    public let name: String

    /// Parses an object; the kernel is not involved yet. The image is copied where it is kept.
    ///
    /// - Throws: EINVAL or one of libbpf's own numbers when the image is not a BPF object that libbpf understands.
    public init(name: String, image: Span<UInt8>) throws(BPFError) {
        var options = unsafe bpf_object_open_opts()
        unsafe options.sz = MemoryLayout<bpf_object_open_opts>.size
        let (opened, messages) = unsafe name.withCString { name in
            unsafe options.object_name = unsafe name
            return unsafe image.withUnsafeBytes { image in
                unsafe LibbpfMessages.catching {
                    let object = unsafe bpf_object__open_mem(image.baseAddress, image.count, &options)
                    return unsafe (object: object, code: errno)
                }
            }
        }
        guard let object = unsafe opened.object else {
            throw BPFError(operation: "open BPF object", object: name, errno: unsafe opened.code, detail: messages)
        }
        unsafe self.object = object
        self.name = name
    }

    /// Parses an object that is somewhere in memory, usually embedded in the executable.
    ///
    /// The memory must stay valid during the call only.
    public init(name: String, image: UnsafeRawBufferPointer) throws(BPFError) {
        try unsafe self.init(name: name, image: Span(_unsafeBytes: image))
    }

    deinit {
        unsafe bpf_object__close(object)
    }

    // MARK: Before loading

    /// Sets how many elements a map takes.
    ///
    /// - Throws: `isNotFound` for an unknown map; EBUSY after loading.
    public mutating func setMaxEntries(map: String, _ count: UInt32) throws(BPFError) {
        try check(unsafe bpf_map__set_max_entries(find(map: map), count), "set the size of map", map)
    }

    /// Uses a map that exists already instead of creating one.
    ///
    /// libbpf itself would take any map; here kind, sizes and flags must be those that the object declares, since its
    /// programs were compiled for them.
    ///
    /// - Throws: EINVAL naming the first difference; `isNotFound` for an unknown map.
    public mutating func reuse(map: String, _ existing: borrowing MapDescriptor) throws(BPFError) {
        let declared = try unsafe find(map: map)
        let info = try existing.info()
        let facts: [(String, UInt32, UInt32)] = unsafe [
            ("type", info.type.rawValue, bpf_map__type(declared).rawValue),
            ("key size", UInt32(info.keySize), bpf_map__key_size(declared)),
            ("value size", UInt32(info.valueSize), bpf_map__value_size(declared)),
            ("number of entries", info.maxEntries, bpf_map__max_entries(declared)),
            ("flags", info.flags, bpf_map__map_flags(declared)),
        ]
        for (fact, existing, declared) in facts where existing != declared {
            throw .mismatch("reuse map", map, "its \(fact) is \(existing), and \(name) declares \(declared)")
        }
        try check(existing.withDescriptor { unsafe bpf_map__reuse_fd(declared, $0) }, "reuse map", map)
    }

    /// Sets a `const volatile` global variable by its name, so that the verifier can prune what it switches off.
    ///
    /// The variable's place comes from the object's type information (BTF), so the object must be compiled with `-g`.
    ///
    /// - Throws: `isNotFound` for an unknown name; EINVAL when `Value` has another size than the variable.
    public mutating func setConstant<Value: BitwiseCopyable>(_ variable: String, _ value: Value) throws(BPFError) {
        try setVariable(variable, value, section: ".rodata")
    }

    /// Sets the initial value of a global variable by its name and section: `.rodata`, `.data` or `.bss`.
    ///
    /// - Throws: as ``setConstant(_:_:)``.
    public mutating func setVariable<Value: BitwiseCopyable>(
        _ variable: String, _ value: Value, section: String
    ) throws(BPFError) {
        let place = try unsafe GlobalVariable(variable, section: section, in: object, objectName: name)
        guard place.size == MemoryLayout<Value>.size else {
            throw .mismatch(
                "set variable", "\(variable) of \(name)",
                "it has \(place.size) bytes, and \(Value.self) has \(MemoryLayout<Value>.size)")
        }
        try unsafe place.store(value, in: find(map: section))
    }

    /// Chooses whether a program is loaded at all; by default every one is.
    public mutating func setAutoload(program: String, _ isLoaded: Bool) throws(BPFError) {
        let found = try unsafe find(program: program)
        try check(unsafe bpf_program__set_autoload(found, isLoaded), "choose the loading of program", program)
    }

    // MARK: Loading

    /// Creates the maps, relocates the programs and has the kernel verify them. All or nothing.
    ///
    /// - Throws: whatever the kernel answered, with libbpf's messages and the tail of the verifier's log as detail.
    public mutating func load() throws(BPFError) {
        let (code, messages) = LibbpfMessages.catching { unsafe bpf_object__load(object) }
        guard code < 0 else { return }
        throw BPFError(operation: "load BPF object", object: name, errno: -code, detail: messages)
    }

    // MARK: After loading

    /// A loaded program, with an owner of its own.
    ///
    /// - Throws: `isNotFound` for an unknown name; EINVAL before loading, or when the program was not to be loaded.
    public func program(named name: String) throws(BPFError) -> BPFProgram {
        let number = unsafe bpf_program__fd(try find(program: name))
        return BPFProgram(try Self.own(number, "take program", name), label: name)
    }

    /// A map, with an owner of its own.
    ///
    /// - Throws: `isNotFound` for an unknown name; EINVAL before loading.
    public func map(named name: String) throws(BPFError) -> MapDescriptor {
        let number = unsafe bpf_map__fd(try find(map: name))
        return MapDescriptor(try Self.own(number, "take map", name), label: name)
    }

    /// The names of all programs, in the order of the object.
    public var programNames: [String] {
        var names: [String] = []
        var program = unsafe bpf_object__next_program(object, nil)
        while let current = unsafe program {
            names.append(unsafe String(cString: bpf_program__name(current)))
            unsafe program = unsafe bpf_object__next_program(object, current)
        }
        return names
    }

    /// The names of all maps, those of the global variables' sections included.
    public var mapNames: [String] {
        var names: [String] = []
        var map = unsafe bpf_object__next_map(object, nil)
        while let current = unsafe map {
            names.append(unsafe String(cString: bpf_map__name(current)))
            unsafe map = unsafe bpf_object__next_map(object, current)
        }
        return names
    }

    /// Copies a descriptor that libbpf owns. libbpf's number stays valid meanwhile, since the object is borrowed.
    private static func own(_ number: Int32, _ operation: String, _ name: String) throws(BPFError) -> Descriptor {
        try check(number, operation, name)
        let copy = fcntl(number, F_DUPFD_CLOEXEC, 0)
        return try Descriptor(adopting: copy >= 0 ? copy : -errno, operation, name)
    }

    private func find(map name: String) throws(BPFError) -> OpaquePointer {
        guard let map = unsafe bpf_object__find_map_by_name(object, name) else {
            throw BPFError(
                operation: "find map", object: name, errno: ENOENT, detail: "\(self.name) has none of this name")
        }
        return unsafe map
    }

    private func find(program name: String) throws(BPFError) -> OpaquePointer {
        guard let program = unsafe bpf_object__find_program_by_name(object, name) else {
            throw BPFError(
                operation: "find program", object: name, errno: ENOENT, detail: "\(self.name) has none of this name")
        }
        return unsafe program
    }
}

// libbpf's object is touched by its one owner only, and whatever changes it is a mutating method.
extension BPFObject: @unchecked Sendable {}
