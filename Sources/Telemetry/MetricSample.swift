// One time series of a metric family: its labels and its present value. The family says what the number means.

package struct MetricSample: Hashable, Sendable {
    package struct Label: Hashable, Sendable {
        package let name: String
        package let value: String
    }

    package enum Value: Hashable, Sendable {
        case number(Double)
        case histogram(HistogramSnapshot)
    }

    /// Ascending by name, each name once: equal sets of labels are equal values.
    package let labels: [Label]
    package let value: Value

    package init(_ value: Double, labels: KeyValuePairs<String, String> = [:]) {
        self.init(value: .number(value), labels: labels)
    }

    /// For counts. Above 2^53 the number loses its lowest bits, as it would in Prometheus, which knows only doubles.
    package init(_ count: some BinaryInteger, labels: KeyValuePairs<String, String> = [:]) {
        self.init(value: .number(Double(count)), labels: labels)
    }

    package init(_ histogram: Histogram, labels: KeyValuePairs<String, String> = [:]) {
        precondition(!labels.contains { $0.key == "le" }, "a histogram sets the label le itself")
        self.init(value: .histogram(histogram.snapshot), labels: labels)
    }

    /// Label values may be any text. Names that Prometheus refuses, and a name given twice, are programming errors and
    /// trap.
    private init(value: Value, labels: KeyValuePairs<String, String>) {
        for label in labels {
            precondition(MetricNames.isLabelName(label.key), "not a label name: \(label.key)")
        }
        self.labels = labels.map { Label(name: $0.key, value: $0.value) }.sorted { $0.name < $1.name }
        self.value = value
        precondition(
            zip(self.labels, self.labels.dropFirst()).allSatisfy { $0.name != $1.name },
            "a label name is given twice: \(labels)")
    }
}

extension MetricSample {
    /// The order of a family's samples: by labels, name before value.
    static func isOrderedByLabels(_ left: Self, _ right: Self) -> Bool {
        left.labels.lexicographicallyPrecedes(right.labels) {
            $0.name == $1.name ? $0.value < $1.value : $0.name < $1.name
        }
    }
}
