// Flows as the agent looks after them: which DSR flows have to be tracked on. Whose a flow is without its record is what
// bpf/lib/serve.bpf.h says; here it is asked again, with the same arithmetic.

import BPF
import CDatapathABI
package import DatapathImage
import NetworkTypes
package import Reconciler

extension Datapath {
    package func frontendsWithMovedFlows(
        _ changing: [FrontendKey: FrontendRecord]
    ) throws(StoreError) -> Set<FrontendKey> {
        do {
            var moved: Set<FrontendKey> = []
            let slots = try MappedArray<UInt64>(maps.slots, access: .readOnly)
            try maps.flows.forEach { (flow, record) throws(BPFError) in
                let key = FrontendKey(
                    dp_frontend_key(
                        address: flow.destination, port_be: flow.destination_port_be, protocol: flow.protocol, pad: 0))
                guard let (key, frontend) = Self.changed(key, among: changing), !moved.contains(key) else { return }
                let isTunnelled = record.flags & DP_FLOW_TUNNELLED.rawValue != 0
                // A record of the other way of forwarding is needed for as long as it lasts.
                guard isTunnelled == frontend.isDSR, isTunnelled else {
                    if isTunnelled != frontend.isDSR { moved.insert(key) }
                    return
                }
                let owner = frontend.fields.external.member(FlowHash(flow, of: frontend).bits, slots)
                if owner != record.backend_id { moved.insert(key) }
            }
            return moved
        } catch {
            throw StoreError(.flows, .read, error)
        }
    }

    /// The frontend that was dialled, or what is left of it.
    private static func changed(
        _ key: FrontendKey, among changing: [FrontendKey: FrontendRecord]
    ) -> (FrontendKey, FrontendRecord)? {
        if let frontend = changing[key] { return (key, frontend) }
        return key.left.flatMap { left in changing[left].map { (left, $0) } }
    }
}

extension Datapath {
    /// Forgets the datagram flows of these services to addresses that no longer serve, so that their clients' next
    /// datagrams are sent to others (CT-2, CT-3). TCP flows go on to where they are (BAL-3). Cost: that of reading every
    /// flow.
    func removeStaleFlows(_ stale: [StaleSockets]) throws(StoreError) {
        let services = stale.filter { $0.protocolKind == .udp }
        guard !services.isEmpty else { return }
        let serving = Dictionary(services.map { (FlowOwner($0.serviceID, $0.family), Set($0.serving)) }) { $1 }
        do {
            var gone: [(dp_flow_key, dp_flow)] = []
            try maps.flows.forEach { (key, flow) throws(BPFError) in
                guard key.protocol == TransportProtocol.udp.rawValue else { return }
                let owner = FlowOwner(flow.service_id, flow.backend.ipAddress.family)
                let backend = AddressAndPort(
                    address: flow.backend.ipAddress, port: UInt16(bigEndian: flow.backend_port_be))
                if let addresses = serving[owner], !addresses.contains(backend) { gone.append((key, flow)) }
            }
            for (key, flow) in gone {
                _ = try maps.flows.delete(key)
                _ = try maps.flowReplies.delete(flow.replyKey(protocol: key.protocol))
            }
        } catch {
            throw StoreError(.flows, .delete, error)
        }
    }
}

extension Datapath {
    /// Removes flows that have no timer of the kernel's and have been silent for longer than their protocol allows.
    /// Cost: that of reading every flow, and nothing while every flow has had a timer.
    package func removeSilentFlows() throws(DatapathError) -> Int {
        try kernel { () throws(BPFError) in
            guard try maps.count(of: .flowUntimed) > 0 else { return 0 }
            let now = EventReader.now()
            var gone: [(dp_flow_key, dp_flow)] = []
            try maps.flows.forEach { (key, flow) throws(BPFError) in
                guard flow.flags & DP_FLOW_UNTIMED.rawValue != 0 else { return }
                let reply = try maps.flowReplies.lookup(flow.replyKey(protocol: key.protocol))
                let last = max(flow.last_seen_ns, reply?.last_seen_ns ?? 0)
                let patience = settings.packets.timeouts.patience(
                    protocol: key.protocol, seen: flow.flags | (reply?.seen ?? 0))
                if now > last, now - last > UInt64(patience) * 1_000_000_000 { gone.append((key, flow)) }
            }
            for (key, flow) in gone {
                _ = try maps.flows.delete(key)
                _ = try maps.flowReplies.delete(flow.replyKey(protocol: key.protocol))
            }
            return gone.count
        }
    }
}

extension FlowTimeouts {
    /// Seconds. Without the kernel's timer a flow may stay longer than it has to, and never less.
    fileprivate func patience(protocol protocolNumber: UInt8, seen: UInt32) -> UInt32 {
        guard protocolNumber != TransportProtocol.udp.rawValue else { return max(datagram, datagramStream) }
        return seen & DP_FLOW_RESET.rawValue != 0 ? tcpClosing : tcpEstablished
    }
}

/// Whose flows, in which family.
private struct FlowOwner: Hashable {
    var serviceID: UInt32
    var family: AddressFamily

    init(_ serviceID: UInt32, _ family: AddressFamily) {
        self.serviceID = serviceID
        self.family = family
    }
}

extension dp_flow {
    /// The key under which the backend's direction finds it.
    fileprivate func replyKey(protocol protocolNumber: UInt8) -> dp_flow_key {
        dp_flow_key(
            source: backend, destination: source, source_port_be: backend_port_be, destination_port_be: source_port_be,
            protocol: protocolNumber, pad: (0, 0, 0))
    }
}

/// The hash by which a client's flow finds its slot: client_hash_input() and mix() of bpf/lib.
struct FlowHash {
    let bits: UInt32

    init(_ flow: dp_flow_key, of frontend: FrontendRecord) {
        let (a, b, c, d) = flow.source.words_be
        var input = (UInt64(a) << 32 | UInt64(b)) &* 0x9e37_79b9_7f4a_7c15
        input ^= (UInt64(c) << 32 | UInt64(d)) &* 0xd6e8_feb8_6659_fd93
        if frontend.fields.affinity_timeout_s == 0 { input ^= UInt64(flow.source_port_be) &* 0xff51_afd7_ed55_8ccd }
        bits = Self.mix(input)
    }

    private static func mix(_ value: UInt64) -> UInt32 {
        var value = value
        value ^= value >> 33
        value &*= 0xff51_afd7_ed55_8ccd
        value ^= value >> 33
        value &*= 0xc4ce_b9fe_1a85_ec53
        value ^= value >> 33
        return UInt32(truncatingIfNeeded: value >> 32)
    }
}

extension dp_choice {
    /// The backend id in the slot of a hash; zero for none.
    fileprivate func member(_ hash: UInt32, _ slots: borrowing MappedArray<UInt64>) -> UInt32 {
        guard isForward, set_count > 0 else { return 0 }
        func scaled(_ count: UInt32) -> UInt32 { UInt32(UInt64(hash) * UInt64(count) >> 32) }
        var position = scaled(set_count)
        if table_slots > 0 {
            let byte = Int(scaled(table_slots)) * Int(table_width)
            let word = Int(table_word) + byte / 8
            guard word < slots.count else { return 0 }
            let mask = UInt32.max >> (32 - 8 * UInt32(table_width))
            position = UInt32(truncatingIfNeeded: slots.read(word) >> UInt64(byte % 8 * 8)) & mask
        }
        let word = Int(set_word) + Int(position / 2)
        guard position < set_count, word < slots.count else { return 0 }
        return UInt32(truncatingIfNeeded: slots.read(word) >> UInt64(position % 2 * 32))
    }
}
