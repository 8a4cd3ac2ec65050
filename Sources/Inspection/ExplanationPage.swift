// `martlet explain` for people: what becomes of one connection, one fact a line. JSON has the same facts.

package import LoadBalancing

package struct ExplanationPage: Sendable {
    private let explanation: Explanation
    private let program: ProgramReport?

    /// - Parameter program: what the packet programs did; nil where they were not asked.
    package init(_ explanation: Explanation, _ program: ProgramReport? = nil) {
        self.explanation = explanation
        self.program = program
    }

    package var text: String {
        var lines = [("Outcome", explanation.outcome.rawValue)]
        lines += explanation.service.map { [("Service", $0)] } ?? []
        lines += explanation.frontend.map { [("Frontend", Self.words($0))] } ?? []
        lines += explanation.backends.map { ("Backend", $0 + mark(of: $0)) }
        lines += explanation.masquerade.map { [("Masquerade", Self.words($0))] } ?? []
        lines += explanation.rules.isEmpty ? [] : [("Rules", explanation.rules.joined(separator: ", "))]
        lines += [("Path", explanation.path.rawValue)] + (program.map { [("Program", Self.words($0))] } ?? [])
        lines += [("Reason", explanation.reason)]
        return lines.map { name, value in
            "\(name):\(String(repeating: " ", count: max(1, 12 - name.count)))\(value)\n"
        }.joined()
    }

    private func mark(of backend: String) -> String {
        explanation.masquerade == .byBackend && explanation.masqueradedBackends.contains(backend)
            ? " (masqueraded)" : ""
    }

    private static func words(_ frontend: PlanReport.Frontend) -> String {
        let address = frontend.address.contains(":") ? "[\(frontend.address)]" : frontend.address
        return "\(frontend.kind) \(address):\(frontend.port), "
            + "internal \(frontend.internalTo), external \(frontend.externalTo)"
    }

    private static func words(_ program: ProgramReport) -> String {
        let place = program.device.map { "\(program.hook) at \($0)" } ?? program.hook
        let ends = [program.source, program.destination].compactMap(\.self).joined(separator: " -> ")
        let tunnel = program.tunnel.map { " in \($0.source) -> \($0.destination)" } ?? ""
        let result = ends.isEmpty ? "" : ": \(ends)\(tunnel)"
        return "\(program.client) -> \(program.frontend) \(program.verdict.rawValue) by \(place)\(result)"
    }

    private static func words(_ masquerade: Explanation.Masquerade) -> String {
        switch masquerade {
        case .always: "always"
        case .never: "never"
        case .byBackend: "by backend"
        }
    }
}
