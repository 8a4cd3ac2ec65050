// The addresses that this node has, now and whenever they change: what node ports are served on. It watches the kernel from
// a thread of its own, since that blocks.

import Foundation
package import Logging
package import Netlink
package import NetworkTypes
import Synchronization

package struct NodeAddressMonitor: Sendable {
    private let log: Logger

    package init(log: Logger) {
        self.log = log
    }

    /// How long the thread waits before it looks whether anybody still listens.
    private static let patience = Duration.seconds(1)

    /// The node's addresses at the moment: without those that are still being probed for duplicates, and without
    /// link-local ones, which mean nothing without an interface. Ordered.
    package static func current() throws(NetlinkError) -> [IPAddress] {
        var route = try RouteSocket()
        let usable = try route.addresses().filter { !$0.isTentative && !$0.address.isLinkLocal }
        return Set(usable.map(\.address)).sorted()
    }

    /// All addresses whenever they are different from the last time; the first at once. The thread ends with the stream.
    package func updates() -> AsyncStream<[IPAddress]> {
        let (stream, inbox) = AsyncStream.makeStream(of: [IPAddress].self)
        let listener = Listener()
        inbox.onTermination = { _ in listener.isGone.store(true, ordering: .relaxed) }
        Thread.detachNewThread { [log] in
            do throws(NetlinkError) {
                try Self.follow(inbox, listener)
            } catch {
                log.error("the node's addresses are no longer followed", metadata: ["error": "\(error)"])
            }
            inbox.finish()
        }
        return stream
    }

    private final class Listener: Sendable {
        let isGone = Atomic(false)
    }

    private static func follow(
        _ inbox: AsyncStream<[IPAddress]>.Continuation, _ listener: Listener
    ) throws(NetlinkError) {
        var monitor = try AddressMonitor()
        var known: [IPAddress]?
        while !listener.isGone.load(ordering: .relaxed) {
            let addresses = try current()
            if addresses != known { inbox.yield(addresses) }
            known = addresses
            while try monitor.next(timeout: patience).isEmpty, !listener.isGone.load(ordering: .relaxed) {}
        }
    }
}
