// One captured packet with Swift's types: the struct dp_capture of bpf/abi/observe.h, decoded, and the packet's bytes.

import BPF
import CDatapathABI
import DatapathImage
package import NetworkTypes

package struct CapturedPacket: Hashable, Sendable {
    /// What the hook did with it.
    package enum End: String, CaseIterable, Sendable {
        /// On, up or down the stack.
        case passed
        /// Out of a device, or back to its sender.
        case sent
        case dropped
    }

    /// Which of its forms it is.
    package enum Stage: Sendable {
        /// As the hook met it.
        case before
        /// As the hook let it go.
        case after
    }

    /// CLOCK_MONOTONIC, when the hook met it.
    package var timeNanoseconds: UInt64
    /// Nil for what this build does not know.
    package var outcome: Outcome?
    package var outcomeNumber: UInt8
    package var hook: DatapathEvent.Hook?
    package var end: End?
    package var stage: Stage
    /// Index of the hook's device.
    package var interface: UInt32
    /// Zero when no service is concerned.
    package var serviceID: UInt32
    /// Nil when no backend was chosen.
    package var backend: AddressAndPort?
    /// Whether the bytes begin with an Ethernet header; else they begin with the IP header.
    package var hasLinkHeader: Bool
    /// Of the whole frame, however much of it was captured.
    package var frameBytes: Int
    package var bytes: [UInt8]

    init(_ record: dp_capture, _ bytes: [UInt8]) {
        timeNanoseconds = record.time_ns
        outcome = Outcome(rawValue: UInt32(record.outcome))
        outcomeNumber = record.outcome
        hook = DatapathEvent.Hook(record.hook)
        end = End(record.end)
        stage = UInt32(record.stage) == DP_CAPTURE_AFTER.rawValue ? .after : .before
        interface = record.interface
        serviceID = record.service_id
        let address = AddressAndPort(
            address: record.backend.ipAddress, port: UInt16(bigEndian: record.backend_port_be))
        backend = address.port == 0 ? nil : address
        hasLinkHeader = record.link_header_bytes != 0
        frameBytes = Int(record.frame_bytes)
        // The ring rounds records up to 8 bytes.
        self.bytes = Array(bytes.prefix(Int(record.captured_bytes)))
    }
}

extension CapturedPacket.End {
    fileprivate init?(_ number: UInt8) {
        switch UInt32(number) {
        case DP_CAPTURE_PASSED.rawValue: self = .passed
        case DP_CAPTURE_SENT.rawValue: self = .sent
        case DP_CAPTURE_DROPPED.rawValue: self = .dropped
        case _: return nil
        }
    }
}
