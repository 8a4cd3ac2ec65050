// What becomes of one connection, and why: the answer that `martlet explain -o json` prints. A contract with scripts;
// how it is found is in Explainer.

package struct Explanation: Hashable, Sendable {
    package enum Outcome: String, Codable, Hashable, Sendable {
        case dnat
        case reject
        case drop
        case notHandled
    }

    package enum Masquerade: Hashable, Sendable {
        case always
        case never
        /// Only for the drawn backends that are the client itself (MASQ-5).
        case byBackend
    }

    package enum Path: String, Codable, Hashable, Sendable {
        case socket
        case xdp
        case tc
        case none
    }

    package var outcome: Outcome
    /// `namespace/name:portName`, without the colon for an unnamed port; nil when no service port is meant.
    package var service: String?
    package var frontend: PlanReport.Frontend?
    /// In the order of their addresses; empty unless the outcome is dnat.
    package var backends: [String]
    /// Nil unless the outcome is dnat.
    package var masquerade: Masquerade?
    /// Those of `backends` that see an address of this node instead of the client's.
    package var masqueradedBackends: [String]
    /// Identifiers of the rules that decided, in the order in which they did.
    package var rules: [String]
    package var path: Path
    /// One sentence.
    package var reason: String

    package init(
        outcome: Outcome, service: String? = nil, frontend: PlanReport.Frontend? = nil, backends: [String] = [],
        masquerade: Masquerade? = nil, masqueradedBackends: [String] = [], rules: [String] = [], path: Path = .none,
        reason: String
    ) {
        self.outcome = outcome
        self.service = service
        self.frontend = frontend
        self.backends = backends
        self.masquerade = masquerade
        self.masqueradedBackends = masqueradedBackends
        self.rules = rules
        self.path = path
        self.reason = reason
    }
}

extension Explanation: Codable {
    /// By hand, since a synthesised one leaves absent values out.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(outcome, forKey: .outcome)
        try container.encode(service, forKey: .service)
        try container.encode(frontend, forKey: .frontend)
        try container.encode(backends, forKey: .backends)
        try container.encode(masquerade, forKey: .masquerade)
        try container.encode(masqueradedBackends, forKey: .masqueradedBackends)
        try container.encode(rules, forKey: .rules)
        try container.encode(path, forKey: .path)
        try container.encode(reason, forKey: .reason)
    }
}

/// `true`, `false` or `"byBackend"`.
extension Explanation.Masquerade: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let always = try? container.decode(Bool.self) {
            self = always ? .always : .never
        } else if try container.decode(String.self) == "byBackend" {
            self = .byBackend
        } else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "masquerade is neither a truth value nor 'byBackend'")
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .always: try container.encode(true)
        case .never: try container.encode(false)
        case .byBackend: try container.encode("byBackend")
        }
    }
}
