// `martlet services`: the service ports that are programmed, with what leads to them, what serves them, and what they
// have seen. Names stay in their map for the grace period after their last frontend: those are not programmed any more.

import CDatapathABI
import Datapath
import DatapathImage
import NetworkTypes
import ServiceModel

package struct ServiceListing: Listing {
    package struct Entry: Codable, Sendable, Hashable {
        package var namespace: String
        package var service: String
        /// Empty for an unnamed port.
        package var portName: String
        package var `protocol`: String
        package var id: UInt32
        /// As `10.96.0.1:80/TCP`, in the order of look-ups; wildcards are left out.
        package var frontends: [String]
        /// Distinct backends that this node's own clients may get, over all frontends.
        package var internalBackends: Int
        /// Distinct backends that everybody else may get.
        package var externalBackends: Int
        @Nullable package var sessionAffinitySeconds: UInt32?
        /// `random` or `maglev`.
        package var algorithm: String
        package var connections: UInt64
        package var refused: UInt64
        /// Of clients, as the packet hooks saw them; traffic that a socket hook has sent elsewhere is not among them.
        package var packets: UInt64
        /// From the IP header on.
        package var bytes: UInt64

        package var identifier: String {
            portName.isEmpty ? "\(namespace)/\(service)" : "\(namespace)/\(service):\(portName)"
        }
    }

    /// By namespace, name, port name and protocol.
    package let entries: [Entry]

    package init(_ snapshot: DatapathSnapshot) {
        var frontends: [UInt32: [DatapathSnapshot.Frontend]] = [:]
        for frontend in snapshot.frontends where !frontend.key.isWildcard {
            frontends[frontend.record.fields.service_id, default: []].append(frontend)
        }
        entries = snapshot.services.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.compactMap { id, name in
            guard let own = frontends[id], let first = own.first else { return nil }
            return Entry(
                id: id, name: name, frontends: own, algorithm: first.record.algorithmName,
                counters: snapshot.counters[id] ?? ServiceCounters())
        }
    }

    package static let columns: [TextTable.Column] = [
        .init("SERVICE"), .init("PROTOCOL"), .init("ID", .right), .init("FRONTENDS"), .init("INTERNAL", .right),
        .init("EXTERNAL", .right), .init("AFFINITY", .right), .init("ALGORITHM"), .init("CONNECTIONS", .right),
        .init("REFUSED", .right), .init("PACKETS", .right), .init("BYTES", .right),
    ]

    package func cells(of entry: Entry) -> [String] {
        [
            entry.identifier, entry.protocol, "\(entry.id)", Self.shortened(entry.frontends),
            "\(entry.internalBackends)", "\(entry.externalBackends)",
            entry.sessionAffinitySeconds.map { "\($0)s" } ?? "", entry.algorithm, "\(entry.connections)",
            "\(entry.refused)", "\(entry.packets)", "\(entry.bytes)",
        ]
    }

    package func identifier(of entry: Entry) -> String { entry.identifier }

    /// The first two, and how many more there are. The protocol has a column of its own.
    private static func shortened(_ frontends: [String]) -> String {
        let shown = frontends.prefix(2).map { String($0.prefix { $0 != "/" }) }.joined(separator: ",")
        return frontends.count > 2 ? "\(shown),+\(frontends.count - 2)" : shown
    }
}

extension ServiceListing.Entry {
    fileprivate init(
        id: UInt32, name: ServicePortName, frontends: [DatapathSnapshot.Frontend], algorithm: String,
        counters: ServiceCounters
    ) {
        self.init(
            namespace: name.service.namespace, service: name.service.name, portName: name.portName,
            protocol: name.protocolKind.description, id: id, frontends: frontends.map(\.key.description),
            internalBackends: Set(frontends.flatMap(\.internalSet)).count,
            externalBackends: Set(frontends.flatMap(\.externalSet)).count,
            sessionAffinitySeconds: frontends.lazy.compactMap(\.record.affinitySeconds).first,
            algorithm: algorithm, connections: counters.connections,
            refused: counters.refused, packets: counters.packets, bytes: counters.bytes)
    }
}
