// Durations as Go writes them, which is how Kubernetes' files do: 30s, 1h30m, 1.5s, 100ms, -1s, 0.

package enum DurationText {
    /// Nil for anything else, also for a number without a unit other than zero, and for what does not fit.
    package static func parse(_ text: String) -> Duration? {
        var rest = text[...]
        let isNegative = rest.first == "-"
        if isNegative || rest.first == "+" { rest = rest.dropFirst() }
        if rest == "0" { return .zero }
        guard !rest.isEmpty else { return nil }
        var total = Duration.zero
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
            rest = rest[digits.endIndex...]
            let unit = rest.prefix { $0.isLetter }
            rest = rest[unit.endIndex...]
            guard let amount = number(digits), let seconds = secondsPerUnit[String(unit)] else { return nil }
            // Go keeps nanoseconds in 64 bits: 292 years.
            let part = amount * seconds
            guard part < 9.2e9 else { return nil }
            total += .nanoseconds(Int64((part * 1e9).rounded()))
            guard total < .seconds(9_200_000_000) else { return nil }
        }
        return isNegative ? .zero - total : total
    }

    /// In seconds, or else in milliseconds: `90s`, `1500ms`.
    static func text(of duration: Duration) -> String {
        let milliseconds = Int64((duration / .milliseconds(1)).rounded())
        guard !milliseconds.isMultiple(of: 1000) else { return "\(milliseconds / 1000)s" }
        return "\(milliseconds)ms"
    }

    private static func number(_ digits: Substring) -> Double? {
        guard digits != ".", digits.count(where: { $0 == "." }) <= 1, !digits.isEmpty else { return nil }
        return Double(digits.contains(".") ? "0\(digits)0" : String(digits))
    }

    private static let secondsPerUnit: [String: Double] = [
        "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600,
    ]
}
