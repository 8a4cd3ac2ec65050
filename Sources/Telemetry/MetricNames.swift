// Which names Prometheus accepts for metrics and labels. What a metric should be called is for its owner to say.

enum MetricNames {
    /// `[a-zA-Z_][a-zA-Z0-9_]*`. The exposition format also allows colons; those belong to recording rules
    /// (Prometheus, "Metric names and labels"), so no exporter may use them.
    static func isMetricName(_ name: String) -> Bool {
        isIdentifier(name)
    }

    /// `[a-zA-Z_][a-zA-Z0-9_]*`, and not the prefix `__`, which Prometheus keeps to itself.
    static func isLabelName(_ name: String) -> Bool {
        isIdentifier(name) && !name.utf8.starts(with: "__".utf8)
    }

    private static func isIdentifier(_ name: String) -> Bool {
        guard let first = name.utf8.first, !isDigit(first) else { return false }
        return name.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "_") }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}
