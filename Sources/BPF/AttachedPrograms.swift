// Which programs, ours or other people's, are attached at one place of a cgroup.

import CLibBPF

/// The programs at one attach type of one cgroup, itself only.
public struct AttachedPrograms: Sendable {
    /// Numbers of the programs, in the order in which they run; at most 64.
    public let programIDs: [UInt32]
    /// Whether others may be attached beside them (`BPF_F_ALLOW_MULTI`); true as well when there is none.
    public let admitsOthers: Bool

    /// Asks the kernel.
    ///
    /// - Throws: `isPermission` without CAP_NET_ADMIN; `isUnsupported` where the kernel does not tell.
    public static func query(_ type: AttachType, cgroup: borrowing CGroup) throws(BPFError) -> AttachedPrograms {
        var ids = [UInt32](repeating: 0, count: 64)
        var count = UInt32(ids.count)
        var flags: UInt32 = 0
        let code = cgroup.withDescriptor { number in
            unsafe bpf_prog_query(number, bpf_attach_type(type.rawValue), 0, &flags, &ids, &count)
        }
        guard code == 0 else {
            throw BPFError(operation: "list the programs at \(type) of", object: cgroup.path, errno: -code)
        }
        return AttachedPrograms(
            programIDs: Array(ids.prefix(Int(count))),
            admitsOthers: count == 0 || flags & UInt32(BPF_F_ALLOW_MULTI) != 0)
    }
}
