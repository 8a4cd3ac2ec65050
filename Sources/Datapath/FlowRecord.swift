// One flow of packets as the packet hooks remember it: the record of the client's direction, with what is known of the
// replies (bpf/abi/packets.h). Which flows have a record at all is said there.

import BPF
package import CDatapathABI
import DatapathImage
package import NetworkTypes

package struct FlowRecord: Hashable, Sendable {
    package struct Traffic: Hashable, Sendable {
        /// Approximate, since processors do not wait for each other.
        package var packets: UInt64
        /// From the IP header on.
        package var bytes: UInt64

        package init(packets: UInt64 = 0, bytes: UInt64 = 0) {
            self.packets = packets
            self.bytes = bytes
        }
    }

    package enum State: String, CaseIterable, Sendable {
        /// The backend has not answered yet.
        case opening
        case established
        /// Reset, or finished by both sides: kept for what is still under way.
        case closing
    }

    /// How packets get to the backend.
    package enum Way: String, CaseIterable, Sendable {
        /// With the client's address; replies are translated as they leave.
        case translated
        /// With an address of this node as source.
        case masqueraded
        /// In a tunnel, and remembered only because its slot of the table moved (DSR). Replies do not come by here.
        case tunnelled
        /// Another node sends them in a tunnel (DSR).
        case fromTunnel = "from_tunnel"
    }

    package var client: AddressAndPort
    package var frontend: AddressAndPort
    /// IANA number.
    package var protocolNumber: UInt8
    package var backend: AddressAndPort
    /// Whom the backend sees: the client, or an address and port of this node.
    package var peer: AddressAndPort
    package var serviceID: UInt32
    package var way: Way
    package var state: State
    /// CLOCK_MONOTONIC.
    package var created_ns: UInt64
    /// Of either direction.
    package var lastSeen_ns: UInt64
    package var fromClient: Traffic
    package var fromBackend = Traffic()

    /// What the client's record alone says.
    fileprivate init(_ key: dp_flow_key, _ flow: dp_flow) {
        client = AddressAndPort(address: key.source.ipAddress, port: UInt16(bigEndian: key.source_port_be))
        frontend = AddressAndPort(address: key.destination.ipAddress, port: UInt16(bigEndian: key.destination_port_be))
        protocolNumber = key.protocol
        backend = AddressAndPort(address: flow.backend.ipAddress, port: UInt16(bigEndian: flow.backend_port_be))
        peer = AddressAndPort(address: flow.source.ipAddress, port: UInt16(bigEndian: flow.source_port_be))
        serviceID = flow.service_id
        way = Way(flow)
        created_ns = flow.created_ns
        lastSeen_ns = flow.last_seen_ns
        fromClient = Traffic(packets: flow.packets, bytes: flow.bytes)
        state = State(flow, seen: 0, protocolNumber)
    }

    fileprivate mutating func add(_ reply: dp_flow_reply, to flow: dp_flow) {
        lastSeen_ns = max(lastSeen_ns, reply.last_seen_ns)
        fromBackend = Traffic(packets: reply.packets, bytes: reply.bytes)
        state = State(flow, seen: reply.seen, protocolNumber)
    }
}

extension FlowRecord.Way {
    fileprivate init(_ flow: dp_flow) {
        if flow.flags & DP_FLOW_TUNNELLED.rawValue != 0 {
            self = .tunnelled
        } else if flow.flags & DP_FLOW_FROM_TUNNEL.rawValue != 0 {
            self = .fromTunnel
        } else {
            self = flow.flags & DP_FLOW_MASQUERADED.rawValue != 0 ? .masqueraded : .translated
        }
    }
}

extension FlowRecord.State {
    /// As flow_patience_ns and is_closing of bpf/lib/flow.bpf.h. Replies to tunnelled packets are never seen.
    fileprivate init(_ flow: dp_flow, seen: UInt32, _ protocolNumber: UInt8) {
        let isTCP = protocolNumber == TransportProtocol.tcp.rawValue
        let isConnection = isTCP || protocolNumber == TransportProtocol.sctp.rawValue
        let isReset = (flow.flags | seen) & DP_FLOW_RESET.rawValue != 0
        let isFinished = flow.flags & seen & DP_FLOW_FINISHED.rawValue != 0
        if isConnection, isReset || isFinished {
            self = .closing
        } else if seen & DP_FLOW_ANSWERED.rawValue != 0 {
            self = .established
        } else {
            self = isConnection && flow.flags & DP_FLOW_TUNNELLED.rawValue != 0 ? .established : .opening
        }
    }
}

extension DatapathMaps {
    /// Calls `body` with every flow that `isWanted` admits by what its client's record says, in no order, until it returns
    /// false. Flows come and go meanwhile. Cost: a system call for each 4,096 flows, and one for each that is wanted;
    /// memory for one batch.
    package func forEachFlow(
        where isWanted: (FlowRecord) -> Bool = { _ in true }, _ body: (FlowRecord) throws -> Bool
    ) throws {
        try flows.forEachBatch { batch in
            for (key, flow) in batch {
                var record = FlowRecord(key, flow)
                guard isWanted(record) else { continue }
                if record.way != .tunnelled, let reply = try flowReplies.lookup(flow.replyKey(key.protocol)) {
                    record.add(reply, to: flow)
                }
                guard try body(record) else { return false }
            }
            return true
        }
    }
}

extension dp_flow {
    /// The backend's direction.
    package func replyKey(_ protocolNumber: UInt8) -> dp_flow_key {
        var key = dp_flow_key()
        key.source = backend
        key.source_port_be = backend_port_be
        key.destination = source
        key.destination_port_be = source_port_be
        key.protocol = protocolNumber
        return key
    }
}
