// Changes of interfaces, addresses and default routes as they happen. It blocks, so it has a thread of its own; whoever needs the whole
// picture lists it first through RouteSocket, after opening the monitor, so that no change falls between the two.

import CLibMNL
import Glibc

/// One change.
package enum AddressChange: Hashable, Sendable {
    /// An address is new, or its flags or lifetime changed.
    case addressSet(InterfaceAddress)
    case addressRemoved(InterfaceAddress)
    /// An interface is new, or something about it changed.
    case interfaceSet(NetworkInterface)
    case interfaceRemoved(NetworkInterface)
    /// A default route of the main table came, went or changed. Routes that go because their interface goes down go
    /// without this; the interface is reported then.
    case defaultRoutesChanged
    /// Changes came faster than they were read and some are lost: list everything again.
    case overflow
}

/// Follows the changes in the network namespace of the thread that opened it.
package struct AddressMonitor: ~Copyable, Sendable {
    private var socket: NetlinkSocket
    private var names: [UInt32: String]

    /// Changes are kept by the kernel from here on.
    ///
    /// - Parameter routes: also those of default routes. The kernel sends every route's change then, and a routing daemon
    ///   may make thousands, so only those ask who need it.
    package init(routes: Bool = false) throws(NetlinkError) {
        let addresses = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR
        let groups = routes ? addresses | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE : addresses
        let listening = try NetlinkSocket(bus: NETLINK_ROUTE, groups: UInt32(groups))
        var route = try RouteSocket()
        names = Dictionary(try route.interfaces().map { ($0.index, $0.name) }) { $1 }
        socket = listening
    }

    /// Waits for changes and returns those that came together, in order. Blocks: not for the cooperative pool.
    ///
    /// - Parameter timeout: rounded up to milliseconds; nil waits for ever.
    /// - Returns: empty when the time is over, and when what came is none of a caller's business.
    package mutating func next(timeout: Duration? = nil) throws(NetlinkError) -> [AddressChange] {
        let milliseconds = timeout.map { Self.milliseconds($0) } ?? -1
        guard try socket.wait(milliseconds: milliseconds, Self.operation) else { return [] }
        let datagram: [UInt8]
        do throws(NetlinkError) {
            datagram = try socket.receive(Self.operation)
        } catch {
            guard error.errno == ENOBUFS else { throw error }
            return [.overflow]
        }
        var changes: [AddressChange] = []
        for message in NetlinkMessage.messages(in: datagram[...]) {
            if let change = decode(message) { changes.append(change) }
        }
        return changes
    }

    private static let operation = "follow the addresses of"

    private mutating func decode(_ message: NetlinkMessage) -> AddressChange? {
        switch Int(message.type) {
        case RTM_NEWADDR: return InterfaceAddress(message, interfaceNames: names).map { .addressSet($0) }
        case RTM_DELADDR: return InterfaceAddress(message, interfaceNames: names).map { .addressRemoved($0) }
        case RTM_NEWLINK, RTM_DELLINK:
            // Other families than none are about a part of the interface only, as when a port leaves its bridge.
            guard message.payload.first == UInt8(AF_UNSPEC) else { return nil }
            guard let interface = NetworkInterface(message) else { return nil }
            let isRemoved = Int(message.type) == RTM_DELLINK
            names[interface.index] = isRemoved ? nil : interface.name
            return isRemoved ? .interfaceRemoved(interface) : .interfaceSet(interface)
        case RTM_NEWROUTE, RTM_DELROUTE: return DefaultRoute(message).map { _ in .defaultRoutesChanged }
        default: return nil
        }
    }

    private static func milliseconds(_ timeout: Duration) -> Int32 {
        let (seconds, attoseconds) = timeout.components
        guard seconds < 86_400 else { return 86_400_000 }
        return Int32(max(0, seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000))
    }
}
