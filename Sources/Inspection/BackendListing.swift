// `martlet backends`: the addresses that traffic is sent to, and the service ports whose sets name them.

import CDatapathABI
import DatapathImage
import NetworkTypes
import ServiceModel

package struct BackendListing: Listing {
    package struct Entry: Codable, Sendable, Hashable {
        package var id: UInt32
        package var address: String
        package var port: UInt16
        package var `protocol`: String
        package var weight: UInt32
        /// As `namespace/name:port`, in that order; empty for a backend that waits to be reused.
        package var services: [String]

        /// `10.0.1.2:8080/TCP`, IPv6 in brackets.
        package var identifier: String
    }

    /// By address, port and protocol.
    package let entries: [Entry]

    package init(_ snapshot: DatapathSnapshot) {
        var users: [UInt32: Set<UInt32>] = [:]
        for frontend in snapshot.frontends {
            for id in frontend.internalSet + frontend.externalSet {
                users[id, default: []].insert(frontend.record.fields.service_id)
            }
        }
        let sorted = snapshot.backends.sorted { left, right in
            let (a, b) = (left.value, right.value)
            return (a.address, a.fields.protocol, left.key) < (b.address, b.fields.protocol, right.key)
        }
        entries = sorted.map { id, record in
            let names = Set((users[id] ?? []).map { snapshot.services[$0]?.description ?? "service id \($0)" })
            return Entry(id: id, record: record, services: names.sorted())
        }
    }

    package static let columns: [TextTable.Column] = [
        .init("BACKEND"), .init("PROTOCOL"), .init("ID", .right), .init("WEIGHT", .right), .init("SERVICES"),
    ]

    package func cells(of entry: Entry) -> [String] {
        [
            String(entry.identifier.prefix { $0 != "/" }), entry.protocol, "\(entry.id)", "\(entry.weight)",
            entry.services.count > 3
                ? entry.services.prefix(3).joined(separator: ",") + ",+\(entry.services.count - 3)"
                : entry.services.joined(separator: ","),
        ]
    }

    package func identifier(of entry: Entry) -> String { entry.identifier }
}

extension BackendListing.Entry {
    fileprivate init(id: UInt32, record: BackendRecord, services: [String]) {
        let name = protocolName(record.fields.protocol)
        self.init(
            id: id, address: record.address.address.description, port: record.address.port, protocol: name,
            weight: record.fields.weight, services: services, identifier: "\(record.address)/\(name)")
    }
}
