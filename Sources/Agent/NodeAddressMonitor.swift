// The addresses that this node has, now and whenever they change: what node ports are served on.

package import Logging
package import Netlink
package import NetworkTypes

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

    private let follower: KernelFollower<[IPAddress]>

    /// After `firstWait` and then twice as long each time, what failed is begun anew.
    package init(log: Logger, firstWait: Duration = .seconds(1), follow: @escaping Follow = Self.followKernel) {
        follower = KernelFollower("the node's addresses", log: log, firstWait: firstWait, follow: follow)
    }

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
        follower.updates {
            .addresses($0)
        } lost: {
            .lost(reason: $0)
        }
    }

    /// In the kernel, in the network namespace of this process.
    package static let followKernel: Follow = { (isOver, tell) throws(NetlinkError) in
        var monitor = try AddressMonitor()
        while !isOver() {
            tell(try NodeAddressMonitor.current())
            while try monitor.next(timeout: kernelPatience).isEmpty, !isOver() {}
        }
    }
}
