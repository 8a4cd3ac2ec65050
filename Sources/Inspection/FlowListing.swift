// `martlet flows`: a list that may have a million rows, so it is read, filtered and written a part at a time, in the order
// in which the kernel's hash has it. Everything else is as with other lists.

import BPF
package import Datapath
import DatapathImage
import ServiceModel

package struct FlowListing: Sendable {
    package enum Form: Sendable {
        case table
        case json
        case identifiers
    }

    package var filter: FlowFilter
    /// At most so many; nil: all.
    package var limit: Int?
    /// Rows that are formatted together: a column of the table is as wide as those of the first part need.
    private let part: Int

    package init(filter: FlowFilter = FlowFilter(), limit: Int? = nil, part: Int = 1024) {
        self.filter = filter
        self.limit = limit
        self.part = part
    }

    /// Reads the flows once and hands their text out, part by part. Cost: memory for some thousand flows.
    ///
    /// - Parameter now_ns: of CLOCK_MONOTONIC, what ages count from.
    package func show(
        _ maps: borrowing DatapathMaps, as form: Form, now_ns: UInt64 = EventReader.now(),
        _ write: (String) throws -> Void
    ) throws {
        var names: [UInt32: ServicePortName] = [:]
        for (id, record) in try maps.services.entries() { names[id] = record.name }
        var writer = FlowWriter(form: form)
        var entries: [FlowEntry] = []
        var room = limit ?? .max
        if room > 0 {
            try maps.forEachFlow(where: { filter.admits($0, service: names[$0.serviceID]) }) { record in
                entries.append(FlowEntry(record, service: names[record.serviceID], now_ns: now_ns))
                room -= 1
                if entries.count >= part {
                    try write(try writer.text(of: entries))
                    entries = []
                }
                return room > 0
            }
        }
        if !entries.isEmpty { try write(try writer.text(of: entries)) }
        let end = writer.end
        if !end.isEmpty { try write(end) }
    }
}

/// Formats entries that come in parts as one whole.
private struct FlowWriter {
    let form: FlowListing.Form
    private var table = TextTableParts(columns: [
        .init("PROTOCOL"), .init("CLIENT"), .init("FRONTEND"), .init("BACKEND"), .init("PEER"), .init("SERVICE"),
        .init("STATE"), .init("WAY"), .init("AGE", .right), .init("IDLE", .right), .init("PACKETS", .right),
        .init("BYTES", .right), .init("REPLIES", .right), .init("BYTES", .right),
    ])
    private var isBegun = false

    init(form: FlowListing.Form) {
        self.form = form
    }

    mutating func text(of entries: [FlowEntry]) throws -> String {
        defer { isBegun = true }
        switch form {
        case .table: return table.text(of: entries.map(Self.cells))
        case .identifiers: return entries.map { "\($0.client) \($0.frontend)/\($0.protocol)\n" }.joined()
        case .json: return (isBegun ? ",\n" : "[\n") + (try JSONText.encodeElements(entries))
        }
    }

    /// What closes the whole.
    var end: String {
        switch form {
        case .table, .identifiers: ""
        case .json: isBegun ? "\n]\n" : "[\n\n]\n"
        }
    }

    private static func cells(_ entry: FlowEntry) -> [String] {
        [
            entry.protocol, entry.client, entry.frontend, entry.backend, entry.peer == entry.client ? "" : entry.peer,
            entry.service ?? "id \(entry.serviceID)", entry.state, entry.way, "\(entry.ageSeconds)s",
            "\(entry.idleSeconds)s", "\(entry.fromClient.packets)", "\(entry.fromClient.bytes)",
            "\(entry.fromBackend.packets)", "\(entry.fromBackend.bytes)",
        ]
    }
}
