// Programs that do nothing, attached to a cgroup where Martlet's would be: what having hooks costs on its own.

import BPF
import CBench

/// Attached for as long as the value lives.
struct EmptyHooks: ~Copyable {
    private static let hooks: [(name: String, type: AttachType)] = [
        ("sock_release", .socketRelease), ("recvmsg4", .recvmsg4), ("recvmsg6", .recvmsg6),
        ("getpeername4", .getpeername4), ("getpeername6", .getpeername6), ("bind4", .bind4), ("bind6", .bind6),
        ("sendmsg4", .sendmsg4), ("sendmsg6", .sendmsg6), ("connect4", .connect4), ("connect6", .connect6),
    ]

    private let links: [Link]

    /// An array cannot hold a link itself, which has one owner.
    private final class Link {
        let link: BPFLink
        init(_ link: consuming BPFLink) { self.link = link }
    }

    init(cgroup: String) throws(BPFError) {
        let image = unsafe UnsafeRawBufferPointer(start: bench_empty_object(), count: bench_empty_object_size())
        var object = try unsafe BPFObject(name: "empty", image: image)
        try object.load()
        var links: [Link] = []
        for hook in Self.hooks {
            let program = try object.program(named: "empty_\(hook.name)")
            links.append(Link(try BPFLink.attach(program, cgroup: cgroup, hook.type)))
        }
        self.links = links
    }
}
