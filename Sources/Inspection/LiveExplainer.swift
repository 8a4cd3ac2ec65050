// Explains one connection from what is programmed now, step by step as the programs decide it (bpf/lib/resolve.bpf.h).
// The records know which rule was the last to decide, not every rule on the way: `martlet explain --manifests` tells
// those.

import CDatapathABI
package import Datapath
import DatapathImage
package import LoadBalancing
import NetworkTypes
import ServiceModel

package struct LiveExplainer: Sendable {
    package var source: TrafficSource
    package var destination: FrontendAddress
    package var records: LiveRecords
    package var constants: ProgramConstants

    package init(
        source: TrafficSource, destination: FrontendAddress, records: LiveRecords, constants: ProgramConstants
    ) {
        self.source = source
        self.destination = destination
        self.records = records
        self.constants = constants
    }

    private enum Client {
        /// A socket of the node's own network namespace.
        case host
        /// A socket of another namespace of this node.
        case pod
    }

    /// Nil for clients whose sockets are elsewhere: PacketExplainer is for those.
    private var client: Client? {
        switch source {
        case .node, .localhost: .host
        case .pod: .pod
        case .external: nil
        }
    }

    package func explanation() -> Explanation {
        guard let client else { return notHandled("The client's socket is on another machine.") }
        guard destination.protocolKind != .sctp else {
            return notHandled("The socket hooks do not translate SCTP.")
        }
        guard let record = records.exact else { return miss([]) }
        if record.has(DP_FRONTEND_HOST_ONLY), client == .pod { return miss(["NP-6"]) }
        if record.has(client == .host ? DP_FRONTEND_DENY_HOST : DP_FRONTEND_DENY_PODS) {
            return hit(record, .drop, ["LBSR-1", "LBSR-3"], "is excluded by its source ranges")
        }
        return decide(record, client)
    }

    /// The choice of the policy, as choice_for of bpf/lib/frontend.bpf.h.
    private func decide(_ record: FrontendRecord, _ client: Client) -> Explanation {
        let isInternal = client == .host || arePodsLocal
        let choice = isInternal ? record.fields.internal : record.fields.external
        // Where everybody gets the same, it does not matter that no detector recognises the pod.
        let detector = isInternal || !dependsOnSource(record) ? [] : ["TP-8"]
        switch UInt32(choice.action) {
        case DP_ACTION_FORWARD.rawValue:
            return forward(
                record, isInternal ? records.internalSet : records.externalSet,
                detector + policyRules(record, isInternal: isInternal))
        case DP_ACTION_REJECT.rawValue:
            return hit(record, .reject, ["REJ-1"], "finds no usable endpoint anywhere")
        case DP_ACTION_DROP.rawValue:
            let rule = record.isClusterIP ? "TP-3" : "TP-7"
            let why = "may only use endpoints of this node, and all usable ones are elsewhere"
            return hit(record, .drop, detector + [rule], why)
        case _:
            return hit(
                record, .reject, [], "is refused, since the record contradicts itself: \(Outcome.badRecord.name)")
        }
    }

    /// The policy that chose between the two lists, where it is not the default.
    private func policyRules(_ record: FrontendRecord, isInternal: Bool) -> [String] {
        if record.isClusterIP { return record.has(DP_FRONTEND_INTERNAL_LOCAL) ? ["TP-1"] : [] }
        guard record.isExternalLocal else { return [] }
        return isInternal ? ["TP-6"] : ["TP-5"]
    }

    private func dependsOnSource(_ record: FrontendRecord) -> Bool {
        record.fields.internal.action != record.fields.external.action || records.internalSet != records.externalSet
    }

    private var arePodsLocal: Bool {
        switch destination.address.address.family {
        case .ipv4: constants.podsAreLocalIPv4
        case .ipv6: constants.podsAreLocalIPv6
        }
    }

    private func forward(_ record: FrontendRecord, _ set: [BackendRecord?], _ rules: [String]) -> Explanation {
        let backends = set.compactMap { $0?.address.description }
        guard !backends.isEmpty else {
            return hit(record, .reject, [], "is refused, since its backend set is broken: \(Outcome.badRecord.name)")
        }
        var answer = hit(
            record, .dnat, rules + (record.affinitySeconds == nil ? [] : ["AFF-1"]),
            "is sent to " + (backends.count == 1 ? "its only backend" : "one of \(backends.count) backends")
                + " when its socket connects or sends, with its own source address")
        answer.backends = backends
        answer.masquerade = .never
        return answer
    }

    /// As resolve_unknown of bpf/lib/resolve.bpf.h. A UDP connect() that asks as resolvers do (decision 9) is no traffic.
    private func miss(_ rules: [String]) -> Explanation {
        let (address, port) = (destination.address.address, destination.address.port)
        guard port != 0 else {
            return notHandled("Port 0 is a question to the kernel, not traffic.", rules)
        }
        return records.unowned(destination, rules, .socket)
            ?? notHandled(
                rules.isEmpty
                    ? "No frontend has the address \(address) with port \(port)/\(destination.protocolKind)."
                    : "The frontend \(destination) is for processes of the node only.", rules)
    }

    private func notHandled(_ reason: String, _ rules: [String] = []) -> Explanation {
        Explanation(outcome: .notHandled, rules: rules, reason: reason)
    }

    private func hit(
        _ record: FrontendRecord, _ outcome: Explanation.Outcome, _ rules: [String], _ why: String
    ) -> Explanation {
        records.hit(record, at: destination, by: "The \(source) that dials", outcome, rules, .socket, why)
    }
}
