// Examinations of several kernels side by side, in Markdown.

struct KernelTable {
    private let examinations: [Examination]

    init(_ examinations: [Examination]) {
        self.examinations = examinations
    }

    /// Programs and constants in the order of the first examination, which all of them share.
    var markdown: String {
        let kernels = examinations.map(\.kernel)
        let titles = ["program", "constants"] + kernels + ["bytes", "machine code"]
        let rule = ["---", "---"] + (kernels + ["", ""]).map { _ in "---:" }
        let rows = (examinations.first?.rows ?? []).map { first in
            let outcomes = examinations.map { $0.outcome(of: first) }
            return [first.program, first.configuration] + outcomes.map(Self.instructions) + Self.sizes(outcomes.last)
        }
        return ([titles, rule] + rows).map { "| " + $0.joined(separator: " | ") + " |" }.joined(separator: "\n")
    }

    private static func instructions(_ outcome: Examination.Outcome?) -> String {
        switch outcome {
        case .loaded(let instructions, _, _): grouped(instructions)
        case .refused: "refused"
        case nil: "not there"
        }
    }

    private static func sizes(_ outcome: Examination.Outcome??) -> [String] {
        guard case .loaded(_, let translated, let machineCode) = outcome else { return ["", ""] }
        return [grouped(translated), grouped(machineCode)]
    }

    /// 123,456.
    private static func grouped(_ number: UInt32) -> String {
        var digits = Array(String(number))
        for place in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: place) }
        return String(digits)
    }
}

extension Examination {
    fileprivate func outcome(of row: Row) -> Outcome? {
        rows.first { $0.program == row.program && $0.configuration == row.configuration }?.outcome
    }
}
