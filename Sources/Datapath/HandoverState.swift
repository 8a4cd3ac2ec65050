// How far a handover from or to another proxy is, and the connections that the kernel goes on translating, in the maps
// that the programs look at (bpf/abi/handover.h). Who decides is target Handover.

package import BPF
import CDatapathABI
import DatapathImage
package import Netlink
package import NetworkTypes
import SystemCalls

package struct HandoverState: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// There are records of connections that are left to the kernel.
    package static let holding = HandoverState(rawValue: DP_HANDOVER_HOLDING.rawValue)
    /// Some of them may have no record yet: TCP packets of nobody's are left to the kernel.
    package static let beginning = HandoverState(rawValue: DP_HANDOVER_BEGINNING.rawValue)
    /// Everything new is left to the kernel.
    package static let leaving = HandoverState(rawValue: DP_HANDOVER_LEAVING.rawValue)
    /// The other proxy's rules have been removed once.
    package static let taken = HandoverState(rawValue: DP_HANDOVER_TAKEN.rawValue)
}

extension DatapathMaps {
    package func handoverState() throws(BPFError) -> HandoverState {
        HandoverState(rawValue: try handover.lookup(0)?.flags ?? 0)
    }

    /// The caller holds the lock of handovers.
    package func setHandover(_ state: HandoverState) throws(BPFError) {
        try handover.update(0, dp_handover(flags: state.rawValue, pad: 0))
    }

    /// Has packets of these connections left to the kernel from now on, but not of those that are over, and of flows
    /// that a hook has a record of.
    ///
    /// - Returns: how many of them have a record now.
    /// - Throws: `isFull` when there are too many; some have one then.
    package func leaveToKernel(_ connections: [TranslatedConnection], patience: KernelPatience) throws(BPFError) -> Int
    {
        let now = EventReader.now()
        var keys: [dp_flow_key] = [], values: [dp_kernel_flow] = []
        var count = 0
        for connection in connections where connection.state != .over {
            let key = KernelFlowDirection(of: connection).key
            guard try flows.lookup(key) == nil else { continue }
            count += 1
            keys.append(key)
            values.append(dp_kernel_flow(connection, patience: patience, now: now))
            guard connection.isMasqueraded else { continue }
            keys.append(KernelFlowDirection(repliesOf: connection).key)
            values.append(dp_kernel_flow(expires_ns: 0, patience_s: 0, flags: DP_KERNEL_FLOW_REPLY.rawValue))
        }
        try kernelFlows.update(keys: keys, values: values)
        return count
    }

    /// The directions of connections that have a record at the moment.
    package func kernelFlowDirections() throws(BPFError) -> Set<KernelFlowDirection> {
        var directions: Set<KernelFlowDirection> = []
        try kernelFlows.forEach { (key, flow) throws(BPFError) in
            directions.insert(KernelFlowDirection(key, isReply: flow.flags & DP_KERNEL_FLOW_REPLY.rawValue != 0))
        }
        return directions
    }

    /// Forgets those of `known` that are not, or no longer, among the connections.
    ///
    /// - Returns: how many connections of them are left.
    package func forgetKernelFlows(
        _ known: Set<KernelFlowDirection>, but connections: [TranslatedConnection]
    ) throws(BPFError) -> Int {
        var living: Set<KernelFlowDirection> = []
        for connection in connections where connection.state != .over {
            living.insert(KernelFlowDirection(of: connection))
            if connection.isMasqueraded { living.insert(KernelFlowDirection(repliesOf: connection)) }
        }
        try kernelFlows.delete(keys: known.subtracting(living).map(\.key))
        return known.count { !$0.isReply && living.contains($0) }
    }
}

/// A direction of a connection that is left to the kernel.
package struct KernelFlowDirection: Hashable, Sendable {
    package var source: AddressAndPort
    package var destination: AddressAndPort
    /// IANA number.
    package var protocolNumber: UInt8
    /// The backend's, of a masqueraded connection.
    package var isReply: Bool

    init(of connection: TranslatedConnection) {
        source = connection.client
        destination = connection.dialled
        protocolNumber = connection.protocolKind.rawValue
        isReply = false
    }

    init(repliesOf connection: TranslatedConnection) {
        source = connection.backend
        destination = connection.peer
        protocolNumber = connection.protocolKind.rawValue
        isReply = true
    }

    fileprivate init(_ key: dp_flow_key, isReply: Bool) {
        source = AddressAndPort(address: key.source.ipAddress, port: UInt16(bigEndian: key.source_port_be))
        destination = AddressAndPort(
            address: key.destination.ipAddress, port: UInt16(bigEndian: key.destination_port_be))
        protocolNumber = key.protocol
        self.isReply = isReply
    }

    var key: dp_flow_key {
        dp_flow_key(
            source: dp_address(source.address), destination: dp_address(destination.address),
            source_port_be: source.port.bigEndian, destination_port_be: destination.port.bigEndian,
            protocol: protocolNumber, pad: (0, 0, 0))
    }
}

/// How long the kernel remembers a silent flow without connections, in seconds.
package struct KernelPatience: Hashable, Sendable {
    package var datagram: UInt32 = 30
    package var datagramStream: UInt32 = 120

    /// As the calling thread's network namespace has it; the kernel's defaults where that cannot be read.
    package static func current() -> KernelPatience {
        func setting(_ name: String) -> UInt32? {
            let path = "/proc/sys/net/netfilter/nf_conntrack_udp_\(name)"
            return (try? WholeFile.text(of: path)).flatMap { $0 }.flatMap { UInt32($0.prefix { $0.isNumber }) }
        }
        var patience = KernelPatience()
        if let seconds = setting("timeout") { patience.datagram = seconds }
        if let seconds = setting("timeout_stream") { patience.datagramStream = seconds }
        return patience
    }
}

extension dp_kernel_flow {
    fileprivate init(_ connection: TranslatedConnection, patience: KernelPatience, now: UInt64) {
        var seconds = connection.isAnswered ? patience.datagramStream : patience.datagram
        if connection.protocolKind == .sctp { seconds = max(seconds, connection.secondsLeft) }
        let isOpen = connection.protocolKind == .tcp && connection.state == .open
        self.init(
            expires_ns: now + UInt64(connection.secondsLeft) * 1_000_000_000, patience_s: seconds,
            flags: isOpen ? DP_KERNEL_FLOW_OPEN.rawValue : 0)
    }
}
