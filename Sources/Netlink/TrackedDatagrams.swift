// The UDP flows that the kernel's connection tracking knows in one network namespace: looking at all of them, one by one,
// and making the kernel forget one.

import CLibMNL
import Glibc
package import NetworkTypes

/// A UDP flow as the kernel tracks it, translated or not.
package struct TrackedDatagrams: Hashable, Sendable {
    package var client: AddressAndPort
    /// Whom the client sends to.
    package var dialled: AddressAndPort
    /// Who answers: `dialled` itself where nothing is translated.
    package var answering: AddressAndPort
    /// The kernel's name for this entry, by which another with the same tuples is mostly told apart: it is made of where
    /// the entry is in memory.
    var id: UInt32
    /// Of entries kept apart by firewall rules; zero mostly.
    var zone: UInt16?

    /// Nil for what is not UDP or makes no sense.
    init?(_ message: NetlinkMessage) {
        let attributes = message.attributes(after: MemoryLayout<nfgenmsg>.size)
        guard let original = attributes[UInt16(CTA_TUPLE_ORIG.rawValue)].flatMap({ TranslatedConnection.Tuple($0) }),
            let reply = attributes[UInt16(CTA_TUPLE_REPLY.rawValue)].flatMap({ TranslatedConnection.Tuple($0) }),
            original.protocolKind == .udp, let id = attributes[UInt16(CTA_ID.rawValue)]?.number(UInt32.self)
        else { return nil }
        client = original.source
        dialled = original.destination
        answering = reply.source
        self.id = id
        zone = attributes[UInt16(CTA_ZONE.rawValue)]?.number(UInt16.self)
    }
}

package struct DatagramTracking: ~Copyable, Sendable {
    private var socket: NetlinkSocket

    /// For the network namespace of the calling thread.
    ///
    /// - Throws: also where the kernel has no connection tracking that can be asked.
    package init() throws(NetlinkError) {
        socket = try NetlinkSocket(bus: NETLINK_NETFILTER)
    }

    /// Calls `body` with each UDP flow of the family, in no order. Flows come and go meanwhile, so that one may be left
    /// out or be there twice. Cost: the kernel walks its whole table; memory for one datagram of messages.
    ///
    /// - Returns: whether the kernel says that it has left none out.
    package mutating func forEach(
        _ family: AddressFamily, _ body: (TrackedDatagrams) -> Void
    ) throws(NetlinkError) -> Bool {
        var request = Self.request(IPCTNL_MSG_CT_GET, family, NLM_F_DUMP)
        // The kernel tells of UDP alone (since 5.8); what it tells is looked at all the same.
        var kind = NestedAttributes()
        kind.append(CTA_PROTO_NUM.rawValue, [TransportProtocol.udp.rawValue])
        var tuple = NestedAttributes()
        tuple.append(CTA_TUPLE_PROTO.rawValue, nested: kind)
        request.append(CTA_TUPLE_ORIG.rawValue, nested: tuple)
        var filter = NestedAttributes()
        filter.append(CTA_FILTER_ORIG_FLAGS.rawValue, Self.byProtocol)
        request.append(CTA_FILTER.rawValue, nested: filter)
        return try socket.forEachMessage(of: request, "list the tracked flows of") { message in
            if let flow = TrackedDatagrams(message) { body(flow) }
        }
    }

    /// Makes the kernel forget the flow: its next packet is looked at as the first of a new one.
    ///
    /// - Returns: false when it was gone already.
    package mutating func forget(_ flow: TrackedDatagrams) throws(NetlinkError) -> Bool {
        var request = Self.request(IPCTNL_MSG_CT_DELETE, flow.client.address.family, NLM_F_ACK)
        let tuple = TranslatedConnection.Tuple(.udp, from: flow.client, to: flow.dialled)
        request.append(CTA_TUPLE_ORIG.rawValue, nested: tuple.attributes)
        request.append(CTA_ID.rawValue, number: flow.id)
        if let zone = flow.zone { request.append(CTA_ZONE.rawValue, number: zone) }
        do throws(NetlinkError) {
            try socket.command(request, "forget a tracked flow of")
            return true
        } catch {
            guard error.errno == ENOENT else { throw error }
            return false
        }
    }

    /// `CTA_FILTER_F_CTA_PROTO_NUM`, which is no part of the published headers, in the machine's byte order.
    private static let byProtocol: [UInt8] = {
        var bytes: [UInt8] = []
        bytes.append(raw: UInt32(1 << 3))
        return bytes
    }()

    private static func request(_ message: cntl_msg_types, _ family: AddressFamily, _ flags: Int32) -> NetlinkRequest {
        NetlinkRequest(
            netfilter: NFNL_SUBSYS_CTNETLINK, message.rawValue,
            family: UInt8(family == .ipv4 ? AF_INET : AF_INET6), flags: flags)
    }
}
