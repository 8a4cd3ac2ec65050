// One event as `martlet monitor` shows it: with the time of day, names instead of numbers, and as a line or as JSON.

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
    /// `connect`, `sendmsg` or `bind`.
    package var hook: String
    package var process: Process
    package var `protocol`: String
    /// What was dialled: `10.96.0.1:80`.
    package var frontend: String
    /// Null when none was chosen.
    @Nullable package var backend: String?
    /// `namespace/name:port`; null when no service is concerned, or its name is gone.
    @Nullable package var service: String?
    package var serviceID: UInt32
    package var socketCookie: UInt64
    package var networkNamespaceCookie: UInt64

    package init(_ event: DatapathEvent, service: String?, at date: Date) {
        time = date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        outcome = event.outcome?.name ?? "outcome \(event.outcomeNumber)"
        reason = event.outcome?.reason ?? "unknown to this build"
        hook = event.hook?.rawValue ?? "unknown"
        process = Process(id: event.processID, command: event.command)
        `protocol` = protocolName(event.protocolNumber)
        frontend = event.frontend.description
        _backend = Nullable(wrappedValue: event.backend?.description)
        _service = Nullable(wrappedValue: service)
        serviceID = event.serviceID
        socketCookie = event.socketCookie
        networkNamespaceCookie = event.namespaceCookie
    }

    /// One line without its end: time, outcome, hook, process, protocol, frontend, backend, service.
    package var line: String {
        let dialled = backend.map { "\(frontend) -> \($0)" } ?? frontend
        return "\(time) \(outcome)/\(hook) \(process.command)[\(process.id)] \(`protocol`) \(dialled) \(service ?? "-")"
    }
}
