// A KubeProxyConfiguration, as lenient as kube-proxy: unknown fields are warnings (FLAG-1), and what Martlet has no use
// for is accepted and listed. What kube-proxy refuses is refused (FLAG-3, in KubeProxyValidation).

import LoadBalancing
import NetworkTypes
import ServiceModel

enum KubeProxyDecoder {
    static func decode(
        _ reader: inout ConfigurationReader, into configuration: inout AgentConfiguration, zeroIsDefault: Bool
    ) {
        noteFields(&reader)
        let mode = KubeProxyMode.read(&reader)
        configuration.proxyMode = mode.rawValue
        configuration.kubeProxyDocument = reader.section("")
        decodeRules(&reader, mode, into: &configuration)
        decodeDetector(&reader, into: &configuration)
        decodeIdentity(&reader, into: &configuration)
        decodeFeatureGates(&reader, into: &configuration)
        decodeClient(&reader, into: &configuration)
        KubeProxyValidation.check(&reader)
        // FLAG-2: every section is checked, that of the mode counts.
        for section in KubeProxyMode.allCases {
            let periods = SyncPeriods(&reader, section, zeroIsDefault: zeroIsDefault)
            guard section == mode, let periods else { continue }
            configuration.minimumSyncInterval = periods.minimum
            configuration.syncPeriod = periods.period
        }
    }

    private static func noteFields(_ reader: inout ConfigurationReader) {
        for section in KubeProxyFields.sections {
            for field in reader.fields(of: section.path) {
                let path = section.path.field(field)
                if section.notUsed.contains(field) {
                    if !reader.section(path).isZero { reader.note(.notUsed, path, "is accepted, but not used yet") }
                } else if !section.used.contains(field) {
                    reader.note(.unknownField, path, "is not a field of KubeProxyConfiguration")
                }
            }
        }
    }

    private static func decodeRules(
        _ reader: inout ConfigurationReader, _ mode: KubeProxyMode, into configuration: inout AgentConfiguration
    ) {
        let addresses = reader.read("") { (root) throws(FieldProblem) in try root.strings("nodePortAddresses") } ?? []
        let list = NodePortAddressList.parse(
            addresses, allowsAll: false, whenEmpty: mode.defaultNodePortAddresses, &reader)
        if let list { configuration.change { $0.nodePortAddresses = list } }
        let localhost = reader.read("iptables") { (iptables) throws(FieldProblem) in
            try iptables.bool("localhostNodePorts")
        }
        // NP-6: only the iptables mode has it, and there it is the default.
        configuration.change { $0.localhostNodePorts = mode == .iptables && (localhost ?? nil) ?? true }
        // Both sections are checked, the mode's own counts. ipvs uses the iptables section, as kube-proxy does.
        let flags = ["iptables", "nftables"].map { section in
            (reader.read(section) { (values) throws(FieldProblem) in try values.bool("masqueradeAll") } ?? nil) ?? false
        }
        configuration.change { $0.masqueradeAll = mode == .nftables ? flags[1] : flags[0] }
    }

    private static func decodeDetector(
        _ reader: inout ConfigurationReader, into configuration: inout AgentConfiguration
    ) {
        let text = reader.read("") { (root) throws(FieldProblem) in try root.string("clusterCIDR") ?? "" } ?? ""
        let parts = text.isEmpty ? [] : text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        func field(_ name: String, _ reader: inout ConfigurationReader) -> String {
            reader.read("detectLocal") { (detect) throws(FieldProblem) in try detect.string(name) ?? "" } ?? ""
        }
        let input = DetectorInput(
            mode: reader.read("") { (root) throws(FieldProblem) in try root.string("detectLocalMode") ?? "" } ?? "",
            modeField: "detectLocalMode", clusterCIDRs: reader.cidrs(parts) { _ in "clusterCIDR" },
            clusterCIDRField: "clusterCIDR", bridge: field("bridgeInterface", &reader),
            prefix: field("interfaceNamePrefix", &reader))
        guard let detector = input.detector(&reader) else { return }
        configuration.change { $0.localDetector = detector }
        if detector == NodeSettings.LocalDetector.none {
            reader.note(.different, "clusterCIDR", "is not set, so no traffic counts as pod-local (MASQ-8, TP-8)")
        }
    }

