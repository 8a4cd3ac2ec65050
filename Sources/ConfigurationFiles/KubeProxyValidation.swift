// What kube-proxy refuses although Martlet does not use it (FLAG-3): a file that is wrong for one should be wrong for
// the other. Zero and absence mean the default.

import ServiceModel

enum KubeProxyValidation {
    static func check(_ reader: inout ConfigurationReader) {
        for section in ["iptables", "nftables"] {
            range(0...31, section, "masqueradeBit", &reader)
        }
        for field in ["tcpTimeout", "tcpFinTimeout", "udpTimeout"] { notNegative("ipvs", field, &reader) }
        range(-1000...1000, "", "oomScoreAdj", &reader)
        range(0...Int64(Int32.max), "conntrack", "maxPerCore", &reader)
        range(0...Int64(Int32.max), "conntrack", "min", &reader)
        for field in ["tcpEstablishedTimeout", "tcpCloseWaitTimeout", "udpTimeout", "udpStreamTimeout"] {
            notNegative("conntrack", field, &reader)
        }
        notNegative("", "configSyncPeriod", &reader)
        range(0...Int64(Int32.max), "clientConnection", "burst", &reader)
    }

    private static func range(
        _ range: ClosedRange<Int64>, _ section: String, _ field: String, _ reader: inout ConfigurationReader
    ) {
        let number = reader.read(section) { (values) throws(FieldProblem) in try values.integer(field) } ?? nil
        guard let number, !range.contains(number) else { return }
        reader.fail(section.field(field), "\(number) is not within \(range.lowerBound)…\(range.upperBound)")
    }

    /// Zero when the field is not there; nil, and a problem, when it is wrong.
    @discardableResult
    static func notNegative(
        _ section: String, _ field: String, _ reader: inout ConfigurationReader
    ) -> Duration? {
        let read = reader.read(section) { (values) throws(FieldProblem) in try values.string(field) }
        guard let text = read else { return nil }
        guard let text, !text.isEmpty else { return .zero }
        guard let duration = DurationText.parse(text) else {
            reader.fail(section.field(field), "\(FieldValue.quoted(text)) is not a duration (such as 30s)")
            return nil
        }
        guard duration >= .zero else {
            reader.fail(section.field(field), "\(FieldValue.quoted(text)) is negative")
            return nil
        }
        return duration
    }
}
