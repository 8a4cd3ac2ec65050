// Settings that are about the wrong IP family (FLAG-4): a fault on a host that has one family, where nothing else could
// be meant, and else worth a warning.

package import LoadBalancing
package import NetworkTypes

package struct FamilyCheck: Hashable, Sendable {
    /// The settings cannot be used; why. Nil when they can.
    package private(set) var fault: String?
    package private(set) var notices: [ConfigurationNotice] = []

    /// - Parameters:
    ///   - addresses: the node's own.
    ///   - hasBothFamilies: whether the kernel does IPv4 and IPv6.
    package init(_ settings: NodeSettings, addresses: [IPAddress], hasBothFamilies: Bool) {
        let primary = Self.primaryFamily(settings, addresses)
        if case .clusterCIDR(let ranges) = settings.localDetector, !ranges.isEmpty,
            !ranges.contains(where: { $0.family == primary })
        {
            let words = "has no \(primary) range, and \(primary) is the node's primary family"
            if hasBothFamilies {
                notices.append(ConfigurationNotice(.different, "clusterCIDR", words))
            } else {
                fault = "clusterCIDR: " + words + ", its only one"
            }
        }
        if case .ranges(let ranges) = settings.nodePortAddresses, !ranges.isEmpty,
            !ranges.contains(where: { $0.family == primary })
        {
            notices.append(
                ConfigurationNotice(
                    .different, "nodePortAddresses",
                    "has no \(primary) range: node ports are served on all \(primary) addresses (NP-3)"))
        }
    }

    /// That of a specific bind address (NODE-4); else IPv4, unless the node has no address of it that others can reach.
    package static func primaryFamily(_ settings: NodeSettings, _ addresses: [IPAddress]) -> AddressFamily {
        if let address = settings.bindAddress, !address.isUnspecified { return address.family }
        func has(_ family: AddressFamily) -> Bool {
            addresses.contains { $0.family == family && !$0.isLoopback && !$0.isLinkLocal }
        }
        return !has(.ipv4) && has(.ipv6) ? .ipv6 : .ipv4
    }
}
