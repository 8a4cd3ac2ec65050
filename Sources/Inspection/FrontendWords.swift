// The numbers of a frontend's record in words: kind, action, flags. The words are part of the command line's contract.

package import CDatapathABI
package import DatapathImage
import NetworkTypes

extension FrontendRecord {
    /// The kind as Kubernetes and docs/glossary.md write it; the number when it is none of ours.
    package var kindName: String {
        switch UInt32(fields.kind) {
        case DP_FRONTEND_CLUSTER_IP.rawValue: "ClusterIP"
        case DP_FRONTEND_NODE_PORT.rawValue: "NodePort"
        case DP_FRONTEND_EXTERNAL_IP.rawValue: "ExternalIP"
        case DP_FRONTEND_LOAD_BALANCER.rawValue: "LoadBalancer"
        case DP_FRONTEND_WILDCARD.rawValue: "Wildcard"
        case let other: "kind \(other)"
        }
    }

    /// In the order of the bits; unknown bits as their value.
    package var flagNames: [String] {
        let known: [(dp_frontend_flags, String)] = [
            (DP_FRONTEND_MAGLEV, "maglev"), (DP_FRONTEND_HOST_ONLY, "host-only"), (DP_FRONTEND_DENY_HOST, "deny-host"),
            (DP_FRONTEND_DENY_PODS, "deny-pods"), (DP_FRONTEND_MASQUERADE_HOST, "masquerade-host"),
            (DP_FRONTEND_MASQUERADE_PODS, "masquerade-pods"), (DP_FRONTEND_MASQUERADE_OUTSIDE, "masquerade-outside"),
            (DP_FRONTEND_SOURCE_RANGES, "source-ranges"), (DP_FRONTEND_DSR, "dsr"),
            (DP_FRONTEND_INSIDE_ONLY, "inside-only"), (DP_FRONTEND_CHANGING, "changing"),
            (DP_FRONTEND_OUTSIDE_ONLY, "outside-only"), (DP_FRONTEND_EXTERNAL_LOCAL, "external-local"),
            (DP_FRONTEND_INTERNAL_LOCAL, "internal-local"),
        ]
        var rest = UInt32(fields.flags)
        var names: [String] = []
        for (flag, name) in known where rest & flag.rawValue != 0 {
            names.append(name)
            rest &= ~flag.rawValue
        }
        return rest == 0 ? names : names + ["bits \(rest)"]
    }

    package func has(_ flag: dp_frontend_flags) -> Bool { UInt32(fields.flags) & flag.rawValue != 0 }

    /// `maglev` or `random`.
    package var algorithmName: String { has(DP_FRONTEND_MAGLEV) ? "maglev" : "random" }

    /// Nil when the service has no session affinity.
    package var affinitySeconds: UInt32? { fields.affinity_timeout_s == 0 ? nil : fields.affinity_timeout_s }
}

extension dp_choice {
    /// `forward`, `reject` or `drop`; `invalid` for everything that the programs refuse as a bad record.
    package var actionName: String {
        switch UInt32(action) {
        case DP_ACTION_FORWARD.rawValue: "forward"
        case DP_ACTION_REJECT.rawValue: "reject"
        case DP_ACTION_DROP.rawValue: "drop"
        case _: "invalid"
        }
    }
}

/// `TCP`, `UDP`, `SCTP`, or the number.
func protocolName(_ number: UInt8) -> String {
    TransportProtocol(rawValue: number)?.description ?? "\(number)"
}
