// One event as `martlet monitor` shows it, of a call or of a packet: with the time of day, names instead of numbers, and
// as a line or as JSON.

package import Datapath
package import FoundationEssentials
import NetworkTypes

package struct EventRecord: Codable, Hashable, Sendable {
    package struct Process: Codable, Hashable, Sendable {
        /// In the initial pid namespace.
        package var id: UInt32
        package var command: String
    }

    /// UTC, ISO 8601 with milliseconds.
    package var time: String
    /// A name of `Outcome`; the number when it is unknown.
    package var outcome: String
    package var reason: String
    /// `connect`, `sendmsg` or `bind`; `xdp`, `tc_ingress` or `tc_egress` for a packet.
    package var hook: String
    /// Who called; null for a packet.
    @Nullable package var process: Process?
    /// Who sent the packet: `192.0.2.7:40000`; for a reply that is the backend. Null for a call.
    @Nullable package var client: String?
    /// The device that the packet came in by, or goes out of. Null for a call.
    @Nullable package var interface: UInt32?
    /// Its name; null as well when it is gone, or of another network namespace than this process's.
    @Nullable package var device: String?
    package var `protocol`: String
    /// What was dialled: `10.96.0.1:80`. Of a packet its destination.
    package var frontend: String
    /// Null when none was chosen.
    @Nullable package var backend: String?
    /// `namespace/name:port`; null when no service is concerned, or its name is gone.
    @Nullable package var service: String?
    package var serviceID: UInt32
    package var socketCookie: UInt64
    package var networkNamespaceCookie: UInt64

    package init(_ event: DatapathEvent, service: String?, device: String? = nil, at date: Date) {
        time = date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        outcome = event.outcome?.name ?? "outcome \(event.outcomeNumber)"
        reason = event.outcome?.reason ?? "unknown to this build"
        hook = event.hook?.rawValue ?? "unknown"
        let isCall = event.interface == 0
        _process = Nullable(wrappedValue: isCall ? Process(id: event.processID, command: event.command) : nil)
        _client = Nullable(wrappedValue: event.client?.description)
        _interface = Nullable(wrappedValue: isCall ? nil : event.interface)
        _device = Nullable(wrappedValue: device)
        `protocol` = protocolName(event.protocolNumber)
        frontend = event.frontend.description
        _backend = Nullable(wrappedValue: event.backend?.description)
        _service = Nullable(wrappedValue: service)
        serviceID = event.serviceID
        socketCookie = event.socketCookie
        networkNamespaceCookie = event.namespaceCookie
    }

    /// One line without its end: time, outcome, hook, process or device, protocol, client of a packet, frontend, backend,
    /// service.
    package var line: String {
        let way = [client, frontend, backend].compactMap(\.self).joined(separator: " -> ")
        return "\(time) \(outcome)/\(hook) \(place) \(`protocol`) \(way) \(service ?? "-")"
    }

    private var place: String {
        if let process { return "\(process.command)[\(process.id)]" }
        return device ?? interface.map { "device \($0)" } ?? "-"
    }
}
