// One attachment of one program at one place, as a kernel object: several live side by side, the program can be
// exchanged without a gap, and a pin makes it outlive the process. The order among links is the kernel's.

import CLibBPF
import Glibc

/// What the kernel says about one link.
public struct LinkInfo: Sendable, Equatable {
    /// The kernel's number for the link, unique while it lives.
    public let id: UInt32
    /// The number of the attached program.
    public let programID: UInt32
    public let target: Target

    /// What a link is attached to.
    public enum Target: Sendable, Equatable {
        /// A cgroup; its number is zero once the cgroup is gone.
        case cgroup(id: UInt64, AttachType)
        /// TCX on a network interface; the index is zero once the interface is gone.
        case tcx(interface: UInt32, AttachType)
        /// XDP on a network interface; the index is zero once the interface is gone.
        case xdp(interface: UInt32)
        /// A network namespace, by its inode number; zero once it is gone.
        case networkNamespace(inode: UInt32, AttachType)
        /// Something else; the kernel's link type.
        case other(type: UInt32)
    }
}

/// How an XDP program meets its packets.
public enum XDPMode: UInt32, Sendable {
    /// In the driver if it can, else generic.
    case any = 0
    /// After the kernel has built its packet buffer: slow, works everywhere (`XDP_FLAGS_SKB_MODE`).
    case generic = 2
    /// In the driver, or not at all (`XDP_FLAGS_DRV_MODE`).
    case native = 4
}

/// Where a new TCX program goes among those that are there.
public enum TCXPosition: UInt32, Sendable {
    /// After all others.
    case last = 0
    /// Before all others (`BPF_F_BEFORE`).
    case first = 8
}

/// An owned descriptor of a link. Unless it is pinned, the last descriptor's closing detaches the program.
public struct BPFLink: ~Copyable, Sendable {
    private let descriptor: Descriptor
    /// How errors name the link.
    public let label: String

    private init(_ descriptor: consuming Descriptor, label: String) {
        self.descriptor = descriptor
        self.label = label
    }

    /// Attaches a program to a cgroup, for all sockets made in it or below.
    ///
    /// - Throws: `isPermission` when a program without `ALLOW_MULTI` is there already; EINVAL when the program was not
    ///   loaded for this attach type.
    public static func attach(
        _ program: borrowing BPFProgram, cgroup: borrowing CGroup, _ type: AttachType
    ) throws(BPFError) -> BPFLink {
        let label = "\(program.label) at \(type) of \(cgroup.path)"
        return try cgroup.withDescriptor { (target: Int32) throws(BPFError) in
            try create(program, target: target, type, flags: 0, label: label)
        }
    }

    /// Attaches a program to the cgroup at a path in a cgroup2 file system.
    public static func attach(
        _ program: borrowing BPFProgram, cgroup path: String, _ type: AttachType
    ) throws(BPFError) -> BPFLink {
        try attach(program, cgroup: try CGroup.open(path), type)
    }

    /// Attaches a classifier to a network interface through TCX (Linux 6.6).
    ///
    /// - Parameters:
    ///   - interface: its index.
    ///   - type: `.tcxIngress` or `.tcxEgress`.
    /// - Throws: EINVAL on kernels without TCX; ENODEV when there is no such interface.
    public static func attach(
        _ program: borrowing BPFProgram, interface: UInt32, _ type: AttachType, position: TCXPosition = .last
    ) throws(BPFError) -> BPFLink {
        let label = "\(program.label) at \(type) of interface \(interface)"
        return try create(program, target: Int32(bitPattern: interface), type, flags: position.rawValue, label: label)
    }

    /// Attaches an XDP program to a network interface. There is room for one.
    ///
    /// - Parameter interface: its index.
    /// - Throws: EBUSY when one is there already; `isUnsupported` when the driver cannot do the mode; ENODEV when there is
    ///   no such interface.
    public static func attach(
        xdp program: borrowing BPFProgram, interface: UInt32, mode: XDPMode = .any
    ) throws(BPFError) -> BPFLink {
        let label = "\(program.label) at xdp of interface \(interface)"
        do {
            return try create(program, target: Int32(bitPattern: interface), .xdp, flags: mode.rawValue, label: label)
        } catch {
            // The kernel says EINVAL for an interface that is not there, as drivers do for much else.
            var name = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
            guard error.errno == EINVAL, unsafe if_indextoname(interface, &name) == nil else { throw error }
            throw BPFError(operation: error.operation, object: error.object, errno: ENODEV, detail: error.detail)
        }
    }

