// The interfaces and addresses of one network namespace, asked for once. Following their changes is AddressMonitor's.

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

    /// A dump of everything, of every family.
    private static func request(_ type: Int) -> NetlinkRequest {
        var payload = rtgenmsg()
        payload.rtgen_family = UInt8(AF_UNSPEC)
        return NetlinkRequest(type: UInt16(type), flags: UInt16(NLM_F_DUMP), payload: payload)
    }
}
