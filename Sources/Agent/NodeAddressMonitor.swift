// The addresses that this node has, now and whenever they change: what node ports are served on. It watches the kernel from
// a thread of its own, since that blocks.

import Foundation
package import Logging
package import Netlink
package import NetworkTypes
import Synchronization

package struct NodeAddressMonitor: Sendable {
    /// What it has to tell.
    package enum News: Hashable, Sendable {
        /// All addresses that the node has.
        case addresses([IPAddress])
        /// Changes go unnoticed from now on, until there are addresses again.
        case lost(reason: String)
    }

    /// Follows the addresses until nobody listens any more, or until it cannot. Tells all of them at first and whenever
    /// they have changed.
    package typealias Follow =
        @Sendable (_ isOver: () -> Bool, _ tell: ([IPAddress]) -> Void) throws(NetlinkError) -> Void

    private let log: Logger
    private let follow: Follow
    private let firstWait: Duration

    /// After `firstWait` and then twice as long each time, what failed is begun anew.
    package init(log: Logger, firstWait: Duration = .seconds(1), follow: @escaping Follow = Self.followKernel) {
        self.log = log
        self.firstWait = firstWait
        self.follow = follow
    }

    /// How long the thread waits before it looks whether anybody still listens.
    private static let patience = Duration.seconds(1)
    private static let longestWait = Duration.seconds(30)

    /// The node's addresses at the moment: without those that are still being probed for duplicates, and without
    /// link-local ones, which mean nothing without an interface. Ordered.
    package static func current() throws(NetlinkError) -> [IPAddress] {
        var route = try RouteSocket()
        let usable = try route.addresses().filter { !$0.isTentative && !$0.address.isLinkLocal }
        return Set(usable.map(\.address)).sorted()
    }

    /// All addresses whenever they are different from the last time; the first at once, and after every interruption. The
    /// thread ends with the stream.
    package func updates() -> AsyncStream<News> {
        let (stream, inbox) = AsyncStream.makeStream(of: News.self)
        let listener = Listener()
        inbox.onTermination = { _ in listener.isGone.store(true, ordering: .relaxed) }
        Thread.detachNewThread { run(inbox, listener) }
        return stream
    }

    private final class Listener: Sendable {
        let isGone = Atomic(false)
    }

    private func run(_ inbox: AsyncStream<News>.Continuation, _ listener: Listener) {
        var wait = firstWait
        let isOver = { listener.isGone.load(ordering: .relaxed) }
        while !isOver() {
            var known: [IPAddress]?
            do throws(NetlinkError) {
                try follow(isOver) { addresses in
                    wait = firstWait
                    if addresses != known { inbox.yield(.addresses(addresses)) }
                    known = addresses
                }
            } catch {
                log.error(
                    "the node's addresses cannot be followed; it is tried again",
                    metadata: ["error": "\(error)", "after": "\(wait)"])
                inbox.yield(.lost(reason: "\(error)"))
                sleep(wait, isOver)
                wait = min(wait * 2, Self.longestWait)
            }
        }
        inbox.finish()
    }

    private func sleep(_ wait: Duration, _ isOver: () -> Bool) {
        let end = ContinuousClock.now + wait
        while !isOver(), ContinuousClock.now < end {
            let piece = min(end - ContinuousClock.now, Self.patience)
            Thread.sleep(forTimeInterval: piece / .seconds(1))
        }
    }

    /// In the kernel, in the network namespace of this process.
    package static let followKernel: Follow = { (isOver, tell) throws(NetlinkError) in
        var monitor = try AddressMonitor()
        while !isOver() {
            tell(try NodeAddressMonitor.current())
            while try monitor.next(timeout: NodeAddressMonitor.patience).isEmpty, !isOver() {}
        }
    }
}
