// The transport protocols of a Service port; raw values are IANA protocol numbers, as in IP headers and in the maps.

package enum TransportProtocol: UInt8, Hashable, Sendable, CaseIterable, Comparable {
    case tcp = 6
    case udp = 17
    case sctp = 132

    /// Reads the form that Kubernetes uses: "TCP", "UDP" or "SCTP", in capitals.
    package init?(kubernetesName name: String) {
        switch name {
        case "TCP": self = .tcp
        case "UDP": self = .udp
        case "SCTP": self = .sctp
        default: return nil
        }
    }

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

extension TransportProtocol: CustomStringConvertible {
    package var description: String {
        switch self {
        case .tcp: "TCP"
        case .udp: "UDP"
        case .sctp: "SCTP"
        }
    }
}
