// rtnetlink's messages about interfaces, addresses and default routes, decoded (rtnetlink(7)). Pure: bytes in, facts out.

import CLibMNL
import Glibc
import NetworkTypes

extension NetworkInterface {
    /// Decodes `RTM_NEWLINK` and `RTM_DELLINK`; nil for a message that is too short to be one.
    init?(_ message: NetlinkMessage) {
        guard let header = message.payload.load(ifinfomsg.self) else { return nil }
        let attributes = message.attributes(after: MemoryLayout<ifinfomsg>.size)
        let information = attributes[UInt16(IFLA_LINKINFO)].map { NetlinkMessage.attributes(in: $0) }
        self.init(
            index: UInt32(bitPattern: header.ifi_index), name: attributes[UInt16(IFLA_IFNAME)]?.text ?? "",
            flags: header.ifi_flags, mtu: attributes[UInt16(IFLA_MTU)]?.load(UInt32.self) ?? 0,
            masterIndex: attributes[UInt16(IFLA_MASTER)]?.load(UInt32.self),
            peerIndex: attributes[UInt16(IFLA_LINK)]?.load(UInt32.self).flatMap { $0 == 0 ? nil : $0 },
            peerIsElsewhere: attributes[UInt16(IFLA_LINK_NETNSID)] != nil,
            kind: information?[UInt16(IFLA_INFO_KIND)]?.text,
            hardwareAddress: Array(attributes[UInt16(IFLA_ADDRESS)] ?? []),
            hardwareType: HardwareType(rawValue: header.ifi_type))
    }
}

extension InterfaceAddress {
    /// Decodes `RTM_NEWADDR` and `RTM_DELADDR`; nil for other families than IPv4 and IPv6, or if there is no address.
    ///
    /// On a point-to-point interface `IFA_ADDRESS` is the other end and `IFA_LOCAL` ours; elsewhere IPv6 has the first
    /// alone, and IPv4 has both alike.
    init?(_ message: NetlinkMessage, interfaceNames: [UInt32: String]) {
        guard let header = message.payload.load(ifaddrmsg.self) else { return nil }
        let attributes = message.attributes(after: MemoryLayout<ifaddrmsg>.size)
        guard let bytes = attributes[UInt16(IFA_LOCAL)] ?? attributes[UInt16(IFA_ADDRESS)],
            let address = IPAddress(family: Int32(header.ifa_family), wire: bytes)
        else { return nil }
        self.init(
            address: address, prefixLength: header.ifa_prefixlen, interfaceIndex: header.ifa_index,
            interfaceName: interfaceNames[header.ifa_index] ?? "", scope: Scope(kernel: header.ifa_scope),
            flags: attributes[UInt16(IFA_FLAGS)]?.load(UInt32.self) ?? UInt32(header.ifa_flags))
    }
}

/// Where packets without a better route go: a default route of the main table.
struct DefaultRoute: Hashable {
    /// The interfaces of its next hops; several for a multipath route, none for one that refuses.
    let interfaces: [UInt32]

    /// Decodes `RTM_NEWROUTE` and `RTM_DELROUTE`; nil for any other route. Routes through next-hop objects
    /// (`ip nexthop`) are written out by the kernel as if they had none, unless the sysctl nexthop_compat_mode is off.
    init?(_ message: NetlinkMessage) {
        guard let header = message.payload.load(rtmsg.self), header.rtm_dst_len == 0,
            [AF_INET, AF_INET6].contains(Int32(header.rtm_family)), Int(header.rtm_type) == RTN_UNICAST,
            header.rtm_flags & UInt32(RTM_F_CLONED) == 0
        else { return nil }
        let attributes = message.attributes(after: MemoryLayout<rtmsg>.size)
        // The header has one byte for the table; the attribute says the whole number.
        let table = attributes[UInt16(RTA_TABLE.rawValue)]?.load(UInt32.self) ?? UInt32(header.rtm_table)
        guard table == RT_TABLE_MAIN.rawValue else { return nil }
        var interfaces = attributes[UInt16(RTA_OIF.rawValue)]?.load(UInt32.self).map { [$0] } ?? []
        interfaces += Self.interfaces(ofNextHops: attributes[UInt16(RTA_MULTIPATH.rawValue)] ?? [])
        self.interfaces = interfaces
    }

    /// Each next hop is a struct and its attributes; its length covers both.
    private static func interfaces(ofNextHops bytes: ArraySlice<UInt8>) -> [UInt32] {
        var interfaces: [UInt32] = []
        var rest = bytes
        while let hop = rest.load(rtnexthop.self), case let length = Int(hop.rtnh_len),
            length >= MemoryLayout<rtnexthop>.size, length <= rest.count
        {
            interfaces.append(UInt32(bitPattern: hop.rtnh_ifindex))
            rest = rest.dropFirst(NetlinkMessage.aligned(length))
        }
        return interfaces
    }
}

extension IPAddress {
    /// An address in network order as the kernel writes it: 4 bytes or 16, by its number of the address family.
    init?(family: Int32, wire bytes: ArraySlice<UInt8>) {
        switch family {
        case AF_INET:
            guard bytes.count >= 4 else { return nil }
            self.init(ipv4: bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) })
        case AF_INET6:
            self.init(bytes: bytes.prefix(16))
        default:
            return nil
        }
    }
}
