// `syncPeriod` and `minSyncPeriod` of a section of KubeProxyConfiguration (FLAG-2, FLAG-3).

import ServiceModel

struct SyncPeriods {
    var period: Duration
    var minimum: Duration

    /// Nil, and a problem, unless 0 <= minimum <= period and period > 0. In a file zero means the default, as kube-proxy
    /// takes it; a flag that is zero is zero.
    init?(_ reader: inout ConfigurationReader, _ mode: KubeProxyMode, zeroIsDefault: Bool) {
        let section = mode.rawValue
        guard let period = KubeProxyValidation.notNegative(section, "syncPeriod", &reader),
            let minimum = KubeProxyValidation.notNegative(section, "minSyncPeriod", &reader)
        else { return nil }
        func value(_ field: String, _ given: Duration, _ standard: Duration) -> Duration {
            let isSaid = !zeroIsDefault && reader.section(section.field(field)) != .null
            return given == .zero && !isSaid ? standard : given
        }
        self.period = value("syncPeriod", period, .seconds(30))
        self.minimum = value("minSyncPeriod", minimum, mode == .ipvs ? .zero : .seconds(1))
        guard self.period > .zero else {
            reader.fail(section.field("syncPeriod"), "is not above 0")
            return nil
        }
        guard self.minimum <= self.period else {
            reader.fail(section.field("syncPeriod"), "is shorter than minSyncPeriod")
            return nil
        }
    }
}
