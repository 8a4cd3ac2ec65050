// `martlet.dev/v1alpha1` `MartletConfiguration`. Strict: a field that nobody knows is an error, since a misspelt
// setting must not be silently without effect.

import LoadBalancing
import NetworkTypes
import ServiceModel

enum MartletDecoder {
    static func decode(_ reader: inout ConfigurationReader, into configuration: inout AgentConfiguration) {
        for section in MartletFields.sections {
            for field in reader.fields(of: section.path) where !section.fields.contains(field) {
                reader.fail(section.path.field(field), "is not a field of MartletConfiguration")
            }
        }
        decodeRules(&reader, into: &configuration)
        decodeDetector(&reader, into: &configuration)
        decodeDatapath(&reader, into: &configuration)
        decodePackets(&reader, into: &configuration)
        decodeAddresses(&reader, into: &configuration)
        decodeIntervals(&reader, into: &configuration)
    }

    private static func decodeRules(_ reader: inout ConfigurationReader, into configuration: inout AgentConfiguration) {
        let addresses = reader.read("") { (root) throws(FieldProblem) in try root.strings("nodePortAddresses") } ?? []
        if let parsed = NodePortAddressList.parse(addresses, allowsAll: true, whenEmpty: .primary, &reader) {
            configuration.change { $0.nodePortAddresses = parsed }
        }
        if let flag = bool("localhostNodePorts", &reader) { configuration.change { $0.localhostNodePorts = flag } }
        if let flag = bool("masqueradeAll", &reader) { configuration.change { $0.masqueradeAll = flag } }
        if let flag = bool("allowServiceExternalIPs", &reader) { configuration.change { $0.externalIPsAllowed = flag } }
        let ranges = reader.read("") { (root) throws(FieldProblem) in try root.strings("serviceCIDRs") } ?? []
        let serviceCIDRs = reader.cidrs(ranges) { "serviceCIDRs[\($0)]" }
        configuration.change { $0.serviceCIDRs = serviceCIDRs }
        if let name = text("algorithm", &reader) {
            if let algorithm = Service.Algorithm(rawValue: name) {
                configuration.change { $0.defaultAlgorithm = algorithm }
            } else {
                reader.fail("algorithm", "\(FieldValue.quoted(name)) is neither random nor maglev")
            }
        }
        if let name = text("forwarding", &reader) {
            if let forwarding = Service.Forwarding(rawValue: name) {
                configuration.change { $0.defaultForwarding = forwarding }
            } else {
                reader.fail("forwarding", "\(FieldValue.quoted(name)) is none of snat, dsr and hybrid")
            }
        }
        if let flag = bool("clusterIPFromOutside", &reader) {
            configuration.change { $0.servesClusterIPsOutside = flag }
        }
    }

