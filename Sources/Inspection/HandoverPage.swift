// What `martlet takeover` and `martlet retreat` have done, as JSON and as text.

package import Handover
import Netlink

package struct HandoverPage: Codable, Hashable, Sendable {
    /// As `ip kube-proxy`.
    package var removedTables: [String]
    /// As `ip nat KUBE-SERVICES`.
    package var removedChains: [String]
    /// Rules in chains of others.
    package var removedRules: Int
    /// Chains that stay, since somebody else's rules lead to them, or connections need them.
    package var keptChains: [String]
    /// Connections that the kernel goes on translating.
    package var connections: Int
    /// Of iptables-legacy, as `ip nat`: not looked at.
    package var legacyTables: [String]

    package init(_ report: TakeoverReport) {
        removedTables = report.removed.tables.map(\.description)
        removedChains = report.removed.chains.map(\.description)
        removedRules = report.removed.jumps.count
        keptChains = report.removed.kept.map(\.description)
        connections = report.held
        legacyTables = report.legacyTables
    }

    package var text: String {
        var lines = removedTables.map { "removed nftables table \($0)" }
        if !removedChains.isEmpty {
            lines.append(
                "removed \(removedChains.count) chains of kube-proxy's and \(removedRules) rules leading to them")
        }
        if lines.isEmpty { lines.append("nothing to remove: there are no rules of kube-proxy's") }
        lines += keptChains.map { "kept chain \($0), which is in use" }
        lines.append("\(connections) connections are left to the kernel until they end")
        lines += legacyTables.map {
            "not looked at: table \($0) of iptables-legacy; if kube-proxy's chains are in it, 'kube-proxy --cleanup' removes them"
        }
        return lines.map { $0 + "\n" }.joined()
    }
}

package struct RetreatPage: Codable, Hashable, Sendable {
    /// Flows of packets that go on by the hooks.
    package var flows: Int
    /// Those of them whose masquerading address and port the kernel will give to nobody else.
    package var reserved: Int

    package init(_ report: RetreatReport) {
        flows = report.flows
        reserved = report.reserved
    }

    package var text: String {
        """
        new connections are kube-proxy's
        \(flows) flows go on by Martlet's hooks; when 'martlet flows' shows none any more, 'martlet cleanup' ends nothing

        """
    }
}
