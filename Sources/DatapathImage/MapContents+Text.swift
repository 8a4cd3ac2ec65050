// The maps as text: what every frontend does, in words that do not depend on which ids and which space were given to
// whom. For goldens, and for comparing two ways to the same state.

import CDatapathABI
import NetworkTypes
import ServiceModel

extension MapContents: CustomStringConvertible {
    /// Sorted; a section without entries is left out, so that empty maps give the empty text.
    package var description: String {
        let sections: [(title: String, lines: [String])] = [
            ("frontends", frontends.keys.sorted().map { text(of: $0) }),
            ("backends", backends.filter { !$0.isFree }.map(Self.describe).sorted()),
            ("services", services.values.map(Self.describe).sorted()),
            ("node ports", nodePorts.sorted(by: <).map(Self.describe)),
            ("service CIDRs", serviceCIDRs.compactMap(\.range).map(\.description).sorted()),
            ("source ranges", sourceRanges.map { describe($0.key, $0.value) }.sorted()),
        ]
        return sections.filter { !$0.lines.isEmpty }
            .map { section in "\(section.title)\n" + section.lines.map { "  \($0)\n" }.joined() }.joined()
    }

    /// What the frontend does: its section of `description`.
    package func text(of key: FrontendKey) -> String {
        guard let record = frontends[key] else { return "\(key)" }
        var words = ["\(key)", record.kindText]
        if record.fields.service_id != 0 {
            words.append(services[record.fields.service_id].map(Self.describe) ?? "unnamed service")
        }
        if record.fields.affinity_timeout_s > 0 { words.append("affinity \(record.fields.affinity_timeout_s)s") }
        words += record.flagTexts
        let inside = describe(record.fields.internal)
        let outside = describe(record.fields.external)
        let choices = inside == outside ? "    \(inside)" : "    internal \(inside)\n    external \(outside)"
        return words.joined(separator: " ") + "\n" + choices
    }

    private func describe(_ choice: dp_choice) -> String {
        guard dp_action(UInt32(choice.action)) == DP_ACTION_FORWARD else { return choice.actionText }
        guard choice.setRange.upperBound <= slots.count else { return "forward, outside of the arena" }
        let ids = SlotPacking.ids(ofSet: slots[choice.setRange], count: Int(choice.set_count))
        let members = ids.map { id in
            Int(id) < backends.count && !backends[Int(id)].isFree ? "\(backends[Int(id)].address)" : "nobody"
        }
        let table = choice.table_slots == 0 ? "" : ", \(choice.table_slots) slots of \(choice.table_width)"
        return "forward to \(members.joined(separator: " "))\(table)"
    }

    private func describe(_ key: SourceRangeKey, _ admission: SourceAdmission) -> String {
        let owner = services[key.serviceID].map(Self.describe) ?? "unnamed service"
        return "\(owner) \(key.range.map(\.description) ?? "?") \(admission)"
    }

    private static func describe(_ record: BackendRecord) -> String {
        let name = TransportProtocol(rawValue: record.fields.protocol).map(\.description) ?? "?"
        return "\(record.address)/\(name) weight \(record.fields.weight)"
    }

    private static func describe(_ record: ServiceRecord) -> String {
        record.name.map { "\($0)/\($0.protocolKind)" } ?? "unreadable name"
    }

    private static func describe(_ key: NodePortKey) -> String {
        "\(key.port)/" + (TransportProtocol(rawValue: key.protocolNumber).map(\.description) ?? "?") + " "
            + (key.family.map(\.description) ?? "of no family")
    }
}

extension FrontendRecord {
    var kindText: String {
        switch kind {
        case DP_FRONTEND_CLUSTER_IP: "ClusterIP"
        case DP_FRONTEND_NODE_PORT: "NodePort"
        case DP_FRONTEND_EXTERNAL_IP: "ExternalIP"
        case DP_FRONTEND_LOAD_BALANCER: "LoadBalancer"
        case DP_FRONTEND_WILDCARD: "wildcard"
        default: "kind \(fields.kind)"
        }
    }

    var flagTexts: [String] {
        let names: [(flag: dp_frontend_flags, text: String)] = [
            (DP_FRONTEND_MAGLEV, "maglev"), (DP_FRONTEND_HOST_ONLY, "host-only"), (DP_FRONTEND_DENY_HOST, "deny-host"),
            (DP_FRONTEND_DENY_PODS, "deny-pods"), (DP_FRONTEND_SOURCE_RANGES, "source-ranges"),
            (DP_FRONTEND_OUTSIDE_ONLY, "outside-only"),
        ]
        return names.filter { UInt32(fields.flags) & $0.flag.rawValue != 0 }.map(\.text)
    }
}

extension dp_choice {
    var actionText: String {
        switch dp_action(UInt32(action)) {
        case DP_ACTION_FORWARD: "forward"
        case DP_ACTION_REJECT: "reject"
        case DP_ACTION_DROP: "drop"
        default: "action \(action)"
        }
    }
}
