// What the agent decided when it loaded the programs that are attached now: the constants of bpf/lib/config.bpf.h, read
// back from the kernel by their names, so that an inspection does not have to guess the agent's configuration.

package import BPF
import CLibBPF
import Glibc

package struct ProgramConstants: Hashable, Sendable {
    /// SO_NETNS_COOKIE of the namespace whose sockets are the node's own.
    package var hostNamespaceCookie: UInt64
    /// Whether pods count as pod-local, for each family (TP-8).
    package var podsAreLocalIPv4: Bool
    package var podsAreLocalIPv6: Bool
    /// How many cgroups opt out.
    package var skipCGroupCount: UInt32

    package init(
        hostNamespaceCookie: UInt64, podsAreLocalIPv4: Bool = true, podsAreLocalIPv6: Bool = true,
        skipCGroupCount: UInt32 = 0
    ) {
        self.hostNamespaceCookie = hostNamespaceCookie
        self.podsAreLocalIPv4 = podsAreLocalIPv4
        self.podsAreLocalIPv6 = podsAreLocalIPv6
        self.skipCGroupCount = skipCGroupCount
    }

    /// Reads the constants of the program at a hook; the programs of one installation share them.
    ///
    /// - Throws: `isNotFound` when the hook is not pinned, or its program has no constant of a name.
    package static func read(
        _ folder: PinFolder, hook: SocketHook = .connect4
    ) throws(BPFError) -> ProgramConstants {
        let link = try BPFLink.open(pinned: folder.pin(of: hook)).info()
        for id in try BPFProgram.open(id: link.programID).info().mapIDs {
            let map = try MapDescriptor.open(id: id)
            guard try map.info().name.hasSuffix(".rodata") else { continue }
            let section = try ConstantSection(map)
            return ProgramConstants(
                hostNamespaceCookie: try section.number("host_netns_cookie"),
                podsAreLocalIPv4: try section.number("pods_are_local_ipv4") != 0,
                podsAreLocalIPv6: try section.number("pods_are_local_ipv6") != 0,
                skipCGroupCount: UInt32(truncatingIfNeeded: try section.number("skip_cgroup_count")))
        }
        throw BPFError(
            operation: "find the constants of the program at hook", object: hook.rawValue, errno: ENOENT,
            detail: "it has no section .rodata")
    }
}

/// The one element of a `.rodata` map, and where its variables are according to the map's own type information: not
/// this build's, since the programs may be an older one's.
private struct ConstantSection {
    private var bytes: [UInt8]
    private var places: [String: Range<Int>] = [:]
    private let label: String

    init(_ map: borrowing MapDescriptor) throws(BPFError) {
        label = map.label
        var info = bpf_map_info()
        var size = UInt32(MemoryLayout<bpf_map_info>.size)
        let told = map.withDescriptor { unsafe bpf_obj_get_info_by_fd($0, &info, &size) }
        guard told == 0 else { throw BPFError(operation: "read the facts of map", object: label, errno: -told) }
        bytes = [UInt8](repeating: 0, count: Int(info.value_size))
        var key: UInt32 = 0
        let read = map.withDescriptor { unsafe bpf_map_lookup_elem($0, &key, &bytes) }
        guard read == 0 else { throw BPFError(operation: "read the constants in map", object: label, errno: -read) }
        guard let types = unsafe btf__load_from_kernel_by_id(info.btf_id) else {
            throw BPFError(operation: "read the types of map", object: label, errno: errno)
        }
        defer { unsafe btf__free(types) }
        guard let section = unsafe btf__type_by_id(types, info.btf_value_type_id) else { return }
        let variables = unsafe UnsafeBufferPointer(start: btf_var_secinfos(section), count: Int(btf_vlen(section)))
        for index in variables.indices {
            let variable = unsafe variables[index]
            guard let type = unsafe btf__type_by_id(types, variable.type),
                let name = unsafe btf__name_by_offset(types, type.pointee.name_off)
            else { continue }
            unsafe places[String(cString: name)] = Int(variable.offset)..<Int(variable.offset + variable.size)
        }
    }

    /// A whole number of up to eight bytes, in the byte order of this machine, which is that of its BPF programs.
    func number(_ name: String) throws(BPFError) -> UInt64 {
        guard let place = places[name], place.count <= 8, place.upperBound <= bytes.count else {
            throw BPFError(operation: "find constant \(name) in map", object: label, errno: ENOENT)
        }
        var native: UInt64 = 0
        for (index, byte) in bytes[place].enumerated() {
            let shift = UInt64(1.littleEndian == 1 ? index : place.count - 1 - index) * 8
            native |= UInt64(byte) << shift
        }
        return native
    }
}
