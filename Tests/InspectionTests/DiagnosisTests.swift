// What the doctor's findings come to, and how they read; none of them is made here.

import FoundationEssentials
import Inspection
import Testing

@Suite("Diagnosis")
struct DiagnosisTests {
    private func diagnosis(_ findings: Finding...) -> Diagnosis { Diagnosis(kernel: "6.1.0", findings: findings) }

    struct Case: Sendable, CustomTestStringConvertible {
        let result: Finding.Result
        let essential: Bool
        let canRun: Bool
        var testDescription: String { "\(result), \(essential ? "essential" : "not essential")" }
    }

    static let cases: [Case] = [
        Case(result: .ok, essential: true, canRun: true),
        Case(result: .degraded, essential: true, canRun: false),
        Case(result: .missing, essential: true, canRun: false),
        Case(result: .ok, essential: false, canRun: true),
        Case(result: .degraded, essential: false, canRun: true),
        Case(result: .missing, essential: false, canRun: true),
    ]

    @Test("Martlet can run unless something essential is not as it should be", arguments: cases)
    func verdict(_ example: Case) {
        let finding = Finding(.node, "x", example.result, essential: example.essential, "tried")
        #expect(diagnosis(Finding(.maps, "y", .ok, "fine"), finding).canRun == example.canRun)
    }

    @Test("each finding has a line, and what is lost another one")
    func text() {
        let text = diagnosis(
            Finding(.node, "bpffs", .ok, "mounted", loss: "not shown"),
            Finding(.maps, "hash", .missing, essential: true, "refused", loss: "needed for frontends")
        ).text
        #expect(
            text == """
                ok        node bpffs  mounted
                missing   maps hash   refused
                          -> essential: needed for frontends
                Martlet cannot run here: something essential is missing (kernel 6.1.0)

                """)
    }

    @Test("JSON has the verdict and every finding, and null where nothing is lost")
    func json() throws {
        let text = try JSONText.encode(diagnosis(Finding(.node, "bpffs", .ok, "mounted")))
        #expect(text.contains("\"canRun\" : true"))
        #expect(text.contains("\"loss\" : null"))
        let decoded = try JSONDecoder().decode(Diagnosis.self, from: Data(text.utf8))
        #expect(decoded.findings.map(\.subject) == ["bpffs"])
    }
}
