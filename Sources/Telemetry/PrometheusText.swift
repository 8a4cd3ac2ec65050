// A metrics page in Prometheus' text exposition format, version 0.0.4: one HELP and one TYPE line for each family, then
// its samples. The same page always gives the same text, in whatever order it was put together.

extension MetricsPage {
    /// The media type of `prometheusText`.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// Families by name, samples by labels, every line ended by a line feed. A family without samples shows its HELP
    /// and TYPE lines, so that an operator sees that it exists. Of samples with the same labels only the first is
    /// shown, since Prometheus refuses a whole page for one repetition.
    package var prometheusText: String {
        var text = ""
        for family in families {
            family.write(to: &text)
        }
        return text
    }
}

extension MetricFamily {
    fileprivate func write(to text: inout String) {
        text += "# HELP \(name) \(Self.escape(help, quotes: false))\n"
        text += "# TYPE \(name) \(kind.rawValue)\n"
        var previous: MetricSample?
        for sample in samples.sorted(by: MetricSample.isOrderedByLabels) where sample.labels != previous?.labels {
            switch sample.value {
            case .number(let number): writeLine(name, sample.labels, PrometheusNumber.text(number), to: &text)
            case .histogram(let snapshot): write(snapshot, sample.labels, to: &text)
            }
            previous = sample
        }
    }

    /// Buckets in ascending order, then the one up to infinity, the sum and the count.
    private func write(_ snapshot: HistogramSnapshot, _ labels: [MetricSample.Label], to text: inout String) {
        for bucket in snapshot.buckets {
            let bound = MetricSample.Label(name: "le", value: PrometheusNumber.text(bucket.upperBound))
            writeLine("\(name)_bucket", labels + [bound], "\(bucket.count)", to: &text)
        }
        let infinity = MetricSample.Label(name: "le", value: PrometheusNumber.text(.infinity))
        writeLine("\(name)_bucket", labels + [infinity], "\(snapshot.count)", to: &text)
        writeLine("\(name)_sum", labels, PrometheusNumber.text(snapshot.sum), to: &text)
        writeLine("\(name)_count", labels, "\(snapshot.count)", to: &text)
    }

    private func writeLine(
        _ series: String, _ labels: [MetricSample.Label], _ value: String, to text: inout String
    ) {
        text += series
        var separator = "{"
        for label in labels {
            text += "\(separator)\(label.name)=\"\(Self.escape(label.value, quotes: true))\""
            separator = ","
        }
        text += labels.isEmpty ? " " : "} "
        text += value
        text += "\n"
    }

    /// Backslash and line feed are escaped everywhere, double quotes only in label values.
    private static func escape(_ text: String, quotes: Bool) -> String {
        let special = [UInt8(ascii: "\\"), UInt8(ascii: "\n"), UInt8(ascii: "\"")]
        guard text.utf8.contains(where: special.contains) else { return text }
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}

private enum PrometheusNumber {
    /// The shortest text that reads back as the same double; whole numbers that a double holds exactly are written
    /// without a fraction or an exponent.
    static func text(_ number: Double) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number < 0 ? "-Inf" : "+Inf" }
        let exactLimit = 9_007_199_254_740_992.0  // 2^53
        if number.magnitude < exactLimit, let whole = Int64(exactly: number) { return "\(whole)" }
        return "\(number)"
    }
}
