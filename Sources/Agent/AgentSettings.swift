// Everything that an agent is told when it starts. Built by the command line from flags and files.

package import Datapath
package import KubernetesClient
package import LoadBalancing
package import NetworkTypes

package enum FactSourceSettings: Sendable {
    /// A directory or a file.
    case manifests(path: String)
    /// An API server. JSON alone is asked for when that is wanted, else protobuf first.
    case kubernetes(ClusterAccess, wantsJSON: Bool)
}

package struct AgentSettings: Sendable {
    package var source: FactSourceSettings
    package var node: NodeSettings
    package var datapath: DatapathSettings
    package var auditInterval: Duration?
    /// From the end of a sync to the beginning of the next (SYNC-3); zero: none.
    package var minimumSyncInterval: Duration = .zero
    /// What failed is tried again after this time at the latest (SYNC-5); a change that waits for twice as long is a
    /// fault (HZ-3).
    package var syncPeriod: Duration = .seconds(30)
    /// How often the API server may be asked (API-6).
    package var requestBudget = RequestBudget()
    /// Nil: no metrics server.
    package var metricsAddress: AddressAndPort?
    /// Where /healthz and /livez are served; nil: nowhere.
    package var healthAddress: AddressAndPort?
    package var pages = AgentPages()
    /// An address that cannot be had ends the agent; else it is tried again (HZ-5).
    package var bindHardFail = false
    /// Where the state file is written, for `martlet status`.
    package var stateFolder: String
    /// Remove kube-proxy's rules once everything is programmed, once for a datapath.
    package var takesOver: Bool

    package init(
        source: FactSourceSettings, node: NodeSettings, datapath: DatapathSettings,
        auditInterval: Duration? = .seconds(60), metricsAddress: AddressAndPort? = nil,
        healthAddress: AddressAndPort? = nil, stateFolder: String, takesOver: Bool = false
    ) {
        self.source = source
        self.node = node
        self.datapath = datapath
        self.auditInterval = auditInterval
        self.metricsAddress = metricsAddress
        self.healthAddress = healthAddress
        self.stateFolder = stateFolder
        self.takesOver = takesOver
    }
}
