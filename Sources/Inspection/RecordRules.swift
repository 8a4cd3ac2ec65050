// What a frontend's record says in the words of the plan: its kind with the rule that made it, its policies, its source
// ranges. For the explainers.

import CDatapathABI
package import DatapathImage
import LoadBalancing
package import NetworkTypes
import ServiceModel

extension FrontendRecord {
    var planKind: FrontendPlan.Kind? { FrontendPlan.Kind(rawValue: fields.kind) }

    var isClusterIP: Bool { planKind == .clusterIP }

    /// externalTrafficPolicy Local, as far as it makes a difference now.
    var isExternalLocal: Bool {
        has(DP_FRONTEND_EXTERNAL_LOCAL) || UInt32(fields.external.action) == DP_ACTION_DROP.rawValue
    }
}

extension FrontendPlan.Kind {
    /// The rule by which such a frontend exists.
    var rule: String {
        switch self {
        case .clusterIP: "SVC-1"
        case .nodePort: "SVC-3"
        case .externalIP: "SVC-5"
        case .loadBalancer: "SVC-4"
        }
    }
}

/// One entry of `source_ranges`.
package struct SourceRange: Hashable, Sendable {
    package var range: CIDR
    package var admission: SourceAdmission

    package init(_ range: CIDR, _ admission: SourceAdmission) {
        self.range = range
        self.admission = admission
    }
}

extension LiveRecords {
    /// As in the plan: actions, and which list each policy chooses from. Nil where the destination is no frontend.
    func frontend(at address: AddressAndPort) -> PlanReport.Frontend? {
        guard let exact, let kind = exact.planKind else { return nil }
        let (ranges, policy) = sourceList(of: address.address)
        return PlanReport.Frontend(
            FrontendPlan(
                kind: kind, address: address,
                externalTo: Self.disposition(exact.fields.external, exact.has(DP_FRONTEND_EXTERNAL_LOCAL)),
                internalTo: Self.disposition(exact.fields.internal, exact.has(DP_FRONTEND_INTERNAL_LOCAL)),
                sourceRanges: ranges, sourceRangesPolicy: policy))
    }

    /// An answer by the frontend that is dialled: who dials it, and what becomes of that.
    func hit(
        _ record: FrontendRecord, at destination: FrontendAddress, by dialler: String, _ outcome: Explanation.Outcome,
        _ rules: [String], _ path: Explanation.Path, _ why: String
    ) -> Explanation {
        let owner = service?.description ?? "service id \(record.fields.service_id)"
        return Explanation(
            outcome: outcome, service: service?.description, frontend: frontend(at: destination.address),
            rules: [record.planKind?.rule].compactMap(\.self) + rules, path: path,
            reason: "\(dialler) the \(record.kindName) of \(owner) \(why).")
    }

    /// An answer where no frontend is dialled: the address is refused as a service's, or could become one's. Nil where it has
    /// nothing to do with services.
    func unowned(
        _ destination: FrontendAddress, _ rules: [String], _ path: Explanation.Path
    ) -> Explanation? {
        let (address, port) = (destination.address.address, destination.address.port)
        if hasWildcard {
            return Explanation(
                outcome: .reject, rules: rules + ["SVC-12"], path: path,
                reason: "The address \(address) is a service's, without a port \(port)/\(destination.protocolKind).")
        }
        guard isInServiceCIDR else { return nil }
        return Explanation(
            outcome: .drop, rules: rules + ["SVC-12"], path: path,
            reason: "The address \(address) is inside of a ServiceCIDR, but no service owns it.")
    }

    /// The programs refuse a record whose action is none.
    private static func disposition(_ choice: dp_choice, _ isLocal: Bool) -> FrontendPlan.Disposition {
        switch UInt32(choice.action) {
        case DP_ACTION_FORWARD.rawValue: isLocal ? .local : .cluster
        case DP_ACTION_DROP.rawValue: .drop
        case _: .reject
        }
    }

    /// The ranges of the destination's family, back from what they became (SourceRangeRules): with ranges to deny,
    /// everybody else is admitted. The destination itself is admitted besides where the node is (LBSR-4).
    private func sourceList(of address: IPAddress) -> ([CIDR], Service.SourceRangesPolicy) {
        let own = ranges.filter { $0.range.family == address.family && $0.range != CIDR(address) }
        let admitsEverybody = own.contains {
            $0.range == .everything(of: address.family) && $0.admission == .allow
        }
        let denied = own.filter { $0.admission == .deny }.map(\.range)
        if admitsEverybody, !denied.isEmpty { return (Self.ordered(denied), .deny) }
        return (Self.ordered(own.filter { $0.admission == .allow }.map(\.range)), .allow)
    }

    private static func ordered(_ ranges: [CIDR]) -> [CIDR] {
        ranges.sorted { ($0.address, $0.prefixLength) < ($1.address, $1.prefixLength) }
    }
}
