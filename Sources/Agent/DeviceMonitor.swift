// The network devices that this node has, with their addresses and the default routes over them, now and whenever that
// changes: what the packet hooks are attached to.

package import Logging
package import Netlink

package struct DeviceMonitor: Sendable {
    /// What it has to tell.
    package enum News: Hashable, Sendable {
        /// All devices that the node has, by index.
        case devices([NetworkDevice])
        /// Changes go unnoticed from now on, until there are devices again.
        case lost(reason: String)
    }

    /// Follows the devices until nobody listens any more, or until it cannot. Tells all of them at first and whenever
    /// something about them may have changed.
    package typealias Follow =
        @Sendable (_ isOver: () -> Bool, _ tell: ([NetworkDevice]) -> Void) throws(NetlinkError) -> Void

    private let follower: KernelFollower<[NetworkDevice]>

    /// After `firstWait` and then twice as long each time, what failed is begun anew.
    package init(log: Logger, firstWait: Duration = .seconds(1), follow: @escaping Follow = Self.followKernel) {
        follower = KernelFollower("the node's devices", log: log, firstWait: firstWait, follow: follow)
    }

    /// The node's devices at the moment, by index.
    package static func current() throws(NetlinkError) -> [NetworkDevice] {
        var route = try RouteSocket()
        return try route.devices()
    }

    /// All devices whenever they are different from the last time; the first at once, and after every interruption. The
    /// thread ends with the stream; it is in the network namespace of the thread that calls this.
    package func updates() -> AsyncStream<News> {
        follower.updates {
            .devices($0)
        } lost: {
            .lost(reason: $0)
        }
    }

    /// A pod's start makes about ten changes within some milliseconds (its veth comes, moves, is named, goes up, joins a
    /// bridge), and the first packet comes after them. So many as come without a pause are told as one...
    private static let pause = Duration.milliseconds(20)
    /// ... but on a node where there is no pause, what is new has to wait no longer than this.
    private static let longestGathering = Duration.milliseconds(200)

    /// In the kernel.
    package static let followKernel: Follow = { (isOver, tell) throws(NetlinkError) in
        var monitor = try AddressMonitor(routes: true)
        while !isOver() {
            tell(try DeviceMonitor.current())
            while try monitor.next(timeout: kernelPatience).isEmpty, !isOver() {}
            let end = ContinuousClock.now + DeviceMonitor.longestGathering
            while ContinuousClock.now < end, try !monitor.next(timeout: DeviceMonitor.pause).isEmpty {}
        }
    }
}
