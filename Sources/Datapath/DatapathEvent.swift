// One event of the datapath with Swift's types: the struct dp_event of bpf/abi/observe.h, decoded. Words and times for
// people are made from it elsewhere.

import BPF
import CDatapathABI
import DatapathImage
package import NetworkTypes

package struct DatapathEvent: Hashable, Sendable {
    /// Which kind of call it was.
    package enum Hook: String, CaseIterable, Sendable {
        case connect
        case sendmsg
        case bind
        case xdp
        case tcIngress = "tc_ingress"
        case tcEgress = "tc_egress"
    }

    /// CLOCK_MONOTONIC.
    package var timeNanoseconds: UInt64
    /// Nil for an outcome that this build does not know.
    package var outcome: Outcome?
    package var outcomeNumber: UInt8
    /// Nil for a hook that this build does not know.
    package var hook: Hook?
    /// Who sent the packet; nil for a call.
    package var client: AddressAndPort?
    /// Index of the device that the packet came in by or went out of; zero for a call.
    package var interface: UInt32
    /// Thread group id in the initial pid namespace.
    package var processID: UInt32
    /// Name of the task, at most 15 bytes.
    package var command: String
    /// IANA number.
    package var protocolNumber: UInt8
    /// What was dialled, or bound to.
    package var frontend: AddressAndPort
    /// Nil when no backend was chosen.
    package var backend: AddressAndPort?
    /// Zero when no service is concerned.
    package var serviceID: UInt32
    package var socketCookie: UInt64
    package var namespaceCookie: UInt64

    init(_ record: dp_event) {
        timeNanoseconds = record.time_ns
        outcome = Outcome(rawValue: UInt32(record.outcome))
        outcomeNumber = record.outcome
        hook = Hook(record.hook)
        let source = AddressAndPort(
            address: record.client.ipAddress, port: UInt16(bigEndian: record.client_port_be))
        client = record.interface == 0 ? nil : source
        interface = record.interface
        processID = record.process_id
        command = kernelName(record.command)
        protocolNumber = record.protocol
        frontend = AddressAndPort(
            address: record.frontend.ipAddress, port: UInt16(bigEndian: record.frontend_port_be))
        let address = AddressAndPort(
            address: record.backend.ipAddress, port: UInt16(bigEndian: record.backend_port_be))
        backend = address.port == 0 ? nil : address
        serviceID = record.service_id
        socketCookie = record.socket_cookie
        namespaceCookie = record.netns_cookie
    }
}

extension DatapathEvent.Hook {
    init?(_ number: UInt8) {
        switch UInt32(number) {
        case DP_HOOK_CONNECT.rawValue: self = .connect
        case DP_HOOK_SENDMSG.rawValue: self = .sendmsg
        case DP_HOOK_BIND.rawValue: self = .bind
        case DP_HOOK_XDP.rawValue: self = .xdp
        case DP_HOOK_TC_INGRESS.rawValue: self = .tcIngress
        case DP_HOOK_TC_EGRESS.rawValue: self = .tcEgress
        case _: return nil
        }
    }
}
