// A connection, or a flow without connections, that the kernel's connection tracking translates: what its two tuples say,
// and how long it has left. Asking for them, and making one, is TranslationTable's.

import CLibMNL
import Glibc
package import NetworkTypes

package struct TranslatedConnection: Hashable, Sendable {
    package var protocolKind: TransportProtocol
    /// What the client sends: from where, and to whom.
    package var client: AddressAndPort
    package var dialled: AddressAndPort
    /// Who answers, and to whom: the client, or an address and port that it is masqueraded with.
    package var backend: AddressAndPort
    package var peer: AddressAndPort
    /// TCP; for others and unknown numbers `open`.
    package var state: State
    /// Packets went both ways.
    package var isAnswered: Bool
    /// Until the kernel forgets it, if no packet comes.
    package var secondsLeft: UInt32

    package enum State: Hashable, Sendable {
        /// The client has had no answer that it has acknowledged.
        case opening
        case open
        case over
    }

    package init(
        _ protocolKind: TransportProtocol, client: AddressAndPort, dialled: AddressAndPort, backend: AddressAndPort,
        peer: AddressAndPort, state: State = .open, isAnswered: Bool = true, secondsLeft: UInt32
    ) {
        self.protocolKind = protocolKind
        self.client = client
        self.dialled = dialled
        self.backend = backend
        self.peer = peer
        self.state = state
        self.isAnswered = isAnswered
        self.secondsLeft = secondsLeft
    }

    package var isMasqueraded: Bool { peer != client }
}

extension TranslatedConnection {
    /// `IPS_SEEN_REPLY`, `IPS_ASSURED`, `IPS_CONFIRMED`, `IPS_SRC_NAT`, `IPS_DST_NAT`: Swift imports the enumeration
    /// as a type of its own.
    static let seenReply: UInt32 = 1 << 1
    static let assured: UInt32 = 1 << 2
    static let confirmed: UInt32 = 1 << 3
    static let sourceTranslated: UInt32 = 1 << 4
    static let destinationTranslated: UInt32 = 1 << 5

    /// Nil for what is not translated to another destination, has no ports, or makes no sense.
    init?(_ message: NetlinkMessage) {
        let attributes = message.attributes(after: MemoryLayout<nfgenmsg>.size)
        func number(_ type: ctattr_type) -> UInt32? { attributes[UInt16(type.rawValue)]?.number(UInt32.self) }
        guard let status = number(CTA_STATUS), status & Self.destinationTranslated != 0,
            let original = attributes[UInt16(CTA_TUPLE_ORIG.rawValue)].flatMap({ Tuple($0) }),
            let reply = attributes[UInt16(CTA_TUPLE_REPLY.rawValue)].flatMap({ Tuple($0) })
        else { return nil }
        self.init(
            original.protocolKind, client: original.source, dialled: original.destination, backend: reply.source,
            peer: reply.destination, state: State(attributes[UInt16(CTA_PROTOINFO.rawValue)]),
            isAnswered: status & Self.seenReply != 0, secondsLeft: number(CTA_TIMEOUT) ?? 0)
    }

    /// One direction, as it is in messages.
    struct Tuple {
        var protocolKind: TransportProtocol
        var source: AddressAndPort
        var destination: AddressAndPort

        init(_ protocolKind: TransportProtocol, from source: AddressAndPort, to destination: AddressAndPort) {
            self.protocolKind = protocolKind
            self.source = source
            self.destination = destination
        }

        init?(_ bytes: ArraySlice<UInt8>) {
            let parts = NetlinkMessage.attributes(in: bytes)
            guard let addresses = parts[UInt16(CTA_TUPLE_IP.rawValue)].map({ NetlinkMessage.attributes(in: $0) }),
                let ports = parts[UInt16(CTA_TUPLE_PROTO.rawValue)].map({ NetlinkMessage.attributes(in: $0) }),
                let kind = ports[UInt16(CTA_PROTO_NUM.rawValue)]?.first.flatMap({ TransportProtocol(rawValue: $0) }),
                let source = Self.address(addresses, CTA_IP_V4_SRC, CTA_IP_V6_SRC),
                let destination = Self.address(addresses, CTA_IP_V4_DST, CTA_IP_V6_DST),
                let sourcePort = ports[UInt16(CTA_PROTO_SRC_PORT.rawValue)]?.number(UInt16.self),
                let destinationPort = ports[UInt16(CTA_PROTO_DST_PORT.rawValue)]?.number(UInt16.self)
            else { return nil }
            self.init(
                kind, from: AddressAndPort(address: source, port: sourcePort),
                to: AddressAndPort(address: destination, port: destinationPort))
        }

        private static func address(
            _ parts: [UInt16: ArraySlice<UInt8>], _ ipv4: ctattr_ip, _ ipv6: ctattr_ip
        ) -> IPAddress? {
            if let bytes = parts[UInt16(ipv4.rawValue)] { return IPAddress(family: AF_INET, wire: bytes) }
            return parts[UInt16(ipv6.rawValue)].flatMap { IPAddress(family: AF_INET6, wire: $0) }
        }

        var attributes: NestedAttributes {
            let isIPv4 = source.address.family == .ipv4
            func bytes(_ address: IPAddress) -> [UInt8] { isIPv4 ? Array(address.bytes.suffix(4)) : address.bytes }
            var addresses = NestedAttributes()
            addresses.append((isIPv4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC).rawValue, bytes(source.address))
            addresses.append((isIPv4 ? CTA_IP_V4_DST : CTA_IP_V6_DST).rawValue, bytes(destination.address))
            var ports = NestedAttributes()
            ports.append(CTA_PROTO_NUM.rawValue, [protocolKind.rawValue])
            ports.append(CTA_PROTO_SRC_PORT.rawValue, number: source.port)
            ports.append(CTA_PROTO_DST_PORT.rawValue, number: destination.port)
            var tuple = NestedAttributes()
            tuple.append(CTA_TUPLE_IP.rawValue, nested: addresses)
            tuple.append(CTA_TUPLE_PROTO.rawValue, nested: ports)
            return tuple
        }
    }
}

extension TranslatedConnection.State {
    fileprivate init(_ protocolInfo: ArraySlice<UInt8>?) {
        let tcp = protocolInfo.map { NetlinkMessage.attributes(in: $0) }?[UInt16(CTA_PROTOINFO_TCP.rawValue)]
        let state = tcp.map { NetlinkMessage.attributes(in: $0) }?[UInt16(CTA_PROTOINFO_TCP_STATE.rawValue)]?.first
        // LISTEN stands for a SYN from both sides.
        switch state.map({ UInt32($0) }) {
        case TCP_CONNTRACK_SYN_SENT.rawValue, TCP_CONNTRACK_SYN_RECV.rawValue, TCP_CONNTRACK_LISTEN.rawValue:
            self = .opening
        case TCP_CONNTRACK_TIME_WAIT.rawValue, TCP_CONNTRACK_CLOSE.rawValue: self = .over
        default: self = .open
        }
    }
}
