// What of another configuration can take effect in an agent that runs, and what cannot: programs that would have to be
// verified anew, maps that would have to be made anew, servers that would have to be opened anew.

package import LoadBalancing
package import NetworkTypes

extension AgentConfiguration {
    /// The fields in which `newer` differs from this one and that take effect at the next start only, ordered. What they
    /// say is not in what `liveSettings` returns.
    package func fieldsForTheNextStart(in newer: AgentConfiguration) -> [String] {
        var fields: [String] = []
        func compare<Value: Equatable>(_ field: String, _ value: KeyPath<AgentConfiguration, Value>) {
            if self[keyPath: value] != newer[keyPath: value] { fields.append(field) }
        }
        compare("metricsBindAddress", \.metricsAddress)
        compare("healthzBindAddress", \.health)
        compare("bindAddressHardFail", \.bindAddressHardFail)
        compare("syncPeriod", \.syncPeriod)
        compare("pinFolder", \.datapath.pinFolder)
        compare("cgroup", \.datapath.cgroup)
        compare("skipCgroups", \.datapath.skipCgroups)
        compare("terminateTCPConnections", \.datapath.terminatesTCPConnections)
        compare("bindProtection", \.datapath.bindProtection)
        compare("devices", \.datapath.devices)
        compare("xdp", \.datapath.xdp)
        compare("dsrDispatch", \.datapath.directReturnDispatch)
        compare("tunnelSources", \.datapath.tunnelSources)
        compare("sourcePorts", \.datapath.sourcePorts)
        for size in MapSize.allCases where datapath.mapSizes[size] != newer.datapath.mapSizes[size] {
            fields.append("mapSizes.\(size.rawValue)")
        }
        if !hasDetectorsAs(newer) { fields.append("detectLocal") }
        return fields.sorted()
    }

    /// What the rules read of `newer`, as far as the programs that were loaded for this configuration can follow.
    package func liveSettings(of newer: AgentConfiguration, nodeName: String) -> NodeSettings {
        var settings = newer.nodeSettings(nodeName: nodeName)
        if !hasDetectorsAs(newer) { settings.localDetector = nodeSettings(nodeName: nodeName).localDetector }
        return settings
    }

    /// Programs are told when they are loaded in which families there is a detector; which one it is, they read.
    private func hasDetectorsAs(_ newer: AgentConfiguration) -> Bool {
        let (old, new) = (nodeSettings(nodeName: "").localDetector, newer.nodeSettings(nodeName: "").localDetector)
        return AddressFamily.allCases.allSatisfy { old.exists(in: $0) == new.exists(in: $0) }
    }
}

extension NodeSettings.LocalDetector {
    /// Whether pods of this node count as pod-local in the family (TP-8). A detector by interface sees both families, one
    /// by the node's own range those that the node has, which its pods have as well.
    package func exists(in family: AddressFamily) -> Bool {
        switch self {
        case .none: false
        case .clusterCIDR(let ranges): ranges.contains { $0.family == family }
        case .nodeCIDR, .bridgeInterface, .interfaceNamePrefix: true
        }
    }
}
