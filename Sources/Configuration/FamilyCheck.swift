// Whether the settings fit the families of the host (FLAG-4). Known only once the node and the host are.

package import LoadBalancing
package import NetworkTypes

package enum FamilyCheck {
    /// What is wrong for a node whose primary family is `primary`, in words; `isFatal` tells whether to refuse the
    /// start.
    package struct Finding: Hashable, Sendable {
        package var message: String
        package var isFatal: Bool
    }

    /// `podCIDRs` are the node's own, for the NodeCIDR detector.
    package static func findings(
        _ settings: NodeSettings, primary: AddressFamily, hostHasBothFamilies: Bool, podCIDRs: [CIDR]
    ) -> [Finding] {
        switch settings.localDetector {
        case .nodeCIDR where !podCIDRs.contains { $0.family == primary }:
            [Finding(message: "the node's podCIDRs hold no \(primary) range, the primary family", isFatal: true)]
        case .clusterCIDR(let ranges) where !ranges.contains { $0.family == primary }:
            [
                Finding(
                    message: "the cluster CIDRs hold no \(primary) range, the primary family",
                    isFatal: !hostHasBothFamilies)
            ]
        case .none, .clusterCIDR, .nodeCIDR, .bridgeInterface, .interfaceNamePrefix: []
        }
    }
}