    private static func decodeIdentity(
        _ reader: inout ConfigurationReader, into configuration: inout AgentConfiguration
    ) {
        let name = reader.read("") { (root) throws(FieldProblem) in try root.string("hostnameOverride") ?? "" } ?? ""
        if !name.isEmpty {
            do throws(FieldProblem) {
                configuration.hostnameOverride = try NodeName.normalise(name, field: "hostnameOverride")
            } catch {
                reader.fail(error.field, error.message)
            }
        }
        let bind = reader.read("") { (root) throws(FieldProblem) in try root.string("bindAddress") } ?? nil
        if let address = BindAddress.parse(bind, &reader) { configuration.change { $0.bindAddress = address } }
        // FLAG-5: an empty metrics address is the default, not an error.
        let metrics =
            reader.read("") { (root) throws(FieldProblem) in try root.string("metricsBindAddress") ?? "" } ?? ""
        if !metrics.isEmpty {
            configuration.metricsAddress = BindAddress.withPort(
                metrics, defaultPort: 10249, "metricsBindAddress", &reader)
        }
        let health =
            reader.read("") { (root) throws(FieldProblem) in try root.string("healthzBindAddress") ?? "" } ?? ""
        let everywhere = AddressAndPort(address: IPAddress(ipv4: 0), port: 10256)
        let place =
            health.isEmpty
            ? everywhere : BindAddress.withPort(health, defaultPort: 10256, "healthzBindAddress", &reader)
        // With what is no address, nothing starts.
        configuration.health = .at(place ?? everywhere)
        configuration.bindAddressHardFail =
            (reader.read("") { (root) throws(FieldProblem) in try root.bool("bindAddressHardFail") } ?? nil) ?? false
        let kubeconfig = reader.read("clientConnection") { (client) throws(FieldProblem) in
            try client.string("kubeconfig") ?? ""
        }
        configuration.kubeconfig = kubeconfig?.isEmpty == false ? kubeconfig : nil
    }

    /// API-6. Zero and absence mean the default.
    private static func decodeClient(
        _ reader: inout ConfigurationReader, into configuration: inout AgentConfiguration
    ) {
        let section = "clientConnection"
        let rate = reader.read(section) { (client) throws(FieldProblem) in try Self.rate(client) } ?? nil
        if let rate, rate != 0 { configuration.requestsPerSecond = rate }
        let burst = reader.read(section) { (client) throws(FieldProblem) in try client.integer("burst") } ?? nil
        if let burst, burst > 0 { configuration.requestBurst = Int(clamping: burst) }
        let type =
            reader.read(section) { (client) throws(FieldProblem) in try client.string("contentType") ?? "" } ?? ""
        switch type {
        case "", "application/vnd.kubernetes.protobuf": break
        case "application/json": configuration.wantsJSON = true
        default:
            reader.note(
                .different, "clientConnection.contentType",
                "\(FieldValue.quoted(type)) is neither application/vnd.kubernetes.protobuf nor application/json; "
                    + "protobuf is asked for")
        }
    }

    private static func rate(_ client: FieldValue) throws(FieldProblem) -> Double? {
        switch client["qps"] {
        case nil: nil
        case .integer(let number): Double(number)
        case .number(let number): number
        case .some(let other): throw FieldProblem("qps", "\(other.forMessages) is not a number")
        }
    }

    /// Gates are not checked for existing: which ones do depends on the release (FLAG table).
    private static func decodeFeatureGates(
        _ reader: inout ConfigurationReader, into configuration: inout AgentConfiguration
    ) {
        for gate in reader.fields(of: "featureGates") {
            let value = reader.read("featureGates") { (gates) throws(FieldProblem) in try gates.bool(gate) } ?? nil
            guard let value else { continue }
            if gate == "AllowServiceExternalIPs" {
                configuration.change { $0.externalIPsAllowed = value }
            } else {
                reader.note(.notUsed, "featureGates.\(gate)", "is accepted, but not used yet")
            }
        }
        _ = reader.read("featureGates") { (_) throws(FieldProblem) in () }
    }
}

/// `mode`. Martlet forwards in its own way in all of them; what differs are defaults.
enum KubeProxyMode: String, CaseIterable {
    case iptables
    case ipvs
    case nftables

    /// FLAG-3: unknown modes are errors; none is iptables.
    static func read(_ reader: inout ConfigurationReader) -> KubeProxyMode {
        let text = reader.read("") { (root) throws(FieldProblem) in try root.string("mode") ?? "" } ?? ""
        switch text {
        case "", "iptables": return .iptables
        case "nftables": return .nftables
        case "ipvs":
            reader.note(.different, "mode", "is ipvs: Martlet forwards in its own way, with the defaults of that mode")
            return .ipvs
        default:
            reader.fail("mode", "\(FieldValue.quoted(text)) is none of iptables, ipvs and nftables")
            return .iptables
        }
    }

    /// NP-1.
    var defaultNodePortAddresses: NodeSettings.NodePortAddresses {
        switch self {
        case .iptables, .ipvs: .all
        case .nftables: .primary
        }
    }
}

extension FieldValue {
    /// What generators of configuration files write into every field that nobody set.
    fileprivate var isZero: Bool {
        switch self {
        case .null, .bool(false), .integer(0), .number(0), .string(""), .string("0s"), .string("0"): true
        case .bool, .integer, .number, .string: false
        case .array(let elements): elements.isEmpty
        case .object(let members): members.values.allSatisfy(\.isZero)
        }
    }
}