    /// Opens the link that is pinned at a path.
    ///
    /// - Throws: `isNotFound` when there is no pin; EINVAL when the pin holds something other than a link.
    public static func open(pinned path: String) throws(BPFError) -> BPFLink {
        let descriptor = try Descriptor(adopting: unsafe bpf_obj_get(path), "open the link pinned at", path)
        try descriptor.require(.link, "open the link pinned at", path)
        return BPFLink(descriptor, label: path)
    }

    /// Opens a link by the number that the kernel gave it.
    public static func open(id: UInt32) throws(BPFError) -> BPFLink {
        BPFLink(try Descriptor(adopting: bpf_link_get_fd_by_id(id), "open link", "number \(id)"), label: "number \(id)")
    }

    /// Exchanges the program, without a moment in which none is attached.
    public func update(program: borrowing BPFProgram) throws(BPFError) {
        let code = descriptor.withNumber { link in
            program.withDescriptor { bpf_link_update(link, $0, nil) }
        }
        try check(code, "exchange the program for \(program.label) in link", label)
    }

    /// Makes the attachment outlive this process under a name in a BPF file system.
    ///
    /// - Throws: `isExists` when the name is taken; ``AtomicPin`` replaces.
    public func pin(at path: String) throws(BPFError) {
        try check(descriptor.withNumber { unsafe bpf_obj_pin($0, path) }, "pin link \(label) at", path)
    }

    /// Ends the attachment now, whoever else holds the link.
    public func detach() throws(BPFError) {
        try check(descriptor.withNumber { bpf_link_detach($0) }, "detach link", label)
    }

    /// What the kernel says about the link.
    public func info() throws(BPFError) -> LinkInfo {
        // Read as bytes: the target's part is a union that grew members (TCX) after the build's kernel headers.
        var bytes = [UInt8](repeating: 0, count: 256)
        var size = UInt32(bytes.count)
        try check(
            descriptor.withNumber { unsafe bpf_obj_get_info_by_fd($0, &bytes, &size) }, "read the facts of link", label)
        return unsafe bytes.withUnsafeBytes { unsafe LinkInfo(decoding: $0) }
    }

    /// Lends the bare descriptor for one call into the kernel; for code inside this package that has no typed way.
    /// The number must not outlive the closure.
    package func withDescriptor<Result: ~Copyable, Failure: Error>(
        _ body: (Int32) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try descriptor.withNumber(body)
    }

    /// Creates the kernel object.
    static func create(
        _ program: borrowing BPFProgram, target: Int32, _ type: AttachType, flags: UInt32, label: String
    ) throws(BPFError) -> BPFLink {
        var options = unsafe bpf_link_create_opts()
        unsafe options.sz = MemoryLayout<bpf_link_create_opts>.size
        unsafe options.flags = flags
        let result = program.withDescriptor {
            unsafe bpf_link_create($0, target, bpf_attach_type(type.rawValue), &options)
        }
        return BPFLink(try Descriptor(adopting: result, "attach program", label), label: label)
    }
}

extension LinkInfo {
    /// Decodes `struct bpf_link_info`: type, id and program number, then from byte 16 what the type says.
    fileprivate init(decoding bytes: UnsafeRawBufferPointer) {
        let word = { (offset: Int) in unsafe bytes.load(fromByteOffset: offset, as: UInt32.self) }
        let type = word(0)
        id = word(4)
        programID = word(8)
        target =
            switch type {
            case 3: .cgroup(id: unsafe bytes.load(fromByteOffset: 16, as: UInt64.self), AttachType(rawValue: word(24)))
            case 5: .networkNamespace(inode: word(16), AttachType(rawValue: word(20)))
            case 6: .xdp(interface: word(16))
            case 11: .tcx(interface: word(16), AttachType(rawValue: word(20)))
            default: .other(type: type)
            }
    }
}
