// The interfaces, addresses and default routes of one network namespace, asked for once. Following their changes is AddressMonitor's.

import CLibMNL
import Glibc

/// Asks the kernel for interfaces and addresses, in the network namespace of the thread that opened it.
package struct RouteSocket: ~Copyable, Sendable {
    private var socket: NetlinkSocket

    package init() throws(NetlinkError) {
        socket = try NetlinkSocket(bus: NETLINK_ROUTE)
    }

    /// All interfaces, by index.
    package mutating func interfaces() throws(NetlinkError) -> [NetworkInterface] {
        let messages = try socket.dump(Self.request(RTM_GETLINK), "list the interfaces of")
        return messages.compactMap { NetworkInterface($0) }.sorted { $0.index < $1.index }
    }

    /// All IPv4 and IPv6 addresses, sorted by interface and then by address. Includes addresses of interfaces that are
    /// down, and tentative and deprecated ones.
    package mutating func addresses() throws(NetlinkError) -> [InterfaceAddress] {
        let names = Dictionary(try interfaces().map { ($0.index, $0.name) }) { $1 }
        let messages = try socket.dump(Self.request(RTM_GETADDR), "list the addresses of")
        return messages.compactMap { InterfaceAddress($0, interfaceNames: names) }
            .sorted { ($0.interfaceIndex, $0.address) < ($1.interfaceIndex, $1.address) }
    }

    /// The interfaces by which a default route of either family leaves: those of the main table, with all next hops.
    /// Costs a dump of all routes.
    package mutating func defaultRouteInterfaces() throws(NetlinkError) -> Set<UInt32> {
        var interfaces: Set<UInt32> = []
        for family in [AF_INET, AF_INET6] {
            let messages = try socket.dump(Self.request(RTM_GETROUTE, family: family), "list the routes of")
            for message in messages { interfaces.formUnion(DefaultRoute(message)?.interfaces ?? []) }
        }
        return interfaces
    }

    /// All interfaces with what decides about attaching to them, by index. Put together from three lists that are asked
    /// for one after the other: what changes in between is in the next list, if the caller follows the changes.
    package mutating func devices() throws(NetlinkError) -> [NetworkDevice] {
        let routed = try defaultRouteInterfaces()
        let addresses = Dictionary(grouping: try addresses(), by: \.interfaceIndex)
        return try interfaces().map {
            NetworkDevice(
                interface: $0, addresses: addresses[$0.index] ?? [], carriesDefaultRoute: routed.contains($0.index))
        }
    }

    /// A dump of everything, of every family or of one.
    private static func request(_ type: Int, family: Int32 = AF_UNSPEC) -> NetlinkRequest {
        var payload = rtgenmsg()
        payload.rtgen_family = UInt8(family)
        return NetlinkRequest(type: UInt16(type), flags: UInt16(NLM_F_DUMP), payload: payload)
    }
}
