// Everything that an agent is told when it starts. Built by the command line from flags and files.

package import Datapath
package import LoadBalancing
package import NetworkTypes

package struct AgentSettings: Sendable {
    /// A directory or a file of manifests.
    package var manifests: String
    package var node: NodeSettings
    package var datapath: DatapathSettings
    package var auditInterval: Duration?
    /// Nil: no metrics server.
    package var metricsAddress: AddressAndPort?
    /// Where the state file is written, for `martlet status`.
    package var stateFolder: String

    package init(
        manifests: String, node: NodeSettings, datapath: DatapathSettings,
        auditInterval: Duration? = .seconds(60), metricsAddress: AddressAndPort? = nil, stateFolder: String
    ) {
        self.manifests = manifests
        self.node = node
        self.datapath = datapath
        self.auditInterval = auditInterval
        self.metricsAddress = metricsAddress
        self.stateFolder = stateFolder
    }
}
