// Explains what becomes of the first packet of a connection from what is programmed now, step by step as the packet
// programs decide it (serve_incoming of bpf/nodeport_tc.bpf.c). Pure: what it was read from is in LiveRecords and
// PacketFacts. Whether the programs agree is ProgramRun's question.

import CDatapathABI
import DatapathImage
package import LoadBalancing
import NetworkTypes
import ServiceModel

package struct PacketExplainer: Sendable {
    package var source: TrafficSource
    package var destination: FrontendAddress
    package var records: LiveRecords
    package var facts: PacketFacts

    package init(source: TrafficSource, destination: FrontendAddress, records: LiveRecords, facts: PacketFacts) {
        self.source = source
        self.destination = destination
        self.records = records
        self.facts = facts
    }

    package func explanation() -> Explanation {
        guard let entrance = facts.entrance else {
            return notHandled("No packet hook is attached where such a packet comes in, so nothing is done about it.")
        }
        guard let record = records.exact else { return miss() }
        guard !record.has(DP_FRONTEND_HOST_ONLY) else {
            return notHandled("Loopback node ports are only for processes of this node.", ["NP-6"])
        }
        if record.has(DP_FRONTEND_SOURCE_RANGES), !records.isSourceAdmitted {
            return hit(record, .drop, ["LBSR-1"], "is not admitted by its source ranges")
        }
        if record.has(DP_FRONTEND_INSIDE_ONLY), facts.client == .outside {
            return hit(record, .reject, [], "is refused, since ClusterIPs are not served to outside clients here")
        }
        let rules = record.has(DP_FRONTEND_SOURCE_RANGES) ? ["LBSR-1"] : []
        return decide(record, entrance, rules)
    }

    private func decide(
        _ record: FrontendRecord, _ entrance: PacketFacts.Entrance, _ rules: [String]
    ) -> Explanation {
        let isInside = facts.client != .outside
        let choice = isInside ? record.fields.internal : record.fields.external
        switch UInt32(choice.action) {
        case DP_ACTION_FORWARD.rawValue:
            let set = isInside ? records.internalSet : records.externalSet
            return forward(record, set.compactMap(\.self), entrance, rules)
        case DP_ACTION_REJECT.rawValue:
            return hit(record, .reject, rules + ["REJ-1"], "finds no usable endpoint anywhere")
        case DP_ACTION_DROP.rawValue:
            return hit(
                record, .drop, rules + (record.isClusterIP ? ["TP-3"] : placeRules + ["TP-7"]),
                "may only use endpoints of this node, and all usable ones are elsewhere")
        case _:
            return hit(
                record, .reject, rules, "is refused, since the record contradicts itself: bad_record")
        }
    }

    private func forward(
        _ record: FrontendRecord, _ set: [BackendRecord], _ entrance: PacketFacts.Entrance, _ rules: [String]
    ) -> Explanation {
        guard !set.isEmpty else {
            return hit(record, .reject, rules, "is refused, since its backend set is broken: bad_record")
        }
        let masqueraded = set.filter { isMasqueraded(record, $0) }
        let masquerade: Explanation.Masquerade =
            masqueraded.isEmpty ? .never : masqueraded.count == set.count ? .always : .byBackend
        let isHairpin = !isAlwaysMasqueraded(record) && !masqueraded.isEmpty
        var answer = hit(
            record, .dnat,
            rules + policyRules(record) + masqueradeRules(record) + (isHairpin ? ["MASQ-5"] : [])
                + (record.affinitySeconds == nil ? [] : ["AFF-1"]),
            "is sent to " + (set.count == 1 ? "its only backend" : "one of \(set.count) backends") + ", "
                + way(record, masquerade))
        answer.backends = set.map(\.address.description)
        answer.masquerade = masquerade
        answer.masqueradedBackends = masqueraded.map(\.address.description)
        answer.path = set.allSatisfy { path(record, to: $0, by: entrance) == .xdp } ? .xdp : .tc
        return answer
    }

    private func way(_ record: FrontendRecord, _ masquerade: Explanation.Masquerade) -> String {
        if isTunnelled(record) {
            return "to other nodes with its own source address and what it dialled beside it (DSR)"
        }
        return switch masquerade {
        case .always: "masqueraded"
        case .never: "with its own source address"
        case .byBackend: "masqueraded for some of them only"
        }
    }

    // MARK: What the programs ask of a record

    /// DSR is for outside clients; everybody else is translated.
    func isTunnelled(_ record: FrontendRecord) -> Bool { record.has(DP_FRONTEND_DSR) && facts.client == .outside }

    /// Whether the backend sees an address of this node: never one that is on the node's own addresses (MASQ-7).
    func isMasqueraded(_ record: FrontendRecord, _ backend: BackendRecord) -> Bool {
        let address = backend.address.address
        guard !isTunnelled(record), !facts.nodeAddresses.contains(address) else { return false }
        return isAlwaysMasqueraded(record) || address == facts.source
    }

    private func isAlwaysMasqueraded(_ record: FrontendRecord) -> Bool {
        guard !isTunnelled(record) else { return false }
        return switch facts.client {
        case .host: record.has(DP_FRONTEND_MASQUERADE_HOST)
        case .pod: record.has(DP_FRONTEND_MASQUERADE_PODS)
        case .outside: record.has(DP_FRONTEND_MASQUERADE_OUTSIDE)
        }
    }

    /// Which hook finishes a packet to this backend, if XDP can send frames out of the device that leads there and the
    /// kernel knows the next hop: it passes everything else up to TC.
    func path(
        _ record: FrontendRecord, to backend: BackendRecord, by entrance: PacketFacts.Entrance
    ) -> Explanation.Path {
        let isForXDP =
            entrance.hasXDP && facts.client == .outside && destination.protocolKind != .sctp && !backend.isLocal
            && (isTunnelled(record) || isAlwaysMasqueraded(record))
            && !facts.nodeAddresses.contains(backend.address.address)
        return isForXDP ? .xdp : .tc
    }

    // MARK: Rules

    /// Where the source's kind and its place differ, the rule that made the difference.
    private var placeRules: [String] {
        switch (source, facts.client) {
        case (.pod, .outside): ["TP-8"]
        case (.external, .pod): ["TP-9"]
        case (.external, .host), (.pod, .host): ["TP-10"]
        case (.pod, .pod), (.external, .outside), (.node, _), (.localhost, _): []
        }
    }

    private func policyRules(_ record: FrontendRecord) -> [String] {
        if record.isClusterIP { return record.has(DP_FRONTEND_INTERNAL_LOCAL) ? ["TP-1"] : [] }
        guard record.isExternalLocal else { return ["TP-4"] }
        return placeRules + (facts.client == .outside ? ["TP-5"] : ["TP-6"])
    }

    private func masqueradeRules(_ record: FrontendRecord) -> [String] {
        guard !isTunnelled(record) else { return [] }
        guard record.isClusterIP else {
            guard record.isExternalLocal else { return ["MASQ-4"] }
            return facts.client == .host ? ["MASQ-11"] : ["MASQ-3"]
        }
        let (host, pods) = (record.has(DP_FRONTEND_MASQUERADE_HOST), record.has(DP_FRONTEND_MASQUERADE_PODS))
        if host, pods { return ["MASQ-6"] }
        guard host else { return ["MASQ-8"] }
        return facts.client == .pod ? ["MASQ-1"] : ["MASQ-2"]
    }

    /// Whether the kernel's routes say if the packet is refused or left alone, which the records do not know.
    var dependsOnRoutes: Bool {
        records.exact == nil && records.hasOutsideWildcard && facts.client == .outside
    }

    // MARK: Answers

    /// As serve_unknown of the program.
    private func miss() -> Explanation {
        let (address, port) = (destination.address.address, destination.address.port)
        if dependsOnRoutes {
            return Explanation(
                outcome: .reject, rules: ["REJ-4"], path: .tc,
                reason: "The address \(address) is a service's, without a port \(port)/\(destination.protocolKind), "
                    + "which is refused where the packet would go back to its router")
        }
        return records.unowned(destination, [], .tc)
            ?? notHandled("No frontend has the address \(address) with port \(port)/\(destination.protocolKind).")
    }

    private func notHandled(_ reason: String, _ rules: [String] = []) -> Explanation {
        var answer = Explanation(outcome: .notHandled, rules: rules, reason: reason)
        answer.service = records.exact.flatMap { _ in records.service?.description }
        answer.frontend = records.frontend(at: destination.address)
        return answer
    }

    private func hit(
        _ record: FrontendRecord, _ outcome: Explanation.Outcome, _ rules: [String], _ why: String
    ) -> Explanation {
        records.hit(record, at: destination, by: "The packet of the \(source) to", outcome, rules, .tc, why)
    }
}
