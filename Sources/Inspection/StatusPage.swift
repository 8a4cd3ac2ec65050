// `martlet status` as one page of text. Sections without content are left out; what is wrong comes before what is
// usual.

import Datapath
import FoundationEssentials
import Telemetry

package struct StatusPage: Sendable {
    private let report: StatusReport

    package init(_ report: StatusReport) {
        self.report = report
    }

    package var text: String {
        [summary, problems, hooks, devices, maps, outcomes].filter { !$0.isEmpty }.joined(separator: "\n")
    }

    private var summary: String {
        var lines: [(String, String)] = [("Pin folder", report.pinFolder), ("Datapath", datapath), ("Agent", agent)]
        if let status = report.agent.status {
            lines += [
                ("Source", "\(status.source), \(status.synced ? "synced" : "not synced yet")"),
                ("Services", "\(status.services)"), ("Frontends", Self.words(status.frontends)),
            ]
            lines += status.api.map { Self.words($0) } ?? []
            lines += status.lastAudit.map { [("Last audit", Self.words($0))] } ?? []
            lines += status.sourcePorts.map { [("Source ports", $0)] } ?? []
            lines += status.notices.map { ("Notice", $0) }
        }
        if let error = report.agent.statusError { lines.append(("State file", error)) }
        return lines.map { "\($0.0):".padded(to: 13) + $0.1.visible() + "\n" }.joined()
    }

    /// One line for the server, and one for each resource that is not in order.
    private static func words(_ api: AgentStatus.API) -> [(String, String)] {
        let watched = api.resources.filter { $0.activity == "watching" }.map(\.kind)
        let state = api.connected ? "connected" : "not connected"
        let server =
            "\(api.server), \(state), watching \(watched.isEmpty ? "nothing" : watched.joined(separator: ", "))"
        return [("API server", server)]
            + api.resources.compactMap { resource in resource.error.map { ("API error", "\(resource.kind): \($0)") } }
    }

    private var datapath: String {
        guard report.installed else { return "not installed" }
        let contract = report.contractVersion.map { "contract \($0)" } ?? "no contract"
        let foreign =
            report.contractVersion == report.supportedContractVersion
            ? "" : " (this build speaks \(report.supportedContractVersion))"
        let state = report.complete ? "installed" : "incomplete"
        let missing = report.missingMaps.isEmpty ? "" : ", missing maps: \(report.missingMaps.joined(separator: ", "))"
        return "\(state), \(contract)\(foreign), \(Self.memory(report.memoryBytes)) of maps\(missing)"
    }

    private var agent: String {
        let status = report.agent.status
        guard report.agent.running else {
            let last = status.map { "; the last one wrote its state at \(Self.time($0.updatedAt))" } ?? ""
            return "not running\(last)"
        }
        guard let status else { return "running, without a state file here" }
        return "running, pid \(status.pid), version \(status.version), since \(Self.time(status.startedAt))"
    }

    private var problems: String {
        guard let status = report.agent.status else { return "" }
        let frontends = TextTable(
            columns: [
                .init("FAILED FRONTEND"), .init("SERVICE"), .init("ATTEMPTS", .right), .init("SINCE"), .init("ERROR"),
            ],
            rows: status.frontendErrors.map {
                [$0.frontend, $0.service, "\($0.attempts)", Self.time($0.since), $0.error]
            })
        let objects = TextTable(
            columns: [.init("PROBLEM OBJECT"), .init("FIELD"), .init("FILE"), .init("MESSAGE")],
            rows: status.problems.map { [$0.object, $0.field, Self.place($0), $0.message] })
        return [frontends.text, objects.text].filter { !$0.isEmpty }.joined(separator: "\n")
    }

    private var hooks: String {
        TextTable(
            columns: [.init("HOOK"), .init("LINK", .right), .init("PROGRAM", .right), .init("TAG"), .init("CGROUP")],
            rows: report.hooks.map { hook in
                [
                    hook.name, hook.linkID.map(String.init) ?? "", hook.programID.map(String.init) ?? "",
                    hook.programTag ?? "",
                    hook.attached ? hook.cgroup ?? "number \(hook.cgroupID ?? 0)" : "NOT ATTACHED",
                ]
            }
        ).text
    }

    /// One row for each device; a hook that is wanted and not there is a word in capitals, and the note says why.
    private var devices: String {
        TextTable(
            columns: [
                .init("DEVICE"), .init("INDEX", .right), .init("LEADS"), .init("XDP"), .init("INGRESS"),
                .init("EGRESS"), .init("NOTE"),
            ],
            rows: report.devices.map { device in
                let missing = device.hooks.compactMap { hook in hook.reason.map { "\(hook.name): \($0)" } }
                return [
                    device.name ?? "", "\(device.index)", device.external.map { $0 ? "out" : "in" } ?? "",
                    Self.word(device, .xdp), Self.word(device, .tcIngress), Self.word(device, .tcEgress),
                    ([device.reason].compactMap(\.self) + missing).joined(separator: "; "),
                ]
            }
        ).text
    }

    private static func word(_ device: StatusReport.Device, _ hook: PacketHook) -> String {
        guard let found = device.hooks.first(where: { $0.name == hook.rawValue }) else { return "" }
        return found.way ?? "NOT ATTACHED"
    }

    private var maps: String {
        TextTable(
            columns: [
                .init("MAP"), .init("TYPE"), .init("IN USE", .right), .init("SIZE", .right), .init("MEMORY", .right),
            ],
            rows: report.maps.map { map in
                [
                    map.name, map.type, map.inUse.map(String.init) ?? "", "\(map.size)",
                    map.memoryBytes.map(Self.memory) ?? "",
                ]
            }
        ).text
    }

    private var outcomes: String {
        TextTable(
            columns: [.init("OUTCOME"), .init("COUNT", .right), .init("MEANING")],
            rows: report.outcomes.map { [$0.name, "\($0.count)", $0.reason] }
        ).text
    }

    private static func place(_ problem: AgentStatus.Problem) -> String {
        (problem.file ?? "") + (problem.document.map { " #\($0)" } ?? "")
    }

    private static func words(_ frontends: AgentStatus.Programmed) -> String {
        "\(frontends.programmed) programmed, \(frontends.failed) failed"
    }

    private static func words(_ audit: AgentStatus.Audit) -> String {
        "\(time(audit.at)), \(audit.differences) differences, \(audit.repaired) repaired"
    }

    static func time(_ date: Date) -> String { date.formatted(.iso8601) }

    /// In MiB or KiB, one digit after the point; as the kernel accounts it.
    static func memory(_ bytes: UInt64) -> String {
        guard bytes >= 1 << 10 else { return "\(bytes) B" }
        let (unit, name): (UInt64, String) = bytes >= 1 << 20 ? (1 << 20, "MiB") : (1 << 10, "KiB")
        let tenths = (bytes * 10 + unit / 2) / unit
        return "\(tenths / 10).\(tenths % 10) \(name)"
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
