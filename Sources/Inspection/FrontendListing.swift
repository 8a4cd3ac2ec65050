// `martlet frontends`: what clients may dial, and what each kind of client gets there.

import CDatapathABI
import DatapathImage
import NetworkTypes
import ServiceModel

package struct FrontendListing: Listing {
    /// One policy's side of a frontend.
    package struct Choice: Codable, Sendable, Hashable {
        /// `forward`, `reject`, `drop`, or `invalid`.
        package var action: String
        /// As `10.0.1.2:8080`, in the order of the set; empty unless the action is forward.
        package var backends: [String]
        /// Slots of the Maglev table; zero when there is none.
        package var tableSlots: UInt32
    }

    package struct Entry: Codable, Sendable, Hashable {
        package var address: String
        /// Zero for a wildcard.
        package var port: UInt16
        /// Null for a wildcard.
        @Nullable package var `protocol`: String?
        package var kind: String
        /// `namespace/name:port`; null for a wildcard, and for an id without a name.
        @Nullable package var service: String?
        package var serviceID: UInt32
        package var flags: [String]
        @Nullable package var sessionAffinitySeconds: UInt32?
        package var `internal`: Choice
        package var external: Choice
        /// `10.96.0.1:80/TCP`, or `10.96.0.1:*` for a wildcard.
        package var identifier: String
    }

    /// In the order of look-ups: by address; within one, exact entries by port and protocol, then the wildcard.
    package let entries: [Entry]

    package init(_ snapshot: DatapathSnapshot) {
        entries = snapshot.frontends.map { Entry($0, in: snapshot) }
    }

    package static let columns: [TextTable.Column] = [
        .init("FRONTEND"), .init("KIND"), .init("SERVICE"), .init("INTERNAL"), .init("EXTERNAL"),
        .init("AFFINITY", .right),
        .init("FLAGS"),
    ]

    package func cells(of entry: Entry) -> [String] {
        [
            entry.identifier, entry.kind, entry.service ?? "", Self.words(entry.internal), Self.words(entry.external),
            entry.sessionAffinitySeconds.map { "\($0)s" } ?? "", entry.flags.joined(separator: ","),
        ]
    }

    package func identifier(of entry: Entry) -> String { entry.identifier }

    private static func words(_ choice: Choice) -> String {
        choice.action == "forward" ? "forward to \(choice.backends.count)" : choice.action
    }
}

extension FrontendListing.Entry {
    package init(_ frontend: DatapathSnapshot.Frontend, in snapshot: DatapathSnapshot) {
        let (key, record) = (frontend.key, frontend.record)
        self.init(
            address: key.address.description, port: key.port,
            protocol: key.isWildcard ? nil : protocolName(key.protocolNumber), kind: record.kindName,
            service: snapshot.services[record.fields.service_id]?.description, serviceID: record.fields.service_id,
            flags: record.flagNames, sessionAffinitySeconds: record.affinitySeconds,
            internal: .init(record.fields.internal, frontend.internalSet, in: snapshot),
            external: .init(record.fields.external, frontend.externalSet, in: snapshot),
            identifier: key.description)
    }
}

extension FrontendListing.Choice {
    fileprivate init(_ choice: dp_choice, _ set: [UInt32], in snapshot: DatapathSnapshot) {
        self.init(
            action: choice.actionName,
            backends: set.map { snapshot.backends[$0]?.address.description ?? "backend id \($0)" },
            tableSlots: choice.table_slots)
    }
}
