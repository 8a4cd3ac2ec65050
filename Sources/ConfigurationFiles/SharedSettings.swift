// Settings that both kinds of files have: node port addresses, the local detector, addresses to bind.

import LoadBalancing
import NetworkTypes
import ServiceModel

/// `nodePortAddresses` (NP-1…NP-5).
enum NodePortAddressList {
    /// "primary" and, in Martlet's own files, "all" stand alone; everything else is CIDRs. Nil, and a problem, when
    /// not.
    static func parse(
        _ texts: [String], allowsAll: Bool, whenEmpty: NodeSettings.NodePortAddresses,
        _ reader: inout ConfigurationReader
    ) -> NodeSettings.NodePortAddresses? {
        guard !texts.isEmpty else { return whenEmpty }
        for word in allowsAll ? ["primary", "all"] : ["primary"] where texts.contains(word) {
            guard texts.count == 1 else {
                reader.fail("nodePortAddresses", "\(FieldValue.quoted(word)) cannot be combined with anything else")
                return nil
            }
            return word == "primary" ? .primary : .all
        }
        let ranges = reader.cidrs(texts) { "nodePortAddresses[\($0)]" }
        return ranges.count == texts.count ? .ranges(ranges) : nil
    }
}

/// How pod-local traffic is recognised, as written (MASQ-9).
struct DetectorInput {
    /// Empty means ClusterCIDR.
    var mode: String
    var modeField: String
    var clusterCIDRs: [CIDR]
    var clusterCIDRField: String
    var bridge: String
    var prefix: String

    /// Fields of `detectLocal` that are set although the mode does not look at them.
    var fieldsOfOtherModes: [String] {
        var fields: [String] = []
        if !clusterCIDRs.isEmpty, mode != "", mode != "ClusterCIDR" { fields.append("clusterCIDRs") }
        if !bridge.isEmpty, mode != "BridgeInterface" { fields.append("bridgeInterface") }
        if !prefix.isEmpty, mode != "InterfaceNamePrefix" { fields.append("interfaceNamePrefix") }
        return fields
    }

    /// Nil, and a problem, when the mode is unknown or lacks what it needs (FLAG-3).
    func detector(_ reader: inout ConfigurationReader) -> NodeSettings.LocalDetector? {
        switch mode {
        case "", "ClusterCIDR":
            for family in AddressFamily.allCases where clusterCIDRs.count(where: { $0.family == family }) > 1 {
                reader.fail(clusterCIDRField, "holds more than one \(family) range; one of each family at most")
                return nil
            }
            return clusterCIDRs.isEmpty ? NodeSettings.LocalDetector.none : .clusterCIDR(clusterCIDRs)
        case "NodeCIDR": return .nodeCIDR
        case "BridgeInterface":
            return interface(bridge, "detectLocal.bridgeInterface", &reader).map { .bridgeInterface($0) }
        case "InterfaceNamePrefix":
            return interface(prefix, "detectLocal.interfaceNamePrefix", &reader).map { .interfaceNamePrefix($0) }
        default:
            reader.fail(
                modeField,
                "\(FieldValue.quoted(mode)) is none of ClusterCIDR, NodeCIDR, BridgeInterface and InterfaceNamePrefix")
            return nil
        }
    }

    /// The kernel's names have at most 15 bytes.
    private func interface(_ name: String, _ field: String, _ reader: inout ConfigurationReader) -> String? {
        guard !name.isEmpty else {
            reader.fail(field, "must be set in the mode \(mode)")
            return nil
        }
        guard name.utf8.count <= 15 else {
            reader.fail(field, "\(FieldValue.quoted(name)) is longer than 15 bytes")
            return nil
        }
        return name
    }
}

enum BindAddress {
    /// `bindAddress`: nil when unset, empty or unspecified, which all leave the node's IP to its Node object (NODE-4),
    /// and nil with a problem when it is no address.
    static func parse(_ text: String?, _ reader: inout ConfigurationReader) -> IPAddress? {
        guard let text, !text.isEmpty else { return nil }
        guard let address = IPAddress(text) else {
            reader.fail("bindAddress", "\(FieldValue.quoted(text)) is not an IP address")
            return nil
        }
        return address.isUnspecified ? nil : address
    }

    /// Reads `IP:port`; nil when empty, and nil with a problem for anything else.
    static func optional(_ text: String, _ field: String, _ reader: inout ConfigurationReader) -> AddressAndPort? {
        text.isEmpty ? nil : withPort(text, defaultPort: nil, field, &reader)
    }

    /// Reads `IP:port`, or an IP alone where there is a default port. Nil, and a problem, for anything else.
    static func withPort(
        _ text: String, defaultPort: UInt16?, _ field: String, _ reader: inout ConfigurationReader
    ) -> AddressAndPort? {
        if let address = AddressAndPort(text), address.port != 0 { return address }
        if let defaultPort, let address = IPAddress(text) { return AddressAndPort(address: address, port: defaultPort) }
        reader.fail(field, "\(FieldValue.quoted(text)) is not an IP address with a port (such as 127.0.0.1:10249)")
        return nil
    }
}