    private static func decodePackets(
        _ reader: inout ConfigurationReader, into configuration: inout AgentConfiguration
    ) {
        let devices = reader.read("") { (root) throws(FieldProblem) in try root.strings("devices") } ?? []
        if !devices.isEmpty { configuration.datapath.devices = devices }
        if devices.count > 1, devices.contains("auto") || devices.contains("none") {
            reader.fail("devices", "auto and none cannot be combined with anything else")
        }
        if let mode = text("xdp", &reader) {
            if !["native", "generic", "off"].contains(mode) {
                reader.fail("xdp", "\(FieldValue.quoted(mode)) is none of native, generic and off")
            }
            configuration.datapath.xdp = mode
        }
        if let dispatch = text("dsrDispatch", &reader) {
            if !["ipip", "option"].contains(dispatch) {
                reader.fail("dsrDispatch", "\(FieldValue.quoted(dispatch)) is neither ipip nor option")
            }
            configuration.datapath.directReturnDispatch = dispatch
        }
        let texts = reader.read("") { (root) throws(FieldProblem) in try root.strings("tunnelSources") } ?? []
        configuration.datapath.tunnelSources = reader.cidrs(texts) { "tunnelSources[\($0)]" }
        let ranges = configuration.datapath.tunnelSources
        for family in AddressFamily.allCases where ranges.count(where: { $0.family == family }) > 1 {
            reader.fail("tunnelSources", "holds more than one \(family) range; one of each family at most")
        }
        for range in ranges {
            // The datapath writes what is left of the first word, or the last word of four (bpf/lib/tunnel.bpf.h).
            let longest = range.family == .ipv4 ? 31 : 96
            if !(1...longest).contains(Int(range.prefixLength)) {
                reader.fail(
                    "tunnelSources",
                    "\(range) is not between /1 and /\(longest): what follows the prefix tells flows apart")
            }
        }
        guard let text = text("sourcePorts", &reader) else { return }
        let ends = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).compactMap { UInt16($0) }
        guard ends.count == 2, ends[0] > 0, ends[0] < ends[1] else {
            reader.fail("sourcePorts", "\(FieldValue.quoted(text)) is not a range of ports (such as 61000-65535)")
            return
        }
        configuration.datapath.sourcePorts = ends[0]...ends[1]
    }

    private static func decodeDetector(
        _ reader: inout ConfigurationReader, into configuration: inout AgentConfiguration
    ) {
        let section = "detectLocal"
        let texts = reader.read(section) { (detect) throws(FieldProblem) in try detect.strings("clusterCIDRs") } ?? []
        let input = DetectorInput(
            mode: reader.read(section) { (detect) throws(FieldProblem) in try detect.string("mode") ?? "" } ?? "",
            modeField: "detectLocal.mode",
            clusterCIDRs: reader.cidrs(texts) { "detectLocal.clusterCIDRs[\($0)]" },
            clusterCIDRField: "detectLocal.clusterCIDRs",
            bridge: reader.read(section) { (detect) throws(FieldProblem) in try detect.string("bridgeInterface") ?? "" }
                ?? "",
            prefix: reader.read(section) { (detect) throws(FieldProblem) in
                try detect.string("interfaceNamePrefix") ?? ""
            } ?? "")
        for field in input.fieldsOfOtherModes {
            reader.fail("detectLocal.\(field)", "has no effect in this mode")
        }
        if let detector = input.detector(&reader) { configuration.change { $0.localDetector = detector } }
    }

    private static func decodeDatapath(
        _ reader: inout ConfigurationReader, into configuration: inout AgentConfiguration
    ) {
        configuration.datapath.pinFolder = path("pinFolder", &reader)
        configuration.datapath.cgroup = path("cgroup", &reader)
        let skipped = reader.read("") { (root) throws(FieldProblem) in try root.strings("skipCgroups") } ?? []
        for (index, path) in skipped.enumerated() where !path.hasPrefix("/") {
            reader.fail("skipCgroups[\(index)]", "\(FieldValue.quoted(path)) does not begin with '/'")
        }
        configuration.datapath.skipCgroups = skipped
        if let flag = bool("terminateTCPConnections", &reader) {
            configuration.datapath.terminatesTCPConnections = flag
        }
        if let flag = bool("bindProtection", &reader) { configuration.datapath.bindProtection = flag }
        for size in MapSize.allCases {
            let number = reader.read("mapSizes") { (sizes) throws(FieldProblem) in try sizes.integer(size.rawValue) }
            guard let number = number ?? nil else { continue }
            guard let entries = UInt32(exactly: number), (1...MapSize.limit).contains(entries) else {
                reader.fail("mapSizes.\(size.rawValue)", "\(number) is not within 1…\(MapSize.limit)")
                continue
            }
            if size == .eventBytes, entries < 4096 || entries.nonzeroBitCount != 1 {
                reader.fail("mapSizes.eventBytes", "\(number) is not a power of two of at least 4096")
            }
            configuration.datapath.mapSizes[size] = entries
        }
    }

    private static func decodeAddresses(
        _ reader: inout ConfigurationReader, into configuration: inout AgentConfiguration
    ) {
        if let address = BindAddress.parse(text("bindAddress", &reader), &reader) {
            configuration.change { $0.bindAddress = address }
        }
        if let health = text("healthzBindAddress", &reader) {
            configuration.health =
                BindAddress.optional(health, "healthzBindAddress", &reader).map { .at($0) } ?? .nowhere
        }
        if let flag = bool("bindAddressHardFail", &reader) { configuration.bindAddressHardFail = flag }
        guard let metrics = text("metricsBindAddress", &reader) else { return }
        configuration.metricsAddress = BindAddress.optional(metrics, "metricsBindAddress", &reader)
    }

    private static func decodeIntervals(
        _ reader: inout ConfigurationReader, into configuration: inout AgentConfiguration
    ) {
        if let interval = duration("auditInterval", &reader) {
            configuration.auditInterval = interval == .zero ? nil : interval
        }
        if let interval = duration("minSyncPeriod", &reader) { configuration.minimumSyncInterval = interval }
        if let period = duration("syncPeriod", &reader) {
            if period == .zero { reader.fail("syncPeriod", "is not above 0") }
            configuration.syncPeriod = period
        }
        if configuration.minimumSyncInterval > configuration.syncPeriod {
            reader.fail("syncPeriod", "is shorter than minSyncPeriod")
        }
        if let level = text("logLevel", &reader) {
            if !MartletFields.logLevels.contains(level) {
                reader.fail(
                    "logLevel",
                    "\(FieldValue.quoted(level)) is none of \(MartletFields.logLevels.joined(separator: ", "))")
            }
            configuration.logLevel = level
        }
        guard let period = duration("gracePeriod", &reader) else { return }
        if period < AgentConfiguration.leastGracePeriod {
            reader.fail("gracePeriod", "is less than 1s: programs may still be reading what would be reused")
        }
        configuration.gracePeriod = period
    }
}

extension MartletDecoder {
    private static func bool(_ key: String, _ reader: inout ConfigurationReader) -> Bool? {
        reader.read("") { (root) throws(FieldProblem) in try root.bool(key) } ?? nil
    }

    private static func text(_ key: String, _ reader: inout ConfigurationReader) -> String? {
        reader.read("") { (root) throws(FieldProblem) in try root.string(key) } ?? nil
    }

    private static func path(_ key: String, _ reader: inout ConfigurationReader) -> String? {
        guard let path = text(key, &reader) else { return nil }
        if !path.hasPrefix("/") { reader.fail(key, "\(FieldValue.quoted(path)) does not begin with '/'") }
        return path
    }

    private static func duration(_ key: String, _ reader: inout ConfigurationReader) -> Duration? {
        guard let text = text(key, &reader) else { return nil }
        guard let duration = DurationText.parse(text), duration >= .zero else {
            reader.fail(key, "\(FieldValue.quoted(text)) is not a duration (such as 30s)")
            return nil
        }
        return duration
    }
}

extension MapSize {
    /// Beyond any memory: 2^28 entries of the smallest map are 2 GiB.
    static let limit: UInt32 = 1 << 28
}
