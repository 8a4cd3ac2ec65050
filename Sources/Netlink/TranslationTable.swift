// What the kernel's connection tracking translates to other destinations in one network namespace: asking for all of it,
// and putting connections in that somebody else has translated so far.

import CLibMNL
import Glibc
import NetworkTypes

package struct TranslationTable: ~Copyable, Sendable {
    private var socket: NetlinkSocket

    /// For the network namespace of the calling thread.
    package init() throws(NetlinkError) {
        socket = try NetlinkSocket(bus: NETLINK_NETFILTER)
    }

    /// Everything that is translated to another destination and has ports, in no order. Cost: that of reading the
    /// whole table, in the kernel at least.
    package mutating func connections() throws(NetlinkError) -> [TranslatedConnection] {
        var all: [TranslatedConnection] = []
        for family in [AF_INET, AF_INET6] {
            var request = Self.request(IPCTNL_MSG_CT_GET, family, NLM_F_DUMP)
            // Kernels that can then tell of no others; Linux 5.13 and later.
            request.append(CTA_STATUS.rawValue, number: TranslatedConnection.destinationTranslated)
            request.append(CTA_STATUS_MASK.rawValue, number: TranslatedConnection.destinationTranslated)
            all += try socket.dump(request, "list the tracked connections of").compactMap { TranslatedConnection($0) }
        }
        return all
    }

    /// Puts a connection in, as if the kernel had translated it from its beginning: its packets are translated as it
    /// says from now on, and nobody else is given the address and port that it is masqueraded with towards its backend.
    ///
    /// - Returns: false when the kernel has one with the same packets already.
    package mutating func add(_ connection: TranslatedConnection) throws(NetlinkError) -> Bool {
        let family = connection.client.address.family == .ipv4 ? AF_INET : AF_INET6
        let kind = connection.protocolKind
        var request = Self.request(IPCTNL_MSG_CT_NEW, family, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK)
        let original = TranslatedConnection.Tuple(kind, from: connection.client, to: connection.dialled)
        // Before translation; the two below are the translation.
        let reply = TranslatedConnection.Tuple(kind, from: connection.dialled, to: connection.client)
        request.append(CTA_TUPLE_ORIG.rawValue, nested: original.attributes)
        request.append(CTA_TUPLE_REPLY.rawValue, nested: reply.attributes)
        request.append(
            CTA_STATUS.rawValue,
            number: TranslatedConnection.confirmed | TranslatedConnection.assured | TranslatedConnection.seenReply)
        request.append(CTA_TIMEOUT.rawValue, number: connection.secondsLeft)
        if kind == .tcp { request.append(CTA_PROTOINFO.rawValue, nested: Self.openStream) }
        if connection.isMasqueraded {
            request.append(CTA_NAT_SRC.rawValue, nested: Self.translation(to: connection.peer))
        }
        request.append(CTA_NAT_DST.rawValue, nested: Self.translation(to: connection.backend))
        do throws(NetlinkError) {
            try socket.command(request, "have the kernel translate a connection in")
            return true
        } catch {
            guard error.errno == EEXIST else { throw error }
            return false
        }
    }

    /// Exactly this address and port.
    private static func translation(to place: AddressAndPort) -> NestedAttributes {
        let isIPv4 = place.address.family == .ipv4
        let bytes = isIPv4 ? Array(place.address.bytes.suffix(4)) : place.address.bytes
        var ports = NestedAttributes()
        ports.append(CTA_PROTONAT_PORT_MIN.rawValue, number: place.port)
        ports.append(CTA_PROTONAT_PORT_MAX.rawValue, number: place.port)
        var translation = NestedAttributes()
        translation.append((isIPv4 ? CTA_NAT_V4_MINIP : CTA_NAT_V6_MINIP).rawValue, bytes)
        translation.append((isIPv4 ? CTA_NAT_V4_MAXIP : CTA_NAT_V6_MAXIP).rawValue, bytes)
        translation.append(CTA_NAT_PROTO.rawValue, nested: ports)
        return translation
    }

    /// An open TCP connection whose sequence numbers nobody has followed: the kernel must not hold them against it.
    private static var openStream: NestedAttributes {
        let liberal = UInt8(IP_CT_TCP_FLAG_BE_LIBERAL)
        var tcp = NestedAttributes()
        tcp.append(CTA_PROTOINFO_TCP_STATE.rawValue, [UInt8(TCP_CONNTRACK_ESTABLISHED.rawValue)])
        tcp.append(CTA_PROTOINFO_TCP_FLAGS_ORIGINAL.rawValue, [liberal, liberal])
        tcp.append(CTA_PROTOINFO_TCP_FLAGS_REPLY.rawValue, [liberal, liberal])
        var info = NestedAttributes()
        info.append(CTA_PROTOINFO_TCP.rawValue, nested: tcp)
        return info
    }

    private static func request(_ message: cntl_msg_types, _ family: Int32, _ flags: Int32) -> NetlinkRequest {
        NetlinkRequest(netfilter: NFNL_SUBSYS_CTNETLINK, message.rawValue, family: UInt8(family), flags: flags)
    }
}
