// A transaction as text, phase by phase, with ids and words as they are: what is written where, and in which order.

import CDatapathABI
import NetworkTypes
import ServiceModel

extension Transaction: CustomStringConvertible {
    /// One line for each write; the number in front is the phase. The empty transaction is the empty text.
    package var description: String {
        (phase1 + phase2 + phase3 + phase4).map { $0 + "\n" }.joined()
    }

    private var phase1: [String] {
        var lines: [String] = []
        slots.forEach { word, words in
            lines.append("1 slots \(word)..<\(word + UInt32(words.count)): \(Self.describe(words))")
        }
        lines += backends.map { write in
            write.record.isFree
                ? "1 backend \(write.id) free"
                : "1 backend \(write.id) = \(write.record.address)/\(Self.name(write.record.fields.protocol))"
                    + " weight \(write.record.fields.weight)"
        }
        lines += services.map { write in
            "1 service \(write.id) = " + (write.record.name.map { "\($0)/\($0.protocolKind)" } ?? "unreadable name")
        }
        lines += sourceRanges.map { "1 source range \(Self.describe($0.key)) = \($0.admission)" }
        return lines
    }

    private var phase2: [String] {
        frontends.map { "2 frontend \($0.key) = \($0.record.words)" }
            + nodePorts.map { "2 node port \(Self.describe($0))" }
            + serviceCIDRs.map { "2 service CIDR \($0.range.map(\.description) ?? "?")" }
    }

    private var phase3: [String] {
        removedFrontends.map { "3 remove frontend \($0.key)" }
            + removedNodePorts.map { "3 remove node port \(Self.describe($0))" }
            + removedServiceCIDRs.map { "3 remove service CIDR \($0.range.map(\.description) ?? "?")" }
            + removedSourceRanges.map { "3 remove source range \(Self.describe($0))" }
            + removedServices.map { "3 remove service \($0)" }
    }

    private var phase4: [String] {
        quarantined.slotRanges.map { "4 quarantine slots \($0)" }
            + quarantined.backendIDs.map { "4 quarantine backend \($0)" }
            + quarantined.serviceIDs.map { "4 quarantine service \($0)" }
            + staleSockets.map { stale in
                let lost = stale.lost.isEmpty ? "" : ", lost \(Self.list(stale.lost))"
                return "4 stale sockets of service \(stale.serviceID) \(stale.protocolKind) \(stale.family)"
                    + ": serving \(Self.list(stale.serving))\(lost)"
            }
            + lostAffinity.map { "4 forget affinity of service \($0.serviceID): backends \(Self.list($0.backendIDs))" }
    }

    /// Short runs word by word; long ones, choice tables, by a digest that is the same in every run.
    private static func describe(_ words: ArraySlice<UInt64>) -> String {
        guard words.count > 8 else { return words.map { String($0, radix: 16) }.joined(separator: " ") }
        let digest = words.reduce(UInt64(14_695_981_039_346_656_037)) { ($0 ^ $1) &* 1_099_511_628_211 }
        return "digest \(String(digest, radix: 16))"
    }

    private static func describe(_ key: SourceRangeKey) -> String {
        "\(key.range.map(\.description) ?? "?") of service \(key.serviceID)"
    }

    private static func describe(_ key: NodePortKey) -> String {
        "\(key.port)/\(name(key.protocolNumber)) \(key.family.map(\.description) ?? "of no family")"
    }

    private static func name(_ number: UInt8) -> String {
        TransportProtocol(rawValue: number).map(\.description) ?? "\(number)"
    }

    private static func list(_ elements: some Sequence<some CustomStringConvertible>) -> String {
        elements.map(\.description).joined(separator: " ")
    }
}

extension FrontendRecord {
    fileprivate var words: String {
        let service = fields.service_id == 0 ? [] : ["service \(fields.service_id)"]
        let affinity = fields.affinity_timeout_s == 0 ? [] : ["affinity \(fields.affinity_timeout_s)s"]
        let head = [kindText] + service + affinity + flagTexts
        let (inside, outside) = (fields.internal.words, fields.external.words)
        let choices = inside == outside ? inside : "internal \(inside), external \(outside)"
        return head.joined(separator: " ") + ": " + choices
    }
}

extension dp_choice {
    fileprivate var words: String {
        guard set_count > 0 else { return actionText }
        let table = table_slots == 0 ? "" : " table \(table_word) of \(table_slots) x \(table_width)"
        return "\(actionText) set \(set_word) of \(set_count)\(table)"
    }
}
