// Which programs, ours or other people's, are attached to the hooks of a cgroup. The one question to the kernel that the
// BPF library has no typed way for, so the bare call is here.

package import BPF
import CLibBPF

/// The programs at one hook of one cgroup, itself only.
package struct AttachedPrograms: Sendable {
    package let hook: SocketHook
    /// In the order in which they run.
    package let programIDs: [UInt32]
    /// Whether others may be attached beside them (BPF_F_ALLOW_MULTI); true as well when there is none.
    package let admitsOthers: Bool

    /// - Throws: `isPermission` without CAP_NET_ADMIN; `isUnsupported` where the kernel does not tell.
    package static func query(_ hook: SocketHook, cgroup: borrowing CGroup) throws(BPFError) -> AttachedPrograms {
        var ids = [UInt32](repeating: 0, count: 64)
        var count = UInt32(ids.count)
        var flags: UInt32 = 0
        let code = cgroup.withDescriptor { number in
            unsafe bpf_prog_query(number, bpf_attach_type(hook.attachType.rawValue), 0, &flags, &ids, &count)
        }
        guard code == 0 else {
            throw BPFError(operation: "list the programs at hook \(hook.rawValue) of", object: cgroup.path, errno: -code)
        }
        return AttachedPrograms(
            hook: hook, programIDs: Array(ids.prefix(Int(count))),
            admitsOthers: count == 0 || flags & UInt32(BPF_F_ALLOW_MULTI) != 0)
    }
}
