// One thing that `martlet doctor` tried, and what that means for whoever wants to run Martlet here.

package struct Finding: Codable, Hashable, Sendable {
    package enum Area: String, Codable, CaseIterable, Sendable {
        case node
        case maps
        case programs
        case translation
        case packets
        case conflicts
    }

    package enum Result: String, Codable, Sendable {
        case ok
        /// It works in part, or something will be lost beside it.
        case degraded
        /// It is not there, or does not work.
        case missing
    }

    package var area: Area
    package var subject: String
    package var result: Result
    /// Martlet cannot run without it.
    package var essential: Bool
    /// What was tried, and what came of it.
    package var detail: String
    /// What does not work because of it; null when nothing is lost.
    @Nullable package var loss: String?

    package init(
        _ area: Area, _ subject: String, _ result: Result, essential: Bool = false, _ detail: String,
        loss: String? = nil
    ) {
        self.area = area
        self.subject = subject
        self.result = result
        self.essential = essential
        self.detail = detail
        _loss = Nullable(wrappedValue: result == .ok ? nil : loss)
    }
}

/// All that was found.
package struct Diagnosis: Codable, Hashable, Sendable {
    package var kernel: String
    /// By area, in the order of trying.
    package var findings: [Finding]

    /// Whether everything essential works.
    package var canRun: Bool { findings.allSatisfy { $0.result == .ok || !$0.essential } }

    package init(kernel: String, findings: [Finding]) {
        self.kernel = kernel
        self.findings = findings
    }

    private enum CodingKeys: String, CodingKey {
        case kernel, canRun, findings
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        kernel = try container.decode(String.self, forKey: .kernel)
        findings = try container.decode([Finding].self, forKey: .findings)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(kernel, forKey: .kernel)
        try container.encode(canRun, forKey: .canRun)
        try container.encode(findings, forKey: .findings)
    }

    /// One line for each finding: result, area, subject, detail; where something is lost, a second line says what.
    package var text: String {
        let width = findings.map { $0.area.rawValue.count + $0.subject.count }.max() ?? 0
        let lines = findings.map { finding -> String in
            let name = "\(finding.area.rawValue) \(finding.subject)"
            let padding = String(repeating: " ", count: width + 1 - name.count)
            let mark = finding.result.rawValue + String(repeating: " ", count: 8 - finding.result.rawValue.count)
            let loss = finding.loss.map { "\n          -> \(finding.essential ? "essential: " : "")\($0)" } ?? ""
            return "\(mark)  \(name)\(padding)  \(finding.detail)\(loss)\n"
        }
        let verdict = canRun ? "Martlet can run here" : "Martlet cannot run here: something essential is missing"
        return lines.joined() + "\(verdict) (kernel \(kernel))\n"
    }
}
