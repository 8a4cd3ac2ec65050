// What the agent decided when it loaded the programs that are attached now: the constants of bpf/lib/config.bpf.h, read
// back from the kernel by their names, so that an inspection does not have to guess the agent's configuration.

package import BPF
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
        guard let section = try BPFProgram.open(id: link.programID).constants() else {
            throw BPFError(
                operation: "find the constants of the program at hook", object: hook.rawValue, errno: ENOENT,
                detail: "it has no section .rodata")
        }
        return ProgramConstants(
            hostNamespaceCookie: try section.number("host_netns_cookie"),
            podsAreLocalIPv4: try section.number("pods_are_local_ipv4") != 0,
            podsAreLocalIPv6: try section.number("pods_are_local_ipv6") != 0,
            skipCGroupCount: UInt32(truncatingIfNeeded: try section.number("skip_cgroup_count")))
    }
}
